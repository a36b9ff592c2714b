"""A tumor in a measured network that is repeated: the same bits on any number of ranks, and without its file."""
import os

import pytest

import small

TREE = """x1,y1,z1,x2,y2,z2,radius
-20,40,30,90,60,50,5
90,60,50,210,20,90,6
90,60,50,120,170,130,4
30,90,100,60,120,20,3
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    """A box much smaller than a tile, of 240 um."""
    path = tmp_path_factory.mktemp("network") / "tree.csv"
    path.write_text(TREE)
    return small.settings(tumor__cells=5_000, run__duration="6 h", output__interval="3 h", output__checkpoint="3 h",
                          draw=[], therapy=[], surgery=[], radiation=[], vessels__file=str(path), vessels__tile=True)


@pytest.fixture(scope="module")
def alone(runs, settings):
    return runs(1, dict(settings=settings))[0]


def balanced(settings):
    return dict(settings=[*settings, *small.balancing(True)])


@pytest.fixture(scope="module")
def two(runs, settings):
    """On two ranks: a whole run, and one that is stopped."""
    return runs(2, balanced(settings), dict(settings=settings, stop_at=3))


@pytest.mark.parametrize("ranks", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_the_same_bits_on_any_number_of_ranks(runs, settings, alone, two, ranks):
    run = two[0] if ranks == 2 else runs(ranks, balanced(settings))[0]
    assert small.content(run["out"]) == small.content(alone["out"])
    assert small.last(alone["out"])["shed"] > 20


def test_resumed_it_needs_no_file(runs, settings, alone, two):
    [name] = [text.partition("=")[2].strip('"') for text in settings if text.startswith("vessels.file")]
    os.rename(name, f"{name}.gone")
    try:
        run, = runs(3, dict(out=two[1]["out"], resume=True))
    finally:
        os.rename(f"{name}.gone", name)
    assert run["code"] == 0
    assert small.content(run["out"], ordered=True) == small.content(alone["out"], ordered=True)
