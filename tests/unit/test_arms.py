"""The file of treatment arms, its plan and its table: what is refused, what each arm runs, and what is made of results."""
import json
import math
import os
import re
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest

import metacascade as mc
from metacascade.base.errors import InputError
from metacascade.base.intervals import NORMAL, student
from metacascade.config import presets, read as config_read
from metacascade.config.config import build
from metacascade.io import checkpoint
from metacascade.studies import arms, arms_plan, sweep_compare, sweep_plan, sweep_start

ROOT = Path(__file__).parents[2]
BASE = """
[run]
seed = 7
step = "1 h"
duration = "4 h"
[output]
interval = "1 h"
checkpoint = "1 h"
[tumor]
cells = 300
[oxygen]
initial_sweeps = 4
[crowding]
enabled = false
[[therapy]]
rate = "blood.nk"
factor = 2
"""
ARMS = """
replicates = 2
[set]
run.duration = "8 h"
[[arm]]
name = "control"
[[arm]]
name = "both"
[[arm.therapy]]
rate = "blood.anoikis"
factor = 0.5
[[arm.surgery]]
time = "6 h"
[[arm.surgery]]
time = "7 h"
where = "lung"
[arm.set]
output.interval = "2 h"
[arm.blood]
nk = "0.1/h"
"""


@pytest.fixture(scope="module")
def parent(tmp_path_factory):
    """The directory of a run that has ended at 4 h."""
    folder = tmp_path_factory.mktemp("parent")
    (folder / "base.toml").write_text(BASE)
    mc.Simulation(folder / "base.toml").run(folder / "run")
    return folder / "run"


@pytest.fixture
def write(tmp_path, parent):
    """``write(text, begin)``: the path of a file of arms beside base.toml; `begin`: a line with the state of all."""
    (tmp_path / "base.toml").write_text(BASE)

    def write(text, begin='base = "base.toml"'):
        path = tmp_path / "arms.toml"
        path.write_text(f"{begin}\n{text}".replace("RUN", str(parent)))
        return path
    return write


@pytest.fixture
def plan(write, tmp_path):
    """``plan(text, begin)``: the plan of a file of arms; nothing is written."""
    return lambda *given: arms_plan.opened(tmp_path / "out", write(*given))


@pytest.fixture
def problems(plan, tmp_path):
    """``problems(text, begin)``: the lines of what is wrong in it, without the folder."""
    def problems(*given):
        with pytest.raises(InputError) as error:
            plan(*given)
        return str(error.value).replace(f"{tmp_path}/", "").splitlines()
    return problems


def config_of(found, member):
    """The config that a member is started with."""
    document = config_read.parse_text(found["config"], "base")
    config_read.override(document, sweep_plan.arguments(found, member))
    return build(document)


