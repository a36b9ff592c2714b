"""What the commands run, resume and branch do."""
from pathlib import Path

from metacascade.base.columns import ALIVE
from metacascade.base.errors import DONE, InputError
from metacascade.base.screen import one_line
from metacascade.base.units import show_time
from metacascade.config import check as config_check, config
from metacascade.config.given import settings_of
from metacascade.io import checkpoint, kept, manyruns, output, parents, rundirectory
from metacascade.io.samerun import CHANGED_BY_RESUME
from metacascade.mechanisms import plan_of
from metacascade.mechanisms.user import MechanismError
from metacascade.model import observables
from metacascade.ranks import parallel
from metacascade.run import inputs
from metacascade.run.estimate import expected, of_rest
from metacascade.run.progress import say, warn
from metacascade.run.run import columns_of, nothing_to_come, simulate
from metacascade.state.digest import digest


def run(config_path, out, overrides=(), overwrite=False, **times):
    """Simulate what a config file describes; the exit code. Collective over all ranks.

    `times`: wall_limit_s and patience_s, see `Run`; the same for `resume` and `branch`.
    """
    world = parallel.start()
    loaded, text, segments = inputs.load(world, config_path, overrides)
    with rundirectory.claimed(world, out, overwrite) as lock:
        return simulate(world, loaded, out, lock, segments=segments, config_text=text, **times)


def resume(directory, overrides=(), **times):
    """Go on from the newest checkpoint in a run directory; the exit code.

    `overrides` of CHANGED_BY_RESUME only; with a longer ``run.duration`` a finished run goes on, too.
    """
    world = parallel.start()
    with world.together():
        if world.rank == 0 and not Path(directory).is_dir():
            raise InputError(f"{directory} is not the directory of a run")
        if world.rank == 0:
            manyruns.refuse(directory)
    if not overrides and world.bcast(world.rank == 0 and rundirectory.finished(directory)):
        with world.together():
            if world.rank == 0:
                rundirectory.tidy(directory)
        say(world, f"{one_line(directory)} is complete: nothing to resume")
        return DONE
    with rundirectory.held(world, directory) as lock:    # before anything is read that another run could be writing
        complete = world.bcast(world.rank == 0 and rundirectory.finished(directory))
        saved, path, remark = checkpoint.read_newest(world, directory)
        if remark:                                       # at once: the damaged file has another name now
            say(world, remark)
        with world.together():
            loaded = config_in(saved.meta, path)    # checked when the run began: what is refused since must not lose it
        with world.together():
            changed = _changed(loaded, overrides, saved.meta["time_s"]) if overrides else loaded
            _refuse_too_many_steps(changed, saved.meta)
        if complete:
            _refuse_other_end(world, directory, saved, path)
            if changed.run.duration_s <= saved.meta["time_s"]:
                say(world, f"{one_line(directory)} is complete: nothing to resume")
                return DONE
            plan = plan_of(loaded)
            output.reopen(world, directory, columns_of(plan), observables.tables(plan), saved.meta["parts"])
        if not remark:
            say(world, f"going on from {one_line(path)}")
        warn(world, changed.warnings)
        return simulate(world, changed, directory, lock, saved=saved, changed=changed != loaded, **times)


def _refuse_other_end(world, directory, saved, path):
    """A finished run goes on from its end alone: from a checkpoint before it, rows would be there twice."""
    state, end = digest(world, saved), None
    with world.together():
        if world.rank == 0:
            end = output.digest_of(directory)
    end = world.bcast(end)
    with world.together():
        if state != end:
            raise InputError(f"{path} is not of the end of the finished run in {directory}, which stays as it is: it "
                             f"can go on in another directory, metacascade branch {path} --out DIR")


def _changed(loaded, overrides, time_s):
    """The config of a run that goes on, with what may change on the way without changing what was before."""
    for setting in settings_of(overrides, []):
        if ".".join(setting.path) not in CHANGED_BY_RESUME:
            raise InputError(f"{setting.told}: resume changes only {', '.join(CHANGED_BY_RESUME)}; to change more, "
                             "start another run from its checkpoint: metacascade branch")
    changed = loaded.with_overrides(overrides)
    if changed.run.duration_s < time_s:
        raise InputError(f"--set run.duration: the run is at {time_s / 86400:g} days already; ask for more")
    return changed


def branch(checkpoint_path, out, seed=None, overrides=(), overwrite=False, at_s=None, copy_of=None, **times):
    """Start a new run from a checkpoint with other settings; the exit code.

    Of a run directory it is the last one, or that of the time `at_s` exactly. `copy_of`: the checkpoint of which this
    is a copy, beside which the results of its run are.
    """
    world = parallel.start()
    checkpoint_path = _picked(world, checkpoint_path, at_s)
    saved = checkpoint.read(world, checkpoint_path)
    with world.together():
        if at_s is not None:
            kept.refuse_other(checkpoint_path, saved.meta["time_s"], at_s)
    parent = digest(world, saved)
    with world.together():
        former = config_in(saved.meta, checkpoint_path)
        changed = former.with_overrides(overrides, seed)
        refuse_branch(former, changed, saved.meta, bool(saved.vessels))
        if overwrite and Path(out).resolve() in Path(checkpoint_path).resolve().parents:
            raise InputError(f"{checkpoint_path} lies in {out}, which --overwrite would empty: choose another --out")
    warn(world, warnings_of_branch(former, changed, saved.meta["time_s"]))
    same = changed.vessels == former.vessels        # those of the checkpoint
    segments = None if same else inputs.imported(world, changed)
    saved.meta.update(parts=0, parent=parent)
    began_from = None
    with world.together():
        if world.rank == 0:
            began_from = parents.told(copy_of or checkpoint_path, out, parent, saved.meta["time_s"],
                                      saved.meta["config"] if copy_of else None)
            if copy_of and not began_from["results"]:
                warn(world, [f"beside {copy_of} are no results of the run of this checkpoint: to see both as one, "
                             "parents=PATH names its directory"])
    with rundirectory.claimed(world, out, overwrite) as lock:
        return simulate(world, changed, out, lock, saved=saved, segments=segments, config_text=changed.to_toml(),
                        began_from=world.bcast(began_from), **times)


