"""Small runs, arms and a cohort that reports are made of."""
import csv

import cohorts
import metacascade as mc
import small
from metacascade.__main__ import main
from metacascade.studies import arms_plan, sweep_compare, sweep_plan, sweep_table

TINY = """
title = "A <b>tiny</b> & odd run"
[run]
step = "1 h"
duration = "4 h"
[output]
interval = "1 h"
checkpoint = "2 h"
[tumor]
cells = 300
[oxygen]
initial_sweeps = 5
[intravasation]
hazard = "20/day"
"""
ARMS = """
title = "half"
replicates = 2
base = "tiny.toml"
[[arm]]
name = "control"
[[arm]]
name = "half"
[[arm.surgery]]
time = "2 h"
share = 0.5
"""
SETTINGS = dict(tumor__cells=3000, output__interval="2 h", run__duration="12 h")


def everything(folder):
    """A run in which everything happens, clones and treatment among it."""
    mc.Simulation(small.EXAMPLE, [*small.settings(**SETTINGS), *small.LIVING]).run(folder / "everything")
    return folder / "everything"


def tiny(folder, name="tiny", *settings):
    """A run of seconds."""
    (folder / "tiny.toml").write_text(TINY)
    mc.Simulation(folder / "tiny.toml", list(settings)).run(folder / name)
    return folder / name


def arms(folder):
    """Arms whose members have been run in this process."""
    (folder / "tiny.toml").write_text(TINY)
    (folder / "arms.toml").write_text(ARMS)
    out = folder / "arms"
    plan = arms_plan.opened(out, folder / "arms.toml")
    sweep_plan.write(out, plan)
    for member in plan["members"]:
        mc.Simulation(out / sweep_plan.CONFIG, sweep_plan.arguments(plan, member)).run(sweep_plan.folder(out, member))
    sweep_compare.write(out, plan, sweep_table.write_rows(out, plan))
    return out


def cohort(folder):
    """A cohort of a few patients."""
    assert main(["cohort", str(cohorts.write(folder)), "--out", str(folder / "cohort")]) == 0
    return folder / "cohort"


def table(path):
    """The rows of a CSV file, a dict each."""
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
