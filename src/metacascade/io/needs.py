"""What read-outs need of results: columns, tables and names, and a message that says what is not there."""
import numpy as np

from metacascade.base.errors import InputError

TUMOR = "tumor"         # the node of the primary tumor, which is none of the lesions
WHOLE = ""              # the place of a number that is of the whole body
CHUNK = 1 << 20         # rows of shed cells that are read at a time
ENTRIES = ("shed", "shed_lesion", "injected", "drained")    # columns of cells that entered the blood
LEFT = ("extravasated", "died_at_exit")     # fates of those that left a vessel in an organ


class Missing(InputError):
    """These results do not have what a read-out needs; the message says what, and why."""


def column(results, name, default=None) -> np.ndarray:
    """A column of the time series, float64. Without it: all `default`, or Missing if that is None."""
    series = results.series
    if name in series:
        return series[name].astype(float)
    if default is None:
        raise Missing(f"the series has no column {name}")
    return np.full(len(series.get("time_s", ())), float(default))


def time_s(results) -> np.ndarray:
    """Times of the rows of the series [s], int64. Missing if there are none yet."""
    if not len(found := column(results, "time_s")):
        raise Missing("there is no output yet")
    return found.astype(np.int64)


def time_h(results) -> np.ndarray:
    """The same [h]."""
    return time_s(results) / 3600


def entered(results) -> np.ndarray:
    """Cells that entered the blood since the start, at each output: from the tumor, from lesions, by injection, and
    out of a lymph node; those not followed are left out, and those put into organs."""
    return begun(results) - placed(results)


def begun(results) -> np.ndarray:
    """The same with those put into organs: all cells that went through the cascade or a part of it."""
    return sum(column(results, name, 0) for name in ENTRIES) - column(results, "unfollowed", 0)


def placed(results) -> np.ndarray:
    """Of those injected the cells that were put into organs, not into the blood, at each output: by the config.

    While an injection goes on those that are expected by then, to a whole number.
    """
    time, found = column(results, "time_s"), 0.0
    for plan in _into_organs(results):
        gone = (time - plan["time_s"]) / max(plan["duration_s"], 1)
        found = found + np.round(plan["cells"] * np.where(time < plan["time_s"], 0.0, np.clip(
            gone if plan["duration_s"] else 1.0, 0.0, 1.0)))
    return found + np.zeros(len(time))


def put_into(results) -> set[str]:
    """The organs into which cells were put, not into the blood, by the last output."""
    end_s = column(results, "time_s")[-1]
    return {plan["organ"] for plan in _into_organs(results) if plan["time_s"] <= end_s}


def _into_organs(results):
    """The injections of the config that put cells into organs, not into the blood."""
    return [plan for plan in results.config.get("injection", ()) if plan.get("organ")]


def nodes(results) -> dict[int, str]:
    """Names of the nodes of the circuit."""
    return results.names("organs")["node"]


def at_last(results, table) -> np.ndarray:
    """The rows of a table that are of the last output of the series. They may be none."""
    rows = results[table][:]
    return rows[rows["time_s"] == time_s(results)[-1]]


def events(results) -> dict[str, dict[str, int]]:
    """Cells by event of the blood and by node, so far: {event: {node: cells}}; nothing if they were not counted."""
    names, found = results.names("events"), {}
    for row in at_last(results, "events"):
        found.setdefault(names["event"][int(row["event"])], {})[names["node"][int(row["node"])]] = int(row["cells"])
    return found


def shed_rows(results, fields):
    """Rows of shed cells, chunk after chunk. Missing if the run wrote none."""
    total = len(results.shed)
    if not total and not results.config.get("output", {}).get("shed_cells", True):
        raise Missing("the run has output.shed_cells = false, and no rows of shed cells")
    if not total:
        raise Missing("no row of a shed cell is there")
    for first in range(0, total, CHUNK):
        yield results.shed[fields, first:first + CHUNK]


OF_TUMOR = ("origin", "flags")      # fields that `of_tumor` looks at


def of_tumor(results, rows) -> np.ndarray:
    """Which rows of shed cells left the tissue of the tumor: not injected, nor from a lesion, nor out of a lymph node.

    Not by the zone, which no row has where there is no outline.
    """
    flags = {name: mask for mask, name in results.masks("shed")["flags"].items()}
    elsewhere = sum(flags.get(name, 0) for name in ("injected", "lesion", "lymph"))
    return np.isin(rows["origin"], numbers_of(results, "shed", "origin", (TUMOR,))) & (rows["flags"] & elsewhere == 0)


def numbers_of(results, table, field, names) -> list[int]:
    """The numbers that stand for some of the names in a field of a table."""
    return [number for number, name in results.names(table)[field].items() if name in names]


def lesions(results) -> np.ndarray:
    """The table of lesions, without a tumor that is one record. Missing while the run goes on."""
    if "lesions" not in results:
        raise Missing("the run has not ended, and the table of lesions is written at its end")
    rows = results.lesions[:]
    return rows[~np.isin(rows["node"], numbers_of(results, "lesions", "node", (TUMOR,)))]
