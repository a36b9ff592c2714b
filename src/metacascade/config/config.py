"""The config of a run: read from TOML with units, checked, frozen, in internal units.

``load`` reads a file. ``Config.to_dict`` and ``Config.from_dict`` carry a config to the other ranks and
into files. Single parameters are declared in the other modules of this package, and by the mechanisms.
"""
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import ValidationError, create_model, field_validator, model_validator

from metacascade.base.declare import Line, Parameter, Section, text
from metacascade.base.errors import InputError, PathLike
from metacascade.base.nodes import WITH_LESIONS
from metacascade.base.screen import shown
from metacascade.config import (
    check as config_check,
    read as config_read,
    values as config_values,
    vesselfile,
    write as config_write,
)
from metacascade.config.body import BYPASS, Blood, Colonization, Draw, Organ
from metacascade.config.circulation import OwnBody
from metacascade.config.given import Overrides, settings_of
from metacascade.config.injections import Injection
from metacascade.config.interventions import Radiation, Surgery
from metacascade.config.modules import Mechanisms, modules_named
from metacascade.config.organs import complete_organs
from metacascade.config.readouts import Outline, Staging
from metacascade.config.run import Balance, Output, Run
from metacascade.config.sections import shared_tables
from metacascade.config.therapy import Therapy
from metacascade.config.tissue import Tissue, Traits, Tumor, Vessels
from metacascade.mechanisms import MECHANISMS, user
from metacascade.mechanisms.mutation import Mutation

# What mechanisms bring: config.growth, config.blood, ..., each with the parameters that their files declare.
OF_MECHANISMS = shared_tables((one.SECTION for one in MECHANISMS if one.SECTION), heads=(Blood, Colonization))
MechanismTables = create_model("MechanismTables", __base__=Section, **{
    table: (section, section()) for table, section in OF_MECHANISMS.items()})


