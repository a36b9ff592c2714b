"""What has no effect because of its partner is told, if it was set; what is told has no effect indeed."""
import functools
import tomllib
from fnmatch import fnmatchcase

import pytest

import metacascade as mc
import small
from metacascade.base.declare import Section
from metacascade.config.catalog import parameters
from metacascade.config.config import Config, load
from metacascade.config.effects import KEPT, NONE_NORMAL, NOT_AWAKENED, NOTHING_AWAKENS, RULES, without_effect
from metacascade.mechanisms import MECHANISMS, plan_of
from metacascade.mechanisms.idle import Declared
from metacascade.model.simulation import Simulation
from metacascade.ranks import parallel

# What makes a rule hold, on top of a small run in which everything acts; by the words with which it is told.
INJECTION = "injection=[{node = 'venous', cells = 300}]"
NO_TUMOR = ["tumor=", INJECTION]
OFF = {
    "there is no tissue to show": [*NO_TUMOR, "output.snapshots=true"],
    "output.snapshots = false": ["output.snapshots=false"],
    "longer than the run, which writes at its start and at its end": [
        "output.interval=9 h", "output.checkpoint=9 h", "output.snapshots=true", "output.snapshot_interval=9 h"],
    "there is no [tumor]": NO_TUMOR,
    "tumor.lumped = true: there is no tissue": ["tumor.lumped=true", "output.snapshots=false"],
    "tumor.lumped = false": [],
    "lumped.cluster_fraction = 0": ["tumor.lumped=true", "output.snapshots=false", "lumped.cluster_fraction=0"],
    "more steps than the run has": ["balance.interval=100"],
    "traits.motile_fraction = 0": ["traits.motile_fraction=0", "injection.0.emt=0"],
    "migration.speed = 0": ["migration.speed=0 um/h"],
    "oxygen.uptake = 0": ["oxygen.uptake=0 mmHg/s"],
    "oxygen.wall = 0": ["oxygen.wall=0 um/s"],
    NONE_NORMAL: ["transformation.enabled=true"], "there is no vessels.file": [], "tumor.organ is not the rectum": [],
    "there is no [[surgery]] and no [[radiation]]": ["surgery=[]", "radiation=[]"],
    NOT_AWAKENED: ["surgery=[]"], NOTHING_AWAKENS: ["awakening.wake=0", "awakening.vessels=0"],
    "the tumor grows, and no treatment takes its cells: no step is without tissue": [
        "surgery=[]", "radiation=[]", "therapy=[]"],
    "no vessel lives: angiogenesis, maturation and perfusion are off": [],
    "vegf.enabled = false": ["angiogenesis.enabled=true", "maturation.enabled=true"],
    "vessels.file is given": [f"vessels.file={small.EXAMPLE.parent / 'network_small.csv'}"],
    "intravasation.hazard = 0": ["intravasation.hazard=0/h"],
    "blood.shear_slope = 0": ["blood.shear_slope=0 cm^2/dyn/h"], "vessel_growth.divide = 0": ["vessel_growth.divide=0/h"],
    "blood.nk = 0": ["blood.nk=0/h"],
    "no cell enters the blood: no rate of the tumor sheds any, and there is no [[injection]]": [
        "intravasation.enabled=false", "injection=[]", "draw=[]"],
    "tumor.perfusion = 0: no blood comes there": ["tumor.perfusion=0 mL/min/g"],
    "what leaves the blood in the tumor becomes tissue again": [],
    "blood.anoikis = 0": ["blood.anoikis=0/h"],
    "the coat of platelets protects from nothing: blood.platelet_nk, blood.platelet_shear": [
        "blood.platelet_nk=0", "blood.platelet_shear=0"],
    "colonization.sleep = 0": ["colonization.sleep=0/h"],
    "no lesion divides: colonization.start = 0, and colonization.wake or sleep = 0": [
        "colonization.start=0/h", "colonization.wake=0/h"],
}
SWITCH = " = "          # all other reasons are settings: "growth.enabled = false"


def everything(*changes):
    """A config in which everything acts, with changes; ``tumor=`` takes the table away."""
    settings = small.settings(tumor__cells=1500, run__duration="6 h", output__interval="2 h", output__checkpoint="2 h",
                              draw=[], balance__interval=2)
    settings = [s for s in settings if "tumor=" not in changes or not s.startswith("tumor.")]
    toml = "[run]\n" + ("" if "tumor=" in changes else "[tumor]\n")
    return toml, settings + [change for change in changes if change != "tumor="]


