"""How far vessels that grow reach must be less than a tile: what does not fit is refused before anything runs."""
import pytest

import small
from metacascade.base.errors import InputError
from metacascade.config.config import load
from metacascade.config.sprouting import largest_um
from metacascade.mechanisms import plan_of
from metacascade.run import inputs

ON = ["angiogenesis.enabled=true", "vegf.enabled=true"]
SMALL = ["tissue.voxel=10 um", "migration.speed=2 um/h"]


def therapy(rate, factor):
    return f'therapy=[{{rate = "{rate}", factor = {factor}, start = "1 day"}}]'


@pytest.mark.parametrize("settings, key, others", [
    (["angiogenesis.radius=90 um"], "radius", "245 um in radius"),
    (["angiogenesis.radius_spread=2"], "radius", "273 um in radius"),
    (["angiogenesis.radius=100 um", *SMALL], "radius", "tile of 8 voxels of 10 um"),
    (["angiogenesis.speed=450 um/day"], "speed", "225 um in a step"),
    (["vessels.interval=30 h"], "speed", "250 um in a step"),
    (["angiogenesis.reach=60 um", *SMALL], "reach", "from 60 um"),
    ([therapy("vessel.advance", 5)], "speed", "250 um in a step"),
    ([therapy("vessel.radius", 20)], "radius", "272 um in radius"),
    ([therapy("vessel.radius_spread", 1e5)], "radius", "in radius"),
    ([therapy("vessel.reach", 30)], "reach", "from 300 um")])
def test_what_reaches_beyond_the_next_tile_is_refused(settings, key, others):
    with pytest.raises(InputError, match=rf"angiogenesis\.{key}.*(\n.*)?{others}"):
        load(small.EXAMPLE, [*ON, *settings])


def test_a_therapy_may_not_take_the_radius_of_vessels_away():
    with pytest.raises(InputError, match=r"therapy\[0\].factor.*no vessel without a radius"):
        load(small.EXAMPLE, [*ON, therapy("vessel.radius", 0)])


@pytest.mark.parametrize("settings", [[], SMALL])
def test_the_defaults_fit(settings):
    config = load(small.EXAMPLE, [*ON, *settings])
    found = largest_um(config, plan_of(config))
    assert found["speed"] == pytest.approx(50) and found["reach"] == 10 and 13 < found["radius"] < 14


def test_what_does_not_grow_may_have_its_steps_far_apart():
    config = load(small.EXAMPLE, ["maturation.enabled=true", "vegf.enabled=true", "vessels.interval=2 day"])
    assert set(largest_um(config, plan_of(config)).values()) == {0.0}


@pytest.mark.parametrize("settings, words", [
    (["angiogenesis.enabled=true"], "radius of up to 43.* um, which cells or tips reach from 60 um"),
    (["maturation.enabled=true", "vessels.radius=30 um", "intravasation.reach=20 um"],
     "radius of up to .* um, which cells or tips reach from 20 um")])
def test_vessels_of_the_host_that_are_too_wide_are_refused_before_a_run(settings, words):
    with pytest.raises(InputError, match=words):
        inputs.of(load(small.EXAMPLE, ["vegf.enabled=true", *SMALL, *settings]))


@pytest.mark.parametrize("voxel, told", [(10, True), (18, True), (19, False)])
def test_that_distances_end_at_a_tile_is_told(voxel, told):
    config = load(small.EXAMPLE, [f"tissue.voxel={voxel} um", *SMALL[1:], "maturation.enabled=true", "vegf.enabled=true"])
    assert any(f"exact up to {8 * voxel} um" in line for line in inputs.of(config).warnings) == told
