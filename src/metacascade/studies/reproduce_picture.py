"""Figures of experiments: of each comparison the runs of its arms, their means, and what was published; tornados."""
from metacascade.io.atomic import replace, temporary, writing
from metacascade.studies.readouts import READOUTS
from metacascade.studies.reproduce_toml import split


def draw(experiment, values, findings, path):
    """Draw into a PNG file; False without matplotlib.

    `values`: readout -> arm -> one number for each replicate.
    """
    pyplot = _pyplot()
    if pyplot is None:
        return False
    panels = len(experiment.comparisons)
    figure, axes = pyplot.subplots(1, panels, figsize=(1 + 3.6 * panels, 3.6), layout="constrained", squeeze=False)
    for axis, comparison, row, finding in zip(axes[0], experiment.comparisons, experiment.rows, findings):
        _panel(axis, comparison, row, finding, values.get(comparison.readout, {}))
    figure.suptitle(f"{experiment.name}: {experiment.head.title}")
    with writing(path):
        figure.savefig(temporary(path), format="png", dpi=110)
        replace(path)
    pyplot.close(figure)
    return True


def tornado(whole, bars, path, most=24):
    """Draw how a number moves with each parameter, the largest first, into a PNG file; False without matplotlib.

    `whole`: the number; `bars`: objects with `parameter`, `ends` and `found`, two each; `most` of them are drawn.
    """
    pyplot = _pyplot()
    if pyplot is None:
        return False
    bars = bars[:most]
    figure, axis = pyplot.subplots(figsize=(9, 1 + 0.3 * len(bars)), layout="constrained")
    for place, bar in enumerate(bars):
        axis.plot(bar.found, [place, place], color="#3a6ea5", linewidth=8, solid_capstyle="butt")
        for end, number in zip(bar.ends, bar.found):
            axis.annotate(f" {end} ", (number, place), va="center", fontsize="x-small",
                          ha="left" if number == max(bar.found) else "right")
    axis.axvline(whole, color="#b3261e")
    axis.set_yticks(range(len(bars)), [bar.parameter for bar in bars])
    axis.invert_yaxis()
    axis.set_xscale("log")
    axis.margins(x=0.15)
    axis.set_xlabel("growing metastases for each cell that is shed")
    with writing(path):
        figure.savefig(temporary(path), format="png", dpi=110)
        replace(path)
    pyplot.close(figure)
    return True


def _pyplot():
    try:
        import matplotlib
    except ImportError:
        return None
    matplotlib.use("Agg")
    from matplotlib import pyplot
    return pyplot


def _panel(axis, comparison, row, finding, values):
    arms = [arm for arm in split(comparison.arms) if arm in values]
    if comparison.kind == "interval":
        axis.axhspan(*_bounds(row, values), color="#3a6ea5", alpha=0.15, label="published")
    for place, arm in enumerate(arms):
        axis.plot([place] * len(values[arm]), values[arm], "o", color="#9aa5b1")
        axis.plot([place - 0.2, place + 0.2], [sum(values[arm]) / len(values[arm])] * 2, color="#b3261e")
    axis.set_xticks(range(len(arms)), arms)
    axis.set_xlim(-0.6, max(len(arms), 1) - 0.4)
    axis.set_ylabel(f"{comparison.readout} [{READOUTS[comparison.readout].unit}]")
    axis.set_title(f"{comparison.name}\n{finding.verdict}", fontsize="small")


def _bounds(row, values):
    """The published interval; where it has no bound, a little beyond the values."""
    known = [value for arm in values.values() for value in arm] + [bound for bound in (row.low, row.high)
                                                                    if bound is not None]
    room = 0.1 * (max(known) - min(known)) + 1e-12
    return (min(known) - room if row.low is None else row.low, max(known) + room if row.high is None else row.high)
