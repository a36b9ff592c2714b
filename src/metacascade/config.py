"""The config of a run: read from TOML with units, checked, frozen, in internal units.

``load`` reads a file; ``Config.to_dict`` and ``Config.from_dict`` carry a config to the other ranks and
into files. Everything about single parameters is declared in the ``config_*`` sections.
"""
from collections.abc import Iterator
from typing import Any, ClassVar

from pydantic import PrivateAttr, field_validator

from metacascade.config_body import Blood, Colonization, Draw, Injection, Organ, complete_organs
from metacascade.config_declare import Parameter, Section, text
from metacascade.config_run import Balance, Output, Run
from metacascade.config_tissue import (
    Crowding, Growth, Hypoxia, Intravasation, Migration, Oxygen, Tissue, Traits, Tumor, Vessels)


class Config(Section):
    """A complete config. `organs` holds every bed and ``tumor``; `tumor` is None where there is none."""
    table: ClassVar[str] = ""

    title: str = text("title", "", doc="A line about the run; written into its files.")
    run: Run = Run()
    output: Output = Output()
    balance: Balance = Balance()
    tumor: Tumor | None = None
    tissue: Tissue = Tissue()
    growth: Growth = Growth()
    hypoxia: Hypoxia = Hypoxia()
    migration: Migration = Migration()
    crowding: Crowding = Crowding()
    oxygen: Oxygen = Oxygen()
    traits: Traits = Traits()
    vessels: Vessels = Vessels()
    intravasation: Intravasation = Intravasation()
    blood: Blood = Blood()
    organs: dict[str, Organ] = {name: Organ(**values) for name, values in complete_organs({}).items()}
    colonization: Colonization = Colonization()
    injection: tuple[Injection, ...] = ()
    draw: tuple[Draw, ...] = ()

    @field_validator("organs", mode="before")
    @classmethod
    def _complete(cls, given):
        return complete_organs(given)

    def to_dict(self) -> dict[str, Any]:
        """All values in internal units: dicts, lists, texts and numbers, ready for JSON."""
        return self.model_dump(mode="json")

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Config":
        """The config that `to_dict` described. What is left out gets its default."""
        return cls.model_validate(values)
