"""What a run says at its end."""
import re

import pytest

import small
from metacascade.run import api


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """The report of the small run with everything in it, and its lesions."""
    lines = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("metacascade.run.run.say", lambda world, line: lines.extend(line.splitlines()))
        results = api.Simulation(small.EXAMPLE, small.settings()).run(tmp_path_factory.mktemp("summary") / "run")
    with results:
        return lines, results.lesions[:], dict(results.names("lesions")["node"])


def test_lesions_are_told_by_organ_apart_from_cells_by_fate(ended):
    """The fate "extravasated" counts cells; several lesions may be of a cluster, and many have died out."""
    lines, lesions, nodes = ended
    told = dict(re.fullmatch(r"    (\S+) +([\d,]+), [\d,]+ of them divide, .*", line).groups() for line in
                lines[lines.index("  single cells and lesions that live, by organ") + 1:] if " of them divide, " in line)
    alive = lesions[lesions["n"] > 0]["node"].tolist()
    assert {name: int(n.replace(",", "")) for name, n in told.items()} == {
        nodes[node]: alive.count(node) for node in set(alive)}
    assert "  shed and injected cells (numbers of cells) by fate and organ" in lines


def test_a_lumped_tumor_is_told_as_such_and_not_as_a_lesion(tmp_path):
    lines = []
    config = {"run": {"duration": "2 days", "step": "1 day"}, "output": {"interval": "1 day", "checkpoint": "1 day"},
              "tumor": {"cells": 1, "lumped": True}, "lumped": {"capacity": 1}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("metacascade.run.run.say", lambda world, line: lines.extend(line.splitlines()))
        api.Simulation(config).run(tmp_path / "run").close()
    told = [line.split()[0] for line in lines]
    assert "  lumped    1 cells in the tumor, without space (started with 1; 0 divisions, 0 deaths)" in lines
    assert "tumor" not in told and "single" not in told
