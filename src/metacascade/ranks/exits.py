"""A script that ends on one rank by ``sys.exit`` ends on all: the others would wait for it without end.

Other exceptions that nobody catches end all ranks by ``sys.excepthook``; SystemExit does not go there. What is seen:
``sys.exit`` anywhere with an exit code; without one, or with 0, in a body of `needed` and in that of a loop over steps,
until it itself steps on. Not seen is ``raise SystemExit`` but in a body of `needed`: the others wait.
"""
import contextlib
import sys
import time

from metacascade.ranks import parallel

GRACE_S = 2.0       # for the others to come to their own exit
_needed = 0         # bodies of `needed` that are under way
_loop = None        # the loop over steps in whose body this rank is, by an object of its own
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


@contextlib.contextmanager
def in_loop():
    """The body of a loop, for a generator that yields inside: the others will wait for this rank in the next round."""
    global _loop
    _loop = own = object()
    try:
        yield
    finally:
        if _loop is own:        # a loop that was left may be held, and closed when another goes on
            _loop = None


def out_of_loop():
    """All ranks step on together: a loop before was left, though Python may not have been told. See `in_loop`."""
    global _loop
    _loop = None


def guard(world):
    """From now on `sys.exit` of this process, with an exit code or from where the others need it, ends all ranks.

    Collective. Where all ranks call it together each ends as it would have; one that ends with 0 otherwise is done.
    """
    global _farewell
    if world.size == 1 or _farewell is not None:
        return
    _farewell, leave = world.comm.Dup(), sys.exit

    def exit_all(status=None, /):
        if _needed or _loop or status not in (None, 0):
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
