"""Drawn pictures of single pixels: dither, noise, pixel art, fine patterns."""
import numpy as np
from PIL import Image

from .artwork import flat, gradient
from .dice import colour, ink_and_paper, magnified, to_image


def bayer(order):
    """The matrix of ordered dither, of 2^order rows, in 0..1."""
    matrix = np.zeros((1, 1))
    for _ in range(order):
        matrix = np.block([[4 * matrix, 4 * matrix + 2], [4 * matrix + 3, 4 * matrix + 1]])
    return (matrix + 0.5) / matrix.size


def dither(dice, side):
    """Few colours that stand for many: ordered, or with the error passed on to neighbours."""
    factor = dice.among((1, 1, 1, 2, 3))
    small = -(-side // factor)
    source = gradient(dice, small) if dice.chance(0.5) else dice.background(small)
    dithered = (ordered_dither if dice.chance(0.5) else error_diffusion)(dice, source)
    return magnified(dithered, side, factor)


def ordered_dither(dice, source):
    """Between two colours, or each sample between `levels` values."""
    side = source.width
    matrix = bayer(dice.whole(1, 4))
    times = -(-side // len(matrix))
    limits = np.tile(matrix, (times, times))[:side, :side, None]
    if dice.chance(0.5):
        ink, paper = ink_and_paper(dice)
        light = np.asarray(source.convert("L"), float)[..., None] / 255 > limits
        return to_image(np.where(light, np.array(paper), np.array(ink)))
    levels = dice.whole(1, 6)
    return to_image(np.floor(np.asarray(source) / 255 * levels + limits) * 255 / levels)


def error_diffusion(dice, source):
    """After Floyd and Steinberg, to black and white or to the picture's own few colours."""
    if dice.chance(0.4):
        return source.convert("1").convert("RGB")
    palette = source.quantize(dice.among((2, 4, 8, 16, 32)))
    return source.quantize(palette=palette, dither=Image.FLOYDSTEINBERG).convert("RGB")


def noise(dice, side):
    """Grain: white, on a smooth picture, of single pixels, or in blocks."""
    kind = dice.real(0, 1)
    if kind < 0.3:
        shape = (side, side, dice.among((1, 3)))
        samples = dice.real(60, 200) + dice.random.normal(0, dice.real(4, 60), shape)
        return to_image(np.broadcast_to(samples, (side, side, 3)))
    if kind < 0.7:
        base = gradient(dice, side) if dice.chance(0.5) else dice.background(side)
        base = np.asarray(base, float)
        return to_image(base + dice.random.normal(0, dice.real(2, 30), base.shape))
    if kind < 0.85:
        base = np.array(flat(dice, side))
        hit = dice.random.random((side, side)) < dice.real(0.005, 0.2)
        base[hit] = dice.random.choice([0, 255], (hit.sum(), 1))
        return Image.fromarray(base)
    factor = dice.whole(2, 9)
    count = -(-side // factor)
    cells = dice.random.integers(0, 256, (count, count, 3)).astype(np.uint8)
    return magnified(Image.fromarray(cells), side, factor)


def pixel_art(dice, side):
    """Sprites of few colours on tiles, magnified without smoothing."""
    factor = dice.among((2, 3, 4, 4, 6, 8, 12))
    count = -(-side // factor)
    tile = dice.among((8, 16, 16, 32))
    palette = [colour(dice) for _ in range(dice.whole(3, 10))]
    tiles = [ground(dice, palette, tile) for _ in range(3)]
    sprites = [sprite(dice, palette, tile) for _ in range(4)]
    rows = -(-count // tile)
    world = np.zeros((rows * tile, rows * tile, 3), np.uint8)
    for k in range(rows * rows):
        y, x = k // rows * tile, k % rows * tile
        world[y:y + tile, x:x + tile] = dice.among(tiles)
        if dice.chance(0.4):
            shape, inside = dice.among(sprites)
            world[y:y + tile, x:x + tile][inside] = shape[inside]
    return magnified(Image.fromarray(world[:count, :count].copy()), side, factor)


def ground(dice, palette, tile):
    """Two colours: specks, bricks, or a checker of half tiles."""
    y, x = np.mgrid[:tile, :tile]
    kind = dice.whole(0, 4)
    if kind < 2:
        marked = dice.random.random((tile, tile)) < dice.real(0, 0.06)
    elif kind == 2:
        marked = (y % 4 == 3) | ((x + y // 4 * 4) % 8 == 0)
    else:
        marked = (x // (tile // 2) + y // (tile // 2)) % 2 == 1
    return np.array(palette[:2], np.uint8)[marked.astype(int)]


def sprite(dice, palette, tile):
    """(colours, where they are): a shape like its mirror image, with a dark outline."""
    half = tile // 2
    y, x = np.mgrid[:tile, :half]
    distance = np.hypot(x - half, (y - half) * dice.real(0.6, 1.2)) / half
    filled = distance + dice.random.normal(0, 0.12, distance.shape) < dice.real(0.6, 0.95)
    filled = np.concatenate([filled, filled[:, ::-1]], 1)
    parts = dice.random.integers(0, len(palette), (-(-tile // 4), -(-half // 4)))
    parts = np.repeat(np.repeat(parts, 4, 0), 4, 1)[:tile, :half]
    shape = np.array(palette, np.uint8)[np.concatenate([parts, parts[:, ::-1]], 1)]
    edge = np.pad(filled, 1)
    inner = edge[:-2, 1:-1] & edge[2:, 1:-1] & edge[1:-1, :-2] & edge[1:-1, 2:]
    shape[filled & ~inner] = 0
    return shape, filled


def pattern(dice, side):
    """Checks, lines and grids of few pixels, as in backgrounds and hatches."""
    y, x = np.mgrid[:side, :side]
    period = dice.whole(1, 10)
    kind = dice.whole(0, 4)
    if kind == 0:
        marked = (x // period + y // period) % 2
    elif kind == 1:
        marked = (x if dice.chance(0.5) else y) // period % 2
    elif kind == 2:
        marked = (x + y * dice.among((-2, -1, 1, 2))) % (3 * period) < period
    else:
        marked = (x % (4 * period) == 0) | (y % (4 * period) == 0)
    ink, paper = ink_and_paper(dice)
    return to_image(np.where(marked.astype(bool)[..., None], np.array(ink), np.array(paper)))
