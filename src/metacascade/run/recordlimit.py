"""How many CTCs and lesions a run may have before it stops, so that lesions that shed do not fill the memory."""
import os
from collections import Counter

from metacascade.base.errors import InputError, on_all_ranks
from metacascade.io.provenance import physical_memory

RECORD_BYTES = 400                # memory for each: 64 or 96 bytes, and copies of them within a step
SHARE = 0.5                       # of the memory of the nodes


class RecordLimit:
    """``run.max_records``, or what fits into the nodes of this session. The constructor is collective.

    It decides when a run stops, never how it goes on; the totals it looks at are the same on all ranks.
    """

    def __init__(self, world, config):
        self.given = config.run.max_records
        self.most = self.given or _fitting(world)

    def reached(self, totals):
        """Are there more records than may be? `totals` of the ledger; a cluster counts its cells."""
        return 0 < self.most < records(totals)

    def refuse(self, totals, injections, time_s):
        """Raise InputError on every rank if there are too many at `time_s`, or one injection to come alone is too much.

        Else a job would be queued again for ever.
        """
        to_come = [plan.cells for plan in injections if plan.time_s + plan.duration_s >= time_s]
        number = max([records(totals), *to_come])
        if 0 < self.most < number:
            raise on_all_ranks(InputError(f"{self.text(number)}.\n{self.remedy()}"))

    def text(self, number):
        """What is wrong."""
        what = f"run.max_records = {self.most:,}" if self.given else (
            f"the {self.most:,} for which half of the memory of the nodes suffices (run.max_records is not set)")
        return f"{number:,} CTCs and lesions are more than {what}"

    def remedy(self):
        """What to do."""
        return ("Start or resume it on more nodes, or with --set run.max_records=N if there is memory for them (some "
                f"{RECORD_BYTES} bytes each, over all ranks). A shorter run.duration, lower rates of colonization or "
                "fewer injected cells need fewer; metacascade run --dry-run estimates how many")


def of_this_machine():
    """The limit of a run on this machine alone, if ``run.max_records`` is not set; 0 if its memory is not known."""
    return int(SHARE * physical_memory() / RECORD_BYTES)


def records(totals):
    """CTCs in blood and lymph, clusters by their cells, and lesions, also the cleared whose records stay."""
    return (totals["circulating"] + totals["arrested"] + totals.get("lymph", 0)
            + totals["seeded"] - totals["dropped"])


def _fitting(world):
    """As many records as SHARE of the memory of all nodes holds, spread evenly over the ranks; 0 if it is not known."""
    nodes = world.allgather((os.uname().nodename, physical_memory()))
    ranks = Counter(name for name, _ in nodes)
    return int(SHARE * world.size * min(memory / ranks[name] for name, memory in nodes) / RECORD_BYTES)
