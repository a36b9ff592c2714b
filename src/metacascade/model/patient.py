"""One patient of a cohort: a lumped tumor, blood and lesions, from the first cells to the end of follow-up.

The laws are those of `Simulation`, and so are the parts; what it leaves out are tissue, ranks and files. Of all that
the tumor and the lesions shed only the clonogenic cells are followed, which is exact for every lesion that can grow.
The blood, and lesions that do not divide, are exact in time; those that do, and the tumor, live in sub-steps of their
own. A step ends where a rate changes, where something is done, and where the tumor is about to be found.
"""
import math
from dataclasses import dataclass, field

import numpy as np

from metacascade._kernels._layout import CTC, Flag, LesionState
from metacascade.base.records import cells_in, joined
from metacascade.base.units import DAY_S, YEAR_S
from metacascade.config.windows import windows, wound_g
from metacascade.mechanisms import plan_of
from metacascade.model import burden, interventions
from metacascade.model.blood import Blood
from metacascade.model.circuit import Circuit
from metacascade.model.lesions import Lesions
from metacascade.model.lumped import Lumped, clonogenic
from metacascade.model.patient_tubes import Tubes
from metacascade.model.schedule import Schedule
from metacascade.ranks.parallel import serial_world

DIVIDING = LesionState.MICRO, LesionState.VASCULAR
SHORTEST_S = DAY_S                      # of a step that only looks for the time at which the tumor is found
UNDIAGNOSED, FOLLOWED, DIED, CLEARED = CAUSES = "undiagnosed", "end of follow-up", "died of the tumor", "no cell left"


@dataclass(frozen=True)
class Watch:
    """What is looked for, and until when: cells, and seconds from the first cells of the tumor on.

    A tumor of `found_cells` is found at the next of the visits, from `first_visit_s` on and until `last_visit_s`;
    without visits (`every_s` = 0) at once; one of `felt_cells` at once. So is a lesion of `lesion_cells`.
    """
    found_cells: float
    felt_cells: float = math.inf
    first_visit_s: int = 0
    last_visit_s: float = math.inf      # none is later
    every_s: int = 0
    lesion_cells: float = 1e9
    lethal_cells: float = 1e12
    longest_s: int = 60 * YEAR_S      # until then it is found, or never
    follow_up_s: int = 20 * YEAR_S    # from diagnosis
    most_lesions: int = 30              # with more that divide nothing that is shed is followed: these decide
    tubes: tuple = ()                   # of blood


@dataclass
class Course:
    """What became of a patient; times in seconds from the first cells on, -1: never."""
    diagnosed_s: int = -1
    tumor_cells: int = 0                # at diagnosis
    recurred_s: int = -1                # the first lesion seen
    died_s: int = -1
    full_s: int = -1                    # there were more lesions that divide than are followed
    end_s: int = 0
    cause: str = ""
    shed: int = 0                       # cells of the tumor that entered the blood
    shed_lesions: int = 0
    followed: int = 0                   # single cells and clusters
    seeded: int = 0                     # lesions
    left_cells: int = 0                 # of the tumor, at the end
    lesions: np.ndarray = field(default=None, repr=False)


