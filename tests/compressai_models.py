"""State dicts of small models as CompressAI has them, with drawn weights, and files of torch.save, both without PyTorch.

Used by convert_test.py, and by weights/make_convert_golden.py, which asks CompressAI itself what such models do.
"""
import math
import struct
import zipfile

import numpy as np

ARCHITECTURES = ("bmshj2018-factorized", "bmshj2018-factorized-relu", "bmshj2018-hyperprior", "mbt2018-mean")


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

    def prior(self, channels):
        name, widths = "entropy_bottleneck", (1, 3, 3, 3, 3, 1)
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

    def gaussian(self):
        name = "gaussian_conditional"
        self.empty_tables(name)
        self.put(f"{name}.scale_table", np.zeros(0))
        self.put(f"{name}.scale_bound", [0.11])
        self.put(f"{name}.likelihood_lower_bound.bound", [1e-9])
        self.put(f"{name}.lower_bound_scale.bound", [0.11])


def state_dict(architecture, n, m, seed):
    """{key: array} as the class of CompressAI would save it before update()."""
    draw, relu = Draw(seed), architecture.endswith("relu")
    factorized = "factorized" in architecture
    draw.prior(m if factorized else n)
    for i, (outputs, inputs, gain) in enumerate(((n, 3, 3), (n, n, 1.5), (n, n, 1.5), (m, n, 8))):
        draw.conv(f"g_a.{2 * i}", outputs, inputs, gain=gain)
        draw.deconv(f"g_s.{2 * i}", *((n, m, 0.1), (n, n, 0.8), (n, n, 0.8), (3, n, 0.1))[i], bias=0.5 if i == 3 else 0.1)
        if i < 3 and not relu:
            draw.gdn(f"g_a.{2 * i + 1}", n)
            draw.gdn(f"g_s.{2 * i + 1}", n)
    if factorized:
        return draw.state
    means = architecture == "mbt2018-mean"
    draw.conv("h_a.0", n, m, kernel=3)
    draw.conv("h_a.2", n, n)
    draw.conv("h_a.4", n, n, gain=2.5)
    draw.deconv("h_s.0", m if means else n, n, gain=0.5)
    draw.deconv("h_s.2", m * 3 // 2 if means else n, m if means else n)
    draw.conv("h_s.4", 2 * m if means else m, m * 3 // 2 if means else n, kernel=3, gain=1.2)
    draw.state["h_s.4.bias"][:m] += np.float32(5)         # scales
    draw.gaussian()
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
