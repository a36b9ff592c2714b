"""Whether runs that are there may be used again: only those of the same code, config, arms and replicates."""
import functools
import hashlib
import json
from pathlib import Path

import metacascade
from metacascade.config import presets
from metacascade.io import provenance

PACKAGE = Path(metacascade.__file__).parent
BESIDE = {"studies", "report", "cli", "slurm", "jobs", "experiments", "presets"}  # on which no byte of a run depends
DIGITS = 12


@functools.cache
def of_code(folder=PACKAGE):
    """SHA-256 over what a run is computed by: sources and kernels of the package, and the versions of others.

    Not over its own version and commit: these change with pages and tests, too.
    """
    others = {name: version for name, version in provenance.versions().items() if name != "metacascade"}
    digest = hashlib.sha256(json.dumps(others).encode())
    for path in sorted(Path(folder).rglob("*")):
        name = path.relative_to(folder)
        if path.suffix in (".py", ".so", ".pyd") and name.parts[0] not in BESIDE and name.as_posix() != "base/built.py":
            digest.update(f"{name.as_posix()} {path.stat().st_size}\n".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def key(experiment):
    """The name of the directory of the runs of an experiment: other code or another config has another."""
    what = json.dumps([of_code(), experiment.config, experiment.arms, experiment.head.replicates,
                       *_of_cohorts(experiment)], sort_keys=True)
    return hashlib.sha256(what.encode()).hexdigest()[:DIGITS]


def _of_cohorts(experiment):
    """What else patients depend on: how they are made, and their bases."""
    if experiment.cohort:
        makers = sorted(PACKAGE.glob("studies/cohort*.py"))
        yield hashlib.sha256(b"".join(path.read_bytes() for path in makers)).hexdigest()
        yield [presets.text(one["base"]) for one in experiment.arms.values()]


def others(out, own):
    """Directories of runs of this experiment that have another key: sorted names."""
    if not Path(out).is_dir():
        return []
    return sorted(path.name for path in Path(out).iterdir() if path.is_dir() and path.name != own)


def code_is():
    """The code in words: version, commit where it is in git, and the start of its digest."""
    git = provenance.commit()
    return f"metacascade {metacascade.__version__}" + (f", commit {git[:12]}" if git else "") + (
        " with changes" if git.endswith("-dirty") else "") + f", code {of_code()[:DIGITS]}"
