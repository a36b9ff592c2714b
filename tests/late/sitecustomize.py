"""On the PYTHONPATH: each Python gets the signals that stop a run when it has given up its own handlers for them."""
import os
import signal


class Late:
    def __del__(self, kill=os.kill, me=os.getpid, numbers=(signal.SIGUSR1, signal.SIGTERM, signal.SIGINT)):
        for number in numbers:
            kill(me(), number)


late = Late()        # until Python clears its modules
