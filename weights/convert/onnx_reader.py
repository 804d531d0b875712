"""Reads ONNX files: the parts of the protobuf ModelProto that an importer of networks needs, with numpy alone.

Sizes, counts and paths come from the file and are not believed: every length lies within what is there before anything of that size
is made, external data lie beside the model, and every float is finite. `Refused` says what is wrong and where.
"""
import os
import struct
from dataclasses import dataclass, field

import numpy as np

from .writer import Refused

FILE_LIMIT = 1 << 31      # bytes of a model file and of a file of external data
COUNT_LIMIT = 1 << 16     # nodes, initializers, inputs of a node ...
DIMENSIONS_LIMIT = 8
MESSAGE_LIMIT = 600
ONNX_DOMAINS = ("", "ai.onnx")

# TensorProto.DataType: numpy's type, and the field that holds its values when raw_data does not
TENSOR_TYPES = {1: ("<f4", 4), 2: ("u1", 5), 3: ("i1", 5), 6: ("<i4", 5), 7: ("<i8", 7), 9: ("?", 5), 10: ("<f2", 5), 11: ("<f8", 10)}
TYPED_FIELDS = {4: "<f4", 5: "<i4", 7: "<i8", 10: "<f8"}


@dataclass
class Node:
    op: str = ""
    name: str = ""
    domain: str = ""
    inputs: list = field(default_factory=list)
    outputs: list = field(default_factory=list)
    attributes: dict = field(default_factory=dict)

    def label(self):
        return f"{self.op} '{self.name or (self.outputs + [''])[0]}'"


@dataclass
class Graph:
    path: str
    opset: int = 0
    nodes: list = field(default_factory=list)
    constants: dict = field(default_factory=dict)    # initializers by name
    inputs: dict = field(default_factory=dict)       # name -> dimensions (a number, or None where it is open), or None
    outputs: list = field(default_factory=list)
    files: list = field(default_factory=list)        # all that was read: the model, external data


# ---- the wire format ------------------------------------------------------------------------------------------

def varint(data, at):
    """(an unsigned number of at most 64 bits, the place behind it)"""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise Refused("cut short within a number")
        byte = data[at]
        value |= (byte & 127) << shift
        at += 1
        if byte < 128:
            if value >> 64:
                break
            return value, at
    raise Refused("a number of more than 64 bits")


def fields(data):
    """Yields (number of the field, its value): an int for numbers, a memoryview for what has a length, bytes for 32 and 64 bits."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        number, kind = key >> 3, key & 7
        if number == 0 or number > 1 << 29:
            raise Refused("no protobuf message")
        if kind == 0:
            value, at = varint(data, at)
        elif kind in (1, 2, 5):
            size = 8 if kind == 1 else 4
            if kind == 2:
                size, at = varint(data, at)
            if size > len(data) - at:
                raise Refused("cut short, or a length that lies")
            value, at = data[at:at + size], at + size
        else:
            raise Refused("no protobuf message")
        yield number, value


def signed(value):
    return value - (1 << 64) if value >> 63 else value


def message(value):
    if not isinstance(value, memoryview):
        raise Refused("no ONNX file: a number where a message should be")
    return value


def number(value):
    if not isinstance(value, int):
        raise Refused("no ONNX file: a message where a number should be")
    return signed(value)


def text(value):
    try:
        return bytes(message(value)).decode()
    except UnicodeDecodeError:
        raise Refused("a name that is not UTF-8") from None


def printable(message):
    """A message that has names and numbers of a file in it, fit for a terminal."""
    return "".join(c if c.isprintable() else "?" for c in message[:MESSAGE_LIMIT])


def put(items, value):
    if len(items) >= COUNT_LIMIT:
        raise Refused(f"more than {COUNT_LIMIT} of one kind")
    items.append(value)


def put_numbers(items, value):
    """Numbers of a repeated field, packed or one by one."""
    if isinstance(value, int):
        put(items, signed(value))
        return
    at = 0
    while at < len(value):
        one, at = varint(value, at)
        put(items, signed(one))


class Source:
    """Where external data lie, and how many bytes of tensors may still be read."""

    def __init__(self, folder):
        self.folder, self.left, self.files = folder, FILE_LIMIT, []

    def take(self, size):
        self.left -= size
        if self.left < 0:
            raise Refused(f"its tensors have more than {FILE_LIMIT} bytes in all")


# ---- tensors --------------------------------------------------------------------------------------------------

def external_bytes(source, entries, size):
    """The bytes of a tensor that lies in another file of the model's folder."""
    location, begin, length = entries.get("location", ""), entries.get("offset", "0"), entries.get("length", str(size))
    parts = location.replace("\\", "/").split("/")
    if not location or "\0" in location or os.path.isabs(location) or ".." in parts or ":" in location:
        raise Refused(f"its data are to lie in '{location}', which is no path below the model's folder")
    if not (begin.isascii() and begin.isdecimal() and length.isascii() and length.isdecimal() and len(begin) < 20 and len(length) < 20):
        raise Refused(f"offset '{begin[:24]}' or length '{length[:24]}' in '{location}' is no number")
    root = os.path.realpath(source.folder or ".")
    path = os.path.realpath(os.path.join(root, location))
    if os.path.commonpath([root, path]) != root:
        raise Refused(f"its data are to lie in '{location}', a link out of the model's folder")
    if not os.path.isfile(path):
        raise Refused(f"its data are to lie in '{location}', and there is no such file beside the model")
    if int(length) != size:
        raise Refused(f"its shape wants {size} bytes, and {length} are to lie in '{location}'")
    if int(begin) + size > os.path.getsize(path):
        raise Refused(f"bytes {begin} to {int(begin) + size} of '{location}', which has {os.path.getsize(path)}")
    with open(path, "rb") as f:
        f.seek(int(begin))
        data = f.read(size)
    if len(data) != size:
        raise Refused(f"'{location}' cannot be read")
    if path not in source.files:
        source.files.append(path)
    return data


