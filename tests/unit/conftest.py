"""Programs that take the place of those of SLURM and MPI; reports that several files look at."""
import os
import warnings

import pytest

import reported
from metacascade.__main__ import main


@pytest.fixture
def stand_in(monkeypatch, tmp_path):
    """``stand_in(name=text, ...)``: scripts in `tmp_path`, which the PATH names first."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    def stand_in(**scripts):
        for name, text in scripts.items():
            (tmp_path / name).write_text(text)
            (tmp_path / name).chmod(0o755)
    return stand_in


@pytest.fixture(scope="session")
def reports(tmp_path_factory):
    """``reports(kind)``: (directory of what `reported` makes, that of its report); each is made once."""
    pytest.importorskip("matplotlib")
    folder, made = tmp_path_factory.mktemp("reports"), {}

    def reports(kind):
        if kind not in made:
            (folder / kind).mkdir()
            directory = getattr(reported, kind)(folder / kind)
            slide = ["--talk"] * (kind == "everything")
            with warnings.catch_warnings():     # of matplotlib, such as of axes for which there is no room
                warnings.simplefilter("error", UserWarning)
                assert main(["report", str(directory), *slide, "--out", str(folder / kind / "page")]) == 0
            made[kind] = directory, folder / kind / "page"
        return made[kind]
    return reports