def loaded(tmp_path, *changes):
    toml, settings = everything(*changes)
    (tmp_path / "run.toml").write_text(toml)
    return load(tmp_path / "run.toml", settings)


def turned_off(rule):
    return OFF[rule.why] if rule.why in OFF else [rule.why.replace(SWITCH, "=")]


def names_of(rule):
    """Names of all parameters that a rule is about; a bed stands for all of them."""
    known = [name for name, _ in all_parameters()]
    return [name for name in known if any(fnmatchcase(name, pattern) for pattern in rule.names.split())]


@functools.cache
def all_parameters():
    found = []
    for parameter in parameters():
        beds = ("tumor", "lung", "brain", "lymph_node") if parameter.section == "organs" else [""]
        found += [(".".join(word for word in (parameter.section, bed, parameter.key) if word), parameter)
                  for bed in beds]
    return found


def other(parameter, value):
    """Another allowed value of a parameter, in internal units."""
    if parameter.kind == "switch":
        return not value
    if parameter.kind == "choice":
        return next(choice for choice in parameter.choices if choice != value)
    if parameter.key == "mutation":         # of which the sum over traits may be 1
        return 0.01 if value != 0.01 else 0.02
    if parameter.kind == "place":
        return [v + 100.0 for v in value]
    if parameter.kind == "numbers":
        return {"liver": 20.0}
    if value is None:
        return parameter.low
    if parameter.whole:
        return value + 1 if value < parameter.high else parameter.low
    return next(v for v in (parameter.high if parameter.high <= 1 else value * 1.25, value / 2, parameter.low, parameter.high)
                if parameter.low <= v <= parameter.high and v != value)


def changed(config, names):
    """The same config with other values of all parameters of these names (but files and the switches themselves)."""
    values = config.to_dict()
    for name, parameter in all_parameters():
        if name in names and parameter.kind != "text" and parameter.key not in ("enabled", "snapshots"):
            *path, _ = name.split(".")
            table = values
            for word in path:
                table = table and table[word]
            if table is not None:
                table[parameter.attribute] = other(parameter, table[parameter.attribute])
    return Config.from_dict(values)


def outcome(config):
    """Everything that a run of a config brings forth but what its file says."""
    sim = Simulation(config, parallel.start())
    for _ in range(config.run.steps):
        sim.step()
    return sim.digest(), sim.fates.totals(), sim.ledger.totals


def test_every_rule_is_about_known_parameters_and_has_an_example():
    assert [pattern for rule in (KEPT, *RULES) for pattern in rule.names.split()
            if not any(fnmatchcase(name, pattern) for name, _ in all_parameters())] == []
    for rule in RULES:
        assert rule.why in OFF or tomllib.loads(f"x = {rule.why.partition(SWITCH)[2]}"), rule.why


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.names.split()[0]} {rule.why}"[:60])
def test_what_is_told_has_no_effect(rule, tmp_path):
    config = loaded(tmp_path, *turned_off(rule))
    assert not rule.act(config)
    if "output." not in rule.names:         # those act on files only
        assert outcome(changed(config, names_of(rule))) == outcome(config)


def test_what_acts_in_a_tumor_alone_has_no_effect_without_one(tmp_path):
    """Which parameters do follows from what they are declared for; others of the same tables act elsewhere, too."""
    config = loaded(tmp_path, *NO_TUMOR)
    declared = Declared(config)
    told = [name for name, _ in all_parameters() if declared.acts_in_tumor(name)]
    assert {"growth.enabled", "emt.up", "l1cam.on", "anoikis_resistance.mutation", "chemotherapy.resistance",
            "colonization.attraction", "aggressiveness.founder", "aggressiveness.enabled", "oxygen.sweeps",
            "lymphatic.enabled", "vegf.egfr"} <= set(told)
    assert not {"emt.enabled", "emt.anoikis_resistance", "l1cam.clonogenic", "anoikis_resistance.founder",
                "blood.enabled", "blood.nk", "colonization.sleep", "run.seed"} & set(told)
    assert why(config, "vegf.egfr") == ["there is no [tumor]"]
    assert outcome(changed(config, told)) == outcome(config)


