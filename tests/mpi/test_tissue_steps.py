"""A tumor takes the same steps, to the last bit, on any number of ranks and wherever the curve is cut."""
import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.mpi
PROGRAM = Path(__file__).parent / "tissue_steps.py"
KINDS = ("patch", "tissue")


@pytest.fixture(scope="module")
def steps(mpirun):
    """``steps(ranks)``: by kind what was printed."""
    return lambda ranks: dict(zip(KINDS, map(json.loads, mpirun(ranks, PROGRAM, *KINDS).stdout.splitlines())))


@pytest.fixture(scope="module")
def alone(steps):
    return steps(1)


@pytest.fixture(scope="module", params=[2, 4, pytest.param(3, marks=pytest.mark.slow)], ids=lambda n: f"{n}_ranks")
def together(request, steps):
    return steps(request.param), request.param


@pytest.mark.parametrize("kind", KINDS)
def test_same_bits_on_any_number_of_ranks(alone, together, kind):
    found, ranks = together
    got = dict(found[kind])
    assert len(got.pop("tiles")) == ranks
    one = {name: value for name, value in alone[kind].items() if name != "tiles"}
    differ = [name for name in one["hashes"].keys() | got["hashes"].keys()
              if one["hashes"].get(name) != got["hashes"].get(name)]
    assert not differ, f"{len(differ)} of {len(one['hashes'])} tiles and CTCs differ: {differ[:5]}"
    assert got == one


@pytest.mark.parametrize("kind", KINDS)
def test_the_runs_see_every_event(alone, kind):
    rare = {"cut", "mutated"} if kind == "patch" else {"cut", "switched", "mutated"}
    assert all(n > 5 for name, n in alone[kind]["tallies"].items() if name not in rare), alone[kind]["tallies"]
