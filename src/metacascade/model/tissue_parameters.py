"""What the kernel of the tissue needs besides the rates: coefficients of the plan, in its own units."""
import math

import numpy as np

from metacascade.base.errors import InputError
from metacascade.config.sprouting import largest_um
from metacascade.mechanisms.compile import wall_of
from metacascade.model.motion import biases, by_state, fastest, resistance
from metacascade.space import vasculature
from metacascade.space.pressure import passes_over

OF_MOTION = ("biases", "resists", "smoothing")      # of `parameters`, what Tissue.motion makes arrays of
MOST_MOVE = 8 * 65536           # [edge/65536] a tile: the destination code of tissue.h names only those next to it


def parameters(config, plan, scales=()):
    """What the kernel needs besides the rates, in its own units; a mechanism that is off has the value 0.

    ``biases`` are those of `motion.biases`, ``resists`` is the field of `motion.resistance`, ``smoothing`` the
    passes and the share by which it is taken over crowding.smoothing, as the density that pushes. `scales`: what
    coefficients are multiplied by, a dict of name and number. Raises InputError if cells would move farther in a step
    than the kernel can tell; config.check refuses steps far shorter than that.
    """
    def number(name, default=0.0):
        return plan.number(name, scales, default)

    edge, dt = config.tissue.edge_um, config.run.step_h
    speed, more = number("tissue.speed"), number("tissue.cluster_cells")
    sd = math.sqrt(2.0 * speed**2 * number("tissue.persistence") / 3.0 * dt) / edge
    reach, mature = wall_of(plan)
    amplitude = round(4096.0 * math.sqrt(6.0) * sd)
    followed, (resists, pressure) = biases(config, plan, scales), resistance(plan, scales)
    if config.has_tissue and not farthest(amplitude, sum(bias for _, bias, _ in followed), fastest(plan)) < MOST_MOVE:
        raise InputError("cells would move beyond the next tile in a step: shorten run.step, or lower tissue.speed, "
                         "tissue.persistence, or tissue.bias and its like, factors of mechanisms and [[therapy]] "
                         "included")
    return dict(
        seed=config.run.seed, dt_h=dt, edge_um=edge, capacity=config.tissue.capacity, amplitude=amplitude,
        biases=followed, mobility=number("tissue.hop") * dt / edge**2, resists=resists, resistance=pressure,
        smoothing=passes_over(config.crowding.smoothing_um, edge), reach_um=reach, permeability_mature=mature,
        cluster_fraction=number("tissue.cluster"),
        cluster_log_more=-math.inf if more <= 2 else math.log1p(-1.0 / (more - 1.0)))


def of_kernel(parameters, step, t_h):
    """Those of `parameters` that the kernel takes as they are, in a step that begins at t_h."""
    return {name: value for name, value in parameters.items() if name not in OF_MOTION} | dict(step=step, t_h=t_h)


def reach_um(config, plan):
    """From which distance a cell reaches a vessel: that of what sheds. Without any, cells still come back there."""
    return wall_of(plan, config.intravasation.reach_um)[0]


def refuse_wide(config, plan, network):
    """InputError if vessels that live are too wide for their tiles, or cells and tips come to them from too far."""
    of_tips = largest_um(config, plan)
    vasculature.refuse_wide(network, config.tissue.edge_um, max(
        reach_um(config, plan), of_tips["speed"] + of_tips["reach"]), of_tips["radius"])


def farthest(amplitude, bias, speed):
    """How far STEP of tissue.h leads along an axis at most [edge/65536], each part rounded up.

    Below MOST_MOVE nothing in it leaves 32 bits: (8 x 65536 - 1) x 4096 + 4095 is the largest number of those. A speed
    that would leave them by itself leads infinitely far.
    """
    if 65535 * speed >= 2**31:
        return math.inf
    dice = -(-65535 * speed // 256)
    return (dice * amplitude + 2048 >> 12) + (bias + 1.0) * speed / 256.0 + 1.0 if speed else 0.0


def along(plan):
    """Factors on the chance to leave with neighbors, by EMT and by adhesion: float32, shape (2, 256)."""
    return by_state(plan, "tissue.cluster").astype(np.float32)
