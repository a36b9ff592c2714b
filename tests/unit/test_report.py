"""The report of a run: its files, that its numbers are those of the results, and what it says of what is not there."""
import re
import shutil
import warnings

import numpy as np
import pytest

import metacascade as mc
import reported
from made_results import Made, Sliced
from metacascade.__main__ import main
from metacascade.base.intervals import student
from metacascade.io import needs
from metacascade.report import (
    accounts,
    directory,
    entries,
    growth,
    html,
    layer,
    report,
    sankey,
    section,
    style,
    summary,
    talk,
    timeline,
)
from metacascade.report.told import Told
from reported import table

pytest.importorskip("matplotlib")
FIGURES = {"talk", "fates", "fates_by_organ", "section", "distances", "zones", "growth", "size", "fields", "blood", "organs",
           "routes", "clones", "clones_by_place", "timeline", "ledger", "wall"}


@pytest.fixture(scope="module")
def whole(reports):
    """(results of a run in which everything happens, its page as text, the directory of its figures)."""
    directory, page = reports("everything")
    with mc.open(directory) as results:
        yield results, (page / "index.html").read_text("utf-8"), page / "figures"


@pytest.fixture
def short(monkeypatch):
    """Reports have one figure, of tests that look at where they are written."""
    monkeypatch.setattr(report, "SECTIONS", (("growth", "The tumor", (growth.cells,)),))


def column(rows, name):
    return np.array([float(row[name] or "nan") for row in rows])


# --- files --------------------------------------------------------------------------------------------------------------

def test_each_figure_is_in_the_page_and_beside_it_as_svg_png_and_csv(whole):
    _, page, figures = whole
    assert set(re.findall(r'<figure id="figure-(\w+)"', page)) >= FIGURES
    assert {path.name for path in figures.iterdir()} == {f"{name}.{end}" for name in FIGURES for end in ("svg", "png", "csv")}
    assert [name for name in FIGURES if not table(figures / f"{name}.csv")] == []


def test_the_page_asks_for_nothing_from_elsewhere(whole):
    page = re.sub(r"(<script>).*?</script>", r"\1", whole[1], flags=re.S)      # of a view: test_report_page asks a browser
    asked = re.findall(r'(?:src|href|url)\s*[=(]\s*"?([^")\s>]+)', page)
    assert [one for one in asked if not one.startswith(("#", "data:", "figures/"))] == []
    assert "@import" not in page


def test_no_id_is_twice_in_the_page(whole):
    _, page, _ = whole
    outside = re.sub(r"<defs>.*?</defs>", "", page, flags=re.S)       # matplotlib defines the same marker again
    ids = re.findall(r'\bid="([^"]+)"', outside)
    assert sorted(one for one in set(ids) if ids.count(one) > 1) == []


def test_the_same_run_gives_the_same_bytes(reports, tmp_path):
    directory, page = reports("tiny")
    report.write([directory], tmp_path / "again")
    files = sorted(path.relative_to(page) for path in page.rglob("*") if path.is_file())
    assert files and [name for name in files if (page / name).read_bytes() != (tmp_path / "again" / name).read_bytes()] == []


