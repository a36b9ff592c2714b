"""The public names say their types, and what they say can be looked up."""
import ast
import inspect
import tomllib
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
STUB = Path(metacascade.__file__).with_suffix(".pyi")


def public():
    """Name -> function, for all functions that a user can reach through the package."""
    doors = [getattr(metacascade, name) for name in metacascade._DOORS]
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
    """They do not follow __getattr__: what it opens is imported for them in a stub, under the same name, which exports it."""
    tree = ast.parse(STUB.read_text("utf-8"))
    seen = {alias.asname or alias.name: f"{node.module}.{alias.name}" for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) for alias in node.names if alias.asname}
    assert seen == {name: f"{OWN}{module}.{there}" for name, (module, there) in metacascade._DOORS.items()}
    assert sorted(metacascade.__all__) == sorted(["__version__", *metacascade._DOORS])
    listed, = (node.value for node in tree.body if isinstance(node, ast.Assign))
    assert ast.literal_eval(listed) == metacascade.__all__
    assert [node.target.id for node in tree.body if isinstance(node, ast.AnnAssign)] == ["__version__"]
    assert resources.files("metacascade").joinpath("py.typed").is_file()


def test_an_editor_offers_the_public_names_and_nothing_of_how_they_are_opened():
    """Besides packages inside, which can be imported."""
    jedi = pytest.importorskip("jedi")
    found = jedi.Script("import metacascade as mc\nmc.").complete(2, 3)
    inside = {path.name for path in Path(metacascade.__file__).parent.iterdir() if path.is_dir()}
    assert {one.name for one in found if not one.name.startswith("_")} - inside == \
        set(metacascade.__all__) - {"__version__"}
    assert "__version__" in {one.name for one in found}
    signature, = jedi.Script("import metacascade as mc\nmc.branch(").get_signatures(2, 10)
    assert [one.name for one in signature.params][:3] == ["checkpoint", "out", "overrides"]


def test_the_stub_is_in_the_package():
    project = Path(__file__).parents[2] / "pyproject.toml"
    assert "*.pyi" in tomllib.loads(project.read_text("utf-8"))["tool"]["setuptools"]["package-data"]["metacascade"]
