"""Colonization and lesions: equal to their twin bit for bit, and blind to how they are called."""
import numpy as np
import pytest

from metacascade._kernels import _lesions
from metacascade._kernels._layout import CTC, LESION, Fate, LesionState
from metacascade.config.config import Config
from metacascade.mechanisms import plan_of
from metacascade.model.circuit import Circuit
from metacascade.model.lesions import Lesions
from reference import lesions as twin
from tables import neutral, varied

SEED = 77
BUSY = dict(establish=0.4, dormant=0.5, wake_per_h=0.05, dormant_death_per_h=0.03, birth_per_h=0.3,
            death_per_h=0.1, shed_per_h=0.02, capacity=20_000)


def lesions_of(colonization=BUSY, **sections):
    cfg = Config.from_dict(dict(colonization=BUSY | colonization) | sections)
    lesions = Lesions(plan_of(cfg), Circuit(cfg, plan_of(cfg)), SEED)
    lesions.rates = varied(lesions.rates)
    return lesions


def test_bits_go_by_the_size_of_a_lesion_at_the_end_of_a_step():
    lesions = lesions_of()
    lesions.switches = [(10.0, 0, 2), (20.0, 1, 0)]
    lesions.found(extravasated(400))
    lesions.records["n"] = np.resize([5, 50, 5000], len(lesions.records))
    lesions.records["bits"] |= 2
    lesions.advance(0, 0.0, 1.0)
    n, bits = lesions.records["n"], lesions.records["bits"]
    assert {0} < set(bits & 3) and (bits[n >= 10] & 2 == 0).all() and (bits[n < 10] & 2 == 2).all()
    assert (bits[n < 20] & 1).all() and set(bits[n >= 20] & 1) == {0, 1}, "above, what was set stays"


def extravasated(n, seed=1):
    rng = np.random.default_rng(seed)
    ctcs = np.zeros(n, CTC)
    ctcs["id"], ctcs["t_event"] = rng.integers(0, 2**64, n, dtype=np.uint64), rng.uniform(0, 0.5, n)
    ctcs["n"], ctcs["node"], ctcs["clone"] = rng.integers(1, 9, n), rng.integers(4, 19, n), np.arange(n) % 4
    ctcs["emt"], ctcs["adhesion"], ctcs["flags"] = rng.integers(0, 256, n), rng.integers(0, 256, n), np.arange(n) % 8
    ctcs["bits"] = rng.integers(0, 256, n)
    return ctcs


def started(n, sizes=(1, 2, 30, 5_000), colonization=BUSY):
    """Lesions of many sizes, every other one dormant."""
    lesions = lesions_of(colonization)
    establish = _lesions.RATES.index("lesion.establish")
    for table in (lesions.rates.place, lesions.rates.clone, lesions.rates.state):
        table[establish] = 1.0
    lesions.found(extravasated(n))
    lesions.records["n"] = np.resize(sizes, n)
    lesions.records["state"] = np.arange(n) % 2
    return lesions


def rows(records):
    return [{name: row[name].item() for name in records.dtype.names} for row in records]


def by_twin(lesions, records, step, start, end, without=()):
    """(LESION array, tallies, CTC array) of a step in plain Python."""
    tally, alive, shed = dict.fromkeys(_lesions.TALLY, 0), rows(records), []
    times, tables = zip((start, lesions.rates), *lesions.changes)
    for span, (t0, t1, rates) in enumerate(zip(times, [*times[1:], end], tables)):
        for lesion in alive:
            if lesion["state"] != LesionState.CLEARED and lesion["t_founded"] < t1:
                n, since = twin.live(lesion, twin.own_rates(lesion, rates), SEED, step, max(t0, lesion["t_founded"]), t1,
                                     tally, without, span)
                shed += [twin.child(lesion, SEED, lesion["shed"] - n + k, since, t1) for k in range(n)]
    return filled(LESION, alive), tally, filled(CTC, shed)


def filled(kind, dicts):
    out = np.zeros(len(dicts), kind)
    for row, fields in zip(out, dicts):
        for name, value in fields.items():
            row[name] = value
    return out


