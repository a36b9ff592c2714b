"""The walk of circulating cells: equal to its twin bit for bit, and blind to how it is called."""
from dataclasses import replace

import numpy as np
import pytest

from metacascade._kernels import _blood
from metacascade._kernels._layout import CTC, MEMBER, Draw, Event, Fate, Flag, Place
from metacascade.base.records import cells_in
from metacascade.config.config import Config
from metacascade.mechanisms import plan_of
from metacascade.model.blood import ARRESTED, Blood
from metacascade.model.circuit import Circuit
from metacascade.model.members import LOW, Members
from reference import blood as twin
from tables import neutral, varied

SEED = 20240229
BUSY = dict(anoikis_per_h=2.0, anoikis_resistance=0.5, shear_slope_cm2_per_dyn_h=2.0, nk_per_h=5.0, nk_flowing=0.6,
            nk_loss_h=0.3, release_per_h=5.0, binding_per_h=40.0, platelet_time_h=0.05, platelet_fade_h=0.2, arrested_death_per_h=0.7,
            breakup_per_h=3.0, tension_mN_per_m=0.3, nuclear_stiffness_kPa=0.1)
GROWTH = dict(divide_per_h=4.0, burst_cells=7)


def config(species="human", blood=BUSY, **sections):
    organs = {name: dict(extravasation_h=0.1) for name in ("lung", "liver", "brain", "tumor")}
    return Config.from_dict(dict(run=dict(species=species), tumor=dict(cells=10**6, organ="prostate"),
                                 blood=blood, organs=organs, vessel_growth=GROWTH) | sections)


def mixture(n, seed=1):
    """Single cells and clusters from the tumor, an organ and by injection, of every size and stickiness."""
    rng = np.random.default_rng(seed)
    ctcs = np.zeros(n, CTC)
    ctcs["id"] = rng.integers(0, 2**64, n, dtype=np.uint64)
    ctcs["t_shed"], ctcs["n"] = rng.uniform(0, 0.5, n), rng.integers(1, 9, n)
    ctcs["adhesion"], ctcs["diameter"] = rng.integers(0, 256, n), rng.uniform(6, 20, n)
    ctcs["emt"], ctcs["bits"], ctcs["clone"] = rng.integers(0, 256, n), rng.integers(0, 256, n), rng.integers(0, 4, n)
    ctcs["origin"] = rng.choice([0, 0, 4, 5, 12], n)
    injected = rng.random(n) < 0.3
    ctcs["flags"][injected] = Flag.INJECTED
    ctcs["origin"][injected] = rng.integers(0, 19, injected.sum())
    return ctcs


def blood_of(ctcs, cfg):
    circuit = Circuit(cfg, plan_of(cfg))
    circuit.set_tumor_flow(3 * 10**10)
    circuit.rates = varied(circuit.rates)
    blood = Blood(cfg, circuit, SEED)
    blood.admit(ctcs)
    return blood


def everything(blood, ends):
    """All records after walking to each of `ends`, sorted by id, and the passages."""
    seen, passages = [], 0
    for end in ends:
        walked = blood.advance(end)
        seen += [walked.ended, walked.extravasated, walked.returning]
        passages += walked.passages
    seen = np.concatenate([*seen, blood.records])
    return seen[np.argsort(seen["id"])], passages


def by_twin(ctcs, blood, end, without=()):
    """As `everything`, by the twin; a cell that leaves its cluster has the traits of the leader."""
    return all_by_twin(ctcs, blood, end, without)[:2]


