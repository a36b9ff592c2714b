"""The pictures of a scaling study: speed-up, efficiency, and the share of each stage. Needs matplotlib."""
import itertools

from metacascade.base.errors import InputError
from metacascade.io.atomic import replace, temporary, writing
from metacascade.studies.scaling_table import stages_of

STAGE_COLORS = ("#3a6ea5", "#b3261e", "#e6a23c", "#6b4c9a", "#2e8b57", "#9aa5b1", "#8c564b", "#d98cb3", "#444444",
                "#17becf", "#bcbd22")


def draw(kind, rows, path):
    """Draw the rows of `scaling_table.rows` into a PNG file. Raises InputError without matplotlib."""
    try:
        import matplotlib
    except ImportError:
        raise InputError('matplotlib is not installed: pip install "metacascade[report]"') from None
    matplotlib.use("Agg")
    from matplotlib import pyplot
    figure, (speed, efficiency, stages) = pyplot.subplots(1, 3, figsize=(13, 4), layout="constrained")
    _speed(speed, rows)
    _efficiency(efficiency, kind, rows)
    _stages(stages, rows)
    with writing(path):
        figure.savefig(temporary(path), format="png", dpi=120)
        replace(path)
    pyplot.close(figure)


def _ranks(axes, rows):
    ranks = [row["ranks"] for row in rows]
    axes.set_xscale("log", base=2)
    axes.set_xticks(ranks, [f"{n}{'*' * row['oversubscribed']}" for n, row in zip(ranks, rows)])
    axes.set_xlabel("ranks" + " (* more than cores)" * any(row["oversubscribed"] for row in rows))
    return ranks


def _speed(axes, rows):
    ranks = _ranks(axes, rows)
    axes.set_yscale("log", base=2)
    axes.plot(ranks, [n / ranks[0] for n in ranks], color="#bbbbbb", label="ideal")
    axes.plot(ranks, [row["speedup"] for row in rows], "o-", color="#b3261e", label="measured")
    axes.set_title("speed-up")
    axes.legend(frameon=False)


def _efficiency(axes, kind, rows):
    ranks = _ranks(axes, rows)
    axes.plot(ranks, [100 * row["efficiency"] for row in rows], "o-", color="#b3261e", label="wall time")
    axes.plot(ranks, [100 * row["efficiency_cpu"] for row in rows], "s--", color="#3a6ea5",
              label="CPU of the busiest rank")
    axes.set_ylim(0, None)
    axes.set_title(f"efficiency [%], {kind} scaling")
    axes.legend(frameon=False)


def _stages(axes, rows):
    stages, below = stages_of(rows), [0.0] * len(rows)
    total = [sum(row[f"wall_s_{name}_mean"] for name in stages) for row in rows]
    for stage, color in zip(stages, itertools.cycle(STAGE_COLORS)):
        share = [100 * row[f"wall_s_{stage}_mean"] / all_ for row, all_ in zip(rows, total)]
        axes.bar(range(len(rows)), share, bottom=below, label=stage, color=color)
        below = [a + b for a, b in zip(below, share)]
    axes.set_xticks(range(len(rows)), [f"{row['ranks']}{'*' * row['oversubscribed']}" for row in rows])
    axes.set_xlabel("ranks")
    axes.set_title("share of the stages in wall time [%], waiting included")
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
