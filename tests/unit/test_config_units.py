"""Quantities: exact conversion, agreement with pint, and messages that help."""
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metacascade import units
from metacascade.units import QuantityError, parse, show, show_time


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


def test_spellings_of_one_quantity_give_the_same_bits():
    for texts, into in [(("0.1 h", "6 min", "360 s", "0.1 hour"), "h"),
                        (("0.25 um/min", "15 um/h", "360 um/day"), "um/h"),
                        (("0.08/day", "0.56/week", "8 %/day"), "1/h")]:
        assert len({parse(text, into) for text in texts}) == 1


@pytest.mark.parametrize("name", sorted(set(units._COMMON) - {"1", "%"}))
def test_common_unit_is_that_of_pint(name):
    factor, base = units._registry().get_base_units(name)
    assert units._COMMON[name] == (Fraction(factor), {k: int(v) for k, v in base.dimensionality.items()})


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
