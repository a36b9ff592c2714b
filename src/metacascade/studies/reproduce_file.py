"""The files of experiments: what was measured, the config and its arms, what is read out and compared with what."""
import re
import tomllib
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import ClassVar

from metacascade.base.declare import Section, choice, integer, text
from metacascade.base.errors import InputError
from metacascade.base.names import nearest
from metacascade.config import presets, read as config_read, sourced, values as config_values
from metacascade.config.read import Problem
from metacascade.studies import (  # noqa: F401 (the read-outs)
    readouts_cascade,
    readouts_cohort,
    readouts_fates,
    readouts_network,
    reproduce_cohort,
    reproduce_rests,
)
from metacascade.studies.readouts import READOUTS
from metacascade.studies.reproduce_toml import flat, split
from metacascade.studies.sweep_values import parameters

FOLDER = files("metacascade") / "experiments"
PUBLISHED = "published.toml"        # beside the experiments: the numbers that they are compared with
CONTROLS = "controls"               # so begin the files of the controls of mechanisms, see reproduce_controls
NETWORKS = "{networks}/"            # so begins a vessel file that comes from `--networks DIR`
KINDS = ("interval", "ratio", "difference", "ordering", "score", "count")
ARMS = {"interval": 1, "ratio": 2, "difference": 2, "score": 1, "count": 1}     # of a comparison; else two or more


class Head(Section):
    """The keys of an experiment outside of its tables."""
    tables: ClassVar[dict] = {name: None for name in ("config", "cohort", "set", "arms", "comparison")}

    title: str = text("title", "", longest=200, doc="What the experiment is about, in a line.")
    measured: str = text("measured", "", longest=2000, doc="What was measured, and by whom.")
    simulated: str = text("simulated", "", longest=2000, doc="What is simulated in its place, and what differs.")
    needs: str = text("needs", "", longest=1000, doc="Parameters that this version must have, with commas between.")
    rests_on: str = text("rests_on", "", longest=2000, doc="Parameters that decide the result, with commas between.")
    differs: str = text("differs", "", longest=4000, doc=(
        "Why the model differs from what was measured, as far as it was found; told where it does."))
    tornado: str = text("tornado", "", longest=100, doc=(
        "An arm: how its metastatic efficiency, on the mean, moves with each assumed number."))
    replicates: int = integer("replicates", 4, 1, 1000, doc=(
        "Runs of each arm, or cohorts, each with a seed of its own."))


class Comparison(Section):
    """What is read out, of which arms, and compared with which published row."""
    table: ClassVar[str] = "comparison"

    name: str = text("name", "", longest=200, doc="What is compared, in a line.")
    readout: str = choice("readout", next(iter(READOUTS)), tuple(READOUTS), doc="A function of `studies.readouts`.")
    kind: str = choice("kind", "interval", KINDS, doc=(
        "interval: of the mean of an arm; ratio, difference: of the means of two; ordering: of the means of several, "
        "descending; score: of numbers that are standard normal in each run; count: of the runs in which a number is 1 "
        "and not 0. Of cohorts: interval, ratio and ordering, of all patients of an arm together."))
    arms: str = text("arms", "", longest=1000, doc="The arms, with commas between.")
    published: str = text("published", "", longest=100, doc="The row of published.toml.")


@dataclass(frozen=True)
class Row:
    """A published number: `low` to `high` is where a result agrees; None: no bound. Without any, nothing is judged.

    `of`: several numbers by name, of which the one to be compared is made: shares of organs, for a rank correlation."""
    id: str
    what: str
    source: str
    sure: str
    unit: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    of: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Experiment:
    """An experiment that has been read. `arms`: name -> {parameter: value}, or the tables of the file of a cohort
    if there is a `cohort`; `rows`: the published row of each comparison; `missing`: what this version lacks."""
    name: str
    head: Head
    config: dict
    arms: dict
    comparisons: tuple
    rows: tuple
    missing: tuple = field(default=())
    cohort: bool = False


def names(folder=FOLDER):
    """The experiments in a directory, sorted."""
    return sorted(path.name.removesuffix(".toml") for path in folder.iterdir()
                  if path.name.endswith(".toml") and path.name != PUBLISHED and not path.name.startswith(CONTROLS))


def title(name, folder=FOLDER):
    """The title of an experiment."""
    return tomllib.loads((folder / f"{name}.toml").read_text("utf-8")).get("title", "")


