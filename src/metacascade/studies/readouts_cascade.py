"""What experiments on blood and organs read out: who is outside of the vessels, asleep, dividing, or large, and when.

Shares of lesions are of the cells of the source by then: injected, or shed by the tumor, followed or not. Organs are
those of the table by organ.
"""
import math

from metacascade.base.units import DAY_S
from metacascade.io.needs import entered, events
from metacascade.studies.readouts import Missing, readout

STATES = "seeded", "dormant", "micro", "vascular"


def _at(results, day):
    """Rows of the table by organ at the last output not after `day`, without the bed of the tumor.

    An organ in which there is nothing has no row.
    """
    rows, times = results.organs[:], results.series["time_s"]
    times = times[times <= day * DAY_S]
    if not len(times):
        raise Missing(f"no output of the first {day:g} days")
    names = results.names("organs")["node"]
    rows = rows[rows["time_s"] == times[-1]]
    return rows[[names[int(node)] != "tumor" for node in rows["node"]]]


def _of_source(results):
    return float(sum(results.series[name][-1] for name in ("injected", "shed")))


def _share(part, whole):
    return float(part / whole) if whole else math.nan


def _end_day(results):
    return float(max(results.series["time_s"], default=0)) / DAY_S


def _records(rows, *states):
    return float(sum(rows[name].sum() for name in states))


@readout("1")
def outside_day3(results):
    """Cells and clusters that are alive outside of the vessels after three days, of the cells of the source."""
    return _share(_records(_at(results, 3), *STATES), _of_source(results))


@readout("1")
def started_day3(results):
    """Of those that are alive outside of the vessels after three days, the share that divide."""
    rows = _at(results, 3)
    return _share(_records(rows, "micro", "vascular"), _records(rows, *STATES))


@readout("1")
def solitary_end(results):
    """Cells and clusters that are outside of the vessels and do not divide, at the end, of the cells of the source."""
    return _share(_records(_at(results, _end_day(results)), "seeded", "dormant"), _of_source(results))


@readout("1")
def macroscopic_end(results):
    """Lesions that have had colonization.detect cells, at the end, of the cells of the source."""
    return _share(_records(_at(results, _end_day(results)), "detected"), _of_source(results))


@readout("lesions")
def detected_end(results):
    """Lesions that have had colonization.detect cells, at the end."""
    return _records(_at(results, _end_day(results)), "detected")


@readout("1")
def any_detected(results):
    """1 if any lesion has had colonization.detect cells, at the end, else 0."""
    return float(detected_end(results) > 0)


@readout("lesions")
def dividing_end(results):
    """Lesions that divide, at the end."""
    return _records(_at(results, _end_day(results)), "micro", "vascular")


@readout("1")
def grown_per_shed(results):
    """Lesions that divide, at the end, for each cell that the tumor has shed, also those that nobody followed."""
    return _share(dividing_end(results), float(results.series["shed"][-1]))


@readout("cells")
def tumor_end(results):
    """Cells of the tumor at the end, of tissue or without space."""
    return float(sum(results.series[name][-1] for name in ("tissue", "lumped") if name in results.series))


@readout("1")
def nk_killed_share(results):
    """Of the cells that entered the blood, those that NK cells have killed there."""
    found = events(results)
    return _share(sum(sum(found.get(name, {}).values()) for name in ("nk_held", "nk_flowing")), entered(results)[-1])


@readout("1")
def lost_outside_over_held(results):
    """Cells that died outside of the vessels over those that died while a vessel held them."""
    found = events(results)
    held = sum(sum(found.get(name, {}).values()) for name in ("nk_held", "arrested_death"))
    outside = float(sum(results.series[name][-1] for name in ("early_loss", "dormant_loss", "lesion_loss")))
    return _share(outside, held)


@readout("1")
def first_bed_share(results):
    """Of the cells that a capillary has stopped, the share in the bed that stopped most."""
    by_node = events(results).get("trapped", {})
    return _share(max(by_node.values(), default=0), sum(by_node.values()))


@readout("1")
def passed_capillaries(results):
    """Of the cells that entered the blood, those that no capillary has stopped or torn."""
    found = events(results)
    stopped = sum(sum(found.get(name, {}).values()) for name in ("trapped", "torn"))
    return 1.0 - _share(stopped, entered(results)[-1])


@readout("1")
def labeled_share(results):
    """Of the cells of the tumor at the end, those of injections with a label."""
    labels = sorted({plan["label"] for plan in results.config.get("injection", ()) if plan["label"]})
    if not labels:
        raise Missing("there is no injection with a label")
    return _share(sum(results.series[f"{label}_tissue"][-1] for label in labels), results.series["tissue"][-1])
