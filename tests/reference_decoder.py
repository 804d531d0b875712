#!/usr/bin/env python3
"""A second decoder of .glint streams, written from docs/BITSTREAM.md alone (but see reference_details.py): plain, slow, numpy only.

  reference_decoder.py MODEL STREAM [PICTURE]   decodes; PICTURE (PPM, PGM, PAM, PNG) is what another decoder made of the stream
  reference_decoder.py --metadata STREAM PNG    reads the metadata; PNG is what another decoder made of the stream
  reference_decoder.py --explain MODEL STREAM   prints the stream, field by field

Checks all that the documents promise: CRCs of chunks and latents, final states, and, against PICTURE, colour within one level (the same samples where g_s is all integers)
and alpha sample by sample. Exit code 0: all right; 1: something differs, and the last line says what.
"""
import argparse
import bisect
import math
import struct
import sys
import zlib

import numpy as np

import reference_details
from reference_model import Model, run_graph

DEPTHS = (1, 2, 4, 8, 16)
RANS_LOW = 1 << 31


class Wrong(Exception):
    """What differs from the documents."""


def expect(condition, what):
    if not condition:
        raise Wrong(what)


# ---- container ------------------------------------------------------------------------------------------------

def leb128(data, at):
    value = shift = 0
    while True:
        expect(at < len(data) and shift < 35, "a LEB128 number is cut short or too long")
        byte = data[at]
        value, at, shift = value | (byte & 127) << shift, at + 1, shift + 7
        if byte < 128:
            expect(not (byte == 0 and shift > 7) and value < 1 << 32, "a LEB128 number with padding or more than 32 bits")
            return value, at


def read_chunks(data):
    """[(type, offset of the chunk, offset of its payload, payload)]"""
    expect(data[:7] == b"\xd3GL\r\n\x1a\n", "no signature")
    chunks, at = [], 7
    while not chunks or chunks[-1][0] != "E":
        expect(at < len(data), "no end chunk")
        begin, kind = at, chr(data[at])
        expect(kind.isascii() and kind.isalpha(), f"no chunk at byte {at}")
        size, at = leb128(data, at + 1)
        expect(at + size + 4 <= len(data), f"chunk at byte {begin} is cut short")
        expect(struct.unpack_from("<I", data, at + size)[0] == zlib.crc32(data[begin:at + size]), f"CRC of the chunk at byte {begin}")
        expect(kind.islower() or kind in "HASDE", f"unknown critical chunk {kind}")
        chunks.append((kind, begin, at, data[at:at + size]))
        at += size + 4
    expect(at == len(data), "bytes after the end chunk")
    order = "".join(c[0] for c in chunks)
    expect(order[0] == "H" and order.count("H") == 1 and all(order.count(kind) <= 1 for kind in "Aiet"), f"chunks {order}")
    return chunks


def inflate(payload, at, most=1 << 26):
    """What is packed from there to the end."""
    size, at = leb128(payload, at)
    expect(0 < size <= min(most, 1032 * (len(payload) - at)), f"a packed length of {size}")
    zlib_stream = zlib.decompressobj()
    data = zlib_stream.decompress(payload[at:], size + 1)
    expect(len(data) == size and zlib_stream.eof and not zlib_stream.unused_data, "a length that is not what was packed")
    return data


def metadata(chunks):
    """[(type, content)] with the types of PNG; the profile is not packed."""
    parts, seen = [], set()
    for kind, _, _, payload in chunks:
        if kind == "z":
            kind = chr(payload[0])
            if kind not in "et":
                continue
            payload = inflate(payload, 1)
        if kind not in "iet":
            continue
        expect(kind not in seen and payload, f"metadata {kind} twice or empty")
        seen.add(kind)
        if kind == "i":
            parts.append(("iCCP", inflate(payload, 0)))
        elif kind == "e":
            parts.append(("eXIf", payload))
        at = 0
        while kind == "t" and at < len(payload):
            name = payload[at:at + 4]
            size, at = leb128(payload, at + 4)
            expect(len(name) == 4 and name.isalpha() and at + size <= len(payload), "an entry of the metadata")
            parts.append((name.decode(), payload[at:at + size]))
            at += size
    return parts


