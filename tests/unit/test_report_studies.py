"""Reports of several runs and of cohorts: groups, bands, paired differences, curves."""
import shutil

import numpy as np
import pytest

import metacascade as mc
import reported
from metacascade.__main__ import main
from metacascade.base.intervals import kaplan_meier
from metacascade.base.units import YEAR_S
from metacascade.report import compare_tables, groups, html, patients, report, style
from metacascade.studies import cohort_results, cohort_table
from reported import table

pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    """Three runs: two that differ in their seeds alone, and another."""
    folder = tmp_path_factory.mktemp("seeds")
    return [reported.tiny(folder, "one"), reported.tiny(folder, "two", "run.seed=2"),
            reported.tiny(folder, "three", "blood.nk=5/h")]


def test_runs_that_differ_in_their_seeds_alone_are_replicates(seeds):
    found = groups.gathered(seeds)
    assert {group.name: [member.name for member in group.members] for group in found.groups} == {
        "one": ["one", "two"], "three": ["three"]}
    assert found.least() == 1


def test_a_run_given_twice_is_refused_and_its_copy_counts_once(seeds, tmp_path):
    copy = shutil.copytree(seeds[0], tmp_path / "copy")
    found = groups.gathered([*seeds[:2], copy])
    assert [member.name for member in found.members] == ["one", "two"]
    assert found.left_out == ["copy: the same run as one, by its config and seed"]
    with pytest.raises(mc.InputError, match="given twice"):
        groups.gathered([seeds[0], seeds[1], seeds[0] / "results.h5"])


def test_a_band_is_mean_and_interval_over_replicates(seeds):
    group = groups.gathered(seeds).groups[0]
    band = groups.band(group, "tumor")
    values = []
    for path in seeds[:2]:
        with mc.open(path) as results:
            values.append(results.series["tissue"].astype(float))
    assert np.allclose(band.mean, np.mean(values, axis=0)) and band.n.tolist() == [2] * len(band.days)
    half = 12.7062047 * np.abs(values[0] - values[1]) / 2
    assert np.allclose(band.high - band.mean, half) and np.allclose(band.mean - band.low, half)


def test_runs_of_other_lengths_have_bands_with_fewer_runs_at_the_end(seeds, tmp_path):
    longer = reported.tiny(tmp_path, "longer", "run.duration=6 h")
    one, other = groups.read(seeds[0], "a"), groups.read(longer, "b")
    band = groups.band(groups.Group("both", [one, other]), "tumor")
    assert band.n.tolist() == [2, 2, 2, 2, 2, 1, 1] and np.isnan(band.low[-1]) and band.mean[-1] > 0


def test_runs_of_other_lengths_are_compared_at_the_last_output_that_all_have(seeds, tmp_path):
    longer = reported.tiny(tmp_path, "longer", "run.duration=6 h", "blood.nk=5/h")
    compared = groups.gathered([seeds[0], longer])
    assert not compared.together() and groups.gathered(seeds).together()
    text = compare_tables.what(compared) + compare_tables.numbers(compared)
    assert "outputs up to days 0.1667 to 0.25" in text and "On day 0.1667: mean" in text
    cells = text.partition("cells of the tumor</td>")[2].partition("radius")[0]
    for path in (seeds[0], longer):
        with mc.open(path) as results:
            assert f'<td class="n">{int(results.series["tissue"][4]):,}</td>' in cells


def test_what_the_check_of_a_config_says_is_in_the_page(seeds, tmp_path):
    useless = reported.tiny(tmp_path, "useless", 'therapy=[{drug = "cytotoxic"}]')
    text = compare_tables.what(groups.gathered([seeds[0], useless]))
    assert "The check of the config says, of every run: intravasation.hazard = 20/day is outside" in text
    assert "of useless: therapy[0]: " in text
    assert "therapy[0].drug" in (differs := compare_tables.differences(groups.gathered([seeds[0], useless])))
    assert "therapy[0].factor" not in differs and "left out" not in differs


