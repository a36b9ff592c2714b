"""`metacascade reproduce` from end to end: what is run, used again, written down, and left out."""
import json
import shutil

import pytest

from made_experiments import BOUNDS, CONTROLS, EXPERIMENT, PUBLISHED, put
from metacascade.__main__ import main
from metacascade.base.errors import InputError
from metacascade.io import results
from metacascade.studies import efficiency, efficiency_table, reproduce, reproduce_picture, reproduce_reuse
from metacascade.studies.reproduce_verdict import AGREES, NOT_YET


@pytest.fixture
def folder(tmp_path):
    return put(tmp_path / "files")


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """What the experiment leaves when it is run for the first time."""
    made = tmp_path_factory.mktemp("ran")
    assert reproduce.run("small", made / "out", folder=put(made / "files")) == 0
    return made / "out"


@pytest.fixture
def out(ran, tmp_path):
    """The same, in a directory of the test's own."""
    return shutil.copytree(ran, tmp_path / "out")


def test_a_small_experiment_is_run_compared_and_written_and_not_run_again(folder, tmp_path, capsys):
    out, page = tmp_path / "out", tmp_path / "validation.md"
    assert reproduce.run("all", out, jobs=2, write=page, folder=folder) == 0
    assert "small: Dividing cells become more: agrees" in capsys.readouterr().out
    table = (out / "small" / "table.csv").read_text()
    assert table.count("grows,") == table.count("rests,") == 2
    verdicts = json.loads((out / "small" / "verdict.json").read_text())["findings"]
    assert [found["verdict"] for found in verdicts] == [AGREES, AGREES] and verdicts[1]["value"] > 1
    assert (out / "small" / "figure.png").stat().st_size > 1000
    assert "| growth | at least 1.0 |" in page.read_text()
    files = {path: path.stat().st_mtime_ns for path in out.rglob(results.NAME)}
    assert len(files) == 4
    [one] = (out / "small").glob("*/rests/0001")
    shutil.rmtree(one)                                      # as if it had not run yet
    assert reproduce.run("small", out, folder=folder) == 0
    now = {path: path.stat().st_mtime_ns for path in out.rglob(results.NAME)}
    assert [path.parts[-3:-1] for path in files if files[path] != now[path]] == [("rests", "0001")]
    assert (out / "small" / "table.csv").read_text() == table


def test_info_tells_the_verdicts_of_a_directory_of_reproduce_and_a_damaged_one(out, capsys):
    for directory in (out, out / "small"):
        assert main(["info", str(directory)]) == 0
        told = capsys.readouterr().out.splitlines()
        assert told[0].startswith("small: 2 comparisons, ") and [line.split()[0] for line in told[1:]] == [AGREES, AGREES]
    for damaged in ('{"code": 1}', "[" * 100_000):
        (out / "small" / "verdict.json").write_text(damaged)
        assert main(["info", str(out)]) == 2 and "verdict.json is not as metacascade writes it" in capsys.readouterr().err


def test_runs_of_other_code_or_of_another_config_are_not_used_and_said_not_to_be(
        folder, out, tmp_path, capsys, monkeypatch):
    page = tmp_path / "page.md"
    monkeypatch.setattr(reproduce_reuse, "of_code", lambda: "other code")
    (folder / "other.toml").write_text(EXPERIMENT.replace("Dividing", "Other"))
    capsys.readouterr()
    assert reproduce.run("other", out, write=page, folder=folder) == 0
    assert "| not with this version | not run |" in page.read_text()
    assert "| [small](#small) | Dividing cells become more | not run |" in page.read_text()
    assert "| [other](#other) | Other cells become more | agrees |" in page.read_text()
    assert reproduce.run("small", out, write=page, folder=folder) == 0
    assert "are not used" in capsys.readouterr().out
    assert "| [small](#small) | Dividing cells become more | agrees |" in page.read_text()
    assert "| [other](#other) | Other cells become more | agrees |" in page.read_text(), "the same code: it still holds"
    assert len(list((out / "small").glob("*/grows"))) == 2


def test_the_digest_of_the_code_is_that_of_what_runs_depend_on(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "studies").mkdir()
    (tmp_path / "model" / "a.py").write_text("x = 1")
    first = reproduce_reuse.of_code.__wrapped__(tmp_path)
    (tmp_path / "studies" / "b.py").write_text("y = 1")
    (tmp_path / "model" / "notes.txt").write_text("z")
    assert reproduce_reuse.of_code.__wrapped__(tmp_path) == first
    (tmp_path / "model" / "a.py").write_text("x = 2")
    assert reproduce_reuse.of_code.__wrapped__(tmp_path) != first


