"""A batch job without SLURM: what it starts, that a wish to stop is passed on, and when it is queued again."""
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import small
from conftest import TESTS, environment, run
from metacascade.base import stopsignals
from metacascade.base.errors import InputError
from metacascade.run import cluster
from metacascade.slurm import job

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted((ROOT / "jobs").glob("*.sbatch"))
LAUNCHER = """\
#!/usr/bin/env bash
# in place of mpiexec: it remembers what it should start, and stops when asked, with a checkpoint
here=$(dirname "$0")
echo "$*" >> "$here/started"
trap 'echo new >> "$here/out/checkpoint.h5"; exit 75' USR1
mkdir -p "$here/out"
case $(cat "$here/plan" 2> /dev/null) in
    work) touch "$here/out/checkpoint.h5"; for _ in $(seq 600); do sleep 0.05; done;;
    stop) exit 75;;
    fail) exit 1;;
    die) exit 134;;
    late) trap - USR1; kill -USR1 $PPID; exec sleep 60;;
    die_once) echo stop > "$here/plan"; exit 134;;
esac
"""
SCONTROL = '#!/usr/bin/env bash\necho "$*" >> "$(dirname "$0")/queued"; [ ! -e "$(dirname "$0")/forbidden" ] || { echo no >&2; exit 1; }\n'


@pytest.fixture
def site(stand_in, monkeypatch, tmp_path):
    """A folder with a site file that starts ranks by LAUNCHER, and with a stand-in for scontrol."""
    stand_in(launch=LAUNCHER, scontrol=SCONTROL)
    (tmp_path / "site.conf").write_text(f"LAUNCH={tmp_path}/launch\n")
    monkeypatch.setenv(cluster.VARIABLE, str(tmp_path / "site.conf"))
    monkeypatch.setenv("METACASCADE_PYTHON", sys.executable)
    return tmp_path


@pytest.fixture
def start(site):
    """``start(*words, plan, **env)``: jobs/run.sbatch as a process."""
    started = []

    def start(*words, plan="", **env):
        (site / "plan").write_text(plan)
        started.append(subprocess.Popen(
            ["bash", ROOT / "jobs" / "run.sbatch", *map(str, words)], env=environment() | env, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL)))    # the tests may be under nohup
        return started[-1]
    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def end(process):
    said = process.communicate(timeout=60)[0]
    return process.returncode, said


def wait_for(path):
    for _ in range(1200):
        if path.exists():
            return
        time.sleep(0.05)
    pytest.fail(f"{path} did not appear in a minute")


SLURM = dict(SLURM_JOB_ID="7", SLURM_NTASKS="4", SLURM_JOB_NODELIST="n[1-2]")


def test_the_files_of_jobs_are_those_of_the_package_and_differ_only_in_what_they_ask_for():
    assert [path.name for path in SCRIPTS] == ["cohort.sbatch", "ensemble.sbatch", "run.sbatch", "scaling.sbatch"]
    bodies = {path.read_text().partition("\ntrap")[2].replace(f"job {path.stem}", "job KIND") for path in SCRIPTS}
    assert len(bodies) == 1
    assert {path.resolve().parent for path in SCRIPTS} == {ROOT / "src" / "metacascade" / "jobs"}


def test_a_new_run_starts_and_one_with_a_checkpoint_goes_on(site):
    words = ["a.toml", str(site / "out"), "--set", "run.seed=3", "--wall-limit", "2 h", "--watchdog=5 min"]
    command, out = job.run(words, {"RANKS": "3"})
    launch = [f"{site}/launch", "-n", "3", sys.executable, "-m", "metacascade"]
    assert (command, out) == (launch + ["run", "a.toml", "--out", out, *words[2:]], str(site / "out"))
    (site / "out").mkdir()
    (site / "out" / "checkpoint.prev.h5").write_text("c")
    assert job.run(words, SLURM)[0] == [*launch[:2], "4", *launch[3:], "resume", out, *words[4:]]


def test_a_job_that_ended_before_its_first_checkpoint_begins_anew_when_slurm_starts_it_again(site):
    assert "--overwrite" not in job.run(["a.toml", "out"], SLURM)[0]
    assert "--overwrite" in job.run(["a.toml", "out"], SLURM | {"SLURM_RESTART_COUNT": "1"})[0]


@pytest.mark.parametrize("arguments, told", [
    ([], "CONFIG OUT"), (["a.toml"], "CONFIG OUT"), (["a.toml", "--set"], "CONFIG OUT"),
    (["a.toml", "out", "--overwrite"], "remove it for a new run")])
def test_wrong_arguments_are_refused(site, arguments, told):
    with pytest.raises(InputError, match=told):
        job.run(arguments, {})


def test_a_wrong_number_of_ranks_is_refused():
    with pytest.raises(InputError, match="RANKS=two: .* whole number from 1"):
        job.ranks({"RANKS": "two"})
    with pytest.raises(InputError, match="1,000,000 ranks cannot be started here"):
        job.run(["a.toml", "out"], {"RANKS": "1000000"})


