"""What a command is given: a config and the vessels that it names, read and checked in this one place.

``check``, ``run`` and its ``--dry-run``, ``branch``, ``submit``, ``sweep``, ``scaling`` and ``bench`` all read here,
on one process, before anything is made or queued.
"""
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metacascade.base.errors import InputError, NetworkError
from metacascade.base.limits import EDGE
from metacascade.base.screen import warn
from metacascade.config import otherspecies
from metacascade.config.config import Config, load_with_text
from metacascade.io import atomic
from metacascade.mechanisms import plan_of
from metacascade.model.physiology import body_of

PROBLEM = re.compile(rb"[^\n]+:[0-9]+: [^\n]")       # how a list of what is wrong in a vessel file begins


@dataclass(frozen=True)
class Inputs:
    """A config, the text it was read from, and the network of its vessel file (`network_read.Found`) or None."""
    config: Config
    text: str
    network: Any = None

    @property
    def segments(self):
        """The segments of the network, or None."""
        return self.network and self.network.segments

    @property
    def notes(self):
        """What the vessel file holds, for people: lines."""
        if self.network is None:
            return []
        first = f"vessels: {len(self.segments):,} segments of {self.network.path} ({self.network.format})"
        return [first, *(f"  {note}" for note in self.network.notes)]

    @property
    def doubts(self):
        """What is allowed in the vessel file and yet worth a look."""
        return [f"vessels: {doubt}" for doubt in (self.network.doubts if self.network else ())]

    @property
    def warnings(self):
        """The same of the config and of the vessel file."""
        return self.config.warnings + self.doubts + [*too_large_draws(self.config), *short_distances(self.config)]

    @property
    def of_one_run(self):
        """The same, and what is worth a look where this is all that is run: a study may not care for lesions."""
        return [*self.warnings, *otherspecies.told(self.config)]


def too_large_draws(config):
    """A line for each draw of more blood than its node holds. What the tumor holds is known only while it runs."""
    body = body_of(config)
    for i, draw in enumerate(config.draw):
        held_mL = body.blood_mL * body.blood.get(draw.node, 0.0) / 100
        if draw.node != "tumor" and draw.volume_mL > held_mL:
            yield (f"draw[{i}].volume = {draw.volume_mL:g} mL is more than the {held_mL:.3g} mL of blood in {draw.node}"
                   ": all of it is taken")


def short_distances(config):
    """A line where vessels live in tiles so small that not all distances to them are told."""
    if not config.has_tissue or not plan_of(config).vessels_live:
        return
    from metacascade.space.distances import REACH_UM  # with NumPy
    tile_um = EDGE * config.tissue.edge_um
    if tile_um < REACH_UM:
        yield (f"tissue.voxel: with vessels that live distances to them are exact up to {tile_um:g} um, the edge of a "
               f"tile of {EDGE} voxels; cells farther from all vessels than that may count as still farther")


def read(path, overrides=()):
    """Read and check the config file `path` and the vessels that it names. Raises InputError with all that is wrong."""
    loaded, text = load_with_text(path, overrides)
    _refuse_columns(loaded)
    return Inputs(loaded, text, _network(loaded))


def config_of(path) -> tuple[Config, str]:
    """A config and its text: of a file, or of a run, by its directory or its results."""
    if not Path(path).is_dir() and Path(path).suffix != ".h5":
        return load_with_text(path)
    from metacascade.io.results import open_results  # with NumPy, which a config alone does not need
    with open_results(path) as results:
        return Config.from_dict(results.config), results.config_text


def checked(path, overrides, problems=None):
    """As `read`; all that is wrong or odd in the vessel file is also written to the file `problems`, if given."""
    if problems:
        atomic.refuse_other(problems, PROBLEM.match, "list of problems", "choose another for --problems")
    try:
        given = read(path, overrides)
    except NetworkError as error:
        if problems:
            atomic.write_text(problems, "".join(f"{line}\n" for line in error.problems))
        raise
    if problems:
        atomic.write_text(problems, "".join(f"{line}\n" for line in (given.network.remarks if given.network else ())))
    return given


def of(config, read_file=None):
    """The inputs of a config that is there already. `read_file`: from `reading_once`."""
    _refuse_columns(config)
    return Inputs(config, "", _network(config, read_file))


def _refuse_columns(config):
    """Raise InputError for columns of a user, or of labels, that cannot be."""
    if config.of_user or plan_of(config).labels:
        from metacascade.model import observables  # with NumPy, which a config alone does not need
        observables.columns(plan_of(config))
        observables.by_node(plan_of(config))


def _network(config, read_file=None):
    found, into_tumor = None, config.has_tissue and any(plan.node == "tumor" for plan in config.injection)
    plan = plan_of(config)
    if config.vessels.file is not None:
        from metacascade.space import network_read  # with NumPy, which a config alone does not need
        found = network_read.network(config, read_file or network_read.read)
    if into_tumor or plan.vessels_live and config.has_tissue:
        from metacascade.model import tissue_parameters, tissue_start
        from metacascade.space.vessels import Network
        vessels = (Network.from_segments(found.segments) if found else
                   Network.from_config(config.vessels, config.run.seed))
        if plan.vessels_live:
            tissue_parameters.refuse_wide(config, plan, vessels)
        if into_tumor and not tissue_start.perfused(config, vessels):
            raise InputError(tissue_start.NOT_PERFUSED)
    return found


def reading_once():
    """A `read_file` for many configs: what it found in a vessel file, also that it is wrong, it does not read again."""
    from metacascade.space.network_read import read as read_anew
    known = {}

    def read_file(vessels):
        same = vessels.model_copy(update={"seed": None, "center": False, "offset_um": (0.0, 0.0, 0.0)})
        if same not in known:
            try:
                known[same] = read_anew(vessels)
            except InputError as error:
                known[same] = error
        if isinstance(known[same], InputError):
            raise known[same]
        return known[same]

    return read_file


def tell(notes, warnings):
    """Print notes, and warnings beside them."""
    for note in notes:
        print(note, flush=True)
    for warning in warnings:
        warn(warning)


def load(world, path, overrides):
    """Rank 0 reads and checks the inputs, and all ranks get the same: config, its text, imported segments or None."""
    given = None
    with world.together():
        if world.rank == 0:
            given = read(path, overrides)
            tell(given.notes, given.of_one_run)
    values, text, segments = world.bcast((given.config.to_dict(), given.text, given.segments) if given else None)
    with world.together():      # on every rank, since modules of the user are imported
        loaded = Config.from_dict(values)
    return loaded, text, segments


def imported(world, loaded):
    """As `load`, for a config that is there already: the segments of its vessel file, None if it has none."""
    given = None
    with world.together():
        if world.rank == 0:
            given = of(loaded)
            tell(given.notes, given.doubts)
    return world.bcast(given and given.segments)
