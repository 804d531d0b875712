#!/usr/bin/env python3
"""Looks at the pages of `evaluate --html` and `./run bench --html` in a headless Chromium, as somebody would.

Usage: page_check.py BIN_DIR TREE SCREENSHOTS. A line for each check, then "N passed, N failed"."""
import json
import math
import pathlib
import shutil
import subprocess
import sys
import tempfile

from browser import Browser, Checks

SECONDS = 60


def run(*arguments, code=0):
    done = subprocess.run([str(a) for a in arguments], capture_output=True, text=True)
    if done.returncode != code:
        raise RuntimeError(f"{arguments}: exit {done.returncode}\n{done.stderr}")
    return done


def go(browser, page):
    browser.call("Page.navigate", url=page.as_uri())
    browser.wait("document.readyState === 'complete'", SECONDS)


def cells(browser, place):
    """The text of a table's body."""
    return browser.evaluate(
        f"[...document.querySelectorAll('{place} tbody tr')].map((row) => [...row.cells].map((c) => c.textContent))")


def press(browser, text):
    browser.evaluate(
        f"[...document.querySelectorAll('button')].find((b) => b.textContent === {json.dumps(text)}).click()")


def canvas_pixel(browser, x, y):
    return browser.evaluate(f"""(() => {{
      const canvas = document.getElementById("view");
      const [x, y] = [Math.floor(canvas.width * {x}), Math.floor(canvas.height * {y})];
      return [...canvas.getContext("2d").getImageData(x, y, 1, 1).data].slice(0, 3);
    }})()""")


def near(a, b, by=6):
    return all(abs(p - q) <= by for p, q in zip(a, b))


def picture_pixel(browser, which, x, y):
    """Of the original or the decoded picture, where the middle of the canvas is over it."""
    return browser.evaluate(f"""(() => {{
      const canvas = viewer.{which};
      return [...canvas.getContext("2d").getImageData({x}, {y}, 1, 1).data].slice(0, 3);
    }})()""")


def number(text):
    return float(text.replace(",", "").replace("−", "-").replace("%", "").replace("×", ""))


def check_numbers(browser, checks, result):
    models = result["models"]
    rows = cells(browser, "#means")
    wanted = []
    for model in models:
        results = model["results"]
        for r, psnr in enumerate(results["psnr-rgb"]):
            wanted.append([f"{psnr:.2f}", f"{results['bpp'][r]:.3f}"])
    checks.that("the means are those of the JSON", [[row[2], row[4]] for row in rows] == wanted, f"{len(rows)} rows")

    rows = cells(browser, "#comparison")
    same = all(abs(number(row[1]) - entry["bd_rate_psnr"]["percent"]) < 0.006 and
               abs(number(row[3]) - entry["bd_rate_ms_ssim"]["percent"]) < 0.006
               for row, entry in zip(rows, result["comparison"]["models"]))
    checks.that("the BD-rates are those of the JSON", len(rows) == 2 and same)

    rows = cells(browser, "#other-curves")
    first = result["curves"][0]
    checks.that("the curves of --curves are compared",
                rows[0][0] == first["curve"] and abs(number(rows[0][1]) - first["bd_rate_psnr"]["percent"]) < 0.006)

    # Every picture at every rate; the loss of the second model orders them.
    rows = cells(browser, "#pictures")
    losses = [number(row[5]) for row in rows if row[1] == models[1]["model"]["type"]]
    images = sum(len(model["images"]) for model in models)
    checks.that("all pictures are in the table", len(rows) == images, f"{len(rows)} rows")
    checks.that("the worst come first", losses == sorted(losses, reverse=True) and losses[0] > losses[-1])
    points = browser.evaluate("document.querySelectorAll('#psnr-chart circle').length")
    file_points = browser.evaluate(
        "data.curves.filter((c) => c.from_file).reduce((n, c) => n + c.psnr.filter(([, y]) => y !== null).length, 0)")
    checks.that("each rate of each curve is a point", points == file_points + sum(len(m["results"]["bpp"]) for m in models))

    stages = cells(browser, "#stages")
    mean = sum(image["stages"]["encoding"]["total"] for image in models[0]["images"]) / len(models[0]["images"])
    checks.that("the stages add up to the JSON's total", abs(number(stages[0][-1]) - mean) < 2e-4, stages[0][-1])

    layers = cells(browser, "#layers")
    whole = [row for row in layers if row[0] == "all"]
    checks.that("layers have a part of the peak", len(layers) > 10 and 5 < number(whole[0][-1]) < 130, whole[0][-1])


