"""A headless Chromium, spoken to by the DevTools protocol over pipes, with nothing but Python."""
import base64
import json
import os
import select
import subprocess
import sys
import tempfile
import time


class Checks:
    def __init__(self):
        self.passed = self.failed = 0

    def that(self, name, true, seen=""):
        self.passed += bool(true)
        self.failed += not true
        print(f"{'ok  ' if true else 'FAIL'} {name}{': ' if seen != '' else ''}{seen}", flush=True)


PROGRAMS = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")


class Browser:
    """One page. Keeps what it asked of servers, and what it complained of."""

    def __init__(self):
        program = next((name for name in PROGRAMS if os.path.exists(name)), "chromium")
        self._folder = tempfile.TemporaryDirectory(prefix="glint-browser.", ignore_cleanup_errors=True)
        command_out, self._commands = os.pipe()
        self._answers, answer_in = os.pipe()
        moved = [os.dup(fd) for fd in (command_out, answer_in)]
        for fd in (command_out, answer_in):
            os.close(fd)

        def place():  # where Chromium looks for its pipes
            high = [os.dup2(fd, 100 + i) for i, fd in enumerate(moved)]
            for i, fd in enumerate(high):
                os.dup2(fd, 3 + i)

        options = ["--headless=new", "--remote-debugging-pipe", "--no-first-run", "--disable-gpu",
                   "--disable-dev-shm-usage", "--hide-scrollbars", "--user-data-dir=" + self._folder.name]
        if os.geteuid() == 0:
            options.append("--no-sandbox")  # it does not start as root with one
        self._process = subprocess.Popen([program, *options, "about:blank"], pass_fds=(3, 4), preexec_fn=place,
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for fd in moved:
            os.close(fd)
        self._rest = b""
        self._last = 0
        self._session = None
        self.requests = []
        self.complaints = []
        target = next(t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page")
        self._session = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(domain + ".enable")
        # Workers of the page wait until they are listened to.
        self._send("Target.setAutoAttach", self._session, autoAttach=True, waitForDebuggerOnStart=True, flatten=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()
        self._folder.cleanup()

    def call(self, method, **parameters):
        """The answer to a command; an error where there is none within a minute."""
        asked = self._send(method, None if method.startswith(("Target.", "Browser.")) else self._session, **parameters)
        while True:
            answer = self._next(60)
            if answer.get("id") == asked:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def _send(self, method, session, **parameters):
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        return self._last

    def _next(self, seconds):
        end = time.monotonic() + seconds
        while b"\0" not in self._rest:
            if not select.select([self._answers], [], [], max(0, end - time.monotonic()))[0]:
                raise RuntimeError("the browser does not answer")
            part = os.read(self._answers, 1 << 20)
            if not part:
                raise RuntimeError("the browser has ended")
            self._rest += part
        text, self._rest = self._rest.split(b"\0", 1)
        message = json.loads(text)
        self._note(message)
        return message

    def _note(self, message):
        method, parameters = message.get("method"), message.get("params", {})
        if method == "Target.attachedToTarget" and self._session is not None:
            for command in ("Network.enable", "Runtime.enable", "Runtime.runIfWaitingForDebugger"):
                self._send(command, parameters["sessionId"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(parameters["exceptionDetails"].get("exception", {}).get("description", "exception"))
        elif method == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
            self.complaints.append(parameters["entry"]["text"])

    def evaluate(self, expression):
        """What JavaScript gives, as JSON."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait(self, expression, seconds):
        """Until JavaScript gives something true."""
        end = time.monotonic() + seconds
        while not self.evaluate(expression):
            if time.monotonic() > end:
                raise RuntimeError(f"after {seconds} s still not: {expression}")
            time.sleep(0.05)

    def drop(self, path):
        """Drops a file of this machine into the middle of the page."""
        data = {"items": [], "files": [os.path.abspath(path)], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            self.call("Input.dispatchDragEvent", type=kind, x=200, y=150, data=data)

    def look(self, width, scheme):
        """Gives the page a width in pixels, and a light or dark system."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def screenshot(self, path):
        height = self.evaluate("document.documentElement.scrollHeight")
        width = self.evaluate("innerWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        picture = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        with open(path, "wb") as file:
            file.write(base64.b64decode(picture["data"]))


def starts():
    """Whether there is a browser here that shows a page."""
    try:
        with Browser() as browser:
            return browser.evaluate("1 + 1") == 2
    except (OSError, RuntimeError) as error:
        print(f"browser: {error}", file=sys.stderr)
        return False


if __name__ == "__main__":
    sys.exit(0 if starts() else 1)
