"""Full disks and disks that can only be read: one message, exit code 1, and no earlier file is harmed."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import small
from conftest import run as run_command
from faults.checks import (
    FAILED,
    SECONDS,
    SETTINGS,
    STOPPED,
    WRONG,
    assert_ends_well,
    assert_intact,
    assert_one_message,
    hashes,
)

pytestmark = pytest.mark.mpi


@pytest.mark.parametrize("ranks, what, size", [(1, "parts/part.", 9_000), (2, "checkpoint.h5", 300_000), *(
    pytest.param(*case, marks=pytest.mark.slow) for case in [(2, "parts/part.", 9_000), (1, "checkpoint.h5", 300_000)])])
def test_a_file_that_may_not_grow_ends_the_run(faulty, stopped, expected, ranks, what, size):
    before = hashes(stopped)
    done = faulty(ranks, f"limit:{size}", -1, STOPPED, "resume", stopped)
    assert_one_message(done, FAILED, f"cannot write {stopped}/{what}", "File too large", "metacascade resume")
    assert_intact(stopped, before)
    assert_ends_well(stopped, expected)


@pytest.fixture
def disk(tmp_path):
    """``disk(size)``: a directory on a file system of so many bytes; ``disk(size)`` again changes it."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = []

    def mount(*options):
        done = subprocess.run(["mount", *options, str(place)], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"cannot mount a file system: {done.stderr.strip()}")

    def disk(size, flags="rw"):
        options = ["-o", f"size={size},{flags}"]
        mount(*(["-o", "remount", *options] if mounted else ["-t", "tmpfs", *options, "none"]))
        mounted.append(size)
        return place

    if os.geteuid():
        pytest.skip("only root can mount a small file system")
    yield disk
    if mounted:
        subprocess.run(["umount", "-l", str(place)], check=True)


def used(directory):
    """Bytes of its files in whole pages."""
    return sum(-(-path.stat().st_size // 4096) * 4096 for path in directory.rglob("*") if path.is_file())


@pytest.mark.parametrize("ranks, what, room", [(1, "checkpoint.h5", 600_000), (2, "h5", 30_000), *(
    pytest.param(*case, marks=pytest.mark.slow) for case in [(2, "checkpoint.h5", 600_000), (1, "h5", 30_000)])])
def test_a_full_disk_ends_the_run_and_harms_no_file(start, template, disk, expected, ranks, what, room):
    out = Path(shutil.copytree(template, disk("64m") / "run"))
    before = hashes(out)
    disk(used(out) + room)
    done = start(ranks, "resume", out)
    assert_one_message(done, FAILED, f"cannot write {out}", what, "No space left", "metacascade resume")
    assert_intact(out, before)
    disk("64m")
    assert_ends_well(out, expected)


@pytest.mark.parametrize("ranks", [2, pytest.param(1, marks=pytest.mark.slow)])
def test_a_disk_that_is_full_from_the_start(start, disk, ranks):
    out = disk("64k") / "run"
    done = start(ranks, "run", small.EXAMPLE, "--out", out, *small.arguments(**SETTINGS))
    assert_one_message(done, FAILED, f"cannot write {out}", "No space left", "anew with --overwrite")


@pytest.mark.parametrize("ranks", [2, pytest.param(1, marks=pytest.mark.slow)])
def test_a_disk_that_can_only_be_read(start, template, disk, ranks):
    out = Path(shutil.copytree(template, disk("64m") / "run"))
    before = hashes(out)
    disk("64m", "ro")
    assert_one_message(start(ranks, "resume", out), FAILED, "cannot write", out, "Read-only file system", "writable")
    assert_one_message(start(ranks, "run", small.EXAMPLE, "--out", out.parent / "new"), FAILED, "cannot write", "new")
    assert hashes(out) == before


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
@pytest.mark.parametrize("command", ["info", "resume"])
def test_an_output_that_cannot_be_printed_is_one_message(stopped, command):
    words = [sys.executable, "-m", "metacascade", command, str(stopped)]
    done = run_command(["sh", "-c", 'exec "$@" > /dev/full', "sh", *words], SECONDS, check=False)
    assert_one_message(done, FAILED, "cannot write to the standard output: No space left on device")


@pytest.mark.parametrize("make, code, part", [
    (lambda path: path.write_text(""), WRONG, "is a file"),
    (lambda path: path.symlink_to("/proc/none"), FAILED, "none can be made")],
    ids=["file", "nowhere"])
def test_a_place_where_no_directory_can_be_made_is_refused(start, tmp_path, make, code, part):
    out = tmp_path / "out"
    make(out)
    done = start(1, "run", small.EXAMPLE, "--out", out)
    assert_one_message(done, code, out, part, "--out")
    assert "resume" not in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write into every directory")
def test_a_directory_without_permission(start, tmp_path):
    tmp_path.chmod(0o555)
    assert_one_message(start(2, "run", small.EXAMPLE, "--out", tmp_path / "run"), FAILED, "cannot write", "writable")
