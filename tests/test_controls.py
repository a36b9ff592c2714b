"""The controls of the mechanisms: the rows of `metacascade reproduce controls`, in memory.

Seeds and verdicts are those of that command, and so is what is read out (the command itself: tests/unit/
test_reproduce.py). Each row has fixed seeds, so a result stands until the code changes. With other seeds, of a mechanism
without effect a row would be taken to move with a chance of (2.5 %)^2 for the two steps. docs/validation.md has the
numbers. All of them: bash jobs/test.sh -m "slow or not slow" tests/test_controls.py (9 minutes of CPU). Of the primary tumor
one row for each mechanism is always run, of blood, organs and therapy one row alone.
"""
import functools
import json

import pytest

from in_memory import Run
from metacascade.studies import reproduce_controls, reproduce_file
from metacascade.studies.readouts import READOUTS
from metacascade.studies.reproduce_verdict import AGREES, judge
from metacascade.studies.sweep_plan import derived

FAST = ("A01", "A02", "A03b", "A04", "A05b", "A06", "A07", "A08", "A09", "A10", "A11", "A12b", "A13", "A14", "A15", "A16",
        "B03")


@functools.cache
def results_of(tables, settings):
    """The results of a run, which several rows may have in common; config and settings as JSON."""
    return Run(json.loads(tables), json.loads(settings))


def values(control, readout, arms):
    """Arm -> what is read out of its runs."""
    tables, read = json.dumps(control.config), READOUTS[readout]
    seeds = [derived(1, index) for index in range(control.head.replicates)]
    return {arm: [float(read(results_of(tables, json.dumps(control.arms[arm] | {"run.seed": seed}, sort_keys=True))))
                  for seed in seeds] for arm in arms}


def row(name):
    return pytest.param(name, marks=[] if name in FAST else pytest.mark.slow)


def test_each_mechanism_of_the_primary_tumor_has_a_row_that_is_always_run():
    assert {name[:3] for name in FAST if name[0] == "A"} == {name[:3] for name in reproduce_controls.names() if name[0] == "A"}


@pytest.mark.statistical
@pytest.mark.parametrize("name", [row(name) for name in reproduce_controls.names()])
def test_a_mechanism_moves_what_it_must_and_nothing_else(name):
    control = reproduce_controls.read(name)
    if control.missing:
        pytest.skip(f"this version has no {', '.join(control.missing)}")
    found = [judge(one, published, values(control, one.readout, reproduce_file.split(one.arms)))
             for one, published in zip(control.comparisons, control.rows)]
    assert [one.verdict for one in found] == [AGREES, AGREES], "; ".join(one.text for one in found)