class Patient:
    """A config with a lumped tumor, lived through.

    Parameters
    ----------
    config : Config
    watch : Watch
    treat : callable, optional
        ``treat(diagnosed_s)``: (therapies, surgeries, radiations) with their times, of sections of the config.
    """

    def __init__(self, config, watch, treat=None):
        self.config, self.watch, self.treat = config, watch, treat
        self.plan, self.seed = plan_of(config), config.run.seed
        self.circuit = Circuit(config, self.plan)
        self.blood = Blood(config, self.circuit, self.seed)
        self.lesions = Lesions(config, self.circuit, self.seed, detect=watch.lesion_cells, follow_all=False)
        self.tumor = Lumped(config, self.plan, serial_world())
        self.tumor.begin()
        self.tubes = Tubes(watch.tubes)
        self.late = np.empty(0, CTC)        # shed by new lesions, when the blood of the step had been walked
        self.course, self.time_s, self.step_number = Course(), 0, 0
        self._perfused = 0, 0.0
        self.circuit.set_burden(self._cells())
        self._arrange()
        self._intervene(-1, 0)

    def live(self, must_stop=lambda: False) -> Course | None:
        """To the end; None if `must_stop()`, asked before each step, says to leave it."""
        while not self._is_over():
            if must_stop():
                return None
            self.advance(self._next_s())
            self._look()
        course = self.course
        course.end_s, course.left_cells = min(self.time_s, self._end_s()), self.tumor.cells
        course.lesions = self.lesions.records
        if course.cause == CLEARED and course.diagnosed_s >= 0:
            course.end_s = self._end_s()        # nothing can happen until then
        return course

    # --- time -------------------------------------------------------------------------------------------------

    def _end_s(self):
        diagnosed_s = self.course.diagnosed_s
        return self.watch.longest_s if diagnosed_s < 0 else diagnosed_s + self.watch.follow_up_s

    def _is_over(self):
        course = self.course
        if not course.cause and self.time_s >= self._end_s():
            course.cause = UNDIAGNOSED if course.diagnosed_s < 0 else FOLLOWED
        return course.cause != ""

    def _next_s(self):
        """When the next step ends."""
        t_s, end_s = self.time_s, min(self.time_s + self.config.run.step_s, self._end_s())
        cuts = [at for at in (*self._cuts, *(due for due, _ in self.tubes.next_s(self.course))) if t_s < at < end_s]
        end_s = min([end_s, *cuts])
        return self._before_diagnosis(end_s) if self.course.diagnosed_s < 0 else end_s

    def _before_diagnosis(self, end_s):
        """The same while the tumor grows: a visit is the end of a step, and so is about when it is felt."""
        watch, t_s = self.watch, self.time_s
        if watch.every_s:
            visit_s = max(t_s + watch.every_s - (t_s - watch.first_visit_s) % watch.every_s, watch.first_visit_s)
            end_s = min(end_s, visit_s) if visit_s <= watch.last_visit_s else end_s
        wanted = watch.felt_cells if watch.every_s else min(watch.found_cells, watch.felt_cells)
        if (wait_s := self._until(wanted)) < end_s - t_s:
            end_s = t_s + max(wait_s, min(SHORTEST_S, end_s - t_s))
        return end_s

    def _until(self, cells):
        """When the tumor has so many cells if nothing disturbs it, by the closed law [s from now]."""
        law = {name: self.plan.number(f"lumped.{name}", self._scales) for name in ("gompertz", "capacity")}
        now, then = (math.log(law["capacity"] / n) if n else 0.0 for n in (self.tumor.cells, min(cells, 1e300)))
        if law["gompertz"] <= 0.0 or then <= 0.0 or now <= then:
            return math.inf
        return math.ceil(3600.0 * math.log(now / then) / law["gompertz"])

    def _arrange(self):
        """Take the rates of the present time, and know when they change."""
        self.schedule = Schedule(windows(self.config))
        self._changes = set(self.schedule.all_changes(self.time_s + 1, self._end_s() + 1))
        self._cuts = {event.time_s for event in interventions.due(self.config, self.time_s, self._end_s())}
        self._cuts |= self._changes
        self._take_rates()

    def _take_rates(self):
        self._scales = self.schedule.scales(self.time_s)
        if self.schedule.names:
            self.circuit.set_rates(self.schedule.scales(self.time_s, "blood."))
        if self.schedule.names or self.course.full_s >= 0:
            scales = self.schedule.scales(self.time_s, "lesion.")
            self.lesions.set_rates(scales | ({"lesion.clonogenic": 0.0} if self.course.full_s >= 0 else {}))
        self.chance = clonogenic(self.tumor, self.lesions)

    # --- a step -----------------------------------------------------------------------------------------------

    def advance(self, t1_s):
        """Everything lives to t1_s; then what is due there is done."""
        t0_s, course = self.time_s, self.course
        t0_h, t1_h = t0_s / 3600, t1_s / 3600
        cells = self.tumor.cells            # at the start of the step: by them it is perfused
        self.tubes.note(t0_s, cells * self.plan.number("lumped.shed", self._scales))
        shed = self.tumor.advance(self.step_number, [(t0_h, t1_h, self._scales)], self.chance, Flag.CLONOGENIC)
        of_lesions = self._grow(t0_h, t1_h)
        course.shed += shed.cells
        course.followed += len(shed.ctcs)
        self.blood.admit(joined(shed.ctcs, self.late, of_lesions))
        self.late = self.late[:0]
        if len(self.blood.records):
            self.perfuse(cells, t0_s)
            self._settle(self.blood.advance(t1_h), t0_h, t1_h)
        self.lesions.drop()
        self.step_number, self.time_s = self.step_number + 1, t1_s
        self._intervene(t0_s, t1_s)
        redraws = self.circuit.set_burden(self._cells())
        if t1_s in self._changes:
            self._take_rates()
            self.lesions.redraw(t1_h)
            redraws = True
        if redraws:
            self.blood.redraw(t1_h)

    def perfuse(self, cells, time_s):
        """Give the bed of the tumor the flow of so many cells, or of what treatment has left of it by then."""
        if (bed := (cells, wound_g(self.config, time_s))) != self._perfused:
            self.circuit.set_tumor_flow(*bed)
            self._perfused = bed

    def _cells(self):
        """Those of the tumor and of lesions in each node."""
        return burden.with_tumor(self.tumor.cells, burden.of_lesions(self.circuit, self.lesions.records))

    def _grow(self, t0_h, t1_h, first=0):
        if len(self.lesions.records) == first:
            return np.empty(0, CTC)
        grown = self.lesions.advance(self.step_number, t0_h, t1_h - t0_h, first)
        self.course.shed_lesions += grown.counts["shed_lesion"]
        return grown.shed

    def _settle(self, walked, t0_h, t1_h):
        """What has left the blood: lesions, which live on from then, or cells of the tumor again."""
        before = len(self.lesions.records)
        if len(walked.extravasated):
            self.lesions.found(walked.extravasated)     # all cells of a cluster are like its leader
            self.course.seeded += len(self.lesions.records) - before
            self.late = self._grow(t0_h, t1_h, before)
        self.tumor.add(cells_in(walked.returning))

    def _intervene(self, after_s, last_s, done=()):
        events = [event for event in interventions.due(self.config, after_s, last_s) if event not in done]
        if events:
            doing = interventions.Interventions(self.config, None, self.blood, self.lesions, self.tumor)
            for event in events:
                doing.apply(event, np.empty(0, CTC))

    # --- what is seen -----------------------------------------------------------------------------------------

    def _look(self):
        course, watch, records = self.course, self.watch, self.lesions.records
        seen_h = float(records["t_detected"].min(initial=math.inf))
        if course.recurred_s < 0 and seen_h < math.inf:
            course.recurred_s = min(math.ceil(3600 * seen_h), self.time_s)
        if course.diagnosed_s < 0 and (self._is_found() or course.recurred_s >= 0):
            self._diagnose()
        self.tubes.take(self)
        if course.full_s < 0 and np.count_nonzero(np.isin(records["state"], DIVIDING)) > watch.most_lesions:
            course.full_s = self.time_s
            self._take_rates()
        cells = self.tumor.cells + self.lesions.cells
        if cells >= watch.lethal_cells:
            course.died_s, course.cause = self.time_s, DIED
        elif not (cells or len(self.blood.records) or len(self.late)):
            course.cause = CLEARED

    def _is_found(self):
        watch, cells = self.watch, self.tumor.cells
        visit = not watch.every_s or (watch.first_visit_s <= self.time_s <= watch.last_visit_s
                                      and (self.time_s - watch.first_visit_s) % watch.every_s == 0)
        return cells >= watch.felt_cells or cells >= watch.found_cells and visit

    def _diagnose(self):
        self.course.diagnosed_s, self.course.tumor_cells = self.time_s, self.tumor.cells
        if self.treat:
            therapies, surgeries, radiations = self.treat(self.time_s)
            done = interventions.due(self.config, self.time_s - 1, self.time_s)     # those of the config, by then
            self.config = self.config.model_copy(update=dict(
                therapy=(*self.config.therapy, *therapies), surgery=(*self.config.surgery, *surgeries),
                radiation=(*self.config.radiation, *radiations)))
            self._intervene(self.time_s - 1, self.time_s, done)
            self.circuit.set_burden(self._cells())
        self._arrange()
        self.blood.redraw(self.time_s / 3600)
        self.lesions.redraw(self.time_s / 3600)


def ever_divided(lesions):
    """Which lesions have ever divided, or just begun to."""
    return np.isin(lesions["state"], DIVIDING) | (lesions["born"] > 0)


def summary(lesions, names):
    """Of the lesions of a patient: (first founded [h] of those that divided, its organ, numbers by organ)."""
    grew = lesions[ever_divided(lesions)]
    first = grew[np.lexsort((grew["id"], grew["t_founded"]))[:1]]
    counts = np.bincount(grew["node"], minlength=len(names))
    return (float(first["t_founded"][0]) if len(first) else math.inf,
            names[int(first["node"][0])] if len(first) else "", counts)
