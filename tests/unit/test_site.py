"""The documentation site can be built, every page is in it, and no link in it is dead."""
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the site; Sphinx ends with a warning as with an error."""
    folder = tmp_path_factory.mktemp("site")
    made = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", "-d", str(folder / "read"),
         str(ROOT / "docs"), str(folder / "html")], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return folder / "html"


def test_every_page_is_in_the_contents(site):
    """A page that no list of contents names is a warning of Sphinx; this is that all were written."""
    pages = {path.relative_to(ROOT / "docs").with_suffix("") for path in (ROOT / "docs").rglob("*.md")}
    assert {page for page in pages if not (site / page).with_suffix(".html").exists()} == set()


def test_links_between_pages_lead_to_places_that_are_there(site):
    """Also those of the table of contents and of included pages, which Sphinx writes itself."""
    places = {path: set(re.findall(r'\bid="([^"]+)"', path.read_text("utf-8"))) for path in site.rglob("*.html")}
    dead = []
    for page in places:
        for link in re.findall(r'<a [^>]*href="([^"]+)"', page.read_text("utf-8")):
            name, _, place = link.partition("#")
            if "://" in link or link.startswith(("mailto:", "_sources", "../_sources")):
                continue
            to = (page.parent / name).resolve() if name else page
            if not to.exists() or place and to in places and place not in places[to]:
                dead.append((page.name, link))
    assert dead == []


def test_the_site_has_every_command_with_its_options(site):
    page = (site / "commands.html").read_text("utf-8")
    assert page.count('class="pre">metacascade</span>') > 15 and "--wall-limit" in page
