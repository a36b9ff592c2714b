"""How long a step is: that of the tissue, or a long one while the tumor has no cells.

Nothing but tissue needs short steps: cells in the blood walk in continuous time, and what lesions do within a step is
drawn at its own times. So a step without tissue goes on to where something is due. What comes back into a bed without
tumor cells is tissue from the next step on, which is a short one.
"""
from metacascade.model import interventions


def end_of_step(simulation) -> int:
    """Second at which the step that begins now ends; the same on all ranks."""
    run, now_s = simulation.config.run, simulation.time_s
    if simulation.ledger.totals["tissue"] or simulation.waiting and simulation.perfused and not simulation.lumped.on:
        return now_s + run.step_s
    return min(_dues(simulation.config, now_s))


def _dues(config, now_s):
    """Ends of a step without tissue, all later than `now_s` and multiples of the step."""
    every = [config.run.longest_step_s, config.output.interval_s, config.output.checkpoint_s]
    if config.output.snapshots:
        every.append(config.output.snapshot_interval_s)
    if config.has_tissue and config.outline.enabled:
        every.append(config.outline.interval_s)
    ends = [(now_s // period + 1) * period for period in every]
    if (kept_s := config.output.next_kept_s(now_s)) is not None:
        ends.append(kept_s)
    if now_s < config.run.duration_s:
        ends.append(config.run.duration_s)
    return [*ends, *(event.time_s for event in interventions.due(config, now_s, min(ends)))]