def tensor_values(dims, kind, raw, typed, external, source):
    if kind not in TENSOR_TYPES:
        raise Refused(f"values of ONNX type {kind}; floats, doubles, float16 and integers are known")
    dtype, typed_field = TENSOR_TYPES[kind]
    if len(dims) > DIMENSIONS_LIMIT or any(d < 0 or d > FILE_LIMIT for d in dims):
        raise Refused(f"shape {dims[:DIMENSIONS_LIMIT + 1]}")
    count = 1
    for d in dims:
        count *= d
    size = count * np.dtype(dtype).itemsize
    source.take(size)
    if external is not None:
        raw = external_bytes(source, external, size)
    if raw is not None:
        if len(raw) != size:
            raise Refused(f"shape {dims} wants {size} bytes, and {len(raw)} are there")
        array = np.frombuffer(raw, dtype)
    else:
        values = np.concatenate(typed[typed_field]) if typed[typed_field] else np.zeros(0, TYPED_FIELDS[typed_field])
        if values.size != count:
            raise Refused(f"shape {dims} wants {count} values, and {values.size} are there")
        array = values.astype(np.uint16).view("<f2") if kind == 10 else values.astype(dtype)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise Refused("NaN or infinite values")
    return array.reshape(dims)


def read_tensor(data, source):
    """TensorProto -> (name, array)"""
    dims, kind, name, raw, entries, outside = [], 0, "", None, {}, False
    typed = {key: [] for key in TYPED_FIELDS}
    for key, value in fields(data):
        if key == 1:
            put_numbers(dims, value)
        elif key == 2:
            kind = number(value)
        elif key == 8:
            name = text(value)
        elif key == 9:
            raw = message(value)
        elif key == 13:
            pair = {1: "", 2: ""}
            pair.update((k, text(v)) for k, v in fields(message(value)) if k in pair)
            entries[pair[1]] = pair[2]
        elif key == 14:
            outside = number(value) == 1
        elif key in TYPED_FIELDS:
            typed[key].append(typed_values(key, value))
    try:
        return name, tensor_values(dims, kind, raw, typed, entries if outside else None, source)
    except Refused as e:
        raise Refused(f"tensor '{name}': {e}") from None


def typed_values(key, value):
    if key in (4, 10):       # float_data, double_data
        width = 4 if key == 4 else 8
        if isinstance(value, int) or len(value) % width:
            raise Refused("values cut short")
        return np.frombuffer(value, TYPED_FIELDS[key])
    if isinstance(value, int):
        return np.array([signed(value)]).astype(TYPED_FIELDS[key])
    digits = np.frombuffer(value, np.uint8).astype(np.uint64)      # all varints at once
    ends = np.nonzero(digits < 128)[0]
    if digits.size and (not ends.size or ends[-1] != digits.size - 1):
        raise Refused("values cut short")
    begins = np.concatenate([[0], ends[:-1] + 1]) if ends.size else ends
    place = np.arange(digits.size) - np.repeat(begins, ends - begins + 1)
    if place.size and place.max() > 9:
        raise Refused("a number of more than 64 bits")
    numbers = np.add.reduceat((digits & 127) << (7 * place).astype(np.uint64), begins) if ends.size else digits
    return numbers.view(np.int64).astype(TYPED_FIELDS[key])


