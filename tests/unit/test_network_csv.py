"""Vessel networks from tables in text: what is read, and that every mistake is named with its line."""
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from metacascade.base.errors import SHOWN, InputError
from metacascade.config.tissue import Vessels
from metacascade.space.network_check import segment_distance
from metacascade.space.network_read import read as read_network
from metacascade.space.vessels import SEGMENT, Network, voxelize

HEAD = "x1,y1,z1,x2,y2,z2,radius"
FULL = HEAD + ",maturity,perfused"
EXAMPLE = Path(__file__).parents[2] / "examples" / "network_small.csv"


@pytest.fixture
def found(tmp_path):
    """``found(text, key=value)``: what is found in a CSV file, with these options of [vessels]."""
    def reader(text, **options):
        path = tmp_path / "net.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_network(Vessels(file=str(path), **options))
    return reader


@pytest.fixture
def read(found):
    """The segments of that."""
    return lambda text, **options: found(text, **options).segments


def problems(read, text, **options):
    """The messages, without the folder: ['net.csv:2: ...', ...]."""
    with pytest.raises(InputError) as raised:
        read(text, **options)
    return [line[line.index("net.csv"):] if "net.csv" in line else line for line in str(raised.value).splitlines()]


def test_the_example_is_read_and_supplies_oxygen():
    network = Network.from_segments(read_network(Vessels(file=str(EXAMPLE))).segments)
    assert len(network.imported) == 15 and network.imported["perfused"].sum() == 14
    assert network.imported["maturity"][0] == np.float32(0.8)
    made = voxelize([[-1, -1, 0], [0, 0, 0]], 30.0, network, 10.0, [(1.0, 6e6)])
    assert made.supply.any(axis=(1, 2)).all()


def test_columns_that_are_left_out_have_their_defaults(read):
    s = read(f"{HEAD}\n0,0,0,100,0,0,5\n", maturity_mean=0.25)
    assert s.dtype == SEGMENT and s["maturity"] == [0.25] and s["perfused"] == [1]
    assert s[["ax", "by", "bx", "radius"]].tolist() == [(0.0, 0.0, 100.0, 5.0)]


@pytest.mark.parametrize("text", [
    f"\ufeff{HEAD}\r\n0,0,0,100,0,0,5\r\n", f"# note\n\n {HEAD.replace(',', ' , ')}\n# more\n0,0,0, 1e2 ,0,0,5.0",
    f'{HEAD}\n"0","0",0,100,0,0,5\n\n,,,,,,\n', f"{HEAD}\n0,0,0,100,0,0,5".replace(",", ";"),
    f"{HEAD}\n0,0,0,100,0,0,5".replace(",", "\t"), f"{HEAD}\n0,0,0,100,0,0,5".replace(",", "  "),
    "radius,z2,y2,x2,z1,y1,x1\n5,0,0,100,0,0,0", "x1,y1,z1,x2,y2,z2,diameter\n0,0,0,100,0,0,10",
    "x1,y1,z1,x2,y2,z2,radius1,radius2\n0,0,0,100,0,0,4,6"],
    ids=["from a spreadsheet", "spaces and comments", "quotes", "semicolons", "tabs", "spaces", "another order",
         "diameters", "radii of both ends"])
def test_usual_ways_of_writing_are_understood(read, text):
    assert read(text)[["bx", "radius"]].tolist() == [(100.0, 5.0)]


@pytest.mark.parametrize("columns, text", [
    ("x1=xa, y1=ya, z1=za, x2=xb, y2=yb, z2=zb, radius=r", "xa,ya,za,xb,yb,zb,r\n0,0,0,100,0,0,5"),
    ("radius=r", "id,x1,y1,z1,x2,y2,z2,r,radius\n7,0,0,0,100,0,0,5,99"),
    ("x1=#1, y1=#2, z1=#3, x2=#4, y2=#5, z2=#6, diameter=#7", "0,0,0,100,0,0,10"),
    ("radius1=a, radius2=b", "x1,y1,z1,x2,y2,z2,a,b\n0,0,0,100,0,0,4,6")],
    ids=["other names", "one other name", "no names", "both ends"])
def test_other_columns_are_taken_as_the_config_says(read, columns, text):
    assert read(text, columns=columns)[["bx", "radius"]].tolist() == [(100.0, 5.0)]


def test_columns_that_are_not_read_are_told(found):
    assert found("id,x1,y1,z1,x2,y2,z2,r\n7,0,0,0,100,0,0,5", columns="radius=r").notes == [
        "columns that are not read: id"]


