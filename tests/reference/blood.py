"""The walk of a circulating tumor cell in plain Python: what cython_ext/_blood.pyx must equal bit for bit.

`without` leaves a mechanism out of the code, to show that a rate of zero is the same as absence.
"""
import math

from metacascade._kernels._layout import Draw, Event, Fate, Flag, Place, philox

SECOND = 0x80000000
VESSEL, BED, IN_TUMOR, IN_LYMPH = range(4)
FATES = {Event.ANOIKIS: Fate.ANOIKIS, Event.SHEAR: Fate.SHEAR, Event.TORN: Fate.SHEAR, Event.NK: Fate.NK,
         Event.ARRESTED_DEATH: Fate.ARRESTED_DEATH}


def unit32(r):
    return (r + 0.5) / 4294967296.0


def unit52(high, low):
    return ((high << 20 | low >> 12) + 0.5) / 4503599627370496.0


def words(seed, use, a, b):
    return philox((a & 0xFFFFFFFF, a >> 32, b & 0xFFFFFFFF, use), seed)


def diameter(seed, key, median_um, spread, n=1):
    """Of the widest of n cells, each lognormal, before it is rounded to 32 bits."""
    def one(k):
        a, b, _, _ = words(seed, Draw.DIAMETER, key, k)
        z = math.sqrt(-2.0 * math.log(unit32(a))) * math.cos(6.283185307179586 * unit32(b))
        return median_um * math.exp(spread * z)

    return max(map(one, range(n)))


