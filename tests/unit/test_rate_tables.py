"""From the plan to the arrays of the kernels: the product of the tables is the value of the rate, on random plans."""
import math
import random
from types import SimpleNamespace

import numpy as np
import pytest

from metacascade._kernels._layout import DENSITY, Action, Shape as ShapeCode
from metacascade.config.config import default
from metacascade.mechanisms import plan_of
from metacascade.mechanisms.compile import placed_rates, tissue_rates, wall_of
from metacascade.mechanisms.fields import Diffusing
from metacascade.mechanisms.plan import collect
from metacascade.mechanisms.terms import (
    CLEAR,
    DIVIDE,
    LOWER,
    RAISE,
    REMOVE,
    SET,
    Bit,
    Rate,
    Trait,
    at,
    bit,
    boost,
    constant,
    fall,
    hill,
    ramp,
    shielded,
    state,
    trait,
    value,
)

ONE = value("1", 1.0)
SIGNALS = ("a", "b", "density")


def field(name):
    return Diffusing(name, "", diffusion=ONE, vessel=ONE, wall=ONE, start=ONE)


def plan_with(*declarations):
    return collect(None, [SimpleNamespace(TABLE=None, plan=lambda config: declarations, __name__="made_up")])


def some_shape(dice, rate):
    make, signal = dice.choice((hill, fall, ramp, boost)), dice.choice(SIGNALS)
    if make is boost:
        return boost(rate, signal, half=dice.uniform(0.1, 3), gain=dice.uniform(0, 5))
    if make is ramp:
        return ramp(rate, signal, zero=dice.uniform(0, 1), full=dice.uniform(1.5, 3))
    return make(rate, signal, half=dice.uniform(0.1, 3), power=dice.choice((1, 2, 4)))


def some_plan(dice):
    rates = [Rate("tissue.divide", dice.uniform(0, 1), action=DIVIDE),
             Rate("tissue.death", dice.uniform(0, 1), action=REMOVE),
             Rate("tissue.kill", dice.uniform(0, 1), action=REMOVE), Rate("tissue.on", 0.5, action=SET, detail="y"),
             Rate("tissue.up", 0.1, action=RAISE, detail=3)]
    made = [field("a"), field("b"), Trait("t", founder=value("0.4", 0.4)), Trait("u"), Bit("x"), Bit("y"), *rates]
    for _ in range(12):
        rate, power = dice.choice(rates), dice.uniform(0.5, 2)
        made.append(dice.choice((
            some_shape(dice, rate), state(rate, dice.choice(("emt", "adhesion")), lambda s, p=power: (0.2 + s)**p, "s"),
            trait(rate, dice.choice("tu"), lambda r, p=power: math.exp(-p * r), "r"),
            bit(rate, dice.choice("xy"), power),
            constant(rate, power))))
    return plan_with(*made)


def shape_of(row, signals, s):
    """A FACTOR as rates.h reads it, in double precision."""
    name, a, b = ShapeCode(row["shape"]).name, float(row["a"]), float(row["b"])
    x = s["density" if row["signal"] == DENSITY else signals[row["signal"]]]
    if name == "RAMP":
        return min(max((x - a) / (b - a), 0.0), 1.0)
    if name == "BOOST":
        return 1.0 + b * x / (x + a)
    power = int(name[-1])
    return (x if name.startswith("HILL") else a)**power / (x**power + a**power)


def value_of(plan, name, s, cell):
    """The value of a rate for one cell, factor by factor."""
    rate = plan.rate(name)
    if rate.action == SET and cell["bits"] & dict(plan.bits)[rate.detail] or rate.action == RAISE and cell["emt"] == 255:
        return 0.0                                       # nothing to change
    number = rate.base.number
    for factor in plan.factors_of(name):
        match type(factor).__name__:
            case "Shape":
                number *= factor.at(s[factor.signal])
            case "Table":
                number *= factor.values[cell[factor.by]]
            case "IfBit":
                number *= factor.value.number if cell["bits"] & dict(plan.bits)[factor.bit] else 1.0
            case "Constant":
                number *= factor.value.number
    return number


