#!/usr/bin/env python3
"""Renders the sample pictures of this folder: lake.png, bakery.png, pebbles.png (with alpha).

Everything is computed: terrain and textures with power-law spectra, lit by a sun, with the grain of a
film. Fixed seeds; needs numpy, Pillow and the DejaVu fonts. make_samples.py [NAME ...] [--out FOLDER]
"""
import argparse
import math
import os

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"
SCALE = 2  # pixels are averages of SCALE x SCALE


# ---- tools -----------------------------------------------------------------------------------------


def smoothstep(low, high, v):
    t = np.clip((v - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def mix(a, b, t):
    return a + (b - a) * t


def color(*rgb):
    """sRGB bytes as linear light."""
    return (np.array(rgb) / 255.0) ** 2.2


def fractal(shape, slope, seed, low=0.0):
    """Periodic noise with an amplitude spectrum of frequency^-slope above `low`; mean 0, deviation 1."""
    rng = np.random.default_rng(seed)
    fy, fx = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None]
    f = np.hypot(fy * shape[0] / max(shape), fx * shape[1] / max(shape)) + 1e-9
    spectrum = np.fft.rfft2(rng.standard_normal(shape)) * np.where(f * max(shape) < max(low, 0.5), 0, f ** -slope)
    noise = np.fft.irfft2(spectrum, shape)
    return (noise - noise.mean()) / noise.std()


def lookup(grid, y, x):
    """Bilinear, periodic."""
    h, w = grid.shape[:2]
    y0, x0 = np.floor(y).astype(int), np.floor(x).astype(int)
    ty, tx = y - y0, x - x0
    if grid.ndim == 3:
        ty, tx = ty[..., None], tx[..., None]
    y0, x0 = y0 % h, x0 % w
    y1, x1 = (y0 + 1) % h, (x0 + 1) % w
    return mix(mix(grid[y0, x0], grid[y0, x1], tx), mix(grid[y1, x0], grid[y1, x1], tx), ty)


def blur(values, radius):
    """Gaussian, periodic, of the first two axes."""
    shape = values.shape[:2]
    fy, fx = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None]
    kernel = np.exp(-2 * (math.pi * radius) ** 2 * (fy ** 2 + fx ** 2))
    planes = values.reshape(*shape, -1)
    out = [np.fft.irfft2(np.fft.rfft2(planes[..., i]) * kernel, shape) for i in range(planes.shape[2])]
    return np.stack(out, 2).reshape(values.shape)


def shrink(values):
    h, w = values.shape[0] // SCALE, values.shape[1] // SCALE
    return values.reshape(h, SCALE, w, SCALE, -1).mean((1, 3))


def develop(light, seed, grain=0.006, exposure=1.0):
    """Linear light to bytes: a lens's softness and fall-off, a film's curve and grain."""
    h, w = light.shape[:2]
    y, x = np.mgrid[-1:1:h * 1j, -1:1:w * 1j]
    light = light * exposure * (1 - 0.10 * (x * x + y * y))[..., None]
    light = np.where(light < 0.6, light, 0.6 + 0.4 * np.tanh((light - 0.6) / 0.4))
    picture = np.clip(light, 0, 1) ** (1 / 2.2)
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((h, w, 1)) + 0.4 * rng.standard_normal((h, w, 3))
    picture = picture + blur(noise, 0.6) * grain * 2 * (0.5 + picture * (1 - picture))
    return np.clip(np.rint(picture * 255), 0, 255).astype(np.uint8)


# ---- lake: terrain, forest, clouds, water ---------------------------------------------------------------

GRID = 2048      # cells of the terrain, periodic
CELL = 6.0       # metres
SUN = np.array([-0.70, 0.44, -0.30])  # right, up, forward
SUN = SUN / np.linalg.norm(SUN)


def make_terrain():
    base = fractal((GRID, GRID), 2.2, 11, 2)
    ridges = 1 - np.abs(fractal((GRID, GRID), 2.25, 12, 5))
    detail = fractal((GRID, GRID), 1.85, 13, 24)
    z = np.arange(GRID)[:, None] * CELL
    x = (np.arange(GRID)[None] - GRID / 2) * CELL
    valley = np.abs(x + 300 * np.sin(z / 1700))
    rise = smoothstep(2300, 6800, z) * 1250 + smoothstep(380, 3200, valley) * (330 + 0.05 * z)
    height = -60 + rise * (0.55 + 0.22 * base + 0.50 * ridges) + (4 + 0.024 * rise) * detail
    height += 14 * base * smoothstep(0, 700, z)
    slope = np.hypot(*np.gradient(height, CELL))
    patches = fractal((GRID, GRID), 1.2, 14, 6)
    forest = smoothstep(3, 14, height) * smoothstep(620, 330, height + 110 * patches) * smoothstep(1.0, 0.7, slope)
    forest = forest * smoothstep(1.6, 0.9, patches)
    crowns = np.maximum(fractal((GRID, GRID), 0.35, 15, 200), -0.6)
    height = height + forest * (8 + 4.5 * crowns)
    return height, forest, patches, slope


