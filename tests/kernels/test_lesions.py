"""Colonization and lesions: equal to their twin bit for bit, and blind to how they are called."""
import math

import numpy as np
import pytest

from metacascade._kernels import _lesions
from metacascade._kernels._layout import CTC, LESION, Fate, Flag, LesionEvent, LesionState, Place
from metacascade.config.config import Config
from metacascade.mechanisms import plan_of
from metacascade.model.circuit import Circuit
from metacascade.model.lesions import Lesions
from reference import lesions as twin
from tables import neutral, varied

SEED = 77
BUSY = dict(clonogenic=0.4, early_death_per_h=0.05, start_per_h=0.1, sleep_per_h=0.1, wake_per_h=0.05,
            dormant_death_per_h=0.03, gompertz_per_h=0.03, capacity=200_000, cell_loss=0.3, avascular_limit=3_000,
            switch_h=30.0, shed_per_h=0.003, shed_avascular=0.5, detect=2_500)


def lesions_of(colonization=BUSY, **sections):
    cfg = Config.from_dict(dict(colonization=BUSY | colonization) | sections)
    lesions = Lesions(cfg, Circuit(cfg, plan_of(cfg)), SEED)
    lesions.rates, lesions.law["normal"] = varied(lesions.rates), 4
    lesions.rates.by_node("lesion.transform")[:] = 0.02
    return lesions


def extravasated(n, seed=1):
    rng = np.random.default_rng(seed)
    ctcs = np.zeros(n, CTC)
    ctcs["id"], ctcs["t_event"] = rng.integers(0, 2**64, n, dtype=np.uint64), rng.uniform(0, 0.5, n)
    ctcs["n"], ctcs["node"], ctcs["clone"] = rng.integers(1, 9, n), rng.integers(4, 19, n), np.arange(n) % 4
    ctcs["emt"], ctcs["adhesion"], ctcs["flags"] = rng.integers(0, 256, n), rng.integers(0, 256, n), np.arange(n) % 32
    ctcs["bits"], ctcs["origin"] = rng.integers(0, 256, n), rng.integers(0, 19, n)
    bytes_of_place(ctcs)[:] = rng.integers(0, 2**63, n, dtype=np.uint64)
    ctcs["x"][injected(ctcs)] = ctcs["y"][injected(ctcs)] = 0.0
    return ctcs


def injected(ctcs):
    return ctcs["flags"] & (Flag.INJECTED | Flag.LESION) == Flag.INJECTED


def bytes_of_place(ctcs):
    """The bytes of x and y as one number, a view."""
    at = CTC.fields["x"][1]
    return np.ndarray(len(ctcs), "u8", ctcs.data, at, (CTC.itemsize,))


def started(n, sizes=(1, 2, 30, 5_000), colonization=BUSY):
    """Lesions of many sizes, in all states that have cells."""
    lesions = lesions_of(colonization)
    lesions.found(extravasated(n))
    r = lesions.records
    r["n"], r["state"] = np.resize(sizes, n), np.arange(n) // len(sizes) % 4
    grows = r["state"] >= LesionState.MICRO
    r["t_event"][grows], r["pending"][grows] = math.inf, LesionEvent.GREW
    return lesions


def rows(records):
    found = [{name: row[name].item() for name in records.dtype.names} for row in records]
    if records.dtype == CTC:
        for row, source in zip(found, bytes_of_place(records).tolist()):
            row["source"] = source
    return found


def by_twin(lesions, records, step, start, end, without=()):
    """(LESION array, tallies, CTC array) of a step in plain Python."""
    tally, alive, shed = dict.fromkeys(_lesions.TALLY, 0), rows(records), []
    times, tables = zip((start, lesions.rates), *lesions.changes)
    for span, (t0, t1, rates) in enumerate(zip(times, [*times[1:], end], tables)):
        for lesion in alive:
            if span and lesion["state"] <= LesionState.DORMANT and lesion["t_founded"] <= t0 < lesion["t_event"]:
                twin.due(lesion, twin.own_rates(lesion, rates), SEED, t0)
            for n, first, since, until, chosen in twin.live(
                    lesion, rates, lesions.law, SEED, step, t0, t1, tally, without, span):
                shed += [twin.child(lesion, SEED, first + k, since, until, chosen) for k in range(n)]
    return filled(LESION, alive), tally, filled(CTC, shed)


def filled(kind, dicts):
    out = np.zeros(len(dicts), kind)
    for i, fields in enumerate(dicts):
        for name, value in fields.items():
            if name in kind.names:
                out[name][i] = value
            else:
                bytes_of_place(out)[i] = value
    return out


def told(grown):
    """Counts by the names of the kernel."""
    return {{"divided_lesion": "born", "shed_lesion": "shed"}.get(name, name): n for name, n in grown.counts.items()}


