"""The file of a cohort and its laws."""
import math
import re
from pathlib import Path

import numpy as np
import pytest

import cohorts
from metacascade.base.errors import InputError
from metacascade.base.units import DAY_S, YEAR_S
from metacascade.config.config import Config
from metacascade.config.read import parse_text
from metacascade.studies import cohort, cohort_file, cohort_laws, cohort_patient, cohort_table
from metacascade.studies.sweep_values import parameters

DOCS = Path(__file__).parents[2] / "docs" / "cohorts.md"


@pytest.mark.parametrize("old, new, told", [
    ("spread = 0.5", 'spread = "0.5/h"', "must be a number"),
    ("lumped.gompertz", "lumped.gompert", "no parameter that patients may differ in (did you mean 'lumped.gompertz'?)"),
    ('"lumped.gompertz"', '"colonization.detect" = 5\n"lumped.gompertz"', "draw.colonization.detect = 5: no parameter that"),
    ('law = "lognormal"', 'law = "gamma"', "must be one of lognormal, normal, uniform, loguniform, choice, same"),
    ("low = 1e-9", "low = 1e-7", "low must be less than high"), ("low = 1e-9, ", "", "needs low"),
    ('median = "0.055/month"', 'median = "0.055 mm"', "lumped.gompertz"),
    ('diameter = "8 mm"', 'diameter = "8"', "screening.diameter"), ("[follow_up]", "[followup]", "unknown key"),
    ("factor = 0.3", "factor = -0.3", "cohort.toml:20: treatment.therapy[0].factor = -0.3: must be a number from"),
    ('[[treatment.surgery]]\ntime = "30 days"', '[[treatment.surgery]]\ntime = "90 s"', "cohort.toml:17: treatment.surgery["
     '0].time = "90 s": 90 s is not a multiple of 1 h'), ('rate = "blood.nk"', 'rate = "blood.nkk"', "cohort.toml:24: treat"),
    ('"base.toml"', '"none.toml"', "cannot read"), ('"base.toml"', '"human_breast_lumpd"', 'base = "human_breast_lumpd": '
     "there is no such file or preset (did you mean 'human_breast_lumped'?)"),
    ('age = {law = "normal", mean = "55 years", sd = "8 years"}', 'age = "fifty"', 'write it like "50 years"'),
    ('mean = "55 years"', 'mean = "155 years"', "must be a quantity from 0 days to 120 years"),
    ("spread = 0.5", "sd = 0.5", "unknown key; known are law, median, spread"), ('every = "2', 'ennd = "2', "mean 'end'?"),
    ("patients = 34", "people = 34", "unknown key; known are title, patients, seed"),
    ("[follow_up]", "[[tube]]\nxyz = 2\n[follow_up]", "tube[1].xyz = 2: unknown key; known are after, time, volume, recovery"),
    ("[[treatment.surgery]]", "[[treatment.operation]]", "[[treatment.surgery]]"),
    ("[[treatment.surgery]]", "[treatment.surgery]", "must be a list of tables: write [[treatment.surgery]]"),
    ('every = "2 years"', 'end = "70 years"', "there are no visits: give `every`"),
    ('every = "2 years"', 'every = "2 years"\nend = "49 years"', "is before the first visit, at 50 years"),
    ("[follow_up]", "[[tube]]\nvolume = '7 s'\n[follow_up]", "tube[1].volume"),
    ("[draw.colonization]", "[draw.screening]\nend = '1 year'\n[draw.colonization]", "not in [draw]"),
    ("[follow_up]", "[[tube]]\ntime = {law = 'uniform', low = '1 day', high = '2 days'}\n[follow_up]", "the same for all"),
    ("most_lesions = 30", "most_lesions = 30.5", "whole number"), ("patients = 34", "patients = 0", "whole number"),
    ('age = {law = "normal", mean', 'age = {law = "normal", meen', "unknown key"),
    ("spread = 0.5", "spread = 1e308", "50 at most"), ('law = "lognormal"', "law = []", "must be one of"),
    ('"8 mm"', '{law = "same", of = "lumped.gompertz"}', "must be one of"),
    ("[draw.colonization]", "[draw.tumor]\nlumped = false\n[draw.colonization]", "no parameter that patients may differ in"),
    ("[draw.colonization]", "[draw.lumped]\ngompertz = '1/year'\n[draw.colonization]", "is there twice"),
    ("[follow_up]", "[follow_up]\nlethal_cells = 20", "all die at once"),
    ("[draw.colonization]", "[draw.blood]\nnk = {}\n[draw.colonization]", "must be one of"),
    ("[draw.colonization]", "[draw.tumor]\norgan = {law = 'choice', values = ['lung', 'liver'], weights = [1e308, 1e308]}\n"
     "[draw.colonization]", "as many numbers")])
