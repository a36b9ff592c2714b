"""Imported networks held against what they are for: the wrong unit, the wrong place, and a tumor without vessels."""
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st

from metacascade.base.errors import InputError
from metacascade.config.config import build
from metacascade.config.read import parse_text
from metacascade.run import inputs
from metacascade.space.network_fit import UNITS_UM

PUBLISHED = next((folder for parent in Path(__file__).resolve().parents
                  if (folder := parent / "shared" / "data" / "microvessel_networks").is_dir()), None)
HEAD = "x1,y1,z1,x2,y2,z2,radius,perfused\n"


def lattice(side_um=400, spacing_um=80, radius_um=5.0, perfused=1):
    """Straight vessels along x, y and z through a cube round 0, as rows [um]: a usual density of some 400 mm/mm^3."""
    at = np.arange(-side_um / 2, side_um / 2 + 1, spacing_um)
    lines = [(p, q, axis) for axis in range(3) for p in at for q in at]
    rows = np.zeros((len(lines), 8))
    for row, (p, q, axis) in zip(rows, lines):
        row[[axis, 3 + axis]] = -side_um / 2, side_um / 2
        for other, value in zip([k for k in range(3) if k != axis], (p + 7 * axis, q + 11 * axis)):
            row[[other, 3 + other]] = value
    rows[:, 6], rows[:, 7] = radius_um, perfused
    return rows


@pytest.fixture(scope="module")
def given_(tmp_path_factory):
    """``given_(rows, **options)``: the inputs of a tumor of 2,000 cells and these rows, with options of [vessels]."""
    def make(rows, cells=2000, tumor="", **options):
        folder = tmp_path_factory.mktemp("fit")
        (folder / "net.csv").write_text(HEAD + "\n".join(",".join(map(repr, row)) for row in rows.tolist()))
        text = f"[tumor]\ncells = {cells}\n{tumor}\n[vessels]\nfile = \"net.csv\"\n" + "\n".join(
            f"{key} = {value}" for key, value in options.items())
        return inputs.of(build(parse_text(text, "run.toml", str(folder))))
    return make


def refused(given_, *arguments, **options):
    with pytest.raises(InputError) as raised:
        given_(*arguments, **options)
    return str(raised.value)


def test_a_usual_network_round_the_tumor_is_described_without_a_doubt(given_):
    found = given_(lattice())
    assert found.doubts == []
    notes = "\n".join(found.notes)
    assert "vessels: 108 segments of" in notes and "box of the network: x -205 to 2" in notes
    assert "median radius 5 um (1 to 100 are usual)" in notes and "100 % of it within 100 um" in notes
    assert "ball of the tumor: radius 116.8 um round (0, 0, 0) um" in notes


@settings(deadline=None, max_examples=10)
@given(unit=st.sampled_from(["mm", "cm", "m"]), radius=st.floats(2.0, 12.0))
def test_a_network_in_a_larger_unit_is_refused_and_the_unit_is_named(given_, unit, radius):
    rows = lattice(radius_um=radius)
    rows[:, :7] /= UNITS_UM[unit]
    message = refused(given_, rows)
    assert f"Is this in {unit}?" in message and f'set vessels.unit = "{unit}"' in message
    found = given_(rows, unit=f'"{unit}"')
    assert found.doubts == [] and found.notes[2:] == given_(lattice(radius_um=radius)).notes[2:]


def test_a_network_in_nm_is_refused_too(given_):
    rows = lattice()
    rows[:, :7] *= 1000
    assert "Is this in nm?" in refused(given_, rows)


def test_places_and_radii_in_different_units_are_refused(given_):
    rows = lattice()
    rows[:, :6] /= 1000
    assert "are places and radii in the same unit?" in refused(given_, rows)


@settings(deadline=None, max_examples=20)
@given(factor=st.floats(1e-9, 1e9), radius=st.floats(0.5, 200.0))
def test_no_scale_is_taken_without_a_word_unless_the_radii_are_usual(given_, factor, radius):
    rows = lattice(radius_um=radius)
    rows[:, :7] *= factor
    assume(np.isfinite(rows).all() and radius * factor > 1e-30)
    try:
        found = given_(rows)
    except InputError:
        return
    assert found.doubts or 1.0 <= radius * factor <= 100.0


@pytest.mark.parametrize("move", [(5000, 0, 0), (0, -800, 0), (0, 0, 560)])
def test_a_network_out_of_reach_of_the_tumor_is_refused_with_box_and_ball(given_, move):
    rows = lattice() + np.array([*move, *move, 0, 0])
    message = refused(given_, rows)
    for part in ("no vessel comes within 200 um of the tumor", "box of the network: x", "median radius 5 um",
                 "length density", "ball of the tumor: radius 116.8 um", "vessels.center", "tumor.center"):
        assert part in message
    for option in (dict(center="true"), dict(offset=str([f"{-x} um" for x in move]).replace("'", '"')),
                   dict(tumor=f"center = {[f'{x} um' for x in move]}".replace("'", '"'))):
        found = given_(rows, **option)
        assert found.doubts == [] and "100 % of it" in found.notes[-1]


