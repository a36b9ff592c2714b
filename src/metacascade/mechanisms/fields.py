"""What a mechanism declares of fields: numbers in every voxel that are solved for."""
import math
from dataclasses import dataclass
from typing import ClassVar

from metacascade.mechanisms.terms import ADD, ADMIT, LOSE, SECRETE, Value, valued

# Time from one solution to the next: of what changes within hours, and of what changes within a day or slower.
QUICK_S, SLOW_S = 3600, 3 * 3600


def _take(field, names):
    """Plain numbers as values."""
    for name in names.split():
        object.__setattr__(field, name, valued(getattr(field, name)))


def whole_steps(every_s: int, config) -> int:
    """`every` of a field with this time from one solution to the next: the steps that fit into it, one at least."""
    return max(1, every_s // config.run.step_s)


def sweeps_over(sweeps: int, config) -> int:
    """Sweeps for voxels of 30 um, more for smaller ones: a sweep carries a change over voxels, not a length."""
    return math.ceil(sweeps * max(1.0, 30.0 / config.tissue.edge_um))


def enough_sweeps(most: int, diffusion: Value, decay: Value, every: int, config) -> int:
    """`sweeps_over` of `most`, or fewer if they reduce an error to a tenth, of a field with a value in each voxel.

    In a step a change spreads over L = sqrt(D / (1/dt + decay)), where few sweeps do if that is about a voxel: m of
    them reduce an error by cosh(2 m arcosh(1 + h^2 / (6 L^2))) (relaxation.schedule).
    """
    if not diffusion.number:
        return 1
    loss = 1.0 / (every * config.run.step_h) + decay.number
    enough = math.acosh(10.0) / (2.0 * math.acosh(1.0 + loss * config.tissue.edge_um**2 / (6.0 * diffusion.number)))
    return max(1, min(sweeps_over(most, config), math.ceil(enough)))       # one also of what reaches nowhere


@dataclass(frozen=True)
class Diffusing:
    """A field that diffuses, decays, is taken up by cells, and comes out of perfused vessels.

        dc/dt = D lap c - decay c - uptake n / capacity c / (c + michaelis) + s (vessel - c) + terms

    with s the exchange with the vessels of the voxel, from the permeability `wall` of their walls (None: they give
    none). What else there is are rates of the name field.NAME.x, with factors by signals of the voxel:

        SECRETE  + rate m / capacity        by cells [unit/h]; m: weights of those of the voxel
        ADD      + rate                     everywhere [unit/h]
        LOSE     - rate c                   [1/h]
        ADMIT    s is multiplied by the rate

    Factors by EMT and by traits, 0 to 1, on what is secreted make the weight of a cell. Signals are those at the start
    of the step. Without diffusion each voxel is for itself.
    """
    name: str
    unit: str
    diffusion: Value | float                            # [um^2/h]
    start: Value | float                                # of a tile when it is added, if stroma has no level
    vessel: Value | float = 0.0                         # in perfused vessels
    wall: Value | float | None = None                   # [um/h] permeability of the vessel's wall
    decay: Value | float = 0.0                          # [1/h]
    uptake: Value | float = 0.0                         # [unit/h] of a voxel filled to capacity
    michaelis: Value | float = 1.0                      # at which uptake is half of the largest
    sweeps: int = 8                                     # per step
    start_sweeps: int = 0                               # before the first step
    steady_start: bool = False                          # these as if a step had no end: for what changes in days
    coarse: int = 8                                     # values along an edge of a tile: 8, 4 or 2
    every: int = 1                                      # steps between two solutions
    absent: float = 0.0                                 # what cells feel of it where it does not exist
    doc: str = ""

    @property
    def in_time(self) -> tuple:
        """Coefficients that may change in the course of a run."""
        return ("vessel",) * (self.wall is not None) + ("uptake", "decay")

    def __post_init__(self):
        _take(self, "diffusion vessel start decay uptake michaelis" + " wall" * (self.wall is not None))

    @property
    def text(self) -> str:
        """Its equation without terms."""
        return self.with_terms(())

    def with_terms(self, terms) -> str:
        """Its equation; `terms`: the rates of this field."""
        flows = f" + {self.diffusion.text} * laplacian({self.name})" if self.diffusion.number else ""
        gone = f" - {self.decay.text} * {self.name}" if self.decay.number else ""
        eaten = (f" - {self.uptake.text} * density * {self.name} / ({self.name} + {self.michaelis.text})"
                 if self.uptake.number else "")
        admit = "".join(f"{one.name} * " for one in terms if one.action == ADMIT)
        enters = f" + {admit}exchange * ({self.vessel.text} - {self.name})" if self.wall else ""
        how = {SECRETE: " + {} * density", ADD: " + {}", LOSE: f" - {{}} * {self.name}"}
        more = "".join(how[one.action].format(one.name) for one in terms if one.action in how)
        return f"d {self.name} / dt =" + (flows + gone + eaten + enters + more).removeprefix(" +")


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
