"""Sections of the config for the primary tumor: its cells, oxygen, vessels and the way into them."""
from typing import Annotated, ClassVar

from pydantic import Field

from metacascade.base.declare import (
    ASSUMED, COMPUTED, MEASURED, RECALLED, Section, choice, integer, number, place, quantity, switch, text)
from metacascade.config.body import HOSTS
from metacascade.config.run import LARGEST_SEED

PHYSICELL = "PhysiCell (MathCancer/PhysiCell @69a23db)"
CONVENTION = f"convention of the core of {PHYSICELL}"
NETWORKS = "tumor networks R3230Ac, FaDu, sparse R3230Ac (secomb/GreensV4; computed from the segments)"
FARTHEST_UM = 1e6
NETWORK_FORMATS = ("csv", "secomb", "swc", "vtp")
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

    @property
    def node(self) -> str:
        """The node of the circuit whose drainage the tumor shares."""
        return HOSTS[self.organ]


class Tissue(Section):
    """The grid of voxels that the cells feel each other through."""
    table: ClassVar[str] = "tissue"

    edge_um: float = quantity("voxel", "um", "um", 30, 10, 100, doc=(
        "Edge of a voxel: the resolution of density and oxygen. 8 voxels along each edge of a tile."))
    capacity: int = integer("capacity", 8, 1, 255, usual=(1, 64), source=(
        "3e8 viable cells/g, from a cell of 2494 um^3 (PhysiCell) at 75 % packing: 8.1 cells in (30 um)^3"),
        status=COMPUTED, doc=(
            "Cells of a full voxel. Division needs room, a factor 1 - cells / capacity; above it there is pressure."))


class Growth(Section):
    """Division and background death of tumor cells."""
    table: ClassVar[str] = "growth"

    enabled: bool = switch("Cells divide and die by apoptosis.")
    division_time_h: float = quantity("division_time", "h", "h", 24, 1, 8766, usual=(16, 120), source=(
        f"cultured lines 24 h, human tumors 48 h; {PHYSICELL} 23 h"), status=MEASURED,
        doc="Doubling time of a well-fed cell with room: the division hazard is ln 2 / division_time.")
    death_per_h: float = quantity("death_rate", "1/day", "1/h", 0.05, 0, 24, usual=(0.005, 0.5), source=(
        "cell-loss factors of human carcinomas (Steel)"), status=RECALLED, doc="Hazard of apoptosis.")
    oxygen_half_mmHg: float = quantity("oxygen_half", "mmHg", "mmHg", 5, 0.001, 100, usual=(0.5, 20), source=(
        "no direct measurement"), status=ASSUMED,
        doc="Oxygen at which division is half as fast: a factor P / (P + oxygen_half).")


class Hypoxia(Section):
    """Necrosis without oxygen."""
    table: ClassVar[str] = "hypoxia"

    enabled: bool = switch("Cells die for lack of oxygen.")
    threshold_mmHg: float = quantity("threshold", "mmHg", "mmHg", 5, 0, 150, usual=(0.5, 10), source=CONVENTION,
                                     status=MEASURED, doc="Oxygen below which cells begin to die.")
    full_mmHg: float = quantity("full", "mmHg", "mmHg", 2.5, 0, 150, usual=(0.1, 10), source=CONVENTION,
                                status=MEASURED, doc="Oxygen at and below which the hazard is full.")
    survival_h: float = quantity("survival", "h", "h", 6, 0.01, 87660, usual=(1, 48), source=CONVENTION,
                                 status=MEASURED, doc="Mean survival at the full hazard.")


class Migration(Section):
    """A biased persistent random walk of motile cells."""
    table: ClassVar[str] = "migration"

    enabled: bool = switch("Motile cells migrate.")
    speed_um_per_h: float = quantity("speed", "um/h", "um/h", 15, 0, 1000, usual=(3, 240), source=(
        f"0.25 um/min, {PHYSICELL}; intravital bursts of some um/min (Condeelis lab, recalled)"), status=MEASURED,
        doc="Mean speed of a motile cell.")
    persistence_h: float = quantity("persistence", "min", "h", 15, 0.1, 1440, usual=(5, 60), source=(
        f"5 min in {PHYSICELL}, assumed longer in collagen"), status=ASSUMED,
        doc="Time over which a cell keeps its direction.")
    bias: float = number("bias", 0.3, 0, 0.8, source=f"0.5 in {PHYSICELL}", status=ASSUMED,
                         doc="Share of the motion that is directed, up the oxygen gradient, where it is steep.")
    gradient_half_mmHg_per_um: float = quantity(
        "gradient_half", "mmHg/um", "mmHg/um", 0.1, 1e-6, 100, usual=(0.001, 1), source="no direct measurement",
        status=ASSUMED, doc="Oxygen gradient at which half of the bias is reached.")


