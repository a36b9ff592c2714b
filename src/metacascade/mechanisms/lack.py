"""How what lacks oxygen is declared: nothing above one level of oxygen, all at and below another."""
from metacascade.base.errors import Contradiction
from metacascade.base.units import show
from metacascade.mechanisms.terms import Rate, Shape, ramp, value


def lacking(rate: Rate, section) -> Shape:
    """Factor clamp((threshold - P) / (threshold - full), 0, 1) on a rate, by the two parameters of a section.

    Raises
    ------
    Contradiction
        If `full` is not less than `threshold`.
    """
    table, full, threshold = section.table, section.full_mmHg, section.threshold_mmHg
    if full >= threshold:
        raise Contradiction((table, "full"), f"must be less than {table}.threshold = {show(threshold, 'mmHg', 'mmHg')}",
                            (table, "threshold"))
    return ramp(rate, "oxygen", zero=value(f"{table}.threshold", threshold), full=value(f"{table}.full", full))
