"""Vessel networks from CSV files: what is read, and that every mistake is named with its line."""
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metacascade.errors import InputError
from metacascade.network_check import segment_distance
from metacascade.network_csv import SHOWN, read_network
from metacascade.vessels import SEGMENT, Network, voxelize

HEAD = "x1,y1,z1,x2,y2,z2,radius"
FULL = HEAD + ",maturity,perfused"
EXAMPLE = Path(__file__).parents[2] / "examples" / "network_small.csv"


@pytest.fixture
def read(tmp_path):
    def reader(text, maturity=0.3):
        path = tmp_path / "net.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_network(path, maturity=maturity)
    return reader


def problems(read, text):
    """The messages, without the folder: ['net.csv:2: ...', ...]."""
    with pytest.raises(InputError) as raised:
        read(text)
    return [line[line.index("net.csv"):] for line in str(raised.value).splitlines()]


def test_the_example_is_read_and_supplies_oxygen():
    network = Network.from_config(SimpleNamespace(file=EXAMPLE, maturity_mean=0.3, seed=None), seed=1)
    assert len(network.imported) == 15 and network.imported["perfused"].sum() == 14
    assert network.imported["maturity"][0] == np.float32(0.8)
    made = voxelize([[-1, -1, 0], [0, 0, 0]], 30.0, network, 10.0, 1.0)
    assert made.supply.any(axis=1).all()


def test_columns_that_are_left_out_have_their_defaults(read):
    s = read(f"{HEAD}\n0,0,0,100,0,0,5\n", maturity=0.25)
    assert s.dtype == SEGMENT and s["maturity"] == [0.25] and s["perfused"] == [1]
    assert s[["ax", "by", "bx", "radius"]].tolist() == [(0.0, 0.0, 100.0, 5.0)]


@pytest.mark.parametrize("text", [
    f"\ufeff{HEAD}\r\n0,0,0,100,0,0,5\r\n", f"# note\n\n {HEAD.replace(',', ' , ')}\n# more\n0,0,0, 1e2 ,0,0,5.0",
    f'{HEAD}\n"0","0",0,100,0,0,5\n\n,,,,,,\n'], ids=["from a spreadsheet", "spaces and comments", "quotes"])
def test_usual_ways_of_writing_are_understood(read, text):
    assert read(text)["bx"].tolist() == [100.0]


@pytest.mark.parametrize("row, problem", [
    ("0,0,0,100,0,0,0,1,1", "radius = 0: must be more than 0"),
    ("0,0,0,100,0,0,-3,1,1", "radius = -3: must be more than 0"),
    ("0,0,0,100,0,0,nan,1,1", "radius = nan"),
    ("0,0,0,inf,0,0,5,1,1", "x2 = inf: must be a number of um"),
    ("0,0,0,1e9,0,0,5,1,1", "x2 = 1e9: must be a number of um, at most 1e+06"),
    ("0,0,zero,100,0,0,5,1,1", "z1 = zero: must be a number"),
    ("0,,0,100,0,0,5,1,1", "y1 = nothing: must be a number"),
    ("0,0,0,100,0,0,5,1.2,1", "maturity = 1.2: must be from 0 (immature) to 1 (mature)"),
    ("0,0,0,100,0,0,5,1,yes", "perfused = yes: must be 0 or 1"),
    ("0,0,0,100,0,0,5,1,0.5", "perfused = 0.5: must be 0 or 1"),
    ("0,0,0,100,0,0,5", "7 values, but the first line names 9 columns"),
    ("7,8,9,7,8,9,5,1,1", "both ends are the same point"),
])
def test_a_wrong_line_is_named_with_what_is_allowed(read, row, problem):
    found = problems(read, f"{FULL}\n-9,-9,-9,-9,-90,-9,2,1,1\n{row}\n")
    assert len(found) == 1 and found[0].startswith("net.csv:3: ") and problem in found[0]


def test_all_problems_are_listed_at_once_in_the_order_of_the_lines(read):
    found = problems(read, f"{HEAD}\n0,0,0,100,0,0,0\n0,0,0,50,0,0,x\n0,0,0,0,90,0,5\n0,90,0,0,0,0,5\n1,2,3\n")
    assert [int(line.split(":")[1]) for line in found] == [2, 3, 5, 6]


def test_two_mistakes_in_one_line_are_two_messages(read):
    assert len(problems(read, f"{HEAD}\na,b,0,100,0,0,5\n")) == 2


