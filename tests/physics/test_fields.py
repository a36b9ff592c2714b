"""Fields by declaration: decay, secretion by cells, fewer values a tile, several at a time."""
import math
from types import SimpleNamespace

import numpy as np
import pytest

from metacascade.config.config import load
from metacascade.mechanisms.fields import enough_sweeps
from metacascade.mechanisms.terms import valued
from metacascade.space.fields import Field, Fields
from metacascade.space.relaxation import Mesh, NoHalo
from metacascade.space.tile_arrays import COUNTS, TileArrays
from reference.field import block, mean, voxel_places

D = 4.0e5                     # [um^2/h], a protein of some 30 kDa
CAPACITY, EDGE = 8, 30.0
STEADY_H = 1e6


def field(tiles, *, sweeps=400, step_h=STEADY_H, edge_um=EDGE, diffusion=D, **kind):
    made = Field(diffusion=diffusion, capacity=CAPACITY, step_h=step_h, edge_um=edge_um, sweeps=sweeps, **kind)
    made.arrays.grow(0, tiles)
    return made


def no_cells(tiles):
    return np.zeros((tiles, 512), np.uint16)


@pytest.mark.parametrize("coarse", [8, 4])
def test_a_field_that_decays_falls_off_over_the_decay_length_with_order_two(coarse):
    """c = c0 cosh((L - x) / l) / cosh(L / l), l = sqrt(D / d) = 89 um, from a wall held by vessels."""
    decay, errors = 50.0, []
    length = math.sqrt(D / decay)
    for tiles, edge_um in ((1, 30.0), (2, 15.0), (4, 7.5)):
        coords, neighbors = block(tiles, 1, 1)
        made = field(tiles, edge_um=edge_um, decay=decay, vessel=1.0, wall=1.0, coarse=coarse)
        wide = EDGE * 8 / (coarse * tiles)                         # edge of a value
        x, values = voxel_places(coords)[0], 8 // coarse
        supply = np.where(x < values, 1e9, 0.0).astype(np.float32)
        for _ in range(3):
            made.advance(no_cells(tiles), supply, Mesh(coords, neighbors))
        at = mean(x.astype(np.float32), coarse) // values * wide
        thick = (coarse * tiles - 0.5) * wide
        errors.append(np.abs(made.value - np.cosh((thick - at) / length) / math.cosh(thick / length)).max())
    assert errors[1] < errors[0] / 3 and errors[2] < errors[1] / 3, errors


