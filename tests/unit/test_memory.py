"""Memory that is needed no more: of one freed array it goes back to the system, of another it is used again."""
import subprocess
import sys

import numpy as np

from metacascade.space.relaxation import Kept

FREED = """
import numpy as np
from metacascade.base import memory
memory.give_back()
np.ones(4 << 20)                                # 32 MB: GNU libc takes arrays below from its heap once one was freed
before, large, small = memory.resident(), [], []
for _ in range(40):
    large.append(np.ones(1 << 18)); small.append(np.ones(1000))
held = memory.resident() - before
del large
print(held, memory.resident() - before)
"""


def test_the_memory_of_freed_arrays_between_others_goes_back_to_the_system():
    held, left = map(int, subprocess.run([sys.executable, "-c", FREED], capture_output=True, check=True).stdout.split())
    assert held > 75e6 and left < 5e6


def test_rows_are_kept_while_their_number_changes_a_little():
    kept = Kept(64)
    first = kept.rows(1000)
    first[:] = 3.0
    assert first.shape == (1000, 64) and first.dtype == np.float32
    assert np.shares_memory(kept.rows(1020), first) and np.shares_memory(kept.rows(990), first)
    assert (kept.rows(1000) == 3.0).all()
    more = kept.rows(1200)
    assert more.shape == (1200, 64) and not np.shares_memory(more, first)
    assert not np.shares_memory(kept.rows(100), more), "memory for twelve times as many rows is not kept"
    assert kept.rows(0).shape == (0, 64)


def test_rows_that_take_much_memory_are_not_kept(monkeypatch):
    monkeypatch.setattr(Kept, "MOST", 1000 * 64 * 4)
    kept = Kept(64)
    few = kept.rows(1000)
    assert np.shares_memory(kept.rows(1000), few)
    many = kept.rows(1001)
    assert many.shape == (1001, 64) and many.dtype == np.float32
    assert many.base is None and kept.rows(0).base.nbytes < 10_000, "nobody else holds either of them"
