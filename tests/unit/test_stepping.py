"""A simulation that is stepped, looked at and treated on the way is the one that a config with all of it would be."""
import contextlib
import csv

import numpy as np
import pytest

import metacascade as mc
import small
from metacascade.ranks import exits

CONFIG = {"run": {"step": "1 h", "duration": "8 h"}, "output": {"interval": "2 h", "checkpoint": "4 h"},
          "tumor": {"cells": 3000}, "vessels": {"length_density": "200 mm/mm^3"}, "intravasation": {"hazard": "3/day"},
          "organs": {"lung": {"extravasation_time": "1 h"}}}
THERAPIES = [    # of the blood, of tissue, with a ramp and windows, a drug
    {"rate": "blood.nk", "factor": 20.0, "start": "3 h"},
    {"rate": "tissue.divide", "factor": 0.0, "start": "5 h", "duration": "2 h"},
    {"rate": "lesion.death", "factor": 3.0, "start": "200 min", "duration": "40 min", "every": "2 h", "ramp": "30 min",
     "half_life": "20 min"},
    {"rate": "blood.nk", "where": "lung", "factor": 5.0, "start": "4 h"},
    {"drug": "NK boost", "start": "3 h", "duration": "3 h"}]
PROGRAM = """
import sys
import metacascade as mc
sim = mc.Simulation(sys.argv[1])
sim.observe("motile", lambda sim: (sim.tissue().cells["emt"] > 127).sum())
sim.observe("mean_x", lambda sim: float(sim.tissue().cells["x_um"].sum()))
sim.observe("tissue", lambda sim: sim.ledger["tissue"], summed=False)
for now in sim.steps(every="2 h"):
    if now.time_h == 4:
        now.treat(rate="blood.nk", factor=20)
sim.write_observed(sys.argv[2])
digest = sim.digest()
if sim.world.rank == 0: print(digest, sim.observed["motile"].tolist(), sim.observed["tissue"].tolist())
"""
EXITS = """
import sys, time
import metacascade as mc
sim, mode = mc.Simulation(sys.argv[1]), sys.argv[2]
def looks(sim):
    if mode == "observable" and sim.time_h == 2 and sim.world.rank == 1: raise SystemExit("seen enough")
    return 0
sim.observe("looks", looks)
held = sim.steps(every="2 h") if mode == "held" else iter(())
for now in held: break
if mode == "held": sim.step()
if mode == "held" and sim.world.rank: sys.exit(0)
if mode == "held": time.sleep(4); print("the end of rank", sim.world.rank); sys.exit(0)
for now in sim.steps(every="2 h"):
    if mode == "clean" and now.world.rank == 0: sys.exit()
    if mode == "loop" and now.world.rank == 0: sys.exit(3)
    if mode == "all": sys.exit(5)
    if mode == "done": break
if mode == "before" and sim.world.rank: sys.exit("no")
if mode == "done" and sim.world.rank: sys.exit()
if mode == "before": sim.step()
print("the end of rank", sim.world.rank)
"""


def config_with(*therapies):
    return CONFIG | {"therapy": list(therapies)}


@pytest.fixture(scope="module")
def plain():
    """The digest of a run without therapy, in one go."""
    simulation = mc.Simulation(CONFIG)
    simulation.step(8)
    return simulation.digest()


def test_steps_with_nothing_done_are_those_of_a_run(plain):
    simulation = mc.Simulation(CONFIG)
    stops = [(sim.time_h, sim is simulation) for sim in simulation.steps(every="3 h")]
    assert stops == [(3, True), (6, True), (8, True)] and simulation.digest() == plain


def test_they_go_on_from_where_they_are_to_where_they_are_told():
    simulation = mc.Simulation(CONFIG)
    assert [sim.time_h for sim in simulation.steps(until="2 h")] == [1, 2]
    assert [sim.time_h for sim in simulation.steps(until="5 h", every="2 h")] == [4, 5]
    assert list(simulation.steps(until="5 h")) == []


@pytest.mark.parametrize("therapy", THERAPIES, ids=lambda one: " ".join(str(v) for v in one.values()))
def test_a_treatment_on_the_way_is_the_same_therapy_in_the_config_from_the_start(therapy, plain):
    from_start, on_the_way = mc.Simulation(config_with(therapy)), mc.Simulation(CONFIG)
    from_start.step(8)
    for sim in on_the_way.steps():
        if sim.time_h == 3:
            sim.treat(**therapy)
    assert on_the_way.digest() == from_start.digest() != plain
    assert on_the_way.config == from_start.config


