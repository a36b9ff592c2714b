"""One step of the tissue against its twin, bit for bit."""
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from busy import BUSY, RATES, STILL, all_lists, busy_patch, random_rates, vessels, with_tables
from metacascade._kernels._layout import MIGRANT, Action, Flag
from metacascade._kernels._vessels import SEGMENT
from metacascade.space.region import OFFSETS
from reference.tissue import step_tile
from tiles import CLONES, Patch, Vessels, rates_of, voxel_lists

BUSY_RATES = with_tables(list(RATES.values()), np.random.default_rng(0))


def slow(value):
    return pytest.param(value, marks=pytest.mark.slow)


def arrays_of(patch):
    """What the kernel is given, by name, for the twin."""
    a, v, rates = patch.arena, patch.vessels, patch.rates
    biases, speed_factors, resisting = patch.motion(patch.fields())
    return type("Arrays", (), dict(
        cells=a.cells.copy(), start=a.start.copy(), n=a.n.copy(), counts=patch.counts.copy(),
        zone=patch.arrays["zone"], pressure=patch.pressure.value, neighbors=patch.region.neighbors,
        keys=patch.region.keys,
        coords=patch.region.coords, first=v.first, index=v.index,
        segments=[dict(zip(v.segments.dtype.names, map(float, one))) for one in v.segments.tolist()],
        plan=(rates.rates, rates.factors, [patch.fields()[name] for name in rates.signals], rates.clone, rates.state,
              patch.speed, patch.along, patch.mutation), biases=biases, speed_factors=speed_factors,
        resisting=resisting))


def twin(patch, rows, step, t_h):
    """The tiles after a step, by the twin."""
    t, p = arrays_of(patch), dict(patch.parameters, step=step, t_h=t_h)
    return [step_tile(t, row, p) for row in rows]


def assert_like_twin(patch, step=5, t_h=17.25):
    """A step of all tiles by kernel and twin: the same cells, migrants, CTCs and tally."""
    rows = range(len(patch.region.keys))
    expected = twin(patch, rows, step, t_h)
    migrants, shed, members, tally = patch.advance(step, t_h)
    for row, after in zip(rows, expected):
        assert voxel_lists(patch, row) == after.voxels, f"cells of tile {row}"
    words = np.ascontiguousarray(migrants["cell"]).view(np.uint32).reshape(-1, 3).tolist()
    got = sorted(zip(migrants["key"].tolist(), migrants["voxel"].tolist(), map(tuple, words), migrants["mutant"].tolist()))
    assert got == sorted(m for after in expected for m in after.migrants)
    wanted = np.sort(np.concatenate([after.shed for after in expected]), order="id")
    assert np.sort(shed, order="id").tobytes() == wanted.tobytes()
    wanted = np.sort(np.concatenate([after.members for after in expected]), order=["id", "index"])
    assert np.sort(members, order=["id", "index"]).tobytes() == wanted.tobytes()
    assert Counter(tally) == sum((after.tally for after in expected), Counter())
    return migrants, shed, tally


# --- the same as the twin -------------------------------------------------------------------------------

def test_all_mechanisms_at_once():
    migrants, shed, tally = assert_like_twin(busy_patch(mean=8.0))
    assert len(migrants) > 20 and (shed["n"] > 1).sum() > 5, "the test did not see migrants and clusters"
    assert all(n > 5 for n in tally.values()), f"the test did not see every event: {tally}"
    with_lymph = shed["flags"] & Flag.LYMPH > 0
    assert with_lymph.sum() > 5 < (~with_lymph).sum() and (shed["n"][with_lymph] > 1).any()
    assert not shed["distance"][with_lymph].any() and shed["distance"][~with_lymph].all()


@pytest.mark.parametrize("name", RATES)
def test_one_rate_off(name):
    assert_like_twin(busy_patch(4, without=[name]))


@pytest.mark.parametrize("name", STILL)
def test_one_motion_off(name):
    assert_like_twin(busy_patch(4, **{name: STILL[name]}))


@pytest.mark.parametrize("seed", [*range(4), *map(slow, range(4, 12))])
def test_random_plans(seed):
    rng = np.random.default_rng(seed)
    assert_like_twin(busy_patch(20 + seed, rates=random_rates(rng, int(rng.integers(1, 9))), mean=rng.uniform(0.5, 6),
                                mobility=rng.choice([0.0, 0.02, 0.5]), dt_h=rng.choice([0.01, 0.5, 3.0])))


def test_as_many_rates_as_there_may_be():
    assert_like_twin(busy_patch(31, rates=random_rates(np.random.default_rng(31), 64), dt_h=0.05))


