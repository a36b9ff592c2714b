"""Terms of fields with factors by place: against closed forms, and that voxel and step do not matter."""
import math
from types import SimpleNamespace

import numpy as np
import pytest

from metacascade.config.config import default
from metacascade.mechanisms.compile import field_terms
from metacascade.mechanisms.fields import Diffusing
from metacascade.mechanisms.plan import collect
from metacascade.mechanisms.stroma import Stroma, stroma_of
from metacascade.mechanisms.terms import ADD, ADMIT, LOSE, SECRETE, Rate, fall, hill, ramp
from metacascade.space.fields import Field, Fields
from metacascade.space.relaxation import Mesh, NoHalo, relax
from metacascade.space.tile_arrays import COUNTS, TileArrays
from plans import made_up, switched_off
from reference.field import block, mean, voxel_places

CAPACITY = 8
SIDE = 480.0                  # [um] of the block of tissue


def own(*declared, name="c", **kind):
    """A plan with one field of our own, and its terms."""
    given = dict(diffusion=0.0, start=0.0) | kind
    return collect(default(), [made_up(Diffusing(name, "", **given), Diffusing("s", "", diffusion=0.0, start=0.0), *declared)])


class Block:
    """Tiles of a cube of tissue with two fields: `c`, and `s`, which stays as it is."""

    def __init__(self, plan, edge_um=30.0, step_h=1e6, sweeps=100, **kind):
        tiles = round(SIDE / edge_um / 8)
        self.coords, neighbors = block(tiles, tiles, tiles)
        self.mesh, self.plan = Mesh(self.coords, neighbors), plan
        arrays = TileArrays(COUNTS)
        common = dict(capacity=CAPACITY, step_h=step_h, edge_um=edge_um, arrays=arrays)
        declared = plan.field("c")
        self.c = Field(name="c", diffusion=declared.diffusion.number, decay=declared.decay.number, sweeps=sweeps,
                       vessel=declared.vessel.number, **common, **kind)
        self.fields = Fields([self.c, Field(name="s", diffusion=0.0, sweeps=1, every=10**9, **common)], arrays)
        arrays.grow(0, len(self.coords))
        self.fields["s"].value[:], self.counts = 2.0, arrays["counts"]
        self.x = (voxel_places(self.coords)[0] + 0.5) * edge_um

    def advance(self, steps=1, moments=None, supply=None, scales=()):
        for step in range(1, steps + 1):
            vessels = supply if supply is None else SimpleNamespace(supply=supply, coarse=supply[:, :, :64])
            self.fields.advance(step, self.counts, vessels, self.mesh, NoHalo(), {} if moments is None else {"c": moments},
                                terms=field_terms(self.plan, scales))
        return self.c.value


TERMS = [Rate("field.c.source", 30.0, unit="1/h", action=SECRETE), hill("field.c.source", "s", half=6.0),
         Rate("field.c.birth", 5.0, unit="1/h", action=ADD), fall("field.c.birth", "s", half=2.0, power=2),
         Rate("field.c.loss", 0.8, action=LOSE), ramp("field.c.loss", "density", zero=0, full=1),
         Rate("field.c.other", 0.6, action=LOSE),
         Rate("field.c.inflow", 1.0, unit="", action=ADMIT), ramp("field.c.inflow", "s", zero=0, full=4)]


@pytest.mark.parametrize("coarse", [8, 4, 2])
def test_a_level_field_is_in_balance(coarse):
    """c = (Q w f + birth + s g P) / (decay + loss + s g): factors 1/4, 1/2, 1/2 and 1/2, as s = 2 and density = 1/2."""
    there = Block(own(*TERMS, diffusion=1e-6, decay=2.0, vessel=7.0, wall=1.0), coarse=coarse, wall=1.0)
    there.counts[:] = CAPACITY // 2
    weights, supply = there.counts.astype(np.uint32) * 51, np.full((len(there.counts), 1, 512), 3.0, np.float32)
    value = there.advance(moments=weights, supply=supply)
    expected = (30.0 * 0.5 * 0.2 / 4 + 5.0 / 2 + 1.5 * 7.0) / (2.0 + 0.4 + 0.6 + 1.5)
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    value = there.advance(moments=weights, supply=supply, scales={"field.c.loss": 0.0, "field.c.source": 2.0})
    expected = (30.0 * 0.5 * 0.2 / 2 + 5.0 / 2 + 1.5 * 7.0) / (2.0 + 0.6 + 1.5)
    np.testing.assert_allclose(value, expected, rtol=1e-5)


