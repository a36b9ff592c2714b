"""Scaling studies: the same measurement on several numbers of ranks, one after the other, and what they say together.

This process starts the ranks and is none of them. A measurement is `metacascade bench`; what it printed is kept in
``DIR/bench``, so that a study that was stopped goes on with what is missing.
"""
import contextlib
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from metacascade.base import numerals, stopsignals
from metacascade.base.errors import DONE, FAILED, STOPPED_EARLY, WRONG_INPUT, InputError, RunError
from metacascade.base.numerals import counted, singular
from metacascade.base.screen import one_line, warn
from metacascade.io.atomic import write_text, writing
from metacascade.io.provenance import commit, versions
from metacascade.io.runlock import locking
from metacascade.ranks import launcher
from metacascade.run import cluster, inputs
from metacascade.run.bench import OVERSUBSCRIBED
from metacascade.studies import scaling_doubts, scaling_table

FOLDER, NAMES = "bench", ("scaling.json", "scaling.csv", "scaling.png")
MEASURED = re.compile(r"cells-\d+\.ranks-\d+\.\d+\.json", re.ASCII)      # Case.name


@dataclass(frozen=True)
class Case:
    """One measurement: a tumor of so many cells on so many ranks, for the `number`-th time."""

    cells: int
    ranks: int
    number: int = 0

    @property
    def name(self):
        """Name of the file that keeps it."""
        return f"cells-{self.cells}.ranks-{self.ranks}.{self.number}.json"


class Stopped(BaseException):
    """A signal asked this process to end."""


def study(kind, config_path, out, ranks, overrides=(), steps=8, warm=3, repeat=1, verify=True, overwrite=False):
    """Measure a config on each of `ranks`, or take what is in `out` already; the exit code.

    Strong: the tumor of the config on all. Weak: its cells times the ranks; to compare digests, each size is
    measured on the next smaller number of ranks too, unless `verify` is False.

    Raises
    ------
    InputError
        If the arguments are wrong, or `out` holds measurements of other settings.
    RunError
        If a measurement failed. Those before it are kept.
    """
    if launcher.several():
        raise InputError("scaling starts the ranks itself: start it once, without mpiexec or srun")
    ranks, given = numbers(ranks), inputs.read(config_path, overrides)
    inputs.tell(given.notes, given.warnings)
    config = given.config
    if kind == "weak" and not config.has_tissue:
        raise InputError(f"{config_path}: a weak study multiplies tumor.cells, but there is no [tumor]")
    cells = config.tumor.cells if config.has_tissue else 0
    cases = planned(kind, cells, ranks, repeat, verify)
    settings = dict(format=scaling_table.FORMAT, kind=kind, steps=steps, warm=warm,
                    config=json.loads(json.dumps(config.to_dict())), version=versions()["metacascade"], git=commit())
    arguments = [str(config_path), "--json", "--steps", str(steps), "--warm", str(warm)]
    arguments += [word for setting in overrides for word in ("--set", setting)]
    cluster.refuse_too_many(_most_to_start(cases, out, overwrite), cluster.site().launch)
    with locking(out):
        folder = _folder(out, overwrite)
        try:
            with stopsignals.given_back():
                stopsignals.listen(_stop)
                found = {case: _measured(case, settings, folder, arguments) for case in cases}
        except Stopped:
            print(f"stopped; the same command goes on with what is in {folder}", flush=True)
            return STOPPED_EARLY
        return _report(kind, cells, settings, found, Path(out))


def numbers(text):
    """The numbers of ranks in a text such as "1,2,4" or "1e3,1e4", ascending. Raises InputError."""
    found = []
    for word in str(text).split(","):
        try:
            number = numerals.number(word)
        except ValueError:
            number = 0.0
        if not (1 <= number < 1e9 and number == int(number)):
            raise InputError(f"--ranks {text}: {word.strip() or 'an empty place'!r} is not a whole number from 1 on; "
                             "give them as 1,2,4")
        found.append(int(number))
    if twice := sorted({n for n in found if found.count(n) > 1}):
        raise InputError(f"--ranks {text}: {twice[0]} is there twice; to measure more than once use --repeat")
    return sorted(found)


def planned(kind, cells, ranks, repeat, verify):
    """The measurements of a study, in order."""
    cases = []
    for before, here in zip([None, *ranks], ranks):
        size = cells * here if kind == "weak" else cells
        cases += [Case(size, here, number) for number in range(repeat)]
        if kind == "weak" and verify and before:
            cases.append(Case(size, before))
    return cases


def _most_to_start(cases, out, overwrite):
    """Ranks of the largest case that was not measured yet, or 0."""
    folder = Path(out) / FOLDER
    return max((case.ranks for case in cases if overwrite or not (folder / case.name).exists()), default=0)


def _folder(out, overwrite):
    """The folder of the measurements, made; emptied first with `overwrite`."""
    folder = Path(out) / FOLDER
    with writing(folder):
        folder.mkdir(exist_ok=True)
        if overwrite:
            measured = [path for path in folder.iterdir() if MEASURED.fullmatch(path.name)]
            for path in [*measured, *(Path(out) / name for name in NAMES)]:
                path.unlink(missing_ok=True)
    return folder


