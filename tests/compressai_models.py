"""State dicts of small models as CompressAI has them, with drawn weights, and files of torch.save, both without PyTorch.

Used by convert_test.py, and by weights/make_convert_golden.py, which asks CompressAI itself what such models do.
"""
import math
import struct
import zipfile

import numpy as np

PLAIN = ("bmshj2018-factorized", "bmshj2018-factorized-relu", "bmshj2018-hyperprior", "mbt2018-mean")
SERIAL = ("mbt2018", "cheng2020-anchor", "cheng2020-attn")
CHECKERBOARD = ("cheng2020-anchor-checkerboard", "elic2022-official", "elic2022-chandelier")
CONTEXT = SERIAL + CHECKERBOARD
ARCHITECTURES = PLAIN + CONTEXT


# ---- weights ----------------------------------------------------------------------------------------------------

class Draw:
    """Weights for which latents reach some tens, and scales about as much, as in trained models. RandomState never changes its numbers."""

    def __init__(self, seed):
        self.random, self.state = np.random.RandomState(seed), {}

    def normal(self, *shape):
        return self.random.standard_normal(shape)

    def put(self, key, values):
        self.state[key] = np.asarray(values, np.float32)

    def conv(self, name, outputs, inputs, kernel=5, gain=1.0, bias=0.1):
        self.put(f"{name}.weight", self.normal(outputs, inputs, kernel, kernel) * gain / math.sqrt(inputs * kernel * kernel))
        self.put(f"{name}.bias", self.normal(outputs) * 0.1 + bias)

    def deconv(self, name, outputs, inputs, gain=1.0, bias=0.1):
        self.put(f"{name}.weight", self.normal(inputs, outputs, 5, 5) * gain * 2 / math.sqrt(inputs * 25))
        self.put(f"{name}.bias", self.normal(outputs) * 0.1 + bias)

    def gdn(self, name, channels):
        """As training stores them, the constants of the reparametrisation beside."""
        pedestal = 2.0 ** -36
        gamma = 0.1 * np.eye(channels) + np.maximum(self.normal(channels, channels), 0) * 0.1 / channels
        self.put(f"{name}.beta", np.sqrt(np.maximum(1 + 0.2 * self.normal(channels), 0.1) + pedestal))
        self.put(f"{name}.gamma", np.sqrt(gamma + pedestal))
        for what, least in (("beta", 1e-6), ("gamma", 0.0)):
            self.put(f"{name}.{what}_reparam.pedestal", [pedestal])
            self.put(f"{name}.{what}_reparam.lower_bound.bound", [math.sqrt(least + pedestal)])

    def masked(self, name, outputs, inputs, live, gain=0.1, bias=0.1):
        """As training leaves them: taps that are masked out have weights too."""
        self.conv(name, outputs, inputs, gain=gain, bias=bias)
        self.put(f"{name}.mask", np.broadcast_to(live, (outputs, inputs, 5, 5)))

    def bottleneck(self, names, channels, gain=0.7):
        half = channels // 2
        for name, outputs, inputs, kernel in zip(names, (half, half, channels), (channels, half, half), (1, 3, 1)):
            self.conv(name, outputs, inputs, kernel=kernel, gain=gain)

    def attention(self, name, channels):
        for branch in ("conv_a", "conv_b"):
            for i in range(3):
                self.bottleneck([f"{name}.{branch}.{i}.conv.{layer}" for layer in (0, 2, 4)], channels, 0.5)
        self.conv(f"{name}.conv_b.3", channels, channels, kernel=1, gain=0.1)

    def prior(self, channels, name="entropy_bottleneck"):
        widths = (1, 3, 3, 3, 3, 1)
        for i in range(5):
            start = math.log(math.expm1(1 / 10 ** 0.2 / widths[i + 1]))
            self.put(f"{name}.matrices.{i}", start + 0.3 * self.normal(channels, widths[i + 1], widths[i]))
            self.put(f"{name}.biases.{i}", self.random.uniform(-0.5, 0.5, (channels, widths[i + 1], 1)))
            if i < 4:
                self.put(f"{name}.factors.{i}", 0.3 * self.normal(channels, widths[i + 1], 1))
        median, spread = self.normal(channels) * 2, self.random.uniform(15, 60, channels)
        self.put(f"{name}.quantiles", np.stack([median - spread, median, median + spread], -1)[:, None])
        target = math.log(2 / 1e-9 - 1)
        self.put(f"{name}.target", [-target, 0, target])
        self.put(f"{name}.likelihood_lower_bound.bound", [1e-9])
        self.empty_tables(name)

    def empty_tables(self, name):
        for buffer in ("_offset", "_quantized_cdf", "_cdf_length"):
            self.state[f"{name}.{buffer}"] = np.zeros(0, np.int32)

    def gaussian(self, name="gaussian_conditional"):
        self.empty_tables(name)
        self.put(f"{name}.scale_table", np.zeros(0))
        self.put(f"{name}.scale_bound", [0.11])
        self.put(f"{name}.likelihood_lower_bound.bound", [1e-9])
        self.put(f"{name}.lower_bound_scale.bound", [0.11])


