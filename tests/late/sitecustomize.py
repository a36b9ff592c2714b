"""On the PYTHONPATH: each Python gets the signals that stop a run when it has given up its own handlers for them."""
import os
import signal

# not of the package: while Python starts it must not be imported
STOP = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Late:
    def __del__(self, kill=os.kill, me=os.getpid, numbers=STOP):
        for number in numbers:
            kill(me(), number)


late = Late()        # until Python clears its modules
