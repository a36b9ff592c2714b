"""The command line with one fault in it, on one rank (-1: on all), at one step.

Usage: one_fault.py FAULT[:VALUE] RANK STEP ARGUMENTS OF METACASCADE... FAULT is one of the functions below.
"""
import ctypes
import itertools
import os
import resource
import shutil
import signal
import sys
import time
from pathlib import Path

import numpy as np

from metacascade import __main__
from metacascade.io import checkpoint
from metacascade.model.simulation import Simulation
from metacascade.ranks import parallel
from metacascade.ranks.exchange import Exchange

PR_SET_DUMPABLE = 4
HERE = {"rank": False, "now": False, "value": 0}


def stop(model):
    """A wish to stop, as after SIGTERM: heeded after the next step."""
    signal.raise_signal(signal.SIGTERM)


def stop_saving(model):
    """The same while the next checkpoint is written: heeded when that is whole."""
    def check(state, rank, size, check=checkpoint._check):
        check(state, rank, size)
        stop(model)
    checkpoint._check = check


def die(model):
    os.kill(os.getpid(), signal.SIGKILL)


def clock(model):
    """From now on the clock of this rank jumps by three days, back and forth, whenever somebody looks at it."""
    jumps = itertools.cycle((3 * 86400, -3 * 86400))
    time.time = lambda now=time.time: now() + next(jumps)
    time.time_ns = lambda: int(time.time() * 1e9)


def freeze(model):
    """Stopped, as by a debugger, a scheduler or a node that no longer answers."""
    os.kill(os.getpid(), signal.SIGSTOP)


def freeze_saving(model):
    """The same in the middle of the next checkpoint, with the file begun by all."""
    def pwrite(*what, pwrite=os.pwrite):
        freeze(model)
        return pwrite(*what)

    def check(state, rank, size, check=checkpoint._check):
        check(state, rank, size)
        os.pwrite = pwrite
    checkpoint._check = check


def unheard(model):
    """Nobody reads any more what this rank prints."""
    read, write = os.pipe()
    os.close(read)
    os.dup2(write, 1)
    print("a line", flush=True)


def error(model):
    raise RuntimeError("the magnet failed")


def memory(model):
    raise MemoryError("Unable to allocate 7 TiB")


def nap(model):
    """Wait until somebody takes the file ``napping`` away."""
    flag = Path(sys.argv[-1]) / "napping"
    flag.touch()
    while flag.exists():
        time.sleep(0.01)


def lose_tissue(model):
    """The last cell of a tile vanishes, and its voxel knows."""
    row = np.argmax(model.tissue.arena.n)
    model.tissue.arena.n[row] -= 1
    model.tissue.counts[row, np.flatnonzero(model.tissue.counts[row])[-1]] -= 1


def lose_record(model):
    """It vanishes, and its voxel does not know."""
    model.tissue.arena.n[np.argmax(model.tissue.arena.n)] -= 1


def double_tissue(model):
    """The last cell of a tile is there twice."""
    row = np.argmax(model.tissue.arena.n)
    model.tissue.arena.reserve(np.array([row]), model.tissue.arena.n[[row]] + 1)
    model.tissue.arena.n[row] += 1
    model.tissue.counts[row, np.flatnonzero(model.tissue.counts[row])[-1]] += 1
    model.tissue.arena.block(row)[-1] = model.tissue.arena.block(row)[-2]


def lose_blood(model):
    """A circulating cell vanishes."""
    model.blood.records = model.blood.records[1:]


def lose_lesion(model):
    """A cell of a lesion vanishes."""
    model.lesions.records["n"][np.argmax(model.lesions.records["n"])] -= 1


def lose_routed(model):
    """Nothing at once: `received` loses a record of the next exchange of CTCs or migrants."""
    HERE["now"] = True


def received(route=Exchange.route):
    def losing(self, sections):
        routed = route(self, sections)
        if HERE["now"] and len(routed.get("ctcs", ())):
            HERE["now"] = False
            routed["ctcs"] = routed["ctcs"][1:]
        return routed
    return losing


def lose_message(model):
    """A record of the next message from another rank vanishes on its way."""
    HERE["now"] = True


def unpacked(unpack=Exchange._unpack):
    def losing(self, sections, kept, incoming):
        found = unpack(self, sections, kept, incoming)
        if HERE["now"] and "ctcs" in found and len(found["ctcs"]) > len(kept["ctcs"]):
            HERE["now"] = False
            found["ctcs"] = found["ctcs"][1:]
        return found
    return losing


def remove(model):
    """The directory of the run is removed."""
    shutil.rmtree(sys.argv[-1])


def replace(model):
    """It is moved away, and a copy of it is in its place."""
    os.rename(sys.argv[-1], sys.argv[-1] + ".moved")
    shutil.copytree(sys.argv[-1] + ".moved", sys.argv[-1])


def forbid(model):
    """Nobody may write into it from now on, not even root.

    Root is another user to the file system only: ranks of another effective user may not copy each other's memory, as
    MPI does with long messages.
    """
    for place in Path(sys.argv[-1]), Path(sys.argv[-1]) / "parts":
        place.chmod(0o555)
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        libc.setfsuid(65534)
        libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)       # taken away by a change of user


def limit(model):
    """From now on no byte of a file may lie beyond VALUE. (MPI itself needs files when it starts.)"""
    resource.setrlimit(resource.RLIMIT_FSIZE, (HERE["value"], resource.RLIM_INFINITY))


def full(model):
    """No room on the disk of this rank for the next checkpoint."""
    def no_room(*_):
        raise OSError(28, "No space left on device")
    os.pwrite = no_room


def bad_state(model):
    """The state of this rank contradicts itself when it is written."""
    def check(state, rank, size, check=checkpoint._check):
        check(state, rank, size)
        if HERE["rank"]:
            raise ValueError("oxygen: float64 instead of float32")
    checkpoint._check = check


def at_step(fault, rank, step, steps=Simulation.step):
    """Simulation.step with the fault before one step."""
    def stepping(self, along=()):
        if rank in (-1, self.world.rank) and self.step_number == step:
            HERE["rank"] = True
            fault(self)
        return steps(self, along)
    return stepping


if __name__ == "__main__":
    name, rank, step, *arguments = sys.argv[1:]
    name, _, value = name.partition(":")
    HERE["value"] = int(value or 0)
    parallel.start()
    if name == "lose_message":
        Exchange._unpack = unpacked()
    if name == "lose_routed":
        Exchange.route = received()
    Simulation.step = at_step(globals()[name], int(rank), int(step))
    sys.exit(__main__.main(arguments))
