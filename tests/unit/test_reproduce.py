"""`metacascade reproduce`: files of experiments, verdicts, read-outs, and a small experiment from end to end."""
import json
import math
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from metacascade.base.errors import InputError
from metacascade.config import config, read as config_read
from metacascade.io import results
from metacascade.studies import (
    readouts,
    reproduce,
    reproduce_controls,
    reproduce_file,
    reproduce_picture,
    reproduce_report,
    reproduce_reuse,
)
from metacascade.studies.reproduce_verdict import (
    AGREES,
    DIFFERS,
    NOT_JUDGED,
    NOT_RUN,
    NOT_YET,
    UNDECIDED,
    judge,
    overall,
    wilson,
)

ROOT = Path(__file__).parents[2]
PUBLISHED = """
[order]
what = "a > b"
source = "nobody"
sure = "made up"
[many]
what = "growth"
source = "nobody"
sure = "made up"
low = 1.0
"""
SMALL = """
[config.run]
step = "1 h"
duration = "12 h"
[config.output]
interval = "6 h"
checkpoint = "6 h"
[config.tumor]
cells = 300
"""
EXPERIMENT = """
title = "Dividing cells become more"
measured = "Nothing."
simulated = "Two small tumors."
replicates = 2
""" + SMALL + """
[[config.draw]]
node = "venous"
time = "6 h"
volume = "0.1 mL"
[arms.grows]
growth.division_time = "10 h"
[arms.rests]
growth.enabled = false
[[comparison]]
name = "cells at the end"
readout = "cells_ratio"
kind = "ordering"
arms = "grows, rests"
published = "order"
[[comparison]]
name = "growth"
readout = "cells_ratio"
kind = "interval"
arms = "grows"
published = "many"
"""


