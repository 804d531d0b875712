"""Drawn pictures for training, and the photographs that some of them show (synthetic.py).

Draws in the caller's process, or in others that work ahead. Needs numpy and Pillow.
"""
import multiprocessing
import os
import signal
import sys
from multiprocessing.connection import wait

import numpy as np
from PIL import Image, UnidentifiedImageError

import synthetic

SIDE = synthetic.SIDE
AHEAD = 4               # pictures that each process may be ahead


def photographs(folder):
    """The middles of the folder's pictures that are large enough: [uint8 [SIDE,SIDE,3], ...].

    What cannot be read is named and passed over, pictures of more than 8 bits as well.
    """
    try:
        names = sorted(os.listdir(folder))
    except OSError as e:
        raise SystemExit(f"{folder}: {e.strerror}")
    out = []
    for name in names:
        path = os.path.join(folder, name)
        try:
            with Image.open(path) as image:
                if image.mode[0] in "IF":
                    raise ValueError("more than 8 bits a sample")
                samples = np.asarray(image.convert("RGB"))
        except UnidentifiedImageError:      # a text beside the pictures, say
            continue
        except Exception as e:              # of many kinds, by format
            print(f"passed over: {path}: {e}", file=sys.stderr)
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
    """Draws in `count` processes, which read the photographs of `folder` by themselves.

    Pictures come by pipes, one for each process, so that one that is killed takes no other along.
    """

    def __init__(self, folder, count, random):
        self.random, self.ends = random, []
        context = multiprocessing.get_context("spawn")
        for _ in range(count):
            end, other = context.Pipe()
            context.Process(target=_draw_on, args=(folder, other), daemon=True).start()
            other.close()
            self.ends.append(end)
            for _ in range(AHEAD):
                self.ask(end)

    def ask(self, end):
        end.send(synthetic.training_seed(self.random))

    @property
    def ready(self):
        return bool(wait(self.ends, 0))

    def take(self):
        """Waits where none is ready. None: no process is left."""
        while self.ends:
            end = wait(self.ends)[0]
            try:
                picture = end.recv()
                self.ask(end)
                return picture
            except (EOFError, OSError):
                self.ends.remove(end)
                print(f"a process that draws has died, {len(self.ends)} go on", file=sys.stderr)
        return None


def _draw_on(folder, end):
    """A process of Elsewhere: a picture for each seed, until the other end is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)    # Ctrl-C is for the process that trains
    photos = photographs(folder)
    try:
        while True:
            end.send(draw(end.recv(), photos))
    except (EOFError, OSError):
        pass
