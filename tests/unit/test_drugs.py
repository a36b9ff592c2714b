"""Classes of drugs, therapies at some places, and what surgery does to NK cells: windows on rates, and nothing else."""
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from metacascade._kernels._layout import LESION
from metacascade.base.errors import InputError
from metacascade.config.config import everything, load
from metacascade.config.windows import windows
from metacascade.mechanisms import drugs, names_in_time, plan_of
from metacascade.mechanisms.drugs import DRUGS
from metacascade.mechanisms.terms import at, value
from metacascade.model.circuit import Circuit
from metacascade.model.lesions import Lesions
from metacascade.model.schedule import Schedule
from metacascade.model.simulation import Simulation
from metacascade.ranks.parallel import serial_world

BASE = {"run": {"duration": "30 days"}, "tumor": {"cells": 1000}}
PAGE = (Path(__file__).parents[2] / "docs" / "model.md").read_text("utf-8")


def loaded(*plans, **tables):
    return load(BASE | {"therapy": list(plans)} | tables)


def rates_of(config):
    return {one.rate: (one.factor, one.otherwise) for one in windows(config)}


def test_every_drug_acts_on_rates_of_the_model_and_the_page_lists_it():
    known = set(names_in_time(everything()))
    assert {effect.rate for drug in DRUGS.values() for effect in drug.effects} <= known
    assert all(0 < drug.efficacy <= 1 and drug.source and drug.status for drug in DRUGS.values())
    assert all(name in drugs.table() for name in DRUGS)
    assert drugs.markdown() in PAGE, "renew it with drugs.markdown()"


def test_a_drug_is_a_window_on_each_of_its_rates_each_by_its_own_factor():
    times = dict(start="1 day", duration="2 days", every="14 days", times=2, ramp="3 h", half_life="5 h")
    config = loaded({"drug": "anti-IL-6/IL-8", "efficacy": 0.25} | times, {"drug": "cytotoxic", "efficacy": 0.5})
    assert rates_of(config) == {"blood.homing": (0.75, 1.0), "blood.cytokines": (0.75, 1.0), "blood.scar": (0.75, 1.0),
                                "field.neutrophils.inflow": (0.75, 1.0), "drug.vessel": (0.5, 0.0), "lumped.death": (8.0, 1.0),
                                "lesion.death": (8.0, 1.0)}
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


LESIONS = {"run": {"duration": "10 days", "step": "5 days"}, "output": {"interval": "5 days", "checkpoint": "5 days"},
           "tumor": {"cells": 20_000, "lumped": True, "perfusion": "0.01 mL/min/g"}, "lumped": {"gompertz": "0.003/day"},
           "src_survival": {"founder": 0.5}, "infiltration": {"enabled": True, "founder": 0.5},
           "colonization": {"clonogenic": 0.5, "early_death": "0.2/day", "start": "0.3/day", "sleep": "0.3/day",
                            "wake": "0.1/day", "dormant_death": "0.02/day", "gompertz": "0.003/day", "avascular_limit": 8,
                            "switch_time": "5 days", "attraction": 9, "shed": "0/day"},
           "cytokines": {"enabled": True, "half_organ": 100}, "organs": {"tumor": {"extravasation_time": "20 h"}},
           "injection": [{"organ": "bone", "cells": 100}, {"organ": "lung", "cells": 100}, {"cells": 100},
                         {"node": "tumor", "cells": 500, "diameter": "8 um"}]}


@cache
def outcome(name=None, efficacy=None, in_the_rates=False):
    """Records and counts of a run of lesions with a drug from the start to the end, or with its rates changed instead."""
    config = load(LESIONS | {"therapy": [{"drug": name, "efficacy": efficacy}] if name else []})
    if in_the_rates:
        changed, config = {one.rate: one.factor for one in windows(config)}, load(LESIONS)
        config.__dict__["_plan"] = with_rates(plan_of(config), changed)
    sim = Simulation(config, serial_world())
    while sim.time_s < config.run.duration_s:
        sim.step()
    return [part.records.tobytes() for part in (sim.blood, sim.lesions, sim.lumped)], dict(sim.ledger.totals)


def with_rates(plan, changed):
    """A plan with its rates times numbers, of a rate at a place there alone."""
    rates = tuple(replace(rate, base=value(rate.base.text, rate.base.number * changed.get(rate.name, 1.0)))
                  for rate in plan.rates)
    placed = tuple(at(rate, {place: factor}, "") for rate, place, factor in (
        (*name.split("@"), factor) for name, factor in changed.items() if "@" in name))
    return replace(plan, rates=rates, factors=plan.factors + placed)


HERE = ["VEGF-A blockade", "SRC inhibitor", "anti-IL-6/IL-8", "MMP1/fascin-1 inhibitor", "platelet inhibitor", "NK boost",
        "endocrine", "bisphosphonate", "cytotoxic"]


@pytest.mark.parametrize("name", HERE)
def test_a_drug_for_ever_is_its_rates_changed_from_the_start_and_none_at_no_efficacy(name):
    """In the blood, in lesions and in a lumped tumor, to the last bit."""
    assert outcome(name, 0.5) == outcome(name, 0.5, in_the_rates=True) != outcome()
    assert outcome(name, 0.0) == outcome()


@pytest.mark.parametrize("name", sorted(DRUGS.keys() - {*HERE}))
def test_a_drug_that_acts_in_tissue_alone_leaves_blood_and_lesions_as_they_are(name):
    assert not any(rate.startswith(("blood.", "lesion.", "lumped.")) for rate in rates_of(loaded({"drug": name})))
    assert outcome(name, 0.5) == outcome()


