"""Promise 6: a mechanism that is switched off leaves the same bits as one whose rate is zero."""
import json
from functools import cache, partial

import pytest

import small
from metacascade import mechanisms
from metacascade.config import config as configs, read as config_read
from metacascade.config.config import load
from metacascade.mechanisms.plan import collect
from metacascade.model.simulation import Simulation
from metacascade.ranks.parallel import serial_world
from metacascade.studies import reproduce_controls
from metacascade.studies.reproduce_toml import toml

STEPS = 8
# Not oxygen and crowding: without their fields nothing is limited by them, which no finite oxygen or pressure equals.
# section -> settings that make its rates zero, and rates for which a therapy does
ZERO = {
    "growth": ({"death_rate": "0/day"}, ("tissue.divide",)),
    "hypoxia": ({}, ("tissue.necrosis",)),
    "migration": ({"speed": "0 um/h"}, ()),
    "intravasation": ({"hazard": "0/day"}, ()),
    "blood": ({"anoikis": "0/h", "shear_slope": "0 cm^2/dyn/h", "nk": "0/h", "binding": "0/h", "tension": "0 mN/m",
               "nuclear_stiffness": "0 kPa", "stretch": 1000, "single_file": 1000, "viscosity": "0 Pa s", "breakup": "0/h"}, ())}

# Rows of the controls of blood, organs and return, each with the file of the mechanism that its arm `off` has without effect
ROWS = {"B01": "anoikis", "B01b": "anoikis_resistance", "B02": "shear", "B03": "platelets", "B04": "nk", "B06": "binding",
        "B07b": "breakup", "C04c": "early_death", "C02": "vessel_growth", "C03c": "release", "C04": "extravasation",
        "C04b": "arrested_death", "C05": "blood_brain_barrier", "C08c": "awakening", "C08d": "awakening", "C10": "l1cam", "C12": "inflammation",
        "C13b": "angiogenic_switch", "C14": "lesion_shedding", "D01": "self_seeding", "D03c": "infiltration"}

TABLES = (*ZERO, "oxygen", "crowding", "colonization")      # of the last no rate is zero: its cells die at the door


@cache
def outcome(*changes, zero=(), without=None):
    """(digest, ledger) after some steps of the small tumor.

    `changes` are (setting, value), `zero` rates, `without` the table of mechanisms whose files are taken out of the list.
    """
    therapies = [*small.EVERYTHING["therapy"], *({"rate": rate, "factor": 0} for rate in zero)]
    settings = small.settings(**{"run__duration": f"{STEPS} h", "therapy": therapies, **dict(changes)})
    with pytest.MonkeyPatch.context() as patch:
        if without:
            patch.setattr(mechanisms, "collect", partial(_collect_without, without))
        model = Simulation(load(small.EXAMPLE, settings), serial_world())
        for _ in range(STEPS):
            model.step()
    return model.digest(), model.ledger.totals


def _collect_without(table, config, everything):
    return collect(config, [one for one in everything if one.TABLE != table], known=everything)


def _collect_without_file(file, config, everything):
    return collect(config, [one for one in everything if not one.__name__.endswith(f".{file}")], known=everything)


def of_row(name, arm, without=None):
    """(digest, ledger) of a tenth of the cells of an arm of a control; `without`: a mechanism, taken out of the list."""
    control = reproduce_controls.read(name)
    document = config_read.parse_text(toml(json.loads(json.dumps(control.config))), name)
    config_read.override(document, control.arms[arm])
    for one in document.tables["injection"]:
        one["cells"] = max(one["cells"] // 10, 2000)
    with pytest.MonkeyPatch.context() as patch:
        if without:
            patch.setattr(mechanisms, "collect", partial(_collect_without_file, without))
        model = Simulation(configs.build(document), serial_world())
        while model.time_s < model.config.run.duration_s and model.step_number < 30:
            model.step()
    return model.digest(), model.ledger.totals


@pytest.mark.parametrize("name", ROWS)
def test_a_control_that_is_off_is_the_model_without_the_file_to_the_last_bit(name):
    if missing := reproduce_controls.read(name).missing:
        pytest.skip(f"this version has no {', '.join(missing)}")
    off = of_row(name, "off")
    assert off == of_row(name, "off", without=ROWS[name])
    assert off != of_row(name, "on"), f"{ROWS[name]} has no effect in {name}, so the test proves nothing"


@pytest.mark.parametrize("table", TABLES)
def test_switched_off_is_the_model_without_the_file_to_the_last_bit(table):
    off = outcome((f"{table}.enabled", False))
    assert off == outcome(without=table)
    assert off != outcome(), f"{table} has no effect on this tumor, so the test proves nothing"


@pytest.mark.parametrize("section", ZERO)
def test_switched_off_is_the_rate_zero_to_the_last_bit(section):
    settings, rates = ZERO[section]
    zero = outcome(*((f"{section}.{key}", value) for key, value in settings.items()), zero=rates)
    off = outcome((f"{section}.enabled", False))
    assert off == zero
    assert off != outcome(), f"the section {section} has no effect on this tumor, so the test proves nothing"


@pytest.mark.parametrize("section, gone", [
    ("growth", {"divided_tissue", "apoptosis"}), ("hypoxia", {"necrosis"}), ("intravasation", {"shed", "shed_ctcs"}),
    ("blood", {"anoikis", "shear", "nk", "extravasated", "arrested"}),
    ("colonization", {"seeded", "lesions", "divided_lesion"})])
def test_switched_off_nothing_of_it_happens(section, gone):
    before, after = outcome()[1], outcome((f"{section}.enabled", False))[1]
    assert all(before[name] > 0 for name in gone) and not any(after[name] for name in gone)


def test_without_motion_no_cell_leaves_its_voxel():
    _, ledger = outcome(("migration.enabled", False), ("crowding.enabled", False))
    assert ledger["changed_voxel"] == 0


def test_a_section_that_is_off_does_not_read_its_parameters():
    """Other values in a section that is off change nothing."""
    for section, key, value in (("migration", "bias", 0.7), ("crowding", "mobility", "7000 um^2/h"),
                                ("intravasation", "hazard", "9/day"), ("oxygen", "uptake", "1 mmHg/s"),
                                ("growth", "division_time", "5 h"), ("hypoxia", "survival", "1 h"),
                                ("blood", "nk", "3/h"), ("colonization", "clonogenic", 0.9)):
        off = (f"{section}.enabled", False)
        assert outcome(off) == outcome(off, (f"{section}.{key}", value)), f"{section}.{key}"