def cast_shadows(height):
    """How much sun reaches each cell, by marching towards it."""
    flat = SUN[[2, 0]] / np.hypot(SUN[0], SUN[2])
    rise = SUN[1] / np.hypot(SUN[0], SUN[2]) * CELL
    clear = np.full(height.shape, 1e9)
    for step in range(1, 240, 2):
        dz, dx = (int(round(v * step)) for v in flat)
        blocker = np.roll(height, (-dz, -dx), (0, 1))
        clear = np.minimum(clear, (height + rise * step - blocker) / (2 + 0.6 * step))
    return smoothstep(-0.6, 0.6, clear)


def terrain_light(height, forest, patches, slope):
    gz, gx = np.gradient(height, CELL)
    normal = np.stack([-gx, np.ones_like(gx), -gz], 2)
    normal /= np.linalg.norm(normal, axis=2, keepdims=True)
    fine = fractal(height.shape, 0.6, 16, 60)[..., None]
    rock = mix(color(112, 104, 98), color(150, 138, 124), smoothstep(-1.5, 1.5, patches)[..., None]) * (1 + 0.22 * fine)
    grass = mix(color(96, 112, 52), color(150, 140, 76), smoothstep(-1, 1, patches)[..., None]) * (1 + 0.18 * fine)
    trees = mix(color(30, 52, 28), color(62, 82, 38), smoothstep(-1, 1.4, fine + 0.4 * patches[..., None]))
    surface = mix(grass, rock, np.maximum(smoothstep(0.6, 1.0, slope), smoothstep(500, 800, height + 60 * patches))[..., None])
    shore = smoothstep(9, 2, height + 2 * patches)[..., None]
    surface = mix(surface, color(148, 136, 116) * (1 + 0.25 * fine), shore)
    surface = mix(surface, trees, forest[..., None])
    snow = smoothstep(760, 980, height + 110 * patches) * smoothstep(1.3, 0.7, slope)
    surface = mix(surface, color(238, 242, 250) * (1 + 0.03 * fine), snow[..., None])
    sun = np.clip(normal @ SUN, 0, 1) * cast_shadows(height)
    sky = 0.5 + 0.5 * normal[..., 1]
    return surface * (sun[..., None] * np.array([3.0, 2.55, 1.95]) + sky[..., None] * np.array([0.34, 0.44, 0.62]))


def sky_light(direction, clouds):
    """Light from directions [..., 3] above the horizon."""
    up = np.clip(direction[..., 1], 0.004, 1)[..., None]
    blue = mix(np.array([0.80, 0.80, 0.78]), np.array([0.13, 0.27, 0.56]), 1 - np.exp(-up * 4.6))
    glow = np.clip(direction @ SUN, 0, 1)[..., None]
    sky = blue + np.array([1.0, 0.72, 0.42]) * (0.35 * glow ** 6 + 0.5 * glow ** 40)
    reach = 90 / (up[..., 0] + 0.05)
    y, x = direction[..., 2] * reach, direction[..., 0] * reach
    thick = lookup(clouds, y, x) + 0.15
    shade = thick - lookup(clouds, y + SUN[2] * 14, x + SUN[0] * 14)
    cover = (smoothstep(0.0, 1.3, thick) * smoothstep(0.015, 0.16, up[..., 0]))[..., None]
    lit = mix(np.array([0.60, 0.62, 0.68]), np.array([1.35, 1.22, 1.05]), np.clip(0.55 + 0.9 * shade, 0, 1)[..., None])
    return mix(sky, lit, 0.9 * cover)