def test_what_is_wrong_is_told_with_its_place(tmp_path, old, new, told):
    path = cohorts.write(tmp_path, cohorts.COHORT.replace(old, new, 1))
    with pytest.raises(InputError) as error:
        cohort_file.read(path)
    assert told in str(error.value) and "cohort.toml:" in str(error.value)


DRAWN = cohorts.COHORT.replace('time = "30 days"', 'time = {law = "normal", mean = "30 days", sd = "9 days"}').replace(
    "factor = 0.3", "factor = {law = 'choice', values = [1, 0.3]}").replace(
    'start = "31 days"', 'start = {law = "uniform", low = "31 days", high = "90 days"}') + """
[[treatment.radiation]]
time = "50 days"
dose = {law = "loguniform", low = "1 Gy", high = "3 Gy"}
"""


def test_each_patient_has_treatments_of_times_and_doses_of_her_own(tmp_path):
    with_laws, without = (cohort_file.read(cohorts.write(tmp_path, text)) for text in (DRAWN, cohorts.COHORT))
    given, drawn = [], []
    for number in range(4):
        patient, found = cohort_patient.made(with_laws, number)
        (first, second), (operation,), (course,) = patient.treat(1000)
        given.append((first.start_s - 1000, first.factor, operation.time_s - 1000, course.dose_Gy))
        drawn.append(tuple(found[f"treatment.{name}"] for name in (
            "therapy.0.start", "therapy.0.factor", "surgery.0.time", "radiation.0.dose")))
        assert (second.start_s, second.factor, course.time_s) == (1000, 2.0, 1000 + 50 * DAY_S)
        assert found.items() >= cohort_patient.made(without, number)[1].items(), "other draws are as without these"
    assert given == drawn and len({one[0] for one in drawn}) == 4 and {one[1] for one in drawn} == {1, 0.3}
    assert all(31 * DAY_S <= start <= 90 * DAY_S and 1 <= dose <= 3 for start, _, _, dose in drawn)
    row, _ = cohort_patient.lived(with_laws, 3)
    assert row["treatment_surgery_0_time"][0] == drawn[3][2] and set(without.drawn) < set(with_laws.drawn)
    assert cohort_patient.units_of(with_laws)["treatment_therapy_0_start"] == "s" and with_laws.idle == ()


def test_the_files_in_the_docs_can_be_read():
    whole, shedding, treatment = re.findall(r"```toml\n(.*?)```", DOCS.read_text("utf-8"), re.S)
    base = 'base = "human_breast_lumped"\n'
    for text, drawn in ((whole, "blood.nk"), (base + shedding, "lumped.shed"), (base + treatment, "treatment.surgery.0.time")):
        cohort = cohort_file.of(parse_text(text, "docs/cohorts.md"))
        assert drawn in [law.name for law in cohort.drawn] and cohort.idle == ()


@pytest.mark.parametrize("old, new, told", [
    ('duration = "5 years"', "duration = {law = 'uniform', low = '1 year', high = '5 years'}", "therapy[0].duration: is the "
     "same for all patients: of a therapy start, factor, efficacy may have a law"),
    ('rate = "lesion.start"\nfactor = 0.3', "drug = 'cytotoxic'\nfactor = {law = 'uniform', low = 0, high = 2}",
     "a drug has factors of its own: draw its efficacy"),
    ("factor = 0.3", "efficacy = {law = 'uniform', low = 0, high = 1}", "without a drug"),
    ("factor = 0.3", "factor = {law = 'same', of = 'lumped.gompertz'}", "must be one of"),
    ("factor = 0.3", "factor = {law = 'uniform', low = -2, high = 1}", "cohort.toml:20: treatment.therapy[0].factor.low = -2"),
    ("factor = 0.3", "factor = {law = 'normal', mean = 1}", "needs sd"), ("factor = 0.3", "facto = {law = 3}", "'factor'?)")])
