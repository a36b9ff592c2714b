"""Flow and volume of blood and lymph of man and mouse: the numbers behind the circuit, and nothing else.

Sources
-------
Flow, human: National Research Council 1999, Risk Assessment of Radon in Drinking Water, NAP 6287,
    tables A-1 and A-2 (resting adult male; in substance those of ICRP Publication 89). Bone is red and
    yellow marrow, trabecular and cortical bone; gut is small and large intestine; other is thyroid,
    testes and the rest. Bronchial 2.5 %, outside the sum.
Flow, mouse: Brown et al. 1997, Toxicol Ind Health 13:407. Muscle, brain and adrenal are recalled; what
    they leave of the slowly perfused tissue is split between bone and fat as in the rat (12.2 : 7.0),
    the portal flow between stomach, gut, pancreas and spleen as in man; the remainder is other. Bronchial
    0.5 % (recalled).
Blood, human: ICRP Publication 89, 2002, regional blood volumes of the adult male (recalled; arteries
    6 % and large veins 18 % confirmed in NAP 6287, p. 240). Venous is large veins and right heart less
    the portal vein (1 %, ASSUMED), arterial is large arteries and left heart; lung includes bronchi.
Blood, mouse: the human shares, ASSUMED, of 1.7 mL.
Output and volume: man NAP 6287, p. 239, and ICRP 89; mouse Brown 1997 (both volumes recalled).
Lymph, human: 2.9 L/day, as pharmacokinetic models take it from measured 2 to 3; volume of all lymph nodes
    274 mL, Shah and Betts 2012, J Pharmacokinet Pharmacodyn 39:67 (recalled). Mouse: the human flow with
    the power 0.74 of the mass (25 g to 70 kg), 8.2 mL/day (computed); 0.113 mL, as in man (recalled).
"""
from typing import NamedTuple

from metacascade.base.nodes import BEDS, LYMPH_NODE, NODES, VESSELS
from metacascade.config.circulation import completed

TUMOR, VENOUS, ARTERIAL, LUNG = (NODES.index(name) for name in ("tumor", "venous", "arterial", "lung"))
KIND_VESSEL, KIND_BED, KIND_TUMOR, KIND_LYMPH = range(4)

KINDS = {"tumor": KIND_TUMOR, LYMPH_NODE: KIND_LYMPH} | dict.fromkeys(VESSELS, KIND_VESSEL) | dict.fromkeys(
    BEDS, KIND_BED)

# Where the blood of a node goes, or its lymph. The arteries feed every bed but the lung by its share of the flow.
DRAINS = dict.fromkeys((*BEDS, LYMPH_NODE), "venous") | {
    "venous": "lung", "lung": "arterial", "stomach": "portal", "gut": "portal", "pancreas": "portal",
    "spleen": "portal", "portal": "liver"}


class Body(NamedTuple):
    """`flow`: per cent of the cardiac output that each bed gets from the arteries; `blood`: per cent of
    the blood volume in each node; `lymph_mL`: of all lymph nodes; `bronchial`: what the arteries send to the
    lung on top of the output, in per cent of it."""

    output_mL_per_min: float
    blood_mL: float
    flow: dict[str, float]
    blood: dict[str, float]
    lymph_mL_per_min: float
    lymph_mL: float
    bronchial: float


_BLOOD = dict(
    venous=21.5, arterial=10.5, portal=1.0, lung=12.5, liver=10.0, brain=1.2, bone=7.0, kidney=2.0,
    adrenal=0.06, muscle=14.0, skin=3.0, heart=1.0, stomach=1.0, gut=6.0, pancreas=0.6, spleen=1.4,
    fat=5.0, other=2.24)

BODIES = {
    "human": Body(6500.0, 5300.0, dict(
        liver=6.5, brain=12.0, bone=7.5, kidney=19.0, adrenal=0.3, muscle=17.0, skin=5.0, heart=4.0,
        stomach=1.0, gut=14.0, pancreas=1.0, spleen=3.0, fat=5.0, other=4.75), _BLOOD,
        2900 / 1440, 274.0, 2.5),
    "mouse": Body(14.0, 1.7, dict(
        liver=2.0, brain=3.3, bone=11.6, kidney=9.1, adrenal=0.3, muscle=15.9, skin=5.8, heart=6.6,
        stomach=0.742, gut=10.39, pancreas=0.742, spleen=2.226, fat=6.7, other=24.6), _BLOOD,
        8.2 / 1440, 0.113, 0.5),
}


def body_of(config) -> Body:
    """The body of a config: that of its species, but for what [body] gives."""
    species, own = BODIES[config.run.species], config.body
    given = {name: getattr(own, name) for name in Body._fields if name not in ("flow", "blood")}
    return species._replace(flow=completed(own.flow, species.flow), blood=completed(own.blood, species.blood),
                            **{name: number for name, number in given.items() if number is not None})


CELLS_PER_G = 3e8            # viable tumor cells: 2494 um^3 each at about 75 % packing
TUMOR_BLOOD_mL_PER_G = 0.03  # vessel volume fraction of imaged tumor networks (Secomb et al. 2004)
TUMOR_FLOW_mL_PER_MIN_PER_G = 0.3  # for the transit through a tumor bed that gets no blood of its own
