"""The kernel of a lumped tumor: equal to its twin bit for bit."""
import numpy as np
import pytest

from metacascade._kernels import _lumped
from metacascade._kernels._layout import CTC, LESION, LesionState
from reference import lumped as twin

SEED, DAY = 5, 24.0
LAW = dict(gompertz=0.055 / 730.5, capacity=3.1e12, turnover=0.0065, death=0.0065, shed=0.0025 / DAY)
SHARE = np.array([0.7, 0.2, 0.1])


def tumor_of(n, shed=0):
    tumor = np.zeros(1, LESION)
    tumor["id"], tumor["n"], tumor["shed"], tumor["bits"], tumor["flags"] = 77 << 40 | 5, n, shed, 3, 7
    tumor["emt"], tumor["adhesion"], tumor["state"] = 13, 150, LesionState.VASCULAR
    return tumor


def row(records):
    return {name: records[0][name].item() for name in records.dtype.names}


@pytest.mark.parametrize("n", [1, 30, 9_000, 10**6, 10**10, 10**13])
@pytest.mark.parametrize("days", [1, 30])
def test_growth_and_shedding_equal_their_twin(n, days):
    for step, follow in enumerate((1.0, 0.3, 1e-5)):
        tumor, room = tumor_of(n), 40
        alike = row(tumor)
        broods = np.zeros(room, _lumped.BROOD)
        done, reached, tally = _lumped.advance(tumor, LAW, SEED, step, 3, follow, 5.0, 5.0 + days * DAY, broods)
        expected, t, counts = twin.advance(alike, LAW, SEED, step, 3, follow, 5.0, 5.0 + days * DAY, room)
        assert (done, reached, tally) == (len(expected), t, counts) and broods[:done].tolist() == expected
        assert row(tumor) == alike


def test_clusters_and_their_sizes_equal_their_twin():
    tumor, found = tumor_of(1000, shed=2**33 - 2), np.zeros(3, np.int64)
    broods = np.array([(2**33 - 2, 5, 1.0, 3.0), (2**33 + 3, 60, 3.0, 4.0)], _lumped.BROOD)
    ctcs = np.zeros(65, CTC)
    _lumped.children(tumor, broods, SHARE, ctcs, SEED, 8)
    own = [twin.child(row(tumor), SEED, first + k, (first, n, a, b), SHARE, 8)
           for first, n, a, b in broods.tolist() for k in range(n)]
    for name in own[0]:
        assert ctcs[name].tolist() == [one[name] for one in own], name
    assert set(ctcs["n"].tolist()) == {1, 2, 3}
    for events in (0, 3, 10**4, 10**9):
        _lumped.sizes(events, SHARE, tumor, SEED, 2, 1, found)
        assert found.tolist() == twin.sizes(events, SHARE.tolist(), SEED, row(tumor), 2, 1) and found.sum() == events


def test_wrong_arguments_are_refused():
    for tumor, law in ((np.zeros(2, LESION), LAW), (tumor_of(1), LAW | dict(capacity=0.5))):
        with pytest.raises(ValueError):
            _lumped.advance(tumor, law, SEED, 0, 0, 1.0, 0.0, 1.0, np.zeros(1, _lumped.BROOD))
    with pytest.raises(ValueError):
        _lumped.children(tumor_of(1), np.array([(0, 2, 0, 1)], _lumped.BROOD), SHARE, np.zeros(1, CTC), SEED, 0)
    with pytest.raises(ValueError):
        _lumped.sizes(3, SHARE, tumor_of(1), SEED, 0, 0, np.zeros(2, np.int64))
