"""Whether factors fit their rates: what is wrong with them, in words for the user."""
from math import inf

from metacascade.base.names import nearest
from metacascade.base.nodes import LYMPH_NODE, NODES
from metacascade.mechanisms.factors import single
from metacascade.mechanisms.fields import FIELDS
from metacascade.mechanisms.terms import (
    BIASES,
    BINS,
    COAT,
    DENSITY,
    SECRETE,
    SHED,
    STATES,
    SWITCHES,
    At,
    AtWall,
    Bit,
    Constant,
    Gradient,
    IfBit,
    Pair,
    PythonFactor,
    Rate,
    Rise,
    Shape,
    Shielded,
    Table,
    Trait,
    Value,
)

COMPARTMENTS = ("tissue", "lumped", "blood", "lesion", "field", "vessel")
MOTION = GRADIENT, PAIR, RISE = "gradient", "trait and voxel", "rise"     # what only motion depends on
OF_RECORD = ("place", "clone", "emt", "adhesion", "bits")
# Rates without an action, which kernels read by name, and what factors on them may depend on; in the blood and in
# lesions there are no others. Constant factors may be on all.
READ = (
    dict.fromkeys("tissue.hop tissue.persistence tissue.cluster_cells".split(), ())
    | dict.fromkeys(BIASES, (GRADIENT,))
    | {"tissue.speed": (*STATES, "clone", PAIR), "tissue.cluster": STATES, "tissue.mutate": ("clone",),
       "tissue.confinement": (RISE,)}
    | dict.fromkeys("vessel.sprout vessel.advance vessel.branch vessel.mature vessel.loosen vessel.collapse "
                    "vessel.recover".split(), ("voxel",))
    | dict.fromkeys("vessel.close vessel.open vessel.persistence vessel.sense vessel.noise vessel.reach "
                    "vessel.shortest vessel.pruning vessel.radius vessel.radius_spread vessel.oxygen_length "
                    "vessel.oxygen_critical vessel.oxygen_radius".split(), ())
    | dict.fromkeys("blood.coat_time blood.coat_fade blood.coat blood.scar blood.cytokines "
                    "blood.cytokines_half blood.cytokines_half_organ blood.nk_flowing blood.nk_loss blood.nucleus "
                    "blood.stretch blood.viscosity blood.single_file blood.burst_cells".split(), ())
    | dict.fromkeys("blood.anoikis blood.bind blood.release blood.extravasate blood.homing blood.breakup "
                    "blood.arrested_death blood.divide blood.barrier blood.mmp1 blood.fscn1 blood.tension "
                    "blood.nuclear_stiffness".split(), OF_RECORD)
    | dict.fromkeys("blood.nk blood.shear".split(), (*OF_RECORD, "coat"))
    | {"lesion.clonogenic": OF_RECORD[1:]}
    | dict.fromkeys("lesion.early_death lesion.niche lesion.start lesion.sleep lesion.dormant_death "
                    "lesion.marrow_death lesion.wake lesion.birth lesion.gompertz lesion.turnover lesion.death "
                    "lesion.capacity lesion.avascular_limit lesion.vascularize lesion.shed lesion.shed_avascular "
                    "lesion.transform".split(), OF_RECORD)
    | dict.fromkeys("lesion.awakening lesion.sprouting".split(), ())
    | dict.fromkeys("lumped.gompertz lumped.capacity lumped.turnover lumped.death lumped.shed lumped.cluster "
                    "lumped.cluster_cells".split(), ()))
# Of these, what does not change in the course of a run.
FIXED = ("vessel.oxygen_length", "vessel.oxygen_critical", "vessel.oxygen_radius", "blood.nucleus", "blood.stretch",
         "blood.single_file", "blood.burst_cells", "blood.barrier", "blood.cytokines_half",
         "blood.cytokines_half_organ")
SECRETED = ("voxel", "emt", "clone")        # the same of a term of a field by cells, and of one that is not
OF_VOXEL = ("voxel",)
# factor: the compartments whose rates it may act on
WHERE = dict.fromkeys((Pair, Gradient, Rise, PythonFactor, AtWall), ("tissue",)) | {
    Shape: ("tissue", "field", "vessel"), At: ("blood", "lesion"), Shielded: ("blood",)}
SHAPES = (("ramp", 1), ("boost", 1), *((kind, power) for kind in ("hill", "fall") for power in (1, 2, 4)))


