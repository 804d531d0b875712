"""Turns the graph of an ONNX file into Glint's nodes.

The graph is run in order on `View`s (onnx_views.py) of nodes (onnx_rules.py) and on constants, which are computed (onnx_fold.py). Where the
size of the picture is open, two sizes are tried: shapes are numbers then, and what comes out must be the same.
"""
import numpy as np

from . import onnx_products
from .onnx_fold import FOLDS, Folder, axes_of, clip, get_inputs, reshape_sizes, slice_ranges, split_ranges
from .onnx_reader import ONNX_DOMAINS
from .onnx_rules import layer_norm, rms_norm
from .onnx_views import CHANNELS, View, joined, materialise
from .writer import Refused

TRIED_SIZES = ((768, 1280), (1792, 512))     # rows and columns of what is fed, where the file leaves them open
CHANNELS_LIMIT = 4096


class Importer:
    """`inputs`: {name: View}; `run` returns {name: View} of everything."""

    def __init__(self, graph, builder, inputs):
        self.graph, self.builder, self.fold = graph, builder, Folder()
        self.values = {**graph.constants, **inputs}
        self.readers = {}
        for name in [name for node in graph.nodes for name in node.inputs] + graph.outputs:
            self.readers[name] = self.readers.get(name, 0) + 1

    def run(self):
        for node in self.graph.nodes:
            try:
                self.run_node(node)
            except Refused as e:
                text = str(e)
                raise Refused(f"{self.graph.path}: {text if text.startswith('node ') else f'node {node.label()}: {text}'}") from None
        return self.values

    def run_node(self, node):
        if node.domain not in ONNX_DOMAINS or node.op not in HANDLERS and node.op not in FOLDS:
            raise Refused(f"operator {node.domain + '.' if node.domain else ''}{node.op} is not known")
        missing = [name for name in node.inputs if name and name not in self.values]
        if missing:
            raise Refused(f"it reads '{missing[0]}', which nothing before it makes")
        if any(name in self.values for name in node.outputs if name):
            raise Refused(f"its output '{node.outputs[0]}' is made twice")
        x = get_inputs(node, self.values)
        if not node.outputs or (not x and node.op not in ("Constant",)):
            raise Refused("it has no input or no output")
        self.builder.name, self.builder.origin = node.outputs[0], node.label()
        if any(isinstance(v, View) for v in x):
            out = self.run_handler(node, x)
        else:
            if node.op not in FOLDS:
                raise Refused("it has constants alone, and is not known to be computed")
            out = self.fold(node, self.values)
        if len(out) < len([name for name in node.outputs if name]):
            raise Refused(f"{len(node.outputs)} outputs; {len(out)} are known")
        for name, value in zip(node.outputs, out):
            self.values[name] = value
            if isinstance(value, View) and self.readers.get(name, 0) != 1:
                value.op.shared = True

    def run_handler(self, node, x):
        if node.op not in HANDLERS:
            raise Refused("it is known for constants alone")
        try:
            out = HANDLERS[node.op](self, node, x)
        except (IndexError, TypeError, KeyError, ValueError, AttributeError, OverflowError) as e:
            raise Refused(f"inputs or attributes that do not fit it ({e})") from None
        out = out if isinstance(out, list) else [out]
        for view in out:
            if isinstance(view, View) and not 1 <= view.op.channels <= CHANNELS_LIMIT:
                raise Refused(f"{view.op.channels} channels; 1 to {CHANNELS_LIMIT} are known")
        return out

    # ---- what handlers need

    def plain(self, value):
        """The node that makes this tensor as [batch][channels][rows][columns]."""
        if not isinstance(value, View):
            raise Refused("a constant where a tensor of the picture should be")
        return materialise(self.builder, value, f"node {self.builder.origin}")

    def constant(self, value, what="a weight"):
        if isinstance(value, View):
            raise Refused(f"{what} that is no constant")
        return value

    def per_channel(self, view, constant):
        """(view, what it is to be combined with: a number or [channels]), or None for constants that differ between pixels."""
        shape = view.shape
        if constant.ndim > len(shape):
            return None
        constant = constant.reshape((1,) * (len(shape) - constant.ndim) + constant.shape).astype(np.float64)
        for axis, size in enumerate(constant.shape):
            if size > 1 and (constant == constant.take([0], axis)).all() and size == shape[axis]:
                constant = constant.take([0], axis)
        if constant.size == 1:
            return view, float(constant.reshape(-1)[0])
        axis = view.channel_axis()
        if axis is None and len(shape) == 4:
            view = View.of(self.plain(view))
            axis = CHANNELS
        if axis is None or constant.size != constant.shape[axis] or constant.size != view.op.channels:
            return None
        values = np.empty(constant.size)
        values[view.channel_order(axis)] = constant.reshape(-1)
        return view, values

    def binary(self, x, with_constant, with_tensor):
        """`with_constant`(op, numbers, which of both is the constant) or `with_tensor`(a, b)."""
        if len(x) != 2:
            raise Refused(f"{len(x)} inputs; two are known")
        for at in (0, 1):
            if not isinstance(x[at], View):
                found = self.per_channel(x[1 - at], x[at])
                if found is None:
                    raise Refused(f"a constant of shape {list(x[at].shape)} for {x[1 - at].shape}; "
                                  "one number, or one for each channel, is known")
                view, numbers = found
                return view.on(with_constant(view.op, numbers, at))
        a, b = x
        large, small = (a, b) if a.op.channels >= b.op.channels else (b, a)
        narrow = small.op.channels == 1 < large.op.channels and small.axes == large.without_channels()
        if a.axes != b.axes and not narrow:
            a, b = (View.of(self.plain(v)) for v in x)
            large = a if a.op.channels >= b.op.channels else b
        return large.on(with_tensor(a.op, b.op))


