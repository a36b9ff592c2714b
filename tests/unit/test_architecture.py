"""The arrows of docs/architecture.md: who may import what, and that every kernel has a twin in plain Python."""
import ast
import fnmatch
import functools
import graphlib
import re
from pathlib import Path

import pytest

from metacascade.mechanisms import MECHANISMS

ROOT = Path(__file__).parents[2]
SOURCE, KERNELS, TWINS = ROOT / "src" / "metacascade", ROOT / "cython_ext", ROOT / "tests" / "reference"

# package: the packages that it may import besides itself
GROUPS = {
    "base": "",
    "ranks": "base",
    "mechanisms": "base",
    "config": "base mechanisms",
    "state": "base ranks",
    "space": "base ranks",
    "model": "base ranks mechanisms config state space",
    "io": "base ranks state",
    "run": "base ranks mechanisms config state space model io",
    "studies": "base ranks mechanisms config state space model io run",
    "report": "base ranks mechanisms config state space model io run studies",
    "slurm": "base ranks mechanisms config state space model io run studies __main__",
    "cli": "base ranks mechanisms config state space model io run studies slurm report",
}
TOP = {"__init__", "__main__", "_kernels"}      # the doors, and what is compiled

# package: the only modules that import it
PACKAGES = {
    "mpi4py": "ranks.parallel ranks.exchange",
    "h5py": "io.structure io.datasets io.views io.snapshots",
    "pydantic": "base.declare config.config config.values config.tissue",
    "pint": "base.units",
    "vtkmodules": "space.network_vtp",
    "typer": "cli.app cli.cascade cli.command cli.completion cli.info cli.options cli.scaling cli.studies",
    "rich": "run.progress studies.watch base.sheets",
    "SALib": "studies.sweep_plan studies.sweep_sensitivity",
    "pandas": "io.frames io.rows",
    "xarray": "io.frames run.tissue",
    "matplotlib": "studies.scaling_picture studies.reproduce_picture report.style report.marks",
}
# kernel: the only modules that call it; _layout, the records, is for all
OWNERS = {
    "_tissue": "model.tissue model.outbox", "_canonical": "state.state", "_deliver": "space.arena",
    "_place": "model.tissue_start",
    "_curve": "space.region", "_field": "space.fields space.pressure space.relaxation", "_pressure": "space.pressure",
    "_moments": "model.microenvironment", "_outline": "space.outline space.masses", "_distances": "space.distances",
    "_vessels": "space.vessels space.pieces space.network_read space.network_imported space.network_lattice "
                "space.network_tiled",
    "_lattice": "space.network_lattice", "_pieces": "space.pieces model.vessel_oxygen",
    "_blood": "model.circuit model.blood model.injection", "_lesions": "model.lesions",
    "_thin": "model.interventions", "_lumped": "model.lumped",
}
RECORDS = ("metacascade._kernels._layout", "metacascade._kernels._vessels.SEGMENT")
TWIN_ELSEWHERE = {
    "_layout": "philox",      # no model in it: the layout of the records, and Philox
    "_lattice": "vessels",    # the generated network, beside the rest of the vessels
}


@functools.cache
def imported(path):
    """Full names of what a module imports, anywhere in it."""
    names = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: import modules by their full name"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def modules():
    """Name within the package ("space.region") -> path."""
    return {".".join(path.relative_to(SOURCE).with_suffix("").parts): path for path in SOURCE.rglob("*.py")}


def arrows():
    """Module -> the modules of the package that it imports."""
    known = modules().keys()
    return {name: {found for full in imported(path) if (found := _module(full, known))} for name, path in modules().items()}


def _module(full, known):
    """The module that a full name lies in: "metacascade.space.region.Region" -> "space.region"."""
    parts = full.split(".")[1:] if full.startswith("metacascade.") else []
    return next((name for n in (2, 1) if (name := ".".join(parts[:n])) in known), None)


