"""Mechanisms from outside of the package: found, read, checked, kept with their SHA-256, and refused when they change."""
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from metacascade.__main__ import main
from metacascade.base.errors import InputError, RunError
from metacascade.config.config import Config, load
from metacascade.mechanisms import equations, plan_of, user
from metacascade.mechanisms.terms import python_factor
from metacascade.model.computed import evaluate
from metacascade.model.simulation import Simulation
from metacascade.ranks.parallel import serial_world

EXAMPLES = Path(__file__).parents[2] / "examples" / "mechanisms"
TUMOR = "[tumor]\ncells = 200\n"


@pytest.fixture
def folder(tmp_path):
    """A config beside the file of a mechanism."""
    shutil.copy(EXAMPLES / "starvation.py", tmp_path)
    (tmp_path / "run.toml").write_text(
        TUMOR + '[mechanisms]\nmodules = ["starvation.py"]\n[starvation]\nenabled = true\nhazard = "0.5/day"\n')
    return tmp_path


def refusal(folder, modules, text="", source=None):
    if source is not None:
        (folder / "own.py").write_text(source)
    (folder / "bad.toml").write_text(f"{TUMOR}[mechanisms]\nmodules = {modules}\n{text}")
    with pytest.raises(InputError) as error:
        load(folder / "bad.toml")
    return str(error.value)


# --- found, read, checked, shown --------------------------------------------------------------------------------

def test_its_table_is_read_with_units_and_its_declarations_are_in_the_plan(folder):
    config = load(folder / "run.toml")
    assert config.starvation.hazard_per_h == pytest.approx(0.5 / 24)
    plan = plan_of(config)
    assert plan.field("glucose") and plan.rate("tissue.starvation") and [f.signal for f in plan.factors_of(
        "tissue.starvation")] == ["glucose"]
    assert config.given >= {("starvation", "hazard")} and "glucose" not in {f.name for f in plan_of(load({"tumor": {}})).fields}


def test_wrong_values_are_told_with_line_and_limits(folder):
    text = (folder / "run.toml").read_text().replace("0.5/day", "5")
    (folder / "run.toml").write_text(text)
    with pytest.raises(InputError, match=r'run.toml:7: starvation.hazard = "5": needs a unit; write it like "1/day"'):
        load(folder / "run.toml")


def test_off_it_is_not_in_the_plan(folder):
    off = load(folder / "run.toml", "starvation.enabled=false")
    plan, without = plan_of(off), plan_of(load({"tumor": {"cells": 200}}))
    assert (plan.rates, plan.factors, plan.fields) == (without.rates, without.factors, without.fields)


def test_info_shows_its_equations(folder, capsys):
    assert main(["info", "--rates", str(folder / "run.toml")]) == 0
    out = capsys.readouterr().out
    assert "tissue.starvation (1/h) = [starvation.hazard] * ([starvation.half]^2" in out and "hazard = 0.5/day" in out


def test_a_module_is_found_by_its_name(folder, monkeypatch):
    (folder / "my_package").mkdir()
    shutil.copy(EXAMPLES / "contact_inhibition.py", folder / "my_package" / "inhibition.py")
    monkeypatch.syspath_prepend(str(folder))
    config = load({"tumor": {}, "mechanisms": {"modules": ["my_package.inhibition"]}, "contact_inhibition": {"enabled": True}})
    assert [f.text for f in plan_of(config).factors_of("tissue.divide")][-1].startswith("1 / (1 + contact_inhibition")


def test_an_entry_point_is_found_by_its_name(monkeypatch):
    from importlib.metadata import EntryPoint
    monkeypatch.setattr(user.importlib.metadata, "entry_points", lambda group: [
        EntryPoint("gentle", "metacascade.mechanisms.mine", group)])
    monkeypatch.setattr(user.importlib, "import_module", lambda name: pytest.fail(name) if name != (
        "metacascade.mechanisms.mine") else user._file(str(EXAMPLES / "starvation.py"), None)[0])
    assert load({"tumor": {}, "mechanisms": {"modules": ["gentle"]}}).starvation.enabled is False


FAST = '''from metacascade.mechanisms.terms import constant
TABLE = SECTION = None
def plan(c):
    yield constant("tissue.speed", 30)
'''


def test_a_factor_on_the_speed_that_takes_cells_too_far_is_refused(folder):
    message = refusal(folder, "['own.py']", source=FAST)
    assert "migration.speed = 15 um/h (default): a cell would move" in message and "shorten run.step to" in message


