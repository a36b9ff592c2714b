"""When fields are solved: a time in the config, whole steps in the model."""
import pytest

from metacascade.config import config
from metacascade.mechanisms import plan_of


def every(*overrides):
    """Steps between two solutions of the fields of a config, by name."""
    return {one.name: one.every for one in plan_of(config.load({"tumor": {"cells": 100}}, overrides)).fields}


@pytest.mark.parametrize("step, steps", [
    ("15 min", 4), ("20 min", 3), ("30 min", 2), ("40 min", 1), ("1 h", 1), ("2 h", 1)])
def test_a_time_between_solutions_means_the_same_for_any_step(step, steps):
    assert every(f"run.step={step}", "run.duration=2 day", "output.interval=4 h", "output.checkpoint=4 h") == {
        "oxygen": steps, "pressure": steps}


def test_each_field_has_its_own_time():
    assert every("oxygen.every=90 min", "crowding.every=1 s") == {"oxygen": 3, "pressure": 1}
