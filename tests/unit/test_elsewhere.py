"""Files from elsewhere: what they point to is not followed, their sizes are not believed, and there is one message."""
import json
import os
import shutil
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from metacascade.base.errors import InputError
from metacascade.io import checkpoint, datasets, parts, reopening, results, sealed, snapshots
from metacascade.io.output import Output, describe, digest_of, reopen
from metacascade.io.results import open_results
from metacascade.model import saving
from metacascade.ranks.parallel import serial_world
from metacascade.run import commands
from metacascade.state.observed import layouts
from metacascade.state.state import CLONE, CTC, LESION, MEMBER, SHED, empty, shed_rows
from states import random_records, whole_state

WORLD = serial_world()
SEALS = {"results.h5": (results.KIND, results.FORMAT), "checkpoint.h5": (checkpoint.KIND, checkpoint.FORMAT),
         "parts/part.000000.h5": (parts.KIND, parts.FORMAT),
         "snapshots/cells.000007.vtkhdf": (snapshots.KIND, snapshots.FORMAT)}
TABLE = {"results.h5": "draws", "checkpoint.h5": "cells", "parts/part.000000.h5": "draws",
         "snapshots/cells.000007.vtkhdf": "VTKHDF/NumberOfPoints"}


def started(directory):
    return Output(WORLD, directory, config_text="", config={}, columns={"step": (int, "steps")}, tables=layouts(), nodes=["tumor"],
                  provenance={"command": "a"})


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    directory = tmp_path_factory.mktemp("run") / "run"
    directory.mkdir()
    output = started(directory)
    for step in (1, 2):
        output.record({"step": step})
        output.shed(random_records(np.random.default_rng(step), CTC, 4))
        output.draw(time_s=step, index=0, node=0, volume_mL=2.5, singles=3, clusters=1, cells=7)
        output.flush()
    checkpoint.write(WORLD, directory, whole_state(tiles=2))
    snapshots.write(WORLD, directory, whole_state(tiles=2), edge_um=30.0, limit=10**6)
    with h5py.File(directory / "secret.h5", "w") as h5:
        h5["shed"] = np.zeros(9, SHED)
    return directory


@pytest.fixture
def run(template, tmp_path):
    """The directory of a run that has not ended: two parts, a checkpoint, a snapshot. A copy for each test."""
    return Path(shutil.copytree(template, tmp_path / "run"))


def crafted(path, change):
    """Change an HDF5 file, by somebody who can seal it."""
    name = next(name for name in SEALS if path.as_posix().endswith(f"/{name}"))
    with h5py.File(path, "r+") as h5:
        change(h5)
    sealed.seal(WORLD, path, *SEALS[name])


def instead(name, make):
    def change(h5):
        del h5[name]
        make(h5, name)
    return change


def huge(h5, name):
    h5.create_dataset(name, (1 << 50,), "f8")


def huge_chunk(h5, name):
    h5.create_dataset(name, (1 << 40,), "f8", chunks=(1 << 28,))


def compressed(h5, name):
    h5.create_dataset(name, data=np.zeros(1000), compression="gzip")


def external(h5, name):
    h5[name] = h5py.ExternalLink("secret.h5", "/shed")


def soft(h5, name):
    h5[name] = h5py.SoftLink("/elsewhere")


def raw_file(h5, name):
    h5.create_dataset(name, (8,), "u1", external=[("/etc/passwd", 0, 8)])


def virtual(h5, name, file="secret.h5", rows=9, source=9):
    layout = h5py.VirtualLayout((rows,), SHED)
    layout[:source] = h5py.VirtualSource(file, "shed", (source,), SHED)
    h5.create_virtual_dataset(name, layout)


def references(h5, name):
    h5.create_dataset(name, data=[h5.ref], dtype=h5py.ref_dtype)


def of_any_length(h5, name):
    h5.create_dataset(name, (3,), h5py.vlen_dtype(np.dtype("f8")))


def texts_of_any_length(h5, name):
    h5[name] = ["a", "b"]


def opaque(h5, name):
    h5.create_dataset(name, data=np.zeros(2, "V9"))


def a_loop(h5, name):
    h5[name] = h5["/"]


def a_type(h5, name):
    h5[name] = np.dtype("f8")


def an_attribute(h5, name):
    h5[name] = 1
    h5[name].attrs.create("a", [h5.ref], dtype=h5py.ref_dtype)


