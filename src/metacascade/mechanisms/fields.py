"""What a mechanism declares of fields: numbers in every voxel that are solved for."""
from dataclasses import dataclass
from typing import ClassVar

from metacascade.mechanisms.terms import Value, valued


def _take(field, names):
    """Plain numbers as values."""
    for name in names.split():
        object.__setattr__(field, name, valued(getattr(field, name)))


def whole_steps(every_s: int, config) -> int:
    """`every` of a field with this time from one solution to the next: the steps that fit into it, one at least."""
    return max(1, every_s // config.run.step_s)


@dataclass(frozen=True)
class Diffusing:
    """A field that diffuses, decays, comes out of perfused vessels, is taken up by cells and secreted by them.

        dc/dt = D lap c - decay c - uptake n / capacity c / (c + michaelis) + s (vessel - c) + secretion m / capacity

    with s the exchange with the vessels of the voxel, from the permeability `wall` of their walls, and m its cells by
    their weight. `secreted` names the rate of secretion [unit/h], of a voxel filled to capacity: a coefficient, which
    factors by EMT and by traits, 0 to 1, make the weight of a cell.
    """
    name: str
    unit: str
    diffusion: Value | float                            # [um^2/h]
    vessel: Value | float                               # in perfused vessels
    wall: Value | float                                 # [um/h] permeability of the vessel's wall
    start: Value | float                                # of a tile when it is added
    decay: Value | float = 0.0                          # [1/h]
    uptake: Value | float = 0.0                         # [unit/h] of a voxel filled to capacity
    michaelis: Value | float = 1.0                      # at which uptake is half of the largest
    sweeps: int = 8                                     # per step
    start_sweeps: int = 0                               # before the first step
    coarse: int = 8                                     # values along an edge of a tile: 8, 4 or 2
    every: int = 1                                      # steps between two solutions
    secreted: str = ""                                  # rate of secretion by cells; "": they secrete nothing
    absent: float = 0.0                                 # what cells feel of it where it does not exist
    doc: str = ""
    in_time: ClassVar[tuple] = ("vessel", "uptake", "decay")    # coefficients that may change in the course of a run

    def __post_init__(self):
        _take(self, "diffusion vessel wall start decay uptake michaelis")

    @property
    def text(self) -> str:
        """Its equation."""
        gone = f" - {self.decay.text} * {self.name}" if self.decay.number else ""
        eaten = (f" - {self.uptake.text} * density * {self.name} / ({self.name} + {self.michaelis.text})"
                 if self.uptake.number else "")
        made = f" + {self.secreted} * density" if self.secreted else ""
        return (f"d {self.name} / dt = {self.diffusion.text} * laplacian({self.name}){gone}{eaten}"
                f" + exchange * ({self.vessel.text} - {self.name}){made}")


@dataclass(frozen=True)
class Pressure:
    """The pressure of crowded cells: p >= 0, (1 - L^2 laplacian) p >= density - 1, one of the two an equality.

    L^2 = mobility x relaxation. The density is taken over `smoothing`. Part of the state: its sweeps start from it.
    """
    name: str
    mobility: Value | float                             # [um^2/h]
    relaxation: Value | float                           # [h]
    smoothing: Value | float                            # [um]
    sweeps: int = 4
    start_sweeps: int = 0
    every: int = 1                                      # steps between two solutions
    unit: str = ""
    absent: float = 0.0
    doc: str = ""
    in_time: ClassVar[tuple] = ()

    def __post_init__(self):
        _take(self, "mobility relaxation smoothing")

    @property
    def text(self) -> str:
        """Its equation."""
        return (f"{self.name} >= 0, {self.name} - {self.mobility.text} * {self.relaxation.text} * "
                f"laplacian({self.name}) >= density - 1, one of them equal")


FIELDS = (Diffusing, Pressure)
