"""Sending records to the ranks that own them, and filling ghost voxels. Buffers only.

A rank sends messages only to those ranks for which it has something, and learns from whom to receive by
the non-blocking consensus of Hoefler, Siebert and Lumsdaine (2010, PPoPP, doi:10.1145/1693453.1693476):
nothing that is sent, received or looped over grows with the number of ranks.
"""
import os
import time

import numpy as np

from metacascade.base.errors import CellsLost, on_all_ranks
from metacascade.base.records import chosen, joined
from metacascade.ranks.parallel import Traffic

TAG_ROUTE, TAG_HALO = 100, 200
GREEDY = 200                      # polls of a waiting rank before it lets others use its core


class Exchange:
    """Routes records between the ranks of a world, and counts what that costs.

    Attributes
    ----------
    traffic : dict of str to Traffic
        What this rank's communication has cost since the start: halo, route, collectives (those of the world).
    """

    def __init__(self, world):
        self.world = world
        self.rounds = 0
        self.traffic = {"halo": Traffic(), "route": Traffic(), "collectives": world.collectives}

    def spent(self):
        """Wall and CPU seconds that this rank has spent in communication and waiting."""
        kinds = self.traffic.values()
        return sum(kind.wall_s for kind in kinds), sum(kind.cpu_s for kind in kinds)

    def route(self, sections):
        """Send each record to its rank; return what now belongs here, in the order of the sending ranks.

        Parameters
        ----------
        sections : dict of str to (records, rank)
            `records`: array of a structured or plain dtype, shape (n,) or (n, k); `rank`: int, shape (n,).
            All ranks name the same sections with the same dtypes; empty ones are normal.

        Returns
        -------
        dict of str to ndarray

        Raises
        ------
        CellsLost
            On every rank, if fewer or more records arrived than were sent.
        """
        if self.world.size == 1:
            return {name: records for name, (records, _) in sections.items()}
        with self.traffic["route"].timed():
            kept, outgoing = self._pack(sections)
            incoming = self._consensus(outgoing)
            received = self._unpack(sections, kept, incoming)
        lost = self.world.sum([len(records) - len(received[name]) for name, (records, _) in sections.items()])
        if lost.any():
            raise on_all_ranks(CellsLost("an exchange changed the number of records: " + ", ".join(
                f"{name} {-n:+d}" for name, n in zip(sections, lost))))
        return received

    def _pack(self, sections):
        """Records that stay, and one buffer per receiving rank: the counts of all sections, then the records."""
        kept, pieces = {}, {}
        for k, (name, (records, rank)) in enumerate(sections.items()):
            rank = np.asarray(rank)
            mine = rank == self.world.rank
            kept[name] = chosen(records, mine)
            order = np.flatnonzero(~mine)
            order = order[np.argsort(rank[order], kind="stable")]
            ranks, first = np.unique(rank[order], return_index=True)
            for to, part in zip(ranks, np.split(order, first[1:])):
                pieces.setdefault(int(to), {})[k] = chosen(records, part)
        return kept, {to: self._buffer(parts, len(sections)) for to, parts in pieces.items()}

    @staticmethod
    def _buffer(parts, sections):
        head = np.zeros(sections, np.int64)
        for k, part in parts.items():
            head[k] = len(part)
        return np.concatenate([head.view(np.uint8)] + [
            parts[k].reshape(-1).view(np.uint8) for k in sorted(parts)])

    def _unpack(self, sections, kept, incoming):
        arrived = {name: {self.world.rank: records} for name, records in kept.items()}
        for source, buffer in incoming.items():
            at = 8 * len(sections)
            for count, (name, (records, _)) in zip(buffer[:at].view(np.int64), sections.items()):
                width = records.dtype.itemsize * int(np.prod(records.shape[1:], dtype=int))
                end = at + int(count) * width
                part = buffer[at:end].view(records.dtype).reshape((int(count),) + records.shape[1:])
                arrived[name][source] = part
                at = end
        return {name: joined(*(parts[source] for source in sorted(parts)))
                for name, parts in arrived.items()}

    def _consensus(self, outgoing):
        """Exchange buffers with ranks that do not know how many to expect: {source: buffer}."""
        from mpi4py import MPI
        comm, tag = self.world.comm, TAG_ROUTE + self.rounds % 2    # a fast rank may be one round ahead
        self.rounds += 1
        sends = [comm.Issend([buffer, MPI.BYTE], dest=to, tag=tag) for to, buffer in outgoing.items()]
        for buffer in outgoing.values():
            self.traffic["route"].add(buffer.size)
        incoming, status, barrier, idle = {}, MPI.Status(), None, 0
        while True:
            if comm.Iprobe(source=MPI.ANY_SOURCE, tag=tag, status=status):
                buffer = np.empty(status.Get_count(MPI.BYTE), np.uint8)
                comm.Recv([buffer, MPI.BYTE], source=status.source, tag=tag)
                incoming[status.source] = buffer
                idle = 0
            elif barrier is None:
                if MPI.Request.Testall(sends):
                    barrier = comm.Ibarrier()
                    self.world.collectives.add(0)
                idle = rest(idle, self.world.polls)
            elif barrier.Test():
                return incoming
            else:
                idle = rest(idle, self.world.polls)


