"""Classes of drugs, therapies at some places, and what surgery does to NK cells: windows on rates, and nothing else."""
from pathlib import Path

import pytest

from metacascade.base.errors import InputError
from metacascade.config.config import everything, load
from metacascade.config.windows import windows
from metacascade.mechanisms import drugs, names_in_time, plan_of
from metacascade.mechanisms.drugs import DRUGS
from metacascade.model.circuit import Circuit
from metacascade.model.schedule import Schedule
from metacascade.model.simulation import Simulation
from metacascade.ranks.parallel import serial_world

BASE = {"run": {"duration": "30 days"}, "tumor": {"cells": 1000}}
TO_COME = {"lesion.start", "lesion.vascularize", "lesion.marrow_death", "lesion.gompertz"}
PAGE = (Path(__file__).parents[2] / "docs" / "model.md").read_text("utf-8")


def loaded(*plans, **tables):
    return load(BASE | {"therapy": list(plans)} | tables)


def rates_of(config):
    return {one.rate: (one.factor, one.otherwise) for one in windows(config)}


def test_every_drug_acts_on_rates_of_the_model_and_the_page_lists_it():
    known = set(names_in_time(everything()))
    assert {effect.rate for drug in DRUGS.values() for effect in drug.effects} <= known | TO_COME
    assert all(0 < drug.efficacy <= 1 and drug.source and drug.status for drug in DRUGS.values())
    assert all(name in drugs.table() for name in DRUGS)
    assert drugs.markdown() in PAGE, "renew it with drugs.markdown()"


def test_a_drug_is_a_window_on_each_of_its_rates_each_by_its_own_factor():
    times = dict(start="1 day", duration="2 days", every="14 days", times=2, ramp="3 h", half_life="5 h")
    config = loaded({"drug": "anti-IL-6/IL-8", "efficacy": 0.25} | times, {"drug": "cytotoxic", "efficacy": 0.5})
    assert rates_of(config) == {"blood.homing": (0.75, 1.0), "blood.cytokines": (0.75, 1.0), "blood.scar": (0.75, 1.0),
                                "field.neutrophils.inflow": (0.75, 1.0), "drug.vessel": (0.5, 0.0), "lesion.death": (8.0, 1.0)}
    by_hand = loaded({"rate": "blood.homing", "factor": 0.75} | times)
    scales = [Schedule(windows(one)).scale("blood.homing", 86400 * 2 + 7) for one in (config, by_hand)]
    assert scales == [0.75, 0.75] and rates_of(loaded({"drug": "NK boost"})) == {"blood.nk": (3.0, 1.0)}


def test_a_run_with_a_drug_is_bit_for_bit_that_with_its_rates_in_its_place():
    def records(plan):
        sim = Simulation(load({"run": {"duration": "2 h"}, "injection": [{"cells": 2000}], "therapy": [plan]}), serial_world())
        for _ in range(4):
            sim.step()
        return sim.blood.records.tobytes(), sim.ledger.totals

    drug, rate = records({"drug": "NK boost", "start": "1 h"}), records({"rate": "blood.nk", "factor": 3.0, "start": "1 h"})
    assert drug == rate != records({"rate": "blood.nk", "factor": 2.0, "start": "1 h"})


def test_a_therapy_at_some_places_changes_the_rate_there_and_nowhere_else():
    config = loaded({"rate": "blood.nk", "where": "lung, liver", "factor": 0.25, "start": "1 day"})
    circuit = Circuit(config, plan_of(config))
    before = circuit.rates.by_node("blood.nk").copy()
    circuit.set_rates(Schedule(windows(config)).scales(86400, "blood."))
    changed = {name: after / old for name, old, after in zip(circuit.names, before, circuit.rates.by_node("blood.nk"))
               if after != old}
    assert changed == {"lung": 0.25, "liver": 0.25}


def test_a_platelet_inhibitor_takes_half_of_what_the_coat_spares():
    circuit = Circuit(loaded(), plan_of(loaded()))
    full = dict(circuit.law)
    circuit.set_rates({"blood.coat": 0.5})
    assert circuit.law == full | {name: full[name] / 2 for name in ("spared_nk", "spared_shear")}
    circuit.set_rates({"blood.coat": 7.0})
    assert circuit.law == full, "there is no more than the whole coat"


def test_immunosuppression_after_surgery_is_a_window_on_nk_killing_and_none_without_it():
    config = loaded(surgery=[{"time": "3 days", "immunosuppression": 0.3, "immunosuppression_duration": "10 days"}])
    schedule = Schedule(windows(config))
    assert [schedule.scale("blood.nk", day * 86400) for day in (2, 3, 12, 13)] == [1.0, 0.3, 0.3, 1.0]
    assert windows(loaded(surgery=[{"time": "3 days"}])) == ()
    assert "surgery[0].immunosuppression_duration: without effect (there is no immunosuppression)" in loaded(
        surgery=[{"time": "3 days", "immunosuppression_duration": "10 days"}]).warnings


@pytest.mark.parametrize("plan, message", [
    ({"drug": "EGFR"}, "therapy[0].drug = \"EGFR\": no class of drugs"),
    ({"drug": "NK boost", "rate": "blood.nk"}, "therapy[0].rate"),
    ({"drug": "NK boost", "factor": 2}, "therapy[0].factor"),
    ({"drug": "NK boost", "where": "lung"}, "therapy[0].where"),
    ({"rate": "blood.nk", "efficacy": 0.5}, "therapy[0].efficacy"),
    ({"rate": "tissue.divide", "where": "lung"}, "only rates of the blood and of lesions"),
    ({"rate": "blood.nk", "where": "lungs"}, "no node or organ (did you mean 'lung'?)")])
def test_what_cannot_be_is_refused_with_its_key(plan, message):
    with pytest.raises(InputError) as error:
        loaded(plan)
    assert message in str(error.value)


@pytest.mark.parametrize("plan, line", [
    ({"drug": "EGFR inhibitor"}, "therapy[0]: EGFR inhibitor without effect (field.vegf.source is off or zero in this config)"),
    ({"drug": "NK boost", "efficacy": 0}, "therapy[0].efficacy = 0: without effect"),
    ({"drug": "NK boost", "start": "40 days"}, "therapy[0].start = 40 days is not before the end of the run: it never acts"),
    ({"rate": "blood.homing", "where": "lung", "factor": 2}, "therapy[0]: without effect (blood.homing is zero in lung)")])
def test_what_has_no_effect_is_told(plan, line):
    assert line in loaded(plan).warnings
