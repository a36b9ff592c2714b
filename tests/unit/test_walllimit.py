"""The time that is kept free for the last checkpoint."""
import pytest

from metacascade.run.walllimit import SLACK_S, STARTED, WallLimit


def limit(limit_s, at_s, step_s=(), write_s=0.0, cells=1):
    found = WallLimit(limit_s)
    found.clock = lambda: STARTED + at_s
    for seconds in step_s:
        found.step_took(seconds)
    found.write_took(write_s, cells)
    return found


def test_without_a_limit_it_is_never_reached():
    assert not limit(None, 1e9, [1e9]).reached(10**12)


@pytest.mark.parametrize("at_s, reached", [(1000 - SLACK_S - 1, False), (1000 - SLACK_S + 1, True), (2000, True)])
def test_it_is_reached_when_the_time_is_nearly_over(at_s, reached):
    assert limit(1000, at_s).reached(5) == reached


def test_two_steps_of_the_slowest_kind_are_kept_free():
    assert not limit(1000, 970 - SLACK_S, [3, 14, 2]).reached(5)
    assert limit(1000, 980 - SLACK_S, [3, 14, 2]).reached(5)


def test_a_slow_step_is_forgotten_in_time():
    assert not limit(1000, 980 - SLACK_S, [14] + [2] * 20).reached(5)


def test_a_checkpoint_of_the_size_of_now_is_kept_free():
    """A write of 10 s for 100 cells: 1.5 x 50 s for 500."""
    assert not limit(1000, 920 - SLACK_S, write_s=10, cells=100).reached(500)
    assert limit(1000, 930 - SLACK_S, write_s=10, cells=100).reached(500)
