"""On the PYTHONPATH: every step of a run takes longer, so that a small one has the wall time of a large one."""
import os
import time

from metacascade.run.walllimit import WallLimit

LONGER_S = float(os.environ["STEP_LONGER_S"])


def step_took(self, seconds, step_took=WallLimit.step_took):
    time.sleep(LONGER_S)
    step_took(self, seconds)


WallLimit.step_took = step_took
