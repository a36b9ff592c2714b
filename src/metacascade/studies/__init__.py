"""Many runs: sweeps and scaling studies."""
