"""Made-up figures of `metacascade bench`, in which every law holds exactly: for tests of scaling studies."""
from metacascade.config import config, presets

CELL_S, TILE_S, SWEEP_S, PASSAGE_S, STEP_S = 20e-9, 5e-6, 250e-9, 60e-9, 1e-3
MEMORY, CELL_BYTES, TILE_BYTES = 80e6, 15.0, 20_000.0
HALO_BYTES, NEIGHBORS, STEPS = 30_000.0, 10, 4
SWEEPS, EXCHANGES = 5, 5        # in every second step: 6 sweeps of oxygen, 4 of pressure, 3 visits of each color
SETTINGS = dict(kind="weak", steps=STEPS, warm=0, version="", git="", config=config.load(
    presets.FOLDER / "mouse_breast_fixed.toml").to_dict())


def figures(cells, ranks, digest=None, step_s=None):
    """Of a tumor of so many cells on so many ranks: all ranks have the same, but for a little that tells terms apart."""
    tiles = tiles_of(cells)
    per_rank = [_rank(r, cells / ranks * (1 + 0.1 * (r % 2)), tiles / ranks * (1 + 0.3 * (r % 3)), ranks)
                for r in range(ranks)]
    seconds = step_s or max(sum(rank["cpu_s"].values()) for rank in per_rank) / STEPS
    return dict(
        ranks=ranks, cells=cells, voxels=int(512 * tiles), steps=STEPS, warm=0, shed_ctcs_per_step=0.0,
        digest=digest or f"end of {cells}", oversubscribed=ranks > 2, step_s=[seconds] * STEPS,
        communication_share=0.1, collectives_per_step=7.0, per_rank=per_rank)


def tiles_of(cells):
    return 5e-4 * cells + 0.02 * cells**(2 / 3)


def _rank(rank, cells, tiles, ranks):
    sweeps, passages = SWEEPS * tiles, cells / 1000 * (1 + rank % 4)
    halo = HALO_BYTES * tiles**0.7 * (1 - ranks**(-1 / 3))
    cpu = dict(fields=SWEEP_S * sweeps, tissue=CELL_S * cells + TILE_S * tiles, blood=PASSAGE_S * passages,
               margin=0.75 * STEP_S, ledger=0.25 * STEP_S)
    return dict(
        rank=rank, cells=cells, tiles=tiles, work=cells + 400 * tiles, largest_tile_work=4500, ctcs=10,
        neighbors=NEIGHBORS if ranks > 1 else 0, peak_bytes=MEMORY + CELL_BYTES * cells + TILE_BYTES * tiles,
        cell_updates=cells * STEPS, tile_sweeps=sweeps * STEPS, passages=passages * STEPS,
        wall_s={stage: s * STEPS for stage, s in cpu.items()}, cpu_s={stage: s * STEPS for stage, s in cpu.items()},
        waited_s=dict.fromkeys(cpu, 0.0), traffic=dict(
            halo=_traffic(NEIGHBORS * EXCHANGES if ranks > 1 else 0, halo), route=_traffic(3, 1000.0),
            collectives=_traffic(7, 56)))


def _traffic(count, sent):
    return dict(count=count * STEPS, bytes=sent * STEPS, wall_s=0.0, cpu_s=0.0)
