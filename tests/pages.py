"""Pages in a browser: what is wrong with what they draw, and a picture of each section.

``python tests/pages.py PAGE.html OUT`` takes a picture of each section into the directory OUT and says what is wrong.
Needs Chromium, and nothing of Python but itself.
"""
import base64
import contextlib
import json
import sys
import tempfile
from pathlib import Path

from browser import Browser

WIDTH = 1000            # of the window
LOOK = """(() => {
  const found = {sections: [], wrong: []};
  for (const svg of document.querySelectorAll('figure svg')) {
    const name = svg.closest('figure').id, frame = svg.getBoundingClientRect();
    if (frame.width < 100 || frame.height < 50) found.wrong.push(name + ' is too small to be seen');
    if (svg.querySelectorAll('path, use, image').length < 10) found.wrong.push(name + ' is blank');
    for (const text of svg.querySelectorAll('g[id*="text_"]')) {
      const box = text.getBoundingClientRect();
      if (box.width && (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1
          || box.bottom > frame.bottom + 1)) found.wrong.push(name + ' clips a text, ' + text.id);
    }
  }
  for (const image of document.querySelectorAll('figure img'))
    if (!image.complete || !image.naturalWidth) found.wrong.push(image.alt + ' is no picture');
  for (const section of document.querySelectorAll('main > section')) {
    const box = section.getBoundingClientRect();
    found.sections.push({id: section.id, y: box.top + window.scrollY, height: box.height});
    if (section.innerText.trim().split('\\n').length < 2 && !section.querySelector('svg, img, canvas'))
      found.wrong.push('section ' + section.id + ' is empty');
  }
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (wide > 1) found.wrong.push('the page is ' + wide + ' pixels wider than the window');
  return JSON.stringify(found);
})()"""


@contextlib.contextmanager
def opened():
    """A `Browser` that asks for nothing beyond files."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home, Browser(
            Path(home), (WIDTH, 1200), "--host-resolver-rules=MAP * ~NOTFOUND", "--hide-scrollbars") as browser:
        yield browser


def look(browser):
    """(sections: id, y, height; what is wrong with what is drawn, and in the console) of the page that is open."""
    found = json.loads(browser.run(LOOK))
    return found["sections"], found["wrong"] + browser.errors


def picture(browser, section):
    """A section as PNG."""
    clip = dict(x=0, y=max(section["y"] - 8, 0), width=WIDTH, height=min(section["height"] + 16, 12_000), scale=1)
    data = browser.call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
    return base64.b64decode(data["data"])


def main(path, out):
    """Pictures of all sections, and what is wrong; the exit code."""
    Path(out).mkdir(parents=True, exist_ok=True)
    with opened() as browser:
        browser.open(Path(path).resolve())
        sections, wrong = look(browser)
        for number, section in enumerate(sections):
            (Path(out) / f"{number:02}_{section['id']}.png").write_bytes(picture(browser, section))
    print("\n".join(wrong) or f"{len(sections)} sections, nothing wrong")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
