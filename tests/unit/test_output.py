import os
import numpy as np
import pytest
from metacascade.output import Output, claim, finished, describe
from metacascade.results import open_results
from metacascade.parallel import serial_world
from metacascade.state import CTC, LESION
from states import random_records

W = serial_world()
COLUMNS = {"step": (int, "1"), "time_s": (int, "s"), "radius_um": (float, "um")}


def test_all(tmp_path):
    rng = np.random.default_rng(1)
    new = dict(config={"a": 1}, columns=COLUMNS, nodes=["tumor", "lung"], provenance={"command": "x"})
    out = Output(W, tmp_path, config_text="a = 1", **new)
    for i in range(4):
        out.record({"step": i, "time_s": 60 * i, "radius_um": 1.5})
        out.shed(random_records(rng, CTC, 10 * i))
        out.draw(time_s=1, index=i, node=1, volume_mL=2.0, singles=1, clusters=2, cells=9)
        out.flush()
    with open_results(tmp_path) as r:
        print(r.series, len(r.shed), r.draws[:], r.shed["id"][:3], r.units("shed"), r.names("shed"))
    out = Output(W, tmp_path, config_text=None, first_part=2, **new)
    out.record({"step": 9, "time_s": 60 * i, "radius_um": 1.5})
    out.finish(open_ctcs=random_records(rng, CTC, 5), lesions=random_records(rng, LESION, 3), digest="abc", wall_s={"x": 1.0})
    print(describe(tmp_path), os.listdir(tmp_path))
    with open_results(tmp_path) as r:
        print(r.series, len(r.shed), r.config_text)
