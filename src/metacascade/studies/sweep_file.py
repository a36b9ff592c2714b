"""The file of a sweep: what it starts from, which parameters, which values. All that is wrong is listed at once."""
import os
from dataclasses import dataclass, replace
from typing import ClassVar

from metacascade.base.declare import Section, choice, integer, switch, text
from metacascade.base.errors import InputError
from metacascade.base.names import nearest
from metacascade.config import presets, read as config_read, values as config_values
from metacascade.config.read import Problem
from metacascade.config.run import LARGEST_SEED
from metacascade.studies import sweep_start
from metacascade.studies.sweep_compare import LONGEST_NAME, Compare
from metacascade.studies.sweep_values import read_fixed, read_settings, read_varied

DESIGNS = ("grid", "list", "random", "latin", "sobol")
SAMPLED = ("random", "latin", "sobol")
FILES = VESSEL_FILE, MODULES = "vessels.file", "mechanisms.modules"     # settings that name files


class Options(Section):
    """The keys of a sweep file outside of its tables [set], [vary], [[point]] and [compare]."""
    tables: ClassVar[dict] = dict.fromkeys(("set", "vary", "point", "compare"))     # read here, not by config_read

    title: str = text("title", "", doc="A line about the sweep.")
    config: str | None = text("config", None, longest=4096, doc="A config, relative to the sweep file, or a preset.")
    start: str | None = text("from", None, longest=4096, doc=(
        "Instead of `config`: a checkpoint, or the directory of a run, relative to this file."))
    design: str = choice("design", "grid", DESIGNS, doc="How the points are chosen.")
    samples: int | None = integer("samples", None, 1, 100_000, doc="Points of a random or latin design; N of sobol.")
    seed: int = integer("seed", 1, 0, LARGEST_SEED, doc="Of a random, latin or sobol design.")
    second_order: bool = switch(key="second_order", default=False, doc="sobol: also for second-order indices.")
    replicates: int = integer("replicates", 1, 1, 100_000, doc="Runs of each point, each with its run.seed.")
    seeds: str = choice("seeds", "common", ("common", "independent"), doc=(
        "common: all points have the same run.seed in the same replicate; independent: each run has its own."))


@dataclass(frozen=True)
class Sweep:
    """A sweep file that has been read. `points`: those of a list, with their `names`, "" of one that has none; `start`:
    the checkpoint that members go on from, or None; `tables`: what it says, to compare sweeps."""
    options: Options
    compare: Compare
    fixed: dict
    varied: tuple
    points: tuple
    names: tuple
    base: config_read.Document
    start: sweep_start.Start | None
    tables: dict
    document: config_read.Document


def read(path, kept=None) -> Sweep:
    """Read and check a sweep file and find its config. Raises InputError with every problem in it.

    `kept`: the copy of the checkpoint that was made when the sweep began, if it has; it is used in place of `from`.
    """
    document = config_read.read_file(path)
    document.refuse_others("sweep")
    options, problems = _options(document)
    given = document.tables
    base, start = _base(options, document.folder, kept, problems)
    fixed = read_fixed(given.get("set", {}), ("set",), base.tables if base else {}, problems)
    points, names = _points(given.get("point", []), problems)
    compare = _compare(given.get("compare", {}), problems)
    varied = read_varied(given.get("vary", {}), ("vary",), options.design == "grid", problems)
    if options.design == "list":
        varied = list({found.name: found for point in reversed(points) for found in reversed(point)}.values())[::-1]
    problems += [*_design(options, given), *_names(given, fixed, [found.name for found in varied], options)]
    if problems:
        document.refuse(problems)
    rows = tuple({found.name: found.values[0] for found in point} for point in points)
    tables = {key: value for key, value in given.items() if key not in ("config", "title", "compare")}
    return _with_files(Sweep(options, compare, fixed, tuple(varied), rows, tuple(names), base, start, tables, document))


def _options(document):
    values, problems = {}, []
    for key, value in document.tables.items():
        if key in Options.parameters:
            values[Options.parameters[key].attribute] = value
        elif key not in Options.tables:
            problems.append(Problem((key,), f"unknown key{nearest(key, [*Options.parameters, *Options.tables])}"))
    if ("config" in values) == ("start" in values):
        problems.append(Problem((), 'needs config = "FILE.toml" or the name of a preset, or from = "CHECKPOINT"'))
    return config_values.validated(Options, values, problems), problems


