"""Reading a config: values, messages with file and line, all errors at once."""
import copy
import json
import math
import pickle
import shutil
import tomllib
from pathlib import Path

import pytest

from metacascade.base.errors import InputError
from metacascade.config.catalog import parameters
from metacascade.config.config import Config, build, load
from metacascade.config.presets import names, text
from metacascade.config.read import Document, parse_text
from metacascade.mechanisms import plan_of

ROOT = Path(__file__).parents[2]
MINIMAL = "[tumor]\ncells = 1000\n"


def config_of(toml: str) -> Config:
    return build(parse_text(toml, "run.toml"))


def errors_of(toml: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        config_of(toml)
    return str(caught.value).split("\n")


def only_error(toml: str) -> str:
    errors = errors_of(toml)
    assert len(errors) == 1, f"more than the one problem is reported: {errors}"
    return errors[0]


def test_a_title_of_blanks_is_none():
    blank, other = (config_of(f'title = "{title}"\n{MINIMAL}') for title in ("  ", " a title "))
    assert (blank.title, other.title) == ("", "a title")
    assert load(tomllib.loads(blank.to_toml())) == blank


def test_values_are_in_internal_units():
    config = config_of("""
        [run]
        step = "0.5 h"
        duration = "2 weeks"
        [tumor]
        center = ["1 mm", "-2 um", "0 um"]
        [growth]
        death_rate = "5 %/day"
        [organs.lung]
        soil = 2
        [[draw]]
        time = "90 min"
        volume = "20 uL"
        """)
    assert (config.run.step_s, config.run.duration_s, config.run.steps) == (1800, 1209600, 672)
    assert isinstance(config.run.step_s, int) and config.run.step_h == 0.5
    assert config.tumor.center_um == (1000.0, -2.0, 0.0)
    assert config.growth.death_per_h == 0.05 / 24
    assert config.organs["lung"].soil == 2.0 and config.organs["lung"].capillary_um == 7.5
    assert config.draw[0].time_s == 5400 and config.draw[0].volume_mL == 0.02


def test_value_as_declared_has_the_bits_of_the_default():
    config = config_of(MINIMAL)
    assert config_of(config.to_toml()) == config


def test_config_is_frozen():
    with pytest.raises(ValueError):
        config_of(MINIMAL).run.seed = 2


@pytest.mark.parametrize("line, message", [
    ('sped = "15 um/h"', "run.toml:4: migration.sped = \"15 um/h\": unknown key (did you mean 'speed'?)"),
    ("speed = 15", 'run.toml:4: migration.speed = 15: needs a unit, such as "15 um/h"'),
    ("speed = true", 'run.toml:4: migration.speed = true: must be a text with a number and a unit, such as "15 um/h"'),
    ('speed = "15 umm/h"',
     "run.toml:4: migration.speed = \"15 umm/h\": unknown unit 'umm' (did you mean 'um'?); write it like \"15 um/h\""),
    ('speed = "15 um"',
     "run.toml:4: migration.speed = \"15 um\": 'um' is a length, but a speed is needed; write it like \"15 um/h\""),
    ('speed = "-1 um/h"',
     'run.toml:4: migration.speed = "-1 um/h": must be a quantity from 0 um/h to 1000 um/h'),
    ("bias = 0.9", "run.toml:4: migration.bias = 0.9: must be a number from 0 to 0.8"),
    ("bias = nan", "run.toml:4: migration.bias = nan: must be a number from 0 to 0.8"),
    ("bias = inf", "run.toml:4: migration.bias = inf: must be a number from 0 to 0.8"),
    ('bias = "0.3"', 'run.toml:4: migration.bias = "0.3": must be a number from 0 to 0.8'),
    ("bias = true", "run.toml:4: migration.bias = true: must be a number from 0 to 0.8"),
    ("enabled = 1", "run.toml:4: migration.enabled = 1: must be true or false"),
    ('enabled = "yes"', 'run.toml:4: migration.enabled = "yes": must be true or false')])
def test_wrong_line_is_named_with_its_place_and_rule(line, message):
    assert only_error(f"{MINIMAL}[migration]\n{line}\n") == message


@pytest.mark.parametrize("toml, message", [
    (MINIMAL + "[growht]\n", "run.toml:3: growht: unknown key (did you mean 'growth'?)"),
    (MINIMAL + "[organs.lunge]\n", "run.toml:3: organs.lunge: unknown name (did you mean 'lung'?)"),
    ("growth = 1\n" + MINIMAL, "run.toml:1: growth = 1: must be a table: write [growth] and its keys below"),
    (MINIMAL + "[draw]\n", "run.toml:3: draw: must be a list of tables: write [[draw]]"),
    (MINIMAL + "[[run]]\n", "run.toml:3: run = [{}]: must be a table"),
    (MINIMAL + "[organs]\nlung = 3\n", "run.toml:4: organs.lung = 3: must be a table"),
    ("title = 3\n" + MINIMAL, "run.toml:1: title = 3: must be a text of at most 200 characters"),
    ("[tumor]\ncells = 1.0\n", "run.toml:2: tumor.cells = 1.0: must be a whole number from 1 to"),
    ("[tumor]\ncells = 1e5\n", "must be a whole number from 1 to 1000000000000; write it as 100_000"),
    ("[tumor]\norgan = 'brest'\n", "(did you mean 'breast'?)"),
    ("[tumor]\ncenter = ['1 um', '1 um']\n", "tumor.center = [\"1 um\", \"1 um\"]: must be three quantities"),
    ("[tumor]\ncenter = ['1 um', '1 um', '2 m']\n", "must be three quantities from -1000000 um to 1000000 um"),
    ("[[injection]]\n[[injection]]\nnode = 'v'\n", "run.toml:3: injection[1].node = \"v\": must be one"),
    (MINIMAL + "[run]\nstep = '1.5 s'\n", "run.toml:4: run.step = \"1.5 s\": must be a whole number of seconds"),
    (MINIMAL + "[run]\nspecies = 'human\\n'\n", "must be one of mouse, human"),
    (MINIMAL + "[vessels]\nfile = 'no.csv'\n", "vessels.file = \"no.csv\": there is no file"),
    ("[[injection]]\nnode = 'tumor'\n", "injection[0].node = \"tumor\": there is no [tumor] to inject into"),
    ("", "run.toml:1: config: there is neither a [tumor] nor an [[injection]]: nothing to simulate")])
def test_wrong_table_or_value_is_named(toml, message):
    assert message in only_error(toml)


@pytest.mark.parametrize("toml, message", [
    ("[run]\nstep = '50 min'",
     "run.toml:4: run.duration = 7 days (default): 7 days is not a multiple of run.step = 50 min; the nearest is 10100 min"),
    ("[hypoxia]\nthreshold = '0.5 mmHg'", "run.toml:4: hypoxia.full = 2.5 mmHg (default): must be less than"),
    ("[output]\ninterval = '45 min'", "run.toml:4: output.interval = \"45 min\": 45 min is not a multiple of run.step"),
    ("[output]\nsnapshots = true\nsnapshot_interval = '45 min'", "output.snapshot_interval"),
    ("[migration]\nspeed = '240 um/h'", "too far for voxels of 30 um; shorten run.step to"),
    ("[migration]\nspeed = '240 um/h'\nbias = 0", "a cell would move 69.3 um in a step"),
    ("[hypoxia]\nfull = '5 mmHg'", 'hypoxia.full = "5 mmHg": must be less than hypoxia.threshold = 5 mmHg'),
    ("[emt]\nfull = '10 mmHg'", 'emt.full = "10 mmHg": must be less than emt.threshold = 10 mmHg'),
    ("[outline]\ndepth = '4 mm'\n[tissue]\nvoxel = '20 um'", 'depth = "4 mm": must be less than 3620 um, 181 voxels'),
    ("[staging]\ninvasion = '1 cm'", 'staging.invasion = "1 cm": must be less than 5430 um')])
def test_contradiction_is_named(toml, message):
    assert message in "\n".join(errors_of(f"{MINIMAL}{toml}\n"))


def test_shorter_step_that_a_message_proposes_is_accepted():
    toml = MINIMAL + "[run]\nduration = '{0}'\nstep = '{1}'\n[output]\ninterval = '{1}'\ncheckpoint = '{1}'\n"
    toml += "[migration]\nspeed = '240 um/h'\n"
    step = only_error(toml.format("30 min", "30 min")).rsplit("shorten run.step to ")[1].removesuffix(" or less")
    assert config_of(toml.format(step, step)).run.step_s < 1800


def test_all_errors_are_listed_at_once_in_the_order_of_the_file():
    errors = errors_of("[tumor]\ncells = 0\n[run]\nstep = 30\nsed = 1\n[growth]\ndeath_rate = '1 um'\n"
                       "[hypoxia]\nfull = '9 mmHg'\n")
    assert [e.split(": ")[0] for e in errors] == [f"run.toml:{n}" for n in (2, 4, 5, 7, 9)]


@pytest.mark.parametrize("more, told", [("", 4), ("[emt]\nfull = '10 mmHg'\n", 3)])
def test_what_there_is_not_is_told_together_with_what_contradicts_itself(more, told):
    """A mechanism that contradicts itself makes no plan, and so no list of names: the drug is told all the same."""
    errors = errors_of(MINIMAL + "[output]\ninterval = '45 min'\n[[therapy]]\ndrug = 'aspirn'\n[[therapy]]\n"
                       f"rate = 'blood.nkk'\n[[injection]]\nlabel = 'a'\ntraits = {{b = 0.1}}\n{more}")
    assert len(errors) == told and "output.interval" in errors[0] and "no class of drugs" in errors[1]


def test_contradiction_with_a_wrong_value_is_not_reported_twice():
    assert "migration.speed" in only_error(MINIMAL + "[migration]\nspeed = '2000 um/h'\n")


@pytest.mark.parametrize("toml, message", [
    ("[run\nstep = 1", "run.toml:1: not valid TOML: "),
    ("a = 1\na = 2", "run.toml:2: not valid TOML: Cannot overwrite"), ("a = '''", "not valid TOML"),
    ("x = " + "[" * 5000, "not valid TOML: nested too deeply"),
    ("x = 1" + "0" * 5000, "not valid TOML: "), ("a = 1 b", "run.toml:1: not valid TOML")])
def test_text_that_is_not_toml_is_an_input_error_with_its_line(toml, message):
    assert message in only_error(toml)


def test_lines_are_right_with_windows_line_ends_and_byte_order_mark(tmp_path):
    file = tmp_path / "run.toml"
    file.write_bytes(b"\xef\xbb\xbf[tumor]\r\ncells = 10\r\n[run]\r\nstep = 3\r\n")
    with pytest.raises(InputError, match=r"run.toml:4: run.step = 3: needs a unit"):
        load(file)


@pytest.mark.parametrize("content, message", [
    (b"a = '\xff'", ":1: not a config: it is not UTF-8"), (b"x" * 1_000_001, "larger than 1,000,000 bytes"),
    (b"\x89HDF\r\n\x1a\n\x00\x00", "not a config")])
def test_file_of_another_kind_is_an_input_error(tmp_path, content, message):
    (tmp_path / "run.toml").write_bytes(content)
    with pytest.raises(InputError, match=message):
        load(tmp_path / "run.toml")


def test_unreadable_path_is_an_input_error(tmp_path):
    for path in (tmp_path / "none.toml", tmp_path, "a\0b"):
        with pytest.raises(InputError, match="cannot read the config|must be a path"):
            load(path)


def test_overrides_are_checked_like_the_file(tmp_path):
    file = tmp_path / "run.toml"
    file.write_text("[tumor]\ncells = 10\n[[draw]]\n")
    config = load(file, ["run.seed=7", "run.step=10 min", 'growth.division_time="20 h"', "organs.lung.soil = 3",
                         "draw.0.node=lung", "title=a = b", "oxygen.enabled=false"])
    assert (config.run.seed, config.run.step_s, config.growth.division_time_h) == (7, 600, 20.0)
    assert config.organs["lung"].soil == 3.0 and config.draw[0].node == "lung" and config.title == "a = b"
    assert not config.oxygen.enabled
    with pytest.raises(InputError, match=r"^--set: run.sed = 1: unknown key \(did you mean 'seed'\?\)$"):
        load(file, ["run.sed=1"])
    with pytest.raises(InputError, match="(?s)write it as section.key=value.*there is no table tumor.cells"):
        load(file, ["run.seed", "tumor.cells.x=1"])
    with pytest.raises(InputError, match="^--set draw.5.node=lung: there is no table draw\\[5\\]"):
        load(file, ["draw.5.node=lung"])


def test_override_cannot_smuggle_in_another_key(tmp_path):
    file = tmp_path / "run.toml"
    file.write_text(MINIMAL)
    with pytest.raises(InputError, match="--set: run.seed"):
        load(file, ["run.seed=1\nother = 2"])


def test_vessel_file_is_relative_to_the_config(tmp_path):
    (tmp_path / "net.csv").write_text("x1\n")
    (tmp_path / "run.toml").write_text(MINIMAL + "[vessels]\nfile = 'net.csv'\n")
    config = load(tmp_path / "run.toml")
    assert config.vessels.file == str(tmp_path / "net.csv")
    (tmp_path / "net.csv").unlink()
    assert config.with_overrides([], seed=2).vessels.file == config.vessels.file, "a branch does not need the file"
    with pytest.raises(InputError, match="there is no file"):
        config.with_overrides(["vessels.file=other.csv"])


def test_vessel_seed_and_bypass_follow_from_others_unless_given():
    assert config_of(MINIMAL + "[run]\nseed = 5\n").vessels.seed == 5
    assert config_of(MINIMAL + "[run]\nseed = 5\n[vessels]\nseed = 6\n").vessels.seed == 6
    shares = {organ: config_of(f"[tumor]\norgan = '{organ}'\n").blood.vertebral_bypass
              for organ in ("breast", "prostate", "colon")}
    assert shares == {"breast": 0.02, "prostate": 0.1, "colon": 0.0}
    assert Config.from_dict({}).vessels.seed == 1, "the shared default must not be changed by another config"


def test_branch_keeps_the_vessels_when_the_seed_changes():
    branched = config_of(MINIMAL + "[run]\nseed = 5\n").with_overrides(["blood.nk=0/h"], seed=9)
    assert (branched.run.seed, branched.vessels.seed, branched.blood.nk_per_h) == (9, 5, 0.0)
    with pytest.raises(InputError, match="--set: blood.nkk = 1: unknown key"):
        branched.with_overrides(["blood.nkk=1"])


@pytest.mark.parametrize("name", names())
def test_preset_survives_dict_json_and_toml_bit_for_bit(name):
    config = config_of(text(name))
    assert Config.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert config_of(config.to_toml()) == config


@pytest.mark.parametrize("name", names())
def test_preset_has_no_warning_and_a_title(name):
    config = config_of(text(name))
    assert config.warnings == [] and config.title and config.title in config.summary()


def test_the_examples_are_the_presets_of_the_package():
    examples = {f.name: f.resolve() for f in (ROOT / "examples").glob("*.toml")}
    presets = (ROOT / "src" / "metacascade" / "presets").glob("*.toml")
    assert examples == {f.name: f for f in presets}


@pytest.mark.parametrize("again", [lambda config: pickle.loads(pickle.dumps(config)), copy.deepcopy, copy.copy])
def test_a_config_goes_through_pickle_and_copies_with_its_plan_made(again, tmp_path):
    """As a sweep by multiprocessing sends it, with a mechanism of a user in it."""
    shutil.copy(ROOT / "examples" / "mechanisms" / "starvation.py", tmp_path)
    (tmp_path / "run.toml").write_text('[tumor]\ncells = 5\n[mechanisms]\nmodules = ["starvation.py"]\n'
                                       '[starvation]\nenabled = true\n')
    config = load(tmp_path / "run.toml")
    plan_of(config)
    found = again(config)
    assert found == config and found.given == config.given and plan_of(found) == plan_of(config)
    assert found.starvation == config.starvation


def test_dict_is_plain_and_strict():
    values = Config.from_dict({"tumor": {}}).to_dict()
    json.dumps(values, allow_nan=False)
    for change in ({"run": {"step": "30 min"}}, {"run": {"step_s": 1.5}}, {"organs": {"nose": {}}}, {"nothing": 1}):
        with pytest.raises(ValueError):
            Config.from_dict(values | change)


def test_unusual_values_coarse_steps_and_late_events_are_warnings():
    config = config_of(MINIMAL + "[growth]\ndivision_time = '1 h'\n[[draw]]\ntime = '20 days'\n")
    assert config.warnings == [
        "growth.division_time = 1 h is outside the usual range, 16 h to 700 h",
        "tissue.divide: 29 % of the cells concerned change in one step; shorten run.step",
        "draw[0].time = 20 days is after the end of the run: it never happens"]


def test_every_mechanism_can_be_switched_off():
    sections = ("growth", "hypoxia", "migration", "crowding", "oxygen", "intravasation", "blood", "colonization",
                "balance")
    config = config_of(MINIMAL + "".join(f"[{name}]\nenabled = false\n" for name in sections))
    assert not any(getattr(config, name).enabled for name in sections)
    assert "off: " in config.summary()


def test_every_rate_can_be_scaled_to_zero():
    zero = [p for p in parameters() if p.internal.endswith(("/h", "1/h")) and p.low != 0]
    assert {p.key for p in zero} == {"diffusion", "motility"}


def test_document_without_text_has_a_name_and_no_line():
    with pytest.raises(InputError, match="^config: run.sed = 1: unknown key"):
        build(Document({"run": {"sed": 1}, "tumor": {}}))


def test_declarations_are_complete_and_consistent():
    suffix = {"cm^2/dyn/h": "cm2_per_dyn_h", "dyn/cm^2": "dyn_per_cm2", "Pa s": "Pa_s",
              "1/um": "per_um", "1/um^2": "per_um2", "um^2/h": "um2_per_h", "1/h": "per_h", "mL/min/g": "mL_per_min_per_g",
              "1/um/h": "per_um_h", "1/Gy": "per_Gy", "1/Gy^2": "per_Gy2"}
    for p in parameters():
        where = f"{p.section}.{p.key}"
        assert p.doc.endswith((".", ")")), f"{where}: doc is not a sentence"
        assert p.status == "setting" or p.source, f"{where}: no source"
        if p.kind == "quantity":
            expected = suffix.get(p.internal, p.internal.replace("/", "_per_"))
            assert p.attribute.endswith("_" + expected), f"{where}: {p.attribute} does not name {p.internal}"
        if p.kind in ("quantity", "number", "integer"):
            assert math.isfinite(p.low) and math.isfinite(p.high), f"{where}: open limits"
            spans = [p.low, *(p.usual or ()), p.high]
            assert spans == sorted(spans), f"{where}: usual range is not inside the limits"
            assert p.default is None or p.low <= p.default <= p.high, f"{where}: default outside the limits"
            if p.default is not None and p.usual:
                assert p.usual[0] <= p.default <= p.usual[1], f"{where}: default outside the usual range"


def test_what_another_program_has_is_not_called_measured():
    programs = ("physicell", "secomb/", "greens", "metaspread", "convention", "assumed")
    for p in parameters():
        if p.status == "measured":
            assert not any(word in p.source.lower() for word in programs), f"{p.section}.{p.key}: {p.source}"


def test_toml_of_a_difficult_title_reads_back():
    title = "quote \" backslash \\ tab \t new\nline del \x7f nul \x00 sm\u00f6rg\u00e5s \U0001f600"
    config = Config.from_dict({"title": title, "tumor": {}})
    assert tomllib.loads(config.to_toml())["title"] == title
