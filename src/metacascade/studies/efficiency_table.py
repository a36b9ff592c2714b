"""What came of the study of metastatic efficiency, as text, as CSV and as Markdown; read back from CSV."""
import csv
import io

from metacascade.base.errors import InputError
from metacascade.base.nodes import BEDS
from metacascade.config.config import load
from metacascade.io import atomic
from metacascade.run.inputs import config_of
from metacascade.studies import reproduce_picture
from metacascade.studies.efficiency import FOLD, LEAST, WITHIN_H, Bar, Efficiency, of, tornado

TABLE, FIGURE = "tornado.csv", "tornado.png"
HEAD = "parameter", "status", "low", "high", "efficiency at low", "efficiency at high", "ends"
DEFAULT = "as the config has it"
USUAL, OTHER = "usual range", "none declared"
TOLD = f"""Growing metastases for each single cell that the tumor sheds, at once or after sleep within \
{WITHIN_H / 8766:.0f} years, on the mean of the laws. Each assumed or recalled number at the ends of its usual range, \
all else as it was; those with a * have none declared and are at {1 / FOLD:g} and {FOLD:g} times what they are, \
numbers of beds in all of them together, and their width at 0.8 and 1.25 times. Soil stays as it was solved, in units \
of the best organ. What moves the efficiency by less than {100 * LEAST:g} % is left out."""


def study(config, folder):
    """Compute, and write table and figure into a directory; what is there is not computed again. The lines of text."""
    path = folder / TABLE
    with atomic.writing(folder):            # before a minute of computing, which would be lost
        folder.mkdir(parents=True, exist_ok=True)
    if not path.is_file():
        base, bars = tornado(config)
        atomic.write_text(path, as_csv(base.whole, bars))
    whole, bars = read(path)
    if not reproduce_picture.tornado(whole, bars, folder / FIGURE):
        print('no figure: matplotlib is not installed, pip install "metacascade[report]"', flush=True)
    return lines(whole, bars)


def told(config, settings, folder):
    """The lines of the command: by organ, and with a directory the study in it."""
    config = load(config_of(config)[0], settings)
    if config.tumor is None or not (config.blood.enabled and config.colonization.enabled):
        raise InputError("efficiency needs a config with a [tumor], blood.enabled and colonization.enabled: its cells "
                         "must leave the blood and found lesions")
    found = of(config)
    if folder and (folder / TABLE).is_file() and read(folder / TABLE)[0] != found.whole:
        raise InputError(f"{folder / TABLE} is of another config or version: give another --out, or remove it")
    head = [f"{found.whole:.3g} growing metastases for each single cell that is shed, {found.woken.sum():.2g} of them "
            "after sleep; shares of the cells shed:"]
    return head + by_organ(found) + (study(config, folder)[1:] if folder else [])


def as_csv(whole: float, bars) -> str:
    """A row for each bar, behind one of the config as it is."""
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(HEAD)
    out.writerow([DEFAULT, "", "", "", repr(whole), repr(whole), ""])
    out.writerows([bar.parameter, bar.status, *bar.ends, *map(repr, bar.found), USUAL if bar.is_usual else OTHER]
                  for bar in bars)
    return text.getvalue()


def read(path) -> tuple[float, list[Bar]]:
    """The efficiency, and the bars of a table. InputError if it is none."""
    with atomic.reading(path):
        data = path.read_bytes()
    try:
        first, *rows = list(csv.reader(io.StringIO(data.decode("utf-8"))))[1:]
        return float(first[4]), [Bar(name, status, (low, high), (float(a), float(b)), ends == USUAL)
                                 for name, status, low, high, a, b, ends in rows]
    except (ValueError, IndexError, csv.Error):
        raise InputError(f"{path} is no table of this command: give another --out, or remove it") from None


def lines(whole: float, bars) -> list[str]:
    """For a terminal."""
    width = max((len(_name(bar)) for bar in bars), default=0)
    return [f"{whole:.3g} growing metastases for each single cell that is shed; over the range of"] + [
        f"  {_name(bar):{width}}  {bar.found[0]:8.2g} to {bar.found[1]:8.2g}  x{bar.fold:<8.3g} {bar.ends[0]} to "
        f"{bar.ends[1]}, {bar.status}" for bar in bars]


def by_organ(found: Efficiency) -> list[str]:
    """The organs, for a terminal."""
    return [f"  {bed:10}{exits:9.2g} leave the blood, {growing:9.2g} grow"
            for bed, exits, growing in zip(BEDS, found.exits, found.growing)]


def markdown(whole: float, bars) -> list[str]:
    """For a page."""
    return ["", TOLD, "", f"As the config has it: {whole:.2g}.", "",
            "| parameter | status | from | to | efficiency at these | larger over smaller |",
            "|---|---|---|---|---|---|",
            *(f"| `{bar.parameter}`{'' if bar.is_usual else ' *'} | {bar.status} | {bar.ends[0]} | {bar.ends[1]} | "
              f"{bar.found[0]:.2g}, {bar.found[1]:.2g} | {bar.fold:.3g} |" for bar in bars)]


def _name(bar):
    return bar.parameter if bar.is_usual else bar.parameter + " *"
