"""Decodes the details of .glint streams (chunks D) as docs/BITSTREAM.md section 13 has them: plain, slow, numpy only.

Used by reference_decoder.py. It follows the page, but its author knew the C++ too: it shows that what the page says is right, not
that the page says enough. Pictures are arrays [rows, columns, channels] of int64.
"""
import math

import numpy as np

SECTION, BLOCK = 1024, 64
KINDS = ("off", "transform", "pixels", "near")
NONE = 0xFFFFFFFF
WORD = 0xFFFFFFFF


class Damaged(Exception):
    """What a section has that cannot be."""


# ---- bits -----------------------------------------------------------------------------------------------------

class Bit:
    """A model: what the next bit is expected to be."""
    __slots__ = ("fast", "slow", "n")

    def __init__(self, percent=None):
        self.fast = self.slow = 32768 if percent is None else percent * 65536 // 100
        self.n = 0 if percent is None else 6


def models(*shape, percents=None):
    """Nested lists of models; `percents` is by the last index."""
    if len(shape) == 1:
        return [Bit(percents[i] if percents else None) for i in range(shape[0])]
    return [models(*shape[1:], percents=percents) for _ in range(shape[0])]


class Payload:
    """A chunk's fields and its two sequences of bits."""

    def __init__(self, data):
        self.at = 0
        self.data = data
        self.depth, self.flags = self.byte(), self.byte()
        if self.depth != 8 or self.flags > 1:
            raise Damaged(f"details of depth {self.depth} and flags {self.flags}")
        self.exact = self.flags == 1
        self.step, self.near, self.size = self.leb128(1, 8192), self.leb128(0, 127), self.leb128(0, WORD)
        if self.at + self.size > len(data):
            raise Damaged("more bits than there are")
        bits = data[self.at:self.at + self.size]
        self.value = int.from_bytes(bits[:4].ljust(4, b"\0"), "big")
        self.more = "".join(f"{byte:08b}" for byte in bits[4:])
        self.taken, self.range = 0, WORD
        self.raw_bytes, self.raw_taken = data[self.at + self.size:], 0

    def byte(self):
        if self.at == len(self.data):
            raise Damaged("a head that is cut short")
        self.at += 1
        return self.data[self.at - 1]

    def leb128(self, least, most):
        value = shift = 0
        while True:
            byte = self.byte()
            value, shift = value | (byte & 127) << shift, shift + 7
            if byte < 128:
                if not least <= value <= most or (byte == 0 and shift > 7):
                    raise Damaged(f"a number of {value} in the head")
                return value
            if shift == 35:
                raise Damaged("a number that is too long in the head")

    def bit(self, model):
        fast, slow, n = model.fast, model.slow, model.n
        bound = (self.range >> 16) * (fast + slow >> 1)
        rate = 131072 // (2 * n + 3)
        quick = max(rate, 2730)
        if self.value < bound:
            bit, self.range = 1, bound
            model.fast, model.slow = fast + ((65535 - fast) * quick >> 16), slow + ((65535 - slow) * rate >> 16)
        else:
            bit, self.range = 0, self.range - bound
            self.value -= bound
            model.fast, model.slow = fast - (fast * quick >> 16), slow - (slow * rate >> 16)
        if n < 158:
            model.n = n + 1
        shift = 32 - self.range.bit_length()
        if shift:
            self.range <<= shift
            more = self.more[self.taken:self.taken + shift].ljust(shift, "0")
            self.value = self.value << shift | int(more, 2)
            self.taken += shift
        return bit

    def tree(self, nodes, count):
        node = 1
        for _ in range(count):
            node = 2 * node + self.bit(nodes[node])
        return node - (1 << count)

    def raw(self, count):
        at, value = self.raw_taken, 0
        for i in range(count):
            if at + i >= 8 * len(self.raw_bytes):
                raise Damaged("raw bits that are not there")
            value |= (self.raw_bytes[at + i >> 3] >> (at + i & 7) & 1) << i
        self.raw_taken = at + count
        return value

    def finish(self):
        if self.size > max(8, 6 + 2 * -(-self.taken // 16)):
            raise Damaged(f"{self.size} bytes of bits, of which {self.taken} bits after the first 32 were taken")
        if 8 * len(self.raw_bytes) - self.raw_taken >= 8 or int.from_bytes(self.raw_bytes, "little") >> self.raw_taken:
            raise Damaged("raw bits that nobody wanted")


# ---- transforms -----------------------------------------------------------------------------------------------

CODED = (10, 20, 30, 45, 70, 87, 96, 99, 99, 99, 99, 99)
NONZERO = (20, 15, 14, 20, 27, 34, 40, 49, 59, 69, 76, 82, 87, 91, 94, 95)
ABOVE_ONE = (3, 3, 3, 4, 6, 8, 10, 14, 22, 35, 48, 64, 75, 83, 92, 95)
ABOVE_TWO = (7, 7, 7, 8, 9, 10, 13, 16, 22, 30, 40, 54, 70, 80, 90, 95)
LIVELINESS = (1, 2, 3, 5, 8, 12, 18, 28, 44, 70, 120)
EXPECTED = (2, 3, 5, 8, 11, 14, 18, 24, 33, 44, 60, 84, 120, 192, 336)
FREQUENCY = (0, 1, 2, 3, 4, 4, 5, 5, 6, 6, 6, 7, 7, 7, 7)
SCAN = [(v, s - v) for s in range(15) for v in (range(8) if s % 2 == 0 else reversed(range(8))) if 0 <= s - v < 8]
MATRIX = np.array([[round(4096 * (math.sqrt(1 / 8) if u == 0 else 0.5) * math.cos((2 * x + 1) * u * math.pi / 16)) for x in range(8)] for u in range(8)],
                  np.int64)


def classify(value, ends):
    return sum(end <= value for end in ends)


class PlaneModels:
    def __init__(self):
        self.coded, self.lasts = models(12, percents=CODED), models(12, 64)
        self.nonzero = models(8, 16, percents=NONZERO)
        self.above_one, self.above_two = models(4, 16, percents=ABOVE_ONE), models(4, 16, percents=ABOVE_TWO)
        self.prefix = models(16, 15, percents=(10,) * 15)


def decode_levels(payload, of, expected):
    """Levels [v][u] of one plane of one transform, or None when there are none."""
    liveliness = classify(int(expected.sum()) // 64, LIVELINESS)
    if not payload.bit(of.coded[liveliness]):
        return None
    last = payload.tree(of.lasts[liveliness], 6)
    around = [[0] * 10 for _ in range(10)]        # magnitudes, behind two rows and columns of zeros
    levels, order = np.zeros((8, 8), np.int64), []
    for k, (v, u) in enumerate(SCAN[:last + 1]):
        here, above = around[v + 2], around[v + 1]
        w = 2 * (here[u + 1] + above[u + 2]) + above[u + 1] + here[u] + around[v][u + 2]
        c, f = classify(int(expected[v, u]) + 2 * w, EXPECTED), FREQUENCY[u + v]
        if k < last and not payload.bit(of.nonzero[f][c]):
            continue
        if not payload.bit(of.above_one[f // 2][c]):
            level = 1
        elif not payload.bit(of.above_two[f // 2][c]):
            level = 2
        else:
            n = 0
            while payload.bit(of.prefix[c][n]):
                n += 1
                if n == 15:
                    raise Damaged("a level with too many digits")
            level = 2 + (1 << n) + payload.raw(n)
            if level > 32767:
                raise Damaged(f"a level of {level}")
        levels[v, u], here[u + 2] = level, min(level, 63)
        order.append((v, u))
    for place in order:
        if payload.raw(1):
            levels[place] = -levels[place]
    return levels


def inverse(levels, step):
    limit = (1 << 17) - 1
    w = np.clip(levels * step, -limit, limit)
    t = np.clip(MATRIX.T @ w + (1 << 11) >> 12, -limit, limit)
    return np.clip(t @ MATRIX + (1 << 11) >> 12, -32767, 32767)


def differences(planes):
    """[rows, columns, channels]"""
    if len(planes) == 1:
        return (planes[0] + 8 >> 4)[:, :, None]
    d0, d1, d2 = planes
    half = 1 << 15
    return np.stack([2365 * d0 + 2896 * d1 + 1672 * d2 + half >> 16, 2365 * d0 - 3344 * d2 + half >> 16,
                     2365 * d0 - 2896 * d1 + 1672 * d2 + half >> 16], 2)


def activity(base, step):
    """Of the pixels of a transform."""
    s = 2 * base[:, :, 0] if base.shape[2] == 1 else base @ np.array([1, 2, 1])
    a = int(np.abs(np.diff(s, axis=0)).sum() + np.abs(np.diff(s, axis=1)).sum())
    return min(60, math.isqrt(5 * a // (4 * step)))


# ---- pixels ---------------------------------------------------------------------------------------------------

RESIDUALS = (1, 2, 3, 4, 6, 8, 10, 13, 17, 22, 28, 36, 48, 64, 90, 130)
RESIDUAL_CLASS = [classify(value, RESIDUALS) for value in range(131)]
WEIGHTS = [max(1, (1 << 28) // (e + 12) ** 3) for e in range(6 * 255 + 1)]


class PixelState:
    def __init__(self):
        self.deep_bits, self.brief_bits = models(128), models(512)
        self.neighbour, self.recent_bit, self.recent_places = models(4, 256), models(4), models(32)
        self.mode = models(3)
        self.exact, self.above = models(3, 17, 4), models(3, 3)
        self.digits, self.first_digit = models(3, 17, 4, 8), models(3, 17, 9)
        self.corrections = {}                      # by channel, activity and pattern: [sum, count]
        self.surprise, self.recent = 0, [NONE] * 32
        self.brief, self.deep = {}, {}             # entries that were learnt: [tag, colour, trust]


def mix(h, colours):
    for colour in colours:
        h = ((h ^ colour) * 2654435761 + (h >> 15)) & WORD
    return h


def fold(h):
    return (h ^ (h >> 13)) * 2246822519 & WORD


def recall(memory, key):
    entry = memory.get(key >> 16, (0, NONE, 0))
    return (entry[1], entry[2]) if entry[0] == key & 0xFFFF else (NONE, 0)


def learn(memory, key, colour):
    tag, (known, trust) = key & 0xFFFF, recall(memory, key)
    if known == colour:
        memory[key >> 16] = (tag, known, min(trust + 1, 15))
    elif trust > 2:
        memory[key >> 16] = (tag, known, trust // 2)
    else:
        memory[key >> 16] = (tag, colour, 0)


def toward_zero(a, b):
    return a // b if a >= 0 else -(-a // b)


class PixelBlock:
    """The pixels of one block. `known`: colours around it by (x, y), those of the block come in."""

    def __init__(self, payload, state, channels, top, near, known):
        self.payload, self.state, self.channels, self.top, self.unit = payload, state, channels, top, 2 * near + 1
        self.known = known
        self.order = (1, 0, 2) if channels == 3 else (0,)
        self.middle = (top + 1) // 2 * (0x010101 if channels == 3 else 1)
        self.residuals, self.errors = [{} for _ in range(3)], [{} for _ in range(3)]

    def decode(self, width, height):
        bit, mode = self.payload.bit, self.state.mode
        offers = bit(mode[0])
        self.corrects = not (offers and bit(mode[1]))
        pixel = self.pixel if offers else self.natural_pixel if bit(mode[2]) else self.raw_pixel
        for y in range(height):
            for x in range(width):
                self.known[x, y] = pixel(x, y)

    def raw_pixel(self, x, y):
        return sum(self.payload.raw(self.top.bit_length()) << 8 * c for c in range(self.channels))

    def natural_pixel(self, x, y):
        w, n, nw, ne, ww, nn, _ = self.look(x, y)
        return self.new_colour(x, y, (w, n, nw, ne, nn, ww))

    def look(self, x, y):
        get = self.known.get
        n = get((x, y - 1))
        w = get((x - 1, y))
        if w is None:
            w = self.middle if n is None else n
        if n is None:
            n = w
        nw, ne = get((x - 1, y - 1), n), get((x + 1, y - 1), n)
        ww = get((x - 2, y), w)
        return (w, n, nw, ne, ww, get((x, y - 2), n),
                (get((x - 3, y), ww), get((x - 2, y - 1), nw), get((x + 2, y - 1), ne), get((x + 1, y - 2), ne), get((x - 1, y - 2), nw)))

    def pixel(self, x, y):
        state, payload = self.state, self.payload
        w, n, nw, ne, ww, nn, far = self.look(x, y)
        h = mix(1, (w, n, nw, ne, ww, nn))
        brief_key, deep_key = fold(h), fold(mix(h, far))
        colour, is_new = self.candidate(w, n, nw, ne, ww, nn, recall(state.deep, deep_key), recall(state.brief, brief_key)), False
        if colour is None:
            place = 31
            if payload.bit(state.recent_bit[state.surprise]):
                place = payload.tree(state.recent_places, 5)
                colour = state.recent[place]
                if colour == NONE:
                    raise Damaged("a recent colour that is none")
            else:
                colour, is_new = self.new_colour(x, y, (w, n, nw, ne, nn, ww)), True
            del state.recent[place]
            state.recent.insert(0, colour)
        state.surprise = min(state.surprise + 1, 3) if is_new else max(state.surprise - 1, 0)
        learn(state.brief, brief_key, colour)
        learn(state.deep, deep_key, colour)
        return colour

    def candidate(self, w, n, nw, ne, ww, nn, deep, brief):
        state, bit = self.state, self.payload.bit
        (d, deep_trust), (b, brief_trust) = deep, brief
        offered = []
        if d != NONE:
            offered.append(d)
            if bit(state.deep_bits[deep_trust * 8 + ((d == w) + 2 * (d == n)) * 2 + (d == b)]):
                return d
        if b != NONE and b not in offered:
            offered.append(b)
            if bit(state.brief_bits[brief_trust * 32 + ((b == w) + 2 * (b == n)) * 8 + 4 * (d != NONE) + state.surprise]):
                return b
        equal = (w == n) + 2 * (w == nw) + 4 * (n == nw) + 8 * (n == ne) + 16 * (w == ww) + 32 * (n == nn)
        for i, colour in enumerate((w, n, ne, nw)):
            if colour not in offered:
                offered.append(colour)
                if bit(state.neighbour[i][equal * 4 + state.surprise]):
                    return colour
        return None

    def new_colour(self, x, y, neighbours):
        colour = first = first_residual = 0
        for k, c in enumerate(self.order):
            def sample(v):
                return (v >> 8 * c & 255) - (v >> 8 & 255 if k else 0)
            samples = [sample(v) for v in neighbours]
            predictions = self.predict(*samples[:5])
            total = weights = 0
            errors = self.around(self.errors[c], x, y, (8,) * len(predictions), (0,) * len(predictions))
            for prediction, error in zip(predictions, errors):
                total += WEIGHTS[error] * (prediction + (1 << 14))
                weights += WEIGHTS[error]
            fine = total // weights - (1 << 14)
            beside = abs(first_residual) if k else abs(samples[0] - samples[1])
            active = self.around(self.residuals[c], x, y, (4,), (0,))[0] + (2 * beside if k else 0)
            if k == 2:
                beside = self.residuals[self.order[1]][x, y][0]
                active += beside
            learnt = self.correction(c, active, samples, fine) if self.corrects else [0, 1]
            prediction = min(max((fine + toward_zero(*learnt) + 4 >> 3) + first, 0), self.top)
            sign = 0 if k == 0 or first_residual == 0 else 1 if first_residual > 0 else 2
            result = min(max(prediction + self.value(c, RESIDUAL_CLASS[min(active // self.unit, 130)], sum(size <= beside for size in (1, 3, 7)), sign) * self.unit, 0), self.top)
            learnt[0] += 8 * (result - first) - fine
            learnt[1] += 1
            if learnt[1] == 128:
                learnt[:] = toward_zero(learnt[0], 2), 64
            self.residuals[c][x, y] = (min(255, abs(result - prediction)),)
            self.errors[c][x, y] = tuple(min(255, abs(p - 8 * (result - first)) >> 2) for p in predictions)
            colour |= result << 8 * c
            if k == 0:
                first, first_residual = result, result - prediction
        return colour

    @staticmethod
    def around(numbers, x, y, outside, nothing):
        w, n, nw, ne = (outside if at[0] < 0 or at[1] < 0 else numbers.get(at, nothing) for at in ((x - 1, y), (x, y - 1), (x - 1, y - 1), (x + 1, y - 1)))
        return [2 * (a + b) + c + d for a, b, c, d in zip(w, n, nw, ne)]

    def correction(self, c, active, samples, fine):
        w, n, nw, ne, nn, ww = samples
        pattern = 0
        for value in (w, n, nw, ne, 2 * n - nn, 2 * w - ww):
            pattern = 2 * pattern + (8 * value > fine)
        return self.state.corrections.setdefault((c, RESIDUAL_CLASS[min(active, 130)] // 2, pattern), [0, 8])

    @staticmethod
    def predict(w, n, nw, ne, nn):
        median = min(w, n) if nw >= max(w, n) else max(w, n) if nw <= min(w, n) else w + n - nw
        side = 11 * (ne - nw) >> 2
        return [8 * median, 8 * (w + ne - n), 8 * n + (11 * (n - nn) >> 2), 8 * w + side, 4 * (w + n), 4 * (w + n) + side]

    def value(self, c, a, size, sign):
        state, payload = self.state, self.payload
        if payload.bit(state.exact[c][a][size]):
            return 0
        positive, n, value = payload.bit(state.above[c][sign]), 0, 1
        while n < 8 and payload.bit(state.digits[c][a][size][n]):
            n += 1
        if n > 0:
            value = 2 + payload.bit(state.first_digit[c][a][n])
        if n > 1:
            value = (value << n - 1) + payload.raw(n - 1)
        return value if positive else -value


# ---- sections -------------------------------------------------------------------------------------------------

class Section:
    """Decodes the rows of a section in place."""

    def __init__(self, data, picture, top):
        self.payload, self.picture, self.top = Payload(data), picture, top
        self.columns, self.channels = picture.shape[1], picture.shape[2]
        self.gray_bit, self.kind_bits = Bit(), models(4, 4, 4)
        self.planes = [PlaneModels() for _ in range(3)]
        self.pixels = PixelState()
        self.above = {}                           # magnitudes by column of transforms and plane
        self.counts = dict.fromkeys(KINDS, 0)
        self.gray_rows = 0

    def decode(self):
        kinds_above, channels_before, above = None, self.channels, None
        for begin in range(0, len(self.picture), BLOCK):
            row = self.picture[begin:begin + BLOCK]
            gray = self.channels == 3 and self.payload.bit(self.gray_bit)
            work = (row.sum(2, keepdims=True) + 1) // 3 if gray else row.copy()
            if work.shape[2] != channels_before:
                self.pixels, above = PixelState(), None
            step = max(1, self.payload.step * 37 >> 6) if gray else self.payload.step
            kinds_above = self.decode_row(work, above, kinds_above, step)
            row[:] = work
            above, channels_before, self.gray_rows = work, work.shape[2], self.gray_rows + bool(gray)
        self.payload.finish()

    def decode_row(self, work, above, kinds_above, step):
        base, kinds, left = work.copy(), [], {}
        for block in range(-(-self.columns // BLOCK)):
            kind = self.payload.tree(self.kind_bits[kinds[-1] if kinds else 0][kinds_above[block] if kinds_above else 0], 2)
            columns = slice(block * BLOCK, min((block + 1) * BLOCK, self.columns))
            if kind == 1:
                work[:, columns] = self.transforms(base[:, columns], block, left, step)
            else:
                left.clear()
                for x in range(8 * block, 8 * block + 8):
                    for plane in range(3):
                        self.above.pop((x, plane), None)
            if kind > 1:
                work[:, columns] = self.pixel_block(work, above, kinds, kinds_above, block, columns, kind)
            kinds.append(kind)
            self.counts[KINDS[kind]] += 1
        return kinds

    def transforms(self, base, block, left, step):
        height, width, channels = base.shape
        down, across = -(-height // 8), -(-width // 8)
        planes = np.zeros((channels, 8 * down, 8 * across), np.int64)
        for v in range(down):
            for u in range(across):
                part = (slice(8 * v, 8 * v + 8), slice(8 * u, 8 * u + 8))
                lively = activity(base[part], step) if self.payload.exact else 0
                here = []
                for p in range(channels):
                    column = (8 * block + u, p)
                    m = sum(np.pad(known, 1) for known in (left.get((v, p)), self.above.get(column)) if known is not None)
                    expected = np.full((8, 8), lively)
                    if not isinstance(m, int):
                        expected += 2 * m[1:-1, 1:-1] + m[1:-1, :-2] + m[1:-1, 2:] + m[:-2, 1:-1] + m[2:, 1:-1]
                    expected += (6 if p == 1 else 3) * sum(here)
                    levels = decode_levels(self.payload, self.planes[p], expected)
                    magnitudes = np.zeros((8, 8), np.int64) if levels is None else np.minimum(np.abs(levels), 63)
                    here.append(magnitudes)
                    left[v, p] = self.above[column] = magnitudes
                    if levels is not None:
                        planes[p][part] = inverse(levels, step)
        return np.clip(base + differences(planes)[:height, :width], 0, self.top)

    def pixel_block(self, work, above, kinds, kinds_above, block, columns, kind):
        height, width = len(work), columns.stop - columns.start
        known = {}

        def take(rows, x_begin, x_end, row, first_y):
            for y in range(*rows):
                for x in range(max(x_begin, -columns.start), min(x_end, self.columns - columns.start)):
                    known[x, first_y + y] = self.colour(row[y, columns.start + x])

        def is_known(kind_there):
            return self.payload.exact or kind_there > 1
        if block and is_known(kinds[block - 1]):
            take((0, height), -3, 0, work, 0)
        if above is not None:
            for other, x_begin, x_end in ((block - 1, -3, 0), (block, 0, width), (block + 1, 64, 66)):
                if 0 <= other < len(kinds_above) and is_known(kinds_above[other]):
                    take((BLOCK - 2, BLOCK), x_begin, x_end, above, -BLOCK)
        pixels = PixelBlock(self.payload, self.pixels, work.shape[2], self.top, self.payload.near if kind == 3 else 0, known)
        pixels.decode(width, height)
        decoded = np.array([[known[x, y] for x in range(width)] for y in range(height)], np.int64)
        return np.stack([decoded >> 8 * c & 255 for c in range(work.shape[2])], 2)

    @staticmethod
    def colour(samples):
        return sum(int(sample) << 8 * c for c, sample in enumerate(samples))


def decode_details(payloads, base, top):
    """The picture, and its sections."""
    picture, sections = base.copy(), []
    for s, data in enumerate(payloads):
        sections.append(Section(data, picture[SECTION * s:SECTION * (s + 1)], top))
        sections[-1].decode()
    return picture, sections


def describe(sections):
    counts = {kind: sum(section.counts[kind] for section in sections) for kind in KINDS}
    gray = sum(section.gray_rows for section in sections)
    return "details: " + ", ".join(f"{count} {kind}" for kind, count in counts.items()) + f", {gray} rows gray"
