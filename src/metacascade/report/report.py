"""``metacascade report``: sections of a run in their order, each figure as SVG, PNG and CSV, and the page of all."""
import importlib.util
from pathlib import Path

from metacascade.base.errors import InputError
from metacascade.io.needs import Missing
from metacascade.io.results import open_results
from metacascade.report import (
    accounts,
    blood,
    clones,
    entries,
    growth,
    html,
    organs,
    page,
    rates,
    sankey,
    style,
    summary,
    timeline,
)
from metacascade.report.directory import FOLDER, Directory
from metacascade.report.plate import Plate, csv_text
from metacascade.report.told import Told

VIEW = "metacascade.report.view3d"
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


def write(runs, out=None) -> Path:
    """Write the report of a run and return its page. InputError where there is none, or `out` holds other files."""
    if len(runs) > 1:
        raise InputError("a report is of one run: give one directory")
    with open_results(runs[0]) as results:
        told = Told(results)
        directory = Directory(out or told.directory / "report")
        with style.sheet():
            directory.begin()
            sections = [(key, title, body) for key, title, parts in SECTIONS
                        if (body := _body(key, parts, told, directory))]
        title = told.config.title or told.name
        return directory.end(page.page(title, sections, _footer(told)))


def _footer(told):
    versions = told.results.provenance[-1].get("versions", {}) if told.results.provenance else {}
    return (f"Of {told.path.name} in {told.name}, simulated with metacascade {versions.get('metacascade', '?')}. "
            "Made by `metacascade report`. A simulation: never to be used for a patient.")


def _body(key, parts, told, directory):
    if key == "view":
        return _view(told)
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
    made = style.laid_out(plate.figure)
    text, dots = style.svg(made), style.png(made)
    directory.write(f"{plate.name}.svg", text)
    directory.write(f"{plate.name}.png", dots)
    directory.write(f"{plate.name}.csv", csv_text(plate.rows))
    label = html.escaped(plate.caption.split(". ")[0])
    picture = style.inline(text, plate.name, label) if len(text) <= style.LARGEST_SVG else page.image(dots, label)
    return page.figure(plate.name, plate.caption, picture, FOLDER)