# ---- operators ------------------------------------------------------------------------------------------------

def unary(op):
    return lambda im, node, x: x[0].on(im.builder.unary(op, x[0].op))


def add(im, node, x):
    return im.binary(x, lambda op, c, _: im.builder.affine(op, 1.0, c), im.builder.add)


def subtract(im, node, x):
    return im.binary(x, lambda op, c, at: im.builder.affine(op, 1.0, -np.asarray(c)) if at == 1 else im.builder.affine(op, -1.0, c),
                     im.builder.subtract)


def multiply(im, node, x):
    return im.binary(x, lambda op, c, _: im.builder.affine(op, c), im.builder.multiply)


def divide(im, node, x):
    def by_constant(op, c, at):
        if at == 1 and not np.all(c):
            raise Refused("a division by zero")
        return im.builder.affine(op, 1 / np.asarray(c)) if at == 1 else im.builder.affine(im.builder.power(op, -1), c)
    return im.binary(x, by_constant, lambda a, b: im.builder.multiply(a, im.builder.power(b, -1)))


def power(im, node, x):
    exponent = im.constant(x[1], "an exponent").reshape(-1)
    if not isinstance(x[0], View) or exponent.size != 1 or float(exponent[0]) not in (2, 1, 0.5, -0.5, -1):
        raise Refused(f"exponent {exponent[:4].tolist()}; 2, 0.5, -0.5 and -1 are known")
    return x[0].on(im.builder.power(x[0].op, float(exponent[0])))


def root(exponent):
    return lambda im, node, x: x[0].on(im.builder.power(x[0].op, exponent))


def leaky_relu(im, node, x):
    slope = node.attributes.get("alpha", 0.01)
    if len(x) > 1:      # PRelu
        slopes = im.constant(x[1], "a slope").reshape(-1)
        if not slopes.size or np.ptp(slopes):
            raise Refused("slopes that differ between channels")
        slope = float(slopes[0])
    if not 0 <= slope <= 1:
        raise Refused(f"slope {slope}; 0 to 1 are known")
    return x[0].on(im.builder.unary("leaky_relu", x[0].op, slope=slope))


def tanh(im, node, x):
    b = im.builder
    return x[0].on(b.affine(b.unary("sigmoid", b.affine(x[0].op, 2.0)), 2.0, -1.0))


def gelu(im, node, x):
    if node.attributes.get("approximate", b"none") != b"none":
        raise Refused("approximate; the form with erf is known")
    return x[0].on(im.builder.unary("gelu", x[0].op))


def limits(im, node, x):
    """Clip, Max and Min with numbers: known where they do nothing, which shows at the end (`strip_limits`)."""
    tensors, others = [v for v in x if isinstance(v, View)], [v for v in x if not isinstance(v, View) and v is not None]
    if len(tensors) != 1 or any(v.size != 1 for v in others) or node.op != "Clip" and len(others) != 1:
        raise Refused("more than a tensor and its limits, which are numbers")
    tensor, = tensors
    if node.op == "Clip":
        low, high = (None if v is None else float(np.asarray(v).reshape(-1)[0]) for v in clip(node, x))
    else:
        number = float(others[0].reshape(-1)[0])
        low, high = (number, None) if node.op == "Max" else (None, number)
    if low == 0 and high is None:
        return tensor.on(im.builder.unary("relu", tensor.op))
    low, high = (-np.inf if low is None else low), (np.inf if high is None else high)
    return tensor.on(im.builder.unary("clip", tensor.op, low=low, high=high))


