"""What experiments on populations read out of cohorts: numbers of each patient, and a statistic of them.

A read-out is a function of the tables of patients and of lesions, as `cohort_results.read` returns them: one number,
or one row of numbers, for each patient; nan: the patient does not count. Its `statistic` makes of the rows of some
patients, and of the published row, what is compared.
"""
import math

import numpy as np

from metacascade.base.units import YEAR_S
from metacascade.io.bloodcount import MANY
from metacascade.studies.cohort_patient import PLACES
from metacascade.studies.readouts import Missing, readout

VISIBLE = 1_000_000         # cells of a lesion that an autopsy shows: a ball of 2 mm


def of_cohort(unit, statistic):
    """Register a function of patients and lesions, with the statistic of its rows."""
    def register(function):
        function.statistic = statistic
        return readout(unit)(function)
    return register


def mean(values, _):
    """Of those who count; nan if nobody does."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else math.nan


mean.is_mean = True


def median(values, _):
    """Of those who count."""
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else math.nan


def total_ratio(values, _):
    """The sum of the first column over that of the second, of those who have both."""
    known = values[np.isfinite(values).all(axis=1)]
    above, below = known.sum(axis=0) if len(known) else (0.0, 0.0)
    return float(above / below) if below else math.nan


def _since_diagnosis(rows, name):
    """Years from diagnosis to an event; inf: it did not happen. nan: never diagnosed."""
    years = np.where(rows[name] >= 0, (rows[name] - rows["diagnosed_s"]) / YEAR_S, math.inf)
    return np.where(rows["diagnosed_s"] >= 0, years, math.nan)


def _followed(rows):
    return _since_diagnosis(rows, "end_s")


# --- distant recurrence ---------------------------------------------------------------------------------------------

def at_risk(rows):
    """Diagnosed, and without a lesion that was seen by then."""
    seen = _since_diagnosis(rows, "recurred_s")
    return (rows["diagnosed_s"] >= 0) & (seen > 0.0)


def _between(rows, start, end):
    """Of each patient: 1 if a first distant lesion was seen from year `start` to `end` after diagnosis, and the years
    under observation between them; nan: not at risk at `start`."""
    seen, out = _since_diagnosis(rows, "recurred_s"), _followed(rows)
    left = np.minimum(seen, out)
    there = at_risk(rows) & (left > start)
    event = (seen > start) & (seen <= end) & (seen <= out)
    years = np.minimum(left, end) - start
    return np.where(there[:, None], np.column_stack([event, years]), math.nan)


@of_cohort("1", mean)
def recurred_5_years(rows, _):
    """1 if a first distant lesion was seen within five years of diagnosis, of those who had none then."""
    return np.where(at_risk(rows), _since_diagnosis(rows, "recurred_s") <= 5, math.nan)


def _shares(values, _):
    """1 - exp(-H) of the sum H of hazards in spans of time: pairs of columns, events and years, of 5 years each."""
    found = 0.0
    for k in range(0, values.shape[1], 2):
        known = np.isfinite(values[:, k])
        years = values[known, k + 1].sum()
        if not years:
            return math.nan
        found += 5 * values[known, k].sum() / years
    return -math.expm1(-found)


@of_cohort("1", _shares)
def recurred_5_to_20_years(rows, _):
    """Share with a first distant lesion seen in years 5 to 20, of those without one at 5: by the hazards in years 5-10,
    10-15 and 15-20, so that who dies or is out before counts as long as there."""
    return np.hstack([_between(rows, a, a + 5) for a in (5, 10, 15)])


def _hazard_ratio(values, _):
    known = np.nansum(values, axis=0)
    if not (known[0] and known[1] and known[3]):
        return math.nan
    return float((known[2] / known[3]) / (known[0] / known[1]))


@of_cohort("1", _hazard_ratio)
def late_over_early_hazard(rows, _):
    """Hazard of a first distant lesion that is seen in years 15-20 over that in years 5-10."""
    return np.hstack([_between(rows, 5, 10), _between(rows, 15, 20)])


@of_cohort("1/year", lambda values, row: total_ratio(values, row))
def hazard_5_to_10_years(rows, _):
    """First distant lesions that are seen in years 5-10, for each year that somebody without one is followed."""
    return _between(rows, 5, 10)


# --- efficiency -----------------------------------------------------------------------------------------------------

def _of_patients(rows, lesions):
    """How many of some lesions each patient has."""
    return np.bincount(np.searchsorted(rows["patient"], lesions["patient"]), minlength=len(rows))


@of_cohort("1", total_ratio)
def grown_per_shed_cell(rows, lesions):
    """Lesions that ever divided and that the tumor has founded, for each cell that it has shed."""
    own = lesions[(lesions["source"] == 0) & (lesions["born"] > 0)]
    return np.column_stack([_of_patients(rows, own), rows["shed"]]).astype(float)


@of_cohort("1", total_ratio)
def seen_per_shed_cell(rows, lesions):
    """Lesions that have been seen and that the tumor has founded, for each cell that it has shed."""
    own = lesions[(lesions["source"] == 0) & np.isfinite(lesions["t_detected"])]
    return np.column_stack([_of_patients(rows, own), rows["shed"]]).astype(float)


# --- tubes of blood -------------------------------------------------------------------------------------------------

def _tube(rows, k, name):
    """A column of the k-th tube; nan: not drawn."""
    if f"tube{k}_s" not in rows.dtype.names:
        raise Missing(f"the cohort has no {k + 1} tubes of blood")
    return np.where(rows[f"tube{k}_s"] >= 0, rows[f"tube{k}_{name}"], math.nan)


@of_cohort("CTCs/L", mean)
def tube_ctcs_per_L(rows, _):
    """Circulating tumor cells in a liter of venous blood, expected at the first tube, of patients who have no lesion
    that was seen at diagnosis: from the tumor, and from lesions that are not seen."""
    return np.where(at_risk(rows), _tube(rows, 0, "ctcs_per_L"), math.nan)


@of_cohort("CTCs", mean)
def tube_found(rows, _):
    """Cells that are found in the first tube."""
    return _tube(rows, 0, "found")


def _mean_over_median(values, row):
    middle = median(values, row)
    return mean(values, row) / middle if middle else math.inf


@of_cohort("1", _mean_over_median)
def tube_mean_over_median(rows, _):
    """Mean of the cells that are found in the first tube over their median; infinite if that is 0."""
    return _tube(rows, 0, "found")


@of_cohort("1", mean)
def tube_positive(rows, _):
    """1 if five or more cells are found in the first tube, as CellSearch counts."""
    found = _tube(rows, 0, "found")
    return np.where(np.isfinite(found), found >= MANY, math.nan)


def _without_disease(rows, k, least):
    """1 if at least so many cells are found in the k-th tube; nan: a distant lesion has been seen by then."""
    found, seen = _tube(rows, k, "found"), rows["recurred_s"]
    well = np.isfinite(found) & at_risk(rows) & ((seen < 0) | (seen > rows[f"tube{k}_s"]))
    return np.where(well, found >= least, math.nan)


@of_cohort("1", mean)
def tube_any_without_disease(rows, _):
    """1 if any cell is found in the first tube, of patients in whom no distant lesion has been seen by then."""
    return _without_disease(rows, 0, 1)


@of_cohort("1", mean)
def tube_five_without_disease(rows, _):
    """1 if five or more cells are found in the first tube, of the same patients."""
    return _without_disease(rows, 0, MANY)


@of_cohort("1", mean)
def second_tube_any_without_disease(rows, _):
    """1 if any cell is found in the second tube, of patients in whom no distant lesion has been seen by then."""
    return _without_disease(rows, 1, 1)


@of_cohort("1", total_ratio)
def third_tube_over_second(rows, _):
    """Circulating tumor cells that are expected at the third tube over those at the second."""
    return np.column_stack([_tube(rows, 2, "ctcs_per_L"), _tube(rows, 1, "ctcs_per_L")])


# --- organs ---------------------------------------------------------------------------------------------------------

def involved(rows, lesions):
    """Of those who died of the tumor: 1 for each place with a lesion of VISIBLE cells at death; nan for all others."""
    large = lesions[lesions["n"] >= VISIBLE]
    found = np.zeros((len(rows), len(PLACES)))
    found[np.searchsorted(rows["patient"], large["patient"]), large["node"]] = 1.0
    found[:, 0] = 0.0                       # the tumor
    return np.where((rows["died_s"] >= 0)[:, None], found, math.nan)


def _shares_of_places(values, which):
    return [mean(values[:, k], None) for k in which]


def _ranks(values):
    """Ranks from 1 on, those of equal ones their mean."""
    values = np.asarray(values)
    return np.array([(values < one).sum() + 0.5 * ((values == one).sum() + 1) for one in values])


def rank_correlation(a, b):
    """Spearman: the correlation of ranks; nan where all of one are equal."""
    a, b = _ranks(a), _ranks(b)
    a, b = a - a.mean(), b - b.mean()
    scale = math.sqrt(float((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / scale if scale else math.nan


def _spearman(values, row):
    shares = _shares_of_places(values, [PLACES.index(name) for name in row.of])
    return rank_correlation(shares, list(row.of.values())) if not math.isnan(shares[0]) else math.nan


@of_cohort("1", _spearman)
def organs_of_the_dead_by_rank(rows, lesions):
    """Spearman's rank correlation of the shares of patients who died with a lesion in an organ, and those published."""
    return involved(rows, lesions)


