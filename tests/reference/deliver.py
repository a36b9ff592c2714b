"""Arrivals put into the voxels of tiles in plain Python: what _deliver.pyx must equal up to order in a voxel."""


def insert(voxels, arrivals):
    """`voxels`: one list of 512 lists of records per tile; `arrivals`: (row, voxel, record). Sorted lists."""
    after = [[list(cells) for cells in tile] for tile in voxels]
    for row, voxel, record in arrivals:
        after[row][voxel].append(record)
    return [[sorted(cells) for cells in tile] for tile in after]


def move_blocks(cells, start, n, rows, to):
    """(cells, start) after the blocks `rows` of n[row] cells, as they were before any moved, lie at `to`."""
    after, begin = cells.copy(), start.copy()
    for row, place in zip(rows, to):
        after[place:place + n[row]] = cells[start[row]:start[row] + n[row]]
        begin[row] = place
    return after, begin
