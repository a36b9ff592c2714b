"""A tumor takes the same steps, to the last bit, on any number of ranks and wherever the curve is cut."""
import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.mpi
PROGRAM = Path(__file__).parent / "tissue_steps.py"


@pytest.fixture(scope="module")
def alone(mpirun):
    return {kind: json.loads(mpirun(1, PROGRAM, kind).stdout) for kind in ("patch", "tissue")}


@pytest.mark.parametrize("kind", ["patch", "tissue"])
@pytest.mark.parametrize("ranks", [2, 3, 4])
def test_same_bits_on_any_number_of_ranks(alone, mpirun, kind, ranks):
    got = json.loads(mpirun(ranks, PROGRAM, kind).stdout)
    assert len(got.pop("tiles")) == ranks
    one = {name: value for name, value in alone[kind].items() if name != "tiles"}
    differ = [name for name in one["hashes"].keys() | got["hashes"].keys()
              if one["hashes"].get(name) != got["hashes"].get(name)]
    assert not differ, f"{len(differ)} of {len(one['hashes'])} tiles and CTCs differ: {differ[:5]}"
    assert got == one


@pytest.mark.parametrize("kind", ["patch", "tissue"])
def test_the_runs_see_every_event(alone, kind):
    rare = {"cut", "mutated"} if kind == "patch" else {"cut", "switched", "mutated"}
    assert all(n > 5 for name, n in alone[kind]["tallies"].items() if name not in rare), alone[kind]["tallies"]