def test_laws_of_treatments_that_make_no_sense_are_refused(tmp_path, old, new, told):
    assert old in cohorts.COHORT
    with pytest.raises(InputError) as error:
        cohort_file.read(cohorts.write(tmp_path, cohorts.COHORT.replace(old, new, 1)))
    assert told in str(error.value)


def test_screening_ends_at_an_age_and_without_one_never(tmp_path):
    def last(end):
        text = cohorts.COHORT.replace('every = "2 years"', f'every = "2 years"{end}')
        patient, drawn = cohort_patient.made(cohort_file.read(cohorts.write(tmp_path, text)), 3)
        return patient.watch.last_visit_s + drawn["age"]

    assert last("") == math.inf and last('\nend = "70 years"') == 70 * YEAR_S


def test_a_base_of_tissue_or_with_injections_is_refused(tmp_path):
    for old, new, told in (("lumped = true", "", "where there is tissue"), ("[colonization]", "[[draw]]\ntime='1 h'\n"
                                                                         "[colonization]", "injections or draws")):
        with pytest.raises(InputError, match=told):
            cohort_file.read(cohorts.write(tmp_path, base=cohorts.BASE.replace(old, new)))


def test_treatments_without_effect_are_told(tmp_path):
    for rate, told in (("lesion.start", ()), ("tissue.divide", ("treatment.therapy[0]: without effect",))):
        cohort = cohort_file.read(cohorts.write(tmp_path, cohorts.COHORT.replace('"lesion.start"', f'"{rate}"')))
        assert len(cohort.idle) == len(told) and all(map(str.startswith, cohort.idle, told))


@pytest.mark.parametrize("law, idle", [
    ("values = [1, 0.3]", False), ("values = [1, 1.0]", True), ("values = [1, 0.3], weights = [1, 0]", True)])
def test_a_drawn_treatment_is_without_effect_only_if_each_value_of_its_law_is(tmp_path, law, idle):
    text = cohorts.COHORT.replace("factor = 0.3", f"factor = {{law = 'choice', {law}}}")
    assert len(cohort_file.read(cohorts.write(tmp_path, text)).idle) == idle
    dose = law.replace("0.3", "'3 Gy'").replace("1.0", "'0 Gy'").replace("[1,", "['0 Gy',", 1)
    text = cohorts.COHORT + f"[[treatment.radiation]]\ndose = {{law = 'choice', {dose}}}\n"
    assert len(cohort_file.read(cohorts.write(tmp_path, text)).idle) == idle


def test_visits_that_end_before_the_first_cells_are_refused(tmp_path):
    text = cohorts.COHORT.replace('{law = "normal", mean = "55 years", sd = "8 years"}', '"71 years"').replace(
        'every = "2 years"', 'every = "2 years"\nend = "70 years"')
    with pytest.raises(InputError, match="is before the first cells of the tumor, at the age of 71 years"):
        cohort_file.read(cohorts.write(tmp_path, text))


def test_an_age_at_the_first_visit_without_visits_is_told(tmp_path):
    cohort = cohort_file.read(cohorts.write(tmp_path, cohorts.COHORT.replace('every = "2 years"\n', "")))
    assert cohort.idle == ("screening.start: without effect (there are no visits: give `every`)",)


def test_surgery_of_organs_on_the_day_of_diagnosis_is_not_told_to_come_before_any_cell_is_there(tmp_path):
    text = cohorts.COHORT.replace('[[treatment.surgery]]\ntime = "30 days"', '[[treatment.surgery]]\nwhere = "lung"')
    assert text != cohorts.COHORT and cohort_file.read(cohorts.write(tmp_path, text)).idle == ()


def law(name, **given):
    problems = []
    found = cohort_laws.read(("x",), name, parameters()[name], given, problems)
    assert not problems
    return found


LAWS = {        # law: share of draws below the value
    "lognormal": (law("lumped.shed", law="lognormal", median="0.0025/day", spread=0.7),
                  lambda x: 0.5 * math.erfc(-math.log(x / (0.0025 / 24)) / 0.7 / math.sqrt(2.0)),
                  (1e-5, 1.04e-4, 3e-4)),
    "normal": (law("lumped.cluster_mean", law="normal", mean=8.0, sd=1.0),
               lambda x: 0.5 * math.erfc(-(x - 8.0) / math.sqrt(2.0)), (7.0, 8.0, 9.5)),
    "uniform": (law("lumped.emt", law="uniform", low=0.2, high=0.6), lambda x: (x - 0.2) / 0.4, (0.25, 0.4, 0.59)),
    "loguniform": (law("lumped.capacity", law="loguniform", low=1e9, high=1e12),
                   lambda x: math.log(x / 1e9) / math.log(1e3), (1e10, 3e11)),
    "choice": (law("tumor.organ", law="choice", values=["lung", "liver"], weights=[3, 1]), None, ())}


