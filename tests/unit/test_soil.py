"""Soil solved from shares of patients: the table, the solution, and what is printed. All numbers are invented."""
from types import SimpleNamespace

import numpy as np
import pytest

from metacascade.__main__ import main
from metacascade.base.errors import InputError
from metacascade.base.nodes import BEDS
from metacascade.config import sourced
from metacascade.config.config import load
from metacascade.studies import soil

TABLE = "# invented\norgan,share\nliver,0.5\nlung, 0.4\nbone,0.3\nstomach,0\nmuscle,<0.02\ncolon,0.1\ngut,0.2\nthyroid,0.05\n"
CONFIG = """
[run]
species = "human"
[tumor]
organ = "colon"
cells = 10_000_000
[organs.liver]
soil = 7.0
"""


def written(tmp_path, text):
    path = tmp_path / "series.csv"
    path.write_text(text)
    return path


def test_a_share_of_patients_is_the_mean_of_a_poisson_count_and_rows_of_a_bed_add(tmp_path):
    found = soil.read(written(tmp_path, TABLE))
    mean = {bed: one.lesions for bed, one in found.items()}
    assert mean == pytest.approx(dict(liver=np.log(2), lung=-np.log(0.6), bone=-np.log(0.7), stomach=0.0,
                                      muscle=-np.log(0.99), gut=-np.log(0.9 * 0.8), other=-np.log(0.95)))
    assert {bed for bed, one in found.items() if one.status == "ASSUMED"} == {"muscle"}


def test_a_bed_that_the_table_does_not_tell_of_is_as_the_least_that_it_does():
    found = soil.completed({"liver": soil.Involvement(0.7, "0.5"), "bone": soil.Involvement(0.1, "0.095")})
    assert [*found] == [*BEDS] and found["liver"].lesions == 0.7
    assert {(found[bed].lesions, found[bed].share, found[bed].status) for bed in BEDS[4:]} == {
        (0.1, "not told, as bone", "ASSUMED")}


@pytest.mark.parametrize("text, told", [
    ("organ,share\n", "holds no organ"), ("livver,0.1", "series.csv:1: there is no organ 'livver' (did you mean 'liver'?)"),
    ("liver", "series.csv:1: needs an organ and a share"), ("liver,0.1,3", "needs an organ and a share"),
    ("liver,1", "'1' must be a share from 0 to below 1"), ("liver,nan", "must be a share"), ("liver,half", "must be a share"),
    ("liver,-0.1", "must be a share"), ("liver,<2", "'<2' must be a share")])
def test_what_is_wrong_in_a_table_is_told_with_its_line(text, told, tmp_path):
    with pytest.raises(InputError) as error:
        soil.read(written(tmp_path, text))
    assert told in str(error.value)


def test_more_cells_than_memory_holds_are_refused_before_any_is_walked(monkeypatch):
    monkeypatch.setattr(soil, "of_this_machine", lambda: 100)
    with pytest.raises(InputError, match="--cells 1,010 .* 1,000 at most"):
        soil.run(None, "none.csv", 1010, "")


def test_a_file_that_is_no_text_is_told(tmp_path):
    (tmp_path / "series.csv").write_bytes(b"\x89HDF\xff")
    with pytest.raises(InputError, match="series.csv: no table of organs: it is not UTF-8 text"):
        soil.read(tmp_path / "series.csv")


def test_a_table_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match="cannot read .*none.csv"):
        soil.read(tmp_path / "none.csv")


def competing(bed, amount):
    """Two hazards, of which soil multiplies the first: with other rates in every bed."""
    return amount * 0.5 / (amount * 0.5 + 0.1 + 0.2 * bed)


@pytest.mark.parametrize("chance", [competing, lambda bed, amount: 0.01 * amount], ids=["competing", "proportional"])
def test_the_soil_that_made_the_lesions_is_found_again_from_their_frequency(chance):
    rng = np.random.default_rng(5)
    true = np.array([1.0, *rng.uniform(0.001, 1.0, len(BEDS) - 2), 0.0])
    found = np.tile(rng.uniform(0.001, 0.4, len(BEDS)), (10, 1))
    lesions = 300.0 * found[0] * chance(np.arange(len(BEDS)), true)
    solved, error = soil.solved(found, lesions, chance)
    assert solved == pytest.approx(true, rel=1e-12, abs=0.0) and np.all(error < 1e-12)