def rest(idle, polls):
    """Poll without pause for a while, then offer the core to others, then sleep longer and longer."""
    if idle > polls:
        time.sleep(min(1e-3, 2e-5 * (idle - polls)))
    elif idle > GREEDY:
        os.sched_yield()
    return idle + 1


def face_values(edge):
    """Values of a tile of edge^3 at each of its faces, -x, +x, -y, +y, -z, +z: shape (6, edge^2)."""
    v = np.arange(edge**3).reshape(edge, edge, edge)                 # z, y, x
    return np.stack([v[:, :, 0], v[:, :, -1], v[:, 0], v[:, -1], v[0], v[-1]]).reshape(6, -1)


class Halo:
    """Fills the ghosts of arrays of tiles from the ranks that own them: shape (rows, 512), or (rows, 64) or (rows, 8).

    Parameters
    ----------
    send, receive : dict of int to ndarray of int64, shape (n, 2)
        (row, face) per neighboring rank; the k-th face that a rank sends is the k-th that the other receives.
    colors : ndarray of uint8, shape (rows,)
        Color of each tile and of each ghost that faces us.
    """

    def __init__(self, exchange, send, receive, colors):
        self.exchange = exchange
        self.send, self.receive, self.colors = send, receive, colors
        self.routes, self.buffers = {}, {}

    def __call__(self, *arrays, color=None):
        """Fill the ghosts of the arrays, in one message a neighbor: all that face us, or those in tiles of a color."""
        self.begin(*arrays, color=color)
        self.end()

    def begin(self, *arrays, color=None):
        """Send what the ghosts of others are to be. Until `end` our voxels may change, and the ghosts are not there."""
        if not self.send:
            return
        traffic = self.exchange.traffic["halo"]
        with traffic.timed():
            self._send(arrays, color, traffic)

    def end(self):
        """Wait for what others have sent since `begin`, and fill the ghosts."""
        if not self.send:
            return
        with self.exchange.traffic["halo"].timed():
            self._receive(*self.under_way)
        self.under_way = None

    def _send(self, arrays, color, traffic):
        inbox, outbox = self._buffers(tuple((a.dtype, a.shape[1]) for a in arrays), color)
        flat = [a.reshape(-1) for a in arrays]
        comm = self.exchange.world.comm
        requests = [comm.Irecv(buffer, source=rank, tag=TAG_HALO) for rank, (buffer, _) in inbox.items()]
        for rank, (buffer, parts) in outbox.items():
            for (index, part), array in zip(parts, flat):
                np.take(array, index, out=part)
            requests.append(comm.Isend(buffer, dest=rank, tag=TAG_HALO))
            traffic.add(buffer.nbytes)
        self.under_way = requests, inbox, flat

    def _receive(self, requests, inbox, flat):
        from mpi4py import MPI
        idle = 0
        while not MPI.Request.Testall(requests):
            idle = rest(idle, self.exchange.world.polls)
        for _, parts in inbox.values():
            for (index, part), array in zip(parts, flat):
                array[index] = part

    def _buffers(self, kinds, color):
        """For receiving and sending arrays of these kinds: {rank: (buffer, [(index, part of it)])}."""
        if (kinds, color) not in self.buffers:
            self.buffers[kinds, color] = tuple(
                {rank: _buffer(kinds, [self._index(way, rank, values, color) for _, values in kinds])
                 for rank in self._ranks(way, color)} for way in ("receive", "send"))
        return self.buffers[kinds, color]

    def _ranks(self, way, color):
        return [rank for rank in getattr(self, way) if len(self._index(way, rank, 8, color))]

    def _index(self, way, rank, values, color):
        """Where in a flat array of so many values a tile lies what is sent to a rank or received from it."""
        key = way, rank, values, color
        if key not in self.routes:
            row, face = getattr(self, way)[rank].T
            some = slice(None) if color is None else self.colors[row] == color
            at = values * row[some, None] + face_values(round(values ** (1 / 3)))[face[some]]
            self.routes[key] = at.ravel()
        return self.routes[key]


def _buffer(kinds, indices):
    """A message of one part for each array, and the parts: each begins at a multiple of 8 bytes."""
    sizes = [len(index) * dtype.itemsize for index, (dtype, _) in zip(indices, kinds)]
    ends = np.cumsum([-(-size // 8) * 8 for size in sizes])
    buffer = np.zeros(int(ends[-1]), np.uint8)
    starts = [0, *ends[:-1]]
    return buffer, [(index, buffer[at:at + size].view(dtype))
                    for index, at, size, (dtype, _) in zip(indices, starts, sizes, kinds)]
