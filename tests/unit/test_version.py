"""One version number: pyproject.toml has it, and all else reads that of the installed package."""
import re
import tomllib
from pathlib import Path

import metacascade
from metacascade.io.provenance import versions

ROOT = Path(__file__).parents[2]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]


def test_the_installed_version_is_that_of_pyproject():
    assert metacascade.__version__ == versions()["metacascade"] == VERSION


def test_no_other_file_has_the_number():
    files = [*ROOT.glob("*"), *(p for name in ("src", "cython_ext", "jobs", "docs") for p in (ROOT / name).rglob("*"))]
    text = {path: path.read_text("utf-8", "replace") for path in files
            if path.suffix in (".py", ".pyx", ".pxd", ".h", ".toml", ".cff", ".md", ".sh", ".sbatch")}
    number = re.compile(rf"\b{re.escape(VERSION)}\b")
    said = {path.name for path, found in text.items() if number.search(found)}
    assert said - {"validation.md"} == {"pyproject.toml"}        # that page says by which version it was computed


def test_the_change_log_begins_with_it():
    heading = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert heading[1] == VERSION.split(".dev")[0]
