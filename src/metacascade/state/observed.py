"""Tables of what was observed, beside the time series: a few rows for each output or event, over all ranks."""
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Layout:
    """The rows of a table: their type, a record, and the unit of each of its fields."""
    dtype: np.dtype
    units: dict


def layout(**fields) -> Layout:
    """A Layout from (type, unit) by the name of the field."""
    return Layout(np.dtype([(name, kind) for name, (kind, _) in fields.items()]),
                  {name: unit for name, (_, unit) in fields.items()})


DRAWS = layout(time_s=("i8", "s"), index=("i4", "1"), node=("i4", "node"), volume_mL=("f8", "mL"),
               singles=("i8", "CTCs"), clusters=("i8", "CTCs"), cells=("i8", "cells"))
CLONE_CELLS = layout(time_s=("i8", "s"), cells=("i8", "cells"), clone=("u2", "row of /clones, 65535: others"),
                     place=("u1", "place"))
EVENTS = layout(time_s=("i8", "s"), cells=("i8", "cells"), node=("i4", "node"), event=("u1", "event"))
DISTANCES = layout(time_s=("i8", "s"), below=("f8", "um"), cells=("i8", "cells"), of=("u1", "whom"))
DISTANCES_OF = ("shed", "tissue")               # whose distances to vessels they are
CLONE = dict(clone=("u2", "row of /clones"), id=("u8", "1"), parent=("i4", "row of /clones, -1: none"),
             step=("i8", "steps"), time_s=("i8", "s"))      # then its traits
NAMES = ("draws", "organs", "events", "clone_cells", "distances", "clones")
AT_OUTPUTS = ("organs", "events", "clone_cells", "distances")   # with rows of each output, like the series
PLACES = ("tissue", "circulating", "arrested")      # of cells; then the organs, where their lesions are
OTHERS = 65_535                                     # instead of a clone in `clone_cells`: all that have no rows


def layouts(by_node=(), traits=()) -> dict[str, Layout]:
    """All tables by name: `by_node` declares the columns of the table by organ, `traits` are names."""
    return {"draws": DRAWS, "organs": organs(by_node), "events": EVENTS, "clone_cells": CLONE_CELLS,
            "distances": DISTANCES, "clones": clones(traits)}


def organs(by_node) -> Layout:
    """A row for each output and node where anything is."""
    return layout(time_s=("i8", "s"), node=("i4", "node"), **{one.name: ("i8", one.unit) for one in by_node})


def clones(traits) -> Layout:
    """A row for each clone; `time_s` is the end of the step in which it was born."""
    return layout(**CLONE, **{name: ("u1", "1/255") for name in traits})


def places(nodes):
    """Names of the places of `clone_cells`, in the order of their numbers."""
    return [*PLACES, *nodes]
