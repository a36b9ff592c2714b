"""Killed at any call to the file system, a run goes on from whole files and ends with the same results."""
import itertools
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from killed import dies_at
from metacascade.io import checkpoint, joins
from metacascade.io.output import Output, reopen
from metacascade.io.ownership import remove_leftovers
from metacascade.io.rundirectory import finished, tidy
from metacascade.ranks.parallel import serial_world
from metacascade.state.digest import digest
from metacascade.state.observed import layouts
from metacascade.state.state import CTC, LESION
from states import random_records, whole_state

WORLD = serial_world()
STEPS, SHORT = 9, 5                # both odd: the last part is early, and another length has no part there
COLUMNS = {"step": (int, "1"), "radius_um": (float, "um")}


@pytest.fixture(autouse=True)
def joined_early(monkeypatch):
    """Two parts of a level become one, so that a short run joins some and is killed while it does."""
    monkeypatch.setattr(joins, "FAN", 2)


@pytest.fixture
def fast_directory(tmp_path_factory):
    """A directory in memory if there is one: each kill syncs some dozens of files."""
    directory = tmp_path_factory.mktemp("killed")
    memory = Path("/dev/shm")
    if memory.is_dir():
        directory = memory / f"metacascade-{directory.parent.name}-{directory.name}"
        directory.mkdir()
    yield directory
    shutil.rmtree(directory)


def at_step(step):
    state = whole_state(tiles=2, ctcs=10, lesions=3)
    state.meta.update(step=step, parts=0)
    return state


@pytest.mark.parametrize("every", [7, pytest.param(1, marks=pytest.mark.slow)])
def test_a_write_killed_anywhere_leaves_the_former_or_the_new_checkpoint(fast_directory, every):
    for step in (1, 2):
        checkpoint.write(WORLD, fast_directory, at_step(step))
    for call in itertools.count(1, every):
        killed = dies_at(call, lambda: checkpoint.write(WORLD, fast_directory, at_step(3)))
        state, _, remark = checkpoint.read_newest(WORLD, fast_directory)
        former = checkpoint.read(WORLD, fast_directory / "checkpoint.prev.h5")
        steps = former.meta["step"], state.meta["step"]
        assert remark is None and steps in {(1, 2), (2, 2), (2, 3)}
        if not killed:
            break
        remove_leftovers(fast_directory)
        assert sorted(p.name for p in fast_directory.iterdir()) == ["checkpoint.h5", "checkpoint.prev.h5"]
        for step in (1, 2):
            checkpoint.write(WORLD, fast_directory, at_step(step))
    assert call > 20 and steps == (2, 3)


def run_or_resume(directory, steps=STEPS):
    """A run of some steps that saves itself at every second and at its end, in the order that a simulation keeps."""
    if finished(directory):
        tidy(directory)
        return
    text, state = "as given", at_step(0)
    if any(directory.glob("checkpoint*.h5")):
        state, text = checkpoint.read_newest(WORLD, directory)[0], None
        steps = state.meta["config"]["steps"]
    state.meta["config"] = {"steps": steps}
    to_the_end(directory, state, opened(directory, state, text))


def opened(directory, state, text=None):
    return Output(WORLD, directory, config_text=text, config={"a": 1}, columns=COLUMNS, tables=layouts(), nodes=["tumor"],
                  provenance={}, first_part=state.meta["parts"])


def extend(directory, steps):
    """Let the finished run in `directory` go on to so many steps, in the order of `metacascade resume --set`."""
    state = checkpoint.read_newest(WORLD, directory)[0]
    if finished(directory):
        reopen(WORLD, directory, COLUMNS, layouts(), state.meta["parts"])
    output = opened(directory, state)
    state.meta.update(config={"steps": steps}, parts=output.parts.count)
    checkpoint.write(WORLD, directory, state)
    output.checkpointed()
    to_the_end(directory, state, output)


