"""A cohort: survival and freedom from recurrence, incidence by organ, and a table of patients."""
import json
import math
from pathlib import Path

import numpy as np

from metacascade.base.intervals import NORMAL, kaplan_meier
from metacascade.base.units import YEAR_S
from metacascade.io import datasets
from metacascade.io.needs import Missing
from metacascade.model.patient import CAUSES
from metacascade.report import html, style
from metacascade.report.plate import Plate, csv_text
from metacascade.studies import cohort_file, cohort_results, cohort_table
from metacascade.studies.cohort_patient import PLACES

SHOWN, MOST_ORGANS, AT_RISK = 200, 8, 6     # patients in the page; organs with a curve; times with numbers at risk
TITLES = {"survival": "alive (nobody dies of anything but the tumor)", "recurrence": "free of distant recurrence"}

COLUMNS = {     # of the table in the page: column of the CSV, head
    "patient": "patient", "age_diagnosis [year]": "age at diagnosis", "diagnosed [year]": "diagnosed after [years]",
    "tumor_cells [cells]": "cells of the tumor then", "recurred [year]": "first lesion seen after [years]",
    "first_organ_seen": "where", "detected [lesions]": "lesions seen", "divided [lesions]": "lesions that divided",
    "end [year]": "followed until [years]", "cause": "ended by"}


class Cohort:
    """The results of a cohort, up to now if it is not done: `rows` of patients, `lesions`, `units`, `plan`."""

    def __init__(self, path):
        self.path, self.session = Path(path) / cohort_results.NAME if Path(path).is_dir() else Path(path), None
        if self.path.exists():
            self.rows, self.lesions, self.units = cohort_results.read(self.path)
            with datasets.open_file(self.path) as h5:
                self.plan, self.session = (
                    json.loads(h5[name].asstr()[()]) for name in ("config/plan", "provenance/session"))
        else:
            self.plan = cohort_results.plan_in(self.path.parent)
            self.rows, self.lesions, self.units = cohort_results.so_far(self.path.parent)
        self.diagnosed = self.rows[self.rows["diagnosed_s"] >= 0]

    @property
    def title(self):
        """Of the file of the cohort."""
        return self.plan["cohort"].get("title") or "A cohort"


def what(cohort) -> str:
    """How many patients, and what became of them."""
    causes = {name: int((cohort.rows["cause"] == k).sum()) for k, name in enumerate(CAUSES)}
    ends = ", ".join(f"{n:,} {name}" for name, n in causes.items() if n)
    planned = cohort_results.patients_of(cohort.plan)
    note = html.paragraph(f"The cohort is not complete: {len(cohort.rows):,} of {planned:,} patients are done; the "
                          "same `metacascade cohort` goes on with it.", "note") * (len(cohort.rows) < planned)
    return note + html.paragraph(
        f"{cohort.title}: {len(cohort.rows):,} patients were lived through, each with a lumped tumor and values drawn "
        f"for each; {len(cohort.diagnosed):,} were diagnosed. How they ended: {ends}. Of their lesions "
        f"{len(cohort.lesions):,} divided. Nobody dies of anything but the tumor.", "lead")


def told(cohort) -> str:
    """What `info` tells of the cohort, tubes of blood among it."""
    tubes = cohort_file.tubes_of(cohort.plan["cohort"].get("tube", []), [])
    return html.details("As `metacascade info` tells it", html.code(
        "\n".join(cohort_table.report(cohort.rows, cohort.lesions, tubes))))


def survival(cohort) -> Plate:
    """Kaplan-Meier curves from diagnosis, with those at risk and those censored."""
    if not len(cohort.diagnosed):
        raise Missing("nobody was diagnosed")
    figure, axes = style.figure(2, 1, height_in=4.7, sharex=True, height_ratios=(5, 1.1))
    years, rows = cohort_table.years_of(cohort.rows), []
    below = axes[1, 0]
    for k, ((event, title), (color, dash)) in enumerate(zip(TITLES.items(), style.steps(2))):
        times, ended = cohort_table.followed_times(cohort.rows, event)
        _curve(axes[0, 0], times, ended, color=color, linestyle=dash, label=title)
        for year in _years(years):
            below.text(year, k, f"{int((times >= year * YEAR_S).sum()):,}", ha="center", va="center", color=color,
                       fontsize=style.SMALL)
        rows += [{"event": event} | dict(zip(cohort_table.HEAD, row))
                 for row in cohort_table.by_year(times, ended, years)]
    axes[0, 0].set(ylabel="share of the diagnosed", ylim=(0, 1.02), xlim=(-0.03 * years, 1.03 * years))
    axes[0, 0].legend(loc="lower left")
    below.set(ylim=(1.6, -0.6), xlabel="time since diagnosis [years]")
    below.set_yticks([0, 1], ["alive, at risk", "recurrence, at risk"])
    below.set_xticks(_years(years))
    below.grid(False)
    below.spines["left"].set_visible(False)
    return Plate("survival", "Kaplan and Meier's estimate from diagnosis on, with bands of 95 % by Greenwood's "
                             "variance; ticks are those lost from sight (the end of their follow-up, or for "
                             "recurrence death), below are the numbers at risk. Who had a distant lesion at diagnosis "
                             "is not at risk of recurrence.", figure, rows)


def _years(years):
    step = max(math.ceil(years / (AT_RISK - 1)), 1)
    return list(range(0, years + 1, step))


