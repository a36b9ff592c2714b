"""Members of clusters: the cells that follow the leader of a CTC, each with its own clone and traits.

A CTC is one record, whatever its size, with the traits of its leader. Of a cluster of n cells the others are records
beside it, MEMBER, numbered from 1 in the order in which they followed. It moves and rests by the traits of its leader,
and loses its cells from the end: the last one is who dies or leaves. Those that were born in a vessel have the traits
of the leader and no record, so that there may be fewer than n - 1. A single cell has none, and costs nothing here.
"""
import numpy as np

from metacascade._kernels._layout import MEMBER, TRAITS
from metacascade.base.errors import CellsLost
from metacascade.base.records import chosen, joined

LOW = np.uint64((1 << 48) - 1)            # the bits of an id that say nothing of who owns it
STRIDE = np.uint64(0x9E3779B97F4B)        # odd: no two members of a cluster come to the same id


class Members:
    """The members of all clusters whose CTCs are on this rank, in any order.

    Attributes
    ----------
    records : ndarray of MEMBER
    """

    def __init__(self, records=None):
        self.records = np.empty(0, MEMBER) if records is None else records

    def admit(self, *members):
        """Those that come with their clusters."""
        if any(map(len, members)):
            self.records = joined(self.records, *members)

    def of(self, ctcs):
        """The members of some CTCs, and the row of the CTC of each."""
        row = rows_of(self.records, ctcs)
        return chosen(self.records, row >= 0), row[row >= 0]

    def take(self, ctcs):
        """The members of some CTCs, which are no longer here."""
        found = rows_of(self.records, ctcs) >= 0
        taken, self.records = chosen(self.records, found), chosen(self.records, ~found)
        return taken

    def keep(self, *ctcs):
        """Forget those whose clusters are not among the CTCs, all that are on this rank.

        Raises CellsLost if any of the clusters lacks a member before one that it has.
        """
        there = np.zeros(len(self.records), bool)
        for some in ctcs:
            there |= rows_of(self.records, some) >= 0
        if not there.all():
            self.records = chosen(self.records, there)
        if not without_gaps(in_order(self.records)):
            raise CellsLost(f"of the {len(self.records)} cells that follow in clusters some have none before them")

    def forget(self, ctcs, fewest):
        """Those of the CTCs that have died since, with fewer than `fewest` left of each: the last ones."""
        if len(self.records) and (fewest < ctcs["n"]).any():
            row = rows_of(self.records, ctcs)
            gone = (row >= 0) & (self.records["index"] >= fewest[row])
            self.records = chosen(self.records, ~gone)

    def traits_of_last(self, ctcs, t_h, circuit):
        """The traits of the last cell of each of the CTCs at the times t_h: the CTCs with these, a copy."""
        found = joined(ctcs)
        members, row = self.of(ctcs)
        last = members["index"] == ctcs["n"][row] - np.uint16(1)
        members, row = chosen(members, last), row[last]
        for trait in TRAITS:
            found[trait][row] = members[trait]
        bits = found["bits"]
        for switch in circuit.switches:
            now = np.maximum(ctcs["t_shed"] + switch["after_h"], circuit.since_h) <= t_h
            bits[now] = (bits[now] | switch["set"]) & ~switch["clear"]
        return found

    def switch(self, circuit, t_h, *ctcs):
        """Bits that change after some time in the blood, until t_h: of the members of `ctcs` as of their leaders."""
        if len(circuit.switches) and len(self.records):
            for some in ctcs:
                self._switch(circuit, t_h, some)

    def _switch(self, circuit, t_h, ctcs):
        row = rows_of(self.records, ctcs)
        mine = np.flatnonzero(row >= 0)
        shed_h, left_h = ctcs["t_shed"][row[mine]], ctcs["t_event"][row[mine]]
        bits = self.records["bits"]
        for switch in circuit.switches:
            at_h = np.maximum(shed_h + switch["after_h"], circuit.since_h)
            now = mine[(at_h < t_h) & (at_h <= left_h)]
            bits[now] = (bits[now] | switch["set"]) & ~switch["clear"]


def followers(ctcs):
    """The members of clusters that are all like their leaders: MEMBER."""
    more = np.maximum(ctcs["n"].astype(np.int64) - 1, 0)
    members = np.zeros(int(more.sum()), MEMBER)
    leader = np.repeat(np.arange(len(ctcs)), more)
    members["index"] = np.arange(len(members)) - np.repeat(np.cumsum(more) - more, more) + 1
    for name in ("id", *TRAITS):
        members[name] = ctcs[name][leader]
    return members


def rows_of(members, ctcs):
    """The row of the cluster that each member is of, among CTCs or lesions: int64; -1 if it is of none of them.

    One whose index says that the cluster has lost it is of none.
    """
    if not len(members):
        return np.empty(0, np.int64)
    clusters = np.flatnonzero(ctcs["n"] > 1)
    if not len(clusters):
        return np.full(len(members), -1)
    clusters = clusters[np.argsort(ctcs["id"][clusters])]
    ids = ctcs["id"][clusters]
    at = np.minimum(np.searchsorted(ids, members["id"]), len(ids) - 1)
    there = (ids[at] == members["id"]) & (members["index"] < ctcs["n"][clusters[at]])
    return np.where(there, clusters[at], -1)


def in_order(members):
    """A copy sorted by id and index, as in a state."""
    return chosen(members, np.lexsort((members["index"], members["id"])))


def without_gaps(members) -> bool:
    """Are the members, in order, numbered from 1 on in each cluster?"""
    begins = np.diff(members["id"], prepend=~members["id"][:1]) != 0
    first = np.flatnonzero(begins)
    index = np.arange(len(members)) - np.repeat(first, np.diff(np.append(first, len(members)))) + 1
    return np.array_equal(members["index"], index)


def complete(members, ctcs) -> bool:
    """Are the members, in order, of the CTCs, each once, without gaps? They may be fewer than the cells that follow."""
    return without_gaps(members) and bool((rows_of(members, ctcs) >= 0).all())


def in_clones(lesions, members):
    """Lesions just founded, with one more for each clone of the members that is not that of their leader: a copy.

    A lesion is a number of cells of one clone. Those of another begin one of their own in the same place, with the
    traits of the first of them. Its id is that of the founder with the low 48 bits moved on: the high ones say which
    rank owns it.
    """
    row = rows_of(members, lesions)
    foreign = (row >= 0) & (members["clone"] != lesions["clone"][row])
    if not foreign.any():
        return lesions
    members, row = chosen(members, foreign), row[foreign]
    order = np.lexsort((members["index"], members["clone"], members["id"]))
    members, row = chosen(members, order), row[order]
    clone = members["clone"].astype(np.int64)
    begins = np.flatnonzero((np.diff(clone, prepend=-1) != 0) | (np.diff(row, prepend=-1) != 0))
    more = chosen(lesions, row[begins])
    more["id"] = moved_on(more["id"], members["index"][begins])
    more["n"] = np.diff(np.append(begins, len(members)))
    for trait in TRAITS:
        more[trait] = members[trait][begins]
    lesions = joined(lesions)
    lesions["n"] -= np.bincount(row, minlength=len(lesions))
    return joined(lesions, more)


def moved_on(ids, index):
    """Another id for each number 1 .. 65,535 with the same owner."""
    return (ids & ~LOW) | ((ids + index.astype(np.uint64) * STRIDE) & LOW)
