"""What is derived from a config: its resolved TOML, and a summary for people."""
import json

from metacascade.base.screen import one_line
from metacascade.base.units import plain, show, show_time
from metacascade.config import injections, interventions, therapy


def to_toml(config) -> str:
    """The config as TOML with every default written out; reading it gives the same bits."""
    lines = ['# The resolved config: every default is written out.', f"title = {quoted(config.title)}"]
    for path, section in config.sections():
        form = config.tables[path[0]][1]
        lines += ["", f"[[{path[0]}]]" if form == "list" else f"[{'.'.join(path)}]"]
        for key, parameter in section.parameters.items():
            if (value := getattr(section, parameter.attribute)) is not None:
                lines.append(f"{key} = {toml_value(parameter, value)}")
    return "\n".join(lines) + "\n"


def toml_value(parameter, value) -> str:
    """An internal value as TOML."""
    if parameter.kind == "place":
        return "[" + ", ".join(quoted(show(v, parameter.unit, parameter.internal)) for v in value) + "]"
    if parameter.kind == "times" and not isinstance(value, int):
        return "[" + ", ".join(quoted(show_time(v)) for v in value) + "]"
    if parameter.kind == "texts":
        return "[" + ", ".join(map(quoted, value)) + "]"
    if parameter.kind == "numbers":
        return "{" + ", ".join(f"{quoted(name)} = {plain(one)}" for name, one in value.items()) + "}"
    text = parameter.text(value)
    return text if parameter.kind in ("number", "integer", "switch") else quoted(text)


def quoted(text: str) -> str:
    """A basic string of TOML; JSON's escapes are valid there, once DEL is escaped and no surrogate pair is left."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def inline(value) -> str:
    """A value as TOML in one line; a dict is an inline table."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(key)} = {inline(one)}" for key, one in value.items()) + "}"
    return f"[{', '.join(map(inline, value))}]" if isinstance(value, list) else quoted(value)


def summary(config) -> str:
    """A few lines: what is simulated, for how long, and what is switched off."""
    run = config.run
    lines = [one_line(config.title)] if config.title else []
    own = " with a body of its own" * config.body.is_given
    lines.append(f"{run.species}{own}, {run.steps:,} steps of {show_time(run.step_s)}, "
                 f"{show_time(run.duration_s)} in all, seed {run.seed}")
    if config.tumor:
        space = "without space" if config.tumor.lumped else f"voxels of {plain(config.tissue.edge_um)} um"
        lines.append(f"tumor of {config.tumor.cells:,} cells in the {config.tumor.organ}, {space}")
    lines += injections.lines(config)
    lines += [f"draw of {show(d.volume_mL, 'mL', 'mL')} from node {d.node} at {show_time(d.time_s)}"
              for d in config.draw]
    lines += [*therapy.lines(config), *interventions.lines(config)]
    off = [".".join(map(str, path)) for path, section in config.sections() if not getattr(section, "enabled", True)]
    return "\n".join(lines + ([f"off: {', '.join(off)}"] if off else []))
