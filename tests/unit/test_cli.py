"""The commands: what they print, their exit codes, and that each only delegates."""
import errno
import json
import subprocess
import sys
import types
from pathlib import Path

import pytest

from metacascade import __version__
from metacascade.__main__ import main
from metacascade.base.errors import CellsLost, InputError, RunError
from metacascade.config.presets import SCHEMA_LINE, arms, cohorts, names, sweeps, text
from metacascade.studies import cohort_results, sweep_plan


@pytest.fixture
def config(tmp_path):
    file = tmp_path / "run.toml"
    file.write_text(text("mouse_breast_fixed"))
    return file


@pytest.fixture
def commands(monkeypatch):
    """A stand-in for the module that runs; it remembers what it was asked for."""
    module, calls = types.ModuleType("metacascade.run.commands"), []

    def record(name, result):
        return lambda *arguments: calls.append((name, *arguments)) or result
    module.run, module.resume, module.branch = record("run", 0), record("resume", 75), record("branch", 0)
    module.estimate = record("estimate", {"memory per rank": "1 GB"})
    module.calls = calls
    monkeypatch.setitem(sys.modules, "metacascade.run.commands", module)
    monkeypatch.setattr("metacascade.run.commands", module, raising=False)
    return module


def outcome(capsys, *arguments):
    code = main(list(map(str, arguments)))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_check_says_what_would_be_simulated(capsys, config):
    code, out, err = outcome(capsys, "check", config)
    assert code == 0 and err == ""
    assert "tumor of 1,000,000 cells in the breast" in out and out.endswith("run.toml: ok\n")


def test_check_lists_all_errors_and_exits_with_2(capsys, config):
    config.write_text("[run]\nstep = 30\n[grwth]\n[tumor]\n")
    code, out, err = outcome(capsys, "check", config, "--set", "run.seed=-1")
    assert code == 2 and out == ""
    assert err.split("\n")[1:] == [
        "--set: run.seed = -1: must be a whole number from 0 to 9223372036854775807",
        f'{config}:2: run.step = 30: needs a unit, such as "30 min"',
        f"{config}:3: grwth: unknown key (did you mean 'growth'?)", ""]


def test_a_table_that_only_a_setting_names_is_not_blamed_on_the_file(capsys, config):
    code, _, err = outcome(capsys, "check", config, "--set", "grwth.enabled=false", "--set", "organs.lungs.nk=0")
    assert code == 2 and "--set: grwth: unknown key" in err and "--set: organs.lungs: unknown name" in err
    assert str(config) not in err


def test_check_prints_warnings_on_stderr(capsys, config):
    code, _, err = outcome(capsys, "check", config, "--set", "blood.nk=9/h")
    assert code == 0 and err == "warning: blood.nk = 9/h is outside the usual range, 0.1/h to 5/h\n"


@pytest.mark.parametrize("arguments, message", [
    (["chek"], "there is no command 'chek' (did you mean 'check'?); commands: check, run"),
    (["frobnicate"], "there is no command 'frobnicate'; commands: check, run"),
    (["check"], "Missing argument 'CONFIG'; see metacascade check --help"),
    (["run", "x.toml"], "Missing option '--out'"),
    (["run", "x.toml", "--ouput", "d"], "there is no option --ouput (did you mean '--out'?)"),
    (["scaling", "project", "d", "--latncy=2 us"],
     "there is no option --latncy (did you mean '--latency'?); see metacascade scaling project --help"),
    (["check", "a", "b"], "see metacascade check --help"),
    (["watch", "d", "--once=1"], "Option '--once' takes no value; see metacascade watch --help"),
    (["run", "x.toml", "--overwrite=yes"], "Option '--overwrite' takes no value; see metacascade run --help"),
    (["--debug=1", "init"], "Option '--debug' takes no value; see metacascade --help"),
    (["scaling", "weak", "--overwrite=1"], "takes no value; see metacascade scaling weak --help"),
    (["run", "x.toml", "--out"], "Option '--out' requires an argument; see metacascade run --help"),
    (["run", "x.toml", "--out", "a", "-o", "b"], "--out is given 2 times, and takes one value: give it once; see metacascade run"),
    (["scaling", "weak", "x.toml", "--ranks=1", "--ranks=2"], "--ranks is given 2 times, and takes one value: give it once"),
    (["branch", "c", "--at", "1 h", "--at", "2 h", "--out", "d"], "--at is given 2 times, and takes one value"),
    (["branch", "c.h5", "--out", "d", "--seed", "x"], "Invalid value for '--seed'"),
    (["check", "no.toml"], "cannot read the config 'no.toml': No such file or directory"),
    (["init", "mouse_brest"], "there is no preset 'mouse_brest' (did you mean 'mouse_breast'?)"),
    (["info", "x.h5", "--parameters"], "there is no section 'x'; sections: run, output"),
    (["info", "--parameters", "growth.division_tim"], "[growth] has no 'division_tim' (did you mean 'division_time'?)"),
    (["info", "--parameters", "organs.lungs.nk"], "there is no organ 'lungs' (did you mean 'lung'?)"),
    (["info", "--parameters", "organs.lung.bone.nk"], "there is no parameter 'organs.lung.bone.nk': it is organs.BED.nk"),
    (["info", "--parameters", "growth.0.division_time"], "'growth.0.division_time': it is growth.division_time"),
    (["info", "growth", "blood.nk"], "--parameters with or without sections and parameters")])
