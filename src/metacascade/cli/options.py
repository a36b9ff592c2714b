"""Arguments that several commands have."""
from pathlib import Path
from typing import Annotated

import typer

from metacascade.base import numerals


def whole(least: int):
    """A `parser` of whole numbers from `least` on, as `numerals` reads them."""
    def integer(text):
        try:
            if (value := numerals.whole(str(text))) >= least:
                return value
        except ValueError:
            pass
        raise typer.BadParameter(f"{text} is not a whole number from {least} on")

    return integer


def positive(text):
    """A `parser` of numbers from 1 on, such as 1e9."""
    try:
        if (value := numerals.number(str(text))) >= 1.0:
            return value
    except ValueError:
        pass
    raise typer.BadParameter(f"{text} is not a number from 1 on")


ConfigFile = Annotated[Path, typer.Argument(metavar="CONFIG", help="A TOML file; `metacascade init` writes one.")]
Settings = Annotated[list[str] | None, typer.Option(
    "--set", metavar="SECTION.KEY=VALUE", help="Replace a value of the config; may be repeated.")]
Changes = Annotated[list[str] | None, typer.Option(
    "--set", metavar="run.KEY=VALUE", help="Another run.duration, run.max_records or run.stop_when_empty.")]
Drugs = Annotated[bool, typer.Option(
    "--drugs", help="List the classes of drugs of [[therapy]], and the rates that they act on.")]
Out = Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="The directory for all files of the run.")]
WallLimit = Annotated[str | None, typer.Option(
    "--wall-limit", metavar="TIME", help="Stop before this time is over, with a checkpoint: \"11.5 h\" or "
    "11:30:00; default: never.")]
Patience = Annotated[str | None, typer.Option(
    "--watchdog", metavar="TIME", help="End the run when nothing moves for so long; \"0 s\": never. Default: 30 min")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")]
Steps = Annotated[int, typer.Option("--steps", parser=whole(1), metavar="N", help="Steps that are measured.")]
Warm = Annotated[int, typer.Option(
    "--warm", parser=whole(0), metavar="N", help="Steps before those that are measured.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