def test_nothing_is_told_where_everything_acts(tmp_path):
    acting = loaded(tmp_path, "output.snapshots=true", "output.snapshot_interval=2 h", "chemotaxis.enabled=true",
                    "macrophages.enabled=true", "lymphatic.enabled=true", "matrix.enabled=true", "confinement.enabled=true")
    never = ("tumor.lumped = false", "what leaves the blood in the tumor becomes tissue again", "there is no vessels.file",    # or another does
             "no vessel lives: angiogenesis, maturation and perfusion are off", "tumor.organ is not the rectum",
             "there is no [[surgery]] and no [[radiation]]", "inflammation.enabled = false", NONE_NORMAL,
             "awakening.enabled = false", NOT_AWAKENED, "chemotherapy.enabled = false")
    assert [rule.why for rule in RULES if not rule.act(acting) and rule.why not in never] == []
    assert not [line for line in acting.warnings if "without effect" in line]


@pytest.mark.parametrize("on, off, told", [
    (["neutrophils"], [], None), (["neutrophils"], ["intravasation"], "il8, neutrophils, mmp9"),
    (["neutrophils", "angiogenesis", "vegf"], ["intravasation"], None), (["vegf"], [], "vegf"),
    (["matrix"], [], "matrix"), (["matrix", "haptotaxis"], [], None), (["matrix", "confinement"], [], None),
    (["matrix", "macrophages"], ["intravasation"], "matrix, csf1, macrophages"),
    (["matrix", "macrophages", "integrins"], ["intravasation"], None),
    (["chemotherapy"], [], None), ([], ["growth", "hypoxia", "migration"], "oxygen")])
def test_fields_on_which_nothing_depends_are_told(on, off, told, tmp_path):
    """Those of the tables `on`, where `off` are not; macrophages act on matrix, which must act on something."""
    (tmp_path / "run.toml").write_text("[tumor]\n" + "".join(f"[{name}]\nenabled = true\n" for name in on)
                                       + "".join(f"[{name}]\nenabled = false\n" for name in off))
    lines = [line for line in load(tmp_path / "run.toml").warnings if "what is read out" in line]
    assert [line.partition(":")[0] for line in lines] == ([told] if told else [])


@pytest.mark.parametrize("zero", ["neutrophils.opening=0", "intravasation.hazard=0/h"])
def test_a_field_that_acts_on_what_is_zero_is_told(zero):
    told = load({"tumor": {}, "neutrophils": {"enabled": True}}, ["neutrophils.sprouting=0", zero]).warnings
    assert any(line.startswith("il8, neutrophils, mmp9: without effect") for line in told)


def why(config, name):
    """Why a parameter does nothing, as a user is told who has set it."""
    path = tuple(name.split("."))
    return [line.partition(": without effect (")[2][:-1] for line in without_effect(config, [path], False)]


FED = """
from typing import ClassVar
from metacascade.base.declare import Section, switch
from metacascade.mechanisms.fields import Diffusing
from metacascade.mechanisms.terms import hill, value
class Fed(Section):
    "Cells divide where there is food."
    table: ClassVar[str] = "fed"
    enabled: bool = switch("They do.", default=False)
SECTION, TABLE, ONE = Fed, "fed", value("1", 1.0)
def plan(config):
    yield Diffusing("food", "", diffusion=ONE, decay=ONE, start=1.0, doc="food")
    yield hill("tissue.divide", "food", half=1.0)
"""


def test_a_factor_of_a_mechanism_that_is_off_stops_no_rate_of_others(tmp_path):
    """Its field is off with it, and where that is, the factor of what is on would be 0."""
    (tmp_path / "fed.py").write_text(FED)
    config = load({"tumor": {}, "mechanisms": {"modules": [str(tmp_path / "fed.py")]}})
    assert plan_of(config).number("tissue.divide") > 0
    assert why(config, "growth.division_time") == []


@pytest.mark.parametrize("table", sorted({one.TABLE for one in MECHANISMS if one.TABLE}))
def test_what_the_plan_says_to_be_off_is_not_in_it(table, tmp_path):
    """Other values of all that is told to do nothing, because the mechanism is off, leave the plan as it is."""
    off = loaded(tmp_path, f"{table}.enabled=false")
    declared = Declared(off)
    told = [name for name, _ in all_parameters() if declared.why_idle(name) == f"{table}.enabled = false"]
    assert len(told) > 1 or table in ("colonization", "inflammation", "transformation")
    assert acting(plan_of(changed(off, told))) == acting(plan_of(off))


def acting(plan):
    """What of a plan acts: no rate that is zero, and no factor on it."""
    rates = [rate for rate in plan.rates if plan.number(rate.name)]
    return rates, plan.fields, [factor for rate in rates for factor in plan.factors_of(rate.name)]