def all_by_twin(ctcs, blood, end, without=()):
    """As `by_twin`, and what happened, as of `Walked.events`."""
    waiting, out, passages = [{f: row[f].item() for f in CTC.names} for row in ctcs], [], 0
    events = np.zeros((len(_blood.EVENTS), _blood.LIMIT), np.int64)
    while waiting:
        walker = twin.Walker(waiting.pop(), blood.circuit, SEED, without)
        walker.advance(end)
        c, passages = walker.c, passages + walker.passages
        for name, node, cells in walker.happened:
            events[_blood.EVENTS.index(name), node] += cells
        if c["pending"] == Event.SPLIT and c["t_event"] < end and c["place"] == Place.CIRCULATING:
            word = twin.words(SEED, Draw.SPLIT, c["id"], c["hop"])
            key = c["id"] & ~int(LOW) | (word[1] << 32 | word[0]) & int(LOW)
            events[_blood.EVENTS.index("split"), c["node"]] += 1
            width = c["diameter"] if c["flags"] & Flag.INJECTED else float(np.float32(twin.diameter(SEED, key, 16.8, 0.25)))
            waiting += [c | dict(n=c["n"] - 1, pending=Event.STAY),
                        c | dict(n=1, pending=Event.STAY, hop=1, id=key, diameter=width)]
        else:
            out.append(c)
    rows = np.zeros(len(out), CTC)
    for field in CTC.names:
        rows[field] = [c[field] for c in out]
    return np.sort(rows, order="id"), passages, events


@pytest.mark.parametrize("species", ["human", "mouse"])
def test_the_walk_equals_its_twin_bit_for_bit(species):
    blood = blood_of(mixture(500), config(species))
    before = blood.records.copy()
    expected, passages = by_twin(before, blood, 0.7)
    seen, counted = everything(blood, [0.7])
    assert set(seen["fate"]) >= {Fate.OPEN, Fate.ANOIKIS, Fate.SHEAR, Fate.NK, Fate.ARRESTED_DEATH, Fate.SELF_SEEDED}
    assert set(seen["place"]) >= {Place.BOUND, Place.TRAPPED, Place.RETURNING, Place.ENDED}
    assert Event.TORN in seen["pending"] and len(seen) > 540, "clusters have split"
    assert seen.tobytes() == expected.tobytes()
    assert counted == passages


def test_what_happens_is_counted_as_the_twin_counts_it():
    blood = blood_of(mixture(500), config())
    events = all_by_twin(blood.records.copy(), blood, 0.7)[2]
    walked = blood.advance(0.7)
    assert walked.events.tolist() == events.tolist() and (events.sum(axis=1) > 0).all()
    assert (walked.lost.sum(axis=0) <= events[4:9].sum(axis=0)).all()


def test_the_draw_at_a_change_of_rates_equals_its_twin_bit_for_bit():
    blood = blood_of(mixture(500), config())
    blood.advance(0.3)
    other = varied(blood.circuit.rates, seed=9)
    expected = np.sort(blood.records, order="id")
    for row in expected:
        walker = twin.Walker({f: row[f].item() for f in CTC.names}, blood.circuit, SEED)
        walker.factor = [twin.own_factor(walker.c, other, i) for i in range(len(other.names))]
        walker.tables = other
        walker.redraw(0.3)
        for field, value in walker.c.items():
            row[field] = value
    blood.circuit.rates = other
    before = blood.records.copy()
    blood.redraw(0.3)
    assert np.sort(blood.records, order="id").tobytes() == expected.tobytes()
    assert {Place.CIRCULATING, Place.BOUND, Place.TRAPPED} <= set(before["place"])
    began = before["t_shed"] < 0.3
    assert began.sum() > 100 < (~began).sum()
    assert (blood.records["hop"] == before["hop"] + began).all() and (blood.records["t_event"][began] > 0.3).all()
    assert blood.records[~began].tobytes() == before[~began].tobytes(), "a cell that is not yet in the blood has no past"


def test_a_change_of_rates_does_not_depend_on_how_time_is_cut():
    ctcs, cfg = mixture(2000), config()

    def walked(cuts):
        blood = blood_of(ctcs, cfg)
        first, _ = everything(blood, [t for t in cuts if t < 0.25] + [0.25])
        ended = first[first["place"] >= Place.RETURNING]
        blood.circuit.rates = varied(blood.circuit.rates, seed=5)
        blood.redraw(0.25)
        return np.concatenate([ended, everything(blood, [t for t in cuts if t > 0.25] + [1.0])[0]])

    whole = walked([])
    cut = walked(np.sort(np.random.default_rng(3).uniform(0, 1, 30)).tolist())
    assert np.sort(whole, order="id").tobytes() == np.sort(cut, order="id").tobytes()


