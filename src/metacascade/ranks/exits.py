"""A script that ends on one rank by ``sys.exit`` ends on all: the others would wait for it without end.

Other exceptions that nobody catches end all ranks by ``sys.excepthook``; SystemExit does not go there.
"""
import contextlib
import sys
import time

from metacascade.ranks import parallel

GRACE_S = 2.0       # for the others to come to their own exit
_needed = 0         # bodies of `needed` that are under way
_farewell = None    # a communicator for nothing but the end


@contextlib.contextmanager
def needed(world):
    """In the body the other ranks count on this one, so that no exit from it is that of a rank that is done."""
    global _needed
    _needed += 1
    try:
        yield
    except SystemExit as error:         # one that was raised without sys.exit
        _end(world, error.code)
        raise
    finally:
        _needed -= 1


def guard(world):
    """From now on `sys.exit` of this process with an exit code, or from a body of `needed`, ends all ranks. Collective.

    Where all ranks call it together each ends as it would have; one that ends with 0 otherwise is done.
    """
    global _farewell
    if world.size == 1 or _farewell is not None:
        return
    _farewell, leave = world.comm.Dup(), sys.exit

    def exit_all(status=None, /):
        if _needed or status not in (None, 0):
            _end(world, status)
        leave(status)
    sys.exit = exit_all


def _end(world, status):
    """End all ranks, unless all come here."""
    if _farewell is None or _all_come():
        return
    code = status if isinstance(status, int) else 0 if status is None else 1
    said = "" if status is None or isinstance(status, int) else f": {status}"
    print(f"metacascade: rank {world.rank} ends with exit code {code}, and so do all{said}", file=sys.stderr)
    parallel.abort(code)


def _all_come():
    """Are all ranks here within GRACE_S? Not collective: the others may wait for this one elsewhere."""
    come, end = _farewell.Ibarrier(), time.monotonic() + GRACE_S
    while not come.Test() and time.monotonic() < end:
        time.sleep(0.01)
    return come.Test()
