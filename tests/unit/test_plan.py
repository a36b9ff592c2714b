"""The plan of a config: what is off is not in it, and what a mechanism from outside brings is."""
import math
import re

import pytest

from metacascade.base.columns import mean_over_cells
from metacascade.config.config import default
from metacascade.mechanisms import MECHANISMS, plan_of
from metacascade.mechanisms.compile import switches, wall_of
from metacascade.mechanisms.factor_problems import FIXED, is_switch
from metacascade.mechanisms.fields import Diffusing
from metacascade.mechanisms.plan import collect, enabled
from metacascade.mechanisms.terms import (
    CLEAR,
    SET,
    SHED,
    Bit,
    Rate,
    Shape,
    Trait,
    at_wall,
    bit,
    boost,
    constant,
    fall,
    hill,
    pair,
    ramp,
    trait,
)
from plans import DEATH, DYE, NAMES, SWITCHED, all_on, made_up, switched_off

# --- off means off --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("mechanism", SWITCHED, ids=NAMES)
def test_switched_off_is_the_plan_without_the_file(mechanism):
    """All that share its table are off with it."""
    without = [one for one in MECHANISMS if one.TABLE != mechanism.TABLE]
    off = plan_of(switched_off(mechanism.TABLE))
    assert off == collect(all_on(), without, known=MECHANISMS)
    assert off != plan_of(all_on())


@pytest.mark.parametrize("mechanism", SWITCHED, ids=NAMES)
def test_a_mechanism_that_is_off_has_nothing_in_the_plan(mechanism):
    config = switched_off(mechanism.TABLE)
    plan, its = plan_of(config), list(mechanism.plan(config))
    names = {one.name for one in its if hasattr(one, "name")}
    assert not enabled(config, mechanism)
    assert not names & {one.name for one in (*plan.rates, *plan.fields, *plan.traits, *plan.columns)}
    assert not [factor for factor in plan.factors if factor in its]


@pytest.mark.parametrize("deep", [False, True])
def test_a_copy_of_a_config_with_other_values_has_a_plan_of_its_own(deep):
    config = default()
    assert plan_of(config).field("oxygen") and plan_of(config) is plan_of(config)
    off = config.model_copy(update={"oxygen": config.oxygen.model_copy(update={"enabled": False})}, deep=deep)
    assert plan_of(off).field("oxygen") is None
    assert plan_of(config).field("oxygen")


def test_without_oxygen_cells_divide_freely_and_none_is_necrotic():
    plan = plan_of(switched_off("oxygen"))
    assert plan.field("oxygen") is None and not [f for f in plan.factors if getattr(f, "signal", "") == "oxygen"]
    assert plan.number("tissue.divide") == plan_of(all_on()).number("tissue.divide")
    assert plan.number("tissue.necrosis") == 0.0


def test_without_crowding_there_is_no_pressure_to_stop_division():
    plan = plan_of(switched_off("crowding"))
    assert [factor.text for factor in plan.factors_of("tissue.divide")] == [
        "oxygen / (oxygen + growth.oxygen_half)", "(1 - (1 - growth.motile) * emt)",
        "(1 + (cxcl1.growth - 1) * cxcl1)", "(0 if NORMAL)"]
    assert plan.number("tissue.hop") == 0.0


def test_the_mean_of_a_field_that_is_off_is_no_column():
    own = made_up(mean_over_cells("mine", "mmHg", "", "oxygen"))
    assert "mine" in {one.name for one in collect(all_on(), (*MECHANISMS, own)).columns}
    assert "mine" not in {one.name for one in collect(switched_off("oxygen"), (*MECHANISMS, own)).columns}


def test_a_factor_on_a_rate_that_is_off_is_gone_too():
    plan = plan_of(switched_off("growth"))
    assert plan.rate("tissue.divide") is None and not plan.factors_of("tissue.divide")
    assert plan.field("pressure")       # it pushes all the same


# --- a mechanism from outside ---------------------------------------------------------------------------------

def test_the_coefficients_of_a_field_may_be_plain_numbers():
    plain = Diffusing("dye", "uM", diffusion=1, vessel=1.0, wall=1, start=0)
    assert plain == DYE and plain.text == "d dye / dt = 1 * laplacian(dye) + exchange * (1 - dye)"


def test_factors_of_others_come_in_the_order_of_the_list():
    plan = collect(default(), (*MECHANISMS, made_up(DYE, fall("tissue.divide", "dye", half=2, power=4), DEATH,
                                                    hill(DEATH, "dye", half=1))))
    assert [factor.text for factor in plan.factors_of("tissue.divide")][-1] == "2^4 / (dye^4 + 2^4)"
    assert [field.name for field in plan.fields] == ["oxygen", "pressure", "dye"]
    assert plan.rates[-1] is DEATH


def test_what_sheds_may_have_a_wall_of_its_own_where_nothing_else_does():
    own = made_up(Rate("tissue.own", 1, action=SHED), at_wall("tissue.own", 20, 0.3))
    assert wall_of(collect(switched_off("intravasation"), (*MECHANISMS, own))) == (20.0, 0.3)