def package(module):
    return module.split(".")[0]


def users(prefix):
    return {name for name, path in modules().items() if any(f"{full}.".startswith(f"{prefix}.") for full in imported(path))}


def kernels():
    return sorted(path.stem for path in KERNELS.glob("*.pyx"))


def test_every_module_lies_in_a_package_of_the_table():
    assert {package(name) for name in modules()} == GROUPS.keys() | TOP


def test_the_page_names_every_module():
    """In the row of its package, one by one or as network_*; mechanisms are in their list."""
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    rows = {row[0]: re.findall(r"[\w*]+", row[1]) for row in re.findall(r"^\| (\w+) \| (.*) \|.*\|$", page, re.M)}
    rows["mechanisms"] += [one.__name__.rpartition(".")[2] for one in MECHANISMS]
    inside = [name.split(".") for name in modules() if "." in name and not name.endswith("__init__")]
    assert [module for group, module in inside if group not in TOP
            and not any(fnmatch.fnmatchcase(module, word) for word in rows[group])] == []


@pytest.mark.parametrize("group", GROUPS)
def test_a_package_imports_only_packages_below_it(group):
    allowed = {group, *GROUPS[group].split()}
    wrong = {f"{module} -> {other}" for module, others in arrows().items() if package(module) == group
             for other in others if package(other) not in allowed}
    assert not wrong


def test_no_module_imports_itself_through_others():
    graphlib.TopologicalSorter(arrows()).prepare()      # raises CycleError


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_is_imported_only_where_it_belongs(package):
    assert users(package) <= set(PACKAGES[package].split())


def test_every_kernel_has_its_owners():
    assert OWNERS.keys() | {"_layout"} == set(kernels())


@pytest.mark.parametrize("kernel", OWNERS)
def test_a_kernel_is_called_only_by_its_owners(kernel):
    assert users(f"metacascade._kernels.{kernel}") == set(OWNERS[kernel].split())


@pytest.mark.parametrize("kernel", kernels())
def test_a_kernel_has_a_twin_and_a_test(kernel):
    name = TWIN_ELSEWHERE.get(kernel, kernel.removeprefix("_"))
    assert (TWINS / f"{name}.py").is_file() and (ROOT / "tests" / "kernels" / f"test_{name}.py").is_file()


@pytest.mark.parametrize("kernel", kernels())
def test_a_kernel_knows_neither_the_package_nor_ranks_nor_files(kernel):
    text = (KERNELS / f"{kernel}.pyx").read_text("utf-8")
    assert not re.findall(r"^\s*(?:from|c?import)\s+(?:metacascade|mpi4py|h5py)\b.*", text, re.M)


def test_kernels_share_headers_only():
    assert not {path.stem for path in KERNELS.glob("*.pxd")} & set(kernels()), "a .pxd beside a .pyx links kernels"


@pytest.mark.parametrize("twin", sorted(path.stem for path in TWINS.glob("*.py")))
def test_a_twin_owes_nothing_to_what_it_checks(twin):
    assert not [name for name in imported(TWINS / f"{twin}.py")
                if name.startswith("metacascade.") and not name.startswith(RECORDS)]


def test_a_source_distribution_has_all_kernels_and_tests(monkeypatch):
    """Without MANIFEST.in it builds, and what it builds has no kernels."""
    manifest = pytest.importorskip("setuptools._distutils.filelist").FileList()
    monkeypatch.chdir(ROOT)
    for line in Path("MANIFEST.in").read_text("utf-8").splitlines():
        manifest.process_template_line(line)
    wanted = {str(path) for folder in ("cython_ext", "tests", "docs", "examples", "jobs")
              for pattern in ("*.pyx", "*.pxd", "*.h", "*.py", "*.md", "*.toml", "*.sh", "*.sbatch")
              for path in Path(folder).rglob(pattern)}
    assert wanted <= set(manifest.files)
