"""The pages of reports in a headless Chromium: no error, nothing blank, nothing clipped. Skipped where there is none."""
import pytest

import pages
from browser import CHROMIUM

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on the PATH")
BAD = """<!DOCTYPE html><title>bad</title><main><section id="a"><h2>A</h2><figure id="figure-x">
<svg viewBox="0 0 100 100" width="300" height="300"><g id="text_1"><rect x="90" y="10" width="30" height="9"/></g>
</svg></figure></section><section id="b"><h2>B</h2></section></main>
<div style="width: 3000px">wide</div><script>console.error("no"); undefined.x</script><img src="http://nowhere.invalid/a.png">"""


@pytest.fixture(scope="module")
def browser():
    with pages.opened() as browser:
        yield browser


def test_a_page_with_faults_is_found_out(browser, tmp_path):
    (tmp_path / "bad.html").write_text(BAD)
    browser.open(tmp_path / "bad.html")
    _, wrong = pages.look(browser)
    browser.errors.clear()
    for words in ("clips a text", "is blank", "section b is empty", "wider than the window", "console: ['no']",
                  "console: Uncaught", "asks for http://nowhere.invalid"):
        assert any(words in one for one in wrong), (words, wrong)


@pytest.mark.parametrize("kind", ["everything", "tiny", "arms", "cohort"])
def test_a_report_has_no_fault_and_a_picture_of_each_section(kind, reports, browser):
    browser.open(reports(kind)[1] / "index.html")
    sections, wrong = pages.look(browser)
    assert wrong == [] and len(sections) >= 5
    for section in sections:
        picture = pages.picture(browser, section)
        assert picture.startswith(b"\x89PNG") and len(picture) > 3000, section["id"]
