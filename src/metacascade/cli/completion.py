"""The command ``metacascade completion``: a script that lets a shell complete commands, options and names of presets.

It is made from the commands as they are, so that no Python starts when a key is pressed; another version makes it anew.
"""
from typing import Annotated

import typer

from metacascade.base.errors import InputError
from metacascade.base.screen import one_line

SHELLS = ("bash", "zsh", "fish")
BASH = """\
# completion of metacascade {version} for {shell}: {how}
_metacascade() {{
    local current="${{COMP_WORDS[COMP_CWORD]}}" before="${{COMP_WORDS[COMP_CWORD-1]}}" command="" word number
    for ((number = 1; number < COMP_CWORD; number++)); do
        word="${{COMP_WORDS[number]}}"
        case "$word" in
            -*) ;;
            *) command="$command${{command:+ }}$word"
               case "$command" in {groups}) ;; *) break ;; esac ;;
        esac
    done
    local offered=""
    case "$command|$before" in
{values}
        *) case "$command" in
{commands}
        esac ;;
    esac
    case "$current" in -*) ;; *) offered=" $offered"; offered="${{offered%% -*}}" ;; esac
    COMPREPLY=($(compgen -W "$offered" -- "$current"))
}}
complete -o default -F _metacascade metacascade
"""
ZSH = "autoload -U +X bashcompinit && bashcompinit\n"
HOW = {"bash": "source it, or keep it as ~/.local/share/bash-completion/completions/metacascade",
       "zsh": "source it in ~/.zshrc, behind compinit",
       "fish": "keep it as ~/.config/fish/completions/metacascade.fish"}


def completion(context: typer.Context,
               shell: Annotated[str, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")]):
    """Print a script by which a shell completes commands, options and names of presets."""
    from metacascade import __version__
    if shell not in SHELLS:
        raise InputError(f"completion: there is no script for '{one_line(shell)}'; there are {', '.join(SHELLS)}")
    print(script(context.find_root().command, shell, __version__), end="")


def script(commands, shell, version) -> str:
    """The script of one of SHELLS; `commands`: the group of all."""
    tree = _tree(commands)
    return _fish(tree, version) if shell == "fish" else ZSH * (shell == "zsh") + _bash(tree, shell, version)


def _tree(commands):
    """Name of a command or group, "" for all -> (its help, names of its commands or None, its options)."""
    found = {}

    def walk(command, name):
        inner = getattr(command, "commands", None)
        options = [(option, parameter.help or "", bool(getattr(parameter, "is_flag", False)))
                   for parameter in command.params for option in parameter.opts if option.startswith("-")]
        options = [one for one in options if one[0] != "--help"] + [("--help", "Show the help.", True)]
        found[name] = command.help or "", list(inner or ()) or None, options
        for key, one in (inner or {}).items():
            walk(one, f"{name} {key}".strip())
    walk(commands, "")
    return found


def _choices():
    """(command, option or "" for its first argument) -> words that it takes."""
    from metacascade.config import presets
    from metacascade.studies import reproduce
    configs = presets.names()
    return {("info", "--preset"): configs, ("completion", ""): SHELLS,
            ("init", ""): [*configs, *presets.sweeps(), *presets.arms(), *presets.cohorts()],
            ("reproduce", ""): ["all", *(line.split()[0] for line in reproduce.listed() if line.strip())]}


def _bash(tree, shell, version):
    choices = _choices()
    groups = [name for name, (_, inner, _) in tree.items() if inner and name]
    values = "\n".join(f'        "{command}|{option}") offered="{" ".join(words)}" ;;'
                       for (command, option), words in choices.items() if option)
    commands = []
    for name, (_, inner, options) in tree.items():
        words = [*(inner or choices.get((name, ""), ())), *(option for option, *_ in options)]
        commands.append(f'            "{name}") offered="{" ".join(words)}" ;;')
    return BASH.format(version=version, shell=shell, how=HOW[shell], values=values, commands="\n".join(commands),
                       groups="|".join(groups))


def _fish(tree, version):
    choices = _choices()
    lines = [f"# completion of metacascade {version} for fish: {HOW['fish']}"]

    def add(condition, *words):
        lines.append(" ".join(["complete -c metacascade", f"-n '{condition}'", *words]))
    for name, (_, inner, options) in tree.items():
        here = _seen(name, tree)
        for word in inner or ():
            add(here, "-f", "-a", word, "-d", _quoted(tree[f"{name} {word}".strip()][0]))
        for option, what, flag in options:
            letter = "-l " + option[2:] if option.startswith("--") else "-s " + option[1:]
            value = choices.get((name, option))
            needs = "" if flag else f" -x -a {_quoted(' '.join(value))}" if value else " -r"
            add(here, letter + needs, "-d", _quoted(what))
        if value := choices.get((name, "")):
            add(here, "-a", _quoted(" ".join(value)))
    return "\n".join(lines) + "\n"


def _seen(name, tree):
    """The condition that the words so far are those of a command."""
    first, _, second = name.partition(" ")
    if not name:
        return "__fish_use_subcommand"
    inner = tree[first][1]
    if second:
        return f"__fish_seen_subcommand_from {first}; and __fish_seen_subcommand_from {second}"
    return f"__fish_seen_subcommand_from {first}" + (
        f"; and not __fish_seen_subcommand_from {' '.join(inner)}" if inner else "")


def _quoted(text):
    first = " ".join(text.split()).partition(". ")[0].rstrip(".")
    return "'" + first.replace("\\", "\\\\").replace("'", "\\'") + "'"
