"""The files of `metacascade reproduce`: those of the package are whole, and what is wrong in one is told."""
import re
from pathlib import Path

import pytest

from made_experiments import BOUNDS, CONTROLS, EXPERIMENT, PUBLISHED, put
from metacascade.base.errors import InputError
from metacascade.config import config, read as config_read
from metacascade.studies import reproduce_controls, reproduce_file, reproduce_rests, reproduce_toml
from metacascade.studies.sweep_values import parameters

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path):
    return put(tmp_path / "files")


# --- the files that come with the package --------------------------------------------------------------------------

def assert_arms_are_configs(experiment, name):
    if experiment.cohort:
        return                      # they have been read with it
    if experiment.missing:
        pytest.skip(f"this version has no {', '.join(experiment.missing)}")
    for settings in experiment.arms.values():
        assert {re.sub(r"\.\d+\.", ".0.", setting) for setting in settings if "." in setting} <= parameters().keys()
        document = config_read.parse_text(reproduce_toml.toml(experiment.config), name)
        config_read.override(document, {key: value for key, value in settings.items() if "{networks}" not in str(value)
                                        and key != "vessels.tile"})
        config.build(document)


@pytest.mark.parametrize("name", reproduce_file.names())
def test_an_experiment_of_the_package_is_whole_and_its_arms_are_configs(name):
    experiment = reproduce_file.read(name)
    assert experiment.head.title and experiment.head.measured and experiment.head.simulated
    assert_arms_are_configs(experiment, name)


@pytest.mark.parametrize("name", reproduce_controls.names())
def test_a_control_of_the_package_is_whole_and_its_arms_are_configs(name):
    control = reproduce_controls.read(name)
    assert control.head.title and control.head.simulated and list(control.arms) == ["off", "on", "doubled"]
    assert_arms_are_configs(control, name)


def test_each_mechanism_of_tumor_blood_organs_and_therapy_has_a_control():
    wanted = {f"{part}{n:02}" for part, last in (("A", 16), ("B", 8), ("C", 14), ("D", 12)) for n in range(1, last + 1)}
    assert {name[:3] for name in reproduce_controls.names()} == wanted


def test_a_row_that_two_files_of_controls_have_is_refused(folder):
    for name in ("controls.toml", "controls_blood.toml"):
        (folder / name).write_text(CONTROLS)
    with pytest.raises(InputError, match="A[12] is a row of controls.toml already"):
        reproduce_controls.names(folder)


def test_files_of_controls_are_no_experiments_and_each_row_has_the_config_of_its_own(folder):
    (folder / "published.toml").write_text(PUBLISHED + BOUNDS)
    (folder / "controls.toml").write_text(CONTROLS)
    (folder / "controls_blood.toml").write_text(CONTROLS.replace("A1", "B1").replace("A2", "B2").replace("600", "700"))
    assert reproduce_file.names(folder) == ["small"]
    assert reproduce_controls.names(folder) == ["A1", "A2", "B1", "B2"]
    assert [reproduce_controls.read(name, folder).config["tumor"]["cells"] for name in ("A1", "B1")] == [600, 700]


def test_every_published_number_has_a_source_and_says_how_sure_it_is():
    rows = reproduce_file.published()
    used = {row.id for name in reproduce_file.names() for row in reproduce_file.read(name).rows}
    used |= {row.id for name in reproduce_controls.names() for row in reproduce_controls.read(name).rows}
    assert rows.keys() == used, "a row that nothing is compared with"
    assert all(row.what and row.source and row.sure for row in rows.values())


def test_no_published_number_stands_in_the_code():
    numbers = {str(bound) for row in reproduce_file.published().values() for bound in (row.low, row.high)
               if bound not in (None, 0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 0.9, 0.95, 0.05)}
    for path in (ROOT / "src" / "metacascade" / "studies").glob("re*.py"):
        text = path.read_text("utf-8")
        assert not [number for number in numbers if re.search(f" {re.escape(number)}(?![0-9])", text)], path.name


def test_the_package_brings_the_experiments():
    assert '"experiments/*.toml"' in (ROOT / "pyproject.toml").read_text("utf-8")


# --- reading ---------------------------------------------------------------------------------------------------------

def test_everything_wrong_in_an_experiment_is_told_with_its_line(folder):
    (folder / "small.toml").write_text(EXPERIMENT.replace('"grows, rests"', '"grows, rest"').replace(
        "replicates = 2", "replicate = 2").replace('published = "many"', 'published = "man"'))
    with pytest.raises(InputError) as error:
        reproduce_file.read("small", folder)
    text = str(error.value)
    assert "small.toml:5: replicate" in text and "did you mean" in text
    assert "there is no arm rest" in text and "no row of published.toml" in text
    with pytest.raises(InputError, match="experiments: small, or all"):
        reproduce_file.read("smal", folder)


def test_tables_become_the_text_of_a_config_and_back():
    tables = {"title": "a \"b\"", "run": {"seed": 1}, "organs": {"lung": {"soil": 0.5}}, "draw": [{"node": "venous"}],
              "vessels": {"offset": ["1 um", "0 um", "0 um"], "tile": True}}
    assert config_read.parse_text(reproduce_toml.toml(tables), "text").tables == tables


def test_what_is_wrong_in_a_control_is_told(folder):
    (folder / "published.toml").write_text(PUBLISHED + BOUNDS)
    (folder / "controls.toml").write_text(CONTROLS.replace("direction =", "directoin =").replace('"exact"', '"exakt"'))
    with pytest.raises(InputError) as error:
        reproduce_controls.read("A1", folder)
    assert "directoin" in str(error.value) and "did you mean" in str(error.value) and "exakt" in str(error.value)


def test_what_an_experiment_rests_on_has_the_source_of_its_own_value_and_not_of_the_default():
    told = {one.split(" ")[0]: one for name in ("V06", "V10") for one in reproduce_rests.told(reproduce_file.read(name))}
    assert told["colonization.clonogenic"].startswith("colonization.clonogenic (0.01 here; default 2e-05, recalled: ")
    assert told["blood.stretch"].startswith("blood.stretch (the default or ") and " here; default " in told["blood.stretch"]
    assert told["colonization.start"].startswith("colonization.start (assumed: ")
