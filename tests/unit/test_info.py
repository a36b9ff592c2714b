"""`metacascade info` of directories: a run in a screen, and how far many runs are."""
import errno
import fcntl
import json
import os
import re
import shutil
import time
from types import SimpleNamespace

import pytest

import metacascade as mc
import small
from metacascade.__main__ import main
from metacascade.base.sheets import WIDTH
from metacascade.io import checkpoint, runlock
from metacascade.run import glance
from metacascade.studies import cohort_results, standing, sweep_plan, sweep_table

SCREEN = 40
QUICK = dict(run__duration="6 h", output__interval="1 h", output__checkpoint="2 h")
BASE = """
[run]
step = "1 h"
duration = "2 h"
[output]
interval = "1 h"
checkpoint = "1 h"
[tumor]
cells = 300
[oxygen]
initial_sweeps = 5
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run in which everything happens, done, and its last row."""
    out = tmp_path_factory.mktemp("info") / "run"
    with mc.Simulation(small.EXAMPLE, small.settings(**QUICK)).run(out) as results:
        return SimpleNamespace(out=out, last={name: values[-1] for name, values in results.series.items()},
                               alive=sum(row["alive"] for row in results.burdens() if row["organ"] != "tumor"),
                               organs={row["organ"] for row in results.burdens() if row["alive"]}, digest=results.digest)


