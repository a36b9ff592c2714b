"""Published experiments, simulated: each arm a sweep over seeds, then read out, compared, drawn and written down."""
import contextlib
import dataclasses
import json
import math
from pathlib import Path

from metacascade.base.errors import DONE, FAILED, STOPPED_EARLY, InputError
from metacascade.config.config import load
from metacascade.config.write import quoted
from metacascade.io import atomic
from metacascade.io.results import open_results
from metacascade.ranks import launcher
from metacascade.studies import (
    efficiency_table,
    readouts,
    reproduce_bootstrap,
    reproduce_cohort,
    reproduce_controls,
    reproduce_file,
    reproduce_picture,
    reproduce_report,
    reproduce_reuse,
    reproduce_toml,
    sweep,
    sweep_plan,
)
from metacascade.studies.reproduce_controls import GROUP
from metacascade.studies.reproduce_directory import VERDICT
from metacascade.studies.reproduce_file import FOLDER, NETWORKS
from metacascade.studies.reproduce_toml import split
from metacascade.studies.reproduce_verdict import FAILED as RUN_FAILED, NOT_RUN, NOT_YET, Finding, judge

TABLE, FIGURE, CONFIG = "table.csv", "figure.png", "config.toml"


def listed(folder=FOLDER):
    """Names and titles of the experiments and of the controls, a line each."""
    titles = [(name, kind.title(name, folder)) for kind in (reproduce_file, reproduce_controls)
              for name in kind.names(folder)]
    width = max([15, *(len(name) + 2 for name, _ in titles)])
    return [f"{name:{width}}{title}" for name, title in titles]


def run(name, out, ranks=1, jobs=1, wall_limit_s=None, networks=None, write=None, folder=FOLDER):
    """Simulate an experiment, a control, all `controls`, or `all`, into the directory `out`; the exit code.

    What is done is not simulated again, if it was by the same code and from the same config.

    Parameters
    ----------
    networks : path, optional
        The directory of measured vessel networks, for the arms that need one.
    write : path, optional
        Write the page of validation there. What this call did not run is taken from `out`, if it was run with the same
        code, and else said not to be run.

    Raises
    ------
    InputError
        For what is wrong in an experiment, before anything is started.
    """
    if launcher.several():
        raise InputError("reproduce starts the ranks of its runs itself: call it without mpiexec or srun, with --ranks "
                         "R for R ranks each and --jobs J for J runs at a time")
    if write:
        atomic.refuse_other(write, reproduce_report.is_page, "page of `metacascade reproduce`",
                            "choose another for --write")
    controls = reproduce_controls.names(folder)
    groups = {"all": [*reproduce_file.names(folder), *controls]} | ({GROUP: controls} if controls else {})
    experiments = [_read(one, folder) for one in groups.get(name, [name])]
    code, results = DONE, {}
    for experiment in experiments:
        ended, findings = _experiment(experiment, Path(out) / experiment.name, networks, (ranks, jobs, wall_limit_s))
        if ended == STOPPED_EARLY:
            print("stopped: the same command goes on", flush=True)
            return STOPPED_EARLY
        code = ended or code
        results[experiment.name] = findings
        print("\n".join(reproduce_report.lines(experiment, findings)), flush=True)
    if write:
        _write_page(write, results, Path(out), folder)
    return code


def _read(name, folder):
    found = reproduce_controls if name in reproduce_controls.names(folder) else reproduce_file
    return found.read(name, folder)


def _write_page(path, results, out, folder):
    """The page of all experiments and controls: of those that this call has not run, what is in `out`."""
    names = [*reproduce_file.names(folder), *reproduce_controls.names(folder)]
    pairs = [(one := _read(name, folder), results.get(name) or _stored(one, out / name)) for name in names]
    controls = set(reproduce_controls.names(folder))
    tables = {one.name: out / one.name / reproduce_reuse.key(one) / efficiency_table.TABLE for one, _ in pairs}
    more = {name: efficiency_table.markdown(*efficiency_table.read(table)) for name, table in tables.items()
            if table.is_file()}
    atomic.write_text(path, reproduce_report.page([pair for pair in pairs if pair[0].name not in controls],
                                                  [pair for pair in pairs if pair[0].name in controls],
                                                  reproduce_reuse.code_is(), more))
    print(f"wrote {path}", flush=True)


