"""Checkpoints: written whole or not at all, refused unless every byte is as it was written."""

NAME, FORMER = "checkpoint.h5", "checkpoint.prev.h5"


def write(world, directory, state):
    """Write `state` to ``directory/checkpoint.h5`` and keep the former one as ``checkpoint.prev.h5``. Collective."""
    raise NotImplementedError


def read(world, path):
    """This rank's share of the state in the file `path`, for any number of ranks. Collective."""
    raise NotImplementedError


def read_newest(world, directory):
    """(state, path, remark): the newest intact checkpoint of a run; remark is None or says why it is not checkpoint.h5."""
    raise NotImplementedError


def digest_of(path):
    """The digest of the state in a checkpoint file, by one process, in bounded memory."""
    raise NotImplementedError