def _organ(name):
    """Register the share with a lesion in an organ, of those who died of the tumor."""
    def share(rows, lesions):
        return involved(rows, lesions)[:, PLACES.index(name)]
    share.__name__ = f"died_with_{name}"
    share.__doc__ = f"1 if there was a lesion in the {name} at death, of those who died of the tumor."
    of_cohort("1", mean)(share)


for _place in ("lung", "liver", "bone", "adrenal", "brain", "kidney"):
    _organ(_place)


@of_cohort("1", total_ratio)
def liver_over_lung(rows, lesions):
    """Patients with a lesion in the liver at death over those with one in the lung."""
    return involved(rows, lesions)[:, [PLACES.index("liver"), PLACES.index("lung")]]


def _variation(values, row):
    """Half of the sum of differences of the shares of lesions by place, of the published numbers and ours."""
    places = [PLACES.index(name) for name in row.of]
    ours, theirs = np.nansum(values, axis=0)[places], np.array(list(row.of.values()), float)
    return 0.5 * float(np.abs(ours / ours.sum() - theirs / theirs.sum()).sum()) if ours.sum() else math.nan


@of_cohort("1", _variation)
def organs_by_total_variation(rows, lesions):
    """Total variation distance of where the lesions of those who died are, one place of a patient once, and the
    published counts of the same places."""
    return involved(rows, lesions)


# --- brain ----------------------------------------------------------------------------------------------------------

@of_cohort("month", median)
def months_to_brain(rows, lesions):
    """From diagnosis to the first lesion that is seen in the brain, of those who have one; 0: it was there before."""
    brain = lesions[(lesions["node"] == PLACES.index("brain")) & np.isfinite(lesions["t_detected"])]
    first = np.full(len(rows), math.inf)
    np.minimum.at(first, np.searchsorted(rows["patient"], brain["patient"]), 3600.0 * brain["t_detected"])
    months = np.maximum(first - rows["diagnosed_s"], 0.0) / (YEAR_S / 12)
    return np.where(np.isfinite(first) & (rows["diagnosed_s"] >= 0), months, math.nan)
