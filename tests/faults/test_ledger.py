"""Promise 2: a cell that is lost or doubled anywhere stops the run at the end of the step, and is never made up for."""
import re

import pytest

from faults.checks import FAILED, STOPPED, assert_intact, assert_one_message, hashes

pytestmark = pytest.mark.mpi
WRONG_BY = {"lose_tissue": -1, "double_tissue": +1, "lose_blood": -1, "lose_lesion": -1, "lose_routed": -1}


def accounted(message):
    """(cells born, cells accounted for) of the message of the ledger."""
    return [int(n) for n in re.search(r"(\d+) cells were born, (\d+) are accounted for", message).groups()]


@pytest.mark.parametrize("fault, ranks", [("lose_tissue", 1), *((fault, 2) for fault in WRONG_BY), *(
    pytest.param(fault, 1, marks=pytest.mark.slow) for fault in WRONG_BY if fault != "lose_tissue")])
def test_a_cell_too_few_or_too_many_ends_the_run(faulty, stopped, fault, ranks):
    before = hashes(stopped)
    done = faulty(ranks, fault, ranks - 1, STOPPED + 1, "resume", stopped)
    assert_one_message(done, FAILED, "internal error: the ledger does not balance", "tissue ", "arrested ", "lesions ")
    born, found = accounted(done.stderr)
    cells = found - born
    # what is lost in the blood or on its way there may be a cluster
    assert cells == WRONG_BY[fault] if "tissue" in fault or "lesion" in fault else cells <= WRONG_BY[fault]
    assert "Abort" not in done.stderr, "all ranks know of it: nobody must be aborted"
    assert_intact(stopped, before)


def test_a_record_that_a_message_lost_ends_the_run(faulty, stopped):
    before = hashes(stopped)
    done = faulty(2, "lose_message", 1, STOPPED + 1, "resume", stopped)
    assert_one_message(done, FAILED, "an exchange changed the number of records: migrants +0, ctcs -1")
    assert_intact(stopped, before)


def test_a_cell_that_a_tile_lost_but_its_voxel_counts_ends_the_run(faulty, stopped):
    before = hashes(stopped)
    done = faulty(2, "lose_record", 1, STOPPED + 1, "resume", stopped)
    assert_one_message(done, FAILED, "cells were lost: a tile does not hold as many as its voxels count")
    assert_intact(stopped, before)
