"""The public names of the package: `metacascade.Simulation`, `metacascade.open`."""
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import metacascade as mc
from conftest import environment
from metacascade.base import stopsignals
from metacascade.run import commands

CONFIG = """
[run]
step = "1 h"
duration = "6 h"
[output]
interval = "2 h"
checkpoint = "3 h"
[tumor]
cells = 3000
[vessels]
length_density = "200 mm/mm^3"
[intravasation]
hazard = "0.3/day"
"""
PROGRAM = """
import sys
import metacascade as mc
sim = mc.Simulation(sys.argv[1], ["run.seed=5"])
sim.step(2)
results = sim.run(sys.argv[2])
digest = sim.digest()
if sim.world.rank == 0:
    print(sim.ledger["tissue"], results.series["tissue"][-1], digest == results.digest, digest, flush=True)
"""


@pytest.fixture
def toml(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text(CONFIG)
    return path


def test_importing_the_package_loads_nothing_heavy():
    code = ("import sys, metacascade; "
            "print([m for m in ('numpy', 'h5py', 'mpi4py', 'pydantic', 'metacascade.run.api') if m in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], env=environment(), check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"


def test_public_names_exist_and_others_are_an_attribute_error():
    assert all(hasattr(mc, name) for name in mc.__all__) and set(mc.__all__) <= set(dir(mc))
    with pytest.raises(AttributeError, match="metacascade' has no attribute 'Simulator'"):
        mc.Simulator


def test_steps_change_the_ledger_and_write_no_file(toml):
    sim = mc.Simulation(toml)
    assert sim.ledger["tissue"] == 3000 and sim.time_h == 0
    sim.step(3)
    assert sim.time_h == 3 and sim.ledger["initial"] == 3000 and sim.ledger["passages"] > 0
    assert list(toml.parent.iterdir()) == [toml]


def test_a_run_gives_its_results_and_ends_in_the_state_of_as_many_steps(toml):
    sim, stepped = mc.Simulation(toml), mc.Simulation(mc.load(toml))
    results = sim.run(toml.parent / "out")
    stepped.step(6)
    assert results.complete and results.config_text == CONFIG
    assert results.digest == sim.digest() == stepped.digest()
    assert results.series["time_s"].tolist() == [0, 7200, 14400, 21600]
    assert sim.ledger == stepped.ledger and sim.fates == stepped.fates


def test_a_run_after_steps_goes_on_from_there(toml):
    sim, whole = mc.Simulation(toml), mc.Simulation(toml)
    sim.step(2)
    before = sim.digest()
    results = sim.run(toml.parent / "rest")
    whole.step(6)
    assert results.digest == whole.digest() != before
    assert results.series["step"].tolist() == [4, 6]


def test_overrides_act_on_a_file_as_on_a_config(toml):
    file, config = (mc.Simulation(c, ["tumor.cells=2000"]) for c in (toml, mc.load(toml)))
    assert file.config.tumor.cells == 2000 and file.digest() == config.digest() != mc.Simulation(toml).digest()


def test_a_wrong_setting_is_an_input_error_that_names_it(toml):
    with pytest.raises(mc.InputError, match="run.sead.*did you mean 'seed'"):
        mc.Simulation(toml, ["run.sead=5"])


def test_a_directory_is_refused_until_it_may_be_overwritten_and_free_after_a_run(toml):
    sim, out = mc.Simulation(toml), toml.parent / "out"
    digest = sim.run(out).digest
    with pytest.raises(mc.InputError, match="holds files already"):
        mc.Simulation(toml).run(out)
    code = f"import metacascade as mc; print(mc.Simulation({str(toml)!r}).run({str(out)!r}, overwrite=True).digest)"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True)
    assert done.stdout.splitlines()[-1:] == [digest], done.stderr


def test_signals_are_given_back_after_a_run(toml):
    before = signal.getsignal(signal.SIGINT)
    mc.Simulation(toml).run(toml.parent / "out")
    assert signal.getsignal(signal.SIGINT) is before


WHERE = {      # what raises, in the order in which a run gets there
    "the model is made": "metacascade.run.run.Simulation.__init__", "the results begin": "metacascade.io.output.Output._renew",
    "a step": "metacascade.model.simulation.Simulation.step", "a checkpoint": "metacascade.io.checkpoint.write",
    "the end": "metacascade.io.output.Output.finish"}


def held():
    """What a run takes and must give back: handlers of signals, threads, open files."""
    return ([signal.getsignal(number) for number in stopsignals.ALL], threading.enumerate(),
            sorted(os.readlink(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd")
                   if os.path.exists(f"/proc/self/fd/{name}")))


@pytest.mark.parametrize("where, error", [*((where, RuntimeError) for where in WHERE), ("a step", KeyboardInterrupt),
                                          ("a checkpoint", KeyboardInterrupt), ("the end", mc.InputError)])
def test_a_run_that_ends_by_an_error_keeps_nothing_and_can_be_called_again(toml, monkeypatch, where, error):
    """As in a notebook, which keeps the traceback, and by it all that was in use."""
    sim, out = mc.Simulation(toml), toml.parent / "out"
    sim.step(2)
    before = held()

    def fail(*_, **__):
        raise error("the magnet failed")
    with monkeypatch.context() as patch:
        patch.setattr(WHERE[where], fail)
        with pytest.raises(error) as kept:
            sim.run(out)
    wait_for_threads(before[1])
    assert held() == before and not (out / "run.lock").exists()
    assert sim.run(out, overwrite=True).complete and sim.time_h == 6 and kept
    wait_for_threads(before[1])
    assert held()[0] == before[0] and not (out / "run.lock").exists()


def wait_for_threads(known):
    """The thread of a watchdog that was told to end needs a moment."""
    for thread in set(threading.enumerate()) - set(known):
        thread.join(10)


def test_a_run_outside_of_the_main_thread_is_like_any_other(toml):
    before, found = held()[0], []
    thread = threading.Thread(target=lambda: found.append(mc.Simulation(toml).run(toml.parent / "out").digest))
    thread.start()
    thread.join(60)
    assert found == [mc.Simulation(toml).run(toml.parent / "alone").digest]
    assert held()[0] == before and not (toml.parent / "out" / "run.lock").exists()


def test_there_a_wall_limit_stops_it_too(toml):
    codes = []
    thread = threading.Thread(target=lambda: codes.append(commands.run(toml, toml.parent / "out", wall_limit_s=1.0)))
    thread.start()
    thread.join(60)
    assert codes == [75] and (toml.parent / "out" / "checkpoint.h5").exists()


def test_a_handler_that_python_cannot_give_back_is_left_alone(toml, monkeypatch):
    def getsignal(number, ask=signal.getsignal):
        return None if number == signal.SIGUSR2 else ask(number)
    monkeypatch.setattr(signal, "getsignal", getsignal)
    set_, original = [], signal.signal
    monkeypatch.setattr(signal, "signal", lambda number, handler: set_.append(number) or original(number, handler))
    mc.Simulation(toml).run(toml.parent / "out")
    assert signal.SIGUSR2 not in set_ and signal.SIGTERM in set_


@pytest.mark.mpi
def test_a_script_may_make_more_simulations_than_mpi_has_communicators(mpirun, tmp_path):
    program = tmp_path / "many.py"
    program.write_text("from metacascade.ranks import parallel\nfor _ in range(2200): world = parallel.start()\n"
                       "everyone = world.sum([1])\nif world.rank == 0: print(everyone)\n")
    assert mpirun(2, program).stdout == "[2]\n"


@pytest.mark.mpi
def test_a_script_gives_the_same_bits_on_two_ranks(mpirun, toml):
    program = toml.parent / "script.py"
    program.write_text(PROGRAM)
    alone, two = (mpirun(n, program, toml, toml.parent / f"out{n}").stdout.splitlines()[-1] for n in (1, 2))
    assert alone == two and alone.split()[0] == alone.split()[1] and alone.split()[2] == "True"


def test_an_open_run_reads_like_arrays(toml):
    mc.Simulation(toml).run(toml.parent / "out")
    with mc.open(toml.parent / "out") as results:
        shed = results.shed[:]
        assert len(shed) == results.series["shed_ctcs"][-1] > 0
        assert np.isin(shed["fate"], list(results.names("shed")["fate"])).all()
    assert Path(results.path).name == "results.h5"


def test_a_run_that_died_in_its_first_step_is_resumed_without_a_second_first_row(toml, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("metacascade.model.simulation.Simulation.step", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            mc.Simulation(toml).run(tmp_path / "out")
    with stopsignals.given_back():
        assert commands.resume(tmp_path / "out") == 0
    assert mc.open(tmp_path / "out").series["step"].tolist() == [0, 2, 4, 6]


def test_a_branch_refuses_steps_that_would_miss_the_times_of_output(toml, tmp_path):
    mc.Simulation(toml, ["run.duration=3 h", "output.interval=3 h"]).run(tmp_path / "out")
    with pytest.raises(mc.InputError, match="the checkpoint is at 10800 s, which must be a multiple of the step"):
        commands.branch(tmp_path / "out" / "checkpoint.h5", tmp_path / "branch", overrides=[
            "run.step=2 h", "run.duration=8 h", "output.interval=2 h", "output.checkpoint=4 h"])


TABLES = {
    "run": {"step": "1 h", "duration": "6 h"}, "output": {"interval": "2 h", "checkpoint": "3 h"},
    "tumor": {"cells": 3000},
    "vessels": {"length_density": "200 mm/mm^3"}, "intravasation": {"hazard": "0.3/day"}}


def test_a_dict_is_the_config_of_a_file_that_says_the_same(toml, tmp_path):
    simulation = mc.Simulation(TABLES)
    assert simulation.config == mc.load(toml) == mc.load(mc.load(TABLES))
    (tmp_path / "kept.toml").write_text(simulation.run(tmp_path / "out").config_text)
    assert mc.load(tmp_path / "kept.toml") == simulation.config


def test_numbers_and_arrays_of_numpy_and_paths_are_those_of_python(tmp_path):
    (tmp_path / "net.csv").write_text("x1")
    given = {"tumor": {"cells": np.int64(3000), "center": np.array(["1 um", "2 um", "3 um"])},
             "draw": ({"node": np.str_("lung")},),
             "migration": {"enabled": np.bool_(False), "bias": np.float32(0.25)},
             "vessels": {"file": tmp_path / "net.csv"}}
    config = mc.load(given)
    assert config.tumor.cells == 3000 and type(config.tumor.cells) is int and config.tumor.center_um == (1, 2, 3)
    assert config.migration.bias == 0.25 and config.migration.enabled is False and config.draw[0].node == "lung"
    assert config.vessels.file == str(tmp_path / "net.csv") and given["tumor"]["cells"].dtype == np.int64


@pytest.mark.parametrize("overrides", [
    "tumor.cells=20_000", ["tumor.cells=20_000"], ("tumor.cells=20_000",), {"tumor.cells": 20_000},
    {"tumor": {"cells": np.int32(20_000)}}])
def test_settings_are_a_text_a_list_or_a_dict_and_keep_what_they_do_not_name(toml, overrides):
    wanted = mc.load(TABLES | {"tumor": {"cells": 20_000, "organ": "lung"}})
    for config in (TABLES | {"tumor": {"cells": 1, "organ": "lung"}}, mc.load(TABLES | {"tumor": {"organ": "lung"}})):
        assert mc.load(config, overrides) == mc.Simulation(config, overrides).config == wanted
    assert mc.load(toml, overrides).with_overrides(overrides, seed=7).run.seed == 7


WRONG_CONFIGS = [None, 0, 1.5, b"", "", [], [("run", {})], {1: 2}, {"tumor": 5}, {"tumor": {"cells": None}},
                 {"tumor": {"cells": 1j}},
                 {"tumor": {"cells": object()}}, {"tumor": {"cells": "\udcff"}}, {"\udcff": 1}, {"run": {"step": 30}},
                 {"tumor.cells": 5},
                 {"tumor": {"cells": np.zeros((2, 2))}}, {"run": {"step": np.float64(30)}},
                 {"tumor": {"cells": 10**5000}}, {"": {}},
                 {"tumor": {"center": {1, 2, 3}}}, {"draw": {}}, {"title": b"bytes"}]
WRONG_SETTINGS = [None, 5, b"run.seed=1", [5], [None], ["run.seed"], "run.seed", "=1", {1: 2}, {"run": 5},
                  {"run.sead": 5}, {"": 1},
                  {"run.seed": "5"}, {"tumor.cells.x": 1}, "title=\udcff", {"run.seed": 1.5}, ".=",
                  "9223372036854775807=1", "\u00b2=1",
                  "run." + "9" * 5000 + "=1", "tumor.cells=0x" + "f" * 9000, "tumor.cells=" + "[" * 5000,
                  "a." * 5000 + "a=1"]


def around(n):
    inside = {}
    for _ in range(n):
        inside = {"a": inside, "b": [inside]}
    return inside


WRONG_CONFIGS += [around(50), around(5), TABLES | {"run": around(31)}]


@pytest.mark.parametrize("number", range(len(WRONG_CONFIGS)))       # pytest itself cannot show some of them
@pytest.mark.parametrize("call", [mc.load, mc.Simulation, mc.Config.from_dict], ids=["load", "Simulation", "from_dict"])
def test_a_wrong_config_is_an_input_error_in_short(call, number):
    with pytest.raises(mc.InputError) as told:
        call(WRONG_CONFIGS[number])
    assert 0 < len(str(told.value)) < 3000


def test_a_dict_in_itself_is_an_input_error():
    inside = {"tumor": {}}
    inside["tumor"]["cells"] = [inside]
    with pytest.raises(mc.InputError, match="config: tumor.cells.*nested too deeply, more than 32 levels"):
        mc.Simulation(inside)


@pytest.mark.parametrize("number", range(len(WRONG_SETTINGS)))
def test_wrong_settings_are_an_input_error_in_short(toml, number):
    wrong = WRONG_SETTINGS[number]
    for call in (lambda: mc.load(toml, wrong), lambda: mc.Simulation(TABLES, wrong),
                 lambda: mc.load(TABLES).with_overrides(wrong)):
        with pytest.raises(mc.InputError) as told:
            call()
        assert 0 < len(str(told.value)) < 1000


@pytest.mark.parametrize("call, told", [
    (lambda sim, out: sim.step(1.5), "steps must be a whole number from 0, not 1.5"),
    (lambda sim, out: sim.step(-1), "not -1"),
    (lambda sim, out: sim.step("3"), 'not "3"'), (lambda sim, out: sim.step(None), "not nothing"),
    (lambda sim, out: sim.run(None), "the directory of a run must be a path, not nothing"),
    (lambda sim, out: sim.run(3), "not 3"),
    (lambda sim, out: sim.run(""), 'must be a path, not ""'),
    (lambda sim, out: sim.run(out, "no"), 'True or False, not "no"'),
    (lambda sim, out: sim.run(out, None), "overwrite must be True or False"),
    (lambda sim, out: mc.open(None), "must be a path"),
    (lambda sim, out: mc.open(0), "must be a path"), (lambda sim, out: mc.open({}), "must be a path")])
def test_a_wrong_argument_is_an_input_error_and_nothing_is_written(toml, tmp_path, call, told):
    with pytest.raises(mc.InputError, match=told):
        call(mc.Simulation(toml), tmp_path / "out")
    assert list(tmp_path.iterdir()) == [toml]


def test_results_say_what_there_is_when_they_are_asked_for_something_else(toml, tmp_path):
    results = mc.Simulation(toml).run(tmp_path / "out")
    assert results.shed[["fate", "node"]].dtype.names == ("fate", "node")
    assert len(results.shed[results.shed["fate"] == 3]) == (results.shed["fate"] == 3).sum()
    assert results.names("config/text") == {}
    for call in (lambda: results[5], lambda: results.units(None), lambda: results.names(3),
                 lambda: results.units("config/text")):
        with pytest.raises(mc.InputError, match="a dataset is named by a text|has no unit"):
            call()
    for call in (lambda: results["fate"], lambda: results.units("series/no"), lambda: results.names("no")):
        with pytest.raises(KeyError, match="; it has .*config, "):
            call()
    results.close()
    for call in (lambda: results.series, lambda: results.shed, lambda: results.units("shed"),
                 lambda: results.config_text):
        with pytest.raises(mc.InputError, match="is closed: open it again"):
            call()


def test_what_a_notebook_shows_says_what_it_is(toml, tmp_path):
    sim = mc.Simulation(toml)
    assert repr(sim).startswith("<simulation ") and ": 0 of " in repr(sim) and sim._model is None
    sim.step(2)
    assert f": {sim.time_h:g} of " in repr(sim)
    results = sim.run(tmp_path / "out")
    assert str(results.path) in repr(results) and "complete: clone_cells, " in repr(results)
    assert repr(results.shed).startswith(f"<table /shed, {len(results.shed):,} rows: id, ")
    shed = results.shed
    results.close()
    assert "closed" in repr(results) and "closed" in repr(shed)


def test_a_column_that_is_not_there_is_told_with_the_nearest(toml, tmp_path):
    series = mc.Simulation(toml).run(tmp_path / "out").series
    with pytest.raises(KeyError, match="no column 'oxygen_men' .did you mean 'oxygen_mean'"):
        series["oxygen_men"]
    with pytest.raises(KeyError, match="no column 3 in /series"):
        series[3]
    assert series.get("oxygen_men") is None and "oxygen_men" not in series