@pytest.mark.parametrize("columns, problem", [
    ("radus=r", "there is no column 'radus' (did you mean 'radius'?)"), ("radius", 'write it once, as "radius = NAME'),
    ("radius=q", "there is no such column"), ("radius=#9", "there are 8 columns"),
    ("radius=r, radius=r", "write it once"), ("radius=r, diameter=r", "the first line must name")])
def test_a_choice_of_columns_that_the_file_does_not_have_is_refused(read, columns, problem):
    assert problem in problems(read, "id,x1,y1,z1,x2,y2,z2,r\n7,0,0,0,100,0,0,5", columns=columns)[0]


@pytest.mark.parametrize("row, problem", [
    ("0,0,0,100,0,0,-3,1,1", "radius = -3 um: must be from 0 to 10000 um"),
    ("0,0,0,100,0,0,nan,1,1", "radius = nan: must be a number"),
    ("0,0,0,inf,0,0,5,1,1", "x2 = inf: must be a number"),
    ("0,0,0,1_0,0,0,5,1,1", "x2 = 1_0: must be a number"),
    ("0,0,0,\uff11\uff12,0,0,5,1,1", "x2 = \uff11\uff12: must be a number"),
    ("0,0,0,\u0661\u0662,0,0,5,1,1", "x2 = \u0661\u0662: must be a number"),
    ("0,0,0,0x10,0,0,5,1,1", "x2 = 0x10: must be a number"),
    ("0,0,0,1e9,0,0,5,1,1", "an end at 1e+09 um: must be at most 1e+06 um from 0"),
    ("0,0,zero,100,0,0,5,1,1", "z1 = zero: must be a number"),
    ("0,,0,100,0,0,5,1,1", "y1 = nothing: must be a number"),
    ("0,0,0,100,0,0,5,1.2,1", "maturity = 1.2: must be from 0 (immature) to 1 (mature)"),
    ("0,0,0,100,0,0,5,1,0.5", "perfused = 0.5: must be 0 or 1"),
    ("0,0,0,100,0,0,5", "7 values, but the first line has 9 columns"),
])
def test_a_wrong_line_is_named_with_what_is_allowed(read, row, problem):
    found = problems(read, f"{FULL}\n-9,-9,-9,-9,-90,-9,2,1,1\n{row}\n")
    assert len(found) == 1 and found[0].startswith("net.csv:3: ") and problem in found[0]


def test_all_problems_are_listed_at_once_in_the_order_of_the_lines(read):
    found = problems(read, f"{HEAD}\n0,0,0,100,0,0,-1\n0,0,0,50,0,0,x\n0,0,0,0,90,0,5\n1,2,3\n")
    assert [int(line.split(":")[1]) for line in found] == [2, 3, 5]


def test_two_mistakes_in_one_line_are_two_messages(read):
    assert len(problems(read, f"{HEAD}\na,b,0,100,0,0,5\n")) == 2


def test_very_many_problems_are_counted_and_all_of_them_are_in_the_error(read):
    with pytest.raises(InputError, match="and 123 more problems.*--problems FILE") as raised:
        read(HEAD + "\n" + "0,0,0,100,0,0,-1\n" * (SHOWN + 123))
    assert len(raised.value.problems) == SHOWN + 123 and len(str(raised.value).splitlines()) == SHOWN + 1


@pytest.mark.parametrize("text, problem", [
    ("", "the first line must name the columns x1,y1,z1,x2,y2,z2,radius[,maturity][,perfused]"),
    ("0,0,0,100,0,0,5\n", "not no names"),
    (HEAD.replace("radius", "width") + "\n0,0,0,100,0,0,5\n", "not x1,y1,z1,x2,y2,z2,width"),
    (f"{HEAD},diameter\n0,0,0,100,0,0,5,10\n", "the first line must name"),
    (f"{HEAD}\n", "no segments"), (f"{HEAD}\n0,0,0,0,0,0,5\n", "no segment in it has a length"),
    (b"\xff\xfe\x00\x01\x80", "cannot read"),
    (b"x1,y1\x00", "the first line must name"),
])
def test_a_file_that_is_no_network_is_refused(read, text, problem):
    assert problem in problems(read, text)[0]


def test_a_missing_file_is_a_wrong_input(tmp_path):
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(InputError, match="cannot read this vessel network"):
            read_network(Vessels(file=str(path), format="csv"))


