"""Sections of the config that say how to run, not what happens in nature."""
from typing import ClassVar

from metacascade.base.declare import Section, Times, choice, integer, number, quantity, switch, times

LARGEST_SEED = 2**63 - 1  # the largest integer of TOML


class Run(Section):
    """Time, seed and host of the run."""
    table: ClassVar[str] = "run"

    seed: int = integer("seed", 1, 0, LARGEST_SEED, doc=(
        "Key of every random number. Config, seed and build fix every byte of a result, on any number of ranks."))
    step_s: int = quantity("step", "min", "s", 30, 1 / 60, 44640, doc=(
        "Time step of the tissue and of the organs, a day at most with tissue; the blood is exact in time within it."))
    long_step_s: int | None = quantity("long_step", "day", "s", None, 1 / 1440, 3653, doc=(
        "Longest step without tissue, a multiple of the step, 10 days say; it ends where anything is due to be written "
        "or to happen. Blood and organs are exact in time within it. Left out: as the step."))
    duration_s: int = quantity("duration", "day", "s", 7, 1 / 86400, 36525, doc=(
        "Simulated time; a multiple of the step."))
    species: str = choice("species", "mouse", ("mouse", "human"), doc=(
        "Whose circulation: flows, volumes and transit times."))
    stop_when_empty: bool = switch(
        "End before run.duration, complete, once nothing is alive in tissue, blood and lesions and no injection and no "
        "draw is to come.", key="stop_when_empty", default=False)
    max_records: int | None = integer("max_records", None, 1000, 10**15, doc=(
        "CTCs and lesions, over all ranks, beyond which the run stops with a checkpoint and exit code 75; no result "
        "depends on it. Left out: as many as half of the memory of the nodes holds. An injection of more is refused at "
        "the start."))

    @property
    def longest_step_s(self) -> int:
        """Of a step without tissue [s]."""
        return self.long_step_s or self.step_s

    @property
    def step_h(self) -> float:
        """The step [h]."""
        return self.step_s / 3600

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return self.duration_s // self.step_s


class Output(Section):
    """What is written, and how often."""
    table: ClassVar[str] = "output"

    interval_s: int = quantity("interval", "h", "s", 6, 1 / 3600, 876600, doc=(
        "Time between two entries of the time series; a multiple of the step."))
    checkpoint_s: int = quantity("checkpoint", "day", "s", 1, 1 / 86400, 36525, doc=(
        "Simulated time between two checkpoints; a multiple of the step."))
    keep_s: Times = times("keep", "day", 1 / 86400, 36525, doc=(
        "Simulated times, such as [\"2 days\", \"5 days\"], or one time as the interval between them, \"1 day\", at "
        "which a checkpoint is written and kept for good, for `branch RUN --at`; multiples of the step. The last two "
        "checkpoints are there anyway."))
    shed_cells: bool = switch("Write one row per shed cell: origin, fate and times.", key="shed_cells")
    clones: int = integer("clones", 1000, 0, 65_535, doc=(
        "Clones whose cells are told apart at each output, those with most cells; the cells of all others are added "
        "up."))
    snapshots: bool = switch("Write cells, fields and vessels for ParaView.", key="snapshots", default=False)
    snapshot_interval_s: int = quantity("snapshot_interval", "day", "s", 1, 1 / 86400, 36525, doc=(
        "Time between two snapshots, besides those of the start and the end; a multiple of the step."))
    snapshot_cells: int = integer("snapshot_cells", 1_000_000, 1, 10**10, doc=(
        "Most cells in one snapshot; of more, an evenly chosen part is written."))

    def keeps(self, time_s: int) -> bool:
        """Is the checkpoint of this time kept for good?"""
        return time_s % self.keep_s == 0 if isinstance(self.keep_s, int) else time_s in self.keep_s

    def saves(self, time_s: int) -> bool:
        """Is a checkpoint due at this time?"""
        return time_s % self.checkpoint_s == 0 or self.keeps(time_s)

    def next_kept_s(self, time_s: int) -> int | None:
        """The first time after this one at which a checkpoint is kept; None if there is none."""
        if isinstance(self.keep_s, int):
            return (time_s // self.keep_s + 1) * self.keep_s
        return min((one for one in self.keep_s if one > time_s), default=None)

    def kept_until(self, end_s: int) -> int:
        """How many checkpoints a run of this length keeps."""
        return end_s // self.keep_s if isinstance(self.keep_s, int) else sum(one <= end_s for one in self.keep_s)


class Balance(Section):
    """Moving tiles between ranks when some have more work than others; changes no result."""
    table: ClassVar[str] = "balance"

    enabled: bool = switch("Rebalance at all.")
    threshold: float = number("threshold", 0.05, 0.0, 100.0, doc=(
        "Rebalance when the busiest rank has this share more work than the mean and moving pays; 0: always."))
    interval: int = integer("interval", 8, 1, 10**6, doc="Steps between two looks at the balance.")
