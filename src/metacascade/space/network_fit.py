"""An imported network held against what it is for: its unit, and the tumor that is to live on it."""
from __future__ import annotations

import math

import numpy as np

from metacascade.base.errors import InputError
from metacascade.space import network_tiled
from metacascade.space.network_check import point_distance2
from metacascade.space.network_imported import ends
from metacascade.space.seeding import ball_radius

USUAL_RADIUS_UM = (1.0, 100.0)         # of the median vessel: capillaries 2 to 5, vessels of sparse tumors 45
USUAL_DENSITY = (10.0, 1500.0)         # [mm/mm^3] sparse tumors 15, tumors 110 to 190, cortex 600 to 900
WRONG_UNIT = 10.0                      # beyond the usual radii by this factor the unit must be wrong
FULLEST = 10.0                         # vessels per volume of their box above which places or radii must be wrong
THINNEST_BOX_UM = 100.0                # a flat network counts as so thick
REACH_UM = 100.0                       # of oxygen, about: 82 um in planar tissue (docs/model.md)
FARTHEST_UM = 200.0                    # a network beyond it has no effect on the tumor
POINTS = 512                           # of the tumor that are looked at
PAIRS = 20_000_000                     # of points and segments: fewer points for more segments
UNITS_UM = {"nm": 1e-3, "um": 1.0, "mm": 1e3, "cm": 1e4, "m": 1e6}
# a point of the unit cube for each number n, as even as can be: n times these, modulo 1
STEPS = np.array([0.8191725133961645, 0.6710436067037893, 0.5497004779019703])


def refuse_scale(path, pieces, unit_um: float):
    """Raise InputError if no vessels can be of such a size [um]: the unit of the file is another."""
    radii, length = pieces.radius[pieces.radius > 0.0], np.linalg.norm(pieces.b - pieces.a, axis=1)
    if not len(radii) or not length.any():
        return
    radius = float(np.median(radii))
    if not USUAL_RADIUS_UM[0] / WRONG_UNIT <= radius <= USUAL_RADIUS_UM[1] * WRONG_UNIT:
        raise InputError(f"{path}: the median radius is {radius:.3g} um with a unit of {unit_um:g} um, and vessels "
                         f"have {_span(USUAL_RADIUS_UM)} um{_guess(pieces, radius, unit_um)}")
    low, high = _box(pieces.a, pieces.b, pieces.radius)
    full = float((math.pi * pieces.radius**2 * length).sum() / np.prod(high - low))
    extent = float((high - low).max() - 2.0 * pieces.radius.max())
    if full > FULLEST or extent < radius:
        raise InputError(f"{path}: the median radius is {radius:.3g} um and the whole network only {extent:.3g} um "
                         f"long, {full:.3g} times filled by its vessels: are places and radii in the same unit?")


def _guess(pieces, radius: float, unit_um: float) -> str:
    """``. Is this in mm? ...``, if a usual unit makes the network a usual one."""
    fits = []
    for name, size in UNITS_UM.items():
        scale = size / unit_um
        if USUAL_RADIUS_UM[0] <= radius * scale <= USUAL_RADIUS_UM[1]:
            density = length_density(pieces.a * scale, pieces.b * scale, pieces.radius * scale)
            usual = USUAL_DENSITY[0] <= density <= USUAL_DENSITY[1]
            fits.append((not usual, abs(math.log(radius * scale / 5.0)), name, radius * scale, density))
    if not fits:
        return ". Are these radii? See vessels.unit and vessels.columns"
    *_, name, radius, density = min(fits)
    return (f". Is this in {name}? Then the median radius is {radius:.3g} um, with {density:.3g} mm/mm^3 of vessels: "
            f'set vessels.unit = "{name}"')


def move(segments: np.ndarray, config):
    """Bring the network to where `vessels.center` and `vessels.offset` want it, in place."""
    vessels, shift = config.vessels, np.zeros(3)
    if vessels.center and config.tumor:
        low, high = _box(*ends(segments), np.zeros(len(segments)))
        shift = np.array(config.tumor.center_um) - 0.5 * (low + high)
    shift = shift + np.array(vessels.offset_um)
    for axis, by in zip("xyz", shift.tolist()):
        if by:                # else the bits of the file
            segments[f"a{axis}"] += by
            segments[f"b{axis}"] += by


