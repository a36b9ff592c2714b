"""The view of the tumor in three dimensions: what is in it is what is in the files, and a browser shows it."""
import base64
import gzip
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from browser import CHROMIUM, Browser
from metacascade._kernels._layout import Flag
from metacascade.io import results, snapshots
from metacascade.report import view3d, view3d_frames
from metacascade.run.api import Simulation

ROOT = Path(__file__).parents[2]
SETTINGS = ["tumor.cells=3000", "run.duration=6 h", "output.interval=2 h", "output.checkpoint=6 h", "draw=[]",
            "intravasation.hazard=40/day", "vegf.egfr_mutation=0.05", "outline.interval=2 h",
            "output.snapshots=true", "output.snapshot_interval=3 h"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run with snapshots at 0, 3 and 6 h."""
    directory = tmp_path_factory.mktemp("runs") / "a"
    Simulation(ROOT / "examples" / "mouse_breast.toml", SETTINGS).run(directory)
    return directory


def section(directory):
    with results.open_results(directory) as opened:
        return view3d.section(opened)


def unpacked(page):
    """(head, arrays by name) as the script takes them."""
    (head,), (data,) = (re.findall(rf'class="{name}">(.*?)</script>', page, re.S) for name in ("head", "data"))
    head, raw, at, found = json.loads(head), gzip.decompress(base64.b64decode(data)), 0, {}
    n = head["numbers"]
    for name, kind, shape in (
            ("entry_time", "<f4", (n["entries"],)), ("entry_place", "<u2", (n["entries"], 3)),
            ("cell_place", "<u2", (n["cells"], 3)), ("ends", "<u2", (n["vessels"], 6)), ("clone", "u1", (n["cells"],)),
            ("emt", "u1", (n["cells"],)), ("zone", "u1", (n["cells"],)), ("radius", "u1", (n["vessels"],)),
            ("states", "u1", (n["frames"], n["vessels"]))):
        found[name] = np.frombuffer(raw, kind, int(np.prod(shape)), at).reshape(shape)
        at += found[name].nbytes
    assert at == len(raw)
    low, span = np.array(head["low"]), np.array(head["span"])
    for name in ("entry_place", "cell_place", "ends"):
        found[name] = (low + found[name].reshape(-1, 3) / 65535 * span).reshape(found[name].shape)
    return head, found, span / 65535


def in_steps(ends, head):
    """Ends of vessels in the steps of 1 / 65535 in which they are stored."""
    return np.round((ends.reshape(-1, 3) - head["low"]) / head["span"] * 65535).reshape(ends.shape).astype(int)


def test_cells_and_vessels_are_those_of_the_snapshots(run):
    head, found, step = unpacked(section(run))
    assert [frame["time_h"] for frame in head["frames"]] == [0, 3, 6]
    for number, frame in enumerate(head["frames"]):
        path = run / f"snapshots/cells.{int(2 * frame['time_h']):06d}.vtkhdf"
        with snapshots.opened(path) as h5:
            places, data = h5["Points"][:], {name: values[:] for name, values in h5["PointData"].items()}
        mine = slice(frame["cells"][0], sum(frame["cells"]))
        assert frame["all_cells"] == frame["cells"][1] == len(places)
        assert np.abs(found["cell_place"][mine] - places).max() <= 0.51 * step.max()
        assert np.array_equal(found["emt"][mine], data["emt"]) and np.array_equal(found["zone"][mine], data["zone"])
        with snapshots.opened(path.with_name(path.name.replace("cells", "vessels"))) as h5:
            ends, lines = h5["Points"][:].reshape(-1, 6), {name: values[:] for name, values in h5["CellData"].items()}
        here, state = found["ends"][found["states"][number] > 0], found["states"][number][found["states"][number] > 0]
        assert len(here) == len(ends) == frame["all_vessels"]
        order, wanted = (np.lexsort(in_steps(some, head).T) for some in (here, ends))
        assert np.array_equal(in_steps(here[order], head), in_steps(ends[wanted], head))
        assert np.abs(here[order] - ends[wanted]).max() <= 0.51 * step.max()
        assert np.array_equal(state[order] >> 6 == view3d_frames.FLOWS, lines["perfused"][wanted] > 0)
        assert np.abs((state[order] & 31) / 31 - lines["maturity"][wanted]).max() <= 0.5 / 31 + 1e-6


def test_entries_are_those_of_the_tumors_tissue_in_their_places(run):
    head, found, step = unpacked(section(run))
    with results.open_results(run) as opened:
        rows = opened.shed[:]
    rows = rows[(rows["origin"] == 0) & (rows["flags"] & (Flag.INJECTED | Flag.LESION | Flag.LYMPH) == 0)]
    rows = rows[np.argsort(rows["t_shed"].astype(np.float32), kind="stable")]
    assert len(rows) == len(found["entry_time"]) > 5 and head["entry_every"] == 1
    assert np.array_equal(found["entry_time"], rows["t_shed"].astype(np.float32))
    assert np.abs(found["entry_place"] - np.stack([rows[axis] for axis in "xyz"], axis=1)).max() <= 0.51 * step.max()


def test_vessels_near_the_tumor_are_within_two_cubes_of_a_cell_and_none_beside_a_cell_is_missed(run):
    _, found, _ = unpacked(section(run))
    cells, states = found["cell_place"][:3000], found["states"][0]
    ends, near = found["ends"][states > 0], (states[states > 0] & 32) > 0
    middle = ends.reshape(-1, 2, 3).mean(axis=1)
    distance = np.array([np.sqrt(((cells - place)**2).sum(axis=1).min()) for place in middle])
    assert near.any() and not near.all()
    assert distance[near].max() < 2 * view3d.NEAR_UM * 3**0.5 and distance[~near].min() > view3d.NEAR_UM - 1


def test_what_is_too_much_is_thinned_and_the_page_says_so(run, monkeypatch):
    for name, most in (("FRAMES", 2), ("CELLS", 500), ("VESSELS", 100), ("ENTRIES", 3)):
        monkeypatch.setattr(view3d, name, most)
    page = section(run)
    head, found, _ = unpacked(page)
    assert [frame["time_h"] for frame in head["frames"]] == [0, 6] and "left out to keep the page small: 1;" in page.replace(".</p>", ";</p>")
    assert [frame["cells"][1] for frame in head["frames"]] == [500, 500] and head["frames"][0]["all_cells"] == 3000
    assert len(found["entry_time"]) <= 3 < head["entry_every"]
    assert ((found["states"] > 0).sum(axis=1) <= 100).all() and head["frames"][0]["all_vessels"] > 100


def test_a_clone_that_began_after_the_last_output_has_no_day():
    frame = type("Frame", (), dict(clone=np.array([0, 1, 2])))()
    _, legend = view3d._clones({"clones": np.zeros(2, [("time_s", "i8")])}, [frame])
    assert [text for _, text in legend] == ["clone 0, the first", "clone 1, of day 0", "clone 2"]


def test_without_snapshots_it_shows_the_checkpoint_and_says_so(run, tmp_path):
    shutil.copytree(run, tmp_path / "b")
    shutil.rmtree(tmp_path / "b" / "snapshots")
    page = section(tmp_path / "b")
    head, found, _ = unpacked(page)
    last, theirs, _ = unpacked(section(run))
    assert "The last checkpoint alone" in page and len(head["frames"]) == 1
    first, number = last["frames"][-1]["cells"]
    assert head["frames"][0]["time_h"] == 6 and np.array_equal(found["emt"], theirs["emt"][first:first + number])
    assert np.abs(found["cell_place"] - theirs["cell_place"][first:]).max() < 0.1
    (tmp_path / "b" / "checkpoint.h5").unlink()
    (tmp_path / "b" / "checkpoint.prev.h5").unlink()
    assert section(tmp_path / "b") is None


def test_a_damaged_snapshot_is_left_out_and_told(run, tmp_path):
    shutil.copytree(run, tmp_path / "c")
    path = tmp_path / "c" / "snapshots" / "cells.000006.vtkhdf"
    path.write_bytes(path.read_bytes()[:-9])
    page = section(tmp_path / "c")
    assert [frame["time_h"] for frame in unpacked(page)[0]["frames"]] == [0, 6]
    assert "left out as damaged or not there: 1" in page


def test_it_is_the_same_each_time_needs_no_network_and_little_room(run):
    page = section(run)
    assert page == section(run) and len(page) < 1e6
    assert not re.findall(r"(?:src|href)=|https?:|import\(|fetch\(", page)


# --- in a browser ----------------------------------------------------------------------------------------------------

DRIVE = """(async (steps) => {
  const root = document.querySelector(".view3d"), seen = [], wait = () => new Promise((go) => setTimeout(go, 50));
  const act = { click: (value) => root.querySelector(`button${value}`).click(),
    drag: (value) => root.querySelector(".scene").dispatchEvent(new PointerEvent("pointermove", { buttons: 1, ...value })),
    wheel: (value) => root.querySelector(".scene").dispatchEvent(new WheelEvent("wheel", { ctrlKey: true, deltaY: value })) };
  const set = async (name, value) => {
    delete root.dataset.state;
    if (name in act) act[name](value);
    else {
      const input = root.querySelector(`[name=${name}]`);
      if (input.type === "checkbox") input.checked = value; else input.value = value;
      input.dispatchEvent(new Event("input", { bubbles: true }));
    }
    while (!root.dataset.state) await wait();
    const scene = root.querySelector(".scene"), gl = scene.getContext("webgl2"), n = 4 * scene.width * scene.height;
    const pixels = new Uint8Array(n); gl.readPixels(0, 0, scene.width, scene.height, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
    let inked = 0; for (let i = 0; i < n; i += 4) inked += pixels[i] + pixels[i + 1] + pixels[i + 2] < 700;
    seen.push({ ...root.dataset, name, value: `${value}`, inked, status: root.querySelector(".status").textContent,
      legend: root.querySelector(".legend").textContent, time: root.querySelector(".time").textContent });
  };
  while (root.dataset.state === "loading") await wait();
  for (const [name, value] of steps) await set(name, value);
  return seen;
})"""
STEPS = [["frame", "0"], ["frame", "2"], ["late", "all"], ["color", "zone"], ["near", "all"], ["axis", "z"], ["slab", "20"],
         ["at", "100000"], ["axis", "none"], ["click", "[value=oblique]"], ["click", "[value='1.4']"],
         ["wheel", 500], ["drag", {"movementX": 90, "movementY": 150}], ["cells", False], ["vessels", False], ["entries", False],
         ["click", "[name=play]"]]


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_a_browser_shows_it_and_every_control_does_what_it_says(run, tmp_path):
    page = section(run)
    (tmp_path / "page.html").write_text(f'<!doctype html><meta charset="utf-8"><style>.view3d .picture {{ height: 300px '
                                        f'!important; }}</style><body>{page}</body>', "utf-8")
    with Browser(tmp_path) as browser:
        browser.open(tmp_path / "page.html")
        seen = {(one["name"], one["value"]): one for one in browser.run(f"{DRIVE}({json.dumps(STEPS)})")}
        (tmp_path / "none.html").write_text(f"<script>HTMLCanvasElement.prototype.getContext = () => null</script>{page}")
        browser.open(tmp_path / "none.html")
        said = browser.run("document.querySelector('.view3d .status').textContent")
    assert said == "No 3-D view: this browser has no WebGL 2, or it is switched off."
    assert browser.errors == [] and len(seen) == len(STEPS)
    head, found, _ = unpacked(page)
    for frame in (0, 2):
        near = int(((found["states"][frame] & 32) > 0).sum())
        one = seen["frame", str(frame)]
        assert (int(one["cells"]), int(one["vessels"])) == (head["frames"][frame]["cells"][1], near)
    assert seen["frame", "0"]["time"] == "day 0 (1 of 3)" and seen["frame", "0"]["entries"] == "0"
    assert int(seen["late", "all"]["entries"]) == head["numbers"]["entries"]
    assert "core" in seen["color", "zone"]["legend"] and "clone" in seen["late", "all"]["legend"]
    assert int(seen["near", "all"]["vessels"]) == head["frames"][2]["all_vessels"]
    ink = {key: one["inked"] for key, one in seen.items()}
    assert ink["frame", "0"] > 500 and ink["near", "all"] > ink["color", "zone"]
    assert ink["near", "all"] > ink["axis", "z"] > ink["slab", "20"] > ink["at", "100000"]
    assert ink["cells", "false"] > ink["vessels", "false"] > ink["entries", "false"] == 0
    near, far = ink["click", "[value='1.4']"], ink["wheel", "500"]
    assert ink["axis", "none"] != ink["click", "[value=oblique]"] < near > far != ink["drag", "[object Object]"]
    assert seen["click", "[name=play]"]["time"] == "day 0 (1 of 3)"        # behind the last comes the first
