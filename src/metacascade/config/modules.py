"""The table [mechanisms] of the config: modules from outside of the package that bring mechanisms of their own."""
from typing import ClassVar

from metacascade.base.declare import Section, texts
from metacascade.mechanisms import user


class Mechanisms(Section):
    """Mechanisms from outside of the package: docs/mechanisms.md."""
    table: ClassVar[str] = "mechanisms"

    modules: tuple[str, ...] = texts("modules", doc=(
        "Python files (relative to the config), modules, or entry points of the group metacascade.mechanisms."))
    sha256: tuple[str, ...] = texts("sha256", doc=(
        "SHA-256 of the source of each, filled in when it is read; what has another is refused."))


def modules_named(named, folder) -> list[user.Found]:
    """The modules that a table [mechanisms] names. Raises MechanismError."""
    names, wanted = named.get("modules", ()), named.get("sha256", ())
    if not all(isinstance(held, (list, tuple)) and all(isinstance(one, str) for one in held)
               for held in (names, wanted)):
        return []               # refused where the config is checked
    if wanted and len(wanted) != len(names):
        raise user.MechanismError("mechanisms.sha256 must have as many entries as mechanisms.modules, or be left out")
    return [user.found(name, folder, sha256) for name, sha256 in zip(names, wanted or [None] * len(names))]
