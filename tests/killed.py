"""Kill a process at its n-th call to the file system."""
import os
import sys

CALLS = {"close", "flush", "fsync", "ftruncate", "link", "mkdir", "open", "posix_fallocate", "pwrite", "replace",
         "rmdir", "seek", "truncate", "unlink", "write", "__exit__"}


def dies_at(n, work):
    """Run `work()` in a forked process that ends at once, as by SIGKILL, before its n-th such call.

    Returns False if it made fewer calls and came to its end.
    """
    child = os.fork()
    if child == 0:
        try:
            sys.setprofile(_Killer(n))
            work()
            os._exit(0)
        finally:
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, 9), f"the work failed by itself when it was to be killed at call {n}"
    return code == 9


class _Killer:
    def __init__(self, n):
        self.left = n

    def __call__(self, frame, event, function):
        if event == "c_call" and function.__name__ in CALLS and "metacascade" in frame.f_code.co_filename:
            self.left -= 1
            if self.left == 0:
                os._exit(9)