def problems_of_factor(factor, rates, declared, reading):
    """What is wrong with a factor, among the names of all `rates` and all that is `declared`; `reading`: its `read`."""
    yield from (f"{factor.rate}: the factor {factor.text} {wrong}" for wrong in _number_problems(factor))
    yield from unknown("rate", factor.rate, rates, "a factor")
    compartment = str(factor.rate).partition(".")[0]
    if any(isinstance(one, Rate) and one.name == factor.rate and is_switch(one) for one in declared):
        yield f"{factor.rate}: the factor {factor.text} on what switches a bit by a number, which has none"
    if compartment not in WHERE.get(type(factor), COMPARTMENTS):
        yield f"{factor.rate}: the factor {factor.text} is not possible in {compartment}"
    elif (on := _depends_on(factor)) not in (None, *reading.get(factor.rate, () if on in MOTION else (on,))):
        yield f"{factor.rate}: the factor {factor.text} depends on {on}, which is not looked at there"
    if isinstance(factor, (Shape, Pair, Gradient, Rise, PythonFactor)):
        fields = {one.name for one in declared if isinstance(one, FIELDS)}
        fields |= {DENSITY} if isinstance(factor, (Shape, PythonFactor)) else set()
        for signal in factor.signals if isinstance(factor, PythonFactor) else (factor.signal,):
            yield from unknown("field", signal, fields, factor.rate)
    for node in dict(factor.values) if isinstance(factor, At) else ():
        yield from unknown("node", node, (*NODES, LYMPH_NODE), factor.rate)
    if isinstance(factor, IfBit):
        yield from unknown("bit", factor.bit, {one.name for one in declared if isinstance(one, Bit)}, factor.rate)
    if isinstance(factor, (Table, Pair)):
        traits = {one.name for one in declared if isinstance(one, Trait)}
        traits |= set(STATES) if isinstance(factor, Table) else set()
        yield from unknown("trait", factor.by, traits, factor.rate)
        if isinstance(factor, Table) and reading.get(factor.rate) is SECRETED and max(factor.values) > 1.0:
            yield f"{factor.rate}: the factor {factor.text} is a share of what a cell may secrete: 0 to 1"
    if isinstance(factor, AtWall) and not any(
            isinstance(one, Rate) and one.name == factor.rate and one.action == SHED for one in declared):
        yield f"{factor.rate}: only a rate with the action shed is gated by the wall of a vessel"


def _number_problems(factor):
    """What is wrong with the numbers of a factor, and with its form, if no function made it."""
    if isinstance(factor, Shape) and (factor.kind, factor.power) not in SHAPES:
        yield f"is {factor.kind} of power {factor.power}: there are hill and fall of power 1, 2 and 4, ramp and boost"
    if isinstance(factor, (Table, Pair)) and len(factor.values) != 256:
        yield f"has {len(factor.values)} values: one for each byte, 256"
    if isinstance(factor, Pair) and not ({*map(len, factor.values)} == {BINS} and 0.0 < factor.full < inf):
        yield f"needs {BINS} values for each byte, of a field from 0 to a number above 0"
    if not all(0.0 <= number < inf for number in _numbers(factor)):
        yield "is negative or not finite"
    elif isinstance(factor, Gradient) and factor.half.number == 0.0:
        yield f"has the half {factor.half.text} = 0: it must be above 0"
    elif isinstance(factor, Shape) and factor.kind != "ramp" and not 0.0 < single(factor.a.number) < inf:
        yield (f"has the half {factor.a.text} = {factor.a.number:g}: it must be above 0, and a number in single "
               "precision, as of kernels")
    elif isinstance(factor, Shielded) and factor.share.number > 1.0:
        yield f"has the share {factor.share.number:g}: it must be 0 to 1"
    elif isinstance(factor, AtWall) and factor.mature.number > 1.0:
        yield f"has {factor.mature.number:g} for mature vessels: it must be 0 to 1"


def _numbers(factor):
    """The numbers of a factor, of whatever kind."""
    if isinstance(factor, At):
        return [factor.other, *(number for _, number in factor.values)]
    if isinstance(factor, Pair):
        return [number for row in factor.values for number in row]
    return [held.number for held in vars(factor).values() if isinstance(held, Value)] + list(
        factor.values if isinstance(factor, Table) else ())


def is_switch(rate) -> bool:
    """Does a rate switch a bit by a number instead of a hazard?"""
    return rate.action is not None and rate.compartment in SWITCHES


def read(declared) -> dict:
    """READ, and the terms of the fields that are declared."""
    return READ | {one.name: SECRETED if one.action == SECRETE else OF_VOXEL for one in declared
                   if isinstance(one, Rate) and one.compartment == "field" and one.action}


def _depends_on(factor) -> str | None:
    """What the value of a factor differs by; None: it is a constant."""
    if isinstance(factor, Table):
        return factor.by if factor.by in STATES else "clone"
    return {Constant: None, Pair: PAIR, Gradient: GRADIENT, Rise: RISE, IfBit: "bits",
            At: "place", Shielded: COAT}.get(type(factor), "voxel")


def unknown(what, name, known, where):
    """That a name is not among those that are known, and which is near."""
    if name not in known:
        yield f"{where}: {what} {name!r}, which nothing declares{nearest(str(name), known)}"
