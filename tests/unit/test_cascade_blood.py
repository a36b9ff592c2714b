"""Read-outs of the blood: half-lives and virtual draws, against hand-made results and closed laws."""
import math

import numpy as np
import pytest

import metacascade as mc
from made_results import Made, Sliced
from metacascade._kernels._layout import CTC, Fate
from metacascade.io import bloodcount, halflife
from metacascade.io.needs import Missing

# --- half-lives ----------------------------------------------------------------------------------------------

def test_the_half_life_of_the_flow_is_ln_2_times_count_over_rate():
    """100 cells an hour that flow for 3 h each: 300 at any time."""
    hours = np.arange(41)
    made = Made({"time_s": 3600 * hours, "shed": 100 * hours, "circulating": np.full(41, 300)})
    found = halflife.whole(made)
    assert found["half_life_h"] == pytest.approx(3 * math.log(2)) and found["cells"] == 2000
    assert found["low_h"] == pytest.approx(found["half_life_h"]) == pytest.approx(found["high_h"])
    made.series["circulating"][:] = 0
    with pytest.raises(Missing, match="no cell was in the flow"):
        halflife.whole(made)


@pytest.mark.statistical
def test_the_interval_of_the_half_life_covers_the_truth():
    """100 runs of 40 outputs, Poisson counts: 95 % intervals of a t law miss 5; 14 or more by chance once in 2000."""
    rng, missed, hours = np.random.default_rng(3), 0, np.arange(81)
    for _ in range(100):
        entered = np.append(0, rng.poisson(100, 80).cumsum())
        found = halflife.whole(Made({"time_s": 3600 * hours, "shed": entered, "circulating": rng.poisson(300, 81)}))
        missed += not found["low_h"] <= 3 * math.log(2) <= found["high_h"]
    assert missed < 14


def test_halvings_of_a_decay_are_those_of_its_exponential():
    """The source stops after 2 h; from then on half are left after each 90 minutes."""
    hours = np.linspace(0, 20, 41)
    flowing = np.where(hours <= 2, 1e6, 1e6 * 0.5 ** ((hours - 2) / 1.5))
    made = Made({"time_s": 3600 * hours, "shed": np.minimum(hours, 2) * 5e5, "circulating": flowing})
    found = halflife.decay(made)
    assert [row["hours"] for row in found[:3]] == pytest.approx([1.5, 3, 4.5])
    assert all(row["last_h"] == pytest.approx(1.5) and row["low_h"] < row["hours"] < row["high_h"] for row in found)
    with pytest.raises(Missing, match="up to the end"):
        halflife.decay(Made({"time_s": 3600 * hours, "shed": hours, "circulating": flowing}))


def shed_table(stay_h, fate, t_shed=0.0):
    rows = np.zeros(len(stay_h), CTC)
    rows["t_shed"], rows["n"], rows["fate"] = t_shed, 1, fate
    rows["t_event"] = rows["t_shed"] + stay_h
    return Sliced(rows)


def of_stays(stay_h, fate, **more):
    fates = {int(one): one.name.lower() for one in Fate}
    return Made({"time_s": [0, 360_000]}, {"shed": {"fate": fates}}, shed=shed_table(stay_h, fate), **more)


def test_survival_is_that_of_kaplan_and_meier_by_hand():
    """Stays 1, 2+, 3, 4, 5+, 6, 7, 8 h, + is drawn: at 4 h 7/8 x 5/6 x 4/5 = 0.583, at 6 h 2/3 of it, below a half."""
    drawn = np.isin(np.arange(1, 9), (2, 5))
    found = halflife.survival(of_stays(np.arange(1.0, 9), np.where(drawn, Fate.DRAWN, Fate.NK)))
    assert found[0]["hours"] == 6 and found[0]["low_h"] <= 6 <= found[0]["high_h"]
    with pytest.raises(Missing, match="no CTC has left"):
        halflife.survival(of_stays(np.ones(9), Fate.DRAWN))


