"""No config, however wrong, does worse than an InputError: random configs and damaged files."""
import random

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from metacascade.base.errors import InputError
from metacascade.config.catalog import parameters
from metacascade.config.config import Config, build
from metacascade.config.presets import names, text
from metacascade.config.read import parse_bytes
from metacascade.config.write import quoted

PARAMETERS = list(parameters())
HEADERS = {name: [f"[[{name}]]"] if form == "list" else [f"[{name}]"] if form == "one"
           else [f"[{name}.{bed}]" for bed in (*form, "nose")] for name, (_, form) in Config.tables.items()}
UNITS = sorted({p.unit for p in PARAMETERS if p.unit} | {"", "um", "hours", "parsec", "mmhg", "h^9", "/", "%", "degC"})
ODD = ["", "0", "-0.0", "1e308", "1e-308", "-1", "nan", "inf", "1e400", "9" * 30, "0x1f", "true", "[]", "[[]]", "{}",
       "''", "'''\n'''", "1979-05-27", "07:32:00", "{a = 1}",
       "['1 um', '1 um', '1 um']", "'breast'", "'human'", "'lung'"]


def random_value(r: random.Random, parameter) -> str:
    """Mostly a plausible value of the parameter, sometimes nonsense."""
    if r.random() < 0.15:
        return r.choice(ODD)
    if parameter.choices:
        return quoted(r.choice([*parameter.choices, "moose"]))
    if parameter.kind == "switch":
        return r.choice(["true", "false"])
    if parameter.kind in ("text", "place"):
        return quoted(r.choice(["", "no such file", "\u00b5\U0001f600\"\\"]))
    number = r.uniform(parameter.low, parameter.high) * 10 ** -r.randrange(12)
    if parameter.kind == "quantity":
        if r.random() < 0.8:
            return quoted(parameter.text(round(number) if parameter.whole else number))
        return quoted(f"{number:.{r.randrange(1, 9)}g} {r.choice(UNITS)}")
    return str(int(number)) if parameter.whole else repr(number)


def random_config(r: random.Random) -> str:
    """The text of a config: some sections, some keys in each, some of them misspelt or given twice."""
    lines = ["[tumor]" if r.random() < 0.8 else "[[injection]]"]
    for name in r.sample(sorted(HEADERS), r.randrange(5)):
        lines.append(r.choice(HEADERS[name]))
        declared = list(Config.tables[name][0].parameters.values())
        for parameter in r.sample(declared, r.randrange(min(6, len(declared)) + 1)):
            key = parameter.key if r.random() < 0.98 else parameter.key[::-1]
            lines.append(f"{key} = {random_value(r, parameter)}{'  # comment' * (r.random() < 0.1)}")
    return r.choice(["\n", "\n", "\r\n", "\n\n"]).join(lines)


def survives(data: bytes) -> bool:
    """Is it a valid config? Anything but a config or an InputError with a message is a failure."""
    try:
        config = build(parse_bytes(data, "run.toml"))
    except InputError as error:
        assert str(error).startswith("run.toml"), f"the message does not name the file: {error}"
        return False
    assert config.summary() and isinstance(config.warnings, list)
    return True


def damaged(r: random.Random, data: bytes) -> bytes:
    """`data` after one to eight random edits: bytes changed, removed, repeated or put in."""
    data = bytearray(data)
    for _ in range(r.randrange(1, 9)):
        at, length = r.randrange(len(data) + 1), r.choice([1, 1, 1, 2, 5, 40])
        piece = bytes(r.choice([r.randrange(256), *b"\"'=[].#\n\\ 0e-"]) for _ in range(length))
        edit = r.randrange(4)
        if edit == 0:
            data[at:at + length] = piece
        elif edit == 1:
            data[at:at] = piece
        elif edit == 2:
            del data[at:at + length]
        else:
            data[at:at] = data[at:at + length]
    return bytes(data)


FILES = [text(name).encode() for name in names()]


def check_random_configs(seeds):
    valid = sum(survives(random_config(random.Random(seed)).encode()) for seed in seeds)
    assert 0.05 < valid / len(seeds) < 0.95, f"{valid} of {len(seeds)} are valid: the generator misses one side"


def check_damaged_files(seeds):
    for seed in seeds:
        r = random.Random(seed)
        survives(damaged(r, r.choice(FILES)))


def test_many_random_configs_never_crash_check():
    check_random_configs(range(40))


def test_many_damaged_files_never_do_worse_than_an_input_error():
    check_damaged_files(range(40))


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_100_thousand_random_configs_never_crash_check():
    check_random_configs(range(100_000))


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_10_thousand_damaged_files_never_do_worse_than_an_input_error():
    check_damaged_files(range(10_000))


anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.binary(max_size=4)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)))
section = st.dictionaries(st.sampled_from([p.key for p in PARAMETERS]), anything, max_size=4)
tables = st.dictionaries(
    st.sampled_from([*HEADERS, "title", "growht"]),
    st.one_of(anything, section, st.lists(section, max_size=2)),
    max_size=5)


@given(tables)
@settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_tables_of_anything_are_a_config_or_an_input_error(values):
    from metacascade.config.read import Document
    try:
        build(Document(values))
    except InputError:
        pass


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_any_bytes_are_a_config_or_an_input_error(data):
    survives(data)


@given(tables)
@settings(max_examples=50, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_dict_of_anything_is_a_config_or_a_value_error(values):
    try:
        Config.from_dict(values)
    except ValueError:
        pass
