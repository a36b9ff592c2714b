"""Pages in a headless Chromium, through its DevTools: errors of the console, sizes of what is drawn, screenshots.

``python tests/pages.py PAGE.html OUT`` takes a picture of each section into the directory OUT and says what is wrong.
Needs Chromium, and nothing of Python but itself: the protocol is JSON over a WebSocket of which this has the little part
that it takes.
"""
import base64
import contextlib
import json
import os
import secrets
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-port=0",
         "--remote-allow-origins=*", "--host-resolver-rules=MAP * ~NOTFOUND", "about:blank")
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


def browser():
    """The path of a Chromium, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Page:
    """A page that is open; `wrong` are the errors of its console so far."""

    def __init__(self, address):
        self.socket, self.number, self.wrong = _connected(address), 0, []
        for domain in ("Runtime", "Log", "Page", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method, **parameters):
        """The result of a command."""
        self.number += 1
        _send(self.socket, json.dumps(dict(id=self.number, method=method, params=parameters)))
        while True:
            found = json.loads(_received(self.socket))
            self._note(found)
            if found.get("id") == self.number:
                if "error" in found:
                    raise RuntimeError(f"{method}: {found['error']}")
                return found["result"]

    def _note(self, found):
        method, told = found.get("method"), found.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.wrong.append(f"console: {told['exceptionDetails'].get('text')}")
        elif method == "Runtime.consoleAPICalled" and told["type"] in ("error", "assert"):
            self.wrong.append(f"console: {[one.get('value') for one in told['args']]}")
        elif method == "Log.entryAdded" and told["entry"]["level"] == "error":
            self.wrong.append(f"log: {told['entry']['text']}")
        elif method == "Network.requestWillBeSent" and not told["request"]["url"].startswith(("file:", "data:", "blob:")):
            self.wrong.append(f"asks for {told['request']['url']}")

    def open(self, path):
        """Load a file and wait until all of it is there."""
        self.call("Page.navigate", url=Path(path).resolve().as_uri())
        until = time.monotonic() + 120
        while time.monotonic() < until:
            state = self.call("Runtime.evaluate", expression="document.readyState + location.protocol")
            if state["result"].get("value") == "completefile:":
                return
            time.sleep(0.05)
        raise TimeoutError(path)

    def look(self):
        """(sections: id, y, height; what is wrong with what is drawn, and in the console)."""
        found = json.loads(self.call("Runtime.evaluate", expression=LOOK)["result"]["value"])
        return found["sections"], found["wrong"] + self.wrong

    def picture(self, section):
        """A section as PNG."""
        clip = dict(x=0, y=max(section["y"] - 8, 0), width=WIDTH, height=min(section["height"] + 16, 12_000), scale=1)
        data = self.call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        return base64.b64decode(data["data"])


@contextlib.contextmanager
def opened():
    """A `Page` in a Chromium of its own."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        command = [browser(), *FLAGS[:-1], f"--window-size={WIDTH},1200", f"--user-data-dir={home}", FLAGS[-1]]
        started = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env=dict(os.environ, HOME=home))
        try:
            page = Page(_address(home))
            yield page
            page.socket.close()
        finally:
            started.kill()
            started.wait()


def _address(home):
    """Where the first page of a browser is spoken to."""
    file, until = Path(home) / "DevToolsActivePort", time.monotonic() + 60
    while time.monotonic() < until:
        with contextlib.suppress(OSError, ValueError, StopIteration):
            port = int(file.read_text().split()[0])
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
                    f"http://127.0.0.1:{port}/json", timeout=10) as answer:
                return next(one["webSocketDebuggerUrl"] for one in json.load(answer) if one["type"] == "page")
        time.sleep(0.1)
    raise TimeoutError("Chromium does not start")


def _connected(address):
    place, _, path = address.removeprefix("ws://").partition("/")
    host, _, port = place.partition(":")
    found = socket.create_connection((host, int(port)), timeout=120)
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    found.sendall(f"GET /{path} HTTP/1.1\r\nHost: {place}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += found.recv(1)
    if b" 101 " not in head.split(b"\r\n")[0]:
        raise ConnectionError(head.decode(errors="replace"))
    return found


def _send(connection, text):
    data, mask = text.encode(), secrets.token_bytes(4)
    size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack(">H", len(data)) \
        if len(data) < 1 << 16 else b"\xff" + struct.pack(">Q", len(data))
    connection.sendall(b"\x81" + size + mask + bytes(one ^ mask[k % 4] for k, one in enumerate(data)))


def _received(connection):
    """A message, whole."""
    parts = b""
    while True:
        first, size = _exactly(connection, 2)
        size &= 0x7F
        if size > 125:
            size = int.from_bytes(_exactly(connection, 2 if size == 126 else 8), "big")
        data = _exactly(connection, size)
        if first & 0x0F in (0, 1):
            parts += data
            if first & 0x80:
                return parts.decode()


def _exactly(connection, size):
    data = bytearray()
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise ConnectionError("Chromium has gone")
        data += more
    return bytes(data)


def main(path, out):
    """Pictures of all sections, and what is wrong; the exit code."""
    Path(out).mkdir(parents=True, exist_ok=True)
    with opened() as page:
        page.open(path)
        sections, wrong = page.look()
        for number, section in enumerate(sections):
            (Path(out) / f"{number:02}_{section['id']}.png").write_bytes(page.picture(section))
    print("\n".join(wrong) or f"{len(sections)} sections, nothing wrong")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
