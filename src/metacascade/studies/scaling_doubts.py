"""What a scaling study cannot tell, and why: a busy machine, ranks that mostly wait or have too little to do."""
import statistics

LEAST_CORE, LEAST_WORK = 0.9, 0.5       # shares: of computing that a rank had a core, of its time that it computed
FEWEST_TILES = 27                       # of a rank: in a cube of 3 x 3 x 3 one of them has no other rank beside it
MOST_SPREAD = 1.25                      # slowest of several measurements over the fastest


def of(rows, cases) -> list[str]:
    """Lines of what is worth a look; `rows` of the table, `cases` as `scaling_table.rows` takes them."""
    return [line for row in rows for line in _of_row(row, _measured(row, cases))] + list(_slower(rows))


def _measured(row, cases):
    """The figures of all measurements behind a row."""
    return [case["figures"] for case in cases
            if (case["ranks"], case["figures"]["cells"]) == (row["ranks"], row["cells"])]


def _of_row(row, figures):
    head = f"{row['ranks']:,} rank{'s' * (row['ranks'] > 1)}: "
    core = min(map(core_share, figures), default=1.0)
    work = statistics.fmean(map(work_share, figures)) if figures else 1.0
    if core < LEAST_CORE and not row["oversubscribed"]:
        yield (f"{head}computing had a core for {core:.0%} of its time: something else runs on this machine. "
               "Wall times and speed-up are too low; measure on an idle one, or read `by CPU`")
    if work < LEAST_WORK and row["ranks"] > 1:
        yield (f"{head}computing is {work:.0%} of the time, the rest is messages and waiting: take a larger tumor, or "
               "fewer ranks")
    if row["tiles_mean"] < FEWEST_TILES and row["ranks"] > 1:
        yield (f"{head}{row['tiles_mean']:.3g} tiles a rank ({row['cells'] / row['ranks']:,.0f} cells), nearly all "
               f"beside another rank; below {FEWEST_TILES} more ranks are of little use: take a larger tumor")
    if row["step_s_max"] > MOST_SPREAD * row["step_s_min"]:
        yield (f"{head}the slowest measurement took {row['step_s_max'] / row['step_s_min']:.2f} times as long as the "
               "fastest: a difference between rows may be noise")


def _slower(rows):
    """More ranks that were slower than fewer, in strong scaling."""
    for fewer, more in zip(rows, rows[1:]):
        if more["cells"] == fewer["cells"] and more["step_s"] > fewer["step_s"]:
            yield (f"{more['ranks']:,} ranks: a step took {more['step_s'] / fewer['step_s']:.2f} times as long as on "
                   f"{fewer['ranks']:,}")


def core_share(figures) -> float:
    """CPU time over wall time of computing, of all ranks: what lies below 1 another program had, or the disk."""
    computing = sum(sum(rank["wall_s"].values()) - sum(rank["waited_s"].values()) for rank in figures["per_rank"])
    used = sum(sum(rank["cpu_s"].values()) for rank in figures["per_rank"])
    return min(used / computing, 1.0) if computing > 0 else 1.0


def work_share(figures) -> float:
    """The share of the time of all ranks in which they computed."""
    return 1.0 - figures["communication_share"]
