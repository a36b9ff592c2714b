"""Pictures, tables and one HTML page of runs: ``metacascade report``."""
