"""Thousands of damaged configs, settings, sweeps, site files, networks: each is taken, or refused in a short message."""
import random
import re
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from metacascade.base.errors import InputError
from metacascade.base.screen import visible
from metacascade.config import read as config_read
from metacascade.config.catalog import parameters
from metacascade.config.config import build, load
from metacascade.config.given import DEEPEST, LARGEST
from metacascade.config.presets import names, sweeps, text
from metacascade.config.read import MOST_PROBLEMS, parse_bytes
from metacascade.config.tissue import Vessels
from metacascade.run import cluster
from metacascade.space.network_read import read as read_network
from metacascade.studies import arms_plan, sweep_file, sweep_plan

NETWORK = Path(__file__).parents[2] / "examples" / "network_small.csv"
NAMES = [f"{p.section}.{p.key}".lstrip(".") for p in parameters()]
ODD_KEYS = ['""', "''", "1", "-", '"\\u001b[31m"', '"a\\nb"', "\u00b5", '"\u00b5"', "9223372036854775807", "k" * 70_000,
            ".".join("a" * 9), ".".join("a" * 4000), '"' + "b" * 3000 + '"', "a.''.b", "a . b", '"a.b"', "=", "[x]",
            "\u00b2"]
ODD_VALUES = [
    "nan", "-inf", "+inf", "1e400", "-0.0", "1e-400", "0x" + "f" * 9000, "0b" + "1" * 40_000, "9" * 5000,
    "-" + "9" * 4300, "9" * 4299,
    "1979-05-27", "07:32:00", "1979-05-27T07:32:00Z", "true", "[]", "{}", "[{}]", "[[[]]]", "{a.b.c = 1}", '""',
    '"""\n"""',
    '"' + "x" * 50_000 + '"', '"\\u0000\\u001b\\u202e"', "'\u202e'", '"30 min"', '"-1 um"', '"1 parsec^9"',
    '"1e999 h"', '"\u00bd day"',
    '"\u0661 day"', '"1_0 um"', "1_000", "0o17", "'breast'", '["1 um", "1 um", "1 um"]', '["0 um", 1, {}]',
    "[" + "1," * 20_000 + "]",
    "\u00e9", "", '"unended', "'''unended", "[1", "{a = 1", "{a = 1, a = 2}", "1 2", "{from = 1, to = 2, levels = 3}",
    '{from = "1 /day", to = "1e300 /day", levels = 99999999999999999999}', "[1, 1.5, '1', [1]]", "{values = []}",
    "{scale = 7}"]
ODD_LINES = ["[run]", "[[run]]", "[run.step]", "[[injection]]", "[injection]", "[organs.lung]", "[organs.nose]",
             "[a.b.c.d]", "[[a]]",
             "[[a.b]]", "[]", "[", "[[", "[\"\"]", "[organs]", "run = 1", "run.seed = 2", "organs.lung.soil = 1",
             "draw = [1]", "vary = 1",
             "set = []", "point = {}", "[vary.run]", "[[point]]", "[" + ".".join("h" * 40) + "]", "tumor = [[]]",
             "title = 1", "design = 'list'"]


def nested(r):
    """A value in many others, of one kind or mixed."""
    depth = r.choice([2, 9, DEEPEST - 1, DEEPEST, 200, 900, 5000])
    opened = [r.choice(["[", "{a = ", "[1, "]) for _ in range(depth)] if r.random() < 0.5 else [r.choice(["[",
        "{a = "])] * depth
    closed = "".join("}" if one.startswith("{") else "]" for one in reversed(opened))
    return "".join(opened) + "1" + closed[:r.choice([depth, depth, depth - 1])]


def odd_value(r):
    return nested(r) if r.random() < 0.15 else r.choice(ODD_VALUES)


def odd_line(r):
    return r.choice(ODD_LINES) if r.random() < 0.4 else f"{r.choice([*ODD_KEYS, *NAMES])} = {odd_value(r)}"


