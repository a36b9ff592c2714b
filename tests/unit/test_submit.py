"""Handing a run in: what is refused before SLURM hears of it, what the script says, and what is printed."""
import contextlib
import subprocess
import sys

import pytest

import small
from metacascade.base.errors import InputError, RunError
from metacascade.config.config import load
from metacascade.io.atomic import SIGNS
from metacascade.io.runlock import LOCK
from metacascade.run import cluster, estimate
from metacascade.slurm import submit

SBATCH = """\
#!/bin/sh
[ ! -e "$0.refuse" ] || { echo "sbatch: error: invalid account" >&2; exit 1; }
echo "$*" >> "$0.called"; echo "17;other"
"""
SINFO = '#!/bin/sh\necho "debug* 2 16+ 64000"; echo "debug* 2 12 1024+"; echo "fat 8 16 9"\n'


@pytest.fixture
def slurm(stand_in, monkeypatch, tmp_path):
    """A folder on the PATH with stand-ins for sbatch and sinfo, and no site file anywhere."""
    stand_in(sbatch=SBATCH, sinfo=SINFO)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv(cluster.VARIABLE, raising=False)
    return tmp_path


def script_of(out):
    return out.with_name(f"{out.name}.sbatch").read_text()


def options_of(script):
    return {line.split()[1].partition("=")[0]: line.split()[1].partition("=")[2]
            for line in script.splitlines() if line.startswith("#SBATCH")}


def test_everything_is_filled_in_and_the_number_of_the_job_is_told(slurm, tmp_path, capsys):
    site = tmp_path / "site.conf"
    site.write_text('PARTITION=batch\nACCOUNT=lab\nOPTIONS="--exclusive --mem=0"\n')
    out = tmp_path / "runs" / "my run"
    assert submit.submit(small.EXAMPLE, out, 4, "1.5 days", 32, site, ["run.seed=3"], ["--qos=long"], "5 min") == 0
    script, said = script_of(out), capsys.readouterr().out
    assert "submitted job 17: 4 nodes with 32 ranks each, 36 h; it begins in" in said and "scancel 17" in said
    assert "memory: " in said and "128 cores" in said
    assert (slurm / "sbatch.called").read_text() == f"--parsable {out}.sbatch\n"
    found = options_of(script)
    assert (found["--nodes"], found["--ntasks-per-node"], found["--time"]) == ("4", "32", "1-12:00:00")
    assert (found["--partition"], found["--account"], found["--qos"]) == ("batch", "lab", "long")
    assert {"--requeue", "--exclusive"} <= found.keys() and found["--signal"].startswith("B:USR1@")
    assert f"export METACASCADE_PYTHON={sys.executable}" in script and f"export METACASCADE_SITE={site}" in script
    own = f"{36 * 3600 - int(found['--signal'].partition('@')[2]) / 2:.0f} s"     # after SLURM's warning
    assert f"set -- {small.EXAMPLE} '{out}' --set run.seed=3 --wall-limit '{own}' --watchdog '5 min'\n" in script
    assert subprocess.run(["bash", "-n", f"{out}.sbatch"]).returncode == 0


def test_by_default_there_is_a_rank_for_each_core_of_the_smallest_node_of_the_partition(slurm, tmp_path):
    submit.submit(small.EXAMPLE, tmp_path / "a", 1, "1 h")
    assert options_of(script_of(tmp_path / "a"))["--ntasks-per-node"] == "24"


def test_a_run_that_does_not_fit_into_the_memory_of_the_nodes_is_told(slurm, tmp_path, capsys):
    for nodes, told in ((1, True), (64, False)):
        submit.submit(small.EXAMPLE, tmp_path / "a", nodes, "1 h", 1, overrides=["tumor.cells=100_000_000"], dry_run=True)
        assert ("and a node has 1 GiB: ask for more nodes" in capsys.readouterr().err) is told


def test_a_dry_run_prints_the_script_and_submits_nothing(slurm, tmp_path, capsys):
    assert submit.submit(small.EXAMPLE, tmp_path / "runs" / "a", 1, "1 h", dry_run=True) == 0
    said = capsys.readouterr().out
    assert said.startswith("#!/usr/bin/env bash\n") and "#SBATCH --nodes=1" in said and "# memory: " in said
    assert not (slurm / "sbatch.called").exists() and not (tmp_path / "runs").exists()


@pytest.mark.parametrize("changes, told", [
    (dict(overrides=["run.seed=-1"]), "run.seed = -1"), (dict(time="30"), "bare number is minutes to SLURM"), (dict(time="12:75"), "write"),
    (dict(time="10 s"), "at least one minute"), (dict(site_path="/no/site.conf"), "No such file")])
def test_what_is_wrong_is_refused_before_slurm_hears_of_it(slurm, tmp_path, changes, told):
    with pytest.raises(InputError, match=told):
        submit.submit(**dict(config_path=small.EXAMPLE, out=tmp_path / "a", nodes=1, time="1 h") | changes)
    assert not (slurm / "sbatch.called").exists() and not (tmp_path / "a.sbatch").exists()


def test_a_refusal_of_slurm_is_told(slurm, tmp_path):
    (slurm / "sbatch.refuse").touch()
    with pytest.raises(RunError, match="refuses .*a.sbatch: sbatch: error: invalid account"):
        submit.submit(small.EXAMPLE, tmp_path / "a", 1, "1 h", 2)


@pytest.mark.parametrize("ranks, told", [(2, "sbatch does not start"), (None, "give --ranks-per-node")])
def test_without_slurm_it_says_what_to_do(slurm, tmp_path, monkeypatch, ranks, told):
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(InputError, match=told):
        submit.submit(small.EXAMPLE, tmp_path / "a", 1, "1 h", ranks)


