"""Whole cohorts: on any number of ranks, killed, stopped and gone on with, they end with the same results."""
import csv
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import cohorts
from conftest import environment
from metacascade.__main__ import main
from metacascade.studies import cohort_file, cohort_patient, cohort_results

SECONDS = 240       # for what takes some seconds on an idle machine


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return cohorts.write(tmp_path_factory.mktemp("cohort"))


@pytest.fixture(scope="module")
def undisturbed(file, tmp_path_factory):
    """The directory of the cohort on one rank."""
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    assert main(["cohort", str(file), "--out", str(out)]) == 0
    return out


def content(out):
    rows, lesions, _ = cohort_results.read(out)
    return rows.tobytes(), lesions.tobytes()


@pytest.mark.parametrize("ranks", [3, *(pytest.param(n, marks=pytest.mark.slow) for n in (2, 5))])
def test_the_results_do_not_depend_on_the_ranks(file, undisturbed, tmp_path, mpirun, ranks):
    mpirun(ranks, "metacascade", "cohort", file, "--out", tmp_path / "out", timeout=SECONDS, check=True)
    assert content(tmp_path / "out") == content(undisturbed)
    assert (tmp_path / "out" / "cohort_survival.csv").read_bytes() == (undisturbed / "cohort_survival.csv").read_bytes()


@pytest.mark.parametrize("number, code", [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGUSR1, 75)])
def test_killed_or_stopped_it_goes_on_and_ends_with_the_same(file, undisturbed, tmp_path, number, code):
    out = tmp_path / "out"
    command = [sys.executable, "-m", "metacascade", "cohort", str(file), "--out", str(out)]
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    first = cohort_results.part(out, 0)
    while not first.exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(number)
    assert process.wait(SECONDS) == code and not (out / cohort_results.NAME).exists()
    before = os.stat(first).st_ino
    (cohort_results.part(out, 1)).write_bytes(first.read_bytes()[:-1])      # one that is cut is made anew
    assert os.stat(first).st_ino == before and main(["cohort", str(file), "--out", str(out)]) == 0
    assert content(out) == content(undisturbed) and not first.exists()


def test_a_patient_depends_on_seed_and_number_alone(file, undisturbed):
    cohort = cohort_file.read(file)
    rows, lesions, _ = cohort_results.read(undisturbed)
    row, own = cohort_patient.lived(cohort, 21)
    assert row[0] == rows[21] and own.tobytes() == lesions[lesions["patient"] == 21].tobytes()
    assert len(set(rows["seed"].tolist())) == len(rows)


def test_a_patient_is_left_between_two_steps_when_there_is_a_wish_to_stop(file):
    looks = iter([False] * 5 + [True])
    assert cohort_patient.lived(cohort_file.read(file), 21, lambda: next(looks)) is None and not list(looks)


def test_what_is_told_of_patients_fits_together(undisturbed):
    rows, lesions, _ = cohort_results.read(undisturbed)
    found = rows[rows["diagnosed_s"] >= 0]
    assert len(found) > 25 and set(rows["cause"].tolist()) > {1} and (found["end_s"] > found["diagnosed_s"]).all()
    for name in ("recurred_s", "died_s"):
        happened = found[found[name] >= 0]
        assert len(happened) and (happened[name] <= happened["end_s"]).all()
    dead = rows[rows["died_s"] >= 0]
    assert (dead["recurred_s"] >= 0).all() and (dead["end_s"] == dead["died_s"]).all()
    assert (rows["detected_by_organ"].sum(axis=1) == rows["detected"]).all() and (rows["detected"] <= rows["divided"]).all()
    alive = np.bincount(lesions["patient"][lesions["n"] > 0], minlength=len(rows))
    assert (alive <= rows["lesions_left"]).all()        # also those that have never divided
    visits = (found["age"] + found["diagnosed_s"] - 50 * 31557600) % (2 * 31557600) == 0
    assert visits.any() and not visits.all(), "some were found by screening, others felt it"


def test_another_file_is_refused_and_the_same_again_tells_the_same(file, undisturbed, tmp_path, capsys):
    assert main(["cohort", str(file), "--out", str(undisturbed)]) == 0
    said = capsys.readouterr().out
    assert cohort_results.digest(*cohort_results.read(undisturbed)[:2]) in said and "free of distant recurrence" in said
    other = cohorts.write(tmp_path, cohorts.COHORT.replace("patients = 34", "patients = 35"))
    assert main(["cohort", str(other), "--out", str(undisturbed)]) == 2
    assert "of another cohort" in capsys.readouterr().err
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "notes.txt").write_text("mine")
    assert main(["cohort", str(file), "--out", str(tmp_path / "used")]) == 2


def test_info_and_the_tables_tell_what_is_in_them(undisturbed, capsys):
    assert main(["info", str(undisturbed)]) == 0
    said = capsys.readouterr().out
    assert "cohort of 34 patients" in said and "tube0, 7.5 mL 10 days after diagnosis: 34 patients" in said
    with open(undisturbed / "cohort_patients.csv", encoding="utf-8") as text:
        rows = list(csv.DictReader(text))
    assert len(rows) == 34 and {"patient", "lumped_gompertz [1/h]", "cause", "first_organ_seen"} <= rows[0].keys()


def test_times_in_the_table_of_patients_are_years_and_empty_where_there_is_none(undisturbed):
    found, _, _ = cohort_results.read(undisturbed)
    with open(undisturbed / "cohort_patients.csv", encoding="utf-8") as text:
        rows = list(csv.DictReader(text))
    assert not [name for name in rows[0] if name.endswith(("[s]", "[h]"))] and not [
        row for row in rows if "-1" in row.values()]
    for name, column in (("age [year]", "age"), ("died [year]", "died_s"), ("tube0 [year]", "tube0_s")):
        told = [float(row[name] or "nan") for row in rows]
        years = np.where(found[column] < 0, np.nan, found[column] / 31_557_600)
        assert np.isfinite(told).any() and np.allclose(told, years, rtol=0, atol=1e-6, equal_nan=True)


def test_damage_in_the_results_is_told(undisturbed, tmp_path, capsys):
    data = bytearray((undisturbed / cohort_results.NAME).read_bytes())
    data[-1] ^= 1
    (tmp_path / "damaged.h5").write_bytes(data)
    assert main(["info", str(tmp_path / "damaged.h5")]) == 2
    assert "damaged" in capsys.readouterr().err


def test_damaged_results_are_made_anew_by_the_same_call(undisturbed, tmp_path):
    few = cohorts.write(tmp_path, cohorts.COHORT.replace("patients = 34", "patients = 2"))
    for damaged in (b"", b"no results"):
        assert main(["cohort", str(few), "--out", str(tmp_path / "out")]) == 0
        assert np.array_equal(cohort_results.read(tmp_path / "out")[0], cohort_results.read(undisturbed)[0][:2])
        (tmp_path / "out" / cohort_results.NAME).write_bytes(damaged)
        assert not (tmp_path / "out" / cohort_results.FOLDER).exists()


def test_dry_run_makes_no_file(file, tmp_path, capsys):
    assert main(["cohort", str(file), "--out", str(tmp_path / "out"), "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "34 patients" in said and " 0 lesions that ever divided\n" in said and not (tmp_path / "out").exists()
