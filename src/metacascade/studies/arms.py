"""Treatment arms with replicates from one state, compared: a sweep whose points have names and changes of their own."""
from pathlib import Path

from metacascade.base import sheets
from metacascade.base.numerals import counted
from metacascade.base.screen import LONGEST_LINE, one_line
from metacascade.config.write import inline
from metacascade.studies import (
    arms_plan,
    standing,
    sweep,
    sweep_compare,
    sweep_plan,
    sweep_sensitivity,
    sweep_table,
)

STUDY = sweep.Study("arms", "arms", arms_plan.opened)


def run(path, out, ranks=1, jobs=1, part=None, gather=False, dry_run=False, wall_limit_s=None):
    """Run the arms of a file that are not done, or only compare; the exit code. As `sweep.run`."""
    return sweep.run(path, out, ranks, jobs, part, gather, dry_run, wall_limit_s, STUDY)


def describe(directory):
    """What is in the directory of a sweep or of arms, as lines."""
    plan = sweep_plan.kept(directory)
    rows = sweep_table.rows_of(directory, plan)
    found = sweep_table.by_status(rows)
    kind = "arms" if "arms" in plan else "a sweep"
    yield f"{directory}: {kind}, {counted(len(rows), 'member')}: " + ", ".join(
        f"{len(numbers)} {status}" for status, numbers in found.items() if numbers)
    yield from _open(directory, found)
    if "arms" in plan:
        for member in plan["members"][:len(plan["arms"])]:
            changes = ", ".join(f"{name} = {inline(value)}" for name, value in member["settings"].items())
            yield one_line(f"  {member['arm']}: {changes or 'no change'}", LONGEST_LINE)
    if "arms" in plan or plan.get("compare") and found["done"]:
        table = sweep_compare if sweep_compare.names_of(plan) else sweep_sensitivity
        yield from table.lines(plan, rows)


def _open(directory, found):
    """Lines of the members that run, have stopped, or have failed, and where the table is."""
    if any(found[how] for how in standing.OPEN):
        yield from sheets.plain(standing.Members(directory).sheets()[1:]).splitlines()
    if (table := Path(directory) / sweep_table.NAME).exists():
        yield f"table in {table}"
