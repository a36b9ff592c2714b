"""A lumped tumor in plain Python: what cython_ext/_lumped.pyx must equal bit for bit."""
import math

from metacascade._kernels._layout import HERITABLE, Draw, LesionState, Place, philox
from reference.blood import unit52, words
from reference.lesions import binomial, leaving, offspring

LESS = 10_000


def gain(law, n):
    return law["gompertz"] * math.log(law["capacity"] / max(float(n), 1.0))


def sub_step(law, n, most):
    births = max(law["turnover"] + gain(law, n), 0.0)
    fastest = max(abs(births - law["death"]), law["gompertz"])
    if fastest * most > 0.1:
        most = 0.1 / fastest
    return 0.5 / births if n < LESS and births * most > 0.5 else most


def live(tumor, law, key, index, follow, start, h):
    """One sub-step of a dict: (brood, born, died, left)."""
    a, before, more = law["gompertz"], tumor["n"], gain(law, tumor["n"])
    if a * h > 0.0:
        more *= -math.expm1(-a * h) / (a * h)
    b = max(law["turnover"] + more, 0.0)
    chance, d = leaving(b, law["death"], law["shed"], h)
    g = math.expm1((b - d) * h) / (b - d) if b != d else h
    r = [philox((use, index, 0, 0), key) for use in range(4)]
    died = binomial(before, d * g / (1.0 + b * g), r[0])
    born = offspring(before - died, b * g / (1.0 + b * g), r[1])
    after = before + born - died
    left = binomial(after, chance, r[2])
    brood = (tumor["shed"], binomial(left, follow, r[3]), start, start + h)
    for name, more in (("n", born - died - left), ("born", born), ("died", died), ("shed", left)):
        tumor[name] += more
    return brood, born, died, left


def key_of(seed, tumor, step, span):
    r = words(seed, Draw.LUMPED | span << 16, tumor["id"], step)
    return r[1] << 32 | r[0]


def advance(tumor, law, seed, step, span, follow, start, end, room):
    broods, tally, t, key = [], [0, 0, 0], start, key_of(seed, tumor, step, span)
    while t < end and tumor["n"] > 0 and len(broods) < room:
        h = sub_step(law, tumor["n"], end - t)
        brood, *counts = live(tumor, law, key, len(broods), follow, t, h)
        broods.append(brood)
        tally = [a + b for a, b in zip(tally, counts)]
        t = end if h >= end - t else t + h
    if tumor["n"] == 0:
        tumor["state"], tumor["t_state"], t = LesionState.CLEARED, t, end
    return broods, t, tally


def sizes(events, share, seed, tumor, step, span):
    key, rest, found = key_of(seed, tumor, step, span), 1.0, []
    for k, one in enumerate(share):
        r = philox((k, 0, 1, 0), key)
        chance = min(one / rest, 1.0) if rest > 0.0 else 1.0
        found.append(events if k == len(share) - 1 else binomial(events, chance, r))
        events -= found[-1]
        rest -= one
    return found


def child(tumor, seed, index, brood, share, flags):
    """A CTC as a dict."""
    r = words(seed, Draw.LUMPED_CHILD, tumor["id"] ^ index >> 32, index & 0xffffffff)
    k = 0
    if len(share) > 1:
        s = words(seed, Draw.LUMPED_CHILD | 1 << 16, tumor["id"] ^ index >> 32, index & 0xffffffff)
        u = unit52(s[0], s[1])
        while k < len(share) - 1 and u >= share[k]:
            u -= share[k]
            k += 1
    own = {name: tumor[name] for name in ("clone", "emt", "adhesion", "bits")}
    return own | dict(id=r[1] << 32 | r[0], t_shed=brood[2] + unit52(r[2], r[3]) * (brood[3] - brood[2]), n=k + 1,
                      origin=tumor["node"], node=tumor["node"], place=Place.CIRCULATING, bits_shed=tumor["bits"],
                      flags=tumor["flags"] & HERITABLE | flags)
