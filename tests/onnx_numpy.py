"""Computes ONNX graphs in float64 from what the ONNX standard says of each operator: plain loops over taps, numpy only.

`evaluate` takes nodes as onnx_maker.Maker collects them, or as the importer's reader reads them from a file.
"""
import math

import numpy as np

ERF = np.vectorize(math.erf, otypes=[np.float64])


def pads_of(attributes, totals):
    auto = attributes.get("auto_pad", "NOTSET")
    auto = auto.decode() if isinstance(auto, bytes) else auto
    if auto == "NOTSET":
        pads = attributes.get("pads") or [0, 0, 0, 0]
        return pads[:2], pads[2:]
    if auto == "VALID":
        return [0, 0], [0, 0]
    small = [t // 2 for t in totals]
    large = [t - s for t, s in zip(totals, small)]
    return (small, large) if auto == "SAME_UPPER" else (large, small)


def conv(a, x, w, b=None):
    (n, _, height, width), (outputs, depth, kh, kw) = x.shape, w.shape
    groups, (sy, sx) = a.get("group", 1), a.get("strides") or [1, 1]
    totals = [max((-(-size // s) - 1) * s + k - size, 0) for size, s, k in zip((height, width), (sy, sx), (kh, kw))]
    before, after = pads_of(a, totals)
    x = np.pad(x, ((0, 0), (0, 0), (before[0], after[0]), (before[1], after[1])))
    oh, ow = (x.shape[2] - kh) // sy + 1, (x.shape[3] - kw) // sx + 1
    out, each = np.zeros((n, outputs, oh, ow)), outputs // groups
    for g in range(groups):
        for ky in range(kh):
            for kx in range(kw):
                seen = x[:, g * depth:(g + 1) * depth, ky:ky + (oh - 1) * sy + 1:sy, kx:kx + (ow - 1) * sx + 1:sx]
                out[:, g * each:(g + 1) * each] += np.einsum("nchw,oc->nohw", seen, w[g * each:(g + 1) * each, :, ky, kx], optimize=True)
    return out if b is None else out + b[:, None, None]


def conv_transpose(a, x, w, b=None):
    (n, _, height, width), (_, outputs, kh, kw) = x.shape, w.shape
    s, extra = (a.get("strides") or [1, 1])[0], a.get("output_padding") or [0, 0]
    before, after = pads_of(a, [k - s + e for k, e in zip((kh, kw), extra)])
    full = np.zeros((n, outputs, (height - 1) * s + kh + extra[0], (width - 1) * s + kw + extra[1]))
    for ky in range(kh):
        for kx in range(kw):
            to = full[:, :, ky:ky + (height - 1) * s + 1:s, kx:kx + (width - 1) * s + 1:s]
            to += np.einsum("nchw,co->nohw", x, w[:, :, ky, kx], optimize=True)
    out = full[:, :, before[0]:full.shape[2] - after[0], before[1]:full.shape[3] - after[1]]
    return out if b is None else out + b[:, None, None]


def depth_to_space(a, x):
    n, c, h, w = x.shape
    f = a["blocksize"]
    if a.get("mode", "DCR") in ("DCR", b"DCR"):
        return x.reshape(n, f, f, c // f**2, h, w).transpose(0, 3, 4, 1, 5, 2).reshape(n, c // f**2, h * f, w * f)
    return x.reshape(n, c // f**2, f, f, h, w).transpose(0, 1, 4, 2, 5, 3).reshape(n, c // f**2, h * f, w * f)


def space_to_depth(a, x):
    n, c, h, w = x.shape
    f = a["blocksize"]
    return x.reshape(n, c, h // f, f, w // f, f).transpose(0, 3, 5, 1, 2, 4).reshape(n, c * f * f, h // f, w // f)


def axes_input(a, x, at):
    return tuple(x[at].tolist()) if len(x) > at and x[at] is not None else tuple(a["axes"]) if "axes" in a else None


def slice_(a, x):
    given = [v.tolist() for v in x[1:]] or [a["starts"], a["ends"], a.get("axes")]
    starts, ends, axes, steps = (given + [None] * 4)[:4]
    cut = [slice(None)] * x[0].ndim
    for i, axis in enumerate(range(len(starts)) if axes is None else axes):
        cut[axis] = slice(starts[i], ends[i], 1 if steps is None else steps[i])
    return x[0][tuple(cut)]


def split(a, x, outputs):
    axis = a.get("axis", 0)
    sizes = x[1].tolist() if len(x) > 1 else a.get("split")
    if sizes is None:
        part = -(-x[0].shape[axis] // outputs)
        sizes = [part] * (outputs - 1) + [x[0].shape[axis] - part * (outputs - 1)]
    return np.split(x[0], np.cumsum(sizes)[:-1], axis)


def reshape(a, x):
    sizes = [x[0].shape[i] if s == 0 else s for i, s in enumerate(x[1].tolist())]
    return x[0].reshape(sizes)


def layer_norm(a, x):
    axes = tuple(range(a.get("axis", -1) % x[0].ndim, x[0].ndim))
    d = x[0] - x[0].mean(axes, keepdims=True)
    y = d / np.sqrt((d * d).mean(axes, keepdims=True) + a.get("epsilon", 1e-5)) * x[1]
    return y + x[2] if len(x) > 2 else y


def rms_norm(a, x):
    axes = tuple(range(a.get("axis", -1) % x[0].ndim, x[0].ndim))
    return x[0] / np.sqrt((x[0] * x[0]).mean(axes, keepdims=True) + a.get("epsilon", 1e-5)) * x[1]


def batch_norm(a, x):
    scale, bias, mean, variance = (v[:, None, None] for v in x[1:])
    return (x[0] - mean) / np.sqrt(variance + a.get("epsilon", 1e-5)) * scale + bias


def clip(a, x):
    low, high = (x[i] if len(x) > i and x[i] is not None else a.get(key) for i, key in ((1, "min"), (2, "max")))
    return np.clip(x[0], low, high)


def shape_of(a, x):
    return np.array(x[0].shape[a.get("start", 0):a.get("end")], np.int64)


def divide(a, x):
    return x[0] // x[1] if x[0].dtype.kind == x[1].dtype.kind == "i" else x[0] / x[1]


OPERATORS = {
    "Conv": lambda a, x: conv(a, *x), "ConvTranspose": lambda a, x: conv_transpose(a, *x), "BatchNormalization": batch_norm,
    "Relu": lambda a, x: np.maximum(x[0], 0), "LeakyRelu": lambda a, x: np.where(x[0] < 0, a.get("alpha", 0.01) * x[0], x[0]),
    "PRelu": lambda a, x: np.where(x[0] < 0, x[1] * x[0], x[0]), "Sigmoid": lambda a, x: 1 / (1 + np.exp(-x[0])),
    "Tanh": lambda a, x: np.tanh(x[0]), "Abs": lambda a, x: np.abs(x[0]), "Erf": lambda a, x: ERF(x[0]),
    "Neg": lambda a, x: -x[0], "Sqrt": lambda a, x: np.sqrt(x[0]),
    "Reciprocal": lambda a, x: 1 / x[0], "Gelu": lambda a, x: 0.5 * x[0] * (1 + ERF(x[0] / math.sqrt(2))),
    "Add": lambda a, x: x[0] + x[1], "Sub": lambda a, x: x[0] - x[1], "Mul": lambda a, x: x[0] * x[1], "Div": divide,
    "Pow": lambda a, x: x[0] ** x[1], "Max": lambda a, x: np.maximum(*x), "Min": lambda a, x: np.minimum(*x), "Clip": clip,
    "Concat": lambda a, x: np.concatenate([np.atleast_1d(v) for v in x], a["axis"]), "Slice": slice_, "Reshape": reshape,
    "Transpose": lambda a, x: x[0].transpose(a.get("perm")), "DepthToSpace": lambda a, x: depth_to_space(a, x[0]),
    "SpaceToDepth": lambda a, x: space_to_depth(a, x[0]), "LayerNormalization": layer_norm, "RMSNormalization": rms_norm,
    "ReduceMean": lambda a, x: x[0].mean(axes_input(a, x, 1), keepdims=bool(a.get("keepdims", 1))), "MatMul": lambda a, x: x[0] @ x[1],
    "Identity": lambda a, x: x[0], "Cast": lambda a, x: x[0].astype({1: np.float64, 6: np.int32, 7: np.int64, 11: np.float64}[a["to"]]),
    "Shape": shape_of, "Gather": lambda a, x: np.take(x[0], x[1], a.get("axis", 0)),
    "Unsqueeze": lambda a, x: np.expand_dims(x[0], axes_input(a, x, 1)), "Squeeze": lambda a, x: np.squeeze(x[0], axes_input(a, x, 1)),
    "ConstantOfShape": lambda a, x: np.full(x[0].tolist(), a.get("value", np.zeros(1))[0]),
    "Expand": lambda a, x: x[0] * np.ones(x[1].tolist()),
    "Constant": lambda a, x: np.asarray(a.get("value", a.get("value_float", a.get("value_int", a.get("value_ints"))))),
}


def evaluate(nodes, constants, inputs, outputs):
    """Arrays by name -> the outputs. `nodes`: (op, inputs, outputs, attributes, ...); floats become float64."""
    wide = lambda v: np.asarray(v, np.float64) if np.asarray(v).dtype.kind == "f" else np.asarray(v)
    values = {name: wide(v) for name, v in {**constants, **inputs}.items()}
    for op, names, made, attributes, *_ in nodes:
        x = [values[name] if name else None for name in names]
        out = split(attributes, x, len(made)) if op == "Split" else [OPERATORS[op](attributes, x)]
        values.update(zip(made, map(wide, out)))
    return [values[name] for name in outputs]
