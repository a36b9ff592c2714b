"""Which cells are looked at: what blocks.h must equal bit for bit."""

MASK = 2**64 - 1


def unit64(high, low):
    """A double in (0, 1] from 64 bits."""
    return (high * 4294967296.0 + low + 0.5) * (1.0 / 18446744073709551616.0)


def hash_of(record, key):
    """A keyed hash of a record: 32 bits."""
    h = (record[0] | record[1] << 32) ^ key
    h = (h ^ h >> 30) * 0xBF58476D1CE4E5B9 & MASK
    h = (h ^ h >> 27 ^ record[2]) * 0x94D049BB133111EB & MASK
    h = (h ^ h >> 31) * 0x9E3779B97F4A7C15 & MASK
    return h >> 32


def rounded_up(p):
    """(limit, bound) of a float32 p, 0.5 at most or 1: hashes up to the limit have the share `bound`, above p."""
    steps = int(p * 2**31)
    return (2 * steps + 1, (steps + 1) / 2**31) if p < 1 else (2**32 - 1, 1.0)
