"""The file of a sweep and its plan: what is refused, and that each design has the points that it promises."""
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

from metacascade.base import units
from metacascade.base.errors import InputError
from metacascade.config import read as config_read
from metacascade.config.config import build
from metacascade.studies import sweep_plan
from metacascade.studies.sweep_values import parameters

ROOT = Path(__file__).parents[2]
BASE = """
[run]
seed = 7
step = "1 h"
[tumor]
cells = 1000
"""
SPANS = """
[vary]
intravasation.hazard = {from = "0.01/day", to = "1/day", scale = "log"}
traits.motile_fraction = {from = 0.1, to = 0.5}
tumor.cells = {from = 1, to = 8}
organs.lung.nk = [0, 1, 2.5]
"""


@pytest.fixture
def write(tmp_path):
    """``write(text)``: the path of a sweep file beside base.toml."""
    (tmp_path / "base.toml").write_text(BASE)

    def write(text):
        path = tmp_path / "sweep.toml"
        path.write_text(text if "config =" in text else 'config = "base.toml"\n' + text)
        return path
    return write


@pytest.fixture
def plan(write, tmp_path):
    """``plan(text)``: the plan of a sweep file; nothing is written."""
    return lambda text: sweep_plan.opened(tmp_path / "out", write(text))


@pytest.fixture
def problems(plan, tmp_path):
    """``problems(text)``: the lines of what is wrong in it, without the folder."""
    def problems(text):
        with pytest.raises(InputError) as error:
            plan(text)
        return str(error.value).replace(f"{tmp_path}/", "").splitlines()
    return problems


def settings(found):
    return [member["settings"] for member in found["members"]]


def column(found, name, unit=None):
    """The values of a parameter over the members, as numbers [unit]."""
    return np.array([units.parse(row[name], unit) if unit else row[name] for row in settings(found)])


def test_a_grid_has_all_combinations_in_order(plan):
    found = plan('[vary]\n"blood.nk" = ["0.1/h", "4.8/day"]\n'
                 'tumor.cells = {from = 10, to = 1000, scale = "log", levels = 3}\nrun.species = ["human"]')
    assert settings(found) == [
        {"blood.nk": nk, "tumor.cells": cells, "run.species": "human"}
        for nk in ("0.1/h", "4.8/day") for cells in (10, 100, 1000)]
    assert found["units"] == {"blood.nk": "1/h", "tumor.cells": "", "run.species": ""}


def test_levels_of_a_span_begin_and_end_with_its_ends(plan):
    found = plan('[vary]\nrun.duration = {from = "1 day", to = "48 h", levels = 4}\n')
    assert column(found, "run.duration", "s").tolist() == [86400, 115200, 144000, 172800]


def test_a_list_has_its_rows(plan):
    found = plan('design = "list"\n[[point]]\nblood.nk = "0.1/h"\ntumor.cells = 5\n'
                 '[[point]]\ntumor.cells = 6\nblood.nk = "0.2/h"\n')
    assert settings(found) == [{"blood.nk": "0.1/h", "tumor.cells": 5}, {"tumor.cells": 6, "blood.nk": "0.2/h"}]


def test_no_parameters_and_replicates_are_an_ensemble_over_seeds(plan):
    found = plan("replicates = 50")
    seeds = [member["seed"] for member in found["members"]]
    assert len(set(seeds)) == 50 and seeds[0] == 7 and max(seeds) < 2**53


def test_replicates_have_the_same_seeds_at_every_point_unless_asked_for_others(plan):
    vary = "[vary]\ntumor.cells = [1, 2, 3]\n"
    common = [(m["point"], m["replicate"], m["seed"]) for m in plan("replicates = 2\n" + vary)["members"]]
    other = sweep_plan.derived(7, 1)
    assert common == [(point, replicate, (7, other)[replicate]) for point in range(3) for replicate in range(2)]
    independent = plan('replicates = 2\nseeds = "independent"\n' + vary)["members"]
    assert len({m["seed"] for m in independent}) == 6 and [m["number"] for m in independent] == list(range(6))


@pytest.mark.parametrize("design, samples, points", [
    ("random", 64, 64), ("latin", 32, 32), ("sobol", 16, 16 * (4 + 2)), ("sobol\"\nsecond_order = true\n#", 8, 8 * 10)])
