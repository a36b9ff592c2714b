"""The arrows of docs/architecture.md: who may import what, and that every kernel has a twin in plain Python."""
import ast
import functools
import graphlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE, KERNELS, TWINS = ROOT / "src" / "metacascade", ROOT / "cython_ext", ROOT / "tests" / "reference"

# group: its modules, and the groups that they may import besides their own
GROUPS = {
    "ground": ("errors launcher limits names numerals records screen stopsignals versions", ""),
    "config": ("units config config_body config_check config_declare config_describe config_effects config_given config_lines config_read "
               "config_run config_tissue config_write presets", "ground"),
    "ranks": ("parallel sharedmemory exchange balance", "ground"),
    "state": ("state digest", "ground"),
    "tissue": ("domain arena rebalance seeding returning tissue fields vessels "
               "network_check network_csv network_fit network_imported network_index network_lattice network_pieces "
               "network_read network_secomb network_swc network_vtp", "ground ranks"),
    "body": ("physiology circuit circulation injection organs fates", "ground config"),
    "model": ("ledger simulation", "ground ranks state tissue body"),
    "files": ("atomic runlock sealed structure datasets joins views ownership parts reopening checkpoint output results rundirectory rows_index "
              "snapshots provenance", "ground ranks state"),
    "runs": ("commands run inputs walllimit watchdog report recordlimit forecast estimate bench api __init__",
             "ground config ranks state tissue body model files"),
    "studies": ("cluster nodedisk submit scaling scaling_table scaling_picture scaling_model scaling_projection "
                "sweep sweep_file sweep_values sweep_plan sweep_table",
                "ground config ranks state tissue body model files runs"),
    "entry": ("batch cli cli_options cli_scaling __main__", "ground config ranks state tissue body model files runs studies"),
}
GROUP_OF = {module: group for group, (modules, _) in GROUPS.items() for module in modules.split()}

# package: the only modules that import it
PACKAGES = {
    "mpi4py": "parallel exchange",
    "h5py": "structure datasets views",
    "pydantic": "config config_declare config_read config_tissue",
    "pint": "units",
    "vtkmodules": "network_vtp",
    "typer": "cli cli_options cli_scaling",
    "rich": "report",
    "SALib": "sweep_plan",
    "pandas": "results",
    "matplotlib": "scaling_picture",
}
# kernel: the only modules that call it; _layout, the records, is for all
OWNERS = {
    "_tissue": "tissue", "_canonical": "state", "_deliver": "tissue", "_place": "tissue", "_curve": "domain", "_field": "fields",
    "_vessels": "vessels network_read network_imported network_lattice", "_lattice": "network_lattice",
    "_blood": "circuit circulation injection", "_lesions": "organs",
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
    return {path.stem: path for path in SOURCE.glob("*.py")}


def arrows():
    """Module -> the modules of the package that it imports."""
    known = modules().keys() - {"__init__"}
    return {name: {full.split(".")[1] for full in imported(path) if full.startswith("metacascade.")} & known
            for name, path in modules().items()}


def users(prefix):
    return {name for name, path in modules().items() if any(f"{full}.".startswith(f"{prefix}.") for full in imported(path))}


def kernels():
    return sorted(path.stem for path in KERNELS.glob("*.pyx"))


def test_every_module_has_its_place():
    assert GROUP_OF.keys() == modules().keys()


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_imports_only_groups_below_it(group):
    allowed = {group, *GROUPS[group][1].split()}
    wrong = {f"{module} -> {other}" for module, others in arrows().items() if GROUP_OF[module] == group
             for other in others if GROUP_OF[other] not in allowed}
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
