"""Tables of what was observed, beside the time series: a few rows for each output or event, over all ranks."""
import numpy as np

DRAW = np.dtype([("time_s", "i8"), ("index", "i4"), ("node", "i4"), ("volume_mL", "f8"),
                 ("singles", "i8"), ("clusters", "i8"), ("cells", "i8")])
ORGAN = np.dtype([("time_s", "i8"), ("node", "i4"), ("arrested", "i8"), ("lesions", "i8"), ("active", "i8"),
                  ("cells", "i8")])
CLONE_CELLS = np.dtype([("time_s", "i8"), ("cells", "i8"), ("clone", "u2"), ("place", "u1")])
SMALL = {"draws": DRAW, "organs": ORGAN, "clone_cells": CLONE_CELLS}
AT_OUTPUTS = ("organs", "clone_cells")          # of which there are rows at each output, like those of the series
SMALL_UNITS = {
    "draws": {"time_s": "s", "index": "1", "node": "node", "volume_mL": "mL", "singles": "CTCs", "clusters": "CTCs",
              "cells": "cells"},
    "organs": {"time_s": "s", "node": "node", "arrested": "cells", "lesions": "lesions", "active": "lesions",
               "cells": "cells"},
    "clone_cells": {"time_s": "s", "cells": "cells", "clone": "row of /clones", "place": "place"}}
PLACES = ("tissue", "circulating", "arrested")      # of cells; then the organs, where their lesions are


def places(nodes):
    """Names of the places of `clone_cells`, in the order of their numbers."""
    return [*PLACES, *nodes]
