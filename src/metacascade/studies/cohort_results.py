"""The files of a cohort: parts of some patients each while it goes on, and one file of results at the end.

A part is written whole under its name or not at all, and sealed; whoever goes on takes those that are there, makes the
others, and in the end puts all together in the order of patients. So nothing depends on who made which part, or when.
"""
import contextlib
import hashlib
import json
from pathlib import Path

import numpy as np

from metacascade._kernels._layout import LesionState
from metacascade.base.errors import InputError
from metacascade.base.numerals import counted
from metacascade.base.screen import LONGEST_LINE, one_line
from metacascade.io import atomic, datasets, manyruns, sealed
from metacascade.io.datasets import Table, units
from metacascade.model.patient import CAUSES
from metacascade.ranks.parallel import serial_world
from metacascade.state.state import raw
from metacascade.studies.cohort_file import Patients, tubes_of
from metacascade.studies.cohort_patient import LESION_ROW, NOWHERE, OF_LESION, PLACES, patient_row, units_of

NAME, KIND, PART_KIND, FORMAT = "cohort.h5", "COHORT", "COHORTPART", 1
PLAN, FOLDER, BLOCK = manyruns.COHORT, "cohort_parts", 16      # patients of a part


def blocks(patients: int) -> int:
    """How many parts a cohort has."""
    return -(-patients // BLOCK)


def members(block: int, patients: int) -> range:
    """The numbers of the patients of a part."""
    return range(block * BLOCK, min((block + 1) * BLOCK, patients))


def left_s(done: float, missing: float, seconds: float) -> float:
    """Seconds for the parts that are missing, at the rate at which so many were done in so many seconds."""
    return missing * seconds / done


def part(directory, block: int) -> Path:
    """The file of a part."""
    return Path(directory) / FOLDER / f"part.{block:06d}.h5"


# --- the plan -------------------------------------------------------------------------------------------------

def plan_of(cohort) -> dict:
    """What decides everything: what the file says, and the config in internal units."""
    tables = {key: value for key, value in cohort.tables.items() if key != "base"}
    return json.loads(json.dumps(dict(format=FORMAT, cohort=tables, config=cohort.base.to_dict())))


def keep_plan(directory, plan):
    """Write the plan into a new directory; InputError if there is another, or other files. One process."""
    path = Path(directory) / PLAN
    if path.exists():
        with atomic.reading(path):
            text = path.read_text("utf-8", errors="replace")
        if text != json.dumps(plan, indent=1):
            raise InputError(f"{directory} is of another cohort: choose another --out, or undo what differs between "
                             f"{PLAN} there and the file of the cohort with its config")
        return
    others = sorted(found.name for found in Path(directory).iterdir() if found.name != "run.lock")
    if others:
        raise InputError(f"{directory} holds {one_line(others[0])} and no {PLAN}: choose another --out")
    atomic.write_text(path, json.dumps(plan, indent=1))


def plan_in(directory) -> dict:
    """The plan of a cohort as its directory keeps it, with the tables of its file under "cohort"."""
    path = Path(directory) / PLAN
    with atomic.reading(path):
        text = path.read_text("utf-8", "replace")
    try:
        plan = json.loads(text)
        patients_of(plan)
        return plan
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError):
        raise InputError(f"{path} is not as metacascade writes it") from None


def patients_of(plan) -> int:
    """How many patients the cohort of a plan has; its file need not say it."""
    return int(plan["cohort"].get("patients", Patients.parameters["patients"].default))


def missing(directory, patients) -> list[int]:
    """The parts that are not there, or not whole, and a folder for them. One process."""
    if whole(directory):
        return []
    found, folder = [], part(directory, 0).parent
    with atomic.writing(folder):
        folder.mkdir(exist_ok=True)         # it goes when all is done, but results may be damaged later
    for block in range(blocks(patients)):
        try:
            sealed.verify(serial_world(), part(directory, block), PART_KIND, FORMAT)
        except InputError:
            found.append(block)
    return found


def whole(directory) -> bool:
    """Are the results complete?"""
    with contextlib.suppress(InputError):
        sealed.verify(serial_world(), Path(directory) / NAME, KIND, FORMAT)
        return True
    return False


# --- rows -----------------------------------------------------------------------------------------------------

def write_part(directory, block, rows, lesions, of_patients):
    """Write what became of the patients of a part, `of_patients` the units of their columns. One process."""
    tables = [Table.of("patients", rows, **units(of_patients)), Table.of("lesions", lesions)]
    datasets.write(serial_world(), part(directory, block), tables, seal=(PART_KIND, FORMAT))


