"""What the experiment on networks reads out: distances to the vessels of the start, whatever becomes of the tumor."""
import functools

import numpy as np

from metacascade.config.config import Config
from metacascade.space import network_read, network_tiled
from metacascade.space.network_distance import extravascular
from metacascade.space.network_imported import ends
from metacascade.space.vessels import Network
from metacascade.studies.readouts import readout

BOX_UM = 1000.0             # edge of the cube of a generated network in which points are laid
POINTS = 20_000             # where distances are measured: their mean is known to about half a percent


@readout("um")
def vessel_distance_mean_um(results):
    """Mean distance of points outside of the vessels to the nearest center line, of the bed at the start."""
    return float(distances(results).mean())


@readout("um")
def vessel_distance_p90_um(results):
    """The distance to the nearest center line that nine in ten points outside of the vessels are within."""
    return float(np.quantile(distances(results), 0.9))


@readout("1")
def vessel_volume_fraction(results):
    """Share of the tissue that the bed at the start fills, as the share of points that lie in a vessel."""
    return 1.0 - len(distances(results)) / POINTS


@functools.lru_cache(maxsize=1)
def distances(results):
    """Distance [um] of those of POINTS evenly drawn points that lie in no vessel to the nearest center line.

    The points are of run.seed, and lie in a cube round the tumor, or, if the vessels are a network that is repeated, in
    one box of it.
    """
    config = Config.from_dict(results.config)
    found = network_read.network(config)
    if found is None:
        network = Network.from_config(config.vessels, config.run.seed)
        low = np.array(config.tumor.center_um if config.tumor else (0.0, 0.0, 0.0)) - 0.5 * BOX_UM
        high = low + BOX_UM
    else:
        network, box = Network.from_segments(found.segments), network_tiled.box_of(found.segments)
        low, high = box if box else (np.minimum(*ends(found.segments)).min(axis=0),
                                     np.maximum(*ends(found.segments)).max(axis=0))
    return extravascular(network, low, high, POINTS, config.run.seed)
