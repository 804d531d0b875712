"""Builds Glint's nodes and recognises them in plain arithmetic: GDN, gates, norms, GELU.

A node is an `Op`. Beside Glint's operators there are helpers (`HELPERS`) that stand for parts of a pattern; when a pattern is whole, its
operator takes their place, and nothing reads them any more. What reads a helper to the end is refused.
"""
import hashlib
import math

import numpy as np

from .writer import Refused

# What a helper does, for messages.
HELPERS = {"power": "powers, roots and quotients", "mean": "means over channels", "center": "differences from the mean",
           "erf": "Erf", "clip": "limits of values"}
PATTERNS = "known only as part of GDN, LayerNorm, RMSNorm or GELU"
PRODUCTS = ("conv2d", "conv_transpose2d", "depthwise_conv2d")
GAMMA_ZERO = 2.0 ** -30      # negative entries of gamma this small are what a reparametrisation left of 0


class Op:
    """`shape`: [batch][channels][rows][columns] at the sizes that are tried; `shared`: other ONNX nodes may read it too."""

    def __init__(self, op, inputs, shape, attributes, weights, name, origin):
        self.op, self.inputs, self.shape, self.attributes, self.weights = op, list(inputs), tuple(shape), attributes, weights
        self.name, self.origin, self.shared = name, origin, False

    @property
    def channels(self):
        return self.shape[1]


class Builder:
    """Makes nodes, the same ones once. `name` and `origin` are those of the ONNX node at hand."""

    def __init__(self):
        self.made, self.name, self.origin = {}, "", ""

    def make(self, op, inputs, shape, attributes=None, weights=None):
        attributes = attributes or {}
        weights = {role: np.ascontiguousarray(w, np.float64) for role, w in (weights or {}).items()}
        key = (op, tuple(map(id, inputs)), tuple(shape), tuple(sorted(attributes.items())),
               tuple((role, w.shape, hashlib.sha256(w.tobytes()).digest()) for role, w in sorted(weights.items())))
        if key not in self.made:
            self.made[key] = Op(op, inputs, shape, attributes, weights, self.name, self.origin)
        return self.made[key]

    # ---- per channel

    def affine(self, x, factor=1.0, shift=0.0):
        """x * factor + shift, numbers or [channels] each; constants that follow one another become one."""
        factor, shift = (np.broadcast_to(np.asarray(v, np.float64), (x.channels,)) for v in (factor, shift))
        if (factor == 1).all() and (shift == 0).all():
            return x
        if x.op == "affine" and not x.shared:
            inner = x.weights
            return self.affine(x.inputs[0], inner["factor"] * factor, inner["shift"] * factor + shift)
        if x.op == "layer_norm" and not x.shared:
            return self.make("layer_norm", x.inputs, x.shape, x.attributes,
                             {"weight": x.weights["weight"] * factor, "bias": x.weights["bias"] * factor + shift})
        if x.op == "rms_norm" and not x.shared and (shift == 0).all():
            return self.make("rms_norm", x.inputs, x.shape, x.attributes, {"weight": x.weights["weight"] * factor})
        if x.op in PRODUCTS and not x.shared and "bias" not in x.weights and (factor == 1).all():
            return self.make(x.op, x.inputs, x.shape, x.attributes, {**x.weights, "bias": shift})
        return self.make("affine", [x], x.shape, {}, {"factor": factor, "shift": shift})

    def scaled_product(self, x, factor, shift):
        """The same with the factors in the weights of the convolution that makes x (batch normalisation)."""
        if x.op not in PRODUCTS or x.shared:
            return self.affine(x, factor, shift)
        weight = x.weights["weight"] * (factor[:, None, None, None] if x.op != "conv_transpose2d" else factor[:, None, None])
        return self.make(x.op, x.inputs, x.shape, x.attributes,
                         {"weight": weight, "bias": x.weights.get("bias", np.zeros(x.channels)) * factor + shift})

    # ---- powers

    def power(self, x, exponent):
        """x^2, roots and reciprocals; those of roots and reciprocals are taken together (what is below a root is positive)."""
        if exponent == 1:
            return x
        if x.op == "power":
            inner = x.attributes["exponent"]
            if inner == 2 and exponent == 0.5:
                return self.unary("abs", x.inputs[0])
            if inner != 2:
                return self.power(x.inputs[0], inner * exponent)
        if x.op == "abs" and exponent == 2:
            x = x.inputs[0]
        return self.make("power", [x], x.shape, {"exponent": float(exponent)})

    def unary(self, op, x, **attributes):
        return self.make(op, [x], x.shape, attributes)

    def mean(self, x):
        n, _, h, w = x.shape
        return self.make("mean", [x], (n, 1, h, w))

    # ---- two tensors

    def add(self, a, b):
        for x, y in ((a, b), (b, a)):
            if y.op == "affine" and y.inputs[0] is self.mean(x) and (y.weights["factor"] == -1).all() and (y.weights["shift"] == 0).all():
                return self.make("center", [x], x.shape)
        return self.make("add", self.same_shape(a, b), a.shape)

    def subtract(self, a, b):
        return self.add(a, self.affine(b, -1.0))

    def multiply(self, a, b):
        if a is b:
            return self.power(a, 2)
        for x, gate in ((a, b), (b, a)):
            for rule in (gdn, gated, gelu, norm):
                found = rule(self, x, gate)
                if found is not None:
                    return found
        return self.make("multiply", self.same_shape(a, b), a.shape)

    def same_shape(self, a, b):
        if a.shape != b.shape:
            parts = [x for x in (a, b) if x.op in HELPERS]
            raise Refused(f"node {(parts or [a])[0].origin}: {HELPERS[parts[0].op]} are {PATTERNS}" if parts else
                          f"node {self.origin}: shapes {list(a.shape)} and {list(b.shape)} differ")
        return [a, b]


