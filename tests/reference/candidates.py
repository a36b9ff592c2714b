"""Which cells are looked at: what blocks.h must equal bit for bit."""

MASK = 2**32 - 1


def unit64(high, low):
    """A double in (0, 1] from 64 bits."""
    return (high * 4294967296.0 + low + 0.5) * (1.0 / 18446744073709551616.0)


def hash_of(record, key):
    """A keyed hash of a record: 32 bits."""
    h = record[0] ^ key & MASK
    h = (h ^ h >> 17) * 0xED5AD4BB & MASK
    h = (h ^ h >> 11 ^ record[1] ^ key >> 32) * 0xAC4C1B51 & MASK
    h = (h ^ h >> 15 ^ record[2] ^ record[2] >> 16) * 0x31848BAB & MASK
    return (h ^ h >> 14) * 0x846CA68B & MASK


def rounded_up(p):
    """(limit, bound) of a float32 p, 0.5 at most or 1: hashes up to the limit have the share `bound`, above p."""
    steps = int(p * 2**31)
    return (2 * steps + 1, (steps + 1) / 2**31) if p < 1 else (2**32 - 1, 1.0)
