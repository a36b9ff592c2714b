"""What controls of blood, organs and therapy read out, of results made by hand."""
import math

import numpy as np
import pytest

from metacascade.studies.reproduce_file import READOUTS

NODES, EVENTS = {0: "tumor", 1: "lung", 2: "liver", 3: "bone"}, {0: "trapped", 1: "extravasated", 2: "bound"}
# Ten cells at most flow, over two hours: 5 + 10 + 5, by the trapezoid 15 cell hours
SERIES = dict(time_s=[0, 3600, 7200], circulating=[5, 10, 5], shed=[0, 40, 60], shed_lesion=[0, 0, 40], injected=[0, 100, 100],
              passages=[0, 20, 50], shed_ctcs=[0, 20, 25], anoikis=[0, 2, 3], extravasated=[0, 10, 50], lesions=[0, 9, 99])


class Made:
    config = {}
    series = {name: np.array(values) for name, values in SERIES.items()}
    tables = {
        "events": np.array([(3600, 0, 1, 9), (7200, 0, 1, 10), (7200, 0, 2, 5), (7200, 1, 1, 20), (7200, 1, 2, 4), (7200, 2, 1, 6)],
                           [("time_s", int), ("event", int), ("node", int), ("cells", int)]),
        "organs": np.array([(3600, 2, 9, 9, 9, 9), (7200, 0, 7, 7, 7, 7), (7200, 1, 1, 2, 3, 40), (7200, 2, 4, 5, 6, 50)],
                           [(name, int) for name in ("time_s", "node", "dormant", "micro", "vascular", "cells")])}

    def __getitem__(self, table):
        return self.tables[table]

    def names(self, table):
        return {"node": NODES, "event": EVENTS}


@pytest.mark.parametrize("name, expected", [
    ("extravasated_share", 50 / 200), ("extravasated_lung", 20 / 200), ("extravasated_bone", 0.0), ("bound_share", 6 / 200),
    ("bound_lung", 6 / 200), ("trapped_per_passage", 15 / 50), ("passages_per_ctc", 2.0), ("flow_life_s", 15 * 3600 / 200),
    ("passages_per_flow_hour", 50 / 15), ("anoikis_per_flow_hour", 3 / 15), ("shed_end", 60.0), ("seeded_lung", 20.0),
    ("dividing_liver", 11.0), ("dormant_liver", 4.0), ("lesion_cells_lung", 40.0), ("vascular_end", 9.0), ("dormant_end", 5.0),
    ("lesion_cells_end", 99.0)])
def test_read_outs_are_of_the_last_output_and_leave_out_the_tumor(name, expected):
    assert READOUTS[name](Made()) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name, expected", [("alive_lung_day1", 30.0), ("alive_lung_day5", 4.0)])
def test_alive_in_the_lung_are_arrested_ones_and_those_outside_at_the_last_output_by_then(name, expected):
    made, day = Made(), 86_400
    made.series = {"time_s": np.array([0, day, 4 * day, 6 * day])}
    made.organs = np.array([(day, 1, 10, 20), (day, 2, 7, 7), (4 * day, 1, 1, 3), (6 * day, 1, 9, 9)],
                           [(name, int) for name in ("time_s", "node", "arrested", "cells")])
    assert READOUTS[name](made) == expected


def test_without_any_cell_a_share_is_no_number():
    made = Made()
    made.series = {name: np.zeros(3) for name in SERIES} | {"time_s": np.array(SERIES["time_s"])}
    assert math.isnan(READOUTS["extravasated_share"](made)) and math.isnan(READOUTS["trapped_per_passage"](made))
