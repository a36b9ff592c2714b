"""Pieces of vessels near tiles, and the chances of what happens to them: the twin."""
import numpy as np
import pytest

from metacascade._kernels import _pieces
from metacascade.space.pieces import chance, exp, firsts, near, normals, unseen
from metacascade.space.region import OFFSETS
from metacascade.space.vessels import SEGMENT
from reference import pieces as twin

EDGE, MARGIN = 30.0, 10.0


def random_segments(rng, n):
    """Short segments round the tile at the origin, some of them without flow or length."""
    s = np.zeros(n, SEGMENT)
    a = rng.uniform(-200, 440, (n, 3))
    b = a + rng.normal(0, 30, (n, 3)) * (rng.random((n, 1)) < 0.9)
    for k, axis in enumerate("xyz"):
        s["a" + axis], s["b" + axis] = a[:, k], b[:, k]
    s["radius"], s["perfused"] = rng.uniform(2, 25, n), rng.random(n) < 0.8
    return s


@pytest.mark.parametrize("segments", [0, 400])
def test_pieces_near_tiles_equal_their_twin(segments):
    rng = np.random.default_rng(1)
    segments = random_segments(rng, segments)
    first = np.sort(rng.integers(0, len(segments) + 1, 41))
    first[0], first[-1] = 0, len(segments)
    row_of = rng.permutation(125).reshape(5, 5, 5)               # by place, from -2 to 2; a row is at one place
    row_of[row_of > 39] = -1
    tiles = rng.integers(-1, 2, (15, 3)).astype(np.int32)
    around = np.array([[row_of[tuple(tile + offset + 2)] for offset in OFFSETS] for tile in tiles])
    expected, masks = twin.near_tiles(tiles, around, first, segments, EDGE, MARGIN), unseen(segments)
    for _ in range(2):                                           # the second time the masks are known
        index, offsets = near(tiles, around, first, segments, EDGE, MARGIN, masks)
        assert index.tolist() == expected[0] and offsets.tolist() == expected[1]
    assert len(index) > 20 or not len(segments)


@pytest.mark.parametrize("n", [0, 1, 500])
def test_first_rows_of_keys_are_those_of_numpy(n):
    keys = np.random.default_rng(n).integers(0, 2**64 - 1, max(n // 3, 1), dtype=np.uint64)
    keys = keys[np.random.default_rng(n + 1).integers(0, len(keys), n)]
    _, first, number = np.unique(keys, return_index=True, return_inverse=True)
    assert firsts(keys).tolist() == first[number].tolist()
    assert firsts(keys << np.uint64(56)).tolist() == [(keys << np.uint64(56)).tolist().index(int(key))
                                                      for key in keys << np.uint64(56)]


def test_what_has_no_room_is_counted_and_not_written():
    segments = random_segments(np.random.default_rng(2), 300)
    tiles, around = np.zeros((1, 3), np.int32), np.where(np.arange(27) == 13, 0, -1)[None]
    first, index, offsets = np.array([0, 300]), np.full(5, -7, np.int32), np.empty(2, np.int32)
    n = _pieces.near_tiles(tiles, around, first, segments, EDGE, MARGIN, unseen(segments), index[:3], offsets)
    assert n == 24 and index[3:].tolist() == [-7, -7]


@pytest.mark.parametrize("seed", range(5))
def test_what_is_passed_on_equals_its_twin(seed):
    rng = np.random.default_rng(seed)
    n, ghosts = 60, 12
    node, links = rng.integers(0, 70, (n + ghosts, 2)), rng.integers(0, n + ghosts, (8, 2))
    price, acts = rng.exponential(30.0, n), rng.random(n) < 0.8
    value = np.where(rng.random(n + ghosts) < 0.1, rng.uniform(0, 9, n + ghosts), np.inf).astype(np.float32)
    expected = twin.pass_on(node.tolist(), links.tolist(), price.tolist(), acts, list(value))
    changed = _pieces.pass_on(node, links, price, acts.view(np.uint8), value, np.empty(70, np.float32))
    assert changed and value.tolist() == expected and np.isfinite(value).sum() > 20
    assert not _pieces.pass_on(node, links, price, acts.view(np.uint8), value, np.empty(70, np.float32))


def test_functions_of_numbers_equal_their_twins():
    rng = np.random.default_rng(3)
    x, words = rng.uniform(-30, 3, 1000), rng.integers(0, 1 << 32, (1000, 2)).astype(np.uint32)
    assert exp(x).tolist() == twin.exponentials(x.tolist())
    assert chance(-x).tolist() == twin.chances((-x).tolist())
    assert normals(words).tolist() == twin.normals(words.tolist())
