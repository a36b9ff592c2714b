"""``metacascade report``: sections of a run in their order, each figure as SVG, PNG and CSV, and the page of all."""
import importlib.util
import warnings
from pathlib import Path

from metacascade.base.errors import InputError, path_of
from metacascade.base.screen import warn
from metacascade.io.formerreport import FIGURES
from metacascade.io.needs import Missing
from metacascade.ranks import launcher
from metacascade.report import (
    accounts,
    blood,
    clones,
    compare,
    entries,
    groups,
    growth,
    html,
    organs,
    page,
    patients,
    rates,
    sankey,
    style,
    summary,
    talk,
    timeline,
)
from metacascade.report.directory import Directory
from metacascade.report.plate import Plate, csv_text
from metacascade.report.told import opened
from metacascade.studies import cohort_results, standing

VIEW = "metacascade.report.view3d"
NO_GLYPH = "names in it have letters that the font of the figures does not have, and shows as boxes"
FOOT = "Made by `metacascade report`. A simulation: never to be used for a patient."
SECTIONS = (    # key, title, functions that give figures or HTML of a run, or raise Missing
    ("summary", "What was simulated", summary.PARTS),
    ("fates", "What became of the cells in the blood", sankey.PARTS),
    ("entries", "Where cells enter vessels", entries.PARTS),
    ("view", "In three dimensions", ()),
    ("growth", "The tumor", growth.PARTS),
    ("blood", "Cells in the blood", blood.PARTS),
    ("organs", "Organs, and who seeded whom", organs.PARTS),
    ("clones", "Clones", clones.PARTS),
    ("timeline", "What was done, and when", timeline.PARTS),
    ("rates", "Rates as equations", rates.PARTS),
    ("accounts", "Account of cells, wall time, provenance, config", accounts.PARTS))


def write(runs, out=None, slide=False) -> Path:
    """Write the report of a run, of several, compared, or of a cohort, and return its page.

    `slide`: of one run also the picture for a slide. Raises InputError where there is none of them, or `out` holds
    other files.
    """
    if launcher.several():
        raise InputError("a report is written by one process: call it without mpiexec or srun")
    if isinstance(runs, (str, Path)):
        runs = [runs]
    runs = [Path(path_of(run, "runs to report")) for run in runs]
    if not runs:
        raise InputError("a report needs a run: name its directory")
    cohorts = [run for run in runs if cohort_results.is_one(_cohort(run)) or standing.is_cohort(run)]
    if cohorts and len(runs) > 1:
        raise InputError(f"{cohorts[0]} is a cohort, and has a report of its own: give it alone")
    if slide and (cohorts or len(runs) > 1 or standing.is_sweep(runs[0])):
        raise InputError("--talk draws one run: give its directory alone")
    if cohorts:
        return _of_cohort(runs[0], out)
    if len(runs) > 1 or standing.is_sweep(runs[0]):
        return _of_several(runs, out)
    return _of_one(runs[0], out, slide)


def _cohort(path):
    return path / cohort_results.NAME if path.is_dir() else path


def _of_one(path, out, slide):
    sections = (("talk", "At a glance", (talk.picture,)), *SECTIONS) if slide else SECTIONS
    with opened(path) as told:
        if slide:
            _refuse_slide(told)
        return _made(told, sections, out or told.directory / "report", told.config.title or told.name, _footer(told))


def _refuse_slide(told):
    try:
        told.layer          # noqa: B018 - Missing without it
    except Missing as missing:
        raise InputError(f"--talk: there is no picture for a slide, as {missing}") from None


def _of_several(paths, out):
    if out is None and len(paths) > 1:
        raise InputError("a report of several runs needs --out, the directory for it")
    compared = groups.gathered(paths)
    title = (compared.plan or {}).get("title") or f"{len(compared.members)} runs compared"
    return _made(compared, compare.SECTIONS, out or paths[0] / "report", title, FOOT)


def _of_cohort(path, out):
    cohort = patients.Cohort(path)
    return _made(cohort, patients.SECTIONS, out or cohort.path.parent / "report", cohort.title, FOOT)


def _made(told, sections, out, title, footer):
    """The page of sections, whose functions look at `told`, in a directory."""
    directory = Directory(out)
    directory.begin()
    bodies = [(key, name, body) for key, name, parts in sections if (body := _body(key, parts, told, directory))]
    return directory.end(page.page(title, bodies, footer))


def _footer(told):
    versions = told.results.provenance[-1].get("versions", {}) if told.results.provenance else {}
    return (f"Of {told.path.name} in {told.name}, simulated with metacascade {versions.get('metacascade', '?')}. "
            f"{FOOT}")


def _body(key, parts, told, directory):
    if key == "view":
        return _view(told)
    if key == "patients":
        shown, text = patients.table(told)
        directory.write("patients.csv", text)
        return shown
    with style.sheet(**talk.LETTERS) if key == "talk" else style.sheet():
        return "\n".join(part_of(part, told, directory) for part in parts)


def _view(told):
    """The view in three dimensions, where there is that module."""
    if importlib.util.find_spec(VIEW) is None:
        return None
    return importlib.import_module(VIEW).section(told.opened)


def part_of(part, told, directory) -> str:
    """HTML of a part: a figure whose files are written, HTML as it is, or a sentence on what is not there."""
    try:
        made = part(told)
    except Missing as missing:
        return html.paragraph(f"{_first_sentence(part)}: not shown, as {missing}.", "missing")
    return made if isinstance(made, str) else written(made, directory)


def _first_sentence(part):
    return part.__doc__.strip().split("\n")[0].rstrip(".")


def written(plate: Plate, directory) -> str:
    """A figure in its files, and as it stands in the page: as SVG, or, where that is large, as PNG."""
    with warnings.catch_warnings(record=True) as said:
        made = style.laid_out(plate.figure)
        text, dots = style.svg(made), style.png(made, plate.dpi)
    for line in dict.fromkeys(str(one.message) for one in said):
        warn(f"figure {plate.name}: {NO_GLYPH if 'missing from font' in line else line}")
    directory.write(f"{plate.name}.svg", text)
    directory.write(f"{plate.name}.png", dots)
    directory.write(f"{plate.name}.csv", csv_text(plate.rows))
    label = html.escaped(plate.caption.split(". ")[0])
    picture = style.inline(text, plate.name, label) if len(text) <= style.LARGEST_SVG else page.image(dots, label)
    return page.figure(plate.name, plate.caption, picture, FIGURES)
