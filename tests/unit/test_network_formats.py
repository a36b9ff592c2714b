"""Vessel networks of other programs: small files in each format. The published ones: test_network_fit."""
import base64
import struct
import sys
import zlib

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from metacascade.base.errors import InputError
from metacascade.config.tissue import NETWORK_FORMATS, Vessels
from metacascade.space.network_read import READERS, SUFFIXES, read

SECOMB = """\ufeffTwo vessels and a sprout
 200. 100. 50.\tbox dimensions in microns
 10 10 10\tnumber of tissue points
 100.\touter bound distance
 10.\tmax. segment length
 4\tnodsegm
 4\ttotal number of segments
 name type from to diam. flow hem.
{segments}
 5\ttotal number of nodes
name x y z
1 0 50 25
n2 100\t50 25 *** added
3\t200 50\t25
 4 100 0 25
5 0 0 25
 2 total number of boundary nodes
node bctyp press/flow HD PO2
 1 2 5. 0.4 40.
"""
SEGMENTS = "1 5 1 n2 10.0 2.5 0.4\n2\t4\tn2\t3\t8\t-2.5\t0.4\t*\n7 5 n2 4 6.0 0 0.4\n8 1 4 5 5.0 1.0 0.4"
SWC = """# traced
1 2 0 0 0 4 -1
2 2 100 0 0 6 1   # thicker
5 2 100 50 0 2 2
3 2 200 0 0 6.0 2
"""


@pytest.fixture
def found(tmp_path):
    """``found(text, suffix, key=value)``: what is found in such a file, with these options of [vessels]."""
    def reader(text, suffix, **options):
        path = tmp_path / f"net{suffix}"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read(Vessels(file=str(path), **options))
    return reader


def rows(network):
    return [tuple(row)[:7] for row in network.segments.tolist()]


def refused(found, *arguments, **options):
    with pytest.raises(InputError) as raised:
        found(*arguments, **options)
    return str(raised.value)


def test_every_format_of_the_config_has_a_reader_and_a_suffix():
    assert set(NETWORK_FORMATS) == READERS.keys() == set(SUFFIXES.values())


# --- Secomb ---------------------------------------------------------------------------------------------------------

def test_a_file_of_secomb_with_a_byte_order_mark_and_tabs_is_read(found):
    network = found(SECOMB.format(segments=SEGMENTS), ".dat")
    assert rows(network) == [(0, 50, 25, 100, 50, 25, 5), (100, 50, 25, 200, 50, 25, 4), (100, 50, 25, 100, 0, 25, 3),
                             (100, 0, 25, 0, 0, 25, 2.5)]
    assert network.segments["perfused"].tolist() == [1, 1, 0, 0]
    assert network.notes == ["1 segments of other types than 4 and 5: not perfused",
                             "1 segments with a flow of 0: not perfused"]


def test_flows_that_are_all_0_are_unknown_rather_than_none(found):
    network = found(SECOMB.format(segments="1 5 1 n2 10 0 0.4\n2 5 n2 3 8 0 0\n3 5 n2 4 6 0.0 0\n4 5 4 5 6 0 0"), ".dat")
    assert network.segments["perfused"].all() and "taken as unknown" in network.notes[0]


def test_two_vessels_between_the_same_nodes_are_two_and_the_same_one_twice_is_one(found):
    network = found(SECOMB.format(segments="1 5 1 n2 10 1\n2 5 n2 1 10 1\n1 5 1 n2 10 1\n4 5 n2 3 8 1"), ".dat")
    assert len(network.segments) == 3
    assert [doubt[:9] for doubt in network.doubts] == ["1 segment", "1 segment"]
    assert "net.dat:11: the same segment as line 9: left out" in network.remarks[1]


@pytest.mark.parametrize("segments, problem", [
    ("1 5 1 9 10 1\n" * 4, "net.dat:9: segment 1: there is no node 9"),
    ("1 5 1 n2 wide 1\n" * 4, "net.dat:9: diameter = wide: must be a number"),
    ("1 5 1\n" * 4, "net.dat:9: expected at least 5 values"),
    ("1 5 1 n2 10 1\n", "net.dat:11: expected at least 5 values of one of 4 segments, found name x y z")])
