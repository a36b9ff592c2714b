"""What ``import metacascade`` offers, for editors and type checkers; ``__init__.py`` opens it when it is used."""
from metacascade.base.errors import CellsLost as CellsLost, InputError as InputError, RunError as RunError
from metacascade.config.config import Config as Config, load as load
from metacascade.io.parents import open_run as open
from metacascade.run.api import Simulation as Simulation, branch as branch
from metacascade.run.tissue_files import tissue as tissue

__all__ = ["CellsLost", "Config", "InputError", "RunError", "Simulation", "__version__", "branch", "load", "open",
           "tissue"]
__version__: str