def batch_norm(im, node, x):
    if node.attributes.get("training_mode", 0):
        raise Refused("training_mode")
    scale, bias, mean, variance = (im.constant(v).astype(np.float64) for v in x[1:5])
    op = im.plain(x[0])
    if any(v.shape != (op.channels,) for v in (scale, bias, mean, variance)) or (variance < 0).any():
        raise Refused("weights that do not fit its channels, or a negative variance")
    factor = scale / np.sqrt(variance + node.attributes.get("epsilon", 1e-5))
    return View.of(im.builder.scaled_product(op, factor, bias - mean * factor))


def channels_last(im, node, view, axis):
    """Is this the axis of all channels, which the operator is to work on alone?"""
    if view.channel_axis() is None or view.channel_axis() != axis % len(view.axes):
        raise Refused(f"axis {axis} of {view.shape}; known along the channels alone")
    return view.channel_axis()


def normalisation(rule):
    def run(im, node, x):
        view = x[0]
        axis = channels_last(im, node, view, node.attributes.get("axis", -1))
        if axis != len(view.axes) - 1:
            raise Refused("it works on all axes behind the channels too; known along the channels alone")
        op = rule(im.builder, view.op, node.attributes.get("epsilon", 1e-5))
        for at, role in ((1, "factor"), (2, "shift")):
            if len(x) > at and x[at] is not None:
                view, numbers = im.per_channel(view, im.constant(x[at]))
                op = im.builder.affine(op, **{role: numbers})
        return view.on(op)
    return run


def reduce_mean(im, node, x):
    view, axes = x[0], axes_of(node, x, 1)
    if axes is None or len(axes) != 1:
        raise Refused(f"axes {axes}; one, that of the channels, is known")
    axis = channels_last(im, node, view, axes[0])
    out = view.on(im.builder.mean(view.op))
    return out if node.attributes.get("keepdims", 1) else View(out.op, out.axes[:axis] + out.axes[axis + 1:])


def matrix_product(im, node, x):
    """A layer on channels that come last: a convolution 1x1."""
    view, weight = x[0], im.constant(x[1])
    axis = channels_last(im, node, view, -1)
    if weight.ndim != 2 or weight.shape[0] != view.op.channels:
        raise Refused(f"a matrix of shape {list(weight.shape)} for {view.shape}")
    columns = np.empty((weight.shape[1], weight.shape[0]))
    columns[:, view.channel_order(axis)] = weight.T
    n, _, h, w = view.op.shape
    op = im.builder.make("conv2d", [view.op], (n, weight.shape[1], h, w), {"stride": 1, "padding": 0, "mask": "none"},
                         {"weight": columns[:, :, None, None]})
    return View(op, view.axes[:axis] + (joined([(CHANNELS, 1, op.channels)]),) + view.axes[axis + 1:])


def sliced(im, op, begin, end):
    n, _, h, w = op.shape
    if (begin, end) == (0, op.channels):
        return View.of(op)
    if op.op == "slice" and not op.shared:
        begin, end, op = begin + op.attributes["begin"], end + op.attributes["begin"], op.inputs[0]
    return View.of(im.builder.make("slice", [op], (n, end - begin, h, w), {"begin": begin, "end": end}))


def take_channels(im, view, axis, ranges):
    """Views of ranges of channels, laid out as `view`."""
    if view.channel_axis() != axis or (view.channel_order(axis) != np.arange(view.op.channels)).any():
        if axis != CHANNELS:
            raise Refused(f"axis {axis} of {view.shape}; known along the channels alone")
        view = View.of(im.plain(view))
    out = []
    for begin, end in ranges:
        part = sliced(im, view.op, begin, end).op
        out.append(View(part, view.axes[:axis] + (joined([(CHANNELS, 1, part.channels)]),) + view.axes[axis + 1:]))
    return out


def slice_(im, node, x):
    view = x[0]
    ranges = slice_ranges(node, [None] + [im.constant(v) for v in x[1:]] if len(x) > 1 else x, view.shape)
    if ranges is None:
        raise Refused("starts, ends, axes and steps do not fit")
    for axis, begin, end, step in ranges:
        if (begin, end, step) == (0, view.shape[axis], 1):
            continue
        if step != 1 or end <= begin:
            raise Refused(f"steps of {step}, or nothing is left")
        view = take_channels(im, view, axis, [(begin, end)])[0]
    return view


