"""Outline, zones, stage and distances to vessels: what is told is right, and nothing that happens depends on it."""
from collections import Counter
from dataclasses import fields
from types import SimpleNamespace

import numpy as np
import pytest

import shapes
import small
from metacascade._kernels._layout import Zone
from metacascade._kernels._vessels import SEGMENT
from metacascade.config.config import default, load
from metacascade.mechanisms import plan_of
from metacascade.model import staging, zones
from metacascade.model.observables import Observables
from metacascade.model.simulation import Simulation
from metacascade.model.staging import FIRST, Staging
from metacascade.model.zones import Zones
from metacascade.ranks.exchange import Exchange
from metacascade.ranks.parallel import serial_world
from metacascade.space import distances, outline
from metacascade.space.outline import ZONE
from metacascade.space.region import Region
from metacascade.space.tile_arrays import COUNTS, TileArrays
from reference import distances as plain

HOURS = 9
COLUMNS = {column.name for column in (*zones.COLUMNS, *staging.COLUMNS)}


def simulated(**changes):
    """A small tumor after some hours in which all kinds of things happen, and what was shed from tissue on the way."""
    sim = Simulation(load(small.EXAMPLE, small.settings(run__duration=f"{HOURS} h", tumor__cells=8000, **changes)), serial_world())
    shed, advance = [], sim.tissue.advance

    def watched(*args):
        result = advance(*args)
        shed.append((sim.tissue.zones, result[1].copy()))
        return result
    sim.tissue.advance = watched
    for _ in range(HOURS):
        sim.step()
    return sim, shed


@pytest.fixture(scope="module")
def model():
    return simulated()


# --- nothing depends on them -----------------------------------------------------------------------------

def texts(made):
    """All texts of a declaration, and of what it holds."""
    if isinstance(made, str):
        return [made]
    if isinstance(made, (tuple, list)):
        return [text for one in made for text in texts(one)]
    return texts([getattr(made, one.name) for one in fields(made)]) if hasattr(made, "__dataclass_fields__") else []


def test_no_rate_factor_or_field_of_the_plan_knows_a_read_out():
    config = load(small.EXAMPLE, small.settings() + small.MECHANISMS)
    plan = plan_of(config)
    told = {*COLUMNS, *(zone.name.lower() for zone in Zone), "zone", "outline", "stage", "staging", "detection"}
    made = (*plan.rates, *plan.factors, *plan.fields, *plan.traits, *plan.bits)
    named = {word for one in made for name in ("name", "rate", "signal", "signals", "by", "bit")
             for word in texts(getattr(one, name, ""))}
    assert named > {"tissue.divide", "oxygen"} and not named & told
    assert not any(key in text for one in made for text in texts(one) for key in ("[outline.", "[staging."))


def test_the_plan_is_the_same_whatever_the_read_outs_are():
    other = load({"tumor": {}, "outline": {"enabled": False}, "staging": {"detection_cells": 7, "invasion": "1 mm"}})
    assert plan_of(other) == plan_of(default())


def test_a_tumor_does_the_same_with_an_outline_as_without(model):
    without, _ = simulated(outline__enabled=False)
    one, other = model[0].state(parts=0, parent=None), without.state(parts=0, parent=None)
    assert one.arrays.keys() - other.arrays.keys() == {"zone"}
    for name, array in other.arrays.items():
        assert array.tobytes() == one.arrays[name].tobytes(), name
    tiles = len(one.tile_key)
    assert one.cells(0, tiles).tobytes() == other.cells(0, tiles).tobytes() and one.lesions.tobytes() == other.lesions.tobytes()
    ctcs = one.ctcs.copy()
    assert set(ctcs["zone"]) >= {Zone.NOWHERE, Zone.CORE, Zone.BORDER} and not other.ctcs["zone"].any()
    ctcs["zone"] = 0
    assert ctcs.tobytes() == other.ctcs.tobytes() and one.members.tobytes() == other.members.tobytes()