def test_samples_are_as_many_as_promised_and_within_their_spans(plan, design, samples, points):
    if not design.startswith("random"):
        pytest.importorskip("SALib")
    found = plan(f'samples = {samples}\ndesign = "{design}"\n' + SPANS)
    hazard = column(found, "intravasation.hazard", "1/day")
    assert len(found["members"]) == points
    assert 0.01 <= hazard.min() < 0.02 and 0.5 < hazard.max() <= 1
    assert abs(np.mean(np.log10(hazard)) + 1) < 0.25        # of a linear scale it would be -0.43; sigma 0.07 for n = 64
    assert 0.1 <= column(found, "traits.motile_fraction").min() and column(found, "traits.motile_fraction").max() <= 0.5
    assert set(column(found, "tumor.cells")) == set(range(1, 9)) and set(column(found, "organs.lung.nk")) == {0, 1, 2.5}


def test_a_latin_design_has_one_point_in_every_slice_of_every_parameter(plan):
    pytest.importorskip("SALib")
    found, n = plan('design = "latin"\nsamples = 40\nseed = 3\n' + SPANS), 40
    hazard = np.log(column(found, "intravasation.hazard", "1/day") / 0.01) / math.log(100)
    motile = (column(found, "traits.motile_fraction") - 0.1) / 0.4
    for share in (hazard, motile):
        assert sorted((share * n).astype(int)) == list(range(n))
    assert np.bincount(column(found, "tumor.cells")).tolist() == [0] + [5] * 8        # 40 slices, 5 for each number
    assert abs(np.corrcoef(hazard, motile)[0, 1]) < 0.6         # the slices are shuffled: 4 sigma


def test_a_sobol_design_changes_one_parameter_at_a_time_from_a_to_b(plan):
    pytest.importorskip("SALib")
    rows = settings(plan('design = "sobol"\nsamples = 4\n' + SPANS))
    names, size = list(rows[0]), 4 + 2
    for start in range(0, len(rows), size):
        a, b = rows[start], rows[start + size - 1]
        for name, mixed in zip(names, rows[start + 1:]):
            assert mixed == a | {name: b[name]}


@pytest.mark.parametrize("design", ["random", "latin", "sobol"])
def test_the_same_seed_is_the_same_plan_whatever_else_was_drawn(plan, design):
    if design != "random":
        pytest.importorskip("SALib")
    text = f'design = "{design}"\nsamples = 4\nseed = %d\n' + SPANS
    first = plan(text % 5)
    np.random.seed(99)
    np.random.random(5)
    assert plan(text % 5) == first and settings(plan(text % 6)) != settings(first)


def test_what_a_member_is_started_with_is_the_config_of_its_row(plan, tmp_path):
    found = plan('replicates = 2\n[set]\ntumor.center = ["1 um", "0 um", "2 um"]\ntitle = "a \\"b\\" # 1e5"\n'
                 'output.shed_cells = false\n[vary]\nblood.nk = ["0.1/h", "0.2/h"]\n')
    document = config_read.parse_text(BASE, "base")
    config_read.override(document, sweep_plan.arguments(found, found["members"][3]))
    config = build(document)
    assert (config.blood.nk_per_h, config.title, config.tumor.center_um) == (0.2, 'a "b" # 1e5', (1, 0, 2))
    assert config.run.seed == sweep_plan.derived(7, 1) and config.output.shed_cells is False


def test_a_list_in_set_is_one_of_the_config_with_entries_as_there(problems):
    vary = '[vary]\ntumor.cells = [1, 2]\n'
    assert problems('[set]\nblood = []\ndrow = []\n' + vary) == [
        'sweep.toml:3: set.blood = []: unknown parameter (did you mean \'blood.nk\'?)',
        'sweep.toml:4: set.drow = []: unknown parameter; `metacascade info --parameters` lists them']
    assert [line for line in problems('[set]\ndraw = [{node = "nowhere"}]\n' + vary) if 'draw[0].node = "nowhere"' in line]


