"""The capillary beds, each with its own row of [organs]: where it differs from the defaults of `body.Organ`."""
from metacascade.base.nodes import WITH_LESIONS

# Widths are RECALLED (that of the brain computed from mouse networks; the lung 7.5 +- 2.3 um, Doerschuk 1993), that
# of the lymph node ASSUMED so that few cells pass: of a hepatoma 10 % came through within 3 h (Tohoku J Exp Med
# 127:183, 1979), others pass too (Fisher and Fisher 1966). A cell plugs one capillary, from one branching to the
# next, while blood goes on through the others; so the pressure across it is, in every bed, what drops along the
# capillaries (RECALLED) over the number of segments that follow each other there (ASSUMED, hence all of these):
# - systemic: 35 mmHg at the arterial end (most of the pressure is lost before, in arterioles), 15 to 20 at the venous
#   end (textbooks), so 17.5 over three segments; over two in muscle and heart, where capillaries run along the fibers
#   with few cross-connections, over five in the dense net of the brain
# - skin: loops that do not branch, with 32 mmHg in the arterial limb and 12 in the venous of man (Landis 1930)
# - gut, stomach: 10 mmHg over three (Gore and Bohlen 1977)
# - kidney: the glomerulus, along which the pressure is nearly constant: some 2 mmHg, over two
# - lung: 10 mmHg from arteriole to venule, over ten and more segments of a dense net
# - liver: 4 to 5 mmHg from the portal to the hepatic vein, over some five stretches of sinusoid
# - bone, spleen: sinusoids, fed by low pressure; wider than most cells
# - tumor: leaky and tortuous vessels, the tissue around them under pressure; lymph node: that of lymph
BEDS = {
    "tumor": dict(capillary_um=10.0, pressure_Pa=200.0, adhesion=1.0),
    "lung": dict(capillary_um=7.5, capillary_spread=0.3, pressure_Pa=100.0, adhesion=1.0, nk=1.0, arrested_death=3.0,
                 divide=1.0),
    "liver": dict(capillary_um=8.0, pressure_Pa=120.0, adhesion=1.0),
    # its time is a tenth of the rate of the liver: the barrier, before any gene that opens it (ASSUMED)
    "brain": dict(capillary_um=6.1, pressure_Pa=470.0, adhesion=0.5, extravasation_h=240.0),
    # sinusoids of marrow carry E-selectin, VCAM-1 and CXCL12 all the time (Sipkins 2005, direction; ASSUMED)
    "bone": dict(capillary_um=25.0, pressure_Pa=100.0, adhesion=4.0, extravasation_h=12.0),
    "kidney": dict(capillary_um=7.0, pressure_Pa=130.0),
    "adrenal": dict(capillary_um=8.0, pressure_Pa=780.0, adhesion=0.8),
    "muscle": dict(capillary_um=5.0, pressure_Pa=1200.0, adhesion=0.2, extravasation_h=48.0),
    "skin": dict(capillary_um=6.0, pressure_Pa=2700.0),
    "heart": dict(capillary_um=6.0, pressure_Pa=1200.0),
    "stomach": dict(capillary_um=6.0, pressure_Pa=440.0),
    "gut": dict(capillary_um=6.0, pressure_Pa=440.0),
    "pancreas": dict(capillary_um=6.0, pressure_Pa=780.0),
    "spleen": dict(capillary_um=6.0, pressure_Pa=200.0),
    "fat": dict(capillary_um=6.0, pressure_Pa=780.0),
    "other": dict(capillary_um=6.0, pressure_Pa=780.0),
    "lymph_node": dict(capillary_um=9.0, pressure_Pa=20.0, adhesion=1.0),
}


def complete_organs(given: dict) -> dict:
    """A table for every bed, the tumor and the lymph node: `given` over the bed's own defaults. Checks nothing."""
    def one(name):
        own = given.get(name, {})
        return BEDS.get(name, {}) | own if isinstance(own, dict) else own

    return {name: one(name) for name in dict.fromkeys(["tumor", *WITH_LESIONS, *given])}
