"""What a mechanism declares: rates, factors on rates, traits, bits and columns of results; fields are in `fields`.

A rate is a hazard [1/h], or a coefficient with a unit of its own. Its value for one cell is

    base x scale(t) x PLACE[place] x CLONE[clone] x STATE[bytes of the record]

with *place* the voxel in tissue, the node in the blood, the organ in lesions; so a mechanism is a list of factors on
named rates. Numbers come with the text that says what they are in terms of the parameters: the equations that
``metacascade info --rates`` prints are those texts, and a test computes each text and compares.

Everything here is plain Python and frozen, and equal where it says the same.
"""
import math
import re
from collections.abc import Callable
from dataclasses import dataclass

# What happens to a cell in tissue when a rate fires.
DIVIDE, REMOVE, SHED, SET, CLEAR, RAISE, LOWER = ACTIONS = (
    "divide", "remove", "shed", "set", "clear", "raise", "lower")
DIRECTIONS = ("both", "up", "down")     # of a mutation
SWITCHES = {"blood": "h", "lesion": "cells"}     # where a bit is switched by a number of this unit, see `Rate`
STATES = ("emt", "adhesion")        # bytes of every record, read as 0..1; the third byte of state holds the bits
DENSITY = "density"                 # cells of the voxel / capacity: a signal that is always there
KEY = re.compile(r"\b[a-z_][a-z0-9_]*(?:\.[A-Za-z_]+)?\.[a-z0-9_]+\b")    # a parameter in a text; organs.BED.key of all
COAT = "coat"                       # 1 - exp(-t / time): what platelets cover of a cell t hours after it was shed


@dataclass(frozen=True)
class Value:
    """A number, and what it is in terms of parameters: ``ln(2) / growth.division_time``."""
    text: str
    number: float


def value(text, number) -> Value:
    """A number with the text that says what it is."""
    return Value(text, float(number))


def _valued(given) -> Value:
    return given if isinstance(given, Value) else Value(f"{given:g}", float(given))


@dataclass(frozen=True)
class Rate:
    """A named hazard or coefficient. Its compartment is the first word of its name: tissue, blood or lesion.

    In the blood and in lesions an action is SET or CLEAR, and the number no hazard but says when: in the blood after so
    many hours there; in a lesion CLEAR from so many cells on, and SET below so many. Such a number is the same for all.
    """
    name: str
    base: Value
    unit: str = "1/h"
    action: str | None = None       # None: a coefficient, which no event belongs to
    detail: str | int | Value | None = None  # SET, CLEAR: the name of the bit; RAISE, LOWER: step of the EMT byte
    doc: str = ""
    source: str = ""                # beyond those of the parameters in `base`

    def __post_init__(self):
        object.__setattr__(self, "base", _valued(self.base))

    @property
    def compartment(self) -> str:
        """tissue, blood or lesion."""
        return self.name.partition(".")[0]

    @property
    def step(self) -> int:
        """Of the EMT byte, if it raises or lowers it; else 0."""
        return int(_valued(self.detail).number) if isinstance(self.detail, (int, Value)) else 0

    @property
    def cause(self) -> str:
        """What the ledger calls it: the name without its compartment."""
        return self.name.partition(".")[2]


@dataclass(frozen=True)
class Shape:
    """A factor by a signal of the voxel: a field, or the density. Made by `hill`, `fall` and `ramp`.

    hill s^p / (s^p + a^p), fall a^p / (s^p + a^p), ramp clamp((s - a) / (b - a), 0, 1).
    """
    rate: str
    kind: str
    signal: str
    a: Value
    b: Value = Value("0", 0.0)      # only of a ramp
    power: int = 1                  # 1, 2 or 4; only of hill and fall

    def at(self, s: float) -> float:
        """The factor where the signal is s; s may be infinite."""
        a, b = self.a.number, self.b.number
        if self.kind == "ramp":
            return min(max((s - a) / (b - a), 0.0), 1.0)
        share = 1.0 if math.isinf(s) else s**self.power / (s**self.power + a**self.power)
        return share if self.kind == "hill" else 1.0 - share

    @property
    def text(self) -> str:
        """As it stands in an equation."""
        a, b, power = self.a.text, self.b.text, f"^{self.power}" if self.power > 1 else ""
        if self.kind == "ramp":
            return (f"clamp({self.signal} / {b}, 0, 1)" if a == "0" else
                    f"clamp(({a} - {self.signal}) / {a}, 0, 1)" if b == "0" else
                    f"clamp(({self.signal} - {a}) / ({b} - {a}), 0, 1)")
        top = self.signal if self.kind == "hill" else a
        return f"{top}{power} / ({self.signal}{power} + {a}{power})"


@dataclass(frozen=True)
class Table:
    """A factor by a byte: a state of the cell (emt, adhesion) or a trait of its clone; 256 values."""
    rate: str
    by: str
    values: tuple
    text: str


@dataclass(frozen=True)
class IfBit:
    """A factor for cells that have a bit set."""
    rate: str
    bit: str
    value: Value

    @property
    def text(self) -> str:
        """As it stands in an equation."""
        return f"({self.value.text} if {self.bit})"


