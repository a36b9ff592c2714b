"""A mechanism of a user: a factor that cells secrete, by their EMT and a trait of their clone."""
from metacascade.mechanisms.fields import Diffusing
from metacascade.mechanisms.terms import Rate, Trait, Value, state, trait

TABLE = SECTION = None


def plan(config):
    """Mesenchymal cells of clones with much of `egfr` secrete a factor that stays where it is."""
    yield Trait("egfr", founder=0.4)
    made = Rate("tissue.secrete_factor", 20.0, unit="pM/h", doc="by a voxel of cells of full weight")
    yield made
    yield trait(made, "egfr", lambda level: level, "egfr")
    yield state(made, "emt", lambda emt: emt, "emt")
    yield Diffusing("factor", "pM", diffusion=Value("0.01", 0.01), vessel=Value("0", 0.0), wall=Value("0", 0.0),
                    start=Value("0", 0.0), sweeps=4, coarse=8, secreted="tissue.secrete_factor")
