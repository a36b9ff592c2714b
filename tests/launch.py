"""Start a program of tests/mpi on several ranks."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent


def on_ranks(n, program, *arguments, timeout=120):
    """What `program` prints on n ranks; the test fails if it does, and is skipped where there is no mpiexec."""
    beside = Path(sys.executable).with_name("mpiexec")
    mpiexec = str(beside) if beside.exists() else shutil.which("mpiexec")
    if mpiexec is None:
        pytest.skip("no mpiexec")
    path = os.pathsep.join([str(TESTS.parent / "src"), str(TESTS), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run([mpiexec, "-n", str(n), sys.executable, str(TESTS / "mpi" / program), *map(str, arguments)],
                          capture_output=True, text=True, timeout=timeout, env={**os.environ, "PYTHONPATH": path})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
