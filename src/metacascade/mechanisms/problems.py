"""Whether declarations of mechanisms fit together: what is wrong with them, in words for the user."""
import re
from collections.abc import Iterator
from math import inf

from metacascade.base.columns import Column
from metacascade.base.limits import ALONG, MOST_RATES, MOST_SIGNALS, MOST_SUPPLIED
from metacascade.mechanisms.factor_problems import COMPARTMENTS, is_switch, problems_of_factor, read, unknown
from metacascade.mechanisms.fields import FIELDS, Diffusing
from metacascade.mechanisms.terms import (
    ACTIONS,
    ADD,
    ADMIT,
    BIASES,
    CLEAR,
    DENSITY,
    DIRECTIONS,
    FACTORS,
    LOWER,
    RAISE,
    REMOVE,
    SECRETE,
    SET,
    SHED,
    STATES,
    SWITCHES,
    TERMS,
    AtWall,
    Bit,
    Gradient,
    Pair,
    PythonFactor,
    Rate,
    Rise,
    Trait,
    Value,
)

MOST_BITS, MOST_TRAITS = 8, 24
WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
BITS = "bits"           # the byte of those
TAKEN = ("clone", "id", "parent", "step", "time_s", *STATES, BITS)     # of traits: columns of /clones, bytes of cells
# Of fields: what else there is of a tile and its voxels, bytes of cells, and first words of rates, as therapies name a
# coefficient of a field by the field.
TAKEN_BY_OTHERS = ("counts", "cells", "coords", "zone", DENSITY, *STATES, BITS, *COMPARTMENTS)


def problems(placed) -> Iterator[str]:
    """What is wrong with each declaration, behind the place where it is; `placed`: (declaration, place) of all."""
    declared = [one for one, _ in placed]
    names = [one.name for one in declared if not isinstance(one, FACTORS)]
    rates, reading = {one.name for one in declared if isinstance(one, Rate)}, read(declared)
    for one, place in placed:
        wrong = problems_of_factor(one, rates, declared, reading) if isinstance(one, FACTORS) else _named_problems(
            one, names, declared, reading)
        yield from (f"{place}: {text}" for text in wrong)
    if sum(isinstance(one, Bit) for one in declared) > MOST_BITS:       # also those that are off have their place
        yield f"there are more than {MOST_BITS} bits of state"


def _named_problems(one, names, declared, reading):
    """What is wrong with a declaration that is no factor."""
    if names.count(one.name) > 1:
        yield f"the name {one.name} is declared twice"
    yield from _name_problems(one)
    if isinstance(one, Rate):
        yield from _rate_problems(one, declared, reading)
        yield from _term_problems(one, declared) if one.compartment == "field" else ()
        yield from _switch_problems(one, declared) if is_switch(one) else ()
    if isinstance(one, Trait):
        yield from _trait_problems(one, declared)
    if isinstance(one, FIELDS):
        yield from (f"the field {one.name} {wrong}" for wrong in _field_problems(one))
    if isinstance(one, Column):
        yield from _column_problems(one, declared)


def _name_problems(one):
    """A name is a key of tables and files; that of a rate has its compartment in front."""
    last = one.cause if isinstance(one, Rate) else str(one.name)
    if isinstance(one, Rate) and one.compartment == "field":
        last = last.partition(".")[2]                           # behind the field
    if not WORD.fullmatch(last) or isinstance(one, Trait) and one.name in TAKEN:
        taken = f", and none of {', '.join(TAKEN)}" if isinstance(one, Trait) else ""
        yield f"the name {one.name!r}: it must be a letter, then letters, digits and _{taken}"


def _column_problems(column, declared):
    if not column.mean:
        yield f"the column {column.name} is counted by nobody: there are mean_over_cells and NodeColumn"
    else:
        yield from unknown("field", column.mean.field, {one.name for one in declared if isinstance(one, FIELDS)},
                            f"the column {column.name}")
        if not 0.0 < column.mean.resolution < inf:
            yield f"the column {column.name} has the resolution {column.mean.resolution:g}: it must be above 0"
    if any(isinstance(one, Rate) and one.action == REMOVE and one.cause == column.name for one in declared):
        yield f"the column {column.name} has the name of a cause of death, which is a column by itself"