def test_rates_of_motile_cells_alone():
    """Where no motile cell is, the bound of a voxel leaves them out; half of the cells here are not motile."""
    patch = busy_patch(49)
    patch.rates.state[:, 0, 0] = 0.0
    assert_like_twin(patch)


def test_no_rates_at_all():
    assert_like_twin(busy_patch(32, without=RATES))


@pytest.mark.parametrize("alone", ["divide", "die", "enter", "set", "drain"])
@pytest.mark.parametrize("chance", [0.02, slow(0.5), 5.0, slow(5000.0)])
def test_one_rate_alone(alone, chance):
    """The bound by which the kernel passes over most cells is tight here: it must pass over none too many."""
    _, action, detail, _ = RATES[alone]
    rates = rates_of([(chance / BUSY["dt_h"], action, detail, [])], ("cause 0",))
    assert_like_twin(busy_patch(13, mean=4.0, coords=[(0, 0, 0)], rates=rates, permeability_mature=1.0, reach_um=1e3,
                                cluster_fraction=0.0, **STILL))


@pytest.mark.parametrize("change", [
    dict(dt_h=1e-6), dict(dt_h=50.0), dict(capacity=0.7), dict(capacity=255.0), dict(mobility=100.0), dict(mobility=1e-6),
    dict(cluster_log_more=-np.inf), dict(cluster_log_more=np.log(0.98), cluster_fraction=1.0),
    dict(reach_um=0.0), dict(amplitude=8000, biases=(("oxygen", 60000.0, 1.5),)),
    dict(amplitude=30000, biases=(("oxygen", 44000.0, 1.5),)), dict(seed=0)],
    ids=lambda change: ",".join(change))
def test_extreme_parameters(change):
    assert_like_twin(busy_patch(5, **change))


def test_cells_drain_where_no_vessel_is_near():
    patch = busy_patch(14, mean=6.0, rates=rates_of([(1.0, Action.DRAIN, 0, [])]))
    patch.vessels = Vessels(patch.region.coords, np.empty(0, SEGMENT), 25.0, 12.0)
    _, shed, tally = assert_like_twin(patch)
    assert len(shed) > 50 and (shed["flags"] & Flag.LYMPH > 0).all() and tally["shed"] == shed["n"].sum()
    assert not shed["distance"].any() and not shed["maturity"].any() and shed["x"].any()


def test_a_cluster_takes_the_whole_voxel_but_no_cell_twice():
    """All of many cells of one voxel want to lead or follow: they leave once each."""
    patch = Patch(OFFSETS, vessels(np.random.default_rng(1), 20, 25.0), rates=rates_of(
        [(2.0, Action.SHED, 0, [])], ()), **dict(
        BUSY, cluster_fraction=1.0, cluster_log_more=np.log(0.99), reach_um=1e3))
    patch.scatter(patch.row(0, 0, 0), np.repeat([0, 77, 511], 200), np.random.default_rng(2), adhesion=200)
    _, shed, tally = assert_like_twin(patch)
    assert shed["n"].max() > 20
    assert shed["n"].sum() == tally["shed"] == 600 - patch.cells - np.count_nonzero(shed["n"] == 0)


@pytest.mark.parametrize("cells", [0, 1, 2])
def test_few_cells(cells):
    patch = Patch(OFFSETS, rates=rates_of([(0.3, Action.DIVIDE, 0, [])], ()), **BUSY)
    patch.scatter(patch.row(0, 0, 0), [300] * cells, np.random.default_rng(cells), emt=255)
    assert_like_twin(patch)


@pytest.mark.parametrize("voxel, cells", [(0, 1024), (255, 1025), (511, 2048), (77, 5000)])
def test_a_voxel_of_more_cells_than_the_kernel_looks_at_together(voxel, cells):
    patch = busy_patch(3, mean=0.0, coords=OFFSETS)
    patch.scatter(patch.row(0, 0, 0), [voxel] * cells + [voxel ^ 1] * 3, np.random.default_rng(0), emt=100)
    assert_like_twin(patch)


def test_every_number_of_cells_round_the_width_of_a_block():
    """Loops run in pieces of 8, 16 and 1024 cells: no length is special."""
    for n in [*range(1, 36), 1023, 1024, 1025]:
        patch = busy_patch(n, mean=0.0, coords=OFFSETS)
        patch.scatter(patch.row(0, 0, 0), np.sort(np.arange(n) * 37 % 512), np.random.default_rng(n),
                      emt=np.arange(n) % 3 % 2 * 180)
        assert_like_twin(patch, step=n)


