"""Runs with a lumped tumor: on any number of ranks, stopped and gone on with, they end with the same digest."""
import pytest

import metacascade as mc
from metacascade.base.errors import InputError

CONFIG = """
[run]
species = "mouse"
step = "5 days"
duration = "60 days"
[output]
interval = "10 days"
checkpoint = "20 days"
[tumor]
cells = 2000
lumped = true
perfusion = "10 mL/min/g"
[lumped]
gompertz = "0.03/day"
capacity = 1e9
shed = "0.01/day"
cluster_fraction = 0.3
[colonization]
clonogenic = 0.01
attraction = 1000
follow = "80/day"
shed = "0.001/day"
[cytokines]
enabled = true
half_organ = 1000
[inflammation]
enabled = true
[awakening]
enabled = true
[organs.tumor]
extravasation_time = "1 h"
[[draw]]
node = "venous"
time = "33 days"
volume = "0.1 mL"
[[therapy]]
rate = "lumped.shed"
factor = 3.0
start = "12 days"
duration = "6 days"
every = "20 days"
[[surgery]]
time = "50 days"
share = 0.5
[[radiation]]
time = "40 days"
where = "tumor, lung"
dose = "1 Gy"
"""
SECONDS = 120


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("lumped") / "run.toml"
    path.write_text(CONFIG)
    return path


@pytest.fixture(scope="module")
def alone(file, tmp_path_factory):
    return mc.Simulation(file).run(tmp_path_factory.mktemp("alone") / "out")


def test_everything_happens_to_it(alone):
    last = {name: int(column[-1]) for name, column in alone.series.items() if column.dtype.kind == "i"}
    for name in ("lumped", "divided_lumped", "lumped_loss", "shed", "shed_ctcs", "unfollowed", "self_seeded", "resected",
                 "irradiated", "seeded", "woken"):
        assert last[name] > 0, name
    assert last["tissue"] == 0 and last["shed"] > last["shed_ctcs"]
    assert alone.lesions["n"][alone.lesions["node"] == 0].tolist() == [last["lumped"]]


@pytest.mark.parametrize("ranks", [3])
def test_the_digest_is_the_same_on_ranks(file, alone, tmp_path, mpirun, ranks):
    mpirun(ranks, "metacascade", "run", file, "--out", tmp_path / "out", timeout=SECONDS)
    assert mc.open(tmp_path / "out").digest == alone.digest


def test_stopped_and_gone_on_with_it_ends_with_the_same(file, alone, tmp_path, metacascade):
    done = metacascade("run", file, "--out", tmp_path / "out", "--set", "run.duration=25 days", timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    done = metacascade("resume", tmp_path / "out", "--set", "run.duration=60 days", timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    assert mc.open(tmp_path / "out").digest == alone.digest


def test_what_needs_tissue_is_refused_or_told(file):
    with pytest.raises(InputError, match="at most 1 day where there is tissue"):
        mc.load(file, ["tumor.lumped=false"])
    with pytest.raises(InputError, match="a lumped tumor has no places"):
        mc.load(file, ['surgery.0={time = "50 days", margin = "-1 mm"}'])
    told = mc.load(file, ["growth.death_rate=0.1/day", "traits.adhesion_mean=0.5", "intravasation.hazard=1/day",
                          'therapy.1={rate = "tissue.divide", factor = 0.5}']).warnings
    assert sum("tumor.lumped = true: there is no tissue" in line for line in told) >= 2
    assert "therapy[1]: without effect (tumor.lumped = true: there is no tissue)" in told
