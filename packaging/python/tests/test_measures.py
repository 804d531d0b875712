"""Measures: the numbers of the program `evaluate`, from its own code."""

import json
import math
import pickle
import subprocess

import numpy as np
import pytest
from conftest import SAMPLES, drawn

import glint

NAMES = ["bakery.png", "lake.png", "pebbles.png"]


@pytest.fixture(scope="module")
def evaluated(programs, tmp_path_factory):
    """What `evaluate` says of the sample pictures at two rates."""
    path = tmp_path_factory.mktemp("evaluate") / "results.json"
    subprocess.run(
        [programs / "evaluate", "--gt_path", SAMPLES, "--type", "INT8", "--lrd", "0.0002,0.001"]
        + ["--json", path],
        check=True,
        capture_output=True,
    )
    return json.loads(path.read_text())


def test_numbers_are_those_of_the_program(evaluated):
    of_program = {(image["name"], image["lrd"]): image for image in evaluated["images"]}
    assert len(of_program) == 2 * len(NAMES)
    for (name, lrd), said in of_program.items():
        mine = glint.evaluate(SAMPLES / name, lrd=lrd, name=name)
        assert mine.name == name
        assert (mine.width, mine.height) == (said["width"], said["height"])
        assert mine.bytes == said["bytes"]
        assert mine.bpp == said["bpp"]
        assert mine.estimated_bpp == said["estimated_bpp"]
        assert mine.psnr == said["psnr-rgb"]
        assert mine.ms_ssim == said["ms-ssim-rgb"]
        assert mine.detail_bytes == said["detail"]["bytes"]
        assert mine.encoding_time > 0 and mine.decoding_stages["synthesis"] > 0
        assert pickle.loads(pickle.dumps(mine)) == mine


def test_measures_are_those_of_an_evaluation(lake):
    mine = glint.evaluate(lake, quality=30, model="light-fp32")
    decoded = glint.decode(glint.encode(lake, quality=30, model="light-fp32"))
    assert glint.psnr(lake, decoded) == mine.psnr
    assert glint.ms_ssim(lake, decoded) == mine.ms_ssim
    decoder = glint.Model.load("light-fp32")
    again = glint.evaluate(lake, quality=30, model="light-fp32", decoder=decoder)
    assert again.psnr == mine.psnr


def test_psnr_is_its_formula():
    a, b = drawn((30, 40, 3), seed=1), drawn((30, 40, 3), seed=2)
    error = np.mean((a.astype(float) - b) ** 2)
    assert glint.psnr(a, b) == pytest.approx(10 * math.log10(255**2 / error))
    assert glint.psnr(a, a) == math.inf
    assert glint.ms_ssim(a, b) is None
    large = drawn((161, 170, 3))
    assert glint.ms_ssim(large, large) == pytest.approx(1)


def test_pictures_of_other_sizes_have_no_measure():
    for measure in (glint.psnr, glint.ms_ssim):
        with pytest.raises(glint.InvalidArgumentError, match="their sizes differ"):
            measure(drawn((30, 40)), drawn((40, 30)))


def test_bd_rate():
    first = [(0.1, 28.0), (0.2, 31.0), (0.4, 34.0), (0.8, 37.0)]
    twice = [(2 * rate, quality) for rate, quality in first]
    assert glint.bd_rate(first, first) == 0
    assert glint.bd_rate(first, twice) == pytest.approx(100)
    assert glint.bd_rate(twice, first) == pytest.approx(-50)
    assert glint.bd_rate(first[::-1], tuple(twice)) == pytest.approx(100)
    assert glint.decibels(0.9) == pytest.approx(10)


@pytest.mark.parametrize(
    "other, message",
    [
        ([(0.1, 28.0)], "needs at least 2 rates"),
        ([(0.1, 28.0), (0.2, 27.0)], "quality does not rise with the rate"),
        ([(0.1, 50.0), (0.2, 60.0)], "no quality in common"),
        ([(0.1, math.nan), (0.2, 30.0)], "without a curve"),
    ],
)
def test_curves_without_a_bd_rate(other, message):
    with pytest.raises(glint.InvalidArgumentError, match=message):
        glint.bd_rate([(0.1, 28.0), (0.2, 31.0)], other)


def test_bd_rate_of_the_program(evaluated):
    """The curve of INT8 against that of FP32, of numbers from the module."""
    def curve(model):
        means = []
        for lrd in (0.0002, 0.001):
            results = [
                glint.evaluate(SAMPLES / name, lrd=lrd, model=model, detail="off", verify=False) for name in NAMES
            ]
            means.append((np.mean([r.bpp for r in results]), np.mean([r.psnr for r in results])))
        return means

    assert abs(glint.bd_rate(curve("light-fp32"), curve("light-int8"))) < 3


@pytest.mark.parametrize("repeat", [0, -1])
def test_no_repetition_is_refused(repeat):
    with pytest.raises(glint.InvalidArgumentError, match=f"repeat={repeat}: it is 1 to"):
        glint.evaluate(drawn((20, 30, 3)), repeat=repeat)


@pytest.mark.parametrize("arguments", [{}, {"repeat": 3}, {"verify": False}, {"repeat": 2, "verify": False}])
def test_progress_rises_once(lake, arguments):
    seen = []
    glint.evaluate(lake[:128, :128], progress=seen.append, **arguments)
    assert seen == sorted(seen)
    assert seen[0] < 0.5 and seen[-1] == 1


def test_pictures_without_samples_have_no_measure():
    for measure in (glint.psnr, glint.ms_ssim):
        with pytest.raises(glint.InvalidArgumentError, match=r"\(0, 4\): it has no samples"):
            measure(np.zeros((0, 4), np.uint8), np.zeros((0, 4), np.uint8))


def test_limits_are_looked_at_before_an_array_is_copied():
    resource = pytest.importorskip("resource")
    wide = np.broadcast_to(np.zeros(1, np.uint8), (25_000, 40_000))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for limits in (glint.Limits(max_pixels=1000), glint.Limits(max_memory=1 << 20)):
        with pytest.raises(glint.LimitError):
            glint.evaluate(wide, limits=limits)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10


def test_metadata_count_in_a_measurement():
    picture = drawn((20, 30, 3))
    with_metadata = glint.Picture(picture, glint.Metadata(icc=bytes(range(256)) * 9))
    assert glint.evaluate(with_metadata).bytes == len(glint.encode(with_metadata))
    assert glint.evaluate(with_metadata).bytes > glint.evaluate(picture).bytes