def test_beyond_a_missing_neighbor_oxygen_is_mirrored_and_pressure_0():
    """One tile alone: cells at its faces feel no gradient across them, and in its middle lie those that are pushed."""
    patch = busy_patch(6, mean=1.0, coords=[(0, 0, 0)], amplitude=0, biases=(("oxygen", 300.0, 1.5),), without=RATES)
    patch.pressure.value.reshape(8, 8, 8)[[0, -1]] = 0.0
    patch.pressure.value.reshape(8, 8, 8)[:, [0, -1]] = patch.pressure.value.reshape(8, 8, 8)[:, :, [0, -1]] = 0.0
    for axis in "xyz":                                            # none leaves by its bias
        patch.arena.cells[axis] = patch.arena.cells[axis] // 4 + 24000
    assert_like_twin(patch)
    outside = Patch([(0, 0, 0)], pressure=1.0, mobility=0.5)
    outside.scatter(0, np.zeros(50, int), np.random.default_rng(1))
    with pytest.raises(RuntimeError, match="the margin around the tumor is missing"):
        outside.advance(0, 0.0)                                   # pressure falls to 0 there


def test_tiles_at_negative_and_far_places():
    coords = OFFSETS + np.array([-40000, 7, 1_000_000], np.int32)
    rng = np.random.default_rng(8)
    patch = Patch(coords, rates=BUSY_RATES, **BUSY)
    center = coords[13].astype(float)
    s = np.zeros(1, SEGMENT)
    for i, axis in enumerate("xyz"):
        s["a" + axis], s["b" + axis] = (8 * center[i] + 4) * 25.0, (8 * center[i] + 4 + 5 * (i == 0)) * 25.0
    s["radius"], s["perfused"] = 20, 1
    patch.vessels = Vessels(patch.region.coords, s, 25.0, 12.0)
    patch.scatter(patch.row(*coords[13]), np.repeat(np.arange(512), 2), rng, emt=200, adhesion=20)
    _, shed, _ = assert_like_twin(patch)
    assert len(shed) > 3


# --- motion -------------------------------------------------------------------------------------------------

def of_speeds(layout, ground, fastest=512):
    """A busy patch whose cells differ in speed by adhesion, clone and, if there is a ground, by that."""
    patch, rng = busy_patch(layout, mean=6.0), np.random.default_rng(layout)
    table = rng.integers(0, fastest, (CLONES, 1 if ground is None else 16)).astype(np.int32)
    patch.speed_factors = rng.integers(0, 257, 256).astype(np.int32), table, ground, 2.5
    return patch


@pytest.mark.parametrize("ground", [None, "oxygen", "coarse", "coarsest"])
def test_speed_by_adhesion_clone_and_ground(ground):
    assert_like_twin(of_speeds(40, ground))


def test_the_fastest_cells_that_fit_32_bits():
    patch = of_speeds(41, None, fastest=32_000)
    patch.parameters.update(amplitude=60, biases=())
    assert_like_twin(patch)


@pytest.mark.parametrize("biases", [
    [("coarse", 5000.0, 0.3)], [("coarsest", 20_000.0, 2.0)], [("oxygen", 3000.0, 1.0), ("pressure", 4000.0, 0.2)],
    [("coarse", 3000.0, 1e-4), ("oxygen", 3000.0, 1.0), ("coarsest", 3000.0, 1.0)]], ids=len)
def test_motion_is_biased_by_the_sum_of_gradients_of_fine_and_coarse_fields(biases):
    assert_like_twin(busy_patch(42, mean=5.0, biases=tuple(biases)))


@pytest.mark.parametrize("resistance", [slow(0.05), 0.3, slow(10.0)])
def test_matrix_resists_cells_that_are_pushed(resistance):
    patches = [busy_patch(46, mean=6.0, resists="matrix", resistance=r) for r in (resistance, 0.0)]
    for patch in patches:
        patch.more["matrix"][:] = np.random.default_rng(46).uniform(0.0, 1.0, patch.more["matrix"].shape)
    (_, _, tally), (_, _, free) = map(assert_like_twin, patches)
    assert tally["hopped"] < free["hopped"]


def test_the_same_matrix_everywhere_resists_nobody():
    """It is the rise of matrix that does, here too where no tile is."""
    results = []
    for resistance in (0.25, 0.0):
        patch = busy_patch(47, mean=6.0, resists="matrix", resistance=resistance)
        patch.more["matrix"][:] = 0.7
        results.append((assert_like_twin(patch)[2], all_lists(patch)))
    assert results[0] == results[1]


def test_what_resists_has_a_value_for_each_voxel():
    patch = busy_patch(48, resists="coarse", resistance=0.1)
    with pytest.raises(ValueError, match="what resists has no value for each voxel"):
        patch.advance(0, 0.0)