@pytest.mark.parametrize("begin", ['base = "base.toml"', 'from = "RUN"', 'from = "RUN/checkpoint.h5"'])
def test_an_arm_is_the_state_of_all_with_its_changes_after_those_that_are_there(plan, begin):
    found = plan(ARMS, begin)
    control, both = (config_of(found, member) for member in found["members"][:2])
    assert [one.rate for one in control.therapy] == ["blood.nk"] and control.surgery == ()
    assert [one.rate for one in both.therapy] == ["blood.nk", "blood.anoikis"]
    assert [(one.time_s // 3600, one.where) for one in both.surgery] == [(6, "tumor"), (7, "lung")]
    assert control.run.duration_s == both.run.duration_s == 8 * 3600
    assert (both.output.interval_s, both.blood.nk_per_h, control.output.interval_s) == (7200, 0.1, 3600)


OF_LISTS = """[set]
draw = []
therapy.0.factor = 0.25
injection.0 = {node = "portal", cells = 5, time = "5 h"}
"""


def test_a_sweep_and_arms_take_the_same_settings_of_lists(plan, tmp_path):
    """A whole list, a key of an entry that the config has, and an entry that it has not."""
    arms = plan(OF_LISTS + '[[arm]]\nname = "a"\n')
    (tmp_path / "sweep.toml").write_text('config = "base.toml"\n' + OF_LISTS + '[vary]\nblood.nk = ["0.1/h"]\n')
    swept = sweep_plan.opened(tmp_path / "swept", tmp_path / "sweep.toml")
    for found in (arms, swept):
        config = config_of(found, found["members"][0])
        assert config.draw == () and [(one.rate, one.factor) for one in config.therapy] == [("blood.nk", 0.25)]
        assert [(one.node, one.cells) for one in config.injection] == [("portal", 5)]
    assert arms["fixed"] == swept["fixed"]


def test_replicates_have_the_same_seeds_in_all_arms_and_the_first_that_of_the_state(plan):
    for begin, first in (('base = "base.toml"', 7), ('from = "RUN"', 7), ('seed = 5\nbase = "base.toml"', 5)):
        members = plan(ARMS, begin)["members"]
        assert [(m["arm"], m["replicate"]) for m in members] == [
            ("control", 0), ("both", 0), ("control", 1), ("both", 1)]
        assert [m["seed"] for m in members] == [first] * 2 + [sweep_plan.derived(first, 1)] * 2


def test_from_a_checkpoint_members_are_branches_of_the_copy_beside_them(plan, tmp_path, parent):
    found = plan(ARMS, 'from = "RUN"')
    sweep_plan.write(tmp_path / "out", found)
    kept = tmp_path / "out" / sweep_start.NAME
    of = str(parent / "checkpoint.h5")
    assert sweep_plan.beginning(found, tmp_path / "out") == ["branch", str(kept), "--copy-of", of]
    assert kept.read_bytes() == (parent / "checkpoint.h5").read_bytes()
    assert plan(ARMS, 'from = "RUN"') | {"start": 0} == found | {"start": 0}       # now of the copy
    assert sweep_plan.beginning({}, tmp_path) == ["run", str(tmp_path / "config.toml")]


def test_a_damaged_copy_is_told_as_such_and_not_as_the_checkpoint_of_the_file(plan, problems, tmp_path):
    sweep_plan.write(tmp_path / "out", plan(ARMS, 'from = "RUN"'))
    copy = tmp_path / "out" / sweep_start.NAME
    start = copy.read_bytes()[:2000]
    copy.unlink()           # a link to the checkpoint of the run
    copy.write_bytes(start)
    line, = problems(ARMS, 'from = "RUN"')
    assert "out/start.h5 is damaged" in line and "this is the copy in the directory of the members: remove it" in line


def test_the_copy_is_one_where_the_file_system_has_no_links(plan, tmp_path, parent, monkeypatch):
    def no_links(*_):
        raise OSError("no links here")
    synced, sync = [], sweep_start.os.fsync
    monkeypatch.setattr(sweep_start.os, "fsync", lambda handle: synced.append(os.readlink(f"/proc/self/fd/{handle}")) or sync(handle))
    monkeypatch.setattr(sweep_start.os, "link", no_links)
    sweep_plan.write(tmp_path / "out", plan(ARMS, 'from = "RUN"'))
    assert checkpoint.meta_of(tmp_path / "out" / sweep_start.NAME) == checkpoint.meta_of(parent / "checkpoint.h5")
    assert not [path.name for path in (tmp_path / "out").iterdir() if path.name.endswith(".tmp")]
    assert [path for path in synced if sweep_start.NAME in path]        # before it got its name


WRONG = {     # file after its first line: the lines of what is wrong, from their numbers on
    "no arms": ("", ["1: arm: must be a list of tables: write [[arm]]"]),
    "names": ("""
[[arm]]
name = "a"
[[arm]]
name = "a"
[[arm]]
nam = "b"
[arm.set]
run.seed = 3
[compare]
against = "aa"
column = []
""", ['6: arm[1].name = "a": is the name of arm[0] too', '7: arm[2]: needs name = "..."',
      '8: arm[2].nam = "b": unknown key of an arm (did you mean \'name\'?)',
      "10: arm[2].set.run.seed = 3: follows from `seed`", "12: compare.against = \"aa\": is no arm (did you mean 'a'?)",
      "13: compare.column = []: unknown key (did you mean 'columns'?)"]),
    "a list": ("""
[[arm]]
name = "a"
draw = []
""", ["5: arm[0].draw = []: draw is no value of an arm; a setting, or a list that replaces another, belongs in [arm.set]"]),
    "values": ("""
[[arm]]
name = "a"
[[arm.therapy]]
rate = "blood.nkk"
factor = -1
[[arm]]
name = "b"
[[arm.terapy]]
rate = "blood.nk"
[[arm]]
name = "c"
[arm.groth]
rate = 1
[arm.set]
blood.nk = 5
run.dration = "8 h"
""", ["7: arm[0].therapy[0].factor = -1: must be a number from 0",
      '6: arm[0].therapy[0].rate = "blood.nkk": no rate of the model (did you mean',
      "10: arm[1].terapy = [{", "14: arm[2].groth: unknown key (did you mean 'growth'?)",
      "17: arm[2].set.blood.nk = 5: needs a unit", '18: arm[2].set.run.dration = "8 h": unknown key (did you mean \'duration\'?)']),
    "the same run": ("""
[[arm]]
name = "a"
[[arm]]
name = "b"
[arm.set]
run.duration = "240 min"
""", ["5: arm[1]: is the same run as a, by all its values"]),
    "columns": ("""
[[arm]]
name = "a"
[[arm]]
name = "b"
[arm.emt]
enabled = true
[compare]
columns = ["lesion", "emt_mean"]
""", ["10: compare.columns[0] = \"lesion\": is no column that all arms have (did you mean 'lesions'?)",
      "10: compare.columns[1] = \"emt_mean\": is no column that all arms have"])}


@pytest.mark.parametrize("text, expected", WRONG.values(), ids=WRONG)
def test_everything_wrong_is_listed_with_file_line_and_key(problems, text, expected, capsys):
    expected = [f"arms.toml:{start}" for start in expected]
    found = problems(text)
    assert [line[:len(start)] for line, start in zip(found, expected, strict=True)] == expected


@pytest.mark.parametrize("begin, message", [
    ("", 'arms.toml:1: config: needs either base = "FILE.toml"'),
    ('base = "base.toml"\nfrom = "RUN"', "arms.toml:1: config: needs either base ="),
    ('base = "bse.toml"', 'arms.toml:1: base = "bse.toml": cannot read the config'),
    ('from = "no.h5"', 'arms.toml:1: from = "no.h5": cannot read'),
    ('from = "base.toml"', 'arms.toml:1: from = "base.toml": '),
    ('base = "base.toml"\nreplicats = 2', "arms.toml:2: replicats = 2: unknown key (did you mean 'replicates'?)")])
def test_a_state_that_is_not_there_is_refused(problems, begin, message):
    assert problems("[[arm]]\nname = 'a'\n", begin)[0].startswith(message)


def test_what_comes_before_the_checkpoint_and_what_a_branch_refuses_is_told_at_its_line(problems):
    text = """[[arm]]
name = "a"
[[arm.surgery]]
time = "4 h"
[[arm.therapy]]
rate = "blood.nk"
factor = 2
start = "3 h"
[[arm]]
name = "b"
[arm.set]
run.duration = "3 h"
[[arm]]
name = "c"
[arm.tissue]
voxel = "20 um"
"""
    found = problems("[set]\nrun.duration = '9 h'\n" + text, 'from = "RUN"')
    assert [line.split(", where the arms")[0] for line in found[:2]] == [
        'arms.toml:7: arm[0].surgery[0].time = "4 h": is not after 4 h',
        'arms.toml:11: arm[0].therapy[0].start = "3 h": is before 4 h']
    assert found[2].startswith("arms.toml:12: arm[1]: run.duration: the checkpoint is at 4 h and the branch would end")
    assert found[3].startswith("arms.toml:16: arm[2]: tissue.voxel: a branch keeps the voxels")


def test_what_is_unusual_is_said_once_with_the_arms(plan, capsys):
    plan("[set]\nblood.nk = '9/h'\n[[arm]]\nname = 'a'\n[[arm]]\nname = 'b'\n[arm.run]\nduration = '5 h'\n")
    assert capsys.readouterr().err.splitlines() == [
        "warning: arms differ in run.duration: the last rows that are compared are of other times",
        "warning: every arm: blood.nk = 9/h is outside the usual range, 0.1/h to 5/h"]


def test_arms_may_get_more_replicates_and_other_columns_and_nothing_else(plan, tmp_path):
    out, told = tmp_path / "out", "[compare]\ncolumns = ['shed']\nagainst = 'both'\n"
    first = plan(ARMS)
    sweep_plan.write(out, first)
    more = plan(ARMS.replace("replicates = 2", "replicates = 3") + told)
    assert more["members"][:4] == first["members"] and len(more["members"]) == 6
    assert more["compare"] == {"columns": {"shed": "cells"}, "against": 1}
    sweep_plan.write(out, more)
    assert json.loads((out / "members.json").read_text()) == more
    for text, message in ((ARMS, "has 3 replicates: there may be more of them"),
                          (ARMS.replace("7 h", "8 h"), r'arm\[1\].surgery\[1\].time = "8 h", there it is "7 h"')):
        with pytest.raises(InputError, match=message):
            plan(text)


def test_the_example_has_every_intervention_without_with_and_in_half(tmp_path, capsys):
    found = arms_plan.opened(tmp_path / "out", ROOT / "examples" / "arms_resection.toml")
    assert capsys.readouterr().err == "" and found["arms"] == ["control", "resection", "half"]
    assert [config_of(found, member).surgery != () for member in found["members"][:3]] == [False, True, True]
    assert presets.arms() == ["arms_core", "arms_resection"] and "stays" in presets.title("arms_resection")


def test_the_arms_in_the_documentation_can_be_read(plan):
    blocks = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "arms.md").read_text("utf-8"), re.DOTALL)
    first, later = [block for block in blocks if "[[arm]]" in block]
    begin = re.search("^(from|base) = .*$", first, re.M)[0]
    assert len(plan(first.replace(begin, ""), 'base = "mouse_breast_fixed"')["members"]) == 24
    assert len(plan(later, "")["members"]) == 3


