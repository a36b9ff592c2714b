"""The file of a cohort: how many patients, from which config and laws, and how they are found, treated and followed."""
import math
from dataclasses import dataclass
from typing import ClassVar

from metacascade.base.declare import RECALLED, Line, Section, choice, integer, number, quantity, text
from metacascade.base.names import nearest
from metacascade.config import read as config_read, values as config_values
from metacascade.config.config import Config
from metacascade.config.read import Problem
from metacascade.config.run import LARGEST_SEED
from metacascade.config.tissue import CELLS_PER_UM3
from metacascade.io.bloodcount import RECOVERY, TUBE_mL
from metacascade.studies import cohort_base, cohort_laws
from metacascade.studies.cohort_laws import unknown, years_or_days
from metacascade.studies.sweep_values import parameters

NOT_DRAWN = {"run", "output", "balance", "mechanisms", "outline", "staging", "vessels", "tissue", "tumor.lumped",
             "colonization.detect", "colonization.follow"}      # [follow_up] has the first, the second is always 0


class Patients(Section):
    """The keys of the file outside of its tables."""
    tables: ClassVar[dict] = dict.fromkeys(("draw", "screening", "treatment", "follow_up", "tube"))

    title: Line = text("title", "", doc="A line about the cohort.")
    patients: int = integer("patients", 1000, 1, 10**7, doc="How many.")
    seed: int = integer("seed", 1, 0, LARGEST_SEED, doc="Of the cohort: with the number of a patient it decides all.")
    base: str | None = text("base", None, longest=4096, doc="A config with a lumped tumor, or a preset.")
    age_s: int = quantity("age", "year", "s", 50, 0, 120, doc="At the first cells of the tumor.")


class Screening(Section):
    """When the primary tumor is found."""
    table: ClassVar[str] = "screening"

    diameter_um: float = quantity("diameter", "mm", "um", 15, 0.01, 1000, doc=(
        "Of a ball of tumor, 3e8 cells a gram, that is found at the next visit, or at once if there are none."))
    felt_um: float = quantity("felt", "mm", "um", 30, 0.01, 1000, doc="Of one that is found without a visit.")
    start_s: int = quantity("start", "year", "s", 0, 0, 120, doc="Age at the first visit.")
    end_s: int | None = quantity("end", "year", "s", None, 0, 120, doc="Age after which there are none.")
    every_s: int | None = quantity("every", "year", "s", None, 1 / 365.25, 120, doc=(
        "From visit to visit; left out: there are no visits."))


class FollowUp(Section):
    """How long, and what is seen."""
    table: ClassVar[str] = "follow_up"

    duration_s: int = quantity("duration", "year", "s", 20, 1 / 365.25, 100, doc="From diagnosis.")
    lethal_cells: float = number("lethal_cells", 1e12, 1, 1e15, doc="Of tumor and lesions together: the host dies.")
    detect_cells: float = number("detect_cells", 1e9, 1, 1e14, doc="Of a lesion that is seen.")
    longest_s: int = quantity("longest", "year", "s", 60, 1 / 365.25, 120, doc=(
        "From the first cells on; a tumor that is not found by then is none that counts."))
    most_lesions: int = integer("most_lesions", 30, 1, 10**7, doc=(
        "Lesions of a patient that divide, beyond which nothing that is shed is followed: they decide."))


class TubeOfBlood(Section):
    """[[tube]]: blood that is drawn from the veins of each patient, and looked through by an assay for EpCAM."""
    table: ClassVar[str] = "tube"

    after: str = choice("after", "diagnosis", ("diagnosis", "recurrence"), doc=(
        "What it is drawn after; recurrence: a first lesion that is seen."))
    time_s: int = quantity("time", "year", "s", 0, 0, 100, doc="So long after it.")
    volume_mL: float = quantity("volume", "mL", "mL", TUBE_mL, 0.01, 1000, doc="Of blood.")
    recovery: float = number("recovery", RECOVERY, 0, 1, source="Allard 2004, cells of a line added to blood",
                             status=RECALLED, doc="The chance that an epithelial cell is found.")


@dataclass(frozen=True)
class Cohort:
    """A file that has been read. `laws`: of parameters of the config; `own`: of keys of the other tables; `doses`: of
    when and how much treatments are given."""
    options: Patients
    base: Config
    laws: tuple
    own: dict
    treatment: dict
    tables: dict
    text: str
    tubes: tuple = ()
    idle: tuple = ()            # what is without effect, in words
    doses: tuple = ()

    @property
    def drawn(self) -> tuple:
        """All laws that differ from patient to patient, those of the config first."""
        return tuple(law for law in (*self.laws, *self.own.values(), *self.doses) if law.law != "one")


def read(path) -> Cohort:
    """Read and check the file of a cohort and its config. Raises InputError with every problem in it."""
    return of(config_read.read_file(path))


