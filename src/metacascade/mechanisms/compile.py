"""From the plan to the arrays of the kernels.

The value of a rate is base x scale x PLACE x CLONE x STATE. In tissue PLACE stays a list of factors, which the kernel
evaluates for the voxels; in the blood and in lesions it is a table by node.
"""
from dataclasses import dataclass

import numpy as np

from metacascade._kernels._layout import DENSITY as NO_FIELD, FACTOR, RATE, Action, Shape as ShapeCode, Term
from metacascade.mechanisms import terms
from metacascade.mechanisms.factor_problems import is_switch
from metacascade.mechanisms.stroma import Stroma, stroma_of
from metacascade.mechanisms.terms import (
    CLEAR,
    LOWER,
    RAISE,
    REMOVE,
    SECRETE,
    SET,
    At,
    AtWall,
    IfBit,
    PythonFactor,
    Shape,
    Shielded,
    Table,
)

BYTES = (*terms.STATES, "bits")     # the rows of a STATE table


@dataclass(frozen=True)
class Tables:
    """CLONE and STATE of some rates, in the order of `names`.

    Attributes
    ----------
    names : tuple of str
    clone : ndarray of float32, shape (rates, clones)
    state : ndarray of float32, shape (rates, 3, 256)
        By emt, adhesion and the byte of bits.
    """

    names: tuple
    clone: np.ndarray
    state: np.ndarray


@dataclass(frozen=True)
class TissueRates(Tables):
    """What happens to cells in tissue.

    Attributes
    ----------
    rates : ndarray of RATE, shape (rates,)
        Those with an action whose base is not zero.
    factors : ndarray of FACTOR
        PLACE of rate r: rows ``first`` to ``first + factors - 1`` of its entry.
    signals : tuple of str
        The fields, in the order of the numbers in `factors`.
    computed : tuple of PythonFactor
        What is computed in Python and read as a signal; the numbers behind those of `signals`.
    causes : tuple of str
        Causes of death, in the order of the numbers in `rates`; also those that are zero in this step.
    """

    rates: np.ndarray
    factors: np.ndarray
    signals: tuple
    causes: tuple
    computed: tuple = ()


@dataclass(frozen=True)
class FieldTerms:
    """The terms of a field in a step, by place.

    Attributes
    ----------
    rates : ndarray of RATE
        PLACE of each; with its base, but for what is secreted, of which that is in `secreted`. ``action`` is a Term.
    factors : ndarray of FACTOR
        As of TissueRates.
    secreted : float
        Secretion of a voxel filled to capacity with cells of the greatest weight, without PLACE [unit/h].
    stroma : Stroma
        The field where no tile is.
    """

    rates: np.ndarray
    factors: np.ndarray
    secreted: float
    stroma: Stroma


@dataclass(frozen=True)
class PlacedRates(Tables):
    """Rates in the blood, or in lesions.

    Attributes
    ----------
    place : ndarray of float64, shape (rates, places)
        base x scale x PLACE; zero where a rate is off.
    spared : ndarray of float64, shape (rates,)
        Share that a full coat of platelets takes off.
    """

    place: np.ndarray
    spared: np.ndarray

    def by_node(self, name):
        """base x scale x PLACE of a rate: a view, float64 of shape (places,)."""
        return self.place[self.names.index(name)]

    def states(self, name, byte):
        """The 256 factors of a rate for one of `BYTES`: a view."""
        return self.state[self.names.index(name), BYTES.index(byte)]

    def values(self, name, records):
        """The rate of each record of blood or lesions where it is: float64, as the kernels have it."""
        i = self.names.index(name)
        factor = self.clone[i, records["clone"]].astype(float)
        for table, byte in zip(self.state[i], BYTES):
            factor = factor * table[records[byte]]
        return self.place[i, records["node"]] * factor


def tissue_rates(plan, scales=(), clones=None) -> TissueRates:
    """The arrays of a step in tissue.

    Parameters
    ----------
    plan : Plan
    scales : dict of str and float
        scale(t) of rates by name, of those in the blood and in lesions also by name@node; left out: 1.
    clones : dict of str and ndarray of uint8, optional
        The traits of all clones; left out: one clone, the founder.
    """
    acting = [rate for rate in plan.of("tissue") if rate.action]
    causes = tuple(rate.cause for rate in acting if rate.action == REMOVE)
    acting = [rate for rate in acting if plan.number(rate.name, scales) > 0.0]
    names = tuple(rate.name for rate in acting)
    tables = _tables(plan, names, clones)
    signals = tuple(field.name for field in plan.fields)
    computed = tuple(factor for rate in acting for factor in plan.factors_of(rate.name)
                     if isinstance(factor, PythonFactor))
    rates, factors = np.zeros(len(acting), RATE), []
    for row, rate in enumerate(acting):
        _leave_unchanged(tables.state[row], rate, plan)
        own = _place_factors(plan, rate, (*signals, *computed))
        rates[row] = (plan.number(rate.name, scales), _largest(tables, row), len(factors), len(own),
                      Action[rate.action.upper()], _detail(rate, plan, causes))
        factors += own
    return TissueRates(names, tables.clone, tables.state, rates, np.array(factors, FACTOR), signals, causes,
                       computed)


def field_terms(plan, scales=()) -> dict:
    """The FieldTerms of a step, by the name of the field, of those that diffuse.

    `scales`: as of `tissue_rates`.
    """
    signals = tuple(field.name for field in plan.fields)
    return {name: _terms_of(plan, plan.terms_of(name), signals, scales, stroma)
            for name, stroma in stroma_of(plan, scales).items()}


