"""Sections of the config for the primary tumor: its cells, its voxels and its vessels."""
from typing import Annotated, ClassVar

from pydantic import Field

from metacascade.base.declare import (
    ASSUMED,
    COMPUTED,
    RECALLED,
    Section,
    choice,
    integer,
    number,
    place,
    quantity,
    switch,
    text,
)
from metacascade.config.body import HOSTS
from metacascade.config.run import LARGEST_SEED

CELLS_PER_UM3 = 3e-4
NETWORKS = "tumor networks R3230Ac, FaDu, sparse R3230Ac (secomb/GreensV4; computed from the segments)"
FARTHEST_UM = 1e6
NETWORK_FORMATS = ("csv", "secomb", "swc", "vtp")
Size = Annotated[float, Field(strict=True, ge=0, le=FARTHEST_UM)]
Coordinate = Annotated[float, Field(strict=True, ge=-FARTHEST_UM, le=FARTHEST_UM)]


class Tumor(Section):
    """The primary tumor at the start: a ball of cells. Left out: there is none."""
    table: ClassVar[str] = "tumor"

    cells: int = integer("cells", 100_000, 1, 10**12, doc="Cells at the start.")
    center_um: tuple[Coordinate, Coordinate, Coordinate] = place(
        "center", "um", "um", (0.0, 0.0, 0.0), -FARTHEST_UM, FARTHEST_UM, doc="Center of the ball.")
    organ: str = choice("organ", "breast", tuple(HOSTS), doc=(
        "The organ that the tumor grows in. Its bed drains where this organ drains."))
    perfusion_mL_per_min_per_g: float = quantity(
        "perfusion", "mL/min/g", "mL/min/g", 0.3, 0, 10, usual=(0.01, 1),
        source="human breast cancer about 0.3 (Beaney 1984); range over tumors Vaupel 1989", status=RECALLED,
        doc="Blood flow through the tumor bed per mass of tumor; 3e8 cells are one gram.")

    lumped: bool = switch(key="lumped", default=False, doc=(
        "A number of cells without space ([lumped]) instead of tissue: for long times and many patients."))

    @property
    def node(self) -> str:
        """The node of the circuit whose drainage the tumor shares."""
        return HOSTS[self.organ]


class Tissue(Section):
    """The grid of voxels that the cells feel each other through."""
    table: ClassVar[str] = "tissue"

    edge_um: float = quantity("voxel", "um", "um", 30, 10, 100, doc=(
        "Edge of a voxel: the resolution of density and oxygen. 8 voxels along each edge of a tile."))
    capacity_given: float | None = number("capacity", None, 0.1, 1000, source=(
        "3e8 viable cells/g, from a cell of 2494 um^3 (PhysiCell) at 75 % packing"), status=COMPUTED, doc=(
            "Cells of a full voxel; left out: 3e-4 per um^3, 8.1 in (30 um)^3. Cells above it press."))

    @property
    def capacity(self) -> float:
        """Cells of a full voxel: a real number, which need not be whole."""
        return CELLS_PER_UM3 * self.edge_um**3 if self.capacity_given is None else self.capacity_given


class Traits(Section):
    """The traits of the cells of the primary tumor at the start; daughters inherit them."""
    table: ClassVar[str] = "traits"

    motile_fraction: float = number("motile_fraction", 0.05, 0, 1, usual=(0.005, 0.5), source="no measurement",
                                    status=ASSUMED, doc="Share of the cells that migrate.")
    adhesion_mean: float = number("adhesion_mean", 0.7, 0, 1, source="no measurement", status=ASSUMED, doc=(
        "Mean adhesion to neighbors: 0 free, 1 bound."))
    adhesion_spread: float = number("adhesion_spread", 0.2, 0, 1, source="no measurement", status=ASSUMED, doc=(
        "Standard deviation of the adhesion over cells, before it is cut to 0..1."))


