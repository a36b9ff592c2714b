"""Rates, traits and bits, and the numbers that they are made of.

A rate is a hazard [1/h], or a coefficient with a unit of its own. Its value for one cell is

    base x scale(t) x PLACE[place] x CLONE[clone] x STATE[bytes of the record]

with *place* the voxel in tissue, the node in the blood, the organ in lesions; so a mechanism is a list of factors on
named rates. Numbers come with the text that says what they are in terms of the parameters: the equations that
``metacascade info --rates`` prints are those texts, and a test computes each text and compares.

Everything here is plain Python and frozen, and equal where it says the same.
"""
import re
from dataclasses import dataclass
from functools import cached_property

# What happens to a cell in tissue when a rate fires.
DIVIDE, REMOVE, SHED, SET, CLEAR, RAISE, LOWER, DRAIN = ACTIONS = (
    "divide", "remove", "shed", "set", "clear", "raise", "lower", "drain")
EXITS = (SHED, DRAIN)       # of these what takes cells out of the tumor alive: into a vessel, or with lymph
# What a rate of a field is, a term of its equation: secreted by cells of the tumor, added everywhere, lost, and let in
# through the walls of perfused vessels.
SECRETE, ADD, LOSE, ADMIT = TERMS = ("secrete", "add", "lose", "admit")
DIRECTIONS = ("both", "up", "down")     # of a mutation
SWITCHES = {"blood": "h", "lesion": "cells"}     # where a bit is switched by a number of this unit, see `Rate`
STATES = ("emt", "adhesion")        # bytes of every record, read as 0..1; the third byte of state holds the bits
# A parameter in a text, organs.BED.key of all beds; no term of a field.
KEY = re.compile(r"(?<![.\w])(?!field\.)[a-z_][a-z0-9_]*(?:\.[A-Za-z_]+)?\.[a-z0-9_]+\b")


@dataclass(frozen=True)
class Value:
    """A number, and what it is in terms of parameters: ``ln(2) / growth.division_time``."""
    text: str
    number: float


def value(text, number) -> Value:
    """A number with the text that says what it is."""
    return Value(text, float(number))


def valued(given) -> Value:
    """A number that may be a Value already, as one."""
    return given if isinstance(given, Value) else Value(f"{float(given):g}", float(given))


@dataclass(frozen=True)
class Rate:
    """A named hazard or coefficient. Its compartment is the first word: tissue, blood, lesion, field or vessel.

    Those of a tumor without space are in a compartment of their own, lumped. A rate field.NAME.x is a term of the field
    NAME, by its action, one of TERMS: `fields.Diffusing`.
    In the blood and in lesions an action is SET or CLEAR, and the number no hazard but says when: in the blood after so
    many hours there; in a lesion CLEAR from so many cells on, and SET below so many. Such a number is the same for all.
    """
    name: str
    base: Value
    unit: str = "1/h"
    action: str | None = None       # None: a coefficient, which no event belongs to
    detail: str | int | Value | None = None  # SET, CLEAR: the name of the bit; RAISE, LOWER: step of the byte
    byte: str = "emt"               # that RAISE and LOWER change, one of STATES
    doc: str = ""
    source: str = ""                # beyond those of the parameters in `base`

    def __post_init__(self):
        object.__setattr__(self, "base", valued(self.base))

    @cached_property
    def compartment(self) -> str:
        """tissue, lumped, blood, lesion, field or vessel."""
        return str(self.name).partition(".")[0]

    @cached_property
    def field(self) -> str:
        """The field that it is a term of; nothing if it is none."""
        return self.cause.partition(".")[0] if self.compartment == "field" else ""

    @property
    def step(self) -> int:
        """Of the byte, if it raises or lowers one; else 0."""
        return int(valued(self.detail).number) if isinstance(self.detail, (int, Value)) else 0

    @property
    def cause(self) -> str:
        """What the ledger calls it: the name without its compartment."""
        return str(self.name).partition(".")[2]


@dataclass(frozen=True)
class Trait:
    """A trait of clones, a byte that is read as 0..1; it mutates at division, and stays within `low` and `high`."""
    name: str
    founder: Value | float = 0.0
    low: float = 0.0
    high: float = 1.0
    mutation: Value | float = 0.0                       # chance that a division has a daughter that differs in it
    step: Value | float = 0.0                           # size of a change
    direction: str = "both"                             # of it: up, down, or both with the same chance
    partner: str = ""                                   # a trait that changes with it ...
    correlation: Value | float = 0.0                    # ... and the correlation of the steps of the two, -1 to 1
    doc: str = ""

    def __post_init__(self):
        for name in ("founder", "mutation", "step", "correlation"):
            object.__setattr__(self, name, valued(getattr(self, name)))

    @property
    def founder_byte(self) -> int:
        """The founder's value as cells have it."""
        return round(255 * self.founder.number)


def heritable(name, section, doc, **more) -> Trait:
    """The trait `name` with the parameters founder, mutation and step of a section."""
    return Trait(name, doc=doc, **more, **{key: value(f"{section.table}.{key}", getattr(section, key))
                                           for key in ("founder", "mutation", "step")})


@dataclass(frozen=True)
class Bit:
    """A bit of the state of cells: set or not; daughters and shed cells keep it."""
    name: str
    doc: str = ""
