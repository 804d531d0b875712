"""What the tests share: pictures, and the programs of the same tree where they are built."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

import glint

ROOT = Path(__file__).resolve().parents[3]
SAMPLES = ROOT / "tools" / "samples"


def drawn(shape, dtype=np.uint8, seed=1):
    """A picture of smooth colours with some noise, of any shape."""
    random = np.random.default_rng(seed)
    height, width = shape[:2]
    rows = np.linspace(0, 3, height)[:, None]
    columns = np.linspace(0, 5, width)[None, :]
    planes = [
        0.5 + 0.4 * np.sin(rows * (c + 1) + columns) + 0.04 * random.standard_normal((height, width))
        for c in range(shape[2] if len(shape) == 3 else 1)
    ]
    picture = np.stack(planes, axis=-1).reshape(shape)
    top = np.iinfo(dtype).max
    return np.rint(np.clip(picture, 0, 1) * top).astype(dtype)


@pytest.fixture(scope="session")
def programs():
    """The folder of the programs `glint` and `evaluate` of this tree."""
    folder = Path(os.environ.get("GLINT_BIN", ROOT / "build" / "bin"))
    if not (folder / "glint").exists():
        pytest.skip(f"there is no {folder / 'glint'}: ./run build")
    return folder


@pytest.fixture
def program(programs, tmp_path):
    """Runs a program, in a folder of its own, and returns what it prints."""

    def run(name, *arguments):
        done = subprocess.run(
            [programs / name, *map(str, arguments)], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="session")
def lake():
    return glint.read_picture(SAMPLES / "lake.png").samples


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    monkeypatch.delenv("GLINT_MODEL", raising=False)
