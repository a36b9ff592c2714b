"""Awakening: after an operation cells that sleep wake, and lesions in balance get vessels, more often, for some weeks.

    lesion.wake        x (1 + wake exp(-t / time)), for each operation, t since it; several add up
    lesion.vascularize x (1 + vessels exp(-t / time))

In mice an operation lets distant tumors grow that were held in check (Krall 2018), and inflammation of the lung wakes
cells that slept there (Albrengues 2018); sprouting vessels wake cells and stable ones keep them asleep (Ghajar 2013);
of an early wave of relapses surgery is thought to be the cause (Retsky 1997, Demicheli 2008). The directions are from
these, the sizes are not known: off by default.

An operation anywhere acts on all organs, or on those of `where`, as what it sets free goes with the blood. A course of
radiation acts from its first fraction, and fades from its last. The rates are those that are added to 1, so a drug
against inflammation is a [[therapy]] on them. Lasting inflammation of an organ is one on lesion.wake there.
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, Section, number, quantity, switch, text
from metacascade.base.names import listed
from metacascade.base.nodes import WITH_LESIONS
from metacascade.mechanisms.terms import Rate, value

TABLE = "awakening"
KRALL = "direction Krall 2018, mice; size in man not measured"
RETSKY = "direction Retsky 1997, Demicheli 2008, Ghajar 2013; no measurement"
AWAKENED = {"lesion.awakening": "lesion.wake", "lesion.sprouting": "lesion.vascularize"}   # gain: what it acts on


class Awakening(Section):
    """What an operation, or radiation, sets free in other organs: sleeping cells wake, and lesions get vessels."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("Operations awaken lesions.", default=False)
    wake: float = number("wake", 10.0, 0, 1e5, usual=(1, 100), source=KRALL, status=ASSUMED, doc=(
        "How many times its usual hazard is added to the waking of dormant lesions at first."))
    vessels: float = number("vessels", 10.0, 0, 1e5, usual=(1, 100), source=RETSKY, status=ASSUMED, doc=(
        "The same of the hazard of lesions without vessels to get some."))
    time_h: float = quantity("time", "day", "h", 14, 0.1, 36525, usual=(3, 90), source=(
        "wounds of mice: days to weeks (Krall 2018)"), status=ASSUMED, doc=(
            "Time constant with which both fall; steps of a quarter of the half-life."))
    radiation: float = number("radiation", 0.0, 0, 10, usual=(0, 1), source=(
        "no sign of it in patients"), status=ASSUMED, doc="Effect of a course of radiation over that of an operation.")
    where: str | None = text("where", None, doc=(
        f"The organs in which it acts, names with commas between: {', '.join(WITH_LESIONS)}; left out: in all."))

    @property
    def places(self) -> tuple[str, ...]:
        """Names of the organs in which it acts."""
        return WITH_LESIONS if self.where is None else listed(self.where)


SECTION = Awakening


def plan(config):
    """Two rates that are added to 1, in windows, and the sums factors."""
    c = config.awakening
    yield Rate("lesion.awakening", value("awakening.wake", c.wake), unit="", doc=(
        "added to 1 after operations, times exp(-t / awakening.time): a factor on lesion.wake"))
    yield Rate("lesion.sprouting", value("awakening.vessels", c.vessels), unit="", doc=(
        "added to 1 after operations, times exp(-t / awakening.time): a factor on lesion.vascularize"))


def factors(plan, places, scales) -> dict:
    """Of rates of lesions by name@place what operations have made of them, from the scales of the present time."""
    found = {}
    for gain, rate in AWAKENED.items():
        most = plan.number(gain, scales)
        found |= {f"{rate}@{place}": 1.0 + most * scales[f"{gain}@{place}"] for place in places
                  if most and scales.get(f"{gain}@{place}")}
    return found
