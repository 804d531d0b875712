"""Line art, maps, pixel art, gradients, codes of squares, and photographs as screens show them."""
import math

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from drawn.canvas import Canvas, load_font, paragraph


def hatching(seed, size):
    c = Canvas(seed, *size, "#fffef8")

    def paint(draw, scale):
        for _ in range(14):
            x, y, r = c.rng.uniform(0, c.width), c.rng.uniform(0, c.height), c.rng.uniform(40, 130)
            angle, gap = c.rng.uniform(0, math.pi), c.rng.uniform(4, 9)
            draw.ellipse([v * scale for v in (x - r, y - r, x + r, y + r)], outline="#111111", width=scale)
            for off in np.arange(-r + gap, r, gap):
                half = math.sqrt(r * r - off * off)
                ends = [(x + off * math.cos(angle) - s * half * math.sin(angle),
                         y + off * math.sin(angle) + s * half * math.cos(angle)) for s in (-1, 1)]
                draw.line([v * scale for end in ends for v in end], fill="#222222", width=scale * 3 // 4)
    c.smooth_shapes(paint)
    return c.image


def street_map(seed, size):
    c = Canvas(seed, *size, "#f2efe9", "grey")

    def road(points, scale, draw, wide, fill, edge):
        points = [(x * scale, y * scale) for x, y in points]
        draw.line(points, fill=edge, width=(wide + 2) * scale, joint="curve")
        draw.line(points, fill=fill, width=wide * scale, joint="curve")

    def paint(draw, scale):
        for _ in range(9):
            x, y = c.rng.uniform(0, c.width), c.rng.uniform(0, c.height)
            shape = [((x + c.rng.uniform(40, 110) * math.cos(a)) * scale,
                      (y + c.rng.uniform(40, 110) * math.sin(a)) * scale)
                     for a in np.linspace(0, 2 * math.pi, 9)[:-1]]
            draw.polygon(shape, fill=c.pick(("#c8e6b4", "#aad3df", "#e0dfdf", "#d8e8c8")))
        kinds = ((3, "#ffffff", "#c8c4bc", 40), (6, "#fcd6a4", "#c8a060", 7), (9, "#e892a2", "#dc2a67", 2))
        for wide, fill, edge, count in kinds:
            for _ in range(count):
                start, angle = c.rng.uniform(0, 1, 2) * (c.width, c.height), c.rng.uniform(0, 2 * math.pi)
                turns = angle + np.cumsum(c.rng.normal(0, 0.15, 24))
                points = start + np.cumsum(np.stack([np.cos(turns), np.sin(turns)], 1) * 30, 0)
                road([tuple(p) for p in points], scale, draw, wide, fill, edge)
    c.smooth_shapes(paint)
    for _ in range(34):
        c.text(int(c.rng.integers(c.width - 60)), int(c.rng.integers(c.height - 14)), c.words(2), "sans", 10, "#444444")
    return c.image


def schematic(seed, size):
    c = Canvas(seed, *size)
    for y in range(0, c.height, 10):
        for x in range(0, c.width, 10):
            c.draw.point((x, y), fill="#c0c0d0")
    parts = [(int(x) * 20, int(y) * 20) for x, y in
             zip(c.rng.integers(1, c.width // 20 - 5, 26), c.rng.integers(1, c.height // 20 - 4, 26))]
    for (x, y), (x2, y2) in zip(parts, parts[1:]):
        c.draw.line((x + 30, y + 20, x2 + 30, y + 20, x2 + 30, y2 + 20), fill="#008000")
        c.draw.ellipse((x2 + 27, y + 17, x2 + 33, y + 23), fill="#008000")
    for i, (x, y) in enumerate(parts):
        if i % 3 == 0:
            c.box(x, y, 61, 41, "#ffffc0", "#800000")
            for pin in range(3):
                c.draw.line((x - 10, y + 8 + 12 * pin, x, y + 8 + 12 * pin), fill="#800000")
        elif i % 3 == 1:
            zigzag = [(x + 5 * k, y + 20 + (0, -6, 0, 6)[k % 4]) for k in range(13)]
            c.draw.line(zigzag, fill="#800000")
        else:
            c.draw.line((x + 26, y + 6, x + 26, y + 34), fill="#800000", width=2)
            c.draw.line((x + 34, y + 6, x + 34, y + 34), fill="#800000", width=2)
        c.text(x + 4, y - 13, f"{'URC'[i % 3]}{i} {c.rng.integers(1, 99)}{'kMn'[i % 3]}", "sans", 10, "#000080")
    return c.image


def contours(seed, size):
    """Level lines of a smooth surface, one pixel wide, with grey levels beside them."""
    c = Canvas(seed, *size)
    ys, xs = np.mgrid[:c.height, :c.width]
    surface = sum(c.rng.uniform(0.5, 1.5) * np.sin(xs / c.rng.uniform(40, 160) + ys / c.rng.uniform(-160, 160)
                                                   + c.rng.uniform(0, 6)) for _ in range(7))
    steep = np.hypot(*np.gradient(surface)) + 1e-9
    far = np.abs(surface * 3 - np.rint(surface * 3)) / (3 * steep)
    ink = np.clip(1.2 - far, 0, 1)[..., None]
    colour = np.array((139, 90, 43), np.float64)
    c.take(Image.fromarray(np.rint(255 + ink * (colour - 255)).astype(np.uint8)))
    for _ in range(16):
        x, y = int(c.rng.integers(c.width - 40)), int(c.rng.integers(c.height - 14))
        c.text(x, y, str(c.rng.integers(2, 90) * 10), "narrow", 11, "#8b5a2b")
    return c.image


def pixel_art(seed, size, scale):
    """Tiles of 16 by 16 cells of few colours, mirrored creatures on them, each cell scale pixels."""
    c = Canvas(seed, size[0] // scale, size[1] // scale)
    cells = np.zeros((c.height, c.width, 3), np.uint8)
    sets = [c.rng.integers(0, 256, (4, 3)) for _ in range(5)]
    tiles = [s[np.where(c.rng.random((16, 16)) < 0.15, c.rng.integers(4, size=(16, 16)), 0)] for s in sets]
    ground = np.repeat(np.repeat(c.rng.integers(5, size=(20, 40)), 3, 0), 4, 1)
    for y in range(0, c.height, 16):
        for x in range(0, c.width, 16):
            part = cells[y:y + 16, x:x + 16]
            part[:] = tiles[ground[y // 16, x // 16]][:part.shape[0], :part.shape[1]]
    for _ in range(c.width * c.height // 1500):
        half = c.rng.integers(4, size=(12, 6)) * (c.rng.random((12, 6)) < 0.7)
        shape, colours = np.concatenate([half, half[:, ::-1]], 1), c.rng.integers(0, 256, (4, 3))
        y, x = c.rng.integers(c.height - 12), c.rng.integers(c.width - 12)
        cells[y:y + 12, x:x + 12][shape > 0] = colours[shape[shape > 0]]
    return Image.fromarray(np.repeat(np.repeat(cells, scale, 0), scale, 1))


def gradient_text(seed, size, first, second, angle, smooth="grey"):
    c = Canvas(seed, *size, smooth=smooth)
    c.gradient(first, second, angle)
    points = (48, 32, 22, 16, 13, 11)
    for i, point in enumerate(points):
        y = 30 + sum(points[:i]) * 2
        c.text(30, y, c.words(9 - i), "bold" if i % 2 else "sans", point, "#ffffff")
    paragraph(c, 30, c.height - 150, c.width - 60, c.height - 20, "arial", 14, "#ffffff")
    return c.image


def glow(seed, size):
    """A round gradient with title letters that shine."""
    c = Canvas(seed, *size)
    ys, xs = np.mgrid[:c.height, :c.width]
    far = np.hypot((xs - c.width / 2) / c.width, (ys - c.height / 2) / c.height)[..., None] / 0.71
    c.take(Image.fromarray(np.rint(np.array((90, 30, 140)) * (1 - far) + np.array((6, 6, 24)) * far).astype(np.uint8)))
    shine = Image.new("L", size)
    title = c.words(2).upper()
    at = ((c.width - load_font("bold", 64).getlength(title)) / 2, c.height / 3)
    ImageDraw.Draw(shine).text(at, title, font=load_font("bold", 64), fill=220)
    c.image.paste(Image.new("RGB", size, "#40e0ff"), mask=shine.filter(ImageFilter.GaussianBlur(7)))
    c.take(c.image)
    c.text(*map(round, at), title, "bold", 64, "#ffffff")
    c.centred(c.width / 2, c.height * 2 // 3, c.words(8), "sans", 20, "#b0c4de")
    return c.image


def slide(seed, size, photo):
    c = Canvas(seed, *size)
    c.box(0, 0, c.width, 84, "#1f3864")
    c.text(30, 22, c.words(5), "bold", 32, "#ffffff")
    for i in range(5):
        y = 120 + 84 * i
        c.draw.ellipse((34, y + 8, 44, y + 18), fill="#c55a11")
        paragraph(c, 60, y, c.width // 2 - 80, y + 60, "arial", 20, "#222222")
    wide = c.width // 2 - 40
    tall = wide * photo.height // photo.width
    c.image.paste(photo.resize((wide, tall), Image.LANCZOS), (c.width // 2 + 10, 130))
    c.text(c.width // 2 + 10, 140 + tall, "Figure 1: " + c.words(6), "sans", 13, "#555555")
    c.text(c.width - 60, c.height - 26, "12 / 40", "sans", 12, "#888888")
    return c.image


def codes(seed, size):
    """Squares of random black and white cells, as in QR codes, of several cell sizes, and bars."""
    c = Canvas(seed, *size)
    x, y, row = 20, 20, 0
    for cell, count in ((8, 29), (4, 45), (2, 61), (3, 33), (5, 25), (1, 121), (6, 21), (4, 29)):
        wide = cell * count
        if x + wide > c.width - 20:
            x, y, row = 20, y + row + 34, 0
        cells = c.rng.random((count, count)) < 0.5
        for cy, cx in ((0, 0), (0, count - 7), (count - 7, 0)):
            cells[cy:cy + 7, cx:cx + 7] = True
            cells[cy + 1:cy + 6, cx + 1:cx + 6] = False
            cells[cy + 2:cy + 5, cx + 2:cx + 5] = True
        big = Image.fromarray(np.where(np.kron(cells, np.ones((cell, cell), bool)), 0, 255).astype(np.uint8))
        c.image.paste(big.convert("RGB"), (x, y))
        c.text(x, y + wide + 4, c.words(2), "mono", 11)
        x, row = x + wide + 24, max(row, wide)
    for bar in range(20, c.width - 20, 3):
        if c.rng.random() < 0.5:
            c.box(bar, c.height - 60, 3, 40, "#000000")
    return c.image


def diffused(photo, size, colours):
    small = photo.resize(size, Image.LANCZOS)
    palette = small.quantize(colours, Image.MEDIANCUT)
    return small.quantize(palette=palette, dither=Image.FLOYDSTEINBERG).convert("RGB")


def ordered(photo, size):
    """Black and white dots after an 8 by 8 matrix of thresholds."""
    levels = np.asarray(photo.resize(size, Image.LANCZOS).convert("L"), np.float64)
    matrix = np.zeros((1, 1))
    for _ in range(3):
        matrix = np.block([[4 * matrix, 4 * matrix + 2], [4 * matrix + 3, 4 * matrix + 1]])
    limits = np.tile((matrix + 0.5) * 4, (size[1] // 8 + 1, size[0] // 8 + 1))[:size[1], :size[0]]
    return Image.fromarray(np.where(levels > limits, 255, 0).astype(np.uint8)).convert("RGB")
