"""Scales of rates in time: what the windows of [[therapy]] make of them, from data alone.

The scale of a rate is a step function of absolute time, the same however time is cut into steps:

    scale(t) = product over its therapies of  otherwise + (factor - otherwise) w(t)

with w = 1 inside of a window and 0 elsewhere; w rises linearly over `ramp` from the start of a window, and falls as
2^(-t / half_life) after its end. Rise and fall go in steps, on a grid that begins with the window: each step has the
mean of the curve over it, so what is integrated over whole steps is exact. Windows that add (`config.windows.Added`)
are one factor together, their sum. Times are whole seconds.
"""
import math
from itertools import pairwise

RISE = 8         # steps of a ramp
FALL = 4         # steps of a half-life
FADED = 10       # half-lives after which nothing is left


class Schedule:
    """The scales of all rates that therapies act on.

    Parameters
    ----------
    therapies : sequence
        Each with ``rate``, ``factor``, ``otherwise``, ``start_s``, and ``duration_s``, ``every_s``, ``times``,
        ``ramp_s``, ``half_life_s``, which may be None (`config.interventions.Therapy`).

    Attributes
    ----------
    names : tuple of str
        The rates that have a therapy, in the order in which they first come.
    """

    def __init__(self, therapies):
        self.names = tuple(dict.fromkeys(plan.rate for plan in therapies))
        self._plans = {name: [plan for plan in therapies if plan.rate == name] for name in self.names}

    def scale(self, name: str, t_s: int) -> float:
        """The scale of a rate from second `t_s` on; 1 for a rate without therapy."""
        scale, added = 1.0, []
        for plan in self._plans.get(name, ()):
            if getattr(plan, "adds", False):
                added.append(_scale(plan, t_s))
            else:
                scale *= _scale(plan, t_s)
        return scale * math.fsum(added) if added else scale

    def changes(self, name: str, t0_s: int, t1_s: int) -> list[int]:
        """Seconds t0 <= t < t1 at which the scale of a rate becomes another; one of time 0 is none."""
        edges = sorted({edge for plan in self._plans.get(name, ()) for edge in _edges(plan, t0_s, t1_s)})
        return [t for t in edges if t > 0 and self.scale(name, t) != self.scale(name, t - 1)]

    def mean(self, name: str, t0_s: int, t1_s: int) -> float:
        """The mean scale of a rate over t0 <= t < t1: with it, a constant hazard has as many events as it should."""
        cuts = [t for t in self.changes(name, t0_s, t1_s) if t > t0_s]
        if not cuts:
            return self.scale(name, t0_s)
        return math.fsum(self.scale(name, a) * (b - a) for a, b in pairwise([t0_s, *cuts, t1_s])) / (t1_s - t0_s)

    # --- of all rates ---------------------------------------------------------------------------------------

    def scales(self, t_s: int, compartment: str = "") -> dict[str, float]:
        """Name and scale of the rates that begin with `compartment`, from second `t_s` on."""
        return {name: self.scale(name, t_s) for name in self.names if name.startswith(compartment)}

    def means(self, t0_s: int, t1_s: int, compartment: str = "") -> dict[str, float]:
        """The same over t0 <= t < t1."""
        return {name: self.mean(name, t0_s, t1_s) for name in self.names if name.startswith(compartment)}

    def of_step(self, t0_s: int, t1_s: int, fields) -> dict[str, float]:
        """The means of all rates over a step; those of a field that is solved every k steps over k of them."""
        scales = self.means(t0_s, t1_s)
        for field in fields:
            for names in (f"{field.name}.", f"field.{field.name}."):
                scales |= self.means(t0_s, t0_s + field.every * (t1_s - t0_s), names)
        return scales

    def all_changes(self, t0_s: int, t1_s: int, compartment: str = "") -> list[int]:
        """When any of these rates changes, t0 <= t < t1, ascending."""
        names = [name for name in self.names if name.startswith(compartment)]
        return sorted({t for name in names for t in self.changes(name, t0_s, t1_s)})


def _scale(plan, t_s):
    w = _effect(plan, t_s)
    if w in (0.0, 1.0):             # exactly the numbers that were given
        return plan.factor if w else plan.otherwise
    return plan.otherwise + (plan.factor - plan.otherwise) * w


def _effect(plan, t_s):
    """w of the second that begins at `t_s`: of the window that it is in, or of the last one as it wears off."""
    k = _window(plan, t_s)
    if k < 0:
        return 0.0
    inside = t_s - _start(plan, k)
    if inside < _duration(plan):
        before = _fall(plan, t_s - _start(plan, k - 1) - _duration(plan)) if k else 0.0
        return max(_rise(plan, inside), before)
    return _fall(plan, inside - _duration(plan))


def _window(plan, t_s):
    """The number of the window that began last; -1 before the first."""
    if t_s < plan.start_s:
        return -1
    if plan.every_s is None:
        return 0
    k = (t_s - plan.start_s) // plan.every_s
    return k if plan.times is None else min(k, plan.times - 1)


def _start(plan, k):
    return plan.start_s + k * (plan.every_s or 0)


def _duration(plan):
    return math.inf if plan.duration_s is None else plan.duration_s


def _rise(plan, since_s):
    if not plan.ramp_s or since_s >= plan.ramp_s:
        return 1.0
    edges = _rise_edges(plan)
    j = max(i for i, edge in enumerate(edges) if edge <= since_s)
    return (edges[j] + edges[j + 1]) / (2 * plan.ramp_s)


def _rise_edges(plan):
    """Where the steps of a ramp begin, after the start of the window, and its end [s]."""
    return sorted({j * plan.ramp_s // RISE for j in range(RISE + 1)})


def _fall(plan, since_s):
    if not plan.half_life_s or since_s >= _fall_steps(plan) * _fall_step(plan):
        return 0.0
    step = _fall_step(plan)
    each = step / plan.half_life_s * math.log(2.0)
    return math.exp(-(since_s // step) * each) * -math.expm1(-each) / each


def _fall_step(plan):
    return max(plan.half_life_s // FALL, 1)


def _fall_steps(plan):
    return math.ceil(FADED * plan.half_life_s / _fall_step(plan))


def _edges(plan, t0_s, t1_s):
    """Seconds t0 <= t < t1 at which w may change."""
    if t1_s <= plan.start_s:
        return
    last = _window(plan, t1_s - 1)
    for k in range(max(_window(plan, t0_s) - 1, 0), last + 1):
        for edge in _window_edges(plan, _start(plan, k), t0_s, t1_s):
            if t0_s <= edge < t1_s:
                yield edge


def _window_edges(plan, start_s, t0_s, t1_s):
    yield start_s
    if plan.ramp_s:
        yield from (start_s + edge for edge in _rise_edges(plan))
    if plan.duration_s is not None:
        end_s = start_s + plan.duration_s
        yield end_s
        if plan.half_life_s:
            step = _fall_step(plan)
            first = max((t0_s - end_s) // step, 0)
            last = min((t1_s - end_s) // step, _fall_steps(plan))
            yield from (end_s + j * step for j in range(first, last + 1))
