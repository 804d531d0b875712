"""Drawn pictures for training, and the photographs that some of them show (synthetic.py).

Draws in the caller's process, or in others that work ahead. Needs numpy and Pillow.
"""
import collections
import glob
import multiprocessing
import os
import signal

import numpy as np
from PIL import Image

import synthetic

SIDE = synthetic.SIDE
AHEAD = 4               # pictures that each process may be ahead


def photographs(folder):
    """The middles of the folder's pictures that are large enough: [uint8 [SIDE,SIDE,3], ...]."""
    out = []
    for path in sorted(glob.glob(os.path.join(folder, "*"))):
        try:
            with Image.open(path) as image:
                samples = np.asarray(image.convert("RGB"))
        except OSError:     # not a picture
            continue
        top, left = ((side - SIDE) // 2 for side in samples.shape[:2])
        if top >= 0 and left >= 0:
            out.append(samples[top:top + SIDE, left:left + SIDE].copy())
    if not out:
        raise SystemExit(f"{folder}: no picture of {SIDE} x {SIDE} or more")
    return out


def draw(seed, photos):
    """A drawn picture, which may show one of the photographs."""
    return synthetic.picture(seed, photo=photos[seed % len(photos)])


class Here:
    """Draws in this process, a picture a call."""

    def __init__(self, photos, random):
        self.photos, self.random = photos, random

    def take(self):
        return draw(synthetic.training_seed(self.random), self.photos)

    ready = True


class Elsewhere:
    """Draws in `count` processes, which read the photographs of `folder` by themselves."""

    def __init__(self, folder, count, random):
        self.random = random
        self.pool = multiprocessing.get_context("spawn").Pool(count, _open, (folder,))
        self.coming = collections.deque()
        for _ in range(AHEAD * count):
            self.ask()

    def ask(self):
        self.coming.append(self.pool.apply_async(_draw, (synthetic.training_seed(self.random),)))

    @property
    def ready(self):
        return self.coming[0].ready()

    def take(self):
        """Waits where none is ready."""
        picture = self.coming.popleft().get()
        self.ask()
        return picture


_photos = None          # of a process of Elsewhere


def _open(folder):
    global _photos
    signal.signal(signal.SIGINT, signal.SIG_IGN)    # Ctrl-C is for the process that trains
    _photos = photographs(folder)


def _draw(seed):
    return draw(seed, _photos)
