"""docs/model.md: its equations are those of the plan, and one thing has one word."""
import re
from pathlib import Path

import pytest

from metacascade.__main__ import main
from metacascade.config.config import Config, default, everything, load_with_text
from metacascade.config.known import sources
from metacascade.mechanisms import MECHANISMS, equations, plan_of
from metacascade.mechanisms.terms import Rate

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "model.md").read_text("utf-8")


def block():
    return equations.markdown(plan_of(everything()), equations.optional(default(), everything()))


def test_the_equations_of_the_page_are_those_of_the_plan():
    begin, end = PAGE.index(equations.BEGIN), PAGE.index(equations.END) + len(equations.END)
    assert PAGE[begin:end] == block(), (
        f"put the output of `{equations.COMMAND}` between its two markers in docs/model.md")


def test_every_rate_and_field_is_printed_once():
    """Those of all mechanisms in the list, on or off by default."""
    plan, text = plan_of(everything()), block()
    declared = [made for mechanism in MECHANISMS for made in mechanism.plan(everything()) if isinstance(made, Rate)]
    assert list(plan.rates) == declared and {"tissue.emt_up", "blood.l1cam_on"} < {rate.name for rate in declared}
    for rate in plan.rates:
        assert len(re.findall(rf"^{re.escape(rate.name)}(?: \(\S+\))? = ", text, re.M)) == 1, rate.name
    assert text.count("d oxygen / dt = ") == text.count("d drug / dt = ") == 1


def test_what_is_off_by_default_is_marked_with_its_switch():
    plan = plan_of(everything())
    told = {text.partition(" ")[0]: meaning for _, text, meaning in equations.equations(
        plan, equations.optional(default(), everything()))}
    on = {rate.name for rate in plan_of(default()).rates}
    for rate in plan.rates:
        assert (re.search(r"; off by default: \[(\w+\.enabled|tumor\.lumped)\]", told[rate.name]) is None) == (rate.name in on), rate.name
    for factor in ("; (1 + [emt.detachment] * emt) is off by default: [emt.enabled]", "; (1 + [macrophages."):
        assert factor in told["tissue.intravasate"]
    assert told["tissue.chemotherapy"].endswith(
        "; off by default: [chemotherapy.enabled]; ((1 - [l1cam.spared]) if L1CAM) is off by default: [l1cam.enabled]")
    assert "off by default" not in equations.markdown(plan_of(default()))


def test_a_therapy_is_told_to_act_only_on_what_a_field_has():
    """The angiogenic factor is not taken up."""
    told = {text.partition(" =")[0]: meaning for _, text, meaning in equations.equations(plan_of(everything()))}
    assert "may act on vegf.decay" in told["d vegf / dt"] and "vegf.uptake" not in told["d vegf / dt"]
    assert "may act on oxygen.vessel, oxygen.uptake" in told["d oxygen / dt"]


def test_every_key_in_an_equation_is_a_parameter():
    config = everything()
    known = {".".join(map(str, path)).replace("organs.lung", "organs.BED") for path, _, _ in config.values()}
    named = set(re.findall(r"\[([a-zA-Z_.]+)\]", block()))
    assert named <= known and len(named) > 35


def printed(capsys, *arguments):
    assert main(["info", "--rates", *arguments]) == 0
    return capsys.readouterr().out


def test_info_prints_the_rates_of_a_config_with_values_and_sources(tmp_path, capsys):
    (tmp_path / "run.toml").write_text(
        "[tumor]\n[growth]\ndivision_time = '36 h'\n[organs.lung]\nnk = 3\n[hypoxia]\nenabled = false\n")
    text = printed(capsys, str(tmp_path / "run.toml"))
    assert "\ntissue.divide (1/h) = ln(2) / [growth.division_time] * (oxygen / (oxygen + [growth.oxygen_half]))" in text
    assert "\n    growth.division_time = 36 h (set here; default 24 h, convention: cultured lines 24 h" in text
    assert "3 lung (set here; default 1, " in next(
        line for line in text.splitlines() if line.startswith("    organs.BED.nk = 0.1 tumor, "))
    assert "\n    growth.oxygen_half = 5 mmHg (assumed: " in text
    assert "tissue.necrosis" not in text and "hypoxia" in text.splitlines()[-1].removeprefix("off: ").split(", ")