@pytest.mark.statistical
def test_survival_is_not_bent_by_those_that_are_drawn():
    """4000 stays of half-life 2 h, drawn at times of their own: half-lives within 5 sd, 2 h x 1.6/sqrt(4000)."""
    rng = np.random.default_rng(5)
    stay, until = rng.exponential(2 / math.log(2), 4000), rng.exponential(4, 4000)
    found = halflife.survival(of_stays(np.minimum(stay, until), np.where(stay < until, Fate.SHEAR, Fate.DRAWN)))
    assert found[0]["hours"] == pytest.approx(2, abs=5 * 2 * 1.6 / math.sqrt(4000))
    assert found[1]["last_h"] == pytest.approx(2, abs=0.35)


# --- blood ---------------------------------------------------------------------------------------------------

def flowing(ctcs, epithelial, cells, hours=3):
    names = {1: "venous", 2: "lung"}
    kinds = [("time_s", "i8"), ("node", "i4"), ("circulating", "i8"), ("flowing", "i8"), ("epithelial", "i8")]
    organs = np.array([(3600 * k, 1, cells, ctcs, epithelial) for k in range(1, hours)], kinds)
    return Made({"time_s": 3600 * np.arange(hours)}, {"organs": {"node": names}}, organs=organs)


def test_what_cellsearch_expects_loses_what_emt_hides():
    """4000 CTCs in 1000 mL, half of them epithelial: in 7.5 mL 30 CTCs, of which 0.85 x (30 - 15) are seen."""
    made = flowing(4000, 4000 * 255 // 2, 6000)
    found = bloodcount.cellsearch(made)
    assert found["expected"].tolist() == pytest.approx([0, 0.85 * 15, 0.85 * 15])
    assert found["cells"].tolist() == pytest.approx([0, 45, 45]) and found["found"][0] == 0
    assert bloodcount.cellsearch(made, emt=0.0)["expected"][-1] == pytest.approx(0.85 * 30)
    assert bloodcount.cellsearch(made, volume=5000)["volume_mL"][-1] == 1000
    assert bloodcount.cellsearch(made, recovery=0)["p_any"][-1] == 0
    with pytest.raises(mc.InputError, match="recovery"):
        bloodcount.cellsearch(made, recovery=2)


@pytest.mark.parametrize("mean", [1e-6, 0.3, 4.9, 40.0])
def test_chances_of_a_tube_are_those_of_poisson(mean):
    """1 - exp(-m) sum of m^i / i! for i < 5, and its first term m^5/120 where that cancels."""
    below = math.exp(-mean) * sum(mean**i / math.factorial(i) for i in range(5))
    assert bloodcount.at_least(5, mean) == pytest.approx(mean**5 / 120 if mean < 1e-3 else 1 - below, rel=1e-5)
    assert bloodcount.at_least(1, mean) == pytest.approx(-math.expm1(-mean)) and bloodcount.at_least(1, 0) == 0


@pytest.mark.statistical
@pytest.mark.parametrize("ctcs", [400, 400_000])
def test_tubes_are_drawn_from_poisson(ctcs):
    """2000 tubes: mean within 5 sd, variance over mean within 5 sd of 1 (sd sqrt(2/2000)), by either way to draw."""
    made = flowing(ctcs, 255 * ctcs, ctcs, hours=2001)
    found = bloodcount.cellsearch(made)
    counts, mean = found["found"][1:], found["expected"][-1]
    assert counts.mean() == pytest.approx(mean, abs=5 * math.sqrt(mean / 2000))
    assert counts.var() / mean == pytest.approx(1, abs=5 * math.sqrt(2 / 2000) + 0.02)
    other = bloodcount.cellsearch(made, index=1)["found"]
    assert (other != found["found"]).any() and np.array_equal(bloodcount.cellsearch(made)["found"], found["found"])