def check_curves(browser, checks):
    points = "document.querySelectorAll('#psnr-chart circle').length"
    before = browser.evaluate(points)
    browser.evaluate("document.querySelector('#curves-legend input').click()")
    checks.that("a curve can be hidden", 0 < browser.evaluate(points) < before)
    browser.evaluate("document.querySelector('#curves-legend input').click()")
    path = "document.querySelector('#psnr-chart polyline').getAttribute('points')"
    logarithmic = browser.evaluate(path)
    press(browser, "Linear")
    checks.that("the scale changes", browser.evaluate(path) != logarithmic)
    box = browser.evaluate("""(() => {
      document.getElementById("psnr-chart").scrollIntoView({block: "center"});
      const box = document.querySelector("#psnr-chart circle").getBoundingClientRect();
      return [box.x + box.width / 2, box.y + box.height / 2];
    })()""")
    browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=box[0], y=box[1])
    tip = browser.evaluate("document.querySelector('#psnr-chart .tip').hidden ? '' : "
                           "document.querySelector('#psnr-chart .tip').textContent")
    checks.that("a point tells its values", "bits per pixel" in tip and "dB" in tip, tip)
    press(browser, "Logarithmic")


def check_viewer(browser, checks, result):
    browser.wait("document.getElementById('viewer').dataset.ready", SECONDS)
    # Without alpha, of which the map has no bits, and below which PSNR does not look.
    browser.evaluate("viewer.open(data.shown.findIndex((p) => p.name === 'lake.png'), 1, 0)")
    browser.wait("document.getElementById('viewer').dataset.ready.startsWith('lake.png')", SECONDS)
    name, model, rate = browser.evaluate("document.getElementById('viewer').dataset.ready").rsplit(" ", 2)
    image = next(i for i in result["models"][int(model)]["images"]
                 if i["name"] == name and i["lrd"] == browser.evaluate(f"Number(rateNames[{model}][{rate}])"))
    # What the page holds are the pictures that were measured.
    squared = browser.evaluate("""(() => {
      const a = samplesOf(viewer.original).data, b = samplesOf(viewer.decoded).data;
      let sum = 0;
      for (let i = 0; i < a.length; ++i) if (i % 4 < 3) sum += (a[i] - b[i]) ** 2;
      return sum / (a.length / 4 * 3);
    })()""")
    psnr = 10 * math.log10(255 ** 2 / squared)
    checks.that("its pictures have the PSNR of the JSON", abs(psnr - image["psnr-rgb"]) < 0.001, f"{psnr:.3f} of {image['psnr-rgb']:.3f} dB, {name} {model} {rate}")
    bits = browser.evaluate("viewer.coded.bits.values.reduce((a, b) => a + b, 0)")
    checks.that("the map has the bits of the stream", abs(bits / 8 / image["bytes"] - 1) < 0.05,
                f"{bits / 8:.0f} of {image['bytes']} bytes")

    # Zoomed in, where the pictures differ most, so that a pixel tells which one it is of.
    x, y = browser.evaluate("""(() => {
      const a = samplesOf(viewer.original).data, b = samplesOf(viewer.decoded).data, width = viewer.original.width;
      let most = 0, at = 0;
      for (let i = 0; i < a.length; i += 4) {
        const far = Math.abs(a[i] - b[i]) + Math.abs(a[i + 1] - b[i + 1]) + Math.abs(a[i + 2] - b[i + 2]);
        if (far > most) { most = far; at = i / 4; }
      }
      return [at % width, Math.floor(at / width)];
    })()""")
    browser.evaluate(f"(viewer.x = {x} + 0.5, viewer.y = {y} + 0.5, viewer.zoomTo(16))")
    original, decoded = picture_pixel(browser, "original", x, y), picture_pixel(browser, "decoded", x, y)
    checks.that("the pictures differ there", not near(original, decoded, 12), f"{original}, {decoded}")

    def slide(value):
        browser.evaluate(f"""(() => {{
          const split = document.getElementById("split");
          split.value = {value};
          split.dispatchEvent(new Event("input"));
        }})()""")
        return canvas_pixel(browser, 0.5, 0.5)

    checks.that("the slider shows the original", near(slide(90), original))
    checks.that("the slider shows what was decoded", near(slide(10), decoded))
    press(browser, "Original")
    checks.that("the original alone", near(canvas_pixel(browser, 0.5, 0.5), original))
    press(browser, "Decoded")
    checks.that("the decoded picture alone, at the same place", near(canvas_pixel(browser, 0.5, 0.5), decoded))
    press(browser, "Blink")
    browser.wait("viewer.blinkOn === true", SECONDS)
    seen = [canvas_pixel(browser, 0.5, 0.5)]
    browser.wait("viewer.blinkOn === false", SECONDS)
    seen.append(canvas_pixel(browser, 0.5, 0.5))
    checks.that("both blink", not near(seen[0], seen[1], 6), seen)
    press(browser, "Difference")
    wanted = [max(0, min(255, 128 + 8 * (d - o))) for o, d in zip(original, decoded)]
    checks.that("the difference, eight times", near(canvas_pixel(browser, 0.5, 0.5), wanted), wanted)
    press(browser, "Bits")
    legend = browser.evaluate("document.getElementById('bits-legend').textContent")
    checks.that("the map of the bits has a scale", "bits per pixel" in legend, legend)
    press(browser, "Fit")
    press(browser, "Slider")
    slide(50)

    names = browser.evaluate("[...document.querySelectorAll('#picture option')].map((o) => o.textContent)")
    after = names[(names.index(name) + 1) % len(names)]
    press(browser, "›")
    browser.wait(f"document.getElementById('viewer').dataset.ready.startsWith({json.dumps(after)})", SECONDS)
    checks.that("the next picture comes", True, after)
    browser.evaluate("document.querySelector('#pictures button.link').click()")
    first = cells(browser, "#pictures")[0][0]
    browser.wait(f"document.getElementById('viewer').dataset.ready.startsWith({json.dumps(first)})", SECONDS)
    checks.that("the table opens a picture", True, first)


