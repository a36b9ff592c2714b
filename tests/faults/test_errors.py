"""Every wrong input and every failing rank ends the run within seconds: one clear message, the documented exit
code, no traceback, no hang, and whatever was written before is intact. (test_disks.py: what the disk does;
test_ledger.py: what no one should see.)"""
import os
import re
import sys

import pytest

import small
from conftest import run as run_command
from faults.checks import FAILED, SECONDS, STOPPED, WRONG, assert_ends_well, assert_intact, assert_one_message, hashes

pytestmark = pytest.mark.mpi


# --- configs ------------------------------------------------------------------------------------------------

WRONG_CONFIG = """[run]
step = "30 mni"
duration = "1 day"
[grwoth]
division_time = "20 h"
[tumor]
cells = 0
[migration]
speed = 15
bias = 0.9
"""
WHAT_IS_WRONG = [
    (2, "run.step", "30 mni", "min"), (4, "grwoth", "growth"), (7, "tumor.cells", "0", "1 to"),
    (9, "migration.speed", "15", "unit"), (10, "migration.bias", "0.9", "0 to 0.8")]


@pytest.mark.parametrize("ranks", [1, 2])
def test_every_mistake_in_a_config_is_listed_at_once_with_its_line(start, tmp_path, ranks):
    config = tmp_path / "wrong.toml"
    config.write_text(WRONG_CONFIG)
    done = start(ranks, "run", config, "--out", tmp_path / "out")
    assert_one_message(done, WRONG)
    for line, *parts in WHAT_IS_WRONG:
        told = [text for text in done.stderr.splitlines() if f"{config}:{line}:" in text]
        assert len(told) == 1 and all(part in told[0] for part in parts), f"line {line} of:\n{done.stderr}"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("ranks", [2, pytest.param(1, marks=pytest.mark.slow)])
def test_a_wrong_network_is_refused_with_its_lines_before_there_is_a_directory(start, tmp_path, ranks):
    network = tmp_path / "network.csv"
    wrong = "x1,y1,z1,x2,y2,z2,radius\n0,0,0,100,0,0,5\n0,1,0,100,1,0,5\n0,90,0,90,90,0,-5\n"
    for text, overlaps, told in ((wrong, "warn", "4: radius = -5"), (wrong.rpartition("0,90,0,90")[0], "refuse", "3: overlaps line 2")):
        network.write_text(text)
        done = start(ranks, "run", small.EXAMPLE, "--out", tmp_path / "out", "--set", f"vessels.file={network}",
                     "--set", "tumor.cells=100", "--set", f"vessels.overlaps={overlaps}")
        assert_one_message(done, WRONG, f"{network}:{told}")
        assert not (tmp_path / "out").exists()


def test_a_missing_config_is_one_message(start, tmp_path):
    assert_one_message(start(2, "run", tmp_path / "no.toml", "--out", tmp_path / "out"), WRONG, "no.toml")


# --- files --------------------------------------------------------------------------------------------------

def truncate(path):
    os.truncate(path, path.stat().st_size * 2 // 3)


def flip(path):
    """Change one bit in the middle."""
    with open(path, "r+b") as file:
        file.seek(path.stat().st_size // 2)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 16]))


def age(path):
    """Make it a file of another version."""
    with open(path, "r+b") as file:
        block = file.read(512)
        file.seek(0)
        file.write(re.sub(rb"format \d\n", b"format 9\n", block, count=1))


def scribble(path):
    path.write_text("This is not HDF5.\n" * 100)


DAMAGE = {truncate: "damaged", flip: "damaged", age: "has format 9", scribble: "is not a metacascade checkpoint"}
FILES = ("checkpoint.h5", "checkpoint.prev.h5")


@pytest.mark.parametrize("ranks, damage", [(2, truncate), *((1, damage) for damage in (flip, age, scribble))],
                         ids=lambda value: getattr(value, "__name__", value))
def test_without_an_intact_checkpoint_resume_says_what_is_wrong_with_each(start, stopped, ranks, damage):
    for name in FILES:
        damage(stopped / name)
    before = hashes(stopped)
    done = start(ranks, "resume", stopped)
    assert_one_message(done, WRONG, "no checkpoint to go on from", DAMAGE[damage], *(stopped / name for name in FILES))
    assert_intact(stopped, before)


@pytest.mark.parametrize("ranks, damage", [(1, truncate), (2, flip)])
def test_a_damaged_checkpoint_is_replaced_by_the_former_one(start, stopped, expected, ranks, damage):
    damage(stopped / "checkpoint.h5")
    done = start(ranks, "resume", stopped)
    assert done.returncode == 0 and "damaged" in done.stdout and "checkpoint.prev.h5" in done.stdout
    assert small.content(stopped) == expected


def test_a_part_of_the_results_that_is_missing_is_named(start, stopped):
    part = sorted((stopped / "parts").iterdir())[1]
    part.unlink()
    assert_one_message(start(2, "resume", stopped), WRONG, part)


def test_info_says_what_is_whole_and_fails_for_what_is_damaged(start, stopped):
    truncate(stopped / "checkpoint.h5")
    done = start(1, "info", stopped)
    assert_one_message(done, WRONG, stopped / "checkpoint.h5", "is damaged")
    assert "results, format" in done.stdout and f"{stopped}/checkpoint.prev.h5: intact checkpoint" in done.stdout


def test_warnings_of_a_config_go_to_the_standard_error(start, tmp_path):
    settings = ("blood.nk=9/h", "tumor.cells=100", "run.duration=1 h", "run.step=1 h")
    done = start(2, "run", small.EXAMPLE, "--out", tmp_path / "run", *(w for s in settings for w in ("--set", s)))
    assert done.returncode == 0 and done.stderr.count("warning: blood.nk") == 1 and "warning:" not in done.stdout


@pytest.mark.parametrize("command", ["info", "digest", "branch"])
def test_a_file_that_is_not_hdf5_is_refused(start, tmp_path, command):
    file = tmp_path / "some.h5"
    scribble(file)
    done = start(1, command, file, *(["--out", tmp_path / "out"] if command == "branch" else []))
    assert_one_message(done, WRONG, file)


def test_a_directory_that_holds_files_is_refused(start, stopped):
    before = hashes(stopped)
    done = start(2, "run", small.EXAMPLE, "--out", stopped)
    assert_one_message(done, WRONG, stopped, "--overwrite", "resume")
    assert_intact(stopped, before)


@pytest.mark.parametrize("make", [False, True], ids=["missing", "empty"])
def test_there_is_nothing_to_resume(start, tmp_path, make):
    if make:
        (tmp_path / "run").mkdir()
    assert_one_message(start(2, "resume", tmp_path / "run"), WRONG, tmp_path / "run")


# --- ranks --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("ranks, rank, fault, text", [
    (2, 0, "error", "RuntimeError: the magnet failed"), (3, 1, "error", "RuntimeError: the magnet failed"),
    (2, 1, "memory", "MemoryError: Unable to allocate 7 TiB")])
