"""Nothing hidden reaches a terminal, a log or a message: names and values of others, in every command."""
import contextlib
import io
import json
import os
import pty
import re
import select
import shutil
import sys
import time
import unicodedata
from pathlib import Path

import h5py
import pytest
from hypothesis import given, settings, strategies as st

import small
from conftest import environment
from metacascade.__main__ import main, message
from metacascade.base.errors import InputError, RunError
from metacascade.base.screen import LONGEST_LINE, MOST_LINES, Screen, bounded, one_line, screened, shown, visible
from metacascade.config.presets import text
from metacascade.io.results import FORMAT, KIND
from metacascade.io.sealed import seal
from metacascade.ranks.parallel import serial_world
from metacascade.run import cluster
from metacascade.slurm import submit

# colors, the title of a terminal, C1, a turned direction, a byte that is not UTF-8, markup of rich
HOSTILE = "x\x1b[31m\x1b]0;evil\x07[red]\r\x9b1m\u202e\u2028\udcff"
KEY = json.dumps(HOSTILE.rstrip("\udcff") + "\nforged: line")      # the same as a key or value of TOML
RUN = [f"--set={setting}" for setting in small.settings(
    tumor__cells=500, oxygen__sweeps=1, injection=[], run__duration="4 h", output__checkpoint="4 h")]


def hidden(printed):
    """What of a text a terminal would not show, but obey or leave out; line breaks are fine."""
    turns = {"Cc", "Cs", "Zl", "Zp"}
    return {c for c in printed if unicodedata.category(c) in turns and c != "\n" or c in "\u061c\u200e\u200f\ufeff"
            or "\u202a" <= c <= "\u202e" or "\u2066" <= c <= "\u2069"}


@given(st.text(st.characters(), max_size=40))
@settings(derandomize=True, deadline=None)
def test_any_text_is_made_visible_and_stays_so(given):
    assert not hidden(visible(given)) and visible(visible(given)) == visible(given)
    assert not hidden(one_line(given)) and "\n" not in one_line(given)
    assert visible(given).count("\n") == given.count("\n")


@pytest.mark.parametrize("harmless",
                         ["tumor of 1\u202f000 cells, 15 \u00b5m/h",
                          "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\U0001f469\u200d\U0001f52c"])
def test_letters_of_all_languages_are_as_they_were(harmless):
    assert visible(harmless) == one_line(harmless) == harmless


anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.dates()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.one_of(st.text(), st.integers()), inner)))


@given(anything)
@settings(derandomize=True, deadline=None)
def test_any_value_is_shown_short_and_in_one_line(value):
    assert len(shown(value)) <= 60 and not hidden(shown(value)) and "\n" not in shown(value)


def test_a_value_is_shown_as_toml_has_it():
    assert shown({"a": [1, 2.5, True, 'q"\\', None]}) == '{"a": [1, 2.5, true, "q\\"\\\\", nothing]}'


def test_what_is_endless_is_shown_at_once():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    around = {}
    around["again"] = around
    assert shown(deep) == "[[[[[[[[...]]]]]]]]" and shown(around).endswith("...")
    assert shown(range(10**12)) == "range(0, 1000000000000)" and shown([0] * 10**7).endswith("...")
    assert shown(-(1 << 100_000)) == "(a whole number of about 30,103 digits)"


@pytest.mark.parametrize("kind", [InputError, RunError])
def test_an_error_is_visible_and_bounded_whoever_prints_it(kind):
    told = str(kind("\n".join([HOSTILE, "x" * 10**6] + ["line"] * 1000)))
    assert not hidden(told) and told == bounded(told)
    assert max(map(len, told.split("\n"))) <= LONGEST_LINE and told.count("\n") == MOST_LINES - 1
    assert not hidden(message(kind(HOSTILE)))


def test_what_is_printed_in_any_way_is_screened():
    out = io.StringIO()
    with contextlib.redirect_stdout(out), screened():
        print(HOSTILE)
        sys.stdout.writelines([HOSTILE, "\n"])
        sys.stdout.flush()
        with pytest.raises(TypeError):      # so some libraries find out whether a stream is for texts
            sys.stdout.write(b"")
    assert out.getvalue() == f"{visible(HOSTILE)}\n" * 2 and isinstance(Screen(out).getvalue(), str)


