"""Scaling studies: what is measured, kept, compared and refused. Most with made-up figures, one on ranks."""
import csv
import json
import os
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest

import measured
from metacascade.base import stopsignals
from metacascade.base.errors import DONE, FAILED, STOPPED_EARLY, InputError, RunError
from metacascade.config.presets import text
from metacascade.run import cluster
from metacascade.studies import scaling, scaling_doubts, scaling_table
from metacascade.studies.scaling import Case, numbers, planned, study


@pytest.fixture
def config(tmp_path):
    file = tmp_path / "small.toml"
    file.write_text(text("mouse_breast_fixed").replace("1_000_000", "1000"))
    return file


@pytest.fixture
def bench(monkeypatch):
    """A stand-in for `metacascade bench`; it remembers what was measured, and ends as `digest(case)` says."""
    found = SimpleNamespace(cases=[], arguments=[], digest=lambda case: None)

    def measure(case, arguments):
        found.cases.append(case)
        found.arguments.append(arguments)
        return measured.figures(case.cells, case.ranks, found.digest(case), step_s=0.1 * (1 + case.number))
    monkeypatch.setattr(scaling, "_bench", measure)
    return found


@pytest.fixture
def launcher(monkeypatch):
    """``launcher(code)``: Python code that is run in place of the ranks."""
    def use(code):
        monkeypatch.setattr(cluster, "site", lambda: SimpleNamespace(
            launch=(sys.executable,), command=lambda ranks: [sys.executable, "-c", f"import sys, json; ranks = {ranks}; {code}; sys.exit(0)"]))
    return use


# --- what is measured ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("given, ranks", [("1,2,4", [1, 2, 4]), ("8, 2", [2, 8]), ("1e3,1e5", [1000, 100_000])])
def test_ranks_are_numbers_with_commas(given, ranks):
    assert numbers(given) == ranks


@pytest.mark.parametrize("given, message", [
    ("0", "'0' is not a whole number from 1 on"), ("1,x", "'x' is not"), ("", "'an empty place' is not"),
    ("1,,2", "'an empty place' is not"), ("-2", "'-2' is not"), ("1.5", "'1.5' is not"), ("inf", "'inf' is not"),
    ("nan", "'nan' is not"), ("1,1", "1 is there twice; to measure more than once use --repeat")])
def test_wrong_ranks_are_named(given, message):
    with pytest.raises(InputError, match=f"--ranks {given}: {message}"):
        numbers(given)


def test_a_strong_study_measures_one_tumor_again_and_again():
    assert planned("strong", 100, [1, 4], 2, True) == [Case(100, 1, 0), Case(100, 1, 1), Case(100, 4, 0), Case(100, 4, 1)]


def test_a_weak_study_measures_each_size_on_fewer_ranks_too():
    assert planned("weak", 100, [1, 2, 8], 1, True) == [
        Case(100, 1), Case(200, 2), Case(200, 1), Case(800, 8), Case(800, 2)]
    assert planned("weak", 100, [1, 2], 1, False) == [Case(100, 1), Case(200, 2)]


def test_bench_gets_the_settings_and_the_cells(bench, config, tmp_path):
    assert study("weak", config, tmp_path / "out", "2", ["run.seed=3"], steps=5, warm=0) == DONE
    assert bench.arguments == [[str(config), "--json", "--steps", "5", "--warm", "0", "--set", "run.seed=3",
                                "--set", "tumor.cells=2000"]]


# --- what comes of it ---------------------------------------------------------------------------------------

def test_a_study_that_agrees_is_done_and_writes_table_and_figures(bench, config, tmp_path, capsys):
    assert study("weak", config, tmp_path / "out", "1,2,4", repeat=3) == DONE
    rows = list(csv.DictReader(open(tmp_path / "out" / "scaling.csv", newline="")))
    assert [row["ranks"] for row in rows] == ["1", "2", "4"] and [row["cells"] for row in rows] == ["1000", "2000", "4000"]
    assert {row["step_s"] for row in rows} == {"0.2"} and {row["step_s_max"] for row in rows} == {"0.30000000000000004"}
    found = json.loads((tmp_path / "out" / "scaling.json").read_text())
    assert found["kind"] == "weak" and len(found["cases"]) == 3 * 3 + 2 and found["disagreements"] == []
    printed = capsys.readouterr().out
    assert "4*" in printed and "more ranks than cores: counts of work, messages and bytes are exact" in printed


