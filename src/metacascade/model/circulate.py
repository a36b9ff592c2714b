"""A step of the blood: every CTC walks to its end, with stops where blood is drawn or rates change."""
from metacascade.base.records import cells_in
from metacascade.model import blood


def circulate(simulation, after_s, t0_s, t1_s):
    """What left the blood by t1_s, a `Walked`. At a draw, or where rates change, all have come there and no further.

    Draws are those at after_s < time <= t1_s. Collective.
    """
    sim = simulation
    _take_rates(sim, max(t0_s - 1, 0))      # what is due at the start was drawn with the rates before
    draws = [(plan.time_s, i) for i, plan in enumerate(sim.config.draw) if after_s < plan.time_s <= t1_s]
    changes = {(time_s, -1) for time_s in sim.schedule.all_changes(t0_s, t1_s, "blood.")}
    changes |= {(t0_s, -1)} if sim.redraws else set()
    walks = []
    for time_s, index in sorted([*changes, *draws]):
        walks.append(sim.blood.advance(time_s / 3600))
        if index < 0:
            _take_rates(sim, time_s)
            sim.blood.redraw(time_s / 3600)
        else:
            _draw_blood(sim, index, sim.config.draw[index])
    sim.redraws = False
    walked = blood.together([*walks, sim.blood.advance(t1_s / 3600)])
    sim.events.add(walked.events)
    sim.members.switch(sim.circuit, t1_s / 3600, sim.blood.records, walked.extravasated, walked.returning)
    return walked


def _draw_blood(sim, index, plan):
    node = sim.circuit.index(plan.node)
    taken = sim.blood.sample(node, plan.volume_mL, index, plan.time_s / 3600)
    sim.end(taken)
    sim.ledger.add(drawn=cells_in(taken))
    singles = int((taken["n"] == 1).sum())
    found = sim.world.sum([singles, len(taken) - singles, cells_in(taken)]).tolist()
    if sim.on_draw:
        sim.on_draw(time_s=plan.time_s, index=index, node=node,
                    volume_mL=min(plan.volume_mL, float(sim.circuit.volume_mL[node])),
                    singles=found[0], clusters=found[1], cells=found[2])


def _take_rates(sim, time_s):
    if sim.schedule.names:
        sim.circuit.rescale(sim.schedule.scales(time_s, "blood."))