def test_mechanisms_of_the_user_are_found_from_the_directories_of_members(plan, tmp_path):
    (tmp_path / "own.py").write_text((ROOT / "examples" / "mechanisms" / "starvation.py").read_text())
    (tmp_path / "with.toml").write_text(BASE + '[mechanisms]\nmodules = ["own.py"]\n')
    found = plan('config = "with.toml"\n[vary]\ntumor.cells = [1, 2]\n')
    document = config_read.parse_text(found["config"], "copy", str(tmp_path / "elsewhere"))
    config_read.override(document, sweep_plan.arguments(found, found["members"][1]))
    assert build(document).mechanisms.modules == (str(tmp_path / "own.py"),)


def test_a_preset_is_a_config_and_vessel_files_are_found_from_anywhere(plan, tmp_path):
    assert plan('config = "mouse_breast"\n')["members"][0]["seed"] == 1
    network = "x1,y1,z1,x2,y2,z2,radius\n-50,0,0,50,0,0,5\n"
    (tmp_path / "v.csv").write_text(network)
    (tmp_path / "w.csv").write_text(network)
    found = plan('[vary]\nvessels.file = ["v.csv", "w.csv"]\n')
    assert [row["vessels.file"] for row in settings(found)] == [str(tmp_path / "v.csv"), str(tmp_path / "w.csv")]
    (tmp_path / "base.toml").write_text(BASE + '[vessels]\nfile = "v.csv"\n')
    assert plan("replicates = 2\n")["fixed"] == {"vessels.file": str(tmp_path / "v.csv")}


WRONG = {       # a sweep file, and what is said of it, each after the name of the file
    "all at once": ("""config = "no.toml"
desing = "grid"
replicates = 0
[set]
run.duraton = "1 day"
run.step = 30
[vary]
tumor.cells = 4
blood.nk = ["0.1/h", 3]
run.species = {from = 1, to = 2}
migration.bias = {from = 0.5, too = 1}
""", [
        '1: config = "no.toml": cannot read the config',
        "2: desing = \"grid\": unknown key (did you mean 'design'?)",
        "3: replicates = 0: must be a whole number from 1 to 100000",
        "5: set.run.duraton = \"1 day\": unknown parameter (did you mean 'run.duration'?)",
        "6: set.run.step = 30: needs a unit",
        "8: vary.tumor.cells = 4: must be a list of values",
        "9: vary.blood.nk[1] = 3: needs a unit",
        "10: vary.run.species: has no from and to",
        "11: vary.migration.bias.too = 1: unknown key (did you mean 'to'?)",
        "11: vary.migration.bias: needs to",
        "11: vary.migration.bias: needs levels"]),
    "spans": ("""config = "base.toml"
design = "latin"
[vary]
blood.nk = {from = "1/h", to = "0.1/h"}
tumor.cells = {from = 0, to = 9, scale = "log"}
migration.bias = {from = 0, to = 0.5, levels = 3}
traits.adhesion_mean = {from = [0], to = 2020-01-01}
""", [
        '2: design = "latin": needs samples = N',
        "4: vary.blood.nk: from must be less than to",
        "5: vary.tumor.cells: from must be more than 0",
        "6: vary.migration.bias: levels is for a grid",
        "7: vary.traits.adhesion_mean: from must be a number", "7: vary.traits.adhesion_mean: to must be a number"]),
    "contradictions": ("""config = "base.toml"
samples = 3
replicates = 2
[set]
tumor.cells = 1
[vary]
tumor.cells = [1, 2]
run.seed = [1, 2]
[[point]]
""", [
        '2: samples = 3: does not belong to design = "grid"',
        "3: replicates = 2: sets run.seed, which",
        "4: set: tumor.cells is in [vary] too",
        "9: point = [{}]: does not belong"]),
    "rows": ("""config = "base.toml"
design = "list"
[[point]]
tumor.cells = 1
[[point]]
name = "a"
tumor.cells = 2
[[point]]
name = "a"
run.seed = 1
[[point]]
name = 3
[compare]
column = ["shed"]
""", ["9: point[2].name = \"a\": is the name of point[1] too",
      "12: point[3].name = 3: must be a text of at most 40 characters",
      "14: compare.column = [\"shed\"]: unknown key (did you mean 'columns'?)"]),
    "neither config nor checkpoint": ("""replicates = 2
[set]
from = "config ="
""", ["1: config: needs config = \"FILE.toml\" or the name of a preset, or from = \"CHECKPOINT\"",
      "3: set.from = \"config =\": unknown parameter"]),
    "power of 2": ("""config = "base.toml"
design = "sobol"
samples = 12
[vary]
tumor.cells = [1, 2]
""", ["3: samples = 12: must be a power of 2"]),
    "units and names": ("""config = "base.toml"
[vary]
blood.nk = ["0.1/h", "2 um"]
blood.nkk = [1]
organs.lungs.nk = [1]
""", [
        "3: vary.blood.nk[1] = \"2 um\": 'um' is a length, but a rate (1/time) is needed",
        "4: vary.blood.nkk = [1]: unknown parameter (did you mean 'blood.nk'?)",
        "5: vary.organs.lungs.nk = [1]: unknown parameter (did you mean 'organs.lung.nk'?)"]),
    "spans without numbers, or with too large ones": (f"""config = "mouse_breast"
[vary]
tumor.cells = {{from = [1], to = 2020-01-01, levels = 2}}
migration.bias = {{from = 0, to = {10**400}, levels = 2}}
growth.death_rate = {{from = "1e-300/day", to = "1e300/day", levels = 3, scale = "log"}}
""", [
        "3: vary.tumor.cells: from must be a whole number",
        "3: vary.tumor.cells: to must be a whole number",
        "4: vary.migration.bias: to must be a number",
        "5: vary.growth.death_rate: from and to are too far apart"])}