@pytest.mark.parametrize("source, message", [
    ("x = 1", "a mechanism has SECTION, TABLE and plan(config); SECTION, TABLE, plan is missing"),
    ("x = (", "own.py:1: SyntaxError"), ("\n\nimport nothing_of_that_name\n", "own.py:3: ModuleNotFoundError"),
    ("\nx = 1 / 0\n", "own.py:2: ZeroDivisionError"),
    ("\nraise SystemExit(0)\n", "own.py:2: SystemExit: 0"),
    ("TABLE, SECTION = 'x', None\ndef plan(c): pass", "SECTION and TABLE are both None, or none is"),
    ("TABLE, SECTION = 'x', int\ndef plan(c): pass", "SECTION must be a Section with table = 'x'"),
    ("TABLE = SECTION = None\nfrom metacascade.mechanisms.terms import hill\ndef plan(c):\n yield hill('tissue.dvide', 'oxygen', 5)",
     "rate 'tissue.dvide', which nothing declares (did you mean 'tissue.divide'?)")])
def test_what_is_no_mechanism_is_refused_with_file_and_line(folder, source, message):
    assert message in refusal(folder, '["own.py"]', source=source)


PLAN = """TABLE = SECTION = None
from metacascade.mechanisms.terms import REMOVE, Bit, Rate, Trait, ramp; from metacascade.base.columns import *
def plan(config):
    {}
"""


@pytest.mark.parametrize("line, message", [
    ("yield config.nothing", "own.py:4: AttributeError: 'Config' object has no attribute 'nothing'"),
    ("yield 1 / 0", "own.py:4: ZeroDivisionError: division by zero"),
    ("raise SystemExit(3)", "own.py:4: SystemExit: 3"),
    ("yield ramp('tissue.divide', 'oxygen', 2, 2)", "own.py:4: a ramp on tissue.divide from 2 to 2"),
    ("yield ramp('tissue.divide', 'density', 1, 1 + 1e-9)", "from 1 to 1, which are the same number in single precision"),
    ("return None", "own.py: TypeError: 'NoneType' object is not iterable"),
    ("yield 'tissue.divide'", "own.py:4: plan(config) yields 'tissue.divide', which is no declaration: it is of the "
                              "type str, and may be Rate, ")])
def test_a_plan_that_fails_is_told_with_file_and_line(folder, line, message):
    assert message in refusal(folder, '["own.py"]', source=PLAN.format(line)).replace('"', "'")


@pytest.mark.parametrize("line, message", [
    ("yield Rate('tissue.divided', 0.1, action=REMOVE)", "divided: a cause of death by the name of a count"),
    ("yield Rate('tissue.a/b c', 0.1, action=REMOVE)", "the name 'tissue.a/b c': it must be a letter, then letters"),
    ("yield Trait('emt')", "the name 'emt': it must be a letter, then letters, digits and _, and none of clone, id"),
    ("yield Trait('')", "the name '': it must be a letter"), ("yield Bit('x y')", "the name 'x y': it must be a letter"),
    ("yield mean_over_cells('shed', 'mmHg', '', 'oxygen')",
     "shed: declared as a column twice: give that of the mechanism another name"),
    ("yield NodeColumn('lesions', '1', '', CTCS, len)", "organs/lesions: declared as a column twice"),
    ("yield NodeColumn('node', '1', '', CTCS, len)", "organs/node: declared as a column twice"),
    ("yield NodeColumn('mine', '1', '', CTCS, lambda rows: rows['nothing'])",
     "own.py:4: the column organs/mine: ValueError: no field of name nothing"),
    ("yield NodeColumn('mine', '1', '', LESIONS, lambda rows: rows['n'] / 2)",
     "own.py:4: the column organs/mine: its count must be a whole number for each of 1 records, not float64"),
    ("yield NodeColumn('mine', '1', '', LESIONS, len)", "must be a whole number for each of 1 records, not int64 of shape")])
def test_columns_that_cannot_be_are_refused_by_check(folder, line, message, capsys):
    (folder / "own.py").write_text(PLAN.format(line))
    (folder / "bad.toml").write_text(f'{TUMOR}[mechanisms]\nmodules = ["own.py"]\n')
    assert main(["check", str(folder / "bad.toml")]) == 2
    assert message in capsys.readouterr().err


QUANTITY = """from metacascade.base.declare import *
class Own(Section):
    table = "own"
    enabled: bool = switch("On.")
    k_per_h: float = quantity("k", "1/dya", "1/h", 1, 0, 9, doc="A rate.")
"""


@pytest.mark.parametrize("line, message", [
    ("yield constant('tissue.dvide', 2)", "own.py:4: a factor: rate 'tissue.dvide', which nothing declares (did you"),
    ("x = 1\n    yield Rate('tissue.own', -1, action=REMOVE)", "own.py:5: the rate tissue.own is -1 1/h: it must be 0"),
    ("yield Rate('tissue.own', 1, '1/day', action=REMOVE)", "own.py:4: the rate tissue.own is 1 1/day: it must be 0 or more, in 1/h"),
    ("yield hill('tissue.divide', 'oxigen', 5)", "own.py:4: tissue.divide: field 'oxigen', which nothing declares"),
    ("return [constant('tissue.dvide', 2)]", "own.py: a factor: rate 'tissue.dvide'")])