def test_extravasated_cells_equal_the_twin():
    lesions = lesions_of(organs=dict(bone=dict(soil=4.0), brain=dict(soil=0.0)))
    ctcs = extravasated(1_000)
    ctcs["x"][injected(ctcs)] = 0.1               # of an injection with 1.1 times as many clonogenic cells
    ctcs["y"][injected(ctcs)] = np.arange(injected(ctcs).sum()) % 3         # seeded, dormant, dividing at first
    left = lesions.found(ctcs)
    expected = []
    for c, more in zip(rows(ctcs), injected(ctcs)):
        expected.append(twin.seeded(c))
        times = 1.0 + float(np.float32(0.1)) if more else 1.0
        twin.begin(expected[-1], twin.own_rates(expected[-1], lesions.rates), SEED, times)
        first = c["y"] if more else 0
        if first == 1 or first == 2 and expected[-1]["flags"] & Flag.CLONOGENIC:
            event = LesionEvent.SLEEPS if first == 1 else LesionEvent.STARTS
            expected[-1] |= dict(pending=event, t_event=expected[-1]["t_founded"])
    assert lesions.records.tobytes() == filled(LESION, expected).tobytes()
    assert {*np.unique(lesions.records["pending"])} == {LesionEvent.CELL_DIES, LesionEvent.STARTS, LesionEvent.SLEEPS}
    assert left["id"].tolist() == ctcs["id"].tolist()
    assert (left["fate"] == Fate.EXTRAVASATED).all() and (left["place"] == Place.ENDED).all()
    assert (ctcs["fate"] == Fate.OPEN).all(), "the caller's array was changed"


@pytest.mark.parametrize("dt, changes", [(0.5, ()), (20.0, ()), (12.0, (0.3, 0.6))])
def test_a_step_equals_its_twin_bit_for_bit(dt, changes):
    """With `changes`, rates become others at these parts of a step."""
    lesions = started(48, sizes=(1, 2, 30, 1_200, 2_900, 30_000))
    for step in range(3):
        before = lesions.records.copy()
        lesions.law["follow_all"] = step == 0
        lesions.changes = [((step + part) * dt, varied(lesions.rates, seed=k)) for k, part in enumerate(changes)]
        grown = lesions.advance(step, step * dt, dt)
        records, tally, shed = by_twin(lesions, before, step, step * dt, step * dt + dt)
        assert told(grown) == tally
        assert grown.shed.tobytes() == shed.tobytes()
        assert lesions.records.tobytes() == records.tobytes()
    if dt > 1.0:
        assert set(lesions.records["state"]) >= {1, 3, 4} and tally["unfollowed"] and np.isfinite(records["t_detected"]).any()


def test_a_list_of_broods_that_is_too_short_changes_nothing():
    whole, parts = (started(60, sizes=(30, 5_000, 250_000)) for _ in range(2))
    results = [_lesions.advance(lesions.records, lesions.rates, lesions.law, SEED, 3, 0, 0.0, 50.0, room)
               for lesions, room in ((whole, 10_000), (parts, 1))]
    assert results[0][0] == results[1][0] and results[0][1].tobytes() == results[1][1].tobytes()
    assert whole.records.tobytes() == parts.records.tobytes() and len(results[0][1]) > 50


def test_a_cell_is_clonogenic_by_the_rates_of_its_time():
    lesions, none = lesions_of(), neutral(_lesions.RATES, 19)
    lesions.rates, all_of_them = none, neutral(_lesions.RATES, 19, clonogenic=1.0)
    lesions.changes = [(0.1, all_of_them), (0.3, none)]
    ctcs = extravasated(1_000)
    ctcs["clone"], ctcs["flags"] = 0, 0
    lesions.found(ctcs)
    flags, within = lesions.records["flags"], (lesions.records["t_founded"] >= 0.1) & (lesions.records["t_founded"] < 0.3)
    assert (flags[within] == Flag.CLONOGENIC).all() and not flags[~within].any() and within.sum() > 300


@pytest.mark.parametrize(("absent", "zero", "column"), [
    ("begin", dict(start_per_h=0.0, wake_per_h=0.0), "started"), ("sleep", dict(sleep_per_h=0.0), "slept"),
    ("transform", dict(transform=0.0), "transformed"),
    ("death", dict(early_death_per_h=0.0, dormant_death_per_h=0.0), "early_loss"),
    ("switch", dict(switch_h=math.inf), "vascularized"), ("shed", dict(shed_per_h=0.0), "shed")])
def test_a_mechanism_at_zero_equals_code_without_it(absent, zero, column):
    lesions = started(150)
    rates = {"start_per_h": "start", "wake_per_h": "wake", "sleep_per_h": "sleep", "switch_h": "vascularize",
             "early_death_per_h": "early_death", "dormant_death_per_h": "dormant_death", "shed_per_h": "shed",
             "transform": "transform"}
    for key in zero:
        lesions.rates.by_node(f"lesion.{rates[key]}")[:] = 0.0
    lesions.rates.by_node("lesion.marrow_death")[:] = 0.0
    lesions.records["t_event"] = math.inf
    lesions.redraw(0.5)
    before = lesions.records.copy()
    grown = lesions.advance(4, 0.5, 20.0)
    records, tally, shed = by_twin(lesions, before, 4, 0.5, 20.5, without=(absent,))
    assert lesions.records.tobytes() == records.tobytes() and grown.shed.tobytes() == shed.tobytes()
    assert tally[column] == 0


