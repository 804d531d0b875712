"""Charts: bars, lines, areas, dots, pies, heat maps."""
import math

import numpy as np

from drawn.canvas import Canvas, TABLEAU, WORDS


def axes(c, left, top, width, height, ink="#222222", grid="#dddddd"):
    c.centred(c.width / 2, 12, c.words(5), "bold", 16, ink)
    for i in range(6):
        y = top + height * i // 5
        c.draw.line((left, y, left + width, y), fill=grid)
        c.text(left - 38, y - 7, f"{100 - 20 * i:>4}", "sans", 11, ink)
    c.draw.line((left, top, left, top + height, left + width, top + height), fill=ink)
    for i in range(7):
        x = left + width * i // 6
        c.draw.line((x, top + height, x, top + height + 4), fill=ink)
        c.centred(x, top + height + 7, str(2012 + 2 * i), "sans", 11, ink)


def legend(c, x, y, count, ink="#222222", back="#ffffff"):
    c.box(x, y, 120, 18 * count + 10, back, "#999999")
    for i in range(count):
        c.box(x + 8, y + 8 + 18 * i, 14, 10, TABLEAU[i])
        c.text(x + 28, y + 5 + 18 * i, c.pick(WORDS), "sans", 11, ink)


def bar_chart(seed, size):
    c = Canvas(seed, *size)
    left, top, width, height = 60, 50, c.width - 90, c.height - 100
    axes(c, left, top, width, height)
    for group in range(8):
        for i in range(4):
            value = int(height * c.rng.uniform(0.1, 0.95))
            wide = width // 44
            c.box(left + 14 + group * width // 8 + i * (wide + 1), top + height - value, wide, value, TABLEAU[i])
    legend(c, left + width - 130, top + 8, 4)
    return c.image


def line_chart(seed, size, dark=False, filled=False):
    ink = "#dddddd" if dark else "#222222"
    c = Canvas(seed, *size, "#1c1f26" if dark else "#ffffff")
    left, top, width, height = 60, 50, c.width - 90, c.height - 100
    axes(c, left, top, width, height, ink, "#3a3f4b" if dark else "#dddddd")
    steps = np.cumsum(c.rng.normal(0, 0.05, (5, 80)), 1)
    levels = np.sort((steps - steps.min()) / np.ptp(steps) * 0.9 + 0.05, 0)[::-1]

    def paint(draw, scale):
        for i, level in enumerate(levels):
            points = [((left + width * k / 79) * scale, (top + height * (1 - v)) * scale) for k, v in enumerate(level)]
            if filled:
                bottom = (top + height - 1) * scale
                draw.polygon(points + [(points[-1][0], bottom), (points[0][0], bottom)], fill=TABLEAU[i])
            draw.line(points, fill=TABLEAU[i], width=2 * scale, joint="curve")
    c.smooth_shapes(paint)
    legend(c, left + 16, top + 8, 5, ink, "#1c1f26" if dark else "#ffffff")
    return c.image


def scatter_chart(seed, size):
    c = Canvas(seed, *size)
    left, top, width, height = 60, 50, c.width - 90, c.height - 100
    axes(c, left, top, width, height)
    middles = c.rng.uniform(0.2, 0.8, (4, 2))

    def paint(draw, scale):
        for i, middle in enumerate(middles):
            for px, py in np.clip(c.rng.normal(middle, 0.09, (140, 2)), 0.01, 0.99):
                x, y, r = (left + px * width) * scale, (top + py * height) * scale, 3 * scale
                draw.ellipse((x - r, y - r, x + r, y + r), fill=TABLEAU[i], outline="#ffffff", width=scale // 2)
    c.smooth_shapes(paint)
    legend(c, left + width - 130, top + 8, 4)
    return c.image


def pie_chart(seed, size):
    c = Canvas(seed, *size, "#fafafa")
    shares = c.rng.dirichlet(np.full(8, 2.0)) * 360
    radius, x, y = c.height * 0.36, c.width * 0.42, c.height * 0.54

    def paint(draw, scale):
        start = 0
        for i, share in enumerate(shares):
            area = [v * scale for v in (x - radius, y - radius, x + radius, y + radius)]
            draw.pieslice(area, start, start + share, fill=TABLEAU[i], outline="#ffffff", width=2 * scale)
            start += share
    c.smooth_shapes(paint)
    c.centred(c.width / 2, 12, c.words(4), "bold", 18)
    start = 0
    for share in shares:
        angle = math.radians(start + share / 2)
        c.centred(x + 0.7 * radius * math.cos(angle), y + 0.7 * radius * math.sin(angle) - 8, f"{share / 3.6:.1f}%",
                  "bold", 13, "#ffffff")
        start += share
    legend(c, c.width - 150, 80, 8)
    return c.image


def heat_map(seed, size, rows, columns, numbers):
    c = Canvas(seed, *size)
    values = c.rng.random((rows + 4, columns + 4))
    values = sum(values[i:i + rows, k:k + columns] for i in range(5) for k in range(5)) / 25
    values = (values - values.min()) / np.ptp(values)
    wide, tall = (c.width - 130) // columns, (c.height - 100) // rows
    c.centred(c.width / 2, 12, c.words(4), "bold", 16)
    ramp = np.array([(68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37)], np.float64)
    colour = lambda v: tuple(int(round(np.interp(4 * v, range(5), ramp[:, k]))) for k in range(3))
    for i in range(rows):
        if tall >= 12:
            c.text(8, 50 + tall * i + tall // 2 - 7, c.pick(WORDS)[:8], "sans", 11)
        for k in range(columns):
            c.box(70 + wide * k, 50 + tall * i, wide, tall, colour(values[i, k]))
            if numbers:
                c.centred(70 + wide * (k + 0.5), 50 + tall * i + tall // 2 - 7, f"{values[i, k]:.2f}", "sans", 11,
                          "#ffffff" if values[i, k] < 0.6 else "#000000")
    for y in range(c.height - 100):
        c.box(c.width - 40, 50 + y, 18, 1, colour(1 - y / (c.height - 100)))
    c.box(c.width - 40, 50, 18, c.height - 100, outline="#000000")
    return c.image


def dashboard(seed, size):
    c = Canvas(seed, *size, "#f3f4f6")
    for i, draw in enumerate((bar_chart, line_chart, scatter_chart, pie_chart)):
        x, y = (i % 2) * (c.width // 2) + 8, (i // 2) * (c.height // 2) + 8
        wide, tall = c.width // 2 - 16, c.height // 2 - 16
        c.image.paste(draw(100 * seed + i, (wide, tall)), (x, y))
        c.box(x, y, wide, tall, outline="#c5c9d0")
    return c.image
