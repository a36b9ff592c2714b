"""Keys along a Hilbert curve in plain Python, bit by bit: what _curve.pyx must equal."""

BITS = 21


def key(coords):
    """Key of a tile: Skilling's algorithm (2004) on coordinates shifted to 0 .. 2^21 - 1."""
    x = [c + (1 << BITS - 1) for c in coords]
    for level in reversed(range(1, BITS)):                # undo the rotations and reflections of each level
        low = (1 << level) - 1
        for i in range(3):
            if x[i] >> level & 1:
                x[0] ^= low
            else:
                swap = (x[0] ^ x[i]) & low
                x[0], x[i] = x[0] ^ swap, x[i] ^ swap
    x[1] ^= x[0]                                          # Gray code
    x[2] ^= x[1]
    flip = 0
    for level in range(1, BITS):
        if x[2] >> level & 1:
            flip ^= (1 << level) - 1
    x = [c ^ flip for c in x]
    return sum((x[i] >> level & 1) << 3 * level + 2 - i for level in range(BITS) for i in range(3))
