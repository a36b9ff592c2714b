"""The mechanisms of the model, one file each, and the plan that they make of a config.

What a mechanism brings stands in its file and here in the list, and nowhere else (CONTRIBUTING says how to add one).
"""
from importlib import import_module

from metacascade.mechanisms.plan import Plan, collect, names_of

# One line a mechanism. Their order is that of the fields, and of the factors on a rate.
MECHANISMS = tuple(import_module(f"metacascade.mechanisms.{name}") for name in (
    "growth",
    "hypoxia",
    "oxygen",
    "crowding",
    "migration",
    "intravasation",
    "lymphatic",
    "anoikis",
    "shear",
    "nk",
    "platelets",
    "arrest",
    "binding",
    "breakup",
    "release",
    "arrested_death",
    "vessel_growth",
    "extravasation",
    "clonogenic",
    "early_death",
    "lesion_start",
    "dormancy",
    "src_survival",
    "lesion_growth",
    "angiogenic_switch",
    "lesion_shedding",
    "self_seeding",
    "cytokines",
    "infiltration",
    "inflammation",
    "awakening",
    "mutation",
    "emt",
    "adhesion",
    "detachment",
    "invasiveness",
    "competence",
    "anoikis_resistance",
    "instability",
    "aggressiveness",
    "cxcl1",
    "ligand",
    "blood_brain_barrier",
    "integrins",
    "haptotaxis",
    "chemotaxis",
    "confinement",
    "chemotherapy",
    "l1cam",
    "transformation",
    "vegf",
    "matrix",
    "proteolysis",
    "macrophages",
    "neutrophils",
    "angiogenesis",
    "maturation",
    "perfusion",
    "lumped",
))


def mechanisms_of(config) -> tuple:
    """The mechanisms of a config: all of the list, then those that the user brings."""
    return (*MECHANISMS, *config.of_user)


def plan_of(config) -> Plan:
    """What is on in a config, made once for each. Raises InputError where mechanisms do not fit together."""
    if "_plan" not in config.__dict__:         # every check of a config asks for it
        config.__dict__["_plan"] = collect(config, mechanisms_of(config))
    return config.__dict__["_plan"]


def trust(config) -> Plan:
    """As `plan_of`, without asking anew whether mechanisms fit together: of one of many configs, all alike but for
    numbers within their limits, the first of which was asked."""
    config.__dict__["_plan"] = collect(config, mechanisms_of(config), trusted=True)
    return config.__dict__["_plan"]


def names_in_time(config) -> tuple[str, ...]:
    """The names of all that a therapy may act on, also of what is off in this config."""
    return names_of(config, mechanisms_of(config))