def test_a_script_of_the_user_with_the_name_of_the_run_is_not_replaced(slurm, tmp_path):
    path = tmp_path / "a.sbatch"
    for mine in (b"#!/bin/bash\nsrun mine\n", b"\xff", b""):
        path.write_bytes(mine)
        with pytest.raises(InputError, match="a.sbatch is there, and not by `metacascade submit`"):
            submit.submit(small.EXAMPLE, tmp_path / "a", 1, "1 h", 2)
        assert path.read_bytes() == mine and not (slurm / "sbatch.called").exists()
    path.unlink()
    for _ in range(2):
        submit.submit(small.EXAMPLE, tmp_path / "a", 1, "1 h", 2)
        assert (slurm / "sbatch.called").exists()


def test_a_time_that_is_too_short_is_warned_of(slurm, tmp_path, capsys):
    huge = ["tumor.cells=100_000_000_000", "run.duration=100 days", "intravasation.enabled=false"]
    submit.submit(small.EXAMPLE, tmp_path / "a", 2, "1 h", 32, overrides=huge)
    assert "it will queue itself again about" in capsys.readouterr().err
    submit.submit(small.EXAMPLE, tmp_path / "b", 1, "10 min", 1, overrides=huge)
    assert "a step takes 55.6 min by estimate" in capsys.readouterr().err


@pytest.mark.parametrize("cells, nodes, warned", [(100_000, 32, True), (1_000_000_000, 32, False), (100_000, 1, True)])
def test_more_ranks_than_the_cells_are_worth_are_warned_of(slurm, tmp_path, capsys, cells, nodes, warned):
    submit.submit(small.EXAMPLE, tmp_path / "a", nodes, "1 h", 32, overrides=[f"tumor.cells={cells}"])
    told = f"a rank has {cells / nodes / 32:,.0f} cells at the start"
    said = capsys.readouterr().err
    assert (told in said) == warned and (f"1 would do, instead of {nodes * 32:,} ranks" in said) == warned


@pytest.mark.parametrize("squeue, refused", [
    ('echo "16 RUNNING /b.sbatch"; echo "17 PENDING $(dirname "$0")/a.sbatch"', r"job 17 \(pending\) is submitted for it"),
    ('echo "16 RUNNING /b.sbatch"; echo', None), ("echo no; exit 1", None)])
def test_a_second_job_for_a_run_is_refused_while_slurm_has_the_first(
        slurm, stand_in, tmp_path, squeue, refused):
    stand_in(squeue=f"#!/bin/sh\n{squeue}\n")
    with pytest.raises(InputError, match=refused) if refused else contextlib.nullcontext():
        submit.submit(small.EXAMPLE, tmp_path / "a", 1, "1 h", 2)
    assert (slurm / "sbatch.called").exists() == (not refused)


def test_a_run_that_is_there_goes_on_with_its_own_config_or_is_complete(slurm, tmp_path, capsys, metacascade):
    out, settings = tmp_path / "a", small.settings(run__duration="2 h", tumor__cells=500)
    metacascade("run", small.EXAMPLE, "--out", out, *small.arguments(run__duration="2 h", tumor__cells=500), check=True)
    assert submit.submit(small.EXAMPLE, out, 1, "1 h", 2, overrides=settings) == 0
    assert "is complete: nothing to submit" in capsys.readouterr().out
    assert not (slurm / "sbatch.called").exists()
    (out / "results.h5").write_bytes(b"no HDF5")
    with pytest.raises(InputError, match="results.h5"):
        submit.submit(small.EXAMPLE, out, 1, "1 h", 2, overrides=settings)
    (out / "results.h5").unlink()               # as `resume` says of a damaged one
    assert submit.submit(small.EXAMPLE, out, 1, "1 h", 2, overrides=settings) == 0
    assert "it goes on from the checkpoint" in capsys.readouterr().out


def test_another_config_than_that_of_the_run_is_refused(slurm, tmp_path, metacascade):
    out = tmp_path / "a"
    metacascade("run", small.EXAMPLE, "--out", out, *small.arguments(run__duration="2 h", tumor__cells=500), check=True)
    with pytest.raises(InputError, match=r"holds a run with another tumor.cells"):
        submit.submit(small.EXAMPLE, out, 1, "1 h", 2, overrides=small.settings(run__duration="2 h", tumor__cells=501))


def test_a_directory_with_other_files_is_refused(slurm, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "thesis.tex").touch()
    with pytest.raises(InputError, match="holds files already"):
        submit.submit(small.EXAMPLE, tmp_path / "a", 1, "1 h", 2)
    (tmp_path / "b").touch()
    with pytest.raises(InputError, match="b is a file; --out names a directory"):
        submit.submit(small.EXAMPLE, tmp_path / "b", 1, "1 h", 2)


def test_a_run_that_ended_before_its_first_checkpoint_is_submitted_again(slurm, tmp_path):
    (tmp_path / "a").mkdir()
    for name in (LOCK, SIGNS):
        (tmp_path / "a" / name).touch()
    assert submit.submit(small.EXAMPLE, tmp_path / "a", 1, "1 h", 2) == 0 and (slurm / "sbatch.called").exists()


def test_the_estimate_of_a_run_falls_with_the_ranks_in_time_and_grows_in_memory():
    config = load(small.EXAMPLE)
    one, many = estimate.expected(config), estimate.expected(config, 64)
    fixed = one.steps * estimate.FIXED_S + one.outputs * estimate.OUTPUT_S
    assert many.seconds == pytest.approx(one.seconds / 64 + fixed * 63 / 64) and many.checkpoint_bytes == one.checkpoint_bytes
    assert many.memory_bytes - one.memory_bytes == pytest.approx(63 * estimate.OF_A_RANK)
