"""What lies on top of each other in an imported network: segments between the same ends, or through another."""
from __future__ import annotations

import heapq
import math
from collections.abc import Iterator

import numpy as np

from metacascade.space.network_imported import ends
from metacascade.space.network_index import Index, pieces

JOINED = 4.0                  # radii: pieces of one vessel that are nearer along it cannot overlap
MOST = 100_000                # overlaps after which no others are looked for
PLACES = 1 << 19              # of the search grid, from the origin to the farthest vessel


def same_ends(a: np.ndarray, b: np.ndarray, also=None) -> list[tuple[int, int]]:
    """Rows (i, j), i < j, of segments between the same two ends, in either direction; i is the first of them.

    `also`: what must be equal besides, one for each row.
    """
    first: dict = {}
    found = []
    for j, (p, q) in enumerate(zip(map(tuple, a.tolist()), map(tuple, b.tolist()))):
        i = first.setdefault((min(p, q), max(p, q), also and also[j]), j)
        if i != j:
            found.append((i, j))
    return found


def overlaps(segments: np.ndarray, most: int = MOST) -> list[tuple[int, int, float]]:
    """Rows (i, j), i < j, of segments that come too close, and the distance of their center lines [um].

    Too close: nearer than half of the smaller radius. Pieces of one vessel are not, nor are vessels
    where they join: segments with a common end, or joined by others over at most JOINED radii.
    Once more than `most` are found, no others are looked for.
    """
    if not len(segments):
        return []
    a, b = ends(segments)
    radius = segments["radius"].astype(float)
    found: set = set()
    for i, j in _near_pairs(a, b, 0.5 * radius):
        apart = ~_common_end(a[i], b[i], a[j], b[j])
        i, j = i[apart], j[apart]
        distance = segment_distance(a[i], b[i], a[j], b[j])
        close = distance < 0.5 * np.minimum(radius[i], radius[j])
        found.update(zip(i[close].tolist(), j[close].tolist(), distance[close].tolist()))
        if len(found) > most:
            break
    return _without_joined(sorted(found), [*map(tuple, a.tolist())], [*map(tuple, b.tolist())], radius.tolist())


def _without_joined(pairs: list, a: list, b: list, radius: list) -> list:
    """The pairs whose ends are not joined over JOINED times the larger radius."""
    ways: dict = {}
    for p, q in zip(a, b) if pairs else ():
        ways.setdefault(p, []).append((q, math.dist(p, q)))
        ways.setdefault(q, []).append((p, math.dist(p, q)))
    kept = []
    for i, j, distance in pairs:
        limit = JOINED * max(radius[i], radius[j])
        if not {a[j], b[j]} & _reachable(ways, (a[i], b[i]), limit):
            kept.append((i, j, distance))
    return kept


def _reachable(ways: dict, start: tuple, limit: float) -> set:
    """Points of the network within `limit` um of a start, along the segments (Dijkstra 1959)."""
    best: dict = {}
    heap = [(0.0, point) for point in start]
    while heap:
        far, point = heapq.heappop(heap)
        if point in best:
            continue
        best[point] = far
        for other, length in ways[point]:
            if far + length <= limit:
                heapq.heappush(heap, (far + length, other))
    return set(best)


def _common_end(a, b, c, d) -> np.ndarray:
    return ((a == c).all(1) | (a == d).all(1) | (b == c).all(1) | (b == d).all(1))


def _near_pairs(a, b, half) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Blocks of pairs (i, j), i < j, that may be nearer than either's half; a pair may come more than once."""
    edge = max(np.abs(a).max() + half.max(), np.abs(b).max() + half.max()) / PLACES
    row, low, high = pieces(a, b, half, edge)
    for i, j in Index(np.floor(low / edge).astype(np.int32), np.floor(high / edge).astype(np.int32)).meeting():
        i, j = row[i], row[j]
        apart = i != j
        yield np.minimum(i, j)[apart], np.maximum(i, j)[apart]


def point_distance2(p, a, b) -> np.ndarray:
    """Squared distance of points p from segments a-b; shapes (n, 3)."""
    d = b - a
    length2 = (d * d).sum(axis=1)
    t = np.clip(((p - a) * d).sum(axis=1) / np.where(length2 > 0.0, length2, 1.0), 0.0, 1.0)
    off = a + t[:, None] * d - p
    return (off * off).sum(axis=1)


def segment_distance(a, b, c, d) -> np.ndarray:
    """Distance between segments a-b and c-d; shapes (n, 3).

    The shortest way starts at an end of one of them, or is perpendicular to both.
    """
    best = np.minimum(np.minimum(point_distance2(a, c, d), point_distance2(b, c, d)),
                      np.minimum(point_distance2(c, a, b), point_distance2(d, a, b)))
    u, v, w = b - a, d - c, a - c
    uu, uv, vv = (u * u).sum(1), (u * v).sum(1), (v * v).sum(1)
    uw, vw = (u * w).sum(1), (v * w).sum(1)
    det = uu * vv - uv * uv
    crossing = det > 1e-12 * uu * vv
    det = np.where(crossing, det, 1.0)
    s, t = (uv * vw - vv * uw) / det, (uu * vw - uv * uw) / det
    inside = crossing & (s > 0.0) & (s < 1.0) & (t > 0.0) & (t < 1.0)
    off = w + s[:, None] * u - t[:, None] * v
    return np.sqrt(np.where(inside, np.minimum(best, (off * off).sum(1)), best))
