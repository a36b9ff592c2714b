"""Every parameter that there is, of all sections or of one, for people and for editors."""
import json
from collections.abc import Iterator

from metacascade.base.declare import Parameter
from metacascade.base.errors import InputError
from metacascade.base.names import nearest
from metacascade.base.screen import one_line
from metacascade.config import describe, organs
from metacascade.config.config import Config


def json_schema() -> dict:
    """JSON Schema of the config file, for editors."""
    return describe.json_schema(Config)


def schema_text() -> str:
    """The same as a file."""
    return json.dumps(json_schema(), indent=1) + "\n"


def parameters_markdown() -> str:
    """The page docs/parameters.md."""
    return describe.markdown(Config)


def parameters_table(section: str | None = None) -> str:
    """One line per parameter, of one section or of all. Raises InputError for a section that is none."""
    if section is not None and section not in Config.tables:
        raise InputError(f"there is no section {one_line(section)!r}{nearest(section, Config.tables)}; "
                         f"sections: {', '.join(Config.tables)}")
    asked = parameters() if section is None else Config.tables[section][0].parameters.values()
    return describe.table(asked) + "\n"


def parameters_told(names) -> str:
    """What is asked of: all, sections, or single parameters, ``growth.division_time``. Raises InputError."""
    if not any("." in name for name in names):
        return "".join(parameters_table(name) for name in names or [None])
    return "\n".join(_told(name) if "." in name else parameters_table(name) for name in names)


def _told(name):
    """All that is declared of a parameter, ``injection.0.cells``; of an organ the default of that organ."""
    section, *of, key = name.split(".")
    if section not in Config.tables:
        parameters_table(section)       # refuses it
    (declared, form), place = Config.tables[section], "".join(of[:1])
    own = declared.parameters
    if key not in own:
        raise InputError(f"[{section}] has no {one_line(key)!r}{nearest(key, own)}; `metacascade info --parameters "
                         f"{section}` lists what it has")
    if section == "organs" and of and place not in (*organs.BEDS, "BED"):
        raise InputError(f"there is no organ {one_line(place)!r}{nearest(place, organs.BEDS)}")
    if len(of) > (section == "organs" or form == "list" and place.isdecimal()):
        right = f"{section}.{'BED.' * (section == 'organs')}{key}"
        raise InputError(f"there is no parameter {one_line(name)!r}: it is {right}")
    p = own[key]
    default = organs.BEDS.get(place, {}).get(p.attribute, p.default)
    usual = f"; usual {' to '.join(map(p.text, p.usual))}" if p.usual else ""
    return (f"{name}: default {describe.default_text(p, default) or 'none'}\n    {p.doc}\n"
            f"    allowed: {p.allowed()}{usual}\n    {p.status.upper()}{': ' * bool(p.source)}{p.source}\n")


def parameters() -> Iterator[Parameter]:
    """Every declared parameter, section by section, in the order of the documentation."""
    yield from Config.parameters.values()
    for section, _ in Config.tables.values():
        yield from section.parameters.values()
