"""Metastases: what is in each organ, what can be seen of it, when the first was there, and who seeded whom."""
import math

import numpy as np

from metacascade.io import funnel, needs
from metacascade.io.needs import Missing

PRIMARY, INJECTION, LYMPH = needs.TUMOR, "injection", "lymph_node"      # whence a lesion may come, beside organs
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


def detected(results, cells=None) -> tuple[np.ndarray, np.ndarray]:
    """(which lesions were seen up to the end, when that was [h], nan: not known). Missing while the run goes on.

    Seen are those that had colonization.detect cells once, or that have `cells` at the end.
    """
    rows = needs.lesions(results)
    if cells is None:
        return np.isfinite(rows["t_detected"]), np.where(np.isfinite(rows["t_detected"]), rows["t_detected"], math.nan)
    return rows["n"] >= cells, np.full(len(rows), math.nan)


def metastases(results, cells=None) -> dict:
    """When the first of each was there [h], and how many there are; None: none yet, or not told.

    `first_lesion_h`, to the end of a step, when the first one had begun to divide; `first_detected_h` and `detected`,
    lesions of at least `cells` cells; `largest`, cells. The last three are known at the end of the run alone.
    """
    first = needs.column(results, "first_lesion_s", NOT_YET)[-1:] / 3600
    found = dict(first_lesion_h=float(first[0]) if len(first) and first[0] >= 0 else None,
                 first_detected_h=None, detected=None, largest=None)
    try:
        seen, when = detected(results, cells)
    except Missing:
        return found
    known = when[np.isfinite(when)]
    return found | dict(detected=int(seen.sum()), largest=int(needs.lesions(results)["n"].max(initial=0)),
                        first_detected_h=float(known.min()) if len(known) else None)


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