def test_what_does_not_fit_is_told_at_the_line_that_yields_it(folder, line, message):
    source = PLAN.replace("ramp;", "constant, hill;").format(line)
    assert message in refusal(folder, '["own.py"]', source=source)


def test_a_plan_of_another_file_is_told_with_that_file(folder, monkeypatch):
    monkeypatch.syspath_prepend(str(folder))
    (folder / "shared_plan.py").write_text(PLAN.replace("ramp;", "constant;").format("yield constant('tissue.dvide', 2)"))
    source = "import shared_plan\nTABLE = SECTION = None\ndef plan(config):\n    return shared_plan.plan(config)\n"
    assert "shared_plan.py:4: a factor: rate 'tissue.dvide'" in refusal(folder, '["own.py"]', source=source)


def test_a_unit_that_is_none_is_told_at_its_line(folder):
    message = refusal(folder, '["own.py"]', source=QUANTITY)
    assert "own.py:5: " in message and "dya" in message


def test_a_contradiction_is_told_at_its_line_in_the_config(folder):
    text = (EXAMPLES / "starvation.py").read_text().replace(
        "def plan(config):", "from metacascade.base.errors import Contradiction\ndef plan(config):\n    raise "
        "Contradiction(('starvation', 'half'), 'must not be', ('growth', 'oxygen_half'))")
    assert 'bad.toml:6: starvation.half = "1 mM": must not be' in refusal(
        folder, '["own.py"]', '[starvation]\nhalf = "1 mM"\n', source=text)


def test_what_is_not_there_is_refused_at_its_line(folder):
    assert 'bad.toml:4: mechanisms.modules = ["gone.py"]: cannot read the mechanism' in refusal(folder, '["gone.py"]')
    assert "No module named 'gone'" in refusal(folder, '["gone"]')
    assert "must be a list of at most 64 texts" in refusal(folder, "[3]")


def test_a_table_that_is_there_already_is_refused(folder):
    source = (EXAMPLES / "starvation.py").read_text().replace('TABLE = "starvation"', 'TABLE = "growth"')
    assert "the table [growth] of a mechanism of the user is there already" in refusal(folder, '["own.py"]', source=source)


# --- kept --------------------------------------------------------------------------------------------------------

def test_a_stored_config_finds_it_again_and_knows_its_source(folder):
    config = load(folder / "run.toml")
    stored = config.to_dict()
    assert stored["mechanisms"]["sha256"] == [user.digest((folder / "starvation.py").read_bytes())]
    assert Config.from_dict(stored) == config and load(_written(folder, config)) == config
    assert config.with_overrides("starvation.hazard=2/day").starvation.hazard_per_h == pytest.approx(2 / 24)


def _written(folder, config):
    (folder / "resolved.toml").write_text(config.to_toml())
    return folder / "resolved.toml"


def test_one_that_has_changed_or_is_gone_is_refused(folder):
    stored = load(folder / "run.toml").to_dict()
    file = folder / "starvation.py"
    file.write_text(file.read_text() + "\n")
    with pytest.raises(InputError, match="starvation.py has changed: its SHA-256 is"):
        Config.from_dict(stored)
    file.unlink()
    with pytest.raises(InputError, match="cannot read the mechanism .*starvation.py: .*put it back"):
        Config.from_dict(stored)


def test_a_branch_may_name_another(folder):
    shutil.copy(folder / "starvation.py", folder / "other.py")
    (folder / "other.py").write_text((folder / "other.py").read_text() + "\n")
    changed = load(folder / "run.toml").with_overrides(f'mechanisms.modules=["{folder / "other.py"}"]')
    assert changed.mechanisms.sha256 != load(folder / "run.toml").mechanisms.sha256


# --- the slow road -------------------------------------------------------------------------------------------------

def arrays(tiles=3):
    rng = np.random.default_rng(1)
    fields = {"oxygen": rng.random((tiles, 512), np.float32), "drug": rng.random((tiles, 64), np.float32)}
    return fields, np.arange(tiles), rng.integers(0, 9, (tiles, 512)).astype(np.uint16)


