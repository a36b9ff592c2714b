"""ruff and cython-lint find nothing. Their rules are in pyproject.toml."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BESIDE = Path(sys.executable).parent        # where pip puts commands


@pytest.mark.parametrize("command", [["ruff", "check", "--no-cache", "--output-format=concise"],
                                     ["cython-lint", "cython_ext"]], ids=["ruff", "cython-lint"])
def test_lint(command):
    if not (BESIDE / command[0]).is_file():
        pytest.skip(f'no {command[0]} beside this Python: pip install ".[test]"')
    env = dict(os.environ, PATH=f"{BESIDE}{os.pathsep}{os.environ['PATH']}")    # cython-lint starts pycodestyle
    done = subprocess.run([BESIDE / command[0], *command[1:]], cwd=ROOT, env=env, capture_output=True, text=True,
                          timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
