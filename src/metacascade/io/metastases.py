"""Metastases: what is in each organ, what can be seen of it, when the first was there, and who seeded whom."""
import math

import numpy as np

from metacascade.io import funnel, needs
from metacascade.io.needs import Missing

PRIMARY, INJECTION, LYMPH = needs.TUMOR, "injection", "lymph_node"      # whence a lesion may come, beside organs
DETECT = 1e9            # cells of a lesion that images show, 1 cm: Friberg and Mattson 1997, J Surg Oncol 65:284
GROWING = ("micro", "vascular")        # states of lesions that grow
NOT_YET = -1.0          # of times of the series


def burdens(results, at=-1) -> list[dict]:
    """What is in each organ at an output, by default the last: `organ`, `time_h`, the columns of the table by organ.

    Lesions by state: `alive`, of these `dormant`, and `micro`, that grow, of these `macro`, with vessels.
    """
    needs.time_h(results)
    rows, names = results.organs[:], needs.nodes(results)
    rows = rows[rows["time_s"] == needs.time_s(results)[at]]
    return [dict(organ=names[int(row["node"])], time_h=row["time_s"] / 3600)
            | {name: int(row[name]) for name in rows.dtype.names if name not in ("time_s", "node")}
            | funnel.states_of(row) for row in rows]


def detection_cells(results, cells=None) -> float:
    """Cells of a lesion that images show: `cells`, or those of the config, or `DETECT`."""
    return float(cells or results.config.get("colonization", {}).get("detect") or DETECT)


def detected(results, cells=None) -> tuple[np.ndarray, np.ndarray]:
    """(which lesions were seen up to the end, when that was [h], nan: not known). Missing while the run goes on."""
    rows = needs.lesions(results)
    if cells is None:
        return np.isfinite(rows["t_detected"]), np.where(np.isfinite(rows["t_detected"]), rows["t_detected"], math.nan)
    return rows["n"] >= detection_cells(results, cells), np.full(len(rows), math.nan)


def metastases(results, cells=None) -> dict:
    """When the first of each was there [h], and how many there are; None: none yet, or not told.

    `first_lesion_h`; `first_growing_h`, a lesion that divides, of which `first_growing_after_h` is the last time at
    which there was surely none (both are equal if a row tells of it); `first_detected_h` and `detected`, lesions of at
    least `cells` cells; `largest`, cells. The last three are known at the end of the run alone.
    """
    first = needs.column(results, "first_lesion_s", NOT_YET)[-1:] / 3600
    after, by = _first_growing(results)
    found = dict(first_lesion_h=float(first[0]) if len(first) and first[0] >= 0 else None,
                 first_growing_after_h=after, first_growing_h=by, first_detected_h=None, detected=None, largest=None)
    try:
        seen, when = detected(results, cells)
    except Missing:
        return found
    known = when[np.isfinite(when)]
    return found | dict(detected=int(seen.sum()), largest=int(needs.lesions(results)["n"].max(initial=0)),
                        first_detected_h=float(known.min()) if len(known) else None)


def _first_growing(results):
    """Bounds of the time at which the first lesion began to grow [h], (None, None): none did."""
    after, by = _first_at_outputs(results)
    try:
        times = started(results)
    except Missing:
        return after, by
    first = float(np.min(times, initial=math.inf, where=np.isfinite(times)))
    if first <= (math.inf if by is None else by):
        return (first, first) if math.isfinite(first) and not _hidden(results) else (after, by)
    return after, by


def _hidden(results):
    """Did lesions grow of which no row tells when that began?"""
    rows = needs.lesions(results)
    return bool((grown(results, rows) & ~np.isfinite(started(results))).any())


def _first_at_outputs(results):
    """The output before the first one with a lesion that grows, and that output [h]."""
    rows, times = results.organs[:], needs.time_s(results)
    rows = rows[~np.isin(rows["node"], needs.numbers_of(results, "organs", "node", (PRIMARY,)))]
    with_any = [row["time_s"] for row in rows if funnel.states_of(row)["micro"]]
    if not with_any:
        return None, None
    k = int(np.searchsorted(times, min(with_any)))
    return float(times[max(k - 1, 0)]) / 3600, float(times[k]) / 3600


def grown(results, rows) -> np.ndarray:
    """Which lesions have ever begun to divide."""
    names = results.names("lesions")["state"]
    growing = [number for number, name in names.items() if name in GROWING]
    return np.isin(rows["state"], growing) | (rows["born"] > 0)


def started(results) -> np.ndarray:
    """When each lesion began to grow [h], nan where it did not, or where its row does not tell."""
    rows = needs.lesions(results)
    first = [number for number, name in results.names("lesions")["state"].items() if name == "micro"]
    return np.where(np.isin(rows["state"], first), rows["t_state"], math.nan)


def lineages(results, cells=None) -> list[dict]:
    """A row for each lesion: `id`, `organ`, `state`, `clone`, `n`, `came_from`, `source`, `t_founded_h`, `t_started_h`,
    `t_detected_h`.

    `came_from`: tumor, injection, lymph_node, or the organ of the lesion that has shed its founder; `source`: the id of
    that lesion, 0 for none. Times are None where they do not tell.
    """
    rows = needs.lesions(results)
    names, states = needs.nodes(results), results.names("lesions")["state"]
    seen, when = detected(results, cells)
    return [dict(id=int(row["id"]), organ=names[int(row["node"])], state=states[int(row["state"])],
                 clone=int(row["clone"]), n=int(row["n"]), came_from=origin, source=int(row["source"]),
                 t_founded_h=float(row["t_founded"]), t_started_h=_or_none(begun), t_detected_h=_or_none(at))
            for row, origin, begun, at in zip(rows, came_from(results, rows), started(results), when)]


def _or_none(hours):
    return float(hours) if math.isfinite(hours) else None


def _with_flag(results, rows, name):
    masks = [mask for mask, flag in results.masks("lesions")["flags"].items() if flag == name]
    return rows["flags"] & (masks[0] if masks else 0) > 0


def came_from(results, rows) -> list[str]:
    """Where the founder of each lesion was before it entered the blood."""
    names = needs.nodes(results)
    origin = [names[int(node)] for node in rows["origin"]]
    injected, by_lesion, with_lymph = (_with_flag(results, rows, name) for name in ("injected", "lesion", "lymph"))
    of_tumor = ~(injected | by_lesion | with_lymph)
    return [PRIMARY if first else INJECTION if put else LYMPH if lymph else node
            for first, put, lymph, node in zip(of_tumor, injected & ~by_lesion, with_lymph & ~by_lesion, origin)]


def routes(results, living=False) -> dict[str, dict[str, int]]:
    """Lesions by where their founder came from, and by their organ: {came_from: {organ: lesions}}.

    `living`: those alone that have cells at the end.
    """
    rows = needs.lesions(results)
    names, found = needs.nodes(results), {}
    for origin, node, n in zip(came_from(results, rows), rows["node"].tolist(), rows["n"].tolist()):
        if n > 0 or not living:
            row = found.setdefault(origin, {})
            row[names[node]] = row.get(names[node], 0) + 1
    return found
