"""Load balance where a tumor grows on one side only. Work is counted, so these figures are the same on any machine."""
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.mpi
PROGRAM = Path(__file__).parents[2] / "benchmarks" / "lopsided.py"


@pytest.fixture(scope="module")
def imbalance(mpirun):
    """With and without balancing: the imbalance of work on 4 ranks after each twelve hours [%]."""
    with_it, without = mpirun(4, PROGRAM, "400_000", 1, 48, timeout=300).stdout.split("without balancing")
    row = re.compile(r"^ *\d+ +[\d,]+ +([\d.]+)%", re.M)
    return [[float(found) for found in row.findall(text)] for text in (with_it, without)]


def test_balancing_keeps_the_busiest_rank_within_a_tenth_of_the_mean(imbalance):
    assert len(imbalance[0]) == 4 and max(imbalance[0]) < 10


def test_without_balancing_the_same_tumor_is_uneven(imbalance):
    assert len(imbalance[1]) == 4 and imbalance[1][-1] > 20
