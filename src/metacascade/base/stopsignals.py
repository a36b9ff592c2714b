"""The signals that ask a run to stop. Who listens is up to the main thread of Python: elsewhere these do nothing."""
import contextlib
import signal
import threading

PASSED_ON = signal.SIGUSR1      # the one signal that every mpiexec and srun hands to its ranks
TIME_IS_UP = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU)       # as batch systems and limits of CPU time say it
GIVEN_UP = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)           # as people say it, or a terminal that is closed
ALL = TIME_IS_UP + GIVEN_UP
BEFORE_A_RUN = (signal.SIGUSR2, signal.SIGXCPU, signal.SIGTERM, signal.SIGHUP)  # not Ctrl-C
_NOHUP = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN          # before anybody here listens: so nohup starts us


class Ended(BaseException):
    """A wish to stop while there is no run that could stop with a checkpoint."""


def listen(handler, numbers=ALL):
    """Call ``handler(number, frame)`` at each of them, but at SIGHUP not under nohup."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in numbers:
        former = signal.getsignal(number)
        if former is not None and not (number == signal.SIGHUP and _NOHUP):    # None: not of Python
            signal.signal(number, handler)


def listen_before_a_run():
    """Until a run listens a wish to stop raises `Ended`; PASSED_ON is lost, as `deaf` says."""
    listen(_end, BEFORE_A_RUN)
    deaf()


def _end(number, _):
    raise Ended(f"ended by {signal.Signals(number).name} while no run was under way: no checkpoint was written")


def ignore():
    """From now on none of them does anything."""
    listen(signal.SIG_IGN)


@contextlib.contextmanager
def given_back():
    """After the body, however it ends, they are handled as before."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: handler for number in ALL if (handler := signal.getsignal(number)) is not None}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def deaf():
    """For a Python that is being started: a wish to stop that comes before it listens is lost, instead of ending it."""
    signal.signal(PASSED_ON, signal.SIG_IGN)
