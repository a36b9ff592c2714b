"""MPI, and only here: the world of ranks, exchange, halo, load balance."""
