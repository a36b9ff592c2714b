"""A mechanism of a user: a factor that cells secrete, by their EMT and a trait of their clone, and who answers to it."""
from metacascade.mechanisms.fields import Diffusing
from metacascade.mechanisms.terms import ADD, ADMIT, LOSE, SECRETE, Rate, Trait, Value, fall, hill, ramp, state, trait

TABLE = SECTION = None


def _guests():
    """A field with terms of all kinds but the first: let in where the factor is, lost among cells, born in the dark."""
    yield Diffusing("guests", "", diffusion=50.0, start=0.1, vessel=1.0, wall=5.0, sweeps=2, coarse=4, every=2)
    for name, kind, unit in (("inflow", ADMIT, ""), ("loss", LOSE, "1/h"), ("birth", ADD, "1/h"), ("home", LOSE, "1/h")):
        yield Rate(f"field.guests.{name}", 0.3, unit=unit, action=kind, doc="of guests")
    yield hill("field.guests.inflow", "factor", half=2.0)
    yield ramp("field.guests.loss", "density", zero=0, full=1)
    yield fall("field.guests.birth", "oxygen", half=20.0, power=2)
    yield hill("field.guests.birth", "guests", half=0.5)


def plan(config):
    """Mesenchymal cells of clones with much of `vigor` secrete a factor that stays where it is, and draws others in."""
    yield Trait("vigor", founder=0.4)
    made = Rate("field.factor.source", 20.0, unit="pM/h", action=SECRETE, doc="by a voxel of cells of full weight")
    yield made
    yield trait(made, "vigor", lambda level: level, "vigor")
    yield state(made, "emt", lambda emt: emt, "emt")
    yield Diffusing("factor", "pM", diffusion=Value("0.01", 0.01), start=Value("0", 0.0), sweeps=4, coarse=8)
    yield from _guests()
