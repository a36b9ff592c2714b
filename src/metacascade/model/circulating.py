"""What flows in each node of the circuit, for the read-outs of the blood."""
import numpy as np

from metacascade._kernels._layout import Place
from metacascade.base.columns import CTCS, NodeColumn


def _if_flowing(ctcs, numbers):
    return np.where(ctcs["place"] == Place.CIRCULATING, numbers, 0)


BY_NODE = (
    NodeColumn("circulating", "cells", "flowing with its blood", CTCS, lambda ctcs: _if_flowing(ctcs, ctcs["n"])),
    NodeColumn("flowing", "CTCs", "the same, in single cells and clusters", CTCS, lambda ctcs: _if_flowing(ctcs, 1)),
    NodeColumn("epithelial", "1/255 CTC", "of these, what is epithelial: the sum of 1 - EMT, a cluster by its leader",
               CTCS, lambda ctcs: _if_flowing(ctcs, 255 - ctcs["emt"].astype(np.int64))))
