"""The public names say their types, and what they say can be looked up."""
import ast
import inspect
import types
import typing
from importlib import resources
from pathlib import Path

import pytest

import metacascade
from metacascade.io.results import Results
from metacascade.io.rows import Rows

OPTIONAL = {"pandas": types.SimpleNamespace(DataFrame=object)}      # named in types, imported when needed
OWN = "metacascade."


def public():
    """Name -> function, for all functions that a user can reach through the package."""
    doors = [getattr(metacascade, name) for name in metacascade.DOORS]
    found = {door.__name__: door for door in doors if inspect.isfunction(door)}
    for kind in {*doors, Results, Rows} - set(found.values()):
        for name, member in vars(kind).items():
            function = getattr(member, "fget", None) or getattr(member, "__func__", member)
            if inspect.isfunction(function) and function.__module__.startswith(OWN) and (
                    not name.startswith("_") or name.endswith("__")):
                found[f"{kind.__name__}.{name}"] = function
    return found


@pytest.mark.parametrize("name", public())
def test_every_argument_and_result_has_a_type(name):
    function = public()[name]
    hints = typing.get_type_hints(function, localns=OPTIONAL)
    wanted = {parameter for parameter in inspect.signature(function).parameters if parameter not in ("self", "cls")}
    assert hints.keys() >= wanted | ({"return"} if not name.endswith("__init__") else set())


def test_type_checkers_see_the_names_that_python_sees():
    """They do not follow __getattr__: what it opens is imported for them, and the list of names is spelled out."""
    tree = ast.parse(Path(metacascade.__file__).read_text("utf-8"))
    seen = {alias.asname or alias.name: f"{node.module}.{alias.name}" for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module.startswith(OWN) for alias in node.names}
    assert seen == {name: f"{OWN}{module}.{there}" for name, (module, there) in metacascade.DOORS.items()}
    assert sorted(metacascade.__all__) == sorted(["__version__", *metacascade.DOORS])
    assert resources.files("metacascade").joinpath("py.typed").is_file()
