"""The model as it prints itself: every rate and field of a plan as an equation, with what stands in it.

``metacascade info --rates`` shows it for a config, with values and sources; docs/model.md holds the equations of all
mechanisms between two markers, says which are off by default, and a test compares.
"""
import re

from metacascade.base.errors import InputError
from metacascade.base.names import nearest
from metacascade.base.screen import shown
from metacascade.mechanisms import MECHANISMS
from metacascade.mechanisms.factor_problems import is_switch
from metacascade.mechanisms.fields import FIELDS, Diffusing
from metacascade.mechanisms.idle import Declared
from metacascade.mechanisms.plan import enabled, switch_of
from metacascade.mechanisms.terms import FACTORS, KEY, REMOVE, SET, Rate

COMMAND = "metacascade info --rates --markdown"
BEGIN, END = f"<!-- written by {COMMAND}; do not edit -->", "<!-- end of what is written -->"
CHAPTERS = {"field": "Terms of fields", "tissue": "Cells in tissue", "lumped": "A lumped tumor",
            "blood": "Cells in the blood", "lesion": "Lesions",
            "vessel": "Vessels"}
_OWN = re.compile(r"(?:d )?([\w.]+)")        # the name of what an equation is of
_MARKED = re.compile(r"\[([a-zA-Z0-9_.]+)\]")
WIDTH = 118


def equation(rate, factors) -> str:
    """``tissue.divide (1/h) = ln(2) / [growth.division_time] * ...``: keys of the config stand in square brackets."""
    unit = f" ({rate.unit})" if rate.unit else ""
    terms = [text for text in (rate.base.text, *map(_bracketed, factors)) if text != "1"] or ["1"]
    return f"{rate.name}{unit} = {_keys_marked(' * '.join(terms))}"


def _keys_marked(text) -> str:
    return KEY.sub(r"[\g<0>]", text)


def _bracketed(factor) -> str:
    """The text of a factor, so that it can stand in a product."""
    text = factor.text
    whole = text.startswith("(") and _closes(text) == len(text) - 1
    return text if whole or "/" not in text or text.startswith("clamp(") else f"({text})"


def _closes(text) -> int:
    """Where the bracket that opens a text is closed."""
    depth = 0
    for i, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return i
    return -1


def optional(config, everything) -> dict:
    """Rate, field or factor -> its switch, of what is on in the config `everything` and off in `config`."""
    return {made: f"[{switch_of(mechanism)}]" for mechanism in MECHANISMS if not enabled(config, mechanism)
            for made in mechanism.plan(everything) if isinstance(made, (Rate, *FIELDS, *FACTORS))}


def equations(plan, off=()):
    """(chapter, equation, what it is) of every rate and field, in the order of the plan; `off` as of `markdown`."""
    off = dict(off)
    for field in plan.fields:
        meaning = f"in {field.unit}: {field.doc}" if field.unit else field.doc
        if names := [f"{field.name}.{one}" for one in field.in_time if getattr(field, one).number]:
            meaning += f"; a therapy may act on {', '.join(names)}"
        text = field.with_terms(plan.terms_of(field.name)) if isinstance(field, Diffusing) else field.text
        yield "Fields", _keys_marked(text), meaning + _by_default(field, (), off)
    for compartment, chapter in CHAPTERS.items():
        for rate in plan.of(compartment):
            factors = plan.factors_of(rate.name)
            yield chapter, equation(rate, factors), _meaning(rate) + _by_default(rate, factors, off)


def _by_default(made, factors, off):
    """What of a rate or field is off by default."""
    own = off.get(made)
    told = [f"; off by default: {own}"] if own else []
    return "".join(told + [f"; {_keys_marked(factor.text)} is off by default: {off[factor]}" for factor in factors
                           if off.get(factor, own) != own])


def _meaning(rate) -> str:
    event = {None: "", REMOVE: "dies"}.get(rate.action, rate.action)
    if rate.step:
        event += f" {rate.byte} by {rate.step}"
    elif rate.detail:
        event += f" {rate.detail}"
    event += {"blood": " after so long", "lesion": " below so many" if rate.action == SET else " from so many on"
              }[rate.compartment] if is_switch(rate) else ""
    return ": ".join(word for word in (event, rate.doc) if word)