def test_where_everything_happens_several_treatments_are_those_of_the_config():
    more = small.settings(**{"tumor.cells": 4000, "run.duration": "6 h"})
    then = [{"rate": "blood.shear", "factor": 9.0, "start": "2 h"}, {"rate": "oxygen.uptake", "factor": 0.2, "start": "4 h"}]
    on_the_way = mc.Simulation(small.EXAMPLE, more)
    count = len(on_the_way.config.therapy)
    from_start = mc.Simulation(on_the_way.config, [
        f'therapy.{count + i}={{rate = "{one["rate"]}", factor = {one["factor"]}, start = "{one["start"]}"}}' for i, one in enumerate(then)])
    from_start.step(6)
    for sim in on_the_way.steps(until="6 h", every="2 h"):
        for one in then:
            if one["start"] == f"{sim.time_h:g} h":
                sim.treat(**one)
    assert on_the_way.digest() == from_start.digest()


def test_a_run_goes_on_with_the_treatment_and_its_files_tell_it(tmp_path):
    simulation, whole = mc.Simulation(CONFIG), mc.Simulation(config_with(THERAPIES[0]))
    simulation.step(3)
    simulation.treat(rate="blood.nk", factor=20)
    with simulation.run(tmp_path / "run") as results:
        whole.step(8)
        assert results.digest == whole.digest()
        assert results.config["therapy"][0]["factor"] == 20 and 'rate = "blood.nk"' in results.config_text


def test_a_treatment_before_the_first_step_is_one_of_the_config():
    simulation, whole = mc.Simulation(CONFIG), mc.Simulation(config_with({"rate": "tissue.divide", "factor": 0.0}))
    assert simulation.ledger["tissue"] == 3000
    simulation.treat(rate="tissue.divide", factor=0.0)
    simulation.step(2), whole.step(2)
    assert simulation.digest() == whole.digest() and simulation.ledger["divided_tissue"] == 0


@pytest.mark.parametrize("therapy, told", [
    ({"rate": "blood.nkk", "factor": 2}, "no rate of the model .did you mean 'blood.nk'"),
    ({"rate": "growth.division_time", "factor": 2}, "no rate of the model"),
    ({"factor": 2}, "is missing: any name of"),
    ({"rate": "blood.nk", "factor": 2, "start": "1 h"}, "start = 1 h is before 2 h, where the simulation is: what has happened stays"),
    ({"rate": "blood.nk", "factor": -2}, "factor = -2"),
    ({"drug": "aspirin"}, "no class of drugs"),
    ({"rate": "blood.nk", "factor": 2, "duration": 3}, "duration")])
def test_other_treatments_are_refused_in_words_and_change_nothing(therapy, told, plain):
    simulation = mc.Simulation(CONFIG)
    simulation.step(2)
    with pytest.raises(mc.InputError, match=told) as error:
        simulation.treat(**therapy)
    assert "--set" not in str(error.value)
    simulation.step(6)
    assert simulation.digest() == plain


def test_settings_are_told_by_the_name_that_they_are_given():
    config, settings = mc.load(CONFIG), ['therapy.0={rate = "blood.nkk", factor = 2}', "run.step = 7"]
    with pytest.raises(mc.InputError) as error:
        config.with_overrides(settings, called=("treat", ("therapy", 0)))
    assert [line.split(" = ")[0] for line in str(error.value).splitlines()] == ["treat: rate", "treat: run.step"]
    with pytest.raises(mc.InputError, match='^--set: therapy.0..rate = "blood.nkk": '):
        config.with_overrides(settings[:1])


def test_a_field_that_is_not_solved_in_each_step_is_treated_when_it_is_solved_next():
    config = CONFIG | {"oxygen": {"every": "3 h"}}
    simulation = mc.Simulation(config)
    simulation.step(1)
    with pytest.raises(mc.InputError, match="the field oxygen is solved every 3 steps, and next at 3 h"):
        simulation.treat(rate="oxygen.uptake", factor=0.2)
    simulation.treat(rate="oxygen.uptake", factor=0.2, start="3 h")
    whole = mc.Simulation(config | {"therapy": [{"rate": "oxygen.uptake", "factor": 0.2, "start": "3 h"}]})
    simulation.step(7), whole.step(8)
    assert simulation.digest() == whole.digest()


