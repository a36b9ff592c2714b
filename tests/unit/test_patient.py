"""When the tumor of a patient is found."""
import math

import pytest

from metacascade.config.config import load
from metacascade.model.patient import Patient, Watch

DAY = 86400
GROWING = {"run": {"species": "mouse", "step": "2 days", "duration": "2 days"},
           "output": {"interval": "2 days", "checkpoint": "2 days"}, "tumor": {"cells": 10_000, "lumped": True},
           "lumped": {"gompertz": "0.02/day", "shed": "0/day", "capacity": 1e12}}


@pytest.mark.parametrize("last_day, day", [(math.inf, 12), (12, 12), (11.9, None), (-5, None)])
def test_no_visit_is_later_than_the_last_and_then_the_tumor_is_felt(last_day, day):
    """Visits on days 2 and 12; the tumor can be seen on day 12, and is felt when it has a million cells."""
    watch = Watch(found_cells=1e5, felt_cells=1e6, first_visit_s=2 * DAY, last_visit_s=last_day * DAY, every_s=10 * DAY,
                  follow_up_s=DAY)
    course = Patient(load(GROWING), watch).live()
    felt_day = math.log(math.log(1e12 / 1e4) / math.log(1e12 / 1e6)) / 0.02
    assert course.diagnosed_s / DAY == day if day else 0 <= course.diagnosed_s / DAY - felt_day <= 1.001