def switching(ctcs, since_h=0.0):
    blood = blood_of(ctcs, config())
    blood.circuit.switches, blood.circuit.since_h = np.array([(0.0, 4, 0), (0.05, 1, 0), (0.2, 0, 2)], _blood.SWITCH), since_h
    return blood


@pytest.mark.parametrize("since_h", [0.0, 0.4])
def test_bits_that_are_switched_after_a_time_equal_the_twin_bit_for_bit(since_h):
    blood = switching(mixture(1000), since_h)
    expected, passages = by_twin(blood.records.copy(), blood, 0.7)
    seen, counted = everything(blood, [0.7])
    assert seen.tobytes() == expected.tobytes() and counted == passages
    hours = seen["t_event"].clip(max=0.7) - np.maximum(seen["t_shed"], since_h)
    left = np.isin(seen["place"], (Place.ENDED, Place.RETURNING))
    whole = ~left & (seen["t_shed"] < 0.45) & (since_h == 0.0)
    assert (seen["bits"][hours > 0.05] & 5 == 5).all() and (seen["bits"][whole] & 2 == 0).all()
    assert (seen["bits"][left & (hours < 0.05)] & 1 == 0).any() and (seen["bits"][left & (hours < 0.2)] & 2).any()


def test_switches_do_not_depend_on_how_time_is_cut():
    ctcs = mixture(3000)
    whole, _ = everything(switching(ctcs), [2.0])
    cuts = [0.05, *np.sort(np.random.default_rng(3).uniform(0, 2, 40)).tolist(), 2.0]
    assert everything(switching(ctcs), sorted(cuts))[0].tobytes() == whole.tobytes()


def test_what_switches_no_bit_changes_nothing():
    """Those that have the bit already are left alone, to the last random number."""
    ctcs = mixture(1000)
    ctcs["bits"] |= 5
    ctcs["bits"] &= 253
    assert everything(switching(ctcs), [2.0])[0].tobytes() == everything(blood_of(ctcs, config()), [2.0])[0].tobytes()


def test_the_walk_does_not_depend_on_how_time_is_cut():
    ctcs, cfg = mixture(3000), config()
    whole, passages = everything(blood_of(ctcs, cfg), [2.0])
    cuts = np.sort(np.random.default_rng(3).uniform(0, 2, 40)).tolist() + [2.0]
    cut, counted = everything(blood_of(ctcs, cfg), cuts)
    assert cut.tobytes() == whole.tobytes()
    assert counted == passages


def test_the_walk_does_not_depend_on_order_or_company():
    ctcs, cfg = mixture(2000), config("mouse")
    whole, _ = everything(blood_of(ctcs, cfg), [1.0])
    mixed = np.random.default_rng(5).permutation(ctcs)
    parts = [everything(blood_of(part, cfg), [1.0])[0] for part in (mixed[:700], mixed[700:])]
    split = np.concatenate(parts)
    assert split[np.argsort(split["id"])].tobytes() == whole.tobytes()


@pytest.mark.parametrize(("absent", "zero"), [
    ("anoikis", dict(anoikis_per_h=0.0)), ("shear", dict(shear_slope_cm2_per_dyn_h=0.0)), ("nk", dict(nk_per_h=0.0)),
    ("release", dict(release_per_h=0.0)), ("bind", dict(binding_per_h=0.0)), ("size", dict(tension_mN_per_m=0.0, nuclear_stiffness_kPa=0.0)),
    ("split", dict(breakup_per_h=0.0)), ("arrested_death", dict(arrested_death_per_h=0.0)),
    ("platelets", dict(platelet_nk=0.0, platelet_shear=0.0)), ("loss", dict(nk_loss_h=87660.0))])
def test_a_mechanism_at_zero_equals_code_without_it(absent, zero):
    blood = blood_of(mixture(150), config(blood=BUSY | zero))
    expected, _ = by_twin(blood.records, blood, 0.5, without=(absent,))
    seen, _ = everything(blood, [0.5])
    assert seen.tobytes() == expected.tobytes()


def test_attraction_of_one_equals_code_without_it():
    blood = blood_of(mixture(150), config(colonization=dict(attraction=1.0)))
    expected, _ = by_twin(blood.records, blood, 0.5, without=("attraction",))
    assert everything(blood, [0.5])[0].tobytes() == expected.tobytes()