def _term_problems(rate, declared):
    """What is wrong with a rate that is a term of a field."""
    fields = {one.name: one for one in declared if isinstance(one, Diffusing)}
    yield from unknown("field", rate.field, fields, rate.name)
    alike = [one for one in declared if isinstance(one, Rate) and (one.field, one.action) == (rate.field, rate.action)]
    if rate.action in (SECRETE, ADMIT) and len(alike) > 1:
        yield f"the rate {rate.name}: of a field one rate may {rate.action}, and there are {len(alike)}"
    if rate.action == ADMIT and rate.field in fields and fields[rate.field].wall is None:
        yield f"the rate {rate.name}: the field {rate.field} has no wall of vessels that could admit it"


def _field_problems(field):
    """What is wrong with the numbers of a field."""
    if field.name in TAKEN_BY_OTHERS:
        yield f"needs another name: none of {', '.join(TAKEN_BY_OTHERS)}"
    for name, held in vars(field).items():
        positive = name in ("michaelis", "relaxation")
        if isinstance(held, Value) and not (0.0 <= held.number < inf and (held.number or not positive)):
            yield f"has {name} = {held.number:g}: it must be {'above 0' if positive else '0 or more'}, and finite"
    if getattr(field, "wall", None) and field.wall.number and not field.diffusion.number:
        yield (f"has walls of vessels that let it through, wall = {field.wall.text}, and no diffusion: between a wall "
               "and a voxel lies tissue, through which nothing would come")
    for name, low in (("sweeps", 1), ("start_sweeps", 0), ("every", 1)):
        held = getattr(field, name, low)
        if not (isinstance(held, int) and held >= low):
            yield f"has {name} = {held!r}: it must be a whole number, {low} or more"
    if getattr(field, "coarse", ALONG[0]) not in ALONG:
        yield f"has coarse = {field.coarse!r}: values along an edge of a tile are {', '.join(map(str, ALONG))}"
    if not field.absent >= 0.0:
        yield f"has absent = {field.absent!r}: it must be 0 or more"


def problems_together(acting) -> Iterator[str]:
    """What is wrong with all that is on, taken together."""
    yield from _wall_problems(acting)
    yield from _motion_problems(acting)
    yield from _mutation_problems([one for one in acting if isinstance(one, Trait)])
    fields = [one for one in acting if isinstance(one, FIELDS)]
    signals = fields + [one for one in acting if isinstance(one, PythonFactor)]
    events = [one for one in acting if isinstance(one, Rate) and one.compartment == "tissue" and one.action]
    for found, most, what in (
            (events, MOST_RATES, "rates with an action in tissue"),
            (signals, MOST_SIGNALS, "fields and factors in Python"),
            ([one for one in fields if getattr(one, "wall", None)], MOST_SUPPLIED, "fields that come out of vessels")):
        if len(found) > most:
            yield f"there are {len(found)} {what}, more than {most}"


def _wall_problems(acting):
    """What is wrong with the walls at which cells are shed: one for each rate that does, and all the same."""
    walls = [one for one in acting if isinstance(one, AtWall)]
    for rate in acting:
        if isinstance(rate, Rate) and rate.action == SHED:
            own = sum(wall.rate == rate.name for wall in walls)
            if own != 1:
                yield f"the rate {rate.name} sheds: it needs one factor at_wall, and has {own or 'none'}"
    if len({(wall.reach.number, wall.mature.number) for wall in walls}) > 1:
        told = "; ".join(f"{wall.rate} {wall.reach.number:g} um and {wall.mature.number:g}" for wall in walls)
        yield f"all rates that shed need the same reach and passage of mature vessels, as the lists of vessels: {told}"


def _motion_problems(acting):
    """What is wrong with how cells move: of a trait and a field, and of one field for each bias, one factor at most."""
    of_fields = (("tissue.speed", Pair), ("tissue.confinement", Rise), *((name, Gradient) for name in BIASES))
    for name, kind in of_fields:
        own = [one.text for one in acting if isinstance(one, kind) and one.rate == name]
        if len(own) > 1:
            yield f"there are {len(own)} factors on {name} of which there may be one: {'; '.join(own)}"
    coarse = {one.name: one.coarse for one in acting if isinstance(one, Diffusing) and one.coarse in ALONG[1:]}
    for one in acting:
        if isinstance(one, Rise) and one.signal in coarse:
            yield (f"{one.rate}: the factor {one.text} needs a field with a value in each voxel, and {one.signal} has "
                   f"coarse = {coarse[one.signal]}")