@pytest.mark.parametrize("number, low, high, step, count, part", [
    (0, 0, 7, 1, 8, "1/8"), (7, 0, 7, 1, 8, "8/8"), (1, 1, 4, 1, 4, "1/4"), (9, 1, 13, 4, 4, "3/4"), (5, 5, 5, 1, 1, "1/1"),
    (3, 1, 7, 1, 3, None), (2, 1, 7, 2, 4, None)])
def test_a_task_of_an_array_does_its_part(number, low, high, step, count, part):
    env = {f"SLURM_ARRAY_TASK_{name}": str(value) for name, value in
           dict(ID=number, MIN=low, MAX=high, STEP=step, COUNT=count).items()}
    if part is None:
        with pytest.raises(InputError, match="--array=1-8"):
            job.array_part(env)
    else:
        assert job.array_part(env) == part


def test_an_ensemble_has_all_ranks_of_a_job_for_a_member_and_elsewhere_a_member_for_each_core():
    start = [sys.executable, "-m", "metacascade", "sweep", "s.toml", "--out", "o"]
    array = {f"SLURM_ARRAY_TASK_{name}": str(n) for name, n in dict(ID=2, MIN=1, MAX=8, STEP=1, COUNT=8).items()}
    for env, words in (({"RANKS": "3"}, ["--jobs", "3"]), (SLURM, ["--ranks", "4"]),
                       (SLURM | array, ["--ranks", "4", "--part", "2/8"])):
        assert job.ensemble(["s.toml", "o", "--x"], env) == (start + words + ["--x"], "o")


def test_an_ensemble_of_arms_is_one_of_the_command_arms(tmp_path):
    (tmp_path / "a.toml").write_text('base = "mouse_breast"\n[[arm]]\nname = "control"\n')
    command, _ = job.ensemble([str(tmp_path / "a.toml"), "o"], {"RANKS": "3"})
    assert command[3:] == ["arms", str(tmp_path / "a.toml"), "--out", "o", "--jobs", "3"]