def told(capsys, *arguments):
    """What a call of info prints."""
    assert main(["info", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def test_a_run_fits_a_screen_with_cells_organs_lesions_and_draws(run, capsys):
    lines = told(capsys, run.out).splitlines()
    assert len(lines) <= SCREEN and all(len(line) <= WIDTH for line in lines if str(run.out) not in line)
    text = "\n".join(lines)
    assert f"{run.last['tissue']:,}" in text and run.digest in text and "blood draws" in text
    all_organs = next(line for line in lines[lines.index("living lesions, single cells too"):] if line.startswith("  all "))
    assert int(all_organs.split()[1].replace(",", "")) == run.alive > 0
    assert text.count("tissue") == 2        # a name, and what it means: there is one account of cells and not three


def test_all_tells_each_file_in_full(run, capsys):
    lines = told(capsys, run.out, "--all").splitlines()
    assert len(lines) > 2 * SCREEN and f"    changed_voxel                {run.last['changed_voxel']} cells" in lines


@pytest.mark.parametrize("arguments", [["checkpoint.h5"], []], ids=["a file", "nothing"])
def test_all_is_refused_where_it_has_no_effect(run, arguments, capsys):
    assert main(["info", *(str(run.out / name) for name in arguments), "--all"]) == 2
    assert "--all is of the directory of a run" in capsys.readouterr().err


def test_how_a_run_stands_is_told_by_its_results_its_lock_and_its_status(tmp_path):
    status = {"written": 0}
    assert glance.standing(tmp_path, True) == "complete" and glance.standing(tmp_path, False) == "stopped"
    assert glance.standing(tmp_path, False, status) == "killed"
    (tmp_path / runlock.LOCK).touch()           # a killed run leaves it, and nobody has it
    assert glance.standing(tmp_path, False, status) == "killed"


def test_where_there_are_no_locks_a_new_status_says_that_a_run_goes_on(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")
    (tmp_path / runlock.LOCK).touch()
    monkeypatch.setattr(fcntl, "fcntl", refuse)
    assert glance.standing(tmp_path, False, {"written": time.time()}) == "running"
    assert glance.standing(tmp_path, False, {"written": time.time() - 2 * glance.FRESH_S}) == "killed"


def test_a_run_that_was_stopped_says_how_to_go_on(run, tmp_path, capsys):
    out = tmp_path / "run"
    out.mkdir()
    shutil.copy(run.out / "checkpoint.h5", out)
    assert f"{out}/checkpoint.h5: intact checkpoint, format {checkpoint.FORMAT}, day 0.25" in told(capsys, out)


def test_a_run_that_ends_while_it_is_looked_at_is_complete(run):
    """Its results were read before its end, its lock after it."""
    assert glance.standing(run.out, False) == glance.standing(run.out, False, {"written": 0}) == "complete"


def test_a_run_tells_the_checkpoints_that_it_keeps(run, tmp_path, capsys):
    out = tmp_path / "run"
    out.mkdir()
    for name in ("checkpoint.h5", "checkpoint.7200s.h5"):
        shutil.copy(run.out / "checkpoint.h5", out / name)
    assert "checkpoints kept: 2 h; metacascade branch" in told(capsys, out)


@pytest.fixture
def sweep(tmp_path):
    """The directory of a sweep of four members, none of which has been started; and its plan."""
    (tmp_path / "base.toml").write_text(BASE)
    (tmp_path / "s.toml").write_text('config = "base.toml"\nreplicates = 2\n[vary]\ntumor.cells = [200, 300]\n')
    plan = sweep_plan.opened(tmp_path / "out", tmp_path / "s.toml")
    sweep_plan.write(tmp_path / "out", plan)
    return tmp_path / "out", plan["members"]


def test_a_sweep_tells_which_members_run_and_which_have_failed(sweep, capsys):
    out, members = sweep
    directory = sweep_plan.folder(out, members[0])
    sweep_table.write_end(out, members[3], 1, 2.0)
    with runlock.locking(directory):
        (directory / "status.json").write_text(json.dumps(dict(
            format=1, time_s=43200, end_s=86400, left_s=90.0, days_per_min=1.0, written=0, step=1, totals={})))
        lines = told(capsys, out).splitlines()
    assert lines[0].endswith("4 members: 1 running, 1 failed, 2 waiting")
    assert any(line.startswith("0000") and "0.50 of 1" in line and "90 s left" in line for line in lines)
    assert any(line.startswith("0003") and "0003.log" in line for line in lines)


def test_the_time_left_of_a_sweep_is_that_of_who_runs_and_of_all_that_are_to_come(sweep, capsys):
    """One done in 100 s, one with 50 s left, one that failed and one that waits: 250 s of work, one at a time."""
    out, members = sweep
    members_are = standing.Members(out)
    sweep_table.write_end(out, members[0], 0, 100.0)
    sweep_plan.folder(out, members[1]).mkdir(parents=True)
    (sweep_plan.folder(out, members[1]) / "status.json").write_text(json.dumps(dict(format=1, left_s=50.0)))
    assert members_are._left(dict(enumerate(("done", "running", "failed", "waiting")))) == "; about 4.17 min left, 1 at a time"
    assert members_are._left(dict(enumerate(("failed", "running", "failed", "waiting")))) == ""
    assert members_are._left(dict(enumerate(("done", "done", "failed", "waiting")))) == ""


def test_rates_of_a_sweep_and_of_a_cohort_are_those_of_their_configs(sweep, tmp_path, capsys):
    assert "crowding.pressure_max" in told(capsys, "--rates", sweep[0], "tissue.divide")
    (tmp_path / "cohort").mkdir()
    config = json.loads(json.dumps(mc.Simulation(BASE_OF_COHORT).config.to_dict()))
    (tmp_path / "cohort" / "cohort.json").write_text(json.dumps({"cohort": {"patients": 40}, "config": config}))
    assert "blood.nk = 9/h" in told(capsys, "--rates", tmp_path / "cohort", "blood.nk")
    (tmp_path / "cohort" / "cohort.json").write_text("[]")
    assert main(["info", "--rates", str(tmp_path / "cohort")]) == 2
    assert "is not as metacascade writes it" in capsys.readouterr().err


BASE_OF_COHORT = {"run": {"duration": "2 h", "step": "1 h"}, "output": {"interval": "1 h"}, "tumor": {"cells": 1},
                  "blood": {"nk": "9/h"}}


def test_a_cohort_that_goes_on_tells_how_many_patients_are_done_and_the_time_left(tmp_path, capsys):
    (tmp_path / "cohort_parts").mkdir()
    (tmp_path / "cohort.json").write_text(json.dumps({"cohort": {"patients": 40, "title": "few"}}))
    for block in (0, 2):
        cohort_results.part(tmp_path, block).touch()
    assert "24 of 40 (60.0 %)" in told(capsys, tmp_path)        # the last part has eight
    with runlock.locking(tmp_path):
        began = (tmp_path / runlock.LOCK).stat().st_mtime
        os.utime(cohort_results.part(tmp_path, 0), (0, began - 86400))       # of a session of the day before
        os.utime(cohort_results.part(tmp_path, 2), (0, began - 86400))
        assert "left" not in told(capsys, tmp_path)
        os.utime(tmp_path / runlock.LOCK, (0, began - 60))
        os.utime(cohort_results.part(tmp_path, 2), (0, began))
        text = told(capsys, tmp_path)
    assert "running" in text and re.search(r"\(60.0 %\), 6[01](\.\d)? s left", text)       # one part in a minute, and one is missing


def test_a_cohort_whose_file_does_not_say_how_many_patients_has_those_of_the_default(tmp_path, capsys):
    (tmp_path / "cohort.json").write_text(json.dumps({"cohort": {"title": "many"}}))
    assert "0 of 1,000" in told(capsys, tmp_path)


def test_a_scaling_study_that_is_not_done_tells_what_was_measured(tmp_path, capsys):
    (tmp_path / "bench").mkdir()
    path = tmp_path / "bench" / "cells-1000.ranks-1.0.json"
    path.write_text(json.dumps({"figures": {"ranks": 1, "cells": 1000, "step_s": [0.25, 0.75]}}))
    text = told(capsys, tmp_path)
    assert "1 measurement, not done" in text and "1 rank, 1,000 cells: 0.5 s a step" in text
    path.write_text("{}")
    assert main(["info", str(tmp_path)]) == 2 and "is damaged" in capsys.readouterr().err
    (tmp_path / "scaling.json").write_text("[]")
    assert standing.is_scaling(tmp_path) and main(["info", str(tmp_path)]) == 2
    assert "scaling.json is not as metacascade writes it" in capsys.readouterr().err
