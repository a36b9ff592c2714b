"""The plan of a config: what is off is not in it, what nothing declares is refused, each text says its number."""
import ast
import math
import operator
from types import SimpleNamespace

import pytest

from metacascade.base.columns import PASSED, cells, mean_over_cells
from metacascade.base.errors import InputError
from metacascade.config.config import Config, default, load
from metacascade.mechanisms import MECHANISMS, plan_of
from metacascade.mechanisms.compile import switches, wall_of
from metacascade.mechanisms.fields import Diffusing
from metacascade.mechanisms.plan import collect, enabled
from metacascade.mechanisms.problems import is_switch
from metacascade.mechanisms.terms import (
    CLEAR,
    RAISE,
    REMOVE,
    SET,
    SHED,
    At,
    Bit,
    Rate,
    Shape,
    Table,
    Trait,
    at,
    at_wall,
    bit,
    constant,
    fall,
    hill,
    ramp,
    shielded,
    state,
    trait,
    value,
)

SWITCHED = [one for one in MECHANISMS if one.TABLE]
NAMES = [one.__name__.rpartition(".")[2] for one in SWITCHED]


def all_on(**tables):
    """A config in which every mechanism is on, but for what `tables` say."""
    return Config.from_dict({"tumor": {}} | {one.TABLE: {"enabled": True} for one in SWITCHED} | tables)


def switched_off(table):
    return all_on(**{table: {"enabled": False}})


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


def test_without_oxygen_cells_divide_freely_and_none_is_necrotic():
    plan = plan_of(switched_off("oxygen"))
    assert plan.field("oxygen") is None and not [f for f in plan.factors if getattr(f, "signal", "") == "oxygen"]
    assert plan.number("tissue.divide") == plan_of(all_on()).number("tissue.divide")
    assert plan.number("tissue.necrosis") == 0.0


def test_without_crowding_there_is_no_pressure_to_stop_division():
    plan = plan_of(switched_off("crowding"))
    assert [factor.signal for factor in plan.factors_of("tissue.divide")] == ["oxygen"]
    assert plan.number("tissue.hop") == 0.0


def test_the_mean_of_a_field_that_is_off_is_no_column():
    own = made_up(mean_over_cells("mine", "mmHg", "", "oxygen"))
    assert "mine" in {one.name for one in collect(all_on(), (*MECHANISMS, own)).columns}
    assert "mine" not in {one.name for one in collect(switched_off("oxygen"), (*MECHANISMS, own)).columns}


def test_a_factor_on_a_rate_that_is_off_is_gone_too():
    plan = plan_of(switched_off("growth"))
    assert plan.rate("tissue.divide") is None and not plan.factors_of("tissue.divide")
    assert plan.field("pressure")       # it pushes all the same


# --- what does not fit together is refused --------------------------------------------------------------------

def made_up(*declarations, table=None, name="made_up"):
    return SimpleNamespace(TABLE=table, plan=lambda config: iter(declarations), __name__=f"package.{name}")


MARK = Bit("mark")
DEATH = Rate("tissue.macrophages", 0.1, action=REMOVE)
DYE = Diffusing("dye", "uM", diffusion=value("1", 1), vessel=value("1", 1), wall=value("1", 1), start=value("0", 0))


