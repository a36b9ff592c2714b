"""What the documentation names exists: files, commands, parameters, modules."""
import re
import runpy
from pathlib import Path

import pytest
import typer

import metacascade as mc
from metacascade.base import columns
from metacascade.cli import app
from metacascade.config import config
from metacascade.mechanisms import plan_of
from metacascade.model import observables

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SECTIONS = set(config.Config.tables)
FILES = {"h", "py", "lock"}         # tissue.h is not a parameter


every_page = pytest.mark.parametrize(
    "text, folder", [pytest.param(path.read_text("utf-8"), path.parent, id=path.name) for path in PAGES])


@every_page
def test_links_lead_to_files(text, folder):
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    assert [link for link in links if not (folder / link).exists()] == []


@every_page
def test_named_files_exist(text, folder):
    named = set(re.findall(r"`((?:docs|examples|tests|jobs|cython_ext|benchmarks|src)/[\w./]+)`", text))
    assert [name for name in named if "test_x" not in name and not name.endswith("/x.py") and "_x.pyx" not in name
            and not (ROOT / name).exists()] == []


@every_page
def test_named_parameters_exist(text, folder):
    known = {f"{name}.{key}" for name, (section, _) in config.Config.tables.items() for key in section.parameters}
    named = {name for name in re.findall(r"(?:`|--set )([a-z]+\.[a-z_]+)(?:`|=| = )", text)
             if name.split(".")[0] in SECTIONS and name.split(".")[1] not in FILES}
    assert named - known == set()


@every_page
def test_named_commands_exist(text, folder):
    named = set(re.findall(r"(?:^|`|-n \d )metacascade (\w+)", text, re.M))
    assert named <= typer.main.get_command(app.app).commands.keys()


def test_the_columns_of_the_time_series_are_those_declared():
    text = (ROOT / "docs" / "formats.md").read_text("utf-8")
    page = text.split("<!-- columns -->\n")[1].split("<!-- end of columns -->")[0]
    plan = plan_of(config.default())
    declared, by_node = observables.columns(plan), observables.by_node(plan)
    assert page == columns.markdown(declared) + "\n" + columns.markdown_by_node(by_node), "renew it with: metacascade info --columns --markdown"


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 150


def test_the_picture_of_the_readme_can_be_drawn_of_any_run(tmp_path):
    pytest.importorskip("matplotlib")
    draw = runpy.run_path(str(ROOT / "docs" / "picture.py"))["draw"]
    mc.Simulation(ROOT / "examples" / "mouse_breast.toml", [
        "tumor.cells=2000", "run.duration=6 h", "oxygen.initial_sweeps=4", "draw=[]"]).run(tmp_path / "run")
    draw(tmp_path / "run", tmp_path / "run.png")
    assert (tmp_path / "run.png").read_bytes().startswith(b"\x89PNG")
