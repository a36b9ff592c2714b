"""The state of a run as plain arrays, and its digest."""
