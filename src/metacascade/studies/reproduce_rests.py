"""Which parameters an experiment rests on, as its file names them, and how well each is known."""
from metacascade.base.names import nearest
from metacascade.config import presets, sourced
from metacascade.config.read import Problem
from metacascade.studies.reproduce_toml import split
from metacascade.studies.sweep_values import parameters


def unknown(names):
    """A Problem for each name, of a text with commas between, that is no parameter."""
    return [Problem(("rests_on",), f"no parameter {name}{nearest(name, parameters())}") for name in split(names)
            if name not in parameters()]


def told(experiment):
    """Each parameter with its status and source in words: of the preset that an arm starts from, or as declared."""
    bases = {one.get("base") for one in experiment.arms.values()} if experiment.cohort else ()
    set_there = {number.path: number for base in sorted(bases) if base in presets.names()
                 for number in sourced.numbers(base)}
    found = []
    for name in split(experiment.head.rests_on):
        one, declared = set_there.get(name), parameters()[name]
        of_preset = one is not None and one.status != sourced.DEFAULT
        status, source = (one.status, one.source) if of_preset else (declared.status, declared.source)
        found.append(f"{name} ({status}{': ' * bool(source)}{source})")
    return found
