"""Each number of a declaration is what the text beside it says: of all mechanisms in the list, with odd values."""
import ast
import math
import operator
import re
from collections import Counter

import numpy as np
import pytest

from metacascade.base.nodes import LYMPH_NODE, NODES, WITH_LESIONS
from metacascade.config.config import Config, everything
from metacascade.mechanisms import MECHANISMS
from metacascade.mechanisms.fields import FIELDS
from metacascade.mechanisms.shear import STRESS
from metacascade.mechanisms.terms import (
    FACTORS,
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
    at,
    at_wall,
    bit,
    constant,
    gradient,
    hill,
    pair,
    python_factor,
    rise,
    shielded,
    state,
    value,
)

OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
             ast.Pow: operator.pow, ast.LtE: operator.le}
FUNCTIONS = {"ln": math.log, "max": max, "clamp": lambda x, low, high: min(max(x, low), high)}
OF_MECHANISMS = ("organs", *{one.TABLE for one in MECHANISMS if one.TABLE}, "blood", "colonization", "lumped")


def computed(text, names):
    """The value of an equation's text, with numbers for the names in it."""
    def of(node):
        if isinstance(node, ast.BinOp):
            return OPERATORS[type(node.op)](of(node.left), of(node.right))
        if isinstance(node, ast.Compare):
            return OPERATORS[type(node.ops[0])](of(node.left), of(node.comparators[0]))
        if isinstance(node, ast.Call):
            return FUNCTIONS[node.func.id](*map(of, node.args))
        return node.value if isinstance(node, ast.Constant) else names[ast.unparse(node)]
    return of(ast.parse(text.replace("^", "**"), mode="eval").body)


def odd(parameter, held, k):
    """Another value than the default: near it, or within the limits where that is 0 or a limit; the k-th of all."""
    if parameter.whole:
        return held + 1
    near = held * (0.83 + 0.00031 * k)
    return near if held and parameter.low < near < parameter.high else 0.31 * parameter.high * (1 + 0.00031 * k) / max(
        1.0, parameter.high)


def odd_config():
    """Every mechanism on, and no two of its parameters of the same value, none of them 0 or 1."""
    given, k = everything().to_dict(), 0
    for path, parameter, held in everything().values():
        if path[0] in OF_MECHANISMS and parameter.kind in ("quantity", "number", "integer") and held is not None:
            k += 1
            table = given[path[0]] if len(path) == 2 else given[path[0]][path[1]]
            table[parameter.attribute] = odd(parameter, held, k % 199)
    return Config.from_dict(given)


CONFIG = odd_config()
NUMBERS = {".".join(map(str, path)): held for path, _, held in CONFIG.values()}
DECLARED = [(mechanism.__name__.rpartition(".")[2], made) for mechanism in MECHANISMS for made in mechanism.plan(CONFIG)]


def numbers(bed="lung"):
    """Parameter -> value; organs.BED is that of one bed."""
    return NUMBERS | {key.replace(f"organs.{bed}.", "organs.BED."): held for key, held in NUMBERS.items()
                      if key.startswith(f"organs.{bed}.")}


def says(factor):
    """Assert that the text of a factor is what it computes."""
    LAWS[type(factor)](factor)


def _shape(factor):
    for s in (0.0, 0.1, 3.0, 7.5, 80.0):
        assert computed(factor.text, NUMBERS | {factor.signal: s}) == pytest.approx(factor.at(s), abs=1e-12)


def _table(factor):
    for byte in (0, 1, 100, 255):
        assert computed(factor.text, NUMBERS | {factor.by: byte / 255}) == pytest.approx(factor.values[byte])


def _pair(factor):
    steps = len(factor.values[0]) - 1
    for byte in (0, 1, 100, 255):
        for k in (0, 3, steps):
            names = NUMBERS | {factor.by: byte / 255, factor.signal: factor.full * k / steps}
            assert computed(factor.text, names) == pytest.approx(factor.values[byte][k])


def _gradient(factor):
    for g in (0.01, 3.0):
        half = factor.half.number
        assert computed(factor.text, NUMBERS | {f"{factor.signal}_gradient": g}) == pytest.approx(g / (g + half))


def _rise(factor):
    assert computed(factor.text, {f"{factor.signal}_rise": 0.3}) == 0.3


def _if_bit(factor):
    assert factor.text == f"({factor.value.text} if {factor.bit})"
    assert computed(factor.value.text, NUMBERS) == pytest.approx(factor.value.number)


def _at(factor):
    """Three kinds of texts: by keys of organs, a number in one node, and by the stress of a node."""
    in_one = re.fullmatch(r"\((.+) in the (\w+)(, 0 elsewhere)?\)", factor.text)
    for node in (*NODES, LYMPH_NODE):
        if "organs.BED" in factor.text:
            of_bed = node in WITH_LESIONS or node == "tumor"
            expected = computed(factor.text, numbers(node)) if of_bed else factor.other
        elif in_one:
            expected = computed(in_one[1], NUMBERS) if node == in_one[2] else 0.0 if in_one[3] else 1.0
        else:
            assert " stress " in factor.text, "a text that nobody compares with its numbers"
            expected = computed(factor.text, NUMBERS | {"stress": STRESS[node]})
        assert factor.at(node) == pytest.approx(expected), node


