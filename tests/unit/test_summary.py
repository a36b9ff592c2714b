"""What a run says at its end."""
import contextlib
import io
import re

import pytest

import small
from metacascade.base import sheets
from metacascade.run import api


def said_at_the_end(make, out):
    """The lines that a simulation prints as it runs, and its results."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        results = make().run(out)
    return printed.getvalue().splitlines(), results


def block(lines, title):
    """The rows of a table: its first column -> the others, as far as they are numbers."""
    first = next(number for number, line in enumerate(lines) if line.startswith(title))
    rows = {}
    for line in lines[first + 1:]:
        if not line.strip():
            break
        words = re.split(r" {2,}", line.strip())
        rows[words[0]] = [int(word.replace(",", "")) for word in words[1:] if re.fullmatch("[0-9,]+", word)]
    return rows


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """The report of the small run with everything in it, its lesions, and the names of their nodes."""
    out = tmp_path_factory.mktemp("summary") / "run"
    lines, results = said_at_the_end(lambda: api.Simulation(small.EXAMPLE, small.settings()), out)
    with results:
        last = {name: values[-1] for name, values in results.series.items()}
        return lines, results.lesions[:], dict(results.names("lesions")["node"]), last


def test_lesions_are_told_by_organ_apart_from_cells_by_fate(ended):
    """The fate "extravasated" counts cells; several lesions may be of a cluster, and many have died out."""
    lines, lesions, nodes, _ = ended
    told = {name: numbers[0] for name, numbers in block(lines, "living lesions, single cells too").items()
            if name not in ("", "all", "lesions") and numbers}
    alive = lesions[lesions["n"] > 0]["node"].tolist()
    assert {name: n for name, n in told.items() if n} == {nodes[node]: alive.count(node) for node in set(alive)}
    assert "extravasated" in block(lines, "shed and injected")


def test_the_tables_add_up_to_what_the_series_say(ended):
    lines, _, _, last = ended
    living = block(lines, "cells that live")
    whole = living.pop("all that live")[0]
    assert whole == sum(numbers[0] for numbers in living.values())
    assert {name: living[name][0] for name in ("tissue", "arrested", "lesions")} == {
        name: last[name] for name in ("tissue", "arrested", "lesions")}
    fates = block(lines, "shed and injected")
    assert fates.pop("all that have ended")[0] == sum(numbers[0] for numbers in fates.values())


def test_the_summary_fits_80_columns_and_breaks_no_word(ended):
    lines, *_ = ended
    out = next(line for line in lines if line.startswith("results in "))
    assert all(len(line) <= sheets.WIDTH for line in lines if line != out)
    assert any("cells shed by" in re.sub(" +", " ", line) or "them" in line.split() for line in lines)


def test_a_lumped_tumor_is_told_as_such_and_not_as_a_lesion(tmp_path):
    config = {"run": {"duration": "2 days", "step": "1 day"}, "output": {"interval": "1 day", "checkpoint": "1 day"},
              "tumor": {"cells": 1, "lumped": True}, "lumped": {"capacity": 1}}
    lines, results = said_at_the_end(lambda: api.Simulation(config), tmp_path / "run")
    results.close()
    told = [line.split()[0] for line in lines if line.strip()]
    text = re.sub(r"\s+", " ", " ".join(lines))
    assert "lumped 1 cell in the tumor, without space (started with 1; 0 divisions, 0 deaths)" in text
    assert "tumor" not in told and "living" not in told
    assert "2 days in 2 steps" in text and "on 1 rank, at most" in text
