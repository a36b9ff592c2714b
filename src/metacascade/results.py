"""Read results: lazy NumPy views of results.h5, also while the run goes on."""


def open_results(path):
    """The results in a file or run directory, as `Results`."""
    raise NotImplementedError
