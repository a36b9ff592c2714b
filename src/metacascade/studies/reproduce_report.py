"""What came of experiments: a table for each, a text for the terminal, and the page docs/validation.md."""
import csv
import io

from metacascade.studies.readouts import READOUTS
from metacascade.studies.reproduce_verdict import overall

HEAD = """# Validation: published experiments, simulated

Written by `metacascade reproduce all --write docs/validation.md`. Each experiment is a file in
`src/metacascade/experiments/`: a small config, its arms, and what is read out. The published numbers are in
`published.toml` beside them, with their source and how sure they are. None of them is used to set a parameter.

A number *agrees* if the mean over the runs lies in the interval, and *differs* if it is more than two standard errors
outside; in between it is *undecided*. An order agrees if each mean is above the next by more than two standard errors
of their difference in runs with the same seeds. What a version of the model has no mechanism for is *not possible yet*.
"""


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
    bounds = {(True, True): "no bound", (False, True): f"at least {row.low}", (True, False): f"at most {row.high}",
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
        found.append(f"  {finding.verdict:10} {comparison.name}: {finding.text or '-'}; published "
                     f"{published(comparison, row)} ({row.sure})")
    return found


def page(results):
    """docs/validation.md, of pairs (experiment, findings)."""
    text = [HEAD, "| experiment | | verdict |\n|---|---|---|"]
    text += [f"| [{one.name}](#{one.name.lower()}) | {one.head.title} | {overall(findings)} |"
             for one, findings in results]
    for one, findings in results:
        text += ["", *_section(one, findings)]
    return "\n".join(text) + "\n"


def _section(one, findings):
    yield f"## {one.name}\n\n{one.head.title}.\n\n**Measured.** {one.head.measured}\n"
    yield f"**Simulated.** {one.head.simulated} {one.head.replicates} runs of each of: {', '.join(one.arms)}.\n"
    yield "| what | published | simulated | verdict | source |\n|---|---|---|---|---|"
    for comparison, row, finding in zip(one.comparisons, one.rows, findings):
        yield (f"| {comparison.name} | {published(comparison, row)} | {finding.text or '-'} | {finding.verdict} "
               f"| {row.source} ({row.sure}) |")
