"""Checkpoints that a run keeps for good: when, under which names, and how a branch picks one."""
import itertools
import re
import shutil

import pytest

import small
from killed import dies_at
from metacascade.base.errors import InputError
from metacascade.config.config import load
from metacascade.io import checkpoint, kept, output, ownership
from metacascade.ranks.parallel import serial_world
from metacascade.run import commands
from metacascade.run.api import Simulation, branch
from metacascade.run.estimate import expected
from states import whole_state

WORLD = serial_world()
CELLS = ["run.step=1 h", "run.long_step=1 h", "run.duration=12 h", "output.interval=4 h", "output.checkpoint=6 h",
         "draw=[]", 'injection=[{node="venous", cells=2000}]', "colonization.clonogenic=0.5", "colonization.start=3/day"]
KEPT = {"checkpoint.18000s.h5", "checkpoint.21600s.h5"}
LAST = {"checkpoint.h5", "checkpoint.prev.h5", "results.h5"}


def new(*settings):
    return Simulation(small.EXAMPLE.parent / "injection_liver.toml", [*CELLS, *settings])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run that kept two checkpoints: one at a time when nothing else was due, and one of those due anyway."""
    out = tmp_path_factory.mktemp("kept") / "run"
    new('output.keep=["5 h", "6 h"]').run(out)
    return out


def names(directory):
    return {path.name for path in directory.iterdir()} - {"run.lock"}


def times(directory):
    return {path.name: checkpoint.meta_of(path)["time_s"] for path in kept.found(directory).values()}


def test_kept_checkpoints_are_those_of_their_times(run):
    assert names(run) == KEPT | LAST
    assert times(run) == {"checkpoint.18000s.h5": 18000, "checkpoint.21600s.h5": 21600}


def test_results_do_not_know_of_checkpoints_that_are_kept(run, tmp_path):
    """But for the order of the rows of /shed, which is by id in each part, as with another `output.checkpoint`."""
    new().run(tmp_path / "run")
    assert small.content(tmp_path / "run", ordered=True) == small.content(run, ordered=True)


def test_an_interval_keeps_one_at_each_multiple(tmp_path):
    new('output.keep="5 h"').run(tmp_path / "run")
    assert set(times(tmp_path / "run").values()) == {5 * 3600, 10 * 3600}


def test_a_long_step_without_tissue_ends_where_a_checkpoint_is_kept(tmp_path):
    new('output.keep=["5 h"]', 'run.long_step="12 h"').run(tmp_path / "run")
    assert set(times(tmp_path / "run").values()) == {5 * 3600}


def test_a_branch_at_a_time_ends_as_the_run_that_went_on(run, tmp_path, capsys):
    commands.branch(run, tmp_path / "b", at_s=5 * 3600)
    assert output.digest_of(tmp_path / "b") == output.digest_of(run)
    assert names(tmp_path / "b") == LAST | {"checkpoint.21600s.h5"}, "its first checkpoint is kept by its parent already"


def test_the_last_checkpoints_are_picked_by_their_times_too(run):
    assert kept.at(run, 12 * 3600) == run / "checkpoint.h5"


def test_a_kept_checkpoint_under_the_name_of_another_is_refused(run, tmp_path):
    shutil.copytree(run, tmp_path / "a")
    shutil.copy(run / "checkpoint.21600s.h5", tmp_path / "a" / "checkpoint.18000s.h5")
    with pytest.raises(InputError, match="checkpoint.18000s.h5 is of 6 h, not of 5 h, as its name says"):
        branch(tmp_path / "a", tmp_path / "b", at="5 h")
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("at, told", [
    ("4.9999 h", "17999.64 s; the nearest is that of 5 h"), ("0.2083333333 days", "17999.99999712 s; the nearest is that of 5 h"),
    ("1.5 s", "1.5 s; the nearest is that of 5 h"), ("1e-300 s", "1e-300 s; the nearest")])
def test_a_time_of_no_whole_seconds_is_one_that_none_has(run, tmp_path, at, told):
    with pytest.raises(InputError, match=f"has no checkpoint of .*{re.escape(told)}"):
        branch(run, tmp_path / "b", at=at)


def test_a_time_that_none_has_is_refused_with_those_that_there_are(run, tmp_path):
    with pytest.raises(InputError, match="no checkpoint of 7 h; the nearest is that of 6 h; there are 5 h, 6 h, 12 h"):
        commands.branch(run, tmp_path / "b", at_s=7 * 3600)
    with pytest.raises(InputError, match="is not the directory of a run: --at"):
        commands.branch(run / "checkpoint.h5", tmp_path / "b", at_s=7 * 3600)
    assert not (tmp_path / "b").exists()


def test_info_tells_the_times(run, capsys):
    assert [*output.describe(run)][-1].startswith("checkpoints kept: 5 h, 6 h; metacascade branch")


def test_many_times_are_told_by_the_first_and_the_last(tmp_path):
    for day in range(1, 31):
        (tmp_path / kept.name(day * 86400)).touch()
    assert "9 days, 10 days, ..., 30 days;" in kept.told(tmp_path)


def test_overwrite_removes_them_with_the_rest_of_a_run(run, tmp_path):
    shutil.copytree(run, tmp_path / "run")
    for path in ownership.of_a_run(tmp_path / "run"):
        path.unlink()
    assert names(tmp_path / "run") == set()


def test_a_run_that_stopped_and_goes_on_keeps_the_same(run, tmp_path):
    """Stopped at 4 h, before the first, with a finished run of 4 h whose end is neither."""
    new('output.keep=["5 h", "6 h"]', "run.duration=4 h").run(tmp_path / "run")
    commands.resume(tmp_path / "run", ["run.duration=12 h"])
    assert names(tmp_path / "run") == KEPT | LAST
    for path in kept.found(run).values():
        there = tmp_path / "run" / path.name
        assert checkpoint.digest_of(there) == checkpoint.digest_of(path)


def test_a_write_killed_anywhere_has_the_kept_one_before_the_newest(tmp_path):
    """So that a run which goes on from the newest need not look whether it is there."""
    state = whole_state(tiles=2, ctcs=10, lesions=3)
    for call in itertools.count(1, 5):
        directory = tmp_path / str(call)
        directory.mkdir()
        killed = dies_at(call, lambda: checkpoint.write(WORLD, directory, state, kept.name(7)))
        if (directory / "checkpoint.h5").exists():
            assert checkpoint.read(WORLD, kept.found(directory)[7]).meta == state.meta
        ownership.remove_leftovers(directory)
        assert names(directory) <= {"checkpoint.h5", kept.name(7)}
        if not killed:
            break
    assert call > 20 and names(directory) == {"checkpoint.h5", kept.name(7)}


def test_where_there_are_no_links_it_is_copied(tmp_path, monkeypatch):
    def no_links(*_):
        raise PermissionError
    monkeypatch.setattr("os.link", no_links)
    checkpoint.write(WORLD, tmp_path, whole_state(tiles=2), kept.name(7))
    assert (tmp_path / kept.name(7)).read_bytes() == (tmp_path / "checkpoint.h5").read_bytes()
    assert not (tmp_path / kept.name(7)).samefile(tmp_path / "checkpoint.h5")


@pytest.mark.parametrize("keep, outputs, many", [('["5 h", "6 h"]', 6, 2), ('"5 h"', 7, 2), ("[]", 5, 0)])
def test_what_they_cost_is_told_before_the_run(keep, outputs, many):
    """Parts at 0, 4, 6, 8 and 12 h; at 5 h and at 10 h only for what is kept."""
    needs = expected(load(small.EXAMPLE.parent / "injection_liver.toml", [*CELLS, f"output.keep={keep}"]))
    assert (needs.outputs, needs.kept) == (outputs, many)
    assert ("kept" in needs.texts()) == (many > 0)


@pytest.mark.parametrize("keep, message", [
    ('["5 h", "90 min"]', "90 min is not a multiple of run.step = 1 h"), ('"90 min"', "90 min is not a multiple"),
    ('["5 h", "0 s"]', "must be a quantity, or a list of them, each from 1 s to"), ("5", "needs a unit"),
    (str([f"{h} h" for h in range(1, 1002)]).replace("'", '"'), "at most 1000 times; write an interval for more")])
def test_what_is_no_time_of_a_checkpoint_is_refused(keep, message):
    with pytest.raises(InputError, match=message):
        new(f"output.keep={keep}")


def test_a_time_after_the_end_is_told():
    warned = load(small.EXAMPLE, [*CELLS, 'output.keep=["5 h", "13 h"]']).warnings
    assert [line for line in warned if "keep" in line] == [
        "output.keep = 13 h is after the end of the run: no checkpoint is kept then"]


def test_a_config_with_kept_times_is_written_and_read_as_it_was():
    for keep in ('["6 h", "5 h", "6 h"]', '"5 h"'):
        config = load(small.EXAMPLE, [*CELLS, f"output.keep={keep}"])
        assert type(config).from_dict(config.to_dict()) == config and f"keep = {keep}".replace(
            '"6 h", "5 h", "6 h"', '"5 h", "6 h"') in config.to_toml()
