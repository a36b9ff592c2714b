"""Cells per volume of blood at any node, and a virtual CellSearch: tubes of blood with its law of detection.

What is expected follows from the cells that flow in a node over its blood. The assay takes what has EpCAM, which is
lost with EMT (Gorges et al. 2012, BMC Cancer 12:178), and finds a share of it, the recovery.
"""
import math
from statistics import NormalDist

import numpy as np

from metacascade._kernels._layout import Draw, draws, unit52
from metacascade.base.errors import InputError
from metacascade.base.names import nearest
from metacascade.io import needs
from metacascade.io.needs import Missing

TUBE_mL = 7.5           # of a CellSearch test
RECOVERY = 0.85         # of cells of a line added to blood: Allard et al. 2004, Clin Cancer Res 10:6897, recalled
MANY = 5                # found in a tube the prognosis is worse: Cristofanilli et al. 2004, N Engl J Med 351:781
NORMAL_FROM = 600.0     # a mean from which on the law of Poisson is drawn as the nearest normal one


def volume_mL(results, node) -> np.ndarray:
    """Blood in a node at each output [mL]."""
    volumes = results.blood_mL
    if not volumes:
        raise Missing("the results do not tell how much blood is in each node")
    if node not in volumes:
        raise InputError(f"there is no node {node!r} in these results{nearest(str(node), volumes)}; they have "
                         f"{', '.join(volumes)}")
    if not volumes[node]:
        raise Missing(f"there is no blood in {node}")
    if node == needs.TUMOR:
        return volumes[node] * (needs.column(results, "tissue") + needs.column(results, "lumped", 0))
    return np.full(len(needs.time_h(results)), volumes[node])


def at_node(results, name, node) -> np.ndarray:
    """A column of the table by organ, at each output: float64."""
    rows, times = results.organs[:], needs.time_s(results)
    if name not in (rows.dtype.names or ()):
        raise Missing(f"the table by organ has no column {name}")
    number = needs.numbers_of(results, "organs", "node", (node,))
    here = rows[np.isin(rows["node"], number)]
    found = np.zeros(len(times))
    found[np.searchsorted(times, here["time_s"])] = here[name]
    return found


def concentration(results, node="venous") -> dict[str, np.ndarray]:
    """`time_h`, and `cells_per_mL` that flow in a node at each output."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return dict(time_h=needs.time_h(results),
                    cells_per_mL=at_node(results, "circulating", node) / volume_mL(results, node))


def cellsearch(results, volume=TUBE_mL, recovery=RECOVERY, emt=1.0, node="venous", index=0) -> dict[str, np.ndarray]:
    """A tube of blood at each output: what is expected in it and found by the assay, and what one tube shows.

    Parameters
    ----------
    volume : float
        Of the tube [mL]; at most the blood of the node is taken.
    recovery : float
        The chance that an epithelial CTC is found, 0 to 1.
    emt : float
        The share of it that is lost at full EMT; in between on a straight line.
    index : int
        Another index is another series of tubes.

    Returns
    -------
    dict
        `time_h`; `volume_mL` taken; `cells`, expected in it; `expected`, CTCs that are expected to be found, a cluster
        counting once; `found`, a draw from the law of Poisson with this mean, by seed, index and time alone;
        `p_any` and `p_many`, chances of 1 and of 5 or more.
    """
    if not (volume > 0 and 0 <= recovery <= 1 and 0 <= emt <= 1):
        raise InputError("a volume must be above 0 mL, recovery and emt from 0 to 1")
    blood = volume_mL(results, node)
    taken = np.minimum(volume, blood)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(blood > 0, taken / blood, 0.0)
    ctcs, epithelial = at_node(results, "flowing", node), at_node(results, "epithelial", node) / 255
    mean = recovery * share * (ctcs - emt * (ctcs - epithelial))
    words = draws(int(results.config["run"]["seed"]), Draw.CELLSEARCH, needs.time_s(results).astype(np.uint64),
                  np.full(len(mean), index, np.uint32))
    uniform = unit52(words[:, 0], words[:, 1])
    return dict(
        time_h=needs.time_h(results), volume_mL=taken, expected=mean,
        cells=share * at_node(results, "circulating", node),
        found=np.array([quantile(u, m) for u, m in zip(uniform.tolist(), mean.tolist())], np.int64),
        p_any=np.array([at_least(1, m) for m in mean.tolist()]),
        p_many=np.array([at_least(MANY, m) for m in mean.tolist()]))


def at_least(k, mean) -> float:
    """The chance of k or more under the law of Poisson."""
    if mean <= 0:
        return float(k <= 0)
    if k == 1:
        return -math.expm1(-mean)
    if mean > k:
        return 1.0 - math.fsum(_weight(i, mean) for i in range(k))
    return math.fsum(_weight(i, mean) for i in range(k, k + 200))


def _weight(i, mean):
    return math.exp(i * math.log(mean) - mean - math.lgamma(i + 1))


def quantile(u, mean) -> int:
    """The number that the law of Poisson has at the share u, in (0, 1)."""
    if mean >= NORMAL_FROM:
        return max(round(mean + math.sqrt(mean) * NormalDist().inv_cdf(u)), 0)
    k, weight = 0, math.exp(-mean)
    while u > weight and k < 10 * NORMAL_FROM:
        u -= weight
        k += 1
        weight *= mean / k
    return k


def real_draws(results) -> list[dict]:
    """What the draws of the run took: `time_h`, `node`, `volume_mL`, `cells`, and `ctcs`, a cluster counting once."""
    names = results.names("draws")["node"]
    return [dict(time_h=row["time_s"] / 3600, node=names[int(row["node"])], volume_mL=float(row["volume_mL"]),
                 cells=int(row["cells"]), ctcs=int(row["singles"] + row["clusters"])) for row in results.draws[:]]