def _at_wall(factor):
    reach, m = factor.reach.number, factor.mature.number
    assert computed(factor.reach.text, NUMBERS) == pytest.approx(reach)
    for maturity in (0.0, 0.3, 1.0):
        for beyond, within in ((reach * 0.99, 1.0), (reach * 1.01, 0.0)):
            names = dict(maturity=maturity, radius=5.0, distance=5.0 + beyond)
            assert computed(factor.text, NUMBERS | names) == pytest.approx(within * (m + (1 - m) * (1 - maturity)))


def _shielded(factor):
    for coat in (0.0, 0.4, 1.0):
        assert computed(factor.text, NUMBERS | {"coat": coat}) == pytest.approx(1 - factor.share.number * coat)


def _constant(factor):
    assert computed(factor.text, NUMBERS) == pytest.approx(factor.value.number)


def _python(factor):
    for s in (0.1, 3.0, 80.0):
        own = np.asarray(factor.function(*[np.full(512, s, np.float32) for _ in factor.signals]))
        assert own == pytest.approx(computed(factor.text, NUMBERS | dict.fromkeys(factor.signals, s)), rel=1e-6)


LAWS = {Shape: _shape, Table: _table, Pair: _pair, Gradient: _gradient, Rise: _rise, IfBit: _if_bit, At: _at,
        AtWall: _at_wall, Shielded: _shielded, Constant: _constant, PythonFactor: _python}


def those(*kinds):
    return [pytest.param(made, id=f"{name}-{getattr(made, 'rate', None) or made.name}")
            for name, made in DECLARED if isinstance(made, kinds)]


# --- of all mechanisms --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("factor", those(*FACTORS))
def test_the_text_of_a_factor_is_what_it_computes(factor):
    says(factor)


@pytest.mark.parametrize("made", those(Rate, Trait, *FIELDS))
def test_the_numbers_of_a_rate_a_trait_or_a_field_are_those_that_it_names(made):
    held = [one for one in vars(made).values() if isinstance(one, Value)]
    assert held
    for one in held:
        assert computed(one.text, NUMBERS) == pytest.approx(one.number, rel=1e-12)


def test_values_are_odd_so_that_a_wrong_name_shows():
    for table in OF_MECHANISMS:
        held = [number for path, parameter, number in CONFIG.values() if path[0] == table
                and parameter.kind in ("quantity", "number") and number is not None]
        assert not {0.0, 1.0} & set(held) and len(set(held)) == len(held), table


def test_everything_was_looked_at():
    """Each kind of factor has a law, and all that can be are in the list; numbers of the day the test was written."""
    found = Counter(type(made) for _, made in DECLARED)
    assert set(LAWS) == set(FACTORS)
    assert set(FACTORS) - set(found) <= {Constant, Pair, PythonFactor}
    assert sum(found[kind] for kind in FACTORS) >= 27 and found[Rate] >= 37
    assert {name for name, _ in DECLARED} | {"mutation"} == {one.__name__.rpartition(".")[2] for one in MECHANISMS}
    assert set(found) <= {*FACTORS, *FIELDS, Rate, Trait, Bit} | {kind for kind in found if "Column" in kind.__name__}


# --- that it would show -------------------------------------------------------------------------------------------

@pytest.mark.parametrize("wrong", [
    hill("r", "oxygen", value("growth.oxygen_half", 77.0)), state("r", "emt", lambda e: e, "(1 - emt)"),
    pair("r", "egfr", "matrix", lambda x, s: x * s, "egfr + matrix"),
    gradient("r", "oxygen", value("migration.gradient_half", 77.0)),
    bit("r", "L1CAM", value("l1cam.clonogenic", 77.0)), at("r", {"lung": 7.0}, "organs.BED.nk"),
    at("r", {"liver": 7.0}, "(7 in the tumor)"), at("r", {"lung": 7.0}, "seven"),
    at_wall("r", value("intravasation.reach", 77.0), value("intravasation.permeability_mature", 0.5)),
    shielded("r", value("blood.platelet_nk", 0.99)), constant("r", value("growth.death_rate", 7.0)),
    python_factor("r", lambda o: o, ("oxygen",), "2 * oxygen")], ids=lambda one: type(one).__name__)
def test_a_text_that_says_another_number_is_found(wrong):
    with pytest.raises(AssertionError):
        says(wrong)


def test_all_kinds_may_be_right():
    for right in (constant("r", 2), python_factor("r", lambda o: 1 / (1 + 2 * o), ("oxygen",), "1 / (1 + 2 * oxygen)"),
                  at("r", {"tumor": 7.0}, "(7 in the tumor)"), rise("r", "matrix")):
        says(right)