class LakeView:
    """A camera over a terrain: what each pixel of a picture sees."""

    EYE_Z, FOCAL, HORIZON = 150.0, 1.25, 0.50

    def __init__(self, width, height):
        self.width, self.height = width, height
        self.ground, self.forest, patches, slope = make_terrain()
        self.light = terrain_light(self.ground, self.forest, patches, slope)
        self.clouds = fractal((1024, 1024), 1.65, 21, 3)
        self.focal = self.FOCAL * width / 2
        self.side = (np.arange(width) + 0.5 - width / 2) / self.focal
        self.steps = 40 * 1.0032 ** np.arange(1800)
        self.steps = self.steps[self.steps < (GRID - 40) * CELL - self.EYE_Z]

    def cells(self, distance, side):
        return (self.EYE_Z + distance) / CELL, distance * side / CELL + GRID / 2

    def render(self, eye):
        """Colours, and distance (infinite for sky); eye < 0 is the mirrored view from below."""
        horizon = self.HORIZON * self.height
        d = self.steps[:, None]
        ground = lookup(self.ground, *self.cells(d, self.side[None]))
        row = horizon - (np.maximum(ground, 0) - eye) / d * self.focal
        row[ground <= 0] = 1e9
        top = np.minimum.accumulate(row, 0)
        rows = np.arange(self.height) + 0.5
        step = np.stack([np.searchsorted(-top[:, c], -rows) for c in range(self.width)], 1)
        seen = step < len(self.steps)
        at = np.minimum(step, len(self.steps) - 1)
        columns = np.arange(self.width)[None]
        before = top[np.maximum(at - 1, 0), columns]
        part = np.clip((before - rows[:, None]) / np.maximum(before - top[at, columns], 1e-6), 0, 1)
        distance = mix(self.steps[np.maximum(at - 1, 0)], self.steps[at], np.where(before < 1e8, part, 1))
        light = lookup(self.light, *self.cells(distance, np.broadcast_to(self.side, distance.shape)))
        haze = (1 - np.exp(-distance / np.array([16000.0, 13000.0, 10000.0])[:, None, None])).transpose(1, 2, 0)
        light = mix(light, np.array([0.62, 0.68, 0.76]), haze)
        up = (horizon - rows)[:, None] / self.focal + 0 * self.side[None]
        direction = np.stack([self.side[None] + 0 * up, np.maximum(up, 0.004), np.ones_like(up)], 2)
        direction /= np.linalg.norm(direction, axis=2, keepdims=True)
        sky = sky_light(direction, self.clouds)
        return np.where(seen[..., None], light, sky), np.where(seen, distance, np.inf)

    def water(self, eye, reflection):
        """The lake's light at every pixel below the horizon, and its distance."""
        horizon = self.HORIZON * self.height
        rows = np.arange(self.height) + 0.5
        below = np.maximum(rows - horizon, 0.5)[:, None]
        distance = eye * self.focal / below + 0 * self.side[None]
        x = distance * self.side[None]
        waves = sum(a * lookup(fractal((512, 512), s, seed, 3), distance * f * 0.35, x * f)
                    for a, s, f, seed in ((1.0, 1.3, 0.9, 31), (0.5, 1.1, 3.1, 32)))
        calm = smoothstep(-0.8, 1.2, lookup(fractal((512, 512), 1.6, 33, 2), distance * 0.10, x * 0.03))
        waves = waves * (0.25 + 0.75 * calm)
        shift = waves * 9 * (self.height / 1024) * smoothstep(0, 60, below)
        source_y = np.clip(2 * horizon - rows[:, None] - shift * 1.6, 0, self.height - 1)
        source_x = np.clip(np.arange(self.width)[None] + 0.25 * shift, 0, self.width - 1)
        mirrored = lookup(reflection, source_y, source_x)
        grazing = below / self.focal
        fresnel = np.clip(0.06 + 0.94 * (1 - grazing) ** 7 * (1 - 0.12 * np.abs(waves)), 0, 1)[..., None]
        deep = color(16, 46, 52) + color(20, 44, 40) * np.clip(waves, -1, 2)[..., None] * 0.15
        return mix(deep, mirrored * 0.93, fresnel), distance


