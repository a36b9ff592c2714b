"""The documentation site: `python -m sphinx -W -b html docs build/site`. Needs `pip install ".[docs]"`."""
import subprocess
import sys

import metacascade

project = "metacascade"
author = "the developers of metacascade"
release = version = metacascade.__version__.partition("+")[0]
language = "en"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
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


def all_commands(_app, name, text):
    """The page of all commands is what they say of themselves."""
    if name == "commands":
        told = subprocess.run([sys.executable, "-m", "typer", "metacascade.cli.app", "utils", "docs", "--name",
                               "metacascade", "--title", "Commands"], capture_output=True, text=True, check=True)
        text[0] = told.stdout


def pages_elsewhere(_app, _name, *text):
    """Links to pages at the top of the repository lead to the page that shows them here."""
    for name in ("CHANGELOG", "CONTRIBUTING"):
        for written in (f"](../{name}.md", f"]({name}.md"):
            text[-1][0] = text[-1][0].replace(written, f"]({name.lower()}.md")


def no_type_first(_app, what, _name, _object, _options, lines):
    """A dash for a colon in the first line of a property: napoleon takes what stands before one for the type."""
    if what == "property" and lines:
        lines[0] = lines[0].replace(": ", " \N{EN DASH} ")


def setup(app):
    """Put in the commands, and mend links, in what is read."""
    app.connect("source-read", all_commands)
    app.connect("source-read", pages_elsewhere)
    app.connect("include-read", pages_elsewhere)
    app.connect("autodoc-process-docstring", no_type_first, priority=400)      # before napoleon, which has 500
