"""Arguments that several commands have."""
from pathlib import Path
from typing import Annotated, Optional

import typer

ConfigFile = Annotated[Path, typer.Argument(metavar="CONFIG", help="A TOML file; `metacascade init` writes one.")]
Settings = Annotated[Optional[list[str]], typer.Option(
    "--set", metavar="SECTION.KEY=VALUE", help="Replace a value of the config; may be repeated.")]
Out = Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="The directory for all files of the run.")]
WallLimit = Annotated[Optional[str], typer.Option(
    "--wall-limit", metavar="TIME", help="Stop before this time is over, with a checkpoint, for example \"11.5 h\".")]
Patience = Annotated[Optional[str], typer.Option(
    "--watchdog", metavar="TIME", help="End the run when nothing moves for so long; \"0 s\": never. Default: 30 min")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")]
Steps = Annotated[int, typer.Option("--steps", min=1, metavar="N", help="Steps that are measured.")]
Warm = Annotated[int, typer.Option("--warm", min=0, metavar="N", help="Steps before those that are measured.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
