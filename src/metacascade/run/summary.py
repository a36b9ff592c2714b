"""What a run says at its end."""
import textwrap

from metacascade.base import sheets
from metacascade.base.numerals import counted
from metacascade.base.screen import one_line
from metacascade.io import funnel
from metacascade.io.needs import TUMOR
from metacascade.mechanisms import lumped
from metacascade.model.observables import REPORT
from metacascade.ranks import launcher
from metacascade.run import tables

INDENT = 12     # of the text of a line of the report


def tell(simulation, fates, organs, directory, seconds, memory):
    """Print what has happened in a run. Rank 0.

    `fates`: of `Fates.totals`; `organs`: rows of the table by organ; `memory`: bytes of the largest rank.
    """
    print("\n".join(head(simulation, seconds, memory)) + "\n", flush=True)
    # Open MPI gives a rank a terminal even where it writes to a log.
    sheets.show(of(simulation, fates, organs), terminal=not launcher.open_mpi())
    directory = one_line(directory)
    print(f"\nevery cell is accounted for: {simulation.ledger.born:,} born\n"
          f"results in {directory}/results.h5; to look inside: metacascade info {directory}", flush=True)


def head(simulation, seconds, memory) -> list[str]:
    """How long it was and took, and the report of each part of the model, as lines."""
    totals = dict(simulation.ledger.totals, clones=len(simulation.clones))
    own_line = lumped.enabled(simulation.config)
    days = simulation.time_s / 86400
    report = [text for line in REPORT if not (own_line and line.title == TUMOR) for text in line.of(totals)]
    return [f"{days:g} day{'s' * (days != 1)} in {counted(simulation.step_number, 'step')}, {seconds:.1f} s on "
            f"{counted(simulation.world.size, 'rank')}, at most {memory / 2**20:,.0f} MiB each",
            *(line for text in report for line in textwrap.wrap(
                text, sheets.WIDTH, subsequent_indent=INDENT * " ", break_on_hyphens=False))]


def of(simulation, fates, organs) -> list:
    """Where the cells are, of what they died, what became of those shed, and what lives in organs, as tables."""
    totals, columns, nodes = simulation.ledger.totals, simulation.columns, simulation.circuit.names
    burdens = [dict(organ=nodes[row["node"]]) | {name: int(row[name]) for name in organs.dtype.names}
               | funnel.states_of(row) for row in organs]
    return [tables.cells(totals, columns), tables.deaths(totals, columns), tables.fates(fates),
            tables.organs(burdens, most=len(burdens))]
