"""The plan of a config: what its mechanisms declare, as far as they are on, and as far as it fits together.

A mechanism is a module with ``SECTION``, the class of its parameters (None: it has none of its own), ``TABLE``, the
table of the config that holds its switch (None: it is always on), and ``plan(config)``, which yields declarations.

What is off is not in the plan, and neither is a factor on a rate that is off, nor a term of a field that is off. Where
the field of a factor is off, cells feel its value `absent`: oxygen without limit, no pressure, no drug. The column of
its mean is off with it.
"""
import re
from dataclasses import dataclass, replace

from metacascade.base.columns import DEAD, Column, NodeColumn, cells
from metacascade.base.errors import Contradiction, InputError
from metacascade.base.screen import shown
from metacascade.mechanisms import user
from metacascade.mechanisms.factor_problems import FIXED, is_switch
from metacascade.mechanisms.fields import FIELDS
from metacascade.mechanisms.problems import problems, problems_together
from metacascade.mechanisms.terms import (
    DRAIN,
    FACTORS,
    REMOVE,
    STATES,
    Bit,
    Constant,
    Gradient,
    IfBit,
    Pair,
    PythonFactor,
    Rate,
    Rise,
    Shape,
    Table,
    Trait,
    value,
)

KINDS = (Rate, *FACTORS, *FIELDS, Trait, Bit, Column, NodeColumn)     # what may be declared


@dataclass(frozen=True)
class Plan:
    """What is on, in the order of the list of mechanisms."""
    rates: tuple = ()
    factors: tuple = ()
    fields: tuple = ()
    traits: tuple = ()
    bits: tuple = ()            # of (name, mask); a bit keeps its mask while others are off
    bit_names: tuple = ()       # in the order of their masks, of what is off too: a branch still has its cells
    columns: tuple = ()
    by_node: tuple = ()         # columns of the table by organ
    causes: tuple = ()          # columns of the deaths in tissue, of what is off too: a branch still has its dead
    labels: tuple = ()          # names of the clones that injections bring

    def of(self, compartment: str) -> list[Rate]:
        """The rates of tissue, lumped, blood, lesion, field or vessel."""
        return [rate for rate in self.rates if rate.compartment == compartment]

    def rate(self, name: str) -> Rate | None:
        """The rate of a name; None: it is off."""
        return next((rate for rate in self.rates if rate.name == name), None)

    def factors_of(self, name: str) -> list:
        """The factors on a rate."""
        return [factor for factor in self.factors if factor.rate == name]

    def terms_of(self, name: str, action: str | None = None) -> list[Rate]:
        """The rates that are terms of a field, of one action or of all."""
        return [rate for rate in self.of("field") if rate.field == name and action in (None, rate.action)]

    def field(self, name: str):
        """The field of a name; None: it is off."""
        return next((one for one in self.fields if one.name == name), None)

    @property
    def drains(self) -> bool:
        """Do cells leave the tumor with lymph too?"""
        return any(rate.action == DRAIN for rate in self.rates)

    @property
    def vessels_live(self) -> bool:
        """Do vessels change?"""
        return bool(self.of("vessel"))

    @property
    def names(self) -> tuple[str, ...]:
        """What may be scaled in time: rates, but no switches by a number, and coefficients of fields: drug.vessel."""
        return (*(rate.name for rate in self.rates if not is_switch(rate) and rate.name not in FIXED),
                *(f"{field.name}.{coefficient}" for field in self.fields for coefficient in field.in_time))

    def coefficient(self, name: str, scales=()) -> float:
        """A coefficient of a field, ``drug.vessel``, times its scale; 0 if the field is off."""
        field, _, member = name.partition(".")
        held = getattr(self.field(field), member, None)
        return held.number * dict(scales).get(name, 1.0) if held else 0.0

    def number(self, name: str, scales=(), default=0.0) -> float:
        """Base of a rate, times its scale and its constant factors; `default` if it is off."""
        if (rate := self.rate(name)) is None:
            return default
        number = rate.base.number * dict(scales).get(name, 1.0)
        for factor in self.factors_of(name):
            number *= factor.value.number if isinstance(factor, Constant) else 1.0
        return number


def switch_of(mechanism) -> str:
    """The parameter that switches a mechanism on."""
    return getattr(mechanism, "SWITCH", f"{mechanism.TABLE}.enabled")


def names_of(config, mechanisms) -> tuple[str, ...]:
    """What may be scaled in time in any config: `Plan.names` if all `mechanisms` were on."""
    made = [one for mechanism in mechanisms for one in _declarations(mechanism, config)]
    return Plan(rates=tuple(one for one in made if isinstance(one, Rate)),
                fields=tuple(one for one in made if isinstance(one, FIELDS))).names


def enabled(config, mechanism) -> bool:
    """Is a mechanism on in this config?"""
    if hasattr(mechanism, "enabled"):       # it has its switch elsewhere
        return mechanism.enabled(config)
    return mechanism.TABLE is None or getattr(config, mechanism.TABLE).enabled


