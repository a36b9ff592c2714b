"""Parts are joined so that neither their number nor the cost of an output grows with the number of outputs."""
import math

import h5py
import numpy as np
import pytest
from hypothesis import given, strategies as st

from metacascade.io import joins, parts
from metacascade.io.joins import FAN, cover, to_join
from metacascade.io.output import Output
from metacascade.io.results import open_results
from metacascade.ranks.parallel import serial_world
from metacascade.state.observed import layouts
from metacascade.state.state import CTC, LESION, empty, shed_rows
from states import random_records

WORLD = serial_world()
FIXED = dict(config={}, columns={"step": (int, "1"), "radius_um": (float, "um")}, tables=layouts(), nodes=["tumor"], provenance={})
LAST = dict(open_ctcs=empty(CTC), lesions=empty(LESION), digest="d", wall_s={})


def new(directory, text="as given", **more):
    return Output(WORLD, directory, config_text=text, **FIXED, **more)


def write(output, first, last, save_every=4):
    """Outputs first .. last - 1, each with a row of every table, and a checkpoint after every few."""
    for step in range(first, last):
        output.record({"step": step, "radius_um": step / 2})
        output.shed(random_records(np.random.default_rng(step), CTC, step % 3))
        if step % 5 == 0:
            output.draw(time_s=step, index=0, node=0, volume_mL=1.0, singles=1, clusters=0, cells=1)
        output.flush()
        if (step + 1) % save_every == 0:
            output.checkpointed()


def files(directory):
    return sorted(path.name for path in (directory / "parts").iterdir())


def content(directory):
    with open_results(directory) as found:
        return {name: column.tolist() for name, column in found.series.items()} | {
            name: found[name][:].tobytes() for name in ("shed", "draws")}


def expected(steps):
    shed = [shed_rows(random_records(np.random.default_rng(step), CTC, step % 3)).tobytes() for step in range(steps)]
    return {"step": list(range(steps)), "radius_um": [step / 2 for step in range(steps)], "shed": b"".join(shed)}


@given(st.integers(1, 3000), st.integers(2, 9))
def test_few_parts_are_left_and_each_is_copied_once_for_each_level(number, fan):
    levels, copied = [], 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(joins, "FAN", fan)
        sizes = []
        for _ in range(number):
            levels, sizes = [*levels, 0], [*sizes, 1]
            taken, level = to_join(levels)
            if taken:
                copied += sum(sizes[-taken:])
                levels, sizes = [*levels[:-taken], level], [*sizes[:-taken], sum(sizes[-taken:])]
    most = math.log(number, fan) + 1
    assert levels == sorted(levels, reverse=True) and sum(sizes) == number
    assert len(levels) <= (fan - 1) * (most + 1) and copied <= number * most


@given(st.data())
def test_a_cover_is_found_whatever_a_kill_left(data):
    """Ranges lie in each other or apart; those that reach beyond the checkpoint are not taken."""
    ends = sorted(data.draw(st.sets(st.integers(1, 40), min_size=1)))
    base = list(zip([0, *ends[:-1]], ends))
    wide = []
    for first in range(0, len(base), 4):
        wide += [(base[first][0], base[min(first + 3, len(base) - 1)][1])]
    count = data.draw(st.sampled_from(ends))
    chosen, missing = cover(data.draw(st.permutations(base + wide)), count)
    assert missing is None and chosen[0][0] == 0 and chosen[-1][1] == count
    assert all(a[1] == b[0] for a, b in zip(chosen, chosen[1:]))
    lost = data.draw(st.sampled_from([span for span in base if span[1] <= count]))
    _, missing = cover([span for span in base if span != lost], count)
    assert missing == (lost[0], lost[0] + 1)


@pytest.mark.parametrize("save_every", [1, 4, 1000])
def test_files_and_results_stay_few_and_small_however_many_outputs(tmp_path, save_every, monkeypatch):
    monkeypatch.setattr(joins, "FAN", 4)
    output, sizes, most = new(tmp_path), [], 0
    for step in range(50):              # more than two levels of parts, as up to 63 outputs have
        write(output, step, step + 1, save_every)
        sizes.append((tmp_path / "results.h5").stat().st_size)
        most = max(most, len(files(tmp_path)))
    assert most <= 2 * (4 - 1) * 3 + 2 * 4                      # behind and after the last checkpoint; just replaced
    assert max(sizes) < 1.5 * sizes[0]
    found, wanted = content(tmp_path), expected(50)
    assert {name: found[name] for name in wanted} == wanted and len(found["draws"]) > 0
    output.finish(**LAST)
    assert content(tmp_path) == found


def test_resumed_after_joins_from_either_checkpoint_it_has_the_same_rows(tmp_path):
    write(new(tmp_path), 0, 103)
    for count in (100, 96):            # the last checkpoint, and the former one: it is damaged
        output = new(tmp_path, None, first_part=count)
        assert content(tmp_path)["step"] == list(range(count))
    write(output, 96, 120)
    found, wanted = content(tmp_path), expected(120)
    assert {name: found[name] for name in wanted} == wanted


def test_rows_of_an_early_stop_are_written_as_if_it_had_not_stopped(tmp_path):
    ctcs = random_records(np.random.default_rng(1), CTC, 40)
    chosen = np.random.default_rng(2).permutation(40) < 20
    write(new(tmp_path), 0, 4)
    output = new(tmp_path, None, first_part=4)
    output.shed(ctcs[chosen])
    assert output.flush(early=True) == 5
    for _ in range(2):                  # the second time as after a kill before the next checkpoint
        again = new(tmp_path, None, first_part=5)
        assert content(tmp_path)["shed"] == expected(4)["shed"] + shed_rows(ctcs[chosen]).tobytes()
        again.shed(ctcs[~chosen])
        assert again.flush() == 6
        assert content(tmp_path)["shed"] == expected(4)["shed"] + shed_rows(ctcs).tobytes()
    assert len(new(tmp_path, None, first_part=6).parts.all) == 5


def test_who_reads_while_parts_are_joined_goes_on_reading(tmp_path):
    output = new(tmp_path)
    write(output, 0, FAN - 1, 1000)
    with open_results(tmp_path) as found:
        before = found.shed[:]
        write(output, FAN - 1, FAN + 2, 1000)
        assert not (tmp_path / "parts" / "part.000001.h5").exists()
        assert found.shed[:len(before)].tobytes() == before.tobytes()
        assert found.series["step"].tolist() == list(range(FAN + 2))


def test_what_is_joined_stays_until_the_next_output_for_those_who_just_read_it(tmp_path):
    output = new(tmp_path)
    write(output, 0, FAN - 1, 1000)
    with h5py.File(tmp_path / "results.h5") as h5:
        write(output, FAN - 1, FAN, 1000)
        assert h5["series/step"][:].tolist() == list(range(FAN - 1))


def test_without_its_parts_a_view_shows_nothing_that_could_be_a_result(tmp_path):
    write(new(tmp_path), 0, 3)
    (tmp_path / "parts").rename(tmp_path / "elsewhere")
    with h5py.File(tmp_path / "results.h5") as h5:
        assert np.all(h5["series/step"][:] == -1) and np.all(np.isnan(h5["series/radius_um"][:]))
        assert np.all(h5["shed"]["fate"] == 255) and np.all(h5["draws"]["cells"] == -1)


def test_parts_of_others_are_left_alone(tmp_path):
    write(new(tmp_path), 0, 3)
    (tmp_path / "parts" / "part.mine.h5").touch()
    new(tmp_path, None, first_part=1)
    parts.remove(tmp_path / "parts")
    assert files(tmp_path) == ["part.mine.h5"]