def _design(options, given):
    """Keys and tables that do not belong to the design, or that it needs."""
    sampled = options.design in SAMPLED
    if sampled and "samples" not in given:
        yield Problem(("design",), "needs samples = N, the number of points")
    if options.design == "sobol" and options.samples and options.samples & (options.samples - 1):
        yield Problem(("samples",), "must be a power of 2 for a sobol design")
    for key, fits in (("samples", sampled), ("seed", sampled), ("second_order", options.design == "sobol"),
                      ("point", options.design == "list"), ("vary", options.design != "list")):
        if key in given and not fits:
            yield Problem((key,), f"does not belong to design = \"{options.design}\"")
    table = "[[point]]" if options.design == "list" else "[vary]"
    if options.design != "grid" and not given.get(table.strip("[]")):
        yield Problem(("design",), f"needs {table} with the values of each parameter")


def _names(given, fixed, varied, options):
    """Parameters that are named twice."""
    where = "point" if options.design == "list" else "vary"
    for name in sorted(set(fixed) & set(varied)):
        yield Problem(("set",), f"{name} is in [{where}] too")
    for name in sorted({name for name in varied if varied.count(name) > 1}):
        yield Problem((where,), f"{name} is there twice")
    if "run.seed" in varied and options.replicates > 1:
        yield Problem(("replicates",), f"sets run.seed, which is in [{where}] too")


def _points(given, problems):
    """The rows of a list and their names; a parameter that one does not name is there as in the config."""
    if not isinstance(given, list):
        problems.append(Problem(("point",), "must be a list of tables: write [[point]]"))
        return [], []
    points, names = [], []
    for index, table in enumerate(given):
        name = table.get("name", "") if isinstance(table, dict) else ""
        if not isinstance(name, str) or len(name) > LONGEST_NAME or "name" in table and not name.strip():
            problems.append(Problem(("point", index, "name"), f"must be a text of at most {LONGEST_NAME} characters"))
        elif name and name in names:
            problems.append(Problem(("point", index, "name"), f"is the name of point[{names.index(name)}] too"))
        own = {key: value for key, value in table.items() if key != "name"} if isinstance(table, dict) else table
        points.append(read_settings(own, ("point", index), problems))
        names.append(name)
    return points, names


def _compare(table, problems):
    """What is compared in the end."""
    if not isinstance(table, dict):
        problems.append(Problem(("compare",), "must be a table: write [compare]"))
        return Compare()
    found: list[Problem] = [Problem((key,), f"unknown key{nearest(key, Compare.parameters)}")
                            for key in table if key not in Compare.parameters]
    made = config_values.validated(Compare, {k: v for k, v in table.items() if k in Compare.parameters}, found)
    problems += [replace(problem, path=("compare", *problem.path)) for problem in found]
    return made


def _base(options, folder, kept, problems):
    """The config that a sweep starts from: a file beside it, a preset, or that of a checkpoint; and this checkpoint."""
    try:
        if options.start is not None:
            return sweep_start.saved_in(options.start, folder, kept)
        if options.config is not None:
            return sweep_start.document_of(options.config, folder), None
    except InputError as error:
        known = "" if "\n" in str(error) else f"; presets are {', '.join(presets.names())}"
        lacks = options.start is None and "No such file" in str(error)
        problems.append(Problem(("config" if options.start is None else "from",), f"{error}{known if lacks else ''}"))
    return None, None


def files_of(base):
    """Absolute names of the files that a config names: runs of it find them from their own directories."""
    found = {}
    for name in FILES:
        table, key = name.split(".")
        held = base.tables.get(table, {})
        if isinstance(held, dict) and isinstance(held.get(key), (str, list)):
            found[name] = absolute(name, held[key], base.folder)
    return found


def absolute(name, value, folder):
    """The value of a setting with the names of files in it absolute."""
    if name == VESSEL_FILE and isinstance(value, str):
        return os.path.join(os.path.abspath(folder), value)
    if name == MODULES and isinstance(value, list):
        return [os.path.join(os.path.abspath(folder), one) if isinstance(one, str) else one for one in value]
    return value


def _with_files(sweep):
    """The same sweep with absolute names of files."""
    folder = sweep.base.folder

    def with_files(values):
        return {name: absolute(name, value, folder) for name, value in values.items()}

    varied = tuple(replace(found, values=tuple(absolute(found.name, value, folder) for value in found.values))
                   for found in sweep.varied)
    of_base = {} if sweep.start else files_of(sweep.base)        # a checkpoint has absolute names
    return replace(sweep, fixed=of_base | with_files(sweep.fixed), varied=varied,
                   points=tuple(map(with_files, sweep.points)))
