"""Letters for drawn pictures (synthetic.py): fonts of the machine, scripts that they cover, words.

Any TrueType or OpenType font is used. The Debian packages fonts-dejavu-core, fonts-liberation and
fonts-noto-core have some 300 of them; fonts-noto-cjk would add Chinese, Japanese and Korean.
Without any font the one built into Pillow draws Latin letters.
"""
import functools
import glob
import os
import unicodedata

from PIL import ImageFont

FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", os.path.expanduser("~/.fonts"))
ENDINGS = (".ttf", ".otf", ".ttc")

# Code points of letters; of the long ones, a part.
SCRIPTS = {
    "latin": (0x41, 0x17F),
    "greek": (0x391, 0x3C9),
    "cyrillic": (0x410, 0x44F),
    "armenian": (0x531, 0x586),
    "hebrew": (0x5D0, 0x5EA),
    "arabic": (0x621, 0x64A),
    "devanagari": (0x905, 0x939),
    "bengali": (0x985, 0x9B9),
    "tamil": (0xB85, 0xBB9),
    "thai": (0xE01, 0xE2E),
    "georgian": (0x10D0, 0x10F0),
    "ethiopic": (0x1200, 0x1247),
    "cherokee": (0x13A0, 0x13F4),
    "khmer": (0x1780, 0x17A2),
    "hiragana": (0x3041, 0x3096),
    "katakana": (0x30A1, 0x30FA),
    "han": (0x4E00, 0x55FF),
    "hangul": (0xAC00, 0xB3FF),
}
FROM_RIGHT = ("hebrew", "arabic")
MISSING = "\U0010FFFE"      # a code point that no font has

WORDS = """
the of and to in is that for it as was with be by on not he his but at are this have from or had an
they which one you were all her she there would their we him been has when who will no more if out
so said what up its about than into them can only other time new some could these two may first
engine latent stream kernel segment picture quantise decode encoder rate scale table mean index
vector channel window menu file edit view help open save close cancel total price date name error
warning Über façade señor naïve größer élève Zürich street number account message settings
download
""".split()


@functools.lru_cache(maxsize=None)
def fonts():
    """Paths of all fonts, in an order that does not depend on the file system."""
    found = (path for folder in FOLDERS
             for path in glob.glob(os.path.join(folder, "**", "*"), recursive=True))
    return sorted(path for path in found if path.lower().endswith(ENDINGS))


@functools.lru_cache(maxsize=256)
def load(path, size):
    return ImageFont.truetype(path, size)


def draws(font, letter):
    """Whether the font has a picture of its own for the letter."""
    mask = bytes(font.getmask(letter))
    return any(mask) and mask != bytes(font.getmask(MISSING))


@functools.lru_cache(maxsize=None)
def letters(path, script):
    """The letters of a script that a font has."""
    first, last = SCRIPTS[script]
    assigned = [chr(v) for v in range(first, last + 1) if unicodedata.category(chr(v))[0] == "L"]
    font = load(path, 16)
    return [letter for letter in assigned if draws(font, letter)]


@functools.lru_cache(maxsize=None)
def fonts_of(script):
    """Fonts that have the script: those that draw three of its letters."""
    first, last = SCRIPTS[script]
    samples = [chr(v) for v in (first, (first + last) // 2, last)]
    out = []
    for path in fonts():
        try:
            font = load(path, 16)
        except OSError:
            continue
        if all(draws(font, letter) for letter in samples):
            out.append(path)
    return out


@functools.lru_cache(maxsize=None)
def scripts():
    """Scripts that this machine can draw."""
    return [script for script in SCRIPTS if fonts_of(script)]


@functools.lru_cache(maxsize=None)
def common():
    """Fonts of Latin that screens show most, upright ones."""
    names = ("DejaVuSans", "DejaVuSerif", "Liberation", "NotoSans-", "NotoSerif-")
    return [path for path in fonts_of("latin")
            if os.path.basename(path).startswith(names) and upright(path)]


def upright(path):
    return not any(style in path for style in ("Italic", "Oblique"))


@functools.lru_cache(maxsize=None)
def monospaced():
    return [path for path in fonts_of("latin")
            if "Mono" in os.path.basename(path) and upright(path)]


class Face:
    """A font in one size, and the script that it writes."""

    def __init__(self, path, size, script):
        self.path, self.size, self.script = path, size, script
        self.font = load(path, size) if path else ImageFont.load_default()

    def resized(self, size):
        return Face(self.path, size, self.script)

    def width(self, text):
        return self.font.getlength(text)

    def word(self, dice):
        if self.script == "latin":
            return latin_word(dice)
        known = letters(self.path, self.script)
        return "".join(dice.among(known) for _ in range(dice.whole(2, 9)))

    def words(self, dice, count):
        return " ".join(self.word(dice) for _ in range(count))

    def line(self, dice, width):
        """Words that fill the width, or one word."""
        text = self.word(dice)
        while True:
            longer = text + " " + self.word(dice)
            if self.width(longer) > width:
                return text
            text = longer


def latin_word(dice):
    word = dice.among(WORDS)
    kind = dice.real(0, 1)
    if kind < 0.12:
        return word.capitalize()
    if kind < 0.15:
        return word.upper()
    if kind < 0.20:
        return str(dice.whole(0, 10000))
    if kind < 0.30:
        return word + dice.among(".,;:?!")
    return word


def face(dice, size, script=None):
    """Any font of a script: of Latin two times out of three when none is named."""
    if not scripts():
        return Face(None, size, "latin")
    if script is None:
        script = "latin" if dice.chance(0.67) else dice.among(scripts())
    if script == "latin" and common() and dice.chance(0.6):
        return Face(dice.among(common()), size, script)
    return Face(dice.among(fonts_of(script) or fonts()), size, script)


def mono_face(dice, size):
    """A font whose letters are equally wide, where there is one."""
    if not monospaced():
        return face(dice, size, "latin")
    return Face(dice.among(monospaced()), size, "latin")