def test_with_the_section_off_cells_only_circulate():
    blood = blood_of(mixture(500), config(blood=BUSY | dict(enabled=False)))
    walked = blood.advance(1.0)
    assert not (walked.ended.size or walked.extravasated.size or walked.returning.size)
    assert blood.circulating == blood.records["n"].sum() and blood.arrested == 0
    assert walked.passages > 500


def with_lymph(n, seed=2):
    """A mixture of which two thirds have left the tumor with lymph, in a circuit with the lymph node."""
    cfg = config(lymphatic=dict(enabled=True), vessel_growth=dict(enabled=False))
    blood, ctcs = blood_of(np.empty(0, CTC), cfg), mixture(n, seed)
    drained = np.arange(n) % 3 > 0
    ctcs["flags"][drained], ctcs["origin"][drained] = Flag.LYMPH, blood.circuit.lymph_node
    blood.circuit.nodes["capillary_um"][blood.circuit.lymph_node] = 14.0     # half of them pass
    blood.admit(ctcs)
    return blood


def test_the_way_through_the_lymph_node_equals_the_twin_bit_for_bit():
    blood = with_lymph(600)
    blood.circuit.nodes["transit_h"][blood.circuit.lymph_node] = 0.1
    expected, passages = by_twin(blood.records.copy(), blood, 0.7)
    seen, counted = everything(blood, [0.7])
    assert seen.tobytes() == expected.tobytes() and counted == passages
    came = seen[seen["flags"] & Flag.LYMPH > 0]
    inside = came["node"] == blood.circuit.lymph_node
    assert inside.sum() > 50 < (~inside).sum() and np.isin(came["place"][inside], ARRESTED).sum() > 8
    assert {Fate.NK, Fate.ARRESTED_DEATH} <= set(came["fate"][inside]) and Fate.SHEAR in came["fate"][~inside]
    assert (seen["node"][seen["flags"] & Flag.LYMPH == 0] != blood.circuit.lymph_node).all(), "no blood comes there"


def test_what_comes_out_of_the_lymph_node_is_counted_however_time_is_cut():
    whole, cut = with_lymph(900), with_lymph(900)
    total = whole.in_lymph
    assert total == cells_in(whole.records, whole.records["flags"] & Flag.LYMPH > 0) and whole.circulating > 0
    drained = sum(cut.advance(end).drained for end in np.linspace(0.05, 1.0, 20))
    walked = whole.advance(1.0)
    lost = walked.lost[:, whole.circuit.lymph_node].sum()
    stayed = np.concatenate([walked.ended, walked.extravasated, whole.records])
    stayed = stayed[stayed["node"] == whole.circuit.lymph_node]
    assert walked.drained == drained == total - cells_in(stayed) - lost > 50
    assert whole.in_lymph == cut.in_lymph == cells_in(whole.records, whole.records["node"] == whole.circuit.lymph_node)
    assert whole.circulating + whole.arrested + whole.in_lymph == whole.records["n"].sum()


def test_diameters_are_drawn_only_where_there_is_none():
    ctcs = mixture(400)
    ctcs["diameter"][::2] = 0.0
    given = ctcs["diameter"].copy()
    _blood.size(ctcs, SEED, 12.4, 0.25)
    expected = [np.float32(twin.diameter(SEED, key, 12.4, 0.25, n)) for key, n in ctcs[["id", "n"]][::2].tolist()]
    assert (ctcs["diameter"][1::2] == given[1::2]).all()
    assert ctcs["diameter"][::2].tolist() == expected


def with_members(ctcs):
    """Blood with clusters all of whose cells have a clone and an adhesion of their own."""
    blood = blood_of(ctcs, config())
    blood.members.records = np.zeros(cells_in(ctcs) - len(ctcs), MEMBER)
    more, members = ctcs["n"].astype(int) - 1, blood.members.records
    members["id"] = np.repeat(ctcs["id"], more)
    members["index"] = np.arange(len(members)) - np.repeat(np.cumsum(more) - more, more) + 1
    members["clone"], members["adhesion"] = members["index"] % 4, 30 * members["index"]
    return blood