def mutated(r, given):
    """A text of TOML after one to four edits of its lines."""
    lines = given.splitlines()
    for _ in range(r.randrange(1, 5)):
        at, edit = r.randrange(len(lines)), r.randrange(7)
        key, _, value = lines[at].partition("=")
        if edit == 0:
            lines[at] = f"{key}= {odd_value(r)}"
        elif edit == 1:
            lines[at] = f"{r.choice(ODD_KEYS)} = {value or 1}"
        elif edit == 2:
            lines.insert(at, odd_line(r))
        elif edit == 3:
            lines.insert(r.randrange(len(lines)), lines[at])
        elif edit == 4:
            del lines[at:at + r.choice([1, 1, 5])]
            lines = lines or [""]
        elif edit == 5:
            lines[at] = lines[at][:r.randrange(len(lines[at]) + 1)] + r.choice(["\x1b", "\0", "\r", "\u202e", '"',
                "'''", "[", "#", "="])
        else:
            lines[at] = lines[at].replace("[", "[[", 1).replace("]", "]]", 1)
    return r.choice(["\n", "\n", "\r\n"]).join(lines)


def refused(call, place):
    """Whether it is refused: by an InputError, short, visible, each line of which begins with `place`."""
    try:
        call()
    except InputError as error:
        lines = str(error).split("\n")
        assert len(lines) <= MOST_PROBLEMS + 2 and max(map(len, lines)) < 2500, f"not short: {lines[0][:200]}"
        assert not [line for line in lines if visible(line) != line]
        wrong = [line for line in lines if not re.match(place, line) and not re.fullmatch(r"and [\d,]+ more.*", line)]
        assert not wrong, f"without a place: {wrong[0][:200]}"
        return True
    return False


def check_configs(seeds):
    for seed in seeds:
        r = random.Random(seed)
        data = mutated(r, text(r.choice(names()))).encode(errors="surrogatepass")
        refused(lambda: build(parse_bytes(data, "run.toml")).summary(), r"run\.toml:\d+: (not |config: |\S)")


def check_settings(seeds):
    for seed in seeds:
        r = random.Random(seed)
        document = config_read.parse_text(text(r.choice(names())), "run.toml")
        given = [f"{r.choice([*ODD_KEYS, *NAMES, 'injection.0.cells', 'draw.7', 'organs.0.1', ''])}={odd_value(r)}"
                 for _ in range(r.randrange(1, 4))]

        def read():
            config_read.override(document, given[0] if len(given) == 1 else given)
            build(document).summary()
        refused(read, r"(--set|run\.toml:\d+)")


def check_sweeps(seeds, folder):
    for seed in seeds:
        r = random.Random(seed)
        (folder / "sweep.toml").write_bytes(mutated(r, text(r.choice(sweeps()))).encode(errors="surrogatepass"))
        read = []
        place = rf"{re.escape(str(folder))}/sweep.toml:\d+: "
        if not refused(lambda: read.append(sweep_file.read(folder / "sweep.toml")), place):
            few = read[0].options.replicates < 9 and read[0].options.design in ("grid",
                "list") and len(sweep_plan.points(read[0])) < 9
            if few:
                refused(lambda: sweep_plan.opened(folder / "out", folder / "sweep.toml"),
                        "(every )?member|the sweep would")


def check_arms(seeds, folder):
    """What is damaged is told at its line, or as of the preset that the arms change."""
    for seed in seeds:
        r = random.Random(seed)
        data = mutated(r, text("arms_resection").replace("replicates = 4", "replicates = 2"))
        (folder / "arms.toml").write_bytes(data.encode(errors="surrogatepass"))
        place = rf"{re.escape(str(folder))}/arms.toml:\d+: |mouse_breast_fixed:\d+: "
        refused(lambda: arms_plan.opened(folder / "out", folder / "arms.toml"), place)


def check_sites(seeds, folder):
    for seed in seeds:
        r = random.Random(seed)
        lines = [r.choice([f"{r.choice([*cluster.KEYS, *ODD_KEYS])}={odd_value(r)}",
                           odd_line(r)]) for _ in range(r.randrange(4))]
        (folder / "site.conf").write_bytes("\n".join(lines).encode(errors="surrogatepass"))
        refused(lambda: cluster.site(folder / "site.conf"), rf"(site file )?{re.escape(str(folder))}/site.conf")


