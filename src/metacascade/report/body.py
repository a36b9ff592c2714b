"""The outline of a body, a scheme, with a place for each organ, and labels beside it that do not cover each other."""
from metacascade.report import marks, style

PLACES = {  # x from -1 to 1, y from 0 to 10 upward
    "brain": (0.0, 9.25), "lymph_node": (0.82, 6.95), "lung": (-0.5, 6.95), "heart": (0.12, 6.5),
    "liver": (-0.48, 5.45),
    "spleen": (0.66, 5.45), "stomach": (0.3, 5.6), "adrenal": (-0.32, 4.95), "pancreas": (0.12, 5.1),
    "kidney": (0.5, 4.75), "gut": (0.05, 4.25), "fat": (-0.62, 3.9), "bone": (0.55, 2.1), "muscle": (-0.58, 2.6),
    "skin": (-1.28, 5.2), "other": (0.0, 3.4)}
TUMORS = {"breast": (0.66, 6.2), "lung": (0.45, 6.9), "prostate": (0.0, 3.1), "colon": (0.4, 4.1),
          "colorectal": (0.4, 4.1), "skin": (1.28, 5.2), "liver": (-0.3, 5.3), "pancreas": (0.2, 5.0)}
INJECTED = (1.3, 4.6)
OUTLINE = [     # the right half, from the top of the head to between the legs
    (0.0, 10.05), (0.55, 9.95), (0.6, 9.1), (0.42, 8.45), (0.28, 8.2), (0.3, 7.85), (1.15, 7.6), (1.38, 7.0),
    (1.45, 5.6), (1.5, 4.4), (1.42, 3.75), (1.2, 3.9), (1.18, 5.0), (1.08, 6.5), (1.0, 6.4), (0.9, 5.2), (0.98, 4.2),
    (1.0, 3.2), (0.9, 1.6), (0.8, 0.25), (0.62, -0.05), (0.4, 0.1), (0.36, 1.6), (0.12, 3.0)]
SIDE, STEP = 1.95, 0.46         # where the labels are, and how far from each other at least


def tumor_at(organ):
    """Where the tumor of an organ is drawn."""
    return TUMORS.get(organ, (0.62, 6.2))


def draw(axis):
    """The outline, on axes without anything else."""
    points = [*OUTLINE, *((-x, y) for x, y in reversed(OUTLINE) if x)]
    marks.outline(axis, points, facecolor="#F4EFEA", edgecolor="#8B7D70", linewidth=1.2, zorder=1)
    axis.axis("off")
    axis.set(xlim=(-4.6, 4.6), ylim=(-0.3, 10.3), aspect="equal")


def label(axis, texts, sizes):
    """A mark for each organ and its text beside the body, with a line from one to the other."""
    most = max(sizes.values())
    for left in (True, False):
        side = sorted((organ for organ in texts if _is_left(organ) == left), key=lambda organ: -PLACES[organ][1])
        for organ, y in zip(side, _spread([PLACES[organ][1] for organ in side])):
            axis.annotate(texts[organ], PLACES[organ], xytext=(-SIDE if left else SIDE, y), va="center",
                          ha="right" if left else "left", fontsize=style.SMALL, zorder=6, arrowprops=dict(
                              arrowstyle="-", color=style.GRAY, linewidth=0.7, shrinkA=2, shrinkB=3))
    for organ in texts:
        axis.plot(*PLACES[organ], "o", color=style.GREEN, markeredgecolor="black", zorder=5,
                  markersize=5 + 6 * (sizes[organ] / most) ** 0.5)


def _is_left(organ):
    return PLACES[organ][0] < 0 or organ in ("brain",)


def _spread(places):
    """The same from above to below, none nearer than STEP to the one before."""
    found = []
    for y in places:
        found.append(min(y, found[-1] - STEP) if found else y)
    return found


def tumor(axis, at):
    """The mark of the tumor."""
    axis.plot(*at, "*", color=style.RED, markeredgecolor="black", markersize=17, zorder=7)
    axis.annotate("tumor", at, xytext=(SIDE, 7.9), va="center", fontweight="bold", zorder=6, arrowprops=dict(
        arrowstyle="-", color=style.GRAY, linewidth=0.7, shrinkB=7))