def _measured(case, settings, folder, arguments):
    """The figures of a case: those kept from before, or measured now and kept."""
    path = folder / case.name
    if path.exists():
        return _kept(path, case, settings)
    if case.cells:
        arguments = [*arguments, "--set", f"tumor.cells={case.cells}"]
    figures = _bench(case, arguments)
    write_text(path, json.dumps({"settings": settings, "figures": figures}))
    speed = f"{scaling_table.step_s(figures):.4g} s a step"
    print(f"{case.ranks:>7,} rank{'s' * (case.ranks > 1)}, {case.cells:,} cells: {speed}", flush=True)
    return figures


def _kept(path, case, settings):
    """The figures of a case that was measured before. Raises InputError where they are damaged or of other settings."""
    try:
        kept = json.loads(path.read_text("utf-8"))
        other = differences(kept["settings"], settings)
        if kept["figures"]["ranks"] != case.ranks:
            raise ValueError("of another case")
        scaling_table.of_one(case.ranks, kept["figures"])      # looks up all that the study will
    except scaling_table.DAMAGED:
        raise InputError(f"{path} is damaged: remove it, and it is measured again") from None
    if other:
        raise InputError(f"{path} was measured with other settings; replace the study with --overwrite, "
                         "or choose another --out:\n" + "\n".join(other))
    return kept["figures"]


def differences(old, new, name=""):
    """Lines that name where two trees of dicts differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [line for key in sorted(old.keys() | new.keys())
                for line in differences(old.get(key), new.get(key), f"{name}.{key}" if name else key)]
    return [] if old == new else [f"{one_line(name)}: {one_line(old, 60)} there, {one_line(new, 60)} now"]


def _bench(case, arguments):
    """Start the ranks; the figures that they print. Raises RunError, or InputError where the input was wrong."""
    command = [*cluster.site().command(case.ranks), sys.executable, "-m", "metacascade", "bench", *arguments]
    process, heard = _start(command)
    try:
        stopsignals.listen(_stop)
        if heard:
            _stop()
        printed, complaints = process.communicate()
    finally:
        _end(process)
    if process.returncode:
        kind = InputError if process.returncode == WRONG_INPUT else RunError
        raise kind(f"{singular(f'{case.ranks} ranks, {case.cells} cells')}: exit code {process.returncode}\n"
                   f"{complaints.strip()[-4000:]}\ncommand: {' '.join(command)}")
    figures = _last_json(printed)
    if figures is None or figures.get("ranks") != case.ranks:
        raise RunError(f"{' '.join(command)}\nprinted no figures of {counted(case.ranks, 'rank')}, but\n"
                       f"{printed[-2000:]}")
    return figures


def _start(command):
    """Start the ranks; also a list of the signals since: one inside of Popen would leave ranks that nobody ends."""
    heard = []
    stopsignals.listen(lambda number, _: heard.append(number))
    try:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, env=launcher.without()), heard
    except OSError as error:
        stopsignals.listen(_stop)
        raise RunError(f"cannot start {command[0]}: {error.strerror}") from None


def _last_json(printed):
    """The JSON object in the last line that holds one; launchers may print lines of their own."""
    for line in reversed(printed.splitlines()):
        with contextlib.suppress(ValueError):
            if isinstance(found := json.loads(line), dict):
                return found
    return None


def _end(process):
    """See that the ranks have ended."""
    if process.poll() is None:
        process.terminate()
        try:
            process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _stop(*_):
    stopsignals.ignore()       # a second one would end the waiting for the ranks
    raise Stopped


def _report(kind, cells, settings, found, out):
    """Write the table and the pictures; exit code FAILED if two measurements of one tumor ended differently."""
    cases = [dict(cells=case.cells, ranks=case.ranks, number=case.number, figures=figures)
             for case, figures in found.items()]
    rows = scaling_table.rows(kind, cells, cases)
    disagree, doubts = scaling_table.disagreements(cases), scaling_doubts.of(rows, cases)
    write_text(out / "scaling.json", json.dumps(dict(
        format=scaling_table.FORMAT, kind=kind, settings=settings, rows=rows, disagreements=disagree, doubts=doubts,
        cases=cases), indent=1))
    write_text(out / "scaling.csv", scaling_table.as_csv(rows))
    print(scaling_table.as_text(kind, rows))
    if any(row["oversubscribed"] for row in rows):
        print(f"* {OVERSUBSCRIBED}")
    for line in doubts:
        warn(line)
    _draw(kind, rows, out / "scaling.png")
    for line in disagree:
        print(f"metacascade: {line}", file=sys.stderr)
    if not disagree:
        print("digests agree wherever one tumor was measured on several numbers of ranks; "
              f"all figures: {out}/scaling.json")
    return FAILED if disagree else DONE


def _draw(kind, rows, path):
    from metacascade.studies import scaling_picture
    try:
        scaling_picture.draw(kind, rows, path)
    except InputError as error:
        print(f"no picture: {error}")
