"""Plain Python twin of ``_moments``."""
import numpy as np


def moments(cells, counts, clone, emt, bits):
    """Weights of the cells of one tile, added up for each voxel: uint32 (512,)."""
    sums, at = np.zeros(512, np.uint32), 0
    for v, n in enumerate(counts.tolist()):
        for cell in cells[at:at + n]:
            if cell["bits"] & bits == bits and cell["clone"] < len(clone):
                sums[v] += (int(clone[cell["clone"]]) * int(emt[cell["emt"]]) + 127) // 255
        at += n
    return sums
