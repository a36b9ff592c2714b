"""Classes of drugs, in one table: the rates that each acts on, and by how much. Not a mechanism: it declares nothing.

``[[therapy]] drug = "NAME"`` multiplies each of the rates in its windows by

    outside + (inside - outside) x efficacy

with `outside` = 1 but for what is there in the windows alone, the drug of [chemotherapy] itself. A rate that a config
has not is left out, which is told where what it would act on is there; a drug without any of its rates does nothing,
which is told too.
"""
from collections.abc import Callable
from dataclasses import dataclass

from metacascade.base.declare import ASSUMED, RECALLED


@dataclass(frozen=True)
class Effect:
    """On one rate, or on it in one organ (`where`): its factor at full efficacy, and the factor outside of windows.

    `by` is the factor at full efficacy as parameters of a config make it, `inside` that of the defaults. Where the rate
    `needs` is off there is nothing for the drug to act on. `spared`: what goes on as without the drug where the rate is
    off or zero; `of`: whose that is, and "" where nothing is left for the drug to act on.
    """
    rate: str
    inside: float
    outside: float = 1.0
    where: str = ""
    by: Callable | None = None
    needs: str = ""
    of: str = ""
    spared: str = ""

    def factor(self, efficacy: float, config=None) -> float:
        """Of the rate inside of a window."""
        full = self.by(config) if self.by and config else self.inside
        return self.outside + (full - self.outside) * efficacy


@dataclass(frozen=True)
class Drug:
    """A class of drugs: what it acts on, and the share of the full effect that it reaches."""
    name: str
    efficacy: float
    effects: tuple[Effect, ...]
    status: str
    source: str


TISSUE, LUMPED, LESIONS = "tissue", "lumped", "lesions"      # whose cells an `Effect` spares
EGFR = "full effect: vegf.egfr_residual; efficacy no measurement; direction Deryugina and Kiosses 2017"
CATHEPSIN = "JPM cut late tumor burden by two thirds (Joyce 2004)"
SRC = ("dormant cells in the bone die as those without SRC, 1 / (1 - src_survival.share) times as fast, and these no "
       "faster; efficacy no measurement; direction Zhang 2009")
SIGNALS = "direction Kim 2009 (return) and Bekes 2011 (neutrophils); efficacy no measurement"
ENDOCRINE = "recurrence x 0.53 in the years of tamoxifen (EBCTCG 2011); how it is shared among the rates is assumed"
CYTOTOXIC = ("the drug of [chemotherapy] in tissue; in lesions and lumped tumors 10-fold fewer for a window of a day "
             "where 0.16 of the cells die a day, as in man; dormant lesions are spared")

DRUGS = {drug.name: drug for drug in (
    Drug("EGFR inhibitor", 0.7, (
        Effect("field.vegf.source", 0.3, by=lambda c: c.vegf.egfr_residual),), ASSUMED, EGFR),
    Drug("Id inhibitor", 0.5, (Effect("vessel.sprout", 0.0),), ASSUMED, "no measurement; direction Lyden 1999"),
    Drug("VEGF-A blockade", 0.8, (
        Effect("field.vegf.source", 0.0, of=TISSUE, spared="vessels of the tumor stay as they are"),
        Effect("lesion.vascularize", 0.0)), ASSUMED, (
            "no measurement; small lesions stay small and dormant (direction Kienast 2010)")),
    Drug("cathepsin inhibitor", 0.6, (Effect("field.matrix.cathepsins", 0.0),), RECALLED, CATHEPSIN),
    Drug("SRC inhibitor", 0.7, (
        Effect("lesion.marrow_death", 0.0),
        Effect("lesion.dormant_death", 5.0, where="bone", by=lambda c: 1.0 / (1.0 - c.src_survival.share),
               needs="lesion.marrow_death")), ASSUMED, SRC),
    Drug("anti-IL-6/IL-8", 0.7, (
        Effect("blood.homing", 0.0), Effect("blood.cytokines", 0.0), Effect("blood.scar", 0.0),
        Effect("field.neutrophils.inflow", 0.0)), ASSUMED, SIGNALS),
    Drug("MMP1/fascin-1 inhibitor", 0.7, (Effect("blood.mmp1", 0.0), Effect("blood.fscn1", 0.0)), ASSUMED, (
        "full effect: what the two add is gone; efficacy no measurement; direction Kim 2009")),
    Drug("platelet inhibitor", 1.0, (Effect("blood.coat", 0.5),), ASSUMED, "no measurement"),
    Drug("NK boost", 1.0, (Effect("blood.nk", 3.0),), ASSUMED, "no measurement; inside the range of blood.nk"),
    Drug("endocrine", 1.0, (
        Effect("tissue.divide", 0.53), Effect("lumped.gompertz", 0.53), Effect("lesion.wake", 0.53),
        Effect("lesion.gompertz", 0.53)), RECALLED, ENDOCRINE),
    Drug("bisphosphonate", 1.0, (
        Effect("lesion.start", 0.72, where="bone"), Effect("lesion.wake", 0.72, where="bone")), RECALLED, (
            "bone recurrence x 0.72 in postmenopausal women (EBCTCG 2015)")),
    Drug("cytotoxic", 1.0, (
        Effect("drug.vessel", 1.0, outside=0.0, of=TISSUE, spared="cells of the tumor are not killed"),
        Effect("lumped.death", 15.0, of=LUMPED, spared="cells of the tumor are not killed"),
        Effect("lesion.death", 15.0, of=LESIONS, spared="cells of lesions are not killed")), ASSUMED, CYTOTOXIC))}


def table() -> str:
    """One line a drug, and one for each rate, for a terminal."""
    lines = []
    for drug in DRUGS.values():
        lines.append(f"{drug.name}: efficacy {drug.efficacy:g} ({drug.status}: {drug.source})")
        lines += [f"    {_words(effect, drug)}" for effect in drug.effects]
    return "\n".join(lines) + "\n"


def markdown() -> str:
    """The table of docs/model.md."""
    lines = ["| drug | acts on | efficacy | status | source |", "|---|---|---|---|---|"]
    lines += [f"| {drug.name} | {'; '.join(_words(effect, drug) for effect in drug.effects)} | {drug.efficacy:g} | "
              f"{drug.status} | {drug.source} |" for drug in DRUGS.values()]
    return "\n".join(lines) + "\n"


def _words(effect, drug):
    where = f" in {effect.where}" * bool(effect.where)
    outside = f", {effect.outside:g} outside of its windows" * (effect.outside != 1.0)
    spared = f" (where it is off or zero, {effect.spared})" * bool(effect.spared)
    return f"{effect.rate}{where} times {effect.factor(drug.efficacy):.3g}{outside}{spared}"
