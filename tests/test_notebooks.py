"""The notebooks of examples/notebooks and the snippets of docs/python.md run as they stand."""
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "examples" / "notebooks").glob("*.ipynb"))
LARGEST = 300_000       # bytes, with pictures


def nbformat():
    return pytest.importorskip("nbformat", reason='pip install ".[test]"')


def outputs(notebook):
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def test_there_are_notebooks_of_core_intravasation_and_of_arms():
    assert [path.stem for path in NOTEBOOKS] == ["core_intravasation", "therapy_arms"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_small_and_shows_what_its_cells_gave(path):
    notebook = nbformat().read(path, as_version=4)
    assert path.stat().st_size < LARGEST and not any(output.output_type == "error" for output in outputs(notebook))
    assert any("image/png" in output.get("data", {}) for output in outputs(notebook))
    assert [cell.execution_count for cell in notebook.cells if cell.cell_type == "code" if not cell.execution_count] == []
    assert str(ROOT) not in path.read_text("utf-8") and "/tmp/" not in path.read_text("utf-8")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.timeout(600)
def test_a_notebook_runs_and_gives_the_same_numbers(path, tmp_path, monkeypatch):
    """Its own assertions hold; what it prints and its tables are those that stand in it."""
    client, former = pytest.importorskip("nbclient", reason='pip install ".[test]"'), nbformat().read(path, as_version=4)
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    notebook = nbformat().read(path, as_version=4)
    client.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert texts(notebook) == texts(former) != []


def texts(notebook):
    """What cells printed, and their last values, but for pictures."""
    plain = [output.get("text") or output.data["text/plain"] for output in outputs(notebook)
             if output.output_type != "stream" or output.name == "stdout"]
    return [text for text in plain if not text.startswith("<Figure")]


def test_the_snippets_of_the_page_run_one_after_the_other(tmp_path, monkeypatch):
    pytest.importorskip("pandas"), pytest.importorskip("xarray")
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / "python.md").read_text("utf-8")
    snippets, names = re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S), {}
    for number, snippet in enumerate(snippets):
        exec(compile(snippet, f"docs/python.md, snippet {number}", "exec"), names)
    assert len(snippets) >= 5 and names["results"].complete and (tmp_path / "own.csv").exists()
    assert names["both"].began_s > 0 and names["in_lung"].attrs["units"] == "cells"
