"""Experiments on populations: arms that are cohorts of patients, lived through, read out and compared.

An experiment with a table [cohort], in the words of the file of a cohort, has arms of patients; what an arm holds is
laid on top of it. Replicates are cohorts with other seeds; all patients of an arm count together. The errors of what is
compared are those of drawing patients: of a share by Wilson, of all else by bootstrap, in which arms with as many
patients are drawn in pairs, since the patient of a number has the same seed in each.
"""
from pathlib import Path

import numpy as np

from metacascade.base import stopsignals
from metacascade.base.errors import DONE, FAILED, STOPPED_EARLY, InputError
from metacascade.config import presets, read as config_read
from metacascade.config.read import Problem
from metacascade.io import atomic
from metacascade.studies import cohort_file, cohort_results
from metacascade.studies.programs import Programs, launch_of
from metacascade.studies.readouts import READOUTS, Missing
from metacascade.studies.reproduce_toml import toml
from metacascade.studies.reproduce_verdict import NOT_YET, Finding

KINDS = ("interval", "ratio", "ordering")


# --- the file -----------------------------------------------------------------------------------------------------

def arms(given, problems):
    """Arm -> tables of the file of its cohort, of the tables of an experiment; each is read, and so checked."""
    common, own = given.get("cohort"), given.get("arms", {})
    if not isinstance(common, dict) or not isinstance(own, dict) or not own or not all(
            isinstance(arm, dict) for arm in own.values()):
        problems.append(Problem(("cohort",), "must be a table, as must [arms.NAME], with what changes in the arm"))
        return {}
    found = {name: merged(common, arm) for name, arm in own.items()}
    for name, tables in found.items():
        try:
            if tables.get("base") not in presets.names():
                raise InputError("needs base = the name of a preset")
            cohort_file.of(config_read.parse_text(toml(tables), f"its cohort {name}"))
        except InputError as error:
            problems.append(Problem(("arms", name), str(error)))
    return found


def bases(given):
    """The presets that the arms of an experiment start from."""
    return [merged(given["cohort"], arm).get("base") for arm in given.get("arms", {}).values()]


def merged(common, own):
    """Tables with others on top: key by key, but laws and lists of tables as wholes."""
    found = dict(common)
    for key, value in own.items():
        both = isinstance(value, dict) and isinstance(found.get(key), dict) and not {"law"} & {*value, *found[key]}
        found[key] = merged(found[key], value) if both else value
    return found


# --- living them through --------------------------------------------------------------------------------------------

class Cohorts(Programs):
    """Lives the cohorts of the arms of an experiment through. `codes`: arm -> exit code."""

    def __init__(self, experiment, launch, jobs, wall_limit_s=None):
        super().__init__(launch, jobs, wall_limit_s)
        self.name, self.codes = experiment.name, dict.fromkeys(experiment.arms, DONE)

    def consider(self, cohort):
        """Start a cohort, unless it is done."""
        _, file = cohort
        out = file.with_suffix("")
        if not cohort_results.whole(out):
            print(f"{self.name}: cohort {file.stem}", flush=True)
            self.start(cohort, ["cohort", str(file), "--out", str(out)], file.with_suffix(".log"))

    def judge(self, cohort, code, seconds):
        """Note how it has ended."""
        arm, _ = cohort
        before = self.codes[arm]
        self.codes[arm] = code if code in (DONE, STOPPED_EARLY) and before == DONE else before or FAILED


def simulate(experiment, out, how):
    """Live the cohorts of all arms through that are not done; arm -> exit code."""
    ranks, jobs, wall_limit_s = how
    cohorts = Cohorts(experiment, launch_of(ranks), jobs, wall_limit_s)
    with stopsignals.given_back():
        cohorts.go_through([(arm, _written(out, arm, replicate, tables)) for arm, tables in experiment.arms.items()
                            for replicate in range(experiment.head.replicates)])
    return cohorts.codes | {arm: STOPPED_EARLY for arm, _ in cohorts.waiting}


def _written(out, arm, replicate, tables):
    """The file of a cohort; its results are beside it."""
    path = Path(out) / f"{arm}-{replicate}.toml"
    with atomic.writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    atomic.write_text(path, toml(tables | dict(seed=tables.get("seed", 1) + replicate)))
    return path


# --- reading them out -----------------------------------------------------------------------------------------------

def read_out(experiment, arm, out, names, problems):
    """(a row of the table for each replicate, read-out -> its values in all patients of the arm)."""
    rows, values = [], {name: [] for name in names}
    published = {one.readout: row for one, row in zip(experiment.comparisons, experiment.rows)}
    for replicate in range(experiment.head.replicates):
        patients, lesions, _ = cohort_results.read(out / f"{arm}-{replicate}")
        row = dict(arm=arm, replicate=replicate, seed=experiment.arms[arm].get("seed", 1) + replicate)
        for name in sorted(names):
            try:
                found = np.asarray(READOUTS[name](patients, lesions), float)
            except Missing as error:
                problems[arm, name] = Finding(NOT_YET, text=str(error))
                continue
            row[name] = READOUTS[name].statistic(found, published[name])
            values[name].append(found)
        rows.append(row)
    return rows, {name: np.concatenate(found) for name, found in values.items() if found}
