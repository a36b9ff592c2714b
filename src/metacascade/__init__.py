"""metacascade: the blood-borne metastatic cascade, cell by cell, on any number of MPI ranks."""
__version__ = "0.1.0"
