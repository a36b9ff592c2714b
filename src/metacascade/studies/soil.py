"""The soil of every organ from how often patients have metastases there, solved through the model.

How many lesions an organ gets is the product of what arrives alive, by blood flow, capillaries and binding, and of
the chance of such a cell to found a growing lesion, which `soil` governs. A series of patients tells the product. If
lesions are Poisson in each patient, a share p of patients with one or more means -ln(1 - p) lesions on average, so

    arrivals[b] x chance(b, soil[b]) = k x -ln(1 - p[b])    in every bed b, with one k,

where arrivals[b] is computed by walking shed cells through the circuit, with the config's own law of the blood. The
largest soil is 1, which sets k: soil is a share of the best. Blood flow, arrest and exit are not counted twice.

What it leaves out: patients differ, and times at which lesions are found; metastases of metastases; cells that sleep
before they start; clusters. Errors are those of the arrivals alone.
"""
import csv
import math
from dataclasses import dataclass

import numpy as np

from metacascade._kernels._layout import CTC
from metacascade.base import numerals
from metacascade.base.errors import InputError
from metacascade.base.names import nearest
from metacascade.base.nodes import BEDS, NODES
from metacascade.base.screen import one_line
from metacascade.config.body import HOSTS
from metacascade.config.config import load
from metacascade.mechanisms import plan_of
from metacascade.mechanisms.compile import placed_rates
from metacascade.model.blood import Blood
from metacascade.model.circuit import Circuit
from metacascade.ranks import launcher
from metacascade.run.recordlimit import of_this_machine

BATCHES = 10                # walks, each with cells of its own: their scatter is the error
LONGEST_H = 24.0 * 365      # how long cells are followed; all but a few are gone within days
HALVINGS = 60               # of the interval of a soil
FIRST = NODES.index(BEDS[0])
BELOW = 0.5                 # of the share that an involvement is below


@dataclass(frozen=True)
class Involvement:
    """What a series says of a bed: lesions in a patient on average, and a text that says from what."""

    lesions: float
    share: str
    status: str = "COMPUTED"


def run(config, table, cells: int, source: str, settings=()) -> str:
    """Solve, and say all as the lines of a preset: what the command prints."""
    if launcher.several():
        raise InputError("soil runs in one process: call it without mpiexec or srun")
    if 0 < (most := of_this_machine()) < cells // BATCHES:
        raise InputError(f"--cells {cells:,} are more than half of the memory here holds: {BATCHES * most:,} at most")
    involved = completed(read(table))
    plain = load(config, list(settings)).with_overrides({f"organs.{bed}.soil": 1.0 for bed in BEDS})
    _refuse(plain)
    found = arrivals(plain, cells)
    soil, error = solved(found, np.array([involved[bed].lesions for bed in BEDS]), chance_law(plain))
    return told(plain, involved, found, soil, error, cells, source)


def _refuse(config):
    if config.tumor is None:
        raise InputError("soil needs a config with a [tumor]: where its cells enter the blood")
    if not (config.blood.enabled and config.colonization.enabled):
        raise InputError("soil needs blood.enabled and colonization.enabled: cells must leave the blood and found "
                         "lesions")


# --- the series ---------------------------------------------------------------------------------------------------

def read(path) -> dict[str, Involvement]:
    """Bed -> Involvement of a CSV file of two columns, organ and share of all patients.

    An organ is a bed, or one whose blood is that of a bed: thyroid stands for other. Several rows of a bed add their
    lesions. ``<0.01`` is a share that is below: half of that counts. Lines that begin with # are comments.
    """
    rows: dict[str, list] = {}
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            for number, row in enumerate(csv.reader(file), 1):
                cells = [cell.strip() for cell in row]
                if any(cells) and not cells[0].startswith("#") and cells[:2] != ["organ", "share"]:
                    rows.setdefault(_bed(cells, f"{path}:{number}"), []).append(_share(cells, f"{path}:{number}"))
    except UnicodeDecodeError:
        raise InputError(f"{one_line(path)}: no table of organs: it is not UTF-8 text") from None
    except (OSError, csv.Error) as error:
        raise InputError(f"cannot read {one_line(path)}: {getattr(error, 'strerror', None) or error}") from None
    if not rows:
        raise InputError(f"{one_line(path)}: holds no organ: write lines such as liver,0.5")
    return {bed: _sum(shares) for bed, shares in rows.items()}