def test_where_lesions_start_with_a_hazard_soil_acts_on_it_against_early_death_and_sleep(monkeypatch):
    rates = {"lesion.start": np.full(len(BEDS), 0.5), "lesion.early_death": np.arange(len(BEDS)) + 1.0,
             "lesion.sleep": np.full(len(BEDS), 0.25)}
    monkeypatch.setattr(soil, "plan_of", lambda config: SimpleNamespace(rate=rates.get))
    monkeypatch.setattr(soil, "_rates", lambda plan, *names: np.array([rates[name] for name in names]))
    chance = soil.chance_law(None)(np.array([0, 1, 14]), np.array([1.0, 0.5, 0.0]))
    assert chance == pytest.approx([0.5 / 1.75, 0.25 / 2.5, 0.0], rel=1e-15)


def test_the_error_is_that_of_many_repeated_walks():
    """Poisson arrivals in 10 batches, n = 300: the scatter has an error of 4 %, so 20 % fails by chance in 1e5 seeds."""
    rng, wanted = np.random.default_rng(6), np.linspace(0.2, 1.0, len(BEDS))
    mean = np.full(len(BEDS), 400.0)

    def one():
        return soil.solved(rng.poisson(mean, (10, len(BEDS))).astype(float), wanted, lambda bed, amount: 0.01 * amount)

    many = [one() for _ in range(300)]
    scatter = np.std([amounts for amounts, _ in many], axis=0)
    error = np.sqrt(np.mean([squares**2 for _, squares in many], axis=0))
    assert error[:-1] == pytest.approx(scatter[:-1], rel=0.2)      # the last is the best, and its soil 1


def test_lesions_where_nothing_arrives_are_refused():
    found = np.ones((10, len(BEDS)))
    found[:, BEDS.index("brain")] = 0.0
    with pytest.raises(InputError, match="nothing grows in brain.*walk more"):
        soil.solved(found, np.ones(len(BEDS)), lambda bed, amount: amount)
    with pytest.raises(InputError, match="no organ with lesions"):
        soil.solved(found, np.zeros(len(BEDS)), lambda bed, amount: amount)


def test_what_is_printed_is_a_config_with_sources_that_gives_the_frequencies_of_the_table(tmp_path, capsys):
    path = tmp_path / "run.toml"
    path.write_text(CONFIG)
    assert main(["soil", str(path), str(written(tmp_path, TABLE)), "--cells", "20000", "--source", "Nobody 2001"]) == 0
    text = capsys.readouterr().out
    (tmp_path / "with.toml").write_text(CONFIG.split("[organs")[0] + text)
    config = load(tmp_path / "with.toml")
    amounts = np.array([config.organs[bed].soil for bed in BEDS])
    assert max(amounts) == 1.0 and config.organs["stomach"].soil == 0.0
    assert "COMPUTED: Nobody 2001, 0.5 of patients, through the model" in text
    assert [one for one in sourced.unsourced(sourced.numbers_of("[tumor]\n" + text, "printed")) if "default" not in one] == []
    plain = load(path, ["organs.liver.soil=1"])
    growing = soil.arrivals(plain, 20_000).mean(axis=0) * soil.chance_law(plain)(np.arange(len(BEDS)), amounts)
    wanted = soil.completed(soil.read(tmp_path / "series.csv"))
    expected = growing[1] / wanted["liver"].lesions * np.array([wanted[bed].lesions for bed in BEDS])
    assert growing == pytest.approx(expected, rel=0.01)         # soil is printed with three digits


def test_what_a_lumped_tumor_sheds_is_walked_with_its_own_emt_and_adhesion():
    lumped = load({"tumor": {"lumped": True}, "lumped": {"emt": 1.0, "adhesion": 0.4}})
    alike = load({"tumor": {}, "traits": {"motile_fraction": 1.0, "adhesion_mean": 0.4, "adhesion_spread": 0.0}})
    found = soil.arrivals(lumped, 2_000)
    assert found.any() and (found == soil.arrivals(alike, 2_000)).all()


def test_a_tumor_draws_cells_by_its_size(monkeypatch):
    """Half of what it can, with as many cells as [cytokines] says; counts are rounded by up to 2^(1/4)."""
    monkeypatch.setattr(soil, "_walked", lambda config, circuit, *given: np.full(len(BEDS), circuit.shares[0]))
    config = load({"tumor": {"cells": 10**6}, "cytokines": {"enabled": True, "half": 1e6}})
    assert soil.arrivals(config, 10).flat[0] == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("config, told", [
    ("[[injection]]\nnode = 'portal'", "needs a config with a [tumor]"),
    ("[tumor]\n[blood]\nenabled = false", "needs blood.enabled"),
    ("[tumor]\n[colonization]\nenabled = false", "colonization.enabled")])
def test_a_config_in_which_soil_means_nothing_is_refused(config, told, tmp_path, capsys):
    path = tmp_path / "run.toml"
    path.write_text(config)
    assert main(["soil", str(path), str(written(tmp_path, TABLE)), "--cells", "100"]) == 2
    assert told in capsys.readouterr().err
