"""The commands that tell the cascade: of runs what they were, as text or pictures, of a config how efficient it is."""
from pathlib import Path
from typing import Annotated

import typer

from metacascade.base.numerals import counted
from metacascade.cli.options import Settings


def cascade(
        run: Annotated[Path, typer.Argument(metavar="RUN", help="The directory of a run, or its results.")],
        csv: Annotated[Path | None, typer.Option(
            "--csv", metavar="FILE", help="Write all numbers there, a row each; default: print them.")] = None,
        parents: Annotated[bool, typer.Option(
            "--parents", help="A branch with the runs before it, so that lesions find their founders.")] = False,
        parents_at: Annotated[Path | None, typer.Option(
            "--parents-at", metavar="PATH", help="As --parents, where the directory of the run before is now; default: "
            "where it was, or beside this one as then.")] = None):
    """Tell the cascade of a run: fate funnel, half-lives, blood counts, lesions, and who seeded whom."""
    from metacascade.io import cascade_text
    from metacascade.io.parents import open_run
    with open_run(run, parents if parents_at is None else parents_at) as results:
        if csv is not None:
            print(f"wrote {csv}: {counted(cascade_text.write_csv(results, csv), 'row')}")
        else:
            print(cascade_text.report(results))


def efficiency(
        config: Annotated[Path, typer.Argument(metavar="CONFIG", help="A config, or the directory of a run.")],
        settings: Settings = None,
        out: Annotated[Path | None, typer.Option(
            "--out", "-o", metavar="DIR", help="Also how each assumed number moves it, as a table and a figure there: "
            "a tornado, in a minute; default: none.")] = None):
    """Tell how many growing metastases there are for each cell that the tumor sheds, on the mean of the laws."""
    from metacascade.studies import efficiency_table
    print("\n".join(efficiency_table.told(config, settings or [], out)))


def report(
        runs: Annotated[list[Path], typer.Argument(
            metavar="RUN...", help="Directories of runs or their results, of which several are compared; of a sweep or "
            "arms, whose members are compared; or of a cohort.")],
        out: Annotated[Path | None, typer.Option(
            "--out", "-o", metavar="DIR", help="The directory for the page and all figures; default: RUN/report."
            )] = None,
        talk: Annotated[bool, typer.Option(
            "--talk", help="Also a picture of one run for a slide, 1920 x 1080: figures/talk.png and .svg.")] = False):
    """Write an HTML page about a run, or about several, compared, with all figures as SVG, PNG and CSV."""
    from metacascade.report import report as pages
    print(f"report in {pages.write(runs, out, talk)}")
