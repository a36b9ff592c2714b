"""The one style sheet of all pictures: colors, letters, lines, and how a picture becomes SVG and PNG. Needs matplotlib.

Colors are those of Okabe and Ito 2008, which the color-blind tell apart, and differ in lightness, so that they can be
told in print without color; where lines cross, dashes tell them too. No letter is below 9 points at the size shown.
"""
import contextlib
import io
import math
import re

from metacascade.base.errors import InputError

BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, RED, PURPLE = OKABE_ITO = (
    "#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7")
GRAY, PALE, INK = "#6B6B6B", "#E4E4E4", "#222222"
LINES = (BLUE, RED, GREEN, "#A0457E", BLACK, "#9A6A00", "#3E86B5", GRAY)       # on white: contrast of 3 to 1 and more
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (1, 1)), (0, (3, 1)))
FILLS = (BLUE, ORANGE, GREEN, RED, SKY, PURPLE, YELLOW, GRAY)
ZONES = {"core": RED, "border": ORANGE, "outside": BLUE}
MATURITY = (RED, ORANGE, SKY, "#003B6F")       # new and leaky .. mature
WIDTH_IN, POINTS, SMALL, LETTERS = 7.2, 10.0, 9.0, 100       # LETTERS: of a small line across
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
LARGEST_SVG, DPI = 500_000, 150         # bytes of an SVG that stands in the page; dots of an inch

SHEET = {
    "font.family": "DejaVu Sans", "font.size": POINTS, "axes.titlesize": POINTS, "axes.titleweight": "bold",
    "axes.titlelocation": "left", "axes.labelsize": POINTS, "xtick.labelsize": SMALL, "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL, "legend.frameon": False, "axes.spines.top": False, "axes.spines.right": False,
    "axes.edgecolor": INK, "axes.labelcolor": INK, "text.color": INK, "xtick.color": INK, "ytick.color": INK,
    "lines.linewidth": 1.8, "axes.grid": True, "grid.color": PALE, "grid.linewidth": 0.7, "axes.axisbelow": True,
    "figure.facecolor": "white", "savefig.facecolor": "white", "svg.fonttype": "path", "svg.hashsalt": "metacascade",
    "axes.formatter.useoffset": False, "axes.formatter.limits": (-4, 5), "path.simplify": True, "image.cmap": "cividis",
    "text.parse_math": False, "figure.dpi": 100}


@contextlib.contextmanager
def sheet(**changes):
    """In the body pictures are made and written in this style. Raises InputError without matplotlib."""
    with _library().rc_context(SHEET | changes):
        yield


def _library():
    try:
        import matplotlib
    except ImportError:
        raise InputError('matplotlib is not installed, and draws all pictures: pip install "metacascade[report]"'
                         ) from None
    return matplotlib


def figure(rows=1, columns=1, height_in=3.0, width_in=WIDTH_IN, **how):
    """A figure and its axes, an array of shape (rows, columns); `how` as of ``Figure.subplots``."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    made = Figure(figsize=(width_in, height_in), layout="constrained")
    FigureCanvasAgg(made)
    return made, made.subplots(rows, columns, squeeze=False, **how)


def mosaic(places, width_in, height_in, **how):
    """A figure and its axes by name, as ``Figure.subplot_mosaic`` places them."""
    made, _ = figure(height_in=height_in, width_in=width_in)
    made.clear()
    return made, made.subplot_mosaic(places, **how)


def laid_out(made):
    """The figure with all places settled: done once for all formats, as it takes longer than to write one."""
    made.draw_without_rendering()
    made.set_layout_engine("none")
    return made


def svg(made) -> str:
    """A figure as SVG: the same text for the same figure."""
    text = io.StringIO()
    made.savefig(text, format="svg", metadata={"Date": None, "Creator": None}, dpi=DPI)
    return text.getvalue()


def png(made, dpi) -> bytes:
    """A figure as PNG: the same bytes for the same figure and library."""
    data = io.BytesIO()
    made.savefig(data, format="png", dpi=dpi, metadata={"Software": None})
    return data.getvalue()


def inline(text, name, label) -> str:
    """An SVG as it stands in the page: without its head, its ids with the name of the figure, a label for readers."""
    body = text[text.index("<svg"):]
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = re.sub(r'(url\(#|href="#)', rf"\g<1>{name}-", body)
    body = re.sub(r'<svg\b([^>]*?) width="[^"]*"', r"<svg\1", body, count=1)
    body = re.sub(r'<svg\b([^>]*?) height="[^"]*"', r"<svg\1", body, count=1)
    return body.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)


def colormap(colors, name="own"):
    """A scale of colors from the first to the last of them."""
    from matplotlib.colors import LinearSegmentedColormap
    return LinearSegmentedColormap.from_list(name, list(colors))


def time_axis(axis, days, margin=0.02):
    """The axis of time, from the first to the last output [d]: the same in all figures of a run."""
    room = margin * max(float(days[-1] - days[0]), 1e-9)
    axis.set(xlabel="time [days]", xlim=(float(days[0]) - room, float(days[-1]) + max(room, 1e-9)))


def unit(text):
    """A unit as it stands at an axis: "no unit" for 1."""
    for plain, proper in (("um", "µm"), ("uM", "µM"), ("^2", "²"), ("^3", "³")):
        text = text.replace(plain, proper)
    return "no unit" if text == "1" else text


def key(axis, columns=1):
    """The legend of a panel below it, where it covers nothing."""
    axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.24), ncols=columns, borderaxespad=0.0)


def abreast(labels, most=3):
    """How many entries of a legend have room side by side above a figure."""
    longest = max(map(len, labels), default=1)
    return max(1, min(most, len(labels), LETTERS // (longest + 8)))


def listed(colors):
    """A scale of these colors and none between."""
    from matplotlib.colors import ListedColormap
    return ListedColormap(colors)


def steps(number):
    """(color, dashes) of so many lines, as different as they can be."""
    return [(LINES[k % len(LINES)], DASHES[(k + k // len(LINES)) % len(DASHES)]) for k in range(number)]


def thousands(axis):
    """Numbers of an axis in words that people read: 20,000."""
    from matplotlib.ticker import FuncFormatter
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}" if abs(value) >= 1 or value == 0
                                           else f"{value:g}"))


def log_scale(axis, lowest=None, highest=None):
    """A logarithmic axis whose numbers are 1, 10, ... 1,000,000, then powers; of a short one also 2 and 5 times."""
    from matplotlib.ticker import FuncFormatter, LogLocator
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    axis.set_major_locator(LogLocator(numticks=8))
    axis.set_major_formatter(FuncFormatter(lambda value, _: _power(value)))
    axis.set_minor_formatter(FuncFormatter(lambda value, _: _between(axis, value)))
    getattr(axis.axes, f"set_{axis.axis_name}lim")(lowest, highest)


def _power(value):
    if 1 <= value < 9_999_999:
        return f"{value:,.0f}"
    if 1e-3 <= value < 1:
        return f"{value:.3g}"
    return f"10{str(round(math.log10(value))).translate(RAISED)}" if value > 0 else ""


def _between(axis, value):
    low, high = axis.get_view_interval()
    short = 0 < low and math.floor(math.log10(high)) - math.ceil(math.log10(low)) < 1      # one power of ten, or none
    return _power(value) if short and f"{value:e}"[0] in "25" and value < 9_999_999 else ""
