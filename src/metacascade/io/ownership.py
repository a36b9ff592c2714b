"""Which files of a directory are of a run: only files of names that a run writes are ever removed."""
import re
from pathlib import Path

from metacascade.base.errors import InputError
from metacascade.io import checkpoint, kept, parts, results, sealed, snapshots
from metacascade.io.atomic import DRAFT, RANKS, SIGNS, STATUS, writing
from metacascade.io.structure import NUMBER, PART

SNAPSHOTS = "|".join((*snapshots.KINDS, snapshots.ALL))
KINDS = (                         # of sealed files: a pattern of their names, and what the seal calls them
    (re.escape(results.NAME), results.KIND),
    (f"{re.escape(checkpoint.NAME)}|{re.escape(checkpoint.FORMER)}", checkpoint.KIND),
    (kept.NAME.pattern, checkpoint.KIND),
    (PART.pattern, parts.KIND),
    (rf"{snapshots.FOLDER}/({SNAPSHOTS})\.{NUMBER}\.vtkhdf", snapshots.KIND))
LISTS = rf"{snapshots.FOLDER}/({SNAPSHOTS})\.vtkhdf\.series"
# under the name of a draft first
WRITTEN = re.compile("|".join([*(pattern for pattern, _ in KINDS), LISTS, re.escape(STATUS)]), re.ASCII)
OTHERS = re.compile("|".join([LISTS, *map(re.escape, (checkpoint.DAMAGED, SIGNS, STATUS, RANKS))]), re.ASCII)


def leftovers(directory):
    """Paths of what an interrupted write left."""
    return [path for name, path in _files(directory)
            if name.endswith(DRAFT) and WRITTEN.fullmatch(name.removesuffix(DRAFT))]


def remove_leftovers(directory):
    """Remove what an interrupted write left in a run directory."""
    with writing(directory):
        for path in leftovers(directory):
            path.unlink(missing_ok=True)


def of_a_run(directory):
    """Paths of all files of a former run. Raises InputError if one has such a name, and is of something else."""
    found, foreign = leftovers(directory), []
    for name, path in _files(directory):
        kind = next((kind for pattern, kind in KINDS if re.fullmatch(pattern, name, re.ASCII)), None)
        if kind and path.stat().st_size and sealed.kind_of(path) != kind:
            foreign.append(f"{path} is not of metacascade, or it is damaged: it is not removed. "
                           "Move it away, or choose another --out")
        elif kind or OTHERS.fullmatch(name):
            found.append(path)
    if foreign:
        raise InputError("\n".join(foreign))
    return found


def _files(directory):
    """(name below the directory, path) of the files in it and in the folders that a run makes there."""
    directory = Path(directory)
    for folder in (directory, directory / parts.FOLDER, directory / snapshots.FOLDER):
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.is_file() or path.is_symlink():
                yield path.relative_to(directory).as_posix(), path