CONTROLS = SMALL + """
[A1]
title = "Cells divide"
strength = "none, once in 20 h, once in 10 h"
replicates = 3
moves = "cells_ratio"
direction = "up"
holds = "vessel_volume_fraction"
within = "exact"
[A1.off]
growth.enabled = false
[A1.on]
growth.division_time = "20 h"
[A1.doubled]
growth.division_time = "10 h"
[A2]
title = "Cells read thoughts"
strength = "telepathy.range"
needs = "telepathy.enabled"
"""
BOUNDS = """
[exact]
what = "ratio"
source = "nobody"
sure = "made up"
low = 1.0
high = 1.0
[control_direction]
what = "direction"
source = "nobody"
sure = "made up"
[control_same]
what = "ratio"
source = "nobody"
sure = "made up"
low = 0.9
high = 1.1
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "published.toml").write_text(PUBLISHED)
    (tmp_path / "files" / "small.toml").write_text(EXPERIMENT)
    return tmp_path / "files"


# --- the files that come with the package --------------------------------------------------------------------------

def assert_arms_are_configs(experiment, name):
    if experiment.missing:
        pytest.skip(f"this version has no {', '.join(experiment.missing)}")
    for settings in experiment.arms.values():
        document = config_read.parse_text(reproduce_file.toml(experiment.config), name)
        config_read.override(document, {key: value for key, value in settings.items() if "{networks}" not in str(value)
                                        and key != "vessels.tile"})
        config.build(document)


@pytest.mark.parametrize("name", reproduce_file.names())
def test_an_experiment_of_the_package_is_whole_and_its_arms_are_configs(name):
    experiment = reproduce_file.read(name)
    assert experiment.head.title and experiment.head.measured and experiment.head.simulated
    assert_arms_are_configs(experiment, name)


@pytest.mark.parametrize("name", reproduce_controls.names())
def test_a_control_of_the_package_is_whole_and_its_arms_are_configs(name):
    control = reproduce_controls.read(name)
    assert control.head.title and control.head.simulated and list(control.arms) == ["off", "on", "doubled"]
    assert_arms_are_configs(control, name)


def test_each_mechanism_of_the_primary_tumor_has_a_control():
    assert {name[:3] for name in reproduce_controls.names()} == {f"A{n:02}" for n in range(1, 17)}


def test_every_published_number_has_a_source_and_says_how_sure_it_is():
    rows = reproduce_file.published()
    used = {row.id for name in reproduce_file.names() for row in reproduce_file.read(name).rows}
    used |= {row.id for name in reproduce_controls.names() for row in reproduce_controls.read(name).rows}
    assert rows.keys() == used, "a row that nothing is compared with"
    assert all(row.what and row.source and row.sure for row in rows.values())


def test_no_published_number_stands_in_the_code():
    numbers = {str(bound) for row in reproduce_file.published().values() for bound in (row.low, row.high)
               if bound not in (None, 0.0, 0.5, 1.0, 3.0, 0.9, 0.95)}
    for path in (ROOT / "src" / "metacascade" / "studies").glob("re*.py"):
        assert not [number for number in numbers if f" {number}" in path.read_text("utf-8")], path.name


def test_the_package_brings_the_experiments():
    assert '"experiments/*.toml"' in (ROOT / "pyproject.toml").read_text("utf-8")


# --- reading ---------------------------------------------------------------------------------------------------------

def test_everything_wrong_in_an_experiment_is_told_with_its_line(folder):
    (folder / "small.toml").write_text(EXPERIMENT.replace('"grows, rests"', '"grows, rest"').replace(
        "replicates = 2", "replicate = 2").replace('published = "many"', 'published = "man"'))
    with pytest.raises(InputError) as error:
        reproduce_file.read("small", folder)
    text = str(error.value)
    assert "small.toml:5: replicate" in text and "did you mean" in text
    assert "there is no arm rest" in text and "no row of published.toml" in text
    with pytest.raises(InputError, match="experiments: small, or all"):
        reproduce_file.read("smal", folder)


def test_tables_become_the_text_of_a_config_and_back():
    tables = {"title": "a \"b\"", "run": {"seed": 1}, "organs": {"lung": {"soil": 0.5}}, "draw": [{"node": "venous"}],
              "vessels": {"offset": ["1 um", "0 um", "0 um"], "tile": True}}
    assert config_read.parse_text(reproduce_file.toml(tables), "text").tables == tables


# --- verdicts --------------------------------------------------------------------------------------------------------

def comparison(kind, *arms):
    return SimpleNamespace(kind=kind, arms=", ".join(arms))


@pytest.mark.parametrize("values, verdict", [
    ([1.0, 1.2], AGREES), ([2.0, 2.01], DIFFERS), ([1.4, 1.8], UNDECIDED), ([1.5], UNDECIDED), ([9.0], UNDECIDED),
    ([1.5, 1.5], AGREES), ([1.51, 1.51], DIFFERS), ([math.nan, 1.0], UNDECIDED)])
def test_a_mean_in_the_interval_agrees_and_one_whose_errors_do_not_reach_it_differs(values, verdict):
    """From one run nothing follows."""
    row = reproduce_file.Row("", "", "", "", low=0.5, high=1.5)
    assert judge(comparison("interval", "a"), row, {"a": values}).verdict == verdict


@pytest.mark.parametrize("step, verdict", [(0.12, UNDECIDED), (0.14, DIFFERS)])
def test_of_four_runs_errors_count_three_times(step, verdict):
    """Student: 3.182 standard errors of four values, here 0.0408, are 0.13."""
    row = reproduce_file.Row("", "", "", "", high=1.0)
    found = judge(comparison("interval", "a"), row, {"a": [1.0 + step + one for one in (-0.1, 0.0, 0.0, 0.1)]})
    assert found.error == pytest.approx(0.0408, abs=1e-4) and found.verdict == verdict


def test_a_ratio_is_of_pairs_of_runs_with_the_same_seed():
    """What both arms share does not count: a = 5 b in each pair has no error. Unpaired, it is that of both."""
    row = reproduce_file.Row("", "", "", "", low=3.0)
    found = judge(comparison("ratio", "a", "b"), row, {"a": [5.0, 15.0], "b": [1.0, 3.0]})
    assert (found.value, found.error, found.verdict) == (5.0, 0.0, AGREES)
    found = judge(comparison("ratio", "a", "b"), row, {"a": [8.0, 12.0], "b": [2.0, 2.0]})
    assert (found.value, found.error, found.verdict) == (5.0, pytest.approx(1.0), AGREES)
    found = judge(comparison("ratio", "a", "b"), row, {"a": [8.0, 12.0], "b": [0.0, 0.0]})
    assert found.verdict == UNDECIDED


@pytest.mark.parametrize("values, verdict", [([2.5], AGREES), ([2.6], DIFFERS), ([2.0, 2.0], DIFFERS), ([1.8, 1.8], AGREES),
                                            ([5.0, -5.0], AGREES)])
def test_scores_of_several_runs_are_one_score(values, verdict):
    """Their sum over the root of their number is standard normal if each is."""
    row = reproduce_file.Row("", "", "", "", low=-2.58, high=2.58)
    assert judge(comparison("score", "a"), row, {"a": values}).verdict == verdict


def test_runs_in_which_it_was_so_are_counted_with_the_interval_of_wilson():
    """Wilson 1927: 50 of 50 is 0.929 to 1, 45 of 50 is 0.786 to 0.957 (tables)."""
    assert wilson(50, 50) == pytest.approx((0.929, 1.0), abs=5e-4) and wilson(45, 50) == pytest.approx((0.786, 0.957), abs=5e-4)
    row = reproduce_file.Row("", "", "", "", low=0.5, high=1.0)
    for k, verdict in ((50, AGREES), (25, AGREES), (22, UNDECIDED), (10, DIFFERS)):
        found = judge(comparison("count", "a"), row, {"a": [1.0] * k + [0.0] * (50 - k)})
        assert found.verdict == verdict and found.text.startswith(f"{k} of 50")


def test_without_a_published_number_nothing_is_judged():
    row = reproduce_file.Row("", "", "", "")
    found = judge(comparison("interval", "a"), row, {"a": [1.0, 3.0, math.nan]})
    assert found.verdict == NOT_JUDGED and found.value == 2.0 and "in 2 of 3 runs" in found.text
    assert judge(comparison("count", "a"), row, {"a": [1.0, 0.0]}).verdict == NOT_JUDGED


def test_an_order_is_judged_by_pairs_of_runs_with_the_same_seed():
    """Noise that both arms share does not hide a difference."""
    noise = np.array([0.0, 10.0, -20.0, 5.0])
    shift = np.array([1.0, 1.1, 0.9, 1.0])
    values = {"a": list(noise + shift), "b": list(noise)}
    assert judge(comparison("ordering", "a", "b"), None, values).verdict == AGREES
    assert judge(comparison("ordering", "b", "a"), None, values).verdict == DIFFERS
    values = {"a": [1.0, -1.0], "b": [0.0, 0.0]}
    assert judge(comparison("ordering", "a", "b"), None, values).verdict == UNDECIDED


# --- read-outs -------------------------------------------------------------------------------------------------------

class Made:
    """Results by hand."""
    def __init__(self, entered, left, hours, every_h=0.5):
        time_h = np.arange(0.0, hours + every_h, every_h)
        inside = [((entered <= t) & (left > t)).sum() for t in time_h]
        shed = [(entered <= t).sum() for t in time_h]
        self.series = dict(time_s=3600 * time_h, circulating=np.array(inside), arrested=0 * time_h, shed=np.array(shed),
                           tissue=np.full(len(time_h), 5e5), initial=np.full(len(time_h), 1e5))
        self.shed = np.zeros(len(entered), [("t_shed", float), ("t_event", float), ("n", int), ("origin", int), ("fate", int)])
        self.shed["t_shed"], self.shed["t_event"], self.shed["n"] = entered, left, 1

    def names(self, table):
        return {"origin": {0: "tumor"}}


@pytest.mark.statistical
def test_read_outs_of_constant_shedding_are_those_of_its_law():
    """A Poisson stream of 50/h for 800 h, lives of exponential law, mean 0.05 h. Count 2.5 on average at 800
    independent times: 2.2 % standard error; dispersion of 2,400 windows: 0.03. Bounds: 4 and more of these."""
    random = np.random.default_rng(3)
    entered = np.sort(random.uniform(0, 800, 40_000))
    made = Made(entered, entered + random.exponential(0.05, len(entered)), 800)
    assert readouts.shed_per_million_day(made) == pytest.approx(50 * 24 * 2, rel=0.03)
    assert readouts.clearance_half_life_s(made) == pytest.approx(math.log(2) * 180, rel=0.09)
    assert readouts.count_over_rate_times_life(made) == pytest.approx(1.0, rel=0.09)
    assert readouts.dispersion(made) == pytest.approx(1.0, abs=0.12)
    assert abs(readouts.dispersion_beyond_poisson(made)) < 4.0
    assert readouts.cells_ratio(made) == 5.0


@pytest.mark.statistical
def test_bursts_show_in_the_dispersion():
    """Rate 10/h, and 100/h in one hour of five: variance over mean of windows of 1/6 h is far above 1."""
    random = np.random.default_rng(4)
    entered = np.sort(np.concatenate([random.uniform(0, 400, 4000), *(random.uniform(t, t + 1, 90) for t in range(0, 400, 5))]))
    made = Made(entered, entered + 0.01, 400)
    assert readouts.dispersion(made) > 3 and readouts.dispersion_beyond_poisson(made) > 20


def test_shares_by_zone_are_those_of_the_second_half():
    made = SimpleNamespace(series=dict(time_s=np.array([0, 3600, 7200]), shed_core=np.array([0, 90, 96]),
                                       shed_border=np.array([0, 0, 3]), shed_outside=np.array([0, 0, 1])))
    assert readouts.inside_share(made) == 0.9 and readouts.core_share(made) == 0.6
    made.series |= {name: np.zeros(3) for name in ("shed_core", "shed_border", "shed_outside")}
    assert math.isnan(readouts.inside_share(made)) and math.isnan(readouts.core_share(made))


def test_distances_of_cells_come_from_the_last_rows_of_their_table():
    kind = [("time_s", int), ("below", float), ("cells", int), ("of", np.uint8)]
    rows = np.array([(0, 5, 9, 0), (60, 10, 10, 0), (60, 5, 80, 0), (60, np.inf, 10, 0), (60, 5, 7, 1)], kind)

    class Table(dict):
        def names(self, table):
            return {"of": {0: "tissue", 1: "shed"}}
    made = Table(distances=rows)
    assert readouts.cell_distance_mean_um(made) == pytest.approx(0.8 * 2.5 + 0.1 * 7.5 + 0.1 * 150)
    assert readouts.cell_distance_p90_um(made) == 7.5
    assert readouts.shed_distance_mean_um(made) == 2.5
    with pytest.raises(readouts.Missing, match="distances"):
        readouts.cell_distance_mean_um(Table())


@pytest.mark.parametrize("shed, detected, before", [(3600, 7200, 1.0), (7200, 7200, 0.0), (-1, 7200, 0.0), (3600, -1, 1.0),
                                                   (-1, -1, math.nan)])
def test_what_is_first_is_told_by_the_times_of_the_stages(shed, detected, before):
    made = SimpleNamespace(series={name: np.array([-1, at]) for name, at in (
        ("first_shed_s", shed), ("detected_s", detected), ("first_lesion_s", -1))} | dict(
            time_s=np.array([0, 14_400]), tissue=np.array([100, 300])))
    assert readouts.shed_before_detection(made) == pytest.approx(before, nan_ok=True)
    assert readouts.lesion_before_detection(made) == pytest.approx(math.nan if detected < 0 else 0.0, nan_ok=True)
    if before == 1.0 and detected > 0:
        assert readouts.shed_to_detection_days(made) == pytest.approx(1 / 24)
        assert readouts.cells_at_first_shed(made) == pytest.approx(150)


def test_a_column_that_is_not_there_is_said_to_be_missing():
    made = Made(np.array([0.1]), np.array([0.2]), 1)
    del made.series["tissue"]
    with pytest.raises(readouts.Missing, match="tissue"):
        readouts.shed_per_million_day(made)


# --- from end to end -------------------------------------------------------------------------------------------------

def test_a_small_experiment_is_run_compared_and_written_and_not_run_again(folder, tmp_path, capsys):
    out, page = tmp_path / "out", tmp_path / "validation.md"
    assert reproduce.run("all", out, jobs=2, write=page, folder=folder) == 0
    assert "small: Dividing cells become more: agrees" in capsys.readouterr().out
    table = (out / "small" / "table.csv").read_text()
    assert table.count("grows,") == table.count("rests,") == 2
    verdicts = json.loads((out / "small" / "verdict.json").read_text())["findings"]
    assert [found["verdict"] for found in verdicts] == [AGREES, AGREES] and verdicts[1]["value"] > 1
    assert (out / "small" / "figure.png").stat().st_size > 1000
    assert "| growth | at least 1.0 |" in page.read_text()
    files = {path: path.stat().st_mtime_ns for path in out.rglob(results.NAME)}
    assert len(files) == 4
    [one] = (out / "small").glob("*/rests/0001")
    shutil.rmtree(one)                                      # as if it had not run yet
    assert reproduce.run("small", out, folder=folder) == 0
    now = {path: path.stat().st_mtime_ns for path in out.rglob(results.NAME)}
    assert [path.parts[-3:-1] for path in files if files[path] != now[path]] == [("rests", "0001")]
    assert (out / "small" / "table.csv").read_text() == table


def test_runs_of_other_code_or_of_another_config_are_not_used_and_said_not_to_be(folder, tmp_path, capsys, monkeypatch):
    out, page = tmp_path / "out", tmp_path / "page.md"
    assert reproduce.run("small", out, folder=folder) == 0
    monkeypatch.setattr(reproduce_reuse, "of_code", lambda: "other code")
    (folder / "other.toml").write_text(EXPERIMENT.replace("Dividing", "Other"))
    capsys.readouterr()
    assert reproduce.run("other", out, write=page, folder=folder) == 0
    assert "| not with this version | not run |" in page.read_text()
    assert "| [small](#small) | Dividing cells become more | not run |" in page.read_text()
    assert "| [other](#other) | Other cells become more | agrees |" in page.read_text()
    assert reproduce.run("small", out, write=page, folder=folder) == 0
    assert "are not used" in capsys.readouterr().out
    assert "| [small](#small) | Dividing cells become more | agrees |" in page.read_text()
    assert "| [other](#other) | Other cells become more | agrees |" in page.read_text(), "the same code: it still holds"
    assert len(list((out / "small").glob("*/grows"))) == 2


def test_the_digest_of_the_code_is_that_of_what_runs_depend_on(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "studies").mkdir()
    (tmp_path / "model" / "a.py").write_text("x = 1")
    first = reproduce_reuse.of_code.__wrapped__(tmp_path)
    (tmp_path / "studies" / "b.py").write_text("y = 1")
    (tmp_path / "model" / "notes.txt").write_text("z")
    assert reproduce_reuse.of_code.__wrapped__(tmp_path) == first
    (tmp_path / "model" / "a.py").write_text("x = 2")
    assert reproduce_reuse.of_code.__wrapped__(tmp_path) != first


def test_what_is_missing_now_leaves_no_older_verdict(folder, tmp_path):
    out = tmp_path / "out"
    assert reproduce.run("small", out, folder=folder) == 0
    (folder / "small.toml").write_text(EXPERIMENT.replace("replicates = 2", 'replicates = 2\nneeds = "telepathy.enabled"'))
    assert reproduce.run("small", out, folder=folder) == 0
    stored = json.loads((out / "small" / "verdict.json").read_text())["findings"]
    assert {found["verdict"] for found in stored} == {NOT_YET}
    assert not (out / "small" / "table.csv").exists() and not (out / "small" / "figure.png").exists()


def test_controls_are_run_off_on_and_doubled_and_written_in_one_table(folder, tmp_path, capsys):
    (folder / "controls.toml").write_text(CONTROLS)
    (folder / "published.toml").write_text(PUBLISHED + BOUNDS)
    out, page = tmp_path / "out", tmp_path / "page.md"
    assert reproduce.listed(folder)[-2:] == ["A1             Cells divide", "A2             Cells read thoughts"]
    assert reproduce.run("controls", out, jobs=2, write=page, folder=folder) == 0
    told = json.loads((out / "A1" / "verdict.json").read_text())["findings"]
    assert [found["verdict"] for found in told] == [AGREES, AGREES] and told[1]["value"] == 1.0
    lines = page.read_text().splitlines()
    assert [line for line in lines if line.startswith("| A1 | Cells divide: none, once in 20 h, once in 10 h; 3 seeds "
                                                      "| `cells_ratio`, up | doubled ") and " | moves | " in line
            and line.endswith("doubled over off: 1 ± 0; 1.0 to 1.0 | holds |")], page.read_text()
    assert [line for line in lines if line.startswith("| A2 |") and line.count(NOT_YET) == 2]
    assert "| [small](#small) | Dividing cells become more | not run |" in lines


def test_what_is_wrong_in_a_control_is_told(folder):
    (folder / "published.toml").write_text(PUBLISHED + BOUNDS)
    (folder / "controls.toml").write_text(CONTROLS.replace("direction =", "directoin =").replace('"exact"', '"exakt"'))
    with pytest.raises(InputError) as error:
        reproduce_controls.read("A1", folder)
    assert "directoin" in str(error.value) and "did you mean" in str(error.value) and "exakt" in str(error.value)


def test_without_matplotlib_there_is_no_figure_and_no_failure(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(reproduce_picture, "draw", lambda *_: False)
    assert reproduce.run("small", tmp_path / "out", folder=folder) == 0
    assert "matplotlib is not installed" in capsys.readouterr().out


def test_what_this_version_has_no_mechanism_for_is_said_and_no_failure(folder, tmp_path, capsys):
    text = EXPERIMENT.replace("replicates = 2", 'replicates = 2\nneeds = "telepathy.enabled, growth.enabled"')
    (folder / "small.toml").write_text(text.replace("growth.enabled = false", "telepathy.enabled = true"))
    assert reproduce.run("small", tmp_path / "out", write=tmp_path / "page.md", folder=folder) == 0
    assert "this version has no telepathy.enabled" in capsys.readouterr().out
    assert NOT_YET in (tmp_path / "page.md").read_text()


def test_an_arm_whose_network_is_not_given_does_not_fail_the_others(folder, tmp_path, capsys):
    (folder / "small.toml").write_text(EXPERIMENT.replace("growth.enabled = false", 'vessels.file = "{networks}/a.csv"'))
    assert reproduce.run("small", tmp_path / "out", folder=folder) == 0
    shown = capsys.readouterr().out
    assert "a.csv is not part of metacascade: --networks DIR" in shown and "agrees     growth" in shown


def test_the_worst_verdict_counts():
    found = [SimpleNamespace(verdict=verdict) for verdict in (AGREES, UNDECIDED, NOT_YET, NOT_JUDGED, NOT_RUN)]
    assert overall(found) == UNDECIDED and overall(found[:1]) == AGREES
    assert reproduce_report.interval(reproduce_file.Row("", "", "", "", "s", None, 1.0, 2.0)) == "1.0 to 2.0 s"
    assert reproduce_report.interval(reproduce_file.Row("", "", "", "", "1", 3.0, 2.0)) == "3, at least 2.0"
