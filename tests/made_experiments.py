"""A small experiment and two controls, in files of their own, for tests of `metacascade reproduce`."""
PUBLISHED = """
[order]
what = "a > b"
source = "nobody"
sure = "made up"
[many]
what = "growth"
source = "nobody"
sure = "made up"
low = 1.0
"""
SMALL = """
[config.run]
step = "1 h"
duration = "12 h"
[config.output]
interval = "6 h"
checkpoint = "6 h"
[config.tumor]
cells = 600
"""
EXPERIMENT = """
title = "Dividing cells become more"
measured = "Nothing."
simulated = "Two small tumors."
replicates = 2
""" + SMALL + """
[[config.draw]]
node = "venous"
time = "6 h"
volume = "0.1 mL"
[arms.grows]
growth.division_time = "10 h"
[arms.rests]
growth.enabled = false
[[comparison]]
name = "cells at the end"
readout = "cells_ratio"
kind = "ordering"
arms = "grows, rests"
published = "order"
[[comparison]]
name = "growth"
readout = "cells_ratio"
kind = "interval"
arms = "grows"
published = "many"
"""


CONTROLS = SMALL + """
[A1]
title = "Cells divide"
strength = "none, once in 20 h, once in 10 h"
replicates = 3
moves = "cells_ratio"
direction = "up"
holds = "vessel_volume_fraction"
within = "exact"
[A1.set]
draw = [{ node = "venous", time = "6 h", volume = "0.1 mL" }]
[A1.off]
growth.enabled = false
[A1.on]
growth.division_time = "20 h"
[A1.doubled]
growth.division_time = "10 h"
[A2]
title = "Cells read thoughts"
strength = "telepathy.range"
needs = "telepathy.enabled"
"""
BOUNDS = """
[exact]
what = "ratio"
source = "nobody"
sure = "made up"
low = 1.0
high = 1.0
[control_direction]
what = "direction"
source = "nobody"
sure = "made up"
[control_same]
what = "ratio"
source = "nobody"
sure = "made up"
low = 0.9
high = 1.1
"""


def put(folder):
    """Write the published numbers and the experiment, small.toml, into a new directory; the directory."""
    folder.mkdir()
    (folder / "published.toml").write_text(PUBLISHED)
    (folder / "small.toml").write_text(EXPERIMENT)
    return folder