def test_wrong_command_line_is_one_message_and_2(capsys, arguments, message):
    code, out, err = outcome(capsys, *arguments)
    assert code == 2 and out == "" and err.startswith("metacascade: ") and message in err
    assert err.count("\n") == 1, f"more than one line:\n{err}"


@pytest.mark.parametrize("command", ["run", "check", "sweep", "cohort"])
def test_a_preset_in_the_place_of_a_file_is_told_with_how_to_get_one(capsys, command):
    for preset in ("mouse_breast", cohorts()[0]):
        code, _, err = outcome(capsys, command, preset, *["--out", "d"] * (command != "check"))
        assert code == 2 and f"`metacascade init {preset}` writes that preset into a file" in err


@pytest.mark.parametrize("plan, told", [(sweep_plan.NAME, "of a sweep or of arms, not of a run: name one of its members"),
                                        (cohort_results.PLAN, "of a cohort, not of a run: `metacascade info")])
@pytest.mark.parametrize("command", ["resume {}", "branch {} --out d", "branch {} --out d --at 5h", "cascade {}", "digest {}",
                                     "efficiency {}", "digest {}/results.h5"])
def test_a_directory_of_many_runs_is_told_where_that_of_one_is_needed(capsys, tmp_path, command, plan, told):
    (tmp_path / plan).write_text("{}")
    code, _, err = outcome(capsys, *command.format(tmp_path).split())
    assert code == 2 and f"{tmp_path} is the directory {told}" in err and err.count("\n") == 1


def test_no_command_prints_the_help_and_is_wrong_input(capsys):
    code, out, _ = outcome(capsys)
    assert code == 2 and "Usage: metacascade" in out and "Exit codes: 0 done, 75" in out


def test_help_and_version_are_done(capsys):
    assert outcome(capsys, "--help")[0] == 0 and outcome(capsys, "run", "--help")[0] == 0
    assert outcome(capsys, "--version") == (0, f"metacascade {__version__}\n", "")


def test_run_resume_and_branch_delegate_and_pass_the_exit_code_on(capsys, config, commands, tmp_path):
    out = tmp_path / "out"
    assert main(["run", str(config), "--out", str(out), "--set", "run.seed=3", "--set", "a.b=c", "--overwrite"]) == 0
    assert main(["resume", str(out)]) == 75
    assert main(["branch", "c.h5", "-o", str(out), "--seed", "9", "--set", "blood.nk=0/h"]) == 0
    assert commands.calls == [
        ("run", config, out, ["run.seed=3", "a.b=c"], True), ("resume", out, []),
        ("branch", Path("c.h5"), out, 9, ["blood.nk=0/h"], False)]


def test_dry_run_estimates_and_writes_nothing(capsys, config, commands, tmp_path):
    code, out, _ = outcome(capsys, "run", config, "--out", tmp_path / "out", "--dry-run")
    assert code == 0 and "memory per rank: 1 GB" in out
    assert [call[0] for call in commands.calls] == ["estimate"] and not (tmp_path / "out").exists()


@pytest.mark.parametrize("error, code, message", [
    (InputError("bad file"), 2, "metacascade: bad file\n"), (RunError("disk full"), 1, "metacascade: disk full\n"),
    (CellsLost("2 cells vanished"), 1, "metacascade: internal error: 2 cells vanished\n"),
    (ZeroDivisionError("oops"), 1, "metacascade: internal error: ZeroDivisionError: oops\n"),
    (KeyboardInterrupt(), 1, "metacascade: interrupted\n")])
