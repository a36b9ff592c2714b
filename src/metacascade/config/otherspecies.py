"""Defaults that are of the other species than the run: of patients in a mouse, of cultured lines in man.

Most defaults are of cells and beds of any mammal. Those here are of one alone, and the presets have others.
"""
from collections.abc import Iterator
from typing import NamedTuple

from metacascade.config import effects

SHORTEST_S = 86400      # of a run: before a day few cells have left their vessels, and few tumors have grown


class Of(NamedTuple):
    """Keys of a table, the species that they are not of, what they make of it, and which presets have others."""
    species: str
    table: str
    keys: tuple[str, ...]
    are: str
    presets: str


ALL = (
    Of("mouse", "colonization", ("clonogenic", "gompertz", "capacity", "cell_loss", "switch_time"),
       "of patients: of lines in mice far more cells found lesions, which grow faster", "mouse_breast"),
    Of("mouse", "lumped", ("gompertz", "capacity", "cell_loss"), "of patients: tumors of mice grow in weeks", ""),
    Of("human", "growth", ("division_time", "death_rate"),
       "of cultured lines: cells of tumors in patients divide in some 5 days (Rew and Wilson 2000)", "human_breast_1g"))


def told(config) -> Iterator[str]:
    """A line for each table of which nothing was set and all is of the other species, if anything depends on it."""
    for one in ALL:
        if one.species == config.run.species and _matters(config, one.table) and _is_default(config, one):
            *first, last = one.keys
            preset = f"; the preset {one.presets} has others" * bool(one.presets)
            yield (f"{one.table}: the defaults of {', '.join(first)} and {last} are {one.are}{preset} "
                   f"(run.species = {one.species})")


def _matters(config, table):
    """Does a run depend on a table?"""
    if config.run.duration_s < SHORTEST_S:
        return False
    if table == "colonization":
        return config.colonization.enabled and config.colonization.clonogenic > 0 and (
            config.blood.enabled and effects.enters(config) or any(one.organ for one in config.injection))
    return config.tumor is not None and config.tumor.lumped == (table == "lumped") and (
        table != "growth" or config.growth.enabled)


def _is_default(config, one):
    section = getattr(config, one.table)
    return not any((one.table, key) in config.given for key in one.keys) and all(
        getattr(section, section.parameters[key].attribute) == section.parameters[key].default for key in one.keys)
