"""The capillary beds, each with its own row of [organs]: where it differs from the defaults of `body.Organ`."""
from metacascade.base.nodes import WITH_LESIONS

# Widths are RECALLED (that of the brain computed from mouse networks; the lung 7.5 +- 2.3 um, Doerschuk 1993), that of
# the lymph node ASSUMED so that few cells pass: of a hepatoma 10 % came through within 3 h (Tohoku J Exp Med 127:183,
# 1979), others pass too (Fisher and Fisher 1966). The pressure is what drops along the stretch that one cell plugs, all
# ASSUMED:
# - lung: 10 mmHg from arteriole to venule, over ten and more segments of a dense net
# - liver: 4 to 5 mmHg from the portal to the hepatic vein, over some five stretches of sinusoid
# - bone, spleen: sinusoids, fed by low pressure; wider than most cells
# - muscle, heart: 15 to 20 mmHg over one to three long segments; brain, skin and others between
# - kidney: the glomerulus, before most of the resistance of its bed
# - tumor: leaky and tortuous vessels, the tissue around them under pressure; lymph node: that of lymph
BEDS = {
    "tumor": dict(capillary_um=10.0, pressure_Pa=200.0, adhesion=1.0),
    "lung": dict(capillary_um=7.5, capillary_spread=0.3, pressure_Pa=100.0, adhesion=1.0, nk=1.0, arrested_death=3.0,
                 divide=1.0),
    "liver": dict(capillary_um=8.0, pressure_Pa=120.0, adhesion=1.0),
    # its time is a tenth of the rate of the liver: the barrier, before any gene that opens it (ASSUMED)
    "brain": dict(capillary_um=6.1, pressure_Pa=1000.0, adhesion=0.5, extravasation_h=240.0),
    # sinusoids of marrow carry E-selectin, VCAM-1 and CXCL12 all the time (Sipkins 2005, direction; ASSUMED)
    "bone": dict(capillary_um=25.0, pressure_Pa=100.0, adhesion=4.0, extravasation_h=12.0),
    "kidney": dict(capillary_um=7.0, pressure_Pa=2000.0),
    "adrenal": dict(capillary_um=8.0, pressure_Pa=500.0, adhesion=0.8),
    "muscle": dict(capillary_um=5.0, pressure_Pa=1500.0, adhesion=0.2, extravasation_h=48.0),
    "skin": dict(capillary_um=6.0, pressure_Pa=1000.0),
    "heart": dict(capillary_um=6.0, pressure_Pa=1500.0),
    "stomach": dict(capillary_um=6.0, pressure_Pa=1000.0),
    "gut": dict(capillary_um=6.0, pressure_Pa=1000.0),
    "pancreas": dict(capillary_um=6.0, pressure_Pa=1000.0),
    "spleen": dict(capillary_um=6.0, pressure_Pa=200.0),
    "fat": dict(capillary_um=6.0, pressure_Pa=1000.0),
    "other": dict(capillary_um=6.0, pressure_Pa=1000.0),
    "lymph_node": dict(capillary_um=9.0, pressure_Pa=20.0, adhesion=1.0),
}


def complete_organs(given: dict) -> dict:
    """A table for every bed, the tumor and the lymph node: `given` over the bed's own defaults. Checks nothing."""
    def one(name):
        own = given.get(name, {})
        return BEDS.get(name, {}) | own if isinstance(own, dict) else own

    return {name: one(name) for name in dict.fromkeys(["tumor", *WITH_LESIONS, *given])}
