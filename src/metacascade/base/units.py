"""Quantities written as text with a unit, such as ``"30 min"``, converted to the internal units.

A conversion is exact up to its last rounding: the number as written times a rational factor. So
``"0.5 h"``, ``"30 min"`` and ``"1800 s"`` give the same bits. Common units are listed here, checked
against pint by a test; any other unit is looked up in pint, which is imported only then.
"""
import functools
import math
import re
from fractions import Fraction

from metacascade.base.errors import InputError
from metacascade.base.names import nearest
from metacascade.base.numerals import NUMBER

_QUANTITY = re.compile(rf"\s*({NUMBER})\s*(.*?)\s*", re.DOTALL)
_FACTOR = re.compile(r"([^\W\d_]+|%|1)(?:(?:\^|\*\*)(-?[1-9])(?![0-9]))?")
_OPERATOR = re.compile(r"\s*([*/·])\s*|\s+")

DAY_S, YEAR_S = 86400, 31557600         # a year of 365.25 days
L, T, M, N = "[length]", "[time]", "[mass]", "[substance]"
_FORCE = {M: 1, L: 1, T: -2}
_PRESSURE = {M: 1, L: -1, T: -2}
_CONCENTRATION = {N: 1, L: -3}
_COMMON = {
    "1": (Fraction(1), {}), "%": (Fraction(1, 100), {}),
    "um": (Fraction(1, 10**6), {L: 1}), "µm": (Fraction(1, 10**6), {L: 1}),
    "mm": (Fraction(1, 1000), {L: 1}), "cm": (Fraction(1, 100), {L: 1}), "m": (Fraction(1), {L: 1}),
    "s": (Fraction(1), {T: 1}), "min": (Fraction(60), {T: 1}), "h": (Fraction(3600), {T: 1}),
    "day": (Fraction(DAY_S), {T: 1}), "days": (Fraction(DAY_S), {T: 1}), "d": (Fraction(DAY_S), {T: 1}),
    "week": (Fraction(604800), {T: 1}), "month": (Fraction(2629800), {T: 1}),
    "year": (Fraction(YEAR_S), {T: 1}), "years": (Fraction(YEAR_S), {T: 1}),
    "g": (Fraction(1, 1000), {M: 1}), "kg": (Fraction(1), {M: 1}),
    "mL": (Fraction(1, 10**6), {L: 3}), "L": (Fraction(1, 1000), {L: 3}),
    "mmHg": (Fraction("133.322387415"), _PRESSURE), "Pa": (Fraction(1), _PRESSURE),
    "kPa": (Fraction(1000), _PRESSURE), "Gy": (Fraction(1), {L: 2, T: -2}),
    "mN": (Fraction(1, 1000), _FORCE), "dyn": (Fraction(1, 10**5), _FORCE),
    "mM": (Fraction(1), _CONCENTRATION), "uM": (Fraction(1, 1000), _CONCENTRATION),
    "nM": (Fraction(1, 10**6), _CONCENTRATION),
}
_SPELLINGS = [*(name for name in _COMMON if _COMMON[name][1] != _CONCENTRATION),
              "hour", "hours", "minute", "minutes", "second", "seconds", "weeks", "months",
              "micron", "micrometer", "millimeter", "liter", "milliliter", "uL", "nm", "gram"]


class QuantityError(ValueError):
    """The text is not a quantity of the wanted kind; the message says why and what would be."""


@functools.cache
def _registry():
    import pint  # half a second: only for units that are not common
    return pint.UnitRegistry(non_int_type=Fraction, cache_folder=None)


@functools.lru_cache(maxsize=1000)
def _named(name: str) -> tuple[Fraction, dict[str, int]]:
    """SI factor and dimension of one unit name."""
    if name in _COMMON:
        return _COMMON[name]
    registry = _registry()
    try:
        factor, base = registry.get_base_units(name)
        return Fraction(factor), {k: int(v) for k, v in base.dimensionality.items()}
    except Exception:  # pint raises many kinds; each means that the name is of no use here
        raise QuantityError(f"unknown unit {name!r}{_nearest_unit(name)}") from None


def _nearest_unit(name: str) -> str:
    return nearest(name, [s for s in _SPELLINGS if s != name])


@functools.lru_cache(maxsize=1000)
def _unit(text: str) -> tuple[Fraction, tuple]:
    """SI factor and dimension of a product such as ``mL/min/g``; ``a/b/c`` is ``a/(b c)``."""
    if text.startswith("/"):
        text = "1" + text
    factor, dimension, sign, at = Fraction(1), {}, 1, 0
    while True:
        if not (match := _FACTOR.match(text, at)):
            raise QuantityError(f"the unit {text!r} cannot be read")
        size, kinds = _named(match[1])
        power = sign * int(match[2] or 1)
        factor *= size**power
        for kind, n in kinds.items():
            dimension[kind] = dimension.get(kind, 0) + n * power
        if (at := match.end()) == len(text):
            return factor, tuple(sorted((k, n) for k, n in dimension.items() if n))
        if not (match := _OPERATOR.match(text, at)):
            raise QuantityError(f"the unit {text!r} cannot be read")
        sign, at = -1 if match[1] == "/" else 1, match.end()


@functools.lru_cache(maxsize=1000)
def factor(unit: str, into: str) -> Fraction:
    """How many `into` one `unit` is: ``factor("day", "h") == 24``."""
    (size, kind), (wanted_size, wanted) = _unit(unit), _unit(into)
    if kind != wanted:
        hint = _nearest_unit(unit) if unit.isalpha() and unit not in _COMMON else ""
        raise QuantityError(f"{unit!r} is {describe(kind)}, but {describe(wanted)} is needed{hint}")
    return size / wanted_size


