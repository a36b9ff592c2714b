"""The commands of ``metacascade``. Each only reads its arguments; what it does is imported when it runs."""
from pathlib import Path
from typing import Annotated

import typer

from metacascade import __version__
from metacascade.base.errors import WRONG_INPUT, InputError
from metacascade.base.names import nearest
from metacascade.base.screen import one_line
from metacascade.cli import cascade, command, examples, scaling, studies
from metacascade.cli.completion import completion
from metacascade.cli.info import info
from metacascade.cli.options import (
    AsJson,
    Changes,
    ConfigFile,
    Out,
    Overwrite,
    Patience,
    Settings,
    Steps,
    WallLimit,
    Warm,
    whole,
)

app = typer.Typer(
    name="metacascade", cls=command.Group,
    help="The blood-borne metastatic cascade, cell by cell, on any number of MPI ranks.",
    epilog="Exit codes: 0 done, 75 stopped early with a checkpoint (resume it), 2 wrong input, 1 failure.",
    add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
app.add_typer(scaling.app, name="scaling")


def _version(wanted: bool):
    if wanted:
        print(f"metacascade {__version__}")
        raise typer.Exit()


@app.callback()
def options(
        debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
        version: Annotated[bool, typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version and exit.")] = False):
    """The blood-borne metastatic cascade, cell by cell, on any number of MPI ranks."""


@app.command()
def check(config: ConfigFile, settings: Settings = None,
          problems: Annotated[Path | None, typer.Option(
              "--problems", metavar="FILE", help="Write all that is wrong or odd in the vessel file there, a line "
              "each; default: nowhere.")] = None):
    """Read a config and its vessels, list everything that is wrong with them, and say what would be simulated."""
    from metacascade.run import inputs
    given = inputs.checked(config, settings or [], problems)
    print(given.config.summary())
    inputs.tell(given.notes, given.of_one_run)
    print(f"{config}: ok")


@app.command()
def run(config: ConfigFile, out: Out, overwrite: Overwrite = False, settings: Settings = None,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the expected size and time instead.")] = False,
        wall_limit: WallLimit = None, watchdog: Patience = None):
    """Simulate what CONFIG describes. Under mpiexec or srun all ranks work on it."""
    from metacascade.run import commands
    if dry_run:
        return _estimate(config, settings or [], out, overwrite)
    return commands.run(config, out, settings or [], overwrite, **_times(wall_limit, watchdog))


def _times(wall_limit, watchdog):
    """Seconds of the options that have times."""
    from metacascade.base.units import wall_time
    given = (("wall_limit_s", "--wall-limit", wall_limit), ("patience_s", "--watchdog", watchdog))
    return {key: wall_time(name, text) for key, name, text in given if text is not None}


def _estimate(config, settings, out, overwrite):
    from metacascade.io import rundirectory
    from metacascade.run import commands, inputs
    given = inputs.read(config, settings)
    rundirectory.refuse_used(out, overwrite)
    print(given.config.summary())
    inputs.tell(given.notes, given.of_one_run)
    for name, value in commands.estimate(given.config).items():
        print(f"{name}: {value}")


@app.command()
def submit(
        config: ConfigFile, out: Out,
        time: Annotated[str, typer.Option("--time", help="Of a job, such as 12h or 12:00:00; it queues itself again.")],
        nodes: Annotated[int, typer.Option("--nodes", parser=whole(1), metavar="N", help="Nodes of the cluster.")] = 1,
        ranks_per_node: Annotated[int | None, typer.Option(
            "--ranks-per-node", parser=whole(1), metavar="N", help="Default: one for each core of a node.")] = None,
        site: Annotated[Path | None, typer.Option(
            "--site", metavar="FILE", help="The site file, see docs/cluster.md; default: the usual one.")] = None,
        settings: Settings = None,
        options: Annotated[list[str] | None, typer.Option(
            "--sbatch", metavar="OPTION", help="A further option of sbatch, e.g. --qos=long; may be repeated.")] = None,
        watchdog: Patience = None,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the script instead.")] = False):
    """Submit a run to SLURM, as a job that queues itself again until the run is done."""
    from metacascade.slurm.submit import submit as hand_in
    _times(None, watchdog)
    return hand_in(config, out, nodes, time, ranks_per_node, site, settings or [], options or [], watchdog, dry_run)


@app.command()
def resume(directory: Annotated[Path, typer.Argument(metavar="DIR", help="The directory of a run.")],
           settings: Changes = None, wall_limit: WallLimit = None, watchdog: Patience = None):
    """Go on from the last checkpoint of a run, on any number of ranks; with more run.duration a finished one, too."""
    from metacascade.run import commands
    return commands.resume(directory, settings or [], **_times(wall_limit, watchdog))


@app.command()
def branch(
        checkpoint: Annotated[Path, typer.Argument(
            metavar="CHECKPOINT", help="A checkpoint of another run, or the directory of that run.")],
        out: Out, overwrite: Overwrite = False, settings: Settings = None,
        seed: Annotated[int | None, typer.Option(
            "--seed", parser=whole(0), metavar="N", help="Another run.seed from here on; default: the same.")] = None,
        at: Annotated[str | None, typer.Option(
            "--at", metavar="TIME", help="Of a directory the checkpoint of this simulated time, \"5 days\"; default: "
            "the last. A run keeps those of output.keep.")] = None,
        copy_of: Annotated[Path | None, typer.Option(
            "--copy-of", metavar="PATH", help="The checkpoint that this is a copy of; default: none. Beside it "
            "`cascade --parents` looks for the results of its run.")] = None,
        wall_limit: WallLimit = None, watchdog: Patience = None):
    """Start a new run from the state in CHECKPOINT, with another seed or other parameters."""
    from metacascade.base.units import option
    from metacascade.run import commands
    picked = {} if at is None else {"at_s": option("--at", at, "s", '"5 days"')}
    picked |= {} if copy_of is None else {"copy_of": copy_of}
    return commands.branch(checkpoint, out, seed, settings or [], overwrite, **picked, **_times(wall_limit, watchdog))


app.command()(studies.sweep)
app.command()(studies.arms)


@app.command()
def cohort(
        file: Annotated[Path, typer.Argument(
            metavar="COHORT", help="A TOML file; `metacascade init cohort_breast` writes one.")],
        out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="The directory for all results.")],
        dry_run: Annotated[bool, typer.Option(
            "--dry-run", help="Say what would be done, and live the first patients through, instead.")] = False,
        wall_limit: WallLimit = None):
    """Live many patients through; the same call again goes on. Under mpiexec or srun all ranks share them."""
    from metacascade.studies.cohort import run as run_cohort
    return run_cohort(file, out, dry_run, **_times(wall_limit, None))


@app.command()
def reproduce(
        name: Annotated[str | None, typer.Argument(
            metavar="[NAME]", help="An experiment, or all; left out: list them.")] = None,
        out: Annotated[Path, typer.Option(
            "--out", "-o", metavar="DIR", help="The directory for all runs.")] = Path("reproduced"),
        ranks: Annotated[int, typer.Option("--ranks", parser=whole(1), metavar="N", help="Ranks of each run.")] = 1,
        jobs: Annotated[int, typer.Option(
            "--jobs", "-j", parser=whole(1), metavar="N", help="Runs at the same time.")] = 1,
        networks: Annotated[Path | None, typer.Option(
            "--networks", metavar="DIR", help="Where files of measured vessel networks are; default: nowhere.")] = None,
        write: Annotated[Path | None, typer.Option(
            "--write", metavar="FILE", help="Write what came out as a page, such as docs/validation.md; "
            "default: none.")] = None,
        wall_limit: WallLimit = None):
    """Simulate published experiments and compare; the same call again goes on. Not under mpiexec."""
    from metacascade.studies import reproduce as study
    if name is None:
        print("\n".join(study.listed()))
        return
    return study.run(name, out, ranks, jobs, networks=networks, write=write, **_times(wall_limit, None))


@app.command()
def soil(
        config: ConfigFile,
        table: Annotated[Path, typer.Argument(
            metavar="TABLE", help="CSV of organ and share of all patients with metastases there, such as liver,0.5.")],
        settings: Settings = None,
        cells: Annotated[int, typer.Option(
            "--cells", parser=whole(10), metavar="N", help="Shed cells to walk through the blood.")] = 2_000_000,
        source: Annotated[str | None, typer.Option(
            "--source", metavar="TEXT", help="What the table is from; default: its name.")] = None):
    """Solve the soil of all organs so that lesions are as frequent as in TABLE; print it as lines of a config."""
    from metacascade.studies.soil import run as solve
    print(solve(config, table, cells, source or table.name, settings or []), end="")


@app.command()
def init(
        preset: Annotated[str | None, typer.Argument(metavar="PRESET", help="Left out: list them.")] = None,
        file: Annotated[Path | None, typer.Argument(metavar="FILE", help="Default: PRESET.toml")] = None,
        overwrite: Overwrite = False):
    """Write a commented config, with its JSON Schema for editors, or a sweep, treatment arms or a cohort."""
    from metacascade.config import catalog, presets
    if preset is None:
        names = [*presets.names(), *presets.sweeps(), *presets.arms(), *presets.cohorts()]
        print("\n".join(f"{name:26}{presets.title(name)}" for name in names))
        return
    written = presets.write(preset, file, overwrite, catalog.schema_text)
    kinds = {"sweep": presets.sweeps(), "arms": presets.arms(), "cohort": presets.cohorts()}
    kind = next((kind for kind, those in kinds.items() if preset in those), "")
    ready = f"{kind} {written} --out DIR --dry-run" if kind else f"check {written}"
    beside = "" if kind else f", and {presets.SCHEMA} beside it for editors"
    print(f"wrote {written}{beside}; next: metacascade {ready}")


@app.command()
def schema():
    """Print the JSON Schema of the config file, for editors; `init` writes it beside a config."""
    from metacascade.config.catalog import schema_text
    print(schema_text(), end="")


app.command()(info)
app.command()(cascade.cascade)
app.command()(cascade.efficiency)
app.command()(cascade.report)


@app.command()
def watch(
        directory: Annotated[Path, typer.Argument(
            metavar="DIR", help="The directory of a run, a sweep, arms or a cohort.")],
        once: Annotated[bool, typer.Option("--once", help="Print one view as text, and end.")] = False):
    """Show in the terminal how far a run is, until it ends; Ctrl-C ends the view alone."""
    from metacascade.studies.watch import run as show
    return show(directory, once)


@app.command()
def digest(file: Annotated[Path, typer.Argument(
        metavar="FILE", help="A checkpoint, results.h5, or the directory of a run.")]):
    """Print the digest of a model state: equal for equal states, whatever the ranks that made it."""
    from metacascade.io.output import digest_of
    print(one_line(digest_of(file)))


@app.command()
def doctor(json: AsJson = False):
    """Check what this machine has: compiler, MPI and its launcher, HDF5, locks, disk, cores; and say what to do."""
    from metacascade.run.doctor import run as check_all
    return check_all(json)


@app.command()
def bench(
        config: Annotated[Path | None, typer.Argument(
            metavar="[CONFIG]", help="What to measure; left out: a mouse tumor of 16 million cells.")] = None,
        settings: Settings = None, steps: Steps = 8, warm: Warm = 3, json: AsJson = False):
    """Measure this machine: cells, bed passages and communication per second, by stage and rank."""
    from metacascade.run.bench import run as measure
    measure(config, settings or [], steps, warm, json)


app.command()(completion)
examples.give(app)
command.use(app)

TYPERS_INTERRUPT = 130  # what typer makes of Ctrl-C

def execute(arguments: list[str]) -> int:
    """Run one command line and return the exit code. Raises InputError for a wrong one."""
    if not arguments:
        execute(["--help"])
        return WRONG_INPUT
    try:
        code = app(list(arguments), prog_name="metacascade", standalone_mode=False) or 0
    except command.UsageError as error:
        raise InputError(_usage_message(error, arguments)) from None
    except typer.Abort:
        raise KeyboardInterrupt from None
    except SystemExit:              # what typer makes of a pipe that nobody reads any more
        raise BrokenPipeError from None
    if code == TYPERS_INTERRUPT:
        raise KeyboardInterrupt
    return code


def _usage_message(error, arguments) -> str:
    commands = typer.main.get_command(app).commands
    words = [a for a in arguments if not a.startswith("-")]
    if words and words[0] not in commands:
        return (f"there is no command '{one_line(words[0])}'{nearest(words[0], commands)}; "
                f"commands: {', '.join(commands)}")
    if hasattr(error, "possibilities"):
        known = {name for parameter in error.ctx.command.params for name in parameter.opts}
        option = error.option_name
        message = f"there is no option {one_line(option)}{nearest(option, known | {'--debug', '--version', '--help'})}"
    else:
        message = one_line(error.format_message().rstrip(".")).replace("does not take a value", "takes no value")
    return f"{message}; see {error.ctx.command_path if error.ctx else 'metacascade'} --help"
