"""What fields are in stroma without end: where no tile is, far from all cells of the tumor."""
from dataclasses import dataclass
from math import inf, prod

from metacascade.mechanisms.fields import Diffusing
from metacascade.mechanisms.terms import ADD, ADMIT, LOSE, Shape


@dataclass(frozen=True)
class Stroma:
    """A field in stroma, in steady state.

    Attributes
    ----------
    level : float
        What it is there: gain over loss.
    loss : float
        [1/h], its decay and all terms by which it is lost there. What differs from the level decays as
        exp(-x sqrt(loss / D)). 0: it does not, as where vessels give the field in the stroma as well.
    """

    level: float
    loss: float


def stroma_of(plan, scales=()) -> dict[str, Stroma]:
    """Each field that diffuses as it is in stroma; `scales`: what rates and coefficients are multiplied by.

    There are no cells there and no pressure, and vessels of the host. Where these give a field its level is taken to be
    that of the blood. What other fields do to it is that of their levels there: they are put in as many times as there
    are fields, so that chains of any length come out; of what acts on itself the start is that of a new tile.
    """
    fields = [one for one in plan.fields if isinstance(one, Diffusing)]
    terms = {one.name: [_term(plan, rate, scales) for rate in plan.terms_of(one.name)] for one in fields}
    levels, found = {one.name: one.start.number for one in fields}, {}
    for _ in fields:
        found = {one.name: _of(plan, one, terms[one.name], levels, scales) for one in fields}
        levels = {name: stroma.level for name, stroma in found.items()}
    return found


def _term(plan, rate, scales):
    """(action, number, factors by signals) of a term of a field."""
    return rate.action, plan.number(rate.name, scales), [
        one for one in plan.factors_of(rate.name) if isinstance(one, Shape)]


def _of(plan, field, terms, levels, scales) -> Stroma:
    """A field in stroma where all fields have these levels."""
    def values(action):
        return [number * prod(shape.at(levels.get(shape.signal, 0.0)) for shape in shapes)
                for kind, number, shapes in terms if kind == action]

    if field.wall and field.wall.number * prod(values(ADMIT)) > 0.0:
        return Stroma(plan.coefficient(f"{field.name}.vessel", scales), 0.0)
    gain, loss = sum(values(ADD)), sum(values(LOSE)) + plan.coefficient(f"{field.name}.decay", scales)
    if loss == 0.0:
        return Stroma(inf if gain else field.start.number, 0.0)
    return Stroma(gain / loss, loss)