def check_networks(seeds, folder):
    rows = NETWORK.read_text().splitlines()[:40]
    for seed in seeds:
        r = random.Random(seed)
        mine = [row.split(",") for row in rows]
        for _ in range(r.randrange(1, 5)):
            row = r.choice(mine)
            row[r.randrange(len(row))] = odd_value(r)
        (folder / "net.csv").write_text("\n".join(map(",".join, mine)))
        refused(lambda: read_network(Vessels(file=str(folder / "net.csv"))), rf"{re.escape(str(folder))}/net.csv:")


def test_many_damaged_configs_are_taken_or_refused_in_short():
    check_configs(range(40))


def test_many_odd_settings_are_taken_or_refused_in_short():
    check_settings(range(40))


def test_many_damaged_sweeps_are_taken_or_refused_in_short(tmp_path):
    check_sweeps(range(50), tmp_path)


def test_many_damaged_files_of_arms_are_taken_or_refused_in_short(tmp_path):
    check_arms(range(50), tmp_path)


def test_many_damaged_site_files_and_networks_are_taken_or_refused_in_short(tmp_path):
    check_sites(range(100), tmp_path)
    check_networks(range(100), tmp_path)


def peak_bytes(call):
    """Memory that a call takes on its way to an InputError."""
    tracemalloc.start()
    try:
        with pytest.raises(InputError) as told:
            call()
        assert len(str(told.value)) < 1000
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("what", ["config", "sweep", "site"])
def test_a_file_of_a_gigabyte_is_refused_without_being_read(tmp_path, what):
    path = tmp_path / "large"
    with open(path, "wb") as file:
        file.write(b"[run]\n")
        file.truncate(10**9)
    read = {"config": load, "sweep": sweep_file.read, "site": cluster.site}[what]
    assert peak_bytes(lambda: read(path)) < 20 * LARGEST


@pytest.mark.parametrize("given", [
    {"tumor": {"cells": [0] * 10**7}}, {"tumor": dict.fromkeys(map(str, range(2 * LARGEST)), 1)},
    {"draw": [[0] * 10] * 10**6},
    {"tumor": {"center": np.zeros(10**7)}}], ids=["list", "keys", "lists", "array"])
def test_a_dict_of_millions_of_values_is_refused_at_once(given):
    assert peak_bytes(lambda: load(given)) < 200 * LARGEST


def test_a_setting_of_millions_of_values_is_refused_at_once():
    long = "tumor.cells=[" + "1," * 10**7 + "]"
    assert peak_bytes(lambda: load({"tumor": {}}, long)) < 200 * LARGEST


def test_very_many_problems_are_counted_rather_than_listed():
    with pytest.raises(InputError) as told:
        build(parse_bytes("\n".join(f"key{n} = 1" for n in range(60_000)).encode(), "run.toml"))
    lines = str(told.value).split("\n")
    assert len(lines) == MOST_PROBLEMS + 1 and lines[-1] == f"and {60_001 - MOST_PROBLEMS:,} more problems"


@pytest.mark.parametrize("toml, line", [
    ("\n\na" + ".a" * 20_000 + " = 1", 3), ("\n[" + "'a'." * 20_000 + "a]", 2), ("\na = " + "[" * 99 + "]" * 99, 2),
    ("a = [\n{b = [\n" + "{c = " * 99, 3), ("a = {" + "b.b.b.b = {" * 10 + "}" * 11, 1)])
def test_what_is_nested_too_deeply_is_refused_at_once_with_its_line(toml, line):
    told = f"^run.toml:{line}: not valid TOML: nested too deeply, more than {DEEPEST} levels$"
    with pytest.raises(InputError, match=told):
        parse_bytes(toml.encode(), "run.toml")


@pytest.mark.parametrize("unclosed", ['"' + '\\"' * 300_000, "'''\n" * 100_001, '"""\\"' * 150_000, '"\n' * 300_000])
def test_a_text_that_does_not_end_is_looked_at_once(unclosed):
    assert refused(lambda: parse_bytes(unclosed.encode(), "run.toml"), r"run\.toml:\d+: not valid TOML: ")


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_30_thousand_damaged_inputs_are_taken_or_refused_in_short(tmp_path):
    check_configs(range(10_000, 25_000))
    check_settings(range(10_000, 18_000))
    check_sweeps(range(10_000, 13_000), tmp_path)
    check_arms(range(10_000, 12_000), tmp_path)
    check_sites(range(10_000, 12_000), tmp_path)
    check_networks(range(10_000, 12_000), tmp_path)