def test_without_an_outline_the_columns_say_so():
    row = Observables(simulated(outline__enabled=False)[0]).row()
    assert row["stage"] == -1 and row["shed_core"] == row["cells_core"] == row["sprouts"] == 0 and np.isnan(row["radius"])
    assert row["first_shed_s"] > 0


@pytest.mark.parametrize("former, now", [(False, True), (True, False), (True, True)])
def test_a_run_may_go_on_with_an_outline_or_without(former, now):
    settings = small.settings(tumor__cells=3000, outline__interval="3 h")
    config = [load(small.EXAMPLE, [*settings, f"outline.enabled={str(on).lower()}"]) for on in (former, now)]
    sim = Simulation(config[0], serial_world())
    for _ in range(4):
        sim.step()
    saved = sim.state(parts=0, parent=None)
    went_on = Simulation(config[1], serial_world(), saved)
    assert went_on.zones.on == now and went_on.staging.times == sim.staging.times
    if former and now:          # the outline is that of hour 3, not of hour 4
        assert went_on.digest() == sim.digest()
        assert (went_on.tissue.zones[np.argsort(went_on.tissue.region.keys)] == saved.arrays["zone"]).all()
    elif now:
        assert (went_on.tissue.zones != Zone.OUTSIDE).any()
    went_on.step()


# --- what is told is right -------------------------------------------------------------------------------