def test_a_network_that_leaves_most_of_the_tumor_without_vessels_is_a_warning(given_):
    rows = lattice() + np.array([400, 0, 0, 400, 0, 0, 0, 0])
    [doubt] = given_(rows).doubts
    assert "% of the tumor is within 100 um of a perfused vessel, and the rest starves" in doubt


def test_vessels_without_blood_are_no_help(given_):
    [doubt] = given_(lattice(perfused=0)).doubts
    assert "no segment is perfused" in doubt
    rows = lattice()
    rows[:-1, 7] = 0
    [doubt] = given_(rows).doubts
    assert "the rest starves" in doubt


@pytest.mark.parametrize("rows, doubt", [
    (lattice(radius_um=0.6), "a median radius of 0.6 um is unusual"),
    (lattice(side_um=8000, spacing_um=2000, radius_um=60), "a length density of 1.11 mm/mm^3 is unusual"),
    (lattice(spacing_um=20, radius_um=1.5), "a length density of 7.21e+03 mm/mm^3 is unusual")])
def test_unusual_radii_and_densities_are_warnings(given_, rows, doubt):
    assert any(doubt in found for found in given_(rows).doubts)


def test_the_middle_of_the_box_comes_to_the_tumor_and_an_offset_after_it(given_):
    rows = lattice() + np.array([1e4, 2e4, -3e4, 1e4, 2e4, -3e4, 0, 0])
    segments = given_(rows, center="true", offset='["5 um", "0 um", "0 um"]',
                      tumor='center = ["100 um", "0 um", "0 um"]').segments
    low, high = (edge([edge(segments[f"{end}{axis}"]) for end in "ab"]) for edge in (np.min, np.max) for axis in "x")
    assert (low + high) / 2 == pytest.approx(105.0, abs=1e-6)


def test_without_a_shift_the_numbers_of_the_file_are_those_of_the_model(given_):
    rows = lattice()
    rows[:, :6] += 0.1
    assert given_(rows).segments["ax"].tolist() == rows[:, 0].tolist()


def test_options_of_a_file_are_told_to_have_no_effect_without_one():
    for line in ('unit = "mm"', "center = true", 'offset = ["1 um", "0 um", "0 um"]', 'format = "csv"',
                 'columns = "radius = r"', 'separator = "tab"', 'overlaps = "refuse"'):
        warnings = build(parse_text(f"[tumor]\ncells = 1\n[vessels]\n{line}\n", "run.toml")).warnings
        assert any(f"vessels.{line.split()[0]}" in one and "there is no vessels.file" in one for one in warnings)


@pytest.mark.parametrize("text, unit_um", [("mm", 1000), ("1 mm", 1000), ("0.65 um", 0.65), ("\u00b5m", 1), ("cm", 1e4)])
def test_a_unit_is_one_alone_or_a_length(given_, text, unit_um):
    rows = lattice()
    rows[:, :7] /= unit_um
    assert given_(rows, unit=f'"{text}"').config.vessels.unit_um == unit_um
    assert build(parse_text(given_(rows, unit=f'"{text}"').config.to_toml(), "x")).vessels.unit_um == unit_um


# --- published networks ---------------------------------------------------------------------------------------------

MAPPING = "x1=xa, y1=ya, z1=za, x2=xb, y2=yb, z2=zb, radius1=radius_a, radius2=radius_b"
NETWORKS = {"secomb_Brain_network.dat": (50, 511), "secomb_Gagnon2015_mousecortex_network.dat": (4908, 536),
            "secomb_Tumor1998_network.dat": (104, 117), "secomb_TumorLowDensity_network.dat": (15, 24),
            "secomb_Tumor_FaDu1012_network.dat": (582, 169), "microvesselchaste_tapmeier_network.vtp": (806, 131),
            "tapmeier_segments.csv": (801, 131)}
ONE_OF_EACH = ("secomb_Tumor_FaDu1012_network.dat", "microvesselchaste_tapmeier_network.vtp", "tapmeier_segments.csv")


@pytest.mark.skipif(PUBLISHED is None, reason="no shared/data/microvessel_networks beside a folder round this checkout")
@pytest.mark.parametrize("name", [*ONE_OF_EACH, *(
    pytest.param(name, marks=pytest.mark.slow) for name in NETWORKS if name not in ONE_OF_EACH)])
def test_a_published_network_runs_with_a_tumor_in_its_middle(name, metacascade, tmp_path):
    if name.endswith(".vtp"):
        pytest.importorskip("vtkmodules")
    segments, density = NETWORKS[name]
    (tmp_path / "run.toml").write_text(
        '[run]\nstep = "30 min"\nduration = "3 h"\n[tumor]\ncells = 2000\n[output]\ninterval = "3 h"\n'
        f'checkpoint = "3 h"\n[vessels]\nfile = "{PUBLISHED / name}"\ncenter = true\n'
        + (f'columns = "{MAPPING}"\n' if name.endswith(".csv") else ""))
    done = metacascade("run", tmp_path / "run.toml", "--out", tmp_path / "out")
    assert f"vessels: {segments:,} segments" in done.stdout and f"length density {density} mm/mm^3" in done.stdout
    assert "every cell is accounted for" in done.stdout
