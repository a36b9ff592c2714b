"""What a run says while it goes on."""
import io
import os
import sys
from types import SimpleNamespace

import pytest

from metacascade.base.columns import ALIVE
from metacascade.ranks import terminal
from metacascade.run import progress, status
from metacascade.run.progress import Log, Pace

DAY = 86400


class Clock:
    """A clock that goes when it is told to."""
    now = 0.0

    def monotonic(self):
        return self.now

    def time(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    one = Clock()
    for module in progress, status:
        monkeypatch.setattr(module, "time", one)
    return one


def simulation(day, cells=1000):
    """One that is so far."""
    totals = dict(tissue=cells, shed=7, lesions=3)
    return SimpleNamespace(
        time_s=int(day * DAY), step_number=int(day * 24), tissue=SimpleNamespace(cells=cells),
        clock=SimpleNamespace(waited_s={"route": 0.0}),
        ledger=SimpleNamespace(totals=totals, of=lambda part: {"tissue": cells} if part == ALIVE else {}))


CONFIG = SimpleNamespace(run=SimpleNamespace(duration_s=20 * DAY))


def test_the_rate_is_that_of_the_last_minute_and_tells_the_time_left(clock):
    pace = Pace(20 * DAY)
    for clock.now, day in ((0, 0), (10, 10), (20, 10.1), (50, 10.2), (90, 10.3), (110, 10.4)):
        pace.at(day * DAY)
    assert pace.rate == pytest.approx((10.4 - 10.2) * DAY / 60) and pace.left_s == pytest.approx(9.6 * 300)
    assert str(pace) == "0.2 days/min, 48 min left"


def test_before_two_steps_no_rate_is_told(clock):
    pace = Pace(DAY)
    pace.at(0)
    assert str(pace) == "" and pace.left_s is None


def test_lines_in_a_log_come_after_10_seconds_and_grow_rarer_up_to_a_minute(clock, capsys):
    log, times = Log(CONFIG), []
    for clock.now in range(0, 900):
        log.show(simulation(day=clock.now / 100))
        if capsys.readouterr().out:
            times.append(clock.now)
    gaps = [after - before for before, after in zip(times, times[1:])]
    assert times[0] == 10 and gaps == sorted(gaps) and gaps[-1] == 60


def test_a_line_has_share_day_rate_time_left_and_cells_in_80_columns(clock, capsys):
    log = Log(CONFIG)
    for clock.now in (0, 5, 10):
        log.show(simulation(day=clock.now, cells=12_345_678))
    line = capsys.readouterr().out.rstrip()
    assert line == "50 %, day 10.00 of 20, 60 days/min, 10 s left, 12,345,678 cells, 7 shed" and len(line) <= 80


def test_the_status_is_written_now_and_then_whole_and_goes_at_the_end(clock, tmp_path):
    world = SimpleNamespace(rank=0, size=1)
    one, pace = status.Status(world, tmp_path), Pace(20 * DAY)
    for clock.now in (0.5, 1.0, 2.5, 3.0):
        pace.at(clock.now * DAY)
        one.tell(simulation(clock.now), pace)
    found = status.read(tmp_path)
    assert found["time_s"] == int(2.5 * DAY) and found["totals"]["shed"] == 7 and found["ranks"] == 1
    assert found["per_rank"][0]["cells"] == 1000 and found["days_per_min"] == pytest.approx(60)
    assert sorted(os.listdir(tmp_path)) == ["ranks.txt", "status.json"]
    one.end()
    assert not os.listdir(tmp_path) and status.read(tmp_path) is None


def test_a_directory_that_is_gone_ends_no_run(clock, tmp_path):
    one, pace = status.Status(SimpleNamespace(rank=0, size=1), tmp_path / "gone"), Pace(DAY)
    clock.now = 10.0
    pace.at(0)
    one.tell(simulation(1), pace)
    one.end()


def test_a_directory_in_the_place_of_the_first_gets_no_file_and_loses_none(clock, tmp_path):
    (tmp_path / "run").mkdir()
    one, pace = status.Status(SimpleNamespace(rank=0, size=1), tmp_path / "run"), Pace(DAY)
    (tmp_path / "run").rename(tmp_path / "moved")
    (tmp_path / "run").mkdir()
    clock.now = 10.0
    pace.at(0)
    one.tell(simulation(1), pace)
    assert not os.listdir(tmp_path / "run")
    (tmp_path / "run" / "status.json").write_text("of another")
    one.end()
    assert os.listdir(tmp_path / "run") == ["status.json"]


def test_each_of_the_first_ranks_has_a_line_to_itself_and_those_beyond_have_none(clock, tmp_path):
    pace = Pace(DAY)
    pace.at(0)
    for rank in (2, 1, 0, status.SHOWN):
        one = status.Status(SimpleNamespace(rank=rank, size=100), tmp_path)
        clock.now += 5.0
        one.tell(simulation(1, cells=rank + 10), pace)
    assert [(row["rank"], row["cells"]) for row in status.read(tmp_path)["per_rank"]] == [(0, 10)]
    for rank in (1, 2, status.SHOWN):
        one = status.Status(SimpleNamespace(rank=rank, size=100), tmp_path)
        clock.now += 5.0
        one.tell(simulation(1, cells=rank + 10), pace)
    assert [(row["rank"], row["cells"]) for row in status.read(tmp_path)["per_rank"]] == [(0, 10), (1, 11), (2, 12)]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 99}', "null"])
def test_a_status_that_is_none_is_as_if_there_were_none(tmp_path, text):
    (tmp_path / "status.json").write_text(text)
    assert status.read(tmp_path) is None


def test_without_a_launcher_only_its_own_output_counts(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    for name in ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    assert terminal.columns() is None


def test_a_cohort_tells_its_share_and_the_time_left(clock, monkeypatch, capsys):
    from metacascade.studies import cohort
    monkeypatch.setattr(cohort, "time", clock)
    cohorts = cohort.Runner(SimpleNamespace(rank=0, size=2), SimpleNamespace(), "out")
    cohorts.total, cohorts.done, clock.now = 40, 5, 30.0
    cohorts._tell()
    cohorts._tell()         # less than ten seconds later
    assert capsys.readouterr().out == "25 % of the patients, by those of rank 0, 90 s left\n"
