"""The examples run, and do what they say."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT, SAMPLES

import glint

EXAMPLES = ROOT / "packaging" / "python" / "examples"


def run(script, *arguments, cwd, **environment):
    done = subprocess.run(
        [sys.executable, EXAMPLES / script, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def cells_of_script(path):
    """[(kind, text)] of the cells of a script."""
    cells = []
    for part in re.split(r"^# %%", path.read_text(), flags=re.MULTILINE)[1:]:
        head, text = part.split("\n", 1)
        kind = "markdown" if "[markdown]" in head else "code"
        if kind == "markdown":
            text = re.sub(r"^# ?", "", text, flags=re.MULTILINE)
        cells.append((kind, text.strip()))
    return cells


def test_the_notebook_is_the_script():
    notebook = json.loads((EXAMPLES / "inference.ipynb").read_text())
    cells = [(cell["cell_type"], "".join(cell["source"]).strip()) for cell in notebook["cells"]]
    assert cells == cells_of_script(EXAMPLES / "inference.py")


def test_inference(tmp_path):
    printed = run("inference.py", cwd=tmp_path)
    assert "bits of light-fp32" in printed
    stream = (tmp_path / "picture.glint").read_bytes()
    assert f"{len(stream)} bytes" in printed


def test_inference_of_a_picture(tmp_path):
    printed = run("inference.py", cwd=tmp_path, PICTURE=str(SAMPLES / "lake.png"), OUT=str(tmp_path))
    assert "picture: (512, 768, 3) uint8" in printed
    assert abs(float(re.search(r"takes ([-+][0-9.]+) %", printed)[1])) < 5


def test_dask_evaluates_as_the_program_does(tmp_path, program):
    pytest.importorskip("distributed")
    program("evaluate", "--gt_path", SAMPLES, "--type", "INT8", "--lrd", "0.0003", "--json", "one.json")
    of_program = json.loads((tmp_path / "one.json").read_text())
    printed = run(
        "evaluate_folder.py", SAMPLES, "--lrd", "0.0003", "--workers", 2, "--json", "many.json", cwd=tmp_path
    )
    results = of_program["results"]
    assert f"{results['bpp'][0]:.4f} bits per pixel, {results['psnr-rgb'][0]:.3f} dB" in printed
    for mine, said in zip(json.loads((tmp_path / "many.json").read_text()), of_program["images"], strict=True):
        assert (mine["name"], mine["bytes"], mine["psnr"]) == (said["name"], said["bytes"], said["psnr-rgb"])
        assert mine["ms_ssim"] == said["ms-ssim-rgb"]


def test_dask_names_an_empty_folder(tmp_path):
    pytest.importorskip("distributed")
    done = subprocess.run(
        [sys.executable, EXAMPLES / "evaluate_folder.py", tmp_path], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode != 0
    assert "there is no picture" in done.stderr


def test_dask_goes_on_after_a_bad_picture(tmp_path):
    pytest.importorskip("distributed")
    folder = tmp_path / "pictures"
    folder.mkdir()
    glint.write_picture(folder / "black.png", np.zeros((16, 16, 3), np.uint8))
    (folder / "bad.png").write_bytes(b"no picture")
    arguments = [folder, "--lrd", "0.0003,0.001", "--workers", "1", "--json", "out.json"]
    done = subprocess.run(
        [sys.executable, EXAMPLES / "evaluate_folder.py", *arguments], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 1
    assert done.stdout.count("bits per pixel") == 2
    assert done.stderr.count("bad.png") == 1 and "Traceback" not in done.stderr

    def refuse(constant):
        raise AssertionError(constant)

    said = json.loads((tmp_path / "out.json").read_text(), parse_constant=refuse)
    assert [entry["name"] for entry in said] == ["black.png", "black.png"]
    assert said[0]["psnr"] is None or said[0]["psnr"] > 40


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["nowhere"], "nowhere is no folder"),
        (["."], "there is no picture"),
        ([SAMPLES, "--lrd", "much"], "'much' are no rates"),
        ([SAMPLES, "--lrd", "0.1,-1"], "'0.1,-1' are no rates"),
        ([SAMPLES, "--workers", "0"], "'0' is no number of processes"),
        ([SAMPLES, "--model", "nothing"], "--model: nothing: there is no such file"),
    ],
)
def test_dask_names_wrong_arguments(tmp_path, arguments, message):
    pytest.importorskip("distributed")
    done = subprocess.run(
        [sys.executable, EXAMPLES / "evaluate_folder.py", *arguments], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 2
    assert message in done.stderr and "Traceback" not in done.stderr
