"""What controls of blood, organs and therapy read out: cells by what became of them, where, and how often.

A share is of the cells that entered the blood since the start (`needs.entered`), that of lesions of these and of those
put into organs (`needs.begun`). A rate in the flow is over the time that all cells spent there, by the numbers at the
outputs: it needs many of these.
"""
import numpy as np

from metacascade.base.nodes import WITH_LESIONS
from metacascade.base.units import DAY_S
from metacascade.io.needs import at_last, begun, column, entered, events
from metacascade.studies.readouts import readout


def _over(part, whole):
    return float(part / whole) if whole else np.nan


def _share(results, part, of=entered):
    return _over(part, of(results)[-1])


def _happened(results, event, node=None):
    """How often an event of the blood happened, in a node or in all."""
    by_node = events(results).get(event, {})
    return float(by_node.get(node, 0) if node else sum(by_node.values()))


def _flow_h(results):
    """Time that all cells spent in the flow, cells times hours."""
    return float(np.trapezoid(column(results, "circulating"), column(results, "time_s") / 3600))


def _in_organs(results, columns, organs=WITH_LESIONS):
    """The sum of columns of the table by organ, at the end."""
    names, rows = results.names("organs")["node"], at_last(results, "organs")
    return float(sum(int(row[name]) for row in rows if names[int(row["node"])] in organs for name in columns))


def _register(name, unit, doc, function):
    function.__name__, function.__doc__ = name, doc
    readout(unit)(function)


def _column_share(name, doc, of=entered):
    _register(f"{name}_share", "1", doc, lambda results: _share(results, column(results, name)[-1], of))


def _event_share(name, doc):
    _register(f"{name}_share", "1", doc, lambda results: _share(results, _happened(results, name)))


_column_share("extravasated", "Cells that left the vessels of organs, over those that entered.")
_column_share("self_seeded", "Cells that came back to the tumor, over those that entered.")
for _name, _doc in (("started", "Lesions that began to divide once seeded"), ("slept", "Lesions that fell asleep"),
                    ("woken", "Lesions that woke"), ("transformed", "Lesions of normal cells that became malignant")):
    _column_share(_name, f"{_doc}, over the cells that entered or were put into organs.", begun)
_event_share("bound", "How often cells bound to a wall, over those that entered.")
_event_share("burst", "Cells that left a vessel as its wall burst, over those that entered.")
_event_share("split", "Cells that left a cluster in the flow, over those that entered.")


def _event_in(event, organ, doc):
    _register(f"{event}_{organ}", "1", f"{doc} of the {organ}, over those that entered.",
              lambda results: _share(results, _happened(results, event, organ)))


def _number_in(name, organ, columns, unit, doc):
    _register(f"{name}_{organ}", unit, f"{doc} in the {organ}, at the end.",
              lambda results: _in_organs(results, columns, (organ,)))


for _organ in ("lung", "liver", "bone", "brain", "kidney"):
    _event_in("extravasated", _organ, "Cells that left the vessels")
_event_in("bound", "lung", "How often cells bound to the walls")
for _organ in ("bone", "liver", "lung"):
    _number_in("dividing", _organ, ("micro", "vascular"), "lesions", "Lesions that divide,")
    _number_in("dormant", _organ, ("dormant",), "lesions", "Lesions that sleep,")
_number_in("detected", "lung", ("detected",), "lesions", "Lesions that have had colonization.detect cells,")
for _organ in ("liver", "lung"):
    _number_in("lesion_cells", _organ, ("cells",), "cells", "Cells of lesions")


@readout("1")
def trapped_per_passage(results):
    """Cells that a capillary stopped, for each bed that a single cell or a cluster entered."""
    return _over(_happened(results, "trapped"), column(results, "passages")[-1])


@readout("1")
def torn_per_passage(results):
    """Cells torn in a capillary, for each bed that a single cell or a cluster entered."""
    return _over(_happened(results, "torn"), column(results, "passages")[-1])


@readout("beds")
def passages_per_ctc(results):
    """Beds that a single cell or a cluster which the tumor shed entered."""
    return _over(column(results, "passages")[-1], column(results, "shed_ctcs")[-1])


@readout("s")
def flow_life_s(results):
    """Mean time that a cell flows."""
    return _share(results, 3600 * _flow_h(results))


@readout("1/h")
def passages_per_flow_hour(results):
    """Beds entered in an hour of flow."""
    return _over(column(results, "passages")[-1], _flow_h(results))


@readout("1/h")
def anoikis_per_flow_hour(results):
    """Deaths of anoikis in an hour of flow."""
    return _over(column(results, "anoikis")[-1], _flow_h(results))


@readout("cells")
def shed_end(results):
    """Cells that entered the blood from the tumor."""
    return float(column(results, "shed")[-1])


@readout("lesions")
def seeded_end(results):
    """Lesions founded from the blood."""
    return float(column(results, "seeded")[-1])


@readout("cells")
def seeded_lung(results):
    """Cells that left the vessels of the lung."""
    return _happened(results, "extravasated", "lung")


@readout("cells")
def lesion_cells_end(results):
    """Cells of lesions at the end."""
    return float(column(results, "lesions")[-1])


@readout("lesions")
def vascular_end(results):
    """Lesions with vessels of their own, at the end."""
    return _in_organs(results, ("vascular",))


@readout("lesions")
def dormant_end(results):
    """Lesions that sleep, at the end."""
    return _in_organs(results, ("dormant",))


def _alive_in_lung(results, day):
    """Cells in the lung at the last output not after a day, in its vessels or outside of them."""
    names, rows = results.names("organs")["node"], results.organs[:]
    times = results.series["time_s"]
    last = max(times[times <= day * DAY_S], default=None)
    rows = [row for row in rows if row["time_s"] == last and names[int(row["node"])] == "lung"]
    return float(sum(int(row["arrested"]) + int(row["cells"]) for row in rows))


@readout("cells")
def alive_lung_day1(results):
    """Cells alive in the lung after a day, arrested in its vessels or outside of them."""
    return _alive_in_lung(results, 1)


@readout("cells")
def alive_lung_day5(results):
    """The same after five days."""
    return _alive_in_lung(results, 5)