def test_the_fate_of_extravasated_cells_equals_the_twin():
    lesions = lesions_of(organs=dict(bone=dict(soil=4.0), brain=dict(soil=0.0)))
    ctcs = extravasated(2_000)
    lost, founders = lesions.found(ctcs)
    expected, fates = [], []
    for c in rows(ctcs):
        expected.append(twin.found(c, twin.own_rates(c, lesions.rates), SEED))
        fates.append(c["fate"])
    expected = [e for e in expected if e]
    assert rows(lesions.records) == [dict.fromkeys(LESION.names, 0) | e for e in expected]
    assert lost["id"].tolist() == ctcs["id"][np.array(fates) == Fate.NOT_ESTABLISHED].tolist()
    assert founders["id"].tolist() == lesions.records["id"].tolist()
    assert (lost["fate"] == Fate.NOT_ESTABLISHED).all() and (founders["fate"] == Fate.LESION).all()
    assert (ctcs["fate"] == Fate.OPEN).all(), "the caller's array was changed"


@pytest.mark.parametrize("dt, changes", [(0.5, ()), (7.0, ()), (7.0, (0.3, 0.6))])
def test_a_step_equals_its_twin_bit_for_bit(dt, changes):
    """With `changes`, rates become others at these parts of a step."""
    lesions = started(60, sizes=(1, 2, 30, 5_000, 20_000))
    for step in range(3):
        before = lesions.records.copy()
        lesions.changes = [((step + part) * dt, varied(lesions.rates, seed=k)) for k, part in enumerate(changes)]
        grown = lesions.advance(step, step * dt, dt)
        records, tally, shed = by_twin(lesions, before, step, step * dt, step * dt + dt)
        assert lesions.records.tobytes() == records.tobytes()
        assert {name: getattr(grown, name) for name in tally if name != "shed"} | {
            "shed": grown.shed.size} == tally
        assert grown.shed.tobytes() == shed.tobytes()
    assert set(lesions.records["state"]) == set(LesionState)


def test_a_cell_founds_a_lesion_by_the_rates_of_its_time():
    lesions, none = lesions_of(), neutral(_lesions.RATES, 19)
    lesions.rates, all_of_them = none, neutral(_lesions.RATES, 19, establish=1.0)
    lesions.changes = [(0.1, all_of_them), (0.3, none)]
    ctcs = extravasated(1_000)
    ctcs["clone"] = 0
    lost, founders = lesions.found(ctcs)
    within = (ctcs["t_event"] >= 0.1) & (ctcs["t_event"] < 0.3)
    assert founders["id"].tolist() == ctcs["id"][within].tolist() == lesions.records["id"].tolist()
    assert lost["id"].tolist() == ctcs["id"][~within].tolist()


@pytest.mark.parametrize(("absent", "zero"), [
    ("wake", dict(wake_per_h=0.0)), ("dormant_death", dict(dormant_death_per_h=0.0)),
    ("birth", dict(birth_per_h=0.0)), ("death", dict(death_per_h=0.0)), ("shed", dict(shed_per_h=0.0))])
def test_a_mechanism_at_zero_equals_code_without_it(absent, zero):
    lesions = started(150, colonization=BUSY | zero)
    before = lesions.records.copy()
    grown = lesions.advance(4, 2.0, 0.5)
    records, tally, shed = by_twin(lesions, before, 4, 2.0, 2.5, without=(absent,))
    assert lesions.records.tobytes() == records.tobytes() and grown.shed.tobytes() == shed.tobytes()
    named = dict(wake="woken", dormant_death="died_dormant", birth="born", death="died_active", shed="shed")
    assert tally[named[absent]] == 0


def test_with_the_section_off_no_cell_founds_a_lesion():
    lesions = lesions_of(dict(enabled=False))
    lost, founders = lesions.found(extravasated(500))
    assert lost.size == 500 and founders.size == lesions.records.size == lesions.cells == 0


def test_lesions_do_not_depend_on_order_or_company():
    whole, parts = started(300), (started(300), started(300))
    order = np.random.default_rng(3).permutation(300)
    for part, chosen in zip(parts, (order[:100], order[100:])):
        part.records = part.records[chosen]
    shed = []
    for lesions in (whole, *parts):
        shed.append([lesions.advance(step, step, 1.0).shed for step in range(5)])
    together = np.concatenate([part.records for part in parts])
    assert np.sort(together, order="id").tobytes() == np.sort(whole.records, order="id").tobytes()
    mine, theirs = np.concatenate(shed[0]), np.concatenate([*shed[1], *shed[2]])
    assert np.sort(mine, order="id").tobytes() == np.sort(theirs, order="id").tobytes()


