"""What came of experiments: a table for each, a text for the terminal, and the page docs/validation.md."""
import csv
import io

from metacascade.studies import reproduce_rests
from metacascade.studies.cohort_results import patients_of
from metacascade.studies.readouts import READOUTS
from metacascade.studies.reproduce_verdict import AGREES, DIFFERS, UNDECIDED, overall, told

HEAD = """# Validation: published experiments, simulated

Written by `metacascade reproduce all --write docs/validation.md`. Each experiment is a file in
`src/metacascade/experiments/`: a small config, its arms, and what is read out. The published numbers are in
`published.toml` beside them, with their source and how sure they are. None of them is used to set a parameter.

A number *agrees* if the mean over the runs lies in the interval. It *differs* if the 95 % interval of that mean, by
Student, lies wholly outside of it, and by what factor from the nearer end is told; else it is *undecided*. An order
agrees if each mean is above the next by more than the 95 % interval of their difference. Differences and ratios are of
pairs of runs with the same seed; ± is the standard error. From one run nothing follows, but for a score whose law is
known. What has no published number is *not judged*, and what a version of the model has no mechanism for is *not
possible yet*.

Of cohorts, all patients of an arm count together. The interval of 95 % of a share is Wilson's; of all else, of ratios
and of differences it is that of drawing the patients again (bootstrap).
"""
CONTROLS = """## Controls of the mechanisms

`metacascade reproduce controls`: each mechanism off, on, and of twice the strength, with the same seeds, by the rows
of `controls*.toml`. The read-out that must move *moves* if it does so from off to on and again from on to doubled, each
time by more than the 95 % interval of the difference; of the one that must not, the ratio must lie in the bounds.

| row | mechanism and strength | must move | off, on, doubled | verdict | must not move | ratio, bounds | verdict |
|---|---|---|---|---|---|---|---|"""
MOVES = {AGREES: "moves", UNDECIDED: "does not move", DIFFERS: "moves the other way"}
HOLDS = {AGREES: "holds", UNDECIDED: "undecided", DIFFERS: "moves too"}


def table(experiment, runs):
    """The table of an experiment as CSV: a row for each run, a column for each read-out."""
    text = io.StringIO()
    names = list(dict.fromkeys(one.readout for one in experiment.comparisons))
    head = ["arm", "replicate", "seed", *names]
    out = csv.DictWriter(text, head, restval="", lineterminator="\n")
    out.writerow({name: f"{name} [{READOUTS[name].unit}]" if name in READOUTS else name for name in head})
    out.writerows(runs)
    return text.getvalue()


def interval(row):
    """The published number, if there is one, and its interval as text."""
    bounds = {(True, True): "none", (False, True): f"at least {row.low}", (True, False): f"at most {row.high}",
              (False, False): f"{row.low} to {row.high}"}[row.low is None, row.high is None]
    bounds = bounds if row.value is None else f"{row.value:g}, {bounds}"
    return bounds + f" {row.unit}" * (row.unit not in ("", "1"))


def published(comparison, row):
    """What was published, as text: an interval, or an order."""
    return " > ".join(comparison.arms.split(",")).replace("  ", " ") if comparison.kind == "ordering" else interval(row)


def lines(experiment, findings):
    """The verdicts on an experiment, for a terminal."""
    found = [f"{experiment.name}: {experiment.head.title}: {overall(findings)}"]
    for comparison, row, finding in zip(experiment.comparisons, experiment.rows, findings):
        found.append(f"  {told(finding, row):10} {comparison.name}: {finding.text or '-'}; published "
                     f"{published(comparison, row)} ({row.sure})")
    found += [f"  why: {why}" for why in _why(experiment, findings)]
    return found + [f"  rests on {one}" for one in reproduce_rests.told(experiment)]


def is_page(head):
    """Are these the first bytes of a page that `page` made?"""
    return head.startswith(HEAD.partition("\n")[0].encode())


def page(experiments, controls, code, more):
    """docs/validation.md, of pairs (experiment, findings) of published experiments and of controls; code in words;
    `more`: experiment -> lines below its table."""
    text = [HEAD, f"Runs of {code}.\n", "| experiment | | verdict |\n|---|---|---|"]
    text += [f"| [{one.name}](#{one.name.lower()}) | {one.head.title} | {overall(findings)} |"
             for one, findings in experiments]
    for one, findings in experiments:
        text += ["", *_section(one, findings), *more.get(one.name, ())]
    if controls:
        text += ["", CONTROLS, *(_control(one, *findings) for one, findings in controls)]
    return "\n".join(text) + "\n"


def _control(one, moves, holds):
    """The row of a control in its table."""
    moving, held = one.comparisons
    return " | ".join((
        f"| {one.name}", f"{one.head.title}: {one.head.simulated}; {one.head.replicates} seeds",
        f"{_named(moving)}, {'up' if moving.arms.startswith('doubled') else 'down'}", moves.text or "-",
        MOVES.get(moves.verdict, moves.verdict), _named(held),
        f"{held.arms.replace(', ', ' over ')}: {holds.text or '-'}; {interval(one.rows[1])}",
        f"{HOLDS.get(holds.verdict, holds.verdict)} |"))


def _named(comparison):
    unit = READOUTS[comparison.readout].unit
    return f"`{comparison.readout}`" + f" [{unit}]" * (unit != "1")


def _runs(one):
    many = f"{one.head.replicates} {'cohort' if one.cohort else 'run'}{'s' * (one.head.replicates > 1)}"
    sizes = sorted({patients_of({"cohort": cohort}) for cohort in one.arms.values()}) if one.cohort else ()
    return many + f" of {' or '.join(map(str, sizes))} patients" * one.cohort


def _section(one, findings):
    yield f"## {one.name}\n\n{one.head.title}.\n\n**Measured.** {one.head.measured}\n"
    yield f"**Simulated.** {one.head.simulated} {_runs(one)} of each of: {', '.join(one.arms)}.\n"
    if one.head.rests_on:
        yield f"**Rests on.** {'; '.join(reproduce_rests.told(one))}.\n"
    yield "| what | published | simulated | verdict | source |\n|---|---|---|---|---|"
    for comparison, row, finding in zip(one.comparisons, one.rows, findings):
        yield (f"| {comparison.name} | {published(comparison, row)} | {finding.text or '-'} | {told(finding, row)} "
               f"| {row.source} ({row.sure}) |")
    for why in _why(one, findings):
        yield f"\n**Why.** {why}"


def _why(one, findings):
    """Why it differs, where it does and that was found."""
    if one.head.differs and any(finding.verdict in (DIFFERS, UNDECIDED) for finding in findings):
        yield one.head.differs