def _curve(axis, times_s, ended, **how):
    times, ended, share, variance = kaplan_meier(times_s, ended)
    years, error = times / YEAR_S, NORMAL * share * np.sqrt(variance)
    x = np.append(0.0, years)
    axis.step(x, np.append(1.0, share), where="post", **how)
    axis.fill_between(x, np.append(1.0, np.maximum(share - error, 0)), np.append(1.0, np.minimum(share + error, 1)),
                      step="post", color=how["color"], alpha=0.2, linewidth=0)
    lost = np.unique(np.column_stack([np.round(years[~ended], 2), share[~ended]]), axis=0)
    axis.plot(lost[:, 0], lost[:, 1], "|", color=how["color"], markersize=7)


def incidence(cohort) -> Plate:
    """Cumulative incidence of a distant lesion that is seen, by organ; death of the tumor competes."""
    seen = {node: times for node in range(len(PLACES)) if len(times := _seen(cohort, node))}
    if not seen:
        raise Missing("no distant lesion was seen in anybody who was diagnosed")
    order = sorted(seen, key=lambda node: (-len(seen[node]), node))[:MOST_ORGANS]
    figure, axes = style.figure(height_in=3.6)
    axis, rows, last = axes[0, 0], [], cohort_table.years_of(cohort.rows)
    for node, (color, dash) in zip(order, style.steps(len(order))):
        years, share = cumulative(cohort, node)
        axis.step(np.append(years, last), 100 * np.append(share, share[-1]), where="post", color=color, linestyle=dash,
                  label=f"{PLACES[node]} ({len(seen[node]):,})")
        rows += [{"organ": PLACES[node], "time [years]": float(t), "cumulative incidence": float(s)}
                 for t, s in zip(years, share)]
    axis.set(xlabel="time since diagnosis [years]", ylabel="patients with a lesion seen there [%]", ylim=(0, None),
             xlim=(0, last), xticks=_years(last))
    figure.legend(*axis.get_legend_handles_labels(), loc="outside right upper", title="organ (patients)")
    return Plate("incidence", "Cumulative incidence of the first distant lesion that is seen in each organ, of all "
                              "who were diagnosed, where death of the tumor competes (Aalen and Johansen); those that "
                              f"were there at diagnosis count at 0. The {len(order)} organs with most patients.",
                              figure, rows)


def _first_h(cohort, node):
    """When the first lesion was seen in an organ [h from the first cells], of each who was diagnosed; else infinite."""
    there = cohort.lesions[(cohort.lesions["node"] == node) & np.isfinite(cohort.lesions["t_detected"])
                           & np.isin(cohort.lesions["patient"], cohort.diagnosed["patient"])]
    first = np.full(len(cohort.diagnosed), np.inf)
    np.minimum.at(first, np.searchsorted(cohort.diagnosed["patient"], there["patient"]), there["t_detected"])
    return first


def _seen(cohort, node):
    first = _first_h(cohort, node) if PLACES[node] != "tumor" else np.array([np.inf])
    return first[np.isfinite(first)]


def cumulative(cohort, node):
    """(years since diagnosis, share of the diagnosed in whom a lesion was seen in an organ by then)."""
    first_s, rows = 3600 * _first_h(cohort, node), cohort.diagnosed
    until = np.where(np.isfinite(first_s), first_s, rows["end_s"]) - rows["diagnosed_s"]
    until = np.maximum(until, 0.0)
    kind = np.where(np.isfinite(first_s), 1, np.where(rows["died_s"] >= 0, 2, 0))     # seen; died; lost from sight
    times, at_risk, left, found, steps = [0.0], len(until), 1.0, 0.0, [0.0]
    for time in np.unique(until):
        here = kind[until == time]
        found += left * np.count_nonzero(here == 1) / at_risk
        left *= 1.0 - np.count_nonzero(here > 0) / at_risk
        at_risk -= len(here)
        if np.any(here == 1):
            times.append(time / YEAR_S)
            steps.append(found)
    return np.array(times), np.array(steps)


def by_organ(cohort) -> str:
    """Organs, as a table."""
    return html.table(cohort_table.ORGAN_HEAD, cohort_table.by_organ(cohort.rows, cohort.lesions), "Lesions by organ")


def table(cohort) -> tuple[str, str]:
    """(the first patients as HTML, all of them as CSV)."""
    head, rows = cohort_table.patients(cohort.rows, cohort.lesions, cohort.units)
    note = (f"The first {min(SHOWN, len(rows)):,} of {len(rows):,} patients. All, with every value that was drawn for "
            "them, are in figures/patients.csv.")
    at = [head.index(name) for name in COLUMNS if name in head]
    shown = html.paragraph(note) + html.table([COLUMNS[head[k]] for k in at],
                                              [[row[k] for k in at] for row in rows[:SHOWN]])
    return shown, csv_text([dict(zip(head, row)) for row in rows])


def provenance(cohort) -> str:
    """Who made the cohort, and its file."""
    session = cohort.session or {}
    versions = ", ".join(f"{name} {version}" for name, version in session.get("versions", {}).items())
    return html.table(("started", "ranks", "versions", "command"), [(
        session.get("started", "?"), session.get("ranks"), versions, session.get("command", "?"))]) + html.details(
            "The plan of the cohort", html.code(json.dumps(cohort.plan["cohort"], indent=1)))


SECTIONS = (
    ("summary", "Who was simulated", (what, told)), ("survival", "Survival and recurrence", (survival,)),
    ("organs", "Organs", (incidence, by_organ)), ("patients", "Patients", ()),
    ("provenance", "Provenance", (provenance,)))
