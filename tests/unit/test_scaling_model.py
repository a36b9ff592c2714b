"""The model of cost: it finds the coefficients of made-up measurements, and its projections say what they rest on."""
import json

import numpy as np
import pytest

import measured
from metacascade.base.errors import InputError
from metacascade.studies import scaling_model, scaling_projection
from metacascade.studies.scaling_model import Law, Network, fit, inside, law, non_negative, strangers
from metacascade.studies.scaling_projection import project, step
from metacascade.studies.scaling_table import FORMAT

SIZES = [(100_000, 1), (1_000_000, 1), (1_000_000, 8), (4_000_000, 8), (20_000_000, 16)]


def studies(sizes=SIZES):
    return [dict(format=FORMAT, kind="strong", settings=measured.SETTINGS, cases=[
        dict(cells=cells, ranks=ranks, number=0, figures=measured.figures(cells, ranks)) for cells, ranks in sizes])]


def test_the_fit_recovers_what_a_cell_a_tile_and_a_passage_cost():
    model = fit(studies())
    known = {("tissue", "cells"): measured.CELL_S, ("tissue", "tiles"): measured.TILE_S,
             ("fields", "sweeps"): measured.SWEEP_S, ("fields", "one"): 0.0, ("blood", "passages"): measured.PASSAGE_S,
             ("blood", "one"): 0.0, ("other", "tiles"): 0.0, ("other", "one"): measured.STEP_S}
    assert model.seconds == pytest.approx(known, rel=1e-6, abs=1e-12)
    assert model.error < 1e-6


def test_the_fit_stays_near_with_noise_of_five_percent():
    noisy, random = studies(), np.random.default_rng(1)
    for case in noisy[0]["cases"]:
        for rank in case["figures"]["per_rank"]:
            rank["cpu_s"] = {stage: s * random.normal(1.0, 0.05) for stage, s in rank["cpu_s"].items()}
    model = fit(noisy)
    assert model.seconds["tissue", "cells"] == pytest.approx(measured.CELL_S, rel=0.1)
    assert 0 < model.error < 0.05


def test_the_fit_recovers_tiles_and_memory():
    model = fit(studies())
    assert model.tiles(5e6) == pytest.approx(measured.tiles_of(5e6), rel=1e-4)
    assert model.memory == pytest.approx((measured.MEMORY, measured.CELL_BYTES, measured.TILE_BYTES), rel=1e-6)


def test_a_small_study_cannot_make_a_cell_smaller_than_its_record():
    small = [dict(cells=1, voxels=512, per_rank=[dict(peak_bytes=9e7, cells=n, tiles=n % 7)]) for n in (10, 20, 30)]
    assert scaling_model.fit_memory(small)[1:] == (scaling_model.CELL_BYTES, scaling_model.TILE_BYTES)


def test_the_fit_recovers_the_surface_law_of_halo_bytes():
    halo = fit(studies()).halo_bytes
    assert halo.fitted and halo.power == pytest.approx(0.7, abs=0.02)
    model, most = fit(studies([(8_000_000, 8)])), measured.figures(8_000_000, 8)
    assert not model.halo_bytes.fitted and model.halo_bytes.power == scaling_model.SURFACE
    sent = max(rank["traffic"]["halo"]["bytes"] for rank in most["per_rank"]) / most["steps"]
    assert model.halo_bytes(measured.tiles_of(8_000_000) / 8, 8) == pytest.approx(sent)    # through what was measured


def test_two_ranks_send_each_other_one_message_an_exchange():
    two = measured.figures(10_000, 2)
    for rank in two["per_rank"]:
        rank["neighbors"] = 1
    found = law([two], lambda rank, f: rank["neighbors"], 0.0)
    assert found(1000.0, 2) == pytest.approx(1.0)


def test_one_rank_shares_no_surface_and_many_share_nearly_all():
    assert inside(1) == 0.0 and inside(8) == pytest.approx(0.5) and 0.97 < inside(10**5) < 1.0


def test_strangers_are_at_most_the_ranks_and_at_most_the_ctcs():
    assert strangers(10, 1) == 0.0
    assert strangers(1, 2) == pytest.approx(0.5)                      # the other one, half of the time
    assert strangers(10**6, 4) == pytest.approx(3.0)
    assert strangers(30, 10**6) == pytest.approx(30, rel=1e-3)


def test_non_negative_least_squares_is_that_of_all_columns_or_of_fewer():
    matrix = np.random.default_rng(2).normal(size=(30, 3))
    assert non_negative(matrix, matrix @ [2.0, 0.5, 1.0]) == pytest.approx([2.0, 0.5, 1.0])
    found = non_negative(matrix, matrix @ [2.0, -0.5, 1.0])
    assert found.min() == 0.0 and (found >= 0).all()
    assert non_negative(matrix, np.zeros(30)).tolist() == [0.0, 0.0, 0.0]


