"""How a parameter is declared: once, with unit, default, limits, source and meaning.

The check of a config, its schema, the documentation and ``metacascade info`` are derived from these
declarations; there is no second list of parameters.
"""
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from metacascade.base import units

MEASURED = "measured"    # in cells, animals or patients, and seen at the place that `source` names
COMPUTED = "computed"    # arithmetic from measured numbers
RECALLED = "recalled"    # from the literature by memory, not looked up again
CONVENTION = "convention"    # what programs of the field or textbooks use, without a measurement behind it
ASSUMED = "assumed"      # a start value without a direct measurement: vary it
SETTING = "setting"      # a choice of the user or of the numerics, not a property of nature


@dataclass(frozen=True)
class Parameter:
    """One key of the config. `default`, `low`, `high`, `usual` are in internal units.

    A value outside [low, high] is refused. One outside `usual`, the span found in the literature, is
    a warning: a mechanism may be scaled to zero on purpose.
    """
    key: str
    kind: str                      # quantity, number, integer, switch, text, texts, numbers, choice, place or times
    default: Any = None            # None: may be left out, see doc
    low: float | None = None
    high: float | None = None
    usual: tuple | None = None
    unit: str = ""                 # as it is usually written
    internal: str = ""             # of the attribute
    choices: tuple = ()
    source: str = ""
    status: str = SETTING
    doc: str = ""
    alone: bool = False            # a quantity that may be a unit alone: "mm" is "1 mm"
    most: int = 0                  # of a list of times
    attribute: str = ""            # filled in by Section
    section: str = ""

    @property
    def whole(self) -> bool:
        """Is the internal value an integer: a count, or a time in whole seconds?"""
        return self.kind == "integer" or self.internal == "s"

    def text(self, value) -> str:
        """An internal value as it would be written in a config, without quotes."""
        if self.kind == "times" and not isinstance(value, int):
            return ", ".join(map(units.show_time, value))
        if self.internal == "s":
            return units.show_time(value)
        if self.kind == "quantity":
            return units.show(value, self.unit, self.internal)
        if self.kind == "switch":
            return str(value).lower()
        if self.kind == "texts":
            return ", ".join(value)
        if self.kind == "numbers":
            return ", ".join(f"{name} {units.plain(one)}" for name, one in value.items())
        return units.plain(value) if self.kind == "number" else str(value)

    def example(self) -> str:
        """A value that could be written for a quantity."""
        value = self.default if self.kind in ("quantity", "times") and self.default else None
        return units.written(1, self.unit) if value is None else self.text(value)

    def allowed(self) -> str:
        """What may be written, in words."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if self.kind in ("switch", "text"):
            return {"switch": "true or false", "text": f"a text of at most {self.high} characters"}[self.kind]
        if self.kind == "texts":
            return f"a list of at most {self.high} texts"
        if self.kind == "numbers":
            return f"a table of numbers from {units.plain(self.low)} to {units.plain(self.high)}"
        what = {"quantity": "a quantity", "number": "a number", "integer": "a whole number",
                "place": "three quantities", "times": "a quantity, or a list of them, each"}[self.kind]
        one = self.text if self.kind != "place" else lambda v: units.show(v, self.unit, self.internal)
        return f"{what} from {one(self.low)} to {one(self.high)}"


def _field(parameter: Parameter, **limits):
    return Field(default=parameter.default, description=parameter.doc, strict=True,
                 json_schema_extra={"parameter": parameter}, **limits)


def _bounded(parameter: Parameter):
    return _field(parameter, ge=parameter.low, le=parameter.high)


def quantity(key, unit, internal, default, low, high, *, usual=None, doc, source="", status=SETTING, alone=False):
    """A number with a unit. Numbers are given in `unit`, the attribute holds them in `internal`."""
    def convert(number):
        value = units.exact(number, unit, internal)
        return round(value) if internal == "s" else value

    return _bounded(Parameter(
        key, "quantity", None if default is None else convert(default), convert(low), convert(high),
        usual and tuple(map(convert, usual)), unit, internal, source=source, status=status, doc=doc, alone=alone))


def place(key, unit, internal, default, low, high, *, doc):
    """Three quantities: a point in the frame of the tissue. The limits are declared on the type."""
    return Field(default=default, description=doc, json_schema_extra={"parameter": Parameter(
        key, "place", default, low, high, unit=unit, internal=internal, doc=doc)})


def times(key, unit, low, high, *, doc, most=1000):
    """Times as a list, or a time as the interval between them; the annotation of the attribute is ``Times``."""
    seconds = [round(units.exact(limit, unit, "s")) for limit in (low, high)]
    return Field(default=(), description=doc, json_schema_extra={"parameter": Parameter(
        key, "times", (), *seconds, unit=unit, internal="s", doc=doc, most=most)})


def number(key, default, low, high, *, usual=None, doc, source="", status=SETTING):
    """A pure number."""
    return _bounded(Parameter(key, "number", default, low, high, usual, source=source, status=status, doc=doc))


def integer(key, default, low, high, *, usual=None, doc, source="", status=SETTING):
    """A whole number."""
    return _bounded(Parameter(key, "integer", default, low, high, usual, source=source, status=status, doc=doc))


def switch(doc, key="enabled", default=True):
    """true or false. A mechanism that is off is absent, bit for bit."""
    return _field(Parameter(key, "switch", default, doc=doc))


def text(key, default, *, doc, longest=200):
    """Free text."""
    return _field(Parameter(key, "text", default, 0, longest, doc=doc), max_length=longest)


def texts(key, *, doc, most=64):
    """A list of texts; the annotation of the attribute is ``tuple[str, ...]``."""
    return Field(default=(), description=doc, max_length=most,
                 json_schema_extra={"parameter": Parameter(key, "texts", (), 0, most, doc=doc)})


Line = Annotated[str, StringConstraints(strip_whitespace=True)]     # of blanks alone: empty
Share = Annotated[float, Field(strict=True, ge=0, le=1)]
Percent = Annotated[float, Field(strict=True, ge=0, le=100)]


Seconds = Annotated[int, Field(strict=True, ge=1)]
Times = Seconds | tuple[Seconds, ...]


def numbers(key, low, high, *, doc):
    """A table of numbers by name; the annotation of the attribute is ``dict[str, Share]`` or alike, with its limits."""
    return Field(default={}, description=doc, json_schema_extra={"parameter": Parameter(
        key, "numbers", {}, low, high, doc=doc)})


def choice(key, default, choices, *, doc, source=""):
    """One of several words; the annotation of the attribute is ``str``."""
    return Field(default=default, description=doc, strict=True,
                 json_schema_extra={"parameter": Parameter(key, "choice", default, choices=tuple(choices), doc=doc,
                                                           source=source)},
                 pattern="^(" + "|".join(map(str, choices)) + ")$")


class Section(BaseModel):
    """One table of the config: frozen, attributes in internal units, unknown attributes refused."""
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    table: ClassVar[str] = ""                        # its name in the file
    tables: ClassVar[dict] = {}                      # the sections in it
    parameters: ClassVar[dict[str, Parameter]] = {}  # by key of the file

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs):
        from dataclasses import replace
        declared = [(name, (field.json_schema_extra or {}).get("parameter"))
                    for name, field in cls.model_fields.items()]
        cls.parameters = {p.key: replace(p, attribute=name, section=cls.table) for name, p in declared if p}
