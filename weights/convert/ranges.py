"""How many fraction bits a model's latents can have: from what its graphs give on pictures, run by tests/reference_model.py."""
import math
import os
import sys

import numpy as np

from .writer import Refused

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SUFFIXES = (".png", ".ppm", ".pgm", ".pam", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
MOST_PICTURES = 24
MOST_SIZE = 512, 768       # rows and columns of the middle that are looked at
DEFAULT_BITS = 4           # without pictures: values up to 2048
MOST_BITS = 6


def tests_module(name):
    """The second reader of model files and pictures, which the tests have."""
    path = os.path.join(ROOT, "tests")
    if path not in sys.path:
        sys.path.insert(0, path)
    return __import__(name)


class Unsaved:
    """A model that is not written yet, as tests/reference_model.py wants it; sums in any order, which is much faster."""

    def __init__(self, tensors, doc):
        self.tensor, graphs = tensors.__getitem__, doc["graphs"]
        self.doc = {**doc, "graphs": {name: {**graph, "class": "close"} for name, graph in graphs.items()}}


def samples(path):
    """[rows][columns][3] in 0..1, at most MOST_SIZE from the middle"""
    try:
        from PIL import Image
    except ImportError:
        if not path.lower().endswith((".png", ".ppm", ".pgm", ".pam")):
            raise Refused(f"{path} needs Pillow (Debian, Ubuntu: python3-pil); without it only PNG and PNM are read") from None
        try:
            picture, top = tests_module("reference_decoder").read_picture(path)
        except Exception as wrong:      # whatever a simple reader stumbles over
            raise Refused(f"{path} cannot be read without Pillow (Debian, Ubuntu: python3-pil): {wrong}") from None
    else:
        try:
            with Image.open(path) as image:
                picture, top = np.asarray(image.convert("RGB")), 255
        except (OSError, ValueError, Image.DecompressionBombError) as wrong:
            raise Refused(f"{path} cannot be read: {wrong}") from None
    top_row, left = (max(size - most, 0) // 2 for size, most in zip(picture.shape, MOST_SIZE))
    picture = picture[top_row:top_row + MOST_SIZE[0], left:left + MOST_SIZE[1]]
    colour = picture[:, :, :3] if picture.shape[2] >= 3 else np.repeat(picture[:, :, :1], 3, 2)
    return colour.astype(np.float32) / np.float32(top)


def padded(x, picture):
    """Samples as g_a gets them."""
    down, right = (-size % picture["stride"] for size in x.shape[:2])
    if picture["padding"] == "edge":
        x = np.pad(x, ((0, down), (0, right), (0, 0)), mode="edge")
    else:
        x = np.pad(x, ((down // 2, down - down // 2), (right // 2, right - right // 2), (0, 0)))
    return x - np.float32(picture["offset"])


def magnitude(model, x):
    """The largest |y| or |mean| of a picture, before rounding, at any rate of the model: at both ends and in the middle."""
    return max(magnitude_at(model, x, t) for t in ((0.0,) if model.doc["rate"]["parameter"] == "none" else (-1.0, 0.0, 1.0)))


def magnitude_at(model, x, t):
    """`t` is what gains depend on: -1 at the lowest rate, 1 at the highest."""
    run_graph, doc = tests_module("reference_model").run_graph, model.doc
    only = lambda graph, value: run_graph(model, graph, {doc["graphs"][graph]["inputs"][0]["name"]: value}, t)
    y = only("g_a", padded(x, doc["picture"]))
    most, psi = np.abs(y).max(), None
    if "hyper" in doc:
        psi = only("h_s", np.rint(only("h_a", y)))[:y.shape[0], :y.shape[1]]
    for step in doc["coding"]["steps"]:
        source = step["distribution"]
        if source["kind"] != "means_and_scales":
            continue
        inputs = {name: psi if place == "psi" else y[:, :, place[0]:place[1]] for name, place in source["inputs"].items()}
        output = run_graph(model, source["graph"], inputs, t)
        most = max(most, np.abs(output[:, :, :output.shape[2] // 2]).max())
    return float(most)


def choose_fraction_bits(tensors, doc, folder):
    """As many, up to MOST_BITS, as leave room for twice the largest value on the pictures of a folder."""
    names = sorted(n for n in os.listdir(folder) if n.lower().endswith(SUFFIXES))
    if not names:
        raise Refused(f"there are no pictures ({', '.join(SUFFIXES)})")
    model, most = Unsaved(tensors, doc), 0.0
    for name in names[:MOST_PICTURES]:
        most = max(most, magnitude(model, samples(os.path.join(folder, name))))
    if not math.isfinite(most):
        raise Refused("latents of these pictures are not finite")
    return bits_for(most)


def bits_for(most):
    for bits in range(MOST_BITS, -1, -1):
        if 2 * most * (1 << bits) <= 32767:
            return bits
    raise Refused(f"latents of these pictures reach {most:.6g}; twice that does not fit 16 bits")
