"""Whatever can be counted no further ends a run with words for its user: what, how many, what to do."""
import numpy as np
import pytest

import small
from metacascade._kernels import _lesions
from metacascade._kernels._layout import CTC, LESION, LesionState
from metacascade.base.errors import RunError
from metacascade.mechanisms.plan import Plan
from metacascade.model.ledger import Ledger
from metacascade.model.observables import columns
from metacascade.ranks.parallel import serial_world
from metacascade.run.api import Simulation
from metacascade.space.region import keys_of
from metacascade.space.vessels import SEGMENT, Network, join, voxelize
from reference import lesions as twin


def test_a_tumor_at_the_end_of_the_curve():
    keys_of([[2**20 - 1, 0, -2**20]])
    with pytest.raises(RunError, match=r"end of the tissue.*1048576.*tumor.center"):
        keys_of([[2**20, 0, 0]])


def test_more_cells_since_the_start_than_a_total_can_hold():
    ledger, nobody = Ledger(serial_world(), columns(Plan())), dict.fromkeys(("tissue", "circulating", "arrested", "lesions"), 0)
    for _ in range(2):
        ledger.add(passages=2**62 - 1)
        ledger.close(nobody)
    ledger.add(passages=2)
    with pytest.raises(RunError, match="passages: more than 9,223,372,036,854,775,807 .* shorten run.duration"):
        ledger.close(nobody)


@pytest.mark.parametrize("how", ["joined", "appended", "listed"])
def test_more_vessels_in_reach_of_the_voxels_of_a_rank_than_can_be_listed(how, monkeypatch):
    segments = np.zeros(3, SEGMENT)
    segments["bx"], segments["radius"], segments["perfused"] = 240.0, 500.0, 1
    network, limits = Network.from_segments(segments), type("Limits", (), dict(max=2 * 3 * 512 - 1))
    made = voxelize([[0, 0, 0]], 30.0, network, 10.0, [(1.0, 6e6)])
    assert len(made.index) == 3 * 512
    monkeypatch.setattr(np, "iinfo", lambda kind: limits)
    monkeypatch.setattr("metacascade.space.vessels.FIRST_ROOM", 1000)
    with pytest.raises(RunError, match="more than 3,071 vessels.*use more ranks"):
        if how == "joined":
            join([made, made])
        elif how == "appended":
            made.append(made)
        else:
            voxelize([[0, 0, 0], [0, 0, 1], [0, 1, 0]], 30.0, network, 10.0, [(1.0, 6e6)])


def test_a_lesion_that_has_shed_more_cells_than_a_word_counts_gives_each_an_id_of_its_own():
    """The draw of a shed cell has its number in two words."""
    lesion = np.zeros(1, LESION)
    lesion["id"], lesion["n"], lesion["state"] = 0x123456789abcdef0, 5, LesionState.VASCULAR
    found = {}
    for shed in (3, 2**32 + 3, 2**40 + 3):
        lesion["shed"] = shed
        broods, out = np.zeros(1, _lesions.BROOD), np.zeros(3, CTC)
        broods["n"], broods["first"], broods["until"] = 3, shed - 3, 1.0
        _lesions.children(lesion, broods, out, 7)
        row = {name: lesion[0][name].item() for name in LESION.names}
        found[shed] = out["id"].tolist()
        assert found[shed] == [twin.child(row, 7, shed - 3 + k, 0.0, 1.0, False)["id"] for k in range(3)]
    assert len(set(sum(found.values(), []))) == 9


def test_a_tumor_that_begins_in_one_voxel_at_the_highest_density_lives():
    """A ball that ends before the next voxel: 1060 cells lie together, more than the kernel looks at together."""
    sim = Simulation(small.EXAMPLE, ["tissue.capacity=255", "tumor.cells=1060",
                                     'tumor.center=["15 um", "15 um", "15 um"]'])
    assert sim.model.tissue.counts.max() == 1060
    sim.step(4)
    assert sim.ledger["tissue"] > 500 and sim.ledger["initial"] == 1060