# --- what the model does not need: told, not refused ------------------------------------------------------------

@pytest.mark.parametrize("more, kept, doubt", [
    ("100,0,0,0,0,0,5", 1, "1 segment there a second time, left out"),
    ("0,0,0,100,0,0,7", 2, "1 segment with the same two ends as another one, but not the same: kept"),
    ("7,8,9,7,8,9,5", 1, "1 segment of no length left out"),
    ("7,8,9,7,8,60,0", 1, "1 segment of no radius left out"),
    ("50,-50,0,50,50,0,5", 2, "1 times a segment runs through another one: kept")],
    ids=["twice", "side by side", "no length", "no radius", "crossing"])
def test_what_the_model_does_not_need_is_counted_and_taken(found, more, kept, doubt):
    network = found(f"{HEAD}\n0,0,0,100,0,0,5\n{more}\n")
    assert len(network.segments) == kept and len(network.doubts) == len(network.remarks) == 1
    assert network.doubts[0].startswith(doubt) and "net.csv:3: " in network.remarks[0]


def test_segments_on_top_of_each_other_supply_what_they_supply_alone(read):
    """The reason why they need not be refused: the exchange of a voxel is a sum over its segments."""
    one, other = "0,0,0,100,0,0,5", "50,-50,0,50,50,0,5"
    alone, second, both = (voxelize([[-1, -1, 0], [0, -1, 0], [0, 0, 0], [-1, 0, 0]], 30.0, Network.from_segments(
        read("\n".join([HEAD, *rows]))), 10.0, [(1.0, 6e6)]).supply for rows in ([one], [other], [one, other]))
    np.testing.assert_allclose(both, alone + second, rtol=1e-6)


@pytest.mark.parametrize("second, overlap", [
    ("50,-50,0,50,50,0,5", True),                  # through it
    ("50,-50,2.4,50,50,2.4,5", True),              # 2.4 um over it: less than half of 5
    ("50,-50,2.6,50,50,2.6,5", False),
    ("20,1,0,80,1,0,5", True),                     # beside it
    ("101,0,0,200,0,0,5", True),                   # ends that should be one
    ("100,0,0,200,0,0,5", False),                  # joined
    ("50,2,0,50,90,0,3", False),                   # 2 um off, more than half of the smaller radius
    ("100,0,0,0,0,0,5", True),                     # twice
])
def test_on_request_segments_on_top_of_each_other_are_refused(read, second, overlap):
    text = f"{HEAD}\n0,0,0,100,0,0,5\n{second}\n"
    if overlap:
        (found,) = problems(read, text, overlaps="refuse")
        assert found.startswith("net.csv:3: ") and " line 2" in found
    else:
        assert len(read(text, overlaps="refuse")) == 2


def test_many_vessels_at_one_place_are_told_without_all_pairs_in_memory(found):
    angles = np.linspace(0, np.pi, 480, endpoint=False)            # 114,960 pairs
    ends = 150 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    rows = [f"{-x:.6f},{-y:.6f},0,{x:.6f},{y:.6f},0,1" for x, y in ends]
    assert found("\n".join([HEAD, *rows])).doubts[0].startswith("more than 100,000 times a segment runs through")


def test_pieces_of_one_vessel_may_be_shorter_than_its_radius(read):
    """As networks traced from images are: 1 um apart on a gentle curve, radius 8 um."""
    angle = np.linspace(0, np.pi / 2, 150)
    points = np.stack([100 * np.cos(angle), 100 * np.sin(angle), 0 * angle], axis=1).round(3)
    rows = [",".join(map(str, [*p, *q, 8.0])) for p, q in zip(points[:-1].tolist(), points[1:].tolist())]
    assert len(read("\n".join([HEAD, *rows]), overlaps="refuse")) == 149


def test_a_vessel_that_comes_back_through_itself_is_told(found):
    square = [(0, 0, 0), (100, 0, 0), (100, 100, 0), (50, 100, 0), (50, -50, 0)]
    rows = [",".join(map(str, [*p, *q, 5])) for p, q in zip(square[:-1], square[1:])]
    assert [line[line.index("net"):][:25] for line in found("\n".join([HEAD, *rows])).remarks] == [
        "net.csv:5: overlaps line "]


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("bytes") / "net.csv"
    path.write_bytes(HEAD.encode() + b"\n" + data)
    try:
        assert len(read_network(Vessels(file=str(path))).segments) > 0
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
