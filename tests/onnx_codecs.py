"""Whole codecs in ONNX, small and with drawn weights, and their tables: what tests/onnx_test.py converts."""
import math
import os

import numpy as np

from onnx_maker import Maker

N, M = 8, 12      # channels inside, and of y


# ---- tables ---------------------------------------------------------------------------------------------------

def rows(tables):
    """[(first value, probabilities, the escape's last)] -> cdf [T][longest], lengths, offsets, as CompressAI stores them."""
    cdf = np.zeros((len(tables), max(len(p) for _, p in tables) + 1), np.int32)
    for i, (_, p) in enumerate(tables):
        counts = np.maximum(1, np.floor(np.asarray(p) * 60000)).astype(int)
        counts[np.argmax(counts)] += 65536 - counts.sum()
        cdf[i, 1:len(p) + 1] = np.cumsum(counts)
    return cdf, np.array([len(p) + 1 for _, p in tables], np.int32), np.array([low for low, _ in tables], np.int32)


def gaussian(scale):
    half = max(1, math.ceil(4 * scale))
    phi = lambda v: 0.5 * math.erfc(-v / scale / math.sqrt(2))
    return -half, [phi(v + 0.5) - phi(v - 0.5) for v in range(-half, half + 1)] + [2 * phi(-half - 0.5)]


def named(prefix, tables):
    return dict(zip((f"{prefix}_cdf", f"{prefix}_length", f"{prefix}_offset"), rows(tables)))


def hyper_tables(rng):
    scales = np.exp(np.linspace(math.log(0.11), math.log(40), 16)).astype(np.float32)
    return {**named("y", [gaussian(s) for s in scales]), "scale_table": scales,
            **named("z", [gaussian(s) for s in rng.uniform(0.5, 3, N)]), "z_median": rng.normal(0, 2, N).astype(np.float32)}


def factorized_tables(rng):
    return {**named("y", [gaussian(s) for s in rng.uniform(1, 6, M)]), "y_median": rng.normal(0, 2, M).astype(np.float32)}


# ---- graphs ---------------------------------------------------------------------------------------------------

def conv(m, x, channels, outputs, k=5, stride=2, gain=1.0):
    weight = m.weight(outputs, channels, k, k, scale=gain * (2.0 / (channels * k * k)) ** 0.5)
    return m.add("Conv", x, weight, m.weight(outputs, scale=0.1), pads=[k // 2] * 4, strides=[stride] * 2)


def gdn(m, x, channels, inverse):
    gamma, beta = m.weight(channels, channels, 1, 1, scale=0.1, positive=True), m.constant(1 + m.rng.random(channels))
    root = m.add("Sqrt", m.add("Conv", m.add("Pow", x, 2.0), gamma, beta))
    return m.add("Mul", x, root if inverse else m.add("Reciprocal", root))


def up(m, x, channels, outputs, k=3, mode="CRD"):
    return m.add("DepthToSpace", conv(m, x, channels, 4 * outputs, k, 1), blocksize=2, mode=mode)


def analysis(m):
    """g_a in the maker; y, a sixteenth of the picture in either direction"""
    y = gdn(m, conv(m, m.add("Sub", "x", 0.5), 3, N, gain=3.0), N, False)
    y = gdn(m, conv(m, y, N, N), N, False)
    return conv(m, conv(m, y, N, N), N, M, gain=4.0)


def hyper_analysis(m, y, magnitudes=True):
    z = m.add("Relu", conv(m, m.add("Abs", y) if magnitudes else y, M, N, 3, 1))
    return conv(m, m.add("Relu", conv(m, z, N, N)), N, N)


def hyper_synthesis(m, z, outputs, mode="CRD", end=True):
    x = m.add("Relu", up(m, z, N, N, mode=mode))
    x = m.add("LeakyRelu", up(m, x, N, N, mode=mode), alpha=0.01)
    return conv(m, x, N, outputs, 3, 1) if end else x


def synthesis(m, limited=False):
    x = gdn(m, up(m, "y_hat", M, N), N, True)
    for _ in range(2):
        x = m.add("Relu", up(m, x, N, N))
    x = m.add("Add", up(m, x, N, 3), 0.5)
    return m.add("Clip", x, np.float32(0), np.float32(1)) if limited else x


def halves(m, x):
    cut = lambda b, e: m.add("Slice", x, np.array([b]), np.array([e]), np.array([1]))
    return cut(0, M), cut(M, 2 * M)


# ---- codecs ---------------------------------------------------------------------------------------------------

class Codec:
    """Makers by role, tables, flags. `order`: places of means and scales in the outputs of the last graph before the symbols, or in
    the halves of its one output; `bound`: below which scales are alike."""

    def __init__(self, makers, tables, flags=(), order=None, bound=-np.inf):
        self.makers, self.tables, self.flags, self.order, self.bound = makers, tables, list(flags), order, bound

    def write(self, folder):
        """The files; returns the flags of convert_model.py onnx for them."""
        args = ["onnx", *self.flags, "--tables", os.path.join(folder, "tables.npz")]
        np.savez(args[-1], **self.tables)
        for role, maker in self.makers.items():
            args += [f"--{role.replace('_', '-')}", maker.write(os.path.join(folder, f"{role}.onnx"))]
        return args


def together(seed=1):
    """g_a with h_a, means and scales by name, limits that change nothing."""
    a, s, d = Maker(3, seed), Maker(N, seed + 1, name="z_hat"), Maker(M, seed + 2, name="y_hat")
    y = analysis(a)
    scales, means = halves(s, hyper_synthesis(s, "z_hat", 2 * M))
    s.end(s.called("scales", s.add("Max", scales, np.float32(0.11))), s.called("means", means))
    makers = {"g_a": a.end(y, hyper_analysis(a, y)), "h_s": s, "g_s": d.end(synthesis(d, True))}
    return Codec(makers, hyper_tables(a.rng), order=(1, 0), bound=0.11)


def apart(seed=11):
    """h_a and the parameters in files of their own, means first, shuffles in the order of DCR."""
    a, h, s = Maker(3, seed), Maker(M, seed + 1, name="y"), Maker(N, seed + 2, name="z")
    p, d = Maker(N, seed + 3, name="psi"), Maker(M, seed + 4, name="y_hat")
    middle = p.add("LeakyRelu", conv(p, "psi", N, 2 * N, 1, 1), alpha=0.2)
    makers = {"g_a": a.end(analysis(a)), "h_a": h.end(hyper_analysis(h, "y", False)),
              "h_s": s.end(hyper_synthesis(s, "z", 0, "DCR", end=False)), "parameters": p.end(conv(p, middle, 2 * N, 2 * M, 3, 1)),
              "g_s": d.end(synthesis(d))}
    return Codec(makers, hyper_tables(a.rng), ["--outputs", "means,scales", "--padding", "centred_zeros"], order=(0, 1))


def scales_alone(seed=21):
    a, s, d = Maker(3, seed), Maker(N, seed + 1, name="z"), Maker(M, seed + 2, name="y_hat")
    y = analysis(a)
    scales = s.add("Relu", hyper_synthesis(s, "z", M))
    return Codec({"g_a": a.end(y, hyper_analysis(a, y)), "h_s": s.end(scales), "g_s": d.end(synthesis(d))}, hyper_tables(a.rng), order=(0,))


def factorized(seed=31):
    a, d = Maker(3, seed), Maker(M, seed + 1, name="y_hat")
    return Codec({"g_a": a.end(analysis(a)), "g_s": d.end(synthesis(d, True))}, factorized_tables(a.rng))


CODECS = {"together": together, "apart": apart, "scales_alone": scales_alone, "factorized": factorized}