def compare_metadata(chunks, path):
    with open(path, "rb") as f:
        png = f.read()
    found, at = [], 8
    while at < len(png):
        size, kind = struct.unpack_from(">I4s", png, at)
        found.append((kind.decode(), png[at + 8:at + 8 + size]))
        at += size + 12
    found = [(kind, zlib.decompress(data.split(b"\0", 1)[1][1:]) if kind == "iCCP" else data) for kind, data in found if not kind[0].isupper()]
    own = metadata(chunks)
    expect(own == found, f"metadata {[(k, len(d)) for k, d in own]}, the PNG has {[(k, len(d)) for k, d in found]}")
    return ", ".join(f"{kind} {len(data)}" for kind, data in own) + f" bytes from {''.join(c[0] for c in chunks)}"


class Header:
    def __init__(self, payload):
        self.version, self.options = payload[0], payload[1]
        expect(self.version == 1, f"version {self.version}")
        expect(self.options < 64 and self.options & 7 < len(DEPTHS) and self.options & 40 != 32, f"options {self.options}")
        self.width, at = leb128(payload, 2)
        self.height, at = leb128(payload, at)
        self.model_id, self.lrd = payload[at:at + 8], struct.unpack_from("<f", payload, at + 8)[0]
        expect(len(payload) == at + 12 and self.width and self.height, "the header's length or size")
        self.depth, self.alpha = DEPTHS[self.options & 7], bool(self.options & 16)
        self.channels, self.gray = 3 if self.options & 8 else 1, self.options & 40 != 8
        self.top = (1 << min(self.depth, 8)) - 1


# ---- entropy coding -------------------------------------------------------------------------------------------

class Rans:
    def __init__(self, data, symbols):
        self.n = 1 if symbols < 1 << 15 else 2 if symbols < 1 << 19 else 4 if symbols < 1 << 21 else 8
        expect(len(data) >= 8 * self.n and len(data) % 4 == 0, "the length of a segment")
        self.states = list(struct.unpack_from(f"<{self.n}Q", data))
        self.words, self.at, self.count = struct.unpack_from(f"<{len(data) // 4 - 2 * self.n}I", data, 8 * self.n), 0, 0
        self.trace, self.escapes = [], 0
        expect(all(RANS_LOW <= x < 1 << 63 for x in self.states), "an initial state")

    def set(self, i, x):
        if x < RANS_LOW:
            expect(self.at < len(self.words), "the words of a segment are used up")
            x, self.at = x << 32 | self.words[self.at], self.at + 1
        self.states[i] = x

    def raw(self, i, bits):
        x = self.states[i]
        self.set(i, x >> bits)
        return x & ((1 << bits) - 1)

    def get(self, table):
        cdf, low = table
        i = self.count % self.n
        self.count += 1
        x = self.states[i]
        slot = x & 0xFFFF
        s = bisect.bisect_right(cdf, slot) - 1
        self.set(i, (cdf[s + 1] - cdf[s]) * (x >> 16) + slot - cdf[s])
        value = low + s
        if s == len(cdf) - 2:                      # the escape
            self.escapes += 1
            head = self.raw(i, 5)
            bits = head & 15
            excess = (1 << bits) + (self.raw(i, bits) if bits else 0)
            value = low - excess if head & 16 else low + len(cdf) - 3 + excess
            expect(-32768 <= value <= 32767, "an escaped value is no 16-bit number")
        if len(self.trace) < 3:
            self.trace.append(f"{x:#x}: slot {slot} is in [{cdf[s]}, {cdf[s + 1]}), value {value}")
        return value

    def finish(self):
        expect(self.at == len(self.words) and all(x == RANS_LOW for x in self.states), "the final states of a segment")


def to_fixed(x, scale):
    x = np.where(np.isnan(x), np.float32(0), x) * np.float32(scale)
    return np.rint(np.clip(x, np.float32(-32768), np.float32(32767))).astype(np.int16)


POSITIONS = {"all": [[0, 0], [0, 1], [1, 0], [1, 1]], "even": [[0, 0], [1, 1]], "odd": [[0, 1], [1, 0]]}


