"""Tables and lists of experiments: with dots in their keys, as text, with commas between."""
from metacascade.config.write import quoted


def flat(table, name=""):
    """``{"a": {"b": 1}}`` and ``{"a.b": 1}`` as the second."""
    found = {}
    for key, value in table.items():
        inner = f"{name}.{key}" if name else key
        found |= flat(value, inner) if isinstance(value, dict) else {inner: value}
    return found


def toml(tables, path=()):
    """Tables as the text of a config."""
    text = "".join(f"{quoted(key)} = {quoted(value)}\n" for key, value in tables.items() if not _holds_tables(value))
    for key, value in tables.items():
        if _holds_tables(value):
            name = ".".join(map(quoted, (*path, key)))
            for one in value if isinstance(value, list) else [value]:
                text += (f"[[{name}]]\n" if isinstance(value, list) else f"[{name}]\n") + toml(one, (*path, key))
    return text


def _holds_tables(value):
    return isinstance(value, dict) or isinstance(value, list) and value and isinstance(value[0], dict)


def split(names_):
    """Names with commas between, as a list."""
    return [name.strip() for name in names_.split(",") if name.strip()]