def google(draw, architecture, n, m):
    """compressai/models/google.py"""
    factorized, relu = "factorized" in architecture, architecture.endswith("relu")
    draw.prior(m if factorized else n)
    for i, (outputs, inputs, gain) in enumerate(((n, 3, 3), (n, n, 1.5), (n, n, 1.5), (m, n, 8))):
        draw.conv(f"g_a.{2 * i}", outputs, inputs, gain=gain)
        draw.deconv(f"g_s.{2 * i}", *((n, m, 0.1), (n, n, 0.8), (n, n, 0.8), (3, n, 0.1))[i], bias=0.5 if i == 3 else 0.1)
        if i < 3 and not relu:
            draw.gdn(f"g_a.{2 * i + 1}", n)
            draw.gdn(f"g_s.{2 * i + 1}", n)
    if factorized:
        return
    means = architecture.startswith("mbt2018")
    draw.conv("h_a.0", n, m, kernel=3)
    draw.conv("h_a.2", n, n)
    draw.conv("h_a.4", n, n, gain=2.5)
    draw.deconv("h_s.0", m if means else n, n, gain=0.5)
    draw.deconv("h_s.2", m * 3 // 2 if means else n, m if means else n)
    draw.conv("h_s.4", 2 * m if means else m, m * 3 // 2 if means else n, kernel=3, gain=1.2)
    if architecture == "mbt2018":
        context(draw, "", m, CAUSAL, *widths(m))
    else:
        draw.state["h_s.4.bias"][:m] += np.float32(5)         # scales
    draw.gaussian()


# ---- models with context ----------------------------------------------------------------------------------------

TAPS = np.arange(25).reshape(5, 5)
CAUSAL, OTHER_COLOUR = TAPS < 12, TAPS % 2 == 1


def widths(m):
    """Of the three layers of entropy_parameters: what goes into each."""
    return 4 * m, m * 10 // 3, m * 8 // 3


def context(draw, place, channels, live, joined, wide, narrow, scales_first=True):
    """context_prediction and entropy_parameters"""
    draw.masked(f"{place}context_prediction", 2 * channels, channels, live)
    draw.conv(f"{place}entropy_parameters.0", wide, joined, kernel=1, gain=1.5)
    draw.conv(f"{place}entropy_parameters.2", narrow, wide, kernel=1, gain=1.5)
    draw.conv(f"{place}entropy_parameters.4", 2 * channels, narrow, kernel=1, gain=1.5)
    scales = slice(0, channels) if scales_first else slice(channels, None)
    draw.state[f"{place}entropy_parameters.4.bias"][scales] += np.float32(10)


def cheng_block(draw, name, kind, n, first, gain):
    """A block of g_a or g_s; `gain`: of its last layers."""
    if kind == "conv":
        draw.conv(name, n, n, kernel=3, gain=4)
    elif kind == "picture":
        draw.conv(f"{name}.0", 12, n, kernel=3, gain=0.1, bias=0.5)
    elif kind == "attention":
        draw.attention(name, n)
    elif kind == "residual":
        draw.conv(f"{name}.conv1", n, n, kernel=3, gain=gain)
        draw.conv(f"{name}.conv2", n, n, kernel=3, gain=0.5)
    elif kind == "halving":
        draw.conv(f"{name}.conv1", n, 3 if first else n, kernel=3, gain=2)
        draw.conv(f"{name}.conv2", n, n, kernel=3, gain=1.5)
        draw.gdn(f"{name}.gdn", n)
        draw.conv(f"{name}.skip", n, 3 if first else n, kernel=1)
    else:
        draw.conv(f"{name}.subpel_conv.0", 4 * n, n, kernel=3, gain=gain)
        draw.conv(f"{name}.conv", n, n, kernel=3, gain=0.8)
        draw.gdn(f"{name}.igdn", n)
        draw.conv(f"{name}.upsample.0", 4 * n, n, kernel=3, gain=0.6 * gain)


def cheng(draw, architecture, n):
    """compressai/models/waseda.py, and the one of sensetime.py that is like it"""
    attentive, board = architecture.endswith("attn"), architecture.endswith("checkerboard")
    analysis = "halving residual halving residual halving residual conv"
    synthesis = "residual doubling residual doubling residual doubling residual picture"
    if attentive:
        analysis = "halving residual halving attention residual halving residual conv attention"
        synthesis = "attention residual doubling residual doubling attention residual doubling residual picture"
    for transform, kinds in (("g_a", analysis.split()), ("g_s", synthesis.split())):
        for i, kind in enumerate(kinds):
            cheng_block(draw, f"{transform}.{i}", kind, n, i == 0, 0.1 if i < 3 and transform == "g_s" else 0.6)
    outside, inside = ("latent_codec.hyper.", "latent_codec.y.") if board else ("", "")
    for i in (0, 2, 4, 6, 8):
        draw.conv(f"{outside}h_a.{i}", n, n, kernel=3, gain=2 if i == 8 else 1.2)
    draw.conv(f"{outside}h_s.0", n, n, kernel=3, gain=0.5)
    draw.conv(f"{outside}h_s.2.0", 4 * n, n, kernel=3)
    draw.conv(f"{outside}h_s.4", n * 3 // 2, n, kernel=3)
    draw.conv(f"{outside}h_s.6.0", n * 3 // 2 * 4, n * 3 // 2, kernel=3)
    draw.conv(f"{outside}h_s.8", 2 * n, n * 3 // 2, kernel=3, gain=1.2)
    draw.prior(n, f"{outside}entropy_bottleneck")
    context(draw, inside, n, OTHER_COLOUR if board else CAUSAL, *widths(n))
    draw.gaussian(f"{inside}y.gaussian_conditional" if board else "gaussian_conditional")


def elic_groups(m):
    return [16, 16, 32, 64, m - 128]


def ramp(joined, outputs, least):
    """CompressAI's sequential_channel_ramp: even steps, rounded down, but not below `least`."""
    step = np.float32(outputs - joined) / np.float32(3)
    return joined, max(int(joined + step), least), max(int(outputs - step), least)


def elic_context(draw, official, n, m, groups):
    for k, channels in enumerate(groups):
        seen = sum(groups[:k]) if official else groups[0] + (groups[k - 1] if k > 1 else 0)
        joined = 2 * channels * (2 if k else 1) + (2 * n if official else 2 * m)
        place = f"latent_codec.y.latent_codec.y{k}."
        context(draw, place, channels, OTHER_COLOUR, *(ramp(joined, 2 * channels, 2 * n) if official else (joined, 2 * m, 512)), official)
        draw.gaussian(f"{place}y.gaussian_conditional")
        if k:
            for layer, outputs, inputs in ((0, 224, seen), (2, 128, 224), (4, 2 * channels, 128)):
                draw.conv(f"latent_codec.y.channel_context.y{k}.{layer}", outputs, inputs, gain=1.3 if layer else 0.1)


def elic(draw, architecture, n, m, groups):
    """compressai/models/sensetime.py"""
    official, runs = architecture.endswith("official"), {"g_a": (1, 5, 10), "g_s": (2, 7, 11)}
    for i, (layer, outputs, inputs, gain) in enumerate(((0, n, 3, 3), (4, n, n, 1), (9, n, n, 1), (13, m, n, 3))):
        draw.conv(f"g_a.{layer}", outputs, inputs, gain=gain)
        mirrored, back = (1, 5, 10, 14)[i], (n, n, n, 3)[i]
        draw.deconv(f"g_s.{mirrored}", back, m if i == 0 else n, gain=(0.1, 0.6, 0.6, 0.1)[i], bias=0.5 if i == 3 else 0.1)
    for transform, firsts in runs.items():
        for block in (first + i for first in firsts for i in range(3)):
            draw.bottleneck([f"{transform}.{block}.conv{layer}" for layer in (1, 2, 3)], n)
    for name, channels in (("g_a.8", n), ("g_a.14", m), ("g_s.0", m), ("g_s.6", n)):
        draw.attention(name, channels)
    hyper = "latent_codec.hyper."
    for layer, outputs, inputs, kernel in ((0, n, m, 3), (2, n, n, 5), (4, n, n, 5)):
        draw.conv(f"{hyper}h_a.{layer}", outputs, inputs, kernel=kernel, gain=2.5 if layer == 4 else 1)
    draw.deconv(f"{hyper}h_s.0", n, n, gain=0.5)
    draw.deconv(f"{hyper}h_s.2", n * 3 // 2, n)
    draw.conv(f"{hyper}h_s.4", 2 * n if official else 2 * m, n * 3 // 2, kernel=3)
    if official:      # a transposed one
        draw.state[f"{hyper}h_s.4.weight"] = np.ascontiguousarray(draw.state[f"{hyper}h_s.4.weight"].swapaxes(0, 1))
    draw.prior(n, f"{hyper}entropy_bottleneck")
    elic_context(draw, official, n, m, groups or elic_groups(m))


def state_dict(architecture, n, m, seed, groups=None):
    """{key: array} as the class of CompressAI would save it before update(). `groups`: of ELIC, others than its own."""
    draw = Draw(seed)
    if architecture.startswith("elic"):
        elic(draw, architecture, n, m, groups)
    elif architecture.startswith("cheng"):
        cheng(draw, architecture, n)
    else:
        google(draw, architecture, n, m)
    return draw.state


# ---- pickles ----------------------------------------------------------------------------------------------------

class Global:
    def __init__(self, module, name):
        self.bytes = f"c{module}\n{name}\n".encode()


class Call:
    def __init__(self, function, *arguments, state=None):
        self.function, self.arguments, self.state = function, arguments, state


class Persistent:
    def __init__(self, *identity):
        self.identity = identity


class Pairs(list):
    """Of a dictionary, in which a key may be twice."""


def pickled(value):
    """Protocol 2, without its first and last byte's operations."""
    if value is None or isinstance(value, bool):
        return {None: b"N", True: b"\x88", False: b"\x89"}[value]
    if isinstance(value, int):
        raw = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
        return b"J" + struct.pack("<i", value) if -1 << 31 <= value < 1 << 31 else b"\x8a" + bytes([len(raw)]) + raw
    if isinstance(value, float):
        return b"G" + struct.pack(">d", value)
    if isinstance(value, str):
        return b"X" + struct.pack("<I", len(value.encode())) + value.encode()
    if isinstance(value, tuple):
        return b"(" + b"".join(map(pickled, value)) + b"t"
    if isinstance(value, (dict, Pairs)):
        pairs = value.items() if isinstance(value, dict) else value
        return b"}(" + b"".join(pickled(k) + pickled(v) for k, v in pairs) + b"u"
    if isinstance(value, list):
        return b"](" + b"".join(map(pickled, value)) + b"e"
    if isinstance(value, Global):
        return value.bytes
    if isinstance(value, Persistent):
        return pickled(value.identity) + b"Q"
    state = b"" if value.state is None else pickled(value.state) + b"b"
    return value.function.bytes + pickled(value.arguments) + b"R" + state


def stream(value):
    return b"\x80\x02" + pickled(value) + b"."


# ---- files of torch.save ----------------------------------------------------------------------------------------

STORAGES = {"f4": "FloatStorage", "f8": "DoubleStorage", "f2": "HalfStorage", "i4": "IntStorage", "i8": "LongStorage",
            "u2": "BFloat16Storage"}
ORDERED = Global("collections", "OrderedDict")
REBUILD = Global("torch._utils", "_rebuild_tensor_v2")


class File:
    """Arrays put into storages, one each, and described as tensors."""

    def __init__(self, legacy=False):
        self.storages, self.legacy = [], legacy

    def tensor(self, array, offset=0, size=None, stride=None, count=None):
        array = np.asarray(array)
        key, kind = str(len(self.storages)), STORAGES[array.dtype.str[1:]]
        self.storages.append(np.ascontiguousarray(array))
        strides, run = [], 1
        for n in reversed(array.shape):
            strides.insert(0, run)
            run *= n
        identity = ("storage", Global("torch", kind), key, "cpu", array.size if count is None else count) + ((None,) if self.legacy else ())
        return Call(REBUILD, Persistent(*identity), offset, array.shape if size is None else tuple(size),
                    tuple(strides) if stride is None else tuple(stride), False, Call(ORDERED))

    def ordered(self, state):
        """An OrderedDict as state_dict() gives it"""
        return Call(ORDERED, [(key, self.tensor(array)) for key, array in state.items()], state=Pairs([("_metadata", Call(ORDERED))]))

    def write(self, path, value, leave_out=(), compression=zipfile.ZIP_STORED):
        if self.legacy:
            with open(path, "wb") as f:
                for item in (0x1950a86a20f9469cfc6c, 1001, {"protocol_version": 1001, "little_endian": True}, value,
                             [str(i) for i in range(len(self.storages))]):
                    f.write(stream(item))
                for array in self.storages:
                    f.write(struct.pack("<q", array.size) + array.tobytes())
            return
        with zipfile.ZipFile(path, "w", compression) as archive:
            archive.writestr("archive/data.pkl", stream(value))
            archive.writestr("archive/byteorder", "little")
            for i, array in enumerate(self.storages):
                if str(i) not in leave_out:
                    archive.writestr(f"archive/data/{i}", array.tobytes())
            archive.writestr("archive/version", "3\n")


def save(path, state, legacy=False, wrap=lambda state: state):
    file = File(legacy)
    file.write(path, wrap(file.ordered(state)))
