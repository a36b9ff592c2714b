"""A finished run that is made longer is the longer run: state, rows and series, on any ranks."""
import sys

import pytest

import small

pytestmark = [pytest.mark.mpi, pytest.mark.skipif(sys.platform != "linux", reason="locks")]
PLAN = dict(output__interval="4 h", output__checkpoint="6 h", tumor__cells=4_000)


def longer(hours):
    return "--set", f'run.duration="{hours} h"'


def test_made_longer_again_and_again_it_equals_the_run_that_was_long_from_the_start(mpirun, tmp_path):
    """Ends that are due for nothing, for a checkpoint, for an output, and for both."""
    whole, out = tmp_path / "whole", tmp_path / "out"
    mpirun(1, "metacascade", "run", small.EXAMPLE, "--out", whole, *small.arguments(**PLAN, run__duration="13 h"))
    mpirun(2, "metacascade", "run", small.EXAMPLE, "--out", out, *small.arguments(**PLAN, run__duration="5 h"))
    for ranks, hours in ((1, 6), (2, 8), (3, 12), (1, 13)):
        mpirun(ranks, "metacascade", "resume", out, *longer(hours))
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
