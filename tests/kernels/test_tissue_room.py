"""The tissue kernel where room ends and where its input is wrong: it stops, and breaks nothing."""
import numpy as np
import pytest

from busy import all_lists, busy_patch
from metacascade._kernels import _tissue
from metacascade._kernels._layout import CTC, MIGRANT
from metacascade.base.errors import RunError
from metacascade.model import tissue
from metacascade.space.region import OFFSETS
from tiles import Patch, voxel_lists


def call(patch, words=20000, migrants=9999, shed=9999, room=None):
    """One call of the kernel with given room: (its answer, progress, counts after the step)."""
    a, after, box = patch.arena, np.zeros_like(patch.counts), np.zeros(migrants, MIGRANT)
    progress = np.zeros(3 + len(tissue.TALLIES), np.int64)
    answer = _tissue.advance(
        a.cells, a.start, a.n, a.capacity if room is None else room, patch.counts, after, patch.oxygen.value,
        patch.region.neighbors, patch.region.keys, patch.region.coords,
        (patch.vessels.first, patch.vessels.index, patch.vessels.segments), patch.detach,
        dict(patch.parameters, step=2, t_h=1.0), *tissue.scratch(words), box, np.zeros(shed, CTC), progress)
    return answer, progress, after


@pytest.mark.parametrize("small", ["words", "migrants", "shed", "room"])
def test_without_room_the_kernel_stops_before_the_tile_and_changes_nothing_of_it(small):
    """The tile in the middle of the rows lacks room; those before it are done, it and those after it are not."""
    patch = busy_patch(10)
    row, n = patch.row(0, 0, 0), int(patch.arena.n[patch.row(0, 0, 0)])
    assert 0 < row and n > 3 * np.delete(patch.arena.n, row).max()
    whole = busy_patch(10)
    assert call(whole)[0] == -1
    room = patch.arena.capacity.copy()
    room[row] = 10
    limits = {"words": dict(words=n), "migrants": dict(migrants=2 * n - 1), "shed": dict(shed=n - 1),
              "room": dict(room=room)}[small]
    if small == "words":
        limits["words"] = 2 * n + 63
    before = all_lists(patch)
    counts = patch.counts.copy()
    answer, progress, after = call(patch, **limits)
    assert answer == progress[0]
    assert answer == row if small in ("words", "room") else 0 < answer <= row
    patch.counts, whole.counts = after, whole.counts
    assert [int(n) for n in patch.arena.n[answer:]] == counts[answer:].sum(axis=1).tolist()
    assert not after[answer:].any()
    patch.counts = counts
    for i in range(answer, len(before)):
        assert voxel_lists(patch, i) == before[i], f"tile {i} was changed"


@pytest.mark.parametrize("missing", [0, 1])
def test_room_for_exactly_the_cells_after_the_step_is_enough(missing):
    grown, patch = busy_patch(14, birth_per_h=3.0), busy_patch(14, birth_per_h=3.0)
    row = patch.row(0, 0, 0)
    for both in (grown, patch):
        both.arena.reserve(np.arange(len(both.arena.n)), 3 * both.arena.n + 50)
    assert call(grown)[0] == -1
    room = patch.arena.capacity.copy()
    room[row] = grown.arena.n[row] - missing
    assert call(patch, room=room)[0] == (row if missing else -1)


def test_a_tissue_with_hardly_any_room_grows_it_and_gives_the_same():
    """Scratch, outboxes and blocks grow while a step is under way."""
    roomy, tight = busy_patch(11, birth_per_h=3.0), busy_patch(11, birth_per_h=3.0)
    tight._scratch, tight._migrants, tight._shed = tissue.scratch(64), np.empty(1, MIGRANT), np.empty(1, CTC)
    tight.arena.keep(np.arange(len(tight.arena.n)))
    for row in range(len(tight.arena.n)):        # blocks without any room, one behind the other
        assert tight.arena.capacity[row] >= tight.arena.n[row]
    tight.arena.capacity[:] = tight.arena.n
    for step in range(3):
        results = [patch.advance(step, float(step)) for patch in (roomy, tight)]
        assert results[0][2] == results[1][2]
        for a, b in zip(results[0][:2], results[1][:2]):
            assert a.tobytes() == b.tobytes()
        for patch, (migrants, _, _) in zip((roomy, tight), results):
            patch.arrive(patch.leaving(migrants)[0])
        assert all_lists(roomy) == all_lists(tight)


# --- errors ---------------------------------------------------------------------------------------------

def test_a_cell_that_leaves_the_tiles_is_an_error():
    patch = Patch([(0, 0, 0)], amplitude=8000)
    patch.scatter(0, np.zeros(200, int), np.random.default_rng(1), emt=255)
    with pytest.raises(RuntimeError, match="the margin around the tumor is missing"):
        patch.advance(0, 0.0)


@pytest.mark.parametrize("more", ["born", "arrived"])
def test_more_cells_in_a_voxel_than_can_be_counted_end_the_run_with_a_remedy(more):
    patch = Patch(OFFSETS, capacity=10**6, birth_per_h=3.0 if more == "born" else 0.0)
    patch.scatter(13, np.full(65_535, 9), np.random.default_rng(1))
    with pytest.raises(RunError, match="more than 65,535 cells in a voxel.*raise crowding.mobility"):
        patch.advance(0, 0.0)
        patch.scatter(13, [9], np.random.default_rng(1))


def test_more_arrivals_than_can_be_numbered_end_the_run_with_a_remedy(monkeypatch):
    monkeypatch.setattr(tissue, "ARRIVALS", 99)
    patch = Patch(OFFSETS)
    patch.scatter(13, np.full(99, 9), np.random.default_rng(1))
    with pytest.raises(RunError, match="use more ranks"):
        patch.scatter(13, np.full(100, 9), np.random.default_rng(1))


@pytest.mark.parametrize("change", ["neighbors", "oxygen", "first"])
def test_arrays_of_different_length_are_refused(change):
    patch = Patch([(0, 0, 0), (1, 0, 0)])
    if change == "neighbors":
        patch.region.neighbors = patch.region.neighbors[:1]
    elif change == "oxygen":
        patch.oxygen.value = patch.oxygen.value[:1]
    else:
        patch.vessels.first = patch.vessels.first[:-1]
    with pytest.raises(ValueError, match="differ in length"):
        call(patch)


def test_no_tiles_at_all():
    patch = Patch(np.empty((0, 3)))
    migrants, shed, tally = patch.advance(0, 0.0)
    assert len(migrants) == len(shed) == 0 and not any(tally.values())
