"""What is derived from the declarations alone: the JSON Schema of the file and the table of parameters."""
from metacascade.base.numerals import NUMBER
from metacascade.base.units import plain
from metacascade.config import organs as organs_

# A number, then a unit that cannot be taken for a part of the number.
QUANTITY = rf"^\s*{NUMBER}(?:\s+\S|(?![eE][+-]?[0-9])[A-Za-z%\u00b5\u03bc/]).*$"
UNIT = r"^\s*[A-Za-z\u00b5\u03bc]+\s*$"
COMMAND = "metacascade info --parameters --markdown"


def json_schema(model) -> dict:
    """JSON Schema (draft 7) of the config file, for editors such as those that use Taplo."""
    properties = _properties(model)
    for name, (section, form) in model.tables.items():
        table = _table(section)
        if form == "list":
            table = {"type": "array", "items": table}
        elif form != "one":
            table = {"type": "object", "additionalProperties": False, "properties": {key: table for key in form}}
        properties[name] = table
    return {"$schema": "http://json-schema.org/draft-07/schema#", "title": "metacascade config",
            "type": "object", "additionalProperties": False, "properties": properties}


def _table(section) -> dict:
    return {"type": "object", "description": section.__doc__, "additionalProperties": False,
            "properties": _properties(section)}


def _properties(section) -> dict:
    return {key: _property(parameter) for key, parameter in section.parameters.items()}


def _property(parameter) -> dict:
    schema = {"description": _sentence(parameter), **_type(parameter)}
    if parameter.default is not None and parameter.kind != "place":
        default = parameter.default
        schema["default"] = parameter.text(default) if parameter.kind == "quantity" else (
            list(default) if parameter.kind in ("texts", "times") else default)
    return schema


def _type(parameter) -> dict:
    quantity = {"type": "string", "pattern": f"{QUANTITY}|{UNIT}" if parameter.alone else QUANTITY}
    limits = {"minimum": parameter.low, "maximum": parameter.high}
    return {
        "quantity": quantity, "place": {"type": "array", "items": quantity, "minItems": 3, "maxItems": 3},
        "number": {"type": "number", **limits}, "integer": {"type": "integer", **limits},
        "switch": {"type": "boolean"}, "text": {"type": "string", "maxLength": parameter.high},
        "numbers": {"type": "object", "additionalProperties": {"type": "number", **limits}},
        "times": {"anyOf": [quantity, {"type": "array", "items": quantity, "maxItems": parameter.most}]},
        "texts": {"type": "array", "items": {"type": "string"}, "maxItems": parameter.high},
        "choice": {"enum": list(parameter.choices)}}[parameter.kind]


def _sentence(parameter) -> str:
    source = f" Source ({parameter.status}): {parameter.source}." if parameter.source else ""
    return f"{parameter.doc} Allowed: {parameter.allowed()}.{source}"


def markdown(model) -> str:
    """The page ``docs/parameters.md``."""
    lines = [
        "# Parameters", "",
        f"Written by `{COMMAND} > docs/parameters.md` from the declarations in `src/metacascade/config/` and "
        "`src/metacascade/mechanisms/`; a test compares. Do not edit.", "",
        "A value outside *allowed* is refused; one outside *usual*, the span in the literature, is a warning, and so "
        "is what was set and has no effect because of something else in the config. Status: **measured** (in cells, "
        "animals or patients, seen at the source), **computed** (arithmetic from measured numbers), **recalled** (from "
        "the literature by memory), **convention** (what programs of the field or textbooks use, without a measurement "
        "behind it), **assumed** (a start value without a direct measurement: vary it), **setting** (a choice of the "
        "user or of the numerics)."]
    for name, section in [("", model), *((n, s) for n, (s, _) in model.tables.items())]:
        lines += ["", *_chapter(name, section, model)]
    return "\n".join(lines) + "\n"


def _chapter(name, section, model):
    form = model.tables[name][1] if name else "one"
    title = f"[[{name}]]" if form == "list" else f"[{name}]" if form == "one" else f"[{name}.*bed*]"
    yield f"## {title if name else 'Top level'}"
    yield from ("", section.__doc__.split("\n")[0], "") if name else ("",)
    yield "| key | default | allowed | usual | status | meaning | source |"
    yield "|---|---|---|---|---|---|---|"
    for parameter in section.parameters.values():
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in _row(parameter)) + " |"
    if form not in ("one", "list"):
        yield from _beds(section, form)


def _row(parameter) -> list[str]:
    usual = " to ".join(map(parameter.text, parameter.usual)) if parameter.usual else ""
    return [f"`{parameter.key}`", default_text(parameter), parameter.allowed(), usual, parameter.status,
            parameter.doc, parameter.source]


def default_text(parameter, default=None) -> str:
    """The default as it would be written; `default`: another than that of the declaration."""
    default = parameter.default if default is None else default
    if parameter.kind == "place":
        return ", ".join(f"{plain(v)} {parameter.unit}" for v in default)
    return "" if default in (None, "") else parameter.text(default)


def _beds(section, names):
    columns = list(section.parameters.values())
    yield from ("", "Defaults of each bed:", "")
    yield "| bed | " + " | ".join(f"`{p.key}`" for p in columns) + " |"
    yield "|---" * (len(columns) + 1) + "|"
    for name in names:
        own = organs_.BEDS.get(name, {})
        yield f"| {name} | " + " | ".join(p.text(own.get(p.attribute, p.default)) for p in columns) + " |"


def table(parameters) -> str:
    """One line per parameter, for ``metacascade info --parameters``."""
    rows = [(f"{p.section}.{p.key}".lstrip("."), default_text(p), p.status, p.doc) for p in parameters]
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    return "\n".join("  ".join([*(cell.ljust(w) for cell, w in zip(row, widths)), row[3]]) for row in rows)
