"""Which parameter matters most: rank correlations and indices of Sobol' against what was put in."""
import csv
import math
import random

import pytest

from metacascade.base.errors import InputError
from metacascade.studies import sweep_plan, sweep_sensitivity
from metacascade.studies.sweep_sensitivity import rank_correlation

SWEEP = """
config = "mouse_breast_fixed"
design = "DESIGN"
samples = 64
replicates = 2
[vary]
blood.nk = {from = "0.1/h", to = "1/h"}
traits.adhesion_mean = {from = 0.1, to = 0.9}
[compare]
columns = ["shed"]
"""


def made(tmp_path, design, law):
    """The plan of a sweep, and rows in which `shed` is a law of the two parameters."""
    (tmp_path / "s.toml").write_text(SWEEP.replace("DESIGN", design))
    plan, rows = sweep_plan.opened(tmp_path / "out", tmp_path / "s.toml"), {}
    for member in plan["members"]:
        nk, adhesion = float(member["settings"]["blood.nk"].partition("/")[0]), member["settings"]["traits.adhesion_mean"]
        rows[member["number"]] = {"blood.nk": str(nk), "traits.adhesion_mean": adhesion, "status": "done",
                                  "shed": law(nk, adhesion)}
    return plan, rows


def test_a_rank_correlation_is_that_by_hand():
    assert rank_correlation([1, 2, 3, 4, 5], [2, 1, 4, 3, 5])[0] == pytest.approx(1 - 6 * 4 / (5 * 24))
    assert rank_correlation([1, 2, 3], [9, 4, 1])[0] == -1.0
    assert rank_correlation([1, 1, 2, 2], [1, 1, 2, 2])[0] == pytest.approx(1.0), "equal ones share a rank"
    assert math.isnan(rank_correlation([1, 1, 1], [1, 2, 3])[0])


def test_the_interval_of_a_rank_correlation_holds_that_of_the_law():
    """Of 200 pairs of correlated normal numbers, with r = 6/pi asin(0.25): 95 % of the intervals, 4.5 sd to either side."""
    dice, inside, truth = random.Random(3), 0, 6 / math.pi * math.asin(0.25)
    for _ in range(200):
        x = [dice.gauss(0, 1) for _ in range(40)]
        y = [0.5 * a + math.sqrt(0.75) * dice.gauss(0, 1) for a in x]
        _, low, high = rank_correlation(x, y)
        inside += low <= truth <= high
    assert abs(inside - 190) <= 4.5 * math.sqrt(200 * 0.95 * 0.05)


@pytest.mark.parametrize("words, told", [(("lung", "liver"), True), (("lung", "liver", "bone"), False)])
def test_words_have_a_rank_correlation_only_if_there_are_two_of_them(tmp_path, words, told):
    plan, rows = made(tmp_path, "latin", lambda nk, adhesion: 100 - 9 * nk)
    for number, row in rows.items():
        row["traits.adhesion_mean"] = words[number // 2 % len(words)]
    found = {name: value for _, name, _, value, _, _ in sweep_sensitivity.found(plan, rows)}
    assert math.isnan(found["traits.adhesion_mean"]) is not told and found["blood.nk"] < -0.9
    line = next(line for line in sweep_sensitivity.lines(plan, rows) if "adhesion" in line)
    assert line.split()[1] != "-" if told else line.split()[1] == "-"


def test_the_parameter_that_matters_most_stands_first(tmp_path):
    lines = list(sweep_sensitivity.lines(*made(tmp_path, "latin", lambda nk, adhesion: 100 - 9 * nk + adhesion)))
    pytest.importorskip("SALib")
    assert lines[0].startswith("64 of 64 points done") and lines[1].startswith("shed: rank correlation")
    assert lines[2].split()[0] == "blood.nk" and float(lines[2].split()[1]) < -0.9
    assert max(map(len, lines)) <= 80


def test_indices_of_sobol_are_the_shares_of_the_variance(tmp_path):
    """Of 10 u + 5 v, uniform: 4/5 and 1/5; the total is no more, as nothing is done together."""
    pytest.importorskip("SALib")
    plan, rows = made(tmp_path, "sobol", lambda nk, adhesion: 10 * (nk - 0.1) / 0.9 + 5 * (adhesion - 0.1) / 0.8)
    found = {row[1:3]: row[3] for row in sweep_sensitivity.found(plan, rows)}
    for measure in ("first", "total"):
        assert found["blood.nk", measure] == pytest.approx(0.8, abs=0.08)
        assert found["traits.adhesion_mean", measure] == pytest.approx(0.2, abs=0.05)
    rows[5]["status"] = rows[4]["status"] = "failed"
    assert not list(sweep_sensitivity.found(plan, rows)), "all points must be done"


def test_the_file_has_a_row_for_each_and_points_that_are_not_done_are_left_out(tmp_path):
    plan, rows = made(tmp_path, "random", lambda nk, adhesion: nk)
    for number in range(20):
        rows[number]["status"] = "waiting"
    sweep_sensitivity.write(tmp_path, plan, rows)
    with open(tmp_path / "sensitivity.csv", newline="") as file:
        table = list(csv.DictReader(file))
    assert [(row["column"], row["parameter"], row["measure"]) for row in table] == [
        ("shed", name, "rank correlation") for name in ("blood.nk", "traits.adhesion_mean")]
    assert float(table[0]["value"]) == 1.0
    assert next(sweep_sensitivity.lines(plan, rows)).startswith("54 of 64 points done")


def test_a_point_to_compare_with_is_refused_where_points_are_drawn(tmp_path):
    (tmp_path / "s.toml").write_text(SWEEP.replace("DESIGN", "random") + 'against = "all"\n')
    with pytest.raises(InputError, match="s.toml:.*against.*is for a list or a grid"):
        sweep_plan.opened(tmp_path / "out", tmp_path / "s.toml")
