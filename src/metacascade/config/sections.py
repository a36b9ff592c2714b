"""The tables of the config that mechanisms bring: one for each, or one that several share."""
from metacascade.base.declare import Section


def shared_tables(parts, heads=()) -> dict[str, type[Section]]:
    """Name of the table -> its section, in the order of `parts`; parts of one table become one section.

    A table that has one of the `heads` gets its name, its description and its parameters first.
    """
    heads, by_table = {head.table: [head] for head in heads}, {}
    for part in parts:
        by_table.setdefault(part.table, heads.get(part.table, [])).append(part)
    return {table: own[0] if len(own) == 1 else _joined(own) for table, own in by_table.items()}


def _joined(parts):
    """One section with the parameters of all, in their order: the last base comes first."""
    first = parts[0]
    return type(first)(first.__name__, tuple(reversed(parts)), {"__doc__": first.__doc__, "__module__": __name__})
