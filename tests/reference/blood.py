"""The walk of a circulating tumor cell in plain Python: what cython_ext/_blood.pyx must equal bit for bit.

`without` leaves a mechanism out of the code, to show that a rate of zero is the same as absence.
"""
import math

from metacascade._kernels._layout import Draw, Fate, Flag, Place, philox

ARRIVE, ANOIKIS, SHEAR, NK, RELEASE, EXTRAVASATE = range(6)
SECOND = 0x80000000
IN_LYMPH = 3               # kind of a node without platelets
FATES = {ANOIKIS: Fate.ANOIKIS, SHEAR: Fate.SHEAR, NK: Fate.NK}


def unit32(r):
    return (r + 0.5) / 4294967296.0


def unit52(high, low):
    return ((high << 20 | low >> 12) + 0.5) / 4503599627370496.0


def words(seed, use, a, b):
    return philox((a & 0xFFFFFFFF, a >> 32, b & 0xFFFFFFFF, use), seed)


def diameter(seed, key, median_um, spread):
    """Lognormal, before it is rounded to 32 bits."""
    a, b, _, _ = words(seed, Draw.DIAMETER, key, 0)
    z = math.sqrt(-2.0 * math.log(unit32(a))) * math.cos(6.283185307179586 * unit32(b))
    return median_um * math.exp(spread * z)


