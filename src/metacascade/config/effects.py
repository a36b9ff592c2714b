"""What in a config has no effect, because of something else in it: a switch, a zero, what is missing.

What belongs to a mechanism that is off, to a rate that is zero, or to a tumor where there is none, follows from the
plan (mechanisms.idle). The rest is one table, `RULES`: a rule names parameters and says when they act, and what stands
against them when they do not. Only what a user has set is told, and by the first rule that holds.
"""
import math
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from typing import NamedTuple

from metacascade.base.nodes import LYMPH_NODE
from metacascade.mechanisms import plan_of
from metacascade.mechanisms.angiogenesis import SIGNAL
from metacascade.mechanisms.fields import Pressure
from metacascade.mechanisms.idle import Declared
from metacascade.mechanisms.terms import DENSITY, DRAIN, EXITS, SHED, Gradient, Pair, PythonFactor, Rise, Shape
from metacascade.mechanisms.transformation import NORMAL

MOST_NAMES = 6      # in one line
TUMOR = "tissue.* traits.* vessels.* balance.* outline.* organs.tumor.* blood.vertebral_bypass"
NO_TUMOR, LUMPED = "there is no [tumor]", "tumor.lumped = true: there is no tissue"
TISSUE = "tissue.* traits.* vessels.* balance.* outline.* intravasation.* tumor.center"
SEEDED = ("colonization.early_death colonization.niche colonization.start colonization.sleep colonization.wake "
          "colonization.dormant_death src_survival.share organs.*.soil organs.*.early_death")
DIVIDING = ("colonization.gompertz colonization.capacity colonization.cell_loss colonization.avascular_limit "
            "colonization.switch_time colonization.shed colonization.shed_avascular colonization.detect "
            "colonization.follow")
BEGIN, MUTATE = "colonization.start colonization.wake organs.*.soil", "tissue.mutate"
ELSEWHERE = ("intravasation.reach",)     # acts also while its mechanism is off: where cells come back
NOTHING_ENTERS = "no cell enters the blood: no rate of the tumor sheds any, and there is no [[injection]]"
NO_BLOOD_IN_TUMOR = "tumor.perfusion = 0: no blood comes there"
NONE_NORMAL = 'no cell is normal: there is no [[injection]] with bits = ["NORMAL"]'
NOT_AWAKENED = "there is no [[surgery]], and no [[radiation]] with awakening.radiation above 0"
NOTHING_AWAKENS = "awakening.wake = 0 and awakening.vessels = 0"
AT_BOTH_ENDS = "longer than the run, which writes at its start and at its end"


class Rule(NamedTuple):
    """Parameters (patterns with spaces between), when they act, and why not, in words.

    `state`: what a checkpoint holds (cells in the blood, lesions) may be acted on even so; the rule is for new runs.
    """
    names: str
    act: Callable
    why: str
    state: bool = False


def sheds(config, exits=EXITS) -> bool:
    """Do cells of a tumor enter the blood, at once (SHED) or with lymph (DRAIN)?"""
    if config.tumor is None:
        return False
    plan = plan_of(config)
    if config.tumor.lumped:
        return SHED in exits and plan.number("lumped.shed") > 0.0
    return any(rate.action in exits and plan.number(rate.name) for rate in plan.rates)


def enters(config) -> bool:
    """Do any cells enter the blood?"""
    return bool(config.injection) or sheds(config)


def reaches_tumor(config) -> bool:
    """Does blood come to the tumor, or is anything injected into its vessels?"""
    return bool(config.tumor and config.tumor.perfusion_mL_per_min_per_g) or _has(config.injection, "tumor")


def _has(events, node):
    return any(event.node == node for event in events)


def _colonizes(config):
    return config.colonization.enabled and config.colonization.clonogenic > 0


def _organs_draw(config):
    return config.inflammation.enabled or config.cytokines.enabled and config.cytokines.lesions > 0


def _divides(config):
    c = config.colonization
    return c.start_per_h > 0 or c.wake_per_h > 0 and c.sleep_per_h > 0


def _is_coated(blood):
    return blood.nk_per_h * blood.platelet_nk > 0 or blood.shear_slope_cm2_per_dyn_h * blood.platelet_shear > 0


def _lives(config):
    return plan_of(config).vessels_live


def _vessels_called(config):
    """Is there the angiogenic factor, if vessels sprout by it or are loosened?"""
    wanted = config.angiogenesis.enabled or config.maturation.enabled
    return not wanted or any(field.name == SIGNAL for field in plan_of(config).fields)


