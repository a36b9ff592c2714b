"""Reports of what is odd: foreign checkpoints, damaged members, names that are markup, slides of what has no tissue."""
import shutil

import pytest

import metacascade as mc
import reported
from metacascade.__main__ import main
from metacascade.report import compare_tables, groups, report, style, summary, told

pytest.importorskip("matplotlib")
ODD = "cost $5 to $6 \\alpha_{"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """`one`, `two`: runs of another tumor."""
    folder = tmp_path_factory.mktemp("odd")
    return reported.tiny(folder, "one"), reported.tiny(folder, "two", "tumor.cells=200")


@pytest.fixture
def noted(monkeypatch, tmp_path):
    """``noted(run)``: the first section of its report, with the state that pictures are of."""
    monkeypatch.setattr(report, "SECTIONS", (("summary", "Summary", (summary.state,)),))
    return lambda run: report.write(run, tmp_path / "page").read_text("utf-8")


@pytest.fixture
def copy(runs, tmp_path):
    return shutil.copytree(runs[0], tmp_path / "copy")


def test_the_pictures_are_of_no_checkpoint_of_another_run(runs, copy, noted):
    shutil.copy(runs[1] / "checkpoint.h5", copy)
    text = noted(copy)
    assert "of the checkpoint of day 0.08333: checkpoint.h5 is of another run" in text


def test_a_damaged_checkpoint_that_is_passed_over_is_told(copy, noted):
    data = (copy / "checkpoint.h5").read_bytes()
    (copy / "checkpoint.h5").write_bytes(data[:len(data) // 2])
    assert "of the checkpoint of day 0.08333: checkpoint.h5 is not whole" in noted(copy)


def test_a_run_that_was_resumed_to_a_later_end_has_its_own_checkpoint(copy, noted):
    assert main(["resume", str(copy), "--set", "run.duration=6 h"]) == 0
    with told.opened(copy) as found:
        assert found.state.meta["time_s"] == 6 * 3600 and found.passed_over == []


def test_where_no_checkpoint_is_whole_each_is_told(copy, noted):
    for name in ("checkpoint.h5", "checkpoint.prev.h5"):
        (copy / name).write_bytes((copy / name).read_bytes()[:3000])
    text = noted(copy)
    assert "There are no pictures of the tumor by place: checkpoint.h5 is not whole" in text and "checkpoint.prev.h5 is not" in text


def test_a_damaged_member_is_told_and_the_others_are_compared(reports, tmp_path):
    study = shutil.copytree(reports("arms")[0], tmp_path / "arms")
    (study / "0001" / "results.h5").write_bytes(b"\x89HDF")
    found = groups.gathered([study])
    assert len(found.members) == 3 and found.left_out[0].startswith("0001: damaged")


def test_names_are_no_formulas(runs, tmp_path):
    named = shutil.copytree(runs[0], tmp_path / ODD)
    assert main(["report", str(named), str(runs[1]), "--out", str(tmp_path / "page")]) == 0
    assert ODD in {row["group"] for row in reported.table(tmp_path / "page" / "figures" / "course.csv")}
    with style.sheet():
        figure, axes = style.figure()
        assert not axes[0, 0].set_title(ODD).get_parse_math()


def test_letters_without_a_glyph_are_told_in_one_line(runs, tmp_path, capsys):
    named = shutil.copytree(runs[0], tmp_path / "漢字")
    assert main(["report", str(named), str(runs[1]), "--out", str(tmp_path / "page")]) == 0
    said = capsys.readouterr().err
    assert "warning: figure course: names in it have letters that the font" in said and "Glyph" not in said


def test_a_slide_of_what_has_no_tissue_is_refused(tmp_path, capsys):
    settings = {"run": {"step": "1 h", "duration": "2 h"}, "output": {"interval": "1 h", "checkpoint": "1 h"},
                "injection": [{"cells": 50}]}
    mc.Simulation(settings).run(tmp_path / "run")
    assert main(["report", str(tmp_path / "run"), "--talk"]) == 2
    assert "--talk: there is no picture for a slide" in capsys.readouterr().err


def test_a_report_of_nothing_is_refused(tmp_path):
    with pytest.raises(mc.InputError, match="needs a run"):
        report.write([], tmp_path / "page")
    with pytest.raises(mc.InputError, match="must be a path"):
        report.write([3], tmp_path / "page")


def test_what_is_by_default_in_one_entry_of_a_list_and_not_in_another_is_told(tmp_path):
    runs = [reported.tiny(tmp_path, node, f'draw=[{{time = "1 h", node = "{node}"}}]') for node in ("venous", "arterial")]
    table = compare_tables.differences(groups.gathered(runs))
    assert "<td>draw[0].node</td><td>venous</td><td>arterial</td>" in table and "draw[0].time" not in table
