"""A vessel network from a file: whatever its format, read, checked and brought into the frame of the tissue."""
from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from metacascade._kernels._vessels import SEGMENT
from metacascade.base.errors import InputError, NetworkError
from metacascade.base.numerals import counted
from metacascade.space import network_csv, network_fit, network_secomb, network_swc, network_tiled, network_vtp
from metacascade.space.network_check import MOST, overlaps, same_ends
from metacascade.space.network_pieces import Pieces, Problems
from metacascade.space.vessels import Network

READERS = {"csv": network_csv.read, "secomb": network_secomb.read, "swc": network_swc.read, "vtp": network_vtp.read}
SUFFIXES = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".dat": "secomb", ".swc": "swc", ".vtp": "vtp"}
ONLY = {"columns": ("csv", "vtp"), "separator": ("csv",)}      # option: formats that have a use for it
FARTHEST_UM = 1e6             # 1 m: beyond it the unit must be wrong
WIDEST_UM = 1e4               # 1 cm


@dataclass
class Found:
    """A network that was read. `segments`: SEGMENT, in the order of the file and in um; `format`: the one it was in.

    `notes`: how it was understood; `doubts`: what may be wrong, counted; `remarks`: each case of these, a line each.
    `box`: the size of the tissue that the file has [um], from 0, or None.
    """
    path: str
    format: str
    segments: np.ndarray
    notes: list[str]
    doubts: list[str]
    remarks: list[str]
    box: tuple[float, ...] | None = None


def read(vessels) -> Found:
    """The network that section `vessels` names, in um, where the file has it.

    Raises
    ------
    InputError
        If the file cannot be read, or an option has no use for its format.
    NetworkError
        If anything in it is wrong: one line ``file:line: problem`` for each.
    """
    path, kind = vessels.file, format_of(vessels)
    problems = Problems(str(path))
    pieces = READERS[kind](path, vessels, problems)
    pieces.a, pieces.b, pieces.radius = (array * vessels.unit_um for array in (pieces.a, pieces.b, pieces.radius))
    if not problems.found:
        network_fit.refuse_scale(path, pieces, vessels.unit_um)      # first: it makes all sizes wrong
    _check_sizes(pieces, problems)
    if problems.found:
        raise NetworkError(problems.lines())
    doubts: list[str] = []
    pieces = _without_empty(pieces, problems, doubts)
    harmless = len(problems.found)
    pieces = _merged(pieces, problems, doubts)
    segments = segments_of(pieces, vessels.maturity_mean)
    _on_top(pieces, segments, problems, doubts)
    if vessels.overlaps == "refuse" and len(problems.found) > harmless:
        raise NetworkError(problems.lines())
    box = pieces.box and tuple(size * vessels.unit_um for size in pieces.box)
    return Found(str(path), kind, segments, pieces.notes, doubts, problems.lines(), box)


def format_of(vessels) -> str:
    """The format of the file, as given or by its suffix. Raises InputError, also for options without a use for it."""
    kind = vessels.format or SUFFIXES.get(Path(vessels.file).suffix.lower())
    if kind is None:
        raise InputError(f"{vessels.file}: the suffix tells no format of networks ({', '.join(SUFFIXES)}); say which: "
                         f"vessels.format, one of {', '.join(READERS)}")
    for option, formats in ONLY.items():
        if getattr(vessels, option) and kind not in formats:
            raise InputError(f"vessels.{option}: has no use for a file in the format {kind}")
    return kind


def segments_of(pieces: Pieces, maturity: float) -> np.ndarray:
    """Pieces in um as SEGMENT; `maturity` is given to those without one."""
    segments = np.zeros(len(pieces.radius), SEGMENT)
    for name, values in zip(("ax", "ay", "az", "bx", "by", "bz"), (*pieces.a.T, *pieces.b.T)):
        segments[name] = values
    segments["radius"], segments["perfused"] = pieces.radius, pieces.perfused
    segments["maturity"] = maturity if pieces.maturity is None else pieces.maturity
    return segments


