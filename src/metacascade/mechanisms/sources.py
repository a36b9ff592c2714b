"""Sources that several mechanisms name."""

PHYSICELL = "PhysiCell (MathCancer/PhysiCell @69a23db)"
