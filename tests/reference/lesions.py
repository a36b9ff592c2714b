"""Colonization and lesions in plain Python: what cython_ext/_lesions.pyx must equal bit for bit.

`without` leaves a mechanism out of the code, to show that a rate of zero is the same as absence.
"""
import math

from metacascade._kernels._layout import HERITABLE, Draw, Fate, Flag, LesionEvent, LesionState, Place, philox
from reference.blood import own_factor, unit32, unit52, words

LARGEST_CHANGE, FEW = 0.1, 1000


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
    while u >= chance and k < 4000:
        u -= chance
        k += 1
        chance *= q * (n + k - 1) / k
    return k


def own_rates(record, rates):
    """The rates of a lesion by their last name."""
    own = {name.rsplit(".")[1]: float(rates.place[i, record["node"]]) * own_factor(record, rates, i)
           for i, name in enumerate(rates.names)}
    for name in ("capacity", "avascular_limit"):
        own[name] = max(own[name], 1.0)
    return own


def due(lesion, p, seed, t, without=()):
    """Draw what comes next in a lesion that does not divide."""
    seeded, n = lesion["state"] == LesionState.SEEDED, lesion["n"]
    die = n * p["early_death"] / (1.0 + p["niche"] * (n - 1)) if seeded else n * (p["dormant_death"] + p["marrow_death"])
    go, rest = (p["start"], p["sleep"]) if seeded else (p["wake"], p["transform"])
    go = go if lesion["flags"] & Flag.CLONOGENIC else 0.0
    die, rest = 0.0 if "death" in without else die, 0.0 if seeded and "sleep" in without else rest
    go = 0.0 if "begin" in without else go
    lesion["t_event"], lesion["pending"] = math.inf, LesionEvent.CELL_DIES
    total = die + go + rest
    if not total > 0.0:
        return
    r = words(seed, Draw.LESION_EVENT, lesion["id"], lesion["hop"])
    lesion["hop"] += 1
    lesion["t_event"] = t + -math.log(unit52(r[0], r[1])) / total
    u = unit52(r[2], r[3]) * total
    if u >= die + go:
        lesion["pending"] = LesionEvent.SLEEPS if seeded else LesionEvent.TRANSFORMS
    elif u >= die:
        lesion["pending"] = LesionEvent.STARTS if seeded else LesionEvent.WAKES


def clear(lesion, t, tally):
    lesion["state"], lesion["t_state"], lesion["t_event"] = LesionState.CLEARED, t, math.inf
    tally["cleared"] += 1


def happen(lesion, p, seed, tally, without=()):
    """What is pending, at its time."""
    t, what = lesion["t_event"], lesion["pending"]
    if what == LesionEvent.CELL_DIES:
        lesion["n"] -= 1
        lesion["died"] += 1
        tally["early_loss" if lesion["state"] == LesionState.SEEDED else "dormant_loss"] += 1
        if lesion["n"] == 0:
            clear(lesion, t, tally)
            return
    elif what == LesionEvent.SLEEPS:
        lesion["state"], lesion["t_state"] = LesionState.DORMANT, t
        tally["slept"] += 1
    else:
        tally["started" if what == LesionEvent.STARTS else "woken"] += 1
        lesion.update(state=LesionState.MICRO, t_state=t, t_event=math.inf, pending=LesionEvent.GREW)
        return
    due(lesion, p, seed, t, without)


def deaths(p, micro):
    return max(p["death"] - shedding(p, micro), 0.0)


def births(p, micro, n):
    more = p["gompertz"] * math.log(p["capacity"] / n)
    if micro and more > 0.0:
        more *= 1.0 - n / p["avascular_limit"]
    turnover = max(p["turnover"], shedding(p, micro)) if p["turnover"] > 0.0 else 0.0
    return max(p["birth"] * (turnover + more), 0.0)


def shedding(p, micro):
    return p["shed"] * p["shed_avascular"] if micro else p["shed"]


def span_of(p, micro, n, hours):
    b = births(p, micro, n)
    net, slope = math.fabs(b - deaths(p, micro) - shedding(p, micro)), p["birth"] * p["gompertz"]
    if micro:
        limit = p["avascular_limit"]
        slope *= 1.0 + math.fabs(math.log(p["capacity"] / n)) * min(n / limit, 2.0)
    cuts = hours * (net + slope) / LARGEST_CHANGE
    if n < FEW:
        cuts = max(cuts, hours * b)
    return hours / max(math.ceil(cuts), 1.0)


def leaving(b, d, leave, h):
    """The chance to have left, and deaths."""
    net = b - d - leave
    if leave == 0.0:
        return 0.0, d
    lasted = math.expm1(net * h) / net if net != 0.0 else h
    both = 1.0 + (b - d) * lasted
    return leave * lasted / both, b - math.log(both) / h


def turn_over(lesion, p, key, i, h, tally):
    micro, n = lesion["state"] == LesionState.MICRO, float(lesion["n"])
    b, d = births(p, micro, n), deaths(p, micro)
    b = births(p, micro, n * math.exp(0.5 * (b - d - shedding(p, micro)) * h))
    left, d = leaving(b, d, shedding(p, micro), h)
    g = math.expm1((b - d) * h) / (b - d) if b != d else h
    died = binomial(lesion["n"], d * g / (1.0 + b * g), philox((3 * i, 0, 0, 0), key))
    born = offspring(lesion["n"] - died, b * g / (1.0 + b * g), philox((3 * i + 1, 0, 0, 0), key))
    for name, change in (("n", born - died), ("born", born), ("died", died)):
        lesion[name] += change
    tally["born"] += born
    tally["lesion_loss"] += died
    return left


