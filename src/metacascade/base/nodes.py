"""The nodes of the circuit: large vessels, capillary beds, the bed of the tumor, and the lymph node of its lymph."""
VESSELS = ("venous", "arterial", "portal")
BEDS = ("lung", "liver", "brain", "bone", "kidney", "adrenal", "muscle", "skin", "heart", "stomach", "gut",
        "pancreas", "spleen", "fat", "other")
NODES = ("tumor", *VESSELS, *BEDS)  # of the circuit, in this order
LYMPH_NODE = "lymph_node"           # of the circuit after these, where cells leave the tumor with lymph
WITH_LESIONS = (*BEDS, LYMPH_NODE)  # where there may be lesions
