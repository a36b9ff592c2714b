"""A run from its inputs to its report, and what is asked about one."""