def _stored(experiment, out):
    """The findings in a directory, if they are those of this code and config."""
    path = out / VERDICT
    if path.is_file():
        with atomic.reading(path), contextlib.suppress(ValueError, KeyError, TypeError):    # of other code: not used
            stored = json.loads(path.read_text("utf-8"))
            if stored["key"] == reproduce_reuse.key(experiment):
                return [Finding(**one | {name: math.nan for name in ("value", "error") if one[name] is None})
                        for one in stored["findings"]]
    return [Finding(NOT_RUN, text="not with this version")] * len(experiment.comparisons)


def _experiment(experiment, out, networks, how):
    """Exit code, and a Finding for each comparison. Writes table, figure and verdict into `out`."""
    if experiment.missing:
        why = f"this version has no {', '.join(experiment.missing)}"
        findings = [Finding(NOT_YET, text=why)] * len(experiment.comparisons)
        _write(experiment, out, [], findings)
        return DONE, findings
    key = reproduce_reuse.key(experiment)
    if others := reproduce_reuse.others(out, key):
        print(f"{experiment.name}: runs of another version, or of another config, are not used: "
              f"{', '.join(str(out / other) for other in others)}", flush=True)
    if experiment.cohort:
        return _of_cohorts(experiment, out, key, how)
    rows, problems = [], {}
    for arm, settings in experiment.arms.items():
        try:
            code = _simulate(experiment, arm, _with_networks(settings, networks), out / key, how)
        except readouts.Missing as error:
            problems[arm] = Finding(NOT_YET, text=str(error))
            continue
        if code == STOPPED_EARLY:
            return code, []
        if code == FAILED:
            problems[arm] = Finding(RUN_FAILED, text=f"runs of {arm} failed")
        else:
            rows += _read_out(experiment, arm, out / key / arm, problems)
    values = {one.readout: _values(rows, one.readout) for one in experiment.comparisons}
    return _judged(experiment, out, rows, values, problems, judge)


def _of_cohorts(experiment, out, key, how):
    """The same of an experiment on populations."""
    codes = reproduce_cohort.simulate(experiment, out / key, how)
    if STOPPED_EARLY in codes.values():
        return STOPPED_EARLY, []
    problems = {arm: Finding(RUN_FAILED, text=f"cohorts of {arm} failed, see {out / key / arm}-*.log")
                for arm, code in codes.items() if code}
    rows, values = [], {}
    for arm in experiment.arms.keys() - problems.keys():
        names = {one.readout for one in experiment.comparisons if arm in split(one.arms)}
        of_arm, found = reproduce_cohort.read_out(experiment, arm, out / key, names, problems)
        rows += of_arm
        for name, those in found.items():
            values.setdefault(name, {})[arm] = those
    return _judged(experiment, out, sorted(rows, key=lambda row: (row["arm"], row["seed"])), values, problems,
                   reproduce_bootstrap.judge)


def _judged(experiment, out, rows, values, problems, how):
    """Exit code and findings, once all runs have been read out."""
    findings = [_finding(one, row, values, problems, how)
                for one, row in zip(experiment.comparisons, experiment.rows)]
    _write(experiment, out, rows, findings)
    if experiment.head.tornado in experiment.arms.keys() - problems.keys():
        print("\n".join(_tornado(experiment, out / reproduce_reuse.key(experiment))), flush=True)
    return FAILED if any(finding.verdict == RUN_FAILED for finding in findings) else DONE, findings


def _tornado(experiment, out):
    """How the efficiency of an arm moves, as lines of text; table and figure are beside its runs."""
    settings = experiment.arms[experiment.head.tornado]
    return efficiency_table.study(load(out / CONFIG, settings), out)