def read(name, folder=FOLDER) -> Experiment:
    """Read and check an experiment. Raises InputError with every problem in its file."""
    if name not in names(folder):
        raise InputError(f"there is no experiment {name!r}{nearest(name, names(folder))}; experiments: "
                         f"{', '.join(names(folder))}, or all; `metacascade reproduce` lists the controls too")
    document, problems = config_read.read_file(Path(str(folder / f"{name}.toml"))), []
    given = document.tables
    head = config_values.validated(Head, {key: given[key] for key in given.keys() & Head.parameters}, problems)
    for key in given.keys() - {*Head.parameters, *Head.tables}:
        problems.append(Problem((key,), f"unknown key{nearest(key, [*Head.parameters, *Head.tables])}"))
    problems += reproduce_rests.unknown(head.rests_on)
    cohort = "cohort" in given
    config = {} if cohort else _config(given.get("config"), folder, problems)
    arms = reproduce_cohort.arms(given, problems) if cohort else _arms(given, problems)
    if head.tornado and head.tornado not in arms:
        problems.append(Problem(("tornado",), f"there is no arm {head.tornado}{nearest(head.tornado, arms)}"))
    rows = published(folder)
    found = [_comparison(index, one, arms, rows, problems, cohort)
             for index, one in enumerate(_comparisons(given, problems))]
    if problems:
        document.refuse(problems)
    missing = tuple(need for need in split(head.needs) if need not in parameters())
    return Experiment(name, head, config, arms, tuple(found), tuple(rows[one.published] for one in found), missing,
                      cohort)


def published(folder=FOLDER):
    """The published numbers in a directory: id -> Row. Raises InputError for a row that is not whole."""
    path, found = folder / PUBLISHED, {}
    tables = config_read.read_file(Path(str(path))).tables if path.is_file() else {}
    for name, values in tables.items():
        try:
            found[name] = Row(name, **values)
        except TypeError as error:
            raise InputError(f"{path}: {name}: {error}; a row has what, source, sure, and may have unit, value, low, "
                             "high, of") from None
    return found


def _config(given, folder, problems):
    """The tables of the config: those of the file, of the experiment it names, or of the preset that either names."""
    given = _named(given, folder)
    if isinstance(given, str) and given in presets.names():
        given = config_read.parse_text(presets.text(given), given).tables
    if not isinstance(given, dict):
        problems.append(Problem(("config",), "must be the tables of a config, [config.run] and so on, the name of an "
                                f"experiment that has them: {', '.join(names(folder))}; or of a preset: "
                                f"{', '.join(presets.names())}"))
    return given


def _named(given, folder):
    """What stands at `config` of an experiment, if another is named there of that one."""
    if isinstance(given, str) and given in names(folder):
        return config_read.read_file(Path(str(folder / f"{given}.toml"))).tables.get("config")
    return given


def circular(name: str, folder=FOLDER) -> list[str]:
    """Targets, such as V16, that an experiment compares with and that the preset it starts from has used."""
    tables = config_read.read_file(Path(str(folder / f"{name}.toml"))).tables
    bases = reproduce_cohort.bases(tables) if "cohort" in tables else [_named(tables.get("config"), folder)]
    own = {name, *(one.get("published", "") for one in tables.get("comparison", []))}
    numbers = {match[0] for text in own if (match := re.match(r"V[0-9]{2}(?![0-9])", text))}
    used = [sourced.used(base) for base in bases if isinstance(base, str) and base in presets.names()]
    return sorted(numbers & set().union(*used))


def _arms(given, problems):
    """Arm -> {parameter: value}, with what is set in all of them."""
    arms, common = given.get("arms", {}), given.get("set", {})
    if not isinstance(arms, dict) or not arms or not all(isinstance(arm, dict) for arm in arms.values()):
        problems.append(Problem(("arms",), "must be tables: write [arms.NAME], with what changes in the arm"))
        return {}
    return {name: {**flat(common), **flat(arm)} for name, arm in arms.items()}


def _comparisons(given, problems):
    found = given.get("comparison", [])
    if not isinstance(found, list) or not found or not all(isinstance(one, dict) for one in found):
        problems.append(Problem(("comparison",), "must be a list of tables: write [[comparison]]"))
        return []
    return found


def _comparison(index, given, arms, rows, problems, cohort):
    wrong: list[Problem] = []
    for key in given.keys() - Comparison.parameters.keys():
        wrong.append(Problem((key,), f"unknown key{nearest(key, Comparison.parameters)}"))
    one = config_values.validated(
        Comparison, {key: given[key] for key in given.keys() & Comparison.parameters}, wrong)
    named, wanted = split(one.arms), ARMS.get(one.kind)
    for arm in named:
        if arm not in arms:
            wrong.append(Problem(("arms",), f"there is no arm {arm}{nearest(arm, arms)}"))
    if len(named) < 2 if wanted is None else len(named) != wanted:
        wrong.append(Problem(("arms",), f"{one.kind} needs {wanted or 'two or more'}"))
    if cohort != hasattr(READOUTS[one.readout], "statistic"):
        wrong.append(Problem(("readout",), "is of runs" if cohort else "is of cohorts"))
    if cohort and one.kind not in reproduce_cohort.KINDS:
        wrong.append(Problem(("kind",), f"must be one of {', '.join(reproduce_cohort.KINDS)} for cohorts"))
    if one.published not in rows:
        wrong.append(Problem(("published",), f"no row of {PUBLISHED}{nearest(one.published, rows)}"))
    problems += [Problem(("comparison", index, *problem.path), problem.message) for problem in wrong]
    return one
