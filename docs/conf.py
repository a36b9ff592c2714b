"""The documentation site: `python -m sphinx -W -b html docs build/site`. Needs `pip install ".[docs]"`."""
import subprocess
import sys
from pathlib import Path

import metacascade

DOCS = Path(__file__).parent
COMMANDS = DOCS / "generated" / "commands.md"       # the only page that is written anew each time; not kept

project = "metacascade"
author = "the developers of metacascade"
release = version = metacascade.__version__.partition("+")[0]
language = "en"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["generated/.*"]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}
myst_heading_anchors = 3                # links such as model.md#limits, as on GitHub
myst_enable_extensions = ["deflist"]
nb_execution_mode = "off"               # notebooks are kept as they were run; the tests run them

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_ivar = True                # what `Attributes` lists may be a property with a docstring too
default_role = "code"                   # `name` in a docstring is code, as in Markdown

html_theme = "furo"
html_title = f"metacascade {release}"
html_show_sphinx = False


def write_commands(*_):
    """The page of all commands, from their own help."""
    told = subprocess.run([sys.executable, "-m", "typer", "metacascade.cli.app", "utils", "docs", "--name",
                           "metacascade", "--title", "Commands"], capture_output=True, text=True, check=True)
    COMMANDS.parent.mkdir(exist_ok=True)
    COMMANDS.write_text(told.stdout, "utf-8")


def pages_of_the_root(_app, _name, *text):
    """Links to pages at the top of the repository lead to the page that shows them here."""
    for name in ("CHANGELOG", "CONTRIBUTING"):
        for written in (f"](../{name}.md", f"]({name}.md"):
            text[-1][0] = text[-1][0].replace(written, f"]({name.lower()}.md")


def setup(app):
    """Write the commands before the pages are read, and mend links in all that is read."""
    app.connect("builder-inited", write_commands)
    app.connect("source-read", pages_of_the_root)
    app.connect("include-read", pages_of_the_root)
