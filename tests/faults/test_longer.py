"""A finished run that is made longer is the longer run: state, rows and series, on any ranks."""
import sys

import pytest

import small
from metacascade.io import checkpoint
from metacascade.ranks.parallel import serial_world
from metacascade.run import commands

pytestmark = [pytest.mark.mpi, pytest.mark.skipif(sys.platform != "linux", reason="locks")]
PLAN = dict(output__interval="4 h", output__checkpoint="6 h", tumor__cells=4_000)


def longer(hours):
    return "--set", f'run.duration="{hours} h"'


def test_made_longer_again_and_again_it_equals_the_run_that_was_long_from_the_start(mpirun, tmp_path):
    """Ends that are due for nothing, for a checkpoint, for an output, and for both."""
    whole, out = tmp_path / "whole", tmp_path / "out"
    assert commands.run(small.EXAMPLE, whole, small.settings(**PLAN, run__duration="13 h")) == 0
    mpirun(2, "metacascade", "run", small.EXAMPLE, "--out", out, *small.arguments(**PLAN, run__duration="5 h"))
    for ranks, hours in ((1, 6), (2, 8), (3, 12), (1, 13)):
        if ranks > 1:
            mpirun(ranks, "metacascade", "resume", out, *longer(hours))
        else:
            assert commands.resume(out, [longer(hours)[1]]) == 0
        assert small.last(out)["time_s"] == hours * 3600
    assert small.content(out) == small.content(whole)
    assert {path.name for path in out.iterdir()} == {path.name for path in whole.iterdir()}


def test_what_would_change_the_past_is_refused_and_the_run_left_as_it_is(metacascade, tmp_path):
    out = tmp_path / "out"
    metacascade("run", small.EXAMPLE, "--out", out, *small.arguments(**PLAN, run__duration="2 h"), check=True)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    for setting, words in (("run.seed=3", "branch"), ('run.duration="1 h"', "already"),
                           ('run.duration="150 min"', "multiple")):
        done = metacascade("resume", out, "--set", setting)
        assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr, done.stderr
    done = metacascade("resume", out, *longer(2))
    assert done.returncode == 0 and "nothing to resume" in done.stdout
    assert {path.name: path.read_bytes() for path in out.iterdir() if path.name != "run.lock"} == before


def test_a_finished_run_goes_on_from_its_end_alone(mpirun, tmp_path):
    """From the checkpoint before it rows would be there twice, and others not at all."""
    out = tmp_path / "out"
    assert commands.run(small.EXAMPLE, out, small.settings(**PLAN, run__duration="7 h")) == 0
    last = (out / "checkpoint.h5").read_bytes()
    (out / "checkpoint.h5").unlink()
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    for ranks, change in ((2, longer(9)), (1, ("--set", "run.max_records=1_000_000"))):
        done = mpirun(ranks, "metacascade", "resume", out, *change, check=False)
        assert done.returncode == 2 and "is not of the end of the finished run" in done.stderr, done.stderr
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    (out / "checkpoint.h5").write_bytes(last)
    assert commands.resume(out, [longer(9)[1]]) == 0
    assert small.last(out)["time_s"] == 9 * 3600


def test_a_stopped_run_whose_end_is_moved_to_where_it_is_has_the_row_of_its_end(tmp_path):
    plan = dict(PLAN, output__interval="7 h", output__checkpoint="14 h")
    out, whole = tmp_path / "out", tmp_path / "whole"
    code = commands.run(small.EXAMPLE, out, small.settings(**plan, run__duration="10 h", run__max_records=1000))
    hours = checkpoint.read(serial_world(), out / "checkpoint.h5").meta["time_s"] / 3600
    assert code == 75 and hours % 7
    assert commands.resume(out, ["run.max_records=1_000_000", longer(f"{hours:g}")[1]]) == 0
    assert commands.run(small.EXAMPLE, whole, small.settings(**plan, run__duration=f"{hours:g} h")) == 0
    assert small.content(out) == small.content(whole)
