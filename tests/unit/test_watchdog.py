"""When a run counts as standing still, and what is said of it; signals to real ranks are in tests/faults."""
import os
import threading
import time

import pytest

from metacascade.ranks import parallel
from metacascade.ranks.parallel import serial_world
from metacascade.run.watchdog import LINE, Sign, Watchdog, spans, verdict


def sign(rank, does, step="7", stage="fields"):
    return Sign(rank, "n1", 100 + rank, step, stage, does)


def test_a_rank_that_gives_no_sign_is_named_with_its_host_and_process():
    text = verdict([sign(0, "waits"), sign(1, "starts", "0", "start"), sign(2, "waits")], 60)
    assert "rank 1 (host n1, process 101) gives no sign of life" in text
    assert "ranks 0, 2 wait for others in stage fields of step 7" in text and "bug" not in text


def test_a_rank_that_works_while_others_wait_is_named_with_its_stage():
    text = verdict([sign(0, "waits"), sign(1, "works", "7", "tissue")], 60)
    assert "rank 1 (host n1, process 101) has not come out of stage tissue of step 7" in text
    assert "rank 0 waits for others in stage fields of step 7" in text


def test_that_all_wait_for_each_other_is_called_a_bug():
    assert "bug" in verdict([sign(0, "waits"), sign(1, "waits", "6", "ledger")], 60)


@pytest.mark.parametrize("numbers, text", [([3], "3"), ([4, 1, 2, 0], "0-2, 4"), ([5, 7, 9], "5, 7, 9"), ([0, 1], "0-1")])
def test_spans(numbers, text):
    assert spans(numbers) == text


@pytest.fixture
def ended(monkeypatch):
    """The ends that a watchdog wished for."""
    wishes = []
    monkeypatch.setattr(os, "_exit", wishes.append)
    monkeypatch.setattr(parallel, "abort", wishes.append)
    yield wishes
    for thread in [thread for thread in threading.enumerate() if thread.name == "watchdog"]:
        thread.join(timeout=5)           # else it would end the tests


def watch(directory, where, seconds, ended):
    """Let a watchdog watch for so long, or until it wished for the end."""
    dog, began = Watchdog(serial_world(), directory, 0.4, where), time.monotonic()
    while not ended and time.monotonic() - began < seconds:
        time.sleep(0.05)
    dog.end()


def test_a_run_that_stands_still_is_ended_with_exit_code_1(ended, capfd, tmp_path):
    watch(tmp_path, lambda: (3, "fields", 20), 30.0, ended)
    assert ended and set(ended) == {1}
    said = capfd.readouterr().err
    assert "nothing has moved for 0.4 s" in said and "has not come out of stage fields of step 3" in said


def test_a_run_that_moves_goes_on(ended, tmp_path):
    began = time.monotonic()
    watch(tmp_path, lambda: (3, "fields", int((time.monotonic() - began) * 10)), 2.5, ended)
    assert not ended


def test_it_can_be_turned_off(ended, tmp_path):
    dog = Watchdog(serial_world(), tmp_path, 0, lambda: (3, "fields", 20))
    time.sleep(0.5)
    dog.end()
    assert not ended and not list(tmp_path.iterdir())


class First:
    rank, size = 0, 2


class Second:
    rank, size = 1, 2


def test_where_the_file_can_no_longer_be_written_it_ends_all_the_same(ended, monkeypatch, capfd, tmp_path):
    dog = Watchdog(Second(), tmp_path, 60, lambda: (12, "exchange", 5))
    time.sleep(0.2)                                             # its thread has begun to wait
    monkeypatch.setattr(dog, "_write", lambda *_: None)         # what was written at the start is all there is
    monkeypatch.setattr(dog.ended, "wait", lambda _: False)
    dog._end_the_job((12, "exchange", 5))
    assert ended == [1, 1] and "rank 1 (host" in capfd.readouterr().err
    dog.ended.set()


def test_a_file_that_cannot_be_removed_spoils_no_run_that_is_done(tmp_path):
    dog = Watchdog(serial_world(), tmp_path, 60, lambda: (3, "fields", 20))
    dog.path.mkdir()
    dog.end()
    assert dog.ended.is_set() and dog.path.is_dir()


def test_a_rank_that_waits_long_for_one_that_moves_is_no_standstill(ended, capfd, tmp_path):
    began, moves_s = time.monotonic(), 2.5
    dogs = [Watchdog(First(), tmp_path, 0.4, lambda: (3, "margin", 20)),
            Watchdog(Second(), tmp_path, 0.4, lambda: (3, "organs", int(10 * min(time.monotonic() - began, moves_s))))]
    time.sleep(moves_s - 0.2)
    early = list(ended)
    while not ended and time.monotonic() - began < 30:
        time.sleep(0.05)                 # now neither moves
    for dog in dogs:
        dog.end()
    assert ended and not early
    said = capfd.readouterr().err
    assert "no sign of life" not in said and "rank 1 (host" in said and "has not come out of stage organs of step 3" in said


def test_a_rank_that_moved_once_and_was_then_stopped_is_named(ended, capfd, tmp_path):
    stopped = Watchdog(Second(), tmp_path, 0, lambda: (3, "organs", 20))
    stopped._write("3 organs", "moves")
    dog = Watchdog(First(), tmp_path, 0.4, lambda: (3, "margin", 20))
    time.sleep(2.5)
    dog.end()
    assert ended and "rank 1 (host" in (said := capfd.readouterr().err) and "gives no sign of life" in said


def test_each_rank_has_a_line_of_its_own_in_the_file(tmp_path):
    dog = Watchdog(Second(), tmp_path, 60, lambda: (0, "start", 0))
    dog._write("12 exchange", "waits")
    assert dog._read() == [Sign(1, os.uname().nodename, os.getpid(), "12", "exchange", "waits")]
    assert (tmp_path / "watchdog.txt").stat().st_size == 2 * LINE
    dog.ended.set()