class Crowding(Section):
    """Cells drift from crowded voxels to less crowded ones (Darcy's law), at most half a voxel a step."""
    table: ClassVar[str] = "crowding"

    enabled: bool = switch("Crowded cells drift.")
    mobility_um_per_h: float = quantity("mobility", "um/h", "um/h", 1, 0, 1000, usual=(0.1, 10), source=(
        "no direct measurement"), status=ASSUMED,
        doc="Drift speed per cell of difference in the excess over capacity between neighboring voxels.")


class Oxygen(Section):
    """Oxygen diffuses from the vessels and is consumed by the cells (Michaelis and Menten)."""
    table: ClassVar[str] = "oxygen"

    enabled: bool = switch("Solve for oxygen; off: it stays at the value of the stroma.")
    diffusion_um2_per_h: float = quantity("diffusion", "um^2/s", "um^2/h", 1670, 0.01, 1e5, usual=(1350, 2000), source=(
        f"{PHYSICELL} 1e5 um^2/min; D alpha / alpha of Secomb gives 1355"), status=MEASURED,
        doc="Diffusion coefficient in tissue.")
    uptake_mmHg_per_h: float = quantity("uptake", "mmHg/s", "mmHg/h", 16.1, 0, 1000, usual=(1.3, 16.2), source=(
        "M0 = 5e-4 cm^3 O2/cm^3/s (FaDu and R3230Ac 1998, secomb/GreensV4) / alpha = 3.1e-5 cm^3 O2/cm^3/mmHg"),
        status=COMPUTED, doc="Largest consumption of a voxel that is filled to capacity.")
    michaelis_mmHg: float = quantity("michaelis", "mmHg", "mmHg", 1, 0.001, 100, usual=(0.5, 5), source=(
        "secomb/GreensV4"), status=MEASURED, doc="Oxygen at which consumption is half of the largest.")
    vessel_mmHg: float = quantity("vessel", "mmHg", "mmHg", 40, 0, 760, usual=(10, 100), source=(
        "venous to capillary blood; the reach of 82 um in planar tissue is quoted at 40 mmHg"), status=RECALLED,
        doc="Oxygen of the blood in perfused vessels.")
    stroma_mmHg: float = quantity("stroma", "mmHg", "mmHg", 40, 0, 760, usual=(10, 100), source=(
        "as in the vessels"), status=ASSUMED, doc="Oxygen of a tile when it is added.")
    wall_um_per_h: float = quantity("wall", "um/s", "um/h", 320, 0, 1e5, usual=(50, 1000), source=(
        "Sh D / (2 r) with Sherwood number 2.5 (Hellums 1996, recalled), D of this section, r = 6.5 um"),
        status=COMPUTED, doc="Oxygen permeability of the wall of a perfused vessel, blood side included.")
    sweeps: int = integer("sweeps", 8, 1, 1000, doc=(
        "Red-black over-relaxation sweeps per step: a fixed number, so that no result depends on the ranks."))
    initial_sweeps: int = integer("initial_sweeps", 200, 0, 100_000, doc="Sweeps before the first step.")


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
    overlaps: str = choice("overlaps", "warn", ("warn", "refuse"), doc=(
        "Segments of a file that run through each other or are there twice: counted in a warning, or refused."))
    seed: int | None = integer("seed", None, 0, LARGEST_SEED, doc=(
        "Seed of the generated network; left out: run.seed. Give it to keep the vessels while run.seed varies."))


class Intravasation(Section):
    """The way into the blood: the hazard of a cell within reach of a perfused vessel."""
    table: ClassVar[str] = "intravasation"

    enabled: bool = switch("Cells enter vessels.")
    hazard_per_h: float = quantity("hazard", "1/day", "1/h", 0.08, 0, 1000, usual=(1e-4, 0.3), source=(
        "Butler and Gullino 1975: 3.2e6 cells/g/day, over 3e8 cells/g and 13 % of the tissue within 20 um of a vessel"),
        status=COMPUTED, doc="Hazard of a detached cell in contact with an immature vessel.")
    reach_um: float = quantity("reach", "um", "um", 10, 0, 60, usual=(5, 25), source="no measurement", status=ASSUMED,
                               doc="Contact range beyond the wall of the vessel.")
    permeability_mature: float = number("permeability_mature", 0.1, 0, 1, usual=(0.02, 0.34), source=(
        "tumor over normal vessels 8-10 (Gerlowski and Jain 1986, recalled); direction Deryugina and Kiosses 2017"),
        status=ASSUMED, doc="Crossing of a fully mature vessel relative to an immature one.")
    detach_exponent: float = number("detach_exponent", 1.0, 0, 10, source="no measurement", status=ASSUMED, doc=(
        "n of the factor (1 - adhesion)^n."))
    cluster_fraction: float = number("cluster_fraction", 0.03, 0, 1, usual=(0.005, 0.1), source=(
        "few per cent in mouse mammary tumors (Aceto 2014)"), status=RECALLED, doc=(
            "Chance that a cell of full adhesion leaves with neighbors; of others in proportion to their adhesion."))
    cluster_mean: float = number("cluster_mean", 4.0, 2, 50, source="no direct measurement", status=RECALLED, doc=(
        "Mean cells of a cluster: 2 plus a geometric number."))
