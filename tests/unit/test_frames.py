"""Data frames of pandas and datasets of xarray hold what the arrays of results hold, with names and units."""
import builtins

import numpy as np
import pytest

import metacascade as mc

pandas, xarray = pytest.importorskip("pandas"), pytest.importorskip("xarray")
CONFIG = {"run": {"step": "1 h", "duration": "6 h"}, "output": {"interval": "2 h", "checkpoint": "3 h"},
          "tumor": {"cells": 3000}, "vessels": {"length_density": "200 mm/mm^3"}, "intravasation": {"hazard": "0.6/day"},
          "organs": {"lung": {"extravasation_time": "1 h"}}}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    with mc.Simulation(CONFIG).run(tmp_path_factory.mktemp("frames") / "run") as found:
        yield found


def test_a_frame_of_a_table_has_names_for_numbers_and_the_units_of_its_fields(results):
    frame, fates = results.frame("shed"), results.names("shed")["fate"]
    assert len(frame) == len(results.shed) > 0
    assert frame["fate"].tolist() == [fates[number] for number in results.shed["fate"].tolist()]
    assert list(frame["fate"].cat.categories) == list(fates.values())
    assert frame.attrs["units"]["t_shed"] == "h" and frame.attrs["source"] == str(results.path)
    np.testing.assert_array_equal(frame["bit_L1CAM"], results.shed["bits"] & 1 > 0)
    pandas.testing.assert_frame_equal(frame, results.shed.frame())


def test_only_the_fields_that_are_named_are_in_a_frame_and_read(results, monkeypatch):
    asked, read = [], type(results).read
    monkeypatch.setattr(type(results), "read", lambda *given: asked.append(given[2]) or read(*given))
    frame = results.frame("shed", ["node", "t_shed"])
    assert list(frame) == ["node", "t_shed"] == list(frame.attrs["units"]) and asked == [["node", "t_shed"]]
    assert list(results.frame("shed", "bit_L1CAM")) == ["bit_L1CAM"] and list(results.frame("series", "shed")) == ["shed"]


def test_the_series_has_days_as_index_and_read_outs_are_frames_too(results):
    series, tube = results.frame("series"), results.frame("concentration")
    assert series.index.tolist() == [0, 1 / 12, 1 / 6, 1 / 4] and series.index.name == tube.index.name == "day"
    assert series.attrs["units"]["shed"] == "cells" and tube.attrs["units"]["cells_per_mL"] == "1/mL"
    assert results.frame("funnel").to_dict("records")[0]["count"] == results.funnel()[0]["count"]
    assert results.frame("routes")["lesions"].sum() == sum(sum(row.values()) for row in results.routes().values())
    assert results.frame("lineages")["organ"].tolist() == [row["organ"] for row in results.lineages()]


def test_every_read_out_of_rows_is_a_frame_with_units(results):
    assert results.frame("largest_lesions").to_dict("records")[0]["id"] == results.largest_lesions()[0]["id"]
    found = results.frame("founders")
    assert found["shed"].sum() > 0 and found.attrs["units"] == {"vessel_um": "um", "center_um": "um"}


def test_every_table_is_a_frame_with_as_many_rows(results):
    assert {"shed", "organs", "clones", "lesions"} <= set(results.tables())
    assert [name for name in results.tables() if len(results.frame(name)) != len(results[name])] == []


def test_a_dataset_has_each_output_by_organ_and_clone_with_units_and_what_they_are(results):
    data, organs = results.dataset(), results.frame("organs")
    assert dict(data.sizes) == dict(time=4, organ=len(data.organ), event=len(data.event), place=len(data.place), clone=1)
    np.testing.assert_array_equal(data.shed, results.series["shed"])
    row = organs[organs["cells"] > 0].iloc[-1]
    assert data.organ_cells.sel(organ=row["node"], time=row["time_s"] / 86400) == row["cells"]
    assert data.organ_cells.sum() == organs["cells"].sum() > 0
    assert data.clone_cells.sel(place="tissue").sum("clone").values.tolist() == results.series["tissue"].tolist()
    assert data.events.sel(event="extravasated")[-1].sum() == results.series["extravasated"][-1] > 0
    assert data.radius.attrs["units"] == "um" and data.tissue.attrs["long_name"] == "tissue: in tissue; alive now"
    assert all({"units", "long_name"} <= variable.attrs.keys() for variable in data.data_vars.values())
    assert all("long_name" in coordinate.attrs for coordinate in data.coords.values())
    assert data.attrs["digest"] == results.digest


def test_more_clones_than_an_array_holds_are_refused_with_the_frame_that_has_them(results, monkeypatch):
    monkeypatch.setattr("metacascade.io.frames.MOST", 10)
    with pytest.raises(mc.InputError, match=r"places and clones are more than 10 values: results.frame\("):
        results.dataset()


@pytest.mark.parametrize("call, told", [
    (lambda found: found.frame("shedd"), "there is no table 'shedd' .did you mean 'shed'"),
    (lambda found: found.frame(None), "there is no table None"),
    (lambda found: found.frame("shed", ["fat"]), "shed has no column 'fat' .did you mean 'fate'"),
    (lambda found: found.frame("series", "tisue"), "series has no column 'tisue'")])
def test_what_is_not_there_is_told_with_what_there_is(results, call, told):
    with pytest.raises(mc.InputError, match=told):
        call(results)


@pytest.mark.parametrize("name, call", [("pandas", lambda found: found.frame("shed")),
                                        ("xarray", lambda found: found.dataset())])
def test_a_library_that_is_not_installed_is_told_with_the_extra_to_install(results, monkeypatch, name, call):
    def missing(wanted, *_):
        raise ImportError(wanted)
    monkeypatch.setattr("metacascade.io.frames.importlib.import_module", missing)
    with pytest.raises(mc.InputError, match=rf'{name} is not installed: pip install "metacascade\[frames\]"'):
        call(results)


def test_results_are_opened_without_either_library(results, monkeypatch):
    real = builtins.__import__

    def refuse(name, *rest):
        assert name.split(".")[0] not in ("pandas", "xarray")
        return real(name, *rest)
    monkeypatch.setattr(builtins, "__import__", refuse)
    with mc.open(results.path) as found:
        assert len(found.shed.columns()["n"]) == len(found.shed)
