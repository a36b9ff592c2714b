"""How cells may move, by the config: shares of the motion, and speeds too small to be told from none."""
import numpy as np
import pytest

from metacascade.base.errors import InputError, RunError
from metacascade.config.config import load
from metacascade.mechanisms import plan_of
from metacascade.model.kernelerrors import crowded
from metacascade.model.motion import speed_factors, speeds

GUIDED = {"tumor": {}, "haptotaxis": {"enabled": True, "bias": 0.4}, "chemotaxis": {"enabled": True, "bias": 0.3},
          "matrix": {"enabled": True}, "macrophages": {"enabled": True}}


def test_shares_of_the_motion_that_are_directed_are_no_more_than_all_of_it():
    assert load(GUIDED, ["migration.bias=0.3"])
    with pytest.raises(InputError, match="migration.bias = 0.4: .* add up to 1.1 and may be 1 at most"):
        load(GUIDED, ["migration.bias=0.4"])
    assert load(GUIDED, ["migration.bias=0.8", "haptotaxis.enabled=false", "chemotaxis.enabled=false"])


def test_a_therapy_counts_among_the_shares():
    therapy = {"rate": "tissue.haptotaxis", "factor": 2.0, "start": "1 day"}
    with pytest.raises(InputError, match="add up to 1.4 .*tissue.haptotaxis 0.8"):
        load(GUIDED | {"therapy": [therapy]})


SLOW = {"enabled": True, "fold": 100, "founder": 1, "mutation": 0.01}


@pytest.mark.parametrize("told, tables", [
    (False, {"invasiveness": SLOW}),
    (False, {"invasiveness": SLOW | {"mutation": 0}, "detachment": {"enabled": True, "state": 20}}),
    (True, {"invasiveness": SLOW, "detachment": {"enabled": True, "state": 20}}),
    (True, {"invasiveness": SLOW, "matrix": {"enabled": True}, "integrins": {"enabled": True}})])
def test_of_motile_cells_that_stand_still_by_rounding_check_tells(told, tables):
    """The slowest clone has 0.01 of the speed; of that a cell that came loose has 20/255, one of few integrins 0.1."""
    config = load({"tumor": {}} | tables)
    plan, clones = plan_of(config), {"": np.zeros(1, np.uint8)}
    for trait in plan.traits:
        clones[trait.name] = np.array([0 if trait.mutation.number else 255], np.uint8)
    emt, by_clone = int(speeds(plan)[20 if "detachment" in tables else 255]), speed_factors(plan, clones)[1]
    assert told == (emt * 256 * int(by_clone.min()) + 32768 >> 16 == 0)
    assert told == any("they stand still" in line for line in config.warnings)


def test_where_cells_gather_too_fast_all_that_drives_them_is_named():
    with pytest.raises(RunError, match="migration.speed.* migration.bias, haptotaxis.bias, chemotaxis.bias"), crowded():
        raise OverflowError("a voxel is full")
