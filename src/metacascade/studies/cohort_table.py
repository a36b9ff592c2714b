"""Tables of a cohort: survival and freedom from distant recurrence by year after diagnosis, and organs.

By Kaplan and Meier, with the variance of Greenwood; intervals of 95 % are cut to 0 .. 1.
"""
import csv
import io
import math
from pathlib import Path

import numpy as np

from metacascade.base.intervals import NORMAL, kaplan_meier, wilson
from metacascade.base.numerals import counted
from metacascade.base.units import YEAR_S
from metacascade.io import atomic
from metacascade.io.bloodcount import MANY
from metacascade.model.patient import CAUSES
from metacascade.studies.cohort_laws import years_or_days
from metacascade.studies.cohort_patient import NOWHERE, PLACES

NAMES = dict(recurrence="cohort_recurrence.csv", survival="cohort_survival.csv", organs="cohort_organs.csv",
             patients="cohort_patients.csv")
PER_YEAR = {"s": YEAR_S, "h": YEAR_S / 3600}
DECIMALS = 6                # of a year: half a minute
HEAD = ("year", "at_risk", "events", "censored", "share", "standard_error", "low", "high")


def followed_times(rows, event):
    """(time from diagnosis [s], whether it ended with the event) of those who are at risk of it after diagnosis.

    event: "survival", death of the tumor; "recurrence", the first distant lesion that is seen, among those who had
    none at diagnosis. Who dies before is censored then.
    """
    at_risk = rows[rows["diagnosed_s"] >= 0]
    if event == "recurrence":
        at_risk = at_risk[(at_risk["recurred_s"] < 0) | (at_risk["recurred_s"] > at_risk["diagnosed_s"])]
    happened = at_risk["recurred_s" if event == "recurrence" else "died_s"]
    return np.where(happened >= 0, happened, at_risk["end_s"]) - at_risk["diagnosed_s"], happened >= 0


def by_year(times_s, events, years):
    """Rows of HEAD at the end of each year, as tuples; the first is that of the diagnosis. At risk is who was not out
    before that moment."""
    times, happened, left, variance = kaplan_meier(times_s, events)
    rows, before = [(0, len(times), 0, 0, 1.0, 0.0, 1.0, 1.0)], 0
    for year in range(1, years + 1):
        end = int(np.searchsorted(times, year * YEAR_S, "right"))
        died = int(happened[before:end].sum())
        share, spread = (float(left[end - 1]), math.sqrt(variance[end - 1])) if end else (1.0, 0.0)
        error = share * spread
        at_risk = len(times) - int(np.searchsorted(times, year * YEAR_S))
        rows.append((year, at_risk, died, end - before - died, share, error, max(share - NORMAL * error, 0.0),
                     min(share + NORMAL * error, 1.0)))
        before = end
    return rows


def first_seen(rows, lesions):
    """Of each patient the node of the lesion that was seen first, NOWHERE: none was; of several at the same moment that
    of the one with the smallest id."""
    seen = lesions[np.isfinite(lesions["t_detected"])]
    seen = seen[np.lexsort((seen["id"], seen["t_detected"], seen["patient"]))]
    patients, first = np.unique(seen["patient"], return_index=True)
    found = np.full(len(rows), NOWHERE)
    found[np.searchsorted(rows["patient"], patients)] = seen["node"][first]
    return found


def by_organ(rows, lesions):
    """Rows of ORGAN_HEAD as tuples, of those diagnosed: patients with a lesion there that was seen, and their share;
    with one that divided; whose first lesion to be seen, or to be founded, was there; lesions seen, and at the end."""
    diagnosed = rows[rows["diagnosed_s"] >= 0]
    lesions = lesions[np.isin(lesions["patient"], diagnosed["patient"])]
    left = np.bincount(lesions["node"][lesions["n"] > 0], minlength=len(PLACES))
    site, found = first_seen(diagnosed, lesions), []
    for node, name in enumerate(PLACES):
        seen, grew = diagnosed["detected_by_organ"][:, node], diagnosed["lesions_by_organ"][:, node]
        patients, first = int(np.count_nonzero(seen)), int(np.count_nonzero(site == node))
        founded = np.count_nonzero(diagnosed["first_organ"] == node)
        if grew.any() or left[node]:
            found.append((name, patients, patients / max(len(diagnosed), 1), np.count_nonzero(grew), first, founded,
                          int(seen.sum()), int(left[node])))
    return sorted(found, key=lambda row: (-row[1], -row[3], row[0]))


