"""The table of a scaling study: a row for each number of ranks, made from what `metacascade bench` measured there."""
import csv
import io
import statistics

FORMAT = 1                       # of scaling.json and of the measurements that a study keeps
KINDS = ("halo", "route")
DAMAGED = (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError,
           RecursionError)     # by lost figures


def step_s(figures):
    """Wall seconds of a step: the mean over the steps of a measurement, as fields are not due in each."""
    return statistics.fmean(figures["step_s"])


def rows(kind, cells, cases):
    """One dict for each number of ranks, in ascending order; `cells`: of the config.

    Of repeated measurements the one with the median time is taken whole; `step_s_min` and `step_s_max` are
    those of all. A speed-up is against the smallest number of ranks.
    """
    found = {}
    for case in cases:
        if case["cells"] == (cells * case["ranks"] if kind == "weak" else cells):
            found.setdefault(case["ranks"], []).append(case["figures"])
    table = [_row(sorted(repeats, key=step_s)) for _, repeats in sorted(found.items())]
    for row in table:
        _compare(kind, table[0], row)
    return table


def _row(repeats):
    """The figures of the repeated measurements on one number of ranks, fastest first."""
    figures = repeats[(len(repeats) - 1) // 2]
    ranks, steps = figures["per_rank"], figures["steps"]
    work_s = [sum(rank["cpu_s"].values()) / steps for rank in ranks]
    row = dict(
        ranks=len(ranks), cells=figures["cells"], oversubscribed=figures["oversubscribed"],
        step_s=step_s(figures), step_s_min=step_s(repeats[0]), step_s_max=step_s(repeats[-1]),
        communication_share=figures["communication_share"],
        imbalance_work=imbalance([rank["work"] for rank in ranks]), imbalance_cpu=imbalance(work_s),
        work_cpu_s_max=max(work_s), work_cpu_s_mean=mean(work_s),
        collectives=figures["collectives_per_step"])
    for name in ("tiles", "neighbors", "peak_bytes"):
        each = [rank[name] for rank in ranks]
        row |= {f"{name}_max": max(each), f"{name}_mean": mean(each)}
    for kind in KINDS:
        for name, counter in (("messages", "count"), ("bytes", "bytes")):
            each = [rank["traffic"][kind][counter] / steps for rank in ranks]
            row |= {f"{kind}_{name}_max": max(each), f"{kind}_{name}_mean": mean(each)}
    for stage in ranks[0]["wall_s"]:
        for clock in ("wall", "cpu"):
            each = [rank[f"{clock}_s"][stage] / steps for rank in ranks]
            row |= {f"{clock}_s_{stage}_max": max(each), f"{clock}_s_{stage}_mean": mean(each)}
    return row | dict(digest=figures["digest"])


def _compare(kind, first, row):
    """Add speed-up and efficiency, by wall time and by the CPU time of the busiest rank."""
    more = row["ranks"] / first["ranks"]
    for clock, suffix in (("step_s", ""), ("work_cpu_s_max", "_cpu")):
        faster = first[clock] / row[clock]
        row["efficiency" + suffix] = faster if kind == "weak" else faster / more
    row["speedup"] = row["efficiency"] * more


def mean(values):
    """Arithmetic mean."""
    return sum(values) / len(values)


def imbalance(values):
    """Largest over mean, minus one."""
    return max(values) / mean(values) - 1.0 if any(values) else 0.0


def disagreements(cases):
    """Lines that name measurements of one tumor that ended in different states; none is as it should be."""
    lines = []
    for cells in sorted({case["cells"] for case in cases}):
        ends = {}
        for case in cases:
            if case["cells"] == cells:
                ends.setdefault(case["figures"]["digest"], []).append(case["ranks"])
        if len(ends) > 1:
            lines.append(f"digests disagree for {cells:,} cells: " + "; ".join(
                f"{digest[:16]} on {', '.join(map(str, sorted(ranks)))}" for digest, ranks in ends.items()))
    return lines


def stages_of(table):
    """Names of the stages that the first row has seconds of."""
    return [name.removeprefix("wall_s_").removesuffix("_max") for name in table[0]
            if name.startswith("wall_s_") and name.endswith("_max")]


def as_csv(table):
    """The rows as text with a head; a stage that a row lacks is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(name for row in table for name in row)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return text.getvalue()


COLUMNS = (     # title, width, text of a row
    ("ranks", 7, lambda row: f"{row['ranks']:,}" + "*" * row["oversubscribed"]),
    ("cells", 14, lambda row: f"{row['cells']:,}"),
    ("ms/step", 10, lambda row: f"{1e3 * row['step_s']:.1f}"),
    ("speed-up", 9, lambda row: f"{row['speedup']:.2f}"),
    ("effic.", 7, lambda row: f"{row['efficiency']:.0%}"),
    ("by CPU", 7, lambda row: f"{row['efficiency_cpu']:.0%}"),
    ("comm.", 6, lambda row: f"{row['communication_share']:.0%}"),
    ("imbalance", 10, lambda row: f"{row['imbalance_work']:.1%}"),
    ("CPU ms", 9, lambda row: f"{1e3 * row['work_cpu_s_max']:.2f}"),
    ("neighb.", 8, lambda row: f"{row['neighbors_max']}"),
    ("messages", 9, lambda row: f"{_both(row, 'messages_mean'):.1f}"),
    ("max", 7, lambda row: f"{_both(row, 'messages_max'):.1f}"),
    ("KiB sent", 9, lambda row: f"{_both(row, 'bytes_mean') / 1024:.1f}"),
    ("max", 8, lambda row: f"{_both(row, 'bytes_max') / 1024:.1f}"),
    ("collect.", 9, lambda row: f"{row['collectives']:.1f}"),
    ("MiB", 7, lambda row: f"{row['peak_bytes_max'] / 2**20:,.0f}"))


def of_one(ranks, figures):
    """The table of one measurement; one of DAMAGED where its figures are not whole."""
    case = dict(cells=figures["cells"], ranks=ranks, figures=figures)
    disagreements([case])
    return as_text("strong", rows("strong", case["cells"], [case]))


def _both(row, name):
    return sum(row[f"{kind}_{name}"] for kind in KINDS)


def as_text(kind, table):
    """The table for a terminal: first what a step costs, then its stages."""
    lines = [f"{kind} scaling; CPU, messages, bytes and memory are per rank, all but memory per step",
             "".join(f"{title:>{width}}" for title, width, _ in COLUMNS)]
    lines += ["".join(f"{show(row):>{width}}" for _, width, show in COLUMNS) for row in table]
    stages = stages_of(table)
    lines += ["", "CPU ms of a step by stage, without communication: mean over ranks, max",
              f"{'ranks':>7}" + "".join(f"{stage:>15}" for stage in stages)]
    return "\n".join(lines + [
        f"{row['ranks']:>7,}" + "".join(
            f"{1e3 * row[f'cpu_s_{stage}_mean']:>8.2f}{1e3 * row[f'cpu_s_{stage}_max']:>7.2f}" for stage in stages)
        for row in table])
