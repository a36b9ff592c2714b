"""How long cells stay in the blood: half-lives, of the flow as a whole and as they appear.

The whole one is ln 2 times the mean time for which a shed cell flows (Little's law: their mean number over the rate at
which they enter). What appears after the source has stopped need not fall by one exponential: each halving has a time.
"""
import math

import numpy as np

from metacascade.base.intervals import NORMAL, kaplan_meier, student, wilson
from metacascade.io import needs
from metacascade.io.needs import Missing

BLOCKS, FEWEST_BLOCKS = 10, 4       # into which the time is cut for the interval
FEWEST = 8              # cells that the last halving begins with, at least
INSIDE = ("open", "drawn", "resected", "irradiated")      # fates of those whose stay ended by none of the model


def whole(results, since=0.5) -> dict:
    """ln 2 times the mean time in the flow [h]: `half_life_h`, `low_h`, `high_h`, `cells` that entered.

    From the outputs after the share `since` of the time in the file. The interval, 95 %, is that of the ratio by a
    jackknife over parts of this time; nan for fewer than four outputs after the first.
    """
    hours, cells = needs.time_h(results), needs.entered(results)
    circulating = needs.column(results, "circulating")
    later = hours >= hours[0] + since * (hours[-1] - hours[0])
    hours, cells, circulating = hours[later], np.diff(cells[later]), circulating[later]
    flowed = np.diff(hours) * (circulating[1:] + circulating[:-1]) / 2
    if not cells.sum() > 0:
        raise Missing("no cell entered the blood in the second half of the run" if since == 0.5 else
                      "no cell entered the blood in this time")
    if not flowed.sum() > 0:
        raise Missing("no cell was in the flow at any output: they flow for too short a time, or are too few")
    value, error = _ratio(flowed, cells)
    scaled = [math.log(2) * number for number in (value, max(value - error, 0.0), value + error)]
    return dict(zip(("half_life_h", "low_h", "high_h"), scaled), cells=int(cells.sum()))


def _ratio(over, under):
    """The ratio of two sums, and half of its interval of 95 %: jackknife over `BLOCKS` parts."""
    value, blocks = over.sum() / under.sum(), min(BLOCKS, len(over))
    if blocks < FEWEST_BLOCKS:
        return value, math.nan
    over, under = (np.array([part.sum() for part in np.array_split(numbers, blocks)]) for numbers in (over, under))
    rest = under.sum() - under
    if not (rest > 0).all():
        return value, math.nan
    without = (over.sum() - over) / rest
    spread = math.sqrt((blocks - 1) / blocks * float(((without - without.mean()) ** 2).sum()))
    return value, student(blocks - 1) * spread


def decay(results) -> list[dict]:
    """Halvings of the number of circulating cells after the last entry into the blood: see `halvings`.

    From the outputs, between two of them on an exponential; intervals are those of a share of the cells at the start.
    """
    hours, grown = needs.time_h(results), np.diff(needs.entered(results))
    circulating = needs.column(results, "circulating")
    first = int(np.flatnonzero(grown > 0)[-1]) + 1 if (grown > 0).any() else 0
    at_start = circulating[first]
    if at_start < FEWEST or len(hours) < first + 3:
        raise Missing("cells enter the blood up to the end of the run, or few were in it when they ceased to")
    share = circulating[first:] / at_start
    low, high = wilson(share, at_start)
    return halvings(hours[first:] - hours[first], share, low, high, int(at_start))


def survival(results) -> list[dict]:
    """Halvings of the share of CTCs that are still in the blood, flowing or arrested, by their rows: see `halvings`.

    The estimate of Kaplan and Meier 1958 for those that entered in the time of this file, of which those still there,
    drawn, and taken or killed by treatment have left it undecided; intervals by Greenwood's formula on log(-log).
    """
    if not results.complete:
        raise Missing("the run has not ended: cells that are still in the blood have no rows yet")
    begin, inside = needs.time_h(results)[0], needs.numbers_of(results, "shed", "fate", INSIDE)
    end = needs.time_h(results)[-1]
    stays, ended = [], []
    for rows in needs.shed_rows(results, ["t_shed", "t_event", "fate", "n"]):
        rows = rows[rows["t_shed"] >= begin]
        stays.append(np.minimum(rows["t_event"], end) - rows["t_shed"])
        ended.append(~np.isin(rows["fate"], inside))
    return _survival(np.concatenate(stays), np.concatenate(ended))


def _survival(stay, ended):
    if not ended.any():
        raise Missing("no CTC has left the blood")
    stay, ended, share, variance = kaplan_meier(stay, ended)
    with np.errstate(divide="ignore", invalid="ignore"):
        width = np.exp(NORMAL * np.sqrt(variance) / -np.log(share))
        undecided = (share == 1) | (share == 0)     # of which the formula has no bounds
        low, high = np.where(undecided, share, share**width), np.where(undecided, 1.0, share**(1 / width))
    at = np.flatnonzero(ended)
    curves = [np.append(first, values[at]) for first, values in ((0.0, stay), (1.0, share), (1.0, low), (1.0, high))]
    return halvings(*curves, len(stay), steps=True)


def halvings(hours, share, low, high, n, steps=False) -> list[dict]:
    """When a share, from 1 on, has come to 1/2, 1/4, ...: `share`, `hours`, `low_h`, `high_h`, `last_h`.

    `last_h` is the time of this halving alone. `low` and `high` are bounds of the share; a bound that is not met in the
    time looked at gives infinity. It ends where a halving begins with fewer than FEWEST of `n`. `steps`: it falls at
    once, not between two times on an exponential.
    """
    found, before, part = [], 0.0, 0.5
    while n * part * 2 >= FEWEST:
        at = crossing(hours, share, part, steps)
        if not math.isfinite(at):
            break
        found.append(dict(share=part, hours=at, low_h=crossing(hours, low, part, steps),
                          high_h=crossing(hours, high, part, steps), last_h=at - before))
        before, part = at, part / 2
    return found


def crossing(hours, share, part, steps=False) -> float:
    """The first time at which `share` is not above `part`; infinite if it is never."""
    below = np.flatnonzero(~(share > part))
    if not len(below):
        return math.inf
    k = int(below[0])
    if steps or k == 0 or not share[k] > 0:
        return float(hours[k])
    weight = math.log(share[k - 1] / part) / math.log(share[k - 1] / share[k])
    return float(hours[k - 1] + weight * (hours[k] - hours[k - 1]))