def test_info_prints_the_source_that_the_line_of_a_value_gives_while_it_is_that_of_its_line(tmp_path, capsys):
    (tmp_path / "run.toml").write_text("[tumor]\n[growth]\ndivision_time = '36 h'      # MEASURED: a dish,\n"
                                       "    # of ours\ndeath_rate = '0.05/day'   # DEFAULT: few\n"
                                       "[organs.bone]\nsoil = 0.5   # ASSUMED: half\n")
    text = printed(capsys, str(tmp_path / "run.toml"))
    assert "growth.division_time = 36 h (measured: a dish, of ours)\n" in text
    assert "growth.death_rate = 0.05/day (recalled: " in text and "0.5 bone (assumed: half)" in text
    loaded, given = load_with_text(tmp_path / "run.toml", "growth.division_time=30 h")
    assert sources(loaded, given)["growth", "division_time"].startswith("set here; default 24 h, convention")


def test_info_prints_the_rates_and_fields_that_are_asked_for_and_no_others(tmp_path, capsys):
    (tmp_path / "run.toml").write_text("[tumor]\n[vegf]\nenabled = true\n")
    text = printed(capsys, str(tmp_path / "run.toml"), "blood.nk", "vegf")
    own = [line for line in text.splitlines() if line and line[0] != " "]
    assert [line.split(" (")[0].split(" =")[0].split(" / ")[0] for line in own] == [
        "Fields", "d vegf", "Terms of fields", "field.vegf.source", "Cells in the blood", "blood.nk", "blood.nk_flowing",
        "blood.nk_loss"]
    assert printed(capsys, "blood.nk_loss").startswith("Cells in the blood\n\nblood.nk_loss (h) = ")


@pytest.mark.parametrize("name, told", [
    ("vegf", "vegf, field.vegf.source are off in this config: vegf.enabled = false"),
    ("vegf.source", "field.vegf.source is off in this config: vegf.enabled = false"), ("blood.kn", "did you mean 'blood.nk'?")])
def test_a_rate_that_there_is_not_is_told(name, told, capsys):
    assert main(["info", "--rates", "blood.nk", name]) == 2
    assert told in capsys.readouterr().err


def test_info_prints_the_default_rates_and_the_block_of_the_page(capsys):
    assert printed(capsys).startswith("Fields\n\nd oxygen / dt")
    assert printed(capsys, "--markdown").strip() in PAGE


def test_a_factor_that_is_a_number_because_its_field_is_off_is_printed():
    config = Config.from_dict({"tumor": {}, "oxygen": {"enabled": False}})
    assert "tissue.necrosis (1/h) = 1 / [hypoxia.survival] * 0\n" in equations.markdown(plan_of(config))


# --- words ------------------------------------------------------------------------------------------------------

GLOSSARY = ROOT / "docs" / "glossary.md"
BANNED = ("propensit", "diapedesis", "phenotyp", "cloak", "subclone", "crowdedness", "suffocat",
          "colon(?:y|ies)", "nodule", "micrometast")
FILES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")),
         *sorted((ROOT / "src" / "metacascade").rglob("*.py"))]


def _words():
    """The table of the model's words, which names those that are not used."""
    return re.search(r"^## The model\n(.*?)^## ", GLOSSARY.read_text("utf-8"), re.M | re.S)[1]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_one_thing_has_one_word(file):
    text = file.read_text("utf-8").partition("\n## Sources\n")[0]
    text = text.replace(_words(), "") if file == GLOSSARY else text
    assert re.findall(rf".*\b(?:{'|'.join(BANNED)})\w*.*", text, re.I) == []


def test_banned_words_are_listed_with_the_word_for_them():
    rows = [line.split("|") for line in _words().splitlines() if line.startswith("| ") and not line.startswith("| word")]
    assert 20 <= len(rows) <= 40
    listed = " ".join(row[3] for row in rows)
    assert [word for word in BANNED if not re.search(word, listed)] == []