CRAFTED = (huge, huge_chunk, compressed, external, soft, raw_file, virtual, references, of_any_length,
           texts_of_any_length, opaque, a_loop, a_type, an_attribute)


def reads(path):
    """All commands and functions that open such a file."""
    yield lambda: "".join(describe(path))
    if path.name == "checkpoint.h5":
        yield lambda: digest_of(path)
        yield lambda: checkpoint.read(WORLD, path)
        yield lambda: commands.branch(path, path.parent / "new")
        (path.parent / "checkpoint.prev.h5").unlink(missing_ok=True)
        yield lambda: commands.resume(path.parent)
    if path.name == "results.h5":
        yield lambda: open_results(path)
        yield lambda: digest_of(path)
        yield lambda: Output(WORLD, path.parent, config_text=None, config={}, columns={"step": (int, "steps")},
                             tables=layouts(), nodes=["tumor"], provenance={}, first_part=2)
    if path.parent.name == "parts":
        yield lambda: open_results(path.parents[1]).shed["fate"]
        yield lambda: Output(WORLD, path.parents[1], config_text=None, config={}, columns={"step": (int, "steps")},
                             tables=layouts(), nodes=["tumor"], provenance={}, first_part=2)


@pytest.mark.parametrize("name", SEALS)
@pytest.mark.parametrize("make", CRAFTED, ids=lambda make: make.__name__)
def test_what_we_do_not_write_is_refused_before_it_is_followed_or_takes_memory(run, name, make):
    crafted(run / name, instead(TABLE[name], make))
    tracemalloc.start()
    for read in reads(run / name):
        with pytest.raises(InputError, match="not as metacascade writes it"):
            read()
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()
    assert not (run / "new").exists()


@pytest.mark.parametrize("file, rows, source", [
    ("parts/../secret.h5", 9, 9), ("/etc/passwd", 9, 9), (".", 9, 9), ("parts/part.0.h5", 4, 4),
    ("parts/part.000000.h5", 1 << 50, 4), ("parts/part.000000.h5", 5, 4)])
def test_results_look_into_nothing_but_their_parts_and_show_no_row_that_is_not_there(run, file, rows, source):
    crafted(run / "results.h5", instead("shed", lambda h5, name: virtual(h5, name, file, rows, source)))
    with pytest.raises(InputError, match="results.h5 is not as metacascade writes it: /shed"):
        open_results(run)


def test_a_part_with_other_rows_than_the_results_say_is_refused(run):
    shutil.copy(run / "parts/part.000000.h5", run / "parts/part.000001.h5")
    datasets.write(WORLD, run / "parts/part.000000.h5", [datasets.Table.of("shed", np.zeros(3, SHED))],
                   seal=SEALS["parts/part.000000.h5"])
    with open_results(run) as found, pytest.raises(InputError, match="holds 3 rows of /shed, and not 4"):
        found.shed.frame()


@pytest.mark.parametrize("lost", ["part.000000.h5", "part.000001.h5", "."])
def test_results_without_their_parts_say_what_is_missing_and_show_no_cell(run, lost):
    copy = run / "copy"
    shutil.copytree(run, copy)
    shutil.rmtree(copy / "parts") if lost == "." else (copy / "parts" / lost).unlink()
    for read in (lambda: open_results(copy), lambda: open_results(copy / "results.h5"),
                 lambda: "".join(describe(copy))):
        with pytest.raises(InputError, match=r"parts/part.00000\d.h5.* is not beside it: copy the whole directory"):
            read()
    with h5py.File(copy / "results.h5") as h5:
        rows = h5["shed"][:][:4] if lost != "part.000001.h5" else h5["shed"][:][4:]
    assert (rows["fate"] == 255).all() and (rows["id"] == 2**64 - 1).all() and np.isnan(rows["t_shed"]).all()
    assert len(open_results(run).shed["fate"]) == 8


def test_a_part_that_goes_while_results_are_open_is_told(run):
    with open_results(run) as found:
        assert len(found.shed[:]) == 8
        (run / "parts/part.000001.h5").unlink()
        for read in (lambda: found.shed["fate"], lambda: found.shed.frame(), lambda: found.shed[2:3]):
            with pytest.raises(InputError, match="part.000001.h5.* is not beside it"):
                read()


