"""Numbers in what users write: Python's own float() and int() take more than people mean by a number."""
import os

import pytest
from hypothesis import given, strategies as st

from metacascade.__main__ import main
from metacascade.base import numerals
from metacascade.base.errors import InputError
from metacascade.base.units import wall_time
from metacascade.slurm.job import ranks
from metacascade.studies.scaling import numbers
from metacascade.studies.sweep import _part

STRANGE = ["1_0", "\uff11\uff12", "\u0661\u0662", "\u00b2"]     # underscore, full-width, Arabic-Indic, superscript


@given(st.text(alphabet="0123456789+-.eE_\uff11\u0661 infa", max_size=8))
def test_what_is_read_is_what_is_written_in_ascii_digits(text):
    """Against float() and int(), for all that has no character which they alone understand."""
    for read, builtin in ((numerals.number, float), (numerals.whole, int)):
        try:
            expected = builtin(text)
            plain = text.isascii() and "_" not in text and abs(expected) < float("inf")
        except ValueError:
            plain = False
        if plain:
            assert read(text) == expected
        else:
            with pytest.raises(ValueError):
                read(text)


@pytest.mark.parametrize("text", STRANGE)
@pytest.mark.parametrize("arguments", [
    "sweep s.toml --out o --jobs {}", "sweep s.toml --out o --ranks {}", "branch c.h5 --out o --seed {}",
    "submit c.toml --out o --time 1h --nodes {}", "submit c.toml --out o --time 1h --ranks-per-node {}",
    "bench --steps {}", "bench --warm {}", "scaling weak c.toml --ranks 1 --out o --repeat {}",
    "scaling project o --cells {}", "scaling project o --cells-per-rank {}"])
def test_an_option_refuses_what_is_no_number(arguments, text, capsys):
    assert main(arguments.format(text).split()) == 2
    assert "is not a" in capsys.readouterr().err


@pytest.mark.parametrize("text", STRANGE)
def test_no_other_place_takes_it(text, capsys):
    for read in (lambda: numbers(f"1,{text}"), lambda: wall_time("--time", f"{text}:00:00"), lambda: _part(f"1/{text}"),
                 lambda: ranks({"RANKS": text})):
        with pytest.raises(InputError):
            read()
    preset = os.path.join(os.path.dirname(numerals.__file__), "presets", "mouse_breast.toml")
    assert main(["check", preset, "--set", f"injection.{text}.cells=1"]) == 2
    assert "internal error" not in capsys.readouterr().err
