"""The file of a sweep: which config, which parameters, which values. Everything wrong in it is listed at once."""
import os
from dataclasses import dataclass, replace
from typing import ClassVar

from metacascade.base.declare import Section, choice, integer, switch, text
from metacascade.base.errors import InputError
from metacascade.base.names import nearest
from metacascade.config import presets, read as config_read, values as config_values
from metacascade.config.read import Problem
from metacascade.config.run import LARGEST_SEED
from metacascade.studies.sweep_values import read_settings, read_varied

DESIGNS = ("grid", "list", "random", "latin", "sobol")
SAMPLED = ("random", "latin", "sobol")
FILES = VESSEL_FILE, MODULES = "vessels.file", "mechanisms.modules"     # settings that name files


class Options(Section):
    """The keys of a sweep file outside of its tables [set], [vary] and [[point]]."""
    tables: ClassVar[dict] = {"set": None, "vary": None, "point": None}     # read here, not by config_read

    config: str | None = text("config", None, longest=4096, doc="A config, relative to the sweep file, or a preset.")
    design: str = choice("design", "grid", DESIGNS, doc="How the points are chosen.")
    samples: int | None = integer("samples", None, 1, 100_000, doc="Points of a random or latin design; N of sobol.")
    seed: int = integer("seed", 1, 0, LARGEST_SEED, doc="Of a random, latin or sobol design.")
    second_order: bool = switch(key="second_order", default=False, doc="sobol: also for second-order indices.")
    replicates: int = integer("replicates", 1, 1, 100_000, doc="Runs of each point, each with its run.seed.")
    seeds: str = choice("seeds", "common", ("common", "independent"), doc=(
        "common: all points have the same run.seed in the same replicate; independent: each run has its own."))


@dataclass(frozen=True)
class Sweep:
    """A sweep file that has been read. `points`: those of a list; `tables`: what it says, to compare sweeps."""
    options: Options
    fixed: dict
    varied: tuple
    points: tuple
    base: config_read.Document
    tables: dict


def read(path) -> Sweep:
    """Read and check a sweep file and find its config. Raises InputError with every problem in it."""
    document = config_read.read_file(path)
    document.refuse_others("sweep")
    options, problems = _options(document)
    given = document.tables
    fixed = {found.name: found.values[0] for found in read_settings(given.get("set", {}), ("set",), problems)}
    points = _points(given.get("point", []), problems)
    varied = read_varied(given.get("vary", {}), ("vary",), options.design == "grid", problems)
    if options.design == "list":
        varied = points[0] if points else []
    base = _base(options.config, document.folder, problems)
    problems += [*_design(options, given), *_names(given, fixed, [found.name for found in varied], options)]
    if problems:
        document.refuse(problems)
    rows = tuple({found.name: found.values[0] for found in point} for point in points)
    tables = {key: value for key, value in given.items() if key != "config"}
    return _with_files(Sweep(options, fixed, tuple(varied), rows, base, tables))


def _options(document):
    values, problems = {}, []
    for key, value in document.tables.items():
        if key in Options.parameters:
            values[key] = value
        elif key not in Options.tables:
            problems.append(Problem((key,), f"unknown key{nearest(key, [*Options.parameters, *Options.tables])}"))
    if "config" not in values:
        problems.append(Problem((), 'needs config = "FILE.toml" or the name of a preset'))
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
    """The rows of a list: all name the same parameters."""
    if not isinstance(given, list):
        problems.append(Problem(("point",), "must be a list of tables: write [[point]]"))
        return []
    points = [read_settings(table, ("point", index), problems) for index, table in enumerate(given)]
    names = [{found.name for found in point} for point in points]
    for index, found in enumerate(names):
        if differing := found ^ names[0]:
            problems.append(Problem(("point", index), f"names other parameters than the first point: "
                                    f"{', '.join(sorted(differing))}"))
    return points


def _base(name, folder, problems):
    """The config that a sweep starts from: a file beside it, or a preset."""
    if name is None:
        return None
    try:
        path = os.path.join(folder, name)
        if name in presets.names() and not os.path.exists(path):
            return config_read.parse_text(presets.text(name), name, str(presets.FOLDER))
        return config_read.read_file(path)
    except InputError as error:
        known = "" if "\n" in str(error) else f"; presets are {', '.join(presets.names())}"
        problems.append(Problem(("config",), f"{error}{known if 'No such file' in str(error) else ''}"))
        return None


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
    return replace(sweep, fixed=files_of(sweep.base) | with_files(sweep.fixed), varied=varied,
                   points=tuple(map(with_files, sweep.points)))
