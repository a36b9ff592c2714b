"""From the file of a cohort to one patient, and to the rows of the results."""
import math

import numpy as np

from metacascade._kernels._layout import LESION, Draw, draws, unit52
from metacascade.base.nodes import LYMPH_NODE, NODES
from metacascade.base.units import YEAR_S
from metacascade.config.config import Config
from metacascade.io.bloodcount import quantile
from metacascade.mechanisms import trust
from metacascade.model.patient import CAUSES, Patient, Watch, ever_divided, summary
from metacascade.model.patient_tubes import Tube
from metacascade.studies.cohort_file import cells_of
from metacascade.studies.sweep_values import parameters

PLACES = (*NODES, LYMPH_NODE)
NOWHERE = 255
COURSE = {      # column -> (type, unit)
    "age_diagnosis": ("f8", "year"), "tumor_cells": ("i8", "cells"), "diagnosed_s": ("i8", "s"),
    "founded_s": ("i8", "s"), "recurred_s": ("i8", "s"), "died_s": ("i8", "s"), "end_s": ("i8", "s"),
    "full_s": ("i8", "s"), "cause": ("u1", "cause"), "first_organ": ("u1", "node"), "shed": ("i8", "cells"),
    "shed_lesions": ("i8", "cells"), "followed": ("i8", "CTCs"), "seeded": ("i8", "lesions"),
    "lesions_left": ("i8", "lesions"), "tumor_left": ("i8", "cells"), "divided": ("i4", "lesions"),
    "detected": ("i4", "lesions")}
TUBE = {        # of each tube of blood; a time of -1: not drawn
    "s": ("i8", "s"), "ctcs_per_L": ("f8", "CTCs/L"), "found": ("i8", "CTCs")}
OF_LESION = {"id": "1", "source": "id of a lesion", "node": "node", "origin": "node", "state": "lesion state",
             "n": "cells", "born": "cells", "died": "cells", "shed": "cells", "t_founded": "h", "t_state": "h",
             "t_detected": "h"}
LESION_ROW = np.dtype([("patient", "i8"), *((name, LESION.fields[name][0]) for name in OF_LESION)])


def column(law) -> str:
    """The column of a parameter that is drawn: its name, with _ for the dot."""
    return law.name.replace(".", "_")


def patient_row(cohort) -> np.dtype:
    """A row of the table of patients."""
    number = [law for law in cohort.drawn if law.parameter.kind != "choice"]
    return np.dtype([("patient", "i8"), ("seed", "u8"), *((column(law), "f8") for law in number),
                     *((name, kind) for name, (kind, _) in COURSE.items()),
                     *((f"tube{k}_{name}", kind) for k in range(len(cohort.tubes)) for name, (kind, _) in TUBE.items()),
                     ("lesions_by_organ", "i4", (len(PLACES),)), ("detected_by_organ", "i4", (len(PLACES),))])


def units_of(cohort) -> dict:
    """Unit of every column of the table of patients."""
    found = {"patient": "1", "seed": "1"}
    found |= {column(law): law.parameter.internal or "1" for law in cohort.drawn if law.parameter.kind != "choice"}
    found |= {name: unit for name, (_, unit) in COURSE.items()}
    found |= {f"tube{k}_{name}": unit for k in range(len(cohort.tubes)) for name, (_, unit) in TUBE.items()}
    return found | {"lesions_by_organ": "lesions", "detected_by_organ": "lesions"}


def seed_of(cohort_seed: int, number: int) -> int:
    """The seed of a patient: 63 bits of (seed of the cohort, number)."""
    words = draws(cohort_seed, Draw.PATIENT, np.array([number], np.uint64), np.zeros(1, np.uint32)).astype(np.uint64)
    return int(words[0, 1] << np.uint64(32) | words[0, 0]) >> 1


def made(cohort, number):
    """(Patient, what was drawn by the name of the parameter, age at the first cells [s])."""
    options = cohort.options
    values = cohort.base.to_dict()
    drawn = {law.name: law.draw(options.seed, number) for law in cohort.laws if law.law != "same"}
    drawn |= {law.name: law.within(law.numbers[0] * drawn[law.of]) for law in cohort.laws if law.law == "same"}
    for name, value in drawn.items():
        *outer, _ = name.split(".")
        table = values
        for word in outer:
            table = table[word]
        table[parameters()[name].attribute] = value
    values["run"]["seed"] = seed_of(options.seed, number)
    own = {name: law.draw(options.seed, number) for name, law in cohort.own.items()}
    doses = {law.name: law.draw(options.seed, number) for law in cohort.doses}
    config = Config.from_dict(values)
    trust(config)
    tubes = tuple(Tube(one.after, one.time_s, one.volume_mL) for one in cohort.tubes)
    patient = Patient(config, _watch(own, tubes), lambda time_s: _treatment(cohort, time_s, doses))
    return patient, drawn | own | doses


