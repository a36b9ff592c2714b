"""What rates come to together that is allowed and hardly wanted: chances above 1, tumors that cannot grow."""
import math
from collections.abc import Iterator

from metacascade.config.windows import largest
from metacascade.mechanisms.factors import IfBit, Table


def odd(config, plan) -> Iterator[str]:
    """A line for each."""
    yield from _certain(config, plan)
    if config.tumor is not None and config.tumor.lumped:
        yield from _tumor(config, plan)
    yield from _lesions(plan)


def _certain(config, plan):
    """Where states and clones bring the chance to be able to found a lesion to 1."""
    most = plan.number("lesion.clonogenic", largest(config)) * math.prod(
        max((1.0, *held)) for held in map(_of_cells, plan.factors_of("lesion.clonogenic")))
    if most > 1.0:
        yield f"lesion.clonogenic: with all factors of its cells it is up to {most:.3g}: above 1 it counts as 1"


def _of_cells(factor):
    """The values that a factor has for one cell or another."""
    return (factor.value.number,) if isinstance(factor, IfBit) else factor.values if isinstance(factor, Table) else ()


def _tumor(config, plan):
    """A lumped tumor that is too large, or sheds more than are born: shed cells are of those lost, and no more are."""
    cells, capacity = config.tumor.cells, plan.number("lumped.capacity")
    growth = plan.number("lumped.gompertz") * math.log(capacity / cells)
    others = plan.number("lumped.cluster") * (plan.number("lumped.cluster_cells") - 1.0)
    shed = plan.number("lumped.shed") * (1.0 + others)
    if growth < 0.0:
        yield f"tumor.cells = {cells:,} is more than lumped.capacity = {capacity:g}: the tumor shrinks"
    elif shed > plan.number("lumped.turnover") + growth:
        yield _shed("lumped.shed", "the tumor", shed, plan.number("lumped.turnover") + growth)


def _lesions(plan):
    """Lesions with vessels that shed more than are born in one of a single cell."""
    births = plan.number("lesion.turnover") + plan.number("lesion.gompertz") * math.log(
        plan.number("lesion.capacity", default=1.0))
    if plan.number("lesion.shed") > births > 0.0:
        yield _shed("colonization.shed", "a lesion with vessels", plan.number("lesion.shed"), births)


def _shed(name, what, shed_per_h, births_per_h):
    return (f"{name}: of the cells of {what} {24 * shed_per_h:.3g} a day enter the blood and "
            f"{24 * births_per_h:.3g} are born at first: it shrinks")