# --- the table ------------------------------------------------------------------------------------------------

def made(columns, names=("a", "b")):
    """A plan and rows of members that are done; `columns`: name -> a list of values for each arm."""
    replicates = len(next(iter(columns.values()))[0])
    members = [dict(number=k * len(names) + i, point=i, arm=name, replicate=k, seed=k, settings={})
               for k in range(replicates) for i, name in enumerate(names)]
    rows = {m["number"]: {"status": "done"} | {c: v[m["point"]][m["replicate"]] for c, v in columns.items()}
            for m in members}
    return dict(arms=list(names), members=members, title="", start=None,
                compare=dict(columns=dict.fromkeys(columns, "cells"), against=0)), rows


@pytest.mark.parametrize("freedom", [1, 2, 5, 10, 11, 15, 40, 1000])
def test_the_quantile_of_student_leaves_a_fortieth_above_it(freedom):
    """Against the integral of the density, by Simpson's rule up to the quantile."""
    t = np.linspace(0.0, student(freedom), 20_001)
    density = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(freedom * math.pi) * (
        1 + t * t / freedom) ** (-(freedom + 1) / 2)
    weight = np.ones_like(t)
    weight[1:-1:2], weight[2:-1:2] = 4, 2
    assert 0.5 + (t[1] - t[0]) / 3 * float(weight @ density) == pytest.approx(0.975, abs=3e-7)


