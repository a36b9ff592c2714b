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
    """V10, torn as leukocytes are: at 2 kPa nothing is trapped in 10 um, and what is wider than 2.94 of them is torn. The
    widest of 20 lognormal cells about 16.8 um is not with Phi(ln(29.4/16.8)/0.25)^20 = 0.78. 2000 clusters, 4 standard
    errors (6e-5 of false alarms)."""
    with results_of("V10", "w10_n20", tmp_path, blood__stretch=2.94) as results:
        passed = cascade.passed_capillaries(results)
    expected = NormalDist().cdf(math.log(29.4 / 16.8) / 0.25) ** 20
    assert passed == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / 2000))


COLUMNS = "detected", "dormant", "micro", "vascular", "cells"


def made(rows, **series):
    """Results by hand: rows (time_s, node, numbers of COLUMNS) of organs; node 1 is the bed of the tumor."""
    kind = [("time_s", np.int64), ("node", np.uint8), *((name, np.int64) for name in COLUMNS)]
    nodes = {1: "tumor", 4: "lung", 5: "liver", 7: "bone"}
    return Made(organs=np.array(rows, kind), names=lambda table: {"node": nodes},
                series={name: np.array(values) for name, values in series.items()})


class Made(SimpleNamespace):
    """Its tables by name, too."""

    def __getitem__(self, name):
        return getattr(self, name)


def test_lesions_are_those_of_the_last_output_in_organs_and_none_where_there_is_no_row():
    rows = [(0, 4, 9, 9, 9, 9, 9), (86400, 4, 2, 3, 5, 7, 11), (86400, 7, 1, 13, 17, 19, 23), (86400, 1, 5, 5, 5, 5, 5)]
    results = made(rows, time_s=[0, 86400], shed=[0, 480], tissue=[7, 8], lumped=[0, 2])
    found = {name: readouts.READOUTS[name](results) for name in (
        "detected_end", "any_detected", "detected_lung", "dividing_lung", "dormant_lung", "dormant_bone",
        "dividing_bone", "tumor_end", "grown_per_shed")}
    assert found == dict(
        detected_end=3, any_detected=1, detected_lung=2, dividing_lung=12, dormant_lung=3, dormant_bone=13,
        dividing_bone=36, tumor_end=10, grown_per_shed=0.1)
    assert cascade.any_detected(made(rows, time_s=[0, 86400, 172800])) == 0.0
    with pytest.raises(readouts.Missing, match="no output"):
        cascade.detected_end(made([], time_s=[]))


def test_labeled_cells_are_those_of_all_labels_and_none_is_said_to_be_missing():
    results = made([], time_s=[0], tissue=[0, 200], a_tissue=[0, 3], b_tissue=[0, 7])
    results.config = {"injection": [{"label": "a"}, {"label": ""}, {"label": "b"}, {"label": "a"}]}
    assert cascade.labeled_share(results) == 0.05
    results.config = {}
    with pytest.raises(readouts.Missing, match="label"):
        cascade.labeled_share(results)


def test_what_interventions_move_in_the_blood_is_counted_of_the_cells_that_entered_it(tmp_path):
    """A ledger of its own: single cells that NK cells killed and that came back, by the rows of shed cells."""
    with results_of("interventions_blood", "without", tmp_path, tumor__cells=3_000_000, output__shed_cells=True,
                    lumped__cluster_fraction=0.0, vessel_growth__divide="0/day") as results:
        shed, fates = results.shed[:], results.names("shed")["fate"]
        by_fate = {name: int(shed["n"][shed["fate"] == number].sum()) for number, name in fates.items()}
        series = results.series
        entered = int(series["shed"][-1] + series["shed_lesion"][-1] - series["unfollowed"][-1])
        killed, back = cascade.nk_killed_share(results), readouts.READOUTS["self_seeded_share"](results)
    assert killed * entered == pytest.approx(by_fate["nk"], abs=1e-6) and by_fate["nk"] > 1000
    assert back * entered == pytest.approx(by_fate["self_seeded"], abs=1e-6)


def test_no_read_out_takes_the_name_of_another():
    """By import order the second would count, and experiments of the first would read something else."""
    with pytest.raises(ValueError, match="any_detected already"):
        readouts.readout("1")(cascade.any_detected)
