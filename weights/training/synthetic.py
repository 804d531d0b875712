#!/usr/bin/env python3
"""Pictures that no camera makes, to train on and to measure with: text, screens, drawings.

  synthetic.py OUT N [--seed S] [--kind K]     writes N PNGs of 512 x 512, of seeds S, S + 1, ...
  synthetic.py --check                         tests itself; less than a minute

A picture is a function of its seed, on a machine with the same fonts (drawn/lettering.py), numpy
and Pillow. Seeds 0..9999 are held out: training draws from the others (`training_seed`), so what is
measured on pictures of these seeds was not trained on. bench/screens.py has screens of its own and
shares nothing with this on purpose: what is measured there is drawn by other code than what is
trained on. Needs numpy and Pillow.
"""
import argparse
import os
import sys
import tempfile

import numpy as np
from PIL import Image

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from drawn.artwork import flat, gradient, line_art, saturated
from drawn.dice import Dice
from drawn.pages import code, terminal, text, text_on_photo
from drawn.patterns import dither, noise, pattern, pixel_art
from drawn.screens import chart, scaled, windows

SIDE = 512
HELD_OUT = 10000            # seeds below are not trained on

# How often each kind is drawn when none is asked for. Dither and fine patterns are rare: at lrd
# 4e-4 their loss is fifty times that of a photograph, so more of them would rule the gradients.
SHARES = {text: 0.2, terminal: 0.06, code: 0.08, windows: 0.12, chart: 0.08, scaled: 0.12,
          text_on_photo: 0.07, line_art: 0.08, gradient: 0.04, flat: 0.04, saturated: 0.04,
          dither: 0.02, noise: 0.01, pixel_art: 0.03, pattern: 0.01}
KINDS = {make.__name__: make for make in SHARES}


def training_seed(random):
    """A seed that is not held out. random: a generator of numpy"""
    return HELD_OUT + int(random.integers(1 << 48))


def kind_of(dice):
    return list(KINDS)[dice.random.choice(len(KINDS), p=list(SHARES.values()))]


def picture(seed, kind=None, side=SIDE, photo=None):
    """uint8 [side,side,3], side >= 256. kind: a key of KINDS; photo: uint8 [H,W,3] to draw on"""
    dice = Dice(seed, photo)
    drawn = kind_of(dice)       # also when a kind is given: what follows is the same then
    return np.array(KINDS[kind or drawn](dice, side).convert("RGB"))


def write(folder, seeds, kind):
    os.makedirs(folder, exist_ok=True)
    for seed in seeds:
        name = f"{seed:05d}_{kind or kind_of(Dice(seed))}.png"
        Image.fromarray(picture(seed, kind)).save(os.path.join(folder, name))


# ---- check --------------------------------------------------------------------------------------

def check():
    """Ends with an AssertionError at the first thing that is not as this file says."""
    for kind in KINDS:
        check_kind(kind)
    check_looks()
    check_photo()
    check_files()
    random = np.random.default_rng(1)
    assert min(training_seed(random) for _ in range(10000)) >= HELD_OUT
    assert abs(sum(SHARES.values()) - 1) < 1e-9
    print(f"{len(KINDS)} kinds: as they should be")


def colours(samples):
    return len(np.unique(samples.reshape(-1, 3), axis=0))


def check_kind(kind):
    """Form, the same again from the same seed, another one from another, and that it draws."""
    shown = [picture(seed, kind) for seed in range(6)]
    for seed, samples in enumerate(shown):
        assert samples.shape == (SIDE, SIDE, 3) and samples.dtype == np.uint8, kind
        assert np.array_equal(samples, picture(seed, kind)), f"{kind}: seed {seed} differs"
    assert len({samples.tobytes() for samples in shown}) == len(shown), f"{kind}: seeds are alike"
    drawn = [np.ptp(samples) > 40 and colours(samples) > 1 for samples in shown]
    assert sum(drawn) >= 5, f"{kind}: draws nothing"      # one flat area of one colour may be
    for side in (256, 500):
        assert picture(3, kind, side).shape == (side, side, 3), f"{kind}: not of side {side}"


def check_looks():
    """What tells kinds apart."""
    crisp = [colours(picture(seed, "text")) <= 8 for seed in range(20)]
    assert any(crisp) and not all(crisp), "text: with and without soft edges"
    assert all(colours(picture(seed, "flat")) <= 256 for seed in range(20)), "flat: few colours"
    assert all(colours(picture(seed, "dither")) <= 216 for seed in range(20)), "dither: few colours"
    assert max(colours(picture(seed, "gradient")) for seed in range(5)) > 200, "gradient: smooth"
    spread = [np.ptp(picture(seed, "saturated"), axis=2).mean() for seed in range(20)]
    assert np.mean(spread) > 150, "saturated: strong colours"
    grain = [np.diff(picture(seed, "noise").astype(int), axis=1) for seed in range(9)]
    assert np.mean(np.abs(grain)) > 8, "noise: rough"


def check_photo():
    """A photograph that is given is drawn on."""
    photo = np.full((300, 400, 3), (10, 200, 30), np.uint8)
    share = (picture(1, "text_on_photo", photo=photo) == photo[0, 0]).all(2).mean()
    assert 0.2 < share < 1, "text_on_photo: without the photograph"


def check_files():
    with tempfile.TemporaryDirectory() as folder:
        write(folder, range(3, 5), None)
        names = sorted(os.listdir(folder))
        assert [name[:6] for name in names] == ["00003_", "00004_"], names
        for seed, name in zip((3, 4), names):
            with Image.open(os.path.join(folder, name)) as image:
                assert np.array_equal(np.array(image), picture(seed)), name


def main():
    ap = argparse.ArgumentParser(description=__doc__,
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("out", nargs="?", metavar="OUT")
    ap.add_argument("count", nargs="?", type=int, metavar="N")
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--kind", choices=list(KINDS))
    ap.add_argument("--check", action="store_true")
    a = ap.parse_args()
    if a.check:
        check()
    elif a.count is None:
        ap.error("OUT and N, or --check")
    elif a.seed < 0:
        ap.error("--seed: 0 or more")
    else:
        write(a.out, range(a.seed, a.seed + a.count), a.kind)


if __name__ == "__main__":
    main()