def _read(path, kind):
    """(patients, lesions) of a file, after all its bytes have been verified."""
    sealed.verify(serial_world(), path, kind, FORMAT)
    with datasets.open_file(path) as h5:
        return h5["patients"][:], h5["lesions"][:]


def gather(directory, cohort, plan, provenance):
    """Put the parts together as the results, and remove them: (patients, lesions, digest). One process."""
    path = Path(directory) / NAME
    if not whole(directory):
        found = [_read(part(directory, block), PART_KIND) for block in range(blocks(cohort.options.patients))]
        rows = np.concatenate([np.empty(0, patient_row(cohort)), *(rows for rows, _ in found)])
        lesions = np.concatenate([np.empty(0, LESION_ROW), *(lesions for _, lesions in found)])
        if rows["patient"].tolist() != list(range(cohort.options.patients)):
            raise InputError(f"the parts in {directory} are not those of its patients: choose another --out")
        of_tables = [Table.of("patients", rows, **units(units_of(cohort)), enumerations=json.dumps(_names())),
                     Table.of("lesions", lesions, **units({"patient": "1"} | OF_LESION),
                              enumerations=json.dumps(_names()))]

        def head(h5):
            h5.attrs.update(kind="cohort", format_version=FORMAT, digest=digest(rows, lesions))
            h5["config/text"], h5["config/plan"] = cohort.text, json.dumps(plan)
            h5["provenance/session"] = json.dumps(provenance)
        datasets.write(serial_world(), path, of_tables, head, (KIND, FORMAT))
    for block in range(blocks(cohort.options.patients)):
        part(directory, block).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        part(directory, 0).parent.rmdir()
    rows, lesions = _read(path, KIND)
    return rows, lesions, digest(rows, lesions)


def _names():
    """What the numbers in the tables mean."""
    node = dict(enumerate(PLACES))
    return {"cause": dict(enumerate(CAUSES)), "first_organ": node | {NOWHERE: "none"}, "node": node, "origin": node,
            "state": {int(one): one.name.lower() for one in LesionState}}


def digest(rows, lesions) -> str:
    """SHA-256 of all rows, in the order of patients."""
    found = hashlib.sha256()
    for table in (rows, lesions):
        found.update(f"{len(table)} {table.dtype}".encode())
        found.update(raw(table))
    return found.hexdigest()


def read(path):
    """(patients, lesions, units of the columns of the patients) of the results in a file or directory."""
    path = Path(path)
    path = path / NAME if path.is_dir() else path
    rows, lesions = _read(path, KIND)
    with datasets.open_file(path) as h5:
        return rows, lesions, json.loads(h5["patients"].attrs["units"])


def so_far(directory):
    """The same of the parts that a cohort has up to now, and none that is not whole. InputError without any."""
    found = []
    for path in sorted(part(directory, 0).parent.glob("part.*.h5")):
        with contextlib.suppress(InputError):       # parts go when the results come
            rows, lesions = _read(path, PART_KIND)
            with datasets.open_file(path) as h5:
                of_rows = json.loads(h5["patients"].attrs.get("units", "{}"))       # parts of older versions have none
            found.append((rows, lesions, of_rows or dict.fromkeys(rows.dtype.names, "")))
    if whole(directory):
        return read(directory)
    if not found:
        raise InputError(f"no part of the cohort in {directory} is done yet: of each {BLOCK} patients there is one")
    return np.concatenate([rows for rows, _, _ in found]), np.concatenate([one for _, one, _ in found]), found[0][2]


def is_one(path) -> bool:
    """Is a file one of results of a cohort, by its first bytes?"""
    return Path(path).is_file() and sealed.kind_of(path) == KIND


def describe(path) -> str:
    """What is in a file, as text."""
    from metacascade.studies import cohort_table
    rows, lesions, _ = read(path)
    with datasets.open_file(path) as h5:
        session, plan = (json.loads(h5[name].asstr()[()]) for name in ("provenance/session", "config/plan"))
    tubes = tubes_of(plan["cohort"].get("tube", []), [])
    lines = [f"{path}: cohort of {counted(len(rows), 'patient')}, format {FORMAT}, {counted(len(lesions), 'lesion')} "
             "that ever divided",
             one_line(f"  {plan['cohort'].get('title', '')}", LONGEST_LINE),
             one_line(f"  {session.get('started', '?')} on {session.get('ranks', '?')} ranks: "
                      f"{session.get('command', '?')}", LONGEST_LINE),
             f"  digest {digest(rows, lesions)}", *cohort_table.report(rows, lesions, tubes)]
    return "\n".join(line for line in lines if line.strip())
