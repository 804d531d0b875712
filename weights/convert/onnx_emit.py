"""Writes nodes (onnx_rules.py) as graphs of the model file, and cuts graphs in two."""
import hashlib

import numpy as np

from .onnx_rules import HELPERS, PATTERNS
from .writer import Graph, Refused

NODES_LIMIT = 4096
LIMITS = "known only where they change nothing: 0 to 1 at the end of g_s, from below at the scales"


def needed(output, ends):
    """The nodes that make `output` from those in `ends` (and from inputs), each behind those that it reads."""
    order, done, stack = [], set(), [output]
    while stack:
        op = stack[-1]
        waiting = [] if op in ends or op in done else [i for i in op.inputs if i not in done]
        stack.extend(waiting)
        if not waiting:
            stack.pop()
            if op not in done:
                done.add(op)
                order.append(op)
    return order


class Emitter:
    """Fills `tensors` with the weights of all graphs; equal ones are there once."""

    def __init__(self):
        self.tensors, self.known = {}, {}

    def weight(self, name, values):
        with np.errstate(over="ignore"):
            values = np.ascontiguousarray(values, np.float32)
        if not np.isfinite(values).all():
            raise Refused(f"{name}: values beyond float32")
        key = (values.shape, hashlib.sha256(values.tobytes()).digest())
        if key not in self.known:
            self.known[key] = name
            self.tensors[name] = values
        return self.known[key]

    def graph(self, path, name, numeric_class, source, source_name, output):
        """The graph of that name, from `source`, called `source_name` in it, to `output`. `path`: whose file it is, for messages."""
        if output is source:
            raise Refused(f"{path}: {name} does nothing")
        order = [op for op in needed(output, {source}) if op is not source]
        check(path, name, numeric_class, order, source)
        names = Names([source_name])
        names.of(source, source_name)
        graph = Graph(numeric_class, **{source_name: source.channels})
        for op in order:
            self.node(graph, name, names, op)
        return graph.end(names.of(output))

    def node(self, graph, graph_name, names, op):
        kind, attributes, weights = op.op, dict(op.attributes), dict(op.weights)
        inputs = [names.of(i) for i in op.inputs]
        if kind == "power":
            kind, attributes, inputs = "multiply", {}, inputs * 2
        elif kind == "permute":
            kind, attributes = "conv2d", {"stride": 1, "padding": 0, "mask": "none"}
            weights = {"weight": np.eye(op.channels)[list(op.attributes["order"])][:, :, None, None]}
        elif kind == "affine":
            weights = {role: w for role, w in weights.items() if (w != (role == "factor")).any()}
        name = names.of(op)
        roles = {role: self.weight(f"{graph_name}.{name}.{role}", w) for role, w in weights.items()}
        graph.node(name, kind, inputs, roles, **attributes)


def check(path, name, numeric_class, order, source):
    """What no graph may have, or not this one."""
    if len(order) > NODES_LIMIT:
        raise Refused(f"{path}: {name} has {len(order)} nodes; {NODES_LIMIT} at most")
    for op in order:
        if op.op == "input":
            raise Refused(f"{path}: {name} reads '{op.name}', which is not what it is fed with")
        if op.op == "power" and op.attributes["exponent"] == 2:
            continue
        if op.op in HELPERS:
            raise Refused(f"{path}: node {op.origin}: {HELPERS[op.op]} are {LIMITS if op.op == 'clip' else PATTERNS}")
        if op.op == "gdn" and numeric_class == "exact":
            raise Refused(f"{path}: node {op.origin}: GDN between z and the symbols is not known, for its sums are not exact")
    least = min(source.shape[2], order[-1].shape[2])
    for op in order:
        if op.shape[2] < least:
            raise Refused(f"{path}: node {op.origin}: {op.shape[2]} rows, where {name} has {source.shape[2]} at its start and "
                          f"{order[-1].shape[2]} at its end; nothing smaller than these may lie between")


class Names:
    """Names of nodes in a graph: what ONNX calls their output, in letters that the file takes, each once."""

    def __init__(self, taken):
        self.taken, self.known = set(taken), {}

    def of(self, op, name=None):
        if op not in self.known:
            if name is None:
                base = "".join(c if "!" <= c <= "~" else "_" for c in op.name)[:80] or op.op
                name, k = base, 2
                while name in self.taken:
                    name, k = f"{base}.{k}", k + 1
            self.taken.add(name)
            self.known[op] = name
        return self.known[op]


# ---- cutting --------------------------------------------------------------------------------------------------

def waist(output, source):
    """The node, not smaller than `output`, through which all goes on its way from `source`, with the fewest channels, the last of them;
    None where there is none but `output` itself."""
    order = needed(output, {source})
    place = {op: i for i, op in enumerate(order)}
    through = {}      # the nodes that all ways to a node go through, as bits
    for i, op in enumerate(order):
        bits = -1
        for x in op.inputs if op is not source else ():
            bits &= through[place[x]]
        through[i] = (0 if bits == -1 else bits) | 1 << i
    found = None
    for i, op in enumerate(order[:-1]):
        passed = op is not source and through[place[output]] >> i & 1
        if passed and all(later.shape[2:] == output.shape[2:] for later in order[i:]) and (found is None or op.channels <= found.channels):
            found = op
    return found


def selected(builder, parts):
    """One node that makes all parts, one behind the other: for slices of one convolution, the convolution with its rows in that order."""
    ranges = [(p.inputs[0], p.attributes["begin"], p.attributes["end"]) if p.op == "slice" else (p, 0, p.channels) for p in parts]
    base = ranges[0][0]
    rows = np.concatenate([np.arange(begin, end) for _, begin, end in ranges])
    n, _, h, w = base.shape
    if any(r[0] is not base for r in ranges):
        return builder.make("concat", parts, (n, len(rows), h, w))
    if len(rows) == base.channels and (rows == np.arange(len(rows))).all():
        return base
    chain = []      # activations between the convolution and the slices
    while base.op in ("relu", "leaky_relu"):
        chain.append(base)
        base = base.inputs[0]
    if base.op != "conv2d":
        return builder.make("concat", parts, (n, len(rows), h, w)) if len(parts) > 1 else parts[0]
    out = builder.make("conv2d", base.inputs, (n, len(rows), h, w), base.attributes, {role: v[rows] for role, v in base.weights.items()})
    for op in reversed(chain):
        out = builder.unary(op.op, out, **op.attributes)
    return out