class Config(MechanismTables):
    """A complete config. `organs` holds every bed and ``tumor``; `tumor` is None where there is none."""
    tables: ClassVar[dict] = {  # name in the file: section, and whether it is one table, a list, or one of these names
        "run": (Run, "one"), "output": (Output, "one"), "balance": (Balance, "one"), "tumor": (Tumor, "one"),
        "tissue": (Tissue, "one"), "traits": (Traits, "one"), "trait": (Mutation, "list"), "vessels": (Vessels, "one"),
        **{table: (section, "one") for table, section in OF_MECHANISMS.items()},
        "mechanisms": (Mechanisms, "one"), "outline": (Outline, "one"), "staging": (Staging, "one"),
        "body": (OwnBody, "one"),
        "organs": (Organ, ("tumor", *WITH_LESIONS)), "injection": (Injection, "list"), "draw": (Draw, "list"),
        "therapy": (Therapy, "list"), "surgery": (Surgery, "list"), "radiation": (Radiation, "list")}

    of_user: ClassVar[tuple] = ()      # modules that `mechanisms` names; a config with some is of a class of its own

    title: Line = text("title", "", doc="A line about the run; written into its files.")
    run: Run = Run()
    output: Output = Output()
    balance: Balance = Balance()
    tumor: Tumor | None = None
    tissue: Tissue = Tissue()
    traits: Traits = Traits()
    trait: tuple[Mutation, ...] = ()
    vessels: Vessels = Vessels()
    mechanisms: Mechanisms = Mechanisms()
    outline: Outline = Outline()
    staging: Staging = Staging()
    body: OwnBody = OwnBody()
    organs: dict[str, Organ] = {}
    injection: tuple[Injection, ...] = ()
    draw: tuple[Draw, ...] = ()
    therapy: tuple[Therapy, ...] = ()
    surgery: tuple[Surgery, ...] = ()
    radiation: tuple[Radiation, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _every_bed(cls, values):
        """Fill in the beds that are not given, so that nobody else needs their defaults."""
        organs = values.get("organs", {}) if isinstance(values, dict) else None
        return {**values, "organs": complete_organs(organs)} if isinstance(organs, dict) else values

    @field_validator("organs")
    @classmethod
    def _known_beds(cls, organs):
        if unknown := organs.keys() - {"tumor", *WITH_LESIONS}:
            raise ValueError(f"beds of the circuit, not {sorted(unknown)[0]!r}")
        return organs

    @model_validator(mode="after")
    def _resolve(self):
        """Write down the values that follow from others, so that a branch with a new seed keeps its vessels."""
        if self.vessels.seed is None:
            self.__dict__["vessels"] = self.vessels.model_copy(update={"seed": self.run.seed})
        if self.blood.vertebral_bypass is None:
            share = BYPASS.get(self.tumor.organ, 0.0) if self.tumor else 0.0
            self.__dict__["blood"] = self.blood.model_copy(update={"vertebral_bypass": share})
        return self

    def __copy__(self) -> "Config":
        """Without the plan: a copy may get other values (`model_copy`)."""
        return self._unplanned(super().__copy__())

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> "Config":
        """The same."""
        return self._unplanned(super().__deepcopy__(memo))

    def __reduce__(self) -> tuple:
        """For pickle, as processes of a user's sweep exchange it: by its values, as classes are made of mechanisms."""
        return _restored, (self.to_dict(), self.given)

    @staticmethod
    def _unplanned(config):
        for made in ("_plan", "_windows"):
            config.__dict__.pop(made, None)
        return config

    def to_dict(self) -> dict[str, Any]:
        """All values in internal units: dicts, lists, texts and numbers, ready for JSON."""
        return self.model_dump(mode="json")

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Config":
        """The config that `to_dict` described. What is left out gets its default. Raises InputError."""
        named = values.get("mechanisms") if isinstance(values, dict) else None
        try:
            return with_modules(modules_named(named, ".") if isinstance(named, dict) else []).model_validate(values)
        except ValidationError as error:
            raise InputError("\n".join(
                f"config: {config_read.dotted(wrong['loc'])} = {shown(wrong['input'])}: {wrong['msg']}"
                for wrong in error.errors(include_url=False, include_context=False))) from None

    def sections(self) -> Iterator[tuple[tuple, Section]]:
        """Path in the file and section, for each table of the config."""
        for name, (_, form) in self.tables.items():
            held = getattr(self, name)
            if form == "one" and held is not None:
                yield (name,), held
            elif form != "one":
                for key, one in held.items() if isinstance(held, dict) else enumerate(held):
                    yield (name, key), one

    def values(self) -> Iterator[tuple[tuple, Parameter, Any]]:
        """Path in the file, declaration and internal value of every parameter."""
        for path, section in ((), self), *self.sections():
            for key, parameter in section.parameters.items():
                yield (*path, key), parameter, getattr(section, parameter.attribute)

    @property
    def has_tissue(self) -> bool:
        """Is there a tumor of tissue?"""
        return self.tumor is not None and not self.tumor.lumped

    @property
    def given(self) -> frozenset[tuple]:
        """Paths of the parameters that were set, in a file or by a setting; empty if it came out of a dict."""
        return self.__dict__.get("_given", frozenset())

    @property
    def warnings(self) -> list[str]:
        """What is allowed and yet worth a look, in a run from its start."""
        return config_check.warnings(self, self._in_order())

    def warnings_from(self, time_s: int) -> list[str]:
        """The same in a run that goes on from a checkpoint at `time_s`."""
        return config_check.warnings(self, self._in_order(), time_s)

    def _in_order(self):
        return [path for path, _, _ in self.values() if path in self.given]

    def to_toml(self) -> str:
        """The resolved config with units; loading it gives the same config, bit for bit."""
        return config_write.to_toml(self)

    def summary(self) -> str:
        """A few lines for people."""
        return config_write.summary(self)

    def with_overrides(self, overrides: Overrides, seed: int | None = None,
                       called: tuple[str, tuple] = ("--set", ())) -> "Config":
        """This config with settings as those of `load`, checked like a file; `called` in messages, for a path in it."""
        document = config_read.parse_text(self.to_toml(), "the config of the checkpoint")
        document.stored, document.called = True, called
        config_read.override(document, overrides)
        if seed is not None:
            config_read.override(document, {"run.seed": seed})
        changed = build(document)
        changed.__dict__["_given"] |= self.given
        return changed


def _restored(values, given):
    """The config that was pickled."""
    config = Config.from_dict(values)
    config.__dict__["_given"] = given
    return config


_CLASSES: dict = {(): Config}


def with_modules(modules) -> type[Config]:
    """The class of configs with the tables of these modules, a list of `user.Found`."""
    key = tuple((one.name, one.sha256) for one in modules)
    if key not in _CLASSES:
        own = {one.module.TABLE: one.module.SECTION for one in modules if one.module.TABLE}
        taken = [one for one in own if one in Config.model_fields] + [
            one.module.TABLE for one in modules if one.module.TABLE and own[one.module.TABLE] != one.module.SECTION]
        if taken:
            raise user.MechanismError(f"the table [{taken[0]}] of a mechanism of the user is there already: "
                                      "give it another name")
        made = create_model("Config", __base__=Config, **{name: (one, one()) for name, one in own.items()})
        made.tables = Config.tables | {name: (one, "one") for name, one in own.items()}
        made.of_user = tuple(one.module for one in modules)
        _CLASSES[key] = made
    return _CLASSES[key]


def load(config: PathLike | Mapping[str, Any] | Config, overrides: Overrides = ()) -> Config:
    """Read and check a config.

    Parameters
    ----------
    config : path, dict or Config
        A TOML file, or what it would hold: tables are dicts, quantities are texts with a unit.
    overrides : str, sequence of str, or dict
        Settings that replace values: ``"section.key=value"``, several of them, or ``{"section.key": value}``, where
        dicts in the dict are tables and replace key by key.

    Raises
    ------
    InputError
        With every problem in it: ``file:line: section.key = value: what is allowed``.
    """
    return load_with_text(config, overrides)[0]


def load_with_text(config, overrides=()) -> tuple[Config, str]:
    """As `load`, and the text of the file, which is read once: it may be a pipe, or change."""
    if isinstance(config, Config):
        loaded = config.with_overrides(overrides) if settings_of(overrides, []) else config
        return loaded, loaded.to_toml()
    document = config_read.read(config)
    config_read.override(document, overrides)
    loaded = build(document)
    return loaded, document.text if document.lines is not None else loaded.to_toml()


def build(document: config_read.Document) -> Config:
    """The config of a parsed document. Raises InputError with every problem in it."""
    document.refuse_others("run")
    model, named, problem = _model_of(document)
    values, problems = config_values.read_tables(model, document)
    values |= {"mechanisms": named} if named else {}
    problems += problem
    vesselfile.resolve(values, document, problems)
    config = config_values.validated(model, values, problems)
    wrong = {p.path for p in problems}
    problems += _of_defaults(config, [p for p in config_check.problems(config) if not wrong & {p.path, *p.others}],
                             document)
    if problems:
        document.refuse(problems)
    config.__dict__["_given"] = frozenset(path for path, _, _ in config.values() if document.sets(path))
    return config


def _of_defaults(config, problems, document):
    """The problems, with the value of each default that nobody has set."""
    held = {path: parameter.text(value) for path, parameter, value in config.values()
            if value == parameter.default is not None and not document.sets(path)} if problems else {}
    return [replace(one, default=held.get(one.path, "")) for one in problems]


def _model_of(document):
    """The class of the config of a document, what its table [mechanisms] becomes, and what is wrong with it."""
    named = document.tables.get("mechanisms")
    if not isinstance(named, dict) or not named.get("modules"):
        return Config, None, []
    if ("mechanisms", "modules") in document.overridden and ("mechanisms", "sha256") not in document.overridden:
        named = {"modules": named["modules"]}           # others than those of which the checkpoint has the SHA-256
    try:
        modules = modules_named(named, document.folder)
        held = dict(modules=[one.name for one in modules], sha256=[one.sha256 for one in modules])
        return with_modules(modules), held if modules else None, []
    except user.MechanismError as error:
        return Config, None, [config_read.Problem(("mechanisms", "modules"), str(error))]


def default() -> Config:
    """A tumor with every default: what the documentation shows."""
    return Config.from_dict({"tumor": {}})


def everything() -> Config:
    """The same with every mechanism on."""
    tables = {one.TABLE: {"enabled": True} for one in MECHANISMS if one.TABLE}
    return Config.from_dict({"tumor": {"lumped": True}} | tables)