def test_error_of_a_run_is_a_message_without_traceback(capsys, config, commands, error, code, message):
    def fail(*_):
        raise error
    commands.run = fail
    found, _, err = outcome(capsys, "run", config, "--out", "d")
    assert found == code and err.startswith(message) and "Traceback" not in err


@pytest.mark.parametrize("arguments", [("run", "my.toml", "-o", ""), ("run", "my.toml", "--out="), ("resume", "")])
def test_an_empty_argument_is_not_the_present_directory(capsys, commands, arguments):
    code, _, err = outcome(capsys, *arguments)
    assert code == 2 and "an argument is empty" in err and not commands.calls


def test_debug_shows_the_traceback(capsys):
    code, _, err = outcome(capsys, "--debug", "check", "no.toml")
    assert code == 2 and err.startswith("Traceback") and err.endswith("No such file or directory\n")


@pytest.mark.parametrize("shared, speaks", [(True, False), (False, True)])
def test_other_ranks_speak_only_of_errors_that_they_alone_know(capsys, config, commands, monkeypatch, shared, speaks):
    error, aborted = RunError("disk full"), []
    error.on_all_ranks = shared

    def fail(*_):
        raise error
    commands.run = fail
    monkeypatch.setitem(sys.modules, "mpi4py.MPI", types.ModuleType("mpi4py.MPI"))
    monkeypatch.setenv("PMI_RANK", "1")
    monkeypatch.setattr("metacascade.ranks.parallel.abort", aborted.append)
    code, _, err = outcome(capsys, "run", config, "--out", "d")
    assert (code, bool(err), aborted) == (1, speaks, [1] if speaks else [])


def test_usage_error_under_mpiexec_is_printed_by_rank_0_only(capsys, monkeypatch):
    monkeypatch.delitem(sys.modules, "mpi4py.MPI", raising=False)
    monkeypatch.setenv("PMI_RANK", "1")
    assert outcome(capsys, "chek") == (2, "", "")


