"""Growth of whole well-fed tumors: exponential while they are small, by the rim and with a radius linear in time when large."""
import math

import numpy as np
import pytest

from metacascade.config.config import Config
from metacascade.model.simulation import Simulation
from metacascade.ranks.parallel import serial_world

pytestmark = pytest.mark.statistical
DIVISION_H, PRESSURE_MAX = 24.0, 0.25
RATE = math.log(2) / DIVISION_H


def tumor(cells, days, edge_um=30.0, step_s=1800, depth_um=250.0, seed=1):
    """An immotile tumor without death and without limits of oxygen, which grows to `depth_um` under its surface."""
    off = dict.fromkeys(("hypoxia", "migration", "intravasation", "oxygen"), dict(enabled=False))
    return Simulation(Config.from_dict(off | dict(
        run=dict(seed=seed, step_s=step_s, duration_s=86400 * days), tumor=dict(cells=cells),
        tissue=dict(edge_um=edge_um), growth=dict(division_time_h=DIVISION_H, death_per_h=0.0),
        crowding=dict(mobility_um2_per_h=depth_um**2 * RATE / PRESSURE_MAX, pressure_max=PRESSURE_MAX,
                      sweeps=4 if edge_um >= 30 else 8))), serial_world())


def grow(model, days):
    """Cells and radius [um] at the start and after each day; the radius is that of a ball with the same mean square."""
    found = []
    for day in range(days + 1):
        found.append((model.tissue.cells, radius_um(model.tissue, model.config.tissue.edge_um)))
        for _ in range(86400 // model.config.run.step_s if day < days else 0):
            model.step()
    return np.array(found).T


def radius_um(tissue, edge_um):
    v = np.arange(512)
    tiles = len(tissue.region.keys)
    at = 8.0 * tissue.region.coords[:, None, :] + np.stack([v & 7, v >> 3 & 7, v >> 6], axis=1) + 0.5
    n = tissue.counts[:tiles].astype(float)
    center = (n[..., None] * at).sum(axis=(0, 1)) / n.sum()
    return edge_um * math.sqrt(5 / 3 * (n * ((at - center) ** 2).sum(axis=2)).sum() / n.sum())


@pytest.mark.parametrize(("edge_um", "minutes"), [(30.0, 30), (15.0, 30), (20.0, 15), (60.0, 60)])
def test_a_small_tumor_doubles_in_the_division_time_whatever_voxel_and_step(edge_um, minutes):
    """100 cells, R = 43 um, for 3 days: eightfold within 4 sd of the branching process, sqrt(n (m^2 - m)), and 4 %
    that the pressure of a ball of up to R = 86 um takes off ((R / 250 um)^2 / 3)."""
    cells, _ = grow(tumor(100, 3, edge_um, 60 * minutes), 3)
    sd = math.sqrt(100 * (64 - 8))
    assert 800 * 0.96 - 4 * sd < cells[-1] < 800 + 4 * sd, cells


def test_a_large_tumor_grows_by_its_rim_with_a_radius_linear_in_time():
    """Growth to a depth of 60 um under the surface of R = 250 um: in each day the radius gains nearly the same, which comes
    from below to depth x rate of division, 41.6 um a day, as 1 - depth / R."""
    _, radius = grow(tumor(20_000, 6, depth_um=60.0), 6)
    gained, middle = np.diff(radius), (radius[1:] + radius[:-1]) / 2
    expected = 60.0 * RATE * 24 * (1 - 60.0 / middle)
    np.testing.assert_allclose(gained[2:], expected[2:], rtol=0.12)
    assert gained[2:].max() / gained[2:].min() < 1.15, gained


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_50_000_cells_double_at_first_and_grow_more_than_twentyfold_in_six_days():
    cells, radius = grow(tumor(50_000, 6), 6)
    assert 1.8 < cells[1] / cells[0] < 2.0 and cells[-1] > 20 * cells[0], cells / cells[0]
    gained = np.diff(radius)
    assert (np.diff(gained) > 0).all() and gained[-1] / gained[-2] < 1.1, gained       # to 173 um a day, ever more slowly
