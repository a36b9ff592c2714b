"""Founders of lesions: where in the tumor they were before they entered the blood, and which clone each lesion is.

A lesion has the id of its founder, and so has the row of a shed cell. A part of a cluster that is of another clone than
its leader has an id of its own and no row: where it left the tumor is not told.
"""
import math
from collections import Counter

import numpy as np

from metacascade.io import metastases, needs

FIELDS = ["id", "zone", "distance", "x", "y", "z"]
NOT_TOLD = "not told"


def founders(results) -> list[dict]:
    """A row for each zone of the tumor that cells have left: `zone`, how many CTCs left it (`shed`), how many founded a
    lesion that is alive (`founders`), both as shares of all, and `chance`, founders for each CTC; of the founders the
    medians of the distance to the vessel [um] and to the mean place of all that were shed [um].

    Missing while the run goes on, and without rows of shed cells.
    """
    if (results.config.get("tumor") or {}).get("lumped"):
        raise needs.Missing("the tumor has no space")
    left, center, rows = _of_tumor(results, _alive(results))
    if not left:
        raise needs.Missing("no cell has left the tissue of a tumor")
    told = []
    for number, name in results.names("shed")["zone"].items():
        if shed := left[number]:
            own = rows[rows["zone"] == number]
            away = np.sqrt(sum((own[axis] - at) ** 2 for axis, at in zip("xyz", center)))
            told.append(dict(zone=name, shed=shed, founders=len(own), shed_share=shed / left.total(),
                             founders_share=len(own) / max(len(rows), 1), chance=len(own) / shed,
                             vessel_um=_median(own["distance"]), center_um=_median(away)))
    return told


def largest(results, most=None) -> list[dict]:
    """A row for each lesion that is alive, or for the `most` largest of them, the largest first: `id`, `organ`, `n`,
    `state`, `clone`, `came_from` and `source` as in `metastases.lineages`, `zone`, where in the tumor the founder was
    ("" of one that was not there, or not told), and `t_founded_h`.
    """
    rows = needs.lesions(results)
    rows = rows[rows["n"] > 0]
    rows = rows[np.lexsort((rows["id"], -rows["n"]))[:most]]
    names, states, zones = needs.nodes(results), results.names("lesions")["state"], _zones(results, rows["id"])
    return [dict(id=int(row["id"]), organ=names[int(row["node"])], n=int(row["n"]), state=states[int(row["state"])],
                 clone=int(row["clone"]), came_from=origin, source=int(row["source"]),
                 zone=zones.get(int(row["id"]), NOT_TOLD) if origin == metastases.PRIMARY else "",
                 t_founded_h=float(row["t_founded"])) for row, origin in zip(rows, metastases.came_from(results, rows))]


def _zones(results, ids):
    """{id: name of the zone} of some shed cells, as far as they have rows."""
    names, found = results.names("shed")["zone"], {}
    try:
        for rows in needs.shed_rows(results, ["id", "zone"]):
            own = rows[np.isin(rows["id"], ids)]
            found |= {int(one): names[int(zone)] for one, zone in zip(own["id"], own["zone"])}
    except needs.Missing:
        pass
    return found


def _of_tumor(results, founded):
    """Of the CTCs that left the tissue of the tumor: (number by zone, their mean place, rows of those in `founded`).

    Chunk after chunk: of the others no row is kept, there may be many millions.
    """
    left, sums, found = Counter(), np.zeros(3), []
    for rows in needs.shed_rows(results, [*FIELDS, *needs.OF_TUMOR]):
        rows = rows[needs.of_tumor(results, rows)]
        left.update(rows["zone"].tolist())
        sums += [rows[axis].sum(dtype=float) for axis in "xyz"]
        found.append(rows[np.isin(rows["id"], founded)])
    return left, sums / max(left.total(), 1), np.concatenate(found)


def _alive(results):
    rows = needs.lesions(results)
    return rows["id"][rows["n"] > 0]


def _median(values):
    return float(np.median(values)) if len(values) else math.nan