def test_init_lists_and_writes_presets(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = outcome(capsys, "init")
    assert code == 0 and [line.split()[0] for line in out.splitlines()] == names() + sweeps() + arms() + cohorts()
    assert outcome(capsys, "init", "mouse_breast")[0] == 0
    assert (tmp_path / "mouse_breast.toml").read_text() == f"{SCHEMA_LINE}\n{text('mouse_breast')}"
    code, _, err = outcome(capsys, "init", "mouse_breast")
    assert code == 2 and "mouse_breast.toml exists; give another name or --overwrite" in err
    assert outcome(capsys, "init", "injection_liver", "mouse_breast.toml", "--overwrite")[0] == 0
    assert (tmp_path / "mouse_breast.toml").read_text() == f"{SCHEMA_LINE}\n{text('injection_liver')}"
    code, out, _ = outcome(capsys, "init", "sweep_shedding")
    assert code == 0 and "next: metacascade sweep sweep_shedding.toml --out DIR --dry-run" in out
    code, out, _ = outcome(capsys, "init", "arms_resection")
    assert code == 0 and "next: metacascade arms arms_resection.toml --out DIR --dry-run" in out
    code, _, err = outcome(capsys, "init", "mouse_breast", tmp_path / "no" / "a.toml")
    assert code == 2 and "cannot write" in err


def test_init_writes_the_schema_that_the_first_line_names_to_editors(capsys, tmp_path):
    (tmp_path / "metacascade.schema.json").write_text('{"title": "metacascade config", "of": "another version"}')
    assert outcome(capsys, "init", "mouse_breast", tmp_path / "my.toml")[0] == 0
    named = (tmp_path / "my.toml").read_text().splitlines()[0].removeprefix("#:schema ./")
    assert (tmp_path / named).read_text() == outcome(capsys, "schema")[1]
    assert outcome(capsys, "check", tmp_path / "my.toml")[0] == 0


def test_a_schema_that_cannot_be_written_leaves_the_former_one_whole(capsys, tmp_path, monkeypatch):
    former = '{"title": "metacascade config", "of": "another version"}'
    (tmp_path / "metacascade.schema.json").write_text(former)

    def full(path, text, *_):
        with open(path, "w") as file:
            file.write(text[:10])
        raise OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(Path, "write_text", full)
    assert outcome(capsys, "init", "mouse_breast", tmp_path / "my.toml")[0] == 2
    assert (tmp_path / "metacascade.schema.json").read_text() == former and len(list(tmp_path.iterdir())) == 1


def test_init_replaces_no_schema_of_others(capsys, tmp_path):
    (tmp_path / "metacascade.schema.json").write_text("{}")
    code, _, err = outcome(capsys, "init", "mouse_breast", tmp_path / "my.toml")
    assert code == 2 and "is not the schema of metacascade: move it away" in err
    assert not (tmp_path / "my.toml").exists() and (tmp_path / "metacascade.schema.json").read_text() == "{}"


def test_init_of_what_is_no_config_writes_no_schema(capsys, tmp_path):
    assert outcome(capsys, "init", "sweep_shedding", tmp_path / "my.toml")[0] == 0
    assert [path.name for path in tmp_path.iterdir()] == ["my.toml"]


def test_info_of_a_config_says_which_command_reads_it(capsys, config):
    code, _, err = outcome(capsys, "info", config)
    assert code == 2 and "no file of a run: `metacascade check` reads a config" in err


def test_info_names_versions_and_parameters(capsys):
    code, out, _ = outcome(capsys, "info")
    assert code == 0 and f"metacascade {__version__}" in out and "numpy" in out
    code, out, _ = outcome(capsys, "info", "--parameters")
    assert code == 0 and "migration.speed " in out


def test_info_lists_the_parameters_of_one_section_and_refuses_another(capsys):
    code, out, _ = outcome(capsys, "info", "--parameters", "growth")
    assert code == 0 and out and all(line.startswith("growth.") for line in out.splitlines())
    code, out, err = outcome(capsys, "info", "--parameters", "grwoth")
    assert (code, out) == (2, "") and "no section 'grwoth' (did you mean 'growth'?); sections: run, output" in err
    assert outcome(capsys, "info", "--parameters", "growth", "--markdown")[0] == 2


def test_info_tells_all_of_one_parameter_with_the_default_of_that_organ(capsys):
    code, out, _ = outcome(capsys, "info", "--parameters", "growth.division_time", "organs.lung.nk", "injection.0.cells")
    assert code == 0 and out.count("    allowed: ") == 3 and "organs.lung.nk: default 1\n" in out
    assert out.startswith("growth.division_time: default 24 h\n    Doubling time")
    assert "usual 16 h to 700 h\n    CONVENTION: cultured lines 24 h" in out


@pytest.mark.parametrize("name", ["organs.x.y.capillary", "organs.lung.lung.nk", "growth.a.death_rate",
                                  "injection.x.cells", "injection.0.0.cells", "organs.lnug.nk"])
def test_info_refuses_a_parameter_of_what_there_is_not(capsys, name):
    code, out, err = outcome(capsys, "info", "--parameters", name)
    assert (code, out) == (2, "") and err.startswith("metacascade: there is no ")


def test_schema_is_json(capsys):
    code, out, _ = outcome(capsys, "schema")
    assert code == 0 and json.loads(out)["properties"]["run"]["properties"]["step"]["type"] == "string"


LIGHT = "import sys; from metacascade.__main__ import main; main({!r}); " \
        "print(*sorted(m for m in ('mpi4py', 'h5py', 'numpy', 'pint') if m in sys.modules))"


@pytest.mark.parametrize("arguments", [["--version"], ["init"], ["check", "CONFIG"]])
def test_light_command_loads_nothing_heavy(config, arguments):
    arguments = [str(config) if a == "CONFIG" else a for a in arguments]
    result = subprocess.run([sys.executable, "-c", LIGHT.format(arguments)], capture_output=True, text=True, timeout=60)
    assert result.stdout.splitlines()[-1] == "", result.stderr


def test_module_returns_the_exit_code_to_the_shell():
    result = subprocess.run([sys.executable, "-m", "metacascade", "chek"], capture_output=True, text=True, timeout=60)
    assert result.returncode == 2 and "did you mean 'check'?" in result.stderr


def test_closed_pipe_is_quiet():
    process = subprocess.Popen([sys.executable, "-m", "metacascade", "schema"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.wait(60) == 1 and process.stderr.read() == b""
    process.stderr.close()


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_streams_that_the_shell_closed_are_no_error(config, closed):
    line = f'"{sys.executable}" -m metacascade check "{config}" {closed}'
    assert subprocess.run(line, shell=True, capture_output=True, timeout=60).returncode == 0