def test_vessels_that_live_are_treated_by_the_interval_and_not_beyond_their_reach():
    config = CONFIG | {"angiogenesis": {"enabled": True}, "maturation": {"enabled": True}, "vegf": {"enabled": True},
                       "vessels": {"length_density": "200 mm/mm^3", "interval": "4 h"}}
    simulation = mc.Simulation(config)
    simulation.step(2)
    with pytest.raises(mc.InputError, match="lets vessels grow wider or sprouts reach farther than they could: put it into"):
        simulation.treat(rate="vessel.radius", factor=3)
    simulation.treat(rate="vessel.loosen", factor=50, start="3 h")
    whole = mc.Simulation(config | {"therapy": [{"rate": "vessel.loosen", "factor": 50.0, "start": "3 h"}]})
    simulation.step(7), whole.step(9)
    assert simulation.digest() == whole.digest()


def test_other_parameters_of_a_simulation_cannot_be_set():
    simulation = mc.Simulation(CONFIG)
    with pytest.raises(mc.InputError, match="changed by treat.rate=.... alone; other parameters need another simulation, or a branch"):
        simulation.config = mc.load(CONFIG, "tumor.cells=5")
    with pytest.raises(TypeError, match="unexpected keyword argument 'otherwise'"):
        simulation.treat(rate="blood.nk", otherwise=0.5)


@pytest.mark.parametrize("call, told", [
    (lambda sim: sim.steps(until="90 min"), "until 90 min: must be a multiple of run.step, 1 h"),
    (lambda sim: sim.steps(every="0 h"), "every 0 h: must not be 0"),
    (lambda sim: sim.steps(until=5), 'until must be a time such as "6 h", not 5'),
    (lambda sim: sim.steps(every="often"), "every often: .*write it like 6 h"),
    (lambda sim: sim.step(2) or sim.steps(until="1 h"), "until 1 h: the simulation is at 2 h already"),
    (lambda sim: sim.observe("a b", len), "letters, digits and _, not"),
    (lambda sim: sim.observe("time_h", len), "letters, digits and _"),
    (lambda sim: sim.step(9) or sim.steps(), "^run.duration = 8 h: the simulation is at 9 h already"),
    (lambda sim: sim.observe("a", len, summed="no"), "observable a: summed must be True or False, not \"no\""),
    (lambda sim: sim.observe("a", 5), "a function of the simulation is needed, not 5"),
    (lambda sim: [sim.observe("a", id), sim.observe("a", id)], "there is an observable a already"),
    (lambda sim: [sim.observe("a", lambda sim: "much"), *sim.steps(until="1 h")], 'its function gave "much"')])
def test_wrong_arguments_are_told_at_once(call, told):
    with pytest.raises(mc.InputError, match=told):
        call(mc.Simulation(CONFIG))


def test_observables_are_taken_at_each_stop_and_at_each_output_of_the_run_that_follows(tmp_path, plain):
    simulation = mc.Simulation(CONFIG)
    simulation.observe("tissue", lambda sim: sim.ledger["tissue"], summed=False)
    simulation.observe("here", lambda sim: len(sim.tissue().cells))
    list(simulation.steps(until="3 h"))
    simulation.observe("late", lambda sim: 0.5)
    with simulation.run(tmp_path / "run") as results:
        found = simulation.observed
        assert results.digest == plain and found["time_h"].tolist() == [0, 1, 2, 3, 4, 6, 8]
        assert found["tissue"][-3:].tolist() == results.series["tissue"].tolist()
    np.testing.assert_array_equal(found["tissue"], found["here"])
    assert np.isnan(found["late"]).tolist() == [True] * 4 + [False] * 3
    simulation.write_observed(tmp_path / "own.csv")
    rows = list(csv.DictReader((tmp_path / "own.csv").read_text().splitlines()))
    assert [row["tissue"] for row in rows] == [str(n) for n in found["tissue"]] and rows[0]["late"] == "" and rows[-1]["late"] == "0.5"


@pytest.mark.parametrize("text", ["[run]\n", "\x89HDF\n", "time_s,tissue\n0,1\n", "time_h,\x00\n"])
def test_what_was_observed_replaces_no_file_but_an_earlier_table_of_its_own(text, tmp_path):
    simulation = mc.Simulation(CONFIG)
    simulation.observe("tissue", lambda sim: 1)
    (tmp_path / "there").write_text(text)
    with pytest.raises(mc.InputError, match="is there and no table of write_observed: choose another path"):
        simulation.write_observed(tmp_path / "there")
    with pytest.raises(mc.InputError, match="no file that can be replaced"):
        simulation.write_observed(tmp_path)
    assert (tmp_path / "there").read_text() == text
    for _ in range(2):
        simulation.write_observed(tmp_path / "own.csv")


