"""The commands of ``metacascade scaling``, read as those of `cli` are."""
from pathlib import Path
from typing import Annotated

import typer

from metacascade.cli.command import Group
from metacascade.cli.options import ConfigFile, Out, Overwrite, Settings, Steps, Warm, positive, whole

app = typer.Typer(cls=Group, help="Measure how a model scales with the ranks, and project to more.",
                  rich_markup_mode=None)
RankList = Annotated[str, typer.Option("--ranks", metavar="1,2,4", help="Numbers of ranks, with commas between.")]
Repeat = Annotated[int, typer.Option(
    "--repeat", parser=whole(1), metavar="K", help="Measure K times; the median counts.")]


@app.command()
def strong(config: ConfigFile, ranks: RankList, out: Out, settings: Settings = None, steps: Steps = 8, warm: Warm = 3,
           repeat: Repeat = 1, overwrite: Overwrite = False):
    """The same tumor on more and more ranks: table, pictures and digests. Goes on where it stopped."""
    from metacascade.studies.scaling import study
    return study("strong", config, out, ranks, settings or [], steps, warm, repeat, overwrite=overwrite)


@app.command()
def weak(config: ConfigFile, ranks: RankList, out: Out, settings: Settings = None, steps: Steps = 8, warm: Warm = 3,
         repeat: Repeat = 1, overwrite: Overwrite = False,
         no_verify: Annotated[bool, typer.Option(
             "--no-verify", help="Do not measure each size on the next smaller number of ranks too.")] = False):
    """A tumor that grows with the ranks, `tumor.cells` for each of them: table, pictures and digests."""
    from metacascade.studies.scaling import study
    return study("weak", config, out, ranks, settings or [], steps, warm, repeat, not no_verify, overwrite)


@app.command()
def project(
        directories: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Directories of studies.")],
        ranks: Annotated[str, typer.Option("--ranks", metavar="1e3,1e4,1e5")] = "1e3,1e4,1e5",
        latency: Annotated[str, typer.Option("--latency", help="From one node to another.")] = "2 us",
        bandwidth: Annotated[str, typer.Option("--bandwidth", help="Of each rank while all send.")] = "1 GB/s",
        overhead: Annotated[str, typer.Option("--overhead", help="CPU time of one message.")] = "7.5 us",
        cells: Annotated[float | None, typer.Option(
            "--cells", parser=positive, metavar="CELLS",
            help="Of the tumor in strong scaling; default: the largest of the studies.")] = None,
        cells_per_rank: Annotated[float | None, typer.Option(
            "--cells-per-rank", parser=positive, metavar="CELLS",
            help="In weak scaling; default: as in the studies.")] = None):
    """Project studies to more ranks by a model of cost, with every assumption and its number."""
    from metacascade.studies.scaling_projection import project as show
    show(directories, latency, bandwidth, overhead, ranks, cells, cells_per_rank)