def _check_sizes(pieces: Pieces, problems: Problems):
    """Places and radii that no vessel can have. What is no number has been told where it was read."""
    told = {place for place, _ in problems.found}
    far = ~(np.maximum(np.abs(pieces.a), np.abs(pieces.b)).max(axis=1, initial=0.0) <= FARTHEST_UM)
    thin = ~((pieces.radius >= 0.0) & (pieces.radius <= WIDEST_UM))
    for row in np.flatnonzero(far | thin):
        place = int(pieces.place[row])
        if place in told:
            continue
        if far[row]:
            worst = max((*pieces.a[row], *pieces.b[row]), key=abs)
            problems.add(place, f"an end at {worst:g} um: must be at most {FARTHEST_UM:g} um from 0")
        if thin[row]:
            problems.add(place, f"radius = {pieces.radius[row]:g} um: must be from 0 to {WIDEST_UM:g} um")


def _without_empty(pieces: Pieces, problems: Problems, doubts: list[str]) -> Pieces:
    """The pieces without those of no length or no radius, which hold nothing."""
    points, lines = (pieces.a == pieces.b).all(axis=1), pieces.radius == 0.0
    if (points | lines).all():
        raise InputError(f"{problems.path}: no segment in it has a length and a radius")
    for which, what, remark in ((points, "length", "both ends are the same point: left out"),
                                (lines & ~points, "radius", "radius = 0 um: left out")):
        if which.any():
            doubts.append(f"{counted(int(which.sum()), 'segment')} of no {what} left out")
        for place in pieces.place[which]:
            problems.add(int(place), remark)
    return pieces.take(~(points | lines))


def _merged(pieces: Pieces, problems: Problems, doubts: list[str]) -> Pieces:
    """The pieces without those that are there a second time, alike in all that the file says of them."""
    told = [values for values in (pieces.radius, pieces.perfused, pieces.maturity, pieces.name) if values is not None]
    again = same_ends(pieces.a, pieces.b, also=list(zip(*told)))
    if again:
        doubts.append(f"{counted(len(again), 'segment')} there a second time, left out")
    for i, j in again:
        problems.add(int(pieces.place[j]), f"the same segment as {problems.at(pieces.place[i])}: left out")
    kept = np.ones(len(pieces.radius), bool)
    kept[[j for _, j in again]] = False
    return pieces.take(kept)


def _on_top(pieces: Pieces, segments: np.ndarray, problems: Problems, doubts: list[str]):
    """Segments on top of each other: kept, as vessels do not feel each other, but told."""
    parallel, crossing = same_ends(pieces.a, pieces.b), overlaps(segments)
    if parallel:
        doubts.append(f"{counted(len(parallel), 'segment')} with the same two ends as another one, but not the same: "
                      "kept, as vessels side by side")
    if crossing:
        doubts.append(f"{'more than ' * (len(crossing) > MOST)}{min(len(crossing), MOST):,} times a segment runs "
                      "through another one: kept, and what they supply adds up")
    for i, j in parallel:
        problems.add(int(pieces.place[j]), f"the same two ends as {problems.at(pieces.place[i])}")
    for i, j, distance in crossing:
        problems.add(int(pieces.place[j]), f"overlaps {problems.at(pieces.place[i])}: the center lines come within "
                     f"{distance:.3g} um, less than half of the smaller radius")


def network(config, read_file=read) -> Found | None:
    """The network of a config in the frame of its tissue, held against its tumor; None if it is generated.

    The one way from a file to vessels: all commands take it. `read_file`: `read`, or what remembers its results.
    Raises InputError as `read` and `network_fit.hold` do.
    """
    if config.vessels.file is None:
        return None
    found = read_file(config.vessels)
    found = replace(found, segments=found.segments.copy(), notes=[*found.notes], doubts=[*found.doubts])
    if config.vessels.tile:
        found.segments = network_tiled.cut(found.segments, *network_tiled.chosen_box(found, config.vessels))
    network_fit.move(found.segments, config)
    network_fit.hold(found, config)
    return found


def network_of(config, world, segments=None) -> Network:
    """The vessels of a run, on every rank: of `segments` where they are given, else read by rank 0, or generated."""
    if segments is None and config.vessels.file is not None:
        with world.together():
            segments = network(config).segments if world.rank == 0 else None
        segments = world.bcast(segments)
    if segments is not None:
        return Network.from_segments(segments)
    return Network.from_config(config.vessels, config.vessels.seed)
