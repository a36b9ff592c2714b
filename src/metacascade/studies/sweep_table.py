"""How the members of a sweep are, and the table of what came out of them."""
import contextlib
import csv
import io
import re
from pathlib import Path

from metacascade.base.errors import DONE, STOPPED_EARLY
from metacascade.base.nodes import BEDS, LYMPH_NODE
from metacascade.base.screen import LONGEST_LINE, one_line
from metacascade.base.units import parse, plain
from metacascade.config.config import default
from metacascade.io import atomic, checkpoint, results, rundirectory, runlock
from metacascade.mechanisms import plan_of
from metacascade.run.run import columns_of
from metacascade.studies.sweep_compare import OF_BEDS
from metacascade.studies.sweep_plan import folder

NAME = "sweep.csv"
SERIES = "columns of the series"        # of a row: not in the table
_END = re.compile(r"^sweep: exit code (-?\d+) after (\d+\.\d\d) s$", re.MULTILINE | re.ASCII)
STATUSES = ("done", "running", "stopped", "failed", "damaged", "waiting")
UNREADABLE = (OSError, ValueError, LookupError, RuntimeError)      # InputError; of h5py, where a file is damaged inside


def state(directory):
    """How the run in a directory is: done, running (it is locked), stopped (it has a checkpoint), or waiting."""
    if runlock.locked(directory):
        return "running"
    with contextlib.suppress(*UNREADABLE):
        if rundirectory.finished(directory):
            return "done"
    return "stopped" if checkpoint.found(directory) else "waiting"


def damaged(directory):
    """Are there results that cannot be read? They are never half written, and a run does not go on without them."""
    path = Path(directory) / results.NAME
    try:
        with results.open_results(path, parts_needed=False):
            return False
    except UNREADABLE:
        return path.exists()


def log(directory, member):
    """The file with what a member printed, beside its directory."""
    return folder(directory, member).with_suffix(".log")


def write_end(directory, member, code, seconds):
    """Note in the log of a member how a session of it ended."""
    path = log(directory, member)
    with atomic.writing(path), open(path, "a", encoding="utf-8") as file:
        file.write(f"sweep: exit code {code} after {seconds:.2f} s\n")


def ends(directory, member):
    """Exit code and wall seconds of each session of a member that a coordinator saw to its end."""
    try:
        text = log(directory, member).read_text("utf-8", errors="replace")
    except FileNotFoundError:
        return []
    return [(int(code), float(seconds)) for code, seconds in _END.findall(text)]


def write_rows(directory, plan):
    """Write sweep.csv: a row for each member. Returns {number of a member: its row}.

    Coordinators of other parts may write it at the same time. Whoever writes looks again afterwards, so the last
    table to be written tells of everything that had happened before.
    """
    rows, path, written = {}, Path(directory) / NAME, None
    while (text := _text(directory, plan, rows)) != written:
        atomic.write_shared(path, text)
        written = text
    return rows


def rows_of(directory, plan):
    """The rows as they are now; nothing is written."""
    return {member["number"]: _row(directory, plan, member) for member in plan["members"]}


def by_status(rows):
    """{status: numbers of the members}."""
    return {status: [number for number, row in rows.items() if row["status"] == status] for status in STATUSES}


def _text(directory, plan, rows):
    """The table as text; `rows` keeps those of members that are done, which do not change."""
    for member in plan["members"]:
        if rows.get(member["number"], {}).get("status") != "done":
            rows[member["number"]] = _row(directory, plan, member)
    names = {name: f"{name} [{unit}]" if unit else name for name, unit in plan["units"].items()}
    arm = ["arm"] * ("arms" in plan) + ["name"] * any("name" in member for member in plan["members"])
    columns = ["number", "point", *arm, "replicate", "seed", *names, "status", "wall_s", "digest",
               *_series(rows.values()), *OF_BEDS]
    text = io.StringIO()
    table = csv.DictWriter(text, columns, restval="", extrasaction="ignore", lineterminator="\n")
    table.writerow({column: names.get(column, column) for column in columns})
    table.writerows(rows.values())
    return text.getvalue()


def _series(rows):
    """The columns of the time series: those of the default config, and those that members have besides."""
    return dict.fromkeys([*columns_of(plan_of(default())), *(name for row in rows for name in row.get(SERIES, ()))])


def _row(directory, plan, member):
    settings = {name: plain(parse(member["settings"][name], unit)) if unit else _cell(member["settings"][name])
                for name, unit in plan["units"].items() if name in member["settings"]}
    (status, found), sessions = _outcome(directory, member), ends(directory, member)
    if status in ("stopped", "waiting") and sessions and sessions[-1][0] not in (DONE, STOPPED_EARLY):
        status = "failed"
    wall = {"wall_s": f"{sum(seconds for _, seconds in sessions):.2f}"} if sessions else {}
    row = {name: member[name] for name in ("number", "point", "arm", "name", "replicate", "seed") if name in member}
    return row | settings | wall | dict(status=status) | found


def _cell(value):
    """A value without unit in a table that people look at in a terminal."""
    return one_line(value, LONGEST_LINE) if isinstance(value, str) else value


def _outcome(directory, member):
    """How a member is, and of one that is done what came out of it."""
    status = state(folder(directory, member))
    if status == "stopped" and damaged(folder(directory, member)):
        return "damaged", {}
    try:
        return status, _results(directory, member) if status == "done" else {}
    except UNREADABLE:
        return "damaged", {}


def _results(directory, member):
    """What came out of a member that is done: digest, last row of the series, lesions that are alive, by organ."""
    with results.open_results(folder(directory, member)) as found:
        last = {name: column[-1] for name, column in found.series.items()}
        rows, nodes = found.lesions[:], found.names("lesions")["node"]
        alive = [nodes[int(node)] for node in rows["node"][rows["n"] > 0]]
        if LYMPH_NODE in nodes.values():
            last[f"lesions_{LYMPH_NODE}"] = alive.count(LYMPH_NODE)
        return last | {"digest": found.digest, SERIES: tuple(last)} | dict(zip(OF_BEDS, map(alive.count, BEDS)))
