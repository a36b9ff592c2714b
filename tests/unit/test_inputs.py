"""Config and vessels are read and checked by every command, in the same way, before anything is made or queued."""
from pathlib import Path

import pytest

import metacascade as mc
from metacascade.__main__ import main
from metacascade.base.errors import SHOWN
from metacascade.config.config import load
from metacascade.io import checkpoint
from metacascade.ranks.parallel import serial_world
from metacascade.run import cluster, inputs
from metacascade.space import network_read

HEAD = "x1,y1,z1,x2,y2,z2,radius\n"
GOOD = HEAD + "-200,0,0,200,0,0,5\n0,-200,40,0,200,40,5\n-200,60,60,200,60,60,5\n"
WRONG = HEAD + "-200,0,0,200,0,0,five\n"
FAR = GOOD.replace("200,0,0", "200,9000,9000").replace("200,40", "9200,9040").replace("200,60,60", "200,9060,9060")
SMALL = GOOD.replace("200", "0.2").replace("40", "0.04").replace("60", "0.06").replace(",5\n", ",0.005\n")
CONFIG = """
[run]
step = "1 h"
duration = "2 h"
[output]
interval = "2 h"
checkpoint = "2 h"
[tumor]
cells = 500
[vessels]
file = "net.csv"
"""
SINFO = '#!/bin/sh\necho "debug* 1 2 64000"\n'
COMMANDS = {
    "check": "check {c}", "run": "run {c} --out {o}", "run over another": "run {c} --out {old} --overwrite",
    "dry run": "run {c} --out {o} --dry-run", "submit": "submit {c} --out {o} --time 1h",
    "submit's dry run": "submit {c} --out {o} --time 1h --dry-run", "sweep": "sweep {s} --out {o}",
    "sweep's dry run": "sweep {s} --out {o} --dry-run", "bench": "bench {c} --steps 1 --warm 0",
    "scaling": "scaling weak {c} --ranks 1 --out {o}",
    "branch": "branch {old}/checkpoint.h5 --out {o} --set vessels.file={n} --set run.duration=4h"}


@pytest.fixture(scope="module")
def former(tmp_path_factory):
    """The directory of a finished run with good vessels."""
    folder = tmp_path_factory.mktemp("former")
    (folder / "net.csv").write_text(GOOD)
    (folder / "run.toml").write_text(CONFIG)
    assert main(["run", str(folder / "run.toml"), "--out", str(folder / "old")]) == 0
    return folder / "old"


