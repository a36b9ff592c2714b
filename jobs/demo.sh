#!/usr/bin/env bash
# bash jobs/demo.sh: simulate examples/mouse_breast.toml on two ranks, results and a report in runs/demo. Needs nothing but
# Python 3.11 and a C compiler; another number of ranks (RANKS=1 bash jobs/demo.sh) gives the same bits.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/_setup.sh"
set_up "$MPI,report"
cd "$ROOT"
"$MPIEXEC" -n "${RANKS:-2}" "$PYTHON" -m metacascade run examples/mouse_breast.toml --out runs/demo --overwrite
"$PYTHON" -m metacascade report runs/demo
echo "To look at it, open $ROOT/runs/demo/report/index.html in a browser; the command is $VENV/bin/metacascade"
