import errno
import os

import h5py
import numpy as np
import pytest

from metacascade.base.errors import InputError, RunError
from metacascade.io import checkpoint, datasets, sealed
from metacascade.ranks.balance import work
from metacascade.ranks.parallel import serial_world
from metacascade.state.digest import digest
from metacascade.state.state import SLAB_CELLS, State, slabs
from states import assert_same, share_of, whole_state

WORLD = serial_world()


@pytest.fixture
def written(tmp_path):
    checkpoint.write(WORLD, tmp_path, whole_state())
    return tmp_path / "checkpoint.h5"


def at_step(step):
    state = whole_state(tiles=3)
    state.meta["step"] = step
    return state


def test_a_state_read_back_has_the_same_bytes(written):
    again = checkpoint.read(WORLD, written)
    assert_same(whole_state(), again)
    assert np.array_equal(again.segments, whole_state().segments)


def test_a_run_without_tissue_or_records_can_be_saved(tmp_path):
    nothing = whole_state(tiles=0, ctcs=0, lesions=0)
    nothing.segments = None
    checkpoint.write(WORLD, tmp_path, nothing)
    again = checkpoint.read(WORLD, tmp_path / "checkpoint.h5")
    assert_same(nothing, again)
    assert again.segments is None
    assert checkpoint.digest_of(tmp_path / "checkpoint.h5") == digest(WORLD, nothing)


def test_every_dataset_says_its_unit(written):
    with h5py.File(written) as h5:
        fields = {f"tiles/{name}" for name in h5["tiles"]}
        assert h5["tiles/factor"].attrs["unit"] == "nM"
        for name in set(h5) - {"meta", "segments", "tiles"} | fields:
            assert "unit" in h5[name].attrs or "units" in h5[name].attrs, name


class Rank:
    """Takes the place of a world of several ranks where nothing is sent."""
    def __init__(self, rank, size):
        self.rank, self.size = rank, size


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_the_shares_of_any_number_of_ranks_are_the_whole(written, size):
    whole, stored = whole_state(), checkpoint._Stored(written)
    shares = [stored.share(rank, size) for rank in range(size)]
    for name in ("tile_key", "tile_coords", "ctcs", "lesions"):
        joined = np.concatenate([getattr(share, name) for share in shares])
        assert joined.tobytes() == getattr(whole, name).tobytes(), name
    for name, array in whole.arrays.items():
        assert np.concatenate([share.arrays[name] for share in shares]).tobytes() == array.tobytes(), name
    cells = b"".join(share.cells(0, len(share.tile_key)).tobytes() for share in shares)
    assert cells == whole.cells(0, len(whole.tile_key)).tobytes()
    for rank, share in enumerate(shares):
        checkpoint._check(share, rank, size)


@pytest.mark.parametrize("size", [2, 3, 7])
def test_a_rank_starts_at_the_tile_whose_cumulative_work_is_nearest_to_its_part(written, size):
    whole, stored = whole_state(), checkpoint._Stored(written)
    cost = np.concatenate([[0], np.cumsum(work(np.diff(whole.first_cell)))])
    for rank in range(size):
        goal = rank * cost[-1] / size
        bound = stored._tile_bound(rank, size)
        assert abs(cost[bound] - goal) == np.abs(cost - goal).min()


def test_cells_are_asked_for_in_slabs_and_never_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(State.slabs, "__defaults__", (3000,))
    state, asked = whole_state(density=2.0), []
    cells = state.cells
    state.cells = lambda first, last: asked.append((first, last)) or cells(first, last)
    checkpoint.write(WORLD, tmp_path, state)
    assert asked == list(slabs(state.first_cell, 3000)) and len(asked) > 5
    for first, last in asked:
        assert last == first + 1 or state.first_cell[last] - state.first_cell[first] <= 3000


def test_slabs_cover_the_tiles_once_in_order():
    first_cell = np.cumsum([0, 0, 5, SLAB_CELLS, 0, 0, 3 * SLAB_CELLS, 1, 0, 0])
    cuts = list(slabs(first_cell, tiles=3))
    assert [i for first, last in cuts for i in range(first, last)] == list(range(9))
    assert all(last - first <= 3 for first, last in cuts)


def test_cells_can_be_read_after_the_file_was_replaced_twice(tmp_path):
    checkpoint.write(WORLD, tmp_path, at_step(1))
    state = checkpoint.read(WORLD, tmp_path / "checkpoint.h5")
    for step in (2, 3):
        checkpoint.write(WORLD, tmp_path, whole_state(seed=step))
    assert_same(at_step(1), state)


def test_the_former_checkpoint_is_kept(tmp_path):
    for step in (1, 2, 3):
        checkpoint.write(WORLD, tmp_path, at_step(step))
    assert checkpoint.read(WORLD, tmp_path / "checkpoint.h5").meta["step"] == 3
    assert checkpoint.read(WORLD, tmp_path / "checkpoint.prev.h5").meta["step"] == 2
    assert sorted(os.listdir(tmp_path)) == ["checkpoint.h5", "checkpoint.prev.h5"]


def test_the_former_checkpoint_is_kept_where_there_are_no_hard_links(tmp_path, monkeypatch):
    def no_link(*_):
        raise OSError(errno.EOPNOTSUPP, "no hard links")
    monkeypatch.setattr(os, "link", no_link)
    for step in (1, 2):
        checkpoint.write(WORLD, tmp_path, at_step(step))
    assert checkpoint.read(WORLD, tmp_path / "checkpoint.prev.h5").meta["step"] == 1