# ---- graphs ---------------------------------------------------------------------------------------------------

def read_attribute(data, source):
    """AttributeProto -> (name, value); graphs within nodes are named by None, for no operator that is known has them."""
    name, found = "", {}
    for key, value in fields(data):
        if key == 1:
            name = text(value)
        elif key == 2:
            found["value"] = struct.unpack("<f", as_bytes(value, 4))[0]
        elif key == 3:
            found["value"] = number(value)
        elif key == 4:
            found["value"] = bytes(message(value))
        elif key == 5:
            found["value"] = read_tensor(message(value), source)[1]
        elif key == 7:
            values = as_bytes(value)
            if len(values) % 4:
                raise Refused("values cut short")
            found.setdefault("floats", []).extend(struct.unpack(f"<{len(values) // 4}f", values))
        elif key == 8:
            put_numbers(found.setdefault("ints", []), value)
        elif key in (6, 9, 10, 11):
            found["value"] = None
    return name, found.get("value", found.get("ints", found.get("floats", [])))


def as_bytes(value, size=None):
    if isinstance(value, int) or size not in (None, len(value)):
        raise Refused("no ONNX file: a number where others should be")
    return bytes(value)


def read_node(data, source):
    node = Node()
    for key, value in fields(data):
        if key == 1:
            put(node.inputs, text(value))
        elif key == 2:
            put(node.outputs, text(value))
        elif key == 3:
            node.name = text(value)
        elif key == 4:
            node.op = text(value)
        elif key == 5:
            name, attribute = read_attribute(message(value), source)
            node.attributes[name] = attribute
        elif key == 7:
            node.domain = text(value)
    return node


def read_value(data):
    """ValueInfoProto -> (name, dimensions or None)"""
    name, dims = "", None
    for key, value in fields(data):
        if key == 1:
            name = text(value)
        elif key == 2:
            for k, tensor_type in fields(message(value)):
                for k2, shape in fields(message(tensor_type)) if k == 1 else ():
                    if k2 == 2:
                        dims = []
                        for k3, dim in fields(message(shape)):
                            if k3 == 1:
                                sizes = [number(v) for k4, v in fields(message(dim)) if k4 == 1]
                                put(dims, sizes[-1] if sizes and sizes[-1] > 0 else None)
    return name, dims


def read_graph(data, graph, source):
    values = []
    for key, value in fields(data):
        if key == 1:
            put(graph.nodes, read_node(message(value), source))
        elif key == 5:
            name, array = read_tensor(message(value), source)
            if name in graph.constants or len(graph.constants) >= COUNT_LIMIT:
                raise Refused(f"tensor '{name}' is there twice, or more than {COUNT_LIMIT} of them")
            graph.constants[name] = array
        elif key == 11:
            put(values, read_value(message(value)))
        elif key == 12:
            put(graph.outputs, read_value(message(value))[0])
        elif key == 15:
            raise Refused("sparse tensors, which are not known")
    graph.inputs = {name: dims for name, dims in values if name not in graph.constants}


def read_model(path):
    """The graph of an ONNX file."""
    graph = Graph(path)
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            raise Refused("it is no plain file")
        if os.path.getsize(path) > FILE_LIMIT:
            raise Refused(f"more than {FILE_LIMIT} bytes")
        with open(path, "rb") as f:
            data = memoryview(f.read())
        parts = [message(value) for key, value in fields(data) if key == 7]
        for key, value in fields(data):
            if key == 8:
                version = {1: memoryview(b""), 2: 0}
                version.update(fields(message(value)))
                if text(version[1]) in ONNX_DOMAINS:
                    graph.opset = number(version[2])
        if len(parts) != 1:
            raise Refused("no ONNX file: it has no graph")
        if graph.opset < 7:
            raise Refused(f"operator set {graph.opset}; 7 and later are known")
        source = Source(os.path.dirname(path))
        read_graph(parts[0], graph, source)
        graph.files = [path, *source.files]
    except OSError as e:
        raise Refused(f"{path}: {e.strerror or e}") from None
    except Refused as e:
        raise Refused(f"{path}: {printable(str(e))}") from None
    return graph
