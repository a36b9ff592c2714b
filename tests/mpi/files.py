"""Write and read every kind of file on these ranks; rank 0 prints what came out as JSON.

Usage: files.py (write|fail|damaged|forever) DIRECTORY
"""
import errno
import hashlib
import itertools
import json
import os
import sys
from pathlib import Path

import h5py
import numpy as np

from metacascade.base.errors import InputError, RunError
from metacascade.io import checkpoint, snapshots
from metacascade.io.output import Output
from metacascade.io.rundirectory import claimed
from metacascade.ranks import parallel
from metacascade.ranks.parallel import owner_of_id
from metacascade.state.digest import digest
from metacascade.state.observed import layouts
from metacascade.state.state import CTC
from states import random_records, share_of, whole_state

WORLD = parallel.start()
COLUMNS = {"step": (int, "1"), "radius_um": (float, "um")}


def say(**facts):
    if WORLD.rank == 0:
        print(json.dumps(facts))


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def datasets_of(path):
    """The hash of every dataset but the wall times, which have a row for each rank."""
    found = {}

    def add(name, item):
        if isinstance(item, h5py.Dataset) and name != "provenance/wall_s":
            data = item[()] if isinstance(item[()], bytes) else item[()].tobytes()
            found[name] = hashlib.sha256(data + repr(sorted(item.attrs.items())).encode()).hexdigest()
    with h5py.File(path) as h5:
        h5.visititems(add)
    return found


def of_this_rank(records):
    return records[owner_of_id(records["id"], WORLD.size) == WORLD.rank]


def write_results(directory):
    """Two parts, a resume that drops the second one, and the end: the hash of the first part and of the results."""
    fixed = dict(config={"a": 1}, columns=COLUMNS, tables=layouts(), nodes=["tumor"], provenance={"command": "x"})
    output = Output(WORLD, directory, config_text="a = 1", **fixed)
    rng = np.random.default_rng(8)
    for step in range(2):
        output.record({"step": step, "radius_um": 0.5})
        output.shed(of_this_rank(random_records(rng, CTC, 1000))[::-1])
        output.draw(time_s=step, index=0, node=0, volume_mL=1.0, singles=2, clusters=0, cells=2)
        output.flush()
    first = sha256(directory / "parts/part.000000.h5") if WORLD.rank == 0 else ""
    output = Output(WORLD, directory, config_text=None, first_part=1, **fixed)
    whole = whole_state()
    output.finish(open_ctcs=of_this_rank(whole.ctcs), lesions=of_this_rank(whole.lesions), digest="d", wall_s={})
    return first, datasets_of(directory / "results.h5") if WORLD.rank == 0 else ""


def same_shares(state):
    """True if the shares of all ranks, end to end, are the whole state."""
    whole, share = whole_state(), share_of(whole_state(), 0, 1)
    names = ("tile_key", "tile_coords", "ctcs", "lesions")
    own = {name: getattr(state, name).tobytes() for name in names} | {k: a.tobytes() for k, a in state.arrays.items()}
    own["cells"] = state.cells(0, len(state.tile_key)).tobytes()
    everyone = WORLD.allgather(own)
    joined = {name: b"".join(each[name] for each in everyone) for name in own}
    expected = {name: getattr(whole, name).tobytes() for name in names}
    expected |= {k: a.tobytes() for k, a in whole.arrays.items()}
    return joined == expected | {"cells": share.cells(0, len(share.tile_key)).tobytes()}


def write(directory):
    with claimed(WORLD, directory):
        pass
    state = share_of(whole_state(), WORLD.rank, WORLD.size)
    checkpoint.write(WORLD, directory, state)
    again = checkpoint.read(WORLD, directory / "checkpoint.h5")
    snapshots.write(WORLD, directory, state, edge_um=30.0, limit=2000, segments=vessels())
    part, results = write_results(directory)
    digests = [digest(WORLD, state), digest(WORLD, again)]
    same = same_shares(again)
    say(digests=digests, same=same, part=part, results=results, files={
        path.name: sha256(path) for path in directory.rglob("*.*") if path.is_file() and path.name != "results.h5"})


def vessels():
    rng = np.random.default_rng(6)
    segments = np.zeros(3000, whole_state().segments.dtype)
    for end in "ab":
        for axis in "xyz":
            segments[end + axis] = rng.uniform(-700, 700, len(segments))
    return segments


def errors_of(work):
    """The messages that `work` gives, one for each rank; "" where there is none."""
    try:
        work()
        return WORLD.allgather("")
    except (InputError, RunError) as error:
        return WORLD.allgather(f"{type(error).__name__}: {error}")


def fail(directory):
    """The last rank cannot write."""
    state = share_of(whole_state(), WORLD.rank, WORLD.size)
    checkpoint.write(WORLD, directory, state)
    real, fsync = os.pwrite, os.fsync

    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")
    if WORLD.rank == WORLD.size - 1:
        os.pwrite = os.fsync = full
    messages = errors_of(lambda: checkpoint.write(WORLD, directory, state))
    os.pwrite, os.fsync = real, fsync
    intact = digest(WORLD, checkpoint.read(WORLD, directory / "checkpoint.h5")) == digest(WORLD, state)
    say(messages=messages, intact=intact, files=sorted(path.name for path in directory.iterdir()))


def damaged(directory):
    """A bit of the last chunk is flipped."""
    checkpoint.write(WORLD, directory, share_of(whole_state(), WORLD.rank, WORLD.size))
    path = directory / "checkpoint.h5"
    if WORLD.rank == 0:
        path.write_bytes(path.read_bytes()[:-1] + b"!")
    WORLD.barrier()
    say(messages=errors_of(lambda: checkpoint.read(WORLD, path)))


def forever(directory):
    """Write one checkpoint after the other; rank 0 prints the step of each that was written."""
    state = share_of(whole_state(tiles=200), WORLD.rank, WORLD.size)
    for step in itertools.count(1):
        state.meta["step"] = step
        checkpoint.write(WORLD, directory, state)
        if WORLD.rank == 0:
            print(step, flush=True)


if __name__ == "__main__":
    {"write": write, "fail": fail, "damaged": damaged, "forever": forever}[sys.argv[1]](Path(sys.argv[2]))
