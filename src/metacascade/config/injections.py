"""Cells put in by hand, in the config: their section, what is wrong or odd about them, and a line for each.

Those of a `label` are a clone of their own, so they and their descendants are told apart wherever they are: an infusion
with a label is a labeled donor, or stands for the cells of a second tumor.
"""
from collections.abc import Iterator
from typing import ClassVar

from metacascade.base.declare import (
    ASSUMED,
    MEASURED,
    Section,
    Share,
    choice,
    integer,
    number,
    numbers,
    quantity,
    text,
    texts,
)
from metacascade.base.names import nearest
from metacascade.base.nodes import LYMPH_NODE, NODES, WITH_LESIONS
from metacascade.base.screen import one_line
from metacascade.base.units import plain, show_time
from metacascade.mechanisms import mechanisms_of
from metacascade.mechanisms.mutation import NAME
from metacascade.mechanisms.plan import enabled, switch_of
from metacascade.mechanisms.terms import Bit
from metacascade.mechanisms.transformation import NORMAL

SEEDED, DORMANT, DIVIDING = AT_FIRST = ("seeded", "dormant", "dividing")


class Injection(Section):
    """Cells put in by hand, into the blood or straight into an organ: the classic experiments."""
    table: ClassVar[str] = "injection"

    node: str = choice("node", "venous", NODES, doc="Where they enter the circuit; not with `organ`.")
    organ: str | None = choice("organ", None, WITH_LESIONS, doc=(
        "Instead of into the blood they are put straight into the tissue of this organ, outside of its vessels, where "
        "they go on like cells that have just left the blood."))
    state: str = choice("state", SEEDED, AT_FIRST, doc=(
        "What they are at first in an organ: seeded, as what has just left the blood; dormant; or dividing, as if "
        "woken before, if they can found a lesion (the others are seeded). Not without `organ`."))
    time_s: int = quantity("time", "h", "s", 0, 0, 876600, doc="When it starts, to the second, whatever the step.")
    duration_s: int = quantity("duration", "min", "s", 0, 0, 52596000, doc="How long it takes; 0 is a bolus.")
    cells: int = integer("cells", 100_000, 1, 4 * 10**9, doc="How many cells in all.")
    cluster: int = integer("cluster", 1, 1, 1000, usual=(1, 50), doc=(
        "Cells of a cluster, all alike; 1: single cells. If cells / cluster is not whole, one cluster has the rest."))
    label: str = text("label", "", longest=32, doc=(
        "A name, a small letter, then small letters, digits and _. Its cells are a clone of their own, which columns "
        "of the time series count. Several injections of one label are one clone. Left out: they are of the first "
        "clone of the tumor."))
    traits: dict[str, Share] = numbers("traits", 0, 1, doc=(
        "Traits of that clone by name (`metacascade info --rates` has them); one that is left out is as in the tumor "
        "that starts. They need a label."))
    bits: tuple[str, ...] = texts("bits", most=8, doc=(
        "States that the cells have at the start, such as L1CAM; their mechanisms must be on."))
    clonogenic: float | None = number("clonogenic", None, 0, 1, usual=(1e-7, 1), source="of the line", status=ASSUMED,
                                      doc=(
        "Share of the cells that can found a lesion which grows, where it is not colonization.clonogenic; what acts on "
        "the rate lesion.clonogenic acts on it too. Cells that its lesions shed are as those of others."))
    diameter_um: float = quantity("diameter", "um", "um", 18.4, 1, 50, usual=(5, 25), source=(
        "Mendelaar 2021: cultured breast lines 18.4, prostate lines 20.7"), status=MEASURED,
        doc="Median diameter (lognormal).")
    diameter_spread: float = number("diameter_spread", 0.25, 0, 1, source="as blood.diameter_spread", status=ASSUMED,
                                    doc="Standard deviation of ln(diameter).")
    emt: float = number("emt", 1.0, 0, 1, source="of the experiment", status=ASSUMED, doc=(
        "0 epithelial, 1 mesenchymal and motile."))
    adhesion: float = number("adhesion", 0.7, 0, 1, source="as traits.adhesion_mean", status=ASSUMED, doc=(
        "Adhesion of the cells: 0 free, 1 bound."))

    @property
    def records(self) -> int:
        """How many cells or clusters."""
        return -(-self.cells // self.cluster)

    def times_clonogenic(self, others: float) -> float:
        """How many times as often as `others`, which are so with this chance, its cells are clonogenic."""
        return 1.0 if self.clonogenic is None or not others else self.clonogenic / others


def labels(config) -> dict[str, dict[str, float]]:
    """The clones that injections bring, in their order: label -> traits."""
    return {plan.label: plan.traits for plan in config.injection if plan.label}


def wrong(config, plan) -> Iterator[tuple[tuple, str]]:
    """Path and text of what contradicts itself, or what the plan of the config has not."""
    first = {}
    for i, one in enumerate(config.injection):
        yield from ((("injection", i, *key), why) for key, why in _wrong(one, config, plan))
        if one.clonogenic and not config.colonization.clonogenic:
            yield ("injection", i, "clonogenic"), (
                "needs colonization.clonogenic above 0, by which it is told: what acts on that rate acts on it")
        if one.label and first.setdefault(one.label, one).traits != one.traits:
            yield ("injection", i, "traits"), f"differ from those of the first injection of the label {one.label!r}"


def _wrong(one, config, plan):
    if one.organ is not None and one.node == "tumor":
        yield ("node",), "and an organ: give one of them"
    if one.state != SEEDED and one.organ is None:
        yield ("state",), "needs an organ: in the blood cells neither sleep nor divide"
    if one.state == DIVIDING and NORMAL in one.bits:
        yield ("state",), f"and the bit {NORMAL}: normal cells found no lesion that divides"
    if one.organ == LYMPH_NODE and not plan.drains:
        yield ("organ",), "is not there: lymphatic.enabled = false"
    if one.label and not NAME.fullmatch(one.label):
        yield ("label",), "must be a small letter, then small letters, digits and _"
    if one.traits and not one.label:
        yield ("traits",), "need a label: cells with traits of their own are a clone of their own"
    known = {trait.name: trait for trait in plan.traits}
    for name, number_ in one.traits.items():
        if name not in known:
            yield ("traits", name), _absent("trait of clones", name, known)
        elif not known[name].low <= number_ <= known[name].high:
            yield ("traits", name), f"must lie between {known[name].low:g} and {known[name].high:g}"
    masks = dict(plan.bits)
    for name in one.bits:
        if name not in masks:
            off = f"; {name} comes with {owners[name]}" if (owners := _bits_off(config)).get(name) else ""
            yield ("bits",), f"{one_line(name)!r}: {_absent('bit of state', name, masks)}{off}"


def _bits_off(config):
    """The switches of the mechanisms that bring bits and are off."""
    return {made.name: f"{switch_of(mechanism)} = true" for mechanism in mechanisms_of(config)
            if not enabled(config, mechanism) for made in mechanism.plan(config) if isinstance(made, Bit)}


def _absent(what, name, known):
    return f"no {what} that is on in this config{nearest(name, known)}; there are {', '.join(known) or 'none'}"


def odd(config, given) -> Iterator[str]:
    """What has no effect; `given`: paths of the parameters that were set."""
    for i, one in enumerate(config.injection):
        if one.organ is not None and ("injection", i, "node") in given:
            yield f"injection[{i}].node: without effect (injection.organ is given)"
        if one.state != SEEDED and not config.colonization.enabled:
            yield f"injection[{i}].state: without effect (colonization.enabled = false)"
        elif one.state == DIVIDING and not (config.colonization.clonogenic and one.clonogenic != 0):
            yield f"injection[{i}].state: without effect (no cell can found a lesion that grows: clonogenic = 0)"
        if one.cells < one.cluster:
            yield f"injection[{i}].cluster: there are fewer cells than that: one cluster of {one.cells}"


def lines(config) -> Iterator[str]:
    """One line for each, for people."""
    for one in config.injection:
        into = f"node {one.node}" if one.organ is None else f"the tissue of the {one.organ}"
        into += f", {one.state}" * (one.state != SEEDED)
        cluster = f" in clusters of {one.cluster}" * (one.cluster > 1)
        name = f", labeled {one.label}" * bool(one.label)
        yield (f"injection of {one.cells:,} cells of {plain(one.diameter_um)} um{cluster} into {into} at "
               f"{show_time(one.time_s)}{name}")
