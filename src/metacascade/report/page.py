"""The HTML page: one file, without anything from elsewhere, that is read on a screen and printed."""
import base64
from string import Template

from metacascade.report import html

STYLE = """
:root { color-scheme: light; --ink: #222; --gray: #5c5c5c; --line: #d4d4d4; --link: #00507d; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.2rem; max-width: 62rem; color: var(--ink); background: #fff;
  font: 16px/1.5 "DejaVu Sans", "Liberation Sans", Arial, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .8rem; }
h2 { font-size: 1.25rem; margin: 2.4rem 0 .6rem; border-bottom: 2px solid var(--ink); }
a { color: var(--link); } .lead { font-size: 1.05rem; }
.note { border-left: .4rem solid #E69F00; padding: .3rem .8rem; background: #fdf5e2; }
.missing { color: var(--gray); border-left: .4rem solid var(--line); padding-left: .8rem; }
nav ol { columns: 2; padding-left: 1.6rem; margin: 0 0 1rem; }
figure { margin: 1.2rem 0; break-inside: avoid; } figure svg, figure img { width: 100%; height: auto; display: block; }
figcaption { font-size: .92rem; color: var(--ink); } figcaption .files { white-space: nowrap; color: var(--gray); }
.table { overflow-x: auto; max-height: 40rem; overflow-y: auto; }
table { border-collapse: collapse; font-size: .92rem; margin: .4rem 0 1rem; }
caption { text-align: left; font-weight: bold; }
th { text-align: left; border-bottom: 2px solid var(--ink); vertical-align: bottom; }
td { border-bottom: 1px solid var(--line); }
th, td { padding: .15rem .8rem .15rem 0; }
td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
details { margin: .4rem 0; } summary { cursor: pointer; font-weight: bold; }
code { font: .92em "DejaVu Sans Mono", "Liberation Mono", monospace; }
pre { font: 13px/1.4 "DejaVu Sans Mono", "Liberation Mono", monospace; white-space: pre-wrap; overflow-wrap: anywhere;
  background: #f6f6f6; padding: .6rem; margin: .4rem 0; }
@media print {
  body { font-size: 10pt; max-width: none; padding: 0; } nav, .files { display: none; } pre { font-size: 8.5pt; }
  details::details-content { content-visibility: visible; block-size: auto; }
  h2 { break-after: avoid; } .table { max-height: none; overflow: visible; } td { overflow-wrap: anywhere; }
  a { color: inherit; text-decoration: none; }
  @page { margin: 15mm; }
}
"""
PAGE = Template(f"""<!DOCTYPE html>
<!-- written by metacascade report -->
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>$title</title>
<style>{STYLE}</style>
</head>
<body>
<header><h1>$title</h1></header>
<nav aria-label="Contents"><ol>
$contents
</ol></nav>
<main>
$sections
</main>
<footer>$footer</footer>
</body>
</html>
""")


def page(title, sections, footer) -> str:
    """The page of sections (key, title, HTML)."""
    contents = "\n".join(f'<li><a href="#{key}">{html.escaped(name)}</a></li>' for key, name, _ in sections)
    bodies = "\n".join(f'<section id="{key}">\n<h2>{html.escaped(name)}</h2>\n{body}\n</section>'
                       for key, name, body in sections)
    return PAGE.substitute(title=html.escaped(title), contents=contents, sections=bodies,
                           footer=html.paragraph(footer))


def figure(name, caption, picture, folder) -> str:
    """A figure with its caption and links to its files."""
    files = ", ".join(f'<a href="{folder}/{name}.{ending}">{ending.upper()}</a>' for ending in ("csv", "png", "svg"))
    return (f'<figure id="figure-{name}">\n{picture}\n<figcaption>{html.marked(caption)} '
            f'<span class="files">{files}</span></figcaption>\n</figure>')


def image(png, label) -> str:
    """A picture of dots that stands in the page."""
    return f'<img alt="{html.escaped(label)}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'
