"""Plans for tests: every mechanism on, one off, and one that is made up."""
from types import SimpleNamespace

from metacascade.config.config import Config
from metacascade.mechanisms import MECHANISMS
from metacascade.mechanisms.fields import Diffusing
from metacascade.mechanisms.terms import REMOVE, Rate, value

SWITCHED = [one for one in MECHANISMS if one.TABLE]
NAMES = [one.__name__.rpartition(".")[2] for one in SWITCHED]


def all_on(**tables):
    """A config in which every mechanism is on, but for what `tables` say."""
    return Config.from_dict({"tumor": {}} | {one.TABLE: {"enabled": True} for one in SWITCHED} | tables)


def switched_off(table):
    return all_on(**{table: {"enabled": False}})


def made_up(*declarations, table=None, name="made_up"):
    return SimpleNamespace(TABLE=table, plan=lambda config: iter(declarations), __name__=f"package.{name}")


DYE = Diffusing("dye", "uM", diffusion=value("1", 1), vessel=value("1", 1), wall=value("1", 1), start=value("0", 0))
DEATH = Rate("tissue.macrophages", 0.1, action=REMOVE)
