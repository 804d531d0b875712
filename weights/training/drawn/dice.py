"""What all drawn pictures are made with: random choices, colours, surfaces to draw on."""
import colorsys

import numpy as np
from PIL import Image, ImageDraw

BLACK, WHITE = (0, 0, 0), (255, 255, 255)


class Dice:
    """The random choices of one picture, and the photograph that it may show."""

    def __init__(self, seed, photo=None):
        self.random = np.random.default_rng(seed)
        self.photo = photo

    def chance(self, share):
        return self.random.random() < share

    def real(self, low, high):
        return low + (high - low) * self.random.random()

    def whole(self, low, end):
        """low <= result < end"""
        return int(self.random.integers(low, end))

    def among(self, choices):
        return choices[self.whole(0, len(choices))]

    def point(self, side):
        return self.whole(0, side), self.whole(0, side)

    def background(self, side):
        """The photograph, or clouds where there is none."""
        if self.photo is None:
            return clouds(self, side)
        photo = Image.fromarray(self.photo).convert("RGB")
        return photo.resize((side, side), Image.BICUBIC)


# ---- colours ------------------------------------------------------------------------------------

def saturated_colour(dice):
    """As in signs and logos: at least one sample at either end, or nearly."""
    if dice.chance(0.4):
        return dice.among([(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (255, 0, 255),
                           (0, 255, 255)])
    samples = colorsys.hsv_to_rgb(dice.real(0, 1), dice.real(0.9, 1), dice.real(0.7, 1))
    return tuple(round(255 * v) for v in samples)


def grey(dice):
    return (dice.among([0, 16, 30, 40, 128, 200, 220, 235, 245, 255]),) * 3


def colour(dice):
    kind = dice.real(0, 1)
    if kind < 0.3:
        return grey(dice)
    if kind < 0.45:
        return saturated_colour(dice)
    samples = colorsys.hsv_to_rgb(dice.real(0, 1), dice.real(0, 1) ** 0.7, dice.real(0, 1) ** 0.4)
    return tuple(round(255 * v) for v in samples)


def luma(c):
    return 0.299 * c[0] + 0.587 * c[1] + 0.114 * c[2]


def readable_on(dice, paper):
    """A colour that can be told apart from the paper."""
    for _ in range(20):
        ink = colour(dice)
        if abs(luma(ink) - luma(paper)) > 70:
            return ink
    return BLACK if luma(paper) > 128 else WHITE


def ink_and_paper(dice):
    """Black on white often, white on black less often, any two colours otherwise."""
    kind = dice.real(0, 1)
    if kind < 0.35:
        return BLACK, WHITE
    if kind < 0.5:
        return (dice.whole(20, 70),) * 3, (dice.whole(235, 256),) * 3
    if kind < 0.65:
        return (dice.whole(190, 256),) * 3, (dice.whole(0, 50),) * 3
    paper = colour(dice)
    return readable_on(dice, paper), paper


def mixed(a, b, share):
    """b's share of the colour is `share`."""
    return tuple(round(x + (y - x) * share) for x, y in zip(a, b))


# ---- surfaces -----------------------------------------------------------------------------------

def canvas(dice, side, paper):
    """(image, its draw): letters are anti-aliased three times out of four."""
    image = Image.new("RGB", (side, side), paper)
    draw = ImageDraw.Draw(image)
    draw.fontmode = "L" if dice.chance(0.75) else "1"
    return image, draw


def to_image(samples):
    """samples: floats in 0..255, [H,W,3]"""
    return Image.fromarray(np.clip(np.round(samples), 0, 255).astype(np.uint8))


def magnified(image, side, factor):
    """Every pixel becomes factor x factor; what lies outside is cut."""
    size = (image.width * factor, image.height * factor)
    return image.resize(size, Image.NEAREST).crop((0, 0, side, side))


def clouds(dice, side):
    """Noise in octaves, smooth like the background of a photograph: stands where none is given."""
    total = np.zeros((side, side, 3))
    cells, weight = 2, 1.0
    while cells <= side // 2:
        noise = dice.random.normal(0, weight, (cells, cells, 3))
        noise = 0.6 * noise.mean(2, keepdims=True) * 3 ** 0.5 + 0.4 * noise
        for c in range(3):
            channel = Image.fromarray(noise[..., c].astype(np.float32))
            total[..., c] += np.asarray(channel.resize((side, side), Image.BICUBIC))
        cells *= 2
        weight *= 0.55
    return to_image(128 + 50 * total + dice.random.normal(0, 25, 3))
