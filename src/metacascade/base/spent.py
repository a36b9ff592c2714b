"""How long things take, by their names."""
import time
from collections import Counter
from contextlib import contextmanager


class Spent(Counter):
    """Wall time so far [s] by name."""

    @contextmanager
    def on(self, name):
        """Count the time of the body as spent on something."""
        start = time.perf_counter()
        yield
        self[name] += time.perf_counter() - start
