"""ruff and cython-lint find nothing, by the rules in pyproject.toml; neither looks at docstrings of kernels."""
import importlib
import inspect
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


@pytest.mark.parametrize("kernel", sorted(path.stem for path in (ROOT / "cython_ext").glob("*.pyx")))
def test_what_a_kernel_shows_has_a_docstring(kernel):
    module = importlib.import_module(f"metacascade._kernels.{kernel}")
    shown = [value for name, value in vars(module).items() if inspect.isroutine(value) and not name.startswith("_")
             and value.__module__ == module.__name__]
    signed = [value.__doc__.partition("\n\n") for value in shown]       # Cython puts the signature first
    assert all(text.strip() for _, _, text in signed)


MOST_LINES, WIDEST = 300, 120


@pytest.mark.parametrize("path", [*sorted((ROOT / "cython_ext").glob("*.[hp]*")), *sorted((ROOT / "src").rglob("*.py"))],
                         ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_file_is_one_thing_and_fits_the_screen(path):
    """ruff and cython-lint see no header of C, and neither counts the lines of a file."""
    lines = path.read_text("utf-8").splitlines()
    assert len(lines) <= MOST_LINES
    assert [i for i, line in enumerate(lines, 1) if len(line) > WIDEST] == []
