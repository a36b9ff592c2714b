"""Factors on rates: classes that say what they are, and the functions that make them."""
import math
import struct
from collections.abc import Callable
from dataclasses import dataclass

from metacascade.mechanisms.rates import STATES, Rate, Value, valued

DENSITY = "density"                 # cells of the voxel / capacity: a signal that is always there
BIASES = ("tissue.bias", "tissue.haptotaxis", "tissue.chemotaxis")     # shares of motion up gradients
BINS = 16                           # of a field on which speed depends: motion.h
LARGEST = 3.4e38                    # of numbers in single precision
COAT = "coat"                       # 1 - exp(-t / time): what platelets cover of a cell t hours after it was shed


def single(number: float) -> float:
    """A number as kernels have it, in single precision; what is beyond that is infinite."""
    return struct.unpack("f", struct.pack("f", number))[0] if abs(number) < LARGEST else math.copysign(math.inf, number)


@dataclass(frozen=True)
class Shape:
    """A factor by a signal of the voxel: a field, or the density. Made by `hill`, `fall`, `ramp` and `boost`.

    hill s^p / (s^p + a^p), fall a^p / (s^p + a^p), ramp clamp((s - a) / (b - a), 0, 1), boost 1 + b s / (s + a).
    """
    rate: str
    kind: str
    signal: str
    a: Value
    b: Value = Value("0", 0.0)      # only of a ramp and a boost
    power: int = 1                  # 1, 2 or 4; only of hill and fall

    def __post_init__(self):
        if self.kind == "ramp" and single(self.a.number) == single(self.b.number):
            raise ValueError(
                f"a ramp on {self.rate} from {self.a.text} to {self.b.text}, which are the same number in single "
                "precision")

    def at(self, s: float) -> float:
        """The factor where the signal is s; s may be infinite."""
        a, b = self.a.number, self.b.number
        if self.kind == "ramp":
            return min(max((s - a) / (b - a), 0.0), 1.0)
        share = 1.0 if math.isinf(s) else s**self.power / (s**self.power + a**self.power)
        if self.kind == "boost":
            return 1.0 + b * share
        return share if self.kind == "hill" else 1.0 - share

    @property
    def text(self) -> str:
        """As it stands in an equation."""
        a, b, power = self.a.text, self.b.text, f"^{self.power}" if self.power > 1 else ""
        if self.kind == "ramp":
            return (f"clamp({self.signal} / {b}, 0, 1)" if a == "0" else
                    f"clamp(({a} - {self.signal}) / {a}, 0, 1)" if b == "0" else
                    f"clamp(({self.signal} - {a}) / ({b} - {a}), 0, 1)")
        if self.kind == "boost":
            return f"(1 + {b} * {self.signal} / ({self.signal} + {a}))"
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
class Pair:
    """A factor on the speed of motile cells by a trait of their clone and a field, not a product of two.

    `values` has a row for each of the 256 bytes of the trait, of BINS factors where the field is 0 to `full` in equal
    steps; a cell has that of the nearest.
    """
    rate: str
    by: str
    signal: str
    full: float
    values: tuple
    text: str

    def by_trait(self, s: float) -> tuple:
        """The 256 factors where the field is s; s may be infinite."""
        nearest = int(min(s, self.full) * (BINS - 1) / self.full + 0.5)
        return tuple(row[nearest] for row in self.values)


@dataclass(frozen=True)
class Gradient:
    """A factor on one of BIASES: motion is biased up the gradient g of a field, by g / (g + half)."""
    rate: str
    signal: str
    half: Value                     # [unit/um]

    @property
    def text(self) -> str:
        """As it stands in an equation."""
        return f"{self.signal}_gradient / ({self.signal}_gradient + {self.half.text})"


@dataclass(frozen=True)
class Rise:
    """A factor on tissue.confinement: by how much a field rises from the voxel of a cell to that it is pushed into."""
    rate: str
    signal: str

    @property
    def text(self) -> str:
        """As it stands in an equation."""
        return f"{self.signal}_rise"


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


FACTORS = (Shape, Table, Pair, Gradient, Rise, IfBit, At, Shielded, AtWall, Constant, PythonFactor)


def hill(rate, signal, half, power=1) -> Shape:
    """Factor s^p / (s^p + half^p), p = 1, 2 or 4."""
    return Shape(_name(rate), "hill", signal, valued(half), power=_power(power))


def fall(rate, signal, half, power=1) -> Shape:
    """Factor half^p / (s^p + half^p), p = 1, 2 or 4."""
    return Shape(_name(rate), "fall", signal, valued(half), power=_power(power))


def ramp(rate, signal, zero, full) -> Shape:
    """Factor that is 0 where the signal is `zero`, 1 where it is `full`, linear between them."""
    return Shape(_name(rate), "ramp", signal, valued(zero), valued(full))


def constant(rate, number) -> Constant:
    """Factor that is the same for all cells."""
    return Constant(_name(rate), valued(number))


def state(rate, byte, function, text) -> Table:
    """Factor by a byte of the record, "emt" or "adhesion": `function` of 0..1; `text` says it in that name."""
    if byte not in STATES:
        raise ValueError(f"{byte!r} is no byte of state; there are {', '.join(STATES)}")
    return Table(_name(rate), byte, tuple(float(function(i / 255.0)) for i in range(256)), text)


def trait(rate, name, function, text) -> Table:
    """Factor by a trait of the clone: `function` of its value, as of a byte from 0 to 1."""
    return Table(_name(rate), name, tuple(float(function(i / 255.0)) for i in range(256)), text)


def pair(rate, name, signal, function, text, full=1.0) -> Pair:
    """Factor on tissue.speed: `function` of a trait, as of a byte from 0 to 1, and of a field from 0 to `full`."""
    levels = [full * k / (BINS - 1) for k in range(BINS)]
    values = tuple(tuple(float(function(i / 255.0, s)) for s in levels) for i in range(256))
    return Pair(_name(rate), name, signal, float(full), values, text)


def gradient(rate, signal, half) -> Gradient:
    """Factor on a rate of BIASES: motion is biased up the gradient of `signal`, half as much at `half` [unit/um]."""
    return Gradient(_name(rate), signal, valued(half))


def rise(rate, signal) -> Rise:
    """Factor on tissue.confinement: max(0, rise of the field `signal` from the voxel of a cell to the next)."""
    return Rise(_name(rate), signal)


def bit(rate, name, number) -> IfBit:
    """Factor for cells that have the bit `name` set."""
    return IfBit(_name(rate), name, valued(number))


def at(rate, table, text, other=1.0) -> At:
    """Factor by node or organ: `table` of name and number; what it does not name has `other`."""
    return At(_name(rate), tuple((name, float(number)) for name, number in table.items()), text, float(other))


def boost(rate, signal, half, gain) -> Shape:
    """Factor 1 + gain s / (s + half): from 1 where there is none of the signal to 1 + gain."""
    return Shape(_name(rate), "boost", signal, valued(half), valued(gain))


def shielded(rate, share) -> Shielded:
    """Factor 1 - share x coat, by platelets, in the blood."""
    return Shielded(_name(rate), valued(share))


def at_wall(rate, reach, mature) -> AtWall:
    """Factor of a SHED rate: 0 out of reach of a vessel, m + (1 - m) (1 - maturity) within."""
    return AtWall(_name(rate), valued(reach), valued(mature))


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
