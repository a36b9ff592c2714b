"""A therapy that begins while a simulation is stepped: what is checked, so that it is as one of the config."""
import json
import numbers

from metacascade.base.errors import InputError, kind
from metacascade.base.units import show_time
from metacascade.config.config import Config
from metacascade.config.windows import windows
from metacascade.model.schedule import Schedule
from metacascade.model.tissue_parameters import largest_um

LEFT = "put it into the config of a new simulation"


def treated(config: Config, table: dict, model=None) -> Config:
    """The config with one more [[therapy]], of what is not None in `table`, from now on.

    `model`: the simulation in which it begins; None before its first step, where any therapy is as one of the config.
    Raises InputError for a therapy that the config refuses, and for one that would have acted before now.
    """
    now_s = model.time_s if model else 0
    given = {"start": f"{now_s} s"} | {key: value for key, value in table.items() if value is not None}
    number = len(config.therapy)
    inside = ", ".join(f"{key} = {_written(key, value)}" for key, value in given.items())
    changed = config.with_overrides(f"therapy.{number}={{{inside}}}", called=("treat", ("therapy", number)))
    if model:
        _refuse_past(changed.therapy[number], number, now_s)
        for one in windows(changed):
            if one not in windows(config):
                _refuse_begun(one, number, model)
        _refuse_wider(config, changed, number, model)
    return changed


def _written(key, value):
    """A value of a therapy as TOML."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        return repr(int(value) if isinstance(value, numbers.Integral) else float(value))
    raise InputError(f"treat: {key} must be a text or a number, not {kind(value)}")


def take(model, config: Config) -> None:
    """Let a simulation go on with the config that `treated` gave."""
    model.config, model.schedule = config, Schedule(windows(config))


def _refuse_past(plan, number, now_s):
    if plan.start_s < now_s:
        raise InputError(f"therapy[{number}].start = {show_time(plan.start_s)} is before {show_time(now_s)}, where the "
                         f"simulation is: what has happened stays; begin it later, or {LEFT}")


def _refuse_begun(window, number, model):
    """Raise InputError for what would be felt already: outside of its windows, or by a field that is being solved."""
    if window.otherwise != 1.0:
        raise InputError(f"therapy[{number}] changes {window.rate} outside of its windows too, before now as well: "
                         f"{LEFT}")
    step = model.step_number
    for field in model.tissue.microenvironment.each:
        if window.rate.startswith((f"{field.name}.", f"field.{field.name}.")) and step % field.every:
            due_s = model.time_s + (field.every - step % field.every) * model.config.run.step_s
            if window.start_s < due_s:
                raise InputError(f"therapy[{number}].start: the field {field.name} is solved every {field.every} steps"
                                 f", and next at {show_time(due_s)}: begin then or later, or {LEFT}")


def _refuse_wider(config, changed, number, model):
    """Raise InputError where vessels would reach farther than what they were laid out for."""
    if model.plan.vessels_live and largest_um(changed, model.plan) != largest_um(config, model.plan):
        raise InputError(f"therapy[{number}] lets vessels grow wider or sprouts reach farther than they could: {LEFT}")