def draw_pines(width, height, seed):
    """Pines at the near shore: light [h, w, 3] and coverage [h, w]."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGBA", (width, height), (30, 38, 22, 0))
    pen = ImageDraw.Draw(image)
    unit = height / 1024
    for base_x, base_y, size in ((0.035, 0.93, 700), (0.115, 0.88, 430), (0.165, 0.90, 250), (0.955, 0.92, 560), (0.885, 0.89, 300)):
        x, y, size = base_x * width, base_y * height, size * unit
        lean = rng.normal() * 0.012
        for t in np.linspace(0, 1, 60):
            half = (1 - t) * size * 0.013 + 1
            pen.line([(x + lean * size * t - half, y - size * t), (x + lean * size * t + half, y - size * t)], fill=(58, 44, 32, 255), width=int(size / 58) + 1)
        count = int(110 + size / unit * 0.35)
        for t in np.sort(rng.uniform(0.10, 1.0, count)):
            reach = (1 - t) ** 0.8 * size * 0.21 * rng.uniform(0.55, 1.1) + 4 * unit
            side = rng.uniform(-1, 1)
            bx, by = x + lean * size * t, y - size * t
            ex, ey = bx + side * reach, by + reach * (0.30 - 0.25 * t) * (1.2 - abs(side) * 0.5)
            for s in np.linspace(0.08, 1, int(10 + reach / unit / 4)):
                px, py = mix(bx, ex, s), mix(by, ey, s) + 6 * unit * s * s
                for _ in range(3):
                    length = rng.uniform(5, 13) * unit * (0.6 + 0.6 * (1 - t))
                    turn = rng.uniform(-1.1, 1.1) + (0.0 if side > 0 else math.pi)
                    sunny = np.clip(0.45 - 0.5 * side * s + rng.normal() * 0.22, 0, 1)
                    shade = tuple(int(v) for v in mix(np.array([18, 30, 18]), np.array([96, 112, 48]), sunny))
                    pen.line([(px, py), (px + length * math.cos(turn), py + length * abs(math.sin(turn)) * 0.8 + 2 * unit)], fill=shade + (255,), width=max(1, int(1.6 * unit)))
    rgba = np.asarray(image) / 255.0
    return rgba[..., :3] ** 2.2 * 1.35, rgba[..., 3]


def near_bank(width, height, seed):
    """Grass at the lower edge: light and coverage."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGBA", (width, height), (70, 76, 34, 0))
    pen = ImageDraw.Draw(image)
    unit = height / 1024
    x = np.arange(width)
    edge = height * (0.935 - 0.05 * np.abs(x / width - 0.52) ** 1.2 * 2) + 16 * unit * np.interp(x, np.linspace(0, width, 40), rng.normal(size=40))
    blades = [(rng.uniform(edge[c] - 4 * unit, height + 30 * unit), c) for c in rng.integers(0, width, 15000)]
    for by, bx in sorted(blades):
        near = (by - height * 0.87) / (height * 0.15)
        length = rng.gamma(6, 5) * unit * (0.5 + 0.8 * near)
        bend = rng.normal(0.1, 0.28)
        tone = np.clip(rng.normal(0.5, 0.25), 0, 1)
        dry = rng.random() < 0.22
        shade = mix(np.array([34, 44, 18]), np.array([176, 160, 96]) if dry else np.array([128, 146, 58]), tone)
        middle = (bx + bend * length * 0.3, by - length * 0.6)
        pen.line([(bx, by), middle, (bx + bend * length, by - length)], fill=tuple(int(v) for v in shade) + (255,), width=max(1, int(round(rng.uniform(1.2, 2.6) * unit * (0.6 + 0.7 * near)))))
    rgba = np.asarray(image) / 255.0
    return rgba[..., :3] ** 2.2 * 1.3, rgba[..., 3]


def lake():
    width, height, eye = 768 * SCALE, 512 * SCALE, 14.0
    view = LakeView(width, height)
    picture, distance = view.render(eye)
    reflection, _ = view.render(-eye)
    water, water_distance = view.water(eye, reflection)
    below = (np.arange(height) + 0.5 > view.HORIZON * height)[:, None]
    wet = below & ~(distance < water_distance)
    picture = np.where(wet[..., None], water, picture)
    for light, cover in (draw_pines(width, height, 41), near_bank(width, height, 42)):
        picture = mix(picture, light, cover[..., None])
    return Image.fromarray(develop(shrink(picture), 1, exposure=0.95))


# ---- bakery: bricks, a window, a painted sign, the shade of a tree -----------------------------------------


def bricks(width, height):
    """Height map and colour of a wall."""
    rng = np.random.default_rng(51)
    bw, bh, gap = 132, 46, 7
    y, x = np.mgrid[0:height, 0:width].astype(float)
    wobble = fractal((height, width), 1.6, 52, 6)
    y, x = y + 2.2 * wobble, x + 2.2 * np.roll(wobble, 300, 1)
    row = np.floor(y / bh).astype(int)
    shifted = x + (row % 2) * bw / 2 + 9 * np.sin(row * 12.9)
    column = np.floor(shifted / bw).astype(int)
    inside = np.minimum(np.minimum(y % bh, bh - y % bh), np.minimum(shifted % bw, bw - shifted % bw)) - gap / 2
    solid = smoothstep(-1.5, 4.0, inside + 1.4 * fractal((height, width), 0.9, 53, 30))
    tint = rng.normal(size=(64, 64, 3)) * np.array([0.10, 0.08, 0.08]) + rng.normal(size=(64, 64, 1)) * 0.20
    tint = np.exp(tint)[row % 64, column % 64]
    grain = fractal((height, width), 0.75, 54, 20)
    stains = fractal((height, width), 1.7, 55, 2)
    clay = color(150, 92, 72) * tint * (1 + 0.13 * grain[..., None])
    dark = rng.random((64, 64)) < 0.10
    clay = np.where(dark[row % 64, column % 64][..., None], clay * 0.55, clay)
    mortar = color(176, 166, 150) * (1 + 0.10 * grain[..., None])
    surface = mix(mortar, clay, solid[..., None]) * (1 + 0.10 * stains[..., None])
    relief = 5.5 * solid + 0.5 * grain + rng.normal(size=(64, 64))[row % 64, column % 64] * 0.8 * solid
    return relief, surface


