import errno
import json
import os
import subprocess
import sys

import h5py
import numpy as np
import pytest

from metacascade.base.errors import InputError, RunError
from metacascade.io import datasets, parts, results, runlock, snapshots
from metacascade.io.output import Output, describe
from metacascade.io.results import open_results
from metacascade.io.rundirectory import claimed, finished, tidy
from metacascade.ranks.parallel import serial_world
from metacascade.state.observed import DRAWS, layouts
from metacascade.state.state import CTC, LESION, empty, shed_rows
from states import random_records, whole_state

WORLD = serial_world()
COLUMNS = {"step": (int, "1"), "radius_um": (float, "um"), "alive": (int, "cells")}
FIXED = dict(config={"run": {"seed": 1}}, columns=COLUMNS, tables=layouts(), nodes=["tumor", "lung"])
LAST = dict(open_ctcs=empty(CTC), lesions=empty(LESION), digest="d", wall_s={})


def new(directory, **more):
    return Output(WORLD, directory, **(FIXED | dict(config_text="seed = 1", provenance={"command": "a"}) | more))


def some_ctcs(n, seed=1):
    return random_records(np.random.default_rng(seed), CTC, n)


def add_part(output, step):
    output.record({"step": step, "radius_um": step / 2, "alive": 10 * step})
    output.shed(some_ctcs(4, seed=step))
    output.draw(time_s=step, index=0, node=1, volume_mL=2.5, singles=3, clusters=1, cells=7)
    return output.flush()


def rows_of(ctcs):
    """The bytes of their rows in /shed."""
    return shed_rows(ctcs).tobytes()


def test_a_run_that_has_just_started_can_be_read(tmp_path):
    new(tmp_path)
    with open_results(tmp_path) as found:
        assert len(found.shed) == 0 and len(found.draws) == 0 and not found.complete and found.digest == ""
        assert list(found.series) == list(COLUMNS) and found.config == {"run": {"seed": 1}}
        assert found.config_text == "seed = 1" and found.provenance == [{"command": "a"}]


def test_while_it_runs_all_parts_are_seen_as_one(tmp_path):
    output = new(tmp_path)
    assert [add_part(output, step) for step in range(3)] == [1, 2, 3]
    with open_results(tmp_path) as found:
        assert found.series["radius_um"].tolist() == [0.0, 0.5, 1.0] and found.series["alive"].dtype == np.int64
        assert found.shed[:].tobytes() == b"".join(rows_of(some_ctcs(4, step)) for step in range(3))
        assert found.draws["cells"].tolist() == [7, 7, 7] and found.draws.dtype == DRAWS.dtype


def test_bits_and_flags_of_cells_have_names_while_it_runs_and_at_the_end(tmp_path):
    output = new(tmp_path, bits=("L1CAM", "spore"))
    add_part(output, 1)
    with open_results(tmp_path) as found:
        named = found.masks("shed")
    assert named == {"bits": {1: "L1CAM", 2: "spore"}, "flags": {1: "returned", 2: "injected", 4: "lesion", 8: "lymph", 16: "clonogenic"}}
    output.finish(**LAST)
    with open_results(tmp_path) as found:
        assert found.masks("shed") == found.masks("lesions") == named and found.masks("draws") == {}


def test_a_part_without_rows_is_not_written(tmp_path):
    output = new(tmp_path)
    assert output.flush() == 0 and not list(tmp_path.rglob("part.*"))


def test_rows_of_a_part_are_sorted_by_id(tmp_path):
    output, ctcs = new(tmp_path), some_ctcs(50)
    output.shed(ctcs[30:])
    output.shed(ctcs[:30][::-1])
    output.flush()
    with open_results(tmp_path) as found:
        assert found.shed[:].tobytes() == rows_of(ctcs)


def test_a_row_with_a_wrong_column_is_an_error_that_names_it(tmp_path):
    with pytest.raises(KeyError, match="alive.*radius_mm"):
        new(tmp_path).record({"step": 1, "radius_um": 1.0, "radius_mm": 1.0})


def test_resume_removes_newer_parts_and_keeps_text_and_sessions(tmp_path):
    output = new(tmp_path)
    for step in range(3):
        add_part(output, step)
    again = new(tmp_path, config_text=None, provenance={"command": "b"}, first_part=1)
    assert [path.name for path in (tmp_path / "parts").iterdir()] == ["part.000000.h5"]
    add_part(again, 5)
    with open_results(tmp_path) as found:
        assert found.series["step"].tolist() == [0, 5] and len(found.shed) == 8
        assert found.config_text == "seed = 1" and [s["command"] for s in found.provenance] == ["a", "b"]