@pytest.mark.parametrize("kind", ["strong", "weak"])
def test_digests_that_disagree_are_named_and_fail(bench, config, tmp_path, capsys, kind):
    bench.digest = lambda case: "b" * 64 if case.ranks == 4 else "a" * 64
    assert study(kind, config, tmp_path / "out", "1,2,4") == FAILED
    assert "digests disagree for " in (complaint := capsys.readouterr().err)
    assert f"{'a' * 16} on 1, 2; {'b' * 16} on 4" in complaint if kind == "strong" else "on 4; aaaa" in complaint
    assert (tmp_path / "out" / "scaling.csv").exists()


def test_speed_up_and_efficiency_are_against_the_fewest_ranks():
    cases = [dict(cells=1000, ranks=n, number=0, figures=measured.figures(1000, n, step_s=s))
             for n, s in ((2, 0.4), (4, 0.25))]
    strong = scaling_table.rows("strong", 1000, cases)
    assert [row["speedup"] for row in strong] == pytest.approx([1.0, 1.6])
    assert [row["efficiency"] for row in strong] == pytest.approx([1.0, 0.8])
    for case, cells in zip(cases, (2000, 4000)):
        case["cells"] = cells
    assert scaling_table.rows("weak", 1000, cases)[1]["efficiency"] == pytest.approx(1.6)


def test_a_row_has_the_exact_counts_of_its_ranks():
    row, = scaling_table.rows("strong", 9000, [dict(cells=9000, ranks=4, number=0, figures=measured.figures(9000, 4))])
    assert row["halo_messages_max"] == row["halo_messages_mean"] == 50 and row["route_messages_max"] == 3
    assert row["route_bytes_mean"] == 1000 and row["collectives"] == 7 and row["neighbors_max"] == 10
    assert row["halo_bytes_max"] > row["halo_bytes_mean"] > 0
    assert row["imbalance_work"] > 0 and scaling_table.imbalance([1, 3]) == 0.5