@pytest.mark.parametrize("seed", range(20))
def test_the_product_of_the_tables_is_the_rate(seed):
    dice = random.Random(seed)
    plan = some_plan(dice)
    clones = {"t": np.array([dice.randrange(256) for _ in range(7)], np.uint8), "u": np.arange(7, dtype=np.uint8)}
    made = tissue_rates(plan, clones=clones)
    for _ in range(20):
        s = {name: dice.uniform(0, 4) for name in SIGNALS}
        cell = dict(emt=dice.randrange(256), adhesion=dice.randrange(256), bits=dice.randrange(4))
        clone = dice.randrange(7)
        for row, name in enumerate(made.names):
            rate = made.rates[row]
            factors = made.factors[rate["first"]:rate["first"] + rate["factors"]]
            tables = float(made.clone[row, clone]) * math.prod(
                float(made.state[row, i, cell[byte]]) for i, byte in enumerate(("emt", "adhesion", "bits")))
            got = rate["base"] * tables * math.prod(shape_of(factor, made.signals, s) for factor in factors)
            traits = {name: int(of_all[clone]) for name, of_all in clones.items()}
            assert got == pytest.approx(value_of(plan, name, s, cell | traits), rel=1e-5, abs=1e-12)
            assert tables <= rate["most"] * (1 + 1e-6)


def test_causes_of_death_keep_their_numbers_when_one_is_zero_for_a_while():
    plan = plan_with(*(Rate(f"tissue.{name}", 1, action=REMOVE) for name in "abc"))
    made = tissue_rates(plan, {"tissue.b": 0.0, "tissue.c": 2.0})
    assert made.names == ("tissue.a", "tissue.c") and made.causes == ("a", "b", "c")
    assert made.rates["detail"].tolist() == [0, 2] and made.rates["base"].tolist() == [1.0, 2.0]


def test_details_name_the_bit_and_the_step():
    plan = plan_with(Bit("x"), Bit("y"), Rate("tissue.on", 1, action=SET, detail="y"),
                     Rate("tissue.down", 1, action=LOWER, detail=5))
    made = tissue_rates(plan)
    assert made.rates["detail"].tolist() == [2, 5]
    assert made.rates["action"].tolist() == [Action.SET, Action.LOWER]


def test_what_would_change_nothing_does_not_happen():
    made = tissue_rates(plan_with(Bit("x"), *(Rate(f"tissue.{action}", 1, action=action, detail=detail) for action, detail in (
        (SET, "x"), (CLEAR, "x"), (RAISE, 5), (LOWER, 5)))))
    never = {name: {(byte, int(value)) for byte in range(3) for value in np.flatnonzero(made.state[row, byte] == 0)}
             for row, name in enumerate(made.names)}
    assert never["tissue.set"] == {(2, value) for value in range(1, 256, 2)}
    assert never["tissue.clear"] == {(2, value) for value in range(0, 256, 2)}
    assert never["tissue.raise"] == {(0, 255)} and never["tissue.lower"] == {(0, 0)}


def test_without_a_table_of_clones_there_is_the_founder():
    plan = plan_with(Trait("t", founder=value("0.2", 0.2)), Rate("tissue.a", 1, action=REMOVE),
                     trait("tissue.a", "t", lambda t: t, "t"))
    assert tissue_rates(plan).clone == np.float32([[51 / 255]])


def test_the_default_config_has_its_rates_in_tissue():
    made = tissue_rates(plan_of(default()))
    assert made.names == ("tissue.divide", "tissue.apoptosis", "tissue.necrosis", "tissue.intravasate")
    assert made.signals == ("oxygen", "pressure") and made.causes == ("apoptosis", "necrosis")
    assert made.rates["most"].tolist() == [1.0] * 4
    assert wall_of(plan_of(default())) == (10.0, 0.02)


def test_rates_in_the_blood_are_tables_by_node():
    config = default()
    names, nodes = ("blood.nk", "blood.shear", "blood.homing", "blood.nothing"), ("tumor", "venous", "lung")
    made = placed_rates(plan_of(config), names, nodes, {"blood.nk": 2.0})
    nk = config.blood.nk_per_h
    shear, low = (config.blood.shear_slope_cm2_per_dyn_h * max(0.0, stress - config.blood.shear_threshold_dyn_per_cm2)
                  for stress in (15.0, 3.0))
    assert made.place[0].tolist() == [2 * nk * 0.1, 0.0, 2 * nk]
    assert made.place[1].tolist() == pytest.approx([shear, low, shear])
    assert made.place[2].tolist() == [4.0, 0.0, 0.0]
    assert made.place[3].tolist() == [0.0] * 3
    assert made.spared == pytest.approx([config.blood.platelet_nk, config.blood.platelet_shear, 0.0, 0.0])


def test_two_shields_multiply():
    plan = plan_with(Rate("blood.nk", 1), shielded("blood.nk", 0.5), shielded("blood.nk", 0.4),
                     at("blood.nk", {"lung": 3}, "x", other=2))
    made = placed_rates(plan, ["blood.nk"], ["lung", "liver"])
    assert made.spared == pytest.approx([0.7]) and made.place.tolist() == [[3.0, 2.0]]