@pytest.mark.parametrize("share", [0.8, 0.5])
@pytest.mark.parametrize("src, efficacy", [(1.0, 0.7), (1.0, 1.0), (0.4, 0.7), (0.0, 1.0)])
def test_the_src_inhibitor_kills_in_the_marrow_as_the_loss_of_src_does_and_not_twice(src, efficacy, share):
    def death(founder, *plans):
        config = loaded(*plans, src_survival={"founder": founder, "share": share})
        rates = Lesions(config, Circuit(config, plan_of(config)), 1)
        rates.set_rates(Schedule(windows(config)).scales(0, "lesion."))
        record = np.zeros(1, LESION)
        record["node"] = rates.circuit.index("bone")
        return sum(float(rates.rates.values(f"lesion.{name}", record)[0]) for name in ("dormant_death", "marrow_death"))

    drug = {"drug": "SRC inhibitor", "efficacy": efficacy}
    assert death(src, drug) == pytest.approx(death(src * (1 - efficacy)), rel=0.005)       # a trait is a byte
    assert rates_of(loaded(drug, src_survival={"enabled": False})).keys() == {"lesion.marrow_death"}


def test_a_drug_takes_its_full_effect_from_the_parameters_that_say_it():
    assert rates_of(loaded({"drug": "EGFR inhibitor", "efficacy": 1.0}, vegf={"egfr_residual": 0.2})) == {
        "field.vegf.source": (pytest.approx(0.2), 1.0)}


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


IN_LESIONS = {"injection": [{"cells": 100}]}


@pytest.mark.parametrize("name, tables, spared", [
    ("cytotoxic", {}, ["drug.vessel is left out (chemotherapy.enabled = false): cells of the tumor are not killed"]),
    ("cytotoxic", {"chemotherapy": {"enabled": True, "blood": "0 uM"}},
     ["drug.vessel is left out (chemotherapy.blood = 0): cells of the tumor are not killed"]),
    ("cytotoxic", {"chemotherapy": {"enabled": True}, "colonization": {"cell_loss": 0}},
     ["lesion.death is left out (colonization.cell_loss = 0): cells of lesions are not killed"]),
    ("cytotoxic", {"tumor": {"cells": 1000, "lumped": True}, "lumped": {"cell_loss": 0}},
     ["lumped.death is left out (lumped.cell_loss = 0): cells of the tumor are not killed"]),
    ("VEGF-A blockade", {}, ["field.vegf.source is left out (vegf.enabled = false): vessels of the tumor stay as they are"]),
    ("cytotoxic", {"chemotherapy": {"enabled": True}}, []), ("cytotoxic", {"tumor": {"cells": 1000, "lumped": True}}, []),
    ("cytotoxic", {"tumor": {"cells": 9, "lumped": True}, "lumped": {"gompertz": "0/day"}}, []), ("cytotoxic", {"tumor": None}, []), ("VEGF-A blockade", {"vegf": {"enabled": True}}, []),
    ("cytotoxic", {"chemotherapy": {"enabled": True}, "intravasation": {"hazard": "0/h"}, "colonization": {"cell_loss": 0},
                   "injection": []}, []),
    ("anti-IL-6/IL-8", {}, []), ("endocrine", {}, []), ("bisphosphonate", {}, []), ("SRC inhibitor", {}, [])])
def test_what_a_drug_spares_as_a_rate_is_off_is_told_where_it_is_there_and_nothing_else(name, tables, spared):
    tables = {"run": {"duration": "30 days"}, "tumor": {"cells": 1000}, "therapy": [{"drug": name}]} | IN_LESIONS | tables
    config = load({table: held for table, held in tables.items() if held is not None})
    assert [line for line in config.warnings if line.startswith("therapy")] == [f"therapy[0]: {name}: {one}" for one in spared]


@pytest.mark.parametrize("plan, message", [
    ({"drug": "EGFR"}, "therapy[0].drug = \"EGFR\": no class of drugs"),
    ({"drug": "NK boost", "rate": "blood.nk"}, "therapy[0].rate"),
    ({"drug": "NK boost", "factor": 2}, "therapy[0].factor"),
    ({"drug": "NK boost", "where": "lung"}, "therapy[0].where"),
    ({"rate": "blood.nk", "efficacy": 0.5}, "therapy[0].efficacy"),
    ({"rate": "tissue.divide", "where": "lung"}, "only rates of the blood and of lesions"),
    ({"rate": "blood.coat", "where": "lung"}, "blood.coat has one for all"),
    ({"rate": "lesion.clonogenic", "where": "lung"}, "lesion.clonogenic has one for all"),
    ({"rate": "blood.nk", "where": "lungs"}, "no node or organ (did you mean 'lung'?)")])
def test_what_cannot_be_is_refused_with_its_key(plan, message):
    with pytest.raises(InputError) as error:
        loaded(plan)
    assert message in str(error.value)


@pytest.mark.parametrize("plan, line", [
    ({"drug": "EGFR inhibitor"}, "therapy[0]: EGFR inhibitor without effect (field.vegf.source is off or zero in this config: vegf.enabled = false)"),
    ({"drug": "NK boost", "efficacy": 0}, "therapy[0].efficacy = 0: without effect"),
    ({"drug": "NK boost", "start": "40 days"}, "therapy[0].start = 40 days is not before the end of the run: it never acts"),
    ({"rate": "blood.homing", "where": "lung", "factor": 2}, "therapy[0]: without effect (blood.homing is zero in lung)")])
def test_what_has_no_effect_is_told(plan, line):
    assert line in loaded(plan).warnings
