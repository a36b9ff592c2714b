"""A small version of examples/mouse_breast_fixed.toml in which, within a day, everything happens that can happen."""
import json
from pathlib import Path

import numpy as np

from metacascade.io.results import open_results

EXAMPLE = Path(__file__).parents[1] / "examples" / "mouse_breast_fixed.toml"
EVERYTHING = {
    "run.step": "1 h", "run.duration": "12 h", "output.interval": "4 h", "output.checkpoint": "6 h", "output.clones": 40,
    "oxygen.sweeps": 4, "oxygen.initial_sweeps": 32,
    "outline.interval": "3 h", "outline.depth": "30 um", "outline.sprout": "30 um", "staging.detection_cells": 22_000,
    "tumor.cells": 20_000, "tumor.perfusion": "10 mL/min/g", "growth.division_time": "8 h",
    "growth.death_rate": "0.5/day", "traits.motile_fraction": 0.5, "traits.adhesion_mean": 0.3,
    "hypoxia.threshold": "30 mmHg", "hypoxia.full": "10 mmHg", "crowding.mobility": "3000 um^2/h",
    "intravasation.hazard": "4/day", "intravasation.cluster_fraction": 0.5, "blood.breakup": "2/h", "blood.binding": "0.6/h",
    "organs.tumor.capillary": "3 um", "organs.lung.capillary": "12 um", "organs.bone.adhesion": 1,
    "blood.tension": "0.05 mN/m", "blood.nuclear_stiffness": "0.1 kPa", "blood.stretch": 10, "blood.anoikis_resistance": 0.5,
    "vessel_growth.divide": "1/day", "colonization.attraction": 1000,
    "colonization.clonogenic": 0.5, "colonization.early_death": "3/day", "colonization.start": "8/day",
    "colonization.sleep": "8/day", "colonization.wake": "5/day", "colonization.dormant_death": "3/day",
    "colonization.gompertz": "0.3/day", "colonization.capacity": 10**9, "colonization.cell_loss": 0.2,
    "colonization.avascular_limit": 8, "colonization.switch_time": "3 h", "colonization.shed_avascular": 0.5,
    "colonization.detect": 5, "colonization.follow": "1000/day", "colonization.shed": "2/day",
    "organs.lung.extravasation_time": "1 h", "organs.liver.extravasation_time": "1 h",
    "trait": [{"name": "resistance", "mutation": 0.02, "step": 0.2}],
    "injection": [{"node": "portal", "time": "2 h", "duration": "2 h", "cells": 1000, "diameter": "14 um"}],
    "draw": [{"node": "lung", "time": "10 h", "volume": "0.1 mL"},
             {"node": "venous", "time": "345 min", "volume": "0.3 mL"},
             {"node": "arterial", "time": "12 h", "volume": "0.1 mL"}],
    "therapy": [
        {"rate": "tissue.divide", "factor": 0.5, "start": "2 h", "duration": "100 min", "every": "4 h", "half_life": "31 min"},
        {"rate": "blood.nk", "factor": 6, "otherwise": 0.5, "start": "203 min", "duration": "2 h", "ramp": "50 min"},
        {"rate": "lesion.birth", "factor": 0, "start": "317 min", "duration": "61 min", "every": "2 h"},
        {"rate": "lesion.clonogenic", "factor": 0.5, "start": "190 min", "duration": "3 h"}],
    "surgery": [{"time": "5 h", "where": "tumor, lung", "share": 0.1, "lesions": 0.2}],
    "radiation": [{"time": "4 h", "where": "tumor, lung, liver", "dose": "0.4 Gy", "fractions": 3, "interval": "3 h",
                   "oxygen_enhancement": 3}]}
OWN = [*(str(EXAMPLE.parent / "mechanisms" / name) for name in ("starvation.py", "contact_inhibition.py")),
       str(Path(__file__).parent / "secreted.py")]