def _with_networks(settings, networks):
    """The settings of an arm with its vessel file where it is. Raises readouts.Missing where it is not."""
    file = settings.get("vessels.file", "")
    if not file.startswith(NETWORKS):
        return settings
    if networks is None:
        raise readouts.Missing(f"{file.removeprefix(NETWORKS)} is not part of metacascade: --networks DIR says where")
    path = Path(networks).resolve() / file.removeprefix(NETWORKS)
    if not path.is_file():
        raise readouts.Missing(f"{path} is not there")
    return settings | {"vessels.file": str(path)}


def _simulate(experiment, arm, settings, out, how):
    """Run an arm as a sweep over seeds in a directory of its own; the exit code."""
    ranks, jobs, wall_limit_s = how
    with atomic.writing(out):
        out.mkdir(parents=True, exist_ok=True)
    lists = {name: value for name, value in settings.items() if "." not in name}    # no parameters, which a sweep sets
    config = f"{arm}.{CONFIG}" if lists else CONFIG
    atomic.write_text(out / config, reproduce_toml.toml(experiment.config | lists))
    lines = [f'config = "{config}"', f"replicates = {experiment.head.replicates}", "[set]"]
    lines += [f"{quoted(name)} = {quoted(value)}" for name, value in settings.items() if name not in lists]
    path = out / f"{arm}.toml"
    atomic.write_text(path, "\n".join(lines) + "\n")
    print(f"{experiment.name}, {arm}:", flush=True)
    study = dataclasses.replace(sweep.SWEEP, compares=False)        # the verdict does
    return sweep.run(path, out / arm, ranks, jobs, wall_limit_s=wall_limit_s, study=study)


def _read_out(experiment, arm, directory, problems):
    """A row for each run of an arm: its seed and what was read out of its results."""
    names = {one.readout for one in experiment.comparisons if arm in split(one.arms)}
    plan = json.loads((directory / sweep_plan.NAME).read_text("utf-8"))
    rows = []
    for member in plan["members"]:
        row = dict(arm=arm, replicate=member["replicate"], seed=member["seed"])
        with open_results(sweep_plan.folder(directory, member)) as results:
            for name in sorted(names):
                try:
                    row[name] = float(readouts.READOUTS[name](results))
                except readouts.Missing as error:
                    problems[arm, name] = Finding(NOT_YET, text=str(error))
        rows.append(row)
    return rows


def _finding(comparison, published, values, problems, how):
    for arm in split(comparison.arms):
        if found := problems.get(arm) or problems.get((arm, comparison.readout)):
            return found
    return how(comparison, published, values[comparison.readout])


def _values(rows, name):
    """Arm -> what was read out of its runs, in the order of their seeds."""
    found = {}
    for row in rows:
        if name in row:
            found.setdefault(row["arm"], []).append(row[name])
    return found


def _write(experiment, out, rows, findings):
    """Table, figure and verdict; where nothing was run there is no table and no figure, an older one neither."""
    with atomic.writing(out):
        out.mkdir(parents=True, exist_ok=True)
        for name in (TABLE, FIGURE):
            (out / name).unlink(missing_ok=True)
    verdicts = [dict(verdict=found.verdict, value=_number(found.value), error=_number(found.error), text=found.text)
                for found in findings]
    told = dict(key=reproduce_reuse.key(experiment), code=reproduce_reuse.code_is(),
                comparisons=[one.name for one in experiment.comparisons], findings=verdicts)
    atomic.write_text(out / VERDICT, json.dumps(told, indent=1) + "\n")
    if not rows:
        return
    atomic.write_text(out / TABLE, reproduce_report.table(experiment, rows))
    values = {one.readout: _values(rows, one.readout) for one in experiment.comparisons}
    if not reproduce_picture.draw(experiment, values, findings, out / FIGURE):
        print('no figure: matplotlib is not installed, pip install "metacascade[report]"', flush=True)


def _number(value):
    """A number as JSON has it: None for nan."""
    return value if value == value else None
