"""What rates come to together that is allowed and hardly wanted: chances above 1, a tumor above its capacity."""
import math
from collections.abc import Iterator

from metacascade.config.windows import largest
from metacascade.mechanisms import lumped
from metacascade.mechanisms.factors import IfBit, Table


def odd(config, plan) -> Iterator[str]:
    """A line for each."""
    yield from _certain(config, plan)
    if lumped.enabled(config):
        yield from _tumor(config, plan)


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
    """A lumped tumor above its capacity."""
    cells, capacity = config.tumor.cells, plan.number("lumped.capacity")
    if cells > capacity:
        yield f"tumor.cells = {cells:,} is more than lumped.capacity = {capacity:g}: the tumor shrinks"
