"""Every command that starts or prepares a run makes the same checks of its config, and says the same."""
import numpy as np
import pytest

import metacascade as mc
from metacascade.__main__ import main
from metacascade.base.limits import MOST_STEPS
from metacascade.cli import app
from metacascade.model.simulation import Simulation
from metacascade.ranks import parallel
from metacascade.run import commands

CONFIG = """
[run]
step = "1 h"
duration = "4 h"
[output]
interval = "1 h"
checkpoint = "1 h"
[tumor]
cells = 300
[oxygen]
initial_sweeps = 5
[crowding]
enabled = false
mobility = "2000 um^2/h"
[blood]
nk = "9/h"
[hypoxia]
full = "2 mmHg"
[[draw]]
time = "5 h"
[[injection]]
time = "2 h"
cells = 10
duration = "4 h"
"""
ALWAYS = ("blood.nk = 9/h is outside the usual range",           # unusual
          "draw[0].time = 5 h is after the end of the run",      # never happens
          "injection[0] lasts until 6 h, beyond the end of the run at 4 h")
EFFECT = "crowding.mobility: without effect (crowding.enabled = false)"
WRONG, REFUSED = "hypoxia.full=9 mmHg", "hypoxia.full = \"9 mmHg\": must be less than hypoxia.threshold = 5 mmHg"
NOT_A_RUN = {"init", "schema", "completion", "doctor", "info", "watch", "cascade", "report", "digest",  # they start and prepare nothing
             "scaling project",
             "reproduce", "cohort",                                     # only configs of the package, or of its own
             "soil", "efficiency"}                                      # cells in the blood alone, and none
STARTS = {
    "check": ["check", "CONFIG"], "run": ["run", "CONFIG", "--out", "OUT"],
    "run --dry-run": ["run", "CONFIG", "--out", "OUT", "--dry-run"],
    "submit": ["submit", "CONFIG", "--out", "OUT", "--time", "1 h", "--dry-run"],
    "sweep": ["sweep", "SWEEP", "--out", "OUT", "--dry-run"],
    "arms": ["arms", "ARMS", "--out", "OUT", "--dry-run"],
    "scaling strong": ["scaling", "strong", "CONFIG", "--ranks", "1", "--out", "OUT", "--steps", "1", "--warm", "0"],
    "scaling weak": ["scaling", "weak", "CONFIG", "--ranks", "1", "--out", "OUT", "--steps", "1", "--warm", "0"],
    "bench": ["bench", "CONFIG", "--steps", "1", "--warm", "0"]}
GO_ON = {"branch", "resume"}


@pytest.fixture
def start(tmp_path, stand_in, monkeypatch, capsys):
    """``start(command, *settings)``: what it printed on stderr, and its exit code."""
    stand_in(sbatch="#!/bin/sh\n", sinfo='#!/bin/sh\necho "debug* 2 12 1024+"\n')
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "run.toml").write_text(CONFIG)

    def start(command, *settings):
        fixed = "".join(f"{setting.split('=')[0]} = \"{setting.split('=')[1]}\"\n" for setting in settings)
        (tmp_path / "sweep.toml").write_text(f'config = "run.toml"\n[set]\n{fixed}[vary]\ntumor.cells = [300]\n')
        (tmp_path / "arms.toml").write_text(f'base = "run.toml"\n[set]\n{fixed}[[arm]]\nname = "control"\n')
        names = dict(CONFIG=tmp_path / "run.toml", SWEEP=tmp_path / "sweep.toml", ARMS=tmp_path / "arms.toml",
                     OUT=tmp_path / "out")
        words = [names.get(word, word) for word in STARTS[command]]
        if command not in ("sweep", "arms"):
            words += [word for setting in settings for word in ("--set", setting)]
        code = main(list(map(str, words)))
        return code, capsys.readouterr().err
    return start


def test_every_command_is_among_them():
    import typer
    commands = typer.main.get_command(app.app).commands
    names = {f"{name} {inner}".strip() for name, command in commands.items()
             for inner in getattr(command, "commands", {"": None})}
    assert names == NOT_A_RUN | GO_ON | STARTS.keys() - {"run --dry-run"}


@pytest.mark.parametrize("command", STARTS)
def test_a_command_says_all_that_check_says(start, command):
    code, said = start(command)
    assert code == 0, said
    assert [line for line in (*ALWAYS, EFFECT) if line not in said] == []


@pytest.mark.parametrize("command", STARTS)
def test_a_command_refuses_all_that_check_refuses(start, command):
    code, said = start(command, WRONG)
    assert code == 2 and REFUSED in said


