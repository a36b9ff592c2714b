"""Who is gone by surgery or radiation: equal to the twin bit for bit, and by the law of survival."""
import numpy as np
import pytest

from metacascade._kernels import _thin
from metacascade._kernels._layout import CELL, LESION, Draw, LesionState
from reference import thin as twin

SEED = 9
BEAM = dict(dose_Gy=2.0, alpha_per_Gy=0.3, beta_per_Gy2=0.03, enhancement=3.0, oxygen_half_mmHg=3.0)
KEYS = np.array([3, 2**62 + 5, 77], np.uint64)
COORDS = np.array([(0, 0, 0), (-3, 1, 2), (5, -1, 0)], np.int32)


def tiles(seed=1, most=6, rows=3):
    """(cells, start, n, counts) of some tiles with gaps between them."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, most, (rows + 1, 512)).astype(np.uint16)     # one row of ghosts
    n = counts[:rows].sum(axis=1, dtype=np.int32)
    start = np.cumsum(n + 7, dtype=np.int64) - n
    cells = rng.integers(0, 256, int(start[-1] + n[-1]) * CELL.itemsize).astype(np.uint8).view(CELL)
    return cells, start, n, counts


def voxels(cells, start, n, counts):
    """For each tile the lists of records of its voxels."""
    found = []
    for row in range(len(n)):
        records = [c.tobytes() for c in cells[start[row]:start[row] + n[row]]]
        ends = np.cumsum(counts[row]).tolist()
        found.append([records[a:b] for a, b in zip([0, *ends[:-1]], ends)])
    return found


def oxygen(rows=4):
    return np.random.default_rng(2).uniform(0, 40, (rows, 512)).astype(np.float32)


def check(given, gone, expected):
    """The tiles hold what is expected, in the same order, and as many are gone."""
    assert voxels(*given) == expected
    cells, _, n, counts = given
    assert (counts[:len(n)].sum(axis=1) == n).all()


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_share_that_is_resected_equals_the_twin(share):
    given = tiles()
    before = voxels(*given)
    gone = _thin.resect(_thin.Tiles(*given), KEYS, share, SEED, 4)
    expected = [twin.resect(of_tile, int(key), share, SEED, 4) for of_tile, key in zip(before, KEYS)]
    check(given, gone, expected)
    assert gone == sum(len(v) for t in before for v in t) - sum(len(v) for t in expected for v in t)
    assert share or gone == 0


def test_a_fraction_of_radiation_equals_the_twin():
    given, field = tiles(), oxygen()
    before = voxels(*given)
    gone = _thin.irradiate(_thin.Tiles(*given), KEYS, field, BEAM, SEED, 1 << 16)
    expected = [twin.irradiate(of_tile, int(key), row.tolist(), BEAM, SEED, 1 << 16)
                for of_tile, key, row in zip(before, KEYS, field)]
    check(given, gone, expected)
    assert gone > 0


def test_a_ball_that_is_excised_equals_the_twin():
    given = tiles()
    before, center = voxels(*given), np.array([30.0, 77.0, 100.0])
    gone = _thin.excise(_thin.Tiles(*given), COORDS, 30.0, center, 140.0)
    expected = [twin.excise(of_tile, at, 30.0, center.tolist(), 140.0) for of_tile, at in zip(before, COORDS.tolist())]
    check(given, gone, expected)
    assert 0 < gone and expected[1] == before[1]


def test_who_is_hit_does_not_depend_on_the_order_of_the_cells_or_tiles():
    given, other = tiles(most=40), tiles(most=40)
    cells, start, n, counts = other
    for row in range(3):
        ends = start[row] + np.cumsum(counts[row], dtype=np.int64)
        for end, k in zip(ends, counts[row]):
            cells[end - k:end] = cells[end - k:end][::-1].copy()
    back = start[::-1].copy(), n[::-1].copy(), np.concatenate([counts[2::-1], counts[3:]])
    gone = _thin.irradiate(_thin.Tiles(*given), KEYS, oxygen(), BEAM, SEED, 1)
    field = oxygen()
    field[:3] = field[2::-1].copy()
    assert _thin.irradiate(_thin.Tiles(cells, *back), KEYS[::-1].copy(), field, BEAM, SEED, 1) == gone
    for one, two in zip(voxels(*given), voxels(cells, *back)[::-1]):
        assert [sorted(v) for v in one] == [sorted(v) for v in two]


def test_survivors_are_as_many_as_the_law_says():
    """n = 4 x 10^5 cells without oxygen and with; within 4.5 standard deviations: false alarm 7e-6 each."""
    for pressure, effective in ((0.0, 2.0 / 3.0), (1e30, 2.0)):
        given = tiles(most=520, rows=3)
        n = int(given[2].sum())
        field = np.full((4, 512), pressure, np.float32)
        gone = _thin.irradiate(_thin.Tiles(*given), KEYS, field, BEAM, SEED, 0)
        p = np.exp(-0.3 * effective - 0.03 * effective**2)
        assert n > 350_000 and abs(n - gone - n * p) < 4.5 * (n * p * (1 - p)) ** 0.5


def test_fractions_hit_independently():
    """Of those that survive the first fraction the second spares as many as of all: n = 4 x 10^5, false alarm 7e-6."""
    given = tiles(most=520)
    n = int(given[2].sum())
    share = 0.5
    for number in (0, 1):
        _thin.resect(_thin.Tiles(*given), KEYS, share, SEED, number)
    assert abs(given[2].sum() - n / 4) < 4.5 * (n * 3 / 16) ** 0.5


def lesions(n=300):
    rng = np.random.default_rng(4)
    records = np.zeros(n, LESION)
    records["id"] = rng.integers(0, 2**64, n, dtype=np.uint64)
    records["n"] = rng.choice([0, 1, 2, 30, 5_000, 10**12], n)
    records["died"], records["state"] = 3, np.where(records["n"], LesionState.VASCULAR, LesionState.CLEARED)
    return records, rng.integers(0, 2, n).astype(np.uint8)


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("share", [0.0, 0.2, 0.7, 1.0])
def test_lesions_equal_the_twin(share, whole):
    records, hit = lesions()
    expected, total = records.copy(), 0
    for row, is_hit in zip(expected, hit):
        if is_hit and row["n"]:
            fields = {name: row[name].item() for name in LESION.names}
            total += twin.thin_lesion(fields, share, whole, 7.5, SEED, Draw.IRRADIATE_RECORD, 3)
            for name, value in fields.items():
                row[name] = value
    assert _thin.thin_lesions(records, hit, share, whole, 7.5, SEED, Draw.IRRADIATE_RECORD, 3) == total
    assert records.tobytes() == expected.tobytes()


def test_arrays_that_do_not_fit_are_refused():
    cells, start, n, counts = tiles()
    for wrong in ((cells, start[:2], n, counts), (cells, start, n, counts[:2]), (cells[:-1], start, n, counts),
                  (cells, start, n + 1, counts)):
        with pytest.raises(ValueError, match="tile"):
            _thin.Tiles(*wrong)
    with pytest.raises(ValueError, match="oxygen"):
        _thin.irradiate(_thin.Tiles(cells, start, n, counts), KEYS, oxygen(2), BEAM, SEED, 0)
    with pytest.raises(ValueError, match="lesions"):
        _thin.thin_lesions(lesions()[0], np.zeros(3, np.uint8), 1.0, True, 0.0, SEED, Draw.RESECT_RECORD, 0)