def test_long_names_of_points_are_short_in_figures_and_stay_apart():
    def labels(*names):
        return [group.label for group in groups._labelled({k: groups.Group(name) for k, name in enumerate(names)})]
    assert labels("control", "intravasation.hazard = 0.05/day, traits.adhesion_mean = 0.3") == [
        "control", "hazard = 0.05/day, adhesion_mean = 0.3"]
    long = [f"a.somewhat_long_name = {k}, b.another_one_as_long = {k}" for k in (1, 2)]
    assert len({*labels(*long)}) == 2 and all(len(one) <= groups.LABEL for one in labels(*long))
    alike = [f"{table}.long_key_of_a_parameter = 1, and so on" for table in "ab"]
    assert labels(*alike) == ["a.long_key_of_a_parameter = 1, and so on", "b.long_key_of_a_parameter = 1, and so on"]


def test_legends_of_long_names_are_no_wider_than_the_figure():
    assert style.abreast(["short"] * 9) == 3 and style.abreast(["x" * 40] * 9) == 2 and style.abreast(["x" * 99]) == 1


def test_several_runs_are_compared_and_what_differs_is_told(seeds, tmp_path):
    page = report.write(seeds, tmp_path / "page").read_text("utf-8")
    assert "3 runs in 2 groups: one (2); three (1)" in page and "The least number of replicates of a group is 1" in page
    assert "<td>blood.nk</td>" in page and "<td>run.seed</td>" not in page
    rows = table(tmp_path / "page" / "figures" / "course.csv")
    assert {row["group"] for row in rows} == {"one", "three"} and {row["n"] for row in rows} == {"1", "2"}


def test_arms_are_grouped_by_name_with_paired_differences(reports):
    directory, page = reports("arms")
    text = (page / "index.html").read_text("utf-8")
    assert "4 runs in 2 groups: control (2); half (2)" in text and "Arms minus control, in pairs" in text
    [row] = [row for row in table(directory / "arms.csv") if row["column"] == "tissue" and row["arm"] == "half"]
    assert float(row["difference"]) < 0
    cells = text.partition("Arms minus control")[2].partition("</table>")[0]
    assert f'<td class="n">{html.number(float(row["difference"]))}</td>' in cells
    assert "<td>surgery[0].time</td>" in text