def test_a_run_that_was_killed_while_it_removed_parts_goes_on(run):
    """Resume removes newer parts before it renews results.h5: these look into what is gone, and that is no damage."""
    (run / "parts/part.000001.h5").unlink()
    Output(WORLD, run, config_text=None, config={}, columns={"step": (int, "steps")}, tables=layouts(), nodes=["tumor"], provenance={},
           first_part=1)
    assert len(open_results(run).shed[:]) == 4


def test_results_that_are_reached_through_a_link_find_their_parts(run):
    os.symlink(run / "results.h5", run / "secret.link")
    assert len(open_results(run / "secret.link").shed[:]) == 8


@pytest.mark.parametrize("change, words", [
    (lambda meta: meta.pop("config"), "config"), (lambda meta: meta.update(step="7"), "meta.step is a str"),
    (lambda meta: meta.update(parts=None), "meta.parts"), (lambda meta: meta.update(ledger=[]), "meta.ledger")])
@pytest.mark.parametrize("command", ["describe", "digest_of", "branch", "resume"])
def test_a_checkpoint_without_what_it_must_say_is_refused(run, change, words, command):
    meta = dict(whole_state(tiles=2).meta)
    change(meta)
    crafted(run / "checkpoint.h5", instead("meta", lambda h5, name: h5.create_dataset(name, data=json.dumps(meta))))
    path = run / "checkpoint.h5"
    work = {"describe": lambda: "".join(describe(path)), "digest_of": lambda: digest_of(path),
            "branch": lambda: commands.branch(path, run / "new"), "resume": lambda: commands.resume(run)}[command]
    with pytest.raises(InputError, match=words):
        work()


@pytest.mark.parametrize("name, counts", [
    ("ledger", {"eaten": 1}), ("ledger", {"initial": "1"}), ("ledger", {"initial": -1}), ("fates", {"eaten": {}}),
    ("fates", {"nk": {"nowhere": 1}}), ("fates", {"nk": {"lung": 0.5}}), ("fates", {"nk": 3}),
    ("events", {"eaten": {}}), ("events", {"bound": {"lung": -1}}),
    ("shed_distances", [0] * 30), ("shed_distances", [0.5] * 31), ("first_times", {"detected_s": 0}),
    ("first_times", dict.fromkeys(("detected_s", "first_shed_s", "first_lesion_s"), -2))])
def test_totals_of_what_is_not_counted_are_refused(name, counts):
    saved = founder_state(fates={"nk": {"lung": 1}})
    saving.refuse_foreign(saved, ["veins", "lung"], ["initial"])
    saved.meta[name] = counts
    with pytest.raises(InputError, match="counts cells by (names or numbers that metacascade has not|eaten, which nothing here)"):
        saving.refuse_foreign(saved, ["veins", "lung"], ["initial"])


def test_zones_that_are_none_are_refused():
    saved = founder_state()
    saved.arrays["zone"] = np.full((2, 512), 3, np.uint8)
    saving.refuse_foreign(saved, ["veins", "lung"], ["initial"])
    saved.arrays["zone"][1, 7] = 4
    with pytest.raises(InputError, match="zones of the state"):
        saving.refuse_foreign(saved, ["veins", "lung"], ["initial"])


@pytest.mark.parametrize("change", [
    lambda saved: saved.clones["parent"].fill(0), lambda saved: setattr(saved, "clones", saved.clones[:0]),
    lambda saved: setattr(saved, "ctcs", np.ones(1, CTC)), lambda saved: saved.meta.update(traits=["x"] * 25),
    lambda saved: setattr(saved, "clones", np.repeat(saved.clones, 2))])
def test_clones_that_are_none_are_refused(change):
    saved = founder_state()
    change(saved)
    with pytest.raises(InputError, match="clones of the state"):
        saving.refuse_foreign(saved, ["veins", "lung"], ["initial"])


def founder_state(**meta):
    """As much of a state with one clone as is looked at."""
    clones = np.zeros(1, CLONE)
    clones["parent"] = -1
    meta = {"ledger": {"initial": 1}, "fates": {}, "events": {}, "traits": [], "bits": [], "redraws": False,
            "redraws_lesions": False, "since_h": 0.0,
            "shed_distances": [0] * 31,
            "first_times": dict.fromkeys(("detected_s", "first_shed_s", "first_lesion_s"), -1)} | meta
    return SimpleNamespace(meta=meta, ctcs=empty(CTC), members=empty(MEMBER), lesions=empty(LESION), segments=None,
                           clones=clones, arrays={}, vessels={})


