"""The tissue kernel where room ends and where its input is wrong: it stops, and breaks nothing."""
from dataclasses import replace

import numpy as np
import pytest

from busy import all_lists, busy_patch
from metacascade._kernels import _tissue
from metacascade._kernels._layout import CTC, MEMBER, MIGRANT, Action, Shape
from metacascade.base.errors import InputError, RunError
from metacascade.config.config import Config
from metacascade.mechanisms import plan_of
from metacascade.model import outbox, tissue
from metacascade.model.tissue_parameters import of_kernel
from metacascade.space.region import OFFSETS
from tiles import CLONES, Field, Patch, rates_of, voxel_lists


def call(patch, words=20000, migrants=9999, shed=9999, members=9999, room=None, progress=None):
    """One call of the kernel with given room: (its answer, progress)."""
    a, rates, vessels = patch.arena, patch.rates, patch.vessels
    if progress is None:
        progress = np.zeros(3 + len(outbox.TALLIES) + len(rates.causes), np.int64)
    answer = _tissue.advance(
        a.cells, a.start, a.n, a.capacity if room is None else room, patch.counts, patch.pressure.value, patch.region.neighbors,
        patch.region.keys, patch.region.coords, (vessels.first, vessels.index, vessels.segments),
        (rates.rates, rates.factors, [patch.fields()[name] for name in rates.signals], rates.clone, rates.state,
         patch.speed, patch.along, patch.mutation, *patch.motion(patch.fields())), of_kernel(patch.parameters, 2, 1.0), outbox.scratch(words), np.zeros(migrants, MIGRANT),
        np.zeros(shed, CTC), np.zeros(members, MEMBER), progress)
    return answer, progress


@pytest.mark.parametrize("small", ["words", "migrants", "shed", "members", "room"])
def test_without_room_the_kernel_stops_before_the_tile_and_changes_nothing_of_it(small):
    """The tile in the middle of the rows lacks room; those before it are done, it and those after it are not. Called again
    with room it does the rest, and what it had written of the tile is not there twice."""
    patch, whole = busy_patch(10), busy_patch(10)
    row, n = patch.row(0, 0, 0), int(patch.arena.n[patch.row(0, 0, 0)])
    assert 0 < row and n > 3 * np.delete(patch.arena.n, row).max()
    answer, counted = call(whole)
    assert answer == -1
    room = patch.arena.capacity.copy()
    room[row] = 10
    limits = {"words": dict(words=2 * n + 63), "migrants": dict(migrants=n - 1), "shed": dict(shed=n - 1),
              "members": dict(members=n - 1), "room": dict(room=room)}[small]
    before, counts = all_lists(patch), patch.counts.copy()
    answer, progress = call(patch, **limits)
    assert answer == progress[0]
    assert answer == row if small in ("words", "room") else 0 < answer <= row
    np.testing.assert_array_equal(patch.counts[answer:], counts[answer:])
    for i in range(answer, len(before)):
        assert voxel_lists(patch, i) == before[i], f"tile {i} was changed"
    assert call(patch, progress=progress)[0] == -1
    np.testing.assert_array_equal(progress, counted)
    assert all_lists(patch) == all_lists(whole)


@pytest.mark.parametrize("missing", [0, 1])
def test_room_for_exactly_the_cells_and_their_daughters_is_enough(missing):
    born = []
    for room in (10_000, None):
        patch = Patch(OFFSETS, rates=rates_of([(0.5, Action.DIVIDE, 0, [])]))
        patch.scatter(13, np.repeat(np.arange(512), 2), np.random.default_rng(1))
        patch.arena.reserve(np.array([13]), np.array([5000]))
        capacity = patch.arena.capacity.copy()
        capacity[13] = room or 1024 + born[0] - missing
        answer, progress = call(patch, room=capacity)
        born.append(progress[3 + outbox.TALLIES.index("divided")])
    assert answer == (13 if missing else -1) and 100 < born[0]


def test_a_tissue_with_hardly_any_room_grows_it_and_gives_the_same():
    """Scratch, outboxes and blocks grow while a step is under way."""
    roomy, tight = busy_patch(11), busy_patch(11)
    tight.outbox = outbox.Outbox(words=64, migrants=1, shed=1, members=1)
    tight.arena.keep(np.arange(len(tight.arena.n)))
    for row in range(len(tight.arena.n)):        # blocks without any room, one behind the other
        assert tight.arena.capacity[row] >= tight.arena.n[row]
    tight.arena.capacity[:] = tight.arena.n
    roomy.rates = tight.rates = rates_of([(3.0, Action.DIVIDE, 0, []), (0.5, Action.SHED, 0, [])])
    for step in range(3):
        results = [patch.advance(step, float(step)) for patch in (roomy, tight)]
        assert results[0][3] == results[1][3]
        for a, b in zip(results[0][:3], results[1][:3]):
            assert a.tobytes() == b.tobytes()
        for patch, (migrants, *_) in zip((roomy, tight), results):
            patch.arrive(patch.leaving(migrants)[0])
        assert all_lists(roomy) == all_lists(tight)


# --- errors ---------------------------------------------------------------------------------------------

def test_a_cell_that_leaves_the_tiles_is_an_error():
    patch = Patch([(0, 0, 0)], amplitude=8000)
    patch.scatter(0, np.zeros(200, int), np.random.default_rng(1), emt=255)
    with pytest.raises(RuntimeError, match="the margin around the tumor is missing"):
        patch.advance(0, 0.0)


