"""What experiments read out of the results of a run: each a number, and nan where there is nothing to count."""
import math

import numpy as np

from metacascade.base.errors import InputError
from metacascade.base.units import DAY_S
from metacascade.space.distances import REACH_UM, WIDTH_UM

READOUTS = {}               # name -> function of Results; its unit is its attribute `unit`
WINDOW_H = 1 / 6            # in which entries into the blood are counted: ten minutes


class Missing(InputError):
    """These results do not have what is read out: another version of metacascade, or a mechanism that is off."""


def readout(unit):
    """Register a function of Results under its name, with the unit of what it returns. ValueError: it is taken."""
    def register(function):
        if function.__name__ in READOUTS:
            raise ValueError(f"there is a read-out {function.__name__} already")
        function.unit = unit
        READOUTS[function.__name__] = function
        return function
    return register


def _column(results, name):
    series = results.series
    if name not in series:
        raise Missing(f"the series has no column {name}")
    return series[name].astype(float)


def _later(results):
    """Rows of the series of the second half of the run: when what the start left has gone."""
    time_h = _column(results, "time_s") / 3600
    return time_h, time_h >= 0.5 * time_h[-1]


def _primary(results):
    """Those of the tumor that entered the blood in a run: when they did, when they ended, and their cells."""
    rows = results.shed[["t_shed", "t_event", "n", "origin", "fate"]]
    origins = {name: number for number, name in results.names("shed")["origin"].items()}
    rows = rows[rows["origin"] == origins.get("tumor", 0)]
    return rows["t_shed"], rows["t_event"], rows["n"].astype(float)


def _rate_per_h(results):
    """Cells that entered the blood in an hour of the second half."""
    time_h, later = _later(results)
    shed = _column(results, "shed")[later]
    return (shed[-1] - shed[0]) / (time_h[-1] - time_h[later][0])


@readout("cells/day per 1e6 cells")
def shed_per_million_day(results):
    """Cells that entered the blood in a day for every million cells of the tumor, in the second half of the run."""
    _, later = _later(results)
    return 24e6 * _rate_per_h(results) / float(np.mean(_column(results, "tissue")[later]))


@readout("1")
def cells_ratio(results):
    """Cells of the tumor at the end for each at the start."""
    return float(_column(results, "tissue")[-1] / _column(results, "initial")[0])


@readout("s")
def clearance_half_life_s(results):
    """ln 2 times the mean number of circulating cells over the rate at which cells enter the blood."""
    _, later = _later(results)
    rate = _rate_per_h(results)
    circulating = float(np.mean(_column(results, "circulating")[later]))
    return 3600 * math.log(2.0) * circulating / rate if rate > 0 else math.nan


@readout("1")
def count_over_rate_times_life(results):
    """Cells in the blood, arrested ones too, over what Little's law expects: their rate of entry times their mean life.

    The count is that of the series, at its times. Rate times life is the time that cells spent in the blood in the
    second half of the run, by the rows of shed cells, over its length.
    """
    time_h, later = _later(results)
    count = float(np.mean((_column(results, "circulating") + _column(results, "arrested"))[later]))
    begin, end = time_h[later][0], time_h[-1]
    entered, left, cells = _primary(results)
    inside = np.clip(np.minimum(left, end) - np.maximum(entered, begin), 0.0, None)
    lived = float((inside * cells).sum()) / (end - begin)
    return count / lived if lived > 0 else math.nan


def _windows(results):
    """Singles and clusters that entered the blood in each window of ten minutes of the second half."""
    time_h, later = _later(results)
    entered, _, _ = _primary(results)
    begin = float(time_h[later][0])
    number = int((float(time_h[-1]) - begin) / WINDOW_H)
    return np.histogram(entered, bins=begin + WINDOW_H * np.arange(number + 1))[0]


@readout("1")
def dispersion(results):
    """Variance over mean of the counts in windows of ten minutes: 1 if they are Poisson's."""
    counts = _windows(results)
    return float(counts.var(ddof=1) / counts.mean()) if counts.any() else math.nan


@readout("standard deviations")
def dispersion_beyond_poisson(results):
    """How far the index of dispersion is above 1, in standard deviations of Poisson counts, sqrt(2 / (n - 1))."""
    counts = _windows(results)
    return (dispersion(results) - 1.0) / math.sqrt(2.0 / (len(counts) - 1)) if counts.any() else math.nan


@readout("1")
def inside_share(results):
    """Of the cells that entered the blood from the tumor in the second half, those inside of its outline."""
    _, later = _later(results)
    core, border, beyond = [float(np.ptp(_column(results, f"shed_{zone}")[later]))
                            for zone in ("core", "border", "outside")]
    return (core + border) / total if (total := core + border + beyond) else math.nan


@readout("1")
def outside_share(results):
    """Of the cells of the tumor, those outside of its outline at the end."""
    return float(_column(results, "cells_outside")[-1] / _column(results, "tissue")[-1])


@readout("um")
def invasion_um(results):
    """Mean distance out of the outline of the cells outside of it, at the end."""
    return float(_column(results, "invasion_mean")[-1])


@readout("mm/mm^3")
def vessels_inside(results):
    """Length of vessels per volume in the core at the end."""
    return float(_column(results, "vessels_core")[-1])


def _distances(results, whose):
    """Middle [um] and cells of each bin of distances to vessels, of the cells in "tissue" or the "shed", at the end."""
    if "distances" not in results:
        raise Missing("the results have no table distances")
    rows, of = results["distances"][:], results.names("distances")["of"]
    rows = rows[[of[int(number)] == whose for number in rows["of"]]]
    rows = np.sort(rows[rows["time_s"] == rows["time_s"].max(initial=0)], order="below")
    upper = rows["below"].astype(float)
    return np.where(np.isfinite(upper), upper - 0.5 * WIDTH_UM, REACH_UM), rows["cells"].astype(float)