@pytest.mark.parametrize("config", [{"run": 5}, {"run": {"step_s": "x"}}, {"tumor": [1]}, {"nothing": 1}])
@pytest.mark.parametrize("command", ["branch", "resume"])
def test_a_checkpoint_with_a_config_of_something_else_is_refused(run, command, config):
    path, meta = run / "checkpoint.h5", whole_state(tiles=2).meta | {"config": config}
    crafted(path, instead("meta", lambda h5, name: h5.create_dataset(name, data=json.dumps(meta))))
    with pytest.raises(InputError, match="checkpoint.h5 is not as metacascade writes it"):
        commands.branch(path, run / "new") if command == "branch" else commands.resume(run)


def test_cells_at_nodes_that_the_circuit_has_not_are_refused(run):
    with pytest.raises(InputError, match=r"cells at node 25\d, and the circuit only nodes up to 18"):
        commands.resume(run)        # the records of this state are random bytes


def test_vessels_of_another_layout_are_refused(run):
    def change(h5):
        for name in ("ctcs", "members", "lesions"):
            rows = h5[name][:]
            for field in {"node", "origin", "clone"} & set(rows.dtype.names):
                rows[field] = 0
            h5[name][:] = rows
    crafted(run / "checkpoint.h5", change)
    with pytest.raises(InputError, match="the vessels of the state are not laid out as metacascade writes them"):
        commands.resume(run)


def test_texts_that_are_no_json_are_refused(run):
    for name in ("config/resolved", "provenance/sessions"):
        for text in ("{", "3", "[" * 100_000, "9" * 5000, b"\xff\xfe"):
            crafted(run / "results.h5", instead(name, lambda h5, name: h5.create_dataset(name, data=text)))
            with open_results(run) as found, pytest.raises(InputError, match="not as metacascade writes it"):
                found.config if name.startswith("config") else found.provenance


def test_a_cell_count_that_is_not_that_of_the_cells_is_refused(run):
    def change(h5):
        h5["tiles/counts"][0, 0] += 1
    crafted(run / "checkpoint.h5", change)
    with pytest.raises(InputError, match="cells of a tile"):
        checkpoint.read(WORLD, run / "checkpoint.h5")


def test_finished_results_are_as_they_were_written(run):
    lesions = random_records(np.random.default_rng(2), LESION, 6)
    output = started(run)
    output.finish(open_ctcs=empty(CTC), lesions=lesions, digest="d", wall_s={})
    with open_results(run) as found:
        assert found.lesions[:].tobytes() == lesions.tobytes() and found.complete


@pytest.mark.parametrize("moment", range(12))
def test_a_run_that_ends_while_it_is_read_is_read_whole(tmp_path, monkeypatch, moment):
    """Before its n-th look into a file the parts are merged and removed."""
    output, looks = started(tmp_path), iter(range(1000))
    expected = random_records(np.random.default_rng(1), CTC, 8)
    for rows in (expected[:4], expected[4:]):
        output.shed(rows)
        output.flush()

    def meanwhile(look):
        def wrapped(*args, **kwargs):
            if next(looks) == moment:
                output.finish(open_ctcs=empty(CTC), lesions=empty(LESION), digest="d", wall_s={})
            return look(*args, **kwargs)
        return wrapped
    for module, name in ((sealed, "verify"), (datasets, "open_file"), (os, "stat")):
        monkeypatch.setattr(module, name, meanwhile(getattr(module, name)))
    with open_results(tmp_path) as found:
        assert found.shed[:].tobytes() == shed_rows(expected).tobytes()
    assert "8 rows in /shed" in "".join(describe(tmp_path))


def _says(text):
    return lambda h5: h5.attrs.modify(reopening.WRITTEN, text)


@pytest.mark.parametrize("change", [
    _says("{"), _says("5"), _says("[]"), _says('[{"shed": 1}]'), _says('[{"<i8": 9, "<f8": 9, "draws": 9, "shed": 9}]'),
    _says('[{"<i8": -1, "<f8": 0, "draws": 0, "shed": 0}]'), lambda h5: h5["series"].pop("step")])
def test_finished_results_that_contradict_themselves_are_not_made_longer(run, change):
    started(run).finish(open_ctcs=empty(CTC), lesions=empty(LESION), digest="d", wall_s={})
    crafted(run / "results.h5", change)
    with pytest.raises(InputError, match="results.h5 is not as metacascade writes it"):
        reopen(WORLD, run, {"step": (int, "steps")}, layouts(), 1)