@pytest.mark.parametrize("damage", ["flip", "missing"])
def test_resume_falls_back_to_the_former_checkpoint_and_says_so(tmp_path, damage):
    for step in (1, 2):
        checkpoint.write(WORLD, tmp_path, at_step(step))
    newest = tmp_path / "checkpoint.h5"
    if damage == "missing":
        newest.unlink()
    else:
        newest.write_bytes(newest.read_bytes()[:-1] + b"!")
    state, path, remark = checkpoint.read_newest(WORLD, tmp_path)
    assert state.meta["step"] == 1 and path.name == "checkpoint.prev.h5" and str(newest) in remark


def test_a_damaged_checkpoint_never_takes_the_place_of_the_intact_former_one(tmp_path):
    for step in (1, 2):
        checkpoint.write(WORLD, tmp_path, at_step(step))
    newest = tmp_path / "checkpoint.h5"
    newest.write_bytes(newest.read_bytes()[:-1])
    checkpoint.read_newest(WORLD, tmp_path)
    checkpoint.write(WORLD, tmp_path, at_step(2))
    assert checkpoint.read(WORLD, tmp_path / "checkpoint.prev.h5").meta["step"] == 1


def test_without_any_checkpoint_resume_says_what_it_looked_for(tmp_path):
    with pytest.raises(InputError, match=r"(?s)checkpoint\.h5.*No such file.*checkpoint\.prev\.h5"):
        checkpoint.read_newest(WORLD, tmp_path)


@pytest.mark.parametrize("content, words", [
    (b"", "not a metacascade checkpoint"),
    (b"\x89HDF\r\n\x1a\n" + bytes(5000), "not a metacascade checkpoint"),
    (bytes(5000), "writing was interrupted"),
    (sealed.Seal("PART", 1, 512, (), None, "0" * 64).block(), "is a metacascade part"),
    (sealed.Seal("CHECKPOINT", 1, 512, (), None, "0" * 64).block(),
     f"has format 1; .* reads format {checkpoint.FORMAT}: go on with the"),
    (sealed.Seal("CHECKPOINT", checkpoint.FORMAT, 513, (), None, "0" * 64).block(), "512 bytes instead of 513"),
    (sealed.Seal("CHECKPOINT", checkpoint.FORMAT, 512, (), None, "0" * 64).block(), "does not match its checksum"),
    (sealed.Seal("CHECKPOINT", checkpoint.FORMAT, 512, (), None, "z" * 64).block(), "first 512 bytes"),
])
def test_a_foreign_file_is_refused_with_the_reason(tmp_path, content, words):
    path = tmp_path / "checkpoint.h5"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words):
        checkpoint.read(WORLD, path)


def test_an_intact_file_that_contradicts_itself_is_refused(tmp_path):
    path = tmp_path / "checkpoint.h5"
    datasets.write(WORLD, path, [], lambda h5: h5.create_dataset("meta", data="{}"), ("CHECKPOINT", checkpoint.FORMAT))
    with pytest.raises(InputError, match="not as metacascade writes it: .*config"):
        checkpoint.read(WORLD, path)


@pytest.mark.parametrize("name", ["pwrite", "fsync", "posix_fallocate", "replace"])
def test_a_full_disk_is_a_run_error_and_the_former_files_stay_whole(tmp_path, monkeypatch, name):
    for step in (1, 2):
        checkpoint.write(WORLD, tmp_path, at_step(step))

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")
    with monkeypatch.context() as patch:
        patch.setattr(os, name, full)
        with pytest.raises(RunError, match=r"checkpoint\.h5.*No space left.*free some space"):
            checkpoint.write(WORLD, tmp_path, at_step(3))
    assert sorted(os.listdir(tmp_path)) == ["checkpoint.h5", "checkpoint.prev.h5"]
    assert checkpoint.read(WORLD, tmp_path / "checkpoint.h5").meta["step"] == 2


@pytest.mark.parametrize("spoil, words", [
    (lambda s: setattr(s, "tile_key", s.tile_key[::-1].copy()), "ascending"),
    (lambda s: setattr(s, "ctcs", s.ctcs[::-1].copy()), "ascending"),
    (lambda s: s.arrays.update(oxygen=s.arrays["oxygen"][:-1]), "oxygen"),
    (lambda s: s.arrays.update(counts=s.counts.astype(np.int32)), "counts"),
    (lambda s: setattr(s, "cells", lambda a, b: whole_state().cells(a, b)[1:]), "cells"),
])
def test_a_state_that_is_no_state_is_never_written(tmp_path, spoil, words):
    state = whole_state()
    spoil(state)
    with pytest.raises(ValueError, match=words):
        checkpoint.write(WORLD, tmp_path, state)
    assert os.listdir(tmp_path) == []


def test_records_of_another_rank_are_never_written():
    with pytest.raises(ValueError, match="of other ranks"):
        checkpoint._check(share_of(whole_state(), 0, 2), 1, 2)


def test_describe_tells_step_time_and_ledger(written):
    text = checkpoint.describe(written)
    assert "step 7, 3.5 h, seed 5" in text and "divided" in text and "300 single cells and clusters circulating" in text


def test_to_verify_a_file_the_ranks_meet_once(written, monkeypatch):
    """Besides the exchange of the hashes: each further meeting waits for the slowest of all."""
    met = []
    monkeypatch.setattr(type(WORLD), "agree", lambda _, error: met.append(error))
    sealed.verify(WORLD, written, checkpoint.KIND, checkpoint.FORMAT)
    assert met == [None]