def _picked(world, path, at_s):
    """The checkpoint that is meant by its path, or by a directory and perhaps a time. Collective."""
    picked = Path(path)
    if at_s is not None:
        with world.together():
            if world.rank == 0:
                picked = kept.at(path, at_s)
        return world.bcast(picked)
    return picked / checkpoint.NAME if picked.is_dir() else picked


def refuse_branch(former, changed, meta, vessels_live):
    """Raise InputError where no branch with the config `changed` goes on from a checkpoint with this `meta`."""
    _refuse_other_grid(former, changed, meta)
    _refuse_other_bed(former, changed, vessels_live)
    _refuse_too_many_steps(changed, meta)
    _refuse_past(former, changed, meta["time_s"])


def warnings_of_branch(former, changed, time_s):
    """What is worth a look in a branch at `time_s`, but for what has happened in the run that it starts from."""
    known = config_check.early(former, time_s)
    return [*(line for line in changed.warnings_from(time_s) if line not in known),
            *_moved_founders(former, changed), *inputs.too_large_draws(changed)]


def config_in(meta, path):
    """The config in the `meta` of the checkpoint at `path`."""
    try:
        return config.Config.from_dict(meta["config"])
    except MechanismError:
        raise
    except InputError as error:
        raise InputError(f"{path} is not as metacascade writes it:\n{error}") from None


def _refuse_other_grid(old, new, meta):
    """What the saved cells lie in cannot change under them, and steps from there must meet the times of output."""
    _refuse_no_step(new, meta)
    if old.tissue.edge_um != new.tissue.edge_um:
        raise InputError("--set tissue.voxel: a branch keeps the voxels of the run that it starts from")
    if plan_of(old).drains and not plan_of(new).drains:
        raise InputError("--set lymphatic.enabled: a branch keeps the lymph node that its cells are in; a [[therapy]] "
                         'with rate = "tissue.lymphatic" and factor = 0 closes the way there')
    if old.run.species != new.run.species:
        raise InputError("--set run.species: a branch keeps the circulation that its cells are in")
    if old.body != new.body:
        raise InputError("--set body: a branch keeps the circulation that its cells are in")
    if (old.tumor is None, old.has_tissue) != (new.tumor is None, new.has_tissue):
        raise InputError("--set tumor: a branch keeps the tumor of the run that it starts from, or its absence")


def _refuse_no_step(new, meta):
    """A branch has steps to make, and they meet the times of its output."""
    time_s = meta["time_s"]
    if time_s % new.run.step_s:
        raise InputError(f"--set run.step: the checkpoint is at {time_s} s, which must be a multiple of the step")
    if time_s >= new.run.duration_s:
        raise InputError(f"run.duration: the checkpoint is at {show_time(time_s)} and the branch would end at "
                         f"{show_time(new.run.duration_s)}, so nothing would happen: --set a longer run.duration")
    alive = {column.name: meta["ledger"].get(column.name, 0) for column in observables.columns(plan_of(new))
             if column.part == ALIVE}
    if nothing_to_come(new, alive, time_s):
        raise InputError("run.stop_when_empty: nothing is alive in the checkpoint and nothing is to come, so the "
                         "branch would end at once: --set an [[injection]] after it, or run.stop_when_empty=false")


def _refuse_past(old, new, time_s):
    """What is to be done in a branch lies in it, but for what has been in the run that it starts from."""
    been = [one for _, one in config_check.past(old, time_s)]
    lost = [f"{name}.time = {show_time(one.time_s)}: is not after {show_time(time_s)}, where the branch starts, so it "
            "would not happen: give a later time" for name, one in config_check.past(new, time_s) if one not in been]
    if lost:
        raise InputError("\n".join(lost))


def _refuse_other_bed(old, new, vessels_live):
    """Vessels that live go on into the bed that they grew in, and their next step is one interval after the last."""
    named = ", ".join(f"vessels.{one.key}" for one in new.vessels.parameters.values()
                      if getattr(old.vessels, one.attribute) != getattr(new.vessels, one.attribute))
    if vessels_live and named:
        raise InputError(f"--set {named}: the vessels in the checkpoint live (angiogenesis, maturation, perfusion), "
                         "and a branch keeps their [vessels]: start a new run with others")


def _moved_founders(old, new):
    """A line for each trait whose founder is another one than in the run before."""
    before = {trait.name: trait.founder.number for trait in plan_of(old).traits}
    for trait in plan_of(new).traits:
        if before.get(trait.name, trait.founder.number) != trait.founder.number:
            yield (f"{trait.name}: its founder is {trait.founder.number:g} and was {before[trait.name]:g}: the clones "
                   "of the checkpoint keep their values, and what is relative to the founder is so to the new one")


def _refuse_too_many_steps(loaded, meta):
    """`meta` of a saved state: its steps and those to come must be possible."""
    if message := config_check.too_many_steps(loaded, meta["step"], meta["time_s"]):
        raise InputError(f"run.duration: with the {meta['step']:,} of the checkpoint the run {message}")


def estimate(loaded, meta=None):
    """What a run will need, from its config, and the `meta` of a checkpoint that it goes on from: a dict of texts."""
    return expected(of_rest(loaded, meta) if meta else loaded).texts()
