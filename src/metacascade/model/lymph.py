"""What leaves the tumor with lymph: it is sent to the lymph node, and counted apart from what enters the blood."""
from metacascade._kernels._layout import Flag
from metacascade.base.columns import ALIVE, PASSED, ReportLine, cells
from metacascade.base.records import cells_in, chosen

COLUMNS = (
    cells("lymph", ALIVE, "in lymph and its node, flowing or held"),
    cells("shed_lymph", PASSED, "left the tumor with lymph"),
    cells("drained", PASSED, "came with lymph out of the lymph node into the veins"))
REPORT = (ReportLine("lymph", "{shed_lymph:,} cells left the tumor with lymph, {lymph:,} are in it, {drained:,} came "
                              "into the veins", if_any=("shed_lymph",)),)


def columns(plan) -> tuple:
    """The columns of the time series; none if no cell leaves the tumor with lymph."""
    return COLUMNS if plan.drains else ()


def send(shed, circuit):
    """Let what has just left the tissue with lymph begin its way in the lymph node; changes `shed`."""
    if circuit.lymph_node is not None:
        shed["origin"][with_lymph(shed)] = circuit.lymph_node


def apart(shed, walked, circuit):
    """(those of the CTCs just shed that entered the blood, what the ledger gets of the others)."""
    if circuit.lymph_node is None:
        return shed, {}
    leaves = with_lymph(shed)
    return chosen(shed, ~leaves), dict(shed_lymph=cells_in(shed, leaves), drained=walked.drained)


def alive(*blood):
    """The cells in lymph and its node, of several parts of the blood, for the ledger; nothing if there is none."""
    return dict(lymph=sum(part.in_lymph for part in blood)) if blood[0].circuit.lymph_node is not None else {}


def with_lymph(ctcs):
    """Which CTCs have left the tumor with lymph: an array of bool."""
    return ctcs["flags"] & Flag.LYMPH > 0
