"""docs/paraview.md and the examples/picture_*.py do what they say, on a run of a few steps."""
import contextlib
import io
import re
import runpy
import shutil
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
PROBE = """import sys; import pyvista
plot = pyvista.Plotter(off_screen=True); plot.add_mesh(pyvista.Sphere()); plot.screenshot(sys.argv[1])"""


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


def lines_of_the_page(run, directory, monkeypatch, number):
    """What the n-th piece of Python of the page has made."""
    code = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs" / "paraview.md").read_text("utf-8"), re.M | re.S)[number]
    monkeypatch.chdir(directory)
    found = {}
    exec(code.replace("runs/a", str(run)), found)
    return found


def test_the_lines_of_the_page_write_a_page(run, tmp_path, monkeypatch):
    lines_of_the_page(run, tmp_path, monkeypatch, 0)
    text = (tmp_path / "view.html").read_text("utf-8")
    assert text.startswith("<!doctype html>") and "2 snapshots, days 0 to 0.08333" in text


def test_the_lines_of_the_page_read_a_run(run, tmp_path, monkeypatch):
    found = lines_of_the_page(run, tmp_path, monkeypatch, 1)
    with results.open_results(run) as opened:
        number = int(opened.series["tissue"][-1])
    kept = -(-number // -(-number // 800))
    assert found["cells"].n_points == kept and found["series"].time_values == [0.0, 2.0]
    assert int(found["voxels"]["cells"].sum()) == number and found["vessels"].n_cells > 0


def test_the_example_draws_cells_and_vessels_on_white_without_a_screen(run, tmp_path):
    path = tmp_path / "picture.png"
    if subprocess.run([sys.executable, "-c", PROBE, tmp_path / "probe.png"], capture_output=True, timeout=240).returncode:
        runpy.run_path(str(EXAMPLE))              # it is Python, and what it imports is there
        pytest.skip("VTK draws nothing without a screen on this machine: no OpenGL, EGL or OSMesa")
    done = subprocess.run([sys.executable, EXAMPLE, run, path], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    picture = np.asarray(Image.open(path).convert("RGB")).astype(int)
    colored = np.ptp(picture, axis=2) > 60
    assert picture.shape == (1200, 1600, 3) and (picture[:20] == 255).all() and 0.02 < colored.mean() < 0.9


@pytest.mark.skipif(shutil.which("pvpython") is None, reason="there is no ParaView (pvpython) on the PATH")
def test_paraview_draws_a_run_and_writes_a_state_of_it(run, tmp_path):
    screen = ["xvfb-run", "-a"] if shutil.which("xvfb-run") else []
    files = [tmp_path / "picture.png", tmp_path / "state.pvsm"]
    done = subprocess.run([*screen, "pvpython", ROOT / "examples" / "picture_paraview.py", run, *files], capture_output=True,
                          text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert np.ptp(np.asarray(Image.open(files[0]).convert("RGB"))) > 100
    assert "tumor.vtkhdf.series" in files[1].read_text("utf-8")
