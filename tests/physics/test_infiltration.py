"""MMP1 and fascin-1: the way out of the vessels of a tumor is as fast as the genes of a clone say, and no other way."""
import numpy as np
import pytest

from binomial import assert_binomial
from metacascade._kernels._layout import CTC, Event, Flag, Place
from metacascade.config.config import Config
from metacascade.config.windows import windows
from metacascade.mechanisms import plan_of
from metacascade.model.blood import Blood
from metacascade.model.circuit import Circuit
from metacascade.model.schedule import Schedule

N, EXIT = 20_000, 0.1       # cells of each clone; hazard [1/h]
ALONE = dict(anoikis_per_h=0.0, shear_slope_cm2_per_dyn_h=0.0, nk_per_h=0.0, release_per_h=0.0, arrested_death_per_h=0.0)
MMP1, FSCN1 = np.array([0, 255, 0, 255], np.uint8), np.array([0, 0, 102, 102], np.uint8)      # 0, 1; 0, 0.4
GAINS = (1.0, 3.0, 1.8, 5.4)


def left(node, enabled=True, therapy=()):
    """How many of each clone have left the vessels of a node alive after an hour in which all were held there."""
    config = Config.from_dict(dict(
        tumor=dict(cells=10**6), blood=ALONE, colonization=dict(attraction=1.0), vessel_growth=dict(enabled=False),
        infiltration=dict(enabled=enabled, gain=3.0), therapy=list(therapy)))
    circuit = Circuit(config, plan_of(config))
    circuit.set_rates(Schedule(windows(config)).scales(0, "blood."))
    circuit.take_clones({"src": np.full(4, 255, np.uint8), "mmp1": MMP1, "fscn1": FSCN1})
    circuit.rates.by_node("blood.extravasate")[:] = EXIT
    blood, ctcs = Blood(config, circuit, 5), np.zeros(4 * N, CTC)
    ctcs["id"], ctcs["n"], ctcs["diameter"] = np.arange(4 * N, dtype=np.uint64) << np.uint64(20), 1, 12.0
    ctcs["clone"], ctcs["flags"] = np.arange(4 * N) % 4, Flag.INJECTED
    blood.admit(ctcs)
    blood.records["node"], blood.records["place"] = circuit.index(node), Place.BOUND
    blood.records["hop"], blood.records["t_event"], blood.records["pending"] = 1, 1e9, Event.EXTRAVASATE
    blood.redraw(0.0)
    walked = blood.advance(1.0)
    out = walked.returning if node == "tumor" else walked.extravasated
    return np.bincount(out["clone"], minlength=4)


@pytest.mark.statistical
@pytest.mark.parametrize("node, gains", [("tumor", GAINS), ("lung", (1, 1, 1, 1))])
def test_genes_multiply_the_exit_in_the_tumor_and_nowhere_else(node, gains):
    """Binomial, n = 20,000 of each clone: 1 - exp(-exit (1 + 2 mmp1) (1 + 2 fscn1))."""
    for count, gain in zip(left(node), gains):
        assert_binomial(count, N, -np.expm1(-EXIT * gain))


@pytest.mark.statistical
@pytest.mark.parametrize("efficacy", [0.5, 1.0])
def test_the_drug_takes_off_what_the_genes_add_and_no_more(efficacy):
    """Binomial, as above with (1 - efficacy) of what each of the two adds."""
    counts = left("tumor", therapy=[dict(drug="MMP1/fascin-1 inhibitor", efficacy=efficacy)])
    for count, mmp1, fscn1 in zip(counts, MMP1 / 255, FSCN1 / 255):
        gain = (1 + 2 * mmp1 * (1 - efficacy)) * (1 + 2 * fscn1 * (1 - efficacy))
        assert_binomial(count, N, -np.expm1(-EXIT * gain))


def test_off_nothing_of_it_is_in_the_plan_and_all_clones_are_alike():
    plan = plan_of(Config.from_dict(dict(tumor={})))
    assert not {"mmp1", "fscn1"} & {trait.name for trait in plan.traits} and plan.rate("blood.mmp1") is None
    counts = left("tumor", enabled=False)
    for count in counts:
        assert_binomial(count, N, -np.expm1(-EXIT))