def leaf_shade(width, height):
    """Sunlight that comes through a tree: discs of light between leaves."""
    leaves = fractal((height, width), 1.05, 61, 5) + 0.9 * fractal((height, width), 2.0, 62, 1)
    y, x = np.mgrid[0:1:height * 1j, 0:1:width * 1j]
    dense = 1.9 * smoothstep(0.62, 0.05, np.hypot((x - 0.02) * 1.1, (y - 0.0) * 0.8)) - 1.05
    return 1 - 0.82 * blur((leaves + 2.2 * dense > 0).astype(float), 4.0)


def window_light(width, height):
    """Panes that reflect a sky and dark houses, with a curtain and loaves behind them."""
    y, x = np.mgrid[0:1:height * 1j, 0:1:width * 1j]
    warp = fractal((height, width), 1.9, 71, 1) * 0.012
    sky = mix(np.array([0.62, 0.70, 0.80]), np.array([0.24, 0.38, 0.60]), smoothstep(0.55, 0.0, y + warp)[..., None])
    sky = sky + 0.35 * smoothstep(0.2, 1.6, fractal((height, width), 1.8, 72, 2))[..., None]
    steps = np.array([0.42, 0.36, 0.36, 0.5, 0.46, 0.58, 0.40, 0.40, 0.52, 0.47])
    roof = steps[np.clip(((x + warp) * 10).astype(int), 0, 9)] + 0.0 * x
    outside = np.where((y + warp > roof)[..., None], color(58, 54, 54) * (1.2 - 0.5 * y[..., None]), sky)
    inside = color(150, 104, 56) * (0.35 + 0.5 * smoothstep(1.0, 0.2, y))[..., None] + 0 * sky
    shelf = np.abs(y - 0.80) < 0.012
    inside = np.where(shelf[..., None], color(190, 140, 84), inside)
    rng = np.random.default_rng(73)
    crust = fractal((height, width), 1.1, 74, 8)
    for i in range(7):
        cx, cy, rx, ry = 0.09 + 0.137 * i + rng.normal() * 0.008, 0.725, 0.062 + rng.normal() * 0.003, 0.066
        dx, dy = (x - cx) / rx, (y - cy) / ry
        r2 = dx * dx + dy * dy
        facing = np.sqrt(np.clip(1 - r2, 0, 1))
        cut = smoothstep(0.10, 0.03, np.abs(np.mod(dx * 2.2 + dy * 0.5, 1) - 0.5)) * (dy < 0.1)
        loaf = mix(color(186, 112, 48), color(236, 200, 140), cut[..., None]) * (0.35 + 0.9 * np.clip(facing - 0.4 * dy, 0, 2) + 0.10 * crust)[..., None]
        inside = mix(inside, loaf, smoothstep(1.02, 0.97, r2)[..., None])
    fold = 0.6 + 0.4 * np.sin(x * 75 + 3 * np.sin(y * 3) + 1.5 * np.sin(x * 21))
    curtain = color(232, 226, 212) * (0.45 + 0.45 * fold)[..., None]
    hem = smoothstep(0.012, 0, y - (0.27 + 0.012 * np.cos(x * 120)))
    inside = mix(inside, curtain, (hem * 0.95)[..., None])
    return 0.30 * outside + 0.80 * inside


def bevel(width, height, border):
    """Height map of a board with rounded edges."""
    y, x = np.mgrid[0:height, 0:width]
    edge = np.minimum(np.minimum(x, width - 1 - x), np.minimum(y, height - 1 - y))
    return smoothstep(0, border, edge)


def paint_text(width, height, lines):
    image = Image.new("L", (width, height), 0)
    pen = ImageDraw.Draw(image)
    for text, size, cy in lines:
        pen.text((width / 2, height * cy), text, fill=255, font=ImageFont.truetype(FONT, size), anchor="mm")
    return np.asarray(image) / 255.0


def wood(width, height, seed):
    grain = fractal((height, width), 1.2, seed, 2)
    y, x = np.mgrid[0:height, 0:width].astype(float)
    lines = lookup(fractal((512, 512), 0.7, seed + 1, 4), y * 1.1 + 6 * grain, x * 0.02)
    return lines


