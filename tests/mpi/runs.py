"""Whole runs with their files, one after the other; rank 0 prints for each a line ``FACTS {...}``.

Usage: runs.py PLAN, a JSON list of objects: out, settings ("section.key=value" of the small mouse tumor), config
(another file), stop_at (step at which the last rank wishes to stop), resume (go on in `out`), rates (constants
of the tissue kernel to replace).
"""
import json
import sys

from metacascade.model import tissue
from metacascade.model.simulation import Simulation
from metacascade.model.tissue import Tissue
from metacascade.ranks import parallel
from metacascade.run import commands
from metacascade.run.run import Run
from metacascade.space.rebalance import Balance
from small import EXAMPLE

WORLD = parallel.start()
COUNTS = {}
WISH = {}


def counted(name, function, count):
    """`function`, with what `count` makes of its result added to COUNTS."""
    def wrapped(*args, **kwargs):
        result = function(*args, **kwargs)
        COUNTS[name] = COUNTS.get(name, 0) + int(count(result))
        return result
    return wrapped


def must_stop(self, original=Run._must_stop):
    wish = self.simulation.step_number + 1 == WISH["stop_at"] and self.world.rank == self.world.size - 1
    return original(self) or wish


def run(job):
    """One job of the plan: what it did, over all ranks."""
    COUNTS.clear()
    WISH.update(stop_at=job.get("stop_at"))
    tissue.parameters = lambda *given: PARAMETERS(*given) | job.get("rates", {})
    if job.get("resume"):
        code = commands.resume(job["out"])
    else:
        code = commands.run(job.get("config", EXAMPLE), job["out"], job.get("settings", ()))
    everyone = WORLD.allgather(dict(COUNTS))
    return {name: [counts.get(name, 0) for counts in everyone] for name in ("crossed", "cut", "tiles")} | {"code": code}


PARAMETERS = tissue.parameters
Run._must_stop = must_stop
Tissue.leaving = counted("crossed", Tissue.leaving, lambda result: len(result[1]))
Balance.look = counted("cut", Balance.look, bool)
Simulation.state = counted("tiles", Simulation.state, lambda result: 0 if "tiles" in COUNTS else len(result.tile_key))

if __name__ == "__main__":
    for job in json.loads(sys.argv[1]):
        facts = run(job)
        if WORLD.rank == 0:
            print("FACTS", json.dumps(facts), flush=True)
