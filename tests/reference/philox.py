"""Philox4x32-10 (Salmon et al. 2011) and the laws drawn from it, in NumPy: what philox.h and _random.pxd equal."""
import math

import numpy as np

MASK = np.uint64(0xFFFFFFFF)
HIGH = np.uint64(32)


def philox(counter, key):
    """Four words for each counter: counter (..., 4) and key of 64 bits, a number or an array (...)."""
    c = [np.asarray(counter, np.uint64)[..., i] for i in range(4)]
    key = np.asarray(key, np.uint64)
    k0, k1 = key & MASK, key >> HIGH
    for _ in range(10):
        p, q = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [q >> HIGH ^ c[1] ^ k0, q & MASK, p >> HIGH ^ c[3] ^ k1, p & MASK]
        k0, k1 = k0 + np.uint64(0x9E3779B9) & MASK, k1 + np.uint64(0xBB67AE85) & MASK
    return np.stack(c, axis=-1).astype(np.uint32)


def draw(seed, use, a, b):
    """Words of ``draw(seed, use, a, b)``: the counter is (a low, a high, b, use), the key the seed."""
    a, b = np.broadcast_arrays(np.asarray(a, np.uint64), np.asarray(b, np.uint64))
    use = np.full(a.shape, int(use), np.uint64)
    return philox(np.stack([a & MASK, a >> HIGH, b & MASK, use], axis=-1), seed)


def word64(words):
    """The first two words as one number of 64 bits."""
    return int(words[0]) | int(words[1]) << 32


def unit32(word):
    """A double in (0, 1) from 32 bits."""
    return (int(word) + 0.5) * (1.0 / 4294967296.0)


def unit52(high, low):
    """A double in (0, 1) from 52 bits."""
    return ((int(high) << 20 | int(low) >> 12) + 0.5) * (1.0 / 4503599627370496.0)


def exponential(high, low):
    """Of mean 1."""
    return -math.log(unit52(high, low))


def normal(a, b):
    """Standard normal (Box and Muller 1958)."""
    return math.sqrt(-2.0 * math.log(unit32(a))) * math.cos(6.283185307179586 * unit32(b))
