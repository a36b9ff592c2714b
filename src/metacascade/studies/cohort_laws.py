"""Laws from which the parameters of patients are drawn, each as a table in the file of a cohort, or one number for all.

    "lumped.gompertz" = {law = "lognormal", median = "0.025/month", spread = 1.26}     spread: sd of the logarithm
    "blood.nk" = {law = "uniform", low = "0.5/h", high = "3/h"}                      also loguniform
    "tumor.cells" = {law = "normal", mean = 1000, sd = 100}
    "tumor.organ" = {law = "choice", values = ["lung", "liver"], weights = [3, 1]}
    "colonization.gompertz" = {law = "same", of = "lumped.gompertz", times = 0.5}     that of another parameter

A draw depends on (seed of the cohort, number of the patient, name of the parameter) alone. What lies outside of the
limits of the parameter is set to the nearer limit.
"""
import math
import zlib
from dataclasses import dataclass

import numpy as np

from metacascade._kernels._layout import Draw, draws, unit52
from metacascade.base import units
from metacascade.base.declare import Parameter
from metacascade.base.names import nearest
from metacascade.base.units import DAY_S, YEAR_S
from metacascade.config import values as config_values
from metacascade.config.read import Problem

NUMBERS = {"lognormal": ("median", "spread"), "normal": ("mean", "sd"), "uniform": ("low", "high"),
           "loguniform": ("low", "high")}
KEYS = {law: ("law", *keys) for law, keys in NUMBERS.items()} | {
    "choice": ("law", "values", "weights"), "same": ("law", "of", "times")}
PURE = ("spread",)          # numbers without the unit of the parameter
MOST_SPREAD = 50            # exp(8.6 x that) is still a number, and no draw is further out than 8.6 spreads
NUMERIC = ("quantity", "number", "integer")


def years_or_days(seconds) -> str:
    """A time in words: in years, or in days if it is shorter than one."""
    number, unit = (seconds / YEAR_S, "year") if abs(seconds) >= YEAR_S else (seconds / DAY_S, "day")
    return f"{number:.4g} {unit}{'s' * (number != 1)}"


def unknown(path, known) -> Problem:
    """That of a key that there is not, with the nearest, or all that there are."""
    return Problem(path, f"unknown key{nearest(path[-1], known) or '; known are ' + ', '.join(known)}")


class _InYears(Parameter):
    """A parameter of which times are told in years or days, as they are written in the files of cohorts."""

    def text(self, value):
        return years_or_days(value) if self.internal == "s" else super().text(value)


@dataclass(frozen=True)
class Law:
    """A parameter by its name, and the law of its values in internal units; `law` = "one": a number for all.

    `law` = "same": the value of the parameter `of`, times the number.
    """
    name: str
    parameter: Parameter
    law: str
    numbers: tuple
    weights: tuple = ()
    of: str = ""

    def draw(self, seed: int, patient: int):
        """The value of a patient."""
        if self.law == "one":
            return self.numbers[0]
        words = draws(seed, Draw.PATIENT, np.array([patient], np.uint64),
                      np.array([zlib.crc32(self.name.encode())], np.uint32))
        u, v = (float(unit52(words[:, k], words[:, k + 1])[0]) for k in (0, 2))
        if self.law == "choice":
            return self._chosen(u)
        return self.within(self._value(u, v))

    def within(self, value):
        """The value within the limits of the parameter."""
        value = min(max(value, self.parameter.low), self.parameter.high)
        return round(value) if self.parameter.whole else value

    def _value(self, u, v):
        a, b = self.numbers
        normal = math.sqrt(-2.0 * math.log(u)) * math.cos(2.0 * math.pi * v)
        if self.law == "lognormal":
            return a * math.exp(b * normal)
        if self.law == "normal":
            return a + b * normal
        return a + (b - a) * u if self.law == "uniform" else a * math.exp(math.log(b / a) * u)

    def _chosen(self, u):
        left = u * math.fsum(self.weights)
        for value, weight in zip(self.numbers, self.weights):
            if left < weight:
                return value
            left -= weight
        return self.numbers[-1]

    def __str__(self):
        """In words, in the unit of the parameter."""
        parameter = _InYears(**vars(self.parameter))
        told = [units.plain(n) if key in PURE or self.law == "same" else parameter.text(n)
                for key, n in zip(NUMBERS.get(self.law, ("",) * len(self.numbers)), self.numbers)]
        if self.law in ("one", "choice"):
            return " or ".join(told)
        if self.law == "same":
            return f"{units.plain(self.numbers[0])} x that of {self.of}"
        return f"{self.law}, " + ", ".join(f"{key} {n}" for key, n in zip(NUMBERS[self.law], told))


