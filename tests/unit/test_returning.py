"""The places where returning cells may lodge."""
from types import SimpleNamespace

import numpy as np
import pytest

from metacascade.parallel import serial_world
from metacascade.returning import places_of_tiles


@pytest.mark.parametrize("cells, places", [
    ((5, 9, 0), (7, 0, 0)),         # beside the cells
    ((0, 9, 0), (7, 0, 3)),         # no vessel is near the cells that are left: anywhere
    ((0, 0, 0), (7, 0, 3))])        # no cell is left
def test_places_lie_beside_cells_if_there_are_any(cells, places):
    tissue = SimpleNamespace(exchange=SimpleNamespace(world=serial_world()), reachable=np.array([7, 0, 3]),
                             arena=SimpleNamespace(n=np.array(cells)))
    assert places_of_tiles(tissue).tolist() == list(places)
