"""Reports of branches: with the runs before them where those are found, and alone where they are not."""
import re
import shutil

import numpy as np
import pytest

import metacascade as mc
import reported
from metacascade.__main__ import main
from metacascade.base.units import DAY_S
from metacascade.report import compare_tables, groups, growth, report, summary, timeline
from reported import table

pytest.importorskip("matplotlib")
BEGAN_H, END_H = 2, 6
TREATED = {"run.duration": f"{END_H} h", "therapy": [dict(rate="blood.nk", factor=3.0)], "draw": [dict(time="5 h", volume="0.1 mL")]}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """`one`, a run of 4 h with a draw at 1 h; `plain` and `treated`, branches of it from 2 h on."""
    folder = tmp_path_factory.mktemp("branches")
    run = reported.tiny(folder, "one", 'draw=[{time = "1 h", volume = "0.1 mL"}]')
    mc.branch(run, folder / "plain", {"run.duration": f"{END_H} h", "draw": []}, at=f"{BEGAN_H} h").close()
    mc.branch(run, folder / "treated", TREATED, at=f"{BEGAN_H} h").close()
    return folder


@pytest.fixture
def page(monkeypatch, tmp_path):
    """``page(run)``: (text, directory of the figures) of a report with summary, growth and time line."""
    monkeypatch.setattr(report, "SECTIONS", (("summary", "Summary", summary.PARTS), ("growth", "Growth", (growth.cells,)),
                                             ("timeline", "Time line", timeline.PARTS)))

    def made(run):
        path = report.write([run], tmp_path / "pages" / run.name)
        return path.read_text("utf-8"), path.parent / "figures"
    return made


def test_a_branch_is_told_from_the_start_of_the_run_before_it(runs, page):
    text, figures = page(runs / "treated")
    assert re.search("This is a branch of one, from day 0.0833 on", text) and "draw[0].time = 1 h" not in text
    days = [float(row["time [days]"]) for row in table(figures / "growth.csv")]
    np.testing.assert_allclose(days, np.arange(END_H + 1) / 24)


def test_what_was_done_before_a_branch_is_what_its_parent_did_and_then_what_it_did_itself(runs, page):
    _, figures = page(runs / "treated")
    hours = [(row["what"], round(24 * float(row["from [days]"]), 6), round(24 * float(row["to [days]"]), 6))
             for row in table(figures / "timeline.csv")]
    assert hours == [("draw", 1, 1), ("draw", 5, 5), ("therapy", BEGAN_H, END_H)]


def test_a_branch_whose_parent_is_not_found_is_told_alone_with_the_reason(runs, page, tmp_path):
    moved = tmp_path / "far" / "away"
    shutil.copytree(runs / "treated", moved)
    for name in ("one", "treated"):
        (runs / name).rename(runs / f"{name}.away")
    try:
        text, figures = page(moved)
    finally:
        for name in ("one", "treated"):
            (runs / f"{name}.away").rename(runs / name)
    assert "This is a branch, told from day" in text and "its results are not in" in text
    assert [(row["what"], round(24 * float(row["from [days]"]), 6)) for row in table(figures / "timeline.csv")] == [
        ("therapy", BEGAN_H), ("draw", 5)]
    assert float(table(figures / "growth.csv")[0]["time [days]"]) > BEGAN_H / 24


def test_what_is_before_the_first_output_is_told_and_not_drawn():
    days, lanes = np.array([2.0, 3.0]), [("draw", "early", [(DAY_S, DAY_S)]), ("therapy", "both", [(0, 10 * DAY_S)]),
                                        ("surgery", "late", [(2 * DAY_S, 2 * DAY_S), (9 * DAY_S, 9 * DAY_S)])]
    assert [timeline.shown(spans, days) for _, _, spans in lanes] == [[], [(0, 10)], [(2, 2)]]
    assert timeline.not_shown(lanes, days).endswith("after the last: early; late.")


@pytest.mark.parametrize("before, own, whole", [
    ([(0, 5)], [(5, 9)], [(0, 9)]), ([(0, 4)], [(5, 9)], [(0, 4), (5, 9)]), ([(1, 1), (2, 5)], [(5, 5), (5, 7)], [(1, 1), (2, 7), (5, 5)])])
def test_a_window_that_goes_on_over_the_start_of_a_branch_is_one(before, own, whole):
    assert timeline.joined(before, own, 5) == whole


def test_branches_from_other_times_are_no_replicates(runs, tmp_path):
    mc.branch(runs / "one", tmp_path / "later", TREATED, at="4 h").close()
    mc.branch(runs / "one", tmp_path / "other", TREATED, at=f"{BEGAN_H} h", seed=2).close()
    found = groups.gathered([runs / "treated", tmp_path / "later", tmp_path / "other"])
    assert [[member.name for member in group.members] for group in found.groups] == [["treated", "other"], ["later"]]


def test_a_run_that_begins_after_the_common_end_has_no_number_there(runs, tmp_path):
    alone = shutil.copytree(runs / "treated", tmp_path / "far" / "alone")
    early = reported.tiny(tmp_path, "early", "run.duration=2 h")
    for name in ("one", "treated"):
        (runs / name).rename(runs / f"{name}.away")
    try:
        compared = groups.gathered([early, alone])
    finally:
        for name in ("one", "treated"):
            (runs / f"{name}.away").rename(runs / name)
    assert "No output by then, and so not in it: alone." in compare_tables.what(compared)
    assert "<td>alone</td>" not in compare_tables.numbers(compared)


def test_a_simulation_that_was_stepped_before_is_no_branch(tmp_path, page):
    (tmp_path / "tiny.toml").write_text(reported.TINY)
    sim = mc.Simulation(tmp_path / "tiny.toml")
    sim.step(2)
    sim.run(tmp_path / "stepped").close()
    text, _ = page(tmp_path / "stepped")
    assert "This is a simulation that was stepped before its files began" in text and "branch" not in text


def test_branches_of_one_run_are_compared_in_pairs_as_they_have_one_seed(runs, tmp_path):
    compared = groups.gathered([runs / "plain", runs / "treated"])
    text = compare_tables.paired(compared)
    assert "Groups minus plain on day 0.25, in pairs of runs with the same seed" in text and "95 % from" not in text
    with mc.open(runs / "plain") as plain, mc.open(runs / "treated") as treated:
        killed = int(treated.series["nk"][-1]) - int(plain.series["nk"][-1])
    assert killed != 0 and re.search(rf"killed by NK cells in the blood</td>.*?>{killed:,}<", text)
    assert main(["report", str(runs / "plain"), str(runs / "treated"), "--out", str(tmp_path / "page")]) == 0
    courses = [row["course"] for row in table(tmp_path / "page" / "figures" / "compared_timeline.csv")]
    assert courses == ["plain: draw: 0.1 mL, venous", *["treated: draw: 0.1 mL, venous"] * 2, "treated: blood.nk x 3"]
