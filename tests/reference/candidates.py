"""How many cells of a voxel are looked at, and which: what _candidates.pxd must equal bit for bit."""

MASK = 2**64 - 1


def unit64(high, low):
    """A double in (0, 1] from 64 bits."""
    return (high * 4294967296.0 + low + 0.5) * (1.0 / 18446744073709551616.0)


def power(x, n):
    """x^n by squaring."""
    y = 1.0
    while n:
        if n & 1:
            y *= x
        x, n = x * x, n >> 1
    return y


def binomial(n, p, high, low):
    """By inversion of a word of 64 bits: the smaller it is, the more."""
    if p >= 1.0:
        return n
    mass, np_, k = power(1.0 - p, n), n * p, 0
    left = 1.0 - mass
    if np_ < 1e-4:
        left = np_ * (1.0 - (n - 1) * p * 0.5 * (1.0 - (n - 2) * p * (1.0 / 3.0)))
    left -= unit64(high, low)
    ratio = p / (1.0 - p)
    while left > 0.0 and k < n:
        mass *= ratio * (n - k) / (k + 1.0)
        left -= mass
        k += 1
    return k


def rank_of(record, key):
    """A keyed hash of a record."""
    h = (record[0] | record[1] << 32) ^ key
    h = (h ^ h >> 30) * 0xBF58476D1CE4E5B9 & MASK
    h = (h ^ h >> 27 ^ record[2]) * 0x94D049BB133111EB & MASK
    h = (h ^ h >> 31) * 0x9E3779B97F4A7C15 & MASK
    return h ^ h >> 32
