"""Tumors and lesions that cannot grow are told of."""
import pytest

from metacascade.config.config import load

RUN = {"run": {"step": "1 day", "duration": "60 days"}, "output": {"interval": "1 day"}}


def told(**tables):
    config = load(RUN | {"tumor": {"cells": 1_000_000, "lumped": True}} | tables)
    return [line for line in config.warnings if "shrinks" in line]


@pytest.mark.parametrize("tables, line", [
    ({"lumped": {"capacity": 1000}}, "tumor.cells = 1,000,000 is more than lumped.capacity = 1000: the tumor shrinks"),
    ({"lumped": {"shed": "1/day"}},         # 0.055/month (3 ln 3.1e12 + ln 3.1e6), and 1 + 0.03 x 3
     "lumped.shed: of the cells of the tumor 1.09 a day enter the blood and 0.183 are born at first: it shrinks"),
    ({"colonization": {"shed": "1/day"}},   # 0.0018/day x 4 ln 3.1e12
     "colonization.shed: of the cells of a lesion with vessels 1 a day enter the blood and 0.207 are born at first: it "
     "shrinks")])
def test_what_sheds_more_than_is_born_or_is_too_large_is_told(tables, line):
    assert told(**tables) == [line]


def test_what_grows_is_not_told_of():
    assert told() == [] and told(lumped={"shed": "0.1/day"}, colonization={"shed": "0.1/day"}) == []
