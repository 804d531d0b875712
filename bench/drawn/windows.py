"""Screens of programs: windows, menus, settings, a web page, cards."""
from PIL import Image, ImageDraw, ImageFilter

from drawn.canvas import Canvas, WORDS, icon, paragraph


def window(c, x, y, width, height, dark=False, font="sans"):
    """A frame with a title, a menu and a bar of tools; returns where its content begins."""
    face, ink, edge = ("#2b2b2b", "#dddddd", "#111111") if dark else ("#f0f0f0", "#1a1a1a", "#8a8a8a")
    c.box(x, y, width, height, face, edge)
    c.box(x + 1, y + 1, width - 2, 24, "#3c3f41" if dark else "#2f6fb5")
    c.text(x + 8, y + 5, c.words(3), "bold", 12, "#ffffff")
    for i, colour in enumerate(("#e15759", "#edc948", "#59a14f")):
        c.draw.ellipse((x + width - 20 - 18 * i, y + 7, x + width - 9 - 18 * i, y + 18), fill=colour)
    at = x + 8
    for name in ("File", "Edit", "View", "Insert", "Tools", "Help"):
        at += c.text(at, y + 28, name, font, 12, ink) + 14
    for i in range((width - 16) // 26):
        icon(c, x + 8 + 26 * i, y + 48, 20)
    c.draw.line((x, y + 73, x + width - 1, y + 73), fill=edge)
    return y + 74


def desktop(seed, size, dark, smooth="grey"):
    c = Canvas(seed, *size, smooth=smooth)
    c.gradient(*(("#0f2027", "#2c5364") if dark else ("#6fa8dc", "#d9ead3")), angle=60)
    for i in range(8):
        icon(c, 20 + 80 * (i // 5), 20 + 84 * (i % 5), 40)
        c.centred(40 + 80 * (i // 5), 64 + 84 * (i % 5), c.pick(WORDS), "sans", 11, "#ffffff")
    for x, y, w, h in ((200, 40, 420, 300), (110, 200, 380, 330), (430, 250, 340, 260)):
        top = window(c, x, y, w, h, dark)
        c.box(x + 6, top + 4, w - 12, h - 84, "#1e1e1e" if dark else "#ffffff")
        paragraph(c, x + 14, top + 10, w - 30, y + h - 10, "sans", 12, "#cccccc" if dark else "#111111")
    c.box(0, c.height - 32, c.width, 32, "#202020" if dark else "#e8e8e8")
    for i in range(9):
        icon(c, 8 + 36 * i, c.height - 28, 24)
    c.text(c.width - 60, c.height - 23, "14:07", "bold", 13, "#ffffff" if dark else "#000000")
    return c.image


def settings(seed, size, smooth):
    c = Canvas(seed, *size, "#ececec", smooth)
    c.box(0, 0, 170, c.height, "#dcdfe3")
    for i in range(11):
        c.box(6, 12 + 36 * i, 158, 30, "#3d7eff" if i == 3 else "#dcdfe3", radius=6)
        icon(c, 12, 17 + 36 * i, 20)
        c.text(40, 20 + 36 * i, c.words(2), "arial", 14, "#ffffff" if i == 3 else "#222222")
    c.text(190, 14, c.words(3), "bold", 20, "#222222")
    for i in range((c.height - 70) // 48):
        y = 56 + 48 * i
        c.box(190, y, c.width - 210, 40, "#ffffff", "#d0d0d0", 8)
        c.text(202, y + 12, c.words(4), "arial", 14, "#222222")
        on, right = c.rng.integers(2), c.width - 32
        if i % 3:
            c.box(right - 40, y + 10, 40, 20, "#34c759" if on else "#cccccc", radius=10)
            c.draw.ellipse((right - 19 - 19 * (1 - on), y + 12, right - 3 - 19 * (1 - on), y + 28), fill="#ffffff")
        else:
            c.box(right - 120, y + 8, 120, 24, "#f7f7f7", "#b0b0b0", 4)
            c.text(right - 112, y + 12, c.words(1), "arial", 13, "#333333")
            c.draw.polygon([(right - 18, y + 17), (right - 8, y + 17), (right - 13, y + 23)], fill="#555555")
    return c.image


def menu(seed, size, smooth):
    c = Canvas(seed, *size, smooth=smooth)
    top = window(c, 0, 0, c.width, c.height)
    c.box(0, top, c.width, c.height - top - 24, "#ffffff")
    paragraph(c, 20, top + 12, c.width - 40, c.height - 40, "arial", 14)
    for depth in range(2):
        x, y, rows = 60 + 212 * depth, 46 + 96 * depth, 12 - 4 * depth
        c.box(x + 4, y + 4, 216, 24 * rows + 8, "#b4b4b4")
        c.box(x, y, 216, 24 * rows + 8, "#f9f9f9", "#777777")
        for i in range(rows):
            chosen = i == 4
            if i % 5 == 3:
                c.draw.line((x + 30, y + 16 + 24 * i, x + 208, y + 16 + 24 * i), fill="#cccccc")
                continue
            if chosen:
                c.box(x + 2, y + 4 + 24 * i, 212, 24, "#0a64ad")
            icon(c, x + 6, y + 8 + 24 * i, 16)
            c.text(x + 30, y + 9 + 24 * i, c.words(2), "sans", 12, "#ffffff" if chosen else "#111111")
            c.text(x + 168, y + 9 + 24 * i, "Ctrl+" + c.pick("ABCDXYZ"), "sans", 10, "#999999")
    c.text(8, c.height - 20, "Ln 12, Col 48     UTF-8     100 %", "sans", 11, "#444444")
    return c.image


def web_page(seed, size, smooth, dark):
    back, ink, card = ("#181a1b", "#d8d4cf", "#242728") if dark else ("#ffffff", "#24292f", "#f6f8fa")
    c = Canvas(seed, *size, back, smooth)
    c.box(0, 0, c.width, 48, "#24292f" if not dark else "#0d0e0f")
    icon(c, 12, 10, 28)
    for i in range(5):
        c.text(60 + 110 * i, 16, c.words(1), "bold", 14, "#ffffff")
    c.text(24, 66, c.words(5), "bold", 26, ink)
    paragraph(c, 24, 108, c.width * 2 // 3 - 40, c.height - 20, "arial", 15, ink)
    for y in range(66, c.height - 130, 140):
        x = c.width * 2 // 3 + 10
        c.box(x, y, c.width - x - 20, 126, card, "#57606a" if dark else "#d0d7de", 8)
        c.text(x + 12, y + 10, c.words(2), "bold", 14, "#58a6ff" if dark else "#0969da")
        paragraph(c, x + 12, y + 32, c.width - x - 44, y + 100, "arial", 13, ink)
        c.box(x + 12, y + 98, 74, 22, "#2da44e", radius=6)
        c.text(x + 22, y + 102, c.pick(WORDS), "bold", 12, "#ffffff")
    return c.image


def soft_cards(seed, size):
    """Flat cards with shadows that fade out."""
    c = Canvas(seed, *size)
    c.gradient("#e0eafc", "#cfdef3", 45)
    spots = [(40 + 250 * (i % 3), 60 + 230 * (i // 3)) for i in range(6)]
    shade = Image.new("L", size)
    for x, y in spots:
        ImageDraw.Draw(shade).rounded_rectangle((x, y + 8, x + 220, y + 208), 16, fill=90)
    c.image.paste(Image.new("RGB", size, "#203050"), mask=shade.filter(ImageFilter.GaussianBlur(12)))
    c.take(c.image)
    for x, y in spots:
        c.box(x, y, 220, 200, "#ffffff", radius=16)
        icon(c, x + 16, y + 16, 40)
        c.text(x + 68, y + 26, c.words(2), "bold", 14, "#203050")
        c.text(x + 16, y + 76, f"{c.rng.integers(1000, 99999):,}", "sans", 32, "#2f6fb5")
        paragraph(c, x + 16, y + 126, 190, y + 190, "arial", 13, "#667788")
    return c.image
