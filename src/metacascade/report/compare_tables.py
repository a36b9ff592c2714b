"""Several runs in words and tables: what they are, what differs in their configs, and what came out of them."""
import numpy as np

from metacascade.config.given import dotted
from metacascade.io.needs import Missing
from metacascade.report import html
from metacascade.report.groups import SURE, estimates
from metacascade.studies import sweep_compare, sweep_table

NUMBERS = {     # column: what it is, in words
    "tumor": "cells of the tumor", "radius": "radius of the tumor [µm]", "entered": "cells that entered the blood",
    "anoikis": "died of anoikis in the blood", "shear": "died of shear", "nk": "killed by NK cells in the blood",
    "arrested_death": "died in the vessels where they were arrested", "extravasated": "left the blood in an organ",
    "alive": "lesions alive", "lesions": "cells in lesions", "started": "lesions that began to divide",
    "cleared": "lesions cleared", "oxygen_mean": "oxygen at the cells [mmHg]"}
MOST_ACROSS = 5         # groups with a column each
DIFFERS = "What differs in the config"


def what(compared) -> str:
    """Which runs are compared, in how many groups."""
    least = compared.least()
    title = compared.plan["title"] + ". " if compared.plan and compared.plan.get("title") else ""
    lines = [f"{title}{len(compared.members)} runs in {len(compared.groups)} groups: " + "; ".join(
        f"{group.name} ({len(group.members)})" for group in compared.groups) + f". The least number of replicates of a "
        f"group is {least}" + (", so there are no intervals for it." if least < 2 else f"; {SURE}.")]
    notes = [f"Not among them: {'; '.join(compared.left_out)}."] * bool(compared.left_out)
    going = [member.name for member in compared.members if not member.complete]
    notes += [f"Not yet at their end, or interrupted: {'; '.join(going)}."] * bool(going)
    branches = {}
    for member in compared.members:
        branches.setdefault(member.branch, []).append(member.name)
    notes += [f"{', '.join(names) if len(names) < len(compared.members) else 'Every run'}: {told}"
              for told, names in branches.items() if told]
    if not compared.together():
        latest = max(member.days[-1] for member in compared.members)
        late = [member.name for member in compared.members if member.days[0] > compared.end_d]
        notes.append(f"The runs have outputs up to days {compared.end_d:.4g} to {latest:.4g}. What came out, and "
                     f"lesions by organ, are told of day {compared.end_d:.4g}, the last that all have; how far cells "
                     "came, distances to vessels and differences of arms or points, of each run at its own end."
                     + f" No output by then, and so not in it: {', '.join(late)}." * bool(late))
    found = {}
    for member in compared.members:
        for line in member.warnings:
            found.setdefault(line, []).append(member.name)
    notes += [f"The check of the config says, of {_named(names, compared)}: {line}." for line, names in found.items()]
    return html.paragraph(lines[0], "lead") + "".join(html.paragraph(note, "note") for note in notes)


def _named(names, compared):
    """Names of some runs; of all as such."""
    return "every run" if len(names) == len(compared.members) else ", ".join(names)


def differences(compared) -> str:
    """The values of the config in which the groups differ."""
    if len(compared.groups) < 2:
        raise Missing("there is one group, whose runs differ in their seeds alone")
    values = [{dotted(path): (parameter.text(value), any(isinstance(part, int) for part in path)
                              and value == parameter.default)
               for path, parameter, value in group.members[0].config.values() if value is not None}
              for group in compared.groups]
    keys = [key for key in dict.fromkeys(key for one in values for key in one) if _tells(key, values)]
    texts = [[one[key][0] if key in one else "–" for key in keys] for one in values]
    names = [group.name for group in compared.groups]
    if len(values) > MOST_ACROSS:
        return html.table(("group", *keys), [(name, *row) for name, row in zip(names, texts)], DIFFERS)
    return html.table(("parameter", *names), [(key, *row) for key, row in zip(keys, zip(*texts))], DIFFERS)