@pytest.mark.parametrize("declarations, message", [
    ([hill("tissue.dvide", "oxygen", 5)],
     "mechanism made_up: a factor: rate 'tissue.dvide', which nothing declares (did you mean 'tissue.divide'?)"),
    ([hill("tissue.divide", "oxigen", 5)],
     "mechanism made_up: tissue.divide: field 'oxigen', which nothing declares (did you mean 'oxygen'?)"),
    ([trait("tissue.divide", "toughness", lambda r: 1 - r, "1 - toughness")],
     "trait 'toughness', which nothing declares"),
    ([bit("tissue.divide", "marked", 0.5)], "tissue.divide: bit 'marked', which nothing declares"),
    ([Rate("tissue.mark", 1, action=SET, detail="marked")], "tissue.mark: bit 'marked', which nothing declares"),
    ([Rate("tissue.up", 1, action=RAISE)], "changes emt by None"),
    ([Rate("tissue.divide", 1)], "the name tissue.divide is declared twice"),
    ([DEATH, DEATH], "the name tissue.macrophages is declared twice"),
    ([Trait("oxygen")], "the name oxygen is declared twice"),
    ([Rate("tissue.speeed", 1)], "the rate tissue.speeed does nothing: it has no action, and no kernel reads it"),
    ([Rate("blood.macrophages", 1)], "the rate blood.macrophages does nothing"),
    ([Rate("divide", 1)], "the rate divide belongs to none of tissue, blood, lesion"),
    ([Rate("blood.macrophages", 1, action=REMOVE)],
     "the rate blood.macrophages has the action 'remove'; in blood there are set, clear"),
    ([Rate("tissue.x", 1, action="explode")], "has the action 'explode'"),
    ([MARK, Rate("blood.mark", 1, action=SET, detail="mark")], "the rate blood.mark is 1 1/h: it must be 0 or more, in h"),
    ([MARK, Rate("lesion.mark", -1, unit="cells", action=CLEAR, detail="mark")], "it must be 0 or more, in cells"),
    ([Rate("blood.mark", 1, unit="h", action=SET, detail="mrk")], "blood.mark: bit 'mrk', which nothing declares"),
    ([MARK, Rate("blood.mark", 1, unit="h", action=SET, detail="mark"), constant("blood.mark", 2)],
     "blood.mark: the factor 2 on what switches a bit by a number"),
    ([MARK, *(Rate(f"blood.mark{i}", i, unit="h", action=SET, detail="mark") for i in range(2))],
     "the rate blood.mark0 switches the bit mark, which another does in the blood"),
    ([Rate("tissue.x", -1, action=REMOVE)], "the rate tissue.x is -1 1/h: it must be 0 or more, in 1/h"),
    ([hill("blood.nk", "oxygen", 5)], "blood.nk: the factor oxygen / (oxygen + 5) is not possible in blood"),
    ([at("tissue.divide", {"lung": 1}, "x")], "is not possible in tissue"),
    ([shielded("lesion.wake", 0.5)], "is not possible in lesion"),
    ([state("tissue.speed", "adhesion", lambda a: a, "adhesion")], "depends on adhesion, which is not looked at"),
    ([hill("tissue.speed", "oxygen", 5)], "depends on voxel, which is not looked at there"),
    ([shielded("blood.release", 0.5)], "blood.release: the factor (1 - 0.5 * coat) depends on coat"),
    ([at("blood.coat_time", {"lung": 2}, "2")], "blood.coat_time: the factor 2 depends on place"),
    ([at_wall("tissue.divide", 10, 0.1)], "only a rate with the action shed is gated by the wall"),
    ([state("tissue.divide", "emt", lambda e: -e, "-emt")], "the factor -emt is negative or not finite"),
    ([constant("tissue.divide", -1)], "tissue.divide: the factor -1 is negative or not finite"),
    ([constant("tissue.divide", math.nan)], "the factor nan is negative or not finite"),
    ([MARK, bit("tissue.divide", "mark", -0.5)], "the factor (-0.5 if mark) is negative or not finite"),
    ([shielded("blood.nk", 2)], "blood.nk: the factor (1 - 2 * coat) has the share 2: it must be 0 to 1"),
    ([hill("tissue.divide", "oxygen", 0)], "has the half 0 = 0: it must be above 0"),
    ([fall("tissue.divide", "oxygen", math.inf)], "is negative or not finite"),
    ([ramp("tissue.divide", "oxygen", zero=-1, full=1)], "is negative or not finite"),
    ([Shape("tissue.divide", "ramp", "oxygen", value("1", 1), value("one", 1))], "is 0 at 1 and 1 at one, which are the"),
    ([at("blood.nk", {"lungs": 3}, "3")], "blood.nk: node 'lungs', which nothing declares (did you mean 'lung'?)"),
    ([at("blood.nk", {"lung": -3}, "-3")], "the factor -3 is negative or not finite"),
    ([at("blood.nk", {"lung": 3}, "3", other=math.inf)], "the factor 3 is negative or not finite"),
    ([Rate("tissue.own", 1, action=SHED), at_wall("tissue.own", 10, 2)], "has 2 for mature vessels: it must be 0 to 1"),
    ([mean_over_cells("mine", "mmHg", "", "oxigen")],
     "the column mine: field 'oxigen', which nothing declares (did you mean 'oxygen'?)"),
    ([mean_over_cells("mine", "mmHg", "", "oxygen", resolution=0)], "the column mine has the resolution 0"),
    ([cells("apoptosis", PASSED, "")], "the column apoptosis has the name of a cause of death"),
    ([cells("oxygen_mean", PASSED, "")], "the name oxygen_mean is declared twice"),
    ([Rate("tissue.own", 1, action=SHED)], "the rate tissue.own sheds: it needs one factor at_wall, and has none"),
    ([at_wall("tissue.intravasate", 10, 0.1)], "the rate tissue.intravasate sheds: it needs one factor at_wall, and has 2"),
    ([Rate("tissue.own", 1, action=SHED), at_wall("tissue.own", 20, 0.1)],
     "need the same reach and passage of mature vessels, as the lists of vessels: tissue.intravasate 10 um and 0.1; "
     "tissue.own 20 um and 0.1"),
    ([Bit(f"b{i}") for i in range(9)], "more than 8 bits")])