def test_the_help_is_as_it_was(capsys):
    assert main(["--help"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("Usage: metacascade [OPTIONS] COMMAND [ARGS]...\n\n  The blood-borne")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a hostile name, in it a config with the same name, and a short run of it."""
    folder = Path(tmp_path_factory.mktemp("screen"), HOSTILE)
    folder.mkdir()
    (folder / f"{HOSTILE}.toml").write_text(re.sub("(?m)^title = .*", lambda _: f"title = {KEY}", text("mouse_breast")))
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()):
        for stream in (sys.stdout, sys.stderr):
            stream.reconfigure = lambda **_: None
        assert main(["run", str(folder / f"{HOSTILE}.toml"), "--out", str(folder / HOSTILE), *RUN]) == 0
    assert not hidden(out.getvalue()) and visible(HOSTILE) in out.getvalue()
    return folder


def commands(folder):
    """Every command with hostile words, and its exit code."""
    config, run, new = (str(folder / name) for name in (f"{HOSTILE}.toml", HOSTILE, f"new{HOSTILE}"))
    yield 0, "check", config
    yield 2, "check", config, "--set", f"{HOSTILE}=1", "--set", HOSTILE, "--set", f"run.species={HOSTILE[:-1]}"
    yield 2, "check", new
    yield 2, "check", run
    yield 2, "check", config, "--set", "title=a\nforged"
    yield 2, "run", config, "--out", run
    yield 0, "run", config, "--out", new, "--dry-run", *RUN
    yield 2, "run", config, "--out", new, "--wall-limit", HOSTILE
    yield 0, "resume", run
    yield 2, "resume", new
    yield 2, "resume", "forged\nname"
    yield 0, "branch", f"{run}/checkpoint.h5", "--out", f"{new}b", "--set", "run.duration=6 h"
    yield 2, "branch", config, "--out", new
    yield 2, "branch", f"{run}/checkpoint.h5", "--out", f"{new}c", "--seed", HOSTILE
    yield 0, "info", run
    yield 2, "info", config
    yield 2, "info", new
    yield 2, "info", "--preset", HOSTILE
    yield 0, "info", run, "--all"
    yield 0, "watch", run, "--once"
    yield 2, "watch", new
    yield 2, "completion", HOSTILE
    yield 2, "efficiency", new
    yield 2, "soil", config, new
    yield 2, "soil", config, config, "--source", HOSTILE
    yield 0, "digest", run
    yield 2, "digest", new
    yield 0, "init", "mouse_breast", f"{new}i"
    yield 2, "init", HOSTILE
    yield 2, HOSTILE
    yield 2, "check", f"--{HOSTILE}"
    yield 2, "arms", config, "--out", new
    yield 2, "cohort", config, "--out", new
    yield 2, "cascade", config
    yield 2, "report", config
    yield 2, "report", HOSTILE
    yield 2, "sweep", config, "--out", new
    yield 2, "sweep", config, "--out", new, "--part", HOSTILE
    yield 2, "scaling", "strong", config, "--ranks", HOSTILE, "--out", new
    yield 2, "scaling", "project", run, "--latency", HOSTILE
    yield 2, "scaling", "project", run
    yield 2, "submit", config, "--out", run, "--time", HOSTILE
    yield 2, "bench", new
    yield 2, "reproduce", HOSTILE


@pytest.mark.parametrize("number", range(len(list(commands(Path())))))
def test_no_command_prints_anything_hidden(place, capsys, number):
    code, *words = list(commands(place))[number]
    assert main(words) == code, capsys.readouterr()
    told = "".join(capsys.readouterr())
    assert told and not hidden(told), [line for line in told.splitlines() if hidden(line)]
    assert not any(line.startswith("forged") for line in told.splitlines())


def test_every_command_is_among_them():
    from metacascade.cli.app import app
    assert {command.name or command.callback.__name__ for command in app.registered_commands} - {"schema", "doctor"} <= {
        words[1] for words in commands(Path())}


@pytest.mark.parametrize("toml", [
    f"{KEY} = 1", f"[{KEY}]", f"[organs.{KEY}]", f"[[{KEY}]]", f"title = [{KEY}]", f"run = {{ {KEY} = {KEY} }}",
    f"[run]\nstep = {KEY}", f"[run]\nspecies = {KEY}", f"[vessels]\nfile = {KEY}", f"[tumor]\ncenter = [{KEY}, 1, 2]",
    f"{KEY} = 1\n{KEY} = 2", f"a = {{ {KEY} = 1, {KEY} = 2 }}", "a = '\x1b[31m'", "\x1b = 1", "a = \u202e",
    "[set]\n\x9b = 1"])
@pytest.mark.parametrize("command", ["check", "sweep"])
def test_keys_and_values_of_a_config_are_shown_in_one_line(tmp_path, capsys, toml, command):
    (tmp_path / "x.toml").write_text(toml)
    assert main([command, str(tmp_path / "x.toml"), *["--out", str(tmp_path / "out")][:2 * (command == "sweep")]]) == 2
    told = capsys.readouterr().err
    assert not hidden(told) and "forged" not in [line[:6] for line in told.splitlines()], told


@pytest.mark.parametrize("line",
                         [HOSTILE[:-1], f"PARTITION={HOSTILE[:-1]}", f"OPTIONS='{HOSTILE[:-1]}' b",
                          f"NODE_DISK={HOSTILE[:5]}"])
def test_lines_of_a_site_file_are_visible(tmp_path, line):
    (tmp_path / "site.conf").write_text(f"{line}\nnone = 1\n")
    with pytest.raises(InputError) as told:
        cluster.site(tmp_path / "site.conf")
    assert not hidden(str(told.value))


def test_fields_of_a_network_are_shown_in_one_line(tmp_path, capsys):
    (tmp_path / "x.toml").write_text(text("mouse_breast"))
    rows = [f"x1,y1,z1,x2,y2,z2,radius\n0,0,0,1,1,1,\"{HOSTILE[:-1]}\nforged\"\n", f"\"{HOSTILE[:-1]}\nforged\",b\n"]
    for number, row in enumerate(rows):
        (tmp_path / "net.csv").write_text(row)
        run = ["run", str(tmp_path / "x.toml"), "--out", str(tmp_path / f"out{number}"), "--set",
               "vessels.file=net.csv"]
        assert main(run) == 2
        told = capsys.readouterr().err
        assert not hidden(told) and "\nforged" not in told, told


def test_names_in_foreign_results_are_shown_in_one_line(place, tmp_path, capsys):
    path = tmp_path / "results.h5"
    shutil.copy(place / HOSTILE / "results.h5", path)
    name = HOSTILE.rstrip("\udcff").replace("/", "") + "\nforged"
    with h5py.File(path, "r+") as h5:
        sessions = json.loads(h5["provenance/sessions"].asstr()[()])
        del h5["provenance/sessions"]
        h5["provenance/sessions"] = json.dumps([sessions[0] | {"command": name, "started": name}])
        h5["series"].create_dataset(name, data=[1]).attrs["unit"] = name
        h5.attrs["digest"] = name
    seal(serial_world(), path, KIND, FORMAT)
    for command in ("info", "digest"):
        assert main([command, str(path)]) == 0
        told = "".join(capsys.readouterr())
        assert visible("\x1b") in told and not hidden(told) and "\nforged" not in told


def test_a_sweep_of_hostile_values_has_clean_logs_and_tables(place, tmp_path, capsys):
    out = tmp_path / HOSTILE
    fixed = [setting.removeprefix("--set=") for setting in RUN if "=[" not in setting]   # no lists
    (tmp_path / "s.toml").write_text("\n".join(
        ['config = "mouse_breast"', "[vary]", f"title = [{KEY}]", "[set]", *fixed]))
    assert main(["sweep", str(tmp_path / "s.toml"), "--out", str(out), "--dry-run"]) == 0, capsys.readouterr()
    assert main(["sweep", str(tmp_path / "s.toml"), "--out", str(out)]) == 0, capsys.readouterr()
    told = ["".join(capsys.readouterr()), *(path.read_text() for path in [*out.glob("*.log"), out / "sweep.csv"])]
    assert len(told) == 3 and not any(hidden(one) or "\nforged" in one for one in told)


def test_a_name_cannot_add_a_line_to_a_job_script(stand_in, tmp_path, monkeypatch, capsys):
    stand_in(sbatch="#!/bin/sh\nprintf '\\033[31mred' >&2; exit 1\n", sinfo='#!/bin/sh\necho "debug* 2 2 64000"\n')
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "my.toml").write_text(text("mouse_breast"))
    hand_in = ["submit", str(tmp_path / "my.toml"), "--time", "1 h", "--out"]
    assert main([*hand_in, str(tmp_path / HOSTILE)]) == 1
    told = "".join(capsys.readouterr())
    assert "sbatch refuses" in told and not hidden(told)
    [script] = tmp_path.glob("*.sbatch")
    assert f"--job-name='{visible(HOSTILE)}'" in script.read_text(errors="surrogateescape")
    for out, options in ((tmp_path / "a\n#SBATCH --uid=0", []), (tmp_path / "a", ["--qos=x\nrm"])):
        with pytest.raises(InputError, match="a line break cannot be written in a job script"):
            submit.submit(tmp_path / "my.toml", out, 1, "1 h", options=options, dry_run=True)


def test_a_config_in_a_folder_that_is_not_utf8_runs_but_has_no_network_there(place, capsys):
    (place / "net.csv").write_text("x")
    assert main(["check", str(place / f"{HOSTILE}.toml"), "--set", "vessels.file=net.csv"]) == 2
    assert "is not text in UTF-8: rename it" in capsys.readouterr().err


def test_a_terminal_shows_the_bar_and_of_a_name_its_letters(tmp_path):
    """rich has its own escapes, and would take [red] in a name for a color."""
    out, config = tmp_path / HOSTILE.replace("\udcff", ""), tmp_path / "x.toml"
    config.write_text(text("mouse_breast"))
    words = [sys.executable, "-m", "metacascade", "run", str(config), "--out", str(out), *RUN]
    process, handle = pty.fork()
    if process == 0:
        os.execve(words[0], words, environment() | {"TERM": "xterm-256color", "COLUMNS": "500"})
    printed, end = b"", time.monotonic() + 120
    with contextlib.suppress(OSError):         # EIO: the end
        while time.monotonic() < end and select.select([handle], [], [], 60)[0] and (more := os.read(handle, 65536)):
            printed += more
    os.close(handle)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0, printed
    told = printed.decode()
    assert "\x1b[" in told, "this terminal has no bar: the test shows nothing"
    assert "[red]" in told and "\x1b]0;" not in told and "\x9b" not in told and "\u202e" not in told
