"""Living a cohort through: its patients spread over the ranks, part by part; the same call again goes on."""
import time
from pathlib import Path

import numpy as np

from metacascade.base import stopsignals
from metacascade.base.errors import DONE, STOPPED_EARLY
from metacascade.base.numerals import counted
from metacascade.base.screen import one_line
from metacascade.base.units import YEAR_S
from metacascade.config.effects import without_effect
from metacascade.io import provenance, rundirectory
from metacascade.ranks import parallel
from metacascade.run.estimate import duration
from metacascade.run.progress import ranks_and_cores, say, warn
from metacascade.run.walllimit import SLACK_S, STARTED
from metacascade.studies import cohort_file, cohort_patient, cohort_results, cohort_table

TELL_S = 10.0               # between two lines of progress
TRIED = 3                   # patients that --dry-run lives through


def run(path, out, dry_run=False, wall_limit_s=None):
    """Live the patients of a cohort through that are not done, and write the results; the exit code. Collective.

    Raises
    ------
    InputError
        For all that is wrong in the file or its config, and where `out` is the directory of something else.
    """
    world = parallel.start()
    cohort = _read(world, path)
    if dry_run:
        with world.together():
            if world.rank == 0:
                print(_preview(cohort), flush=True)
        return DONE
    with stopsignals.given_back(), rundirectory.held(world, out):
        places = world.places()
        if world.rank == 0:
            text, warnings = ranks_and_cores(places)
            print(text, flush=True)
            warn(world, warnings)
        return Runner(world, cohort, out, wall_limit_s).run()


def _read(world, path):
    """The cohort on every rank; rank 0 alone says what is odd about its config and its treatments."""
    with world.together():
        cohort = cohort_file.read(path)
    warn(world, [*odd(cohort), *cohort.idle])
    return cohort


def odd(cohort) -> list[str]:
    """What is allowed and yet worth a look in the config, and what has no effect of that in which patients differ."""
    drawn = [tuple(law.name.split(".")) for law in cohort.laws]
    lines = [line for line in cohort.base.warnings if "never happens" not in line]
    return [*lines, *(f"[draw] {line}" for line in without_effect(cohort.base, drawn, False))]


def _preview(cohort):
    """What a cohort is, and how long it takes, by its first patients."""
    options, lines = cohort.options, []
    title = f": {one_line(options.title)}" * bool(options.title)
    lines.append(f"{counted(options.patients, 'patient')}, seed {options.seed}{title}")
    lines += [f"  {law.name}: {law}" for law in cohort.drawn]
    lines += [f"  treated with {len(held)} x {name}" for name, held in cohort.treatment.items() if held]
    began, tried = time.perf_counter(), min(TRIED, options.patients)
    for number in range(tried):
        row, lesions = cohort_patient.lived(cohort, number)
        lines.append(f"  patient {number}: {_told(row[0])}, {counted(len(lesions), 'lesion')} that ever divided")
    each_s = (time.perf_counter() - began) / tried
    lines.append(f"  about {each_s:.2g} s a patient: {duration(each_s * options.patients)} on one rank")
    return "\n".join(lines)


def _told(row):
    """A patient in words."""
    if row["diagnosed_s"] < 0:
        return "never diagnosed"
    years = [f"diagnosed after {row['diagnosed_s'] / YEAR_S:.1f} years"]
    for name, text in (("recurred_s", "a lesion seen"), ("died_s", "died")):
        if row[name] >= 0:
            years.append(f"{text} {(row[name] - row['diagnosed_s']) / YEAR_S:.1f} years later")
    return ", ".join(years)


class Runner:
    """The share of one rank, and the end, which is rank 0's."""

    def __init__(self, world, cohort, out, wall_limit_s=None):
        self.world, self.cohort, self.out = world, cohort, Path(out)
        self.limit_s, self.slowest_s, self.stop = wall_limit_s, 0.0, False
        self.began_s = self.told_s = self.looked_s = time.monotonic()

    def run(self):
        """All parts; the exit code. Collective."""
        world, plan = self.world, cohort_results.plan_of(self.cohort)
        stopsignals.listen(self._wish_to_stop)
        found = None
        with world.together():
            if world.rank == 0:
                cohort_results.keep_plan(self.out, plan)
                found = cohort_results.missing(self.out, self.cohort.options.patients)
        missing = world.bcast(found)
        self.total, self.done = len(missing), 0
        with world.together():
            for block in missing[world.rank::world.size]:
                if self._must_stop() or not self._block(block):
                    break
        done = int(world.sum([self.done])[0])
        if done < self.total:
            parts = cohort_results.blocks(self.cohort.options.patients)
            say(world, f"stopped: {self.total - done:,} of {parts:,} parts are left; the same command goes on")
            return STOPPED_EARLY
        stopsignals.ignore()
        self._finish(plan)
        return DONE

    def _block(self, block):
        """The patients of a part; False if there was a wish to stop before its end, and nothing of it is kept."""
        rows, lesions = [], []
        for number in cohort_results.members(block, self.cohort.options.patients):
            if (found := cohort_patient.lived(self.cohort, number, self._must_stop)) is None:
                return False
            rows.append(found[0])
            lesions.append(found[1])
        cohort_results.write_part(self.out, block, np.concatenate(rows), np.concatenate(lesions),
                                  cohort_patient.units_of(self.cohort))
        self.done += 1
        self._tell()
        return True

    def _finish(self, plan):
        session = provenance.collect(self.world)
        with self.world.together():
            if self.world.rank == 0:
                rows, lesions, digest = cohort_results.gather(self.out, self.cohort, plan, session)
                cohort_table.write(self.out, rows, lesions, cohort_patient.units_of(self.cohort))
                print("\n".join([f"{counted(len(rows), 'patient')}, {counted(len(lesions), 'lesion')} that ever "
                                 f"divided; digest {digest}",
                                 *cohort_table.report(rows, lesions, self.cohort.tubes),
                                 f"  results in {self.out / cohort_results.NAME}; tables beside it, such as "
                                 f"{cohort_table.NAMES['survival']}"]), flush=True)

    def _tell(self):
        if self.world.rank == 0 and time.monotonic() - self.told_s >= TELL_S:
            self.told_s = time.monotonic()
            done = min(self.done * self.world.size, self.total)
            left = duration(round(cohort_results.left_s(done, self.total - done, self.told_s - self.began_s)))
            print(f"{100 * done / self.total:.0f} % of the patients, by those of rank 0, {left} left", flush=True)

    def _must_stop(self):
        """Is there a wish to stop, or no time for two more of the longest of the steps so far? Asked before each."""
        now = time.monotonic()
        self.slowest_s, self.looked_s = max(self.slowest_s, now - self.looked_s), now
        if self.limit_s is not None and now - STARTED + SLACK_S + 2 * self.slowest_s > self.limit_s:
            self.stop = True
        return self.stop

    def _wish_to_stop(self, *_):
        self.stop = True