def _terms_of(plan, terms, signals, scales, stroma):
    placed = [(rate, _place_factors(plan, rate, signals)) for rate in terms]
    placed = [(rate, own) for rate, own in placed if own or rate.action != SECRETE]
    rates, factors = np.zeros(len(placed), RATE), []
    for row, (rate, own) in enumerate(placed):
        base = 1.0 if rate.action == SECRETE else plan.number(rate.name, scales)
        rates[row] = base, 1.0, len(factors), len(own), Term[rate.action.upper()], 0
        factors += own
    secreted = sum(plan.number(rate.name, scales) for rate in terms if rate.action == SECRETE)
    return FieldTerms(rates, np.array(factors, FACTOR), secreted, stroma)


def secretion(plan, name, clones=None) -> tuple[np.ndarray, np.ndarray]:
    """Weights, 0..255, of cells that secrete with the rate `name`: uint8 by clone, (clones,), and by EMT, (256,).

    `clones`: as of `tissue_rates`.
    """
    tables = _tables(plan, (name,), clones)
    return tuple(np.rint(255.0 * values).astype(np.uint8) for values in (tables.clone[0], tables.state[0, 0]))


def wall_of(plan, reach_um=0.0) -> tuple[float, float]:
    """What gates every rate that sheds: reach [um], and passage of a mature vessel relative to an immature one.

    The plan has one wall for all. `reach_um`: the reach where nothing is shed.
    """
    walls = [factor for factor in plan.factors if isinstance(factor, AtWall)]
    return (walls[0].reach.number, walls[0].mature.number) if walls else (reach_um, 1.0)


def placed_rates(plan, names, places, scales=(), clones=None) -> PlacedRates:
    """The tables of rates in the blood or in lesions.

    Parameters
    ----------
    plan : Plan
    names : sequence of str
        The rates, in the order in which the kernel knows them.
    places : sequence of str
        The nodes of the circuit.
    scales, clones : as of `tissue_rates`
    """
    place, spared = np.zeros((len(names), len(places))), np.zeros(len(names))
    for row, name in enumerate(names):
        place[row] = plan.number(name, scales)
        for factor in plan.factors_of(name):
            if isinstance(factor, At):
                place[row] *= [factor.at(node) for node in places]
            elif isinstance(factor, Shielded):
                spared[row] = 1.0 - (1.0 - spared[row]) * (1.0 - factor.share.number)
        place[row] *= [dict(scales).get(f"{name}@{node}", 1.0) for node in places]
    tables = _tables(plan, names, clones)
    return PlacedRates(tables.names, tables.clone, tables.state, place, spared)


def switches(plan, compartment) -> list[tuple[float, int, int]]:
    """(number, mask to set, mask to clear) of the bits that a number switches in the blood or in lesions, ascending."""
    masks = dict(plan.bits)
    found = [(rate.base.number, *((masks[rate.detail], 0) if rate.action == SET else (0, masks[rate.detail])))
             for rate in plan.of(compartment) if is_switch(rate)]
    return sorted(found)


def _tables(plan, names, clones) -> Tables:
    clones = founder(plan) if clones is None else clones
    clone = np.ones((len(names), max(map(len, clones.values()), default=1)), np.float32)
    state = np.ones((len(names), len(BYTES), 256), np.float32)
    masks = dict(plan.bits)
    for row, name in enumerate(names):
        for factor in plan.factors_of(name):
            if isinstance(factor, Table) and factor.by in BYTES:
                state[row, BYTES.index(factor.by)] *= np.array(factor.values, np.float32)
            elif isinstance(factor, Table):
                clone[row] *= np.array(factor.values, np.float32)[clones[factor.by]]
            elif isinstance(factor, IfBit):
                state[row, 2, np.arange(256) & masks[factor.bit] > 0] *= np.float32(factor.value.number)
    return Tables(tuple(names), clone, state)


def _leave_unchanged(state, rate, plan):
    """A cell that an event would leave as it is has none: a byte at its end, or a bit that is so already."""
    if rate.action in (RAISE, LOWER):
        state[BYTES.index(rate.byte), 255 if rate.action == RAISE else 0] = 0.0
    elif rate.action in (SET, CLEAR):
        mask = dict(plan.bits)[rate.detail]
        state[BYTES.index("bits"), (np.arange(256) & mask > 0) == (rate.action == SET)] = 0.0


def founder(plan) -> dict:
    """The traits of the clone that a tumor starts with, as a table of one clone."""
    return {trait.name: np.array([trait.founder_byte], np.uint8) for trait in plan.traits}


def _largest(tables, row) -> float:
    """What CLONE x STATE is at most, over all clones and bytes."""
    largest = float(tables.clone[row].max())
    for of_byte in tables.state[row]:
        largest *= float(of_byte.max())
    return largest


def _place_factors(plan, rate, signals) -> list:
    """The factors of a rate by what a voxel holds, as FACTOR."""
    return [_factor(factor, signals) for factor in plan.factors_of(rate.name)
            if isinstance(factor, (Shape, PythonFactor))]


def _factor(shape, signals):
    if isinstance(shape, PythonFactor):
        return signals.index(shape), ShapeCode.ITSELF, 1.0, 1.0
    code = shape.kind.upper() + ("" if shape.kind in ("ramp", "boost") else str(shape.power))
    signal = NO_FIELD if shape.signal == terms.DENSITY else signals.index(shape.signal)
    return signal, ShapeCode[code], shape.a.number, shape.b.number


def _detail(rate, plan, causes) -> int:
    if rate.action == REMOVE:
        return causes.index(rate.cause)
    if rate.action in (SET, CLEAR):
        return dict(plan.bits)[rate.detail]
    return rate.step + 256 * BYTES.index(rate.byte) if rate.action in (RAISE, LOWER) else 0
