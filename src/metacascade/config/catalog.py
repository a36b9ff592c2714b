"""Every parameter that there is, of all sections or of one, for people and for editors."""
from collections.abc import Iterator

from metacascade.base.declare import Parameter
from metacascade.base.errors import InputError
from metacascade.base.names import nearest
from metacascade.base.screen import one_line
from metacascade.config import describe
from metacascade.config.config import Config


def json_schema() -> dict:
    """JSON Schema of the config file, for editors."""
    return describe.json_schema(Config)


def parameters_markdown() -> str:
    """The page docs/parameters.md."""
    return describe.markdown(Config)


def parameters_table(section: str | None = None) -> str:
    """One line per parameter, of one section or of all. Raises InputError for a section that is none."""
    known = {name: kind for name, (kind, _) in Config.tables.items()}
    if section is None:
        return describe.table(parameters()) + "\n"
    if section not in known:
        raise InputError(f"there is no section {one_line(section)!r}{nearest(section, known)}; "
                         f"sections: {', '.join(known)}")
    return describe.table(known[section].parameters.values()) + "\n"


def parameters() -> Iterator[Parameter]:
    """Every declared parameter, section by section, in the order of the documentation."""
    yield from Config.parameters.values()
    for section, _ in Config.tables.values():
        yield from section.parameters.values()