def divide(lesion, p, law, seed, step, span, start, end, tally, without=()):
    """Grow from start to end; returns the broods, lists (cells, first, since, until, chosen)."""
    keys, t, i, broods = [], start, 0, []
    for use in (Draw.LESION, Draw.LESION_SHED):
        r = words(seed, use | span << 16, lesion["id"], step)
        keys.append(r[1] << 32 | r[0])
    while t < end and lesion["n"] > 0:
        before, micro = float(lesion["n"]), lesion["state"] == LesionState.MICRO
        h = span_of(p, micro, before, end - t)
        left = turn_over(lesion, p, keys[0], i, h, tally)
        if lesion["n"] > 0:
            if lesion["t_detected"] == math.inf and lesion["n"] >= law["detect"]:
                late = h * math.log(law["detect"] / before) / math.log(lesion["n"] / before) if before < law["detect"] else 0.0
                lesion["t_detected"] = t + late
            mean = 0.5 * (before + lesion["n"])
            if micro and "switch" not in without:
                r, hazard = philox((3 * i + 2, 0, 0, 0), keys[0]), p["vascularize"] * (mean / p["avascular_limit"])
                u = unit52(r[0], r[1])
                if u < -math.expm1(-hazard * h):
                    lesion["state"], lesion["t_state"] = LesionState.VASCULAR, t + min(-math.log1p(-u) / hazard, h)
                    tally["vascularized"] += 1
            gone = 0 if "shed" in without else binomial(lesion["n"], left, philox((i, 0, 0, 0), keys[1]))
            if gone:
                broods.append([gone, lesion["shed"], t, t + h, False])
                lesion["n"] -= gone
                lesion["shed"] += gone
        t = end if h >= end - t else t + h
        i += 1
        if lesion["n"] == 0:
            clear(lesion, t, tally)
    tally["shed"] += sum(brood[0] for brood in broods)
    if broods and not law["follow_all"]:
        r = words(seed, Draw.FOLLOWED | span << 16, lesion["id"], step)
        for k, brood in enumerate(broods):
            followed = binomial(brood[0], min(p["clonogenic"], 1.0), philox((k, 0, 0, 0), r[1] << 32 | r[0]))
            tally["unfollowed"] += brood[0] - followed
            brood[0], brood[4] = followed, True
    return broods


def live(lesion, rates, law, seed, step, start, end, tally, without=(), span=0):
    """Advance the dict `lesion`; returns its broods."""
    p = own_rates(lesion, rates)
    if lesion["state"] == LesionState.CLEARED or lesion["t_founded"] >= end:
        return []
    t = max(start, lesion["t_founded"])
    while lesion["state"] <= LesionState.DORMANT and lesion["t_event"] < end:
        t = lesion["t_event"]
        if lesion["pending"] == LesionEvent.TRANSFORMS:
            lesion["bits"] &= ~law["normal"] & 255
            lesion["flags"] |= Flag.CLONOGENIC
            tally["transformed"] += 1
            p = own_rates(lesion, rates)
            due(lesion, p, seed, t, without)
        else:
            happen(lesion, p, seed, tally, without)
    if lesion["state"] in (LesionState.MICRO, LesionState.VASCULAR):
        return divide(lesion, p, law, seed, step, span, t, end, tally, without)
    return []


def child(lesion, seed, index, since, until, chosen):
    """The fields of the index-th cell that a lesion sheds, as far as they are not zero; `source` stands in x and y."""
    r = words(seed, Draw.CHILD, lesion["id"] ^ index >> 32, index & 0xffffffff)
    same = {name: lesion[name] for name in ("clone", "node", "emt", "adhesion", "bits")}
    flags = lesion["flags"] & HERITABLE | Flag.LESION | (Flag.CLONOGENIC if chosen else 0)
    return same | dict(id=r[1] << 32 | r[0], t_shed=since + unit52(r[2], r[3]) * (until - since), n=1, source=lesion["id"],
                       bits_shed=lesion["bits"], origin=lesion["node"], flags=flags)


def seeded(c):
    """Set the fate of the dict `c`; returns the dict of its lesion."""
    c["place"], c["fate"] = Place.ENDED, Fate.EXTRAVASATED
    same = {name: c[name] for name in ("id", "n", "clone", "node", "origin", "emt", "adhesion", "bits", "flags")}
    return same | dict(source=c["source"] if c["flags"] & Flag.LESION else 0, t_founded=c["t_event"], t_state=c["t_event"],
                       t_event=math.inf, t_detected=math.inf, state=LesionState.SEEDED, hop=0, pending=0)


def begin(lesion, p, seed, times=1.0):
    """Draw whether it is clonogenic, and what comes next."""
    if not lesion["flags"] & Flag.CLONOGENIC:
        r, chance = words(seed, Draw.CLONOGENIC, lesion["id"], 0), p["clonogenic"] * times
        if chance >= 1.0 or unit52(r[0], r[1]) < -math.expm1(lesion["n"] * math.log1p(-chance)):
            lesion["flags"] |= Flag.CLONOGENIC
    due(lesion, p, seed, lesion["t_founded"])