def test_cells_leave_clusters_with_their_own_traits_however_time_is_cut():
    ctcs = mixture(800)
    blood, cut = with_members(ctcs), with_members(ctcs)
    whole, _ = everything(blood, [1.0])
    pieces, _ = everything(cut, np.linspace(0.02, 1.0, 50))
    assert whole.tobytes() == pieces.tobytes()
    for one in (blood, cut):
        one.members.keep(one.records)
    assert np.sort(blood.members.records).tobytes() == np.sort(cut.members.records).tobytes()
    alone = whole[~np.isin(whole["id"], ctcs["id"])]
    theirs = (alone["adhesion"] % 30 == 0) & (alone["clone"] == alone["adhesion"] // 30 % 4)
    assert len(alone) > 100 and len(set(alone["clone"])) == 4
    assert theirs.mean() > 0.95, "each has the traits of one of the followers, if it was not born in a vessel"


def test_cells_of_clusters_are_counted_when_they_die_leave_and_are_born():
    ctcs = mixture(2000)
    blood, gone, dead = with_members(ctcs), 0, 0
    for end in np.linspace(0.1, 1.0, 10):
        walked = blood.advance(end)
        gone += sum(cells_in(part) for part in (walked.extravasated, walked.returning)) - walked.born
        dead += sum(walked.deaths.values())
        assert walked.lost.sum() + cells_in(walked.ended) == sum(walked.deaths.values())
        assert cells_in(ctcs) == gone + dead + blood.circulating + blood.arrested


def test_a_member_that_its_cluster_has_lost_is_gone_for_good():
    """A cluster loses a cell and grows again in its vessel: the new one has the traits of the leader."""
    members = Members(np.zeros(3, MEMBER))
    members.records["index"] = [1, 2, 3]
    ctcs = np.zeros(1, CTC)
    ctcs["n"] = 5
    members.forget(ctcs, np.array([2], np.uint16))
    assert members.records["index"].tolist() == [1]
    members.keep(ctcs)


def test_a_clone_that_the_tables_have_not_is_refused():
    blood = blood_of(mixture(10), config())
    blood.records["clone"][4] = 4
    with pytest.raises(IndexError, match="clone"):
        blood.advance(1.0)


def test_tables_of_another_shape_are_refused():
    blood = blood_of(mixture(3), config())
    blood.circuit.rates = replace(blood.circuit.rates, place=blood.circuit.rates.place[:, :-1].copy())
    with pytest.raises(ValueError, match="differ in length"):
        blood.advance(1.0)


def test_a_factor_of_a_trait_is_as_good_as_a_factor_of_all():
    """NK at half by the clone, the EMT, a bit, or the base: the same walk, bit for bit."""
    ctcs = mixture(500)
    ctcs["clone"], ctcs["emt"], ctcs["bits"] = 2, 200, 4
    seen = []
    for way in ("clone", "emt", "bits", "place"):
        blood = blood_of(ctcs, config())
        rates = neutral(_blood.RATES, len(blood.circuit.names))
        rates = replace(rates, place=blood.circuit.rates.place.copy(), clone=np.ones((len(_blood.RATES), 3), np.float32))
        table = dict(clone=rates.clone[2, 2:3], emt=rates.states("blood.nk", "emt")[200:201],
                     bits=rates.states("blood.nk", "bits")[4:5], place=rates.by_node("blood.nk"))[way]
        table *= 0.5
        blood.circuit.rates = rates
        seen.append(everything(blood, [1.0])[0].tobytes())
    assert len(set(seen)) == 1


def test_a_time_that_is_no_number_stops_the_walk():
    blood = blood_of(mixture(10), config())
    blood.records["t_event"][4] = np.nan
    with pytest.raises(FloatingPointError, match="not a number"):
        blood.advance(1.0)


def test_a_cell_that_names_no_node_is_refused():
    ctcs = mixture(3)
    ctcs["origin"][1] = 19
    with pytest.raises(ValueError, match="node of the circuit"):
        blood_of(ctcs, config())


def test_the_records_of_the_kernel_and_the_tables_agree():
    circuit = Circuit(config(), plan_of(config()))
    assert circuit.nodes.dtype == _blood.NODE and len(circuit.names) <= _blood.LIMIT
