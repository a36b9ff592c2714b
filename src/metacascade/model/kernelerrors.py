"""What the kernel of the tissue refuses to go on with, said to users."""
import contextlib

from metacascade.base.errors import RunError


@contextlib.contextmanager
def crowded():
    """More cells in a voxel than can be counted: say what to do."""
    try:
        yield
    except OverflowError as error:
        raise RunError(f"{error}: cells gather faster than crowding drives them apart. Switch [crowding] on or raise "
                       "crowding.mobility, or lower migration.speed, or the shares of motion up gradients: "
                       "migration.bias, haptotaxis.bias, chemotaxis.bias") from None


@contextlib.contextmanager
def finite(names):
    """Chances of events that are no finite numbers: say from which of the rates on, and what to do."""
    try:
        yield
    except FloatingPointError as error:
        text, rate = error.args
        raise RunError(f"{text}, by {names[rate]}: a factor on it divides by zero or is too large, or the rates are. "
                       f"`metacascade info --rates` lists its factors; raise the half of a hill or fall that lies "
                       "far below its field, or lower the rate, [[therapy]] included") from None
