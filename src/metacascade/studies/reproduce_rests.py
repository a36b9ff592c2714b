"""Which parameters an experiment rests on, as its file names them, and how well each is known."""
from metacascade.base.names import nearest
from metacascade.config import known, presets, sourced
from metacascade.config.config import Config
from metacascade.config.read import Problem
from metacascade.config.values import internal
from metacascade.studies.reproduce_toml import split
from metacascade.studies.sweep_values import parameters


def unknown(names):
    """A Problem for each name, of a text with commas between, that is no parameter."""
    return [Problem(("rests_on",), f"no parameter {name}{nearest(name, parameters())}") for name in split(names)
            if name not in parameters()]


def told(experiment):
    """Each parameter with its status and source in words: as the experiment sets it, as the preset that an arm starts
    from does, or as declared."""
    bases = {one.get("base") for one in experiment.arms.values()} if experiment.cohort else ()
    of_presets = {number.path: number for base in sorted(bases) if base in presets.names()
                  for number in sourced.numbers(base)}
    return [f"{name} ({_source(experiment, name, of_presets.get(name))})" for name in split(experiment.head.rests_on)]


def _source(experiment, name, of_preset):
    """Status and source of what a parameter is in an experiment."""
    declared = parameters()[name]
    default = sourced.defaults(Config).get(tuple(name.split(".")), declared.default)
    source = known.worded(declared.status, declared.source)
    if of_preset is not None and of_preset.status != sourced.DEFAULT:
        default, source = of_preset.value, known.worded(of_preset.status, of_preset.source)
    given = _set(experiment, name)
    if all(one is None or not isinstance(one, dict) and internal(declared, one) == default for one in given):
        return source
    whose = "default" if of_preset is None else "preset"
    here = " or ".join(dict.fromkeys(f"the {whose}" if one is None else _words(one) for one in given))
    return f"{here} here; {whose} {'none' if default is None else declared.text(default)}, {source}"


def _set(experiment, name):
    """What each arm of an experiment sets a parameter to, or its config does: a value, a law in a table, or None."""
    if experiment.cohort:
        return [arm.get("draw", {}).get(name) for arm in experiment.arms.values()]
    config = experiment.config
    for word in name.split("."):
        config = config.get(word) if isinstance(config, dict) else None
    return [arm.get(name, config) for arm in experiment.arms.values()]


def _words(given):
    """A value of TOML, or a law, in words."""
    if not isinstance(given, dict):
        return str(given)
    parts = [given["law"], *(f"{key} {', '.join(map(str, one)) if isinstance(one, list) else one}"
                             for key, one in given.items() if key != "law")]
    return f"drawn ({', '.join(parts)})"
