"""The public names of the package: `metacascade.Simulation`, `metacascade.open`."""
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import metacascade as mc
from conftest import environment
from metacascade import commands

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
            "print([m for m in ('numpy', 'h5py', 'mpi4py', 'pydantic', 'metacascade.api') if m in sys.modules])")
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
        assert shed["n"].sum() == results.series["shed"][-1] > 0
        assert np.isin(shed["fate"], list(results.names("shed")["fate"])).all()
    assert Path(results.path).name == "results.h5"


def test_a_run_that_died_in_its_first_step_is_resumed_without_a_second_first_row(toml, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("metacascade.simulation.Simulation.step", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            mc.Simulation(toml).run(tmp_path / "out")
    with commands.signals_kept():
        assert commands.resume(tmp_path / "out") == 0
    assert mc.open(tmp_path / "out").series["step"].tolist() == [0, 2, 4, 6]


def test_a_branch_refuses_steps_that_would_miss_the_times_of_output(toml, tmp_path):
    mc.Simulation(toml, ["run.duration=3 h", "output.interval=3 h"]).run(tmp_path / "out")
    with pytest.raises(mc.InputError, match="the checkpoint is at 10800 s, which must be a multiple of the step"):
        commands.branch(tmp_path / "out" / "checkpoint.h5", tmp_path / "branch", overrides=[
            "run.step=2 h", "run.duration=8 h", "output.interval=2 h", "output.checkpoint=4 h"])
