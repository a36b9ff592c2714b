"""Normal cells in the blood: they lodge and do not grow, until the oncogenes are switched on (as Podsypanina 2008 did)."""
import math

import pytest

from binomial import assert_binomial
from metacascade._kernels._layout import LesionState
from metacascade.config.config import load
from metacascade.mechanisms import plan_of
from metacascade.model.simulation import Simulation
from metacascade.ranks.parallel import serial_world

N, SWITCH, DAYS, RATE, WAKE = 4_000, 40, 60, 0.05, 0.4      # cells; day of the switch, and of the end; [1/day]
RUN = {"run": {"species": "mouse", "step": "1 h", "long_step": "1 day", "duration": f"{DAYS} days"},
       "output": {"interval": "1 day", "checkpoint": "10 days"},
       "colonization": {"clonogenic": 1.0, "early_death": "0/day", "sleep": "24/day", "start": "0/day",
                        "wake": f"{WAKE}/day", "dormant_death": "0/day", "shed": "0/day"},
       "organs": {"lung": {"soil": 1.0}}, "transformation": {"enabled": True, "rate": f"{RATE}/day"},
       "therapy": [{"rate": "lesion.transform", "factor": 1, "otherwise": 0, "start": f"{SWITCH} days"}]}


def lived(days, *injections, **tables):
    sim = Simulation(load(RUN | tables | {"injection": [*injections]}), serial_world())
    while sim.time_s < 86400 * days:
        sim.step()
    return sim


def growing(sim):
    return int((sim.lesions.records["state"] == LesionState.MICRO).sum() + sim.lesions.records["born"].sum())


@pytest.mark.statistical
def test_normal_cells_lie_still_until_the_oncogenes_are_on_and_grow_from_then_on():
    """Binomial, n = 4,000: transformed since the switch 1 - exp(-r t); woken of them, two exponentials in a row."""
    normal = {"organ": "lung", "cells": N, "bits": ["NORMAL"]}
    before = lived(SWITCH, normal)
    assert growing(before) == 0 and before.lesions.cells == N and before.ledger.totals["transformed"] == 0
    after, t = lived(DAYS, normal), DAYS - SWITCH
    assert_binomial(after.ledger.totals["transformed"], N, -math.expm1(-RATE * t))
    assert_binomial(after.ledger.totals["woken"], N,
                    1 - (WAKE * math.exp(-RATE * t) - RATE * math.exp(-WAKE * t)) / (WAKE - RATE))
    assert after.ledger.totals["divided_lesion"] > 0
    assert growing(lived(SWITCH, {"organ": "lung", "cells": N})) > 0, "malignant ones grow at once"


def test_normal_cells_lodge_by_the_blood_and_do_not_divide_in_their_vessels():
    """Tumor cells that are held as they are divide there: it is the bit that keeps normal ones from it."""
    fast = {"vessel_growth": {"divide": "6/day"}, "blood": {"nk": "0/h", "anoikis": "0/h"}}
    normal, tumor = (lived(1, {"cells": 2_000, "bits": bits}, **fast) for bits in (["NORMAL"], []))
    assert normal.ledger.totals["divided_vessel"] == 0 < tumor.ledger.totals["divided_vessel"]
    assert normal.ledger.totals["seeded"] > 20 and growing(normal) == 0


def test_where_it_is_off_nothing_of_it_is_in_the_plan():
    plan = plan_of(load({"tumor": {}}))
    assert plan.bits == () and plan.rate("lesion.transform") is None
    assert not [factor for factor in plan.factors if getattr(factor, "bit", "") == "NORMAL"]
