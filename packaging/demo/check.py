#!/usr/bin/env python3
"""Looks at the page of `./run demo` in a headless Chromium, as somebody would who drops files into it.

Usage: check.py PAGE TREE SCREENSHOTS: the folder of the page, the source tree, and where screenshots go.
A line for each check, then "N passed, N failed"."""
import functools
import http.server
import json
import pathlib
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "browser"))
from browser import Browser, Checks  # noqa: E402

SECONDS = 120  # for the engine, on a machine with other work


class Server(http.server.ThreadingHTTPServer):
    """Serves a folder on a free port of this machine."""

    def __init__(self, folder):
        class Quiet(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
        self.address = f"http://127.0.0.1:{self.server_port}/"
        threading.Thread(target=self.serve_forever, daemon=True).start()


def text(browser, name):
    return browser.evaluate(f"document.getElementById('{name}').textContent")


def figure(browser, name):
    return float(text(browser, name).split()[0].replace(",", ""))


def drop(browser, path):
    """Drops a file and waits until the page has done with it; what the page then says."""
    browser.evaluate("document.getElementById('status').textContent = 'dropping'")
    browser.drop(path)
    browser.wait("/^(Done|That did not work)/.test(document.getElementById('status').textContent)", SECONDS)
    return text(browser, "status")


def decoded_hash(browser, channels):
    """SHA-256 of the samples on the canvas of what was decoded, in hexadecimal."""
    return browser.evaluate("""(async () => {
      const {width, height} = document.getElementById("decoded");
      const context = new OffscreenCanvas(width, height).getContext("2d", {willReadFrequently: true});
      context.drawImage(document.getElementById("decoded"), 0, 0);
      const rgba = context.getImageData(0, 0, width, height).data;
      const samples = rgba.filter((_, i) => i %% 4 < %d);
      const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", samples));
      return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
    })()""" % channels)


def check_picture(browser, checks, tree, downloads):
    said = drop(browser, tree / "tools/samples/bakery.png")
    checks.that("a dropped picture is encoded", said == "Done.", said)
    size, psnr = figure(browser, "bytes"), figure(browser, "psnr")
    checks.that("bytes and PSNR", size > 1000 and psnr > 25, f"{size:.0f} bytes, {psnr} dB, encoding "
                f"{text(browser, 'encode-time')}, decoding {text(browser, 'decode-time')}")

    before = decoded_hash(browser, 3)
    browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(downloads))
    browser.evaluate("document.getElementById('save-stream').click()")
    saved = downloads / "bakery.glint"
    end = time.monotonic() + 10
    while not saved.exists() and time.monotonic() < end:
        browser.evaluate("0")
        time.sleep(0.05)
    checks.that("the stream is saved", saved.exists() and saved.stat().st_size == size)

    browser.evaluate("""(() => {
      const quality = document.getElementById("quality");
      quality.value = 75;
      document.getElementById("status").textContent = "turning";
      quality.dispatchEvent(new Event("input"));
    })()""")
    browser.wait("document.getElementById('status').textContent === 'Done.'", SECONDS)
    more, better = figure(browser, "bytes"), figure(browser, "psnr")
    checks.that("more quality is more bytes and more PSNR", more > size and better > psnr, f"{more:.0f}, {better} dB")

    browser.evaluate("""(() => {
      const split = document.getElementById("split");
      split.value = 20;
      split.dispatchEvent(new Event("input"));
    })()""")
    clip = browser.evaluate("getComputedStyle(document.getElementById('original')).clipPath")
    checks.that("the slider uncovers what was decoded", "80%" in clip, clip)

    said = drop(browser, saved)
    checks.that("the saved stream decodes to the same", said == "Done." and decoded_hash(browser, 3) == before, said)


def samples_a_pixel(path):
    """Of a PAM file of 8 bits without alpha; 0 for others, which a canvas does not keep as they are."""
    header = dict(line.split(" ", 1) for line in path.read_bytes().split(b"ENDHDR")[0].decode().splitlines()[1:])
    known = header["MAXVAL"] == "255" and header["TUPLTYPE"] in ("RGB", "GRAYSCALE")
    return int(header["DEPTH"]) if known else 0


def check_streams(browser, checks, tree):
    folder = tree / "conformance"
    cases = json.loads((folder / "manifest.json").read_text())
    compared = 0
    for case in cases:
        channels = samples_a_pixel(folder / "pictures" / f"{case['stream']}.pam")
        if not case["model"].endswith("light-int8.safetensors") or channels == 0:
            continue
        compared += 1
        said = drop(browser, folder / "streams" / f"{case['stream']}.glint")
        same = said == "Done." and decoded_hash(browser, channels) == case["pixels"]
        checks.that(f"decoded as everywhere: {case['stream']}", same, said)
    checks.that("the conformance set has streams of this model", compared > 0, compared)
    other = next(case for case in cases if "light" not in case["model"])
    said = drop(browser, folder / "streams" / f"{other['stream']}.glint")
    checks.that("a stream of another model is refused", said != "Done." and "model" in said, said)
    said = drop(browser, tree / "README.md")
    checks.that("what is no picture is refused", "neither a picture" in said, said)


def check_looks(browser, checks, tree, screenshots):
    drop(browser, tree / "tools/samples/lake.png")
    for width in (1280, 400):
        for scheme in ("light", "dark"):
            browser.look(width, scheme)
            browser.screenshot(screenshots / f"demo-{width}-{scheme}.png")
        needed = browser.evaluate("document.documentElement.scrollWidth")
        checks.that(f"fits into {width} pixels", needed <= width, needed)


def main():
    page, tree, screenshots = (pathlib.Path(argument) for argument in sys.argv[1:4])
    checks = Checks()
    screenshots.mkdir(parents=True, exist_ok=True)
    server = Server(page)
    with tempfile.TemporaryDirectory(prefix="glint-demo.") as downloads, Browser() as browser:
        browser.look(1280, "light")
        start = time.monotonic()
        browser.call("Page.navigate", url=server.address)
        browser.wait("document.getElementById('status')?.textContent === 'Ready.'", SECONDS)
        checks.that("the engine is ready", True, f"after {time.monotonic() - start:.1f} s")
        check_picture(browser, checks, tree, pathlib.Path(downloads))
        check_streams(browser, checks, tree)
        check_looks(browser, checks, tree, screenshots)
        elsewhere = [url for url in browser.requests if not url.startswith((server.address, "blob:", "about:"))]
        checks.that("nothing is fetched from elsewhere", not elsewhere, elsewhere or "")
        checks.that("the browser has no complaints", not browser.complaints, browser.complaints or "")
    server.shutdown()
    print(f"{checks.passed} passed, {checks.failed} failed")
    return 0 if checks.failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