def _may_end(config):
    """Can a tumor of cells end, or is there none? By treatment, or by chance: a line does with deaths over births."""
    g, treated = config.growth, (*config.surgery, *config.radiation)
    return (not config.has_tissue or not g.enabled or config.chemotherapy.enabled or bool(config.therapy)
            or min(g.death_per_h * g.division_time_h / math.log(2.0), 1.0) ** config.tumor.cells > 1e-6
            or any("tumor" in one.places for one in treated))


def _motile(config):
    return (config.traits.motile_fraction > 0 or config.emt.enabled or config.detachment.enabled
            or any(injection.emt > 0 for injection in config.injection))


RULES = (
    Rule("output.snapshots", lambda c: c.has_tissue or not c.output.snapshots, "there is no tissue to show"),
    Rule("output.snapshot_interval output.snapshot_cells", lambda c: c.output.snapshots, "output.snapshots = false"),
    Rule("output.interval", lambda c: c.output.interval_s <= c.run.duration_s, AT_BOTH_ENDS),
    Rule("output.checkpoint", lambda c: c.output.checkpoint_s <= c.run.duration_s, AT_BOTH_ENDS),
    Rule("output.snapshot_interval", lambda c: c.output.snapshot_interval_s <= c.run.duration_s, AT_BOTH_ENDS),
    Rule(TUMOR, lambda c: c.tumor, NO_TUMOR),
    Rule("run.long_step", _may_end, "the tumor grows, and no treatment takes its cells: no step is without tissue",
         state=True),
    Rule("blood.rectal_portal", lambda c: c.tumor and c.tumor.organ == "rectum", "tumor.organ is not the rectum"),
    Rule("inflammation.*", lambda c: c.surgery or c.radiation, "there is no [[surgery]] and no [[radiation]]"),
    Rule("inflammation.*", lambda c: c.inflammation.enabled, "inflammation.enabled = false"),
    Rule("awakening.*", lambda c: c.awakening.enabled, "awakening.enabled = false"),
    Rule("awakening.*", lambda c: c.surgery or c.radiation and c.awakening.radiation, NOT_AWAKENED),
    Rule("awakening.time awakening.radiation", lambda c: c.awakening.wake or c.awakening.vessels, NOTHING_AWAKENS),
    Rule("cytokines.half_organ", lambda c: c.cytokines.lesions, "cytokines.lesions = 0"),
    Rule("chemotherapy.cycling", lambda c: c.chemotherapy.enabled, "chemotherapy.enabled = false"),
    Rule("cytokines.half", lambda c: c.colonization.attraction != 1, "colonization.attraction = 1"),
    Rule("transformation.*", lambda c: any(NORMAL in one.bits for one in c.injection), NONE_NORMAL, state=True),
    Rule("infiltration.*", lambda c: c.infiltration.gain > 1, "infiltration.gain = 1"),
    Rule("body.*", enters, NOTHING_ENTERS, state=True),
    Rule("body.lymph_flow body.lymph_volume", lambda c: c.lymphatic.enabled, "lymphatic.enabled = false"),
    Rule(TISSUE, lambda c: c.has_tissue, LUMPED),
    Rule("lumped.*", lambda c: c.tumor and c.tumor.lumped, "tumor.lumped = false"),
    Rule("lumped.cluster_mean", lambda c: c.lumped.cluster_fraction, "lumped.cluster_fraction = 0"),
    Rule("balance.threshold balance.interval", lambda c: c.balance.enabled, "balance.enabled = false"),
    Rule("balance.interval", lambda c: c.balance.interval <= c.run.steps, "more steps than the run has"),
    Rule("outline.interval outline.gap outline.depth outline.opening outline.sprout outline.sampled_cells "
         "staging.metastasis_cells staging.invasion staging.small staging.large", lambda c: c.outline.enabled,
         "outline.enabled = false"),
    Rule("migration.* haptotaxis.* chemotaxis.* integrins.* invasiveness.*", _motile, "traits.motile_fraction = 0",
         state=True),
    Rule("haptotaxis.* chemotaxis.* integrins.* invasiveness.*", lambda c: c.migration.enabled,
         "migration.enabled = false"),
    Rule("haptotaxis.* chemotaxis.* integrins.* invasiveness.*", lambda c: c.migration.speed_um_per_h,
         "migration.speed = 0"),
    Rule("migration.persistence migration.bias migration.gradient_half", lambda c: c.migration.speed_um_per_h,
         "migration.speed = 0"),
    Rule("migration.gradient_half", lambda c: c.migration.bias, "migration.bias = 0"),
    Rule("migration.bias migration.gradient_half", lambda c: c.oxygen.enabled, "oxygen.enabled = false"),
    Rule("confinement.*", lambda c: c.crowding.enabled, "crowding.enabled = false"),
    Rule("chemotaxis.field", lambda c: c.chemotaxis.enabled, "chemotaxis.enabled = false"),
    Rule("oxygen.sweeps oxygen.every oxygen.initial_sweeps", lambda c: c.oxygen.enabled, "oxygen.enabled = false"),
    Rule("crowding.sweeps crowding.every crowding.initial_sweeps", lambda c: c.crowding.enabled,
         "crowding.enabled = false"),
    Rule("oxygen.michaelis", lambda c: c.oxygen.uptake_mmHg_per_h, "oxygen.uptake = 0"),
    Rule("oxygen.vessel", lambda c: c.oxygen.wall_um_per_h, "oxygen.wall = 0"),
    Rule("vessels.interval", _lives, "no vessel lives: angiogenesis, maturation and perfusion are off"),
    Rule("angiogenesis.* maturation.loosening maturation.half", _vessels_called, "vegf.enabled = false", state=True),
    Rule("vessels.format vessels.unit vessels.columns vessels.separator vessels.center vessels.offset vessels.overlaps "
         "vessels.tile vessels.box",
         lambda c: c.vessels.file is not None, "there is no vessels.file"),
    Rule("vessels.length_density vessels.radius vessels.radius_spread vessels.maturity_spread vessels.jitter "
         "vessels.drop vessels.seed", lambda c: c.vessels.file is None, "vessels.file is given"),
    Rule("intravasation.cluster_fraction intravasation.cluster_mean",
         lambda c: not c.has_tissue or sheds(c) or not c.intravasation.enabled, "intravasation.hazard = 0"),
    Rule("intravasation.cluster_mean", lambda c: c.intravasation.cluster_fraction,
         "intravasation.cluster_fraction = 0"),
    Rule("blood.* organs.* colonization.* vessel_growth.* ligand.* blood_brain_barrier.* cytokines.* infiltration.*",
         enters, NOTHING_ENTERS, state=True),
    Rule(f"organs.{LYMPH_NODE}.*", lambda c: c.lymphatic.enabled, "lymphatic.enabled = false"),
    Rule("organs.tumor.* colonization.attraction cytokines.half infiltration.*", reaches_tumor,
         NO_BLOOD_IN_TUMOR, state=True),
    Rule("aggressiveness.*", lambda c: reaches_tumor(c) or _organs_draw(c), NO_BLOOD_IN_TUMOR, state=True),
    Rule("aggressiveness.*", lambda c: c.colonization.attraction != 1 or _organs_draw(c),
         "colonization.attraction = 1"),
    Rule("organs.tumor.soil", lambda c: False, "what leaves the blood in the tumor becomes tissue again"),
    Rule("organs.* colonization.* aggressiveness.* vessel_growth.* ligand.* blood_brain_barrier.* "
         "cytokines.* infiltration.*", lambda c: c.blood.enabled, "blood.enabled = false", state=True),
    Rule("blood.anoikis_resistance", lambda c: c.blood.anoikis_per_h, "blood.anoikis = 0"),
    Rule("blood.anoikis", lambda c: c.blood.anoikis_resistance < 1, "blood.anoikis_resistance = 1"),
    Rule("blood.platelet_time blood.platelet_fade", lambda c: _is_coated(c.blood),
         "the coat of platelets protects from nothing: blood.platelet_nk, blood.platelet_shear"),
    Rule("vessel_growth.burst_cells", lambda c: c.vessel_growth.divide_per_h, "vessel_growth.divide = 0"),
    Rule("blood.nk_flowing blood.nk_loss", lambda c: c.blood.nk_per_h, "blood.nk = 0"),
    Rule(f"colonization.clonogenic {SEEDED} {DIVIDING}",
         lambda c: c.colonization.enabled, "colonization.enabled = false", state=True),
    Rule(f"{BEGIN} {DIVIDING}", _colonizes, "colonization.clonogenic = 0", state=True),
    Rule("colonization.wake colonization.dormant_death src_survival.share", lambda c: c.colonization.sleep_per_h,
         "colonization.sleep = 0", state=True),
    Rule(DIVIDING, _divides,
         "no lesion divides: colonization.start = 0, and colonization.wake or sleep = 0", state=True),
)
# What a run that goes on from a checkpoint takes from there.
KEPT = Rule("tumor.cells tumor.center traits.* oxygen.initial_sweeps", lambda c: False,
            "of the start of a run; what goes on from a checkpoint has its cells and its oxygen from there")