@dataclass(frozen=True)
class At:
    """A factor by node of the circuit or by organ; what is not named has `other`."""
    rate: str
    values: tuple                   # of (name, number)
    text: str
    other: float = 1.0

    def at(self, name: str) -> float:
        """The factor of a node or organ."""
        return dict(self.values).get(name, self.other)


@dataclass(frozen=True)
class Shielded:
    """A factor in the blood, 1 - share x coat: what platelets cover is spared."""
    rate: str
    share: Value

    @property
    def text(self) -> str:
        """As it stands in an equation."""
        return f"(1 - {self.share.text} * {COAT})"


@dataclass(frozen=True)
class AtWall:
    """The factor of what happens at the nearest wall of a perfused vessel, for a cell within reach of it; else 0."""
    rate: str
    reach: Value                    # [um] beyond the wall
    mature: Value                   # of a fully mature vessel relative to an immature one

    @property
    def text(self) -> str:
        """As it stands in an equation."""
        m = self.mature.text
        return f"({m} + (1 - {m}) * (1 - maturity)) * (distance <= radius + {self.reach.text})"


@dataclass(frozen=True)
class Constant:
    """A factor that is the same everywhere."""
    rate: str
    value: Value

    @property
    def text(self) -> str:
        """As it stands in an equation."""
        return self.value.text


@dataclass(frozen=True)
class PythonFactor:
    """A factor in tissue that a function in Python computes: the slow road. Made by `python_factor`."""
    rate: str
    function: Callable
    signals: tuple
    text: str
    absent: tuple = ()              # (signal, what cells feel of it) of fields that are off


FACTORS = (Shape, Table, IfBit, At, Shielded, AtWall, Constant, PythonFactor)


def hill(rate, signal, half, power=1) -> Shape:
    """Factor s^p / (s^p + half^p), p = 1, 2 or 4."""
    return Shape(_name(rate), "hill", signal, _valued(half), power=_power(power))


def fall(rate, signal, half, power=1) -> Shape:
    """Factor half^p / (s^p + half^p), p = 1, 2 or 4."""
    return Shape(_name(rate), "fall", signal, _valued(half), power=_power(power))


def ramp(rate, signal, zero, full) -> Shape:
    """Factor that is 0 where the signal is `zero`, 1 where it is `full`, linear between them."""
    zero, full = _valued(zero), _valued(full)
    if zero.number == full.number:
        raise ValueError(f"a ramp on {_name(rate)} from {zero.text} to {full.text}, which are the same number")
    return Shape(_name(rate), "ramp", signal, zero, full)


def constant(rate, number) -> Constant:
    """Factor that is the same for all cells."""
    return Constant(_name(rate), _valued(number))


def state(rate, byte, function, text) -> Table:
    """Factor by a byte of the record, "emt" or "adhesion": `function` of 0..1; `text` says it in that name."""
    if byte not in STATES:
        raise ValueError(f"{byte!r} is no byte of state; there are {', '.join(STATES)}")
    return Table(_name(rate), byte, tuple(float(function(i / 255.0)) for i in range(256)), text)


def trait(rate, name, function, text) -> Table:
    """Factor by a trait of the clone: `function` of its value, as of a byte from 0 to 1."""
    return Table(_name(rate), name, tuple(float(function(i / 255.0)) for i in range(256)), text)


def bit(rate, name, number) -> IfBit:
    """Factor for cells that have the bit `name` set."""
    return IfBit(_name(rate), name, _valued(number))


def at(rate, table, text, other=1.0) -> At:
    """Factor by node or organ: `table` of name and number; what it does not name has `other`."""
    return At(_name(rate), tuple((name, float(number)) for name, number in table.items()), text, float(other))


def shielded(rate, share) -> Shielded:
    """Factor 1 - share x coat, by platelets, in the blood."""
    return Shielded(_name(rate), _valued(share))


def at_wall(rate, reach, mature) -> AtWall:
    """Factor of a SHED rate: 0 out of reach of a vessel, m + (1 - m) (1 - maturity) within."""
    return AtWall(_name(rate), _valued(reach), _valued(mature))


def python_factor(rate, function, signals, text) -> PythonFactor:
    """Factor on a rate of tissue by a function of arrays, evaluated once a step for each tile that has cells.

    Parameters
    ----------
    function : callable
        Gets one read-only float32 array of shape (512,) for each of the signals, the values in the voxels of a tile,
        and returns as many numbers >= 0, or one for all. It must be a pure function of its arguments: then the result
        does not depend on ranks. NumPy's exp, log and power differ between processors in the last bit.
    signals : sequence of str
        Names of fields, and "density".
    text : str
        What it is, as it shall stand in the equation of the rate.
    """
    return PythonFactor(_name(rate), function, tuple(signals), text)


def _name(rate) -> str:
    return rate.name if isinstance(rate, Rate) else rate


def _power(power) -> int:
    if power not in (1, 2, 4):
        raise ValueError(f"power {power}: the powers are 1, 2 and 4")
    return power


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
    doc: str = ""

    def __post_init__(self):
        for name in ("founder", "mutation", "step"):
            object.__setattr__(self, name, _valued(getattr(self, name)))


@dataclass(frozen=True)
class Bit:
    """A bit of the state of cells: set or not; daughters and shed cells keep it."""
    name: str
    doc: str = ""
