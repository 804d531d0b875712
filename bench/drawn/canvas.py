"""What the pictures of screens.py are drawn with: a canvas, letters, words, signs, paragraphs."""
import functools
import math

import numpy as np
from PIL import Image, ImageDraw, ImageFont

FONTS = {"sans": "dejavu/DejaVuSans", "bold": "dejavu/DejaVuSans-Bold", "serif": "dejavu/DejaVuSerif",
         "mono": "dejavu/DejaVuSansMono", "mono_bold": "dejavu/DejaVuSansMono-Bold",
         "arial": "liberation/LiberationSans-Regular", "times": "liberation/LiberationSerif-Regular",
         "times_bold": "liberation/LiberationSerif-Bold", "courier": "liberation/LiberationMono-Regular",
         "narrow": "liberation/LiberationSansNarrow-Regular"}
WORDS = ("time year people way day man thing woman life child world school state family student group "
         "country problem hand part place case week company system program question work government "
         "number night point home water room mother area money story fact month lot right study book "
         "eye job word business issue side kind head house service friend father power hour game line "
         "end member law car city community name president team minute idea body information back "
         "parent face others level office door health person art war history party result change "
         "morning reason research girl guy moment air teacher force education the of and to in is that "
         "for it as was with be by on not he his but at are this have from or had an they which").split()
TABLEAU = ("#4e79a7", "#f28e2b", "#e15759", "#76b7b2", "#59a14f", "#edc948", "#b07aa1", "#9c755f")


class Canvas:
    """A picture and the means to draw on it; `smooth` is how letters are drawn: "grey" levels,
    "subpixel" (a coverage of its own for each of red, green and blue, as on flat screens), "none"."""

    def __init__(self, seed, width, height, colour="#ffffff", smooth="grey"):
        self.rng = np.random.default_rng(seed)
        self.width, self.height, self.smooth = width, height, smooth
        self.take(Image.new("RGB", (width, height), colour))

    def take(self, image):
        self.image = image
        self.draw = ImageDraw.Draw(image)
        self.draw.fontmode = "1" if self.smooth == "none" else "L"

    def text(self, x, y, text, font="sans", size=13, fill="#000000"):
        """Writes one line with its top left corner at x, y; returns its width."""
        face = load_font(font, size)
        if self.smooth == "subpixel":
            self.subpixel_text(x, y, text, load_font(font, 3 * size), fill)
        else:
            self.draw.text((x, y), text, font=face, fill=fill)
        return face.getlength(text)

    def subpixel_text(self, x, y, text, tall, fill):
        x, y = int(x), int(y)
        left, _, right, bottom = tall.getbbox(text)
        width, height = (right + 11) // 3 + 2, (bottom + 5) // 3 + 1
        mask = Image.new("L", (3 * width, 3 * height))
        ImageDraw.Draw(mask).text((3, 0), text, font=tall, fill=255)
        cover = np.asarray(mask, np.float64).reshape(height, 3, 3 * width).mean(1) / 255
        padded = np.pad(cover, ((0, 0), (2, 2)))
        taps = (1 / 9, 2 / 9, 3 / 9, 2 / 9, 1 / 9)
        cover = sum(tap * padded[:, i:i + 3 * width] for i, tap in enumerate(taps))
        cover = cover.reshape(height, width, 3)
        x0, y0 = max(0, x - 1), max(0, y)
        box = (x0, y0, min(self.width, x - 1 + width), min(self.height, y + height))
        if box[0] >= box[2] or box[1] >= box[3]:
            return
        cover = cover[y0 - y:, x0 - x + 1:][:box[3] - box[1], :box[2] - box[0]]
        under = np.asarray(self.image.crop(box), np.float64)
        ink = np.array(Image.new("RGB", (1, 1), fill).getpixel((0, 0)), np.float64)
        mixed = np.rint(under + cover * (ink - under)).astype(np.uint8)
        self.image.paste(Image.fromarray(mixed), box[:2])

    def centred(self, x, y, text, font="sans", size=13, fill="#000000"):
        self.text(round(x - load_font(font, size).getlength(text) / 2), y, text, font, size, fill)

    def box(self, x, y, width, height, fill=None, outline=None, radius=0):
        area = (x, y, x + width - 1, y + height - 1)
        if radius:
            self.draw.rounded_rectangle(area, radius, fill=fill, outline=outline)
        else:
            self.draw.rectangle(area, fill=fill, outline=outline)

    def words(self, count):
        return " ".join(WORDS[i] for i in self.rng.integers(len(WORDS), size=count)).capitalize()

    def pick(self, choices):
        return choices[self.rng.integers(len(choices))]

    def smooth_shapes(self, paint):
        """Calls paint(draw, 4) on a copy of four times the size: edges get levels between."""
        big = self.image.resize((4 * self.width, 4 * self.height), Image.NEAREST)
        paint(ImageDraw.Draw(big), 4)
        self.take(big.resize((self.width, self.height), Image.BOX))

    def gradient(self, first, second, angle=90.0):
        ys, xs = np.mgrid[:self.height, :self.width]
        along = xs * math.cos(math.radians(angle)) + ys * math.sin(math.radians(angle))
        share = ((along - along.min()) / np.ptp(along))[..., None]
        ends = [np.array(Image.new("RGB", (1, 1), c).getpixel((0, 0)), np.float64) for c in (first, second)]
        self.take(Image.fromarray(np.rint(ends[0] + share * (ends[1] - ends[0])).astype(np.uint8)))


@functools.cache
def load_font(name, size):
    path = f"/usr/share/fonts/truetype/{FONTS[name]}.ttf"
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


def icon(c, x, y, size):
    """A small sign of two colours with hard or soft edges."""
    colours = [c.pick(TABLEAU), c.pick(("#ffffff", "#333333", "#ffd75f"))]
    kind, inner = c.rng.integers(4), size // 4
    c.box(x, y, size, size, colours[0], radius=size // 5 if kind % 2 else 0)
    if kind == 0:
        c.draw.ellipse((x + inner, y + inner, x + size - inner, y + size - inner), fill=colours[1])
    elif kind == 1:
        c.draw.polygon([(x + size // 2, y + inner), (x + size - inner, y + size - inner),
                        (x + inner, y + size - inner)], fill=colours[1])
    elif kind == 2:
        for i in range(inner, size - inner, 3):
            c.draw.line((x + inner, y + i, x + size - inner, y + i), fill=colours[1])
    else:
        c.centred(x + size / 2, y + size // 8, c.pick("ABCDEFGHKM"), "bold", max(8, size * 5 // 8), colours[1])


def paragraph(c, x, y, width, bottom, font="serif", size=12, fill="#111111", justified=False):
    """Lines of words down to `bottom`, with headings and gaps; returns where it ended."""
    face, step = load_font(font, size), round(size * 1.4)
    while y + step <= bottom:
        words = c.words(int(c.rng.integers(40, 90))).split()
        while words and y + step <= bottom:
            line = []
            while words and face.getlength(" ".join(line + words[:1])) <= width:
                line.append(words.pop(0))
            if justified and words and len(line) > 1:
                space = (width - sum(face.getlength(word) for word in line)) / (len(line) - 1)
                at = float(x)
                for word in line:
                    c.text(round(at), y, word, font, size, fill)
                    at += face.getlength(word) + space
            else:
                c.text(x, y, " ".join(line), font, size, fill)
            y += step
        y += step // 2
    return y
