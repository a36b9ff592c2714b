"""The laws that kernels are given by name: a name too many or too few is refused, and told."""
from dataclasses import asdict

import numpy as np
import pytest

from busy import busy_patch
from metacascade._kernels import _blood, _field, _lattice, _lesions, _lumped, _place, _thin
from metacascade._kernels._layout import CELL, CTC, LESION
from metacascade._kernels._vessels import SEGMENT
from metacascade.config.config import Config
from metacascade.mechanisms import plan_of
from metacascade.model.circuit import Circuit
from metacascade.model.lesions import Lesions
from metacascade.space.network_lattice import Lattice

CONFIG = Config.from_dict({"colonization": {}, "vessels": {}, "tumor": {}})
ROWS, NO_KEYS, NOTHING = np.empty((0, 3), np.int32), np.empty(0, np.uint64), np.empty(0, np.int32)
FIELD = dict.fromkeys(("per_dt", "decay", "linear", "uptake", "michaelis", "vessel", "source"), 1.0)
BEAM = dict(dose_Gy=2.0, alpha_per_Gy=0.3, beta_per_Gy2=0.03, enhancement=3.0, oxygen_half_mmHg=3.0)
PLACE = dict(seed=1, motile=0, adhesion_mean=0.5, adhesion_spread=0.1)
TUMOR = dict(gompertz=1e-4, capacity=1e12, turnover=0.0, death=0.0, shed=0.0)
LATTICE = asdict(Lattice.from_config(CONFIG.vessels, 1))


def voxels(kind):
    return np.empty((0, 512), kind)


def walk():
    circuit = Circuit(CONFIG, plan_of(CONFIG))
    return circuit.law, lambda: _blood.advance(np.empty(0, CTC), circuit, 1, 1.0, np.empty(0, np.uint16))


def grow():
    lesions = Lesions(CONFIG, Circuit(CONFIG, plan_of(CONFIG)), 1)
    return lesions.law, lambda: _lesions.advance(lesions.records, lesions.rates, lesions.law, 1, 0, 0, 0.0, 1.0)


def step_of_tissue():
    patch = busy_patch(1)
    return patch.parameters, lambda: patch.advance(0, 0.0)


def of(law, call):
    law = dict(law)
    return lambda: (law, lambda: call(law))


LAWS = {
    "blood": walk, "lesions": grow, "tissue": step_of_tissue,
    "lumped": of(TUMOR, lambda law: _lumped.advance(
        np.zeros(1, LESION), law, 1, 0, 0, 1.0, 0.0, 1.0, np.zeros(9, _lumped.BROOD))),
    "beam": of(BEAM, lambda law: _thin.irradiate(
        _thin.Tiles(np.empty(0, CELL), np.empty(0, np.int64), NOTHING, voxels(np.uint16)), NO_KEYS, voxels(np.float32),
        law, 1, 0)),
    "place": of(PLACE, lambda law: _place.place(np.empty(0, CELL), 1, np.zeros(512, np.uint16), law)),
    "field": of(FIELD, lambda law: _field.coefficients(
        voxels(np.float32), voxels(np.uint16), None, None, voxels(np.float32), voxels(np.float32), law)),
    "room in the lattice": of(LATTICE, lambda law: _lattice.lattice_room(law, 20.0, 0.0)),
    "lattice": of(LATTICE, lambda law: _lattice.lattice_segments(
        law, ROWS, 20.0, 0.0, np.empty((0, 3)), np.empty(0, SEGMENT), np.empty(1, np.int32))),
}


@pytest.mark.parametrize("law", LAWS)
def test_an_unknown_name_is_refused(law):
    given, call = LAWS[law]()
    call()
    given["detekt"] = 1.0
    with pytest.raises(ValueError, match=f"takes no detekt, but .*{[*given][0]}"):
        call()


@pytest.mark.parametrize("law", LAWS)
def test_a_missing_name_is_told(law):
    given, call = LAWS[law]()
    name = next(iter(given))
    del given[name]
    with pytest.raises(ValueError, match=f"struct attribute '{name}'"):
        call()