class Walker:
    """One cell: `c` is a dict of Python scalars with the fields of a CTC."""

    def __init__(self, c, circuit, seed, without=()):
        self.c, self.seed, self.without = c, seed, without
        self.circuit, self.p = circuit, circuit.law
        self.tables = circuit.rates
        self.factor = [own_factor(c, circuit.rates, i) for i in range(len(circuit.rates.names))]
        self.nodes = [{name: row[name].item() for name in row.dtype.names} for row in circuit.nodes]
        self.passages = 0

    def advance(self, t_end):
        """Walk to t_end; bits are switched on the way, each at its time."""
        for switch in self.circuit.switches:
            t = max(self.c["t_shed"] + float(switch["after_h"]), self.circuit.since_h)
            bits = (self.c["bits"] | int(switch["set"])) & ~int(switch["clear"])
            if not t < t_end or bits == self.c["bits"]:
                continue
            self.walk(t)
            if self.c["place"] > Place.ARRESTED:
                return
            self.c["bits"] = bits
            self.factor = [own_factor(self.c, self.tables, i) for i in range(len(self.tables.names))]
            self.redraw(t)
        self.walk(t_end)

    def walk(self, t_end):
        while self.c["t_event"] < t_end:
            if self.c["pending"] not in (ARRIVE, RELEASE):
                self.leave()
                break
            self.hop()

    def redraw(self, t):
        """Draw anew from t what is due later."""
        c = self.c
        if c["hop"] == 0 or not c["t_event"] > t:
            return
        r, n = words(self.seed, Draw.WALK, c["id"], c["hop"]), self.here()
        c["hop"] += 1
        if c["place"] == Place.ARRESTED:
            self.lodge(n, t)
            return
        stay = -n["transit_h"] * math.log(unit32(r[1]))
        if not self.dies(n, t, stay, unit32(r[2])):
            c["pending"], c["t_event"] = ARRIVE, t + stay

    def leave(self):
        c = self.c
        c["place"] = Place.ENDED
        if c["pending"] in FATES:
            c["fate"] = FATES[c["pending"]]
        elif c["node"] == 0:
            c["place"], c["fate"] = Place.RETURNING, Fate.SELF_SEEDED
            c["flags"] |= Flag.RETURNED

    def hop(self):
        c, t = self.c, self.c["t_event"]
        r = words(self.seed, Draw.WALK, c["id"], c["hop"])
        if c["hop"] > 0 or not c["flags"] & (Flag.INJECTED | Flag.LYMPH):
            c["node"] = self.next_node(c["node"], r[3])
        c["hop"] += 1
        n = self.here()
        c["place"], c["pending"] = Place.CIRCULATING, ARRIVE
        if n["kind"] != 0:
            self.passages += n["kind"] != IN_LYMPH
            if unit32(r[0]) >= self.gate(n):
                self.lodge(n, t)
                return
        stay = -n["transit_h"] * math.log(unit32(r[1]))
        if not self.dies(n, t, stay, unit32(r[2])):
            c["t_event"] = t + stay

    def here(self):
        """The node where it is, with the rates of this cell in it by their last name."""
        rates, node = self.tables, self.c["node"]
        return self.nodes[node] | {
            name.rsplit(".")[1]: float(rates.place[i, node]) * self.factor[i] for i, name in enumerate(rates.names)}

    def next_node(self, node, r):
        j = int(self.circuit.guide[node, 0])  # the first edge of the node
        while r > self.circuit.upper[j]:
            j += 1
        return int(self.circuit.target[j])

    def gate(self, n):
        wide = self.p["slope"] * (self.p["deformability"] * self.c["diameter"] / n["capillary_um"]
                                  - self.p["offset"])
        size = 1.0 if "size" in self.without else 1.0 + math.exp(min(wide, 700.0))
        bound = 1.0 if "adhesion" in self.without else math.exp(-n["bind"])
        return math.pow(bound / size, n["passages"] * self.drawn(n))

    def drawn(self, n):
        return 1.0 if "attraction" in self.without else 1.0 + n["homing"]

    def extravasate(self, n):
        return n["extravasate"] * self.drawn(n)

    def bare(self, t):
        if "platelets" in self.without:
            return 1.0
        return math.exp(-(t - self.c["t_shed"]) / self.p["coat_time_h"])

    def rates(self, n, bare, arrested):
        """Anoikis, shear and NK [1/h] of a cell of which the share `bare` is not coated."""
        coat = {name: self.spared(name, n) for name in ("nk", "shear")}
        rate = {name: n[name] * (1.0 - part + part * bare) for name, part in coat.items()}
        if "platelets" in self.without:
            rate = {name: n[name] for name in rate}
        zero = set(self.without) | ({"shear"} if arrested else set())
        return [0.0 if name in zero else value for name, value in
                (("anoikis", n["anoikis"]), ("shear", rate["shear"]), ("nk", rate["nk"]))]

    def spared(self, name, n):
        return 0.0 if n["kind"] == IN_LYMPH else self.p[f"spared_{name}"]

    def loss(self, n, t, arrested):
        """(a, b) of the hazard a + b exp(-x / tau) at time t + x."""
        anoikis, shear, nk = self.rates(n, 0.0, arrested)
        a = anoikis + shear + nk
        if arrested:
            a = anoikis + nk + self.release(n) + self.extravasate(n)
        if "platelets" in self.without:
            return a, 0.0
        nk_b = 0.0 if "nk" in self.without else n["nk"] * self.spared("nk", n)
        shear_b = 0.0 if arrested or "shear" in self.without else n["shear"] * self.spared("shear", n)
        return a, (shear_b + nk_b) * self.bare(t)

    def release(self, n):
        return 0.0 if "release" in self.without else n["release"]

    def dies(self, n, t, stay, u):
        a, b = self.loss(n, t, False)
        tau, e = self.p["coat_time_h"], -math.log1p(-u)
        if not e < a * stay - b * tau * math.expm1(-stay / tau):
            return False
        r = words(self.seed, Draw.WALK, self.c["id"], (self.c["hop"] - 1) | SECOND)
        x = min(waiting(a, b, tau, e), stay)
        anoikis, shear, nk = self.rates(n, self.bare(t + x), False)
        v = unit32(r[0]) * (anoikis + shear + nk)
        self.c["pending"] = ANOIKIS if v < anoikis else SHEAR if v < anoikis + shear else NK
        self.c["t_event"] = t + x
        return True

    def lodge(self, n, t):
        a, b = self.loss(n, t, True)
        r = words(self.seed, Draw.WALK, self.c["id"], (self.c["hop"] - 1) | SECOND)
        x = waiting(a, b, self.p["coat_time_h"], -math.log(unit52(r[0], r[1])))
        anoikis, _, nk = self.rates(n, self.bare(t + x) if x < math.inf else 0.0, True)
        v = unit32(r[2]) * (anoikis + nk + self.release(n) + self.extravasate(n))
        self.c["pending"] = (ANOIKIS if v < anoikis else NK if v < anoikis + nk else
                             RELEASE if v < anoikis + nk + self.release(n) else EXTRAVASATE)
        self.c["place"], self.c["t_event"] = Place.ARRESTED, t + x


def own_factor(c, rates, i):
    """CLONE x STATE of rate i for the record c."""
    factor = float(rates.clone[i, c["clone"]])
    for k, name in enumerate(("emt", "adhesion", "bits")):
        factor *= float(rates.state[i, k, c[name]])
    return factor


def waiting(a, b, tau, e):
    """Solve a x + b tau (1 - exp(-x / tau)) = e from the left."""
    if a + b <= 0.0 or (a <= 0.0 and e >= b * tau):
        return math.inf
    x = e / (a + b)
    if b <= 0.0:
        return x
    if a > 0.0 and (e - b * tau) / a > x:
        x = (e - b * tau) / a
    for _ in range(64):
        m = math.expm1(-x / tau)
        step = (e - a * x + b * tau * m) / (a + b * (1.0 + m))
        x += step
        if step <= 1e-15 * x:
            break
    return x
