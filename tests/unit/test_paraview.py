"""docs/paraview.md and examples/picture_pyvista.py do what they say, on a run of a few steps."""
import contextlib
import io
import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from metacascade.io import results
from metacascade.run.api import Simulation

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "picture_pyvista.py"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run directory with snapshots of two times, of which the screen is `screen`."""
    directory = tmp_path_factory.mktemp("runs") / "a"
    with contextlib.redirect_stdout(io.StringIO()) as screen:
        Simulation(ROOT / "examples" / "mouse_breast.toml", [
            "tumor.cells=1000", "run.duration=2 h", "output.interval=1 h", "output.checkpoint=2 h", "draw=[]",
            "output.snapshots=true", "output.snapshot_interval=2 h", "output.snapshot_cells=800"]).run(directory)
    (directory / "screen").write_text(screen.getvalue())
    return directory


def test_a_run_says_once_of_each_kind_that_its_snapshots_show_less(run):
    said = [line for line in (run / "screen").read_text().splitlines() if "snapshots from" in line]
    assert [line.split("show less: ")[1][:6] for line in said] == ["of 1,0", "voxels"]


def test_the_lines_of_the_page_read_a_run(run, monkeypatch, capsys):
    page = (ROOT / "docs" / "paraview.md").read_text("utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```", page, re.M | re.S)
    monkeypatch.chdir(run.parents[1])
    found = {}
    exec(code.replace("runs/a", str(run)), found)
    with results.open_results(run) as opened:
        number = int(opened.series["tissue"][-1])
    kept = -(-number // -(-number // 800))
    assert found["cells"].n_points == kept and found["series"].time_values == [0.0, 2.0]
    assert int(found["voxels"]["cells"].sum()) == number and found["vessels"].n_cells > 0


def test_the_example_draws_cells_and_vessels_on_white_without_a_screen(run, tmp_path):
    path = tmp_path / "picture.png"
    done = subprocess.run([sys.executable, EXAMPLE, run, path], capture_output=True, text=True, timeout=240)
    if done.returncode < 0:
        runpy.run_path(str(EXAMPLE))              # it is Python, and what it imports is there
        pytest.skip(f"VTK has no way to draw without a screen here: it ended by signal {-done.returncode}")
    assert done.returncode == 0, done.stderr
    picture = np.asarray(Image.open(path).convert("RGB")).astype(int)
    colored = np.ptp(picture, axis=2) > 60
    assert picture.shape == (1200, 1600, 3) and (picture[:20] == 255).all() and 0.02 < colored.mean() < 0.9
