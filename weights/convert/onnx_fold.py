"""Computes what an ONNX graph makes of constants alone: shapes of pixel shuffles, reparametrised weights, scalars."""
import numpy as np

from .writer import Refused

SIZE_LIMIT = 1 << 24       # values of one tensor that is computed
TOTAL_LIMIT = 1 << 26      # of all of them
PRODUCTS_LIMIT = 1 << 30   # of one product of matrices


def get_inputs(node, values):
    """The node's inputs as numpy arrays, None where one is left out."""
    return [values[name] if name else None for name in node.inputs]


def axes_of(node, x, at, default=None):
    """`axes`: an attribute, or from operator set 13 on an input."""
    axes = node.attributes.get("axes", default)
    if len(x) > at and x[at] is not None:
        axes = x[at].reshape(-1).tolist()
    return axes


def reshape_sizes(shape, sizes, allow_zero=0):
    """Sizes of Reshape with 0 (as it is) and -1 (what is left) filled in; None where they do not fit."""
    sizes = [int(s) for s in sizes]
    if any(s < -1 for s in sizes) or sizes.count(-1) > 1 or any(s == 0 and i >= len(shape) for i, s in enumerate(sizes)):
        return None
    if not allow_zero:
        sizes = [shape[i] if s == 0 else s for i, s in enumerate(sizes)]
    count, known = 1, 1
    for s in shape:
        count *= s
    for s in sizes:
        known *= s if s != -1 else 1
    if -1 in sizes:
        if known == 0 or count % known:
            return None
        sizes[sizes.index(-1)] = count // known
    elif known != count:
        return None
    return sizes


def slice_ranges(node, x, shape):
    """[(axis, begin, end, step)] of Slice, of both forms; None where it is out of order."""
    if len(x) > 1:
        starts, ends = x[1].reshape(-1).tolist(), x[2].reshape(-1).tolist()
        axes, steps = (x[i].reshape(-1).tolist() if len(x) > i and x[i] is not None else None for i in (3, 4))
    else:
        starts, ends, axes, steps = node.attributes["starts"], node.attributes["ends"], node.attributes.get("axes"), None
    axes = list(range(len(starts))) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    if not len(starts) == len(ends) == len(axes) == len(steps) or 0 in steps or any(not -len(shape) <= a < len(shape) for a in axes):
        return None
    return [(a % len(shape), *slice(int(b), int(e), int(s)).indices(shape[a])) for a, b, e, s in zip(axes, starts, ends, steps)]


