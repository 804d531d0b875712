"""Drawn pictures of lines and areas: line art, gradients, flat areas, saturated colours."""
import numpy as np
from PIL import Image, ImageDraw

from . import lettering
from .dice import canvas, colour, ink_and_paper, saturated_colour, to_image


def line_art(dice, side):
    """Strokes and outlined shapes, drawn at twice the size where edges are to be soft."""
    ink, paper = ink_and_paper(dice)
    times = 2 if dice.chance(0.6) else 1
    image, draw = canvas(dice, side * times, paper)
    width = dice.whole(1, 4) * times
    for _ in range(dice.whole(5, 50)):
        shade = ink if dice.chance(0.75) else colour(dice)
        dice.among((stroke, ellipse, polygon, bow, spline))(dice, draw, side * times, shade, width)
    return image.resize((side, side), Image.LANCZOS) if times > 1 else image


def box_of(dice, side):
    (a, b), (c, d) = dice.point(side), dice.point(side)
    return min(a, c), min(b, d), max(a, c) + 1, max(b, d) + 1


def stroke(dice, draw, side, shade, width):
    draw.line([dice.point(side) for _ in range(dice.whole(2, 5))], fill=shade, width=width)


def ellipse(dice, draw, side, shade, width):
    draw.ellipse(box_of(dice, side // 2), outline=shade, width=width,
                 fill=colour(dice) if dice.chance(0.2) else None)
    x, y = dice.point(side)
    r = dice.whole(3, side // 6)
    draw.ellipse((x - r, y - r, x + r, y + r), outline=shade, width=width)


def polygon(dice, draw, side, shade, width):
    x, y = dice.point(side)
    reach = side // 5
    corners = [(x + dice.whole(-reach, reach), y + dice.whole(-reach, reach))
               for _ in range(dice.whole(3, 7))]
    if dice.chance(0.3):
        draw.polygon(corners, fill=colour(dice))
    draw.line(corners + corners[:1], fill=shade, width=width)


def bow(dice, draw, side, shade, width):
    start = dice.whole(0, 360)
    draw.arc(box_of(dice, side), start, start + dice.whole(20, 300), fill=shade, width=width)


def spline(dice, draw, side, shade, width):
    """A cubic curve of Bezier."""
    t = np.linspace(0, 1, 60)[:, None]
    p = [np.array(dice.point(side)) for _ in range(4)]
    path = ((1 - t) ** 3 * p[0] + 3 * (1 - t) ** 2 * t * p[1] + 3 * (1 - t) * t ** 2 * p[2]
            + t ** 3 * p[3])
    draw.line([tuple(v) for v in path.tolist()], fill=shade, width=width)


def gradient(dice, side):
    """Smooth shades: in a direction, around a point, in waves; at times in steps or with noise."""
    y, x = np.mgrid[:side, :side] / side
    angle = dice.real(0, 2 * np.pi)
    kind = dice.real(0, 1)
    if kind < 0.5:
        along = x * np.cos(angle) + y * np.sin(angle)
    elif kind < 0.8:
        along = np.hypot(x - dice.real(0, 1), y - dice.real(0, 1))
    else:
        along = np.sin(dice.real(2, 9) * x + angle) * np.cos(dice.real(2, 9) * y)
    along = (along - along.min()) / np.ptp(along)
    stops = np.array([colour(dice) for _ in range(dice.among((2, 2, 2, 3, 4)))], float)
    places = np.linspace(0, 1, len(stops))
    samples = np.stack([np.interp(along, places, stops[:, c]) for c in range(3)], 2)
    if dice.chance(0.15):
        step = dice.among((8, 16, 32))
        samples = np.round(samples / step) * step
    if dice.chance(0.3):
        samples += dice.random.normal(0, dice.real(0.3, 4), samples.shape)
    return to_image(samples)


def flat(dice, side):
    """Areas of one colour with hard edges: a grid of them, or shapes upon each other."""
    if dice.chance(0.4):
        count = dice.among((1, 2, 3, 4, 8, 16))
        cells = np.array([colour(dice) for _ in range(count * count)], np.uint8)
        return Image.fromarray(cells.reshape(count, count, 3)).resize((side, side), Image.NEAREST)
    image = Image.new("RGB", (side, side), colour(dice))
    draw = ImageDraw.Draw(image)
    for _ in range(dice.whole(2, 20)):
        shape = dice.among((draw.rectangle, draw.ellipse))
        shape(box_of(dice, side), fill=colour(dice))
    return image


def saturated(dice, side):
    """Strong colours beside each other: stripes, discs, a rainbow, letters."""
    image, draw = canvas(dice, side, saturated_colour(dice))
    dice.among((stripes, discs, rainbow, posters))(dice, image, draw, side)
    return image


def stripes(dice, image, draw, side):
    x = 0
    while x < side:
        width = dice.whole(2, 80)
        draw.rectangle((x, 0, x + width - 1, side), fill=saturated_colour(dice))
        x += width


def discs(dice, image, draw, side):
    for _ in range(dice.whole(5, 40)):
        x, y = dice.point(side)
        r = dice.whole(4, side // 4)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=saturated_colour(dice))


def rainbow(dice, image, draw, side):
    turns = dice.real(0.3, 2)
    hue = np.broadcast_to(np.linspace(0, 255 * turns, side) % 256, (side, side)).astype(np.uint8)
    value = np.broadcast_to(np.linspace(255, dice.real(120, 255), side)[:, None], (side, side))
    full = np.full((side, side), 255)
    bands = Image.fromarray(np.stack([hue, full, value], 2).astype(np.uint8), "HSV").convert("RGB")
    image.paste(bands.rotate(dice.among((0, 90, 180, 270))))


def posters(dice, image, draw, side):
    y = -10
    while y < side:
        face = lettering.face(dice, dice.whole(14, 80))
        height = round(face.size * 1.4)
        draw.rectangle((0, y, side, y + height), fill=saturated_colour(dice))
        draw.text((dice.whole(-10, 40), y), face.words(dice, 5), font=face.font,
                  fill=saturated_colour(dice))
        y += height
