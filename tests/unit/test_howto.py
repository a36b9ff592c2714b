"""docs/howto.md: its commands, on smaller tumors, are accepted and print what answers the question."""
import re
import shlex
from pathlib import Path

import pytest

import small
from metacascade.run.api import Simulation

PAGE = (Path(__file__).parents[2] / "docs" / "howto.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
FEW = (("replicates = 6", "replicates = 2"), ("replicates = 3", "replicates = 2"), ("samples = 24", "samples = 6"),
       ("tumor.cells = 5_000", "tumor.cells = 300"), ("cells = 2000", "cells = 20"), ("cells = 5_000", "cells = 500"),
       ('"8 days"', '"6 h"'), ('"6 days"', '"6 h"\ntumor.cells = 300'), ('"5 days"', '"3 h"'), ('"2 days"', '"1 h"'),
       ('"600 days"', '"4 days"'), ('"50 days"', '"1 day"'), ('"10 days"', '"1 day"'))
SMALLER = {"run": ["--set", "run.duration=60 days", "--set", "output.interval=20 days", "--set", "output.checkpoint=60 days"]}
ANSWERS = {         # question: what stands before the number that answers it
    "early resection": r"lesions_lung \[lesions\]\n  stays .*\n  day 5 +\d.*\d\.\.\d.*\d\.\.\d",
    "EGFR": r"vegf_mean\n  neither +\S.*\n  EGFR inhibitor +\S[\s\S]*lesions_bone .*\n  without +\d.*\n  SRC inhibitor +\d",
    "7.5 mL": r"60 d +[\d.e-]+ +7\.5 +[\d.e-]+ ",
    "founders": r"\n  core +\d+ +\d\.\d+ +\d+ ",
    "clone": r"\n  tumor +-> lung +\d+ +\d+\n[\s\S]*founded\n  \w+ +\d+  \w+ +\d+  \w+",
    "matters": r"lesions_lung: rank correlation .*\n  \S+ +-?\d\.\d\d"}


def blocks(section, kind):
    return re.findall(rf"```{kind}\n(.*?)```", section, re.DOTALL)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A run in place of the demo."""
    out = tmp_path_factory.mktemp("demo") / "run"
    Simulation(small.EXAMPLE, small.settings(tumor__cells=3000)).run(out)
    return out


@pytest.mark.parametrize("words", ANSWERS)
def test_a_question_is_answered_by_its_commands(words, tmp_path, metacascade, demo):
    [section] = [text for question, text in SECTIONS.items() if words in question]
    if words == "matters":
        pytest.importorskip("SALib")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "demo").symlink_to(demo)
    for text in blocks(section, "toml"):
        for many, few in FEW:
            text = text.replace(many, few)
        (tmp_path / re.match(r"# (\S+)", text)[1]).write_text(text)
    commands, said = [line for block in blocks(section, "sh") for line in block.splitlines()], ""
    assert 0 < len(commands) <= 3
    for command in commands:
        if command != "bash jobs/demo.sh":
            _, *arguments = shlex.split(command)
            said += metacascade(*arguments, *SMALLER.get(arguments[0], []), cwd=tmp_path, check=True, timeout=240).stdout
    assert re.search(ANSWERS[words], said)


def test_every_question_of_the_page_is_tested():
    assert len(SECTIONS) == len(ANSWERS)
