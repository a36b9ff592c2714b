"""What `resume` and `--overwrite` remove: files that a run has written, and none of anybody else."""
import json
import shutil

import h5py
import pytest

from metacascade.base.errors import InputError
from metacascade.io import checkpoint, datasets, ownership, parts, snapshots
from metacascade.io.output import Output
from metacascade.io.rundirectory import claimed, finished
from metacascade.ranks.parallel import serial_world
from metacascade.report import directory as report_directory
from metacascade.state.observed import layouts
from metacascade.studies import scaling
from states import whole_state

WORLD = serial_world()
OTHERS = (
    "notes.tmp", "analysis/fit.tmp", "analysis/part.000000.h5", "mine.damaged", "results.h5.damaged",
    "results.h5.bak.tmp", "results.h5_tmp", "results.h5.tmp.tmp",
    "other.h5", "checkpoint.old.h5", "checkpoint.h5.damaged.tmp", "watchdog.txt.tmp", "parts/mine.h5",
    "parts/part.1.h5", "parts/part.mine.h5", "parts/part.0000000.h5", "parts/part.٠٠٠٠٠٠.h5", "parts/notes.tmp",
    "parts/results.h5",
    "parts/deep/part.000000.h5", "snapshots/mine.vtkhdf", "snapshots/mine.vtkhdf.series", "snapshots/cells.vtkhdf",
    "snapshots/cells.best.vtkhdf", "snapshots/fit.tmp", "bench/cells-all.ranks-best.json")
DRAFTS = (
    "results.h5.tmp", "checkpoint.h5.tmp", "checkpoint.prev.h5.tmp", "parts/part.000001.h5.tmp",
    "parts/part.1234567.h5.tmp", "snapshots/cells.000007.vtkhdf.tmp", "snapshots/voxels.vtkhdf.series.tmp")


def take(directory):
    """What a run does that is told to overwrite a directory."""
    with claimed(WORLD, directory, overwrite=True):
        pass


def put(directory, names):
    for name in names:
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text("mine")


def files(directory):
    return {path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()}


def new(directory, **more):
    return Output(WORLD, directory, **(dict(config={}, columns={"step": (int, "1")}, nodes=["tumor"], tables=layouts(),
                                        provenance={},     config_text="") | more))


def a_run(directory):
    """All that a run leaves: results, two parts, checkpoints, one that was damaged, snapshots."""
    output = new(directory)
    for step in range(2):
        output.record({"step": step})
        output.flush()
        checkpoint.write(WORLD, directory, whole_state(tiles=2))
    snapshots.write(WORLD, directory, whole_state(tiles=2), edge_um=30.0, limit=100)
    (directory / "checkpoint.h5.damaged").write_text("damaged")
    (directory / "watchdog.txt").touch()
    return output


def test_overwrite_removes_all_of_a_run_and_nothing_of_others(tmp_path):
    a_run(tmp_path)
    assert len(files(tmp_path)) == 13
    put(tmp_path, [*OTHERS, *DRAFTS])
    take(tmp_path)
    assert files(tmp_path) == {*OTHERS}


def a_report(folder):
    """What is left of a report by its own directory, with files of somebody else."""
    made = report_directory.Directory(folder)
    made.begin()
    made.write("talk.png", b"png"), made.write("growth.csv", "a,b")
    made.end("<html>")


def test_overwrite_removes_the_report_of_the_former_run(tmp_path):
    a_run(tmp_path), a_report(tmp_path / "report")
    take(tmp_path)
    assert files(tmp_path) == set() and not (tmp_path / "report").exists()
    a_run(tmp_path), a_report(tmp_path / "report")
    put(tmp_path, ["report/notes.txt", "report/figures/own.png"])
    take(tmp_path)
    assert files(tmp_path) == {"report/notes.txt", "report/figures/own.png"}


@pytest.mark.parametrize("text", ["{}", '{"kind": "mine", "files": []}', '{"kind": "metacascade report", "files": 3}', "[", "[]"])
def test_overwrite_leaves_a_folder_that_is_not_marked_as_a_report(tmp_path, text):
    a_run(tmp_path)
    put(tmp_path, ["report/index.html", "report/figures/talk.png"])
    (tmp_path / "report" / "report.json").write_text(text)
    take(tmp_path)
    assert files(tmp_path) == {"report/index.html", "report/figures/talk.png", "report/report.json"}