def test_a_cell_of_a_clone_that_the_tables_have_not_is_an_error():
    patch = Patch([(0, 0, 0)], rates=rates_of([(9.0, Action.REMOVE, 0, [])], ("cause 0",)))
    patch.scatter(0, np.arange(9), np.random.default_rng(1), clone=[0] * 8 + [CLONES])
    with pytest.raises(IndexError, match="a clone that the tables of rates have not"):
        patch.advance(0, 0.0)


def test_a_tile_that_lost_a_cell_is_an_error():
    patch = Patch(OFFSETS)
    patch.scatter(13, [7] * 5 + [400], np.random.default_rng(1))
    patch.arena.n[13] -= 1
    with pytest.raises(RuntimeError, match="cells were lost"):
        patch.advance(0, 0.0)


@pytest.mark.parametrize("more", ["born", "arrived"])
def test_more_cells_in_a_voxel_than_can_be_counted_end_the_run_with_a_remedy(more):
    patch = Patch(OFFSETS, rates=rates_of([(3.0 if more == "born" else 0.0, Action.DIVIDE, 0, [])]))
    patch.scatter(13, np.full(65_535, 9), np.random.default_rng(1))
    with pytest.raises(RunError, match="more than 65,535 cells in a voxel.*raise crowding.mobility"):
        patch.advance(0, 0.0)
        patch.scatter(13, [9], np.random.default_rng(1))


@pytest.mark.parametrize(("rate", "pressure"), [("tissue.divide", 1.0), ("tissue.hop", np.inf)])
def test_chances_that_are_no_numbers_end_the_run_instead_of_freezing_a_voxel(rate, pressure):
    """Oxygen that is infinite over itself is no number; the other voxels go on only once it is mended."""
    rates = replace(rates_of([(0.1, Action.REMOVE, 0, []), (0.1, Action.DIVIDE, 0, [(0, Shape.HILL1, 1, 0)])],
                             ("cause 0",)), names=("tissue.die", "tissue.divide"))
    patch = Patch(OFFSETS, rates=rates, mobility=0.1)
    patch.oxygen.value[13, 9], patch.pressure.value[13, 11] = np.inf if rate == "tissue.divide" else 1.0, pressure
    patch.scatter(13, [8, 10], np.random.default_rng(1))
    call(patch)                         # no cell is where it happens
    patch.scatter(13, [9, 11], np.random.default_rng(1))
    with pytest.raises(RunError, match=f"not finite, by {rate}.*info --rates"):
        patch.advance(0, 0.0)


def test_more_arrivals_than_can_be_numbered_end_the_run_with_a_remedy(monkeypatch):
    monkeypatch.setattr(tissue, "ARRIVALS", 99)
    patch = Patch(OFFSETS)
    patch.scatter(13, np.full(99, 9), np.random.default_rng(1))
    with pytest.raises(RunError, match="use more ranks"):
        patch.scatter(13, np.full(100, 9), np.random.default_rng(1))


@pytest.mark.parametrize("name", ["tissue.speed", "tissue.persistence", "tissue.bias"])
def test_cells_that_would_go_beyond_the_next_tile_are_refused_before_numbers_overflow(name):
    config = Config.from_dict({"tumor": {}})
    plan, most = plan_of(config), {}
    for factor in np.geomspace(1.0, 1e6, 200):
        try:
            most = tissue.parameters(config, plan, {name: factor})
        except InputError as error:
            assert "beyond the next tile in a step: shorten run.step" in str(error)
            break
    far = 65535 * most["amplitude"] + 2048
    assert far < 2**31 and 0.8 * 2**19 < (far >> 12) + most["biases"][0][1] < 2**19
    with pytest.raises(InputError):
        tissue.parameters(config, plan, {name: 1e6})


@pytest.mark.parametrize("change", ["neighbors", "pressure", "first", "state", "speed", "along", "mutation"])
def test_arrays_of_different_length_are_refused(change):
    patch = Patch([(0, 0, 0), (1, 0, 0)])
    if change == "neighbors":
        patch.region.neighbors = patch.region.neighbors[:1]
    elif change == "pressure":
        patch.pressure = Field(patch.pressure.value[:1])
    elif change == "first":
        patch.vessels.first = patch.vessels.first[:-1]
    elif change == "state":
        patch.rates = replace(patch.rates, state=np.ones((1, 3, 256), np.float32))
    else:
        setattr(patch, change, getattr(patch, change)[:1])
    with pytest.raises(ValueError, match="differ in length"):
        call(patch)


@pytest.mark.parametrize(("rate", "message"), [
    ((1.0, 8, 0, []), "rate 0 has the action 8"), ((1.0, Action.REMOVE, 1, []), "the cause of death 1 of 1"),
    ((1.0, Action.SET, 1, [(4, 0, 1, 0)]), "depends on signal 4 of 4")])
def test_a_plan_that_names_what_is_not_there_is_refused(rate, message):
    with pytest.raises(ValueError, match=message):
        call(Patch([(0, 0, 0)], rates=rates_of([rate], ("cause 0",))))


def test_a_field_of_a_wrong_size_is_refused():
    patch = Patch([(0, 0, 0)])
    patch.more["coarse"] = np.ones((1, 63), np.float32)
    with pytest.raises(ValueError, match="a field has the shape 1, 63"):
        call(patch)


def test_no_tiles_at_all():
    patch = Patch(np.empty((0, 3)))
    migrants, shed, _, tally = patch.advance(0, 0.0)
    assert len(migrants) == len(shed) == 0 and not any(tally.values())