def test_a_factor_gets_the_values_of_the_voxels_of_a_tile():
    fields, n, counts = arrays()
    found = evaluate(python_factor("tissue.divide", lambda o, d, n: o + 2 * d + n, ("oxygen", "drug", "density"), "x"),
                     fields, n, counts, 8.0)
    v = np.arange(512)
    coarse = fields["drug"].reshape(3, 4, 4, 4)[:, v // 64 // 2, v // 8 % 8 // 2, v % 8 // 2]
    expected = fields["oxygen"] + 2 * coarse + counts.astype(np.float32) / np.float32(8)
    assert (found[0] == 1).all(), "without cells it is not evaluated"
    assert np.array_equal(found[1:], expected[1:])


def test_its_values_do_not_depend_on_which_tiles_lie_beside_it():
    fields, n, counts = arrays(6)
    factor = python_factor("tissue.divide", lambda o: np.exp(o) / o.mean(), ("oxygen",), "x")
    whole = evaluate(factor, fields, n, counts, 8.0)
    rows = np.array([5, 2])
    part = evaluate(factor, {name: value[rows] for name, value in fields.items()}, n[rows], counts[rows], 8.0)
    assert np.array_equal(part, whole[rows])


@pytest.mark.parametrize("function, message", [
    (lambda o: -o, "must not be negative, and must be finite"), (lambda o: o / 0, "is inf in 512 of 512 voxels"),
    (lambda o: np.nan, "is nan in 512"), (lambda o: o[:3], "returns an array of shape (3,)"),
    (lambda o: o + 1j, "not real numbers"), (lambda o: "1", "not real numbers"), (lambda o: sys.exit(3), "SystemExit: 3"),
    (lambda o: o * np.random.rand(), "is not the same if it is computed again"), (lambda o: o.nothing, "AttributeError"),
    (lambda o: np.add(o, 1, out=o), "read-only"), (lambda o, p: o, "TypeError")])
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_what_is_no_factor_ends_the_run_with_file_and_line(function, message):
    fields, n, counts = arrays()
    with pytest.raises(RunError) as error:
        evaluate(python_factor("tissue.divide", function, ("oxygen",), "f(oxygen)"), fields, n, counts, 8.0)
    text = str(error.value)
    assert message in text and "f(oxygen) on tissue.divide" in text
    assert text.startswith(f"{__file__}:"), "the place is that in the module of the user, not in ours or NumPy's"


def test_of_a_field_that_is_off_it_gets_what_cells_feel():
    config = load(EXAMPLES / "run.toml", ["oxygen.enabled=false", "starvation.enabled=false"])
    factor = plan_of(config).factors_of("tissue.divide")[-1]
    fields, n, counts = arrays()
    assert factor.absent == (("oxygen", np.inf),) and (evaluate(factor, {}, n, counts, 8.0) == 1).all()


def test_the_equation_has_its_text():
    config = load(EXAMPLES / "run.toml")
    assert "[contact_inhibition.strength] * density^2" in equations.markdown(plan_of(config)).replace("\n        ", " ")


BIT = """
from metacascade.mechanisms.terms import REMOVE, SET, Bit, Rate, bit
TABLE = SECTION = None
def plan(config):
    yield Bit("{name}")
    yield Rate("tissue.set_{name}", {rate}, action=SET, detail="{name}")
    yield Rate("tissue.cause_{name}", 0.001, action=REMOVE, doc="of {name}")
"""


def test_a_branch_with_its_mechanisms_in_another_order_reads_each_bit_by_its_name(tmp_path):
    """Bits were saved by their place: those of one mechanism were read as another's."""
    for name, rate in (("up", 0.2), ("down", 0.0)):
        (tmp_path / f"{name}.py").write_text(BIT.format(name=name, rate=rate))
    (tmp_path / "run.toml").write_text('[mechanisms]\nmodules = ["up.py", "down.py"]\n[tumor]\ncells = 3000\n')
    parent = Simulation(load(tmp_path / "run.toml"), serial_world())
    for _ in range(6):
        parent.step()

    def share(sim, name):
        mask, cells = dict(sim.plan.bits)[name], sim.state(parts=0).cells(0, len(sim.tissue.region.keys))
        return float((cells["bits"] & mask > 0).mean())

    assert share(parent, "up") > 0.2 and share(parent, "down") == 0.0
    (tmp_path / "other.toml").write_text('[mechanisms]\nmodules = ["down.py", "up.py"]\n[tumor]\ncells = 3000\n')
    swapped = Simulation(load(tmp_path / "other.toml"), serial_world(), parent.state(parts=0))
    assert share(swapped, "up") == share(parent, "up") and share(swapped, "down") == 0.0


def test_a_branch_without_the_mechanism_of_a_cause_of_death_is_told_to_keep_it(tmp_path):
    (tmp_path / "up.py").write_text(BIT.format(name="up", rate=0.2))
    (tmp_path / "run.toml").write_text('[mechanisms]\nmodules = ["up.py"]\n[tumor]\ncells = 3000\n')
    parent = Simulation(load(tmp_path / "run.toml"), serial_world())
    with pytest.raises(InputError, match="counts cells by cause_up, which nothing here declares: name the module"):
        Simulation(load({"tumor": {"cells": 3000}}), serial_world(), parent.state(parts=0))
