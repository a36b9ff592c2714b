"""Each number of a declaration is what the text beside it says."""
import ast
import math
import operator

import pytest

from metacascade.config.config import Config
from metacascade.mechanisms import plan_of
from metacascade.mechanisms.terms import (
    At,
    Shape,
    Table,
)

OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
             ast.Pow: operator.pow}
FUNCTIONS = {"ln": math.log, "clamp": lambda x, low, high: min(max(x, low), high)}


def computed(text, names):
    """The value of an equation's text, with numbers for the names in it."""
    def of(node):
        if isinstance(node, ast.BinOp):
            return OPERATORS[type(node.op)](of(node.left), of(node.right))
        if isinstance(node, ast.Call):
            return FUNCTIONS[node.func.id](*map(of, node.args))
        return node.value if isinstance(node, ast.Constant) else names[ast.unparse(node)]
    return of(ast.parse(text.replace("^", "**"), mode="eval").body)


def odd_config():
    """A config in which no two parameters of a mechanism have the same value, and none is 0 or 1."""
    return Config.from_dict(dict(
        tumor={}, growth=dict(division_time_h=19.0, death_per_h=0.013, oxygen_half_mmHg=7.0),
        hypoxia=dict(threshold_mmHg=9.0, full_mmHg=4.0, survival_h=11.0),
        crowding=dict(pressure_max=0.33, mobility_um2_per_h=5100.0), intravasation=dict(detach_exponent=1.7),
        blood=dict(anoikis_per_h=0.4, anoikis_resistance=0.7),
        organs={"lung": dict(nk=3.0, extravasation_h=17.0, soil=0.4, adhesion=0.6)}))


def numbers(config):
    known = {".".join(map(str, path)): held for path, _, held in config.values()}
    return known | {key.replace("organs.lung", "organs.BED"): held for key, held in known.items()}


def test_the_text_of_every_base_is_its_number():
    config = odd_config()
    for rate in plan_of(config).rates:
        assert computed(rate.base.text, numbers(config)) == pytest.approx(rate.base.number, rel=1e-12), rate.name


def test_the_text_of_every_factor_is_what_it_computes():
    config, known = odd_config(), numbers(odd_config())
    plan, looked_at = plan_of(config), 0
    for factor in plan.factors:
        if isinstance(factor, Shape):
            for s in (0.0, 0.1, 3.0, 7.5, 80.0):
                assert computed(factor.text, known | {factor.signal: s}) == pytest.approx(factor.at(s), abs=1e-12)
        elif isinstance(factor, Table):
            for byte in (0, 1, 100, 255):
                assert computed(factor.text, known | {factor.by: byte / 255}) == pytest.approx(factor.values[byte])
        elif isinstance(factor, At) and "organs.BED" in factor.text:
            assert computed(factor.text, known) == pytest.approx(factor.at("lung"))
        else:
            continue
        looked_at += 1
    assert looked_at >= 9


@pytest.mark.parametrize("field", plan_of(odd_config()).fields, ids=lambda field: field.name)
def test_the_coefficients_of_a_field_are_those_that_it_names(field):
    known = numbers(odd_config())
    for held in vars(field).values():
        if hasattr(held, "number"):
            assert computed(held.text, known) == pytest.approx(held.number)