MECHANISMS = [    # what else there is, and three mechanisms of a user
    "vegf.enabled=true", "vegf.threshold=40 mmHg", "vegf.full=10 mmHg", "vegf.egfr_mutation=0.01", "vegf.id_mutation=0.01",
    "matrix.enabled=true", "macrophages.enabled=true", "neutrophils.enabled=true", "neutrophils.added=0.01/h",
    "emt.enabled=true", "emt.up=6/day", "emt.down=2/day", "emt.threshold=30 mmHg", "emt.full=5 mmHg",
    "chemotherapy.enabled=true", "chemotherapy.mutation=0.01", "l1cam.enabled=true", "l1cam.on=6/day", "l1cam.off=6/day",
    'l1cam.blood_time="50 min"', "l1cam.lesion_cells=4", f"mechanisms.modules={json.dumps(OWN)}", "starvation.enabled=true",
    "starvation.half=4 mM", "contact_inhibition.enabled=true",
    "adhesion.enabled=true", "adhesion.hypoxia=6/day", "adhesion.emt=6/day", "adhesion.regain=4/day",
    "adhesion.threshold=30 mmHg", "adhesion.full=5 mmHg", "detachment.enabled=true", "detachment.rate=2/day",
    "detachment.attached=0.5", "invasiveness.enabled=true", "invasiveness.mutation=0.01", "invasiveness.fold=3",
    "competence.enabled=true", "competence.mutation=0.01", "competence.correlation=0.5", "anoikis_resistance.enabled=true",
    "aggressiveness.enabled=true", "aggressiveness.mutation=0.01", "src_survival.mutation=0.01",
    "anoikis_resistance.mutation=0.01", "instability.enabled=true", "instability.mutation=0.01", "instability.fold=5",
    "integrins.enabled=true", "integrins.mutation=0.01", "haptotaxis.enabled=true", "haptotaxis.half=0.001/um",
    "chemotaxis.enabled=true", "chemotaxis.half=1e-4", "lymphatic.enabled=true", "lymphatic.hazard=40/day",
    'organs.lymph_node.extravasation_time="1 h"', "cytokines.enabled=true", "cytokines.half_organ=2000",
    "infiltration.enabled=true", "infiltration.mutation=0.01",
    "confinement.enabled=true", "proteolysis.enabled=true", "proteolysis.rate=0.1/h", "inflammation.enabled=true",
    "awakening.enabled=true", 'awakening.time="3 h"', 'awakening.where="lung, liver"', 'body.output="15 mL/min"',
    "body.flow={liver = 2.5}", "cxcl1.enabled=true", "cxcl1.mutation=0.01", "ligand.enabled=true", "ligand.mutation=0.01",
    "blood_brain_barrier.enabled=true", "blood_brain_barrier.mutation=0.01", "transformation.enabled=true",
    "transformation.rate=4/day",
    'injection.1={organ = "lung", cells = 600, cluster = 3, label = "normal", bits = ["NORMAL"], time = "1 h"}',
    'injection.2={node = "venous", cells = 600, cluster = 4, label = "donor", bits = ["L1CAM"], time = "3 h"}',
    'therapy.0={rate = "drug.vessel", factor = 1.0, otherwise = 0.0, start = "130 min", duration = "100 min", every = "4 h"}',
    'therapy.4={rate = "field.macrophages.inflow", factor = 0.1, start = "250 min", duration = "3 h"}']
LIVING = [         # vessels that live, fast enough to be seen in half a day
    "angiogenesis.enabled=true", "maturation.enabled=true", "perfusion.enabled=true", "vegf.enabled=true",
    'vessels.interval="1 h"', 'vessels.length_density="80 mm/mm^3"', "angiogenesis.sprouting=50/mm/day",
    'angiogenesis.speed="600 um/day"', "angiogenesis.branching=10/day", 'angiogenesis.pruning="6 h"', "angiogenesis.half=1e-3",
    "maturation.half=0.01", "neutrophils.enabled=true", 'perfusion.open="5 h"', 'perfusion.closed="3 h"',
    "perfusion.collapse=2/day"]
CROWD = dict(     # more cells come home than the places of a tumor of one cell can take, and wait
    tumor__cells=1, run__step="30 min", run__duration="3 h", output__interval="3 h", output__checkpoint="3 h", draw=[],
    therapy=[], surgery=[], radiation=[],
    vessels__length_density="40 mm/mm^3", intravasation__reach="5 um", colonization__attraction=1000,
    organs__tumor__extravasation_time="0.01 h", injection=[{"node": "tumor", "cells": 80_000}])
TABLES = ("shed", "lesions", "draws", "organs", "events", "clone_cells", "distances", "clones")


def settings(**changes):
    """``section.key=value`` texts of EVERYTHING; `changes` have ``__`` for the dot."""
    wanted = EVERYTHING | {name.replace("__", "."): value for name, value in changes.items()}
    return [f"{name}={_toml(value)}" for name, value in wanted.items()]


def balancing(on):
    """Settings with which ranks take over cells from each other at every step, or never."""
    return ["balance.threshold=0.0", "balance.interval=1"] if on else ["balance.enabled=false"]


def arguments(**changes):
    """The same as command-line arguments."""
    return [word for setting in settings(**changes) for word in ("--set", setting)]


def _toml(value):
    """A value as TOML."""
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {_toml(one)}" for name, one in value.items()) + "}"
    return json.dumps(value)


def content(directory, ordered=False):
    """Bytes of every table and column of the results of a run; `ordered`: rows of /shed by id."""
    with open_results(directory) as results:
        found = {f"series/{name}": column.tobytes() for name, column in results.series.items()}
        for name in TABLES:
            rows = results[name][:]
            found[name] = (np.sort(rows, order="id") if ordered and name == "shed" else rows).tobytes()
        return found | {"digest": results.digest}


def last(directory):
    """The last row of the time series, the columns that count: name -> int."""
    with open_results(directory) as results:
        return {name: int(column[-1]) for name, column in results.series.items() if column.dtype == np.int64}
