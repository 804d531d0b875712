"""Drawn pictures of letters: pages of text, terminals, source text, captions on photographs."""
from PIL import ImageDraw

from . import lettering
from .dice import BLACK, WHITE, canvas, colour, ink_and_paper, luma, mixed, readable_on

TEXT_SIZES = (8, 9, 10, 11, 11, 12, 12, 13, 14, 14, 15, 16, 18, 20, 24, 30, 40)


def text(dice, side):
    """A page in any script and size, in one to three columns."""
    ink, paper = ink_and_paper(dice)
    image, draw = canvas(dice, side, paper)
    face = lettering.face(dice, dice.among(TEXT_SIZES))
    columns = 1 if face.size > 16 else dice.among((1, 1, 1, 2, 3))
    width = side // columns
    for column in range(columns):
        left = column * width + dice.whole(4, 16)
        fill_column(dice, draw, face, (ink, paper), (left, width - 20), side)
    return image


def fill_column(dice, draw, face, shades, column, side):
    """Paragraphs from above the picture to below it, some with a heading.

    shades: (ink, paper), column: (left, width)
    """
    ink, paper = shades
    y = -dice.whole(0, 3 * face.size)
    spacing = face.size * dice.real(1.15, 1.7)
    while y < side:
        heading = dice.chance(0.2)
        shown = face.resized(round(face.size * dice.real(1.2, 2))) if heading else face
        shade = readable_on(dice, paper) if dice.chance(0.15) else ink
        for _ in range(1 if heading else dice.whole(1, 9)):
            line_of_text(dice, draw, shown, shade, column, y)
            y += spacing * shown.size / face.size
        y += spacing * dice.real(0.2, 1)


def line_of_text(dice, draw, face, ink, column, y):
    left, width = column
    line = face.line(dice, width)
    if face.script in lettering.FROM_RIGHT:
        left += width - face.width(line)
    draw.text((left, y), line, font=face.font, fill=ink)
    if dice.chance(0.03):
        below = y + face.size * 1.15
        draw.line((left, below, left + face.width(line), below), fill=ink)


TERMINAL_COLOURS = [(0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0), (0, 0, 238), (205, 0, 205),
                    (0, 205, 205), (229, 229, 229), (127, 127, 127), (255, 0, 0), (0, 255, 0),
                    (255, 255, 0), (92, 92, 255), (255, 0, 255), (0, 255, 255), (255, 255, 255)]
TERMINAL_PAPERS = [(0, 0, 0), (0, 0, 0), (30, 30, 30), (0, 43, 54), (48, 10, 36), (40, 42, 54),
                   (255, 255, 255), (253, 246, 227)]


def terminal(dice, side):
    """Letters on a grid: prompts, listings, logs, a status bar in reversed colours."""
    paper = dice.among(TERMINAL_PAPERS)
    ink = (220, 220, 220) if luma(paper) < 128 else (40, 40, 40)
    image, draw = canvas(dice, side, paper)
    face = lettering.mono_face(dice, dice.among((9, 10, 11, 12, 13, 14, 16, 18)))
    draw.fontmode = "L" if dice.chance(0.6) else "1"
    height = round(face.size * 1.25)
    make = dice.among((listing_line, log_line, prompt_line))
    for y in range(2, side, height):
        parts = (prompt_line if dice.chance(0.15) else make)(dice)
        terminal_line(dice, draw, face, parts, y, paper, ink)
    if dice.chance(0.4):
        y = side - height
        draw.rectangle((0, y, side, side), fill=ink)
        draw.text((2, y), f"[{dice.whole(0, 9)}] {lettering.latin_word(dice)}*", font=face.font,
                  fill=paper)
    return image


def terminal_line(dice, draw, face, parts, y, paper, ink):
    """parts: [(text, whether in colour)]"""
    x = 2.0
    for part, coloured in parts:
        shade = dice.among(TERMINAL_COLOURS) if coloured else ink
        if abs(luma(shade) - luma(paper)) < 25:
            shade = ink
        draw.text((round(x), y), part, font=face.font, fill=shade)
        x += face.width(part)


def listing_line(dice):
    rights = "-" + "".join(c if dice.chance(0.6) else "-" for c in "rwxr-xr-x")
    size, day = dice.whole(0, 999999), dice.whole(1, 29)
    name = lettering.latin_word(dice) + dice.among(("", ".txt", ".cc", ".h", ".png", "/"))
    details = f"{rights} {dice.whole(1, 9)} root {size:7d} {day:2d} 12:{dice.whole(0, 60):02d} "
    return [(details, False), (name, dice.chance(0.5))]