def test_a_bit_keeps_its_mask_when_another_is_off():
    one = made_up(Bit("first"), table="growth", name="one")
    two = made_up(Bit("second"), Rate("tissue.off", 1, action=CLEAR, detail="second"), name="two")
    both = (*MECHANISMS, one, two)
    masks = dict(collect(default(), both).bits)
    assert masks["second"] == 2 * masks["first"]
    assert collect(switched_off("growth"), both).bits[-1] == ("second", masks["second"])


def test_what_no_cell_can_have_is_no_factor():
    owner = made_up(Bit("marked"), Trait("toughness"), table="growth", name="owner")
    user = made_up(bit("tissue.apoptosis", "marked", 0.5), bit("tissue.necrosis", "marked", 0.5),
                   trait("tissue.necrosis", "toughness", lambda r: 1 - r, "1 - toughness"), name="user")
    plan = collect(switched_off("growth"), (*MECHANISMS, owner, user))
    assert [type(factor) for factor in plan.factors_of("tissue.necrosis")] == [Shape]


def test_a_constant_factor_and_a_scale_multiply_the_base():
    plan = collect(default(), (*MECHANISMS, made_up(constant("tissue.apoptosis", 3))))
    mu = default().growth.death_per_h
    assert plan.number("tissue.apoptosis") == 3 * mu
    assert plan.number("tissue.apoptosis", {"tissue.apoptosis": 0.5, "tissue.divide": 7}) == 1.5 * mu
    assert plan.number("tissue.nothing", default=7.0) == 7.0


def test_switches_by_a_number_have_masks_and_no_scale():
    plan = collect(default(), (*MECHANISMS, made_up(
        Bit("a"), Bit("b"), Rate("blood.b", 9, unit="h", action=CLEAR, detail="b"),
        Rate("blood.a", 2, unit="h", action=SET, detail="a"), Rate("lesion.a", 50, unit="cells", action=CLEAR, detail="a"))))
    masks = dict(plan.bits)
    assert switches(plan, "blood") == [(2.0, masks["a"], 0), (9.0, 0, masks["b"])]
    assert switches(plan, "lesion") == [(50.0, 0, masks["a"])]
    assert not {"blood.a", "blood.b", "lesion.a"} & set(plan.names)


def test_what_may_be_scaled_is_every_rate_and_some_coefficients_of_fields():
    plan = plan_of(default())
    assert {rate.name for rate in plan.rates if not is_switch(rate) and rate.name not in FIXED} < set(plan.names)
    assert not {"blood.nucleus", "blood.stretch", "blood.burst_cells"} & set(plan.names)
    of_oxygen = [name for name in plan.names if name.startswith("oxygen.")]
    assert of_oxygen == ["oxygen.vessel", "oxygen.uptake", "oxygen.decay"]
    assert plan.coefficient("oxygen.vessel", {"oxygen.vessel": 0.5}) == 20.0
    assert plan.coefficient("dye.vessel") == 0.0


# --- shapes -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("shape, s, expected", [
    (hill("r", "x", 2.0), 6.0, 0.75), (hill("r", "x", 2.0, power=2), 6.0, 0.9),
    (hill("r", "x", 1.0, power=4), 2.0, 16 / 17),
    (fall("r", "x", 2.0), 6.0, 0.25), (ramp("r", "x", zero=5, full=2.5), 3.0, 0.8),
    (ramp("r", "x", zero=0.25, full=0), 0.1, 0.6),
    (ramp("r", "x", zero=5, full=2.5), math.inf, 0.0), (hill("r", "x", 2.0), math.inf, 1.0),
    (fall("r", "x", 2.0), math.inf, 0.0), (boost("r", "x", 2.0, 4.0), 6.0, 4.0), (boost("r", "x", 2.0, 4.0), 0.0, 1.0)])
def test_shapes(shape, s, expected):
    assert shape.at(s) == pytest.approx(expected)


def test_every_rate_says_what_it_is():
    assert [rate.name for rate in plan_of(default()).rates if not rate.doc] == []


def test_only_what_sheds_is_at_a_wall():
    assert [rate.name for rate in plan_of(default()).rates if rate.action == SHED] == ["tissue.intravasate"]


@pytest.mark.parametrize("mechanism", MECHANISMS, ids=lambda one: one.__name__.rpartition(".")[2])
def test_the_text_of_a_mechanism_names_rates_that_there_are(mechanism):
    named = re.findall(r"\b(?:tissue|blood|lesion)\.[a-z_0-9]+", mechanism.__doc__)
    assert set(named) <= {rate.name for rate in plan_of(all_on()).rates}


def test_a_pair_on_a_field_without_limit_has_the_last_of_its_factors():
    """Where oxygen is off cells feel no limit of it."""
    own = made_up(Trait("wild"), Rate("tissue.speed", 15.0, unit="um/h"), pair(
        "tissue.speed", "wild", "oxygen", lambda level, oxygen: level * oxygen, "wild * oxygen", full=60.0))
    oxygen = made_up(Diffusing("oxygen", "mmHg", diffusion=1.0, start=40.0, absent=math.inf), table="oxygen", name="air")
    plan = collect(switched_off("oxygen"), [own, oxygen])
    assert plan.factors_of("tissue.speed")[0].values == tuple(i / 255 * 60.0 for i in range(256))