def test_an_error_of_one_rank_ends_all(faulty, stopped, ranks, rank, fault, text):
    before = hashes(stopped)
    done = faulty(ranks, fault, rank, STOPPED + 2, "resume", stopped)
    assert_one_message(done, FAILED, text)
    assert_intact(stopped, before)


@pytest.mark.parametrize("fault, text", [("full", "No space left"), ("bad_state", "float64 instead of float32")])
def test_an_error_of_one_rank_while_files_are_written_is_that_of_all(faulty, stopped, fault, text):
    before = hashes(stopped)
    done = faulty(2, fault, 1, STOPPED + 1, "resume", stopped)
    assert_one_message(done, FAILED, text)
    assert "MPI_Abort" not in done.stdout + done.stderr, "an error that all ranks know of needs no abort"
    assert_intact(stopped, before)


def test_a_rank_that_dies_ends_all(faulty, stopped):
    before = hashes(stopped)
    assert faulty(2, "die", 1, STOPPED + 2, "resume", stopped).returncode != 0
    assert not [name for name in before if hashes(stopped).get(name) != before[name]]


@pytest.mark.parametrize("ranks, rank", [(2, 1), pytest.param(1, 0, marks=pytest.mark.slow)])
def test_a_clock_that_jumps_changes_nothing(faulty, stopped, undisturbed, ranks, rank):
    """With a wall limit and a watchdog, which look at the time, but not at that clock."""
    done = faulty(ranks, "clock", rank, STOPPED + 1, "resume", "--watchdog", "1 h", "--wall-limit", "1 h", stopped)
    assert done.returncode == 0, done.stderr
    assert small.content(stopped, ordered=True) == small.content(undisturbed, ordered=True)


def test_debug_shows_where_it_happened(faulty, stopped):
    done = faulty(1, "error", 0, STOPPED + 2, "--debug", "resume", stopped)
    assert done.returncode == FAILED and "Traceback" in done.stderr and "one_fault.py" in done.stderr


@pytest.mark.parametrize("variable", ["PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS"])
def test_processes_of_another_launcher_that_see_only_themselves_are_refused(tmp_path, variable):
    command = [sys.executable, "-m", "metacascade", "run", str(small.EXAMPLE), "--out", str(tmp_path / "out")]
    done = run_command(["env", f"{variable}=4", *command], SECONDS, check=False)
    assert_one_message(done, WRONG, f"started 4 processes ({variable})", "mpiexec")
    assert not (tmp_path / "out").exists()


def test_of_the_processes_of_srun_that_see_only_themselves_the_first_speaks(tmp_path):
    command = [sys.executable, "-m", "metacascade", "run", str(small.EXAMPLE), "--out", str(tmp_path / "out")]
    done = run_command(["env", "SLURM_STEP_NUM_TASKS=4", "SLURM_PROCID=1", *command], SECONDS, check=False)
    assert (done.returncode, done.stderr) == (WRONG, "")


@pytest.mark.parametrize("words", [("resume",), ("run", small.EXAMPLE, "--overwrite", "--out")], ids=lambda w: w[0])
def test_a_second_run_in_the_same_directory_is_refused(start, faulty, stopped, words, expected):
    """The first one is asked to wait a little in the middle of its way."""
    from threading import Thread
    first = []
    thread = Thread(target=lambda: first.append(faulty(1, "nap", 0, STOPPED + 1, "resume", stopped)))
    thread.start()
    while not (stopped / "napping").exists():
        assert thread.is_alive()
    truncate(stopped / "checkpoint.h5")
    done = start(1, *words, stopped)
    assert (stopped / "checkpoint.h5").exists(), "a file was set aside that is not its own"
    (stopped / "napping").unlink()
    thread.join()
    assert_one_message(done, WRONG, stopped, "another run is writing here")
    assert first[0].returncode == 0, first[0].stderr
    assert small.content(stopped) == expected


def test_a_rank_whose_output_nobody_reads_any_more_ends_the_others_too(faulty, stopped, expected):
    done = faulty(2, "unheard", 0, STOPPED + 1, "resume", stopped, "--watchdog", "0 s")      # else it would end them
    assert done.returncode == FAILED and "Traceback" not in done.stderr
    assert_ends_well(stopped, expected)
