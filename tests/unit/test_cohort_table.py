"""What is told of a cohort, of made-up patients."""
import csv
import math
from types import SimpleNamespace

import numpy as np
import pytest

from metacascade.base.units import DAY_S, YEAR_S
from metacascade.studies import cohort_file, cohort_patient, cohort_table
from metacascade.studies.cohort_patient import LESION_ROW, NOWHERE, PLACES

LUNG, BONE, LIVER = (PLACES.index(name) for name in ("lung", "bone", "liver"))
# patient, id, organ, seen [h]; the founder of each comes first
FOUND = ((0, 7, "bone", math.inf), (0, 5, "lung", 900.0), (1, 3, "bone", math.inf), (2, 9, "liver", 500.0),
         (2, 4, "lung", 500.0), (3, 1, "bone", 100.0))


TUBES = (cohort_file.TubeOfBlood(), cohort_file.TubeOfBlood(after="recurrence", time_s=10 * DAY_S, volume_mL=30.0),
         cohort_file.TubeOfBlood(time_s=2 * YEAR_S))
COHORT = SimpleNamespace(drawn=(), tubes=TUBES)


@pytest.fixture
def made():
    """(rows, lesions) of four patients of whom the last was never diagnosed."""
    lesions = np.zeros(len(FOUND), LESION_ROW)
    rows = np.zeros(4, cohort_patient.patient_row(COHORT))
    rows["patient"], rows["end_s"], rows["first_organ"] = np.arange(4), 10**8, NOWHERE
    rows["tube0_s"], rows["tube1_s"], rows["tube2_s"] = (1000, 1000, 1000, -1), (-1, 2000, -1, -1), -1
    rows["tube0_found"], rows["tube1_found"], rows["tube2_found"] = (0, 2, 9, -1), (-1, 1, -1, -1), -1
    rows["tube0_ctcs_per_L"] = 100.0, 350.0, 2000.0, math.nan
    rows["diagnosed_s"] = 1000, 1000, 1000, -1
    for lesion, (patient, number, organ, seen_h) in zip(lesions, FOUND):
        node = PLACES.index(organ)
        for name, value in zip(("patient", "id", "node", "t_detected", "n"), (patient, number, node, seen_h, 1)):
            lesion[name] = value
        rows["lesions_by_organ"][patient, node] += 1
        rows["detected_by_organ"][patient, node] += seen_h < math.inf
        if rows["first_organ"][patient] == NOWHERE:
            rows["first_organ"][patient] = node
    return rows, lesions


def test_the_first_organ_is_that_of_the_lesion_seen_first_and_of_ties_that_of_the_smallest_id(made):
    assert cohort_table.first_seen(*made).tolist() == [LUNG, NOWHERE, LUNG, BONE]


def test_a_lesion_that_is_founded_first_and_never_seen_is_no_first_site(made):
    table = {row[0]: dict(zip(cohort_table.ORGAN_HEAD, row)) for row in cohort_table.by_organ(*made)}
    assert [(name, row["patients_seen"], row["first_seen"], row["first_founded"]) for name, row in table.items()] == [
        ("lung", 2, 2, 0), ("liver", 1, 0, 1), ("bone", 0, 0, 2)]
    assert sum(row["first_seen"] for row in table.values()) == 2, "of two of those diagnosed a lesion was seen"
    told = "\n".join(cohort_table.report(*made))
    assert "2 patients, the first that was seen in 2" in told and "1 patient, the first that was seen in 0" in told
    assert "1 patients" not in told


def test_the_table_of_patients_tells_both_first_organs_by_plain_names(made, tmp_path):
    rows, lesions = made
    cohort_table.write(tmp_path, rows, lesions, cohort_patient.units_of(COHORT))
    with open(tmp_path / "cohort_patients.csv", encoding="utf-8") as text:
        told = [(row["first_organ_seen"], row["first_organ_founded"]) for row in csv.DictReader(text)]
    assert told == [("lung", "bone"), ("", "bone"), ("lung", "liver"), ("bone", "bone")]


def test_each_tube_is_told_with_its_median_and_shares_of_those_from_whom_it_was_drawn(made):
    first, second, third = cohort_table.report(*made, TUBES)[-3:]
    assert first == ("  tube0, 7.5 mL at diagnosis: 3 patients, median 2 cells found, 1 or more in 67 % (21 to 94), "
                     "5 or more in 33 % (6 to 79)")
    assert second.startswith("  tube1, 30 mL 10 days after recurrence: 1 patient, median 1 cells found, 1 or more")
    assert third == "  tube2, 7.5 mL 2 years after diagnosis: drawn from nobody"


def test_it_is_told_where_no_lesion_was_seen(made):
    rows, lesions = (array.copy() for array in made)
    rows["detected_by_organ"] = 0
    assert "  organs with a lesion that was seen, of those diagnosed: none" in cohort_table.report(rows, lesions)


def test_survival_is_told_as_that_of_the_cancer_alone(made):
    assert any("survival from the cancer alone" in line for line in cohort_table.report(*made))