@pytest.mark.statistical
@pytest.mark.parametrize("name", LAWS)
def test_draws_follow_their_law(name):
    """n = 4000, binomial shares: within 5 sd, 6e-7 a share; fixed seed."""
    one, share, values = LAWS[name]
    drawn = [one.draw(11, patient) for patient in range(4000)]
    if share is None:
        assert abs(drawn.count("lung") - 3000) < 5 * math.sqrt(4000 * 0.75 * 0.25) and set(drawn) == {"lung", "liver"}
    for value in values:
        p = share(value)
        assert abs(np.mean(np.array(drawn) < value) - p) < 5 * math.sqrt(p * (1 - p) / 4000)


def test_draws_stay_within_the_limits_and_each_parameter_has_its_own():
    one = law("lumped.adhesion", law="normal", mean=0.9, sd=5.0)
    assert {0.0, 1.0} <= {one.draw(1, k) for k in range(50)} and min(one.draw(1, k) for k in range(50)) == 0.0
    other = law("lumped.emt", law="normal", mean=0.9, sd=5.0)
    assert [one.draw(1, k) for k in range(9)] != [other.draw(1, k) for k in range(9)]
    assert [one.draw(1, k) for k in range(9)] != [one.draw(2, k) for k in range(9)]


def test_a_parameter_may_follow_another(tmp_path):
    same = '"colonization.gompertz" = {law = "same", of = "NAME", times = 0.5}'
    def with_law(name):
        return cohort_file.read(cohorts.write(tmp_path, cohorts.COHORT.replace(
            "[draw.colonization]", same.replace("NAME", name) + "\n[draw.colonization]")))

    _, drawn = cohort_patient.made(with_law("lumped.gompertz"), 3)
    assert drawn["colonization.gompertz"] == 0.5 * drawn["lumped.gompertz"]
    with pytest.raises(InputError, match="must be another parameter"):
        with_law("colonization.clonogenic")


def test_kaplan_and_meier_by_hand():
    """Six in months: 6, 6, 6, 7+, 10, 13+ of the example of Freireich 1963 as in textbooks, n = 21 cut to 6."""
    year = YEAR_S
    times = np.array([0.6, 0.6, 0.6, 0.7, 1.0, 1.3]) * year
    events = np.array([True, True, True, False, True, False])
    rows = cohort_table.by_year(times.astype(np.int64), events, 2)
    assert rows[0] == (0, 6, 0, 0, 1.0, 0.0, 1.0, 1.0)
    year_1, year_2 = rows[1:]
    error = 0.25 * math.sqrt(3 / (6 * 3) + 1 / (2 * 1))
    assert year_1[:5] == (1, 2, 4, 1, pytest.approx(0.25)) and year_1[5] == pytest.approx(error)
    assert year_1[6] == 0.0 and year_1[7] == pytest.approx(0.25 + 1.96 * error, rel=1e-3)
    assert year_2[:5] == (2, 0, 0, 1, pytest.approx(0.25))


def test_a_ball_of_a_gram_has_the_cells_of_a_gram():
    assert cohort_file.cells_of(12_407.0) == pytest.approx(3e8, rel=1e-3)      # 1 cm^3
    assert Config.from_dict({"tumor": {"lumped": True}}).has_tissue is False


def test_what_patients_differ_in_without_effect_is_told(tmp_path):
    """A lumped tumor has no tissue from which cells enter vessels."""
    drawn = cohorts.COHORT.replace("[draw]\n", '[draw]\nintravasation.hazard = {law = "uniform", low = "0.1/day", high = "0.5/day"}\n')
    told = cohort.odd(cohort_file.read(cohorts.write(tmp_path, drawn)))
    assert [line for line in told if line.startswith("[draw]")] == [
        "[draw] intravasation.hazard: without effect (tumor.lumped = true: there is no tissue)"]