@pytest.fixture
def words(tmp_path, former, stand_in, monkeypatch):
    """``words(command, vessels)``: the arguments of a command whose config names vessels of this text."""
    stand_in(sinfo=SINFO, sbatch="#!/bin/sh\ntouch $0.called; echo 7\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv(cluster.VARIABLE, raising=False)

    def make(command, vessels):
        (tmp_path / "net.csv").write_text(vessels)
        (tmp_path / "run.toml").write_text(CONFIG)
        (tmp_path / "sweep.toml").write_text('config = "run.toml"\n[vary]\nrun.seed = [1, 2]\n')
        return COMMANDS[command].format(c=tmp_path / "run.toml", s=tmp_path / "sweep.toml", o=tmp_path / "out",
                                        n=tmp_path / "net.csv", old=former).split()
    return make


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("vessels, message", [
    (WRONG, "net.csv:2: radius = five: must be a number"), (FAR, "no vessel comes within 200 um of the tumor"),
    (SMALL, "Is this in mm?")], ids=["no number", "far away", "in mm"])
def test_every_command_refuses_the_vessels_that_a_run_would_refuse(command, vessels, message, words, former, tmp_path,
                                                                   capfd):
    before = {path: path.read_bytes() for path in former.rglob("*") if path.is_file()}
    assert main(words(command, vessels)) == 2
    assert message in capfd.readouterr().err
    assert not list(tmp_path.glob("out*")) and not (tmp_path / "sbatch.called").exists()
    assert before == {path: path.read_bytes() for path in former.rglob("*") if path.is_file()}


@pytest.mark.parametrize("command", ["check", "dry run", "submit", "sweep's dry run", "run"])
def test_every_command_tells_what_is_odd_in_the_vessels(command, words, capfd):
    assert main(words(command, GOOD + "0,0,0,0,0,0,5\n-200,0,0,200,0,0,5\n")) == 0
    said = capfd.readouterr()
    for doubt in ("1 segment of no length left out", "1 segment there a second time, left out"):
        assert said.err.count(doubt) == 1
    if command != "sweep's dry run":
        assert "median radius 5 um" in said.out and "ball of the tumor" in said.out


def test_submit_says_where_the_vessels_were_read(words, tmp_path, capfd):
    assert main(words("submit", GOOD)) == 0
    said = capfd.readouterr().out
    assert f"vessels: 3 segments of {tmp_path / 'net.csv'}" in said and "the job reads it again when it begins" in said


def test_all_problems_go_to_a_file_on_request(words, tmp_path, capfd):
    asked = ["--problems", str(tmp_path / "problems.txt")]
    wrong = HEAD + "0,0,0,1,0,0,x\n" * 500
    assert main([*words("check", wrong), *asked]) == 2
    assert len(capfd.readouterr().err.splitlines()) == SHOWN + 2
    assert len((tmp_path / "problems.txt").read_text().splitlines()) == 500
    assert main([*words("check", GOOD + "0,0,0,0,0,0,5\n" * 7), *asked]) == 0
    assert [line.partition("net.csv")[2] for line in (tmp_path / "problems.txt").read_text().splitlines()] == [
        f":{line}: both ends are the same point: left out" for line in range(5, 12)]


def test_a_list_of_problems_replaces_no_file_but_an_earlier_one(words, tmp_path, capfd):
    asked = words("check", GOOD)
    before = (tmp_path / "net.csv").read_bytes()
    assert main([*asked, "--problems", str(tmp_path / "net.csv")]) == 2
    assert "is there and no list of problems: choose another for --problems" in capfd.readouterr().err
    assert (tmp_path / "net.csv").read_bytes() == before


def test_a_branch_has_the_vessels_of_its_checkpoint_unless_others_are_named(former, tmp_path, capfd):
    (tmp_path / "net.csv").write_text(GOOD + "-200,-60,0,200,-60,0,5\n")
    for out, settings, segments in (("a", [], 3), ("b", ["--set", f"vessels.file={tmp_path / 'net.csv'}"], 4),
                                    ("c", ["--set", "vessels.maturity_mean=0.9"], 3)):
        words = ["branch", str(former / "checkpoint.h5"), "--out", str(tmp_path / out), "--set", "run.duration=3 h"]
        assert main([*words, *settings]) == 0
        saved = checkpoint.read(serial_world(), tmp_path / out / "checkpoint.h5").segments
        assert len(saved) == segments and (saved["maturity"] > 0.8).all() == (out == "c")


def test_a_branch_tells_of_a_trait_with_another_founder(former, tmp_path, capfd):
    start = ["branch", str(former / "checkpoint.h5"), "--set", "run.duration=3 h", "--set", "competence.enabled=true"]
    assert main([*start, "--out", str(tmp_path / "a"), "--set", "competence.founder=0.3"]) == 0
    assert "its founder is" not in capfd.readouterr().err                       # the trait is new: there is no other
    again = ["branch", str(tmp_path / "a"), "--out", str(tmp_path / "b"), "--set", "run.duration=4 h"]
    assert main([*again, "--set", "competence.founder=0.6"]) == 0
    assert "competence: its founder is 0.6 and was 0.3: the clones of the checkpoint keep" in capfd.readouterr().err


def test_a_dry_run_refuses_a_directory_that_a_run_would_refuse(words, former, tmp_path, capfd):
    (tmp_path / "file").touch()

    def into(out):
        given = [*words("dry run", GOOD)]
        given[given.index("--out") + 1] = str(out)
        return given
    for out, message in ((former, "holds files already"), (tmp_path / "file", "is a file")):
        assert main(into(out)) == 2
        assert message in capfd.readouterr().err
    assert main([*into(former), "--overwrite"]) == 0


def test_vessels_that_many_configs_share_are_read_once(tmp_path, monkeypatch):
    from metacascade.config.config import build
    from metacascade.config.read import parse_text
    (tmp_path / "net.csv").write_text(GOOD)
    calls = []
    monkeypatch.setattr(network_read, "read", lambda vessels, read=network_read.read: (
        calls.append(1), read(vessels))[1])
    read_file = inputs.reading_once()
    found = [inputs.of(build(parse_text(f"{CONFIG}seed = {k}\noffset = [\"{k} um\", \"0 um\", \"0 um\"]", "x", str(tmp_path))),
                       read_file) for k in range(5)]
    assert len(calls) == 1 and [one.segments["ax"][0] for one in found] == [-200, -199, -198, -197, -196]
    assert Path(found[0].network.path) == tmp_path / "net.csv"


@pytest.mark.parametrize("command", ["check", "dry run", "run", "submit", "sweep's dry run"])
def test_an_injection_into_a_tumor_without_vessels_in_reach_is_refused_early(command, words, tmp_path, capfd):
    far = HEAD + "-200,0,190,200,0,190,5\n"           # near enough for oxygen, not for cells
    asked = words(command, far)
    (tmp_path / "run.toml").write_text(CONFIG.replace("500", "1") + '[tissue]\nvoxel = "10 um"\n[migration]\nspeed = '
                                       '"2 um/h"\n[[injection]]\nnode = "tumor"\ncells = 5\n')
    assert main(asked) == 2
    assert "no perfused vessel is in reach of the tumor" in capfd.readouterr().err
    assert not list(tmp_path.glob("out*"))


def test_a_vessel_file_keeps_its_whole_name_however_often_settings_change(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.csv").write_text("x1,y1,z1,x2,y2,z2,radius\n0,0,0,9,9,9,5\n")
    first = load({"tumor": {}}).with_overrides(["vessels.file=net.csv"])
    assert first.vessels.file == str(tmp_path / "net.csv")
    monkeypatch.chdir("/")
    assert first.with_overrides(["run.duration=12 days"]).vessels == first.vessels


def test_a_draw_of_more_blood_than_there_is_is_told_and_recorded_as_what_it_takes(tmp_path, capsys):
    config = load({"run": {"duration": "1 h"}, "draw": [{"node": "venous", "time": "30 min", "volume": "1 L"}],
                   "injection": [{"node": "venous", "time": "10 min", "cells": 50}], "tumor": {"cells": 100}})
    assert any("draw[0].volume = 1000 mL is more than" in line for line in inputs.of(config).warnings)
    results = mc.Simulation(config).run(tmp_path / "out")
    assert results.draws["volume_mL"][0] < 1000 and "draw[0].volume" in capsys.readouterr().err


def test_a_branch_that_would_end_where_it_begins_is_refused(former, tmp_path, capfd):
    assert main(["branch", str(former), "--out", str(tmp_path / "b")]) == 2
    assert "nothing would happen: --set a longer run.duration" in capfd.readouterr().err
    assert not (tmp_path / "b").exists()


def test_rates_columns_and_efficiency_are_told_of_the_config_of_a_run_too(former, capsys):
    assert main(["info", "--rates", str(former), "growth", "tissue.divide"]) == 2       # no rate begins with the first
    assert main(["info", "--rates", str(former), "tissue.divide"]) == 0
    assert "growth.division_time = 24 h (convention: " in capsys.readouterr().out
    assert main(["info", "--columns", str(former / "results.h5")]) == main(["efficiency", str(former)]) == 0
    assert " growing metastases for each single cell that is shed" in capsys.readouterr().out