def split(im, node, x):
    axis = node.attributes.get("axis", 0) % len(x[0].shape)
    ranges = split_ranges(node, x, x[0].shape[axis])
    if ranges is None:
        raise Refused("sizes that do not fit")
    return take_channels(im, x[0], axis, ranges)


def concat(im, node, x):
    axis = node.attributes["axis"] % len(x[0].shape)
    views = [v for v in x if isinstance(v, View)]
    if len(views) != len(x):
        raise Refused("a constant among tensors")
    if len(views) == 1:
        return views[0]
    if any(v.channel_axis() != axis or (v.channel_order(axis) != np.arange(v.op.channels)).any() for v in views):
        if axis != CHANNELS:
            raise Refused(f"axis {axis}; known along the channels alone")
        views = [View.of(im.plain(v)) for v in views]
    if any(v.without_channels() != views[0].without_channels() or v.op.shape[2:] != views[0].op.shape[2:] for v in views):
        raise Refused("inputs of different layouts")
    n, _, h, w = views[0].op.shape
    op = im.builder.make("concat", [v.op for v in views], (n, sum(v.op.channels for v in views), h, w))
    return View(op, views[0].axes[:axis] + (joined([(CHANNELS, 1, op.channels)]),) + views[0].axes[axis + 1:])


def reshape(im, node, x):
    sizes = reshape_sizes(x[0].shape, im.constant(x[1], "a shape").reshape(-1).tolist(), node.attributes.get("allowzero", 0))
    return regrouped(x[0], sizes)


def regrouped(view, sizes):
    out = None if sizes is None else view.reshaped(sizes)
    if out is None:
        raise Refused(f"shape {view.shape} does not become {sizes} in a way that is known")
    return out


def flatten(im, node, x):
    axis = node.attributes.get("axis", 1)
    shape = x[0].shape
    return regrouped(x[0], [int(np.prod(shape[:axis])), int(np.prod(shape[axis:]))])


def unsqueeze(im, node, x):
    axes = axes_of(node, x, 1)
    rank = len(x[0].axes) + len(axes)
    left, new = list(x[0].axes), {a % rank for a in axes}
    return View(x[0].op, tuple(() if i in new else left.pop(0) for i in range(rank)))


def squeeze(im, node, x):
    axes = axes_of(node, x, 1)
    gone = {a % len(x[0].axes) for a in axes} if axes is not None else {i for i, a in enumerate(x[0].axes) if not a}
    if any(x[0].axes[i] for i in gone):
        raise Refused(f"axes {axes} of {x[0].shape}")
    return View(x[0].op, tuple(a for i, a in enumerate(x[0].axes) if i not in gone))


def transpose(im, node, x):
    order = node.attributes.get("perm") or list(range(len(x[0].axes)))[::-1]
    if sorted(order) != list(range(len(x[0].axes))):
        raise Refused(f"perm {order} of {x[0].shape}")
    return x[0].transposed(order)


