"""The plan of a sweep that is there already: read, refused where it is damaged, compared with the file of a sweep."""
import json
from pathlib import Path

from metacascade.base.errors import InputError
from metacascade.base.screen import one_line, shown
from metacascade.config import read as config_read
from metacascade.config.given import LARGEST
from metacascade.io import atomic

CONFIG, FORMAT = "config.toml", 1
MOST_SHOWN = 60         # characters of a value that differs


def read(path):
    """The plan in a file. Raises InputError where it is damaged or of another format."""
    with atomic.reading(path):
        text = Path(path).read_bytes()
    try:
        plan = json.loads(text)
        found = plan["format"]
        whole = found != FORMAT or _is_whole(plan)
    except (ValueError, LookupError, TypeError, RecursionError):
        whole = False
    if not whole:
        raise InputError(f"{path} is damaged: bring back a copy of it, or choose another --out")
    if found != FORMAT:
        raise InputError(f"{path} has format {found}; this version of metacascade reads format {FORMAT}: choose "
                         "another --out, or go on with the version that began the sweep, which its results name")
    return plan


def _is_whole(plan):
    """Has a plan all that is looked up in it?"""
    kinds = dict(sweep=dict, config=str, fixed=dict, units=dict, members=list)
    of_member = dict(number=int, point=int, replicate=int, seed=int, settings=dict)
    return all(isinstance(plan[key], kind) for key, kind in kinds.items()) and all(
        isinstance(member[key], kind) for member in plan["members"] for key, kind in of_member.items()) and (
        _is_of_arms(plan) if "arms" in plan else all(
            member["settings"].keys() <= plan["units"].keys() for member in plan["members"]) and _is_compared(plan))


def _is_compared(plan):
    """The same of what is there of a list or a grid, unless an older version has made the plan."""
    names, compare, start = plan.get("names"), plan.get("compare"), plan.get("start")
    return (start is None or _is_start(start)) and (compare is None or isinstance(compare["columns"], dict)) and (
        names is None or (all(isinstance(name, str) for name in names)
        and 0 <= compare["against"] < len(names)
        and all(0 <= member["point"] < len(names) for member in plan["members"])))


def _is_start(start):
    return isinstance(start["file"], str) and isinstance(start["path"], str) and isinstance(start["time_s"], int)


def _is_of_arms(plan):
    """The same of what only a plan of arms has."""
    start, compare, arms = plan["start"], plan["compare"], plan["arms"]
    return (isinstance(plan["title"], str) and all(isinstance(name, str) for name in arms) and len(arms) > 0
            and isinstance(compare["columns"], dict) and 0 <= compare["against"] < len(arms)
            and (start is None or _is_start(start))
            and all(member["arm"] == arms[member["point"]] for member in plan["members"]))


def differences(stored, sweep, word):
    """What another sweep file, or another config, says otherwise than those that the plan was made from."""
    former = config_read.parse_text(stored["config"], CONFIG).tables
    for where, there, here in ((word, stored["sweep"], sweep.tables), ("config", former, sweep.base.tables)):
        there, here = dict(_flat(there)), dict(_flat(here))
        for name in sorted(there.keys() | here.keys()):
            if there.get(name) != here.get(name):
                now, then = (one_line(found.get(name, "(nothing)"), MOST_SHOWN) for found in (here, there))
                yield f"{where}: {name} = {now}, there it is {then}"


def _flat(value, name=""):
    """Name and whole text of every value in nested tables and lists of them."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else key)
    elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        for i, inner in enumerate(value):
            yield from _flat(inner, f"{name}[{i}]")
    else:
        yield name, shown(value, LARGEST)
