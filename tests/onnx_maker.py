"""Writes ONNX files: a protobuf encoder and a maker of graphs, for tests of the importer. The package `onnx` is not needed."""
import struct

import numpy as np

TENSOR_TYPES = {"float32": 1, "uint8": 2, "int8": 3, "int32": 6, "int64": 7, "bool": 9, "float16": 10, "float64": 11}


# ---- the wire format ------------------------------------------------------------------------------------------

def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + bytes([value]))


def number(field, value):
    return varint(field << 3) + varint(value)


def block(field, data):
    data = data.encode() if isinstance(data, str) else data
    return varint(field << 3 | 2) + varint(len(data)) + data


def floats(field, values):
    return block(field, np.asarray(values, "<f4").tobytes())


def tensor(name, array, form="raw", dims=None, external=None):
    """TensorProto. `form`: "raw", or "typed": values in float_data and the like; `dims`: what it says of its shape; `external`: the
    entries of external data."""
    array = np.asarray(array)
    kind = array.dtype.name
    out = b"".join(number(1, d) for d in (array.shape if dims is None else dims)) + number(2, TENSOR_TYPES[kind]) + block(8, name)
    if external is not None:
        return out + b"".join(block(13, block(1, k) + block(2, v)) for k, v in external.items()) + number(14, 1)
    flat = array.reshape(-1)
    if form == "raw":
        return out + block(9, array.astype(array.dtype.newbyteorder("<")).tobytes())
    if kind == "float32":
        return out + floats(4, flat)
    if kind == "float64":
        return out + block(10, flat.astype("<f8").tobytes())
    integers = flat.view(np.uint16) if kind == "float16" else flat
    return out + block(7 if kind == "int64" else 5, b"".join(varint(int(v)) for v in integers))


def attribute(name, value):
    """AttributeProto of a number, text, array or list of numbers."""
    out = block(1, name)
    if isinstance(value, np.ndarray):
        return out + block(5, tensor("", value)) + number(20, 4)
    if isinstance(value, str):
        return out + block(4, value) + number(20, 3)
    if isinstance(value, float):
        return out + varint(2 << 3 | 5) + struct.pack("<f", value) + number(20, 1)
    if isinstance(value, (int, np.integer)):
        return out + number(3, int(value)) + number(20, 2)
    if value and isinstance(value[0], float):
        return out + floats(7, value) + number(20, 6)
    return out + b"".join(number(8, v) for v in value) + number(20, 7)


def value_info(name, dims):
    """ValueInfoProto; sizes that are texts are open."""
    shape = b"".join(block(1, block(2, d) if isinstance(d, str) else number(1, d)) for d in dims)
    return block(1, name) + block(2, block(1, number(1, 1) + block(2, shape)))


def node_proto(op, inputs, outputs, attributes, domain):
    names = b"".join(block(1, i) for i in inputs) + b"".join(block(2, o) for o in outputs)
    more = b"".join(block(5, attribute(k, v)) for k, v in attributes.items()) + (block(7, domain) if domain else b"")
    return names + block(3, f"node_{outputs[0]}") + block(4, op) + more


# ---- graphs ---------------------------------------------------------------------------------------------------

class Maker:
    """Collects a graph: `add` returns the name of the output, `weight` that of an initializer. What was added stands in `nodes`,
    (op, inputs, outputs, attributes, domain), and `constants`, for who computes it (onnx_numpy.py)."""

    def __init__(self, channels=3, seed=1, sizes=("height", "width"), batch="batch", name="x"):
        self.rng, self.count = np.random.default_rng(seed), 0
        self.nodes, self.constants, self.inputs, self.outputs = [], {}, {name: (batch, channels, *sizes)}, []
        self.opset, self.form = 17, "raw"

    def name(self, base):
        self.count += 1
        return f"{base}_{self.count}"

    def constant(self, value, dtype=None):
        name = self.name("c")
        self.constants[name] = np.asarray(value, dtype or (np.float32 if np.asarray(value).dtype.kind == "f" else np.int64))
        return name

    def weight(self, *shape, scale=None, positive=False):
        scale = scale or (2.0 / max(np.prod(shape[1:]), 1)) ** 0.5
        values = self.rng.normal(0, scale, shape)
        return self.constant((np.abs(values) if positive else values).astype(np.float32))

    def add(self, op, *inputs, outputs=1, domain="", **attributes):
        """Inputs: names, or arrays and numbers that become initializers; "" for one that is left out."""
        inputs = [i if isinstance(i, str) else self.constant(i) for i in inputs]
        made = [self.name(op.lower()) for _ in range(outputs)]
        self.nodes.append((op, inputs, made, attributes, domain))
        return made[0] if outputs == 1 else made

    def called(self, name, tensor_name):
        """Gives what was added last under this name another one."""
        for _, _, made, *_ in self.nodes:
            made[:] = [name if n == tensor_name else n for n in made]
        return name

    def end(self, *outputs):
        self.outputs = list(outputs)
        return self

    def data(self, external=None):
        """The file. `external`: {name of a constant: entries of external data}"""
        external = external or {}
        graph = b"".join(block(1, node_proto(*node)) for node in self.nodes)
        graph += block(2, "main")
        graph += b"".join(block(5, tensor(n, v, self.form, external=external.get(n))) for n, v in self.constants.items())
        graph += b"".join(block(11, value_info(n, d)) for n, d in self.inputs.items())
        graph += b"".join(block(12, value_info(n, ("n",))) for n in self.outputs)
        return number(1, 10) + block(2, "tests") + block(7, graph) + block(8, block(1, "") + number(2, self.opset))

    def write(self, path, **more):
        with open(path, "wb") as f:
            f.write(self.data(**more))
        return path