def test_a_view_in_three_dimensions_stands_behind_the_entries_where_there_is_one(reports, tmp_path, monkeypatch):
    (tmp_path / "view_of_test.py").write_text(
        "def section(results):\n    return f'<p>a view of {results.path.name}</p>' if results.complete else None\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(report, "VIEW", "view_of_test")
    monkeypatch.setattr(report, "SECTIONS", [(key, title, parts and (lambda told: "<p>x</p>",))
                                             for key, title, parts in report.SECTIONS[:5]])
    page = report.write([reports("tiny")[0]], tmp_path / "page").read_text("utf-8")
    assert re.findall(r'<section id="(\w+)"', page) == ["summary", "fates", "entries", "view", "growth"]
    assert "<p>a view of results.h5</p>" in page


def test_ranks_are_refused(reports, tmp_path, monkeypatch):
    monkeypatch.setattr(report.launcher, "several", lambda: True)
    with pytest.raises(mc.InputError, match="without mpiexec"):
        report.write([reports("tiny")[0]], tmp_path / "page")


def test_a_title_is_text_and_no_markup(reports):
    page = (reports("tiny")[1] / "index.html").read_text("utf-8")
    assert "<h1>A &lt;b&gt;tiny&lt;/b&gt; &amp; odd run</h1>" in page and "<b>tiny" not in page


def test_by_default_the_report_is_in_the_directory_of_the_run(reports, short, tmp_path):
    directory = shutil.copytree(reports("tiny")[0], tmp_path / "run")
    assert main(["report", str(directory)]) == 0
    assert (directory / "report" / "index.html").is_file()


# --- where it is written --------------------------------------------------------------------------------------------------

def test_a_directory_with_other_files_is_refused_and_left(reports, tmp_path, capsys):
    directory, _ = reports("tiny")
    (tmp_path / "index.html").write_text("mine")
    assert main(["report", str(directory), "--out", str(tmp_path)]) == 2
    assert "no earlier report" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"] and (tmp_path / "index.html").read_text() == "mine"
    assert main(["report", str(directory), "--out", str(tmp_path / "index.html")]) == 2


def test_an_earlier_report_is_replaced_with_its_figures_and_nothing_else(reports, short, tmp_path):
    directory, _ = reports("tiny")
    out = shutil.copytree(reports("everything")[1], tmp_path / "page")
    (out / "figures" / "mine.txt").write_text("mine")
    report.write([directory], out)
    names = {path.name for path in (out / "figures").iterdir()}
    assert names == {"mine.txt", "growth.svg", "growth.png", "growth.csv"}


def test_a_report_that_fails_leaves_no_page_of_an_earlier_one_and_lists_its_files(tmp_path):
    earlier = directory.Directory(tmp_path)
    earlier.begin()
    earlier.write("old.csv", "a")
    earlier.end("page")
    failing = directory.Directory(tmp_path)
    failing.begin()
    failing.write("new.csv", "b")
    assert not (tmp_path / "index.html").exists() and not (tmp_path / "figures" / "old.csv").exists()
    directory.Directory(tmp_path).begin()
    assert [path.name for path in (tmp_path / "figures").iterdir()] == []


def test_words_in_backticks_are_code_in_the_page():
    assert html.paragraph("Made by `metacascade <b>`.") == "<p>Made by <code>metacascade &lt;b&gt;</code>.</p>"


def test_a_report_that_was_interrupted_is_made_again(reports, short, tmp_path, monkeypatch):
    directory, _ = reports("tiny")
    with monkeypatch.context() as context, pytest.raises(KeyboardInterrupt):
        context.setattr(style, "png", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        report.write([directory], tmp_path / "page")
    assert not (tmp_path / "page" / "index.html").exists()
    assert report.write([directory], tmp_path / "page").is_file()


@pytest.mark.parametrize("given, said", [
    ([], "Missing argument"), (["RUN", "--talk", "RUN2"], "one run"), (["RUN", "RUN2"], "needs --out"),
    (["NOWHERE"], "NOWHERE")])
def test_a_wrong_call_is_refused(reports, given, said, tmp_path, capsys):
    names = dict(RUN=str(reports("tiny")[0]), RUN2=str(reports("everything")[0]), NOWHERE=str(tmp_path / "NOWHERE"))
    assert main(["report", *(names.get(word, word) for word in given)]) == 2
    assert said in capsys.readouterr().err


def test_figures_of_a_run_without_lesions_have_room_for_their_axes(reports):
    with mc.open(reports("tiny")[0]) as results, style.sheet(**talk.LETTERS), warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)     # of matplotlib, of axes for which there is no room
        figure = style.laid_out(talk.picture(Told(results)).figure)
    assert min(axes.get_position().width for axes in figure.axes) > 0.1


def test_without_matplotlib_the_extra_is_named(reports, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    assert main(["report", str(reports("tiny")[0]), "--out", str(tmp_path / "page")]) == 2
    assert 'pip install "metacascade[report]"' in capsys.readouterr().err


# --- numbers ---------------------------------------------------------------------------------------------------------------

def test_the_account_is_that_of_the_series_and_balances(whole):
    results, page, figures = whole
    rows = table(figures / "ledger.csv")
    totals = {part: column([row for row in rows if row["part"] == part], "cells").sum()
              for part in ("born", "alive", "dead", "removed")}
    assert totals["born"] == totals["alive"] + totals["dead"] + totals["removed"] > 0
    assert all(int(row["cells"]) == results.series[row["column"]][-1] for row in rows)
    assert f"Born {int(totals['born']):,} = " in page and ", exactly." in page


def test_an_account_that_does_not_balance_is_told():
    told = type("Told", (), dict(columns={}, last=None))()
    rows = [("born", "initial", 5), ("alive", "tissue", 3), ("dead", "nk", 1)]
    accounts_of, accounts._account = accounts._account, lambda _: rows
    try:
        assert "which is 1 cells off" in accounts.balance(told)
    finally:
        accounts._account = accounts_of


def test_parts_of_the_fates_add_up_to_the_whole(whole):
    results, _, figures = whole
    flows = sankey.flows(Told(results))
    assert flows[0][1] == needs.entered(results)[-1] + sum(needs.events(results).get("divided", {}).values())
    assert flows[2][1] == results.series["seeded"][-1] and "elsewhere" not in dict(flows[2][2])
    rows = table(figures / "fates.csv")
    for name, total, _ in flows:
        parts = [row for row in rows if row["of"] == name]
        assert column(parts, "number").sum() >= total > 0 and np.all(column(parts, "number") > 0)
        assert np.allclose(column(parts, "share"), column(parts, "number") / column(parts, "number").sum())


def test_daughters_born_in_vessels_and_what_died_at_the_exit_are_parts_of_a_whole():
    """Of 10 that entered 1 is sheared; 9 are arrested, 2 more born there; colonization is off, all 11 left die."""
    events = np.array([(0, 1, kind, n) for kind, n in ((0, 1), (1, 9), (2, 2))],
                      [(name, "i8") for name in ("time_s", "node", "event", "cells")])
    kinds = [(name, "i8") for name in ("time_s", "node", "lesions", "dormant", "micro", "vascular", "cells")]
    nodes = {0: "tumor", 1: "lung"}
    made = Made({"time_s": [0], "shed": [10], "extravasated": [11], "died_at_exit": [11], "self_seeded": [0], "arrested": [0],
                 "cleared": [0], "dropped": [0], "seeded": [0]}, {"organs": {"node": nodes}, "events": {
                     "node": nodes, "event": {0: "shear", 1: "trapped", 2: "divided"}}}, events=events, organs=np.zeros(0, kinds))
    told = type("Told", (), dict(results=made, last=lambda self, name, default=0: needs.column(made, name, default)[-1]))()
    first, _, third = sankey.flows(told)
    assert first[1] == 12 and dict(first[2])["shear"] == 1
    assert third == ("founded", 11, [("died at the exit", 11)])


def test_clones_add_up_to_all_living_cells(whole):
    results, _, figures = whole
    rows = table(figures / "clones.csv")
    found = {day: 0 for day in column(rows, "time [days]")}
    for row in rows:
        found[float(row["time [days]"])] += int(row["cells"])
    last = results["clone_cells"][:]
    assert found[max(found)] == last["cells"][last["time_s"] == last["time_s"].max()].sum()
    assert len({row["clone"] for row in rows}) > 2


def test_organs_and_growth_are_those_of_the_results(whole):
    results, _, figures = whole
    assert np.array_equal(column(table(figures / "growth.csv"), "cells of the tumor [cells]"), results.series["tissue"])
    burden = {row["organ"]: row["lesions"] for row in results.burdens()}
    rows = table(figures / "organs.csv")
    last = [row for row in rows if row["time [days]"] == rows[-1]["time [days]"]]
    assert {row["organ"]: int(row["lesions"]) for row in last if int(row["lesions"])} == {
        organ: n for organ, n in burden.items() if n and organ != "tumor"}


def test_routes_are_those_of_the_cascade(whole):
    results, _, figures = whole
    assert {(row["from"], row["to"]): int(row["lesions"]) for row in table(figures / "routes.csv")} == {
        (origin, organ): n for origin, row in results.routes().items() for organ, n in row.items()}


def test_the_time_line_has_every_course_of_the_config(whole):
    results, _, figures = whole
    rows = table(figures / "timeline.csv")
    for kind in ("surgery", "therapy", "radiation", "injection", "draw"):
        assert len({row["course"] for row in rows if row["what"] == kind}) == len({
            str(one) for one in results.config[kind]}), kind
    assert len([row for row in rows if row["what"] == "radiation"]) == 3
    assert column(rows, "to [days]").max() <= 0.5


@pytest.mark.parametrize("therapy, kinds", [
    ([], ["chemotherapy"]), ([dict(drug="cytotoxic", start="1 h", duration="1 day")], ["therapy"]),
    ([dict(rate="drug.vessel", factor=2, start="1 h", duration="1 day")], ["chemotherapy", "therapy"])])
def test_chemotherapy_has_a_lane_of_its_own_unless_windows_give_it(therapy, kinds):
    config = mc.load({"tumor": {"cells": 300}, "chemotherapy": {"enabled": True}, "therapy": therapy})
    assert [kind for kind, _, _ in timeline.events(config, 3 * 86_400)] == kinds


def test_mutations_are_told_and_a_half_life_without_interval_has_none():
    trait = dict(name="fitness", mutation=0.1, founder=1.0)
    told = Made({})
    told.config, told.days = mc.load({"tumor": {"cells": 300}, "trait": [trait]}), [3.0]
    told.results = type("R", (), dict(half_life=lambda self: dict(half_life_h=2.0, low_h=np.nan, high_h=np.nan),
                                      survival=lambda self: [dict(hours=3.0)],
                                      cellsearch=lambda self: (_ for _ in ()).throw(needs.Missing("none"))))()
    assert "mutations" in summary._model(told)
    assert list(summary._blood(told)) == [
        ("half-life in the flow", 2.0, "h"), ("half of the shed cells have left the blood after", 3.0, "h")]


def test_shed_cells_are_read_in_slices(whole, monkeypatch):
    results, _, figures = whole
    rows = table(figures / "section.csv")
    monkeypatch.setattr(needs, "CHUNK", 7)
    entries = layer.Layer(Told(results)).entries
    assert len(rows) == len(entries) > 7 and np.allclose(column(rows, "x [um]"), entries["x"])


def test_entries_are_of_the_hours_before_the_state_and_need_no_outline():
    """State of 30 h, outputs to 48 h: of 30 h and older by 24 h, from the tumor, in no zone."""
    kind = [(name, "f8") for name in ("x", "y", "z", "t_shed")] + [(name, "i4") for name in ("zone", "n", "origin", "flags")]
    times, origins, flags = (5, 7, 30, 31, 20, 21, 22, 23), (0, 0, 0, 0, 1, 0, 0, 0), (0, 0, 0, 0, 0, 2, 4, 8)
    rows = np.array([(0, 0, 0, t, 0, 1, origin, flag) for t, origin, flag in zip(times, origins, flags)], kind)
    made = Made({"time_s": [0, 48 * 3600]}, {"shed": {"origin": {0: "tumor", 1: "lung"}}}, shed=Sliced(rows))
    made.masks = lambda table: {"flags": {2: "injected", 4: "lesion", 8: "lymph"}}
    cut = layer.Layer.__new__(layer.Layer)
    cut.told, cut.middle_um = type("Told", (), dict(results=made)), 0.0
    cut.state = type("State", (), dict(meta={"time_s": 30 * 3600}))
    assert cut.entries["t_shed"].tolist() == [7, 30]
    assert [(words, len(some)) for words, _, some in section.by_zone(cut.entries, talk.ENTERED)] == [("no outline 100 %", 2)]


def test_the_nearest_preset_is_told_with_what_differs():
    config = mc.load(report.__file__.replace("report/report.py", "presets/human_lung.toml"), "run.seed=9")
    assert accounts.nearest(config) == ("the preset human_lung", [])
    changed = mc.load(report.__file__.replace("report/report.py", "presets/human_lung.toml"), "blood.nk=7/h")
    name, rows = accounts.nearest(changed)
    assert name == "the preset human_lung" and [row[:2] for row in rows] == [("blood.nk", "7/h")]


# --- what is not there --------------------------------------------------------------------------------------------------

def test_what_a_run_does_not_have_is_said_in_its_place(tmp_path):
    directory = reported.tiny(tmp_path, "bare", "outline.enabled=false", "oxygen.enabled=false", "intravasation.enabled=false")
    page = report.write([directory], tmp_path / "page").read_text("utf-8")
    said = re.findall(r'class="missing">([^<]+)', page)
    for words in ("no cell has entered the blood", "no outline of the tumor", "no field is on", "all cells are of one clone",
                  "there was no operation", "no blood draw"):
        assert any(words in one for one in said), words


def test_results_without_their_checkpoint_have_all_but_the_section(reports, short, tmp_path, monkeypatch):
    monkeypatch.setattr(report, "SECTIONS", (*report.SECTIONS, ("entries", "Entries", (entries.section.section,))))
    shutil.copy(reports("tiny")[0] / "results.h5", tmp_path)
    page = report.write([tmp_path / "results.h5"], tmp_path / "page").read_text("utf-8")
    assert "there is no whole checkpoint" in page and "figure-growth" in page and "figure-section" not in page


def test_a_run_that_has_not_ended_and_a_branch_say_so(reports, tmp_path, metacascade, monkeypatch):
    monkeypatch.setattr(report, "SECTIONS", (report.SECTIONS[0], ("accounts", "Accounts", (accounts.wall,))))
    branch = ["branch", reports("tiny")[0] / "checkpoint.prev.h5", "--out", tmp_path / "branch", "--wall-limit", "0.001 s"]
    assert metacascade(*branch, "--set", "run.duration=9 h").returncode == 75
    page = report.write([tmp_path / "branch"], tmp_path / "page").read_text("utf-8")
    assert "This run has not ended" in page and "of 0.375 days" in page
    assert "This is a branch" in page and "the run has not ended, and wall times" in page


# --- how it looks ---------------------------------------------------------------------------------------------------------

def letters(plate):
    from matplotlib.text import Text
    return [text.get_fontsize() for text in plate.figure.findobj(Text) if text.get_text() and text.get_visible()]


def test_letters_have_nine_points_and_on_a_slide_fourteen(whole):
    told = Told(whole[0])
    parts = [part for _, _, parts in report.SECTIONS for part in parts]
    with style.sheet():
        sizes = {plate.name: min(letters(plate)) for part in parts if not isinstance(plate := part(told), str)}
    assert len(sizes) == len(FIGURES) - 1 and min(sizes.values()) >= 9.0
    with style.sheet(**talk.LETTERS):
        plate = talk.picture(told)
    assert min(letters(plate)) >= 14.0
    assert np.allclose(plate.figure.get_size_inches() * plate.dpi, (1920, 1080))


def luminance(color):
    from matplotlib.colors import to_rgb
    parts = np.array(to_rgb(color))
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize("color", [*style.LINES, "#333333", style.GRAY])
def test_lines_stand_out_from_paper(color):
    assert 1.05 / (luminance(color) + 0.05) >= 3.0


def test_no_cell_is_drawn_in_a_vessel():
    rng = np.random.default_rng(3)
    pieces = np.zeros(40, [("ax", "f8"), ("ay", "f8"), ("bx", "f8"), ("by", "f8"), ("radius", "f4")])
    for name in ("ax", "ay", "bx", "by"):
        pieces[name] = rng.uniform(-100, 100, len(pieces))
    pieces["radius"] = rng.uniform(2, 12, len(pieces))
    points = rng.uniform(-100, 100, (300, 2))
    along = np.linspace(0, 1, 2001)[:, None, None]
    a, b = (np.stack([pieces[f"{end}x"], pieces[f"{end}y"]], axis=1) for end in "ab")
    line = a + along * (b - a)
    nearest = np.array([np.hypot(*(line - point).transpose(2, 0, 1)).min(axis=0) for point in points])
    inside = np.any(nearest < pieces["radius"] + 5.0 - 0.2, axis=1)
    outside = np.all(nearest > pieces["radius"] + 5.0 + 0.2, axis=1)
    free = layer.outside_of(points, pieces, 5.0)
    assert 20 < inside.sum() < 290 and outside.any() and not free[inside].any() and free[outside].all()


@pytest.mark.parametrize("value, text", [
    (2**63 - 1, "9,223,372,036,854,775,807"), (1450.5, "1,450"), (0.00012345, "0.0001234"), (3.0, "3"), (float("nan"), "–"),
    (None, "–"), (1e20, "1e+20"), (np.int64(-5), "-5"), ("<", "&lt;")])
def test_numbers_of_tables_are_read_as_they_are(value, text):
    assert html.number(value) == text


def test_labels_at_the_ends_of_lines_keep_their_distance():
    found = talk.spread([0.1, 0.85, 0.86, 0.9, 0.99])
    assert found[0] == 0.1 and found[-1] == 1.0 and np.all(np.diff(found) >= 0.125 - 1e-12)


def test_student_is_the_interval():
    from metacascade.report.groups import estimates
    values = np.array([[1.0, 2.0], [3.0, np.nan], [5.0, np.nan]])
    mean, half, n = estimates(values)
    assert mean.tolist() == [3.0, 2.0] and n.tolist() == [3, 1] and np.isnan(half[1])
    assert half[0] == pytest.approx(student(2) * 2.0 / np.sqrt(3))
