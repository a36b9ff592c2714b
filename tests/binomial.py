"""What a binomial number may be, for statistical tests."""
import math

Z = 4.5     # standard deviations; false alarm of a two-sided test: 7e-6


def assert_binomial(found, n, p):
    """Assert that `found` of n is within Z standard deviations of n p: n p itself where p is 0 or 1."""
    sd = math.sqrt(n * p * (1 - p))
    assert abs(found - n * p) <= Z * sd, f"{found} of {n}, expected {n * p:.1f} +- {sd:.1f}"
