"""A table in a file is indexed as an array of NumPy is, and what neither takes is told with what is allowed."""
import types

import h5py
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import metacascade as mc
from metacascade.io import rows_index
from metacascade.io.rows import Rows

LENGTH = 23
FIELDS = np.dtype([("id", "u8"), ("fate", "u1"), ("node", "i2"), ("x", "f4")])


@pytest.fixture(scope="module")
def array():
    numbers = np.random.default_rng(1)
    return np.array([tuple(row) for row in numbers.integers(0, 100, (LENGTH, 4))], FIELDS)


@pytest.fixture(scope="module")
def rows(array):
    """The same in a file, as results have it."""
    with h5py.File("rows", "w", driver="core", backing_store=False) as h5:
        h5["shed"], h5["none"] = array, array[:0]
        results = types.SimpleNamespace(
            h5=h5, _node=h5.__getitem__, read=lambda name, *wanted: rows_index.read(h5[name], *wanted))
        yield {name: Rows(results, name) for name in h5}


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(rows_index, "BLOCK", 5)


number = st.integers(-LENGTH, LENGTH - 1)
name = st.sampled_from(FIELDS.names)
of_rows = st.one_of(
    number, number.map(np.int16), number.map(np.array), st.slices(LENGTH), st.lists(number), st.just(Ellipsis),
    st.lists(number).map(lambda n: np.array(n, np.int32)),
    st.lists(st.integers(0, LENGTH - 1)).map(lambda n: np.array(n, np.uint64)),
    st.lists(st.booleans(), min_size=LENGTH, max_size=LENGTH), st.builds(range, st.integers(0, 9), st.integers(0, 20)),
    st.lists(st.booleans(), min_size=LENGTH, max_size=LENGTH).map(np.array))
of_fields = st.one_of(name, st.lists(name, min_size=1, unique=True), name.map(np.str_))


def of_numpy(key):
    """The same index for NumPy, to which an empty list names no fields."""
    return np.zeros(0, int) if isinstance(key, (list, range)) and not len(key) else key


def same(found, expected):
    """The same values, kind and fields; HDF5 packs some fields closely, NumPy leaves gaps."""
    assert np.shape(found) == np.shape(expected) and found.dtype.names == expected.dtype.names
    for field in found.dtype.names or [...]:
        assert np.array_equal(found[field], expected[field]) and found[field].dtype == expected[field].dtype


@given(of_rows)
@settings(derandomize=True, deadline=None)
def test_rows_are_those_of_numpy(rows, array, key):
    same(rows["shed"][key], array[of_numpy(key)])


@given(of_fields, of_rows)
@settings(derandomize=True, deadline=None)
def test_fields_and_rows_are_those_of_numpy(rows, array, fields, key):
    same(rows["shed"][fields], array[fields])
    same(rows["shed"][fields, key], array[fields][of_numpy(key)])


def test_an_empty_table_has_no_rows_in_any_way(rows):
    for key in (slice(None), slice(None, None, -1), [], np.zeros(0, bool), (), "fate", ["id", "x"]):
        assert len(rows["none"][key]) == 0
    with pytest.raises(IndexError, match="the table has 0 rows"):
        rows["none"][-1]


def test_a_table_can_be_gone_through_row_by_row(rows, array):
    assert [row["id"] for row in rows["shed"]] == array["id"].tolist()


@pytest.mark.parametrize("key",
                         [LENGTH, -LENGTH - 1, [0, LENGTH], np.array([-LENGTH - 1]), 10**30,
                          np.array([2**63], np.uint64)])
def test_a_row_that_is_not_there_is_an_index_error(rows, key):
    with pytest.raises(IndexError, match="the table has 23 rows"):
        rows["shed"][key]


@pytest.mark.parametrize("key, told", [
    (None, r"not by None \(NoneType\)"), (1.5, "not by 1.5"), (True, "not by True"), ({}, "dict"), ({1}, "set"),
    (b"fate", "bytes"),
    ((1, 2), "tuple"), (("fate", 1, 2), "tuple"), ((1, "fate"), "tuple"), ([1.0], "list"), ([[1]], "list"),
    (["fate", 1], "list"),
    (np.zeros((2, 2), int), "ndarray"), (np.array(1.5), "ndarray"), (slice("a"), "slice"), (slice(0, 1, 0), "slice"),
    ([None], "list"),
    ("fat", r"there is no field 'fat' \(did you mean 'fate'\?\); fields: id, fate, node, x"),
    (["id", "y\x1b"], r"no field 'y\\x1b'"),
    (["id", "id"], "named twice"), ([True], "a boolean for each row is needed: 23, not 1"),
    (np.zeros(24, bool), "23, not 24")])
def test_a_wrong_index_is_an_input_error_that_says_what_is_allowed(rows, key, told):
    with pytest.raises(mc.InputError, match=told) as error:
        rows["shed"][key]
    assert told.startswith(("there", "no field", "named", "a boolean",
                            "23")) or "a list of numbers, a boolean for each row" in str(error.value)
