"""What every module may use: errors, names, numbers, units, declaration of parameters; no MPI, no files."""