@pytest.mark.parametrize("zero, name", [
    ("intravasation.hazard=0/h", "intravasation.permeability_mature"),
    ("intravasation.hazard=0/h", "intravasation.detach_exponent"),
    ("blood.nk=0/h", "blood.platelet_nk"), ("blood.nk=0/h", "organs.lung.nk"),
    ("blood.shear_slope=0 cm^2/dyn/h", "blood.platelet_shear"),
    ("blood.binding=0/h", "organs.lung.adhesion"), ("colonization.clonogenic=0", "organs.lung.soil")])
def test_a_factor_on_a_rate_of_zero_does_nothing(zero, name, tmp_path):
    config = loaded(tmp_path, zero)
    assert why(config, name) == [zero.partition("=")[0] + " = 0"]
    assert outcome(changed(config, [name])) == outcome(config)


BOTH = ["competence.enabled=true", "invasiveness.enabled=true", "invasiveness.fold=3"]


@pytest.mark.parametrize("settings, name, reason", [
    (["growth.enabled=false"], "crowding.pressure_max", "growth.enabled = false"),      # stops what is not there
    (["oxygen.enabled=false"], "growth.oxygen_half", "oxygen.enabled = false"),
    (["oxygen.enabled=false"], "hypoxia.survival", "oxygen.enabled = false"),           # nowhere is it low
    (["blood.enabled=false"], "organs.brain.extravasation_time", "blood.enabled = false"),
    ([], "growth.oxygen_half", None), ([], "hypoxia.survival", None),
    (["growth.enabled=false"], "crowding.mobility", None),
    (["competence.enabled=true"], "competence.correlation", "invasiveness.enabled = false"),
    ([*BOTH, "invasiveness.mutation=0"], "competence.correlation", "invasiveness.mutation = 0"),
    ([*BOTH, "competence.step=0"], "competence.correlation", "competence.step = 0"),
    (["aggressiveness.enabled=true", "colonization.attraction=1"], "aggressiveness.founder", "colonization.attraction = 1"),
    (["aggressiveness.enabled=true", "blood.enabled=false"], "aggressiveness.founder", "blood.enabled = false"),
    (BOTH, "competence.correlation", None)])
def test_what_depends_on_another_mechanism_is_told_by_that_one(settings, name, reason, tmp_path):
    assert why(loaded(tmp_path, *settings), name) == ([reason] if reason else [])


@pytest.mark.parametrize("table, key", [("infiltration", "gain"), ("cxcl1", "growth"), ("blood_brain_barrier", "gain")])
def test_a_trait_that_no_cell_has_is_told(table, key):
    zero = {"founder": 0.0, "mutation": 0.0}
    told = why(load({"tumor": {}, table: {"enabled": True, **zero}}), f"{table}.{key}")
    assert told == [f"no cell has it: {table}.founder = 0 and {table}.mutation = 0"]
    for name in zero:
        assert why(load({"tumor": {}, table: {"enabled": True, **zero, name: 0.1}}), f"{table}.{key}") == []


@pytest.mark.parametrize("table, other", [
    ("confinement", "matrix"), ("haptotaxis", "matrix"), ("chemotaxis", "macrophages"), ("hypoxia", "oxygen"),
    ("angiogenesis", "vegf")])
def test_what_is_switched_on_and_cannot_act_is_told(table, other):
    config = load({"tumor": {}, table: {"enabled": True}, other: {"enabled": False}})
    assert why(config, f"{table}.enabled") == [f"{other}.enabled = false"]
    assert why(load({"tumor": {}, table: {"enabled": True}, other: {"enabled": True}}), f"{table}.enabled") == []


def test_a_switch_that_is_off_is_not_told_to_have_no_effect():
    config = load({"tumor": {}, "colonization": {"attraction": 1.0}, "aggressiveness": {"enabled": False}})
    assert why(config, "aggressiveness.enabled") == []
    on = load({"tumor": {}, "colonization": {"attraction": 1.0}, "aggressiveness": {"enabled": True}})
    assert why(on, "aggressiveness.enabled") == ["colonization.attraction = 1"]


def test_without_the_angiogenic_factor_vessels_mature_and_are_not_loosened():
    config = load({"tumor": {}, "maturation": {"enabled": True, "loosening": "2/day", "time": "5 days"}})
    assert why(config, "maturation.loosening") == ["vegf.enabled = false"] and why(config, "maturation.time") == []


# Parameters that act although the switch of their section is off: what they are for instead.
ALSO = {"intravasation.reach": "where cells come back",
        "blood.diameter": "of the records", "blood.diameter_spread": "of the records",
        "blood.vertebral_bypass": "the way of the blood", "colonization.attraction": "arrest in the tumor"}