@pytest.mark.parametrize("coarse", [8, 4, 2])
def test_level_secretion_and_decay_and_uptake_balance(coarse):
    """c = q / (d + l n / capacity), q of cells of half of the greatest weight that fill half of the capacity."""
    coords, neighbors = block(2, 2, 2)
    made = field(8, source=30.0, decay=2.0, linear=6.0, coarse=coarse, wall=0.0)
    counts = np.full((8, 512), CAPACITY // 2, np.uint16)
    made.advance(counts, None, Mesh(coords, neighbors), moments=counts.astype(np.uint32) * 51)     # 51 = 255 / 5
    np.testing.assert_allclose(made.value, 30.0 * 0.5 / 5 / (2.0 + 6.0 * 0.5), rtol=1e-4)


def test_fewer_values_a_tile_give_the_means_of_the_full_grid():
    """Cells in one corner secrete: where the field varies over more than the coarse values, within 3 % of its largest."""
    coords, neighbors = block(3, 3, 3)
    x, y, z = voxel_places(coords)
    counts = np.where(x + y + z < 24, CAPACITY, 0).astype(np.uint16)
    made = {}
    for coarse in (8, 4, 2):
        made[coarse] = field(27, source=100.0, decay=20.0, coarse=coarse, wall=0.0)     # decay length 141 um
        for _ in range(3):
            made[coarse].advance(counts, None, Mesh(coords, neighbors), moments=counts.astype(np.uint32) * 255)
    for coarse, tolerance in ((4, 0.03), (2, 0.06)):
        exact = mean(made[8].value, coarse)
        assert np.abs(made[coarse].value - exact).max() < tolerance * exact.max(), coarse


def some_fields():
    """Three fields of different kinds in one register, and cells for them."""
    arrays = TileArrays(COUNTS)
    common = dict(capacity=CAPACITY, step_h=0.5, edge_um=EDGE, arrays=arrays)
    each = [Field(name="oxygen", diffusion=6e6, uptake=58000.0, vessel=40.0, wall=1e6, initial=40.0, sweeps=6, **common),
            Field(name="drug", diffusion=1e6, decay=1.0, vessel=1.0, wall=1e4, sweeps=2, coarse=4, **common),
            Field(name="factor", diffusion=D, decay=2.0, source=5.0, sweeps=3, coarse=2, every=2, **common)]
    arrays.grow(0, 8)
    rng = np.random.default_rng(1)
    arrays["counts"][:] = rng.integers(0, 9, (8, 512))
    moments = {"factor": arrays["counts"].astype(np.uint32) * 200}
    supply, coarse = (rng.exponential(1e3, (8, 1, values)).astype(np.float32) for values in (512, 64))
    return Fields(each, arrays), moments, SimpleNamespace(supply=supply, coarse=coarse)


def test_fields_that_are_solved_together_are_those_that_are_solved_alone():
    (fields, moments, supply), (alone, _, _) = some_fields(), some_fields()
    coords, neighbors = block(2, 2, 2)
    mesh = Mesh(coords, neighbors)
    counts = fields.arrays["counts"]
    assert fields.walls_by_size == ([(1e6, 6e6)], [(1e4, 1e6)])
    for step in range(3):
        fields.advance(step, counts, supply, mesh, NoHalo(), moments)
        alone["oxygen"].advance(counts, supply.supply[:, 0], mesh)
        alone["drug"].advance(counts, supply.coarse[:, 0], mesh)
        if step % 2 == 0:
            alone["factor"].advance(counts, None, mesh, moments=moments["factor"])
        for one, other in zip(fields.signals, alone.signals):
            assert one.tobytes() == other.tobytes()


def test_a_coefficient_that_is_scaled_is_one_of_another_size():
    (fields, moments, supply), (other, _, _) = some_fields(), some_fields()
    coords, neighbors = block(2, 2, 2)
    other["drug"].params["vessel"] = 0.25
    fields.advance(0, fields.arrays["counts"], supply, Mesh(coords, neighbors), NoHalo(), moments, {"drug.vessel": 0.25})
    other.advance(0, other.arrays["counts"], supply, Mesh(coords, neighbors), NoHalo(), moments)
    np.testing.assert_array_equal(fields["drug"].value, other["drug"].value)
    assert fields["drug"].value.any()


@pytest.mark.parametrize("edge_um, reach_um", [(30.0, 30.0), (15.0, 30.0), (30.0, 20.0), (15.0, 20.0), (30.0, 0.1),
                                               (30.0, 1e-160)])
def test_enough_sweeps_leave_a_tenth_of_an_error_and_fewer_do_not(edge_um, reach_um):
    """A field that reaches over some voxels, where a fifth of them has gained or lost a cell: against 60 sweeps."""
    config = load({"tumor": {}}, [f"tissue.voxel={edge_um} um"])
    enough = enough_sweeps(20, valued(reach_um**2), valued(1.0), 2, config)
    coords, neighbors = block(3, 3, 3)
    rng = np.random.default_rng(1)
    counts = rng.integers(1, 8, (27, 512)).astype(np.uint16)

    def solved(sweeps, start, steps=1):              # of no sweep: the start
        made = field(27, sweeps=max(sweeps, 1), step_h=0.5, every=2, edge_um=edge_um, diffusion=reach_um**2, decay=1.0,
                     source=1.0, wall=0.0)
        made.value[:] = start
        for _ in range(steps if sweeps else 0):
            made.advance(counts, None, Mesh(coords, neighbors), moments=counts.astype(np.uint32) * 255)
        return made.value.astype(float)
    before = solved(60, 0.0, steps=40)
    counts = (counts + (rng.random(counts.shape) < 0.2) * rng.choice([-1, 1], counts.shape)).astype(np.uint16)
    exact = solved(60, before)
    left = [np.linalg.norm(solved(sweeps, before) - exact) for sweeps in range(enough + 1)]
    assert left[-1] < 0.1 * left[0] < min(left[:-1])
