"""Every command and every piece of Python in README and docs runs, in the order of its page, on presets made small."""
import re
import shlex
import shutil
from pathlib import Path

import pytest

import metacascade as mc
from metacascade.__main__ import main
from metacascade.config import presets

ROOT = Path(__file__).parents[2]
ELSEWHERE = {"howto.md", "python.md"}           # tests/unit/test_howto.py, tests/test_notebooks.py
PAGES = {path.name: path.read_text("utf-8") for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
         if path.name not in ELSEWHERE}
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```", re.M | re.S)
ON_RANKS = re.compile(r"^mpiexec -n \d+ ")      # here on one: tests of ranks show that the rest is the same
NOT_HERE = {                                    # what is not run here, and what runs it
    r"git clone|cd |module load|(MPI=openmpi )?bash jobs/|\. \.venv|(\S*/)?pip3? |(\S*/)?python3? -m|\.venv/": "CI itself",
    r"export |[A-Z_]+=": "a line of a shell alone",
    r"sbatch|srun|salloc|squeue|scancel|metacascade submit": "tests/slurm, tests/unit/test_submit.py",
    r"metacascade reproduce": "tests/unit/test_reproduce.py", r"metacascade scaling": "tests/unit/test_scaling.py",
    r"metacascade efficiency \S+ --out": "tests/unit/test_efficiency.py",
    r"metacascade watch": "tests/unit/test_watch.py", r"(pv)?python examples/": "tests/unit/test_paraview.py",
    r"apptainer|docker": "no command of metacascade"}

QUICK = {"growth.division_time": "5000 h", "growth.death_rate": "0.02/day", "output.interval": "4 days", "output.checkpoint": "4 days"}
TISSUE = {"tumor.cells": 100, "run.step": "2 h", "oxygen.sweeps": 2, "oxygen.initial_sweeps": 4,
          "intravasation.hazard": "4/day"}
DRY = {"README.md": ("sweep", "arms", "cohort"), "gallery.md": ("run", "sweep", "arms", "cohort")}  # other pages run them
STUDIES = ("runs/resection", "runs/breast", "runs/core")
SERIES = "lung,0.5\nliver,0.6\nbone,0.7\n"


def small(name, folder):
    """The text of a preset of which a run takes a second; `folder` has those of the configs."""
    path = presets.FOLDER / f"{name}.toml"
    if name in presets.names():
        config = mc.load(path)
        fewer = {"injection.0.cells": 200} if config.injection else {}
        return mc.load(path, QUICK | fewer | (TISSUE if config.has_tissue else {"run.step": "12 h"})).to_toml()
    text = re.sub(r'^(config|base) = "(\w+)"', rf'\1 = "{folder}/\2.toml"', path.read_text("utf-8"), flags=re.M)
    several = 1 if name.startswith(presets.SWEEP) else 2
    text = re.sub(r"^(replicates|patients) = \d+", rf"\1 = {several}", text.replace("levels = 3", "levels = 2"), flags=re.M)
    return text.replace('duration = "20 years"', 'duration = "1 year"')


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """A folder with small presets in examples/, my.toml, a series of patients, and a finished run."""
    folder = tmp_path_factory.mktemp("start")
    (folder / "examples").mkdir()
    for path in presets.FOLDER.iterdir():
        (folder / "examples" / path.name).write_text(small(path.name.removesuffix(".toml"), folder / "examples"), "utf-8")
    shutil.copy(folder / "examples" / "mouse_breast.toml", folder / "my.toml")
    (folder / "series.csv").write_text(SERIES)
    for name, days in (("demo", 20), ("a", 10)):
        assert main(["run", str(folder / "my.toml"), "--out", str(folder / "runs" / name), "--set",
                     f"run.duration={days} days", "--set", "draw.0.time=9 days"]) == 0
    for name in ("b", "c"):                     # replicates of the same, which are compared
        shutil.copytree(folder / "runs" / "a", folder / "runs" / name)
    (folder / "runs" / "sobol").mkdir()
    (folder / "runs" / "sobol" / "sweep.csv").write_text(_sobol())
    return folder


def _sobol():
    """A table as of the sweep with this design in docs/sweeps.md, of 192 runs."""
    rows = [f"{k:04},{k},0,1,{k % 7},{k % 11},{k % 13},{k % 17},done,{k % 7 + (k % 11) ** 2}" for k in range(192)]
    return "\n".join(["member,point,replicate,seed,a,b,c,d,status,shed", *rows]) + "\n"


def commands(block):
    """The commands of a block of a shell, as lists of words, without comments; those that are not run here left out."""
    for line in re.sub(r"\\\n", " ", block).splitlines():
        line = ON_RANKS.sub("", line.partition(" #")[0].strip())
        if line and not line.startswith("#") and not any(re.match(start, line) for start in NOT_HERE):
            yield shlex.split(re.split(" >>? ", line)[0])


def run(words, start, page):
    """Run a command; in place of a preset that it writes comes the small one. What is started anew is removed first."""
    words = words[1:]
    command = words[0]
    written = Path((words[2:] or [f"{words[1]}.toml"])[0]) if command == "init" else None
    if written:
        written.unlink(missing_ok=True)
    if command in ("run", "branch"):
        shutil.rmtree(words[words.index("--out") + 1], ignore_errors=True)
    if page in DRY and command in ("efficiency", "soil", "report"):
        return                                  # the pages of their own run them
    if command == "report" and words[1] in STUDIES and not Path(words[1]).exists():
        return                                  # tests/unit/test_report_studies.py
    if command in DRY.get(page, ()):
        words.append("--dry-run")
    assert main(words) == 0, words
    if written:
        shutil.copy(start / "examples" / f"{words[1]}.toml", written)


@pytest.mark.parametrize("name", [name for name, text in PAGES.items() if BLOCK.search(text)])
def test_what_a_page_tells_to_type_works(name, start, tmp_path, monkeypatch):
    shutil.copytree(start, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    for kind, block in BLOCK.findall(PAGES[name]):
        if kind == "python":
            for made in re.findall(r'\.run\("([^"]+)"', block):
                shutil.rmtree(made, ignore_errors=True)
            exec(compile(block, f"{name}: {block[:30]!r}", "exec"), names)
            continue
        for words in commands(block):
            assert words[0] == "metacascade", f"{name}: {words}: run it, or say in NOT_HERE what does"
            run(words, start, name)


def test_the_resection_of_the_quick_start_takes_the_tumor(start, tmp_path, monkeypatch):
    shutil.copytree(start, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    [words] = [words for _, block in BLOCK.findall(PAGES["quickstart.md"]) for words in commands(block) if "runs/cut" in words]
    run(words, start, "quickstart.md")
    with mc.open("runs/cut") as results:
        assert results.series["tissue"][-1] == 0 < results.series["resected"][-1]


def test_what_is_not_run_here_is_run_by_tests_that_there_are():
    assert [name for told in NOT_HERE.values() for name in re.findall(r"tests/[\w/.]+", told) if not (ROOT / name).exists()] == []


def test_everything_in_a_shell_is_found_and_comments_are_not_run():
    block = 'metacascade check a.toml  # look\nmpiexec -n 2 metacascade run a.toml --out b --set x="1 d" \\\n  --seed 2\n# no\n'
    assert list(commands(block)) == [["metacascade", "check", "a.toml"],
                                     ["metacascade", "run", "a.toml", "--out", "b", "--set", "x=1 d", "--seed", "2"]]
