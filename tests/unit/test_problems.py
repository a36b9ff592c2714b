"""What does not fit together is refused with its name: rates, factors, fields, columns, and all together."""
import math
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from metacascade._kernels import _layout
from metacascade._kernels._outline import FAR
from metacascade.base import limits
from metacascade.base.columns import PASSED, cells, mean_over_cells
from metacascade.base.errors import InputError
from metacascade.config.config import default, load
from metacascade.mechanisms import MECHANISMS, plan_of
from metacascade.mechanisms.fields import Pressure
from metacascade.mechanisms.plan import collect
from metacascade.mechanisms.problems import TAKEN_BY_OTHERS
from metacascade.mechanisms.terms import (
    ADMIT,
    CLEAR,
    LOSE,
    RAISE,
    REMOVE,
    SECRETE,
    SET,
    SHED,
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
    gradient,
    hill,
    pair,
    python_factor,
    ramp,
    rise,
    shielded,
    state,
    trait,
    value,
)
from metacascade.model.simulation import Simulation
from metacascade.ranks.parallel import serial_world
from metacascade.space.vessels import SEGMENT, Network, voxelize
from plans import DEATH, DYE, all_on, made_up, switched_off

MARK, WILD = Bit("mark"), Trait("wild")


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
    ([Rate("divide", 1)], "the rate divide belongs to none of tissue, lumped, blood, lesion"),
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
    ([state("tissue.hop", "adhesion", lambda a: a, "adhesion")], "depends on adhesion, which is not looked at"),
    ([gradient("tissue.bias", "oxygen", 1)], "there are 2 factors on tissue.bias of which there may be one"),
    ([gradient("tissue.hop", "oxygen", 1)], "depends on gradient, which is not looked at there"),
    ([gradient("tissue.bias", "oxygen", 0)], "has the half 0 = 0: it must be above 0"),
    ([gradient("tissue.bias", "density", 1)], "tissue.bias: field 'density', which nothing declares"),
    ([rise("tissue.confinement", name) for name in ("oxygen", "pressure")],
     "there are 2 factors on tissue.confinement of which there may be one: oxygen_rise; pressure_rise"),
    ([rise("tissue.hop", "oxygen")], "depends on rise, which is not looked at there"),
    ([replace(DYE, coarse=4), rise("tissue.confinement", "dye")],
     "tissue.confinement: the factor dye_rise needs a field with a value in each voxel, and dye has coarse = 4"),
    ([WILD, pair("tissue.divide", "wild", "oxygen", lambda x, s: x, "wild")], "depends on trait and voxel"),
    ([WILD, pair("tissue.speed", "wild", "oxygen", lambda x, s: x, "wild", full=0.0)], "to a number above 0"),
    ([WILD, pair("tissue.speed", "emt", "oxygen", lambda x, s: x, "emt")], "trait 'emt', which nothing declares"),
    ([WILD, *(pair("tissue.speed", "wild", "oxygen", lambda x, s: x, text) for text in ("wild", "mild"))],
     "there are 2 factors on tissue.speed of which there may be one: wild; mild"),
    ([Rate("tissue.x", 1, action=RAISE, detail=9, byte="bits")], "must be a step from 1 to 255 of emt or adhesion"),
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
    ([hill("tissue.divide", "oxygen", 1e-50)], "has the half 1e-50 = 1e-50: it must be above 0, and a number in single"),
    ([fall("tissue.divide", "oxygen", 1e40)], "has the half 1e+40 = 1e+40: it must be above 0, and a number in single"),
    ([at("blood.nk", {"lungs": 3}, "3")], "blood.nk: node 'lungs', which nothing declares (did you mean 'lung'?)"),
    ([at("blood.nk", {"lung": -3}, "-3")], "the factor -3 is negative or not finite"),
    ([at("blood.nk", {"lung": 3}, "3", other=math.inf)], "the factor 3 is negative or not finite"),
    ([Rate("tissue.own", 1, action=SHED), at_wall("tissue.own", 10, 2)], "has 2 for mature vessels: it must be 0 to 1"),
    ([mean_over_cells("mine", "mmHg", "", "oxigen")],
     "the column mine: field 'oxigen', which nothing declares (did you mean 'oxygen'?)"),
    ([mean_over_cells("mine", "mmHg", "", "oxygen", resolution=0)], "the column mine has the resolution 0"),
    ([cells("apoptosis", PASSED, "")], "the column apoptosis is counted by nobody"),
    ([cells("apoptosis", PASSED, "")], "the column apoptosis has the name of a cause of death"),
    ([cells("oxygen_mean", PASSED, "")], "the name oxygen_mean is declared twice"),
    ([replace(DYE, coarse=5)], "the field dye has coarse = 5: values along an edge of a tile are 8, 4, 2"),
    ([replace(DYE, sweeps=0)], "the field dye has sweeps = 0: it must be a whole number, 1 or more"),
    ([replace(DYE, every=0)], "has every = 0: it must be a whole number, 1 or more"),
    ([replace(DYE, every=1.5)], "has every = 1.5: it must be a whole number"),
    ([replace(DYE, start_sweeps=-1)], "has start_sweeps = -1: it must be a whole number, 0 or more"),
    ([replace(DYE, diffusion=-1)], "has diffusion = -1: it must be 0 or more, and finite"),
    ([replace(DYE, decay=-1)], "has decay = -1: it must be 0 or more, and finite"),
    ([replace(DYE, vessel=math.nan)], "has vessel = nan: it must be 0 or more, and finite"),
    ([replace(DYE, absent=math.nan)], "has absent = nan"),
    ([replace(DYE, diffusion=0)], "the field dye has walls of vessels that let it through, wall = 1, and no diffusion"),
    *(([replace(DYE, name=name)], f"the field {name} needs another name: none of counts, cells, coords, zone")
      for name in ("counts", "cells", "coords", "zone", "density", "emt", "bits", "tissue", "blood", "vessel")),
    ([WILD, DYE, Rate("field.dye.source", 1, unit="uM/h", action=SECRETE),
      pair("field.dye.source", "wild", "oxygen", lambda x, s: x, "wild")], "the factor wild is not possible in field"),
    ([Trait("mild", partner="wilder")], "the partner of the trait mild: trait 'wilder', which nothing declares"),
    ([Trait("mild", partner="mild")], "the partner of the trait mild: trait 'mild', which nothing declares"),
    ([WILD, Trait("mild", partner="wild"), Trait("meek", partner="wild")],
     "the trait wild changes together with more than one other"),
    ([replace(WILD, partner="mild"), Trait("mild", partner="wild")], "the trait mild changes together with more than one"),
    ([Trait("bits")], "the name 'bits': it must be a letter, then letters, digits and _, and none of clone"),
    ([replace(DYE, name="a/b")], "the name 'a/b': it must be a letter, then letters, digits and _"),
    ([Rate("field.dye.source", 1, unit="uM/h", action=SECRETE)],
     "field.dye.source: field 'dye', which nothing declares"),
    ([DYE, *(Rate(f"field.dye.{name}", 1, unit="uM/h", action=SECRETE) for name in "ab")],
     "the rate field.dye.a: of a field one rate may secrete, and there are 2"),
    ([replace(DYE, wall=None), Rate("field.dye.inflow", 1, unit="", action=ADMIT)],
     "the rate field.dye.inflow: the field dye has no wall of vessels that could admit it"),
    ([DYE, Rate("field.dye.loss", 1, action=REMOVE)], "in field there are secrete, add, lose, admit"),
    ([DYE, Rate("field.dye.loss", 1, unit="uM/h", action=LOSE)], "field.dye.loss is 1 uM/h: it must be 0 or more, in 1/h"),
    ([DYE, Rate("field.dye", 1, action=LOSE)], "the name 'field.dye': it must be a letter"),
    ([DYE, Rate("tissue.x", 1, action=LOSE)], "in tissue there are divide, remove"),
    ([DYE, Rate("field.dye.loss", 1, action=LOSE), state("field.dye.loss", "emt", lambda e: e, "emt")],
     "field.dye.loss: the factor emt depends on emt, which is not looked at there"),
    ([DYE, Rate("field.dye.source", 1, unit="uM/h", action=SECRETE),
      state("field.dye.source", "emt", lambda e: 2 * e, "2 emt")], "is a share of what a cell may secrete: 0 to 1"),
    ([Rate(3, 1)], "the name 3: it must be a letter"), ([constant(3, 1)], "a factor: rate 3, which nothing declares"),
    ([Bit(3)], "the name 3: it must be a letter"),
    ([Shape("tissue.divide", "step", "oxygen", value("1", 1))], "is step of power 1: there are hill and fall of power"),
    ([Table("tissue.divide", "emt", (1, 2), "two")], "the factor two has 2 values: one for each byte, 256"),
    ([Pressure("squeeze", mobility=1, relaxation=0, smoothing=30)], "the field squeeze has relaxation = 0"),
    ([replace(DYE, name=f"dye{i}") for i in range(16)], "there are 17 fields that come out of vessels, more than 16"),
    ([Rate(f"tissue.x{i}", 1, action=REMOVE) for i in range(64)],
     "there are 68 rates with an action in tissue, more than 64"),
    ([python_factor("tissue.divide", len, (), f"f{i}") for i in range(63)],
     "there are 65 fields and factors in Python, more than 64"),
    ([Rate("tissue.own", 1, action=SHED)], "the rate tissue.own sheds: it needs one factor at_wall, and has none"),
    ([at_wall("tissue.intravasate", 10, 0.1)], "the rate tissue.intravasate sheds: it needs one factor at_wall, and has 2"),
    ([Rate("tissue.own", 1, action=SHED), at_wall("tissue.own", 20, 0.1)],
     "need the same reach and passage of mature vessels, as the lists of vessels: tissue.intravasate 10 um and 0.02; "
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


def test_what_is_no_number_is_refused_where_it_is_made():
    with pytest.raises(ValueError, match="could not convert string to float: 'y'"):
        Rate("tissue.x", "y")


def test_also_a_mechanism_that_is_off_is_checked():
    with pytest.raises(InputError, match="rate 'tissue.dvide'"):
        collect(switched_off("growth"), (*MECHANISMS, made_up(hill("tissue.dvide", "oxygen", 5), table="growth")))


@pytest.mark.parametrize("wrong", [
    lambda: hill("tissue.divide", "oxygen", 5, power=3), lambda: ramp("tissue.divide", "oxygen", zero=1, full=1),
    lambda: Shape("tissue.divide", "ramp", "oxygen", value("1", 1), value("one", 1)),
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


def test_what_is_kept_of_a_tile_beside_its_fields_is_no_name_of_a_field():
    """The arrays of a simulation with everything on, what a tile takes along, and what a snapshot has of voxels."""
    config = all_on(tumor={"cells": 10})
    arrays, fields = Simulation(config, serial_world()).tissue.arrays, {one.name for one in plan_of(config).fields}
    assert {*arrays.record().names} - fields == {"counts", "coords", "zone"} <= {*TAKEN_BY_OTHERS, "cells"}


def test_limits_are_those_of_the_kernels():
    assert (limits.MOST_RATES, limits.MOST_SIGNALS) == (_layout.MOST_RATES, _layout.MOST_SIGNALS)
    assert limits.FARTHEST == math.isqrt(FAR)
    for walls in (limits.MOST_SUPPLIED, limits.MOST_SUPPLIED + 1):
        with nullcontext() if walls == limits.MOST_SUPPLIED else pytest.raises(ValueError, match="at most 16"):
            voxelize([[0, 0, 0]], 30.0, Network.from_segments(np.empty(0, SEGMENT)), 1.0, [(1.0, 1.0)] * walls)
