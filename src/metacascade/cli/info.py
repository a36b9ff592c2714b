"""The command ``metacascade info``, read as those of `cli` are."""
from pathlib import Path
from typing import Annotated

import typer

from metacascade.base.errors import InputError
from metacascade.base.numerals import singular
from metacascade.cli import lists
from metacascade.cli.options import Drugs


def info(
        file: Annotated[Path | None, typer.Argument(
            metavar="FILE", help="Results or a checkpoint, or the directory of a run, a sweep, arms, a cohort or "
            "of reproduce; a config or a run with --rates or --columns; a section or a parameter with --parameters; "
            "left out: the versions in use."
            )] = None,
        names: Annotated[list[str] | None, typer.Argument(
            metavar="NAME", help="With --rates: only rates and fields that begin so; with --parameters: further ones; "
            "default: all."
            )] = None,
        parameters: Annotated[bool, typer.Option(
            "--parameters", help="List the parameters of the config, all, those of a section, or one.")] = False,
        rates: Annotated[bool, typer.Option(
            "--rates", help="Print every rate and field as an equation, with values and sources.")] = False,
        columns: Annotated[bool, typer.Option(
            "--columns", help="List the columns of the time series and of the table by organ, with units.")] = False,
        drugs: Drugs = False,
        markdown: Annotated[bool, typer.Option(
            "--markdown", help="Write docs/parameters.md instead, the equations of docs/model.md, or the columns of "
            "docs/formats.md.")] = False,
        preset: Annotated[str | None, typer.Option(
            "--preset", metavar="NAME", help="Print every number that a preset sets, with ranges, status and source; "
            "default: of none."
            )] = None,
        presets: Annotated[bool, typer.Option(
            "--presets", help="List the presets: what each has used, and may be tested on.")] = False,
        everything: Annotated[bool, typer.Option(
            "--all", help="Of the directory of a run: all that is in each file, not a screen of it.")] = False):
    """Say what FILE holds; without a file, which versions are in use."""
    told = parameters + rates + columns + drugs + presets + (preset is not None)
    if (told > 1 or file is not None and (markdown or drugs or presets or preset is not None)
            or names and not (rates or parameters)):
        raise InputError("info takes a file, --parameters with or without sections and parameters, --rates or "
                         "--columns with or without a config or a run, --drugs, --preset NAME, or --presets; behind "
                         "a config --rates takes names of rates")
    if everything and (told or file is None or not _is_run(file)):
        raise InputError("--all is of the directory of a run: metacascade info RUN --all")
    if presets or preset is not None:
        from metacascade.config import sourced
        print(sourced.listed() if presets else sourced.report(preset), end="")
    elif drugs:
        lists.drugs()
    elif rates:
        lists.rates(file, names or [], markdown)
    elif columns:
        lists.columns(file, markdown)
    elif parameters or markdown:
        lists.parameters([] if file is None else [str(file), *(names or [])], markdown)
    elif file is not None:
        _describe(file, everything)
    else:
        lists.versions()


def _is_run(path):
    from metacascade.run import glance
    return glance.is_run(path)


def _describe(file, everything):
    from metacascade.base import sheets
    from metacascade.io import output
    from metacascade.studies import arms, cohort_results, reproduce_directory, standing
    path = file / cohort_results.NAME if file.is_dir() and (file / cohort_results.NAME).exists() else file
    if cohort_results.is_one(path):
        print(singular(cohort_results.describe(path)), flush=True)
    elif standing.is_cohort(file):
        sheets.show(standing.cohort(file))
    elif not everything and _is_run(file):
        _at_a_glance(file)
    else:
        kinds = ((standing.is_sweep, arms.describe), (reproduce_directory.is_study, reproduce_directory.describe),
                 (standing.is_scaling, standing.scaling_study), (lambda _: True, output.describe))
        for text in next(describe for is_one, describe in kinds if is_one(file))(file):
            print(singular(text), flush=True)


def _at_a_glance(directory):
    """Print the screen of a run; in the end InputError if a file is damaged."""
    from metacascade.base import sheets
    from metacascade.run import glance
    lines, tables, damaged = glance.describe(directory)
    print("".join(f"{line}\n" for line in lines), flush=True)
    sheets.show(tables)
    if damaged:
        raise InputError("\n".join(damaged))