def _tells(key, values):
    """Do groups differ in it? Of an entry of a list not in what all that have the entry have by default."""
    found = [one[key] for one in values if key in one]
    return key not in ("title", "run.seed", "vessels.seed") and not all(default for _, default in found) and (
        len(found) < len(values) or len({text for text, _ in found}) > 1)


def numbers(compared) -> str:
    """What came out of each group at the last output."""
    rows = []
    for column, words in NUMBERS.items():
        some = [(group, values) for group in compared.groups if len(values := _last(compared, group, column))]
        for k, (group, values) in enumerate(some):
            rows.append(("" if k else words, group.name, len(values), *_estimate(values)))
    return html.table(*html.without_empty(("what", "group", "n", "mean", "95 % from", "to"), rows),
                      f"On day {compared.end_d:.4g}: mean and interval of 95 % by Student's t")


def _last(compared, group, column):
    """Numbers of a column at the last common output, of the runs of a group that have it."""
    values = np.array([compared.at_end(member, member.columns[column]) for member in group.members
                       if column in member.columns])
    return values[np.isfinite(values)]


def _estimate(values):
    """(mean, low, high) of some numbers."""
    mean, half, _ = (float(one[0]) for one in estimates(np.asarray(values, float)[:, None]))
    return mean, mean - half, mean + half


def paired(compared) -> str:
    """Differences between groups, in pairs of runs."""
    plan = compared.plan
    if len(compared.groups) < 2 and not plan:
        raise Missing("there is one group")
    if not plan:
        return _paired_by_seed(compared)
    if not (names := sweep_compare.names_of(plan)):
        raise Missing("the points of this sweep have no names")
    against = names[plan["compare"]["against"]]
    found = sweep_compare.compared(plan, sweep_table.rows_of(compared.directory, plan))
    rows = [(column, unit, name, mean.n, mean.mean, mean.low, mean.high, pairs.n, pairs.mean, pairs.low, pairs.high)
            for column, unit, name, mean, pairs in found if pairs is not None]
    return html.table(("column", "unit", "arm or point", "n", "mean", "95 % from", "to", "pairs", f"minus {against}",
                       "95 % from", "to"), rows, f"{'Arms' if 'arms' in plan else 'Points'} minus {against}, in pairs "
                      f"of replicates {_seeds(plan)}")


def _paired_by_seed(compared):
    """The same of runs that were given one by one: two with one seed are a pair, as two branches of one run."""
    first, *others = compared.groups
    rows = []
    for column, words in NUMBERS.items():
        base = _by_seed(compared, first, column)
        for k, group in enumerate(others):
            own = _by_seed(compared, group, column)
            if pairs := [own[seed] - base[seed] for seed in own if seed in base]:
                rows.append(("" if k else words, group.name, len(pairs), *_estimate(pairs)))
    if not rows:
        raise Missing("no two runs of other groups have the same seed")
    head = ("what", "group", "pairs", f"minus {first.name}", "95 % from", "to")
    return html.table(*html.without_empty(head, rows),
                      f"Groups minus {first.name} on day {compared.end_d:.4g}, in pairs of runs with the same seed")


def _by_seed(compared, group, column):
    found = {member.config.run.seed: float(compared.at_end(member, member.columns[column]))
             for member in group.members if column in member.columns}
    return {seed: number for seed, number in found.items() if np.isfinite(number)}


def _seeds(plan):
    """Whether the two runs of a pair have one seed: those of a sweep with independent seeds have not."""
    seeds = {}
    for member in plan["members"]:
        seeds.setdefault(member["replicate"], set()).add(member["seed"])
    return "with the same seed" if all(len(own) == 1 for own in seeds.values()) else "by number, each with its own seed"


def runs(compared) -> str:
    """All runs, with the digests of their final states."""
    rows = [(group.name, str(member.path.parent), int(member.config.run.seed), float(member.days[-1]),
             "complete" if member.complete else "not complete", member.digest[:16])
            for group in compared.groups for member in group.members]
    return html.table(("group", "directory", "seed", "days", "state", "digest, its first 16"), rows, "Runs")