@readout("um")
def cell_distance_mean_um(results):
    """Mean distance of cells in tissue to the nearest perfused vessel at the end; beyond 150 um it counts as that."""
    distance, cells = _distances(results, "tissue")
    return float((distance * cells).sum() / cells.sum()) if cells.any() else math.nan


@readout("um")
def cell_distance_p90_um(results):
    """The distance to the nearest perfused vessel that nine in ten cells in tissue are within at the end."""
    distance, cells = _distances(results, "tissue")
    return float(distance[np.searchsorted(cells.cumsum(), 0.9 * cells.sum())]) if cells.any() else math.nan


@readout("um")
def shed_distance_mean_um(results):
    """Mean distance of the cells that entered vessels to the center lines of these, up to the end."""
    distance, cells = _distances(results, "shed")
    return float((distance * cells).sum() / cells.sum()) if cells.any() else math.nan


# --- of controls --------------------------------------------------------------------------------------------------

def _at_end(name, unit, doc):
    """Register the last value of a column as a read-out of its name."""
    def last(results):
        return float(_column(results, name)[-1])
    last.__name__, last.__doc__ = name, doc
    readout(unit)(last)


_at_end("oxygen_mean", "mmHg", "Mean oxygen of cells at the end.")
_at_end("vegf_mean", "1", "Mean angiogenic factor where cells are, at the end.")
_at_end("matrix_mean", "1", "Mean density of matrix where cells are, at the end.")
_at_end("macrophages_mean", "1", "Mean density of macrophages where cells are, at the end.")
_at_end("neutrophils_mean", "1", "Mean density of neutrophils where cells are, at the end.")
_at_end("mmp9_mean", "1", "Mean MMP-9 where cells are, at the end.")
_at_end("sprouts", "sprouts", "Sprouts at the end.")
_at_end("maturity_core", "1", "Mean maturity of the vessels in the core, at the end.")
_at_end("maturity_border", "1", "Mean maturity of the vessels in the border, at the end.")


def _per_million_day(results, name):
    """What is added to a column in a day for every million cells of the tumor, in the second half of the run."""
    time_h, later = _later(results)
    count = _column(results, name)[later]
    return 24e6 * (count[-1] - count[0]) / (time_h[-1] - time_h[later][0]) / float(
        np.mean(_column(results, "tissue")[later]))


@readout("cells/day per 1e6 cells")
def divided_per_million_day(results):
    """Divisions in a day for every million cells of the tumor, in the second half of the run."""
    return _per_million_day(results, "divided_tissue")


@readout("cells/day per 1e6 cells")
def apoptosis_per_million_day(results):
    """Cells that died by apoptosis in a day for every million cells of the tumor, in the second half of the run."""
    return _per_million_day(results, "apoptosis")


@readout("cells/day per 1e6 cells")
def necrosis_per_million_day(results):
    """The same for want of oxygen."""
    return _per_million_day(results, "necrosis")


@readout("cells/day per 1e6 cells")
def lymph_per_million_day(results):
    """Cells that left the tumor with lymph in a day for every million of its cells, in the second half of the run."""
    return _per_million_day(results, "shed_lymph")


@readout("1")
def mutants_per_division(results):
    """Daughters with a mutation for each division in tissue."""
    divided = _column(results, "divided_tissue")[-1]
    return float(_column(results, "mutated")[-1] / divided) if divided else math.nan


# --- when what was first there -----------------------------------------------------------------------------------

def _day(results, name):
    """The time of a column that says when something was first there [days]; nan: not in this run."""
    seconds = _column(results, name)[-1]
    return seconds / DAY_S if seconds >= 0 else math.nan


@readout("days")
def detected_day(results):
    """When the tumor had staging.detection_cells cells."""
    return _day(results, "detected_s")


@readout("days")
def first_shed_day(results):
    """When the first cell had entered the blood from the tumor."""
    return _day(results, "first_shed_s")


@readout("days")
def shed_to_detection_days(results):
    """From the first shed cell to the detection of the tumor."""
    return detected_day(results) - first_shed_day(results)


@readout("days")
def lesion_to_detection_days(results):
    """From the first lesion to the detection of the tumor."""
    return detected_day(results) - _day(results, "first_lesion_s")


def _before(first, detected):
    """1 if something was there before the tumor was detected, 0 if not, nan if neither was there yet."""
    if math.isnan(first):
        return math.nan if math.isnan(detected) else 0.0
    return float(not first >= detected)


@readout("1")
def shed_before_detection(results):
    """1 if the first cell was shed before the tumor was detected, else 0."""
    return _before(first_shed_day(results), detected_day(results))


@readout("1")
def lesion_before_detection(results):
    """1 if the first lesion was there before the tumor was detected, else 0."""
    return _before(_day(results, "first_lesion_s"), detected_day(results))


@readout("cells")
def shed_at_detection(results):
    """Cells that had entered the blood when the tumor was detected, between two outputs on a straight line."""
    time_s, day = _column(results, "time_s"), detected_day(results)
    return float(np.interp(DAY_S * day, time_s, _column(results, "shed"))) if math.isfinite(day) else math.nan


@readout("cells")
def cells_at_first_shed(results):
    """Cells of the tumor when the first one had entered the blood, between two outputs on a straight line."""
    time_s, day = _column(results, "time_s"), first_shed_day(results)
    return float(np.interp(DAY_S * day, time_s, _column(results, "tissue"))) if math.isfinite(day) else math.nan