def read(path, name, parameter, given, problems) -> Law | None:
    """The law at a path of the file, or the one value; None, and another problem, for what is neither."""
    if not isinstance(given, dict):
        value = _internal(path, parameter, given, problems)
        return None if value is None else Law(name, parameter, "one", (value,))
    law, laws = given.get("law"), [law for law in KEYS if law != "same" or path[0] == "draw"]
    if law not in laws:
        problems.append(Problem((*path, "law"), f"must be one of {', '.join(laws)}"))
        return None
    if law != "choice" and parameter.kind not in NUMERIC:
        problems.append(Problem((*path, "law"), "must be choice: the parameter is no number"))
        return None
    before, known = len(problems), KEYS[law]
    problems += [unknown((*path, key), known) for key in given.keys() - set(known)]
    if law == "same":
        times = _number((*path, "times"), given.get("times", 1.0), problems)
        if not isinstance(given.get("of"), str):
            problems.append(Problem(path, 'needs of = "SECTION.KEY", another parameter of [draw]'))
        return Law(name, parameter, law, (times,), of=given["of"]) if len(problems) == before else None
    found = _choice(path, given, parameter, problems) if law == "choice" else _of_numbers(
        path, given, law, parameter, problems)
    return Law(name, parameter, law, *found) if len(problems) == before else None


def _of_numbers(path, given, law, parameter, problems):
    found = []
    for key in NUMBERS[law]:
        if key not in given:
            problems.append(Problem(path, f"needs {key}"))
        elif key in PURE:
            found.append(_number((*path, key), given[key], problems))
        elif key == "sd" and parameter.kind != "quantity":
            found.append(_number((*path, key), given[key], problems))
        else:
            found.append(_internal((*path, key), parameter, given[key], problems, within=key != "sd"))
    if len(found) == 2 and None not in found:
        low, high = found
        if law.endswith("uniform") and not low < high:
            problems.append(Problem(path, "low must be less than high"))
        if law in ("lognormal", "loguniform") and not low > 0:
            problems.append(Problem(path, f"the {NUMBERS[law][0]} of a {law} law must be more than 0"))
        if law in ("lognormal", "normal") and not 0 <= high < math.inf:
            problems.append(Problem(path, f"{NUMBERS[law][1]} must be 0 or more"))
        if law == "lognormal" and high > MOST_SPREAD:
            problems.append(Problem(path, f"spread must be {MOST_SPREAD} at most"))
    return (tuple(found),)


def _choice(path, given, parameter, problems):
    values = given.get("values")
    if not isinstance(values, list) or not values:
        problems.append(Problem((*path, "values"), "must be a list of values"))
        return (), ()
    weights = given.get("weights", [1.0] * len(values))
    found = [_internal((*path, "values", i), parameter, value, problems) for i, value in enumerate(values)]
    good = isinstance(weights, list) and len(weights) == len(values) and all(
        type(weight) in (int, float) and 0 <= weight < math.inf for weight in weights) and 0 < sum(weights) < math.inf
    if not good:
        problems.append(Problem((*path, "weights"), "must be as many numbers from 0 on as there are values, not all 0"))
    return tuple(found), tuple(map(float, weights)) if good else ()


def _number(path, given, problems):
    if type(given) not in (int, float) or not math.isfinite(given):
        problems.append(Problem(path, "must be a number"))
        return None
    return float(given)


def _internal(path, parameter, given, problems, within=True):
    """A value in the internal unit, within the limits of the parameter; None, and a problem, for another."""
    parameter = _InYears(**vars(parameter))
    try:
        value = config_values.internal(parameter, given)
    except units.QuantityError as error:
        problems.append(Problem(path, str(error)))
        return None
    kinds = {"integer": int, "switch": bool, "text": str, "choice": str}
    right = type(value) is kinds[parameter.kind] if parameter.kind in kinds else type(value) in (int, float)
    if right and parameter.kind in NUMERIC and within:
        right = parameter.low <= value <= parameter.high
    if right and parameter.kind == "choice":
        right = value in parameter.choices
    if not right:
        problems.append(Problem(path, f"must be {parameter.allowed()}"))
        return None
    return value