SWITCHED = [(section, name) for section in {p.section for p in parameters() if p.key == "enabled"}
            for name, p in all_parameters() if p.section == section and p.key != "enabled"]


@pytest.mark.parametrize("section, name", sorted(SWITCHED))
def test_every_parameter_of_a_section_that_is_off_is_told_or_known_to_act(section, name, tmp_path):
    assert bool(why(loaded(tmp_path, f"{section}.enabled=false"), name)) != (name in ALSO)


# Into the bed of a tumor as small as this too few come for colonization.attraction to be seen: test_aggressiveness does.
@pytest.mark.parametrize("name", sorted(ALSO.keys() - {"colonization.attraction"}))
def test_what_acts_although_its_section_is_off_is_not_told(name, tmp_path):
    section = name.split(".")[0]
    off = loaded(tmp_path, f"{section}.enabled=false")
    assert outcome(changed(off, [name])) != outcome(off)


@pytest.mark.parametrize("settings, told", [
    (["crowding.enabled=false"], []),       # its mobility is not set
    (["crowding.enabled=false", "crowding.mobility=7220 um^2/h"],
     ["crowding.mobility: without effect (crowding.enabled = false)"]),      # set, though to its default
    (["output.snapshot_cells=5"], ["output.snapshot_cells: without effect (output.snapshots = false)"]),
    (["organs.lung.adhesion=2", "organs.tumor.soil=0", "blood.binding=0/h"], [
        "blood.binding = 0/h is outside the usual range, 0.3/h to 30/h",
        "organs.tumor.soil: without effect (what leaves the blood in the tumor becomes tissue again)",
        "organs.lung.adhesion: without effect (blood.binding = 0)"]),
    (["growth.enabled=false", "growth.death_rate=0.1/day", "growth.oxygen_half=4 mmHg"],
     ["growth.death_rate, growth.oxygen_half: without effect (growth.enabled = false)"]),
    (["draw.0.node=tumor", "tumor.perfusion=0 mL/min/g"],
     ["tumor.perfusion = 0 mL/min/g is outside the usual range, 0.01 mL/min/g to 1 mL/min/g",
      "draw[0].node = tumor: tumor.perfusion = 0: no blood comes there"]),
    (["intravasation.enabled=false"],
     ["draw[0]: no cell enters the blood: no rate of the tumor sheds any, and there is no [[injection]]"])])
def test_only_what_was_set_is_told(tmp_path, settings, told):
    (tmp_path / "run.toml").write_text("[tumor]\n[[draw]]\n")
    assert sorted(load(tmp_path / "run.toml", settings).warnings) == sorted(told)


def test_a_config_out_of_a_dict_or_a_checkpoint_was_not_set_by_anybody(tmp_path):
    (tmp_path / "run.toml").write_text("[tumor]\n[crowding]\nenabled = false\nmobility = '2000 um^2/h'\n")
    config = load(tmp_path / "run.toml")
    assert len(config.warnings) == 1
    again = Config.from_dict(config.to_dict())
    assert again == config and again.warnings == []
    assert again.with_overrides(["crowding.mobility=3000 um^2/h"]).warnings == config.warnings
    assert config.with_overrides(["run.seed=3"]).warnings == config.warnings


def test_a_branch_is_told_what_belongs_to_the_start_and_not_what_a_checkpoint_may_hold():
    config = Config.from_dict(dict(tumor={}, intravasation=dict(enabled=False)))
    changed = config.with_overrides(["traits.adhesion_mean=0.1", "colonization.gompertz=0.01/day"])
    assert len(changed.warnings) == 1 and changed.warnings[0].startswith("colonization.gompertz: without effect (no cell")
    assert [line.split(":")[0] for line in changed.warnings_from(3600)] == ["traits.adhesion_mean"]


def test_every_section_has_parameters():
    assert all(issubclass(section, Section) and section.parameters for section, _ in Config.tables.values())


def test_snapshots_show_the_start_and_the_end_also_with_an_interval_longer_than_the_run(tmp_path):
    (tmp_path / "run.toml").write_text(
        "[run]\nduration = '90 min'\n[tumor]\ncells = 200\n[output]\nsnapshots = true\nsnapshot_interval = '30 days'\n")
    mc.Simulation(tmp_path / "run.toml").run(tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out" / "snapshots").glob("cells.*.vtkhdf")) == [
        "cells.000000.vtkhdf", "cells.000003.vtkhdf"]