def hold(found, config):
    """Say what the network is beside the tumor: adds to `notes` and `doubts`. InputError if it is out of its reach."""
    segments, box = found.segments, network_tiled.box_of(found.segments)
    if box is not None:
        _hold_repeated(found, segments[1:], *box)
        return
    a, b = ends(segments)
    radius = segments["radius"].astype(float)
    median, density = float(np.median(radius)), length_density(a, b, radius)
    found.notes += [f"box of the network: {_text_of_box(*_box(a, b, radius))}",
                    f"median radius {median:.3g} um ({_span(USUAL_RADIUS_UM)} are usual), length density {density:.3g} "
                    f"mm/mm^3 in that box ({_span(USUAL_DENSITY)}; tumors 15 to 220)"]
    if not USUAL_RADIUS_UM[0] <= median <= USUAL_RADIUS_UM[1]:
        found.doubts.append(f"a median radius of {median:.3g} um is unusual, {_span(USUAL_RADIUS_UM)} um are usual: "
                            "look at vessels.unit, and whether they are diameters")
    if not USUAL_DENSITY[0] <= density <= USUAL_DENSITY[1]:
        found.doubts.append(f"a length density of {density:.3g} mm/mm^3 is unusual, {_span(USUAL_DENSITY)} are usual: "
                            "look at vessels.unit")
    if not config.has_tissue:
        found.doubts.append("there is no [tumor], so the network has no effect")
    else:
        _beside_tumor(found, a, b, radius, config)


def _hold_repeated(found, segments, low, high):
    """Say what a network is that is repeated without end: the tumor lies in it wherever it is."""
    radius = float(np.median(segments["radius"]))
    length = np.linalg.norm(np.subtract(*ends(segments)), axis=1)
    density = 1e6 * float(length.sum() / np.prod(high - low))
    found.notes += [f"repeated without end, box by box in mirror images, the first {_text_of_box(low, high)}",
                    f"median radius {radius:.3g} um, length density {density:.3g} mm/mm^3 in the box, in which "
                    f"{len(segments):,} segments or parts of them lie"]
    if not (segments["perfused"] == 1).any():
        found.doubts.append("no segment is perfused: no oxygen comes out of them, and no cell goes in")


def _beside_tumor(found, a, b, radius, config):
    """The network and the ball of the tumor: what of the ball has vessels."""
    center, ball = np.array(config.tumor.center_um), ball_radius(config.tumor, config.tissue) * config.tissue.edge_um
    gap = np.sqrt(point_distance2(center, a, b)) - radius - ball
    where = f"ball of the tumor: radius {ball:.4g} um round ({', '.join(f'{x:g}' for x in center)}) um"
    if gap.min() > FARTHEST_UM:
        raise InputError(f"{found.path}: no vessel comes within {FARTHEST_UM:g} um of the tumor, the nearest is "
                         f"{gap.min():.4g} um away: it would starve\n"
                         + "\n".join(f"{found.path}: {line}" for line in (*found.notes, where)) + f"\n{found.path}: "
                         "is it in another place or unit? See vessels.center, .offset, .unit and tumor.center")
    open_ = found.segments["perfused"] == 1
    near = open_ & (gap < REACH_UM)
    share = _share_supplied(center, ball, a[near], b[near], radius[near])
    found.notes.append(f"{where}; {100 * share:.0f} % of it within {REACH_UM:g} um of a perfused vessel")
    if not open_.any():
        found.doubts.append("no segment is perfused: no oxygen comes out of them, and no cell goes in")
    elif share < 0.5:
        found.doubts.append(f"only {100 * share:.0f} % of the tumor is within {REACH_UM:g} um of a perfused vessel, "
                            "and the rest starves: look at vessels.center, .offset, .unit and tumor.center")


def _share_supplied(center, ball: float, a, b, radius) -> float:
    """Share of a ball that is within REACH_UM of the wall of a segment, from evenly spread points of it."""
    if not len(a):
        return 0.0
    number = max(16, min(POINTS, PAIRS // len(a)))
    u = np.arange(1, number + 1)[:, None] * STEPS % 1.0
    height, angle = 2.0 * u[:, 0] - 1.0, 2.0 * math.pi * u[:, 1]
    flat = np.sqrt(1.0 - height**2)
    directions = np.stack([flat * np.cos(angle), flat * np.sin(angle), height], axis=1)
    points = center + ball * u[:, 2, None] ** (1.0 / 3.0) * directions
    reach2 = (radius + REACH_UM) ** 2
    return float(np.mean([(point_distance2(point, a, b) <= reach2).any() for point in points]))


def length_density(a: np.ndarray, b: np.ndarray, radius: np.ndarray) -> float:
    """Length of vessels per volume [mm/mm^3] of their box; each side counts as at least THINNEST_BOX_UM."""
    low, high = _box(a, b, radius)
    return float(1e6 * np.linalg.norm(b - a, axis=1).sum() / np.prod(np.maximum(high - low, THINNEST_BOX_UM)))


def _box(a, b, radius) -> tuple[np.ndarray, np.ndarray]:
    """Low and high corner of the box round all walls."""
    wide = np.asarray(radius)[:, None]
    return np.min(np.minimum(a, b) - wide, axis=0), np.max(np.maximum(a, b) + wide, axis=0)


def _text_of_box(low, high) -> str:
    return ", ".join(f"{axis} {p:.4g} to {q:.4g}" for axis, p, q in zip("xyz", low, high)) + " um"


def _span(limits: tuple[float, float]) -> str:
    return f"{limits[0]:g} to {limits[1]:g}"
