"""The command that tells what the cascade of a run was."""
from pathlib import Path
from typing import Annotated

import typer


def cascade(
        run: Annotated[Path, typer.Argument(metavar="RUN", help="The directory of a run, or its results.")],
        csv: Annotated[Path | None, typer.Option(
            "--csv", metavar="FILE", help="Write all numbers there, a row each, instead.")] = None):
    """Tell the cascade of a run: fate funnel, half-lives, blood counts, lesions, and who seeded whom."""
    from metacascade.io import cascade_text
    from metacascade.io.results import open_results
    with open_results(run) as results:
        if csv is not None:
            return cascade_text.write_csv(results, csv)
        print(cascade_text.report(results))
