"""The table of clones: what it is called and what mutates does not depend on the ranks, and a full table loses no cell."""
import threading

import numpy as np
import pytest

from metacascade._kernels._layout import MIGRANT
from metacascade.base.errors import InputError
from metacascade.config.config import Config, load
from metacascade.mechanisms.terms import Trait
from metacascade.model import clones
from metacascade.model.clones import Clones, distinct, ids_of, spectrum, tree
from metacascade.ranks.parallel import serial_world

WORLD = serial_world()
RESISTANCE = Trait("resistance", mutation=0.3, step=1.0, direction="up")
SPEED = Trait("speed", founder=0.5, mutation=0.1, step=0.1, low=0.2, high=0.7)


class Ranks:
    """Worlds of several ranks, each a thread."""

    def __init__(self, size):
        self.size, self.barrier, self.held = size, threading.Barrier(size), [None] * size

    def each(self, work):
        """``work(world, rank)`` on every rank: what each returns."""
        found = [None] * self.size

        def run(rank):
            found[rank] = work(_World(self, rank), rank)
        threads = [threading.Thread(target=run, args=(rank,)) for rank in range(self.size)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        return found


class _World:
    def __init__(self, ranks, rank):
        self.ranks, self.rank = ranks, rank

    def allgather(self, value):
        self.ranks.held[self.rank] = value
        self.ranks.barrier.wait()
        everyone = list(self.ranks.held)
        self.ranks.barrier.wait()
        return everyone

    def sum(self, values):
        return np.sum(self.allgather(np.asarray(values, np.int64)), axis=0)


def some_migrants(n, mutants, seed=1, known=1):
    """n migrants at random places, of which so many are mutants of random mothers."""
    rng = np.random.default_rng(seed)
    found = np.zeros(n, MIGRANT)
    for axis in "xyz":
        found["cell"][axis] = rng.integers(0, 65536, n)
    found["cell"]["clone"] = rng.integers(0, known, n)
    found["mutant"][rng.choice(n, mutants, replace=False)] = rng.integers(1, 65536, mutants)
    return found


def numbered(migrants, ranks, steps=1, room=None):
    """(table, migrants, lost) after the migrants of each step were spread over ranks at random."""
    rng = np.random.default_rng(ranks)
    owner = rng.integers(0, ranks, len(migrants))

    def work(world, rank):
        made = Clones(world, spectrum([RESISTANCE, SPEED]), 7)
        mine, lost = migrants[owner == rank].copy(), 0
        for step, part in enumerate(np.array_split(mine, steps)):
            lost += made.number(part, step + 1, 60 * step)
        return made.table, mine, lost
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clones, "MOST_CLONES", 1 + room if room is not None else clones.MOST_CLONES)
        found = Ranks(ranks).each(work)
    after = migrants.copy()
    for rank, (_, mine, _) in enumerate(found):
        after[owner == rank] = mine
    assert all(table.tobytes() == found[0][0].tobytes() for table, _, _ in found)
    return found[0][0], after, sum(lost for _, _, lost in found)


@pytest.mark.parametrize("ranks", [1, 2, 3, 7])
def test_clones_are_numbered_by_their_ids_on_any_ranks(ranks):
    migrants = some_migrants(500, 200)
    table, after, lost = numbered(migrants, ranks)
    mutant = migrants["mutant"] > 0
    assert len(table) == 201 and lost == 0 and np.all(np.diff(table["id"].astype(object)) > 0)
    assert np.array_equal(table["id"][after["cell"]["clone"][mutant]], ids_of(migrants[mutant]))
    assert table["parent"].tolist() == [-1] + [0] * 200 and set(table["step"][1:]) == {1}
    assert np.array_equal(after[~mutant], migrants[~mutant])


@pytest.mark.parametrize("ranks", [1, 2, 3, 7])
@pytest.mark.parametrize("room", [0, 1, 50, 199])
def test_a_full_table_takes_the_lowest_ids_and_the_others_keep_the_clone_of_their_mother(ranks, room):
    migrants = some_migrants(400, 200)
    table, after, lost = numbered(migrants, ranks, room=room)
    mutant = migrants["mutant"] > 0
    ids = np.sort(ids_of(migrants[mutant]))
    assert table["id"][1:].tolist() == ids[:room].tolist() and lost == 200 - room
    kept = np.isin(ids_of(migrants), ids[:room]) & mutant
    assert np.all(after["cell"]["clone"][kept] > 0) and np.all(after["cell"]["clone"][~kept] == 0)