def _mutation_problems(traits):
    """What is wrong with all traits together."""
    if len(traits) > MOST_TRAITS:
        yield f"there are more than {MOST_TRAITS} traits of clones"
    if (total := sum(trait.mutation.number for trait in traits)) > 1.0:
        yield f"the chances of mutation of all traits add up to {total:g}; they must not exceed 1"
    names = {trait.name for trait in traits}
    paired = [name for trait in traits if trait.partner in names for name in (trait.name, trait.partner)]
    for name in sorted({name for name in paired if paired.count(name) > 1}):
        yield f"the trait {name} changes together with more than one other: it may have one partner, or be that of one"


def _switch_problems(rate, declared):
    """A switch of a bit by a number is the only one of its bit in the blood, where the later would undo the earlier."""
    others = [one for one in declared if isinstance(one, Rate) and is_switch(one) and one != rate]
    if any((one.compartment, one.detail) == ("blood", rate.detail) for one in others) and rate.compartment == "blood":
        yield f"the rate {rate.name} switches the bit {rate.detail}, which another does in the blood"


def _rate_problems(rate, declared, reading):
    actions = TERMS if rate.compartment == "field" else ACTIONS
    if rate.compartment not in COMPARTMENTS or not rate.cause:
        yield f"the rate {rate.name} belongs to none of {', '.join(COMPARTMENTS)}: name it tissue.x, say"
    elif rate.action is None and rate.name not in reading:
        yield f"the rate {rate.name} does nothing: it has no action, and no kernel reads it"
    if rate.action is not None and rate.compartment in COMPARTMENTS:
        known, unit = ((SET, CLEAR), SWITCHES[rate.compartment]) if is_switch(rate) else (actions, _unit(rate))
        if rate.action not in known:
            yield (f"the rate {rate.name} has the action {rate.action!r}; in {rate.compartment} there are "
                   f"{', '.join(known)}")
        elif rate.unit != unit or not 0.0 <= rate.base.number < inf:
            yield f"the rate {rate.name} is {rate.base.number:g} {rate.unit}: it must be 0 or more, in {unit}"
    elif rate.unit == "1/h" and not 0.0 <= rate.base.number < inf:
        yield f"the rate {rate.name} is {rate.base.number:g}: it must not be negative or infinite"
    if rate.action in (SET, CLEAR):
        yield from unknown("bit", rate.detail, {one.name for one in declared if isinstance(one, Bit)}, rate.name)
    if rate.action in (RAISE, LOWER) and not (1 <= rate.step <= 255 and rate.byte in STATES):
        yield (f"the rate {rate.name} changes {rate.byte} by {rate.detail!r}: it must be a step from 1 to 255 of "
               f"{' or '.join(STATES)}")


def _unit(rate) -> str:
    """The unit that a rate with an action must have; of what comes into a field it is that of the field over time."""
    return {SECRETE: rate.unit, ADD: rate.unit, ADMIT: ""}.get(rate.action, "1/h")


def _trait_problems(trait, declared):
    if trait.partner:
        traits = {one.name for one in declared if isinstance(one, Trait)} - {trait.name}
        yield from unknown("trait", trait.partner, traits, f"the partner of the trait {trait.name}")
    if not 0.0 <= trait.low <= trait.founder.number <= trait.high <= 1.0:
        yield f"the trait {trait.name} needs 0 <= low <= founder <= high <= 1"
    if not 0.0 <= trait.mutation.number <= 1.0 or trait.direction not in DIRECTIONS:
        yield f"the trait {trait.name} mutates with a chance of 0 to 1 {', '.join(DIRECTIONS)}"
    if not -1.0 <= trait.correlation.number <= 1.0:
        yield f"the trait {trait.name} has the correlation {trait.correlation.number:g}: it must be -1 to 1"
    if not (trait.step.number == 0.0 or 0.5 / 255 < trait.step.number <= 1.0):
        yield f"the trait {trait.name} has a step of {trait.step.number:g}: it must be 0, or 1/255 to 1"
