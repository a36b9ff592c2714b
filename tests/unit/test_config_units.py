"""Quantities: exact conversion, agreement with pint, and messages that help."""
import re
from fractions import Fraction

import pytest
from hypothesis import given, settings, strategies as st

from metacascade.base import units
from metacascade.base.errors import InputError
from metacascade.base.units import QuantityError, parse, show, show_time, wall_time


@pytest.mark.parametrize("text, into, value", [
    ("30 min", "s", 1800.0), ("0.5 h", "s", 1800.0), ("1800 s", "s", 1800.0), ("1 week", "h", 168.0),
    ("0.05/day", "1/h", 0.05 / 24), ("0.05 1/day", "1/h", 0.05 / 24), ("5 %/day", "1/h", 0.05 / 24),
    ("150 mm/mm^3", "1/um^2", 1.5e-4), ("150mm/mm**3", "1/um^2", 1.5e-4), ("150 1/mm^2", "1/um^2", 1.5e-4),
    ("0.3 mL/min/g", "mL/min/g", 0.3), ("1670 um^2/s", "um^2/h", 6012000.0), ("1670 um² / s", "um^2/h", 6012000.0),
    ("0.25 um/min", "um/h", 15.0), ("7 uL", "mL", 0.007), ("2 hours", "h", 2.0), ("-3e1 µm", "um", -30.0),
    ("1 μm", "um", 1.0), ("133322387.415 Pa", "mmHg", 1e6), ("133.322387415 kPa", "mmHg", 1000.0),
    (".5 mm", "um", 500.0), ("+1. h", "h", 1.0), ("  2   day  ", "h", 48.0)])
def test_quantity_is_converted(text, into, value):
    assert parse(text, into) == value


@pytest.mark.parametrize("text, seconds", [
    ("12 h", 43200), ("90 min", 5400), ("11.5 h", 41400), ("30:00", 1800), ("90:00", 5400), ("01:30:00", 5400), ("11:30:00", 41400),
    ("48:00:00", 172800), ("1-12:00:00", 129600), ("2-0", 172800), ("1-12", 129600), ("1-06:30", 109800), (" 0:05 ", 5),
    ("0-48:00", 172800)])
def test_a_time_on_the_clock_is_read_as_slurm_writes_it_and_with_units(text, seconds):
    assert wall_time("--time", text) == seconds


@pytest.mark.parametrize("text, why", [
    ("90", 'minutes to SLURM and seconds to others; write "90 min" or "90 s"'), ("11:75:00", "75 is more than 59"),
    ("11:30:60", "60 is more than 59"), ("1-24:00", "24 is more than 23"), ("-1:00", "cannot be read"), ("1:00:00:00", "write it like"),
    ("", "not a number"), ("infinite", "11:30:00"), ("UNLIMITED", "11:30:00"), ("1.5:00", "unit"), ("１２:００", "not a number"),
    ("-3 s", "negative"), ("2 um", "a time is needed"), ("9" * 300 + ":00", "not a number")])
def test_a_time_that_is_none_is_refused_with_what_is_allowed(text, why):
    with pytest.raises(InputError, match=f"^--wall-limit {re.escape(text)}: .*{re.escape(why)}"):
        wall_time("--wall-limit", text)


