"""The commands that start many runs: sweep and arms."""
from pathlib import Path
from typing import Annotated

import typer

from metacascade.cli.options import WallLimit, whole

Directory = Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="The directory for all runs.")]
Ranks = Annotated[int, typer.Option("--ranks", parser=whole(1), metavar="N", help="Ranks of each run.")]
Jobs = Annotated[int, typer.Option("--jobs", "-j", parser=whole(1), metavar="N", help="Runs at the same time.")]
Part = Annotated[str | None, typer.Option("--part", metavar="I/N",
                                                help="Only the runs whose number is I modulo N; default: all.")]
Gather = Annotated[bool, typer.Option("--gather", help="Only write the table anew.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="List the runs instead.")]


def sweep(
        file: Annotated[Path, typer.Argument(
            metavar="SWEEP", help="A TOML file; `metacascade init sweep_shedding` writes one.")],
        out: Directory, ranks: Ranks = 1, jobs: Jobs = 1, part: Part = None, gather: Gather = False,
        dry_run: DryRun = False, wall_limit: WallLimit = None):
    """Run a config with many settings and seeds; the same call again goes on. Not under mpiexec."""
    from metacascade.studies.sweep import run
    return run(file, out, ranks, jobs, part, gather, dry_run, _seconds(wall_limit))


def arms(
        file: Annotated[Path, typer.Argument(
            metavar="ARMS", help="A TOML file; `metacascade init arms_resection` writes one.")],
        out: Directory, ranks: Ranks = 1, jobs: Jobs = 1, part: Part = None, gather: Gather = False,
        dry_run: DryRun = False, wall_limit: WallLimit = None):
    """Run treatment arms with replicates from one state and compare them; the same call again goes on."""
    from metacascade.studies.arms import run
    return run(file, out, ranks, jobs, part, gather, dry_run, _seconds(wall_limit))


def _seconds(wall_limit):
    from metacascade.base.units import wall_time
    return None if wall_limit is None else wall_time("--wall-limit", wall_limit)