def _by_chapter(plan, off=()):
    chapters = {}
    for chapter, text, meaning in equations(plan, off):
        chapters.setdefault(chapter, []).append((text, meaning))
    return chapters


def markdown(plan, off=()) -> str:
    """The block of docs/model.md, markers included. `off`: what is off by default, and its switch, of `optional`."""
    lines = [BEGIN]
    for chapter, rows in _by_chapter(plan, off).items():
        lines += ["", f"**{chapter}**", "", "```", *(line for row in rows for line in _row(*row)), "```"]
    return "\n".join([*lines, "", END])


def _row(text, meaning):
    yield from _wrapped(text)
    if meaning:
        yield from _wrapped(f"    # {meaning}", "    # ")


def _wrapped(text, indent="        "):
    """Lines of at most WIDTH letters, broken at spaces."""
    while len(text) > WIDTH:
        at = text.rfind(" ", len(indent) + 1, WIDTH)
        if at < 0:
            break
        yield text[:at]
        text = indent + text[at + 1:]
    yield text


def report(plan, config, sources, names=()) -> str:
    """Every equation with the values, units, status and sources of the parameters in it, for people.

    `sources`: path -> status and source of each value of the config; `names`: only rates and fields that begin so.
    Raises InputError for a name with which none does.
    """
    known, found = _parameters(config, sources), set()
    lines = []
    for chapter, rows in _by_chapter(plan).items():
        asked = [row for row in rows if not names or _asked(row[0], names)]
        found |= {name for row in asked for name in _asked(row[0], names)}
        lines += [chapter, ""] * bool(asked)
        for text, meaning in asked:
            named = _named_in(f"{text} {meaning}", known)
            lines += [*_row(text, meaning), *(f"    {key} = {said}" for key, said in named), ""]
    if missing := [name for name in names if name not in found]:
        raise InputError("\n".join(_no_such(name, plan, config) for name in missing))
    off = sorted({name for name, on in _switches(config) if not on and not names})
    return "\n".join(lines + ([f"off: {', '.join(off)}"] if off else [])).rstrip()


def _asked(text, names):
    """Those of the names with which the rate or field of an equation begins: "vegf" of d vegf / dt and its terms."""
    own = _OWN.match(text)[1]
    return [name for name in names if _begins(own, name)]


def _begins(own, name):
    """Does a rate or field begin with a name? "vegf.source" is field.vegf.source, too."""
    return own.removeprefix("field.").startswith(name.removeprefix("field."))


def _no_such(name, plan, config):
    """Why nothing that is on begins with a name."""
    there = {one.name for one in (*plan.rates, *plan.fields)}
    declared = Declared(config)
    if off := [one for one, (_, made) in declared.owners.items() if _begins(one, name)
               and isinstance(made, (Rate, *FIELDS))]:
        why = declared.why_zero(off[0])
        return f"{', '.join(off[:5])} {'is' if len(off) == 1 else 'are'} off in this config{': ' * bool(why)}{why}"
    return (f"no rate and no field begins with {shown(name)}{nearest(name, there)}; `metacascade info --rates` lists "
            "them")


def _parameters(config, sources) -> dict:
    """Key in the file -> value, and its status and source, in words; keys of organs by source, value and bed."""
    known = {}
    for path, parameter, held in config.values():
        text = parameter.text(held) if held is not None else "left out"
        known[".".join(map(str, path))] = f"{text} ({sources[path]})"
        if path[0] == "organs":
            beds = known.setdefault(f"organs.BED.{path[2]}", {}).setdefault(sources[path], {})
            beds.setdefault(text, []).append(path[1])
    return known


def _named_in(text, known):
    """The parameters that an equation names, each once, with what is known of them."""
    for key in dict.fromkeys(_MARKED.findall(text)):
        said = known.get(key)
        if isinstance(said, dict):
            said = "; ".join("; ".join(f"{number} {', '.join(beds)}" for number, beds in alike.items()) + f" ({source})"
                             for source, alike in said.items())
        if said:
            yield key, said


def _switches(config):
    return ((".".join(map(str, path)), getattr(section, "enabled", True)) for path, section in config.sections())
