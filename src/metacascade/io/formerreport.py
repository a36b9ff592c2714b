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
    try:
        found = json.loads((folder / LIST).read_text("utf-8"))
        if found["kind"] != KIND:
            return []
        names = [name for name in found["files"] if isinstance(name, str) and OURS.fullmatch(name)]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return []
    return [path for name in (INDEX, *names, LIST) if (path := folder / name).is_file() or path.is_symlink()]


def remove_folders(directory):
    """Remove the folders of a report whose files are gone; what else is in them stays."""
    for folder in (Path(directory) / REPORT / FIGURES, Path(directory) / REPORT):
        with contextlib.suppress(OSError):
            folder.rmdir()