@pytest.mark.parametrize("text, expected", WRONG.values(), ids=WRONG)
def test_everything_wrong_in_a_file_is_listed_with_its_line(problems, text, expected):
    expected = [f"sweep.toml:{start}" for start in expected]
    found = problems(text)
    assert [line[:len(start)] for line, start in zip(found, expected, strict=True)] == expected


def test_a_wrong_value_in_one_member_is_refused_naming_it(problems):
    assert problems('replicates = 2\n[vary]\nblood.nk = ["0.1/h", "-1/h"]\n') == [
        'member 0002: blood.nk = "-1/h": must be a quantity from 0/h to 100/h']
    assert problems('[set]\nrun.duration = "61 min"\n[vary]\ntumor.cells = [1, 0]\n') == [
        'every member: run.duration = "61 min": 61 min is not a multiple of run.step = 1 h; the nearest is 1 h',
        "member 0001: tumor.cells = 0: must be a whole number from 1 to 1000000000000"]
    assert problems("[vary]\ninjection.3.cells = [1, 2]\n")[0] == (
        "member 0000: injection.3.cells=1: there is no table injection[3] to set it in")


@pytest.mark.parametrize("span, values", [
    ("from = 1, to = 2, levels = 5", 2), ('from = 1, to = 100, levels = 50, scale = "log"', 34)])
def test_levels_that_are_equal_once_rounded_are_refused(problems, span, values):
    said, = problems(f"[vary]\ntumor.cells = {{{span}}}\n")
    assert re.search(f"vary.tumor.cells: [0-9]+ levels are only {values} different values once rounded", said)


def test_as_many_levels_as_whole_numbers_are_all_of_them(plan):
    found = plan("[vary]\ntumor.cells = {from = 1, to = 5, levels = 5}\n")
    assert column(found, "tumor.cells").tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("text", [
    '[vary]\nrun.duration = ["60 min", "2 h", "1 h"]\n',
    'design = "list"\n' + "".join(f'[[point]]\nrun.duration = "{text}"\n' for text in ("60 min", "2 h", "1 h"))])
def test_points_that_are_the_same_run_are_refused_unless_each_has_its_own_seed(plan, problems, text):
    assert problems("replicates = 2\n" + text)[0].startswith("member 0004: the same run again, by all values and")
    assert len(plan('seeds = "independent"\n' + text)["members"]) == 3


def test_draws_that_are_the_same_run_are_told_and_stay(plan, capsys):
    text = 'design = "random"\nsamples = 4\n[vary]\ntumor.cells = {from = 1, to = 2}\n'
    assert len(plan(text)["members"]) == 4
    assert "warning: members 0002, 0003: the same run again" in capsys.readouterr().err
    assert len(plan('seeds = "independent"\n' + text)["members"]) == 4 and capsys.readouterr().err == ""