class Vessels(Section):
    """The vessels of the tumor and its surroundings: generated, or read from a file."""
    table: ClassVar[str] = "vessels"

    length_density_per_um2: float = quantity(
        "length_density", "mm/mm^3", "1/um^2", 150, 0.1, 2000, usual=(15, 220), source=f"{NETWORKS}: 113, 186, 15.5",
        status=COMPUTED, doc="Length of vessels per volume of tissue.")
    radius_um: float = quantity("radius", "um", "um", 5, 1, 100, usual=(2.2, 30), source=(
        f"{NETWORKS}: median diameter 8-11 um"), status=COMPUTED, doc="Median radius of the segments (lognormal).")
    radius_spread: float = number("radius_spread", 0.72, 0, 2, source=(
        "sqrt(2 ln(13/10)): length-weighted mean diameter 13 um over median 10 um, same networks"), status=COMPUTED,
        doc="Standard deviation of ln(radius).")
    maturity_mean: float = number("maturity_mean", 0.3, 0, 1, source="no measurement", status=ASSUMED, doc=(
        "Mean maturity: 0 new and leaky, 1 mature."))
    maturity_spread: float = number("maturity_spread", 0.2, 0, 1, source="no measurement", status=ASSUMED, doc=(
        "Standard deviation of the maturity over segments, before it is cut to 0..1."))
    jitter: float = number("jitter", 0.3, 0, 0.5, source="geometry of the generated network", status=ASSUMED, doc=(
        "Largest displacement of a lattice node along each axis, as a share of the spacing."))
    drop: float = number("drop", 0.2, 0, 0.9, source="geometry of the generated network", status=ASSUMED, doc=(
        "Share of the edges of the lattice that are missing."))
    interval_s: int = quantity("interval", "h", "s", 6, 1 / 60, 168, doc=(
        "Time between two steps of vessels that live (angiogenesis, maturation, perfusion); a multiple of run.step."))
    file: str | None = text("file", None, longest=4096, doc=(
        "File of segments instead of a generated network (docs/formats.md); relative to the config file, also in --set."
        ))
    format: str | None = choice("format", None, NETWORK_FORMATS, doc=(
        "Format of the file; left out: by its suffix, .csv .tsv .txt, .dat, .swc or .vtp."))
    unit_um: float = quantity("unit", "um", "um", 1.0, 1e-6, 1e6, alone=True, doc=(
        "Unit of length in the file, for places and radii: um, mm, cm, m, or a length such as 0.65 um for one voxel."))
    columns: str | None = text("columns", None, longest=1000, doc=(
        'Which columns of a csv file, or arrays of a vtp file, are which: "x1 = xa, radius = #7, ..."; #7 is the 7th.'))
    separator: str | None = choice("separator", None, ("comma", "semicolon", "tab", "space"), doc=(
        "Between the values of a csv file; left out: the one that its first line has."))
    center: bool = switch(key="center", default=False, doc=(
        "Move the network so that the middle of its box is tumor.center; off: it stays where the file has it."))
    offset_um: tuple[Coordinate, Coordinate, Coordinate] = place(
        "offset", "um", "um", (0.0, 0.0, 0.0), -FARTHEST_UM, FARTHEST_UM, doc=(
            "Added to every place of the file, after vessels.center."))
    tile: bool = switch(key="tile", default=False, doc=(
        "Repeat the network of the file without end, box by box in mirror images; off: outside of it are no vessels."))
    box_um: tuple[Size, Size, Size] = place(
        "box", "um", "um", (0.0, 0.0, 0.0), 0, FARTHEST_UM, doc=(
            "Size of the box that vessels.tile repeats; 0: as a file of Secomb says, else that of the center lines."))
    overlaps: str = choice("overlaps", "warn", ("warn", "refuse"), doc=(
        "Segments of a file that run through each other or are there twice: counted in a warning, or refused."))
    seed: int | None = integer("seed", None, 0, LARGEST_SEED, doc=(
        "Seed of the generated network; left out: run.seed. Give it to keep the vessels while run.seed varies."))