def depth_to_space(im, node, x):
    n, c, h, w = View.of(im.plain(x[0])).shape
    f, mode = node.attributes["blocksize"], node.attributes.get("mode", b"DCR")
    if f not in (2, 4, 8) or c % (f * f) or mode not in (b"DCR", b"CRD"):
        raise Refused(f"blocksize {f} of {c} channels, mode {mode!r}; 2, 4 and 8 are known")
    view = View.of(im.plain(x[0]))
    view = view.reshaped([n, f, f, c // f**2, h, w]).transposed([0, 3, 4, 1, 5, 2]) if mode == b"DCR" else \
        view.reshaped([n, c // f**2, f, f, h, w]).transposed([0, 1, 4, 2, 5, 3])
    return View.of(im.plain(view.reshaped([n, c // f**2, h * f, w * f])))


def space_to_depth(im, node, x):
    n, c, h, w = View.of(im.plain(x[0])).shape
    f = node.attributes["blocksize"]
    if f not in (2, 4, 8) or h % f or w % f:
        raise Refused(f"blocksize {f} of {h} x {w}; 2, 4 and 8 are known")
    view = View.of(im.plain(x[0])).reshaped([n, c, h // f, f, w // f, f]).transposed([0, 3, 5, 1, 2, 4])
    return View.of(im.plain(view.reshaped([n, c * f * f, h // f, w // f])))


def product(make):
    def run(im, node, x):
        bias = x[2] if len(x) > 2 else None
        bias = None if bias is None else im.constant(bias).astype(np.float64)
        return View.of(make(im.builder, node, im.plain(x[0]), im.constant(x[1]), bias))
    return run


def same(im, node, x):
    return x[0]


def cast(im, node, x):
    if node.attributes.get("to") not in (1, 10, 11):
        raise Refused(f"a cast of the picture to ONNX type {node.attributes.get('to')}; floats are known")
    return x[0]


def expand(im, node, x):
    sizes = im.constant(x[1], "a shape").reshape(-1).tolist()
    if list(np.broadcast_shapes(tuple(x[0].shape), tuple(int(s) for s in sizes))) != x[0].shape:
        raise Refused(f"shape {x[0].shape} to {sizes}; known where it changes nothing")
    return x[0]


HANDLERS = {
    "Conv": product(onnx_products.conv), "ConvTranspose": product(onnx_products.conv_transpose), "MatMul": matrix_product,
    "BatchNormalization": batch_norm, "LayerNormalization": normalisation(layer_norm), "RMSNormalization": normalisation(rms_norm),
    "Relu": unary("relu"), "LeakyRelu": leaky_relu, "PRelu": leaky_relu, "Sigmoid": unary("sigmoid"), "Tanh": tanh, "Gelu": gelu,
    "Abs": unary("abs"), "Erf": unary("erf"), "Neg": lambda im, node, x: x[0].on(im.builder.affine(x[0].op, -1.0)),
    "Add": add, "Sub": subtract, "Mul": multiply, "Div": divide, "Pow": power, "Sqrt": root(0.5), "Reciprocal": root(-1.0),
    "Clip": limits, "Max": limits, "Min": limits, "ReduceMean": reduce_mean,
    "Slice": slice_, "Split": split, "Concat": concat, "DepthToSpace": depth_to_space, "SpaceToDepth": space_to_depth,
    "Reshape": reshape, "Flatten": flatten, "Transpose": transpose, "Unsqueeze": unsqueeze, "Squeeze": squeeze, "Expand": expand,
    "Identity": same, "Dropout": same, "Cast": cast,
    "Shape": lambda im, node, x: np.array(x[0].shape[node.attributes.get("start", 0):node.attributes.get("end")], np.int64),
    "Size": lambda im, node, x: np.int64(np.prod(x[0].shape)),
}


# ---- the graph as a whole -------------------------------------------------------------------------------------

def input_of(graph):
    """(name, dimensions) of the graph's one input"""
    if len(graph.inputs) != 1:
        raise Refused(f"{graph.path}: {len(graph.inputs)} inputs ({', '.join(list(graph.inputs)[:8])}); graphs of one input are known")
    (name, dims), = graph.inputs.items()
    if dims is None or len(dims) != 4:
        raise Refused(f"{graph.path}: input '{name}' has shape {dims}; [batch][channels][rows][columns] is known")
    return name, dims


def is_open(graph):
    """May the picture have any size?"""
    return None in input_of(graph)[1][2:]


def source_of(graph, builder, tried, channels):
    """The node that the graph is fed with, of so many channels; `tried`: which of TRIED_SIZES."""
    name, dims = input_of(graph)
    size = [d or TRIED_SIZES[tried][i] for i, d in enumerate(dims[2:])]
    builder.name, builder.origin = name, f"input '{name}'"
    return builder.make("input", [], (dims[0] or 1, channels, *size))


def run_graph(graph, builder, source):
    """Runs the graph, fed with what the node `source` makes; {output: node}."""
    name, dims = input_of(graph)
    if dims[1] not in (None, source.channels):
        raise Refused(f"{graph.path}: input '{name}' has {dims[1]} channels, not {source.channels}")
    source.shared = True
    if not graph.outputs or len(set(graph.outputs)) != len(graph.outputs):
        raise Refused(f"{graph.path}: no outputs, or one twice")
    importer = Importer(graph, builder, {name: View.of(source)})
    values = importer.run()
    made = {}
    for output in graph.outputs:
        if not isinstance(values.get(output), View):
            raise Refused(f"{graph.path}: output '{output}' is not made from the picture")
        builder.name, builder.origin = output, f"output '{output}'"
        try:
            made[output] = importer.plain(values[output])
        except Refused as e:
            raise Refused(f"{graph.path}: {e}") from None
    return made
