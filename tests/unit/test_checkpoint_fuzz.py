import numpy as np
import pytest

from metacascade.base.errors import InputError
from metacascade.io import checkpoint, datasets
from metacascade.ranks.parallel import serial_world
from states import whole_state

WORLD = serial_world()


def flipped(data, rng):
    for place in rng.integers(0, len(data), rng.integers(1, 4)):
        data[place] ^= 1 << rng.integers(0, 8)
    return data


def flipped_head(data, rng):
    data[rng.integers(0, 512)] ^= 1 << rng.integers(0, 8)
    return data


def cut(data, rng):
    return data[:rng.integers(0, len(data))]


def extended(data, rng):
    return np.append(data, rng.integers(0, 256, rng.integers(1, 600)).astype(np.uint8))


def zeroed(data, rng):
    start = rng.integers(0, len(data))
    data[start:start + rng.integers(1, 5000)] = 0
    return data


def spliced(data, rng):
    source, target = rng.integers(0, len(data), 2)
    piece = data[source:source + rng.integers(1, 5000)].copy()
    data[target:target + len(piece)] = piece[:len(data) - target]
    return data


def removed(data, rng):
    start = rng.integers(0, len(data))
    return np.delete(data, slice(start, start + rng.integers(1, 5000)))


MUTATIONS = (flipped, flipped_head, cut, extended, zeroed, spliced, removed)


def refuses_mutated_files(directory, monkeypatch, number, seed):
    checkpoint.write(WORLD, directory, whole_state(tiles=2, ctcs=20, lesions=5))
    path = directory / "checkpoint.h5"
    whole, rng = np.fromfile(path, np.uint8), np.random.default_rng(seed)

    def reached(*_):
        raise AssertionError("HDF5 was given a damaged file")
    monkeypatch.setattr(datasets, "open_file", reached)
    for i in range(number):
        mutated = MUTATIONS[i % len(MUTATIONS)](whole.copy(), rng)
        if np.array_equal(mutated, whole):
            continue
        mutated.tofile(path)
        with pytest.raises(InputError, match="checkpoint"):
            checkpoint.read(WORLD, path)


def test_hundreds_of_mutated_files_are_refused_before_hdf5_sees_them(tmp_path, monkeypatch):
    refuses_mutated_files(tmp_path, monkeypatch, 700, seed=1)


@pytest.mark.slow
def test_ten_thousand_mutated_files_are_refused_before_hdf5_sees_them(tmp_path, monkeypatch):
    refuses_mutated_files(tmp_path, monkeypatch, 10_500, seed=2)
