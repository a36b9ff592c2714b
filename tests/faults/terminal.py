"""The command line, whose third step raises an error or never ends. Usage: terminal.py ERROR|"sleep" ARGUMENTS..."""
import builtins
import sys
import time

from metacascade.__main__ import main
from metacascade.base import errors
from metacascade.model.simulation import Simulation


def step(self, along=(), original=Simulation.step):
    if self.step_number == 2:
        if sys.argv[1] == "sleep":
            time.sleep(1000)
        raise (getattr(errors, sys.argv[1], None) or getattr(builtins, sys.argv[1]))("the magnet failed")
    return original(self, along)


if sys.argv[1] != "none":
    Simulation.step = step
if __name__ == "__main__":
    sys.exit(main(sys.argv[2:]))