def test_what_is_missing_now_leaves_no_older_verdict(folder, out):
    assert (out / "small" / "table.csv").exists() and (out / "small" / "figure.png").exists()
    (folder / "small.toml").write_text(EXPERIMENT.replace("replicates = 2", 'replicates = 2\nneeds = "telepathy.enabled"'))
    assert reproduce.run("small", out, folder=folder) == 0
    stored = json.loads((out / "small" / "verdict.json").read_text())["findings"]
    assert {found["verdict"] for found in stored} == {NOT_YET}
    assert not (out / "small" / "table.csv").exists() and not (out / "small" / "figure.png").exists()


def test_names_and_titles_stand_apart_in_the_list():
    """dissemination_later is longer than the column was."""
    assert [line for line in reproduce.listed() if "  " not in line] == []
    assert len({len(line) - len(line.partition("  ")[2].lstrip()) for line in reproduce.listed()}) == 1


def test_controls_are_run_off_on_and_doubled_and_written_in_one_table(folder, tmp_path, capsys):
    (folder / "controls.toml").write_text(CONTROLS)
    (folder / "published.toml").write_text(PUBLISHED + BOUNDS)
    out, page = tmp_path / "out", tmp_path / "page.md"
    assert reproduce.listed(folder)[-2:] == ["A1             Cells divide", "A2             Cells read thoughts"]
    assert reproduce.run("controls", out, jobs=2, write=page, folder=folder) == 0
    told = json.loads((out / "A1" / "verdict.json").read_text())["findings"]
    assert [found["verdict"] for found in told] == [AGREES, AGREES] and told[1]["value"] == 1.0
    lines = page.read_text().splitlines()
    assert [line for line in lines if line.startswith("| A1 | Cells divide: none, once in 20 h, once in 10 h; 3 seeds "
                                                      "| `cells_ratio`, up | doubled ") and " | moves | " in line
            and line.endswith("doubled over off: 1 ± 0; 1.0 to 1.0 | holds |")], page.read_text()
    assert [line for line in lines if line.startswith("| A2 |") and line.count(NOT_YET) == 2]
    assert "| [small](#small) | Dividing cells become more | not run |" in lines


def test_without_matplotlib_there_is_no_figure_and_no_failure(folder, out, capsys, monkeypatch):
    monkeypatch.setattr(reproduce_picture, "draw", lambda *_: False)
    assert reproduce.run("small", out, folder=folder) == 0
    assert "matplotlib is not installed" in capsys.readouterr().out


def test_what_this_version_has_no_mechanism_for_is_said_and_no_failure(folder, tmp_path, capsys):
    text = EXPERIMENT.replace("replicates = 2", 'replicates = 2\nneeds = "telepathy.enabled, growth.enabled"')
    (folder / "small.toml").write_text(text.replace("growth.enabled = false", "telepathy.enabled = true"))
    assert reproduce.run("small", tmp_path / "out", write=tmp_path / "page.md", folder=folder) == 0
    assert "this version has no telepathy.enabled" in capsys.readouterr().out
    assert NOT_YET in (tmp_path / "page.md").read_text()


def test_the_page_replaces_no_file_but_an_earlier_page(folder, tmp_path):
    with pytest.raises(InputError, match="no page of `metacascade reproduce`: choose another for --write"):
        reproduce.run("small", tmp_path / "out", write=folder / "small.toml", folder=folder)
    assert (folder / "small.toml").read_text() == EXPERIMENT and not (tmp_path / "out").exists()


def test_an_arm_whose_network_is_not_given_does_not_fail_the_others(folder, tmp_path, capsys):
    (folder / "small.toml").write_text(EXPERIMENT.replace("growth.enabled = false", 'vessels.file = "{networks}/a.csv"'))
    assert reproduce.run("small", tmp_path / "out", folder=folder) == 0
    shown = capsys.readouterr().out
    assert "a.csv is not part of metacascade: --networks DIR" in shown and "agrees     growth" in shown


def test_an_experiment_may_tell_how_the_efficiency_of_an_arm_moves(folder, out, tmp_path, capsys, monkeypatch):
    """Beside its runs, in the terminal and on the page; a new line in its head does not ask for new runs."""
    bar = efficiency.Bar("blood.nk", "recalled", ("0.02/h", "0.5/h"), (2e-6, 1e-6), True)
    monkeypatch.setattr(efficiency_table, "tornado", lambda config: (efficiency.of(config), [bar]))
    (folder / "small.toml").write_text(EXPERIMENT.replace("replicates = 2", 'replicates = 2\ntornado = "grows"'))
    assert reproduce.run("small", out, write=tmp_path / "page.md", folder=folder) == 0
    assert "0.02/h to 0.5/h, recalled" in capsys.readouterr().out
    assert "| `blood.nk` | recalled | 0.02/h | 0.5/h | 2e-06, 1e-06 | 2 |" in (tmp_path / "page.md").read_text()
    (folder / "small.toml").write_text(EXPERIMENT.replace("replicates = 2", 'replicates = 2\ntornado = "grow"'))
    with pytest.raises(InputError, match="no arm grow"):
        reproduce.run("small", out, folder=folder)
