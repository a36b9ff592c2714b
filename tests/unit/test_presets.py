"""Presets say where each of their numbers comes from, and no experiment tests one on what it has used."""
import re
from pathlib import Path

import pytest

from made_experiments import EXPERIMENT, SMALL, put
from metacascade.__main__ import main
from metacascade.base.errors import InputError
from metacascade.config import presets, sourced
from metacascade.config.config import load
from metacascade.config.lines import comments
from metacascade.studies import reproduce_file

PRESET = """# What it is.
#
# Used: V16 (soil of the lung),
#   and V031, which is no target
# May be tested on: V17

[tumor]
cells = 5000
[growth]
division_time = "30 h"     # ASSUMED: between
                           # one day and two
death_rate = "0.05/day"    # DEFAULT: of tissue
[organs.liver]
capillary = "8 um"         # DEFAULT: sinusoids
[organs.lung]
soil = 3.0                 # MEASURED: "#1" of one
"""


@pytest.mark.parametrize("name", presets.names())
def test_every_number_of_a_preset_has_a_status_and_a_source(name):
    assert sourced.unsourced(sourced.numbers(name)) == []


@pytest.mark.parametrize("name", presets.names())
def test_a_preset_says_what_it_has_used_and_may_be_tested_on_and_they_differ(name):
    said = sourced.about(name)
    assert all(said.values())
    assert not sourced.used(name) & set(re.findall(r"V[0-9]{2}", said["May be tested on"]))


@pytest.mark.parametrize("name", reproduce_file.names())
def test_no_experiment_tests_a_preset_on_what_it_has_used(name):
    assert reproduce_file.circular(name) == []


def test_the_page_of_presets_names_each():
    page = (Path(__file__).parents[2] / "docs" / "presets.md").read_text("utf-8")
    assert [name for name in presets.names() if name not in page] == []


def test_the_sources_are_those_of_the_comments():
    found = {one.path: (one.written, one.status, one.source) for one in sourced.numbers_of(PRESET, "made up")}
    assert found == {
        "tumor.cells": ("5000", "setting", ""), "growth.division_time": ("30 h", "assumed", "between one day and two"),
        "growth.death_rate": ("0.05/day", "default", "of tissue"),
        "organs.liver.capillary": ("8 um", "default", "sinusoids"), "organs.lung.soil": ("3", "measured", '"#1" of one')}
    assert sourced.unsourced(sourced.numbers_of(PRESET, "made up")) == []


@pytest.mark.parametrize("old, new, wrong", [
    ("ASSUMED: between", "between", "line 10: growth.division_time = 30 h: needs a comment, one of MEASURED"),
    ("ASSUMED: between", "GUESSED: between", "growth.division_time = 30 h: needs a comment"),
    ("ASSUMED: between", "DEFAULT: between", "growth.division_time = 30 h: is not the default, 24 h: say where"),
    ("DEFAULT: sinusoids", "RECALLED: sinusoids", "organs.liver.capillary = 8 um: is the default, of the same status"),
    ("3.0                 # MEASURED:", "3.0 # ", "organs.lung.soil = 3: needs a comment")])
def test_a_number_without_its_source_is_refused(old, new, wrong):
    told, = sourced.unsourced(sourced.numbers_of(PRESET.replace(old, new), "made up"))
    assert wrong in told


def test_the_head_tells_targets_over_several_lines():
    said = sourced.about_text(PRESET)
    assert said == {"Used": "V16 (soil of the lung), and V031, which is no target", "May be tested on": "V17"}
    assert set(sourced.about_text("title = 'a'").values()) == {""}


@pytest.mark.parametrize("name", presets.names())
def test_what_a_preset_has_used_is_told_whole(name):
    between = presets.text(name).partition("# Used:")[2].partition("# May be tested on:")[0]
    assert sourced.about(name)["Used"].split() == between.replace("#", " ").split()


def test_comments_are_those_of_lines_and_not_of_texts():
    assert comments("a = '#'  # b\n         # c\n# d\n  # e\nf = '''\n# g\n'''  # h") == {1: "b c", 3: "d e", 7: "h"}


def test_an_experiment_may_start_from_a_preset_but_not_be_compared_with_what_it_used(tmp_path):
    folder = put(tmp_path / "files")
    text = EXPERIMENT.replace(SMALL, "").replace('[[config.draw]]\nnode = "venous"\ntime = "6 h"\nvolume = "0.1 mL"\n', "")
    (folder / "V16.toml").write_text(text.replace("replicates", 'config = "human_lung"\nreplicates'))
    (folder / "V16_later.toml").write_text(text.replace("replicates", 'config = "V16"\nreplicates'))
    (folder / "V17.toml").write_text(text.replace("replicates", 'config = "human_lung"\nreplicates'))
    assert reproduce_file.read("V17", folder).config["tumor"]["organ"] == "lung"
    assert reproduce_file.circular("V16", folder) == reproduce_file.circular("V16_later", folder) == ["V16"]
    assert reproduce_file.circular("V17", folder) == reproduce_file.circular("small", folder) == []


def test_info_prints_each_number_with_its_range_and_source(capsys):
    assert main(["info", "--preset", "human_lung"]) == 0
    text = capsys.readouterr().out
    assert "Used: diSibio and French 2008, lung" in text and "May be tested on: V12, V15, V19\n" in text
    assert ("colonization.wake = 2/year\n    default 0.02/year; allowed a quantity from 0/year to 8766/year; "
            "usual 0.01/year to 5/year\n    ASSUMED: months") in text
    assert main(["info", "--presets"]) == 0
    listed = capsys.readouterr().out
    assert [name for name in presets.names() if f"\n{name} " not in f"\n{listed}"] == []


@pytest.mark.parametrize("arguments, told", [
    (["--preset", "human_lnug"], "there is no preset 'human_lnug' (did you mean 'human_lung'?)"),
    (["--preset", "human_lung", "--presets"], "info takes a file"), (["run.toml", "--presets"], "info takes a file")])
def test_info_says_what_is_wrong_about_presets(arguments, told, capsys):
    assert main(["info", *arguments]) == 2
    assert told in capsys.readouterr().err


def test_where_a_file_is_missing_the_hint_to_a_preset_knows_those_that_there_are(tmp_path, monkeypatch):
    """One place says where presets are."""
    (tmp_path / "mine.toml").write_text("title = 'x'")
    monkeypatch.setattr(presets, "FOLDER", tmp_path)
    with pytest.raises(InputError, match="`metacascade init mine` writes that preset"):
        load("mine")
    with pytest.raises(InputError, match="No such file or directory$"):
        load("mouse_breast")
