"""A small cohort for tests: patients who take some hundredths of a second each."""
BASE = """
[run]
species = "human"
step = "30 days"
duration = "30 days"
[output]
interval = "30 days"
checkpoint = "30 days"
[tumor]
cells = 1000
organ = "breast"
lumped = true
[colonization]
clonogenic = 1e-8
early_death = "0.05/day"
start = "0.5/day"
switch_time = "8 years"
gompertz = "0.0018/day"
"""
COHORT = """
title = "few"
patients = 34
seed = 5
base = "base.toml"
age = {law = "normal", mean = "55 years", sd = "8 years"}
[draw]
"lumped.gompertz" = {law = "lognormal", median = "0.055/month", spread = 0.5}
[draw.colonization]
clonogenic = {law = "loguniform", low = 1e-9, high = 2e-8}
[screening]
diameter = "8 mm"
felt = {law = "uniform", low = "15 mm", high = "30 mm"}
start = "50 years"
every = "2 years"
[[treatment.surgery]]
time = "30 days"
[[treatment.therapy]]
rate = "lesion.start"
factor = 0.3
start = "31 days"
duration = "5 years"
[[treatment.therapy]]
rate = "blood.nk"
factor = 2.0
duration = "1 year"
[[tube]]
time = "10 days"
[follow_up]
duration = "10 years"
most_lesions = 30
"""


def write(folder, cohort=COHORT, base=BASE):
    """The path of the file of the cohort in a folder."""
    (folder / "base.toml").write_text(base)
    (folder / "cohort.toml").write_text(cohort)
    return folder / "cohort.toml"