def test_an_array_task_is_queued_again_alone():
    assert job.job_name({"SLURM_JOB_ID": "7", "SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "2"}) == "7_2"


@pytest.mark.parametrize("wish, queued, told", [
    *((number, "requeue 7\n", "stopped with a checkpoint before the end of its time; job 7 is queued again")
      for number in stopsignals.TIME_IS_UP),
    *((number, None, "canceled; the same sbatch goes on") for number in stopsignals.GIVEN_UP)])
def test_a_job_is_queued_again_when_its_time_is_up_but_not_when_it_is_canceled(start, site, wish, queued, told):
    process = start("a.toml", site / "out", plan="work", **SLURM)
    wait_for(site / "out" / "checkpoint.h5")
    process.send_signal(wish)
    code, said = end(process)
    assert code == 75 and re.search(told, said), said
    assert ((site / "queued").read_text() if (site / "queued").exists() else None) == queued


def test_on_a_workstation_a_stop_is_just_75(start, site):
    process = start("a.toml", site / "out", plan="work", RANKS="1")
    wait_for(site / "out" / "checkpoint.h5")
    process.send_signal(signal.SIGUSR1)
    assert end(process)[0] == 75 and not (site / "queued").exists()


def test_a_launcher_that_was_not_yet_listening_is_told_again(start, site, monkeypatch):
    (site / "launch").write_text(LAUNCHER.replace("trap", "trap '' USR1; touch \"$here/deaf\"; sleep 2; trap", 1))
    process = start("a.toml", site / "out", plan="work", RANKS="1")
    wait_for(site / "deaf")
    process.send_signal(signal.SIGUSR1)
    assert end(process)[0] == 75


def test_a_task_of_an_array_comes_on_by_its_own_members_alone(tmp_path):
    env = dict(SLURM_ARRAY_TASK_ID="2", SLURM_ARRAY_TASK_MIN="1", SLURM_ARRAY_TASK_COUNT="3", SLURM_ARRAY_TASK_MAX="3")
    for name in ("0002", "0003", "0005", "bench"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "checkpoint.h5").write_text(name)
    found = {path.parent.name: head for path, head in job.progress(tmp_path, env).items()}
    assert found == {"0002": b"0002", "0005": b"0005", "bench": b"bench"}
    (tmp_path / "0002" / "checkpoint.h5").unlink()
    (tmp_path / "0002" / "checkpoint.h5").mkdir()               # what cannot be read is no end of the job
    assert job.progress(tmp_path, env)[tmp_path / "0002" / "checkpoint.h5"] == b""


def test_a_job_that_makes_no_step_is_not_queued_for_ever(start, site):
    (site / "out").mkdir()
    (site / "out" / "checkpoint.h5").write_text("as before")
    code, said = end(start("a.toml", site / "out", plan="stop", **SLURM))
    assert code == 1 and "not queued again: the time limit does not suffice for one step" in said
    assert said.count("holds a checkpoint: it goes on from there") == 1
    assert not (site / "queued").exists()


@pytest.mark.parametrize("launcher, times, used", [("srun", 2, 2), ("srun", 0, 0), ("mpiexec", 3, 0)])
def test_a_job_that_was_queued_again_leaves_out_the_numbers_of_its_former_steps(site, stand_in, launcher, times, used):
    stand_in(srun=f'#!/usr/bin/env bash\necho "$*" >> {site}/steps\n')
    job.use_up_steps([launcher, "-n", "2"], {"SLURM_RESTART_COUNT": str(times)})
    found = (site / "steps").read_text().splitlines() if (site / "steps").exists() else []
    assert len(found) == used and all(line.endswith("true") for line in found)


def test_where_slurm_does_not_queue_it_again_it_says_how_to_go_on(start, site):
    (site / "forbidden").touch()
    process = start("a.toml", site / "out", plan="work", **SLURM)
    wait_for(site / "out" / "checkpoint.h5")
    process.send_signal(signal.SIGUSR1)
    code, said = end(process)
    assert code == 1 and "SLURM does not queue job 7 again: no\nThe same sbatch goes on" in said


def test_a_failure_is_passed_on_and_nothing_queued(start, site):
    assert end(start("a.toml", site / "out", plan="fail", **SLURM))[0] == 1
    assert not (site / "queued").exists() and len((site / "started").read_text().splitlines()) == 1


@pytest.mark.parametrize("plan, code, starts", [("die", 134, job.STARTS), ("die_once", 1, 2)])
def test_ranks_that_die_before_a_new_checkpoint_are_started_again_some_times(start, site, plan, code, starts):
    process = start("a.toml", site / "out", plan=plan, **SLURM)
    found, said = end(process)
    began = (site / "started").read_text().splitlines()
    assert len(began) == starts and "the ranks ended with 134 before a new checkpoint" in said
    assert "--overwrite" not in began[0] and all("--overwrite" in line for line in began[1:])    # of what they left
    assert found == code                    # 1: stopped without a step is not queued for ever


def test_a_signal_that_meets_only_the_launcher_of_a_complete_run_is_no_failure(start, site, metacascade):
    settings = small.arguments(run__duration="2 h", tumor__cells=500)
    metacascade("run", small.EXAMPLE, "--out", site / "out", *settings, check=True)
    code, said = end(start("a.toml", site / "out", plan="late", **SLURM))
    assert code == 0 and "is complete" in said, said
    (site / "out" / "results.h5").unlink()
    assert end(start("a.toml", site / "out", plan="late", **SLURM))[0] == 128 + signal.SIGUSR1


@pytest.mark.parametrize("plan, code", [("", 0), ("fail", 1)])
def test_signals_in_the_last_moments_of_a_job_change_no_exit_code(site, monkeypatch, plan, code):
    (site / "plan").write_text(plan)
    monkeypatch.setenv("PYTHONPATH", str(TESTS / "late"))
    job = [sys.executable, "-m", "metacascade.slurm.job", "run", "a.toml", str(site / "out")]
    done = run(job, 60, check=False)
    assert done.returncode == code, done.stderr


def test_without_metacascade_anywhere_it_says_so(site, tmp_path):
    env = {k: v for k, v in environment().items() if k not in ("PYTHONPATH", "METACASCADE_PYTHON")}
    copied = tmp_path / "copied.sbatch"
    copied.write_text((ROOT / "jobs" / "run.sbatch").read_text())
    for name in ("bash", "dirname"):
        (tmp_path / name).symlink_to(f"/bin/{name}" if Path(f"/bin/{name}").exists() else f"/usr/bin/{name}")
    done = subprocess.run(["bash", copied, "a.toml", "out"], env=env | {"PATH": str(tmp_path)}, cwd=tmp_path,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "METACASCADE_PYTHON=/path/to/bin/python" in done.stderr


def test_a_folder_that_only_has_its_name_is_no_metacascade(tmp_path):
    (tmp_path / "metacascade").mkdir()          # a checkout, seen from the directory above
    (tmp_path / "python3").write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    (tmp_path / "python3").chmod(0o755)
    env = {k: v for k, v in environment().items() if k not in ("PYTHONPATH", "METACASCADE_PYTHON")}
    copied = tmp_path / "copied.sbatch"
    copied.write_text((ROOT / "jobs" / "run.sbatch").read_text())
    env["PATH"] = f"{tmp_path}:/usr/bin:/bin"
    done = subprocess.run(["bash", copied, "a.toml", "out"], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "found no Python with metacascade in it" in done.stderr, done.stderr


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_named_python_without_metacascade_is_not_replaced_by_another(site, script):
    done = subprocess.run(["bash", script, "a.toml", "out"], env=environment() | {"METACASCADE_PYTHON": "/nowhere/python"},
                          cwd=site, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "found no Python" in done.stderr and not (site / "started").exists()