@pytest.mark.parametrize("spoil, words", [
    (lambda path: path.unlink(), "put it back, or `branch` from the checkpoint"),
    (lambda path: path.write_bytes(path.read_bytes()[:-1] + b"!"), "damaged"),
    (lambda path: path.write_bytes(b""), "not a metacascade part"),
])
def test_resume_refuses_a_missing_or_damaged_part(tmp_path, spoil, words):
    output = new(tmp_path)
    add_part(output, 0)
    spoil(tmp_path / "parts/part.000000.h5")
    with pytest.raises(InputError, match=f"part.000000.h5.*{words}"):
        new(tmp_path, config_text=None, first_part=1)


def test_resume_tells_what_to_do_about_damaged_results(tmp_path):
    add_part(new(tmp_path), 1)
    (tmp_path / "results.h5").write_bytes(b"no HDF5")
    with pytest.raises(InputError, match="(?s)results.h5.*remove it, and resume again"):
        new(tmp_path, config_text=None, first_part=1)
    (tmp_path / "results.h5").unlink()
    new(tmp_path, config_text=None, first_part=1)
    with open_results(tmp_path) as found:
        assert len(found.series["step"]) == 1


def test_resume_refuses_parts_with_other_columns(tmp_path):
    add_part(new(tmp_path), 0)
    with pytest.raises(InputError, match="other columns"):
        new(tmp_path, config_text=None, first_part=1, columns={"step": (int, "1")})


def test_at_the_end_one_file_holds_everything(tmp_path):
    output = new(tmp_path)
    for step in range(3):
        add_part(output, step)
    lesions = random_records(np.random.default_rng(2), LESION, 6)
    output.finish(open_ctcs=some_ctcs(5, seed=9), lesions=lesions, digest="abc", wall_s={"tissue": 1.5, "blood": 2.5})
    assert os.listdir(tmp_path) == ["results.h5"]
    with open_results(tmp_path / "results.h5") as found:
        assert found.complete and found.digest == "abc" and found.lesions[:].tobytes() == lesions.tobytes()
        assert found.shed[-5:].tobytes() == rows_of(some_ctcs(5, seed=9)) and len(found.shed) == 17
        assert found.h5["provenance/wall_s"][:].tolist() == [[1.5, 2.5]]
        assert json.loads(found.h5["provenance/wall_s"].attrs["columns"]) == ["tissue", "blood"]
        assert found.units("clones")["time_s"] == "s" and found.names("shed")["fate"][1] == "anoikis"
        assert found.names("clone_cells")["place"] == {0: "tissue", 1: "circulating", 2: "arrested", 3: "tumor", 4: "lung"}


def test_parts_that_are_longer_than_a_slab_are_merged_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "SLAB_ROWS", 7)
    output = new(tmp_path)
    output.shed(some_ctcs(50))
    output.flush()
    output.finish(**LAST | dict(open_ctcs=some_ctcs(20, seed=3)))
    with open_results(tmp_path) as found:
        assert found.shed[:].tobytes() == rows_of(some_ctcs(50)) + rows_of(some_ctcs(20, seed=3))


def test_every_dataset_has_a_unit(tmp_path):
    output = new(tmp_path)
    add_part(output, 1)
    output.finish(**LAST)
    with h5py.File(tmp_path / "results.h5") as h5:
        h5.visititems(lambda name, item: None if isinstance(item, h5py.Group) or item.dtype == object
                      else item.attrs["units" if item.dtype.names else "unit"])
        for name in ("shed", "lesions", "draws"):
            assert json.loads(h5[name].attrs["units"]).keys() == set(h5[name].dtype.names)


def test_who_has_the_running_results_open_goes_on_reading_after_the_end(tmp_path):
    output = new(tmp_path)
    add_part(output, 1)
    with open_results(tmp_path) as found:
        before = found.shed[:]
        output.finish(**LAST)
        assert found.shed[:].tobytes() == before.tobytes() and before["id"].any()


@pytest.mark.parametrize("name", ["pwrite", "fsync", "replace"])
def test_a_full_disk_at_a_part_or_at_the_end_harms_no_file(tmp_path, monkeypatch, name):
    output = new(tmp_path)
    add_part(output, 1)
    before = {path.name: path.read_bytes() for path in tmp_path.rglob("*.h5")}

    def full(*_):
        raise OSError(errno.EDQUOT, "Disk quota exceeded")
    output.shed(some_ctcs(3))
    for work in (output.flush, lambda: output.finish(**LAST)):
        with monkeypatch.context() as patch, pytest.raises(RunError, match=r"cannot write .*\.h5: Disk quota exceeded"):
            patch.setattr(os, name, full)
            work()
        assert {path.name: path.read_bytes() for path in tmp_path.rglob("*.h5*")} == before


