"""A branch and its parent, joined, are as one run that went through: rows, founders of lesions, frames."""
import shutil

import numpy as np
import pytest

import metacascade as mc
import small
from metacascade.__main__ import main
from metacascade.config.run import Run
from metacascade.io import funnel, needs, parents, samerun
from metacascade.io.cascade import kept

QUICK = {"run.duration": "9 h", "output.interval": "1 h", "output.checkpoint": "3 h", "tumor.cells": 5000}
AT_H = 6


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A directory: `whole`, a run of 9 h; `b`, a branch of it from 6 h on, without a change; `c`, one of `b` with NK cells."""
    folder = tmp_path_factory.mktemp("parents")
    mc.Simulation(small.EXAMPLE, small.settings(**QUICK)).run(folder / "whole").close()
    mc.branch(folder / "whole" / "checkpoint.prev.h5", folder / "b").close()
    mc.branch(folder / "b", folder / "c", {"run.duration": "11 h", "blood.nk": "0/h"}).close()
    return folder


@pytest.fixture(scope="module")
def whole(runs):
    with mc.open(runs / "whole") as results:
        yield results


@pytest.fixture(scope="module")
def joined(runs):
    with mc.open(runs / "b", parents=True) as results:
        yield results


def by_id(rows):
    return np.sort(rows, order=["id", "t_shed", "t_event", "fate"])


def test_a_branch_starts_from_the_checkpoint_of_the_time_that_is_asked_for(runs, tmp_path):
    with mc.branch(runs / "whole", tmp_path / "d", at="6 h") as found:
        assert found.provenance[0]["parent"]["time_s"] == 6 * 3600
    with pytest.raises(mc.InputError, match="has no checkpoint of 5 h; the nearest is that of 6 h"):
        mc.branch(runs / "whole", tmp_path / "e", at="5 h")
    with pytest.raises(mc.InputError, match='at must be a time such as "5 days", not 5'):
        mc.branch(runs / "whole", tmp_path / "e", at=5)


def test_alone_a_branch_lacks_what_was_before_it(runs, whole):
    with mc.open(runs / "b") as alone:
        assert alone.series["time_s"][0] > AT_H * 3600 and 0 < len(alone.shed) < len(whole.shed)


def test_the_series_are_those_of_a_run_that_went_through(joined, whole):
    assert joined.series.keys() == whole.series.keys()
    for name, values in whole.series.items():
        np.testing.assert_array_equal(joined.series[name], values, name)


@pytest.mark.parametrize("table", ["draws", "organs", "events", "clone_cells", "distances", "clones", "lesions"])
def test_so_are_the_tables(joined, whole, table):
    assert len(joined[table]) == len(whole[table]) > 0
    np.testing.assert_array_equal(joined[table][:], whole[table][:])


def test_so_are_the_rows_of_what_was_shed_but_for_their_order(joined, whole):
    assert len(joined.shed) == len(whole.shed)
    np.testing.assert_array_equal(by_id(joined.shed[:]), by_id(whole.shed[:]))


def test_lesions_find_their_founders_as_in_a_run_that_went_through(runs, joined, whole):
    def found(results):
        return np.count_nonzero(funnel.founders(funnel.exits(results), needs.lesions(results)) >= 0)
    with mc.open(runs / "b") as alone:
        assert found(alone) < found(joined) == found(whole) > 0
    assert joined.funnel() == whole.funnel() and joined.lineages() == whole.lineages()


def test_rows_are_read_by_fields_and_by_any_index(joined):
    rows, cut = joined.shed[:], len(joined.before("shed"))
    assert 0 < cut < len(rows)
    for index in (0, -1, cut, slice(cut - 3, cut + 3), slice(None, None, -7), [cut, 0, -1], rows["n"] > 1, slice(0, 0)):
        np.testing.assert_array_equal(joined.shed[index], rows[index])
        np.testing.assert_array_equal(joined.shed["fate", index], rows["fate"][index])
    np.testing.assert_array_equal(joined.shed[["n", "fate"]], rows[["n", "fate"]])
    with pytest.raises(IndexError, match="row .* is not there: the table has"):
        joined.shed[len(rows)]


def test_a_chunk_is_read_without_an_index_of_all_rows(joined, monkeypatch):
    rows, cut, made, arange = joined.shed[:], len(joined.before("shed")), [], np.arange
    monkeypatch.setattr("metacascade.io.parents.np.arange", lambda *given: made.append(given) or arange(*given))
    for chunk in (slice(0, 3), slice(cut - 3, cut + 3), slice(cut + 1, cut + 4), slice(-2, None), slice(5, 2)):
        np.testing.assert_array_equal(joined.shed[chunk], rows[chunk])
    assert max(given[-1] for given in made) < 4 < len(rows)


def test_frames_and_read_outs_tell_of_all(joined, whole):
    pytest.importorskip("pandas"), pytest.importorskip("xarray")
    assert len(joined.frame("shed")) == len(whole.shed) and joined.frame("series").equals(whole.frame("series"))
    assert joined.dataset().equals(whole.dataset()) and len(kept(joined)["organs"]) == len(whole.organs)


def test_the_command_tells_of_all_runs_as_of_one(runs, capsys):
    assert main(["cascade", str(runs / "whole")]) == 0
    whole = capsys.readouterr().out
    assert main(["cascade", str(runs / "b"), "--parents"]) == 0
    assert capsys.readouterr().out == whole
    assert main(["cascade", str(runs / "b")]) == 0
    assert capsys.readouterr().out != whole


def test_a_branch_of_a_branch_has_the_rows_of_all_three(runs, whole):
    with mc.open(runs / "c", parents=True) as results:
        hours = results.series["time_s"] / 3600
        assert hours.tolist() == list(range(12)) and results.config["run"]["duration_s"] == 11 * 3600
        entered = results.series["shed"] + results.series["injected"] + results.series["shed_lesion"] - results.series["unfollowed"]
        assert results.shed["n"].sum() >= whole.shed["n"].sum() and entered[-1] >= entered[9] > 0


def test_a_run_that_is_no_branch_is_itself_and_refuses_a_parent(runs):
    with mc.open(runs / "whole", parents=True) as results:
        assert type(results).__name__ == "Results"
    with pytest.raises(mc.InputError, match="is no branch, and has no parents"):
        mc.open(runs / "whole", parents=runs / "b")


def test_runs_that_moved_together_are_found_and_one_that_went_is_asked_for(runs, tmp_path):
    for name in ("whole", "b"):
        shutil.copytree(runs / name, tmp_path / name)
    with mc.open(tmp_path / "b", parents=True) as results:
        assert results.parent.path == tmp_path / "whole" / "results.h5"
    shutil.copytree(runs / "b", tmp_path / "far" / "away" / "b")
    with mc.open(tmp_path / "far" / "away" / "b", parents=tmp_path / "whole") as results:
        assert results.series["time_s"][0] == 0


def test_a_parent_that_is_gone_is_told_with_what_to_do(runs, tmp_path, monkeypatch):
    shutil.copytree(runs / "b", tmp_path / "b")
    monkeypatch.setattr("metacascade.io.parents.Path.is_file", lambda path: False)
    with pytest.raises(mc.InputError, match="its results are not in .*whole.* nor in .*say where .* parents=PATH"):
        mc.open(tmp_path / "b", parents=True)


def test_the_command_is_told_where_the_parent_is_as_its_message_says(runs, tmp_path, capsys):
    began = tmp_path / "far" / "away" / "b"
    shutil.copytree(runs / "b", began)
    shutil.copytree(runs / "whole", tmp_path / "elsewhere")
    assert main(["cascade", str(began), "--parents-at", str(runs / "c")]) == 2
    assert "cascade RUN --parents-at PATH" in capsys.readouterr().err
    assert main(["cascade", str(began), "--parents-at", str(tmp_path / "elsewhere")]) == 0
    asked = capsys.readouterr().out
    assert main(["cascade", str(runs / "b"), "--parents"]) == 0 and capsys.readouterr().out == asked


def test_another_run_in_the_place_of_the_parent_is_refused(runs):
    with pytest.raises(mc.InputError, match="c.results.h5 is of another run than that from which"):
        mc.open(runs / "b", parents=runs / "c")


def test_a_checkpoint_without_results_beside_it_is_told_and_its_run_is_known_by_its_state(runs, tmp_path):
    shutil.copy(runs / "whole" / "checkpoint.prev.h5", tmp_path / "kept.h5")
    mc.branch(tmp_path / "kept.h5", tmp_path / "d", ["run.duration=7 h"]).close()
    with pytest.raises(mc.InputError, match="beside which no results were: name the directory of that run"):
        mc.open(tmp_path / "d", parents=True)
    with mc.open(tmp_path / "d", parents=runs / "whole") as results:
        assert results.series["time_s"].tolist() == [3600 * h for h in range(8)]
    with pytest.raises(mc.InputError, match="of another run"):
        mc.open(tmp_path / "d", parents=runs / "c")


def test_a_copy_of_a_checkpoint_finds_the_run_that_it_is_of_unless_another_is_in_its_place(runs, tmp_path, capsys):
    copy = shutil.copy(runs / "whole" / "checkpoint.prev.h5", tmp_path / "copy.h5")
    for name, told in (("whole", False), ("c", True)):
        out = tmp_path / f"of_{name}"
        assert main(["branch", str(copy), "--copy-of", str(runs / name / "checkpoint.h5"), "--out", str(out), "--set", "run.duration=7 h"]) == 0
        assert ("are no results of" in capsys.readouterr().err) == told
    with mc.open(tmp_path / "of_whole", parents=True) as results:
        assert results.series["time_s"].tolist() == [3600 * h for h in range(8)]
    with pytest.raises(mc.InputError, match="beside which no results were: name the directory of that run"):
        mc.open(tmp_path / "of_c", parents=True)


def test_what_a_branch_writes_down_of_its_parent_can_be_read_by_others(runs):
    with mc.open(runs / "b") as results:
        began = results.provenance[0]["parent"]
    assert began["path"] == str(runs / "whole" / "checkpoint.prev.h5") and began["results"] == "../whole"
    assert began["time_s"] == AT_H * 3600 and len(began["digest"]) == len(began["run"]) == 64


def test_a_run_with_another_step_is_not_the_run_that_a_copy_is_of(runs):
    """Nor any with another value than `resume` may change, though the seed is the same."""
    with mc.open(runs / "whole") as results:
        config, path = results.config, results.path
    assert samerun.CHANGED_BY_RESUME == {f"run.{one.key}": one.attribute for one in Run.parameters.values() if one.attribute in
                                         samerun.CHANGED_BY_RESUME.values()}
    for key, found in (("duration_s", "results"), ("max_records", "results"), ("step_s", None), ("species", None)):
        told = parents.told(path, "out", "digest", 0, config | {"run": config["run"] | {key: 7}})
        assert bool(told["results"]) == bool(found), key