def test_overwrite_follows_no_link_and_no_name_out_of_a_report(tmp_path):
    a_report(tmp_path / "far")
    before = files(tmp_path / "far")
    a_run(tmp_path / "run")
    (tmp_path / "run" / "report").symlink_to(tmp_path / "far")
    take(tmp_path / "run")
    assert files(tmp_path / "far") == before
    (tmp_path / "run" / "report").unlink()
    for inside in ("figures", "report.json"):
        a_run(tmp_path / "run"), a_report(tmp_path / "run" / "report")
        (tmp_path / "run" / "report" / inside).rename(tmp_path / f"former {inside}")
        (tmp_path / "run" / "report" / inside).symlink_to(tmp_path / "far" / inside)
        take(tmp_path / "run")
        assert files(tmp_path / "far") == before and "report/index.html" in files(tmp_path / "run"), inside
        shutil.rmtree(tmp_path / "run" / "report")
    a_run(tmp_path / "run"), a_report(tmp_path / "run" / "report")
    (tmp_path / "run" / "report" / "report.json").write_text(
        json.dumps({"kind": "metacascade report", "files": ["../notes.txt", "figures/../../notes.txt", 3]}))
    put(tmp_path / "run", ["notes.txt"])
    take(tmp_path / "run")
    assert "notes.txt" in files(tmp_path / "run")


def test_resume_removes_leftovers_and_newer_parts_and_nothing_of_others(tmp_path):
    a_run(tmp_path)
    before = files(tmp_path)
    put(tmp_path, [*OTHERS, *DRAFTS])
    new(tmp_path, config_text=None, first_part=1)
    assert files(tmp_path) == before - {"parts/part.000001.h5"} | {*OTHERS}


def test_the_end_of_a_run_removes_its_parts_and_nothing_of_others(tmp_path):
    from metacascade.state.state import CTC, LESION, empty
    output = a_run(tmp_path)
    put(tmp_path, OTHERS)
    output.finish(open_ctcs=empty(CTC), lesions=empty(LESION), digest="d", wall_s={})
    assert finished(tmp_path) and {*OTHERS} <= files(tmp_path) and not list((tmp_path / "parts").glob("part.00000?.h5"))


@pytest.mark.parametrize("name, kind", [
    ("results.h5", "RESULTS"), ("checkpoint.h5", "CHECKPOINT"), ("checkpoint.prev.h5", "CHECKPOINT"),
    ("parts/part.000000.h5", "PART"), ("snapshots/cells.000001.vtkhdf", "SNAPSHOT")])
def test_a_file_of_others_with_a_name_of_ours_is_refused_and_nothing_removed(tmp_path, name, kind):
    a_run(tmp_path)
    (tmp_path / name).unlink(missing_ok=True)
    with h5py.File(tmp_path / name, "w") as h5:
        h5["mine"] = 1
    before = {file: (tmp_path / file).read_bytes() for file in files(tmp_path)}
    with pytest.raises(InputError, match=f"{name} is not of metacascade.*Move it away"):
        take(tmp_path)
    assert {file: (tmp_path / file).read_bytes() for file in files(tmp_path)} == before
    datasets.write_small(tmp_path / name, lambda h5: None, (kind, 1))
    take(tmp_path)
    assert not (tmp_path / name).exists()


def test_every_name_that_a_run_writes_is_known(tmp_path):
    """A file that a run writes under another name would stay behind."""
    a_run(tmp_path)
    assert files(tmp_path) == {path.relative_to(tmp_path).as_posix() for path in ownership.of_a_run(tmp_path)}


def test_a_folder_with_a_name_of_ours_is_not_touched(tmp_path):
    for name in ("results.h5", "parts/part.000000.h5", "checkpoint.h5.tmp"):
        put(tmp_path / name, ["mine"])
    take(tmp_path)
    parts.remove(tmp_path / "parts")
    assert len(files(tmp_path)) == 3


def test_a_scaling_study_replaces_its_measurements_and_nothing_of_others(tmp_path):
    put(tmp_path, [*(name for name in OTHERS if name.startswith("bench/")), "bench/cells-1.ranks-2.0.json"])
    scaling._folder(tmp_path, overwrite=True)
    assert files(tmp_path) == {"bench/cells-all.ranks-best.json"}