def test_results_complete_are_recognized_and_what_a_kill_left_is_removed(tmp_path):
    output = new(tmp_path)
    add_part(output, 1)
    assert not finished(tmp_path)
    part = (tmp_path / "parts/part.000000.h5").read_bytes()
    output.finish(**LAST)
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts/part.000000.h5").write_bytes(part)
    for name in ("watchdog.txt", "run.lock", "status.json", "ranks.txt"):
        (tmp_path / name).touch()
    held = runlock.lock(tmp_path)
    tidy(tmp_path)
    assert finished(tmp_path) and len(os.listdir(tmp_path)) == 6        # they may be of whoever holds it
    held.close()
    tidy(tmp_path)
    assert finished(tmp_path) and os.listdir(tmp_path) == ["results.h5"]
    assert not finished(tmp_path / "nowhere")


def take(directory, **how):
    with claimed(WORLD, directory, **how):
        assert (directory / "run.lock").exists()


def test_a_directory_with_files_is_refused_and_nothing_in_it_touched(tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(InputError, match="--overwrite"):
        take(tmp_path)
    take(tmp_path / "new/deep")
    assert (tmp_path / "new/deep").is_dir()


def test_overwrite_removes_a_former_run_and_no_file_of_others(tmp_path):
    add_part(new(tmp_path), 1)
    (tmp_path / "parts/part.000001.h5.tmp").touch()
    for name in ("mine.txt", "other.h5", "checkpoint.h5", "checkpoint.prev.h5", "parts/mine.h5"):
        (tmp_path / name).touch()
    take(tmp_path, overwrite=True)
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()) == [
        "mine.txt", "other.h5", "parts/mine.h5"]


def test_while_a_run_writes_no_other_process_can_take_its_directory(tmp_path):
    output, held = new(tmp_path), runlock.lock(tmp_path)
    code = ("import sys; from metacascade.ranks import parallel; from metacascade.io import rundirectory\n"
            "with rundirectory.claimed(parallel.serial_world(), sys.argv[1], overwrite=True): pass")
    other = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True)
    assert "another run is writing here" in other.stderr and (tmp_path / "results.h5").exists()
    output.finish(**LAST)
    held.close()
    subprocess.run([sys.executable, "-c", code, tmp_path], check=True)


def test_a_path_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises((InputError, RunError), match="out"):
        take(tmp_path / "out")


@pytest.mark.parametrize("content", [None, b"", b"nonsense", b"\x89HDF\r\n\x1a\n" + bytes(100)])
def test_what_is_no_result_is_an_input_error(tmp_path, content):
    if content is not None:
        (tmp_path / "results.h5").write_bytes(content)
    with pytest.raises(InputError, match="results.h5"):
        open_results(tmp_path)


def test_results_of_another_kind_or_format_are_refused(tmp_path):
    path = tmp_path / "results.h5"
    datasets.write_small(path, lambda h5: None)
    with pytest.raises(InputError, match="not a metacascade results file, or of a version before these had a seal"):
        open_results(path)
    datasets.write_small(path, lambda h5: None, ("PART", 1))
    with pytest.raises(InputError, match="is a metacascade part, not a results file"):
        open_results(path)
    datasets.write_small(path, lambda h5: None, ("RESULTS", 9))
    with pytest.raises(InputError, match=f"format 9; .* reads format {results.FORMAT}: install the newer"):
        open_results(path)


def test_a_missing_table_is_named_with_those_there_are(tmp_path):
    new(tmp_path)
    with open_results(tmp_path) as found, pytest.raises(KeyError, match="no /lesions; it has .*draws"):
        found["lesions"]


def told(path):
    return "\n".join(describe(path))


def test_describe_tells_of_parts_snapshots_and_damaged_files(tmp_path):
    add_part(new(tmp_path), 3)
    assert "4 rows in /shed" in told(tmp_path / "parts/part.000000.h5")
    snapshots.write(WORLD, tmp_path, whole_state(tiles=2), edge_um=30.0, limit=100)
    assert "3.5 h" in told(tmp_path / "snapshots/cells.000007.vtkhdf")
    (tmp_path / "checkpoint.h5").write_bytes(bytes(512) + b"\x89HDF")
    texts = describe(tmp_path)
    assert "not complete" in next(texts)
    with pytest.raises(InputError, match="checkpoint.h5 is not a metacascade checkpoint"):
        next(texts)
    with pytest.raises(InputError, match="interrupted"):
        told(tmp_path / "checkpoint.h5")


def test_describe_tells_of_results_and_of_a_directory(tmp_path):
    output = new(tmp_path)
    add_part(output, 3)
    assert "not complete" in told(tmp_path) and "alive                        30 cells" in told(tmp_path)
    output.finish(**LAST)
    assert "digest d" in told(tmp_path / "results.h5")
    with pytest.raises(InputError, match="neither"):
        (tmp_path / "empty").mkdir()
        told(tmp_path / "empty")