ORGAN_HEAD = ("organ", "patients_seen", "share_of_diagnosed", "patients_divided", "first_seen", "first_founded",
              "lesions_seen", "lesions_left")


def years_of(rows) -> int:
    """Whole years of follow-up."""
    followed = rows[rows["diagnosed_s"] >= 0]
    longest = int((followed["end_s"] - followed["diagnosed_s"]).max(initial=0))
    return max(math.ceil(longest / YEAR_S), 1)


TITLES = {"recurrence": "free of distant recurrence",
          "survival": "survival from the cancer alone, as nobody dies of anything else"}


def report(rows, lesions, tubes=()) -> list[str]:
    """Lines for a terminal. `tubes`: those of blood in the file of the cohort."""
    causes = [(name, int((rows["cause"] == i).sum())) for i, name in enumerate(CAUSES)]
    lines = ["  " + ", ".join(f"{n:,} {name}" for name, n in causes if n)]
    years = years_of(rows)
    for event, title in TITLES.items():
        table = by_year(*followed_times(rows, event), years)
        lines.append(f"  {title} (Kaplan-Meier, 95 % by Greenwood):")
        shown = [row for row in table if row[0] <= 2 or row[0] % 5 == 0 or row[0] == years]
        lines += [f"    year {row[0]:>3}  {100 * row[4]:5.1f} % ({100 * row[6]:.1f} to {100 * row[7]:.1f})  "
                  f"{row[1]:,} at risk" for row in shown]
    organs = [f"    {name:12}{100 * share:5.1f} %  {counted(seen, 'patient')}, the first that was seen in {first:,}"
              for name, seen, share, _, first, *_ in by_organ(rows, lesions) if seen]
    lines += ["  organs with a lesion that was seen, of those diagnosed:" + " none" * (not organs), *organs]
    return lines + [f"  {_of_tube(rows, k, tube)}" for k, tube in enumerate(tubes)]


def _of_tube(rows, k, tube):
    """What was found in a tube of blood, in words: tubes that were not drawn do not count."""
    drawn = rows[rows[f"tube{k}_s"] >= 0]
    when = f"{years_or_days(tube.time_s)} after" if tube.time_s else "at"
    head = f"tube{k}, {tube.volume_mL:g} mL {when} {tube.after}: "
    if not len(drawn):
        return head + "drawn from nobody"
    found, shares = drawn[f"tube{k}_found"], []
    for least in (1, MANY):
        share = np.count_nonzero(found >= least) / len(drawn)
        low, high = wilson(share, len(drawn))
        shares.append(f"{least} or more in {100 * share:.0f} % ({100 * low:.0f} to {100 * high:.0f})")
    return f"{head}{counted(len(drawn), 'patient')}, median {np.median(found):,g} cells found, {', '.join(shares)}"


def write(directory, rows, lesions, units):
    """Write the CSV tables."""
    years = years_of(rows)
    for event in ("recurrence", "survival"):
        _write(directory, event, HEAD, by_year(*followed_times(rows, event), years))
    _write(directory, "organs", ORGAN_HEAD, by_organ(rows, lesions))
    _write(directory, "patients", *patients(rows, lesions, units))


def patients(rows, lesions, units):
    """(names of columns with units, rows) of the table of patients, as people read it: times in years."""
    columns = [(_head(name, units[name]), rows[name], name, units[name]) for name in rows.dtype.names
               if rows.dtype[name].shape == ()]
    columns.insert([name for _, _, name, _ in columns].index("first_organ"), (
        "first_organ_seen", first_seen(rows, lesions), "first_organ", "node"))
    return [head for head, *_ in columns], [
        [_told(name, one.item(), unit) for (*_, name, unit), one in zip(columns, row)]
        for row in zip(*(values for _, values, *_ in columns))]


def _head(name, unit):
    """The name of a column, with its unit; times are in years."""
    if name == "first_organ":
        return "first_organ_founded"
    if unit in PER_YEAR:
        return f"{name.removesuffix('_s')} [year]"
    return f"{name} [{unit}]" if unit not in ("1", "cause", "node") else name


def _told(name, value, unit):
    """A value for people; nothing for what never was."""
    if name == "cause":
        return CAUSES[value]
    if name == "first_organ":
        return PLACES[value] if value != NOWHERE else ""
    if value != value or isinstance(value, int) and value < 0:
        return ""
    return round(value / PER_YEAR[unit], DECIMALS) if unit in PER_YEAR else value


def _write(directory, name, head, rows):
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(head)
    table.writerows(rows)
    atomic.write_text(Path(directory) / NAMES[name], text.getvalue())


