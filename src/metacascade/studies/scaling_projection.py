"""A fitted cost model put to use: steps on a thousand and more ranks, and the assumptions behind."""
import json
import math
from dataclasses import dataclass
from pathlib import Path

from metacascade.base.errors import InputError
from metacascade.base.screen import shown
from metacascade.base.units import option
from metacascade.io.atomic import reading
from metacascade.ranks.balance import TILE_COST
from metacascade.studies.scaling import numbers
from metacascade.studies.scaling_model import CTC_BYTES, Network, fit, strangers
from metacascade.studies.scaling_table import DAMAGED, FORMAT

PER_RANK_BYTES = 8 * 8      # arrays with a number for each rank that may live at once on every rank: cuts, their sums


@dataclass(frozen=True)
class Step:
    """The projected step of the busiest rank: seconds by what they go to."""

    ranks: int
    cells: float            # of a rank
    tiles: float
    terms: dict
    memory: float           # of a rank [bytes]

    @property
    def seconds(self):
        """Wall seconds of the step."""
        return sum(self.terms.values())


def step(model, network, cells, ranks):
    """The projected step of a tumor of so many cells in all."""
    mine, tiles = cells / ranks, model.tiles(cells) / ranks
    work = model.work_s(cells=mine, tiles=tiles, sweeps=model.sweeps * tiles, passages=model.passages * mine, one=1.0)
    load = mine + TILE_COST * tiles
    imbalance = model.threshold + model.largest_tile / load if ranks > 1 else 0.0
    terms = {"work": work, "imbalance": work * imbalance}
    if ranks > 1:
        shed = model.shed * mine
        messages = (model.neighbors(tiles, ranks) * model.exchanges + model.route_messages(tiles, ranks)
                    + strangers(shed, ranks))
        sent = model.halo_bytes(tiles, ranks) + model.route_bytes(tiles, ranks) + CTC_BYTES * shed
        terms |= {
            "messages": messages * (network.latency_s + network.overhead_s),
            "bytes": sent * (1 / network.bandwidth + network.copy_s),
            "collectives": model.collectives * math.ceil(math.log2(ranks)) * network.latency_s,
            "all ranks": 2 / model.interval * ranks * (8 / network.bandwidth + network.entry_s)}
    base, cell, tile = model.memory
    memory = base + cell * mine + tile * tiles + (PER_RANK_BYTES * ranks if ranks > 1 else 0)
    return Step(ranks, mine, tiles, terms, memory)


def project(directories, latency="2 us", bandwidth="1 GB/s", overhead="7.5 us", ranks="1e3,1e4,1e5", cells=None,
            cells_per_rank=None):
    """Print what the model says of more ranks, for one tumor and for one that grows with them. Raises InputError."""
    studies = [_read(Path(directory)) for directory in directories]
    network = Network(option("--latency", latency, "s", '"2 us"'), option("--bandwidth", bandwidth, "B/s", '"1 GB/s"'),
                      option("--overhead", overhead, "s", '"7.5 us"'))
    if not network.bandwidth:
        raise InputError(f"--bandwidth {bandwidth}: must be more than 0")
    wanted = numbers(ranks)
    try:
        print("\n".join(_projected(studies, network, wanted, cells, cells_per_rank)))
    except InputError:
        raise
    except DAMAGED as error:
        raise InputError(f"the figures of {' or '.join(map(str, directories))} are damaged ({type(error).__name__}: "
                         f"{error}): measure anew with --overwrite") from None


def _projected(studies, network, wanted, cells, cells_per_rank):
    """The lines of a projection."""
    largest = max((f["figures"] for study in studies for f in study["cases"]), key=lambda f: f["cells"], default=None)
    if largest and not largest["cells"]:
        raise InputError("the study is of a model without a tumor: there is nothing to project")
    model = fit(studies)
    total = cells or largest["cells"]
    each = cells_per_rank or largest["cells"] / largest["ranks"]
    lines = [f"strong scaling: {total:,.0f} cells in all"] + table(model, network, total, 0, wanted)
    lines += ["", f"weak scaling: {each:,.0f} cells on each rank"] + table(model, network, 0, each, wanted)
    return lines + ["", "assumptions"] + assumptions(model, network)