def check_looks(browser, checks, name, screenshots, ready):
    for width in (1280, 400):
        for scheme in ("light", "dark"):
            browser.look(width, scheme)
            browser.call("Page.reload")
            browser.wait("document.readyState === 'complete'", SECONDS)
            browser.wait(ready, SECONDS)
            browser.screenshot(screenshots / f"{name}-{width}-{scheme}.png")
        needed = browser.evaluate("document.documentElement.scrollWidth")
        checks.that(f"{name}: fits into {width} pixels", needed <= width, needed)


def check_evaluation(browser, checks, bin_dir, tree, work, screenshots):
    pictures = work / "pictures"
    pictures.mkdir()
    for sample in ("bakery.png", "lake.png", "pebbles.png"):
        shutil.copy(tree / "tools" / "samples" / sample, pictures)
    shutil.copy(tree / "tools" / "samples" / "bakery.png", pictures / "<script>alert(1)&amp;\"'<b>.png")
    (pictures / "broken.png").write_bytes((pictures / "lake.png").read_bytes()[:2000])
    page, result = work / "page.html", work / "result.json"
    run(bin_dir / "evaluate", "--compare", "FP32,INT8", "--gt_path", pictures, "--lrd", "0.0001,0.0008", "--freq", "1",
        "--curves", tree / "bench" / "codecs.json", "--html", page, "--json", result, "--no-verify", code=1)
    result = json.loads(result.read_text())
    browser.look(1280, "light")
    go(browser, page)
    checks.that("the report is one file below 20 MiB", page.stat().st_size < 20 << 20, page.stat().st_size)
    check_numbers(browser, checks, result)
    check_curves(browser, checks)
    check_viewer(browser, checks, result)
    text = browser.evaluate("document.body.textContent")
    checks.that("a name is text whatever is in it", "<script>alert(1)&amp;\"'<b>.png" in text)
    checks.that("what could not be evaluated is named", "broken.png" in browser.evaluate(
        "document.getElementById('failures').textContent"))
    check_looks(browser, checks, "evaluate", screenshots, "document.getElementById('viewer').dataset.ready")

    # Models of drawings and text lose nothing; a page must live with that.
    run(bin_dir / "evaluate", "--type", "INT8", "--detail", "on", "--gt_path", pictures / "lake.png",
        "--html", page, "--no-verify")
    go(browser, page)
    browser.wait("document.getElementById('viewer').dataset.ready", SECONDS)
    checks.that("one picture at one rate", len(cells(browser, "#pictures")) == 1)
    check_odd_results(browser, checks, bin_dir, pictures, work)