def test_the_python_interface_says_and_refuses_the_same(tmp_path, capsys):
    (tmp_path / "run.toml").write_text(CONFIG)
    for config in tmp_path / "run.toml", mc.load(tmp_path / "run.toml"):
        for settings in ([], ["run.seed=2"]):
            mc.Simulation(config, settings)
            said = capsys.readouterr().err
            assert [line for line in (*ALWAYS, EFFECT) if said.count(line) != 1] == []
        with pytest.raises(mc.InputError, match="hypoxia.full"):
            mc.Simulation(config, [WRONG])


@pytest.fixture
def stopped(tmp_path, metacascade):
    """A run that stopped after its first step, at 1 h."""
    (tmp_path / "run.toml").write_text(CONFIG)
    done = metacascade("run", tmp_path / "run.toml", "--out", tmp_path / "a", "--wall-limit", "0.001 s")
    assert done.returncode == 75, done.stderr
    return tmp_path / "a"


def test_resume_and_branch_say_it_too(stopped, tmp_path, metacascade):
    branched = metacascade(
        "branch", stopped / "checkpoint.h5", "--out", tmp_path / "b", "--set", "injection.0.time=30 min",
        "--set", "traits.motile_fraction=0.5", "--set", "crowding.mobility=3000 um^2/h", check=True)
    for line in ("blood.nk = 9/h is outside", "injection[0].time = 30 min is before 1 h, where this run starts", EFFECT,
                 "traits.motile_fraction: without effect (of the start of a run"):
        assert branched.stderr.count(line) == 1, line
    resumed = metacascade("resume", stopped, check=True)
    assert [line for line in ALWAYS if resumed.stderr.count(line) != 1] == []
    wrong = metacascade("branch", stopped / "checkpoint.h5", "--out", tmp_path / "c", "--set", WRONG)
    assert wrong.returncode == 2 and REFUSED in wrong.stderr


@pytest.mark.parametrize("setting, told", [
    ('surgery.0={time = "1 h"}', "surgery[0].time = 1 h: is not after 1 h, where the branch starts"),
    ('radiation.0={time = "30 min"}', "radiation[0].time = 30 min: is not after 1 h"), ("draw.0.time=1 h", "draw[0].time = 1 h: is")])
def test_a_branch_refuses_what_would_not_happen_in_it(stopped, tmp_path, metacascade, setting, told):
    done = metacascade("branch", stopped / "checkpoint.h5", "--out", tmp_path / "b", "--set", setting, "--set", "run.step=30 min")
    assert done.returncode == 2 and told in done.stderr and not (tmp_path / "b").exists()


def test_a_run_after_steps_in_python_says_what_it_has_no_row_of(tmp_path, capsys):
    (tmp_path / "run.toml").write_text(CONFIG)
    sim = mc.Simulation(tmp_path / "run.toml", ["draw.0.time=2 h"])
    sim.step(3)
    capsys.readouterr()
    assert len(sim.run(tmp_path / "out").draws) == 0
    assert "draw[0].time = 2 h is not after 3 h" in capsys.readouterr().err


# --- the number of a step --------------------------------------------------------------------------------------

@pytest.fixture
def late_state(stopped, monkeypatch):
    """The checkpoint of `stopped`, as if so many steps lay behind it that one more is the last possible."""
    read = commands.checkpoint.read

    def numbered(*arguments):
        saved = read(*arguments)
        saved.meta["step"] = MOST_STEPS - 1
        return saved
    monkeypatch.setattr(commands.checkpoint, "read", numbered)
    monkeypatch.setattr(commands.checkpoint, "read_newest", lambda world, path: (
        numbered(world, path / "checkpoint.h5"), path, ""))
    return stopped


def test_more_steps_than_random_numbers_can_count_are_refused_before_the_first(late_state, tmp_path, capsys):
    out = ["--out", str(tmp_path / "late")]
    for words in (["resume", str(late_state)], ["branch", str(late_state / "checkpoint.h5"), *out]):
        assert main(words) == 2
        said = capsys.readouterr().err
        assert "takes 4,294,967,298 steps; at most 4,294,967,296 are possible" in said and "run.step longer" in said
    assert not (tmp_path / "late").exists()


def test_the_last_possible_step_is_made_and_no_other(stopped):
    world = parallel.start()
    saved = commands.checkpoint.read(world, stopped / "checkpoint.h5")
    saved.meta["step"] = MOST_STEPS - 1
    sim = Simulation(commands.config.Config.from_dict(saved.meta["config"]), world, saved=saved)
    sim.step()
    assert sim.step_number == MOST_STEPS == np.iinfo(np.uint32).max + 1
    with pytest.raises(mc.InputError, match="4,294,967,296 steps are done"):
        sim.step()