def table(model, network, total, each, ranks):
    """Lines of a projection: of `total` cells in all, or of `each` on every rank."""
    lines = [f"{'ranks':>9}{'cells/rank':>13}{'tiles/rank':>12}{'ms/step':>11}{'effic.':>8}{'MiB/rank':>10}  "
             "most of it; then the rest"]
    for n in ranks:
        cells = total or each * n
        if model.tiles(cells) < n:
            lines.append(f"{n:>9,}  more ranks than tiles ({model.tiles(cells):,.0f}): some have nothing to do")
            continue
        here, alone = step(model, network, cells, n), step(model, network, total or each, 1)
        efficiency = alone.seconds / here.seconds / (n if total else 1)
        shares = sorted(here.terms.items(), key=lambda item: -item[1])
        lines.append(
            f"{n:>9,}{here.cells:>13,.0f}{here.tiles:>12,.1f}{1e3 * here.seconds:>11.3f}{efficiency:>8.1%}"
            f"{here.memory / 2**20:>10,.0f}  " + ", ".join(
                f"{name} {s / here.seconds:.0%}" for name, s in shares if s >= 0.005 * here.seconds))
    return lines


def assumptions(model, network):
    """Every number that a projection rests on, a line each."""
    def of(law):
        how = "exponent fitted" if law.fitted else "exponent assumed"
        return (f"{law.scale:,.0f} bytes x tiles^{law.power:.2f} ({how}) x (1 - ranks^(-1/3)), "
                f"{law.busiest:.2f} times that on the busiest rank")

    work = ", ".join(f"{stage} {1e9 * c:,.4g} ns per {'step' if count == 'one' else COUNTED[count]}"
                     for (stage, count), c in model.seconds.items() if c)
    return [f"  {line}" for line in (
        f"latency {1e6 * network.latency_s:g} us; bandwidth {network.bandwidth / 1e9:g} GB/s of a rank while all send",
        f"overhead {1e6 * network.overhead_s:g} us of CPU for a message, {1e9 * network.copy_s:g} ns for a byte; "
        f"{1e9 * network.entry_s:g} ns for each rank that an array has a number of",
        f"CPU as in the study: {work}",
        f"the fit misses the work of a rank by {model.error:.0%} in the median of {model.samples} samples",
        f"measured were {model.measured[0]:,} to {model.measured[1]:,} cells on a rank, at most {model.measured[2]:,} "
        "ranks: the further from that, the more of this is guessed",
        f"tiles of a tumor: {model.volume[0]:.3g} cells + {model.volume[1]:.3g} cells^(2/3) "
        f"+ {model.volume[2]:.3g} cells^(1/3)",
        f"imbalance: at most the threshold of the balance, {model.threshold:.0%}, and one full tile "
        f"(the work of {model.largest_tile:,.0f} cells)",
        f"halo: {model.exchanges:g} exchanges a step with {_count(model.neighbors)} neighbors; {of(model.halo_bytes)}",
        f"cells that move, new tiles: {_count(model.route_messages)} messages; {of(model.route_bytes)}",
        f"{1e6 * model.shed:.3g} CTCs shed per million cells, each to any rank; "
        f"{1e6 * model.passages:.4g} beds entered per million cells",
        f"{model.collectives:.1f} collectives a step, each log2(ranks) latencies",
        f"a number of every rank on every rank: twice in {model.interval} steps (balance)",
        f"memory of a rank: {model.memory[0] / 2**20:,.0f} MiB + {model.memory[1]:.1f} bytes per cell + "
        f"{model.memory[2]:,.0f} per tile + {PER_RANK_BYTES} per rank; not what MPI keeps for its connections",
        "messages do not wait for each other, no rank is slowed by the system, computing and sending do not overlap")]


def _count(law):
    return f"{law.scale:.1f} x (1 - ranks^(-1/3)), at most {law.busiest:.2f} times that,"


COUNTED = {"cells": "cell", "tiles": "tile", "sweeps": "tile and sweep", "passages": "bed entered"}


def _read(directory):
    path = directory / "scaling.json" if directory.is_dir() else directory
    with reading(path):
        text = path.read_bytes()
    try:
        found = json.loads(text)
        found["cases"], found["settings"]["config"], found["kind"]
    except DAMAGED:
        raise InputError(f"{path} is not of a scaling study, or damaged: `metacascade scaling` "
                         "writes it anew") from None
    if found.get("format") != FORMAT:
        raise InputError(f"{path} has format {shown(found.get('format', 0))}; this version of metacascade reads format "
                         f"{FORMAT}: measure again, or use the version in its settings")
    return found