_KINDS = {
    (): "a pure number", ((L, 1),): "a length", ((T, 1),): "a time", ((M, 1),): "a mass",
    ((L, 3),): "a volume", ((L, 2),): "an area", ((T, -1),): "a rate (1/time)",
    ((L, 1), (T, -1)): "a speed", ((L, 2), (T, -1)): "a diffusion coefficient (area/time)",
    ((L, -2),): "a length per volume", ((L, 2), (T, -2)): "a dose of radiation",
    ((M, 1), (T, -2)): "a tension (force/length)", ((L, -1), (M, 1), (T, -1)): "a viscosity",
    tuple(sorted(_PRESSURE.items())): "a pressure", tuple(sorted(_CONCENTRATION.items())): "a concentration",
}


def describe(kind: tuple) -> str:
    """A dimension in words."""
    if kind in _KINDS:
        return _KINDS[kind]
    return "a quantity in " + " ".join(f"{name}^{n}" if n != 1 else name for name, n in kind)


def exact(number: float, unit: str, into: str) -> float:
    """`number` [unit] in `into`, rounded once. The shortest decimal that gives `number` is converted."""
    if not math.isfinite(number):
        raise QuantityError("the number is not finite")
    return float(Fraction(repr(number)) * factor(unit, into))


@functools.lru_cache(maxsize=4096)
def parse(text: str, into: str) -> float:
    """The quantity `text`, such as ``"15 um/h"``, as a number in the unit `into`.

    Raises QuantityError where there is no number, no unit, an unknown unit or one of another kind.
    """
    match = _QUANTITY.fullmatch(text) if len(text) <= 100 else None
    if not match:
        raise QuantityError("is not a number followed by a unit")
    if not match[2]:
        raise QuantityError("needs a unit")
    if re.search(r"\s[0-9]", match[2]):
        raise QuantityError("is more than one number: write one, with one unit")
    try:
        return exact(float(match[1]), match[2], into)
    except OverflowError:
        raise QuantityError("the number is too large") from None


def option(name: str, text: str, into: str, example: str) -> float:
    """As `parse`, for an option of a command. Raises InputError, also for a negative quantity."""
    try:
        value = parse(text, into)
    except QuantityError as error:
        raise InputError(f"{name} {text}: {error}; write it like {example}") from None
    if value < 0:
        raise InputError(f"{name} {text}: must not be negative")
    return value


def is_unit(text: str) -> bool:
    """Does a text have no number, so that it may be a unit alone?"""
    return text.strip()[:1].isalpha()


CLOCK = re.compile(r"(?:([0-9]+)-)?([0-9]+)(?::([0-9]+))?(?::([0-9]+))?")
CLOCKS = '"30 min", "11.5 h", or as SLURM writes it: 30:00 (minutes:seconds), 11:30:00, 1-12 (days-hours), 1-12:00:00'


def wall_time(name: str, text: str) -> float:
    """Seconds of the option `name`, a time on the clock: a quantity, or one of the ways in which SLURM has it.

    Those are minutes:seconds, hours:minutes:seconds, days-hours, days-hours:minutes and days-hours:minutes:seconds. The
    bare number of minutes that it takes as well is refused: elsewhere that would be seconds. Raises InputError.
    """
    clock = CLOCK.fullmatch(text.strip()) if len(text) <= 100 else None
    if not clock:
        return option(name, text, "s", CLOCKS)
    days, first, second, third = clock.groups()
    if days is None and second is None:
        raise InputError(f'{name} {text}: a bare number is minutes to SLURM and seconds to others; write "{first} min" '
                         f'or "{first} s"')
    if days is None and third is None:
        first, second, third = "0", first, second          # minutes:seconds
    for larger, part, limit in ((days, first, 23), (first, second, 59), (second, third, 59)):
        if larger is not None and int(larger) and int(part or 0) > limit:
            raise InputError(f"{name} {text}: {part} is more than {limit}; write it like {CLOCKS}")
    return float(((int(days or 0) * 24 + int(first)) * 60 + int(second or 0)) * 60 + int(third or 0))


def unit_of(text: str) -> str:
    """The unit of a quantity, as `written` wants it: ``"0.1 /day"`` has ``1/day``. `parse` must be able to read it."""
    unit = text.strip() if is_unit(text) else _QUANTITY.fullmatch(text)[2]
    return f"1{unit}" if unit.startswith("/") else unit


def show(value: float, unit: str, internal: str) -> str:
    """`value` [internal] as text in `unit`, or in `internal` where no short number reads back to the same bits."""
    number = float(Fraction(repr(value)) / factor(unit, internal))
    for digits in (6, 9, 12):
        short = float(f"{number:.{digits}g}")
        if exact(short, unit, internal) == value:
            return written(short, unit)
    return written(value, internal)


def show_time(seconds: float) -> str:
    """A time in the largest unit that it is a whole number of; in seconds if it is of none."""
    whole = [unit for unit in ("day", "h", "min") if seconds and seconds % factor(unit, "s") == 0]
    return show(seconds, [*whole, "s"][0], "s")


def written(number: float, unit: str) -> str:
    """``0.05/day`` rather than ``0.05 1/day``; ``7 days``, ``30 min``."""
    unit = "days" if unit == "day" and number != 1 else unit
    return plain(number) + (unit[1:] if unit.startswith("1/") else f" {unit}")


def plain(number: float) -> str:
    """The shortest text of a number: ``30`` rather than ``30.0``."""
    return str(int(number)) if number == int(number) and abs(number) < 1e7 else repr(number)