class Latents:
    """z and y_hat of a stream, segment after segment."""

    def __init__(self, model, header):
        doc = model.doc
        self.model, self.coding, self.bits = model, doc["coding"], doc["latents"]["fraction_bits"]
        self.t = rate_to_t(doc["rate"], header.lrd)
        stride = doc["picture"]["stride"]
        self.height, self.width = (-(-side // stride) * stride // doc["latents"]["stride"] for side in (header.height, header.width))
        self.rows = self.coding["segment_rows"]
        self.segments = -(-self.height // self.rows)
        self.y_hat = np.zeros((self.height, self.width, doc["latents"]["channels"]), np.int16)
        self.z = None
        if "hyper" in doc:
            self.ratio = doc["hyper"]["stride"] // doc["latents"]["stride"]
            self.z = np.zeros((-(-self.height // self.ratio), -(-self.width // self.ratio), doc["hyper"]["channels"]), np.int16)
        self.tables = {name: model.tables(names) for name, names in self.coding["tables"].items()}

    def step_rows(self, step, segment):
        def end(segments):
            rows = self.rows * segments
            if not segments:
                return 0
            if step["codes"] == "z":
                return min(len(self.z), -(-rows // self.ratio) + step["ahead"])
            return min(self.height, rows + step["ahead"])
        return range(end(segment), end(segment + 1))

    def row_symbols(self, step, row):
        """What a step codes in a row, in order: column, first and last channel, first of the step's channels."""
        width = (self.z if step["codes"] == "z" else self.y_hat).shape[1]
        for column in range(width):
            at = 0
            for part in step["parts"]:
                begin, end = part["channels"]
                if [row & 1, column & 1] in POSITIONS.get(str(part["positions"]), part["positions"]):
                    yield column, begin, end, at
                at += end - begin

    def symbols(self, segment):
        return sum(end - begin for step in self.coding["steps"] for row in self.step_rows(step, segment)
                   for _, begin, end, _ in self.row_symbols(step, row))

    def step_input(self, source, psi):
        if source == "psi":
            return psi
        return self.y_hat[:, :, source[0]:source[1]].astype(np.float32) / np.float32(1 << self.bits)

    def distributions(self, step, psi):
        """Means in fixed point and table indices of a step's channels, at all positions or, with one row and column, for all."""
        source = step["distribution"]
        if source["kind"] == "fixed":
            count = sum(end - begin for begin, end in (part["channels"] for part in step["parts"]))
            return np.zeros((1, 1, count), np.int16), np.arange(count)[None, None]
        return self.by_graph(step, {name: self.step_input(where, psi) for name, where in source["inputs"].items()})

    def front_distributions(self, step, psi, front):
        """The same at the positions of a front. What the graph can see around each of them is put side by side in one picture, where
        each position is the last one that its own piece has."""
        source, reach = step["distribution"], self.reach(step)
        inputs = {}
        for name, where in source["inputs"].items():
            around = np.pad(self.step_input(where, psi), ((reach, 0), (reach, reach), (0, 0)))
            inputs[name] = np.concatenate([around[row:row + reach + 1, column:column + 2 * reach + 1] for row, column in front], 1)
        means, index = self.by_graph(step, inputs)
        return means[reach, reach::2 * reach + 1], index[reach, reach::2 * reach + 1]

    def by_graph(self, step, inputs):
        source, count = step["distribution"], sum(end - begin for begin, end in (part["channels"] for part in step["parts"]))
        out = run_graph(self.model, source["graph"], inputs, self.t)
        scales = out if source["kind"] == "scales" else out[:, :, count:]
        thresholds = self.model.tensor(self.coding["tables"][source["tables"]]["thresholds"])
        index = (scales[..., None] >= thresholds).sum(3)
        means = np.zeros_like(index, np.int16) if source["kind"] == "scales" else to_fixed(out[:, :, :count], 1 << self.bits)
        return means, index

    def reach(self, step):
        """How far the causal convolutions of a wavefront step look."""
        nodes = self.model.doc["graphs"][step["distribution"]["graph"]]["nodes"]
        return max([self.model.tensor(n["weights"]["weight"]).shape[2] // 2 for n in nodes if n.get("mask") == "causal"], default=0)

    def fronts(self, step, rows):
        """The positions of each front of a wavefront step, from top to bottom."""
        lag = self.reach(step) + 1
        for front in range(self.width + lag * (len(rows) - 1)):
            yield [(row, front - lag * i) for i, row in enumerate(rows) if 0 <= front - lag * i < self.width]

    def decode(self, segment, payload):
        """The decoder, for its trace."""
        expect(len(payload) >= 4, "a segment without CRC")
        rans, psi = Rans(payload[:-4], self.symbols(segment)), None
        for step in self.coding["steps"]:
            is_hyper = step["codes"] == "z"
            latents, bits = (self.z, 0) if is_hyper else (self.y_hat, self.bits)
            tables = self.tables[step["distribution"]["tables"]]
            most = self.most("h_s" if is_hyper else "g_s")

            def code(row, column, begin, end, means, index):
                sums = (np.array([rans.get(tables[i]) for i in index], np.int64) << bits) + means
                latents[row, column, begin:end] = np.clip(np.clip(sums, -32768, 32767), -most, most)

            rows = self.step_rows(step, segment)
            if step.get("order") == "wavefront":
                for front in self.fronts(step, rows):
                    distributions = self.front_distributions(step, psi, front) if front else ((), ())
                    for (row, column), means, index in zip(front, *distributions):
                        for at, begin, end, first in self.row_symbols(step, row):
                            if at == column:
                                code(row, column, begin, end, means[first:first + end - begin], index[first:first + end - begin])
                continue
            means, index = self.distributions(step, psi)
            fixed = index.shape[:2] == (1, 1) and step["distribution"]["kind"] == "fixed"
            for row in rows:
                for column, begin, end, at in self.row_symbols(step, row):
                    where = (0, 0) if fixed else (row, column)
                    code(row, column, begin, end, means[where][at:at + end - begin], index[where][at:at + end - begin])
            if is_hyper:
                z = {self.input_name("h_s"): self.z.astype(np.float32)}
                psi = run_graph(self.model, "h_s", z, self.t)[:self.height, :self.width]
        rans.finish()
        done = self.y_hat[self.rows * segment:self.rows * (segment + 1)]
        expect(zlib.crc32(done.astype("<i2").tobytes()) == struct.unpack("<I", payload[-4:])[0], f"latents of segment {segment}")
        return rans

    def most(self, graph):
        """What the integers of a graph's input are limited to; section 11 of the document."""
        kept = self.model.doc["graphs"][graph].get("tensors", {}).get(self.input_name(graph), {})
        return kept.get("max", 32768)

    def input_name(self, graph):
        return self.model.doc["graphs"][graph]["inputs"][0]["name"]


# ---- pixels ---------------------------------------------------------------------------------------------------

def rate_to_t(rate, lrd):
    if rate["parameter"] == "none":
        return 0.0
    if rate["map"] == "linear":
        return 2 * (lrd - rate["min"]) / (rate["max"] - rate["min"]) - 1
    low, high = math.log(rate["min"]), math.log(rate["max"])
    return 2 * (math.log(lrd) - low) / (high - low) - 1


def levels(latents, header, mean):
    """The model's picture: 0 to the top level of min(depth, 8) bits. `mean`: channels that are the same everywhere are averaged."""
    model = latents.model
    y = latents.y_hat.astype(np.float32) / np.float32(1 << latents.bits)
    x = run_graph(model, "g_s", {latents.input_name("g_s"): y}, latents.t)
    top, left = ((padded - side) // 2 if model.doc["picture"]["padding"] == "centred_zeros" else 0
                 for padded, side in zip(x.shape, (header.height, header.width)))
    x = x[top:top + header.height, left:left + header.width]
    if header.channels == 1 or (mean and header.gray):
        x = np.repeat(((x[:, :, 0] + x[:, :, 1] + x[:, :, 2]) * np.float32(1 / 3))[:, :, None], header.channels, 2)
    x = np.where(np.isnan(x), np.float32(0), np.clip(x + np.float32(model.doc["picture"]["offset"]), 0, 1))
    return np.rint(x * np.float32(header.top)).astype(np.int64)


def unfilter(data, size, step):
    """Rows of `size` bytes, each behind its filter, as PNG and the alpha channel have them; `step` bytes from one pixel to the next"""
    above, rows = bytes(size), []
    for begin in range(0, len(data), size + 1):
        kind, row = data[begin], bytearray(data[begin + 1:begin + 1 + size])
        for i in range(size):
            a, b, c = row[i - step] if i >= step else 0, above[i], above[i - step] if i >= step else 0
            nearest = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
            row[i] = (row[i] + (0, a, b, (a + b) // 2, nearest)[kind]) & 255
        above = bytes(row)
        rows.append(above)
    return b"".join(rows)


def alpha(payload, header):
    step = 2 if header.depth == 16 else 1
    size = header.width * step
    inflate = zlib.decompressobj()
    data = inflate.decompress(payload, header.height * (size + 1) + 1)
    expect(len(data) == header.height * (size + 1) and inflate.eof and not inflate.unused_data, "the length of the alpha channel")
    samples = np.frombuffer(unfilter(data, size, step), ">u2" if step == 2 else "u1")
    return samples.reshape(header.height, header.width, 1).astype(np.int64)


def read_pnm(data):
    if data[:2] == b"P7":
        head, body = data.split(b"ENDHDR\n", 1)
        fields = dict(line.split(b" ", 1) for line in head.split(b"\n")[1:] if b" " in line)
        width, height, depth, top = (int(fields[k]) for k in (b"WIDTH", b"HEIGHT", b"DEPTH", b"MAXVAL"))
    else:
        kind, width, height, top, body = data.split(maxsplit=3)[:3] + data.split(maxsplit=3)[3].split(b"\n", 1)
        width, height, top, depth = int(width), int(height), int(top), 3 if kind == b"P6" else 1
    return np.frombuffer(body, ">u2" if top > 255 else "u1").reshape(height, width, depth).astype(np.int64), top


def read_png(data):
    """Gray or colour, with or without alpha, not interlaced"""
    chunks, at = {}, 8
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        chunks[kind] = chunks.get(kind, b"") + data[at + 8:at + 8 + size]
        at += size + 12
    width, height, bits, colour_type, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    expect(colour_type in (0, 2, 4, 6) and not interlaced, "a form of PNG that is not read here")
    depth = {0: 1, 2: 3, 4: 2, 6: 4}[colour_type]
    size = -(-width * depth * bits // 8)
    samples = unfilter(zlib.decompress(chunks[b"IDAT"]), size, -(-depth * bits // 8))
    if bits < 8:                                   # one channel, the first pixel in the highest bits
        rows = np.unpackbits(np.frombuffer(samples, "u1").reshape(height, size), axis=1)[:, :width * bits].reshape(height, width, bits)
        samples = (rows @ (1 << np.arange(bits)[::-1])).astype("u1").tobytes()
    return np.frombuffer(samples, ">u2" if bits == 16 else "u1").reshape(height, width, depth).astype(np.int64), (1 << bits) - 1


def read_picture(path):
    with open(path, "rb") as f:
        data = f.read()
    return read_png(data) if data[:8] == b"\x89PNG\r\n\x1a\n" else read_pnm(data)


def write_pam(path, picture, top):
    height, width, channels = picture.shape
    with open(path, "wb") as f:
        f.write(f"P7\nWIDTH {width}\nHEIGHT {height}\nDEPTH {channels}\nMAXVAL {top}\nENDHDR\n".encode())
        f.write(picture.astype(">u2" if top > 255 else "u1").tobytes())


def top_of(header):
    """The largest sample of what comes out."""
    return (1 << (header.depth if header.alpha else min(header.depth, 8))) - 1


def is_exact(graph):
    """Does everything that multiplies do it in integers?"""
    return all(n["precision"] in ("i16", "i8") for n in graph["nodes"] if n["op"] in ("conv2d", "conv_transpose2d", "gdn"))


def compare(picture, got, header, exact):
    wanted, top = read_picture(picture)
    expect(wanted.shape == got.shape and top == top_of(header), "form of the picture")
    off = np.abs(wanted - got)
    most = off[:, :, :header.channels].max()
    expect(most <= (0 if exact else 257 if top > 255 else 1), f"colour differs by {most}")
    expect(not header.alpha or off[:, :, -1].max() == 0, "alpha differs")
    return f"colour within {most} of {top}, {np.count_nonzero(off)} of {off.size} samples differ"


def details(payloads, base, header):
    """The picture, and what its sections have."""
    wanted = -(-header.height // reference_details.SECTION)
    expect(len(payloads) == wanted, f"details of {len(payloads)} sections, the height wants {wanted}")
    try:
        return reference_details.decode_details(payloads, base, header.top)
    except reference_details.Damaged as damage:
        raise Wrong(f"details: {damage}") from None


# ---- the whole ------------------------------------------------------------------------------------------------

def explain(data, chunks, header, traces, sections):
    def line(at, size, text):
        for first in range(at, at + size, 12):
            print(f"{first:6d}  {data[first:min(first + 12, at + size)].hex(' '):<36}  {text if first == at else ''}".rstrip())

    line(0, 7, "signature")
    for kind, begin, at, payload in chunks:
        line(begin, 1, f"chunk '{kind}'")
        line(begin + 1, at - begin - 1, f"{len(payload)} bytes of payload")
        if kind == "H":
            size = len(payload) - 14
            parts = [(1, "version"), (1, f"options: depth {header.depth}, {header.channels} colour channels{', all the same' * (header.gray and header.channels == 3)}, {'' if header.alpha else 'no '}alpha"),
                     (size, f"width {header.width}, height {header.height}"), (8, "model"), (4, f"lrd {header.lrd:.9g}")]
        elif kind == "S":
            rans = traces.pop(0)
            parts = [(8, f"state {i}") for i in range(rans.n)] + [(4 * len(rans.words), f"{len(rans.words)} words")] * bool(rans.words) + \
                    [(4, f"CRC-32 of the latents; {rans.count} symbols were coded, the first:\n" +
                      "\n".join(f"{'':46}state {text}" for text in rans.trace))]
        elif kind == "D":
            section = sections.pop(0)
            head = section.payload
            sizes = [1 + (head.step > 127), 1, len(payload) - head.size - len(head.raw_bytes)]
            parts = [(1, f"depth {head.depth}"), (1, f"the base is {'exact' if head.exact else 'not exact'}"), (sizes[0], f"step {head.step} / 16"),
                     (sizes[1], f"near {head.near}"), (sizes[2] - sum(sizes[:2]) - 2, f"{head.size} bytes of coded bits follow"),
                     (head.size, f"blocks of {reference_details.describe([section])}"), (len(head.raw_bytes), f"{head.raw_taken} raw bits")]
        else:
            parts = [(len(payload), "payload")] * bool(payload)
        for size, text in parts:
            line(at, size, text)
            at += size
        line(at, 4, "CRC-32 of the chunk")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--explain", action="store_true", help="print the stream, field by field")
    parser.add_argument("--metadata", action="store_true", help="compare the metadata of STREAM with those of PNG, in place of MODEL and STREAM")
    parser.add_argument("--write", metavar="FILE", help="write the picture, as PAM")
    parser.add_argument("--latents", metavar="FILE", help="write y, 16-bit and little-endian: rows, columns, channels")
    parser.add_argument("model")
    parser.add_argument("stream")
    parser.add_argument("picture", nargs="?")
    args = parser.parse_args()
    if args.metadata:
        with open(args.model, "rb") as f:
            print(compare_metadata(read_chunks(f.read()), args.stream))
        return
    model = Model(args.model)
    with open(args.stream, "rb") as f:
        data = f.read()
    chunks = read_chunks(data)
    header = Header(chunks[0][3])
    expect(header.model_id == model.id, "the stream needs another model")
    payloads = {kind: payload for kind, _, _, payload in chunks}
    expect(("A" in payloads) == header.alpha, "the alpha chunk")
    latents = Latents(model, header)
    segments = [payload for kind, _, _, payload in chunks if kind == "S"]
    expect(len(segments) == latents.segments, f"{len(segments)} segments, the size wants {latents.segments}")
    traces = [latents.decode(s, payload) for s, payload in enumerate(segments)]
    detail_payloads, sections = [payload for kind, _, _, payload in chunks if kind == "D"], []
    if args.latents:
        latents.y_hat.astype("<i2").tofile(args.latents)
    if detail_payloads or args.picture or args.write:
        picture = levels(latents, header, mean=not detail_payloads)
    if detail_payloads:
        picture, sections = details(detail_payloads, picture, header)
    if args.explain:
        explain(data, chunks, header, traces, sections)
        return
    text = f"{header.width}x{header.height}, {len(segments)} segments of {traces[0].n} states, {sum(r.count for r in traces)} symbols, {sum(r.escapes for r in traces)} escapes"
    if sections:
        text += f"; {reference_details.describe(sections)}"
    if args.picture or args.write:
        planes = [picture * 257 if header.depth == 16 and header.alpha else picture] + ([alpha(payloads["A"], header)] if header.alpha else [])
        whole = np.concatenate(planes, 2)
    if args.write:
        write_pam(args.write, whole, top_of(header))
    if args.picture:
        text += "; " + compare(args.picture, whole, header, is_exact(model.doc["graphs"]["g_s"]))
    print(text)


if __name__ == "__main__":
    try:
        main()
    except Wrong as wrong:
        sys.exit(f"reference_decoder: {wrong}")