def test_two_mutants_of_one_id_are_one_clone_of_the_lower_mother():
    born = distinct(np.array([9, 4, 9], np.uint64), np.array([3, 1, 2], np.uint16))
    assert born["id"].tolist() == [4, 9] and born["parent"].tolist() == [1, 2]


def test_a_mutation_of_a_mutant_has_it_as_its_parent():
    made = Clones(WORLD, spectrum([SPEED]), 1)
    first = some_migrants(3, 3)
    made.number(first, 1, 60)
    second = some_migrants(2, 2, seed=2)
    second["cell"]["clone"] = [2, 3]
    mothers = dict(zip(ids_of(second).tolist(), [2, 3]))
    made.number(second, 2, 120)
    assert [mothers[int(row["id"])] for row in made.table[4:]] == made.table["parent"][4:].tolist()
    assert made.table["time_s"].tolist() == [0, 60, 60, 60, 120, 120]
    change = made.table["traits"][4:, 0].astype(int) - made.table["traits"][made.table["parent"][4:], 0]
    assert set(abs(change)) <= {26}


def test_which_trait_changes_follows_the_chances_and_up_is_as_likely_as_down():
    """n = 40,000 mutants: binomial counts within 4 standard deviations, false alarms 1e-4."""
    law, n = spectrum([RESISTANCE, SPEED]), 40_000
    ids = np.random.default_rng(3).integers(0, 1 << 63, n).astype(np.uint64)
    before = np.repeat(law.founders()["traits"], n, axis=0)
    after = law.mutated(before, ids, 5)
    changed = after != before
    assert np.all(changed.sum(axis=1) == 1) and not changed[:, 2:].any()
    assert abs(changed[:, 0].sum() - 0.75 * n) < 4 * np.sqrt(n * 0.75 * 0.25)
    speed = after[changed[:, 1], 1].astype(int) - 128
    assert set(speed) == {-26, 26}
    assert abs((speed > 0).sum() - len(speed) / 2) < 2 * np.sqrt(len(speed))
    assert np.array_equal(after, law.mutated(before, ids, 5)) and not np.array_equal(after, law.mutated(before, ids, 6))


def test_a_step_ends_at_a_limit_and_from_there_goes_the_way_that_is_left():
    """A step of half came to 128 of 255, and from there back to 0, since 256 passes the limit: nobody became resistant."""
    halves = spectrum([Trait("a", founder=0.0, mutation=1e-3, step=0.5, direction="both")])
    ids = np.arange(99, dtype=np.uint64)
    assert set(halves.mutated(np.full((99, 24), 128, np.uint8), ids, 1)[:, 0]) == {0, 255}
    assert set(halves.mutated(np.full((99, 24), 0, np.uint8), ids, 1)[:, 0]) == {128}
    law = spectrum([Trait("a", founder=1.0, mutation=1e-3, step=0.25, direction="both")])
    ids = np.arange(100, dtype=np.uint64)
    assert set(law.mutated(np.full((100, 24), 255, np.uint8), ids, 1)[:, 0]) == {255 - 64}
    down = spectrum([Trait("a", founder=0.5, mutation=1e-3, step=0.75, direction="down")])
    assert set(down.mutated(np.full((100, 24), 128, np.uint8), ids, 1)[:, 0]) == {0}


@pytest.mark.parametrize(("correlation", "a", "b"), [(0.5, 0.2, 0.2), (-0.8, 0.2, 0.2), (1.0, 0.3, 0.1), (0.3, 0.3, 0.1)])
def test_the_steps_of_partners_have_the_correlation_that_is_asked_for(correlation, a, b):
    """n = 40,000 mutants: sd of a correlation at most sqrt(kurtosis / n) < 1.5 / sqrt(n); within 4, false alarms 1e-4."""
    pair = [Trait("one", founder=0.5, mutation=a, step=0.1), RESISTANCE,
            Trait("two", founder=0.5, mutation=b, step=0.2, partner="one", correlation=correlation)]
    law, n = spectrum(pair), 40_000
    before = np.repeat(law.founders()["traits"], n, axis=0)
    after = law.mutated(before, np.random.default_rng(4).integers(0, 1 << 63, n).astype(np.uint64), 5)
    steps = np.sign(after.astype(int) - before)[:, [0, 2]]
    of_pair = steps.any(axis=1)
    assert not (after != before)[of_pair, 1].any() and (after != before)[~of_pair, 1].all()
    assert abs(np.corrcoef(steps[of_pair].T)[0, 1] - correlation) < 4 * 1.5 / np.sqrt(of_pair.sum())
    assert abs(steps[of_pair].mean(axis=0)).max() < 4 / np.sqrt(of_pair.sum())


