"""A browser without a screen, driven through a pipe (the DevTools protocol): what a page does, in its own time."""
import fcntl
import json
import os
import select
import shutil
import subprocess
import time

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
WAIT_S = 280


class Browser:
    """Opens pages from files: ``with Browser(tmp_path) as browser: browser.open(path); browser.run("1 + 1")``.

    `errors` has what the console was told as an error, what was thrown and not caught, and what a page asked for beyond
    files. `flags`: more of Chromium.
    """

    def __init__(self, directory, size=(700, 800), *flags):
        (its_read, self.write), (self.read, its_write) = os.pipe(), os.pipe()
        high = [fcntl.fcntl(handle, fcntl.F_DUPFD, 20) for handle in (its_read, its_write)]

        def child():
            for number, handle in zip((3, 4), high):
                os.dup2(handle, number)

        self.process = subprocess.Popen(
            [CHROMIUM, "--headless", "--no-sandbox", "--enable-unsafe-swiftshader", "--remote-debugging-pipe",
             f"--user-data-dir={directory / 'profile'}", f"--window-size={size[0]},{size[1]}", *flags, "about:blank"],
            preexec_fn=child, pass_fds=(3, 4), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for handle in (its_read, its_write, *high):
            os.close(handle)
        self.errors, self.number, self.rest, self.session = [], 0, b"", None

    def __enter__(self):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Runtime", "Log", "Page", "Network"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(self, *error):
        self.process.kill()
        self.process.wait()
        os.close(self.write)
        os.close(self.read)

    def call(self, method, **parameters):
        """What a method of the protocol returns."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self.number:
            self._note(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def open(self, path):
        """Go to the page in a file, as soon as it is there."""
        self.call("Page.navigate", url=path.as_uri() if hasattr(path, "as_uri") else path)
        self.run("new Promise(go => document.readyState === 'complete' ? go() : addEventListener('load', go))")

    def run(self, script):
        """The value of an expression in the page; of a promise what it comes to."""
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def _next(self):
        end = time.monotonic() + WAIT_S
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.read], [], [], max(0.0, end - time.monotonic()))
            assert ready and (more := os.read(self.read, 1 << 20)), "the browser says nothing any more"
            self.rest += more
        message, _, self.rest = self.rest.partition(b"\0")
        return json.loads(message)

    def _note(self, event):
        method, about = event["method"], event.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.errors.append(f"console: {about['exceptionDetails'].get('text')}")
        elif method == "Runtime.consoleAPICalled" and about["type"] in ("error", "assert"):
            self.errors.append(f"console: {[one.get('value') for one in about['args']]}")
        elif method == "Log.entryAdded" and about["entry"]["level"] == "error":
            self.errors.append(f"log: {about['entry']['text']}")
        elif method == "Network.requestWillBeSent" and not about["request"]["url"].startswith(("file:", "data:", "blob:")):
            self.errors.append(f"asks for {about['request']['url']}")