def test_without_diffusion_each_voxel_decays_for_itself_with_order_one_in_the_step():
    """c = exp(-k t) with k = 0.5 x / SIDE; half the step, half the error."""
    plan, errors = own(Rate("field.c.loss", 0.5, action=LOSE), ramp("field.c.loss", "s", zero=0, full=1)), []
    for steps in (10, 20):
        there = Block(plan, step_h=5.0 / steps, sweeps=1)
        there.fields["s"].value[:] = there.x / SIDE
        there.c.value[:] = 1.0
        errors.append(np.abs(there.advance(steps) - np.exp(-0.5 * there.x / SIDE * 5.0)).max())
    assert errors[0] < 0.03 and 1.8 < errors[0] / errors[1] < 2.2, errors


def test_half_the_voxel_gives_the_same_field():
    """A source that is there in half of the tissue: c against the closed form of a slab, order two in the voxel.

    With k = 20/h and D = 4e5 um^2/h the length is 141 um; where a step lies in the middle of the block,
    c = Q / k (1 - cosh(x / l) / (2 cosh(L / 2 l))) on its side.
    """
    length, errors = math.sqrt(4e5 / 20.0), []
    plan = own(Rate("field.c.birth", 20.0, unit="1/h", action=ADD), ramp("field.c.birth", "s", zero=0, full=1),
               diffusion=4e5, decay=20.0, wall=1.0)             # vessels give it outside as well, so nothing flows there
    for edge_um in (30.0, 15.0):
        there = Block(plan, edge_um=edge_um, sweeps=400)
        there.fields["s"].value[:] = there.x < SIDE / 2
        value = there.advance(2)
        x = np.minimum(there.x, SIDE - there.x)
        side = 1 - np.cosh(x / length) * math.sinh(SIDE / 2 / length) / math.sinh(SIDE / length)
        errors.append(np.abs(value - np.where(there.x < SIDE / 2, side, 1 - side)).max())
    assert errors[0] < 0.01 and errors[1] < 0.3 * errors[0], errors


AMONG_CELLS = [Rate("field.c.birth", 20.0, unit="1/h", action=ADD), ramp("field.c.birth", "density", zero=0, full=1)]
LOSS, ALIKE = Rate("field.c.loss", 12.0, action=LOSE), Rate("field.c.added", 6.0, unit="1/h", action=ADD)
DRAWN = [Rate("field.c.inflow", 1.0, unit="", action=ADMIT), hill("field.c.inflow", "density", half=1.0)]


@pytest.mark.parametrize("coarse", [8, 4, 2])
@pytest.mark.parametrize("more, kind, scales, outside", [
    ([], dict(decay=20.0), {}, 0.0),
    ([], dict(decay=80.0), {"c.decay": 0.25}, 0.0),
    ([LOSS], dict(decay=8.0), {}, 0.0),
    ([LOSS], dict(decay=2.0), {"field.c.loss": 1.5}, 0.0),
    ([ALIKE], dict(decay=20.0), {}, 0.3),
    ([ALIKE, LOSS], dict(decay=8.0), {"field.c.added": 3.0}, 0.9),
    (DRAWN, dict(decay=20.0, vessel=5.0, wall=1.0), {}, 0.0)],
    ids=["decay", "therapy on decay", "lost", "therapy on loss", "added everywhere", "therapy on added", "admitted"])
def test_where_the_tiles_end_it_goes_to_its_level_in_stroma_without_end(more, kind, scales, outside, coarse):
    """A slab of 480 um full of cells that make it, without end in y and z, loss 20/h in all: l = 141 um, and

        c = outside + 1 - exp(-L / 2 l) cosh(x / l)

    where no vessel is near, whose walls would let it in among cells alone."""
    length, tiles = math.sqrt(4e5 / 20.0), 2
    coords, neighbors = block(tiles, 1, 1)
    made = Field(diffusion=4e5, decay=kind["decay"], capacity=CAPACITY, step_h=1e6, edge_um=30.0, sweeps=1, coarse=coarse,
                 name="c", wall=kind.get("wall"))
    made.arrays.grow(0, tiles)
    neighbors[neighbors < 0] = np.nonzero(neighbors < 0)[0]         # in y and z each tile is beside itself
    neighbors[0, 0] = neighbors[1, 1] = -1
    terms, mesh = field_terms(own(*AMONG_CELLS, *more, diffusion=4e5, **kind), scales)["c"], Mesh(coords, neighbors)
    cells = np.full((tiles, 512), CAPACITY, np.uint16)
    for _ in range(400):
        relax([made.system(cells, None, None, mesh, NoHalo(), scales, terms=terms)], mesh, NoHalo())
    x = (mean((voxel_places(coords)[0] + 0.5).astype(np.float32), coarse) * 30.0 - SIDE / 2) / length
    expected = outside + 1 - math.exp(-SIDE / 2 / length) * np.cosh(x)
    assert np.abs(made.value - expected).max() < {8: 0.004, 4: 0.012, 2: 0.05}[coarse]


