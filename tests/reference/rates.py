"""The table of the rates of a tile, from their factors, in NumPy: what rates.h must equal bit for bit."""
import numpy as np

from metacascade._kernels._layout import DENSITY, LARGEST_RATIO, Shape

F = np.float32
VOXEL = np.arange(512)
PLACE = np.stack([VOXEL & 7, VOXEL >> 3 & 7, VOXEL >> 6])     # x, y, z


def signal_of(field, row):
    """The values of a field in the voxels of a tile; a coarse one has 64 or 8 of them."""
    bits = {512: 3, 64: 2, 8: 1}[field.shape[1]]
    x, y, z = PLACE >> 3 - bits
    return field[row, (z << 2 * bits) + (y << bits) + x]


def shaped(shape, s, a, b):
    """A factor as a function of its signal, all of it in single precision."""
    ratio = s / a if shape not in (Shape.HILL1, Shape.FALL1, Shape.BOOST, Shape.RAMP, Shape.ITSELF) else None
    if shape == Shape.ITSELF:
        return s
    if shape == Shape.HILL1:
        return s / (s + a)
    if shape == Shape.BOOST:
        return F(1) + b * (s / (s + a))
    if shape == Shape.FALL1:
        return a / (a + s)
    if shape == Shape.RAMP:
        return np.minimum(np.maximum((s - a) / (b - a), F(0)), F(1))
    ratio = np.minimum(ratio, F(LARGEST_RATIO))
    power = ratio * ratio
    if shape in (Shape.HILL4, Shape.FALL4):
        power = power * power
    return power / (power + F(1)) if shape in (Shape.HILL2, Shape.HILL4) else F(1) / (F(1) + power)


def table(rates, factors, fields, row, counts, capacity):
    """Each rate [1/h] in each voxel of tile `row`, without the factors of single cells: float32 (rates, 512)."""
    density = counts.astype(F) / F(capacity)
    rows = np.empty((len(rates), 512), F)
    for r, rate in enumerate(rates):
        rows[r] = F(rate["base"])
        for factor in factors[rate["first"]:rate["first"] + rate["factors"]]:
            s = density if factor["signal"] == DENSITY else signal_of(fields[factor["signal"]], row)
            rows[r] = rows[r] * shaped(factor["shape"], s, factor["a"], factor["b"])
    return rows