def _watch(own, tubes):
    every_s = own.get("screening.every", 0)
    first_s = own["screening.start"] - own["age"]
    if every_s and first_s < 0:
        first_s %= every_s
    return Watch(
        found_cells=cells_of(own["screening.diameter"]) if every_s else cells_of(
            min(own["screening.diameter"], own["screening.felt"])),
        felt_cells=cells_of(own["screening.felt"]), first_visit_s=first_s, every_s=every_s,
        last_visit_s=own.get("screening.end", math.inf) - own["age"],
        lesion_cells=own["follow_up.detect_cells"], lethal_cells=own["follow_up.lethal_cells"],
        longest_s=own["follow_up.longest"], follow_up_s=own["follow_up.duration"],
        most_lesions=own["follow_up.most_lesions"], tubes=tubes)


def _treatment(cohort, time_s, doses):
    """Therapies, surgeries and radiations of a patient who is diagnosed at `time_s`; `doses`: drawn for them."""
    def given(name, key, i, one):
        own = {law.parameter.attribute: doses[law.name] for law in cohort.doses
               if law.name.startswith(f"treatment.{name}.{i}.")}
        return one.model_copy(update=own | {key: own.get(key, getattr(one, key)) + time_s})

    shifted = {"therapy": "start_s", "surgery": "time_s", "radiation": "time_s"}
    return tuple(tuple(given(name, key, i, one) for i, one in enumerate(cohort.treatment[name]))
                 for name, key in shifted.items())


def lived(cohort, number, must_stop=lambda: False):
    """(row of the table of patients, rows of the table of lesions) of a patient; None if `must_stop()` said so."""
    patient, drawn = made(cohort, number)
    course, names = patient.live(must_stop), patient.circuit.names
    if course is None:
        return None
    first_h, organ, grew = summary(course.lesions, names)
    seen = np.bincount(course.lesions["node"][np.isfinite(course.lesions["t_detected"])], minlength=len(names))
    row = np.zeros(1, patient_row(cohort))
    row["patient"], row["seed"] = number, patient.seed
    for law in cohort.drawn:
        if law.parameter.kind != "choice":
            row[column(law)] = drawn[law.name]
    for name in ("tumor_cells", "diagnosed_s", "recurred_s", "died_s", "end_s", "full_s", "shed", "shed_lesions",
                 "followed", "seeded"):
        row[name] = getattr(course, name)
    row["age_diagnosis"] = (drawn["age"] + course.diagnosed_s) / YEAR_S if course.diagnosed_s >= 0 else math.nan
    row["founded_s"] = int(3600 * first_h) if first_h < math.inf else -1
    row["cause"], row["first_organ"] = CAUSES.index(course.cause), PLACES.index(organ) if organ else NOWHERE
    row["lesions_left"], row["tumor_left"] = np.count_nonzero(course.lesions["n"]), course.left_cells
    row["divided"], row["detected"] = grew.sum(), seen.sum()
    row["lesions_by_organ"][0, :len(names)], row["detected_by_organ"][0, :len(names)] = grew, seen
    for k, one in enumerate(cohort.tubes):
        _fill(row, k, one, patient)
    return row, _lesion_rows(number, course.lesions)


def _fill(row, k, tube, patient):
    """What is in a tube, and what is found in it: a draw from the law of Poisson."""
    row[f"tube{k}_s"], row[f"tube{k}_ctcs_per_L"], row[f"tube{k}_found"] = -1, math.nan, -1
    if k in patient.tubes.found:
        time_s, all_of_them, epithelial = patient.tubes.found[k]
        words = draws(patient.seed, Draw.CELLSEARCH, np.array([time_s], np.uint64), np.array([k], np.uint32))
        mean = 0.001 * tube.volume_mL * tube.recovery * epithelial
        row[f"tube{k}_s"], row[f"tube{k}_ctcs_per_L"] = time_s, all_of_them
        row[f"tube{k}_found"] = quantile(float(unit52(words[:, 0], words[:, 1])[0]), mean)


def _lesion_rows(number, lesions):
    """Of those that have ever divided: others, asleep or just seeded, may be thousands."""
    lesions = lesions[ever_divided(lesions)]
    lesions = lesions[np.argsort(lesions["id"])]
    rows = np.zeros(len(lesions), LESION_ROW)
    rows["patient"] = number
    for name in OF_LESION:
        rows[name] = lesions[name]
    return rows