def bakery():
    width, height = 768 * SCALE, 512 * SCALE
    relief, surface = bricks(width, height)
    gloss = np.zeros((height, width))

    # The window: a frame that stands out, panes that lie deep.
    wx, wy, ww, wh, frame, bar = 560, 250, 840, 560, 34, 22
    panes = window_light(ww, wh)
    frame_mask, board = np.zeros((wh, ww)), bevel(ww, wh, 10)
    frame_mask[:frame], frame_mask[-frame:], frame_mask[:, :frame], frame_mask[:, -frame:] = 1, 1, 1, 1
    for i in (1, 2):
        frame_mask[:, ww * i // 3 - bar // 2:ww * i // 3 + bar // 2] = 1
    frame_mask[int(wh * 0.36) - bar // 2:int(wh * 0.36) + bar // 2] = 1
    rounded = smoothstep(0.2, 0.9, blur(frame_mask, 3.0))
    paint = color(52, 96, 92) * (1 + 0.12 * wood(ww, wh, 81))[..., None]
    area = (slice(wy, wy + wh), slice(wx, wx + ww))
    relief[area] = 14 * rounded * board + 0.25 * wood(ww, wh, 81) * frame_mask
    surface[area] = np.where(frame_mask[..., None] > 0, paint, 0)
    gloss[area] = 1 - frame_mask
    sill = (slice(wy + wh, wy + wh + 44), slice(wx - 40, wx + ww + 40))
    relief[sill] = 16 * bevel(ww + 80, 44, 12) + 0.4 * fractal((44, ww + 80), 0.8, 83, 4)
    surface[sill] = color(186, 178, 164) * (1 + 0.08 * fractal((44, ww + 80), 1.0, 84, 3))[..., None]

    # The sign: letters painted on old boards.
    sx, sy, sw, sh = 500, 52, 960, 150
    text = paint_text(sw, sh, (("GLINT  BAKERY", 92, 0.43), ("Bread & cakes · since 1897 · daily from six o’clock", 27, 0.84)))
    worn = smoothstep(-1.9, -1.1, fractal((sh, sw), 0.9, 91, 8))
    planks = smoothstep(1.0, 3.5, np.abs(np.mod(np.arange(sh) + 0.5, 50) - 25) * -1 + 25)[:, None]
    boards = color(32, 44, 60) * (1 + 0.16 * wood(sw, sh, 92))[..., None] * (0.55 + 0.45 * planks[..., None])
    area = (slice(sy, sy + sh), slice(sx, sx + sw))
    surface[area] = mix(boards, color(238, 214, 150), (text * worn)[..., None])
    relief[area] = 12 * bevel(sw, sh, 8) + 1.2 * planks + 0.3 * wood(sw, sh, 92) + 0.5 * text

    # Cobbles under the wall.
    ground_y = 908
    surface[ground_y:], relief[ground_y:] = cobbles(width, height - ground_y)

    light = shade_relief(relief, surface, leaf_shade(width, height))
    glass = np.zeros_like(light)
    glass[wy:wy + wh, wx:wx + ww] = panes * (0.5 + 0.5 * leaf_shade(ww, wh)[..., None])
    inner = smoothstep(0, 26, np.minimum(*(np.maximum(v, 0) for v in pane_edges(gloss))))[..., None]
    light = np.where(gloss[..., None] > 0, glass * (0.45 + 0.55 * inner), light)
    ivy_light, cover, drop = ivy(width, height)
    light = mix(light * (1 - 0.5 * drop[..., None]), ivy_light, cover[..., None])
    return Image.fromarray(develop(shrink(blur(light, 0.7)), 2, grain=0.007, exposure=0.95))


def pane_edges(gloss):
    """How far each glass pixel is from the frame above and to the left, which shade it."""
    down, right = np.zeros_like(gloss), np.zeros_like(gloss)
    for y in range(1, gloss.shape[0]):
        down[y] = (down[y - 1] + 1) * gloss[y]
    for x in range(1, gloss.shape[1]):
        right[:, x] = (right[:, x - 1] + 1) * gloss[:, x]
    return down, right


def cobbles(width, height):
    rng = np.random.default_rng(101)
    y, x = np.mgrid[0:height, 0:width].astype(float)
    depth = 1 + y / height * 1.1  # rows widen towards the viewer
    v, u = np.log(depth) * 7.5, (x - width / 2) / depth / 62
    v, u = v + 0.07 * fractal((height, width), 1.5, 102, 5), u + 0.07 * fractal((height, width), 1.5, 103, 5)
    row = np.floor(v).astype(int)
    u = u + 0.5 * (row % 2)
    column = np.floor(u).astype(int)
    r = ((np.abs(u % 1 - 0.5) / 0.5) ** 3 + (np.abs(v % 1 - 0.5) / 0.5) ** 3)
    dome = np.clip(1.05 - r, 0, 1) ** 0.5
    tone = np.exp(rng.normal(size=(32, 64)) * 0.22)[row % 32, column % 64]
    grain = fractal((height, width), 0.7, 104, 10)
    stone = color(124, 120, 116) * (tone * (1 + 0.12 * grain))[..., None]
    return mix(color(70, 62, 50) + 0 * stone, stone, smoothstep(0, 0.3, dome)[..., None]), 9 * dome + 0.5 * grain


def shade_relief(relief, surface, through):
    sun = np.array([-0.55, -0.55, 0.63])  # right, down, towards the viewer
    gy, gx = np.gradient(relief)
    normal = np.stack([-gx, -gy, np.ones_like(gx)], 2) / np.sqrt(1 + gx * gx + gy * gy)[..., None]
    facing = np.clip(normal @ sun, 0, 1)
    clear = np.full(relief.shape, 9.0)
    for step in range(1, 28):
        dy, dx = (int(round(v * step / 0.78)) for v in (sun[1], sun[0]))
        blocker = np.roll(relief, (-dy, -dx), (0, 1))
        clear = np.minimum(clear, relief + step * 0.62 - blocker)
    lit = facing * smoothstep(-0.8, 0.8, clear) * through
    hollow = 0.75 + 0.25 * np.tanh((relief - blur(relief, 9)) / 4)
    return surface * (lit[..., None] * np.array([2.7, 2.35, 1.9]) + hollow[..., None] * np.array([0.34, 0.40, 0.50]))


def ivy(width, height):
    """Climbing leaves at the left: light, coverage, and the shadow that they drop on the wall."""
    rng = np.random.default_rng(111)
    image = Image.new("RGBA", (width, height), (40, 60, 24, 0))
    pen = ImageDraw.Draw(image)
    spots = []
    for _ in range(26):
        x, y = rng.uniform(-20, 420), height * 0.93
        while y > rng.uniform(-60, 460):
            spots += [(x + rng.normal() * 34, y + rng.normal() * 26) for _ in range(3)]
            x, y = x + rng.normal() * 17 - 0.012 * (x - 150), y - rng.uniform(9, 22)
    rng.shuffle(spots)
    outline = np.array([(0, -1.0), (0.28, -0.52), (0.86, -0.38), (0.52, 0.04), (0.62, 0.62), (0.16, 0.46), (0, 0.62), (-0.16, 0.46),
                        (-0.62, 0.62), (-0.52, 0.04), (-0.86, -0.38), (-0.28, -0.52)])
    for i, (x, y) in enumerate(spots):
        size, turn = rng.uniform(13, 27), math.pi + rng.normal() * 0.7
        spin = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
        points = outline @ spin.T * size * np.array([1, rng.uniform(0.75, 1)]) + (x, y)
        depth = 0.30 + 0.70 * i / len(spots)
        tone = np.clip(rng.normal(0.5, 0.2), 0, 1)
        green = mix(np.array([48, 84, 34]), np.array([140, 168, 70]), tone) if rng.random() > 0.02 else np.array([150, 104, 52])
        pen.polygon([tuple(p) for p in points], fill=tuple(int(v * depth) for v in green) + (255,))
        for tip in (0, 2, 4, 8, 10):
            pen.line([(x, y), tuple(mix(points[tip], np.array([x, y]), 0.15))], fill=tuple(int(min(255, v * depth * 1.22 + 8)) for v in green) + (255,), width=2)
        pen.line([tuple(p) for p in points[-3:]] + [tuple(points[0])], fill=tuple(int(min(255, v * depth * 1.35)) for v in green) + (255,), width=2)
    rgba = np.asarray(image) / 255.0
    cover = rgba[..., 3]
    texture = 1 + 0.10 * fractal((height, width), 0.9, 112, 10)
    through = leaf_shade(width, height)
    light = rgba[..., :3] ** 2.2 * (texture * (0.55 + 1.05 * through))[..., None]
    drop = blur(np.roll(cover, (26, 22), (0, 1)), 5.0)
    return light, cover, drop * through


# ---- pebbles: polished stones cut out with their soft shadow ------------------------------------------------


def stone_surface(kind, p):
    """Colour of polished stone at points p [..., 3] of its own space."""
    y, x = p[..., 1] * 90 + p[..., 2] * 37, p[..., 0] * 90 + p[..., 2] * 61
    slow, fast = (lookup(fractal((512, 512), s, 121 + kind * 7 + i, 3), y, x) for i, s in enumerate((1.7, 0.8)))
    if kind == 0:  # agate: bands
        band = 0.5 + 0.5 * np.sin(9 * (p[..., 1] + 0.35 * p[..., 0]) + 2.2 * slow)
        fine = 0.5 + 0.5 * np.sin(61 * (p[..., 1] + 0.35 * p[..., 0]) + 6.6 * slow)
        tone = mix(color(150, 60, 34), color(236, 190, 140), band[..., None])
        return mix(tone, color(250, 236, 216), (0.45 * fine * band)[..., None]) * (1 + 0.05 * fast[..., None])
    if kind == 1:  # granite: specks
        speck = smoothstep(0.6, 1.3, fast)[..., None]
        dark = smoothstep(0.7, 1.2, -fast + 0.2 * slow)[..., None]
        return mix(mix(color(138, 140, 146) * (1 + 0.1 * slow[..., None]), color(222, 220, 214), speck), color(38, 38, 44), dark)
    if kind == 2:  # jade: clouds and veins
        vein = smoothstep(0.10, 0.0, np.abs(slow + 0.25 * fast - 0.3))[..., None]
        return mix(mix(color(38, 96, 72), color(112, 160, 116), smoothstep(-1.5, 1.5, slow)[..., None]), color(210, 222, 196), 0.7 * vein)
    vein = smoothstep(0.16, 0.0, np.abs(slow))[..., None]  # slate with quartz
    return mix(color(52, 58, 72) * (1 + 0.22 * fast[..., None]), color(232, 228, 222), vein)


def pebbles():
    width, height = 421 * SCALE, 317 * SCALE
    v, u = np.mgrid[0:height, 0:width].astype(float)
    u, v = (u + 0.5 - width / 2) / height * 2, (v + 0.5 - height / 2) / height * 2  # u right, v down
    sun = np.array([-0.50, -0.62, 0.60])
    sun /= np.linalg.norm(sun)
    half = sun + np.array([0, 0, 1.0])
    half /= np.linalg.norm(half)
    stones = ((-0.62, 0.30, 0.52, 0.40, 0.30, 0), (0.60, 0.34, 0.50, 0.42, 0.28, 1), (0.02, -0.28, 0.58, 0.42, 0.42, 2),
              (0.02, 0.58, 0.34, 0.26, 0.34, 3))
    light, alpha = np.zeros((height, width, 3)), np.zeros((height, width))
    for cx, cy, rx, ry, rz, kind in stones:
        turn = 0.35 * math.sin(5.0 * kind + 1)
        du, dv = u - cx, v - cy
        a, b = (du * math.cos(turn) + dv * math.sin(turn)) / rx, (dv * math.cos(turn) - du * math.sin(turn)) / ry
        shape = np.abs(a) ** 2.3 + np.abs(b) ** 2.3
        # Its shadow falls to the lower right and softens away from the stone.
        sa, sb = a - 0.16, b - 0.26
        shadow = 0.62 * smoothstep(1.55, 0.55, np.abs(sa) ** 2.2 + np.abs(sb) ** 2.2)
        light = light * (1 - shadow)[..., None]
        alpha = alpha + (1 - alpha) * shadow
        c = np.sqrt(np.clip(1 - shape, 0, 1))
        na, nb = np.sign(a) * np.abs(a) ** 1.3 / rx, np.sign(b) * np.abs(b) ** 1.3 / ry
        normal = np.stack([na * math.cos(turn) - nb * math.sin(turn), na * math.sin(turn) + nb * math.cos(turn), c / rz], 2)
        normal /= np.linalg.norm(normal, axis=2, keepdims=True) + 1e-9
        surface = stone_surface(kind, np.stack([a, b, c], 2) * 0.8 + kind)
        facing = np.clip(normal @ sun, 0, 1)[..., None]
        up = (0.55 - 0.45 * normal[..., 1])[..., None]
        bounce = np.clip(normal[..., 1], 0, 1)[..., None]
        stone = surface * (facing * np.array([1.55, 1.42, 1.20]) + up * np.array([0.26, 0.32, 0.42]) + bounce * 0.10)
        mirror = np.clip(normal @ half, 0, 1)[..., None]
        stone += 0.9 * mirror ** 180 + 0.10 * mirror ** 18
        stone += 0.16 * ((1 - np.clip(normal[..., 2], 0, 1)) ** 3)[..., None] * np.array([0.8, 0.9, 1.0])
        inside = smoothstep(1.012, 0.988, shape)
        light = mix(light, stone, inside[..., None])
        alpha = alpha + (1 - alpha) * inside
    alpha8 = np.rint(np.clip(shrink(alpha), 0, 1) * 255).astype(np.uint8)
    rgb = develop(shrink(light), 3, grain=0.004, exposure=1.0)
    rgb[alpha8[..., 0] == 0] = 0
    return Image.fromarray(np.dstack([rgb, alpha8]))


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("names", nargs="*", default=["lake", "bakery", "pebbles"])
    ap.add_argument("--out", default=os.path.dirname(os.path.abspath(__file__)))
    args = ap.parse_args()
    for name in args.names:
        path = os.path.join(args.out, name + ".png")
        {"lake": lake, "bakery": bakery, "pebbles": pebbles}[name]().save(path, optimize=True)
        print(path, os.path.getsize(path))


if __name__ == "__main__":
    main()
