"""The generator against the known answers of Random123, and the layout of a draw's counter."""
import numpy as np
import pytest

from metacascade._kernels import _layout
from reference.philox import draw, philox, unit52

KNOWN = [   # counter, key, answer: kat_vectors of Random123 1.14, lines "philox4x32 10"
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    ((0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0),
     (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1))]


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_known_answers_of_random123(counter, key, answer):
    key = key[0] | key[1] << 32
    assert _layout.philox(counter, key) == answer
    assert tuple(philox(counter, key)) == answer


def test_kernel_equals_its_twin_for_random_counters_and_keys():
    rng = np.random.default_rng(1)
    counters = rng.integers(0, 2**32, (500, 4), np.uint64)
    keys = rng.integers(0, 2**64, 500, np.uint64)
    expected = philox(counters, keys)
    for counter, key, words in zip(counters.tolist(), keys.tolist(), expected.tolist()):
        assert list(_layout.philox(counter, key)) == words


@pytest.mark.parametrize("n", [0, 1, 1000])
def test_draws_put_a_b_and_use_into_the_counter_and_the_seed_into_the_key(n):
    rng = np.random.default_rng(n)
    a, b = rng.integers(0, 2**64, n, np.uint64), rng.integers(0, 2**32, n).astype(np.uint32)
    seed = 0xFEDCBA9876543210
    got = _layout.draws(seed, _layout.Draw.WALK, a, b)
    assert got.shape == (n, 4)
    np.testing.assert_array_equal(got, draw(seed, _layout.Draw.WALK, a, b))


def test_uniform_numbers_of_arrays_are_those_of_the_kernels():
    words = np.random.default_rng(1).integers(0, 2**32, (2, 1000)).astype(np.uint32)
    words[:, :2] = np.array([0, 2**32 - 1])
    got = _layout.unit52(*words)
    assert got.tolist() == [unit52(high, low) for high, low in words.T.tolist()]
    assert 0.0 < got.min() and got.max() < 1.0


def test_draws_refuse_unequal_lengths():
    with pytest.raises(ValueError, match="a has 2 values and b has 3"):
        _layout.draws(1, 1, np.zeros(2, np.uint64), np.zeros(3, np.uint32))


def test_every_use_of_a_random_number_has_its_own_number():
    assert len(_layout.Draw) == len(_layout.Draw.__members__)      # members of equal value would be aliases


def test_one_changed_bit_anywhere_in_counter_or_key_flips_half_of_the_answer():
    """n = 192 single bits x 128 answers: mean 64 flips, sd of a count sqrt(32); false alarm of 6 sd below 1e-6."""
    rng = np.random.default_rng(2)
    words = rng.integers(0, 2**32, 6, np.uint64)
    base = philox(words[:4], words[4] | words[5] << np.uint64(32))
    for bit in range(192):
        other = words.copy()
        other[bit // 32] ^= np.uint64(1 << bit % 32)
        changed = philox(other[:4], other[4] | other[5] << np.uint64(32)) ^ base
        flips = sum(int(w).bit_count() for w in changed)
        assert abs(flips - 64) < 6 * 32**0.5, f"bit {bit} flips {flips} of 128"