def to_the_end(directory, state, output):
    """Every second step is an output; a checkpoint there, or at the end, in which case its part is early."""
    steps = state.meta["config"]["steps"]
    for step in range(state.meta["step"], steps):
        if step % 2 == 0:
            output.record({"step": step, "radius_um": 0.5 * step})
        output.shed(random_records(np.random.default_rng(step), CTC, 5 * step))
        output.draw(time_s=step, index=0, node=0, volume_mL=1.0, singles=1, clusters=0, cells=1)
        if step % 2 == 1 or step == steps - 1:
            state.meta.update(step=step + 1, parts=output.flush(early=step % 2 == 0))
            checkpoint.write(WORLD, directory, state)
            output.checkpointed()
    output.flush(early=steps % 2 == 1)
    rng = np.random.default_rng(99)
    output.finish(open_ctcs=random_records(rng, CTC, 3), lesions=random_records(rng, LESION, 2),
                  digest=digest(WORLD, state), wall_s={})


def content(path):
    """Every dataset of a file but those that tell of the sessions."""
    found = {}
    with h5py.File(path) as h5:
        h5.visititems(lambda name, item: found.update({name: (item.dtype, item[()].tobytes())})
                      if isinstance(item, h5py.Dataset) and not name.startswith(("provenance", "config")) else None)
    return found


def goes_on(directory, call, expected):
    """Kill a run at its `call`-th call, resume it and compare; False if it was not killed."""
    killed = dies_at(call, lambda: run_or_resume(directory))
    run_or_resume(directory)
    assert content(directory / "results.h5") == expected
    run_or_resume(directory)          # removes what a kill after the end left behind
    left = {path.name for path in directory.rglob("*")} - {"run.lock"}
    assert left == {"checkpoint.h5", "checkpoint.prev.h5", "results.h5"}
    shutil.rmtree(directory)
    directory.mkdir()
    return killed


@pytest.fixture
def expected(fast_directory):
    run_or_resume(fast_directory)
    found = content(fast_directory / "results.h5")
    shutil.rmtree(fast_directory)
    fast_directory.mkdir()
    return found


def test_a_run_killed_here_and_there_ends_with_the_same_results(fast_directory, expected):
    calls = itertools.takewhile(lambda call: goes_on(fast_directory, call, expected), range(1, 100_000, 149))
    assert len(list(calls)) > 2


@pytest.fixture
def short(fast_directory, expected, tmp_path_factory):
    """The directory of a finished run of fewer steps, and its results."""
    directory = tmp_path_factory.mktemp("short") / "run"
    run_or_resume(fast_directory, SHORT)
    shutil.copytree(fast_directory, directory)
    shutil.rmtree(fast_directory)
    return directory


def extends(short, directory, call, expected):
    """Kill a run that is made longer at its `call`-th call; False if it was not killed."""
    shutil.copytree(short, directory)
    killed = dies_at(call, lambda: extend(directory, STEPS))
    run_or_resume(directory)                    # if it is not finished
    assert content(directory / "results.h5") in (content(short / "results.h5"), expected)
    extend(directory, STEPS)
    assert content(directory / "results.h5") == expected
    assert {path.name for path in directory.rglob("*")} == {"checkpoint.h5", "checkpoint.prev.h5", "results.h5"}
    shutil.rmtree(directory)
    return killed


def test_a_finished_run_that_is_made_longer_and_killed_is_one_of_the_two(fast_directory, short, expected):
    calls = itertools.takewhile(lambda call: extends(short, fast_directory, call, expected), range(1, 100_000, 149))
    assert len(list(calls)) > 2
    fast_directory.mkdir()


@pytest.mark.slow
def test_a_finished_run_that_is_made_longer_and_killed_anywhere_is_one_of_the_two(fast_directory, short, expected):
    calls = itertools.takewhile(lambda call: extends(short, fast_directory, call, expected), itertools.count(1))
    assert len(list(calls)) > 100
    fast_directory.mkdir()


@pytest.mark.slow
def test_a_run_killed_anywhere_ends_with_the_same_results(fast_directory, expected):
    calls = itertools.takewhile(lambda call: goes_on(fast_directory, call, expected), itertools.count(1))
    assert len(list(calls)) > 100
