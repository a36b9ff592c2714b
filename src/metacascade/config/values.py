"""From the tables of a document to internal units; every problem is collected, none ends the reading."""
from pydantic import ValidationError

from metacascade.base import units
from metacascade.base.declare import Parameter, Section
from metacascade.base.names import nearest
from metacascade.config.given import dotted
from metacascade.config.read import MOST_PROBLEMS, Document, Problem


def read_tables(model: type[Section], document: Document) -> tuple[dict, list[Problem]]:
    """Attributes and internal values for `model`, as far as they can be read, and the problems."""
    problems: list[Problem] = []
    values = _read_section(model, document.tables, (), problems, also=model.tables)
    for name, (section, form) in model.tables.items():
        if name not in document.tables:
            continue
        given = document.tables[name]
        if isinstance(form, tuple) and isinstance(given, dict):
            values[name] = _read_named(section, given, name, form, problems)
        elif form == "list" and isinstance(given, list):
            values[name] = [_read_table(section, table, (name, i), problems) for i, table in enumerate(given)]
        elif form == "list":
            why = f"must be a list of tables: write [[{name}]]"
            problems.append(Problem((name,), f"has no entry: the first is {name}.0" if _numbered(given) else why))
        else:
            values[name] = _read_table(section, given, (name,), problems)
    return values, problems


def _numbered(given) -> bool:
    """Is it what settings such as ``draw.1.volume=1 mL`` make of a list that is not there?"""
    return isinstance(given, dict) and bool(given) and all(str(key).isdigit() for key in given)


def validated(model: type[Section], values: dict, problems: list[Problem]):
    """`model` of `values`. What pydantic refuses is added to `problems` and replaced by its default."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_context=False):
            path, parameter = _locate(model, detail["loc"])
            problems.append(Problem(path, _rule(parameter, detail["input"]) if parameter else detail["msg"]))
            _remove(values, detail["loc"])
        return model.model_validate(values)


def _rule(parameter, value) -> str:
    known = parameter.choices if isinstance(value, str) else ()
    whole = parameter.kind == "integer" and isinstance(value, float) and value.is_integer()
    hint = f"; write it as {int(value):_}" if whole and parameter.low <= value <= parameter.high else ""
    return f"must be {parameter.allowed()}{nearest(value, known) if known else ''}{hint}"


def _locate(model, location: tuple) -> tuple[tuple, Parameter | None]:
    """The path in the file, and the parameter, of a place in the model."""
    path, section = (), model
    for step in location:
        if isinstance(step, str) and step in section.tables:
            section, path = section.tables[step][0], (*path, step)
            continue
        found = [p for p in section.parameters.values() if p.attribute == step]
        if found:
            return (*path, found[0].key), found[0]
        path += (step,)
    return path, None


def _remove(values, location: tuple):
    """Take the value at `location`, or the one around it that is no table, out of `values`."""
    *outer, last = location
    for step in outer:
        if isinstance(values[step], list) and not isinstance(values[step][0], dict):
            last = step
            break
        values = values[step]
    values.pop(last, None)


def _read_named(section, given, name, known, problems) -> dict:
    for key in given.keys() - set(known):
        problems.append(_unknown((name, key), "name", known, problems))
    return {key: _read_table(section, given[key], (name, key), problems) for key in known if key in given}


def _unknown(path, what, known, problems):
    """The problem of an unknown key, with the nearest name, or all that are known; of very many without."""
    few = len(problems) < MOST_PROBLEMS
    hint = (nearest(path[-1], known) or f"; known are {', '.join(known)}") if few else ""
    return Problem(path, f"unknown {what}{hint}")


def _read_table(section, table, path, problems) -> dict:
    if isinstance(table, dict):
        return _read_section(section, table, path, problems)
    problems.append(Problem(path, f"must be a table: write [{dotted(path)}] and its keys below"))
    return {}


def _read_section(section, table, path, problems, also=()) -> dict:
    values = {}
    for key, value in table.items():
        if key in also:
            continue
        if parameter := section.parameters.get(key):
            try:
                values[parameter.attribute] = internal(parameter, value)
            except units.QuantityError as error:
                problems.append(Problem((*path, key), str(error)))
        else:
            problems.append(_unknown((*path, key), "key", [*section.parameters, *also], problems))
    return values


def internal(parameter: Parameter, value):
    """A value of the file in the internal unit; only quantities change, limits are not looked at.

    Raises QuantityError with a message that says what is allowed.
    """
    if parameter.kind == "quantity":
        return _quantity(parameter, value)
    if parameter.kind == "times":
        return _times(parameter, value)
    if parameter.kind == "place":
        if not isinstance(value, list) or len(value) != 3:
            raise units.QuantityError(f'must be three quantities, such as ["0 {parameter.unit}", ...]')
        return [_quantity(parameter, v) for v in value]
    return value


def _times(parameter, value):
    """One interval, or times in ascending order."""
    seconds = [_quantity(parameter, one) for one in (value if isinstance(value, list) else [value])]
    if len(seconds) > parameter.most:
        raise units.QuantityError(f"must be at most {parameter.most} times; write an interval for more")
    if not all(parameter.low <= one <= parameter.high for one in seconds):
        raise units.QuantityError(f"must be {parameter.allowed()}")
    return sorted(set(seconds)) if isinstance(value, list) else seconds[0]


def _quantity(parameter, value):
    example = parameter.example()
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise units.QuantityError(f'needs a unit, such as "{example}"')
    if not isinstance(value, str):
        raise units.QuantityError(f'must be a text with a number and a unit, such as "{example}"')
    try:
        number = units.parse(f"1 {value}" if parameter.alone and units.is_unit(value) else value, parameter.internal)
    except units.QuantityError as error:
        raise units.QuantityError(f'{error}; write it like "{example}"') from None
    if parameter.whole:
        if not number.is_integer():
            raise units.QuantityError("must be a whole number of seconds")
        return int(number)
    return number