def check_odd_results(browser, checks, bin_dir, pictures, work):
    """A picture that comes back exactly, and curves of one name, one of them beyond all bounds."""
    flat, page = work / "flat.ppm", work / "odd.html"
    flat.write_bytes(b"P6\n64 64\n255\n" + bytes([64]) * 64 * 64 * 3)
    curve = {"name": "same", "results": {"bpp": [0.1, 0.3, 0.6, 1.2], "psnr-rgb": [25, 28, 31, 34]}}
    far = {"name": "same", "results": {"bpp": [0.1, 0.4, 0.9, 1e6], "psnr-rgb": [24, 28, 31, 34]}}
    (work / "curves.json").write_text(json.dumps([curve, far]))
    run(bin_dir / "evaluate", "--type", "INT8", "--gt_path", pictures / "lake.png", "--lrd", "0.0001,0.0008",
        "--curves", work / "curves.json", "--html", page, "--no-verify")
    go(browser, page)
    browser.wait("document.getElementById('viewer').dataset.ready", SECONDS)
    rows = cells(browser, "#other-curves")
    checks.that("curves of one name have a row each", len(rows) == 2 and rows[0] != rows[1], rows)
    run(bin_dir / "evaluate", "--type", "INT8", "--gt_path", flat, "--html", page, "--no-verify")
    go(browser, page)
    browser.wait("document.getElementById('viewer').dataset.ready", SECONDS)
    means = cells(browser, "#means")
    checks.that("an infinite mean is called that", "∞" in means[0], means)
    checks.that("and the chart says why it is empty",
                "infinite" in browser.evaluate("document.getElementById('psnr-chart').textContent"))


def check_benchmarks(browser, checks, bin_dir, work, screenshots):
    few = ["--benchmark_min_time=0.001", "--benchmark_out_format=json"]
    run(bin_dir / "bench_kernels", "--benchmark_filter=^(gdn|deconv)/", f"--benchmark_out={work}/kernels.json", *few)
    run(bin_dir / "bench_stages", "--type", "FP32,INT8", "--size", "128x128", "--rounds", "1",
        f"--benchmark_out={work}/stages.json", "--benchmark_out_format=json")
    run(bin_dir / "bench_limits", "--benchmark_filter=peak", f"--benchmark_out={work}/limits.json", *few)
    results = [work / f"{name}.json" for name in ("kernels", "stages", "limits")]
    if (bin_dir / "bench_peers").exists():
        run(bin_dir / "bench_peers", "--size", "128x128", "--rounds", "1", "--json", work / "peers.json")
        results.append(work / "peers.json")
    page = work / "bench.html"
    run(bin_dir / "bench_page", "--out", page, *results)
    browser.look(1280, "light")
    go(browser, page)
    kernels = {b["name"]: b for b in json.loads(results[0].read_text())["benchmarks"]}
    rows = cells(browser, "#kernels")
    first = next(iter(kernels.values()))
    kind = first["name"].split("/")[0]
    wanted = f"{first['peak_percent']:.1f} %"
    checks.that("kernels have their part of the peak", any(wanted in cell for row in rows for cell in row),
                f"{kind}: {wanted}")
    stages = cells(browser, "#stages")
    checks.that("stages of both models", {row[2] for row in stages} == {"FP32", "INT8"}, f"{len(stages)} rows")
    checks.that("limits by target", len(cells(browser, "#limits")) >= 1)
    if len(results) > 3:
        layers = json.loads(results[3].read_text())["layers"]
        checks.that("layers beside the peer's", len(cells(browser, "#peers")) == len(layers), len(layers))
    check_looks(browser, checks, "bench", screenshots, "true")


def main():
    bin_dir, tree, screenshots = (pathlib.Path(argument).resolve() for argument in sys.argv[1:4])
    checks = Checks()
    screenshots.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="glint-page.") as folder, Browser() as browser:
        work = pathlib.Path(folder)
        check_evaluation(browser, checks, bin_dir, tree, work, screenshots)
        check_benchmarks(browser, checks, bin_dir, work, screenshots)
        elsewhere = [url for url in browser.requests if not url.startswith(("file:", "data:", "about:"))]
        checks.that("nothing is fetched from elsewhere", not elsewhere, elsewhere or "")
        checks.that("the browser has no complaints", not browser.complaints, browser.complaints or "")
    print(f"{checks.passed} passed, {checks.failed} failed")
    return 0 if checks.failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
