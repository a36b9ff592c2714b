"""Sweeps from a checkpoint, with points that have names and only what differs, and the comparison in the end."""
import csv

import pytest

import metacascade as mc
from metacascade.__main__ import main
from metacascade.base.errors import InputError
from metacascade.studies import sweep_plan, sweep_stored

BASE = """
[run]
seed = 7
step = "1 h"
duration = "3 h"
[output]
interval = "1 h"
checkpoint = "1 h"
[tumor]
cells = 300
[oxygen]
initial_sweeps = 4
[crowding]
enabled = false
[intravasation]
hazard = "2/day"
"""
POINTS = """
title = "Shedding"
from = "run"
design = "list"
replicates = 2
[set]
run.duration = "5 h"
[[point]]
name = "as it is"
[[point]]
name = "often"
intravasation.hazard = "8/day"
[compare]
columns = ["shed", "lesions_lung"]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A finished run of 3 h beside the file of a sweep."""
    folder = tmp_path_factory.mktemp("points")
    (folder / "base.toml").write_text(BASE)
    (folder / "points.toml").write_text(POINTS)
    mc.Simulation(folder / "base.toml").run(folder / "run")
    return folder


@pytest.fixture(scope="module")
def done(folder, metacascade):
    """The directory of the sweep, and what it printed."""
    said = metacascade("sweep", folder / "points.toml", "--out", folder / "out", "--jobs", "2", check=True, timeout=240).stdout
    return folder / "out", said


def opened(folder, text, out="new"):
    path = folder / "other.toml"
    path.write_text(text)
    return sweep_plan.opened(folder / out, path)


def table(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_members_go_on_from_the_checkpoint_with_what_differs(folder, done):
    assert (done[0] / "start.h5").read_bytes() == (folder / "run" / "checkpoint.h5").read_bytes()
    rows = table(done[0] / "sweep.csv")
    assert [row["name"] for row in rows] == ["as it is"] * 2 + ["often"] * 2
    assert [row["intravasation.hazard [1/day]"] for row in rows] == ["", "", "8", "8"], "empty: as it was"
    assert {row["status"] for row in rows} == {"done"} and {row["time_s"] for row in rows} == {str(5 * 3600)}
    with mc.open(done[0] / "0000") as results:
        assert results.series["time_s"][0] == 4 * 3600


def test_the_first_replicate_of_a_point_without_changes_is_the_run_itself_gone_on(folder, done, tmp_path, metacascade):
    metacascade("branch", folder / "run", "--out", tmp_path / "on", "--set", "run.duration=5 h", check=True)
    with mc.open(tmp_path / "on") as results:
        assert results.digest == table(done[0] / "sweep.csv")[0]["digest"]


def test_means_and_differences_in_pairs_are_told_in_the_end_by_info_and_in_a_file(done, capsys):
    out, said = done
    assert main(["info", str(out)]) == 0
    told = capsys.readouterr().out
    for text in (said, told):
        assert "2 points from a checkpoint at 3 h, 2 replicates each" in text and "minus as it is, in pairs" in text
        assert max(map(len, text[text.index("Shedding"):].splitlines()[:8])) <= 80
    rows, compared = table(out / "sweep.csv"), table(out / "points.csv")
    shed = [float(row["shed"]) for row in rows]
    assert [(row["column"], row["point"]) for row in compared[:2]] == [
        ("shed", "as it is"), ("shed", "often")] and len(compared) == 4
    assert float(compared[1]["mean"]) == pytest.approx((shed[2] + shed[3]) / 2)
    assert float(compared[1]["difference"]) == pytest.approx((shed[2] - shed[0] + shed[3] - shed[1]) / 2)


def test_what_is_compared_may_be_another_thing_in_the_next_call(folder, done):
    other = POINTS.replace('columns = ["shed", "lesions_lung"]', 'columns = ["tissue"]\nagainst = "often"')
    found = opened(folder, other, "out")
    assert found["compare"] == {"columns": {"tissue": "cells"}, "against": 1}
    assert found["members"] == sweep_stored.read(done[0] / "members.json")["members"]


@pytest.mark.parametrize("change, message", [
    (('columns = ["shed"', 'columns = ["shedd"'), "is no column that all points have"),
    (("[compare]", '[compare]\nagainst = "oft"'), "is no point .did you mean 'often'"),
    (('run.duration = "5 h"', ""), "every member: run.duration: the checkpoint is at 3 h"),
    (('from = "run"', 'from = "nowhere"'), 'from = "nowhere": cannot read'),
    (('from = "run"', 'from = "run"\nconfig = "base.toml"'), 'needs config = .* or from = "CHECKPOINT"')])
def test_what_cannot_be_is_refused_before_anything_is_written(folder, change, message):
    with pytest.raises(InputError, match=message):
        opened(folder, POINTS.replace(*change))
    assert not (folder / "new").exists()


def test_points_of_a_grid_are_named_by_their_values(folder):
    found = opened(folder, 'config = "base.toml"\n[vary]\nblood.nk = ["0/h", "1/h"]\ntumor.cells = [300]\n')
    assert found["names"] == ["blood.nk = 0/h, tumor.cells = 300", "blood.nk = 1/h, tumor.cells = 300"]


def test_points_need_not_name_the_same_parameters(folder):
    more = '[[point]]\nblood.nk = "0/h"\ntumor.cells = 200\n'
    found = opened(folder, POINTS.replace("[compare]", more + "[compare]").replace('from = "run"', 'config = "base.toml"').replace(
        'name = "as it is"', ""))
    assert found["units"] == {"intravasation.hazard": "1/day", "blood.nk": "1/h", "tumor.cells": ""}
    assert found["names"] == ["no change", "often", "blood.nk = 0/h, tumor.cells = 200"]


def test_runs_of_one_config_are_one_point(folder):
    assert opened(folder, 'config = "base.toml"\nreplicates = 3\n')["names"] == ["all"]


def test_the_plan_of_a_former_version_is_read_without_a_comparison(folder, tmp_path, capsys):
    found = opened(folder, 'config = "base.toml"\nreplicates = 2\n')
    former = {key: value for key, value in found.items() if key not in ("told", "title", "names", "compare", "start")}
    sweep_plan.write(tmp_path / "out", former)
    assert main(["info", str(tmp_path / "out")]) == 0 and "2 waiting" in capsys.readouterr().out
