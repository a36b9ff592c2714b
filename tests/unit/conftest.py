"""Programs that take the place of those of SLURM and MPI."""
import os

import pytest


@pytest.fixture
def stand_in(monkeypatch, tmp_path):
    """``stand_in(name=text, ...)``: scripts in `tmp_path`, which the PATH names first."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    def stand_in(**scripts):
        for name, text in scripts.items():
            (tmp_path / name).write_text(text)
            (tmp_path / name).chmod(0o755)
    return stand_in