def split_ranges(node, x, size):
    """[(begin, end)] of Split's outputs along an axis of `size`; None where they do not fit."""
    sizes = node.attributes.get("split") if len(x) < 2 or x[1] is None else x[1].reshape(-1).tolist()
    if not sizes:
        part = -(-size // len(node.outputs))
        sizes = [part] * (len(node.outputs) - 1) + [size - part * (len(node.outputs) - 1)]
    if len(sizes) != len(node.outputs) or sum(sizes) != size or min(sizes) < 1:
        return None
    ends = np.cumsum(sizes).tolist()
    return list(zip([0] + ends[:-1], ends))


def limited(count):
    if count > SIZE_LIMIT:
        raise Refused(f"it makes {count} values of constants; {SIZE_LIMIT} at most")


def filled(shape, value):
    limited(int(np.prod([float(max(s, 0)) for s in shape])) if len(shape) else 1)
    return np.full([int(s) for s in shape], value)


def expanded(x, shape):
    shape = np.broadcast_shapes(x.shape, tuple(int(s) for s in shape))
    limited(float(np.prod([float(s) for s in shape])))
    return np.broadcast_to(x, shape)


def divided(a, b):
    """Integers towards zero, as ONNX has it."""
    if a.dtype.kind != "i":
        return a / b
    quotient = np.abs(a) // np.abs(b)
    return np.where((a < 0) != (b < 0), -quotient, quotient).astype(a.dtype)


def clip(node, x):
    low, high = (x[i] if len(x) > i and x[i] is not None else node.attributes.get(key) for i, key in ((1, "min"), (2, "max")))
    return low, high


def limited_broadcast(*shapes):
    limited(float(np.prod([float(s) for s in np.broadcast_shapes(*shapes)])))


def clipped(node, x):
    low, high = clip(node, x)
    limited_broadcast(x[0].shape, np.shape(low) if low is not None else (), np.shape(high) if high is not None else ())
    y = x[0] if low is None else np.maximum(x[0], np.asarray(low, x[0].dtype))
    return y if high is None else np.minimum(y, np.asarray(high, x[0].dtype))


def cast(node, x):
    types = {1: np.float32, 6: np.int32, 7: np.int64, 9: np.bool_, 10: np.float16, 11: np.float64}
    if node.attributes.get("to") not in types:
        raise Refused(f"a type {node.attributes.get('to')} that is not known")
    return x[0].astype(types[node.attributes["to"]])


def reduced(function):
    def run(node, x):
        axes = axes_of(node, x, 1)
        keep = bool(node.attributes.get("keepdims", 1))
        return function(x[0], axis=None if not axes else tuple(axes), keepdims=keep)
    return run


def constant(node, _):
    for key in ("value", "value_float", "value_int", "value_floats", "value_ints"):
        if key in node.attributes:
            value = node.attributes[key]
            dtype = {"value": None, "value_float": np.float32, "value_floats": np.float32}.get(key, np.int64)
            return np.asarray(value, dtype)
    raise Refused("a value of no type that is known")


def sliced(node, x):
    ranges = slice_ranges(node, x, x[0].shape)
    if ranges is None:
        raise Refused("starts, ends, axes and steps do not fit")
    cut = [slice(None)] * x[0].ndim
    for axis, begin, end, step in ranges:
        cut[axis] = slice(begin, end if end >= 0 else None, step)
    return x[0][tuple(cut)]


def split(node, x):
    axis = node.attributes.get("axis", 0)
    ranges = split_ranges(node, x, x[0].shape[axis])
    if ranges is None:
        raise Refused("sizes that do not fit")
    return [np.take(x[0], np.arange(begin, end), axis) for begin, end in ranges]


def reshaped(node, x):
    sizes = reshape_sizes(x[0].shape, x[1].reshape(-1).tolist(), node.attributes.get("allowzero", 0))
    if sizes is None:
        raise Refused(f"shape {list(x[0].shape)} does not become {x[1].reshape(-1).tolist()[:9]}")
    return x[0].reshape(sizes)


def concatenated(node, x):
    limited(sum(v.size for v in x))
    return np.concatenate([np.atleast_1d(v) for v in x], node.attributes.get("axis", 0))


def gathered(node, x):
    axis = node.attributes.get("axis", 0)
    limited(x[1].size * (x[0].size // max(x[0].shape[axis], 1)))
    return np.take(x[0], x[1], axis)


def ranged(_, x):
    start, limit, step = (v.reshape(-1)[0] for v in x)
    limited(float(abs((float(limit) - float(start)) / float(step))))
    return np.arange(start, limit, step)


def elementwise(function):
    def run(_, x):
        limited_broadcast(*(v.shape for v in x))
        out = x[0]
        for other in x[1:]:
            out = function(out, other)
        return out
    return run


def matrix_product(_, x):
    a, b = (np.atleast_2d(v) for v in x)
    batch = float(np.prod([float(s) for s in np.broadcast_shapes(a.shape[:-2], b.shape[:-2])]))
    made = batch * a.shape[-2] * b.shape[-1]
    limited(made)
    limited(made * a.shape[-1] / PRODUCTS_LIMIT * SIZE_LIMIT)
    return x[0] @ x[1]


def where(_, x):
    limited_broadcast(*(v.shape for v in x))
    return np.where(*x)


def power(a, b):
    return np.power(a.astype(np.float64), b).astype(a.dtype)


FOLDS = {
    "Constant": constant, "Identity": lambda n, x: x[0], "Cast": cast, "Clip": clipped, "Slice": sliced, "Split": split,
    "ConstantOfShape": lambda n, x: filled(x[0].reshape(-1).tolist(), np.asarray(n.attributes.get("value", np.float32(0))).reshape(-1)[0]),
    "Expand": lambda n, x: expanded(x[0], x[1].reshape(-1).tolist()), "Range": ranged,
    "Shape": lambda n, x: np.array(x[0].shape[n.attributes.get("start", 0):n.attributes.get("end")], np.int64),
    "Size": lambda n, x: np.int64(x[0].size), "Gather": gathered, "Concat": concatenated, "Reshape": reshaped,
    "Transpose": lambda n, x: x[0].transpose(n.attributes.get("perm")),
    "Flatten": lambda n, x: x[0].reshape(int(np.prod(x[0].shape[:n.attributes.get("axis", 1)])), -1),
    "Unsqueeze": lambda n, x: np.expand_dims(x[0], tuple(axes_of(n, x, 1))),
    "Squeeze": lambda n, x: np.squeeze(x[0], None if axes_of(n, x, 1) is None else tuple(axes_of(n, x, 1))),
    "Where": where, "Not": lambda n, x: ~x[0],
    "ReduceProd": reduced(np.prod), "ReduceSum": reduced(np.sum), "ReduceMean": reduced(np.mean), "ReduceMax": reduced(np.max),
    "MatMul": matrix_product,
    "Sigmoid": lambda n, x: 1 / (1 + np.exp(-x[0])), "Softplus": lambda n, x: np.logaddexp(x[0], 0),
    "Relu": lambda n, x: np.maximum(x[0], 0), "Reciprocal": lambda n, x: 1 / x[0], "Neg": lambda n, x: -x[0],
    **{op: elementwise(f) for op, f in {
        "Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": divided, "Mod": np.mod, "Pow": power, "Max": np.maximum,
        "Min": np.minimum, "Equal": np.equal, "Less": np.less, "Greater": np.greater, "And": np.logical_and, "Or": np.logical_or,
    }.items()},
    **{op: (lambda f: lambda n, x: f(x[0]))(f) for op, f in {
        "Sqrt": np.sqrt, "Exp": np.exp, "Log": np.log, "Abs": np.abs, "Floor": np.floor, "Ceil": np.ceil, "Round": np.rint, "Tanh": np.tanh,
    }.items()},
}


class Folder:
    """Computes nodes whose inputs are constants, within limits over the whole graph."""

    def __init__(self):
        self.left = TOTAL_LIMIT

    def __call__(self, node, values):
        """The outputs, arrays."""
        x = get_inputs(node, values)
        try:
            with np.errstate(all="ignore"):
                out = FOLDS[node.op](node, x)
        except (ValueError, IndexError, TypeError, KeyError, AttributeError, OverflowError, ZeroDivisionError, MemoryError) as e:
            raise Refused(f"its constants do not fit it ({e})") from None
        out = [np.asarray(v) for v in (out if isinstance(out, list) else [out])]
        self.left -= sum(v.size for v in out)
        if self.left < 0:
            raise Refused(f"the graph computes more than {TOTAL_LIMIT} values of constants")
        if any(v.dtype.kind == "f" and not np.isfinite(v).all() for v in out):
            raise Refused("it makes NaN or infinite constants")
        return out