def test_what_is_wrong_in_a_file_of_secomb_is_named_with_its_line(found, segments, problem):
    assert problem in refused(found, SECOMB.format(segments=segments.rstrip("\n")), ".dat")


# --- SWC ------------------------------------------------------------------------------------------------------------

def test_an_swc_file_gives_a_piece_from_each_sample_to_its_parent(found):
    assert rows(found(SWC, ".swc")) == [
        (0, 0, 0, 100, 0, 0, 5), (100, 0, 0, 100, 50, 0, 4), (100, 0, 0, 200, 0, 0, 6)]


@pytest.mark.parametrize("text, problem", [
    ("1 2 0 0 0 4 -1\n2 2 9 0 0 4 7\n", "net.swc:2: sample 2: there is no sample 7"),
    ("1 2 0 0 0 4 -1\n2 2 9 0 0 4 2\n", "net.swc:2: sample 2 is its own parent"),
    ("1 2 0 0 0 4 -1\n1 2 9 0 0 4 1\n", "net.swc:2: sample 1 is there twice"),
    ("1 2 0 0 0 4 -1\n2 2 9 0 0 1_0 1\n", "net.swc:2: radius = 1_0: must be a number"),
    ("1 2 0 0 0 4 -1\n2 2 9\n", "net.swc:2: 3 values"), ("1 2 0 0 0 4 -1\n", "no sample with a parent")])
def test_what_is_wrong_in_an_swc_file_is_named_with_its_line(found, text, problem):
    assert problem in refused(found, text, ".swc")


# --- VTP ------------------------------------------------------------------------------------------------------------

POINTS = np.array([[0, 0, 0], [100, 0, 0], [200, 0, 0], [100, 50, 0]], "<f4")
ARRAYS = {"Points": POINTS, "connectivity": np.array([0, 1, 2, 1, 3], "<i8"), "offsets": np.array([3, 5], "<i8")}
WIDE = {"Radius": np.array([4, 6, 6, 2], "<f8")}
KIND = {"<f4": "Float32", "<f8": "Float64", "<i8": "Int64"}


def vtp(encoding, of_points=WIDE, of_lines=None):
    """A PolyData file of two lines. `encoding`: ascii, binary (in base64), or appended (zlib in base64)."""
    appended = []

    def array(name, values):
        kind = KIND[values.dtype.str]
        head = f'<DataArray type="{kind}" Name="{name}" NumberOfComponents="{values.shape[1] if values.ndim > 1 else 1}"'
        if encoding == "ascii":
            return f'{head} format="ascii">{" ".join(map(repr, values.ravel().tolist()))}</DataArray>'
        data = values.tobytes()
        if encoding == "binary":
            return f'{head} format="binary">{base64.b64encode(struct.pack("<I", len(data)) + data).decode()}</DataArray>'
        packed = zlib.compress(data)
        start = sum(map(len, appended))
        appended.append(base64.b64encode(struct.pack("<4I", 1, len(data), 0, len(packed))).decode()
                        + base64.b64encode(packed).decode())
        return f'{head} format="appended" offset="{start}"/>'

    def group(name, arrays):
        return f"<{name}>{''.join(array(*item) for item in (arrays or {}).items())}</{name}>"

    body = (group("PointData", of_points) + group("CellData", of_lines) + group("Points", {"Points": POINTS})
            + group("Lines", {name: ARRAYS[name] for name in ("connectivity", "offsets")}))
    tail = f'<AppendedData encoding="base64">_{"".join(appended)}</AppendedData>' if appended else ""
    return ('<?xml version="1.0"?><VTKFile type="PolyData" version="0.1" byte_order="LittleEndian" '
            'compressor="vtkZLibDataCompressor"'.replace(' compressor="vtkZLibDataCompressor"', "" if not appended else
                                                         ' compressor="vtkZLibDataCompressor"')
            + f'><PolyData><Piece NumberOfPoints="4" NumberOfLines="2">{body}</Piece></PolyData>{tail}</VTKFile>')