def test_the_quantiles_of_student_and_of_the_normal_distribution_are_those_of_tables():
    """Abramowitz and Stegun, table 26.10, with more digits for few degrees of freedom, where four are not enough."""
    assert [round(student(n), 5) for n in range(1, 13)] == [12.70620, 4.30265, 3.18245, 2.77645, 2.57058, 2.44691, 2.36462,
                                                            2.30600, 2.26216, 2.22814, 2.20098, 2.17881]
    assert [round(student(n), 6) for n in (20, 30, 60, 120)] == [2.085963, 2.042272, 2.000298, 1.979930]
    assert NORMAL == pytest.approx(NormalDist().inv_cdf(0.975), abs=1e-14) and student(10**9) == pytest.approx(NORMAL)


def test_means_and_paired_differences_are_those_by_hand():
    found = list(sweep_compare.compared(*made({"shed": [[1.0, 2.0, 6.0], [11.0, 13.0, 18.0]]})))
    assert found[0][3].n == 3 and found[0][4] is None
    assert found[0][3].mean == 3.0 and found[0][3].high == pytest.approx(3 + 4.303 * math.sqrt(7 / 3), rel=1e-3)
    pairs = found[1][4]         # 10, 11, 12
    assert (pairs.n, pairs.mean) == (3, 11.0) and pairs.low == pytest.approx(11 - 4.303 / math.sqrt(3), rel=1e-4)


