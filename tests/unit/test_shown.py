"""In a notebook: completion finds what is for users and nothing else, and what is shown says what is inside."""
import html.parser

import pytest

import metacascade as mc

CONFIG = {"title": "a <b>bold</b> case", "run": {"step": "1 h", "duration": "4 h"}, "output": {"interval": "2 h"},
          "tumor": {"cells": 3000}, "vessels": {"length_density": "200 mm/mm^3"}, "intravasation": {"hazard": "0.6/day"}}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    with mc.Simulation(CONFIG).run(tmp_path_factory.mktemp("shown") / "run") as found:
        yield found


class Cells(html.parser.HTMLParser):
    """The texts of the cells of a table, and whether every tag is closed."""

    def __init__(self, text):
        super().__init__()
        self.cells, self.open, self.rows = [], [], 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)
        self.rows += tag == "tr"
        self.cells += [""] * (tag in ("td", "th"))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.cells[-1] += data


def test_the_package_offers_its_public_names_alone():
    assert {name for name in dir(mc) if not name.startswith("__")} == set(mc.__all__) - {"__version__"}


@pytest.mark.parametrize("make, wanted, hidden", [
    (lambda results: results, "series shed lesions frame dataset funnel config path close", "h5 stat verified parts_needed"),
    (lambda results: results.shed, "columns frame dtype name", "results"),
    (lambda results: mc.Simulation(CONFIG), "step run ledger fates digest tissue config world", "_model _text")],
    ids=["results", "a table", "a simulation"])
def test_objects_offer_what_is_for_users(results, make, wanted, hidden):
    offered = dir(make(results))
    assert set(wanted.split()) <= set(offered) and not set(hidden.split()) & set(offered)
    assert not [name for name in offered if name.startswith("_") or not hasattr(make(results), name)]


def test_an_editor_completes_what_it_has_not_run():
    jedi = pytest.importorskip("jedi")
    script = jedi.Script("import metacascade as mc\nresults = mc.open('runs/a')\nresults.")
    assert {"frame", "funnel", "series"} <= {found.name for found in script.complete(3, 8)}
    script = jedi.Script("import metacascade as mc\nmc.Simul")
    assert [found.name for found in script.complete(2, 8)] == ["Simulation"]


def test_a_notebook_completes_objects_that_are_there(results):
    jedi = pytest.importorskip("jedi")
    found = jedi.Interpreter("results.fra", [{"results": results}]).complete()
    assert {one.name for one in found} == {"frame", "frames"}


def test_a_time_series_is_shown_by_its_columns_and_not_by_its_numbers(results):
    shown = repr(results.series)
    assert shown.startswith(f"<series, 3 outputs, {len(results.series)} columns: ") and len(shown) < 700 and " tissue," in shown
    assert repr(results.series | {}) != shown and "array" in repr(dict(results.series))


def test_a_notebook_completes_tables_and_their_fields(results):
    assert {"shed", "draws", "lesions"} <= set(results._ipython_key_completions_())
    assert results.shed._ipython_key_completions_() == list(results.shed.dtype.names)


def test_results_are_shown_as_a_table_of_what_is_inside(results):
    shown = Cells(results._repr_html_())
    assert "a <b>bold</b> case" in shown.cells and "complete" in shown.cells and not shown.open
    assert f"{results.series['tissue'][-1]:,}" in shown.cells and "results.shed" in shown.cells
    assert f"{results.series['tissue'][-1]:,} cells in tissue" in repr(results)


def test_a_table_is_shown_by_its_first_and_last_rows_with_names(results):
    shown = Cells(results.shed._repr_html_())
    assert 1 < shown.rows <= 11 and "fate" in shown.cells and not shown.open
    assert set(results.names("shed")["fate"].values()) & set(shown.cells)
    assert "rows" in results.draws._repr_html_() and Cells(results.draws._repr_html_()).rows == 1


def test_a_simulation_is_shown_with_its_ledger_once_it_has_one():
    simulation = mc.Simulation(CONFIG)
    assert "tissue" not in Cells(simulation._repr_html_()).cells
    simulation.step()
    assert f"{simulation.ledger['tissue']:,}" in Cells(simulation._repr_html_()).cells


def test_what_is_closed_says_so(results):
    with mc.open(results.path) as found:
        shed = found.shed
    assert "closed" in found._repr_html_() and "closed" in shed._repr_html_() and dir(found)
