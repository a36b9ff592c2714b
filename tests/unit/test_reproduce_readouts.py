"""What experiments read out of results: by results made by hand, and by the laws of their noise."""
import math
from types import SimpleNamespace

import numpy as np
import pytest

from metacascade.studies import readouts


class Made:
    """Results by hand."""
    def __init__(self, entered, left, hours, every_h=0.5):
        time_h = np.arange(0.0, hours + every_h, every_h)
        inside = [((entered <= t) & (left > t)).sum() for t in time_h]
        shed = [(entered <= t).sum() for t in time_h]
        self.series = dict(time_s=3600 * time_h, circulating=np.array(inside), arrested=0 * time_h, shed=np.array(shed),
                           tissue=np.full(len(time_h), 5e5), initial=np.full(len(time_h), 1e5))
        self.shed = np.zeros(len(entered), [("t_shed", float), ("t_event", float), ("n", int), ("origin", int), ("fate", int)])
        self.shed["t_shed"], self.shed["t_event"], self.shed["n"] = entered, left, 1

    def names(self, table):
        return {"origin": {0: "tumor"}}


@pytest.mark.statistical
def test_read_outs_of_constant_shedding_are_those_of_its_law():
    """A Poisson stream of 50/h for 800 h, lives of exponential law, mean 0.05 h. Count 2.5 on average at 800
    independent times: 2.2 % standard error; dispersion of 2,400 windows: 0.03. Bounds: 4 and more of these."""
    random = np.random.default_rng(3)
    entered = np.sort(random.uniform(0, 800, 40_000))
    made = Made(entered, entered + random.exponential(0.05, len(entered)), 800)
    assert readouts.shed_per_million_day(made) == pytest.approx(50 * 24 * 2, rel=0.03)
    assert readouts.clearance_half_life_s(made) == pytest.approx(math.log(2) * 180, rel=0.09)
    assert readouts.count_over_rate_times_life(made) == pytest.approx(1.0, rel=0.09)
    assert readouts.dispersion(made) == pytest.approx(1.0, abs=0.12)
    assert abs(readouts.dispersion_beyond_poisson(made)) < 4.0
    assert readouts.cells_ratio(made) == 5.0


@pytest.mark.statistical
def test_bursts_show_in_the_dispersion():
    """Rate 10/h, and 100/h in one hour of five: variance over mean of windows of 1/6 h is far above 1."""
    random = np.random.default_rng(4)
    entered = np.sort(np.concatenate([random.uniform(0, 400, 4000), *(random.uniform(t, t + 1, 90) for t in range(0, 400, 5))]))
    made = Made(entered, entered + 0.01, 400)
    assert readouts.dispersion(made) > 3 and readouts.dispersion_beyond_poisson(made) > 20


def test_shares_by_zone_are_those_of_the_second_half():
    made = SimpleNamespace(series=dict(time_s=np.array([0, 3600, 7200]), shed_core=np.array([0, 90, 96]),
                                       shed_border=np.array([0, 0, 3]), shed_outside=np.array([0, 0, 1])))
    assert readouts.inside_share(made) == 0.9
    made.series |= {name: np.zeros(3) for name in ("shed_core", "shed_border", "shed_outside")}
    assert math.isnan(readouts.inside_share(made))


def test_the_share_of_cells_outside_of_the_outline_is_that_at_the_end():
    made = SimpleNamespace(series=dict(cells_outside=np.array([0, 30]), tissue=np.array([10, 120])))
    assert readouts.outside_share(made) == 0.25


def test_distances_of_cells_come_from_the_last_rows_of_their_table():
    kind = [("time_s", int), ("below", float), ("cells", int), ("of", np.uint8)]
    rows = np.array([(0, 5, 9, 0), (60, 10, 10, 0), (60, 5, 80, 0), (60, np.inf, 10, 0), (60, 5, 7, 1)], kind)

    class Table(dict):
        def names(self, table):
            return {"of": {0: "tissue", 1: "shed"}}
    made = Table(distances=rows)
    assert readouts.cell_distance_mean_um(made) == pytest.approx(0.8 * 2.5 + 0.1 * 7.5 + 0.1 * 150)
    assert readouts.cell_distance_p90_um(made) == 7.5
    assert readouts.shed_distance_mean_um(made) == 2.5
    with pytest.raises(readouts.Missing, match="distances"):
        readouts.cell_distance_mean_um(Table())


@pytest.mark.parametrize("shed, detected, before", [(3600, 7200, 1.0), (7200, 7200, 0.0), (-1, 7200, 0.0), (3600, -1, 1.0),
                                                   (-1, -1, math.nan)])
def test_what_is_first_is_told_by_the_times_of_the_stages(shed, detected, before):
    made = SimpleNamespace(series={name: np.array([-1, at]) for name, at in (
        ("first_shed_s", shed), ("detected_s", detected), ("first_lesion_s", -1))} | dict(
            time_s=np.array([0, 14_400]), tissue=np.array([100, 300]), shed=np.array([0, 40])))
    assert readouts.shed_before_detection(made) == pytest.approx(before, nan_ok=True)
    assert readouts.lesion_before_detection(made) == pytest.approx(math.nan if detected < 0 else 0.0, nan_ok=True)
    if before == 1.0 and detected > 0:
        assert readouts.shed_to_detection_days(made) == pytest.approx(1 / 24)
        assert readouts.cells_at_first_shed(made) == pytest.approx(150)
        assert readouts.shed_at_detection(made) == pytest.approx(20)
    assert detected > 0 or math.isnan(readouts.shed_at_detection(made))


def test_a_column_that_is_not_there_is_said_to_be_missing():
    made = Made(np.array([0.1]), np.array([0.2]), 1)
    del made.series["tissue"]
    with pytest.raises(readouts.Missing, match="tissue"):
        readouts.shed_per_million_day(made)
