"""Entry of ``metacascade`` and ``python -m metacascade``: one message and an exit code for every error."""
import os
import sys
import time

from metacascade.base import stopsignals
from metacascade.base.errors import CellsLost, InputError, RunError, exit_code
from metacascade.base.screen import bounded, one_line, screened
from metacascade.io.atomic import FULL
from metacascade.ranks import launcher

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
MPI_STARTED = "mpi4py.MPI"


def main(arguments: list[str] | None = None) -> int:
    """Run one command line; returns the exit code."""
    if arguments is None:
        arguments = sys.argv[1:]
        stopsignals.listen_before_a_run()
    for name in THREADS:  # before NumPy is imported: a rank is one thread, others would only hold cores and memory
        os.environ.setdefault(name, "1")
    sys.stdout = sys.stdout or open(os.devnull, "w")    # None where the shell closed it: `>&-`
    sys.stderr = sys.stderr or open(os.devnull, "w")
    for stream in (sys.stdout, sys.stderr):  # a title or file name may hold what the terminal cannot show
        stream.reconfigure(errors="backslashreplace")
    with screened():
        return run(arguments)


def run(arguments: list[str]) -> int:
    """Run one command line, whatever comes of it; returns the exit code."""
    try:
        refuse_unclear(arguments)
        from metacascade.cli.app import execute
        code = execute(arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        give_up_stdout()
        return end_others(1)
    except (Exception, KeyboardInterrupt, stopsignals.Ended) as error:
        return fail(error, debug="--debug" in arguments)


def refuse_unclear(arguments):
    """InputError for an argument that cannot be meant, and would be misread: in a message, a log, a job script."""
    if "" in arguments or "--out=" in arguments:      # a path of no letters would be the present directory
        raise InputError("an argument is empty; is a variable of the shell not set?")
    for argument in arguments:
        if "\n" in argument:
            raise InputError(f"an argument has a line break: '{one_line(argument)}'; rename the file; in a text of "
                             'TOML write it as \\n, as in --set \'title="a\\nb"\'')


def fail(error: BaseException, debug: bool) -> int:
    """Say what went wrong and return the exit code; ends the other ranks where they cannot know of it.

    Before MPI is started every rank does the same and meets the same error; later, errors that were
    agreed on carry ``on_all_ranks`` (see parallel.World.agree). Of those only rank 0 speaks.
    """
    shared = getattr(error, "on_all_ranks", False) or MPI_STARTED not in sys.modules
    if debug:
        import traceback
        traceback.print_exception(error)
    try:
        sys.stdout.flush()
    except OSError:
        give_up_stdout()
    if getattr(error, "speaks", launcher.rank() == 0 or not shared):
        print(message(error), file=sys.stderr, flush=True)
    elif launcher.open_mpi():
        time.sleep(2)        # its mpiexec ends all ranks as soon as one fails, rank 0 too before it has spoken
    return exit_code(error) if shared else end_others(exit_code(error))


def give_up_stdout() -> None:
    """What it still holds cannot be written; Python would try again at its end, and change the exit code."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def end_others(code: int) -> int:
    """End the other ranks, which do not know of the error of this one and would wait for it; returns the exit code."""
    if launcher.launched() and MPI_STARTED in sys.modules:
        from metacascade.ranks.parallel import abort
        abort(code)
    return code


def message(error: BaseException) -> str:
    """What a user sees of an error."""
    if isinstance(error, KeyboardInterrupt):
        return "metacascade: interrupted"
    if isinstance(error, (InputError, RunError, stopsignals.Ended)):
        return f"metacascade: {error}" if "\n" not in str(error) else f"metacascade:\n{error}"
    if isinstance(error, OSError) and error.errno in FULL and error.filename is None:    # of a file: atomic.writing
        return f"metacascade: cannot write to the standard output: {error.strerror}"
    kind = "" if isinstance(error, CellsLost) else f"{type(error).__name__}: "
    return f"metacascade: internal error: {kind}{bounded(error)}\nThis is a bug; --debug shows where it happened."


if __name__ == "__main__":
    sys.exit(main())
