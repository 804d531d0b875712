"""Letters in rows: code, pages of text, tables, terminals."""
import numpy as np
from PIL import Image

from drawn.canvas import Canvas, WORDS, load_font, paragraph


THEMES = {"dark": ("#1e1e1e", "#d4d4d4", "#569cd6", "#ce9178", "#6a9955", "#b5cea8", "#858585", "#264f78"),
          "solar": ("#002b36", "#839496", "#859900", "#2aa198", "#586e75", "#d33682", "#586e75", "#073642"),
          "light": ("#ffffff", "#000000", "#0000ff", "#a31515", "#008000", "#098658", "#237893", "#add6ff")}


def code_line(c, depth):
    """The pieces of a line as (text, role): 1 plain, 2 keyword, 3 string, 4 comment, 5 number."""
    a, b, f = (c.pick(WORDS) for _ in range(3))
    number = str(c.rng.integers(1, 5000))
    kinds = (
        [("const ", 2), (f"int {a}_{b} = ", 1), (number, 5), (";", 1)],
        [("if ", 2), (f"({a}.{b}() < ", 1), (number, 5), (") {", 1)],
        [("for ", 2), ("(size_t i = ", 1), ("0", 5), (f"; i < {a}.size(); ++i) {{", 1)],
        [("return ", 2), (f"{f}({a}, ", 1), (f'"{b} {a}"', 3), (");", 1)],
        [(f"// {c.words(int(c.rng.integers(4, 10)))}.", 4)],
        [(f"{a}->{f}({b}[i], ", 1), (number, 5), (f", &{b});", 1)],
        [("}", 1)], [("auto ", 2), (f"{a} = std::make_unique<{b.capitalize()}>();", 1)])
    return [("  " * depth, 1)] + kinds[c.rng.integers(len(kinds))]


def code(seed, size, theme, font, point, smooth="grey"):
    colours = THEMES[theme]
    c = Canvas(seed, *size, colours[0], smooth)
    step, advance, depth = round(point * 1.35), load_font(font, point).getlength("0"), 0
    c.box(0, step * 7, c.width, step, colours[7])
    for row in range(c.height // step + 1):
        c.text(4, row * step, f"{row + 120:>4}", font, point, colours[6])
        at = 6
        pieces = code_line(c, depth) if c.rng.random() > 0.08 else []
        for text, role in pieces:
            if text.strip():
                shift = len(text) - len(text.lstrip())
                c.text(round((at + shift) * advance), row * step, text.strip(), font, point, colours[role])
            at += len(text)
        tail = pieces[-1][0] if pieces else ""
        depth = min(depth + 1, 8) if tail.endswith("{") else max(depth - 1, 0) if tail == "}" else depth
    return c.image


def text_page(seed, size, columns, font, point, smooth="grey", back="#ffffff"):
    c = Canvas(seed, *size, back, smooth)
    c.centred(c.width / 2, 20, c.words(6), "times_bold", point * 2, "#000000")
    gap = 24
    wide = (c.width - gap * (columns + 1)) // columns
    for i in range(columns):
        x, y = gap + i * (wide + gap), 30 + point * 3
        while y < c.height - 80:
            c.text(x, y, c.words(4), "times_bold", point + 2, "#000000")
            y = paragraph(c, x, y + point * 2, wide, min(c.height - 20, y + 240), font, point, justified=True)
    return c.image


def scanned(seed, size):
    """A page of black and white alone, slightly turned, as from a fax."""
    page = Image.fromarray(np.asarray(text_page(seed, size, 2, "times", 15)))
    turned = page.rotate(0.7, Image.BICUBIC, fillcolor="#ffffff").convert("L")
    return turned.point(lambda v: 255 * (v > 150)).convert("RGB")


def table(seed, size, smooth, striped):
    c = Canvas(seed, *size, smooth=smooth)
    step, wide = 22, 92
    for row in range(c.height // step + 1):
        y = row * step
        if striped and row % 2:
            c.box(0, y, c.width, step, "#eef3fa")
        if row == 0:
            c.box(0, 0, c.width, step, "#d9d9d9" if not striped else "#44546a")
        for column in range(c.width // wide + 1):
            x = column * wide
            if row == 0:
                c.centred(x + wide / 2, y + 4, c.pick(WORDS), "bold", 12, "#ffffff" if striped else "#000000")
            elif column == 0:
                c.text(x + 6, y + 4, c.words(2)[:13], "arial", 13)
            else:
                value = c.rng.normal(0, 900)
                text = f"{value:,.2f}"
                c.text(x + wide - 6 - load_font("arial", 13).getlength(text), y + 4, text, "arial", 13,
                       "#c00000" if value < 0 else "#000000")
            if not striped:
                c.draw.line((x, 0, x, c.height), fill="#c8c8c8")
        if not striped:
            c.draw.line((0, y, c.width, y), fill="#c8c8c8")
    return c.image


def terminal(seed, size, back, font, point, smooth="grey"):
    palette = ("#cccccc", "#ff5f56", "#5af78e", "#f3f99d", "#57c7ff", "#ff6ac1", "#9aedfe")
    if back == "#fdf6e3":
        palette = ("#586e75", "#dc322f", "#859900", "#b58900", "#268bd2", "#d33682", "#2aa198")
    c = Canvas(seed, *size, back, smooth)
    step = round(point * 1.25)
    advance = load_font(font, point).getlength("0")
    for row in range(c.height // step):
        y, kind = row * step, c.rng.integers(4)
        if kind == 0:
            at = c.text(0, y, "user@host", font, point, palette[2])
            at += c.text(round(at), y, ":~/work", font, point, palette[4])
            c.text(round(at), y, "$ " + c.words(3).lower(), font, point, palette[0])
        elif kind == 1:
            text = (f"-rw-r--r-- 1 user user {c.rng.integers(1, 10**7):>9} "
                    f"Mar {c.rng.integers(1, 31):>2} 09:4{c.rng.integers(10)} ")
            c.text(0, y, text, font, point, palette[0])
            c.text(round(len(text) * advance), y, c.pick(WORDS) + ".tar", font, point, palette[c.rng.integers(1, 7)])
        elif kind == 2:
            share = int(c.rng.integers(5, 40))
            text = f"{share * 2.5:5.1f}% [{'|' * share:40}]"
            c.text(0, y, text, font, point, palette[c.rng.integers(1, 7)])
        else:
            c.text(0, y, c.words(int(c.rng.integers(2, 12))), font, point, palette[0])
    c.box(0, c.height - step, c.width, step, palette[2])
    c.text(4, c.height - step, "NORMAL  main  utf-8  87%", font, point, back)
    return c.image
