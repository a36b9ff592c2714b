"""Which parts of results become one, so that their number grows with the logarithm of what was written.

A part covers the writings first .. last - 1 of its run. As in a log-structured merge tree FAN parts of one level become
one part of the next, so each row is copied once for each level.
"""
FAN = 8


def to_join(levels):
    """(parts, level): how many parts at the end of a list become one, and its level; (0, 0) if none do.

    `levels` of the parts in their order never rise; a list that is joined after each new part of level 0 has
    at most FAN - 1 parts of a level.
    """
    taken, level = 0, 0
    while (run := _run(levels[:len(levels) - taken], level)) + (taken > 0) >= FAN:
        taken, level = taken + run, level + 1
    return taken, level


def _run(levels, level):
    """How many levels at the end of a list are `level`."""
    for n, other in enumerate(reversed(levels)):
        if other != level:
            return n
    return len(levels)


def cover(ranges, count):
    """(chosen, missing): ranges that lie end to end from 0 to `count`, the longest first, or what is missing there.

    After a kill both a joined part and those that it was made of may be there: any two ranges are apart, or one lies
    in the other.
    """
    chosen, at = [], 0
    while at < count:
        fitting = [last for first, last in ranges if first == at and at < last <= count]
        if not fitting:
            return chosen, (at, at + 1)
        chosen.append((at, max(fitting)))
        at = max(fitting)
    return chosen, None
