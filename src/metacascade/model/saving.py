"""A simulation as a state, plain arrays that may be saved, a state as a simulation, and what of one it can take."""
from dataclasses import replace

import numpy as np

from metacascade._kernels._layout import Place, Zone
from metacascade.base.errors import InputError
from metacascade.base.limits import MOST_CLONES
from metacascade.base.records import by_id, chosen, joined
from metacascade.base.screen import one_line
from metacascade.config.config import Config
from metacascade.config.windows import windows
from metacascade.mechanisms import plan_of
from metacascade.model import burden, tissue_start, vessels
from metacascade.model.blood import EVENTS
from metacascade.model.circuit import Circuit
from metacascade.model.clones import Clones, spectrum
from metacascade.model.fates import FATES
from metacascade.model.ledger import LARGEST, Ledger
from metacascade.model.lesions import Lesions
from metacascade.model.members import complete, in_order
from metacascade.model.microenvironment import fields_of
from metacascade.model.schedule import Schedule
from metacascade.model.staging import FIRST, Staging
from metacascade.model.zones import Zones
from metacascade.ranks.parallel import owner_of_id
from metacascade.space.distances import BINS
from metacascade.space.outline import ZONE
from metacascade.space.vasculature import KINDS
from metacascade.space.vessels import SEGMENT
from metacascade.state import state


def state_of(simulation, meta):
    """This rank's share of the state; `meta` is added to its description. Collective.

    A state is ordered by id, so the owner of an id has a copy in it also of what waits on another rank, members of
    clusters among that.
    """
    sim, tissue = simulation, simulation.tissue
    order = np.argsort(tissue.region.keys)
    waiting = sim.exchange.route({
        name: (ctcs, owner_of_id(ctcs["id"], sim.world.size))
        for name, ctcs in (("late", sim.late.records), ("returning", sim.returning),
                           ("members", sim.members.of(sim.returning)[0]))})
    members = joined(sim.members.of(sim.blood.records)[0], waiting["members"])
    return state.State(
        meta=dict(meta, config=sim.config.to_dict(), step=sim.step_number, time_s=sim.time_s,
                  seed=sim.config.run.seed, ledger=dict(sim.ledger.totals), fates=sim.fates.totals(),
                  events=sim.events.totals(),
                  traits=list(sim.clones.spectrum.names), bits=list(sim.plan.bit_names), redraws=sim.redraws,
                  redraws_lesions=sim.redraws_lesions, since_h=sim.circuit.since_h,
                  shed_distances=sim.zones.shed.tolist(), first_times=dict(sim.staging.times)),
        tile_key=tissue.region.keys[order], tile_coords=tissue.region.coords[order],
        arrays=tissue.arrays.take(order), units=tissue.arrays.units(),
        cells=lambda first, last: _canonical(tissue, order[first:last]),
        ctcs=by_id(joined(sim.blood.records, waiting["late"], waiting["returning"])),
        members=in_order(members), lesions=by_id(joined(sim.lesions.records, sim.lumped.records)),
        clones=sim.clones.table,
        segments=tissue.network.imported, vessels=_vessels(tissue.vasculature, order))


def _vessels(vasculature, rows):
    """The vessels of tiles, if they live."""
    saved = vasculature.saved(rows) if vasculature else {}
    return {name: state.ByTile(*part) for name, part in saved.items()}


def go_on(simulation, saved, network):
    """Make a new simulation, which has no tissue yet, that of a state, with the vessels of a network. Collective."""
    sim, meta = simulation, saved.meta
    sim.step_number, sim.time_s = meta["step"], meta["time_s"]
    sim.ledger = Ledger(sim.world, sim.columns, meta["ledger"])
    sim.clones = Clones(sim.world, sim.clones.spectrum, sim.config.run.seed, saved.clones, meta["traits"])
    sim.fates.load(meta["fates"])
    sim.events.load(meta["events"])
    sim.tissue = tissue_start.restore(
        sim.config, sim.plan, sim.exchange, fields_of(sim.config, sim.plan), network, saved)
    sim.tell_of_clones()
    sim.zones = Zones(sim.config, sim.tissue, meta["shed_distances"])
    sim.zones.renew(sim.time_s, anyway="zone" not in saved.arrays)
    sim.staging = Staging(sim.config, meta["first_times"])
    waiting = saved.ctcs["place"] == Place.RETURNING
    sim.returning, sim.blood.records = chosen(saved.ctcs, waiting), chosen(saved.ctcs, ~waiting)
    sim.members.records = saved.members
    sim.lesions.records = sim.lumped.take(saved.lesions)
    cells = burden.counted(sim)
    sim.circuit.set_burden(cells)
    sim.redraws, sim.redraws_lesions, sim.circuit.since_h = meta["redraws"], meta["redraws_lesions"], meta["since_h"]
    former = Config.from_dict(meta["config"])
    if former != sim.config:
        vessels.take_up(sim.tissue, former)
        _go_on_in_blood(sim, former, saved, cells)
        _go_on_in_lesions(sim, former, saved)


def _go_on_in_blood(sim, former, saved, cells):
    """Of a branch with other rates the blood is drawn anew, and with another seed, so that no two share what was
    pending; with other bits that are switched after a time in the blood, none is before it began. `cells`: of the tumor
    and of lesions by node."""
    before = circuit_at(former, plan_of(former), sim.time_s - 1, saved, cells)
    sim.redraws |= former.run.seed != sim.config.run.seed
    sim.redraws |= not before.acts_like(circuit_at(sim.config, sim.plan, sim.time_s, saved, cells))
    if not np.array_equal(before.switches, sim.circuit.switches):       # not bytes, of which some are between fields
        sim.circuit.since_h = sim.time_s / 3600