def test_mutants_are_as_many_as_their_clone_has():
    patch = busy_patch(43, mean=10.0)
    patch.mutation = np.where(np.arange(CLONES) % 2, 2**64 - 1, 0).astype(np.uint64)
    migrants, _, tally = assert_like_twin(patch)
    mutants = migrants[migrants["mutant"] > 0]["cell"]["clone"]
    assert len(mutants) > 20 and (mutants % 2 == 1).all() and tally["divided"] > len(mutants) + 10


def test_a_clone_without_a_speed_is_found():
    patch = of_speeds(44, None)
    patch.rates = rates_of([], clones=CLONES + 1)
    patch.mutation = np.zeros(CLONES + 1, np.uint64)
    with pytest.raises(ValueError, match="the tables of speed differ"):
        patch.advance(0, 0.0)
    patch = of_speeds(44, None)
    patch.rates, patch.mutation, patch.speed_factors = rates_of([], clones=9), np.zeros(9, np.uint64), (
        patch.speed_factors[0], patch.speed_factors[1][:9], None, 0.0)
    patch.parameters["mobility"] = 0.0
    with pytest.raises(IndexError, match="tables of speed"):
        patch.advance(0, 0.0)


@pytest.mark.parametrize("action", [Action.RAISE, Action.LOWER])
@pytest.mark.parametrize("step", [1, 100, 255])
def test_the_byte_of_adhesion_goes_up_and_down(action, step):
    patch = busy_patch(45, rates=with_tables([(0.5, action, 256 + step, []), (0.2, action, 7, [])],
                                             np.random.default_rng(45)))
    _, _, tally = assert_like_twin(patch)
    assert tally["switched"] > 50


def test_cells_that_wait_take_part_as_if_they_were_there():
    """Some come to a tile of many cells and to one of few; the kernel puts them to their places, or they are there before."""
    patches = [busy_patch(46), busy_patch(46)]
    for patch in patches:
        rng = np.random.default_rng(46)
        arrivals = np.zeros(400, MIGRANT)
        arrivals["key"] = rng.choice([patch.row(1, 1, 0), patch.row(0, 0, 0)], 400)
        arrivals["voxel"] = rng.integers(0, 512, 400)
        arrivals["cell"]["x"], arrivals["cell"]["emt"] = rng.integers(0, 65536, 400), rng.integers(0, 2, 400)
        patch.arrive(arrivals)
    patches[0].arena.settle()
    came = [patch.advance(5, 17.25) for patch in patches]
    assert came[0][0].tobytes() == came[1][0].tobytes() and came[0][3] == came[1][3]
    assert all_lists(patches[0]) == all_lists(patches[1])


# --- order and off -------------------------------------------------------------------------------------

def test_order_of_the_cells_inside_a_voxel_has_no_meaning():
    results = []
    for shuffle in range(3):
        patch, rng = busy_patch(9), np.random.default_rng(shuffle)
        for row in range(len(patch.arena.n)):
            place = rng.permuted(np.arange(patch.arena.n[row]))
            voxel = np.repeat(np.arange(512), patch.counts[row])
            block = patch.arena.block(row)
            block[:] = block[place[np.argsort(voxel[place], kind="stable")]]
        migrants, shed, _, tally = patch.advance(1, 0.5)
        results.append((all_lists(patch), sorted(m.tobytes() for m in migrants),
                        sorted(c.tobytes() for c in shed), tally))
    assert results[0] == results[1] == results[2]


def test_a_step_in_which_nothing_can_happen_changes_nothing():
    patch = busy_patch(**STILL, without=RATES, coords=[(0, 0, 0)])
    before = voxel_lists(patch, 0)
    migrants, shed, _, tally = patch.advance(3, 1.0)
    assert len(migrants) == len(shed) == 0 and not any(tally.values())
    assert voxel_lists(patch, 0) == before


def test_immotile_cells_do_not_move_without_pressure():
    patch = Patch([(0, 0, 0)], **BUSY)
    patch.scatter(0, np.repeat(np.arange(512), 5), np.random.default_rng(1), emt=0, clone=7)
    before = voxel_lists(patch, 0)
    patch.advance(0, 0.0)
    assert voxel_lists(patch, 0) == before


def test_a_rate_of_zero_is_as_good_as_none():
    """Its factors and tables do not matter then, to any bit."""
    patches = [busy_patch(12, without=["enter"]), busy_patch(12, without=["enter"])]
    more = rates_of([*[RATES[name] for name in RATES if name != "enter"], (0.0, *RATES["enter"][1:])])
    rates = patches[1].rates
    patches[1].rates = replace(rates, rates=np.concatenate([rates.rates, more.rates[-1:]]), **{
        name: np.concatenate([getattr(rates, name), getattr(more, name)[-1:]]) for name in ("clone", "state")})
    for patch in patches:
        patch.advance(1, 0.0)
    assert all_lists(patches[0]) == all_lists(patches[1])
