"""The base of a cohort and the treatments of its patients: checked together, each told where it stands.

When and how much a treatment is given may differ between patients, by the laws of `cohort_laws`. Such a treatment is
checked with one value of the law; nothing else depends on when or how much it is.
"""
import os

from metacascade.base.errors import InputError
from metacascade.base.names import nearest
from metacascade.config import presets, read as config_read
from metacascade.config.config import build
from metacascade.config.interventions import Radiation, Surgery
from metacascade.config.read import Document, Problem
from metacascade.config.therapy import Therapy
from metacascade.studies import cohort_laws

SECTIONS = {"therapy": Therapy, "surgery": Surgery, "radiation": Radiation}
TREATMENTS = tuple(SECTIONS)
DRAWN = {"therapy": ("start", "factor", "efficacy"), "surgery": ("time",), "radiation": ("time", "dose")}
NOTHING = {"factor": 1, "efficacy": 0, "dose": 0}       # values that change nothing
CHECKED_STEP = "1 h"        # times of treatments are multiples of it


class _Wrong(Exception):
    """What is wrong with a base and treatments."""


class _Treated(Document):
    """A base with treatments in place of its own."""

    def refuse(self, problems):
        """Hand them over: those of treatments stand in another file."""
        raise _Wrong(problems)


def read(name, document, problems):
    """The config, the treatments as sections of it with times from diagnosis on, those without effect, and the laws of
    what differs between patients in them.

    `name`: of the base in the document of a cohort. What is wrong is added to the problems; then there is no config.
    """
    given = _given(document.tables.get("treatment", {}), problems)
    laws = tuple(_laws(given, problems))
    if (base := _base(name, document.folder, problems)) is None:
        return None, {}, (), ()
    treated = _Treated(**vars(_document(name, document.folder)))
    treated.tables |= given
    config_read.override(treated, {"run.step": CHECKED_STEP})
    try:
        arms = build(treated)
    except _Wrong as wrong:
        problems += [_in_cohort(one, treated) for one in wrong.args[0]]
        return None, {}, (), ()
    idle = tuple(f"treatment.{line}" for line in arms.warnings_from(0)      # cells may be anywhere at diagnosis
                 if line.startswith(TREATMENTS) and "without effect" in line)
    return base, {name: getattr(arms, name) for name in TREATMENTS}, idle, laws


def _laws(given, problems):
    """The laws in tables of treatments, each of which gives way there to one value, to be checked with the others."""
    for name, tables in given.items():
        for i, table in enumerate(tables):
            if not isinstance(table, dict):
                continue
            tables[i] = table = dict(table)
            for key in [key for key, value in table.items() if isinstance(value, dict)]:
                parameter, path = SECTIONS[name].parameters.get(key), ("treatment", name, i, key)
                if parameter is None:
                    continue                # an unknown key, which the check of the config tells
                law, value = None, table.pop(key)
                if key not in DRAWN[name]:
                    problems.append(Problem(path, f"is the same for all patients: of a {name} {', '.join(DRAWN[name])} "
                                            "may have a law"))
                elif key == "factor" and "drug" in table:
                    problems.append(Problem(path, "a drug has factors of its own: draw its efficacy"))
                else:
                    law = cohort_laws.read(path, ".".join(map(str, path)), parameter, value, problems)
                if law is not None:
                    table[key] = _typical(law)
                    yield law


def _typical(law):
    """A value that a law may draw, as it is written in a config; one that changes something, if there is any."""
    values = [value for value in _some(law) if value != NOTHING.get(law.name.rpartition(".")[2])]
    value = values[0] if values else law.numbers[0]
    if law.parameter.internal == "s":
        return f"{round(value / 3600)} h"
    return law.parameter.text(value) if law.parameter.kind == "quantity" else value


def _some(law):
    """Values that a law may draw."""
    if law.law == "choice":
        return [value for value, weight in zip(law.numbers, law.weights) if weight > 0]
    if law.law.endswith("uniform"):
        return [sum(law.numbers) / 2, law.numbers[1]]
    if law.law == "normal":
        return [law.numbers[0], law.within(sum(law.numbers)), law.within(law.numbers[0] - law.numbers[1])]
    return [law.numbers[0], *([law.within(2 * law.numbers[0])] if len(law.numbers) > 1 and law.numbers[1] else [])]


def _in_cohort(problem, treated):
    """The same in the file of the cohort: of a treatment where it stands, of all else at the base."""
    if problem.path and problem.path[0] in TREATMENTS:
        told = problem.message.replace(f"run.step = {CHECKED_STEP}", CHECKED_STEP)
        return Problem(("treatment", *problem.path), told)
    return Problem(("base",), f"with the treatments: {treated.message(problem)}")


def _given(tables, problems):
    """Treatment -> its list of tables, each of which there may not be."""
    known = ", ".join(f"[[treatment.{one}]]" for one in TREATMENTS)
    if not isinstance(tables, dict):
        problems.append(Problem(("treatment",), f"has the tables {known}"))
        return dict.fromkeys(TREATMENTS, [])
    for key in tables:
        if key not in TREATMENTS:
            problems.append(Problem(("treatment", key), f"no treatment{nearest(key, TREATMENTS)}; there are {known}"))
        elif not isinstance(tables[key], list):
            problems.append(Problem(("treatment", key), f"must be a list of tables: write [[treatment.{key}]]"))
    return {name: list(tables[name]) if isinstance(tables.get(name), list) else [] for name in TREATMENTS}


def _base(name, folder, problems):
    """The config of the base; None, and a problem, for one that cannot be lived through."""
    before = len(problems)
    if name is None:
        problems.append(Problem((), 'needs base = "FILE.toml" or the name of a preset: a config with a lumped tumor'))
    elif not os.path.splitext(name)[1] and not _is_there(name, folder):
        known = presets.names()
        problems.append(Problem(("base",), f"there is no such file or preset{nearest(name, known)}; presets: "
                                f"{', '.join(known)}"))
    if len(problems) > before:
        return None
    try:
        base = build(_document(name, folder))
    except InputError as error:
        near = "" if _is_there(name, folder) else nearest(name.removesuffix(".toml"), presets.names())
        problems.append(Problem(("base",), f"{error}{near}"))
        return None
    if base.tumor is None or not base.tumor.lumped:
        problems.append(Problem(("base",), "has no lumped tumor: [tumor] lumped = true"))
    if base.injection or base.draw:
        problems.append(Problem(("base",), "has injections or draws: patients have none"))
    return base


def _is_there(name, folder):
    return name in presets.names() or os.path.exists(os.path.join(folder, name))


def _document(name, folder):
    path = os.path.join(folder, name)
    if name in presets.names() and not os.path.exists(path):
        return config_read.parse_text(presets.text(name), name, str(presets.FOLDER))
    return config_read.read_file(path)