@pytest.mark.parametrize("encoding", ["ascii", "binary", "appended"])
def test_a_vtp_file_gives_the_pieces_of_its_lines(found, encoding):
    pytest.importorskip("vtkmodules")
    assert rows(found(vtp(encoding), ".vtp")) == [
        (0, 0, 0, 100, 0, 0, 5), (100, 0, 0, 200, 0, 0, 6), (100, 0, 0, 100, 50, 0, 4)]


@pytest.mark.parametrize("of_points, of_lines, columns", [
    (None, {"Diameter": np.array([10, 8], "<f8")}, None), (None, {"w": np.array([5, 4], "<f8")}, "radius = w"),
    ({"Radius": np.full(4, 9.0)}, {"w": np.array([10, 8], "<f8")}, "diameter = w")])
def test_the_width_of_lines_is_an_array_of_points_or_lines(found, of_points, of_lines, columns):
    pytest.importorskip("vtkmodules")
    network = found(vtp("ascii", of_points, of_lines), ".vtp", columns=columns)
    assert network.segments["radius"].tolist() == [5, 5, 4]


@pytest.mark.parametrize("text, problem", [
    (vtp("ascii", None), "no array of one number a point or a line that is the radius; arrays: none"),
    (vtp("ascii", WIDE, {"Radius": np.array([10, 8], "<f8")}), "more than one array"),
    (vtp("appended")[:-120], "VTK says"), ("hello", "VTK says"), (b"\xff\xfe\x00", "VTK says"), ("", "VTK says")])
def test_a_vtp_file_that_is_none_is_refused_with_what_vtk_says(found, text, problem, capfd):
    pytest.importorskip("vtkmodules")
    assert problem in refused(found, text, ".vtp")
    assert capfd.readouterr() == ("", "")


def test_without_vtk_the_extra_is_named(found, monkeypatch):
    for name in ("vtkmodules", "vtkmodules.vtkIOXML", "vtkmodules.util.numpy_support"):
        monkeypatch.setitem(sys.modules, name, None)
    assert 'pip install "metacascade[vtp]"' in refused(found, vtp("ascii"), ".vtp")


# --- all ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("text, suffix", [(SECOMB.format(segments=SEGMENTS), ".dat"), (SWC, ".swc"),
                                          ("x1,y1,z1,x2,y2,z2,radius\n0,0,0,100,0,0,5\n", ".csv")])
def test_the_unit_of_the_file_scales_places_and_radii(found, text, suffix):
    plain, scaled = found(text, suffix).segments, found(text, suffix, unit_um=2.0).segments
    for name in ("ax", "by", "bx", "radius"):
        np.testing.assert_array_equal(scaled[name], 2.0 * plain[name])


def test_the_format_may_be_said_where_the_suffix_does_not_tell(found):
    assert rows(found(SWC, ".txt", format="swc")) == rows(found(SWC, ".swc"))
    assert "the suffix tells no format" in refused(found, SWC, ".xyz")


@pytest.mark.parametrize("option", [dict(columns="radius = r"), dict(separator="comma")])
def test_an_option_that_a_format_has_no_use_for_is_refused(found, option):
    assert "has no use for a file in the format swc" in refused(found, SWC, ".swc", **option)


@settings(deadline=None)
@given(st.sampled_from([".dat", ".swc", ".csv"]), st.data())
def test_any_damage_is_read_or_refused_with_the_name_of_the_file(tmp_path_factory, suffix, data):
    whole = {".dat": SECOMB.format(segments=SEGMENTS), ".swc": SWC, ".csv": "x1,y1,z1,x2,y2,z2,radius\n0,0,0,9,0,0,5\n"}
    text = list(whole[suffix])
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(text) - 1))
        text[at] = data.draw(st.sampled_from(["", "\n", " ", "x", "9", "-", "#", "e", "\x00", "1_0"]))
    path = tmp_path_factory.mktemp("damage") / f"net{suffix}"
    path.write_text("".join(text))
    try:
        assert len(read(Vessels(file=str(path))).segments) > 0
    except InputError as error:
        assert str(path) in str(error)
