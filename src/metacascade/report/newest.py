"""The state of a run, for pictures: in the newest of its checkpoints that is whole, and is of this run."""
from metacascade.base.errors import InputError
from metacascade.base.screen import one_line
from metacascade.io import checkpoint, needs, samerun
from metacascade.ranks.parallel import serial_world


def state(results):
    """(the state, or None; newer checkpoints that were passed over, with the reason) beside the file of results."""
    passed_over = []
    for path in checkpoint.found(results.path.parent):
        try:
            found = checkpoint.read(serial_world(), path)
        except InputError as error:
            passed_over.append(f"{path.name} is not whole ({one_line(error)})")
            continue
        if _is_of(results, found.meta):
            return found, passed_over
        passed_over.append(f"{path.name} is of another run, or of other settings")
    return None, passed_over


def _is_of(results, meta):
    """Is a checkpoint of a run, by its config and time?"""
    if results.complete and meta["time_s"] > needs.time_s(results)[-1]:
        return False
    return samerun.same(results.config, meta["config"])
