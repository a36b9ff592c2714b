#!/usr/bin/env bash
# bash jobs/test.sh [ARGUMENTS OF PYTEST]: the tests. Without arguments the fast ones; `-m slow` for the slow ones.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/_setup.sh"
set_up "$MPI,test" editable
cd "$ROOT"
exec "$PYTHON" -m pytest "$@"