def test_a_shed_cell_has_the_zone_of_its_voxel_by_the_newest_outline(model):
    sim, shed = model
    region, found = sim.tissue.region, np.zeros(4, int)
    row = {tuple(at): i for i, at in enumerate(region.coords.tolist())}
    for newest, ctcs in shed:
        for ctc in ctcs:
            place = np.array([float(ctc[axis]) for axis in "xyz"]) / 30
            if np.abs(place - np.rint(place)).min() > 1e-3:         # it is noted in single precision
                k = np.floor(place).astype(int)
                at = row[tuple(k // 8)]
                assert ctc["zone"] == newest[at, (k % 8) @ (1, 8, 64)]
            found[ctc["zone"]] += ctc["n"]
    assert found[0] == 0 and all(found[1:] > 5)
    assert [sim.ledger.totals[f"shed_{name}"] for name in ("core", "border", "outside")] == found[1:].tolist()
    assert sim.ledger.totals["shed"] == found.sum() == sim.zones.shed.sum()


def test_zones_add_up_to_the_tumor(model):
    sim, _ = model
    row = Observables(sim).row()
    assert sum(row[f"cells_{name}"] for name in ("core", "border", "outside")) == row["tissue"]
    assert row["cells_border"] > 100 and row["cells_outside"] > 100
    assert row.keys() >= COLUMNS


class Still:
    """Tissue of a given shape that stays as it is, with one vessel along x through its middle."""

    def __init__(self, name, config):
        tiles, cells = shapes.SHAPES[name]()
        self.config, self.exchange = config, Exchange(serial_world())
        self.region = Region(self.exchange, np.array([0, 2**63], np.uint64))
        self.region.add(tiles)
        self.arrays = TileArrays(COUNTS, ZONE)
        self.arrays.grow(0, len(tiles))
        self.counts = self.arrays["counts"]
        for row, tile in enumerate(map(tuple, self.region.coords.tolist())):
            self.counts[row] = cells.get(tile, 0)
        vessel = np.zeros(len(tiles), SEGMENT)
        vessel["ax"], vessel["bx"], vessel["ay"], vessel["by"], vessel["az"], vessel["bz"] = -125, 1000, 306, 306, 306, 306
        vessel["maturity"], vessel["perfused"] = 0.2, 1
        self.vessels_by_tile = lambda: (vessel, np.arange(len(tiles) + 1, dtype=np.int32))

    @property
    def zones(self):
        return self.arrays["zone"]


def test_a_ball_with_tendrils_is_measured():
    """Of radius 7 voxels of 25 um round 12, 12, 12; a tendril along x to voxel 29, others to 22 along y and 0 along z."""
    config = load({"tumor": {}, "tissue": {"voxel": "25 um", "capacity": shapes.CAPACITY},
                   "outline": {"depth": "50 um", "sprout": "50 um"}})
    tissue = Still("sprouting", config)
    told = Zones(config, tissue)
    told.renew(0)
    row = told.row(0)
    inside = (tissue.zones != Zone.OUTSIDE).sum()
    assert row["radius"] == pytest.approx(25 * (0.75 * inside / np.pi)**(1 / 3)) == pytest.approx(175, rel=0.08)
    assert row["extent"] == pytest.approx(350, abs=51)
    assert row["sprouts"] == 3 and row["cells_outside"] > 2 * 15        # those along y = 22 are not joined
    last = 29 - (12 + row["extent"] / 50 - 1)           # voxels from the last one inside to the last of the tendril
    assert row["invasion_max"] == pytest.approx(25 * (last - 0.5), abs=21)
    assert 0 < row["invasion_mean"] < row["invasion_max"]
    length = {"core": row["vessels_core"] * (tissue.zones == Zone.CORE).sum(),
              "border": row["vessels_border"] * (tissue.zones == Zone.BORDER).sum()}      # mm / (voxel / mm^3)
    along = {name: n * 25**3 / 1e6 for name, n in length.items()}                         # um
    assert along["core"] + along["border"] == pytest.approx(row["extent"], abs=51)
    assert along["border"] == pytest.approx(100, abs=26)
    assert row["maturity_core"] == pytest.approx(0.2, abs=0.002) and row["perfused_border"] == 1


@pytest.mark.parametrize("finer", [2, 4])
def test_the_outline_of_the_same_cells_does_not_depend_on_small_voxels(finer):
    """Those of a cube of 30 um at random in its 2^3 voxels of 15 um, or 4^3 of 7.5 um: its outline is that of the cubes."""
    tiles, cells = shapes.SHAPES["sprouting"]()
    inside = {}
    for each in (1, finer):
        fine = {}
        for tile, counts in cells.items():
            cube = np.random.default_rng(1).multinomial(counts.astype(int), np.full(each**3, each**-3.0))
            cube = cube.reshape(8, 8, 8, each, each, each).transpose(0, 3, 1, 4, 2, 5).reshape((8 * each,) * 3)
            for z, y, x in np.ndindex((each,) * 3):
                part = cube[8 * z:8 * z + 8, 8 * y:8 * y + 8, 8 * x:8 * x + 8].reshape(512)
                fine[tuple(each * k + i for k, i in zip(tile, (x, y, z)))] = part.astype(np.uint16)
        region = Region(Exchange(serial_world()), np.array([0, 2**63], np.uint64))
        region.add((each * tiles[:, None] + shapes.box(each, each, each)).reshape(-1, 3).astype(np.int32))
        counts = np.array([fine.get(tuple(tile), np.zeros(512, np.uint16)) for tile in region.coords.tolist()])
        hull = outline.inside(counts, shapes.CAPACITY / each**3, region, cube=each)
        v = np.flatnonzero(hull)
        at = 8 * region.coords[v // 512] + np.stack([v % 8, v // 8 % 8, v % 512 // 64], axis=1)
        inside[each] = Counter(map(tuple, (at // each).tolist()))
    assert inside[finer] == {at: finer**3 for at in inside[1]} and len(inside[1]) > 500


def test_a_tumor_that_is_nowhere_dense_has_no_inside():
    config = load({"tumor": {}, "tissue": {"voxel": "20 um", "capacity": shapes.CAPACITY}})
    tissue = Still("scattered", config)
    told = Zones(config, tissue)
    told.renew(0)
    row = told.row(0)
    assert row["cells_outside"] == tissue.counts.sum() and row["cells_core"] == row["cells_border"] == row["sprouts"] == 0
    assert np.isnan([row[name] for name in ("radius", "extent", "invasion_max", "vessels_core", "maturity_border")]).all()


def test_the_histogram_of_all_cells_is_that_of_their_places(model):
    """Every cell, as more are asked for than there are; those of one tile against all segments near."""
    sim, _ = model
    tissue = sim.tissue
    found = distances.histogram(tissue, tissue.cells, 1, tissue.cells)
    assert found.sum() == tissue.cells
    segments, row = tissue.network.segments_near(tissue.region.coords, 30.0, 0.0), int(np.argmin(np.abs(tissue.arena.n - 100.0)))
    cells, voxel = tissue.arena.block(row), np.repeat(np.arange(512), tissue.counts[row])
    one = SimpleNamespace(region=SimpleNamespace(keys=tissue.region.keys[row:row + 1], coords=tissue.region.coords[row:row + 1]),
                          arena=SimpleNamespace(n=tissue.arena.n[row:row + 1], start=tissue.arena.start[row:row + 1],
                                                cells=tissue.arena.cells), config=tissue.config,
                          counts=tissue.counts[row:row + 1],
                          vessels_within=lambda rows, margin: tissue.vessels_within(rows + row, margin))
    expected = np.zeros(distances.BINS, int)
    for v, cell in zip(voxel, cells):
        k = 8 * tissue.region.coords[row] + (v & 7, v >> 3 & 7, v >> 6)
        at = (k + (np.array([cell[axis] for axis in "xyz"]) + 0.5) / 65536) * 30.0
        expected[plain.bin_of(at, segments, distances.WIDTH_UM, distances.BINS)] += 1
    np.testing.assert_array_equal(distances.histogram(one, 1, 1, 1), expected)


@pytest.mark.parametrize("every, among", [(50, 20), (50, 4000), (3, 4000), (1, 4000)])
def test_a_sample_is_spread_over_tiles_and_voxels_and_of_the_size_asked_for(every, among):
    keys = np.arange(4000, dtype=np.uint64) * np.uint64(12345)
    rows, chosen = distances.sample(keys, every, among)
    tiles = min(every, max(1, among // distances.MOST_TILES))
    assert len(rows) / 4000 == pytest.approx(1 / tiles, rel=0.2)
    assert chosen.mean() == pytest.approx(1 / max(1, every // tiles), rel=0.1)


# --- stage and detection ---------------------------------------------------------------------------------

@pytest.mark.parametrize("diameter_mm, invasion_um, lesion, stage", [
    (np.nan, np.nan, 0, 0), (5, 50, 0, 0), (5, 100, 199, 1), (20, 5000, 0, 1), (20.1, 200, 0, 2), (50, 200, 0, 2),
    (51, 200, 0, 3), (51, 0, 0, 0), (1, 0, 200, 4), (np.nan, np.nan, 10**6, 4)])
def test_the_stage_follows_size_invasion_and_metastases(diameter_mm, invasion_um, lesion, stage):
    assert Staging(default()).stage(500 * diameter_mm, invasion_um, lesion) == stage


def test_what_is_there_first_keeps_its_time():
    seen = Staging(load({"tumor": {}, "staging": {"detection_cells": 100}}))
    seen.see(0, dict(tissue=99, shed=0, started=0, woken=0))
    seen.see(60, dict(tissue=100, shed=0, started=0, woken=0))
    assert seen.times == dict(zip(FIRST, (60, -1, -1)))
    seen.see(120, dict(tissue=3, shed=2, started=0, woken=1))
    seen.see(180, dict(tissue=3000, shed=20, started=5, woken=10))
    assert seen.times == dict(zip(FIRST, (60, 120, 120)))
    assert Staging(default(), seen.times).times == seen.times


@pytest.mark.parametrize("species, cells", [("human", 10**7), ("mouse", 10**6)])
def test_where_no_size_is_given_a_tumor_is_detected_by_that_of_its_species(species, cells):
    assert Staging(load({"tumor": {}, "run": {"species": species}})).detection_cells == cells