def test_very_many_problems_are_counted_rather_than_listed(read):
    found = problems(read, HEAD + "\n" + "0,0,0,1,0,0,0\n" * (SHOWN + 23))
    assert len(found) == SHOWN + 1 and found[-1].endswith("and 23 more problems")


@pytest.mark.parametrize("text, problem", [
    ("", "the first line must be x1,y1,z1,x2,y2,z2,radius[,maturity[,perfused]]"),
    ("0,0,0,100,0,0,5\n", "not 0,0,0,100,0,0,5"),
    (HEAD.replace("radius", "diameter") + "\n0,0,0,100,0,0,5\n", "not x1,y1,z1,x2,y2,z2,diameter"),
    (f"{HEAD}\n", "no segments"),
    (b"\xff\xfe\x00\x01\x80", "cannot read"),
    (b"x1,y1\x00", "the first line must be"),
])
def test_a_file_that_is_no_network_is_refused(read, text, problem):
    assert problem in problems(read, text)[0]


def test_a_missing_file_is_a_wrong_input(tmp_path):
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(InputError, match="cannot read this vessel network"):
            read_network(path, maturity=0.3)


@pytest.mark.parametrize("again", ["0,0,0,100,0,0,5", "100,0,0,0,0,0,7"], ids=["same", "reversed"])
def test_a_segment_that_is_there_twice_is_refused(read, again):
    found = problems(read, f"{HEAD}\n0,0,0,100,0,0,5\n{again}\n")
    assert found == ["net.csv:3: the same two ends as line 2"]


@pytest.mark.parametrize("second, overlap", [
    ("50,-50,0,50,50,0,5", True),                  # through it
    ("50,-50,2.4,50,50,2.4,5", True),              # 2.4 um over it: less than half of 5
    ("50,-50,2.6,50,50,2.6,5", False),
    ("20,1,0,80,1,0,5", True),                     # beside it
    ("101,0,0,200,0,0,5", True),                   # ends that should be one
    ("100,0,0,200,0,0,5", False),                  # joined
    ("50,2,0,50,90,0,3", False),                   # 2 um off, more than half of the smaller radius
])
def test_vessels_that_run_through_each_other_are_refused(read, second, overlap):
    text = f"{HEAD}\n0,0,0,100,0,0,5\n{second}\n"
    if overlap:
        (found,) = problems(read, text)
        assert found.startswith("net.csv:3: overlaps line 2: the center lines come within")
    else:
        assert len(read(text)) == 2


def test_pieces_of_one_vessel_may_be_shorter_than_its_radius(read):
    """As networks traced from images are: 1 um apart on a gentle curve, radius 8 um."""
    angle = np.linspace(0, np.pi / 2, 150)
    points = np.stack([100 * np.cos(angle), 100 * np.sin(angle), 0 * angle], axis=1).round(3)
    rows = [",".join(map(str, [*p, *q, 8.0])) for p, q in zip(points[:-1].tolist(), points[1:].tolist())]
    assert len(read("\n".join([HEAD, *rows]))) == 149


def test_a_vessel_that_comes_back_through_itself_is_refused(read):
    square = [(0, 0, 0), (100, 0, 0), (100, 100, 0), (50, 100, 0), (50, -50, 0)]
    rows = [",".join(map(str, [*p, *q, 5])) for p, q in zip(square[:-1], square[1:])]
    assert [line[:25] for line in problems(read, "\n".join([HEAD, *rows]))] == ["net.csv:5: overlaps line "]


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("bytes") / "net.csv"
    path.write_bytes(HEAD.encode() + b"\n" + data)
    try:
        assert len(read_network(path, maturity=0.3)) > 0
    except InputError as error:
        assert str(path) in str(error)


def test_the_distance_of_two_segments_is_the_smallest_of_a_fine_grid():
    rng = np.random.default_rng(3)
    a, b, c, d = rng.uniform(-50, 50, (4, 100, 3))
    c[:20], d[:20] = a[:20] + 3.0, b[:20] + 3.0                  # parallel
    s = np.linspace(0, 1, 121)[:, None, None]
    p, q = a + s * (b - a), c + s * (d - c)
    walked = np.sqrt(((p[:, None] - q[None]) ** 2).sum(axis=3).min(axis=(0, 1)))
    ours = segment_distance(a, b, c, d)
    assert (ours <= walked + 1e-9).all()
    np.testing.assert_allclose(ours, walked, atol=1.0)
