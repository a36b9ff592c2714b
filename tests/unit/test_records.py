"""Records moved as bytes: the same as NumPy gives, at the cost of their bytes."""
import tracemalloc

import numpy as np
import pytest

from metacascade._kernels._layout import CELL, CTC, LESION, MIGRANT, TRAITS, Flag
from metacascade.base.records import by_id, chosen, source_of
from metacascade.config.config import Config
from metacascade.mechanisms import plan_of
from metacascade.model.blood import Blood
from metacascade.model.circuit import Circuit
from metacascade.model.injection import Injections
from metacascade.state.state import SHED, shed_rows
from states import random_records

N = 100_000


@pytest.mark.parametrize("kind", [CTC, LESION, MIGRANT, np.dtype("u8"), np.dtype(("i4", 3))])
@pytest.mark.parametrize("which", ["mask", "order", "none"])
def test_chosen_records_are_those_of_numpy(kind, which):
    rng = np.random.default_rng(1)
    records = rng.integers(0, 256, 50 * kind.itemsize).astype(np.uint8).view(kind.base).reshape(50, *kind.shape)
    index = {"mask": rng.random(50) < 0.5, "order": rng.permutation(50)[:30], "none": np.empty(0, int)}[which]
    for array in (records, records[::2]):
        if which == "mask":
            index = index[:len(array)]
        rows = index if which != "order" else index[index < len(array)]
        taken = chosen(array, rows)
        assert taken.dtype == array.dtype and taken.tobytes() == array[rows].tobytes()
        assert not np.shares_memory(taken, array)


def test_records_by_id_are_those_that_numpy_sorts():
    records = random_records(np.random.default_rng(2), CTC, 200)[np.random.default_rng(3).permutation(200)]
    assert by_id(records).tobytes() == records[np.argsort(records["id"])].tobytes()


def a_bolus(**more):
    return Config.from_dict(dict(injection=[dict(node="venous", cells=N, **more)]))


@pytest.mark.parametrize("duration_s", [0, 600])
def test_a_crowd_enters_the_blood_with_few_copies(duration_s):
    """Peak of the memory while 100,000 cells are made and let in, in units of their records."""
    config = a_bolus(duration_s=duration_s)
    blood, injections = Blood(config, Circuit(config, plan_of(config)), 1), Injections(config, 1)
    tracemalloc.start()
    try:
        blood.admit(injections.due(-1, 1800)[0])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert blood.records.size == N and peak < 2.5 * N * CTC.itemsize


def test_a_step_without_newcomers_copies_nothing():
    config = a_bolus()
    blood = Blood(config, Circuit(config, plan_of(config)), 1)
    blood.admit(Injections(config, 1).due(-1, 1800)[0])
    before = blood.records
    blood.admit(np.empty(0, CTC))
    assert blood.records is before


def test_the_cells_of_a_caller_are_not_changed():
    config = a_bolus()
    ctcs = Injections(config, 1).due(-1, 1800)[0]
    ctcs["hop"], ctcs["node"] = 7, 0
    as_given = ctcs.tobytes()
    Blood(config, Circuit(config, plan_of(config)), 1).admit(ctcs)
    assert ctcs.tobytes() == as_given


@pytest.mark.parametrize("duration_s", [0, 600])
@pytest.mark.parametrize("ranks", [2, 3])
def test_the_cells_of_all_ranks_are_those_of_one(duration_s, ranks):
    config = a_bolus(duration_s=duration_s)
    whole = by_id(Injections(config, 5).due(-1, 300)[0])
    parts = [Injections(config, 5, rank, ranks).due(-1, 300)[0] for rank in range(ranks)]
    assert min(map(len, parts)) > 0.8 * len(whole) / ranks
    assert np.concatenate([by_id(part) for part in parts]).tobytes() == whole.tobytes()


def test_a_cell_a_ctc_and_a_lesion_have_the_same_traits():
    """Side by side in the same order and six bytes, so that they are copied as one; a CTC has 64 bytes."""
    for kind, size in ((CELL, 12), (CTC, 64), (LESION, 96)):
        at = [kind.fields[trait][1] for trait in TRAITS]
        assert [place - at[0] for place in at] == [0, 2, 3, 4, 5] and kind.itemsize == size
        assert [kind.fields[trait][0] for trait in TRAITS] == [np.dtype("u2"), *4 * [np.dtype("u1")]]
    assert MIGRANT.fields["cell"][0] == CELL


def test_the_lesion_that_shed_a_cell_is_in_its_record_and_a_field_of_the_table():
    """In the bytes of its x and y, whatever numbers they make; of cells from elsewhere there is none."""
    ctcs, ids = np.zeros(6, CTC), np.arange(6, dtype=np.uint64) * np.uint64(0x2AAAAAAA_FF800001) + np.uint64(1)
    ctcs["flags"] = np.array([Flag.LESION, 0, Flag.LESION | Flag.RETURNED, Flag.LYMPH, Flag.LESION, Flag.LESION])
    ctcs["x"], ctcs["z"], ctcs["maturity"] = 7.0, 3.0, 51
    shed = ctcs["flags"] & Flag.LESION > 0
    words = ctcs.view(np.uint32).reshape(6, -1)
    at = CTC.fields["x"][1] // 4
    words[shed, at], words[shed, at + 1] = (ids[shed] & np.uint64(0xFFFFFFFF)), ids[shed] >> np.uint64(32)
    assert source_of(ctcs).tolist() == np.where(shed, ids, 0).tolist()
    rows = shed_rows(ctcs)
    assert rows.dtype == SHED and rows["source"].tolist() == source_of(ctcs).tolist()
    assert rows["x"].tolist() == np.where(shed, 0.0, 7.0).tolist() and not rows["z"][shed].any()
    assert (rows["maturity"] == np.float32(0.2)).all() and (rows["z"][~shed] == 3.0).all()
