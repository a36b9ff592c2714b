"""Defaults that are of another species than the run are told, once for a table of which nothing is set."""
import pytest

from metacascade.config import catalog, otherspecies, presets
from metacascade.config.config import load
from metacascade.run.inputs import Inputs

MOUSE, MAN = {"species": "mouse", "duration": "5 days"}, {"species": "human", "duration": "5 days"}
LESIONS = "colonization: the defaults of clonogenic, gompertz, capacity, cell_loss and switch_time are of patients"
LUMPED = {"cells": 1000, "lumped": True}


@pytest.mark.parametrize("tables, told", [
    ({"run": MOUSE, "tumor": {}}, [LESIONS]), ({"run": MOUSE, "injection": [{"cells": 9}]}, [LESIONS]),
    ({"run": MOUSE, "injection": [{"organ": "lung", "cells": 9}]}, [LESIONS]),
    ({"run": MOUSE, "injection": [{"organ": "lung"}], "blood": {"enabled": False}}, [LESIONS]),
    ({"run": MOUSE, "tumor": LUMPED}, [LESIONS, "lumped: the defaults of gompertz, capacity and cell_loss are of patients"]),
    ({"run": MAN, "tumor": {}}, ["growth: the defaults of division_time and death_rate are of cultured lines"]),
    ({"run": MAN, "tumor": LUMPED}, []), ({"run": MAN, "tumor": {}, "growth": {"division_time": "120 h"}}, []),
    ({"run": MAN, "tumor": {}, "growth": {"enabled": False}}, []),
    ({"run": MOUSE, "tumor": {}, "colonization": {"clonogenic": 2e-5}}, []),     # as it is, but on purpose
    ({"run": MOUSE, "tumor": {}, "colonization": {"enabled": False}}, []),
    ({"run": MOUSE, "tumor": {}, "blood": {"enabled": False}}, []),
    ({"run": MOUSE, "tumor": {}, "intravasation": {"enabled": False}}, []),
    ({"run": MOUSE | {"duration": "2 h"}, "tumor": {}}, [])])
def test_defaults_of_another_species_are_told_where_something_depends_on_them(tables, told):
    lines = [line for line in Inputs(load(tables), "").of_one_run if "run.species" in line]
    assert [line.startswith(start) for line, start in zip(lines, told, strict=True)] == [True] * len(told)
    assert all("mouse_breast has others (run.species = mouse)" in line for line in lines if line.startswith(LESIONS))


@pytest.mark.parametrize("name", presets.names())
def test_a_preset_has_numbers_of_its_own_species(name, tmp_path):
    assert [*otherspecies.told(load(presets.write(name, tmp_path / "run.toml", False, catalog.schema_text)))] == []
