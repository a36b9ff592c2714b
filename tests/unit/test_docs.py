"""What the documentation names exists: files, commands, parameters, modules."""
import inspect
import re
from pathlib import Path

import numpy as np
import pytest
import typer

import metacascade as mc
from metacascade._kernels import _layout, _vessels
from metacascade.base import columns, declare, errors
from metacascade.cli import app
from metacascade.config import config, presets
from metacascade.mechanisms import fields, lack, plan_of, terms
from metacascade.model import observables
from metacascade.report import style, talk, told
from metacascade.run import bench
from metacascade.space import pieces, vasculature
from metacascade.space.pieces import HOST
from metacascade.state import state

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


OFFERED = {      # to a plan and a SECTION, by the module from which it is imported
    terms: "Rate Trait Bit value hill fall ramp boost constant state trait bit at at_wall shielded pair gradient rise "
           "python_factor heritable",
    fields: "Diffusing Pressure", lack: "lacking", columns: "mean_over_cells NodeColumn", errors: "Contradiction",
    declare: "quantity number integer switch text choice"}


def signatures():
    """The table of docs/mechanisms.md: what is offered, with the defaults of its arguments, and its first line."""
    yield from ("| from `metacascade.` | call | what |", "|---|---|---|")
    for module, names in OFFERED.items():
        for name in names.split():
            made = getattr(module, name)
            call = inspect.Signature([one.replace(annotation=inspect.Parameter.empty)
                                      for one in inspect.signature(made).parameters.values()])
            doc = inspect.getdoc(made).split("\n")[0]
            yield f"| {module.__name__.removeprefix('metacascade.')} | `{name}{call}` | {doc} |"


def test_the_signatures_of_what_a_plan_may_yield_are_those_of_the_code():
    text = (ROOT / "docs" / "mechanisms.md").read_text("utf-8")
    page = text.split("<!-- signatures -->\n")[1].split("<!-- end of signatures -->")[0]
    assert page == "\n".join(signatures()) + "\n"


def test_every_function_that_makes_a_factor_is_among_the_signatures():
    made = {name for name in terms.__all__ if inspect.isfunction(getattr(terms, name))} - {"valued"}
    assert made <= {name for names in OFFERED.values() for name in names.split()}


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 150


SMALL = ["run.duration=6 h", "oxygen.initial_sweeps=4", "draw=[]"]
RUNS = {    # what is drawn: preset, settings
    "the demo": ("mouse_breast", ["tumor.cells=5000", "angiogenesis.sprouting=10/mm/day", "intravasation.hazard=40/day"]),
    "vessels that stay as they are": ("mouse_breast_fixed", ["tumor.cells=2000"]),
    "neither outline nor oxygen": ("mouse_breast_fixed", ["tumor.cells=2000", "outline.enabled=false",
                                                          "oxygen.enabled=false"])}


@pytest.mark.parametrize("preset, settings", RUNS.values(), ids=RUNS)
def test_the_picture_of_the_readme_can_be_drawn_of_any_run(preset, settings, tmp_path):
    pytest.importorskip("matplotlib")
    with mc.Simulation(ROOT / "examples" / f"{preset}.toml", [*SMALL, *settings]).run(tmp_path / "run") as results, \
            style.sheet(**talk.LETTERS):
        assert style.png(style.laid_out(talk.picture(told.Told(results)).figure), talk.DPI).startswith(b"\x89PNG")


def test_in_the_demo_vessels_sprout_and_those_of_the_host_are_loosened_where_the_tumor_is():
    simulation = mc.Simulation(ROOT / "examples" / "mouse_breast.toml", [
        "tumor.cells=5000", "angiogenesis.sprouting=10/mm/day", "angiogenesis.half=0.02", "maturation.half=0.02",
        "draw=[]"])
    assert simulation.model.plan.vessels_live
    simulation.step(48)
    living = simulation.model.tissue.vasculature.pieces.all
    host = living["flags"] & HOST > 0
    assert 0 < np.count_nonzero(~host) and living["maturity"][host].min() < 0.995 < living["maturity"][host].max()


def test_the_speed_of_bench_is_that_of_vessels_that_do_not_live():
    fixed = config.load(presets.FOLDER / f"{bench.PRESET}.toml")
    assert not plan_of(fixed).vessels_live and fixed.tumor.cells == 1_000_000


def test_the_sizes_of_records_in_the_formats_are_those_of_the_records():
    dtypes = {name: one for module in (_layout, _vessels, pieces, vasculature, state) for name, one in vars(module).items()
              if isinstance(one, np.dtype)}
    told = re.findall(r"([A-Z]+), (\d+) bytes", (ROOT / "docs" / "formats.md").read_text("utf-8"))
    assert len(told) >= 8 and {name: dtypes[name].itemsize for name, _ in told} == {name: int(n) for name, n in told}


def test_a_preset_with_the_settings_of_the_readme_has_nothing_odd():
    text = PAGES[0].read_text("utf-8")
    preset = re.search(r"metacascade init (\w+) my\.toml", text)[1]
    commands = re.findall(r"metacascade run my\.toml (.*)", text)
    settings = [re.findall(r"--set (\S+?=(?:\"[^\"]*\"|\S+))", command) for command in commands]
    assert any(settings)
    for one in settings:
        assert config.load(presets.FOLDER / f"{preset}.toml", one).warnings == []
