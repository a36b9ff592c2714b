"""The first cells of a tile in plain Python: what _place.pyx must equal bit for bit."""
from metacascade._kernels._layout import Draw
from reference.philox import draw


def place(key, counts, seed, motile, adhesion_mean, adhesion_spread):
    """Records (x, y, z, clone, emt, adhesion, bits, flags), voxel by voxel."""
    cells = []
    for voxel, n in enumerate(counts):
        for k in range(n):
            a, b, c, d = draw(seed, Draw.PLACE, key, 512 * k + voxel).tolist()
            bell = (sum(d.to_bytes(4, "little")) - 510) / 147.8
            adhesion = 255.0 * (adhesion_mean + adhesion_spread * bell) + 0.5
            cells.append((a & 0xFFFF, a >> 16, b & 0xFFFF, 0, 255 if c & 0xFFFF < motile else 0,
                          int(min(max(adhesion, 0.0), 255.0)), 0, 0))
    return cells
