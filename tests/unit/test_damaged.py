"""Damaged files: one message and no traceback, and HDF5, which may then never end, does not see them."""
import faulthandler
import json

import numpy as np
import pytest

from metacascade.base.errors import InputError
from metacascade.io import datasets, snapshots
from metacascade.io.output import Output, describe, digest_of
from metacascade.io.results import open_results
from metacascade.io.rundirectory import finished
from metacascade.ranks.parallel import serial_world
from metacascade.run import cluster, watchdog
from metacascade.state.observed import layouts
from metacascade.state.state import CTC, LESION, SHED
from metacascade.studies import scaling, scaling_projection, sweep_stored, sweep_table
from states import random_records, whole_state
from unit.test_checkpoint_fuzz import MUTATIONS

WORLD = serial_world()
LIMIT_S = 300             # a test that has not ended by then ends all with a traceback of every thread


@pytest.fixture(autouse=True)
def no_hang():
    faulthandler.dump_traceback_later(LIMIT_S, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


def results_of(directory, complete):
    output = Output(WORLD, directory, config_text="seed = 1", config={"run": {"seed": 1}}, tables=layouts(), nodes=["tumor", "lung"],
                    columns={"step": (int, "1"), "alive": (int, "cells")}, provenance={"command": "a"})
    output.record({"step": 1, "alive": 10})
    output.shed(random_records(np.random.default_rng(1), CTC, 40))
    output.draw(time_s=1, index=0, node=1, volume_mL=2.5, singles=3, clusters=1, cells=7)
    output.flush()
    if complete:
        lesions = random_records(np.random.default_rng(2), LESION, 20)
        still = random_records(np.random.default_rng(3), CTC, 5)
        output.finish(open_ctcs=still, lesions=lesions, digest="d", wall_s={})
    return directory / "results.h5"


def rows_of(results):
    return [results[name][:].tobytes() for name in ("shed", "lesions", "draws") if name in results]


def everything(path):
    """All that can be read from a file of results."""
    with open_results(path) as results:
        return [results.config, results.config_text, results.provenance, results.digest, results.complete,
                {name: column.tolist() for name, column in results.series.items()}, *rows_of(results)]


def assert_refused(path, mutated, expected, monkeypatch):
    """Reading all of a damaged file is an InputError; of rows that are not read, nothing else is wrong."""
    mutated.tofile(path)
    for read in (everything, lambda path: list(describe(path))):
        with pytest.raises(InputError, match=path.name):
            read(path)
    try:
        results = open_results(path)
    except InputError:
        assert not finished(path.parent)
        with pytest.raises(InputError, match=path.name), monkeypatch.context() as patch:
            patch.setattr(datasets, "open_file", None)      # a call of None would be a TypeError
            digest_of(path)
    else:
        with results:
            assert [results.config, results.config_text, results.provenance, results.digest] == expected[:4]
            for read in (rows_of, lambda results: results.shed["fate"], lambda results: results.shed[3]):
                with pytest.raises(InputError, match="does not match its checksum"):
                    read(results)


def refuses_mutated_results(directory, monkeypatch, number, seed, complete):
    path = results_of(directory, complete)
    whole, expected, rng = np.fromfile(path, np.uint8), everything(path), np.random.default_rng(seed)
    for i in range(number):
        mutated = MUTATIONS[i % len(MUTATIONS)](whole.copy(), rng)
        if not np.array_equal(mutated, whole):
            assert_refused(path, mutated, expected, monkeypatch)


@pytest.mark.parametrize("complete", [True, False])
def test_hundreds_of_mutated_results_are_refused(tmp_path, monkeypatch, complete):
    refuses_mutated_results(tmp_path, monkeypatch, 350, 1, complete)


@pytest.mark.slow
@pytest.mark.parametrize("complete", [True, False])
def test_ten_thousand_mutated_results_are_refused(tmp_path, monkeypatch, complete):
    refuses_mutated_results(tmp_path, monkeypatch, 10_500, 2, complete)


def test_what_is_read_of_large_results_is_checked_and_no_more(tmp_path, monkeypatch):
    """Opening costs what all but the rows cost; the first row read, a hash of all, once."""
    path, hashed = results_of(tmp_path, complete=True), []
    from metacascade.io import sealed

    def counted(file, start, buffer, original=sealed._read_full):
        hashed.append(len(buffer))
        return original(file, start, buffer)
    monkeypatch.setattr(sealed, "_read_full", counted)
    rows = 45 * SHED.itemsize + 20 * LESION.itemsize
    with open_results(path) as results:
        results.series, results.config, results.digest
        assert sum(hashed) == path.stat().st_size - sealed.BLOCK - rows
        hashed.clear()
        rows_of(results), results.shed["fate"]
        assert sum(hashed) == 2 * (path.stat().st_size - sealed.BLOCK) - rows      # without them, and with them


@pytest.mark.parametrize("number", [140, pytest.param(7000, marks=pytest.mark.slow)])
def test_mutated_snapshots_and_parts_are_refused(tmp_path, monkeypatch, number):
    results_of(tmp_path, complete=False)
    snapshots.write(WORLD, tmp_path, whole_state(tiles=1), edge_um=30.0, limit=10)
    rng = np.random.default_rng(3)
    monkeypatch.setattr(datasets, "open_file", None)
    for path in (tmp_path / "snapshots/voxels.000007.vtkhdf", tmp_path / "parts/part.000000.h5"):
        whole = np.fromfile(path, np.uint8)
        for i in range(number):
            mutated = MUTATIONS[i % len(MUTATIONS)](whole.copy(), rng)
            if not np.array_equal(mutated, whole):
                mutated.tofile(path)
                with pytest.raises(InputError, match=path.name):
                    list(describe(path))


@pytest.mark.parametrize("damage", [
    b"", b"{", b"\xff\xfe", b"[1]", b'{"files": [{}]}', b"[" * 100_000, b'{"files": 3}'])
def test_a_damaged_list_of_snapshots_is_made_anew_from_those_that_are_intact(tmp_path, damage):
    def write(step):
        state = whole_state(tiles=1)
        state.meta.update(step=step, time_s=3600 * step)
        snapshots.write(WORLD, tmp_path, state, edge_um=30.0, limit=10)
    for step in (1, 2, 3):
        write(step)
    path = tmp_path / "snapshots/cells.vtkhdf.series"
    path.write_bytes(damage)
    (tmp_path / "snapshots/cells.000002.vtkhdf").write_bytes(b"damaged")
    (tmp_path / "snapshots/cells.mine.vtkhdf").write_bytes(b"mine")
    write(4)
    files = [(f"cells.{step:06d}.vtkhdf", float(step)) for step in (1, 3, 4)]
    assert [(file["name"], file["time"]) for file in json.loads(path.read_text())["files"]] == files


JSON = (b"", b"{", b"null", b"[]", b"3", b'"x"', b"\xff\xfe\x00", b"[" * 100_000, b'{"a":' * 100_000, b"9" * 5000,
        b"\0" * 99,
        b'{"format": 1}', b'{"format": 1, "sweep": {}, "config": "", "fixed": {}, "units": {}, "members": [3]}',
        b'{"settings": {}, "figures": {}}', b'{"settings": 1, "figures": []}',
        b'{"cases": 3, "settings": [], "kind": 1}')
READERS = {
    "members.json": sweep_stored.read,
    "scaling.json": scaling_projection._read,
    "cells-1.ranks-2.0.json": lambda path: scaling._kept(path, scaling.Case(1, 2), {}),
    "site.conf": lambda path: cluster.site(path)}


@pytest.mark.parametrize("content", JSON, ids=range(len(JSON)))
@pytest.mark.parametrize("name", READERS)
def test_other_files_that_are_damaged_are_one_message(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    try:
        READERS[name](path)
    except InputError as error:
        assert str(path) in str(error)
    else:
        assert name == "site.conf" and content.strip() == b"", "accepted"


def mutated_texts(text, number, seed):
    rng = np.random.default_rng(seed)
    for i in range(number):
        yield MUTATIONS[i % len(MUTATIONS)](np.frombuffer(text, np.uint8).copy(), rng).tobytes()


@pytest.mark.parametrize("number", [300, pytest.param(20_000, marks=pytest.mark.slow)])
def test_a_mutated_plan_of_a_sweep_is_read_or_refused(tmp_path, number):
    member = dict(number=0, point=0, replicate=0, seed=1, settings={"blood.nk": "0.1/h"})
    plan = dict(format=1, sweep={"runs": 2}, config="# as given\n" * 60, fixed={}, units={"blood.nk": "1/h"},
                members=[member])
    path = tmp_path / "members.json"
    for text in mutated_texts(json.dumps(plan).encode(), number, seed=4):
        path.write_bytes(text)
        try:
            sweep_stored.read(path)
        except InputError as error:
            assert str(path) in str(error)


def test_a_log_with_what_looks_like_an_end_is_read(tmp_path):
    path = sweep_table.log(tmp_path, {"number": 0})
    path.write_text("sweep: exit code 1 after 1.2.3 s\nsweep: exit code ٣ after ٣ s\nsweep: exit code 0 after 1.25 s\n")
    assert sweep_table.ends(tmp_path, {"number": 0}) == [(0, 1.25)]


def test_signs_of_life_that_are_damaged_end_no_watchdog(tmp_path):
    (tmp_path / "watchdog.txt").write_text("x host y 1 tissue moves 3\n0 host 7 1 tissue moves 3\n")
    guard = watchdog.Watchdog(WORLD, tmp_path, 0, lambda: (0, "", 0))
    guard.world = type("Two", (), {"size": 2})
    assert [sign.rank for sign in guard._read()] == [0]
