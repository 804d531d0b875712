"""Drawn pictures of screens: windows, charts, and screens that were scaled."""
import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from . import lettering
from .artwork import flat, gradient
from .dice import BLACK, WHITE, canvas, colour, ink_and_paper, mixed, readable_on
from .pages import code, terminal, text


def windows(dice, side):
    """A desktop with windows above each other."""
    wall = dice.among((flat, gradient, lambda d, s: d.background(s)))(dice, side)
    draw = ImageDraw.Draw(wall)
    draw.fontmode = "L" if dice.chance(0.75) else "1"
    for _ in range(dice.whole(2, 6)):
        window(dice, draw, side)
    return wall


def window(dice, draw, side):
    left, top = dice.whole(-60, side - 80), dice.whole(-40, side - 80)
    right, bottom = left + dice.whole(side // 3, side), top + dice.whole(side // 4, side)
    ink, paper = ink_and_paper(dice)
    bar, accent = dice.whole(16, 34), colour(dice)
    round_corner = dice.among((0, 0, 6, 10))
    draw.rectangle((left + 4, top + 4, right + 5, bottom + 5), fill=mixed(paper, BLACK, 0.6))
    draw.rounded_rectangle((left, top, right, bottom), round_corner, fill=paper, outline=ink)
    draw.rectangle((left + 1, top + round_corner, right - 1, top + bar), fill=accent)
    face = lettering.face(dice, dice.whole(9, 16))
    draw.text((left + 10, top + 3), face.words(dice, 2), font=face.font,
              fill=readable_on(dice, accent))
    for k in range(3):
        knob = right - 18 * (k + 1)
        draw.ellipse((knob, top + 4, knob + 10, top + 14), fill=colour(dice))
    y = top + bar + 6
    while y < bottom - 26:
        widget = dice.among((label, label, label, button, check_box, field, progress, rule, icons))
        widget(dice, draw, face, (left + 10, y, right - 10), (ink, paper, accent))
        y += max(22, round(face.size * 1.6))


# Widgets: place is (left, top, right), shades are (ink, paper, accent).

def label(dice, draw, face, place, shades):
    left, y, right = place
    draw.text((left, y), face.line(dice, (right - left) * dice.real(0.3, 0.9)), font=face.font,
              fill=shades[0])


def button(dice, draw, face, place, shades):
    left, y, _ = place
    word = face.word(dice)
    box = (left, y, left + face.width(word) + 16, y + face.size + 6)
    draw.rounded_rectangle(box, dice.among((0, 3, 6)), fill=shades[2], outline=shades[0])
    draw.text((left + 8, y + 2), word, font=face.font, fill=readable_on(dice, shades[2]))


def check_box(dice, draw, face, place, shades):
    left, y, _ = place
    draw.rectangle((left, y + 2, left + 11, y + 13), outline=shades[0])
    if dice.chance(0.5):
        draw.line((left + 2, y + 7, left + 5, y + 11, left + 10, y + 3), fill=shades[2], width=2)
    draw.text((left + 18, y), face.words(dice, 2), font=face.font, fill=shades[0])


def field(dice, draw, face, place, shades):
    left, y, right = place
    inside = mixed(shades[1], WHITE, 0.5)
    draw.rectangle((left, y, right, y + face.size + 5), fill=inside, outline=shades[0])
    draw.text((left + 4, y + 2), face.word(dice), font=face.font, fill=readable_on(dice, inside))


def progress(dice, draw, face, place, shades):
    left, y, right = place
    draw.rectangle((left, y + 4, right, y + 12), fill=mixed(shades[0], shades[1], 0.7))
    draw.rectangle((left, y + 4, left + (right - left) * dice.real(0, 1), y + 12), fill=shades[2])


def rule(dice, draw, face, place, shades):
    left, y, right = place
    draw.line((left, y + 8, right, y + 8), fill=mixed(shades[0], shades[1], 0.6))


def icons(dice, draw, face, place, shades):
    left, y, right = place
    for x in range(left, min(right - 16, left + 22 * dice.whole(2, 9)), 22):
        draw.rounded_rectangle((x, y, x + 16, y + 16), 3, fill=colour(dice))
        draw.ellipse((x + 4, y + 4, x + 12, y + 12), fill=colour(dice))


def chart(dice, side):
    """Bars, curves, points or a pie, with axes, numbers, a title."""
    ink, paper = ink_and_paper(dice)
    image, draw = canvas(dice, side, paper)
    face = lettering.face(dice, dice.whole(9, 16), "latin")
    draw.text((side // 4, 4), face.words(dice, 4), font=face.font, fill=ink)
    series = [readable_on(dice, paper) for _ in range(dice.whole(1, 5))]
    box = (46, 28, side - 14, side - 40)
    if dice.chance(0.2):
        pie(dice, draw, box, ink)
        return image
    axes(dice, draw, face, box, ink, paper)
    for k, shade in enumerate(series):
        dice.among((bars, curve, curve, dots))(dice, draw, box, shade, k / len(series))
        draw.rectangle((60 + 90 * k, side - 16, 70 + 90 * k, side - 6), fill=shade)
        draw.text((74 + 90 * k, side - 20), face.word(dice), font=face.font, fill=ink)
    return image


def axes(dice, draw, face, box, ink, paper):
    left, top, right, bottom = box
    count = dice.whole(4, 11)
    for k in range(count + 1):
        y = bottom + (top - bottom) * k // count
        draw.line((left, y, right, y), fill=mixed(ink, paper, 0.8))
        draw.text((4, y - face.size // 2), str(k * 50), font=face.font, fill=ink)
    draw.line((left, top, left, bottom, right, bottom), fill=ink)


def series_points(dice, box):
    """Points of a random walk that fills the box."""
    left, top, right, bottom = box
    values = np.cumsum(dice.random.normal(0, 1, dice.whole(4, 60)))
    values = (values - values.min()) / max(1e-6, np.ptp(values))
    return [(left + 6 + (right - left - 12) * k / (len(values) - 1), bottom - (bottom - top) * v)
            for k, v in enumerate(values.tolist())]


def bars(dice, draw, box, shade, shift):
    points = series_points(dice, box)
    width = (box[2] - box[0]) / len(points)
    for x, y in points:
        start = x + width * (shift - 0.5)
        draw.rectangle((start, y, start + max(1, width * 0.3), box[3]), fill=shade)


def curve(dice, draw, box, shade, shift):
    draw.line(series_points(dice, box), fill=shade, width=dice.whole(1, 5))


def dots(dice, draw, box, shade, shift):
    size = dice.real(1.5, 5)
    for x, y in series_points(dice, box):
        draw.ellipse((x - size, y - size, x + size, y + size), fill=shade)


def pie(dice, draw, box, ink):
    angle = dice.real(0, 360)
    parts = dice.random.dirichlet(np.ones(dice.whole(2, 9))) * 360
    for part in parts.tolist():
        draw.pieslice(box, angle, angle + part, fill=colour(dice), outline=ink)
        angle += part


def scaled(dice, side):
    """A screen that a viewer or a browser has made larger or smaller, and sometimes soft."""
    factor = dice.among((0.5, 0.67, 0.75, 0.8, 1.25, 1.5, 2.0, dice.real(0.5, 2)))
    screen = dice.among((text, terminal, code, windows, chart))(dice, round(side / factor))
    how = dice.among((Image.BILINEAR, Image.BICUBIC, Image.BICUBIC, Image.LANCZOS, Image.NEAREST))
    screen = screen.resize((side, side), how)
    if dice.chance(0.2):
        screen = screen.filter(ImageFilter.GaussianBlur(dice.real(0.3, 1.5)))
    return screen