def test_members_that_are_not_done_and_times_of_what_never_happened_do_not_count():
    plan, rows = made({"first_lesion_s": [[60, -1, 180, 240], [60, 120, 190, 300]]})
    rows[7]["status"] = "failed"        # the last of b
    (*_, a, _), (*_, b, pairs) = sweep_compare.compared(plan, rows)
    assert (a.n, a.mean, b.n, pairs.n, pairs.mean) == (3, 160.0, 3, 2, 5.0)
    text = "\n".join(sweep_compare.lines(plan, rows))
    assert "b: 3 of 4 done" in text and "a: " not in text


def test_one_replicate_has_no_interval():
    plan, rows = made({"shed": [[1.0], [2.0]]})
    assert [math.isnan(one.low) for *_, one, _ in sweep_compare.compared(plan, rows)] == [True, True]
    assert "nan" not in "\n".join(sweep_compare.lines(plan, rows))


def test_the_table_fits_into_80_columns_whatever_is_in_it():
    large = [[-1.5e15, 1e14, 3.0], [123_456_789.0, -999_999.4, 1e-9]]
    plan, rows = made({"a_column" * 15: large}, ("a name\x1b that is as long as one may be" + "x" * 8, "b"))
    lines = list(sweep_compare.lines(plan, rows))
    assert max(map(len, lines)) <= 80 and "\x1b" not in "".join(lines)


def test_the_file_of_the_comparison_has_a_row_for_each_column_and_arm(tmp_path):
    sweep_compare.write(tmp_path, *made({"shed": [[1, 3], [4, 6]], "lesions": [[0, 0], [1, 2]]}))
    rows = (tmp_path / "arms.csv").read_text().splitlines()
    assert rows[0].startswith("column,unit,arm,n,mean,low,high,against,pairs,difference,")
    assert rows[2].startswith("shed,cells,b,2,5,") and ",a,2,3,3,3" in rows[2] and len(rows) == 5


@pytest.mark.parametrize("change", [{"arms": []}, {"compare": {}}, {"start": {}}, {"title": 1}, {"arms": ["x"]},
                                    {"compare": {"columns": {}, "against": 5}}])
def test_a_damaged_plan_of_arms_is_refused(plan, tmp_path, change):
    path = tmp_path / "members.json"
    path.write_text(json.dumps(plan(ARMS) | change))
    with pytest.raises(InputError, match="members.json is damaged"):
        list(arms.describe(tmp_path))


def test_info_of_a_sweep_tells_its_members(tmp_path):
    (tmp_path / "base.toml").write_text(BASE)
    (tmp_path / "s.toml").write_text('config = "base.toml"\nreplicates = 2\n')
    sweep_plan.write(tmp_path / "out", sweep_plan.opened(tmp_path / "out", tmp_path / "s.toml"))
    assert list(arms.describe(tmp_path / "out")) == [f"{tmp_path / 'out'}: a sweep, 2 members: 2 waiting"]