def test_what_does_not_fit_is_refused_with_its_name(declarations, message):
    with pytest.raises(InputError) as error:
        collect(default(), (*MECHANISMS, made_up(*declarations)))
    assert message in str(error.value)


@pytest.mark.parametrize("name, action", [("blood.nk", None), ("tissue.x", REMOVE), ("bone.x", REMOVE)])
def test_a_negative_hazard_is_told_once(name, action):
    with pytest.raises(InputError) as error:
        collect(default(), (*MECHANISMS, made_up(Rate(name, -1, action=action))))
    assert str(error.value).count(" is -1") == 1


def test_also_a_mechanism_that_is_off_is_checked():
    with pytest.raises(InputError, match="rate 'tissue.dvide'"):
        collect(switched_off("growth"), (*MECHANISMS, made_up(hill("tissue.dvide", "oxygen", 5), table="growth")))


@pytest.mark.parametrize("wrong", [
    lambda: hill("tissue.divide", "oxygen", 5, power=3), lambda: ramp("tissue.divide", "oxygen", zero=1, full=1),
    lambda: state("tissue.divide", "bits", lambda b: b, "b")])
def test_a_factor_that_cannot_be_is_refused_where_it_is_made(wrong):
    with pytest.raises(ValueError):
        wrong()
    with pytest.raises(InputError, match="mechanism made_up: "):
        collect(default(), (*MECHANISMS, SimpleNamespace(
            TABLE=None, plan=lambda config: (wrong() for _ in range(1)), __name__="made_up")))


def test_check_tells_what_does_not_fit(monkeypatch, tmp_path):
    import metacascade.mechanisms as mechanisms
    monkeypatch.setattr(mechanisms, "MECHANISMS", (*MECHANISMS, made_up(hill("tissue.dvide", "oxygen", 5))))
    (tmp_path / "run.toml").write_text("[tumor]\n")
    with pytest.raises(InputError, match="rate 'tissue.dvide', which nothing declares"):
        load(tmp_path / "run.toml")


# --- a mechanism from outside ---------------------------------------------------------------------------------

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
    assert {rate.name for rate in plan.rates if not is_switch(rate)} < set(plan.names)
    of_oxygen = [name for name in plan.names if name.startswith("oxygen.")]
    assert of_oxygen == ["oxygen.vessel", "oxygen.uptake", "oxygen.decay"]
    assert plan.coefficient("oxygen.vessel", {"oxygen.vessel": 0.5}) == 20.0
    assert plan.coefficient("dye.vessel") == 0.0


# --- the texts are the numbers ----------------------------------------------------------------------------------

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


@pytest.mark.parametrize("shape, s, expected", [
    (hill("r", "x", 2.0), 6.0, 0.75), (hill("r", "x", 2.0, power=2), 6.0, 0.9),
    (hill("r", "x", 1.0, power=4), 2.0, 16 / 17),
    (fall("r", "x", 2.0), 6.0, 0.25), (ramp("r", "x", zero=5, full=2.5), 3.0, 0.8),
    (ramp("r", "x", zero=0.25, full=0), 0.1, 0.6),
    (ramp("r", "x", zero=5, full=2.5), math.inf, 0.0), (hill("r", "x", 2.0), math.inf, 1.0),
    (fall("r", "x", 2.0), math.inf, 0.0)])
def test_shapes(shape, s, expected):
    assert shape.at(s) == pytest.approx(expected)


def test_every_rate_says_what_it_is():
    assert [rate.name for rate in plan_of(default()).rates if not rate.doc] == []


def test_only_what_sheds_is_at_a_wall():
    assert [rate.name for rate in plan_of(default()).rates if rate.action == SHED] == ["tissue.intravasate"]
