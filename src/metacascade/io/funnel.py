"""The fate funnel: of the cells that were shed, how many came how far, in which organ, and when.

Stages, each a share of an earlier one: `shed`; `survived`, did not die while flowing, with daughters that were born in
vessels (the share may be above 1); `arrested`, held fast in an organ or born in its vessels, and not let go again;
`extravasated`; then lesions, at the last output: `alive`, of these `dormant`, and `micro`, that grow, of these `macro`,
with vessels of their own. Up to `extravasated` cells are counted since the start of the run.
"""
from itertools import chain

import numpy as np

from metacascade.io import needs
from metacascade.io.needs import LEFT, WHOLE, Missing

BEFORE = {"shed": None, "survived": "shed", "arrested": "survived", "extravasated": "arrested", "alive": "extravasated",
          "dormant": "alive", "micro": "alive", "macro": "micro"}       # stage: that of which it is a share
IN_LESIONS = ("alive", "dormant", "micro", "macro")
DIED_FLOWING = ("anoikis", "shear", "nk_flowing", "torn")       # events, of the table of events
QUANTILES = 0.5, 0.1, 0.9


def funnel(results) -> list[dict]:
    """A row for each stage, of the whole body (organ "") and of each organ where it has any.

    `stage`, `organ`, `unit`, `count`, `share` of the stage `of`, and `median_h`, `p10_h`, `p90_h`: hours from shedding
    to that stage, of those whose rows are there. Of what lives where cells were put straight into an organ there is no
    share: these have not extravasated.
    """
    counted, times = counts(results), times_of(results)
    put = needs.put_into(results)
    put |= {WHOLE} if put else set()
    found = []
    for stage, by_organ in counted.items():
        for organ, n in by_organ.items():
            of = BEFORE[stage]
            base = counted[of].get(organ, counted[of][WHOLE]) if of else None
            base = None if stage == "alive" and organ in put else base
            found.append(dict(
                stage=stage, organ=organ, unit="lesions" if stage in IN_LESIONS else "cells", count=n, of=of,
                share=n / base if base else None, **_hours(times.get(stage, {}).get(organ))))
    return found


def _hours(values):
    found = [None] * 3 if values is None or not len(values) else np.quantile(values, QUANTILES).tolist()
    return dict(zip(("median_h", "p10_h", "p90_h"), found))


def counts(results) -> dict[str, dict[str, int]]:
    """{stage: {organ: number}}; organ "" is the whole body."""
    needs.time_h(results)
    held, died, born, left = _walks(results)
    shed = int(needs.entered(results)[-1])
    found = {
        "shed": {WHOLE: shed}, "survived": {WHOLE: shed + born - died},
        "arrested": _with_sum(held), "extravasated": _with_sum(left, int(needs.column(results, "extravasated")[-1]))}
    return found | {stage: _with_sum(by_organ) for stage, by_organ in lesion_counts(results).items()}


def _walks(results):
    """(cells arrested, not let go, by node; that died flowing; that were born in vessels; that left them, by node)."""
    events = needs.events(results)
    died = sum(sum(events.get(name, {}).values()) for name in DIED_FLOWING)
    born, held = sum(events.get("divided", {}).values()), {}
    for name, sign in (("trapped", 1), ("bound", 1), ("divided", 1), ("released", -1)):     # daughters are released too
        for node, n in events.get(name, {}).items():
            held[node] = held.get(node, 0) + sign * n
    return {node: n for node, n in held.items() if n}, died, born, events.get("extravasated", {})


def _with_sum(by_organ, whole=None):
    """Numbers by organ, behind that of the whole body: their sum, or `whole`."""
    return {WHOLE: sum(by_organ.values()) if whole is None else whole} | by_organ


def lesion_counts(results) -> dict[str, dict[str, int]]:
    """Lesions at the last output: {stage: {organ: number}}."""
    names, found = needs.nodes(results), {stage: {} for stage in IN_LESIONS}
    rows = needs.at_last(results, "organs")
    for row in rows[~np.isin(rows["node"], needs.numbers_of(results, "organs", "node", (needs.TUMOR,)))]:
        for stage, n in states_of(row).items():
            if n:
                found[stage][names[int(row["node"])]] = n
    return found


def states_of(row) -> dict[str, int]:
    """{stage: lesions} of a row of the table by organ."""
    alive, dormant, micro, vascular = (int(row[name]) for name in ("lesions", "dormant", "micro", "vascular"))
    return dict(alive=alive, dormant=dormant, micro=micro + vascular, macro=vascular)


def times_of(results) -> dict[str, dict[str, np.ndarray]]:
    """Hours from shedding to a stage: {stage: {organ: array}}; stages and organs of which no row tells are left out."""
    try:
        left = exits(results)
    except Missing:
        return {}
    walked = left[left["t_event"] > left["t_shed"]]      # the others were put into the organ
    found = {"extravasated": (walked["node"], walked["t_event"] - walked["t_shed"])}
    try:
        found |= _times_of_lesions(results, left)
    except Missing:
        pass
    names = needs.nodes(results)
    return {stage: dict(chain([(WHOLE, hours)], (
        (names[int(node)], hours[at == node]) for node in np.unique(at)))) for stage, (at, hours) in found.items()}


def exits(results) -> np.ndarray:
    """Rows of shed cells that left a vessel in an organ: fields id, t_shed, t_event, node, origin, flags, n."""
    fields = ["id", "t_shed", "t_event", "node", "origin", "flags", "n"]
    left = needs.numbers_of(results, "shed", "fate", LEFT)
    found = [rows[np.isin(rows["fate"], left)][fields] for rows in needs.shed_rows(results, ["fate", *fields])]
    return np.concatenate(found)


def founders(left, lesions) -> np.ndarray:
    """The row of `exits` of the founder of each lesion, -1 if it is not there: it left a vessel of this organ then."""
    order = np.lexsort((left["node"], left["t_event"]))
    at = {key: i for key, i in zip(zip(left["t_event"][order].tolist(), left["node"][order].tolist()), order.tolist())}
    return np.array([at.get(key, -1) for key in zip(lesions["t_founded"].tolist(), lesions["node"].tolist())], int)


def _times_of_lesions(results, left):
    """{stage: (nodes, hours)} of the lesions that are in this stage at the end."""
    lesions = needs.lesions(results)
    row = founders(left, lesions)
    lesions, since = lesions[row >= 0], left["t_shed"][row[row >= 0]]
    state, found = results.names("lesions")["state"], {}
    for stage, told in (("dormant", "dormant"), ("micro", "micro"), ("macro", "vascular")):
        there = np.isin(lesions["state"], [number for number, name in state.items() if name == told])
        found[stage] = lesions["node"][there], (lesions["t_state"] - since)[there]
    return found