def test_without_a_correlation_or_without_its_partner_a_trait_changes_alone():
    two = Trait("two", founder=0.5, mutation=0.1, step=0.2, partner="one")
    lonely = Trait("two", founder=0.5, mutation=0.1, step=0.2, partner="nobody", correlation=0.9)
    for pair in ([Trait("one", mutation=0.2), two], [Trait("one", mutation=0.2), lonely], [Trait("one"), two]):
        assert not spectrum(pair).together.any()


def test_partners_at_a_limit_stay_within_it():
    law = spectrum([Trait("one", founder=1.0, mutation=1e-9, step=0.1, low=0.3),
                    Trait("two", founder=0.5, mutation=0.5, step=0.2, partner="one", correlation=1.0)])
    ids = np.arange(200, dtype=np.uint64)
    after = law.mutated(np.repeat(law.founders()["traits"], 200, axis=0), ids, 1)
    assert set(after[:, 0]) == {255, 255 - 26} and law.together[1] == 1.0


def test_the_threshold_of_a_mutation_is_its_chance_in_64_bits():
    assert spectrum([]).threshold() == 0
    assert spectrum([Trait("a", mutation=1e-9)]).threshold() == int(1e-9 * 2**64)
    assert spectrum([Trait("a", mutation=1.0)]).threshold() == 2**64 - 1


def test_a_saved_table_goes_on_with_other_traits():
    made = Clones(WORLD, spectrum([RESISTANCE, SPEED]), 1)
    made.number(some_migrants(20, 20), 1, 60)
    again = Clones(WORLD, spectrum([SPEED, Trait("new", founder=1.0)]), 1, made.table, ["resistance", "speed"])
    assert np.array_equal(again.traits()["speed"], made.traits()["speed"]) and set(again.traits()["new"]) == {255}
    assert tree(again).dtype.names == ("clone", "id", "parent", "step", "time_s", "speed", "new")


@pytest.mark.parametrize("traits, words", [
    ([{}], "name"), ([{"name": "a"}, {"name": "a"}], "declared twice"), ([{"name": "parent"}], "none of clone"),
    ([{"name": "a", "founder": 0.1, "low": 0.2}], "between low = 0.2"), ([{"name": "a", "step": 0.001}], "1/255"),
    ([{"name": "a", "mutation": 0.6}, {"name": "b", "mutation": 0.6}], "add up to 1.2"),
    ([{"name": f"a{i}", "mutation": 0.0} for i in range(25)], "more than 24")])
def test_traits_that_cannot_be_are_refused(traits, words):
    with pytest.raises(InputError, match=words):
        load({"tumor": {}, "trait": traits})


def test_traits_are_kept_in_the_resolved_config(tmp_path):
    config = load({"tumor": {}, "trait": [{"name": "resistance", "mutation": 1e-7}]})
    (tmp_path / "again.toml").write_text(config.to_toml())
    assert load(tmp_path / "again.toml").trait == config.trait
    assert Config.from_dict(config.to_dict()).trait == config.trait


def test_check_warns_of_a_table_that_becomes_full():
    """100,000 cells for 7 days divide 485,000 times at most."""
    trait = {"name": "a", "mutation": 0.2}
    [found] = [line for line in load({"tumor": {}, "trait": [trait]}).warnings if "clones" in line]
    assert "some 9.7e+04 clones" in found and "from about day 4.7" in found
    assert not [line for line in load({"tumor": {}, "trait": [trait | {"mutation": 0.1}]}).warnings if "clones" in line]
    off = load({"tumor": {}, "trait": [trait], "growth": {"enabled": False}})
    assert any("no cell divides" in line for line in off.warnings) and not any("room for" in line for line in off.warnings)
