"""Where the numbers of a preset come from: the comments of its lines, beside what the declarations say of each key.

A line that sets a number of the model ends in a comment of its status and source::

    diameter = "12.4 um"       # MEASURED: patients, Mendelaar 2021
    adhesion_mean = 0.7        # DEFAULT: 0 free, 1 bound

DEFAULT stands where number and source are those of the declaration, and are written all the same since it teaches. A
number whose declaration is a setting needs no source. The comment may go on in lines of nothing but an indented
comment.
"""
import re
from dataclasses import dataclass

from metacascade.base.declare import ASSUMED, COMPUTED, CONVENTION, MEASURED, RECALLED, SETTING, Parameter
from metacascade.base.screen import one_line
from metacascade.config import presets
from metacascade.config.config import build
from metacascade.config.describe import default_text
from metacascade.config.given import dotted
from metacascade.config.lines import comments, line_of
from metacascade.config.read import parse_text

STATUSES = (MEASURED, COMPUTED, RECALLED, CONVENTION, ASSUMED)
DEFAULT = "default"
NUMBERS = ("quantity", "number", "integer", "place")
_SOURCE = re.compile(rf"({'|'.join(word.upper() for word in (*STATUSES, DEFAULT))}): *(\S.*)")


@dataclass(frozen=True)
class Number:
    """A number that a preset sets. `status` is "" where its line does not say it."""

    path: str
    line: int
    parameter: Parameter
    value: object
    default: object             # that of this place: beds of [organs] have their own
    status: str
    source: str

    @property
    def is_default(self) -> bool:
        """Would it be the same if it were left out?"""
        return self.value == self.default

    @property
    def written(self) -> str:
        """The value with its unit."""
        return self.parameter.text(self.value)


def numbers(name: str) -> list[Number]:
    """Every number that a preset sets, in the order of its lines."""
    return numbers_of(presets.text(name), name)


def numbers_of(text: str, name: str) -> list[Number]:
    """The same of the text of a config."""
    document = parse_text(text, name, str(presets.FOLDER))
    config, said = build(document), comments(document.text)
    of_beds = defaults(type(config))
    found = []
    for path, parameter, value in config.values():
        if path in config.given and parameter.kind in NUMBERS:
            line = line_of(path, document.lines)
            status, source = _told(said.get(line, ""), parameter)
            default = of_beds.get(path, parameter.default)
            found.append(Number(dotted(path), line, parameter, value, default, status, source))
    return sorted(found, key=lambda one: one.line)


def _told(comment, parameter):
    """Status and source of a number by the comment of its line."""
    if of_comment(comment)[0]:
        return of_comment(comment)
    return (SETTING, comment) if parameter.status == SETTING else ("", comment)


def of_comment(comment) -> tuple[str, str]:
    """Status and source by the words of the comment of a line, "" where they are none of such."""
    match = _SOURCE.fullmatch(comment)
    return (match[1].lower(), match[2]) if match else ("", "")


def defaults(kind) -> dict:
    """Path -> value of what is the same in every config of this class: the beds have defaults of their own."""
    return {path: value for path, _, value in kind.from_dict({}).values() if path[0] == "organs"}


def unsourced(found: list[Number]) -> list[str]:
    """What is wrong with the sources of these numbers: a text for each that has none, or a wrong one."""
    return [f"line {one.line}: {one.path} = {one.written}: {wrong}" for one in found if (wrong := _wrong(one))]


def _wrong(one):
    if not one.status:
        return f"needs a comment, one of {', '.join(s.upper() for s in STATUSES)}, a colon and the source"
    if one.status == DEFAULT and not one.is_default:
        return f"is not the default, {_default(one) or 'which is none'}: say where it comes from"
    if one.status == one.parameter.status != SETTING and one.is_default:
        return f"is the default, of the same status: leave it out, or write {DEFAULT.upper()}: and what it teaches"
    return ""


def about(name: str) -> dict[str, str]:
    """What the head of a preset says after ``# Used:`` and ``# May be tested on:``, "" where it says nothing."""
    return about_text(presets.text(name))


def about_text(text: str) -> dict[str, str]:
    """The same of a text. A line ``#   ...`` goes on with the one above it."""
    head = "\n".join(line for line in text.split("\n\n[")[0].split("\n") if line.startswith("#"))
    whole = re.sub(r"\n#(?: {2,}|\t)", " ", head)
    found = {label: re.search(rf"^# {label}:[ \t]*(.*)$", whole, re.M) for label in ("Used", "May be tested on")}
    return {label: match[1].strip() if match else "" for label, match in found.items()}


def used(name: str) -> set[str]:
    """Numbers of the validation targets, V01 and so on, that numbers of the preset rest on."""
    return set(re.findall(r"\bV[0-9]{2}\b", about(name)["Used"]))


def report(name: str) -> str:
    """What ``metacascade info --preset`` prints."""
    if name in presets.sweeps():
        return presets.text(name)
    lines = [f"{name}: {presets.title(name)}"]
    lines += [f"{label}: {said or 'not said'}" for label, said in about(name).items()]
    for one in numbers(name):
        p = one.parameter
        usual = f"; usual {' to '.join(map(p.text, p.usual))}" if p.usual else ""
        status = p.status if one.status == DEFAULT else one.status
        source = p.source or one.source if one.status == DEFAULT else one.source
        lines += ["", f"{one.path} = {one.written}",
                  f"    default {_default(one) or 'none'}; allowed {p.allowed()}{usual}",
                  f"    {status.upper() or 'NO SOURCE'}{': ' * bool(source)}{source}"]
    return "\n".join(map(_screened, lines)) + "\n"


def _screened(text):
    return one_line(text, 2000)


def _default(one) -> str:
    if one.default == one.parameter.default or one.default is None:
        return default_text(one.parameter)
    return one.parameter.text(one.default)


def listed() -> str:
    """What ``metacascade info --presets`` prints: name, title, and what each may be tested on."""
    lines = []
    for name in presets.names():
        lines.append(f"{name:26}{presets.title(name)}")
        lines += [f"    {label}: {said}" for label, said in about(name).items() if said]
    return "\n".join(lines) + "\n"
