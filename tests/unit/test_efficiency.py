"""Metastatic efficiency on the mean: against walks and lesions with chance, and its tornado, read back as written."""
import math

import numpy as np
import pytest

import metacascade as mc
from metacascade.__main__ import main
from metacascade.base.errors import InputError, RunError
from metacascade.base.nodes import BEDS
from metacascade.config import catalog, presets
from metacascade.config.config import load
from metacascade.studies import efficiency, efficiency_table, soil

EXIT = {"run.step": "1 day", "run.duration": "60 days", "output.interval": "60 days", "output.checkpoint": "60 days",
        "output.shed_cells": False, "tumor.cells": 40_000, "tumor.perfusion": "0.001 mL/min/g", "lumped.shed": "20/day",
        "lumped.cell_loss": 0.0, "lumped.cluster_fraction": 0.0, "colonization.clonogenic": 0.5,
        "colonization.switch_time": "1000 year", "colonization.wake": "0/year", "vessel_growth.divide": "0/day",
        **{f"organs.{bed}.soil": 1.0 for bed in BEDS}}


@pytest.fixture
def preset(tmp_path):
    return presets.write("human_breast_lumped", tmp_path / "tumor.toml", False, catalog.schema_text)


@pytest.mark.statistical
def test_shed_cells_leave_the_blood_in_each_organ_as_often_as_they_do_when_they_are_walked(preset):
    """20,000 walked cells in ten batches; lung, liver and all others together. 3 % for the classes of size and the coat,
    and 4 standard errors of the batches."""
    config = load(preset, {"vessel_growth.divide": "0/day", "traits.motile_fraction": 1.0, "lumped.emt": 1.0})
    mean, walked = efficiency.of(config).exits, soil.arrivals(config, 20_000)
    for beds in (["lung"], ["liver"], [bed for bed in BEDS if bed not in ("lung", "liver")]):
        at = [BEDS.index(bed) for bed in beds]
        counted = walked[:, at].sum(axis=1)
        error = counted.std(ddof=1) / math.sqrt(len(counted))
        assert mean[at].sum() == pytest.approx(counted.mean(), rel=0.03, abs=4 * error), beds


@pytest.mark.statistical
def test_growing_metastases_of_a_run_are_those_of_the_mean(preset, tmp_path):
    """All 40,000 cells of a tumor are shed in the first day or two, and lesions have two months to begin; without soil,
    sleep that ends, and vessels. Poisson, 4 standard errors, and 4 % for the classes of size."""
    with mc.Simulation(preset, EXIT).run(tmp_path / "run") as results:
        shed, rows = results.series["shed"][-1], results.organs[:]
    grown = rows[rows["time_s"] == rows["time_s"].max()]["micro"].sum()
    expected = shed * efficiency.of(load(preset, EXIT)).whole
    assert expected > 300
    assert grown == pytest.approx(expected, rel=0.04, abs=4 * math.sqrt(expected))


def test_half_as_many_clonogenic_cells_are_half_as_many_metastases_and_without_soil_none_is_at_once(preset):
    """All are drawn from one share, and where nothing begins nor wakes nothing grows."""
    whole = efficiency.of(load(preset)).whole
    assert efficiency.of(load(preset, {"colonization.clonogenic": 1e-5})).whole == pytest.approx(whole / 2, rel=1e-12)
    bare = efficiency.of(load(preset, {f"organs.{bed}.soil": 0.0 for bed in BEDS}))
    assert bare.whole == 0.0 and bare.exits.sum() > 0.1


def test_a_tornado_is_sorted_written_drawn_and_read_back_and_not_computed_again(preset, tmp_path, monkeypatch, capsys):
    some = [p for p in catalog.parameters() if (p.section, p.key) in (
        ("colonization", "clonogenic"), ("colonization", "cell_loss"), ("organs", "soil"))]
    monkeypatch.setattr(efficiency.catalog, "parameters", lambda: iter(some))
    assert main(["efficiency", str(preset), "--out", str(tmp_path / "out")]) == 0
    told = capsys.readouterr().out
    whole, bars = efficiency_table.read(tmp_path / "out" / "tornado.csv")
    assert [bar.parameter for bar in bars] == ["colonization.clonogenic", "colonization.cell_loss", "organs.*.soil"]
    assert np.all(np.diff([bar.fold for bar in bars]) <= 0) and all(min(bar.found) <= whole for bar in bars)
    assert bars[0].found[1] / bars[0].found[0] == pytest.approx(1e7, rel=1e-9) and bars[0].is_usual
    assert (tmp_path / "out" / "tornado.png").stat().st_size > 1000 and "colonization.clonogenic" in told
    assert any("| `colonization.clonogenic` | recalled | 1e-07 | 1 |" in line for line in efficiency_table.markdown(whole, bars))
    monkeypatch.setattr(efficiency_table, "tornado", None)
    assert main(["efficiency", str(preset), "--out", str(tmp_path / "out")]) == 0
    other = ["--set", "colonization.clonogenic=1e-5"]
    assert main(["efficiency", str(preset), *other, "--out", str(tmp_path / "out")]) == 2
    assert "tornado.csv is of another config" in capsys.readouterr().err


@pytest.mark.parametrize("data", [b"", b"parameter\n", b"\x89HDF\r\n\xff", b"a,b,c,d,e,f,g\n1,2,3,4,x,6,7\n"])
def test_another_file_in_place_of_the_table_is_told(tmp_path, data):
    (tmp_path / "tornado.csv").write_bytes(data)
    with pytest.raises(InputError, match="no table of this command"):
        efficiency_table.read(tmp_path / "tornado.csv")


def test_a_place_where_no_table_can_be_written_is_told_before_anything_is_computed(tmp_path, monkeypatch):
    monkeypatch.setattr(efficiency_table, "tornado", None)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(RunError, match="cannot write"):
        efficiency_table.study(None, tmp_path / "file")


def test_a_config_in_which_nothing_can_metastasize_is_refused(preset, capsys):
    assert main(["efficiency", str(preset), "--set", "colonization.enabled=false"]) == 2
    assert "colonization.enabled" in capsys.readouterr().err