def log_line(dice):
    level = dice.among(("INFO", "INFO", "DEBUG", "WARN", "ERROR"))
    stamp = f"{dice.whole(0, 24):02d}:{dice.whole(0, 60):02d}:{dice.whole(0, 60):02d}"
    message = " ".join(lettering.latin_word(dice) for _ in range(dice.whole(2, 10)))
    return [(stamp + " [", False), (level, True), ("] " + message, False)]


def prompt_line(dice):
    command = " ".join(lettering.latin_word(dice) for _ in range(dice.whole(1, 6)))
    return [("user@host", True), (":", False), ("~/" + lettering.latin_word(dice), True),
            ("$ " + command, False)]


CODE_WORDS = ("if", "else", "for", "while", "return", "const", "auto", "int", "def", "class",
              "import", "static", "void", "struct", "None", "true")
DARK_PAPERS = [(30, 30, 30), (39, 40, 34), (13, 17, 23)]
LIGHT_PAPERS = [WHITE, (250, 250, 245)]


def code(dice, side):
    """Source text: indented, in the colours of an editor, with line numbers, one line marked."""
    paper = dice.among(DARK_PAPERS if dice.chance(0.6) else LIGHT_PAPERS)
    image, draw = canvas(dice, side, paper)
    face = lettering.mono_face(dice, dice.among((9, 10, 11, 12, 13, 14, 16, 20)))
    shades = [readable_on(dice, paper) for _ in range(5)]
    height = round(face.size * dice.real(1.2, 1.5))
    gutter = round(face.width("0000 ")) if dice.chance(0.6) else 6
    marked = dice.whole(0, side)
    number, depth = dice.whole(1, 900), 0
    for y in range(2, side, height):
        if 0 <= marked - y < height:
            draw.rectangle((0, y, side, y + height), fill=mixed(paper, shades[0], 0.15))
        if gutter > 6:
            draw.text((2, y), f"{number:4d}", font=face.font, fill=mixed(paper, shades[0], 0.5))
        code_line(dice, draw, face, shades, gutter + depth * 4 * face.width(" "), y)
        number += 1
        depth = min(max(depth + dice.among((-1, 0, 0, 0, 1)), 0), 5)
    return image


def code_line(dice, draw, face, shades, x, y):
    """shades: of names, words of the language, numbers, strings, comments"""
    if dice.chance(0.12):
        return
    if dice.chance(0.12):
        comment = " ".join(dice.among(lettering.WORDS) for _ in range(6))
        draw.text((x, y), dice.among(("// ", "# ")) + comment, font=face.font, fill=shades[4])
        return
    for _ in range(dice.whole(1, 9)):
        token, shade = code_token(dice)
        draw.text((x, y), token, font=face.font, fill=shades[shade])
        x += face.width(token)


def code_token(dice):
    """(text, number of its shade)"""
    kind = dice.real(0, 1)
    if kind < 0.25:
        return dice.among(CODE_WORDS) + " ", 1
    if kind < 0.35:
        return f"{dice.whole(0, 1000)}, ", 2
    if kind < 0.42:
        return f'"{dice.among(lettering.WORDS)}"', 3
    name = dice.among(lettering.WORDS) + dice.among(("", "_", "s", "()"))
    return name + dice.among(("(", ")", " = ", ", ", ";", "[", "]", ".", " + ", " < ", "->")), 0


def text_on_photo(dice, side):
    """Captions, subtitles and marks over a photograph."""
    image = dice.background(side)
    draw = ImageDraw.Draw(image, "RGBA")
    for _ in range(dice.whole(1, 6)):
        face = lettering.face(dice, dice.whole(12, 64))
        x, y = dice.whole(-20, side // 2), dice.whole(0, side - 20)
        words, ink = face.words(dice, dice.whole(1, 5)), colour(dice)
        kind = dice.real(0, 1)
        if kind < 0.3:
            box = (x - 8, y - 4, x + face.width(words) + 8, y + face.size * 1.4)
            draw.rectangle(box, fill=BLACK + (dice.whole(90, 256),))
            draw.text((x, y), words, font=face.font, fill=WHITE)
        elif kind < 0.6:
            draw.text((x, y), words, font=face.font, fill=ink, stroke_width=dice.whole(1, 4),
                      stroke_fill=readable_on(dice, ink))
        else:
            draw.text((x, y), words, font=face.font, fill=ink + (dice.among((120, 255, 255)),))
    return image
