import os

import numpy as np
import pytest

from metacascade import checkpoint
from metacascade.digest import digest
from metacascade.errors import InputError
from metacascade.parallel import serial_world
from states import assert_same, whole_state

WORLD = serial_world()


def test_a_state_read_back_has_the_same_bytes(tmp_path):
    state = whole_state()
    checkpoint.write(WORLD, tmp_path, state)
    again = checkpoint.read(WORLD, tmp_path / "checkpoint.h5")
    assert_same(state, again)
    assert np.array_equal(state.segments, again.segments)


def test_digest_of_file(tmp_path):
    state = whole_state()
    checkpoint.write(WORLD, tmp_path, state)
    assert checkpoint.digest_of(tmp_path / "checkpoint.h5") == digest(WORLD, state)
    print(checkpoint.describe(tmp_path / "checkpoint.h5"), os.listdir(tmp_path))
