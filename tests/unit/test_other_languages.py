"""docs/other_languages.md: what R reads of a run is what Python reads."""
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import metacascade as mc
import small

PAGE = Path(__file__).parents[2] / "docs" / "other_languages.md"
AFTER = """
cat(length(days), tail(days, 1), nrow(shed), sum(shed$n), "\\n")
for (name in names(counted)) cat(name, counted[[name]], "\\n")
"""


@pytest.fixture(scope="module")
def r():
    """The program that runs R."""
    program = shutil.which("Rscript")
    if program is None or subprocess.run([program, "-e", "library(hdf5r); library(jsonlite)"], capture_output=True).returncode:
        pytest.skip("there is no R with hdf5r and jsonlite here (Debian: apt install r-cran-hdf5r r-cran-jsonlite)")
    return program


def test_r_reads_of_a_run_what_python_reads(r, tmp_path):
    mc.Simulation(small.EXAMPLE, small.settings(tumor__cells=3000, run__duration="12 h")).run(tmp_path / "runs" / "demo")
    [code] = re.findall(r"^```r\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S)
    (tmp_path / "page.r").write_text(code.replace("table(unlist", "counted <- table(unlist") + AFTER)
    done = subprocess.run([r, "page.r"], cwd=tmp_path, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    first, *fates = done.stdout.splitlines()
    with mc.open(tmp_path / "runs" / "demo") as results:
        shed, names = results.shed[:], results.names("shed")["fate"]
        assert [float(one) for one in first.split()] == [len(results.series["time_s"]), 0.5, len(shed), shed["n"].sum()]
    assert {name: int(n) for name, n in map(str.split, fates)} == {
        name: n for number, name in names.items() if (n := int((shed["fate"] == number).sum()))}
