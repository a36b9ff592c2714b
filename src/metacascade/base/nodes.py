"""The nodes of the circuit: large vessels, capillary beds, and the bed of the tumor."""
VESSELS = ("venous", "arterial", "portal")
BEDS = ("lung", "liver", "brain", "bone", "kidney", "adrenal", "muscle", "skin", "heart", "stomach", "gut",
        "pancreas", "spleen", "fat", "other")
NODES = ("tumor", *VESSELS, *BEDS)  # of the circuit, in this order