class Walker:
    """One cell or cluster: `c` is a dict of Python scalars with the fields of a CTC."""

    def __init__(self, c, circuit, seed, without=()):
        self.c, self.seed, self.without = c, seed, without
        self.circuit, self.p = circuit, circuit.law
        self.tables = circuit.rates
        self.factor = [own_factor(c, circuit.rates, i) for i in range(len(circuit.rates.names))]
        self.nodes = [{name: row[name].item() for name in row.dtype.names} for row in circuit.nodes]
        self.passages, self.happened = 0, []        # (name, node, cells) of what happened

    def advance(self, t_end):
        """Walk to t_end, or to where it splits; bits are switched on the way, each at its time."""
        for switch in self.circuit.switches:
            t = max(self.c["t_shed"] + float(switch["after_h"]), self.circuit.since_h)
            bits = (self.c["bits"] | int(switch["set"])) & ~int(switch["clear"])
            if not t < t_end or bits == self.c["bits"]:
                continue
            self.walk(t)
            if self.c["place"] > Place.TRAPPED or self.c["t_event"] < t:
                return
            self.c["bits"] = bits
            self.factor = [own_factor(self.c, self.tables, i) for i in range(len(self.tables.names))]
            self.redraw(t)
        self.walk(t_end)

    def walk(self, t_end):
        while self.c["t_event"] < t_end and self.c["pending"] != Event.SPLIT:
            if self.c["pending"] == Event.RELEASE:
                self.note("released")
            if self.c["pending"] in (Event.ARRIVE, Event.RELEASE):
                self.hop()
            elif not self.happens():
                break

    def redraw(self, t):
        """Draw anew from t what is due later."""
        if self.c["hop"] > 0 and self.c["t_event"] > t:
            self.anew(t)

    def anew(self, t):
        c = self.c
        r, n = words(self.seed, Draw.WALK, c["id"], c["hop"]), self.here()
        c["hop"] += 1
        if c["place"] != Place.CIRCULATING:
            self.hold(n, t)
            return
        stay = -self.mean_stay(n) * math.log(unit32(r[1]))
        if not self.ends(n, t, stay, unit32(r[2])):
            c["pending"], c["t_event"] = Event.ARRIVE, t + stay

    def happens(self):
        """What is due; does the walk go on?"""
        c, event = self.c, self.c["pending"]
        if event == Event.BIND:
            c["place"] = Place.BOUND
            self.note("bound")
        elif event == Event.DIVIDE:
            c["n"] += 1
            self.note("divided", 1)
            if c["n"] >= self.p["burst_cells"]:
                self.note("burst")
                c["pending"] = Event.EXTRAVASATE
                return True
        elif event in FATES and c["n"] > 1 and event != Event.TORN:
            c["n"] -= 1
            self.note_death(1)
        elif event != Event.STAY:
            self.leave()
            return False
        self.anew(c["t_event"])
        return True

    def note(self, name, cells=None):
        self.happened.append((name, self.c["node"], self.c["n"] if cells is None else cells))

    def note_death(self, cells=None):
        name = Event(self.c["pending"]).name.lower()
        self.note(name if name != "nk" else "nk_flowing" if self.c["place"] == Place.CIRCULATING else "nk_held", cells)

    def leave(self):
        c = self.c
        if c["pending"] in FATES:
            self.note_death()
        else:
            self.note("extravasated")
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
        c["place"], c["pending"] = Place.CIRCULATING, Event.ARRIVE
        if n["kind"] != VESSEL:
            self.passages += n["kind"] != IN_LYMPH
            trapped = self.narrower(self.entered(n), n)
            if unit32(r[0]) < trapped:
                c["place"] = Place.TRAPPED
                self.note("trapped")
                self.hold(n, t)
                return
            if unit32(r[0]) < max(trapped, self.narrower(c["diameter"] / self.p["stretch"], n)):
                c["pending"], c["t_event"] = Event.TORN, t
                return
        stay = -self.mean_stay(n) * math.log(unit32(r[1]))
        if not self.ends(n, t, stay, unit32(r[2])):
            c["t_event"] = t + stay

    def here(self):
        """The node where it is, with the rates of this cell in it by their last name."""
        rates, node = self.tables, self.c["node"]
        return self.nodes[node] | {"barred": float(rates.place[rates.names.index("blood.barrier"), node]) > 0.0} | {
            name.rsplit(".")[1]: float(rates.place[i, node]) * self.factor[i] for i, name in enumerate(rates.names)}

    def next_node(self, node, r):
        j = int(self.circuit.guide[node, 0])  # the first edge of the node
        while r > self.circuit.upper[j]:
            j += 1
        return int(self.circuit.target[j])

    # --- capillaries ------------------------------------------------------------------------------------------

    def entered(self, n):
        d, p, surface, nucleus = self.c["diameter"], n["pressure_Pa"], 0.0, 0.0
        if n["tension"] > 0.0:
            surface = 1.0 / (p / (4.0 * 1000 * n["tension"]) + 1.0 / d)
        if n["nuclear_stiffness"] > 0.0:
            nucleus = self.p["nucleus"] * d / (1.0 + p / (1000 * n["nuclear_stiffness"]))
        if self.c["n"] > self.p["single_file"]:
            return math.inf
        return 0.0 if "size" in self.without else max(surface, nucleus)

    def needed(self, n, w):
        d = self.c["diameter"]
        return max(4.0 * 1000 * n["tension"] * (1.0 / w - 1.0 / d),
                   1000 * n["nuclear_stiffness"] * (self.p["nucleus"] * d / w - 1.0))

    def narrower(self, width, n):
        if not width > 0.0:
            return 0.0
        if width == math.inf:
            return 1.0
        return 0.5 * math.erfc(math.log(n["capillary_um"] / width) / (n["spread"] * 1.4142135623730951))

    def mean_stay(self, n):
        if n["kind"] == VESSEL:
            return n["transit_h"]
        d, w, p = self.c["diameter"], n["capillary_um"], n["pressure_Pa"]
        if not d > w:
            return n["transit_h"] + self.c["n"] * 0.0
        slow = self.p["viscosity_Pa_s"] / p * (d / w - 1.0) / max(1.0 - self.needed(n, w) / p, 0.05) / 3600
        return n["transit_h"] + self.c["n"] * slow

    # --- what competes ----------------------------------------------------------------------------------------

    def drawn(self, n):
        return 1.0 if "attraction" in self.without else 1.0 + n["homing"]

    def exposed(self):
        n = self.c["n"]
        return n * min(1.0, 2.0 * math.pow(n, -1.0 / 3.0)) if n > 1 else 1.0

    def flowing(self, n):
        """(event, hazard without the coat, share that a full coat takes off)."""
        cells = self.c["n"]
        loose = 1.0 - self.c["adhesion"] / 255.0 if cells > 1 else 1.0
        return self.left([
            (Event.ANOIKIS, cells * loose * n["anoikis"], 0.0),
            (Event.SHEAR, cells * n["shear"], self.p["spared_shear"]),
            (Event.NK, self.exposed() * n["nk"] * self.p["nk_flowing"], self.p["spared_nk"]),
            (Event.BIND, n["bind"] * self.drawn(n), 0.0), (Event.SPLIT, (cells - 1) * n["breakup"], 0.0)])

    def held(self, n):
        cells = self.c["n"]
        out = (n["barrier"] if n["barred"] else 1.0) * (1.0 + n["mmp1"]) * (1.0 + n["fscn1"])
        return self.left([
            (Event.NK, self.exposed() * n["nk"], self.p["spared_nk"]),
            (Event.ARRESTED_DEATH, cells * n["arrested_death"], 0.0),
            (Event.RELEASE, n["release"] if self.c["place"] == Place.BOUND else 0.0, 0.0),
            (Event.EXTRAVASATE, n["extravasate"] * self.drawn(n) * out, 0.0),
            (Event.DIVIDE, cells * n["divide"], 0.0)])

    def left(self, risks):
        """What is not left out; without platelets nothing is spared, nor is it in lymph."""
        bare = "platelets" in self.without or self.here()["kind"] == IN_LYMPH
        return [(event, hazard, 0.0 if bare else spared) for event, hazard, spared in risks
                if event.name.lower() not in self.without]

    def coat(self, t):
        x = t - self.c["t_shed"]
        return -math.expm1(-x / self.p["coat_time_h"]) * math.exp(-x / self.p["coat_fade_h"])

    def seen(self, t):
        if self.here()["kind"] == IN_LYMPH or "loss" in self.without:
            return 1.0
        return math.exp(-(t - self.c["t_shed"]) / self.p["nk_loss_h"])

    def fall_due(self, risks, t, word):
        u, upto = unit32(word) * total(risks), 0.0
        self.c["pending"], self.c["t_event"] = int(Event.STAY), t
        for event, bare, spared in risks:
            upto += bare
            if u < upto:
                left = 1.0 - spared * self.coat(t) if spared > 0.0 else 1.0
                if event == Event.NK:
                    left *= self.seen(t)
                if left == 1.0 or upto - u > bare * (1.0 - left):
                    self.c["pending"] = int(event)
                break

    def ends(self, n, t, stay, u):
        risks = self.flowing(n)
        x = divided(-math.log1p(-u), total(risks))
        if not x < stay:
            return False
        r = words(self.seed, Draw.WALK, self.c["id"], (self.c["hop"] - 1) | SECOND)
        self.fall_due(risks, t + x, r[0])
        return True

    def hold(self, n, t):
        risks = self.held(n)
        r = words(self.seed, Draw.WALK, self.c["id"], (self.c["hop"] - 1) | SECOND)
        self.fall_due(risks, t + divided(-math.log(unit52(r[0], r[1])), total(risks)), r[2])


def total(risks):
    everything = 0.0
    for _, bare, _ in risks:
        everything += bare
    return everything


def divided(a, b):
    return a / b if b else math.inf


def own_factor(c, rates, i):
    """CLONE x STATE of rate i for the record c."""
    factor = float(rates.clone[i, c["clone"]])
    for k, name in enumerate(("emt", "adhesion", "bits")):
        factor *= float(rates.state[i, k, c[name]])
    return factor
