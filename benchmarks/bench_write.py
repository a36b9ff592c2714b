"""Writing one file from all ranks: our way against h5py on MPI, independent and collective.

``mpiexec -n 2 python benchmarks/bench_write.py DIR [GIB]`` with an MPI build of h5py; with another it times our way
only. Each figure counts from the first byte to the file on the disk (fsync), in turns, best and median of REPEATS.
"""
import os
import sys
import time
from pathlib import Path

import h5py
import numpy as np

from metacascade.io import datasets
from metacascade.ranks import parallel

FIELDS, REPEATS = 8, 5


def ours(world, path, tables):
    """As checkpoints and parts are written, but for their seal."""
    datasets.write(world, path, tables)


def through_hdf5(world, path, tables, transfer):
    """The ranks open the file together, and HDF5 writes through MPI-IO."""
    starts = [world.exscan(table.rows) for table in tables]
    totals = world.sum([table.rows for table in tables])
    how = h5py.h5p.create(h5py.h5p.DATASET_XFER)
    how.set_dxpl_mpio(transfer)
    with h5py.File(path, "w", driver="mpio", comm=world.comm) as h5:
        for table, start, total in zip(tables, starts, totals):
            dataset = h5.create_dataset(table.name, (int(total),), table.dtype)
            place = dataset.id.get_space()
            place.select_hyperslab((start,), (table.rows,))
            for data in table.slabs():
                dataset.id.write(h5py.h5s.create_simple((table.rows,)), place, data, dxpl=how)
    if world.rank == 0:
        with open(path, "r+b") as file:
            os.fsync(file.fileno())


def independent(world, path, tables):
    through_hdf5(world, path, tables, h5py.h5fd.MPIO_INDEPENDENT)


def collective(world, path, tables):
    through_hdf5(world, path, tables, h5py.h5fd.MPIO_COLLECTIVE)


def seconds(world, way, path, tables):
    """From the start on all ranks to the end on all."""
    if world.rank == 0:
        path.unlink(missing_ok=True)
        os.sync()
    world.barrier()
    start = time.perf_counter()
    way(world, path, tables)
    world.barrier()
    return time.perf_counter() - start


def main(directory, gib=1.0):
    world = parallel.start()
    path = Path(directory) / "bench_write.h5"
    rows = int(gib * 2**30 / 8 / FIELDS / world.size * (0.9 + 0.2 * world.rank / max(world.size - 1, 1)))   # uneven
    tables = [datasets.Table.of(f"field{i}", np.full(rows, i + world.rank, np.float64)) for i in range(FIELDS)]
    total = world.sum([rows])[0] * 8 * FIELDS / 1e9
    ways = [ours] + [independent, collective] * (h5py.get_config().mpi and world.size > 1)
    found = {way: [] for way in ways}
    for _ in range(REPEATS):
        for way in ways:
            found[way].append(total / seconds(world, way, path, tables))
    if world.rank == 0:
        path.unlink()
        print(f"{total:.2f} GB on {world.size} ranks, {world.library()}, HDF5 {h5py.version.hdf5_version}: "
              "GB/s to disk")
        for way, speeds in found.items():
            print(f"  {way.__name__:12} best {max(speeds):5.2f}  median {np.median(speeds):5.2f}")


if __name__ == "__main__":
    main(sys.argv[1], *map(float, sys.argv[2:]))