def test_points_whose_long_names_begin_alike_are_groups_of_their_own(tmp_path, monkeypatch):
    names = ["intravasation.hazard = 1/day, intravasation.distance = 30 um, x = " + end for end in "ab"]
    members = [dict(number=k, point=k % 2, replicate=k // 2, settings={}) for k in range(4)]
    for member in members:
        (tmp_path / f"{member['number']:04}").mkdir()
        (tmp_path / f"{member['number']:04}" / "results.h5").touch()
    monkeypatch.setattr(groups.sweep_plan, "kept", lambda directory: dict(members=members, names=names))
    monkeypatch.setattr(groups, "read", lambda path, name: path.name)
    found = groups._of_study(tmp_path).groups
    assert [(group.name, group.members) for group in found] == [(names[0], ["0000", "0002"]), (names[1], ["0001", "0003"])]
    assert found[0].label != found[1].label and max(len(group.label) for group in found) <= groups.LABEL


@pytest.mark.parametrize("seeds, words", [((7, 7), "with the same seed"), ((7, 8), "each with its own seed")])
def test_pairs_of_a_sweep_with_independent_seeds_are_not_called_of_one_seed(seeds, words, monkeypatch):
    members = [dict(number=k, point=k, replicate=0, seed=seed) for k, seed in enumerate(seeds)]
    plan = dict(members=members, names=["a", "b"], compare=dict(against=0, columns={"tissue": "cells"}))
    monkeypatch.setattr(compare_tables.sweep_table, "rows_of", lambda *_: {k: dict(status="done", tissue=k) for k in (0, 1)})
    page = compare_tables.paired(groups.Compared([], [], plan, "here"))
    assert "Points minus a" in page and words in page


def test_members_without_results_are_told(reports, tmp_path):
    directory = shutil.copytree(reports("arms")[0], tmp_path / "arms")
    shutil.rmtree(directory / "0003")
    text = report.write([directory], tmp_path / "page").read_text("utf-8")
    assert "Not among them: 0003: waiting." in text and "3 runs in 2 groups" in text


def test_arms_beside_runs_are_refused(reports, seeds, tmp_path, capsys):
    assert main(["report", str(reports("arms")[0]), str(seeds[0]), "--out", str(tmp_path / "page")]) == 2
    assert "compared alone" in capsys.readouterr().err


# --- cohorts ----------------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def cohort(reports):
    return patients.Cohort(reports("cohort")[0])


def test_the_curve_of_a_cohort_is_its_table_of_survival(reports):
    directory, page = reports("cohort")
    rows = [row for row in table(page / "figures" / "survival.csv") if row["event"] == "survival"]
    for row, own in zip(rows, table(directory / "cohort_survival.csv"), strict=True):
        assert [float(row[name]) for name in own] == pytest.approx([float(value) for value in own.values()])


def test_all_patients_are_in_the_csv(reports, cohort):
    directory, page = reports("cohort")
    for row, own in zip(table(page / "figures" / "patients.csv"), table(directory / "cohort_patients.csv"), strict=True):
        assert {name: text.removesuffix(".0") for name, text in own.items()} == row
    assert len(cohort.rows) == 34


def test_incidence_of_what_nothing_competes_with_is_one_less_survival(cohort):
    """Aalen and Johansen's estimate without the competing event is 1 less that of Kaplan and Meier."""
    node = max(range(len(patients.PLACES)), key=lambda one: len(patients._seen(cohort, one)))
    rows = cohort.diagnosed
    rows["died_s"] = -1
    first_s = 3600 * patients._first_h(cohort, node)
    until = np.maximum(np.where(np.isfinite(first_s), first_s, rows["end_s"]) - rows["diagnosed_s"], 0.0)
    times, ended, left, _ = kaplan_meier(until, np.isfinite(first_s))
    years, share = patients.cumulative(cohort, node)
    assert share[-1] > 0 and len(years) > 1
    for year, value in zip(years, share):
        before = np.searchsorted(times, year * YEAR_S * (1 + 1e-12), "right")
        assert value == pytest.approx(1 - (left[before - 1] if before else 1.0))


def test_a_cohort_is_reported_alone(reports, capsys, tmp_path):
    assert main(["report", str(reports("cohort")[0]), str(reports("tiny")[0]), "--out", str(tmp_path / "page")]) == 2
    assert "give it alone" in capsys.readouterr().err


@pytest.fixture
def begun(reports, tmp_path):
    """A cohort of which one part of three is done."""
    whole = patients.Cohort(reports("cohort")[0])
    directory = tmp_path / "cohort"
    (directory / cohort_results.FOLDER).mkdir(parents=True)
    shutil.copy(whole.path.parent / cohort_results.PLAN, directory)
    rows, lesions = (table[(table["patient"] >= 16) & (table["patient"] < 32)] for table in (whole.rows, whole.lesions))
    cohort_results.write_part(directory, 1, rows, lesions, whole.units)
    return directory, rows


def test_of_a_cohort_that_is_not_complete_the_patients_that_are_done_are_told(begun, tmp_path):
    directory, rows = begun
    cohort_results.part(directory, 2).write_bytes(cohort_results.part(directory, 1).read_bytes()[:-100])   # half-written
    assert main(["report", str(directory)]) == 0
    text = (directory / "report" / "index.html").read_text("utf-8")
    assert "16 of 34 patients are done" in text
    told = table(directory / "report" / "figures" / "patients.csv")
    assert [int(row["patient"]) for row in told] == rows["patient"].tolist()


def test_a_cohort_of_which_nothing_is_done_is_refused(begun, capsys):
    cohort_results.part(begun[0], 1).unlink()
    assert main(["report", str(begun[0])]) == 2
    assert "no part of the cohort" in capsys.readouterr().err


def test_the_page_has_the_organs_of_the_table(reports, cohort):
    text = (reports("cohort")[1] / "index.html").read_text("utf-8")
    for name, *_ in cohort_table.by_organ(cohort.rows, cohort.lesions):
        assert f"<td>{name}</td>" in text
