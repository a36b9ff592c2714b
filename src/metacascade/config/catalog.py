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
    if section is not None and section not in Config.tables:
        raise InputError(f"there is no section {one_line(section)!r}{nearest(section, Config.tables)}; "
                         f"sections: {', '.join(Config.tables)}")
    asked = parameters() if section is None else Config.tables[section][0].parameters.values()
    return describe.table(asked) + "\n"


def parameters() -> Iterator[Parameter]:
    """Every declared parameter, section by section, in the order of the documentation."""
    yield from Config.parameters.values()
    for section, _ in Config.tables.values():
        yield from section.parameters.values()