# ---- patterns -------------------------------------------------------------------------------------------------

def is_pointwise(op):
    return op.op == "conv2d" and op.weights["weight"].shape[2:] == (1, 1) and op.attributes["stride"] == 1 and "bias" in op.weights


def gdn(builder, x, gate):
    """x * n^(+-1/2), n = conv 1x1 of x^2, or x * n^(+-1), n = conv 1x1 of |x|."""
    norm, exponent = (gate.inputs[0], gate.attributes["exponent"]) if gate.op == "power" else (gate, 1.0)
    if not is_pointwise(norm) or norm.shape != x.shape:
        return None
    source = norm.inputs[0]
    if source.op == "power" and source.attributes["exponent"] == 2 and abs(exponent) == 0.5:
        form = "sqrt"
    elif source.op == "abs" and abs(exponent) == 1:
        form = "abs"
    else:
        return None
    gamma, beta = norm.weights["weight"][:, :, 0, 0], norm.weights["bias"]
    if source.inputs[0] is not x or (beta <= 0).any() or (gamma < -GAMMA_ZERO).any():
        return None
    return builder.make("gdn", [x], x.shape, {"inverse": exponent > 0, "form": form}, {"beta": beta, "gamma": np.maximum(gamma, 0)})


def line_of(op):
    """(tensor, factor, shift) such that op = tensor * factor + shift"""
    factor, shift = np.ones(op.channels), np.zeros(op.channels)
    while op.op == "affine":
        factor, shift = op.weights["factor"] * factor, op.weights["shift"] * factor + shift
        op = op.inputs[0]
    return op, factor, shift


def ratio(u, x):
    """The number k for which u = k x, or None."""
    (a, fa, sa), (b, fb, sb) = line_of(u), line_of(x)
    if a is not b or (fb == 0).any():
        return None
    k = fa[0] / fb[0]
    close = np.allclose(fa, k * fb, rtol=1e-6, atol=0) and np.allclose(sa, k * sb, rtol=1e-6, atol=1e-12)
    return float(k) if close else None


def gated(builder, x, gate):
    """x * sigmoid(k x)"""
    k = ratio(gate.inputs[0], x) if gate.op == "sigmoid" else None
    return builder.unary("silu", x, factor=k) if k is not None and 1e-3 <= k <= 1e3 else None


def gelu(builder, x, gate):
    """x * f (1 + erf(u)) with u = k x: f sqrt(2) / k times GELU of sqrt(2) u"""
    inner, factor, shift = line_of(gate)
    k = ratio(inner.inputs[0], x) if inner.op == "erf" else None
    if k is None or k <= 0 or np.ptp(factor) or not np.allclose(factor, shift, rtol=1e-6):
        return None
    scale = math.sqrt(2) * k
    near = 2.0 ** round(math.log2(scale))
    scale = near if abs(scale / near - 1) < 1e-6 else scale
    return builder.affine(builder.unary("gelu", builder.affine(x, scale)), 2 * float(factor[0]) / scale)


def norm(builder, x, gate):
    """d * (mean(d^2) + epsilon)^(-1/2) over channels; d = x - mean(x) or x itself"""
    if gate.op != "power" or gate.attributes["exponent"] != -0.5:
        return None
    inner, factor, epsilon = line_of(gate.inputs[0])
    if inner.op != "mean" or (factor != 1).any() or inner.inputs[0] is not builder.power(x, 2):
        return None
    return layer_norm(builder, x.inputs[0], float(epsilon[0])) if x.op == "center" else rms_norm(builder, x, float(epsilon[0]))


def layer_norm(builder, x, epsilon):
    return builder.make("layer_norm", [x], x.shape, {"epsilon": epsilon}, {"weight": np.ones(x.channels), "bias": np.zeros(x.channels)})


def rms_norm(builder, x, epsilon):
    return builder.make("rms_norm", [x], x.shape, {"epsilon": epsilon}, {"weight": np.ones(x.channels)})