def _bed(cells, where):
    if len(cells) != 2:
        raise InputError(f"{one_line(where)}: needs an organ and a share, as in liver,0.5")
    if cells[0] not in HOSTS:
        raise InputError(f"{one_line(where)}: there is no organ {one_line(cells[0])!r}{nearest(cells[0], HOSTS)}; "
                         f"organs: {', '.join(HOSTS)}")
    return HOSTS[cells[0]]


def _share(cells, where):
    """The share as written, and as a number."""
    text = cells[1]
    try:
        share = numerals.number(text.removeprefix("<").strip())
    except ValueError:
        share = math.nan
    if not 0.0 <= share < 1.0:
        raise InputError(f"{one_line(where)}: {one_line(text)!r} must be a share from 0 to below 1, or <share")
    return text, share * BELOW if text.startswith("<") else share


def _sum(shares):
    lesions = -math.fsum(math.log1p(-share) for _, share in shares)
    below = all(text.startswith("<") for text, _ in shares)
    return Involvement(lesions, " and ".join(text for text, _ in shares), "ASSUMED" if below else "COMPUTED")


def completed(involved: dict[str, Involvement]) -> dict[str, Involvement]:
    """All beds: one that the series does not tell of is taken to be involved as the least that it does tell of."""
    least = min(involved, key=lambda bed: involved[bed].lesions)
    silent = Involvement(involved[least].lesions, f"not told, as {least}", "ASSUMED")
    return {bed: involved.get(bed, silent) for bed in BEDS}


# --- the model ----------------------------------------------------------------------------------------------------