def test_what_is_unusual_in_all_members_is_said_once(plan, capsys):
    plan('replicates = 3\n[set]\nblood.nk = "9/h"\n[vary]\ntumor.cells = [1, 2, 3]\n')
    said = "warning: every member: blood.nk = 9/h is outside the usual range, 0.1/h to 5/h\n"
    assert capsys.readouterr().err == said


def test_too_many_members_are_refused_before_they_are_made(problems):
    spans = "".join(f"organs.{bed}.nk = {{from = 0, to = 1, levels = 1000}}\n" for bed in ("lung", "liver", "bone"))
    assert problems("[vary]\n" + spans) == ["the sweep would have more than 100,000 members"]


def test_the_same_sweep_goes_on_and_another_is_refused_with_what_differs(plan, write, tmp_path):
    out, text = tmp_path / "out", '[vary]\nblood.nk = ["0.1/h", "0.2/h"]\n'
    sweep_plan.write(out, plan(text))
    assert plan("# only a remark\n" + text) == json.loads((out / "members.json").read_text())
    with pytest.raises(InputError) as error:
        plan("replicates = 3\n" + text.replace("0.2", "0.3"))
    assert str(error.value).splitlines()[1:] == [
        "sweep: replicates = 3, there it is (nothing)",
        'sweep: vary.blood.nk = ["0.1/h", "0.3/h"], there it is ["0.1/h", "0.2/h"]']
    (tmp_path / "base.toml").write_text(BASE.replace("1000", "2000"))
    with pytest.raises(InputError, match="config: tumor.cells = 2000, there it is 1000"):
        plan(text)


def test_a_sweep_that_differs_late_in_a_long_list_is_another(plan, tmp_path):
    text = "[vary]\ntumor.cells = [" + ", ".join(map(str, range(100, 150))) + "]\n"
    points = 'design = "list"\n' + "".join(f"[[point]]\ntumor.cells = {n}\n" for n in range(1, 30))
    for number, (first, other, said) in enumerate([
            (text, text.replace("149", "150"), "sweep: vary.tumor.cells = [100, 101"),
            (points, points.replace("= 29", "= 30"), "sweep: point[28].tumor.cells = 30, there it is 29")]):
        sweep_plan.write(tmp_path / "out", plan(first))
        with pytest.raises(InputError) as error:
            plan(other)
        assert str(error.value).splitlines()[1].startswith(said)
        (tmp_path / "out").rename(tmp_path / str(number))


def test_a_directory_with_something_else_in_it_is_refused(plan, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "results.h5").touch()
    with pytest.raises(InputError, match="it is not the directory of a sweep"):
        plan("")
    (tmp_path / "out" / "results.h5").unlink()
    for damaged in b"{", b"\xff":
        (tmp_path / "out" / "members.json").write_bytes(damaged)
        with pytest.raises(InputError, match="members.json is damaged"):
            plan("")


def test_without_salib_the_extra_is_named(plan, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "SALib.sample", None)
    with pytest.raises(InputError, match=r'needs SALib: pip install "metacascade\[sweep\]"'):
        plan('design = "latin"\nsamples = 4\n' + SPANS)


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("sweep_*.toml")), ids=lambda path: path.stem)
def test_examples_are_sweeps_without_a_warning(path, tmp_path, capsys):
    assert len(sweep_plan.opened(tmp_path / "out", path)["members"]) > 1 and capsys.readouterr().err == ""


def test_the_sweeps_in_the_documentation_can_be_read(plan):
    pytest.importorskip("SALib")
    blocks = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "sweeps.md").read_text("utf-8"), re.DOTALL)
    others = "[[comparison]]", "moves = ", "[cohort]"       # of experiments and of controls
    sweeps = [block for block in blocks if not any(word in block for word in others)]
    assert [len(plan(block)["members"]) for block in sweeps] == [12, 24, 192]


def test_every_parameter_of_the_config_can_be_named():
    assert {"title", "run.seed", "organs.tumor.nk", "injection.0.cells", "vessels.file"} <= parameters().keys()
