"""Pictures of the state that ParaView opens directly (VTKHDF)."""


def write(world, directory, state, *, edge_um, limit, segments=None):
    """Write cells, voxels and vessels as ``snapshots/*.NNNNNN.vtkhdf`` (N = step). Collective.

    limit : most cells and most voxels in a snapshot; segments: those near this rank's tiles.
    """
    raise NotImplementedError