def collect(config, mechanisms, known=None, trusted=False) -> Plan:
    """The plan of those `mechanisms` that are on in `config`.

    `known`: all that exist, `mechanisms` among them (left out: the same). What `known` declares and no mechanism of the
    plan does is off. Raises InputError for a name that nothing declares, and for one that is declared twice, unless it
    is `trusted`.
    """
    everything = [(one, _placed(one, config)) for one in (known or mechanisms)]
    placed = [pair for _, its in everything for pair in its]
    acting = [made for one, its in everything if one in mechanisms and enabled(config, one) for made, _ in its]
    if not trusted and (wrong := [*dict.fromkeys(problems(placed)), *problems_together(acting)]):
        raise InputError("\n".join(wrong))
    labels = dict.fromkeys(one.label for one in getattr(config, "injection", ()) if one.label)
    return replace(_plan(acting, [made for made, _ in placed]), labels=tuple(labels))


def contradictions(config, mechanisms) -> list[Contradiction]:
    """What parameters of mechanisms contradict each other, also of those that are off."""
    found = []
    for mechanism in mechanisms:
        try:
            _declarations(mechanism, config)
        except Contradiction as error:
            found.append(error)
        except InputError:
            pass                # `collect` tells it
    return found


def _declarations(mechanism, config) -> list:
    return [made for made, _ in _placed(mechanism, config)]


def _placed(mechanism, config) -> list[tuple]:
    """What a mechanism declares, each with its place for messages: the line of a user's file, or the mechanism."""
    try:
        of_user = mechanism in getattr(config, "of_user", ())
        made = user.declarations(mechanism, config) if of_user else [
            (one, _word(mechanism)) for one in mechanism.plan(config)]
    except (Contradiction, user.MechanismError):
        raise
    except ValueError as error:
        raise InputError(f"{_word(mechanism)}: {error}") from None
    if strange := [one for one in made if not isinstance(one[0], KINDS)]:
        one, place = strange[0]
        raise InputError(
            f"{place}: plan(config) yields {shown(one)}, which is no declaration: it is of the type "
            f"{type(one).__name__}, and may be {', '.join(kind.__name__ for kind in KINDS)}")
    return made


def _plan(made, declared) -> Plan:
    def kind(*kinds):
        return tuple(one for one in made if isinstance(one, kinds))

    fields = {one.name for one in made if isinstance(one, FIELDS)}
    made = [one for one in made if not isinstance(one, Rate) or not one.field or one.field in fields]
    on = {one.name for one in made if not isinstance(one, FACTORS)}
    absent = {one.name: one.absent for one in declared if isinstance(one, FIELDS) and one.name not in on}
    masks = {one.name: 1 << i for i, one in enumerate(one for one in declared if isinstance(one, Bit))}
    factors = (_resolved(factor, on, absent) for factor in kind(*FACTORS) if factor.rate in on)
    return Plan(
        rates=kind(Rate), factors=tuple(factor for factor in factors if factor), fields=kind(*FIELDS),
        traits=kind(Trait), bits=tuple((one.name, masks[one.name]) for one in kind(Bit)), bit_names=tuple(masks),
        columns=tuple(one for one in kind(Column) if not one.mean or one.mean.field in on),
        by_node=kind(NodeColumn),
        causes=tuple(cells(one.cause, DEAD, f"in tissue: {one.doc}") for one in declared
                     if isinstance(one, Rate) and one.action == REMOVE))


def _resolved(factor, on, absent):
    """A factor where what it depends on may be off: itself, another, or None if it is 1."""
    if isinstance(factor, Shape) and factor.signal in absent:
        number = factor.at(absent[factor.signal])
        return None if number == 1.0 else Constant(factor.rate, value(f"{number:g}", number))
    if isinstance(factor, (Gradient, Rise)) and factor.signal in absent:
        return Constant(factor.rate, value("0", 0.0))
    if isinstance(factor, Pair) and factor.signal in absent:
        factor = Table(factor.rate, factor.by, factor.by_trait(absent[factor.signal]),
                       _with(factor.text, factor.signal, absent[factor.signal]))
    if isinstance(factor, PythonFactor):
        return replace(factor, absent=tuple((name, absent[name]) for name in factor.signals if name in absent))
    if isinstance(factor, IfBit) and factor.bit not in on:
        return None             # no cell has it
    if isinstance(factor, (Table, Pair)) and factor.by not in (*STATES, *on):
        return None             # no clone has it
    return factor


def _with(text, name, number) -> str:
    """A text with a number in the place of a name."""
    return re.sub(rf"(?<![\w.]){name}(?![\w.])", f"{number:g}", text)


def _word(mechanism) -> str:
    return f"mechanism {mechanism.__name__.rpartition('.')[2]}"
