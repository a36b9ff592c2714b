"""A lumped tumor against the law of Gompertz, and against the closed law of what it sheds."""
import numpy as np
import pytest

from metacascade.config.config import Config
from metacascade.mechanisms import plan_of
from metacascade.model.lumped import Lumped
from metacascade.ranks.parallel import serial_world

MONTH = 730.5
GOMPERTZ, CAPACITY = 0.025 / MONTH, 3.1e12


def tumor_of(cells, seed=1, **lumped):
    config = Config.from_dict({"tumor": {"lumped": True, "cells": cells}, "lumped": lumped, "run": {"seed": seed}})
    tumor = Lumped(config, plan_of(config), serial_world())
    tumor.begin()
    return tumor


def through(tumor, hours, steps=1, **kind):
    """The Shed of each of some steps that make up `hours`."""
    ends = [hours * (k + 1) / steps for k in range(steps)]
    return [tumor.advance(k, [(end - hours / steps, end, {})], **kind) for k, end in enumerate(ends)]


@pytest.mark.statistical
def test_it_grows_by_the_closed_law_of_gompertz_whatever_the_step():
    """n = 1,000,000 cells at the start, so the mean is within 2 % at 1 - 1e-6: the sd of one cell's line is below 4."""
    for steps in (1, 24):
        tumor = tumor_of(10**6, shed_per_h=0.0)
        through(tumor, 24 * MONTH, steps)
        expected = CAPACITY * (10**6 / CAPACITY) ** np.exp(-GOMPERTZ * 24 * MONTH)
        assert tumor.cells == pytest.approx(expected, rel=0.02)


def test_it_stays_at_its_capacity():
    tumor = tumor_of(10**9, capacity=1e9, shed_per_h=0.0)
    through(tumor, 60 * MONTH)
    assert tumor.cells == pytest.approx(1e9, rel=1e-3)


@pytest.mark.statistical
def test_what_it_sheds_is_the_integral_of_its_cells_in_one_step_or_many():
    """Some 1e7 cells: 1 % is many standard deviations, and the error of the law of a sub-step is below."""
    for steps in (1, 30):
        tumor = tumor_of(10**7, shed_per_h=1e-4)
        shed = sum(one.cells for one in through(tumor, 30 * 24.0, steps, chance=1e-9))
        t = np.linspace(0.0, 720.0, 100_001)
        n = CAPACITY * (10**7 / CAPACITY) ** np.exp(-GOMPERTZ * t)
        assert shed == pytest.approx(1.09 * 1e-4 * n.mean() * 720.0, rel=0.02)                      # 9 % are members


@pytest.mark.statistical
@pytest.mark.parametrize("shed_per_h, clusters, steps", [(5e-4, 0.03, 720), (4e-3, 0.0, 1), (4e-3, 0.0, 24)])
def test_what_is_shed_is_a_part_of_what_is_lost_so_that_it_grows_alike(shed_per_h, clusters, steps):
    """Net a ln(N / n), also where 1.4 times as much is shed as would be lost without; 1e6 lines, as above 2 % at 1 - 1e-6.
    Cells beside the first of a cluster go at the end of a step, so that a month is 7 % off and a day right."""
    tumor = tumor_of(10**6, shed_per_h=shed_per_h, cluster_fraction=clusters)
    through(tumor, 24 * MONTH, steps, chance=1e-9)
    assert tumor.cells == pytest.approx(CAPACITY * (10**6 / CAPACITY) ** np.exp(-GOMPERTZ * 24 * MONTH), rel=0.02)


@pytest.mark.statistical
def test_those_that_are_followed_are_the_clonogenic_ones_and_no_cell_is_lost():
    """Poisson of mean about 15,000: within 5 sd, 6e-7."""
    tumor, before = tumor_of(10**8, cell_loss=0.0), 10**8
    [shed] = through(tumor, 240.0, chance=0.01)
    cells = int(shed.ctcs["n"].sum())
    assert before + shed.born - shed.died == tumor.cells + shed.cells and cells + shed.unfollowed == shed.cells
    sizes = tumor._sizes({})
    n = np.arange(1, len(sizes) + 1)
    expected = shed.left * (sizes * (1.0 - 0.99**n)).sum()
    assert abs(len(shed.ctcs) - expected) < 5 * np.sqrt(expected)
    assert (shed.ctcs["n"] > 1).mean() > 2 * 0.03, "a cluster is more often clonogenic than a cell"
    assert len(shed.members) == cells - len(shed.ctcs) and shed.cells / shed.left == pytest.approx(1.09, rel=0.01)
    assert len(np.unique(shed.ctcs["id"])) == len(shed.ctcs) and 0.0 < shed.ctcs["t_shed"].min() < 12.0


@pytest.mark.statistical
def test_a_single_cell_dies_out_as_often_as_the_cell_loss_says():
    """400 tumors, cell loss 0.75: died out 300 +- 8.7; 5 sd, 6e-7."""
    tumor, died = tumor_of(1, shed_per_h=0.0), 0
    for number in range(400):
        tumor.begin()
        tumor.records["id"] += np.uint64(number)
        through(tumor, 6 * MONTH)
        died += tumor.cells == 0
    assert abs(died - 300) < 44


def test_what_comes_back_lives_on_also_after_the_last_has_died():
    tumor = tumor_of(1000)
    tumor.records["n"] = 0
    through(tumor, 24.0)
    tumor.add(5)
    assert tumor.cells == 5
    tumor.records["n"] = 10**6
    assert sum(one.born for one in through(tumor, 24.0)) > 0
