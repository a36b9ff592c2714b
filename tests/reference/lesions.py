"""Colonization and lesions in plain Python: what cython_ext/_lesions.pyx must equal bit for bit.

`without` leaves a mechanism out of the code, to show that a rate of zero is the same as absence.
"""
import math

from metacascade._kernels._layout import HERITABLE, Draw, Fate, Flag, LesionState, Place, philox
from reference.blood import own_factor, unit32, unit52, words


def normal(a, b):
    return math.sqrt(-2.0 * math.log(unit32(a))) * math.cos(6.283185307179586 * unit32(b))


def binomial(n, p, r):
    if n <= 0 or p <= 0.0:
        return 0
    if p > 0.5:
        return n - binomial(n, 1.0 - p, r)
    mean = n * p
    if mean >= 100.0:
        k = math.floor(mean + math.sqrt(mean * (1.0 - p)) * normal(r[2], r[3]) + 0.5)
        return min(max(k, 0), n)
    odds, chance, u, k = p / (1.0 - p), math.exp(n * math.log1p(-p)), unit52(r[0], r[1]), 0
    while u >= chance and k < n and k < 1000:
        u -= chance
        k += 1
        chance *= odds * (n - k + 1) / k
    return k


def offspring(n, q, r):
    if n <= 0 or q <= 0.0:
        return 0
    if n * q >= 400.0:
        k = math.floor((n * q + math.sqrt(n * q) * normal(r[2], r[3])) / (1.0 - q) + 0.5)
        return max(k, 0)
    chance, u, k = math.exp(n * math.log1p(-q)), unit52(r[0], r[1]), 0
    while u >= chance and k < 2000:
        u -= chance
        k += 1
        chance *= q * (n + k - 1) / k
    return k


def grow(lesion, p, key, hours, tally, without):
    d = 0.0 if "death" in without else p["death"]
    birth = 0.0 if "birth" in without else p["birth"]
    net = max(birth - d, 0.0)
    cuts = int(max(math.ceil(2.0 * birth * hours), 1.0))
    h = hours / cuts
    for i in range(cuts):
        b = max(birth - net * (lesion["n"] / p["capacity"]), 0.0)
        g = math.expm1((b - d) * h) / (b - d) if b != d else h
        died = binomial(lesion["n"], d * g / (1.0 + b * g), philox((2 * i + 1, 0, 0, 0), key))
        died = 0 if "death" in without else died
        born = offspring(lesion["n"] - died, b * g / (1.0 + b * g), philox((2 * i + 2, 0, 0, 0), key))
        born = 0 if "birth" in without else born
        for name, change in (("n", born - died), ("born", born), ("died", died)):
            lesion[name] += change
        tally["born"] += born
        tally["died_active"] += died


def rest(lesion, p, key, u, start, end, tally, without):
    wakes = "wake" not in without and u < -math.expm1(-p["wake"] * (end - start))
    if wakes:
        end = min(start - math.log1p(-u) / p["wake"], end)
    if "dormant_death" not in without:
        died = binomial(lesion["n"], -math.expm1(-p["dormant_death"] * (end - start)),
                        philox((0, 0, 0, 0), key))
        lesion["n"] -= died
        lesion["died"] += died
        tally["died_dormant"] += died
    if wakes and lesion["n"] > 0:
        lesion["state"], lesion["t_state"] = LesionState.ACTIVE, end
        tally["woken"] += 1
    return end


def own_rates(record, rates):
    """The rates of a lesion (or of a cell: its chance to establish) by their last name."""
    own = {name.rsplit(".")[1]: float(rates.place[i, record["node"]]) * own_factor(record, rates, i)
           for i, name in enumerate(rates.names)}
    return own | {"capacity": max(own["capacity"], 1.0)}


def live(lesion, p, seed, step, start, end, tally, without=(), span=0):
    """Advance the dict `lesion`; returns (cells shed, since when [h])."""
    shed, since = 0, 0.0
    r = words(seed, Draw.LESION | span << 16, lesion["id"], step)
    key = r[1] << 32 | r[0]
    if lesion["state"] == LesionState.DORMANT:
        start = rest(lesion, p, key, unit52(r[2], r[3]), start, end, tally, without)
    if lesion["state"] == LesionState.ACTIVE:
        grow(lesion, p, key, end - start, tally, without)
        if "shed" not in without:
            r = words(seed, Draw.LESION_SHED | span << 16, lesion["id"], step)
            shed, since = binomial(lesion["n"], -math.expm1(-p["shed"] * (end - start)), r), start
        lesion["n"] -= shed
        lesion["shed"] += shed
        tally["shed"] += shed
    if lesion["n"] == 0:
        lesion["state"], lesion["t_state"] = LesionState.CLEARED, end
    return shed, since


def child(lesion, seed, index, since, end):
    """The fields of the index-th cell that a lesion sheds, as far as they are not zero."""
    r = words(seed, Draw.CHILD, lesion["id"] ^ index >> 32, index & 0xffffffff)
    same = {name: lesion[name] for name in ("clone", "node", "emt", "adhesion", "bits")}
    return same | dict(id=r[1] << 32 | r[0], t_shed=since + unit52(r[2], r[3]) * (end - since), n=1,
                       bits_shed=lesion["bits"], origin=lesion["node"], flags=lesion["flags"] & HERITABLE | Flag.LESION)


def found(c, p, seed):
    """Set the fate of the dict `c`; returns the dict of its lesion, or None."""
    r = words(seed, Draw.COLONIZE, c["id"], 0)
    establish, c["place"] = p["establish"], Place.ENDED
    if establish < 1.0 and unit52(r[0], r[1]) >= -math.expm1(c["n"] * math.log1p(-establish)):
        c["fate"] = Fate.NOT_ESTABLISHED
        return None
    c["fate"] = Fate.LESION
    state = LesionState.DORMANT if unit32(r[2]) < p["dormant"] else LesionState.ACTIVE
    same = {name: c[name] for name in ("id", "n", "clone", "node", "emt", "adhesion", "bits", "flags")}
    return same | dict(t_founded=c["t_event"], t_state=c["t_event"], state=state)