def test_ids_of_shed_cells_never_repeat():
    lesions = started(50, sizes=(400,))
    ids = np.concatenate([lesions.advance(step, step, 1.0).shed["id"] for step in range(30)])
    assert ids.size > 5_000 and np.unique(ids).size == ids.size


def test_every_cell_of_a_lesion_is_accounted_for():
    lesions = started(500)
    founders = lesions.records["n"].copy()
    total = dict.fromkeys(("born", "died_active", "died_dormant", "shed"), 0)
    for step in range(40):
        grown = lesions.advance(step, 0.5 * step, 0.5)
        for name in total:
            total[name] += grown.shed.size if name == "shed" else getattr(grown, name)
    r = lesions.records
    assert (r["n"] == founders + r["born"] - r["died"] - r["shed"]).all() and (r["n"] >= 0).all()
    assert (r["born"].sum(), r["died"].sum()) == (total["born"], total["died_active"] + total["died_dormant"])
    assert ((r["state"] == LesionState.CLEARED) == (r["n"] == 0)).all()
    assert lesions.cells == r["n"].sum()


def test_a_lesion_founded_within_a_step_lives_from_then_on():
    lesions = lesions_of(dict(establish=1.0, dormant=0.0, birth_per_h=1.0, death_per_h=0.0, shed_per_h=0.0,
                              capacity=10**14))
    lesions.rates = neutral(_lesions.RATES, len(lesions.circuit.names), establish=1.0, birth=1.0,
                            capacity=1e14)
    early, late = extravasated(4_000), extravasated(4_000, seed=2)
    early["n"], late["n"], early["clone"], late["clone"] = 1, 1, 0, 0
    early["t_event"], late["t_event"] = 0.0, 8.0
    lesions.found(early)
    lesions.found(late)
    lesions.advance(0, 0.0, 10.0)
    means = [lesions.records["n"][part].mean() for part in (slice(4_000), slice(4_000, None))]
    assert means == pytest.approx([np.exp(10.0), np.exp(2.0)], rel=0.08)
    assert (lesions.records["t_founded"][4_000:] == 8.0).all()


def test_the_rates_of_lesions_are_those_of_the_tables():
    """What the twin takes as the rate of each lesion is the product that `PlacedRates.values` documents."""
    lesions = started(40)
    for name in _lesions.RATES:
        own = [twin.own_rates(lesion, lesions.rates)[name.split(".")[1]] for lesion in rows(lesions.records)]
        assert lesions.rates.values(name, lesions.records).tolist() == own
        assert len(set(own)) > 30 or name == "lesion.establish"


def test_a_clone_or_node_that_the_tables_have_not_is_refused():
    lesions = started(10)
    lesions.records["clone"][4] = 4
    with pytest.raises(IndexError, match="clone"):
        lesions.advance(0, 0.0, 0.5)
    lesions.records["clone"][4], lesions.records["node"][5] = 0, 19
    with pytest.raises(IndexError, match="in a node"):
        lesions.advance(0, 0.0, 0.5)


@pytest.mark.parametrize(("lesions", "room", "message"), [
    (3, 9, "3 lesions, but 2 broods"), (1, 9, "1 lesions, but 2 broods"), (2, 6, "7 cells are shed, but there is room for 6")])
def test_children_without_room_or_of_other_lesions_are_refused(lesions, room, message):
    broods = np.array([(3, 0.0), (4, 0.0)], _lesions.BROOD)
    with pytest.raises(ValueError, match=message):
        _lesions.children(np.zeros(lesions, LESION), broods, np.zeros(room, CTC), 1, 1.0)


def test_a_time_that_is_no_number_stops_the_step():
    lesions = started(10)
    lesions.records["t_founded"][3] = np.nan
    with pytest.raises(FloatingPointError, match="not a number"):
        lesions.advance(0, 0.0, 0.5)
