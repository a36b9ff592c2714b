"""What experiments on blood and organs read out: by arms of them, made small, and by results made by hand."""
import math
from statistics import NormalDist
from types import SimpleNamespace

import numpy as np
import pytest

import metacascade as mc
from metacascade.config.write import quoted
from metacascade.studies import readouts, readouts_cascade as cascade, reproduce_file, reproduce_toml


def results_of(name, arm, tmp_path, **changes):
    """The results of an arm of an experiment of the package; `changes` have ``__`` for the dot."""
    experiment = reproduce_file.read(name)
    (tmp_path / "config.toml").write_text(reproduce_toml.toml(experiment.config))
    settings = experiment.arms[arm] | {key.replace("__", "."): value for key, value in changes.items()}
    lines = [f"{key}={quoted(value)}" for key, value in settings.items()]
    return mc.Simulation(tmp_path / "config.toml", lines).run(tmp_path / "run")


@pytest.mark.statistical
def test_clusters_pass_a_channel_as_often_as_the_widest_of_their_cells_fits(tmp_path):
    """V10: at 2 kPa nothing is trapped in 10 um, and what is wider than 2.94 of them is torn. The widest of 20
    lognormal cells about 16.8 um is not with Phi(ln(29.4/16.8)/0.25)^20 = 0.78. 2000 clusters, 4 standard errors
    (6e-5 of false alarms)."""
    with results_of("V10", "w10_n20", tmp_path) as results:
        passed = cascade.passed_capillaries(results)
    expected = NormalDist().cdf(math.log(29.4 / 16.8) / 0.25) ** 20
    assert passed == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / 2000))


def made(rows, **series):
    """Results by hand: rows (time_s, node, detected) of organs; node 1 is the bed of the tumor."""
    kind = [("time_s", np.int64), ("node", np.uint8), ("detected", np.int64)]
    return SimpleNamespace(organs=np.array(rows, kind), names=lambda table: {"node": {1: "tumor", 4: "lung", 5: "liver"}},
                           series={name: np.array(values) for name, values in series.items()})


def test_lesions_are_those_of_the_last_output_in_organs_and_none_where_there_is_no_row():
    rows = [(0, 4, 9), (86400, 4, 2), (86400, 5, 1), (86400, 1, 5)]
    assert cascade.detected_end(made(rows, time_s=[0, 86400])) == 3.0
    assert cascade.any_detected(made(rows, time_s=[0, 86400])) == 1.0
    assert cascade.any_detected(made(rows, time_s=[0, 86400, 172800])) == 0.0
    with pytest.raises(readouts.Missing, match="no output"):
        cascade.detected_end(made([], time_s=[]))