def _go_on_in_lesions(sim, former, saved):
    """What is due in lesions that do not divide is drawn anew in a branch with other rates."""
    before, now = (_rates_of_lesions(config, time_s, saved) for config, time_s in (
        (former, sim.time_s - 1), (sim.config, sim.time_s)))
    sim.redraws_lesions |= any(getattr(before, table).tobytes() != getattr(now, table).tobytes()
                               for table in ("place", "clone", "state"))


def _rates_of_lesions(config, time_s, saved):
    """The rates of lesions in a config at a time, for the clones of a state."""
    plan = plan_of(config)
    traits = Clones(None, spectrum(plan.traits), config.run.seed, saved.clones, saved.meta["traits"]).traits()
    lesions = Lesions(config, Circuit(config, plan), config.run.seed)
    lesions.clones = traits
    lesions.set_rates(Schedule(windows(config)).scales(time_s, "lesion."))
    return lesions.rates


def circuit_at(config, plan, time_s, saved, cells):
    """The circuit of a config with the rates of a time, for the clones of a state and its `cells` by node."""
    circuit, traits = Circuit(config, plan), spectrum(plan.traits)
    circuit.set_burden(cells)
    circuit.take_clones(Clones(None, traits, config.run.seed, saved.clones, saved.meta["traits"]).traits())
    circuit.set_rates(Schedule(windows(config)).scales(time_s, "blood."))
    return circuit


def with_bits(saved, names):
    """A saved state with its bits of cells where a plan has those of these names; those of no name are cleared."""
    former = saved.meta["bits"]
    if former == list(names)[:len(former)]:
        return saved
    at = np.arange(256)
    moved = sum((at >> former.index(name) & 1) << i for i, name in enumerate(names) if name in former)
    moved = np.broadcast_to(moved, 256).astype(np.uint8)

    def renamed(records):
        records = joined(records)
        for name in {"bits", "bits_shed"} & set(records.dtype.names):
            records[name] = moved[records[name]]
        return records

    return replace(saved, cells=lambda first, last: renamed(saved.cells(first, last)), ctcs=renamed(saved.ctcs),
                   members=renamed(saved.members), lesions=renamed(saved.lesions))


def _canonical(tissue_, rows):
    cells = joined(state.empty(state.CELL), *(tissue_.arena.block(row) for row in rows))
    return state.canonical(cells, tissue_.counts[rows])


def refuse_foreign(saved, names, totals):
    """InputError if a state has what this model cannot take: nodes that the circuit has not, clones that its table has
    not, vessels of another layout, or totals of what is not counted."""
    nodes = len(names)
    found = max((int(np.max(records[name], initial=0)) for records, names in (
        (saved.ctcs, ("node", "origin")), (saved.lesions, ("node", "origin"))) for name in names), default=0)
    if found >= nodes:
        raise InputError(f"the state has cells at node {found}, and the circuit only nodes up to {nodes - 1}: "
                         "it is not of metacascade")
    _refuse_foreign_clones(saved)
    if ZONE.name in saved.arrays and np.max(saved.arrays[ZONE.name], initial=0) > max(Zone):
        raise InputError("the zones of the state are not such as metacascade writes: it is not of metacascade")
    if not complete(saved.members, saved.ctcs):
        raise InputError("the members of clusters in the state are not those of its clusters: it is not of metacascade")
    if saved.segments is not None and saved.segments.dtype != SEGMENT:
        raise InputError("the vessels of the state are not laid out as metacascade writes them: it is not of "
                         "metacascade")
    if any(part.records.dtype != KINDS.get(name) for name, part in saved.vessels.items()):
        raise InputError("the pieces of vessels in the state are not laid out as metacascade writes them: it is not of "
                         "metacascade")
    ledger = saved.meta["ledger"]
    if unknown := sorted(set(ledger) - set(totals)):
        raise InputError(f"the state counts cells by {one_line(', '.join(unknown))}, which nothing here declares: name "
                         "the module of the mechanism that does, and switch it off if it is not wanted, or go on with "
                         "the version of metacascade that wrote it")
    if not (_are_totals(ledger) and _are_by_node(saved.meta["fates"], FATES, names)
            and _are_by_node(saved.meta["events"], EVENTS, names)
            and _are_readouts(saved.meta["shed_distances"], saved.meta["first_times"])):
        raise InputError("the state counts cells by names or numbers that metacascade has not: it is not "
                         "of metacascade")


def _refuse_foreign_clones(saved):
    """InputError if the table of clones is none, or has not the clones of the cells outside of tissue."""
    clones, traits = len(saved.clones), saved.meta["traits"]
    parents = saved.clones["parent"]
    last = max(int(np.max(records["clone"], initial=0)) for records in (saved.ctcs, saved.members, saved.lesions))
    if not (last < clones <= MOST_CLONES and parents[0] == -1 and np.all(parents >= -1)
            and np.all(parents < np.arange(clones)) and len(np.unique(saved.clones["id"])) == clones
            and all(isinstance(name, str) for name in traits)
            and len(traits) <= saved.clones["traits"].shape[1]):
        raise InputError("the clones of the state are not such as metacascade writes: it is not of metacascade")


def _are_by_node(totals, kinds, names):
    return set(totals) <= set(kinds) and all(
        isinstance(at, dict) and set(at) <= set(names) and _are_totals(at) for at in totals.values())


def _are_readouts(distances, times):
    return (len(distances) == BINS and _are_totals(dict(enumerate(distances))) and set(times) == set(FIRST)
            and all(type(time_s) is int and -1 <= time_s <= LARGEST for time_s in times.values()))


def _are_totals(counts):
    return all(type(n) is int and 0 <= n <= LARGEST for n in counts.values())