def arrivals(config, cells: int, seed: int | None = None) -> np.ndarray:
    """Cells that leave the blood in each bed for each that the tumor sheds: float64 of shape (BATCHES, beds).

    Single cells of the founder: EMT and adhesion are drawn by the law of the tumor at its start, or are those of what a
    lumped tumor sheds. They are shed within a day, from a tumor of the size that the config gives, which draws cells by
    its size.
    """
    seed = config.run.seed if seed is None else seed
    circuit = Circuit(config, plan_of(config))
    circuit.set_tumor_flow(config.tumor.cells)
    circuit.set_burden([config.tumor.cells, *[0] * (len(circuit.names) - 1)])
    each = max(1, cells // BATCHES)
    return np.array([_walked(config, circuit, each, np.random.default_rng((seed, batch)), seed)
                     for batch in range(BATCHES)]) / each


def _walked(config, circuit, cells, rng, seed):
    ctcs = np.zeros(cells, CTC)
    ctcs["id"], ctcs["n"] = rng.integers(0, 2**64, cells, dtype=np.uint64), 1
    ctcs["t_shed"] = rng.uniform(0.0, 24.0, cells)
    if config.tumor.lumped:
        ctcs["emt"], ctcs["adhesion"] = (round(255 * share) for share in (config.lumped.emt, config.lumped.adhesion))
    else:
        traits = config.traits
        ctcs["emt"] = np.where(rng.random(cells) < traits.motile_fraction, 255, 0)
        adhesion = rng.normal(traits.adhesion_mean, traits.adhesion_spread, cells)
        ctcs["adhesion"] = np.rint(255.0 * np.clip(adhesion, 0.0, 1.0))
    blood = Blood(config, circuit, seed)
    blood.admit(ctcs)
    left = blood.advance(LONGEST_H).extravasated
    return np.bincount(left["node"], left["n"], minlength=len(circuit.names))[FIRST:FIRST + len(BEDS)]


def chance_law(config):
    """The chance of a clonogenic cell that has left the blood to begin to divide: a function of beds and of their soil.

    Of arrays: number of the bed in BEDS, soil. The one place that knows what soil acts on. Without traits, bits and
    therapies; `config` has a soil of 1 everywhere.
    """
    plan = plan_of(config)
    start, lost = _rates(plan, "lesion.start"), _rates(plan, "lesion.early_death", "lesion.sleep").sum(axis=0)
    return lambda bed, soil: _first(start[0, bed] * soil, lost[bed])


def _rates(plan, *names):
    """Rates by bed, float64 of shape (rates, beds)."""
    return placed_rates(plan, names, BEDS).place


def _first(wanted, other):
    """The chance that the first of two hazards comes before the second."""
    return np.divide(wanted, wanted + other, out=np.zeros_like(wanted), where=wanted > 0.0)


# --- the solution -------------------------------------------------------------------------------------------------

def solved(found, lesions, chance) -> tuple[np.ndarray, np.ndarray]:
    """Soil of each bed, and its standard error by leaving out one batch of walks after another.

    Parameters
    ----------
    found : ndarray of float64, shape (batches, beds)
        Arrivals in each batch.
    lesions : ndarray of float64, shape (beds,)
        Wanted, up to a common factor.
    chance : callable
        As `chance_law` returns.

    Raises
    ------
    InputError
        If lesions are wanted where nothing arrives.
    """
    batches = len(found)
    soil = _solve(found.mean(axis=0), lesions, chance)
    without = np.array([_solve(np.delete(found, i, axis=0).mean(axis=0), lesions, chance) for i in range(batches)])
    return soil, np.sqrt((batches - 1) * without.var(axis=0))


def _solve(arrived, lesions, chance):
    bed = np.arange(len(lesions))
    wanted = lesions > 0.0
    full = arrived * chance(bed, np.ones(len(bed)))
    if (none := wanted & (full <= 0.0)).any():
        none_in = BEDS[int(np.flatnonzero(none)[0])]
        raise InputError(f"nothing grows in {none_in}, which the table gives lesions, itself or by its least involved "
                         "organ: walk more cells, --cells, or see why none leaves the blood there")
    if not wanted.any():
        raise InputError("the table has no organ with lesions")
    target = np.zeros(len(bed))
    target[wanted] = lesions[wanted] / arrived[wanted] * np.min(full[wanted] / lesions[wanted])
    low, high = np.zeros(len(bed)), np.ones(len(bed))
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        too_much = chance(bed, middle) >= target
        low, high = np.where(too_much, low, middle), np.where(too_much, middle, high)
    return np.where(wanted, high, 0.0)


def told(config, involved, found, soil, error, cells, source) -> str:
    """Everything as the text of tables [organs.BED], with the source of each number behind it."""
    arrived, scatter = found.mean(axis=0), found.std(axis=0, ddof=1) / math.sqrt(len(found))
    error = np.where(error > 1e-12 * soil, error, 0.0)          # the best has none, but for rounding
    lines = [f"# Soil solved through the model from {one_line(source)}: {cells:,} single cells shed by "
             f"{config.tumor.organ} of a {config.run.species}.",
             "# bed: share of patients; arrivals per million shed cells; soil, with standard errors of the walk"]
    for i, bed in enumerate(BEDS):
        lines.append(f"# {bed}: {involved[bed].share}; {1e6 * arrived[i]:.0f} +- {1e6 * scatter[i]:.0f}; "
                     f"{soil[i]:.3g} +- {error[i]:.2g}")
    lines.append("")
    for bed, value in zip(BEDS, soil):
        one = involved[bed]
        how = f"{one.share} of patients" if one.status == "COMPUTED" else one.share.replace("<", "below ")
        comment = f"{one.status}: {one_line(source)}, {how}, through the model"
        lines += [f"[organs.{bed}]", f"{f'soil = {value:.3g}':26} # {comment}"]
    return "\n".join(lines) + "\n"
