"""Substances that cells secrete, from the declaration to the field: how much there is, of whom, and on any ranks."""
from pathlib import Path

import numpy as np
import pytest

from metacascade.config.config import load
from metacascade.mechanisms import plan_of
from metacascade.model.simulation import Simulation
from metacascade.ranks.parallel import serial_world

SECRETED = (Path(__file__).parents[1] / "secreted.py").read_text()
STILL = ["growth.enabled=false", "hypoxia.enabled=false", "migration.enabled=false", "crowding.enabled=false",
         "intravasation.enabled=false", "tumor.cells=3000", "run.step=1 h", "run.duration=1 day"]


def model(folder, *settings, coarse=8, more=""):
    (folder / "own.py").write_text(SECRETED.replace("coarse=8", f"coarse={coarse}") + f"    {more}\n")
    (folder / "run.toml").write_text('[mechanisms]\nmodules = ["own.py"]\n[tumor]\n')
    return load(folder / "run.toml", [*STILL, *settings])


def total(sim):
    """Of the factor in all voxels [pM voxels]."""
    field = sim.tissue.microenvironment["factor"]
    tiles = len(sim.tissue.region.keys)
    return float(field.value[:tiles].sum(dtype=float)) * 512 / field.value.shape[1]


@pytest.mark.parametrize("coarse", [8, 4, 2])
def test_there_is_as_much_as_cells_have_secreted_by_emt_and_clone(tmp_path, coarse):
    sim = Simulation(model(tmp_path, coarse=coarse), serial_world())
    emt = np.concatenate([sim.tissue.arena.block(row)["emt"] for row in np.flatnonzero(sim.tissue.arena.n)])
    weights = (102 * emt.astype(int) + 127) // 255                     # 0.4 is the byte 102
    assert 50 < (emt > 0).sum() < 2000
    for _ in range(5):
        sim.step()
    expected = 5 * 20.0 / sim.config.tissue.capacity * weights.sum() / 255
    assert total(sim) == pytest.approx(expected, rel=1e-4)


def test_a_therapy_on_the_rate_stops_it(tmp_path):
    stopped = 'therapy=[{rate="field.factor.source", factor=0, start="2 h"}]'
    sims = [Simulation(model(tmp_path, *settings), serial_world()) for settings in ([], [stopped])]
    for sim in sims:
        for _ in range(4):
            sim.step()
    assert total(sims[1]) == pytest.approx(total(sims[0]) / 2, rel=1e-3)


def test_the_equation_names_it(tmp_path):
    plan = plan_of(model(tmp_path))
    text = plan.field("factor").with_terms(plan.terms_of("factor"))
    assert text == "d factor / dt = 0.01 * laplacian(factor) + field.factor.source * density"


@pytest.mark.parametrize("more, message", [
    ('yield state(made, "emt", lambda e: 2 * e, "2 emt")', "2 emt is a share of what a cell may secrete: 0 to 1"),
    ('yield state(made, "adhesion", lambda e: e, "adhesion")', "depends on adhesion, which is not looked at there"),
    ('yield hill(made, "oxigen", half=Value("5", 5.0))', "oxigen"),
    ('yield Rate("field.factor.other", 1.0, unit="pM/h")', "does nothing: it has no action, and no kernel reads it")])
def test_what_secretion_does_not_look_at_is_refused(tmp_path, more, message):
    with pytest.raises(Exception, match=message):
        model(tmp_path, more=more)