def test_with_the_section_off_no_cell_founds_a_lesion():
    lesions = lesions_of(dict(enabled=False))
    left = lesions.found(extravasated(500))
    assert (left["fate"] == Fate.DIED_AT_EXIT).all() and (left["place"] == Place.ENDED).all()
    assert left.size == 500 and lesions.records.size == lesions.cells == 0


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
    assert ids.size > 500 and np.unique(ids).size == ids.size


def test_every_cell_of_a_lesion_is_accounted_for():
    lesions, forgotten = started(500), 0
    founders = lesions.records["n"].sum()
    total = dict.fromkeys(_lesions.TALLY, 0)
    for step in range(40):
        grown = lesions.advance(step, 0.5 * step, 0.5)
        total = {name: n + told(grown)[name] for name, n in total.items()}
        assert grown.shed.size == told(grown)["shed"] - told(grown)["unfollowed"]
    r = lesions.records
    lost = total["early_loss"] + total["dormant_loss"] + total["lesion_loss"]
    assert r["n"].sum() == founders + total["born"] - lost - total["shed"] and (r["n"] >= 0).all()
    assert (r["born"].sum(), r["died"].sum(), r["shed"].sum()) == (total["born"], lost, total["shed"])
    cleared = r["state"] == LesionState.CLEARED
    assert (cleared == (r["n"] == 0)).all() and cleared.sum() == total["cleared"] > 50
    divided = (r["pending"] == LesionEvent.GREW).sum()
    forgotten = lesions.drop()
    assert 0 < forgotten < cleared.sum() and forgotten == len(r) - len(lesions.records)
    assert (lesions.records["pending"] == LesionEvent.GREW).sum() == divided and lesions.cells == r["n"].sum()


def test_bits_go_by_the_size_of_a_lesion_at_the_end_of_a_step():
    lesions = started(400, sizes=(5, 50, 5_000))
    lesions.switches = [(10.0, 0, 2), (20.0, 1, 0)]
    lesions.records["bits"] |= 2
    lesions.advance(0, 0.0, 1.0)
    n, bits = lesions.records["n"], lesions.records["bits"]
    assert {0} < set(bits & 3) and (bits[n >= 10] & 2 == 0).all() and (bits[n < 10] & 2 == 2).all()
    assert (bits[n < 20] & 1).all() and set(bits[n >= 20] & 1) == {0, 1}, "above, what was set stays"


def test_the_rates_of_lesions_are_those_of_the_tables():
    """What the twin takes as the rate of each lesion is the product that `PlacedRates.values` documents."""
    lesions = started(40)
    for name in _lesions.RATES:
        own = [twin.own_rates(lesion, lesions.rates)[name.split(".")[1]] for lesion in rows(lesions.records)]
        least = 1.0 if name in ("lesion.capacity", "lesion.avascular_limit") else 0.0       # cells
        assert np.maximum(lesions.rates.values(name, lesions.records), least).tolist() == own
        assert len(set(own)) > 30 or name in ("lesion.marrow_death", "lesion.transform")


def test_a_clone_or_node_that_the_tables_have_not_is_refused():
    lesions = started(16)
    lesions.records["state"] = LesionState.MICRO
    lesions.records["clone"][4] = 4
    with pytest.raises(IndexError, match="clone"):
        lesions.advance(0, 0.0, 0.5)
    lesions.records["clone"][4], lesions.records["node"][5] = 0, 19
    with pytest.raises(IndexError, match="in a node"):
        lesions.advance(0, 0.0, 0.5)


@pytest.mark.parametrize(("broods", "room", "message"), [
    ([(0, 3), (1, 4)], 6, "7 cells are shed, but there is room for 6"), ([(2, 1)], 9, "of lesion 2 of 2"),
    ([(-1, 1)], 9, "of lesion -1"), ([(0, -1)], 9, "-1 cells")])
def test_children_without_room_or_of_other_lesions_are_refused(broods, room, message):
    made = np.zeros(len(broods), _lesions.BROOD)
    made["row"], made["n"] = zip(*broods)
    with pytest.raises(ValueError, match=message):
        _lesions.children(np.zeros(2, LESION), made, np.zeros(room, CTC), 1)


@pytest.mark.parametrize("field", ["t_founded", "t_event"])
def test_a_time_that_is_no_number_stops_the_step(field):
    lesions = started(10)
    lesions.records[field][3] = np.nan
    with pytest.raises(FloatingPointError, match="not a number"):
        lesions.advance(0, 0.0, 0.5)
