"""How cells move: the tables and gradients of the plan, in the units of the kernel.

The speed of a motile cell is tissue.speed x STATE[emt] x STATE[adhesion] x CLONE[clone] x PAIR[trait of the clone,
ground], and its motion is biased by the sum of tissue.bias, tissue.haptotaxis and tissue.chemotaxis, each of one field.
"""
import numpy as np

from metacascade.mechanisms.compile import founder
from metacascade.mechanisms.terms import BIASES, STATES, Gradient, Pair, Rise, Table
from metacascade.space.pressure import over_length

ONE = 256                       # speeds and factors on them are whole numbers of 1/256
SPEED, CONFINEMENT = "tissue.speed", "tissue.confinement"


def speeds(plan):
    """Speed of a cell by its EMT, of 256: int32, shape (256,)."""
    return in_parts(by_state(plan, SPEED)[0])


def speed_factors(plan, clones=None):
    """What acts on speed besides EMT; (): nothing.

    Returns
    -------
    by_adhesion : ndarray of int32, shape (256,)
        By adhesion, of 256.
    by_clone : ndarray of int32, shape (clones, 1) or (clones, 16)
        By clone and by the bin of the ground, of 256.
    ground : str or None
        The field that is sorted into bins.
    per_bin : float
        Bins for each unit of it.
    """
    acting = [one for one in plan.factors_of(SPEED) if isinstance(one, Pair) or getattr(one, "by", "emt") != "emt"]
    if not acting:
        return ()
    clones = founder(plan) if clones is None else clones
    table, ground, per_bin = by_clone(plan, SPEED, clones)[:, None], None, 0.0
    for pair in pairs(plan):
        table = table * np.array(pair.values)[clones[pair.by]]
        ground, per_bin = pair.signal, (len(pair.values[0]) - 1) / pair.full
    return in_parts(by_state(plan, SPEED)[1]), in_parts(table), ground, per_bin


def fastest(plan) -> int:
    """The speed that no cell of any clone exceeds, of 256."""
    factors = [max(one.values) for one in plan.factors_of(SPEED) if isinstance(one, Table) and one.by != "emt"]
    factors += [max(map(max, pair.values)) for pair in pairs(plan)]
    return -int(-float(speeds(plan).max()) * np.prod([max(factor, 0.0) + 1 / ONE for factor in factors]) // 1)


def biases(config, plan, scales=()):
    """The gradients that cells follow: tuples (field, bias, half).

    `bias` is that of a fully motile cell where the gradient is steep [edge/65536] in a step, `half` the gradient at
    which it is half of that [unit/edge].
    """
    edge, found = config.tissue.edge_um, []
    for name in BIASES:
        bias = 65536.0 * plan.number(name, scales) * plan.number(SPEED, scales) * config.run.step_h / edge
        found += [(one.signal, bias, one.half.number * edge) for one in plan.factors_of(name)
                  if isinstance(one, Gradient) and bias > 0.0]
    return tuple(found)


def resistance(plan, scales=()):
    """(field whose rise resists cells that are pushed, by which pressure for a rise of 1); (None, 0): nothing does."""
    fields = [one.signal for one in plan.factors_of(CONFINEMENT) if isinstance(one, Rise)]
    return (fields[0], plan.number(CONFINEMENT, scales)) if fields else (None, 0.0)


def resisting(field, passes, share, region):
    """What resists cells, with its ghosts: a field smoothed as the density that pushes them. Collective.

    Of a sharp front a small voxel would have the whole rise and but a part of the fall of pressure. Where no tile is
    there is a mirror, as for the kernel.
    """
    if field is None or not passes:
        return field
    smoothed = over_length(field, passes, share, region.mesh.neighbors, region.halo, mirror=True)
    region.halo(smoothed)
    return smoothed


def pairs(plan):
    """The factors on speed by a trait and the ground; the plan has one at most."""
    return [one for one in plan.factors_of(SPEED) if isinstance(one, Pair)]


def in_parts(factors):
    """Factors as whole numbers of 1/256: int32."""
    return np.ascontiguousarray(np.rint(ONE * factors).astype(np.int32))


def by_state(plan, name):
    """The factors on a coefficient by EMT and by adhesion: float64, shape (2, 256)."""
    table = np.ones((len(STATES), 256))
    for factor in plan.factors_of(name):
        if isinstance(factor, Table) and factor.by in STATES:
            table[STATES.index(factor.by)] *= factor.values
    return table


def by_clone(plan, name, clones):
    """The factors on a coefficient by clone: float64, shape (clones,).

    `clones`: the traits of all of them, as of `Clones.traits`.
    """
    table = np.ones(max(map(len, clones.values()), default=1))
    for factor in plan.factors_of(name):
        if isinstance(factor, Table) and factor.by not in STATES:
            table *= np.array(factor.values)[clones[factor.by]]
    return table
