"""Every rate and field of the run as an equation, with its values and sources: what ``info --rates`` prints."""
from metacascade.config import known
from metacascade.mechanisms import equations
from metacascade.report import html

OFF = "What is off"


def rates(told) -> str:
    """The equations, chapter by chapter; each opens at a click."""
    text = equations.report(told.plan, told.config, known.sources(told.config, told.results.config_text))
    titles, chapters = {"Fields", *equations.CHAPTERS.values()}, []
    for line in text.splitlines():
        if line in titles:
            chapters.append((line, []))
        elif line.startswith("off: "):
            chapters.append((OFF, [line.removeprefix("off: ")]))
        else:
            chapters[-1][1].append(line)
    head = html.paragraph("Each rate is a product of its factors; keys of the config stand in square brackets, with "
                          "value, status and source below.")
    return head + "\n".join(html.details(f"{title} ({_count(lines)})" if _count(lines) and title != OFF else title,
                                         html.code("\n".join(lines).strip())) for title, lines in chapters)


def _count(lines):
    return sum(1 for line in lines if line and not line.startswith(" "))


PARTS = (rates,)
