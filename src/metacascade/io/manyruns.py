"""Directories of many runs, given where the directory of one is needed."""
from pathlib import Path

from metacascade.base.errors import InputError

MEMBERS, COHORT = "members.json", "cohort.json"      # of a sweep or of arms; of a cohort
PLANS = {       # file that such a directory has: what it is, and what to do
    MEMBERS: ("a sweep or of arms", "name one of its members, such as {0}/0000; `metacascade info {0}`, watch and "
              "report take all of it, and the same `metacascade sweep` or `arms` goes on"),
    COHORT: ("a cohort", "`metacascade info {0}`, watch and report take it, and the same `metacascade cohort` goes on; "
             "its patients have no files of their own")}


def refuse(directory):
    """InputError for the directory of a sweep, of arms or of a cohort."""
    for name, (kind, what_to_do) in PLANS.items():
        if (Path(directory) / name).is_file():
            raise InputError(f"{directory} is the directory of {kind}, not of a run: {what_to_do.format(directory)}")
