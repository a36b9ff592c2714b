"""Promise 1 for settings that nobody chose: random configs on one rank, on some, and stopped and resumed on others."""
import math
import random

import pytest

import small
from metacascade.base.errors import InputError
from metacascade.config.config import load

pytestmark = [pytest.mark.mpi, pytest.mark.slow]
# key -> (lowest, highest, unit); a span of more than 50 is drawn evenly in its logarithm
SPANS = {
    "tumor.perfusion": (0.01, 10, " mL/min/g"), "tissue.voxel": (10, 100, " um"), "migration.bias": (0, 0.8, ""),
    "growth.division_time": (1, 100, " h"), "growth.death_rate": (0.01, 5, "/day"),
    "hypoxia.threshold": (5, 40, " mmHg"), "hypoxia.full": (0, 5, " mmHg"), "hypoxia.survival": (0.5, 20, " h"),
    "migration.speed": (1, 150, " um/h"), "migration.persistence": (1, 60, " min"),
    "crowding.mobility": (10, 50_000, " um^2/h"), "oxygen.uptake": (0.1, 30, " mmHg/s"),
    "traits.motile_fraction": (0, 1, ""), "traits.adhesion_mean": (0, 1, ""),
    "vessels.length_density": (10, 400, " mm/mm^3"), "vessels.radius_spread": (0, 1.2, ""),
    "vessels.jitter": (0, 0.5, ""), "vessels.drop": (0, 0.6, ""), "intravasation.hazard": (0.1, 50, "/day"),
    "intravasation.reach": (0, 60, " um"), "intravasation.cluster_fraction": (0, 1, ""),
    "intravasation.cluster_mean": (2, 20, ""), "intravasation.detach_exponent": (0, 4, ""),
    "blood.binding": (0.1, 100, "/h"), "blood.tension": (0.01, 1, " mN/m"), "blood.nuclear_stiffness": (0.05, 2, " kPa"),
    "blood.breakup": (0, 5, "/h"), "vessel_growth.divide": (0, 10, "/day"), "colonization.attraction": (1, 1000, ""),
    "colonization.clonogenic": (0, 1, ""), "colonization.early_death": (0, 9, "/day"), "colonization.wake": (0, 10, "/day"),
    "colonization.start": (0, 9, "/day"), "colonization.gompertz": (0, 0.5, "/day"), "colonization.shed": (0, 5, "/day")}
CHOICES = {
    "run.species": ("mouse", "mouse", "human"), "tumor.organ": ("breast", "colon", "lung", "prostate", "skin"),
    "oxygen.sweeps": (1, 2, 3, 5, 8), "oxygen.initial_sweeps": (0, 7, 30), "balance.threshold": (0, 0.05, 0.5),
    "balance.interval": (1, 2, 3), "output.shed_cells": (True, False)}
SECTIONS = ("growth", "hypoxia", "migration", "crowding", "oxygen", "intravasation", "blood", "colonization")


def draw(dice):
    """(settings, steps) of a run that the config allows."""
    while True:
        chosen = {key: _between(dice, low, high, unit) for key, (low, high, unit) in SPANS.items()}
        chosen |= {key: dice.choice(values) for key, values in CHOICES.items()}
        chosen |= {f"{section}.enabled": False for section in SECTIONS if dice.random() < 0.05}
        reach = dice.choice((300, 990_000))
        chosen["tumor.center"] = [f"{dice.uniform(-reach, reach):.2f} um" for _ in range(3)]
        chosen["tumor.cells"] = int(math.exp(dice.uniform(0, math.log(40_000))))
        chosen["tissue.capacity"] = int(math.exp(dice.uniform(0, math.log(255))))
        minutes, steps = dice.choice((10, 20, 30, 60, 120)), 2 * dice.randint(3, 12)
        chosen |= {"run.seed": dice.randrange(2**40), "run.step": f"{minutes} min",
                   "run.duration": f"{steps * minutes} min", "output.interval": f"{2 * minutes} min",
                   "output.checkpoint": f"{2 * minutes} min"}
        settings = small.settings(**chosen)
        try:
            load(small.EXAMPLE, settings)
        except InputError:      # such as steps that would carry cells too far
            continue
        return settings, steps


def _between(dice, low, high, unit):
    if low > 0 and high > 50 * low:
        value = math.exp(dice.uniform(math.log(low), math.log(high)))
    else:
        value = dice.uniform(low, high)
    return f"{value:.5g}{unit}" if unit else float(f"{value:.5g}")


@pytest.mark.parametrize("seed", range(10))
def test_random_settings(runs, seed):
    dice = random.Random(seed)
    settings, steps = draw(dice)
    alone, = runs(1, dict(settings=settings))
    together, = runs(dice.choice((2, 3, 4, 5)), dict(settings=settings))
    stopped, = runs(dice.choice((2, 3)), dict(settings=settings, stop_at=dice.randint(1, steps - 1)))
    assert stopped["code"] == 75
    runs(dice.choice((1, 2, 4)), dict(out=stopped["out"], resume=True))
    assert small.content(together["out"]) == small.content(alone["out"]), settings
    assert small.content(stopped["out"], ordered=True) == small.content(alone["out"], ordered=True), settings