def without_effect(config, given, going_on: bool) -> Iterator[str]:
    """A line for each reason for which parameters at the paths `given` do not act; `going_on`: from a checkpoint."""
    why_idle, found = _reasons(config, Declared(config), going_on), {}
    for path in given:
        if why := why_idle(name := ".".join(map(str, path))):
            found.setdefault(why, []).append(name)
    for why, names in found.items():
        more = f" and {len(names) - MOST_NAMES} more" * (len(names) > MOST_NAMES)
        yield f"{', '.join(names[:MOST_NAMES])}{more}: without effect ({why})"


def _reasons(config, declared, going_on) -> Callable:
    """A function that says why a parameter does not act; nothing if it does."""
    rules = (KEPT, *RULES) if going_on else RULES
    off = [rule for rule in rules if not (going_on and rule.state) and not rule.act(config)]

    def why_idle(name):
        why = NO_TUMOR if config.tumor is None else LUMPED
        why = why if not config.has_tissue and declared.acts_in_tumor(name) else ""
        why = why or next((rule.why for rule in off if _names(rule, name) and not _switched_off(config, name)), "")
        return why or ("" if name in ELSEWHERE else declared.why_idle(name))
    return why_idle


def idle_rates(config, names, going_on: bool) -> dict[str, str]:
    """Those of the rates and coefficients `names` that do nothing, as no parameter that makes them up acts, and why."""
    declared, found = Declared(config), {}
    why_idle = _reasons(config, declared, going_on)
    for name in names:
        whys = [why_idle(parameter) for parameter in sorted(declared.parameters_of(name))]
        if whys and all(whys):
            found[name] = whys[0]
    if not any(trait.mutation.number for trait in plan_of(config).traits):
        found[MUTATE] = "no trait mutates: all have mutation = 0"
    return found