def test_without_matplotlib_all_else_is_written_and_it_is_said(bench, config, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert study("strong", config, tmp_path / "out", "1,2") == DONE
    assert 'no picture: matplotlib is not installed: pip install "metacascade[report]"' in capsys.readouterr().out
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["bench", "scaling.csv", "scaling.json"]


def test_the_picture_is_a_png(bench, config, tmp_path):
    pytest.importorskip("matplotlib")
    study("strong", config, tmp_path / "out", "1,2,4")
    assert (tmp_path / "out" / "scaling.png").read_bytes().startswith(b"\x89PNG")


# --- going on, and what is refused --------------------------------------------------------------------------

def test_a_study_goes_on_with_what_is_missing(bench, config, tmp_path):
    study("strong", config, tmp_path, "1,2")
    study("strong", config, tmp_path, "1,2,4")
    assert [case.ranks for case in bench.cases] == [1, 2, 4]
    study("strong", config, tmp_path, "2", overwrite=True)
    assert [path.name for path in (tmp_path / "bench").iterdir()] == ["cells-1000.ranks-2.0.json"]


def test_measurements_of_other_settings_are_not_mixed(bench, config, tmp_path):
    study("strong", config, tmp_path, "1")
    with pytest.raises(InputError, match="(?s)other settings.*config.run.seed: 1 there, 5 now\n.*steps: 8 there, 9 now"):
        study("strong", config, tmp_path, "1", ["run.seed=5"], steps=9)
    with pytest.raises(InputError, match="kind: strong there, weak now"):
        study("weak", config, tmp_path, "1")


@pytest.mark.parametrize("change", [
    lambda kept: {}, lambda kept: {"figures": {}}, lambda kept: kept | {"figures": {}},
    lambda kept: kept | {"figures": kept["figures"] | {"per_rank": []}},
    lambda kept: kept | {"figures": kept["figures"] | {"ranks": 2}}, None])
def test_a_damaged_measurement_is_named(bench, config, tmp_path, change):
    study("strong", config, tmp_path, "1")
    path = tmp_path / "bench" / "cells-1000.ranks-1.0.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))) if change else "")
    with pytest.raises(InputError, match="cells-1000.ranks-1.0.json is damaged: remove it"):
        study("strong", config, tmp_path, "1")


def test_a_weak_study_needs_a_tumor(bench, tmp_path):
    file = tmp_path / "a.toml"
    file.write_text(text("injection_liver"))
    with pytest.raises(InputError, match=r"multiplies tumor.cells, but there is no \[tumor\]"):
        study("weak", file, tmp_path / "out", "1")


def test_more_ranks_than_this_machine_can_hold_are_refused_unless_a_cluster_starts_them(
        bench, config, tmp_path, monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    most = cluster.RANKS_PER_CORE * len(os.sched_getaffinity(0))
    with pytest.raises(InputError, match="1,000,000 ranks cannot be started here: .* and more than 128 ranks a core"):
        study("strong", config, tmp_path / "out", "1,1e6")
    assert bench.cases == [] and not (tmp_path / "out").exists()
    assert study("strong", config, tmp_path / "out", f"{most}") == DONE
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    assert study("strong", config, tmp_path / "out", f"{most + 1}") == DONE
    monkeypatch.delenv("SLURM_JOB_ID")
    assert study("strong", config, tmp_path / "out", f"{most},{most + 1}") == DONE, "both are measured already"


def test_a_study_under_mpiexec_is_refused(bench, config, tmp_path, monkeypatch):
    monkeypatch.setenv("PMI_SIZE", "2")
    with pytest.raises(InputError, match="start it once, without mpiexec or srun"):
        study("strong", config, tmp_path, "1")


@pytest.mark.parametrize("code, kind, message", [
    ("print('no core left', file=sys.stderr); sys.exit(1)", RunError, "2 ranks, 1000 cells: exit code 1\nno core left"),
    ("print('wrong PMI', file=sys.stderr); sys.exit(2)", InputError, "2 ranks, 1000 cells: exit code 2\nwrong PMI"),
    ("print('hello')", RunError, "printed no figures of 2 ranks"),
    ("print(json.dumps(dict(ranks=1)))", RunError, "printed no figures of 2 ranks")])
def test_a_measurement_that_fails_is_named_with_what_it_said(launcher, config, tmp_path, code, kind, message):
    launcher(code)
    with pytest.raises(kind, match=message):
        study("strong", config, tmp_path / "out", "2")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["bench"]


def test_figures_are_found_among_the_lines_of_a_launcher(launcher, config):
    launcher("print('starting'); print(json.dumps(dict(ranks=ranks))); print('done')")
    assert scaling._bench(Case(1, 3), []) == {"ranks": 3}


@pytest.mark.parametrize("number", stopsignals.ALL)
def test_a_study_that_is_told_to_stop_ends_its_ranks_and_exits_with_75(config, tmp_path, number):
    launch, pid = tmp_path / "launch", tmp_path / "pid"
    launch.write_text(f"#!/bin/sh\necho $$ > {pid}.tmp; mv {pid}.tmp {pid}\nexec sleep 100\n")
    launch.chmod(0o755)
    (tmp_path / "site.conf").write_text(f"LAUNCH={launch}\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "metacascade", "scaling", "strong", config, "--ranks", "1", "--out", tmp_path / "out"],
        env=os.environ | {"METACASCADE_SITE": str(tmp_path / "site.conf"), "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE, text=True, start_new_session=True)
    end = time.monotonic() + 60
    while not pid.exists() and time.monotonic() < end:
        time.sleep(0.02)
    process.send_signal(number)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == STOPPED_EARLY and "the same command goes on" in printed
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_a_signal_while_ranks_are_being_started_leaves_none_behind(launcher, config, tmp_path, monkeypatch):
    launcher("import time; time.sleep(100)")
    threading.Thread(target=time.sleep, args=(5,), daemon=True).start()      # the system may hand it the signal
    started, begin = [], subprocess.Popen

    def with_a_signal(*arguments, **options):
        if "bench" not in arguments[0]:
            return begin(*arguments, **options)
        started.append(begin(*arguments, **options))
        os.kill(os.getpid(), signal.SIGTERM)
        return started[0]
    monkeypatch.setattr(subprocess, "Popen", with_a_signal)
    assert study("strong", config, tmp_path / "out", "2") == STOPPED_EARLY
    assert [process.poll() for process in started] == [-signal.SIGTERM]


# --- on ranks -----------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def small_study(mpirun, tmp_path_factory):
    """A strong study of a small tumor on 1 and 2 ranks, through the command line: (what it printed, folder)."""
    from conftest import run
    folder = tmp_path_factory.mktemp("study")
    (folder / "small.toml").write_text(text("mouse_breast_fixed").replace("1_000_000", "6_000"))
    done = run([sys.executable, "-m", "metacascade", "scaling", "strong", str(folder / "small.toml"), "--ranks", "1,2",
                "--steps", "2", "--warm", "1", "--set", "intravasation.hazard=5/day", "--out", str(folder / "out")], 120, True)
    return done.stdout, folder / "out"


@pytest.mark.mpi
def test_one_and_two_ranks_end_in_the_same_state(small_study):
    printed, out = small_study
    assert "digests agree" in printed
    rows = list(csv.DictReader(open(out / "scaling.csv", newline="")))
    assert [row["ranks"] for row in rows] == ["1", "2"] and rows[0]["digest"] == rows[1]["digest"]


@pytest.mark.mpi
def test_two_ranks_send_one_message_each_in_every_halo_exchange(small_study):
    alone, two = json.loads((small_study[1] / "scaling.json").read_text())["cases"]
    assert alone["figures"]["messages_per_step"] == 0 == alone["figures"]["collectives_per_step"]
    for rank in two["figures"]["per_rank"]:
        assert rank["neighbors"] == 1
        assert rank["traffic"]["halo"]["count"] == 2 * 2 + 2 * 3      # steps x (counts, fields), visits of one
        face = 2 * (64 * 2 + 2 * 64 * 4) + (3 + 2) * 64 * 4     # counts and fields, oxygen and pressure at each visit
        faces = rank["traffic"]["halo"]["bytes"] / face
        assert faces == int(faces) > 0
    sent = [rank["traffic"]["halo"]["bytes"] for rank in two["figures"]["per_rank"]]
    assert sent[0] == sent[1], "what two ranks share has as many faces on either side"


@pytest.mark.mpi
def test_counted_work_of_two_ranks_is_that_of_one(small_study):
    alone, two = json.loads((small_study[1] / "scaling.json").read_text())["cases"]
    for counter in ("cell_updates", "tile_sweeps", "passages", "tiles", "cells"):
        total, = (rank[counter] for rank in alone["figures"]["per_rank"])
        assert sum(rank[counter] for rank in two["figures"]["per_rank"]) == total > 0


@pytest.mark.mpi
def test_the_small_study_can_be_projected(small_study, metacascade):
    done = metacascade("scaling", "project", small_study[1], "--cells", "1e10", check=True)
    assert "strong scaling: 10,000,000,000 cells in all" in done.stdout and "100,000" in done.stdout


# --- what is worth a look --------------------------------------------------------------------------------------

CELLS = 1_000_000       # of made-up figures: 700 tiles


def doubts(*figures, ranks=2, cells=CELLS):
    """What is told of made-up measurements of one tumor, changed by ``change(figures)``."""
    cases = []
    for number, change in enumerate(figures):
        made = measured.figures(cells, ranks) | {"oversubscribed": False}
        change(made)
        cases.append(dict(cells=cells, ranks=ranks, number=number, figures=made))
    return scaling_doubts.of(scaling_table.rows("strong", cells, cases), cases)


def busy(made):
    for rank in made["per_rank"]:
        rank["wall_s"] = {stage: seconds / 0.6 for stage, seconds in rank["wall_s"].items()}


def test_a_quiet_machine_and_a_large_tumor_leave_nothing_to_be_told():
    assert doubts(lambda made: None) == []


def test_a_busy_machine_is_told_by_wall_and_cpu_time():
    line, = doubts(busy)
    assert line.startswith("2 ranks: computing had a core for 60% of its time") and "idle" in line


def test_waiting_is_no_sign_of_a_busy_machine():
    def waits(made):
        for rank in made["per_rank"]:
            rank["wall_s"]["tissue"] += 1.0
            rank["waited_s"]["tissue"] += 1.0
    assert doubts(waits) == []


def test_ranks_on_fewer_cores_than_ranks_are_told_of_elsewhere():
    assert doubts(lambda made: (busy(made), made.update(oversubscribed=True))) == []


def test_ranks_that_mostly_wait_and_ranks_with_too_few_tiles_are_told():
    line, = doubts(lambda made: made.update(communication_share=0.7))
    assert line.startswith("2 ranks: computing is 30% of the time")
    line, = doubts(lambda made: None, cells=2000)
    assert "tiles a rank (1,000 cells)" in line
    assert doubts(lambda made: None, cells=2000, ranks=1) == []


def test_measurements_that_differ_and_ranks_that_slow_it_down_are_told():
    line, = doubts(lambda made: made.update(step_s=[0.1]), lambda made: made.update(step_s=[0.2]))
    assert "2.00 times as long as the fastest" in line
    cases = [dict(cells=CELLS, ranks=ranks, number=0, figures=measured.figures(CELLS, ranks, step_s=0.1 * ranks))
             for ranks in (1, 2)]
    assert scaling_doubts.of(scaling_table.rows("strong", CELLS, cases), cases) == [
        "2 ranks: a step took 2.00 times as long as on 1"]


def test_doubts_are_printed_and_kept(bench, config, tmp_path, capsys):
    assert study("strong", config, tmp_path / "out", "1,2") == DONE
    told = json.loads((tmp_path / "out" / "scaling.json").read_text())["doubts"]
    assert told and all(f"warning: {line}" in capsys.readouterr().err for line in told[:1])
