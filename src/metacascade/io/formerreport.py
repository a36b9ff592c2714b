"""The report that `metacascade report` has made inside of the directory of a run, which goes with the run."""
import contextlib
import json
import re
from pathlib import Path

REPORT, INDEX, FIGURES, LIST, KIND = "report", "index.html", "figures", "report.json", "metacascade report"
OURS = re.compile(rf"{FIGURES}/[a-z0-9_]+\.(?:svg|png|csv)", re.ASCII)      # of the files that the list may name


def of_a_run(directory):
    """Paths of its files, the page first and the list last; none where that list does not mark it as a report.

    None either where it, its list or its folder of figures is a link: what that leads to is not of this run.
    """
    folder = Path(directory) / REPORT
    if any(path.is_symlink() for path in (folder, folder / FIGURES, folder / LIST)):
        return []
    if (names := figures(folder)) is None:
        return []
    return [path for name in (INDEX, *names, LIST) if (path := folder / name).is_file() or path.is_symlink()]


def marked(folder):
    """The list of a report in a folder, whole or interrupted; None where none marks it as a report."""
    try:
        found = json.loads((Path(folder) / LIST).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and found.get("kind") == KIND else None


def figures(folder):
    """The files that this list names, of names that a report writes; None where there is no list of files."""
    names = (marked(folder) or {}).get("files")
    if not isinstance(names, list):
        return None
    return [name for name in names if isinstance(name, str) and OURS.fullmatch(name)]


def remove_folders(directory):
    """Remove the folders of a report whose files are gone; what else is in them stays."""
    for folder in (Path(directory) / REPORT / FIGURES, Path(directory) / REPORT):
        with contextlib.suppress(OSError):
            folder.rmdir()
