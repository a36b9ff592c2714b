"""Results of a run that grow part by part and can be read, and trusted, at any moment."""


class Output:
    """The results of a running simulation. Every method is collective unless it says otherwise.

    Parameters
    ----------
    world : World
    directory : path of the run
    config_text : str or None
        The config file as given; None on resume: kept from before.
    config : dict
        Resolved, in internal units.
    columns : dict
        Name -> unit of every column of the time series, in order. Values are int or float.
    nodes : sequence of str
        Names of the nodes of the circuit.
    provenance : dict
        Of this session (see `metacascade.provenance.collect`).
    parts : int
        Parts written when the state was saved (``state.meta["parts"]``); newer ones are removed.
    """

    def __init__(self, world, directory, *, config_text, config, columns, nodes, provenance, parts=0):
        raise NotImplementedError

    def record(self, values):
        """Append a row to the time series: column -> value, global and the same on all ranks. Not collective."""

    def shed(self, ctcs):
        """Append complete fate rows of CTCs owned here. Not collective."""

    def draw(self, **row):
        """Append a blood draw: time_s, index, node, volume_mL, singles, clusters, cells (global). Not collective."""

    def flush(self):
        """Write what was appended since the last part as the next part; returns the number of parts."""

    def finish(self, *, open_ctcs, lesions, digest, wall_s, clones=None):
        """Merge all parts into results.h5 and remove them. wall_s: stage -> seconds on this rank."""


def claim(world, directory, overwrite=False):
    """Make `directory` ours: refuse one that holds files, or with `overwrite` remove those of a former run."""
    raise NotImplementedError


def finished(directory):
    """True if results.h5 is complete."""
    raise NotImplementedError


def describe(path):
    """What is in a file (checkpoint, results, snapshot) or run directory, as text for ``metacascade info``."""
    raise NotImplementedError
