"""The help of every command: an example that is one, units, defaults; and completion in a shell."""
import re
import shlex
import shutil
import subprocess

import pytest
import typer

from metacascade.__main__ import main
from metacascade.cli import completion, examples
from metacascade.cli.app import app
from metacascade.config import presets

TIMES = re.compile(r"\d ?(?:s|min|h|days?)\b")        # a number with its unit
NO_DEFAULT = re.compile(r"default|left out|may be repeated|another run\.", re.IGNORECASE)


def commands():
    """Name -> command."""
    def walk(command, name=""):
        inner = getattr(command, "commands", None)
        if inner is None:
            yield name, command
        for key, one in (inner or {}).items():
            yield from walk(one, f"{name} {key}".strip())
    return dict(walk(typer.main.get_command(app)))


def test_every_example_is_of_a_command():
    assert examples.EXAMPLES.keys() == commands().keys()


@pytest.mark.parametrize("name", commands())
def test_the_help_of_a_command_ends_with_examples_that_it_understands(name, capsys):
    assert main([*name.split(), "--help"]) == 0
    told = capsys.readouterr().out.partition("Examples:\n")[2]
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    assert lines == [f"metacascade {line}" for line in examples.EXAMPLES[name]]
    for line in lines:
        words = shlex.split(line.partition(" > ")[0])
        assert words[1:1 + len(name.split())] == name.split()
        commands()[name].make_context(name, words[1 + len(name.split()):])     # raises for what it does not take


@pytest.mark.parametrize("name", commands())
def test_the_help_of_a_command_says_what_holds_where_nothing_is_given(name):
    silent = [parameter.opts for parameter in commands()[name].params
              if not (getattr(parameter, "is_flag", False) or parameter.required or parameter.name == "help")
              and parameter.default is None and not NO_DEFAULT.search(parameter.help or "")]
    assert silent == []


@pytest.mark.parametrize("name", commands())
def test_the_help_of_a_time_has_one_with_its_unit(name):
    told = [(parameter.opts, parameter.help) for parameter in commands()[name].params
            if parameter.metavar == "TIME" or "--time" in parameter.opts]
    assert all(TIMES.search(text) for _, text in told), told


# --- completion ------------------------------------------------------------------------------------------------

def completed(tmp_path, *words):
    """What bash offers for the last of some words."""
    path = tmp_path / "metacascade.bash"
    path.write_text(completion.script(typer.main.get_command(app), "bash", "1"))
    program = (f"source {path}; COMP_WORDS=({shlex.join(['metacascade', *words])}); COMP_CWORD={len(words)}; "
               'set -u; _metacascade; printf "%s\\n" "${COMPREPLY[@]:-}"; complete -p metacascade')
    done = subprocess.run(["bash", "--norc", "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and not done.stderr, done.stderr
    *offered, last = done.stdout.split("\n")[:-1]
    assert last == "complete -o default -F _metacascade metacascade"        # without an offer: files
    return sorted(filter(None, offered))


@pytest.mark.parametrize("words, offered", [
    (["re"], ["report", "reproduce", "resume"]), (["scaling", ""], ["project", "strong", "weak"]), (["run", ""], []),
    (["scaling", "weak", "--no"], ["--no-verify"]), (["init", "mouse_"], ["mouse_breast", "mouse_breast_fixed"]),
    (["info", "--preset", "human_l"], ["human_lung", "human_lung_lumped"]), (["run", "a.toml", "--o"], ["--out", "--overwrite"]),
    (["init", "sweep"], ["sweep_shedding"]), (["completion", ""], ["bash", "fish", "zsh"])])
def test_bash_completes_commands_options_and_names_of_presets(tmp_path, words, offered):
    if shutil.which("bash") is None:
        pytest.skip("there is no bash here")
    assert completed(tmp_path, *words) == offered


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_script_of_a_shell_is_one(tmp_path, shell):
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here (Debian: apt install {shell})")
    path = tmp_path / "script"
    path.write_text(completion.script(typer.main.get_command(app), shell, "1"))
    done = subprocess.run([shell, "-n", path], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and not done.stderr, done.stderr


def test_fish_completes_commands_options_and_names_of_presets(tmp_path):
    if shutil.which("fish") is None:
        pytest.skip("there is no fish here (Debian: apt install fish)")
    path = tmp_path / "metacascade.fish"
    path.write_text(completion.script(typer.main.get_command(app), "fish", "1"))
    for line, offered in {"re": ["report", "reproduce", "resume"], "init mouse_": ["mouse_breast", "mouse_breast_fixed"],
                          "scaling weak --no": ["--no-verify"]}.items():
        done = subprocess.run(["fish", "--no-config", "-c", f"source {path}; complete -C 'metacascade {line}'"], timeout=60,
                              capture_output=True, text=True, cwd=tmp_path)
        assert not done.stderr and [one.split("\t")[0] for one in done.stdout.splitlines()] == offered, line


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_a_script_knows_every_command_option_and_preset(shell, capsys):
    assert main(["completion", shell]) == 0
    said = capsys.readouterr().out
    for name, command in commands().items():
        assert name.split()[-1] in said
        for option in (one for parameter in command.params for one in parameter.opts if one.startswith("--")):
            assert (f"-l {option[2:]}" if shell == "fish" else option) in said
    assert all(preset in said for preset in presets.names())


def test_another_shell_is_refused(capsys):
    assert main(["completion", "tcsh"]) == 2 and "there are bash, zsh, fish" in capsys.readouterr().err
