"""Small ONNX graphs for onnx_test.py: every operator and every pattern that the importer knows.

CASES: (name, operators of Glint that come out, function that fills a Maker and returns the output). GRAPHS fed with `channels` channels.
"""
import numpy as np

from onnx_maker import Maker

CASES = []


def case(name, *ops, channels=4, sizes=None, opset=None):
    def keep(build):
        CASES.append((name, list(ops), channels, sizes, opset, build))
        return build
    return keep


def make(build, channels, sizes=None, opset=None, seed=1):
    """The graph of a case."""
    m = Maker(channels, seed, sizes or ("height", "width"))
    m.opset = opset or 17
    return m.end(build(m))


# ---- convolutions ---------------------------------------------------------------------------------------------

def conv_case(name, *ops, weight, bias=True, channels=4, **attributes):
    inputs = lambda m: ["x", m.weight(*weight)] + ([m.weight(weight[0], scale=1)] if bias else [])
    case(name, *ops, channels=channels)(lambda m: m.add("Conv", *inputs(m), **attributes))


for k in (1, 3, 5, 7, 15):
    conv_case(f"Conv {k}x{k}", "conv2d", weight=(6, 4, k, k), pads=[k // 2] * 4, kernel_shape=[k, k])
for k in (1, 3, 5):
    conv_case(f"Conv {k}x{k}, stride 2", "conv2d", weight=(6, 4, k, k), pads=[k // 2] * 4, strides=[2, 2])
conv_case("Conv without bias, group 1, dilations 1", "conv2d", weight=(5, 4, 3, 3), bias=False, pads=[1] * 4, group=1, dilations=[1, 1])
conv_case("Conv 1x3", "conv2d", weight=(5, 4, 1, 3), pads=[0, 1, 0, 1])
conv_case("Conv 4x4, stride 2, between the taps of 5x5", "conv2d", weight=(5, 4, 4, 4), pads=[1] * 4, strides=[2, 2])
conv_case("Conv SAME_UPPER, stride 2", "conv2d", weight=(5, 4, 3, 3), auto_pad="SAME_UPPER", strides=[2, 2])
conv_case("Conv SAME_UPPER, 5x5, stride 2", "conv2d", weight=(5, 4, 5, 5), auto_pad="SAME_UPPER", strides=[2, 2])
conv_case("Conv SAME_LOWER", "conv2d", weight=(5, 4, 3, 3), auto_pad="SAME_LOWER", strides=[1, 1])
conv_case("Conv VALID 1x1", "conv2d", weight=(5, 4, 1, 1), auto_pad="VALID")
for k in (2, 4, 8):
    conv_case(f"Conv {k}x{k}, stride {k}: patches", "pixel_unshuffle", "conv2d", weight=(6, 4, k, k), strides=[k, k])
for kh, kw in ((3, 3), (5, 5), (1, 11), (11, 1), (7, 3)):
    for stride in (1, 2):
        conv_case(f"Conv {kh}x{kw}, depthwise, stride {stride}", "depthwise_conv2d", weight=(4, 1, kh, kw), group=4,
                  pads=[kh // 2, kw // 2] * 2, strides=[stride, stride])
conv_case("Conv 3x3, depthwise, without bias", "depthwise_conv2d", weight=(4, 1, 3, 3), bias=False, group=4, pads=[1] * 4)


def transposed_case(name, *ops, k, bias=True, **attributes):
    inputs = lambda m: ["x", m.weight(4, 5, k, k, scale=0.3)] + ([m.weight(5, scale=1)] if bias else [])
    case(name, *ops)(lambda m: m.add("ConvTranspose", *inputs(m), **attributes))


for k, pad, extra in ((3, 1, 1), (4, 1, 0), (5, 2, 1)):
    transposed_case(f"ConvTranspose {k}x{k}, stride 2", "conv_transpose2d", k=k, pads=[pad] * 4, output_padding=[extra] * 2, strides=[2, 2])
transposed_case("ConvTranspose SAME_UPPER, 3x3, stride 2", "conv_transpose2d", k=3, auto_pad="SAME_UPPER", strides=[2, 2], bias=False)
transposed_case("ConvTranspose 3x3, stride 2, padded below", "conv_transpose2d", k=3, pads=[0, 0, 1, 1], strides=[2, 2])
transposed_case("ConvTranspose 2x2, stride 2: patches", "conv2d", "pixel_shuffle", k=2, strides=[2, 2])
transposed_case("ConvTranspose 4x4, stride 4: patches", "conv2d", "pixel_shuffle", k=4, strides=[4, 4])
transposed_case("ConvTranspose 3x3, stride 1", "conv2d", k=3, pads=[1] * 4)
transposed_case("ConvTranspose 5x5, stride 1", "conv2d", k=5, pads=[2] * 4, bias=False)


def normalised(m, x, channels):
    return m.add("BatchNormalization", x, m.weight(channels, scale=1), m.weight(channels, scale=1), m.weight(channels, scale=1),
                 m.weight(channels, scale=1, positive=True), epsilon=1e-4)


@case("BatchNormalization behind Conv", "conv2d", "relu")
def _(m):
    return m.add("Relu", normalised(m, m.add("Conv", "x", m.weight(6, 4, 3, 3), pads=[1] * 4), 6))


@case("BatchNormalization behind ConvTranspose", "conv_transpose2d")
def _(m):
    y = m.add("ConvTranspose", "x", m.weight(4, 6, 4, 4), m.weight(6, scale=1), pads=[1] * 4, strides=[2, 2])
    return normalised(m, y, 6)


@case("BatchNormalization behind Conv that others read", "conv2d", "affine", "add")
def _(m):
    y = m.add("Conv", "x", m.weight(4, 4, 3, 3), pads=[1] * 4)
    return m.add("Add", y, normalised(m, y, 4))


@case("BatchNormalization alone", "affine", "relu")
def _(m):
    return m.add("Relu", normalised(m, "x", 4))


@case("Conv, then a bias by Add", "conv2d")
def _(m):
    return m.add("Add", m.add("Conv", "x", m.weight(6, 4, 3, 3), pads=[1] * 4), m.rng.normal(size=(1, 6, 1, 1)))


# ---- one by one -----------------------------------------------------------------------------------------------

for op, made in (("Relu", "relu"), ("Sigmoid", "sigmoid"), ("Abs", "abs"), ("Gelu", "gelu")):
    case(op, made, opset=20)(lambda m, op=op: m.add(op, "x"))
case("LeakyRelu", "leaky_relu")(lambda m: m.add("LeakyRelu", "x", alpha=0.2))
case("LeakyRelu of 0.01", "leaky_relu")(lambda m: m.add("LeakyRelu", "x"))
case("PRelu of one slope", "leaky_relu")(lambda m: m.add("PRelu", "x", np.full((4, 1, 1), 0.25)))
case("Clip from 0", "relu")(lambda m: m.add("Clip", "x", np.float32(0)))
case("Max with 0", "relu")(lambda m: m.add("Max", "x", np.float32(0)))
case("Tanh", "affine", "sigmoid", "affine")(lambda m: m.add("Tanh", "x"))
case("Neg", "affine")(lambda m: m.add("Neg", "x"))
case("Identity, Cast, Dropout", "relu")(lambda m: m.add("Identity", m.add("Cast", m.add("Relu", m.add("Identity", "x")), to=1)))
case("Expand to its own shape", "relu")(lambda m: m.add("Expand", m.add("Relu", "x"), m.add("Shape", "x")))

SHAPES = {"a number": (), "[1]": (1,), "[C,1,1]": (4, 1, 1), "[1,C,1,1]": (1, 4, 1, 1)}
for what, shape in SHAPES.items():
    for op in ("Add", "Sub", "Mul", "Div"):
        constant = lambda m, s=shape: np.asarray(1 + m.rng.random(s))
        case(f"{op} with {what}", "affine")(lambda m, op=op, c=constant: m.add(op, "x", c(m)))
        if op != "Div":
            case(f"{op} to {what}", "affine")(lambda m, op=op, c=constant: m.add(op, c(m), "x"))


@case("constants one behind the other", "affine", "relu")
def _(m):
    y = m.add("Mul", m.add("Add", m.add("Mul", "x", m.rng.normal(size=(4, 1, 1))), 0.5), m.rng.normal(size=(1, 4, 1, 1)))
    return m.add("Relu", m.add("Sub", 2.0, m.add("Div", y, 3.0)))


@case("constants of uniform maps", "affine", sizes=(16, 24))
def _(m):
    return m.add("Mul", "x", np.broadcast_to(m.rng.normal(size=(1, 4, 1, 1)), (1, 4, 16, 24)))


@case("Add, Sub, Mul of tensors", "relu", "sigmoid", "abs", "affine", "add", "add", "multiply")
def _(m):
    a, b, c = m.add("Relu", "x"), m.add("Sigmoid", "x"), m.add("Abs", "x")
    return m.add("Mul", m.add("Sub", a, b), m.add("Add", "x", c))


@case("a square of its own", "multiply")
def _(m):
    return m.add("Pow", "x", 2.0)


@case("a root of a square", "abs")
def _(m):
    return m.add("Sqrt", m.add("Mul", "x", "x"))


@case("Concat of one", "relu")
def _(m):
    return m.add("Concat", m.add("Relu", "x"), axis=1)


@case("Concat", "relu", "concat")
def _(m):
    return m.add("Concat", "x", m.add("Relu", "x"), "x", axis=1)


SLICES = {"": ([1], [3], [1], [1]), ", open end": ([2], [2**63 - 1], [1]), ", from the end": ([-3], [-1], [-3])}
for what, numbers in SLICES.items():
    case("Slice" + what, "slice")(lambda m, numbers=numbers: m.add("Slice", "x", *map(np.array, numbers)))
case("Slice by attributes", "slice", opset=9)(lambda m: m.add("Slice", "x", starts=[1], ends=[3], axes=[1]))
case("Slice of all", "relu")(lambda m: m.add("Slice", m.add("Relu", "x"), np.array([0, 0]), np.array([4, 2**31]), np.array([1, 2])))


@case("Slice of Slice", "slice", channels=8)
def _(m):
    return m.add("Slice", m.add("Slice", "x", np.array([2]), np.array([7]), np.array([1])), np.array([1]), np.array([3]), np.array([1]))


@case("Split by sizes", "slice", "slice", "concat")
def _(m):
    a, b = m.add("Split", "x", np.array([1, 3]), outputs=2, axis=1)
    return m.add("Concat", b, a, axis=1)


@case("Split by attribute", "slice", "slice", "multiply", opset=11)
def _(m):
    return m.add("Mul", *m.add("Split", "x", outputs=2, axis=1, split=[2, 2]))


@case("Split into halves, gated", "slice", "slice", "sigmoid", "multiply")
def _(m):
    a, b = m.add("Split", "x", outputs=2, axis=1)
    return m.add("Mul", m.add("Sigmoid", a), b)


# ---- pixel shuffles -------------------------------------------------------------------------------------------

for f in (2, 4, 8):
    case(f"DepthToSpace {f}, CRD", "pixel_shuffle", channels=2 * f * f)(lambda m, f=f: m.add("DepthToSpace", "x", blocksize=f, mode="CRD"))
    case(f"DepthToSpace {f}, DCR", "pixel_shuffle", channels=2 * f * f)(lambda m, f=f: m.add("DepthToSpace", "x", blocksize=f, mode="DCR"))
    case(f"SpaceToDepth {f}", "pixel_unshuffle", "conv2d", channels=3)(lambda m, f=f: m.add("SpaceToDepth", "x", blocksize=f))
    case(f"SpaceToDepth {f}, then Conv", "pixel_unshuffle", "conv2d", channels=3)(
        lambda m, f=f: m.add("Conv", m.add("SpaceToDepth", "x", blocksize=f), m.weight(6, 3 * f * f, 3, 3), pads=[1] * 4))
case("DepthToSpace without mode", "pixel_shuffle", channels=8)(lambda m: m.add("DepthToSpace", "x", blocksize=2))
case("SpaceToDepth of one channel", "pixel_unshuffle", channels=1)(lambda m: m.add("SpaceToDepth", "x", blocksize=2))


def shuffle(m, x, first, order, last):
    return m.add("Reshape", m.add("Transpose", m.add("Reshape", x, first), perm=order), last)


@case("pixel shuffle of fixed sizes", "pixel_shuffle", channels=12, sizes=(16, 24))
def _(m):
    return shuffle(m, "x", np.array([1, 3, 2, 2, 16, 24]), [0, 1, 4, 2, 5, 3], np.array([1, 3, 32, 48]))


@case("pixel shuffle of fixed sizes, 0 and -1", "pixel_shuffle", channels=12, sizes=(16, 24))
def _(m):
    return shuffle(m, "x", np.array([0, -1, 2, 2, 16, 24]), [0, 1, 4, 2, 5, 3], np.array([-1, 3, 32, 48]))


def sizes_of(m, x):
    """Names of [n], [h], [w], as exporters compute them."""
    shape = m.add("Shape", x)
    return [m.add("Unsqueeze", m.add("Gather", shape, np.array(i), axis=0), np.array([0])) for i in (0, 2, 3)]


def doubled(m, size):
    return m.add("Mul", size, np.array([2]))


@case("pixel shuffle of open sizes", "conv2d", "pixel_shuffle", "relu")
def _(m):
    x = m.add("Conv", "x", m.weight(12, 4, 3, 3), pads=[1] * 4)
    n, h, w = sizes_of(m, x)
    first = m.add("Concat", n, np.array([3, 2, 2]), h, w, axis=0)
    last = m.add("Concat", n, np.array([3]), doubled(m, h), doubled(m, w), axis=0)
    return m.add("Relu", shuffle(m, x, first, [0, 1, 4, 2, 5, 3], last))


@case("pixel shuffle of open sizes, channels first in depth", "pixel_shuffle", channels=8)
def _(m):
    n, h, w = sizes_of(m, "x")
    first = m.add("Concat", n, np.array([2, 2, 2]), h, w, axis=0)
    last = m.add("Concat", n, np.array([-1]), doubled(m, h), doubled(m, w), axis=0)
    return shuffle(m, "x", first, [0, 3, 4, 1, 5, 2], last)


@case("pixel unshuffle of open sizes", "pixel_unshuffle", "relu", channels=3)
def _(m):
    n, h, w = sizes_of(m, "x")
    half = [m.add("Div", s, np.array([4])) for s in (h, w)]
    first = m.add("Concat", n, np.array([3]), half[0], np.array([4]), half[1], np.array([4]), axis=0)
    last = m.add("Concat", n, np.array([48]), *half, axis=0)
    return m.add("Relu", shuffle(m, "x", first, [0, 1, 3, 5, 2, 4], last))


@case("channel shuffle", "conv2d", channels=6, sizes=(16, 24))
def _(m):
    return shuffle(m, "x", np.array([1, 2, 3, 16, 24]), [0, 2, 1, 3, 4], np.array([1, 6, 16, 24]))


@case("channel shuffle, constants and Conv", "affine", "conv2d", channels=6, sizes=(16, 24))
def _(m):
    y = shuffle(m, "x", np.array([1, 2, 3, 16, 24]), [0, 2, 1, 3, 4], np.array([1, 6, 16, 24]))
    return m.add("Conv", m.add("Mul", y, m.rng.normal(size=(6, 1, 1))), m.weight(4, 6, 3, 3), pads=[1] * 4)


# ---- GDN ------------------------------------------------------------------------------------------------------

SQUARES = {"Pow": lambda m, x: m.add("Pow", x, 2.0), "Mul": lambda m, x: m.add("Mul", x, x)}
FORWARD = {
    "Sqrt, Div": lambda m, x, n: m.add("Div", x, m.add("Sqrt", n)),
    "Sqrt, Reciprocal, Mul": lambda m, x, n: m.add("Mul", x, m.add("Reciprocal", m.add("Sqrt", n))),
    "Reciprocal, Sqrt, Mul": lambda m, x, n: m.add("Mul", m.add("Sqrt", m.add("Reciprocal", n)), x),
    "Pow -0.5": lambda m, x, n: m.add("Mul", x, m.add("Pow", n, -0.5)),
    "Pow 0.5, Div": lambda m, x, n: m.add("Div", x, m.add("Pow", n, 0.5)),
    "Sqrt, 1 / it": lambda m, x, n: m.add("Mul", x, m.add("Div", 1.0, m.add("Sqrt", n))),
}
INVERSE = {
    "Sqrt, Mul": lambda m, x, n: m.add("Mul", x, m.add("Sqrt", n)),
    "Pow 0.5, Mul": lambda m, x, n: m.add("Mul", m.add("Pow", n, 0.5), x),
    "Reciprocal, Sqrt, Div": lambda m, x, n: m.add("Div", x, m.add("Sqrt", m.add("Reciprocal", n))),
    "Pow -0.5, Div": lambda m, x, n: m.add("Div", x, m.add("Pow", n, -0.5)),
}


def gdn_norm(m, x):
    return m.add("Conv", x, m.weight(4, 4, 1, 1, positive=True), m.constant(0.5 + m.rng.random(4)))


def gdn_case(name, squared, end):
    @case(name, "conv2d", "gdn")
    def _(m):
        x = m.add("Conv", "x", m.weight(4, 4, 3, 3), pads=[1] * 4)
        return end(m, x, gdn_norm(m, squared(m, x)))


for square in SQUARES:
    for forms in (FORWARD, INVERSE):
        for form, end in forms.items():
            gdn_case(f"{'IGDN' if forms is INVERSE else 'GDN'}: {square}, Conv, {form}", SQUARES[square], end)
case("GDN of magnitudes", "gdn")(lambda m: m.add("Div", "x", gdn_norm(m, m.add("Abs", "x"))))
case("GDN of magnitudes, Reciprocal", "gdn")(lambda m: m.add("Mul", "x", m.add("Reciprocal", gdn_norm(m, m.add("Abs", "x")))))
case("IGDN of magnitudes", "gdn")(lambda m: m.add("Mul", "x", gdn_norm(m, m.add("Abs", "x"))))


@case("GDN with gamma and beta behind their reparametrisation", "gdn", "relu")
def _(m):
    low = np.float32((1e-6 + 2**-36) ** 0.5)
    beta = m.add("Sub", m.add("Pow", m.add("Max", m.constant(m.rng.random(4)), low), 2.0), np.float32(2**-36))
    gamma = m.add("Sub", m.add("Pow", m.add("Clip", m.constant(m.rng.normal(size=(4, 4))), np.float32(2**-18)), 2.0), np.float32(2**-36))
    gamma = m.add("Reshape", gamma, np.array([4, 4, 1, 1]))
    return m.add("Relu", m.add("Mul", "x", m.add("Reciprocal", m.add("Sqrt", m.add("Conv", m.add("Pow", "x", 2.0), gamma, beta)))))


@case("GDN with beta by Add", "gdn")
def _(m):
    norm = m.add("Conv", m.add("Mul", "x", "x"), m.weight(4, 4, 1, 1, positive=True))
    return m.add("Div", "x", m.add("Sqrt", m.add("Add", norm, 0.1 + m.rng.random((1, 4, 1, 1)))))


# ---- gates, GELU ----------------------------------------------------------------------------------------------

case("SiLU", "silu")(lambda m: m.add("Mul", "x", m.add("Sigmoid", "x")))
case("WSiLU", "silu")(lambda m: m.add("Mul", m.add("Sigmoid", m.add("Mul", "x", 4.0)), "x"))


@case("SiLU of what a constant was added to", "affine", "silu")
def _(m):
    y = m.add("Add", "x", 0.3)
    return m.add("Mul", y, m.add("Sigmoid", m.add("Mul", y, 1.702)))


GELU = {
    "Div, Erf, Add, Mul, Mul": lambda m, x: m.add("Mul", m.add("Mul", x, m.add("Add", m.add("Erf", m.add("Div", x, 2**0.5)), 1.0)), 0.5),
    "half of x first": lambda m, x: m.add("Mul", m.add("Mul", x, 0.5), m.add("Add", 1.0, m.add("Erf", m.add("Div", x, 2**0.5)))),
    "half of the gate": lambda m, x: m.add("Mul", m.add("Mul", m.add("Add", m.add("Erf", m.add("Mul", x, 0.5**0.5)), 1.0), 0.5), x),
}
for form, built in GELU.items():
    case(f"GELU: {form}", "relu", "gelu")(lambda m, f=built: f(m, m.add("Relu", "x")))
    case(f"GELU: {form}, behind a constant", "affine", "gelu")(lambda m, f=built: f(m, m.add("Add", m.add("Mul", "x", 1.5), -0.2)))


# ---- norms ----------------------------------------------------------------------------------------------------

def last(m, x):
    return m.add("Transpose", x, perm=[0, 2, 3, 1])


def first(m, x):
    return m.add("Transpose", x, perm=[0, 3, 1, 2])


def vector(m, channels=4):
    return m.rng.normal(1, 0.3, channels)


@case("LayerNormalization, channels last", "layer_norm")
def _(m):
    return first(m, m.add("LayerNormalization", last(m, "x"), vector(m), vector(m), epsilon=1e-6))


@case("LayerNormalization without bias, axis 3, in a flat picture", "layer_norm", sizes=(16, 24))
def _(m):
    flat = m.add("Transpose", m.add("Reshape", "x", np.array([1, 4, 384])), perm=[0, 2, 1])
    y = m.add("Transpose", m.add("LayerNormalization", flat, vector(m), axis=2), perm=[0, 2, 1])
    return m.add("Reshape", y, np.array([1, 4, 16, 24]))


@case("RMSNormalization, channels last", "rms_norm", opset=23)
def _(m):
    return first(m, m.add("RMSNormalization", last(m, "x"), vector(m), epsilon=1e-6))


def spelled(m, x, axis, roots, centred=True, squares="Pow"):
    d = m.add("Sub", x, m.add("ReduceMean", x, axes=[axis])) if centred else x
    variance = m.add("ReduceMean", m.add("Pow", d, 2.0) if squares == "Pow" else m.add("Mul", d, d), axes=[axis])
    return FORWARD[roots](m, d, m.add("Add", variance, 1e-5))


for roots in FORWARD:
    case(f"layer norm by ReduceMean: {roots}", "layer_norm")(
        lambda m, r=roots: m.add("Add", m.add("Mul", spelled(m, "x", 1, r), vector(m).reshape(4, 1, 1)), vector(m).reshape(4, 1, 1)))
    case(f"RMS norm by ReduceMean: {roots}", "rms_norm")(
        lambda m, r=roots: m.add("Mul", vector(m).reshape(4, 1, 1), spelled(m, "x", 1, r, False, "Mul")))


@case("layer norm by ReduceMean, channels last", "layer_norm", opset=18)
def _(m):
    x = last(m, "x")
    d = m.add("Sub", x, m.add("ReduceMean", x, np.array([-1])))
    variance = m.add("ReduceMean", m.add("Mul", d, d), np.array([-1]), keepdims=1)
    y = m.add("Div", d, m.add("Sqrt", m.add("Add", variance, 1e-5)))
    return first(m, m.add("Add", m.add("Mul", y, vector(m)), vector(m)))


@case("layer norm by ReduceMean without keepdims, its difference twice", "layer_norm")
def _(m):
    mean = lambda v: m.add("Unsqueeze", m.add("ReduceMean", v, axes=[1], keepdims=0), np.array([1]))
    a, b = m.add("Sub", "x", mean("x")), m.add("Sub", "x", mean("x"))
    return m.add("Div", a, m.add("Sqrt", m.add("Add", mean(m.add("Pow", b, 2.0)), 1e-5)))


@case("layers on channels that come last", "layer_norm", "conv2d", "gelu", "conv2d", "affine", "add")
def _(m):      # a block of ConvNeXt
    y = m.add("LayerNormalization", last(m, "x"), vector(m), vector(m))
    y = m.add("Add", m.add("MatMul", y, m.weight(4, 8)), vector(m, 8))
    y = GELU["half of x first"](m, y)
    y = m.add("Add", m.add("MatMul", y, m.weight(8, 4)), vector(m))
    return m.add("Add", "x", first(m, m.add("Mul", vector(m), y)))
