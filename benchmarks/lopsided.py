"""Load balance of a tumor that grows on one side only: imbalance with and without moving tiles, and what moving costs.

``mpiexec -n 4 python benchmarks/lopsided.py [CELLS [REPEATS [HOURS]]]``. The tumor lies far from the origin; one half
of it has vessels: there cells divide three times a day, in the other half they die of hypoxia. Imbalance is the
largest over the mean of the ranks, less one: of the counted work (cells and tiles), and of the CPU seconds of all
stages without communication. One row for each twelve hours. The work is the same in each repeat; of the CPU seconds
of a rank the least counts, as what other programs do to the caches only adds to them. Ranks that share a core disturb
each other.
"""
import csv
import sys
import tempfile
import time
from pathlib import Path

from metacascade.config import config, presets
from metacascade.model.simulation import Simulation
from metacascade.ranks import parallel
from metacascade.ranks.balance import work
from metacascade.space import rebalance

CELLS = 100_000
CENTER_UM = (5000, -3000, 2000)
HOURS, ROW = 72, 12               # steps of one hour
SPACING_UM, REACH_UM = 90, 1200   # of the vessels, which run along z; how far they go
SETTINGS = (
    "run.step='1 h'", "growth.division_time='8 h'", "growth.death_rate='0/day'", "hypoxia.survival='6 h'",
    "hypoxia.threshold='30 mmHg'", "hypoxia.full='10 mmHg'")


def write_network(path):
    """Straight vessels on the side of larger x."""
    x0, y0, z0 = CENTER_UM
    with open(path, "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow("x1,y1,z1,x2,y2,z2,radius,maturity,perfused".split(","))
        for x in range(x0 + 20, x0 + REACH_UM, SPACING_UM):
            for y in range(y0 - REACH_UM, y0 + REACH_UM, SPACING_UM):
                rows.writerow([x, y, z0 - REACH_UM, x, y, z0 + REACH_UM, 6, 0.5, 1])


def simulation(world, cells, folder, *settings):
    """The lop-sided tumor at its start."""
    path = Path(folder) / "network.csv"
    if world.rank == 0:
        write_network(path)
    world.barrier()
    center = "[" + ", ".join(f"'{um} um'" for um in CENTER_UM) + "]"
    return Simulation(config.load(presets.FOLDER / "mouse_breast_fixed.toml", [
        *SETTINGS, *settings, f"tumor.cells={cells}", f"tumor.center={center}", f"vessels.file='{path}'"]), world)


def excess(world, mine):
    """Largest over mean, less one."""
    return world.max(int(mine)) * world.size / max(int(world.sum([int(mine)])[0]), 1) - 1.0


def measure(world, cells, hours, folder, *settings):
    """Grow the tumor: rows of (hours, cells, imbalance of work, times moved, seconds, those of moving), CPU seconds."""
    model = simulation(world, cells, folder, *settings)
    moved, rows, cpu_s, began, original = [], [], [], time.perf_counter(), rebalance.move

    def timed(*args):
        start = time.perf_counter()
        original(*args)
        moved.append(time.perf_counter() - start)

    rebalance.move = timed
    for step in range(1, hours + 1):
        model.step()
        if step % ROW == 0:
            cpu_s.append(sum(model.clock.cpu_s.values()))
            model.clock.cpu_s.clear()
            rows.append((step, model.ledger.totals["tissue"], excess(world, work(model.tissue.arena.n).sum()),
                         len(moved), time.perf_counter() - began, sum(moved)))
    rebalance.move = original
    return rows, cpu_s


def main():
    world = parallel.start()
    cells, repeats, hours = map(int, (sys.argv[1:] + [CELLS, 1, HOURS][len(sys.argv) - 1:])[:3])
    for name, setting in (("with", "balance.enabled=true"), ("without", "balance.enabled=false")):
        least = [float("inf")] * (hours // ROW)
        for _ in range(repeats):
            with tempfile.TemporaryDirectory() as folder:
                rows, cpu_s = measure(world, cells, hours, world.bcast(folder), setting)
            least = list(map(min, least, cpu_s))
        by_cpu = [excess(world, 1e6 * seconds) for seconds in least]
        if world.rank == 0:
            print(f"{name} balancing, {world.size} ranks\n{'hours':>6}{'cells':>11}{'work':>8}{'CPU':>8}{'moved':>7}"
                  f"{'seconds':>9}{'moving':>8}")
            for (hours, n, by_work, times, seconds, moving), cpu in zip(rows, by_cpu):
                print(f"{hours:6}{n:11,}{by_work:8.1%}{cpu:8.1%}{times:7}{seconds:9.1f}{moving:8.2f}", flush=True)


if __name__ == "__main__":
    main()
