"""Too many CTCs and lesions stop a run with a checkpoint; it goes on where there is room, and is refused where not."""
import sys

import pytest

import small
from metacascade.run import commands, recordlimit

pytestmark = [pytest.mark.mpi, pytest.mark.skipif(sys.platform != "linux", reason="locks")]
PLAN = dict(output__interval="4 h", output__checkpoint="6 h", tumor__cells=4_000, run__duration="8 h")


def test_a_run_with_too_many_records_stops_goes_on_with_more_and_is_the_undisturbed_run(mpirun, tmp_path):
    whole, out = tmp_path / "whole", tmp_path / "out"
    assert commands.run(small.EXAMPLE, whole, small.settings(**PLAN)) == 0
    done = mpirun(2, "metacascade", "run", small.EXAMPLE, "--out", out,
                  *small.arguments(**PLAN, run__max_records=1000), check=False)
    assert done.returncode == 75 and "more than run.max_records = 1,000" in done.stdout, done.stderr
    before = small.last(out)
    again = mpirun(1, "metacascade", "resume", out, check=False)
    assert again.returncode == 2 and "--set run.max_records=N" in again.stderr and "Traceback" not in again.stderr
    assert small.last(out) == before                            # not 75: a job would be queued again for ever
    mpirun(3, "metacascade", "resume", out, "--set", "run.max_records=1_000_000")
    assert small.content(out) == small.content(whole)


def test_more_cells_injected_at_once_than_may_be_are_refused_before_the_first_step(metacascade, tmp_path):
    done = metacascade("run", small.EXAMPLE.parent / "injection_liver.toml", "--out", tmp_path / "out",
                       "--set", "run.max_records=50_000")
    assert done.returncode == 2 and "100,000 CTCs and lesions are more than run.max_records = 50,000" in done.stderr


def test_without_a_limit_half_of_the_memory_of_the_nodes_is_one(monkeypatch):
    from metacascade.config.config import load
    from metacascade.ranks.parallel import serial_world
    config = load(small.EXAMPLE)
    totals = {"circulating": 10**9, "arrested": 0, "seeded": 2, "dropped": 1}
    for memory, reached in ((8 * 2**30, True), (2**40, False), (0, False)):
        monkeypatch.setattr(recordlimit, "physical_memory", lambda memory=memory: memory)
        assert recordlimit.RecordLimit(serial_world(), config).reached(totals) == reached