@given(st.integers(0, 400), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
def test_every_way_to_write_a_time_of_slurm_gives_its_seconds(days, hours, minutes, seconds):
    whole = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    for text, rest in ((f"{days}-{hours}", minutes * 60 + seconds), (f"{days}-{hours}:{minutes:02}", seconds),
                       (f"{days}-{hours}:{minutes}:{seconds}", 0), (f"{days * 24 + hours}:{minutes:02}:{seconds:02}", 0),
                       (f"{(days * 24 + hours) * 60 + minutes}:{seconds:02}", 0), (f"{whole} s", 0)):
        assert wall_time("--time", text) == whole - rest


def test_spellings_of_one_quantity_give_the_same_bits():
    for texts, into in [(("0.1 h", "6 min", "360 s", "0.1 hour"), "h"),
                        (("0.25 um/min", "15 um/h", "360 um/day"), "um/h"),
                        (("0.08/day", "0.56/week", "8 %/day"), "1/h")]:
        assert len({parse(text, into) for text in texts}) == 1


@pytest.mark.parametrize("name", sorted(set(units._COMMON) - {"1", "%"}))
def test_common_unit_is_that_of_pint(name):
    factor, base = units._registry().get_base_units(name)
    assert units._COMMON[name] == (Fraction(factor), {k: int(v) for k, v in base.dimensionality.items()})


def test_failure_to_load_the_list_of_all_units_is_not_told_as_an_unknown_unit(monkeypatch):
    def broken():
        raise ImportError("pint")
    monkeypatch.setattr(units, "_registry", broken)
    with pytest.raises(ImportError):
        units._named("fathom")


@pytest.mark.parametrize("text, into, why", [
    ("3", "h", "needs a unit"), ("", "h", "not a number followed by a unit"), ("fast", "h", "not a number"),
    ("3 umm", "um", "unknown unit 'umm' (did you mean 'um'?)"), ("2 mmhg", "mmHg", "did you mean 'mmHg'?"),
    ("3 min", "um", "'min' is a time, but a length is needed"), ("3 Min", "h", "did you mean 'min'?"),
    ("1e999 h", "h", "not finite"), ("nan h", "h", "not a number"), ("inf h", "h", "not a number"),
    ("1e308 year", "h", "too large"), ("2 um/(h*s)", "um", "cannot be read"), ("1 h^99999999", "h", "cannot be read"),
    ("3 degC", "h", "is needed"), ("3 dB", "h", "a time is needed"), ("1 h" + " " * 200, "h", "not a number"),
    ("1 h\x00", "h", "cannot be read"), ("1 //h", "h", "cannot be read"), ("0x10 h", "h", "unknown unit"),
    ("1_000 h", "h", "cannot be read"), ("1,5 h", "h", "cannot be read"), ("3 h h", "h", "[time]^2")])
def test_wrong_quantity_is_refused_with_the_reason(text, into, why):
    with pytest.raises(QuantityError) as caught:
        parse(text, into)
    assert why in str(caught.value)


def test_a_unit_that_is_known_is_not_told_to_be_another():
    """5 mg/L of a drug: what mL has to do with it nobody would know."""
    with pytest.raises(QuantityError) as caught:
        parse("5 mg/L", "uM")
    assert "but a concentration is needed" in str(caught.value) and "did you mean" not in str(caught.value)


@given(st.floats(-1e300, 1e300), st.sampled_from([("day", "h"), ("1/year", "1/h"), ("mm/mm^3", "1/um^2"), ("h", "h")]))
@settings(derandomize=True, deadline=None)  # the first unknown unit loads pint
def test_shown_quantity_reads_back_to_the_same_bits(value, pair):
    unit, internal = pair
    assert parse(show(value, unit, internal), internal) == value


def test_shown_quantity_is_short():
    assert show(0.05 / 24, "1/day", "1/h") == "0.05/day"
    assert show(168.0, "day", "h") == "7 days" and show(24.0, "day", "h") == "1 day"
    assert [show_time(s) for s in (0, 1, 90, 1800, 7200, 86400)] == ["0 s", "1 s", "90 s", "30 min", "2 h", "1 day"]


@given(st.text(max_size=30), st.sampled_from(["h", "um", "1/um^2"]))
@settings(derandomize=True, deadline=None)  # the first unknown unit loads pint
def test_any_text_is_a_number_or_a_quantity_error(text, into):
    for tried in (text, f"1 {text}", f"1 h{text}"):
        try:
            assert isinstance(parse(tried, into), float)
        except QuantityError:
            pass


@pytest.mark.parametrize("text", ["7 h 10 min", "2 days 1 h", "1 h 1"])
def test_two_numbers_in_a_quantity_are_named_as_what_they_are(text):
    with pytest.raises(QuantityError, match="more than one number: write one, with one unit"):
        parse(text, "s")