def _switched_off(config, name):
    """Is it a switch that is off? That nothing of its section acts is what was asked for."""
    section, _, key = name.partition(".")
    return key == "enabled" and not getattr(config, section).enabled


def _names(rule, name):
    return any(fnmatchcase(name, pattern) for pattern in rule.names.split())


def unread_fields(plan) -> Iterator[str]:
    """A line for fields that are solved for while no rate that acts depends on them.

    What acts on a field alone counts only if something depends on that. Hops follow pressure without a factor.
    """
    read = {field.name for field in plan.fields if isinstance(field, Pressure)}
    while more := {signal for factor in plan.factors for signal in _signals(factor) if signal not in read
                   and _acts(plan, plan.rate(factor.rate), read)}:
        read |= more
    if unread := [field.name for field in plan.fields if field.name not in read]:
        yield (f"{', '.join(unread)}: without effect but in what is read out (no rate that acts depends on "
               f"{'them' if len(unread) > 1 else 'it'})")


def _signals(factor) -> tuple:
    """The fields that a factor depends on."""
    if isinstance(factor, Shape) and factor.kind == "boost" and factor.b.number == 0.0:
        return ()
    if isinstance(factor, PythonFactor):
        return factor.signals
    return (factor.signal,) if isinstance(factor, (Shape, Pair, Gradient, Rise)) and factor.signal != DENSITY else ()


def _acts(plan, rate, read):
    return plan.number(rate.name) > 0.0 and (not rate.field or rate.field in read)


def empty_organs(config) -> tuple[dict[str, str], dict[str, str]]:
    """Organs without lesions at any time of a new run, and those without any cell; of each why."""
    beds, cells = [name for name in config.organs if name != "tumor"], {}
    if not (enters(config) and config.blood.enabled):
        cells = dict.fromkeys(beds, "no cell comes there with the blood")
    if not (sheds(config, (DRAIN,)) and config.blood.enabled):
        cells[LYMPH_NODE] = "no cell comes there with lymph"
    cells = {bed: why for bed, why in cells.items() if bed not in {one.organ for one in config.injection}}
    none = "" if config.colonization.enabled else "no lesion is founded"
    lesions = {bed: cells.get(bed) or none for bed in beds if bed in cells or none}
    return lesions, cells


def first_cell_s(config) -> int:
    """When the first cell of a new run may enter the blood."""
    return 0 if sheds(config) else min((plan.time_s for plan in config.injection), default=config.run.duration_s)


def draws_of_nothing(config) -> Iterator[str]:
    """A line for each blood draw that can find no cell, in a new run."""
    for i, draw in enumerate(config.draw):
        if not enters(config):
            yield f"draw[{i}]: {NOTHING_ENTERS}"
        elif draw.node == "tumor" and not reaches_tumor(config):
            yield f"draw[{i}].node = tumor: {NO_TUMOR if config.tumor is None else NO_BLOOD_IN_TUMOR}"