@pytest.fixture
def inside(monkeypatch):
    """A simulation, and whether it is now where all ranks agree on an error, and no MPI call may be made: [bool, calls]."""
    simulation, state = mc.Simulation(CONFIG), [False, 0]
    together = simulation.world.together

    @contextlib.contextmanager
    def watched():
        with together():
            state[:] = True, state[1] + 1
            try:
                yield
            finally:
                state[0] = False
    monkeypatch.setattr(simulation.world, "together", watched)
    return simulation, state


def test_a_function_that_is_observed_may_communicate_as_no_rank_waits_for_its_error(inside):
    simulation, state = inside
    seen = []
    simulation.observe("here", lambda sim: seen.append(state[0]) or len(sim.tissue().cells))
    list(simulation.steps(until="1 h"))
    assert seen == [False, False]


def test_ranks_agree_on_a_box_that_is_too_large_for_one_of_them(inside, monkeypatch):
    simulation, state = inside
    simulation.step()
    monkeypatch.setattr("metacascade.run.tissue.MOST", 100)
    before = state[1]
    with pytest.raises(mc.InputError, match="do not fit into arrays"):
        simulation.tissue()
    assert state[1] == before + 1


def test_a_run_that_fails_leaves_the_simulation_where_it_was(tmp_path):
    simulation = mc.Simulation(CONFIG)
    simulation.observe("fails", lambda sim: 1 / 0 if sim.time_h > 5 else 1)
    simulation.step(2)
    with pytest.raises(ZeroDivisionError):
        simulation.run(tmp_path / "run")
    assert simulation.time_h == 2


@pytest.mark.parametrize("method", [lambda sim: sim.step(), lambda sim: sim.steps(), lambda sim: sim.run("out"),
                                    lambda sim: sim.treat(rate="blood.nk", factor=2), lambda sim: sim.observe("b", len)])
def test_a_function_that_is_observed_changes_nothing(method):
    simulation = mc.Simulation(CONFIG)
    simulation.observe("a", lambda sim: method(sim) or 0)
    with pytest.raises(mc.InputError, match="an observable has called .*: it may look at the simulation, and not change it"):
        list(simulation.steps())
    simulation.step()       # the simulation itself may


@pytest.mark.mpi
@pytest.mark.parametrize("mode, code, said", [
    ("loop", 3, "rank 0 ends with exit code 3, and so do all"), ("observable", 1, "so do all: seen enough"),
    ("before", 1, "so do all: no"), ("all", 5, ""), ("done", 0, "the end of rank 0"),
    ("held", 0, "the end of rank 0"), ("clean", 0, "rank 0 ends with exit code 0, and so do all")])
def test_a_rank_that_exits_ends_the_others_unless_it_is_done(mpirun, tmp_path, mode, code, said):
    (tmp_path / "run.toml").write_text(mc.load(CONFIG).to_toml())
    (tmp_path / "program.py").write_text(EXITS)
    ended = mpirun(2, tmp_path / "program.py", tmp_path / "run.toml", mode, check=False, timeout=30)
    assert ended.returncode == code and said in ended.stdout + ended.stderr
    assert ("so do all" in ended.stderr) == ("so do all" in said)


def test_a_loop_that_was_left_counts_no_longer_once_the_simulation_steps_on():
    simulation = mc.Simulation(CONFIG)
    held = simulation.steps()
    assert next(held) and exits._loop, "in the body of its loop"
    simulation.step()
    assert exits._loop is None
    other = simulation.steps()
    assert next(other) and held.close() is None and exits._loop, "the end of the first one is not that of the other"
    other.close()
    assert exits._loop is None


@pytest.mark.mpi
def test_on_two_ranks_digest_and_observables_are_those_of_one(mpirun, tmp_path):
    (tmp_path / "run.toml").write_text(mc.load(CONFIG).to_toml())
    (tmp_path / "program.py").write_text(PROGRAM)
    alone, two = (mpirun(n, tmp_path / "program.py", tmp_path / "run.toml", tmp_path / f"{n}.csv").stdout.splitlines()[-1]
                  for n in (1, 2))
    assert alone == two
    tables = [list(csv.DictReader((tmp_path / f"{n}.csv").read_text().splitlines())) for n in (1, 2)]
    assert [row["motile"] for row in tables[0]] == [row["motile"] for row in tables[1]]
    assert float(tables[1][-1]["mean_x"]) == pytest.approx(float(tables[0][-1]["mean_x"]), rel=1e-5, abs=1)