def test_a_step_on_one_rank_is_its_work_alone():
    model, cells = fit(studies()), 4_000_000
    here = step(model, Network(), cells, 1)
    assert here.seconds == pytest.approx(model.work_s(
        cells=cells, tiles=model.tiles(cells), sweeps=measured.SWEEPS * model.tiles(cells),
        passages=model.passages * cells, one=1.0))


def test_terms_grow_with_what_they_depend_on():
    model = fit(studies())
    quick, slow = Network(), Network(latency_s=1e-3)
    few, many = step(model, quick, 1e9, 64), step(model, quick, 1e9, 4096)
    assert many.seconds < few.seconds and many.terms["collectives"] == pytest.approx(2 * few.terms["collectives"])
    assert many.terms["all ranks"] == pytest.approx(64 * few.terms["all ranks"])
    assert most(step(model, slow, 1e9, 4096)) == "messages" and most(few) == "work"
    assert most(step(model, Network(bandwidth=1e4), 1e9, 64)) == "bytes"


def most(step):
    """What a step spends most of its time on."""
    return max(step.terms, key=step.terms.get)


def saved(folder, found):
    (folder / "scaling.json").write_text(json.dumps(found))
    return folder


def test_a_projection_names_its_assumptions(capsys, tmp_path):
    project([saved(tmp_path, studies()[0])], latency="3 us", bandwidth="5 GB/s", ranks="10,1e4,1e8", cells=1e9)
    printed = capsys.readouterr().out
    assert "strong scaling: 1,000,000,000 cells in all" in printed and "weak scaling: 1,250,000 cells on each" in printed
    assert "latency 3 us; bandwidth 5 GB/s" in printed and "tissue 20 ns per cell" in printed
    assert "exponent fitted" in printed and "one full tile" in printed
    assert "more ranks than tiles (5" in printed


def test_a_rank_with_less_than_a_tile_is_not_projected_in_weak_scaling_either(capsys, tmp_path):
    project([saved(tmp_path, studies()[0])], ranks="1e5", cells=1e12, cells_per_rank=100)
    assert capsys.readouterr().out.partition("weak scaling")[2].count("more ranks than tiles") == 1


@pytest.mark.parametrize("change, message", [
    (dict(latency="2"), '--latency 2: needs a unit; write it like "2 us"'), (dict(latency="2 GB/s"), "--latency 2 GB/s: "),
    (dict(latency="-2 us"), "--latency -2 us: must not be negative"), (dict(ranks="0"), "--ranks 0"),
    (dict(bandwidth="0 GB/s"), "--bandwidth 0 GB/s: must be more than 0")])
def test_wrong_numbers_of_a_projection_are_named(tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        project([saved(tmp_path, studies()[0])], **change)


def test_a_study_of_one_rank_cannot_be_projected(tmp_path):
    with pytest.raises(InputError, match="no measurement on two ranks"):
        project([saved(tmp_path, studies([(1000, 1)])[0])])


def test_studies_of_different_models_are_not_mixed(tmp_path):
    other = json.loads(json.dumps(studies()[0]))
    other["settings"]["config"]["tumor"]["cells"] = 7
    fit([*studies(), other])
    other["settings"]["config"]["run"]["seed"] = 7
    with pytest.raises(InputError, match="different models"):
        fit([*studies(), other])


@pytest.mark.parametrize("text", [b"", b"[]", b'{"cases": []}', b"\xff\xfe"])
def test_what_is_no_study_is_refused(tmp_path, text):
    (tmp_path / "scaling.json").write_bytes(text)
    with pytest.raises(InputError, match="is not of a scaling study"):
        scaling_projection.project([tmp_path])
    with pytest.raises(InputError, match="cannot read"):
        scaling_projection.project([tmp_path / "nowhere"])


@pytest.mark.parametrize("figures, said", [
    ('{"cells": 0, "ranks": 2}', "without a tumor"), ('{"cells": 9}', "are damaged"), ("[]", "are damaged")])
def test_a_study_without_tumor_or_figures_is_refused(tmp_path, figures, said):
    (tmp_path / "scaling.json").write_text(
        f'{{"format": {FORMAT}, "cases": [{{"figures": {figures}}}], "settings": {{"config": {{}}}}, "kind": "strong"}}')
    with pytest.raises(InputError, match=said):
        scaling_projection.project([tmp_path])


@pytest.mark.parametrize("format, said", [(0, "has format 0"), (99, "has format 99; .* reads format 1: measure again")])
def test_a_study_of_another_format_is_refused_with_what_to_do(tmp_path, format, said):
    saved(tmp_path, studies()[0] | dict(format=format))
    with pytest.raises(InputError, match=said):
        scaling_projection.project([tmp_path])


def test_a_law_without_points_is_nothing():
    assert law([measured.figures(10, 2)], lambda *_: 0.0) == Law(0.0)
