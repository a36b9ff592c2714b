"""Experiments on populations: arms that are cohorts of patients, lived through, read out and compared.

An experiment with a table [cohort], in the words of the file of a cohort, has arms of patients; what an arm holds is
laid on top of it. Replicates are cohorts with other seeds; all patients of an arm count together. The errors of what is
compared are those of drawing patients: of a share by Wilson, of all else by bootstrap, in which arms with as many
patients are drawn in pairs, since the patient of a number has the same seed in each.
"""
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from metacascade.base import stopsignals
from metacascade.base.errors import DONE, FAILED, STOPPED_EARLY, InputError
from metacascade.config import presets, read as config_read
from metacascade.config.read import Problem
from metacascade.io import atomic
from metacascade.ranks import launcher
from metacascade.studies import cohort_file, cohort_results, sweep
from metacascade.studies.readouts import READOUTS, Missing
from metacascade.studies.reproduce_toml import toml
from metacascade.studies.reproduce_verdict import NOT_YET, Finding

KINDS = ("interval", "ratio", "ordering")
LOOK_S = 0.05


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

def simulate(experiment, out, how):
    """Live the cohorts of all arms through that are not done; arm -> exit code."""
    ranks, jobs, wall_limit_s = how
    launch = sweep.launch_of(ranks)
    waiting, running, codes, stop = [], {}, dict.fromkeys(experiment.arms, DONE), []
    for arm, tables in experiment.arms.items():
        for replicate in range(experiment.head.replicates):
            waiting.append((arm, _written(out, arm, replicate, tables)))
    environment = launcher.without() if jobs == 1 else sweep.UNBOUND | launcher.without()
    limit = [] if wall_limit_s is None else ["--wall-limit", f"{wall_limit_s:.1f} s"]
    with stopsignals.given_back():
        stopsignals.listen(lambda *_: stop.append(True))
        while running or waiting and not stop:
            while waiting and len(running) < jobs and not stop:
                arm, file = waiting.pop(0)
                if not cohort_results.whole(file.with_suffix("")):
                    print(f"{experiment.name}: cohort {file.stem}", flush=True)
                    running[_started(launch, file, limit, environment)] = arm
            for process in [one for one in running if one.poll() is not None]:
                arm, code = running.pop(process), process.returncode
                codes[arm] = code if code in (DONE, STOPPED_EARLY) and codes[arm] == DONE else codes[arm] or FAILED
            for process in running if stop else ():
                process.send_signal(stopsignals.PASSED_ON)
            time.sleep(LOOK_S if not stop else 1.0)
    if stop:
        codes |= {arm: STOPPED_EARLY for arm, _ in waiting}
    return codes


def _written(out, arm, replicate, tables):
    """The file of a cohort; its results are beside it."""
    path = Path(out) / f"{arm}-{replicate}.toml"
    with atomic.writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    atomic.write_text(path, toml(tables | dict(seed=tables.get("seed", 1) + replicate)))
    return path


def _started(launch, file, limit, environment):
    words = [*launch, sys.executable, "-m", "metacascade", "cohort", str(file), "--out", str(file.with_suffix(""))]
    log = file.with_suffix(".log")
    with atomic.writing(log), open(log, "ab") as to:
        return subprocess.Popen(
            [*words, *limit], stdin=subprocess.DEVNULL, stdout=to, stderr=subprocess.STDOUT, env=environment,
            start_new_session=True, preexec_fn=None if launch else stopsignals.deaf)


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