@pytest.mark.parametrize("coarse", [8, 4, 2])
def test_what_is_added_everywhere_is_level_to_the_last_bit_also_where_tiles_end(coarse):
    plan = own(Rate("field.c.added", 3.0, unit="1/h", action=ADD), diffusion=4e5, decay=4.0)
    there = Block(plan, coarse=coarse)
    there.c.value[:] = 0.75
    assert np.ptp(there.advance(3)) == 0.0 and there.c.value[0, 0] == pytest.approx(0.75, rel=1e-6)


def test_in_stroma_a_field_has_what_its_terms_and_those_of_others_make_of_it():
    """s = 6 / 3 = 2 there, so c gains 4 x 2 / (2 + 6), and loses 0.5 + 0.7, twice the decay by a therapy."""
    s = Diffusing("s", "", diffusion=1.0, start=0.0, decay=3.0)
    c = Diffusing("c", "", diffusion=1.0, start=9.0, decay=0.25)
    terms = [Rate("field.s.added", 6.0, unit="1/h", action=ADD), Rate("field.c.birth", 4.0, unit="1/h", action=ADD),
             hill("field.c.birth", "s", half=6.0), Rate("field.c.loss", 0.7, action=LOSE),
             Rate("field.c.eaten", 5.0, action=LOSE), ramp("field.c.eaten", "density", zero=0, full=1)]
    plan = collect(default(), [made_up(c, s, *terms)])
    assert stroma_of(plan, {"c.decay": 2.0})["c"] == Stroma(pytest.approx(1.0 / 1.2), pytest.approx(1.2))
    assert stroma_of(own(diffusion=1.0, start=0.4))["c"] == Stroma(0.4, 0.0)
    assert stroma_of(own(Rate("field.c.added", 1.0, unit="1/h", action=ADD), diffusion=1.0))["c"] == Stroma(math.inf, 0.0)


@pytest.mark.parametrize("terms, level, loss", [
    ([], 5.0, 0.0), (DRAWN, 0.0, 2.0), ([Rate("field.c.inflow", 0.5, unit="", action=ADMIT)], 5.0, 0.0)],
    ids=["vessels", "vessels among cells", "vessels that admit half"])
def test_vessels_give_a_field_in_stroma_if_they_admit_it_there(terms, level, loss):
    plan = own(*terms, diffusion=1.0, decay=2.0, vessel=5.0, wall=1.0)
    assert stroma_of(plan)["c"] == Stroma(level, loss)
    shut = stroma_of(plan, {"field.c.inflow": 0.0})["c"]
    assert shut == (Stroma(0.0, 2.0) if terms else Stroma(level, loss))


def test_coarse_values_have_the_mean_of_the_terms():
    """Half of the voxels of a value lose: 1 / (1 + k / 2), and not the mean of 1 and 1 / (1 + k)."""
    plan = own(Rate("field.c.loss", 4.0, action=LOSE), ramp("field.c.loss", "density", zero=0, full=1),
               Rate("field.c.birth", 1.0, unit="1/h", action=ADD), decay=1.0)
    there = Block(plan, coarse=4)
    there.counts[:] = CAPACITY * (np.arange(512) & 1)
    np.testing.assert_allclose(there.advance(), 1.0 / 3.0, rtol=1e-5)
    np.testing.assert_allclose(mean(there.counts.astype(np.float32), 4), CAPACITY / 2)


def test_a_steady_start_is_there_at_once():
    plan = own(Rate("field.c.loss", 0.01, action=LOSE), Rate("field.c.birth", 0.002, unit="1/h", action=ADD))
    there = Block(plan, step_h=0.5, sweeps=1, initial_sweeps=1, steady_start=True)
    there.fields.settle(there.counts, None, there.mesh, NoHalo(), terms=field_terms(plan))
    np.testing.assert_allclose(there.c.value, 0.2, rtol=1e-3)
    assert not there.fields["s"].initial_sweeps and (there.fields["s"].value == 2.0).all()


def test_what_is_off_takes_its_terms_along():
    field = made_up(Diffusing("c", "", diffusion=1.0, start=0.0), table="growth", name="owner")
    loss = Rate("field.c.loss", 1.0, action=LOSE)
    other = made_up(loss, ramp(loss, "density", zero=0, full=1), name="other")
    on = collect(default(), [field, other])
    assert on.terms_of("c") == [loss] and on.names == ("field.c.loss", "c.uptake", "c.decay")
    off = collect(switched_off("growth"), [field, other])
    assert not off.rates and not off.factors and not field_terms(off)
