"""What is derived from the declarations: the page of parameters and the JSON Schema."""
import re
import tomllib
from pathlib import Path

import pytest

from metacascade.config.catalog import json_schema, parameters, parameters_markdown
from metacascade.config.config import Config
from metacascade.config.describe import COMMAND
from metacascade.config.presets import names, text

ROOT = Path(__file__).parents[2]


def test_page_of_parameters_is_up_to_date():
    page = (ROOT / "docs" / "parameters.md").read_text()
    assert page == parameters_markdown(), f"renew it with: {COMMAND} > docs/parameters.md"


def test_page_names_every_parameter():
    page = parameters_markdown()
    assert [p.key for p in parameters() if f"| `{p.key}` |" not in page] == []


def _violations(value, schema, path=""):
    """A small part of JSON Schema, enough for ours: type, enum, pattern, limits, properties, items."""
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool}
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is not in the enum"
    if "type" in schema and not isinstance(value, kinds[schema["type"]]):
        yield f"{path}: {value!r} is no {schema['type']}"
    elif isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        yield f"{path}: {value!r} does not match"
    elif isinstance(value, (int, float)) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{path}: {value!r} is outside the limits"
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key not in schema["properties"]:
                yield f"{path}.{key}: not a property"
            else:
                yield from _violations(inner, schema["properties"][key], f"{path}.{key}")
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _violations(inner, schema["items"], f"{path}[{i}]")


@pytest.mark.parametrize("name", names())
def test_preset_and_its_resolved_form_satisfy_the_schema(name):
    from metacascade.config.config import build
    from metacascade.config.read import parse_text
    resolved = build(parse_text(text(name), name)).to_toml()
    for toml in (text(name), resolved):
        assert list(_violations(tomllib.loads(toml), json_schema())) == []


@pytest.mark.parametrize("toml", [
    "[run]\nsed = 1", "[run]\nstep = 30", "[run]\nstep = '30'", "[run]\nseed = 1.5", "[run]\nspecies = 'moose'",
    "[migration]\nbias = 2", "[organs.nose]\nsoil = 1", "[draw]\nnode = 'lung'", "growht = 1"])
def test_schema_refuses_what_check_refuses(toml):
    assert list(_violations(tomllib.loads(toml), json_schema()))


def test_schema_has_every_parameter_with_its_description():
    properties = json_schema()["properties"]
    for section, (_, form) in Config.tables.items():
        table = properties[section]
        table = table["items"] if form == "list" else table if form == "one" else table["properties"]["lung"]
        for key, parameter in Config.tables[section][0].parameters.items():
            assert table["properties"][key]["description"].startswith(parameter.doc)