def of(document) -> Cohort:
    """The same of a document that has been read."""
    document.refuse_others("cohort")
    problems: list[Problem] = []
    options = _options(document, problems)
    laws, own = [*_laws(document.tables.get("draw", {}), problems)], {}
    problems += [*_same(laws)]
    for section in (Screening, FollowUp):
        own |= _own(section, document.tables.get(section.table, {}), problems)
    age = document.tables.get("age")
    own["age"] = cohort_laws.read(("age",), "age", Patients.parameters["age"], "50 years" if age is None else age,
                                  problems)
    tubes = tuple(tubes_of(document.tables.get("tube", []), problems))
    base, treatment, idle, doses = cohort_base.read(options.base, document, problems)
    problems += [*_dead_at_once(base, own), *_never_visited(own)]
    if problems:
        document.refuse(problems)
    if "start" in document.tables.get("screening", {}) and "screening.every" not in own:
        idle += "screening.start: without effect (there are no visits: give `every`)",
    return Cohort(options, base, tuple(laws), own, treatment, document.tables, document.text, tubes, idle, doses)


def _dead_at_once(base, own):
    """A Problem if as many cells as patients begin with are lethal, of all of them."""
    lethal = own["follow_up.lethal_cells"]
    if base is not None and lethal is not None and lethal.law == "one" and lethal.numbers[0] <= base.tumor.cells:
        yield Problem(("follow_up", "lethal_cells"), f"patients begin with {base.tumor.cells:,} cells, tumor.cells of "
                      "the base: all die at once")


def _never_visited(own):
    """A Problem if `end` of [screening] leaves no visit to anybody, or there is none to end."""
    start, end = (own.get(f"screening.{key}") for key in ("start", "end"))
    if end is None:
        return
    if "screening.every" not in own:
        yield Problem(("screening", "end"), "there are no visits: give `every`")
    elif start is not None and start.law == end.law == "one" and end.numbers[0] < start.numbers[0]:
        yield Problem(("screening", "end"), f"is before the first visit, at {years_or_days(start.numbers[0])}")
    elif (age := own["age"]) is not None and age.law == end.law == "one" and end.numbers[0] < age.numbers[0]:
        yield Problem(("screening", "end"), f"is before the first cells of the tumor, at the age of "
                      f"{years_or_days(age.numbers[0])}")


def _options(document, problems):
    values = {}
    for key, value in document.tables.items():
        if key in Patients.parameters and key != "age":
            values[key] = value
        elif key not in Patients.tables and key != "age":
            problems.append(unknown((key,), [*Patients.parameters, *Patients.tables]))
    return config_values.validated(Patients, values, problems)


def _laws(table, problems, path=("draw",)):
    """The laws in [draw]: of parameters of the config, by their names."""
    if not isinstance(table, dict):
        problems.append(Problem(path, "must be a table of parameters and laws"))
        return
    for key, given in table.items():
        here = (*path, key)
        name = ".".join(here[1:])
        parameter = parameters().get(name)
        if isinstance(given, dict) and "law" not in given and (given or parameter is None):
            yield from _laws(given, problems, here)
        elif parameter is None or {name, name.partition(".")[0]} & NOT_DRAWN or ".0." in name:
            problems.append(Problem(here, f"no parameter that patients may differ in{_where_else(name, parameter)}"))
        elif law := cohort_laws.read(here, name, parameter, given, problems):
            yield law


def _where_else(name, parameter):
    """That a law stands elsewhere in the file, or the nearest name of a parameter that there is."""
    if name.partition(".")[0] in {"age", *Patients.tables} - {"draw", "tube"}:
        return f": {name} takes a law where it stands, not in [draw]"
    return nearest(name, parameters()) if parameter is None else ""


def _same(laws):
    """Each is there once; laws that follow another one must name one that does not, of a number in the same unit."""
    drawn = {law.name: law for law in laws if law.law not in ("same", "choice")}
    for name in sorted({law.name for law in laws if [one.name for one in laws].count(law.name) > 1}):
        yield Problem(("draw", name), "is there twice, as a key and in a table")
    for law in laws:
        if law.law == "same" and (law.of not in drawn or drawn[law.of].parameter.internal != law.parameter.internal):
            yield Problem(("draw", law.name), f"of = {law.of!r} must be another parameter of [draw], in the same unit, "
                          "with a law of its own")


def _own(section, table, problems):
    """Key of [screening] or [follow_up] -> its law."""
    if not isinstance(table, dict):
        problems.append(Problem((section.table,), "must be a table"))
        return {}
    for key in table.keys() - section.parameters.keys():
        problems.append(unknown((section.table, key), section.parameters))
    found = {}
    for key, parameter in section.parameters.items():
        name = f"{section.table}.{key}"
        if key in table:
            found[name] = cohort_laws.read((section.table, key), name, parameter, table[key], problems)
        elif parameter.default is not None:
            found[name] = cohort_laws.Law(name, parameter, "one", (parameter.default,))
    return found


def tubes_of(given, problems):
    """A TubeOfBlood for each table of [[tube]]."""
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        problems.append(Problem(("tube",), "must be a list of tables: write [[tube]]"))
        return
    known = TubeOfBlood.parameters
    for k, one in enumerate(given):
        problems += [unknown(("tube", k, key), known) for key in one.keys() - known.keys()]
        laws = [cohort_laws.read(("tube", k, key), key, known[key], one[key], problems)
                for key in one.keys() & known.keys()]
        problems += [Problem(("tube", k, law.name), "is the same for all") for law in laws if law and law.law != "one"]
        yield TubeOfBlood.model_construct(**{law.parameter.attribute: law.numbers[0] for law in laws if law})


def cells_of(diameter_um: float) -> float:
    """Cells of a ball of tumor."""
    return CELLS_PER_UM3 * math.pi / 6.0 * diameter_um**3
