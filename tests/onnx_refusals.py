"""What the importer of ONNX graphs refuses: graphs, and files that were made to harm. For onnx_test.py."""
import io
import os
import warnings
import zipfile

import numpy as np

from convert.onnx_tables import HYPER_NAMES
from onnx_cases import FORWARD, first, gdn_norm, last, shuffle, spelled
from onnx_maker import Maker, block, number, tensor, varint

GRAPHS = []      # (name, words of the message, numeric class, Maker with its output)
CHANNELS = {"other channels than those that it is fed with": 4}      # what they are fed with, where it is not what they say


def graph(name, *words, channels=4, sizes=None, numeric_class="close", opset=17):
    def keep(build):
        m = Maker(channels, 1, sizes or ("height", "width"))
        m.opset = opset
        out = build(m)
        GRAPHS.append((name, words, numeric_class, m if isinstance(out, Maker) else m.end(out)))
        return build
    return keep


# ---- operators and attributes ---------------------------------------------------------------------------------

for op in ("Softmax", "GlobalAveragePool", "Exp", "Resize", "Gemm", "If", "HardSwish", "Sin"):
    graph(f"operator {op}", f"{op} 'node_{op.lower()}_1'", "known")(lambda m, op=op: m.add(op, "x"))
graph("another domain", "com.microsoft.Gelu is not known")(lambda m: m.add("Gelu", "x", domain="com.microsoft"))


def conv(name, *words, weight=(4, 4, 3, 3), **attributes):
    attributes = {"pads": [1] * 4, **attributes}
    graph(f"Conv: {name}", "node Conv 'node_conv_", *words)(lambda m: m.add("Conv", "x", m.weight(*weight), **attributes))


conv("groups", "2 groups", weight=(4, 2, 3, 3), group=2)
conv("depthwise with a multiplier", "4 groups of 4 channels to 8", weight=(8, 1, 3, 3), group=4)
conv("dilations", "dilations [2, 2]", dilations=[2, 2])
conv("stride 3", "stride 3", strides=[3, 3])
conv("stride 4", "stride 4", weight=(4, 4, 5, 5), strides=[4, 4], pads=[2] * 4)
conv("two strides", "strides [1, 2]", strides=[1, 2])
conv("pads that lose a rim", "becomes", pads=[0] * 4)
conv("pads before alone", "becomes", pads=[1, 1, 0, 0])
conv("negative pads", "pads", pads=[-1, -1, 3, 3])
conv("kernel of 17", "up to 15", weight=(4, 4, 17, 17), pads=[8] * 4)
conv("kernel_shape", "kernel_shape [5, 5]", kernel_shape=[5, 5])
conv("channels", "for 4 channels", weight=(4, 5, 3, 3))
conv("three dimensions", "four dimensions", weight=(4, 4, 3))
conv("five pads", "pads [1, 1, 1, 1, 1]", pads=[1] * 5)
conv("auto_pad", "auto_pad", auto_pad="SAME")
graph("Conv: weights that are no constants", "no constant")(lambda m: m.add("Conv", "x", m.add("Relu", "x")))
graph("Conv: a bias of other channels", "a bias of shape [3] for 4 channels")(
    lambda m: m.add("Conv", "x", m.weight(4, 4, 3, 3), m.weight(3), pads=[1] * 4))


def transposed(name, words, k, **attributes):
    graph(f"ConvTranspose: {name}", "node ConvTranspose", words)(lambda m: m.add("ConvTranspose", "x", m.weight(4, 4, k, k), **attributes))


transposed("groups", "2 groups", 4, group=2)
transposed("stride 3", "stride 3", 5, strides=[3, 3], pads=[1] * 4)
transposed("6x6", "taps within 2", 6, strides=[2, 2], pads=[2] * 4)
transposed("output_shape", "output_shape", 4, output_shape=[9, 9])
transposed("size", "becomes", 3, strides=[2, 2], pads=[1] * 4)

graph("Pow 3", "exponent [3.0]")(lambda m: m.add("Pow", "x", 3.0))
graph("Pow of tensors", "no constant")(lambda m: m.add("Pow", "x", m.add("Relu", "x")))
graph("a root alone", "Sqrt", "known only as part of")(lambda m: m.add("Sqrt", "x"))
graph("a quotient of tensors", "Div", "known only as part of")(lambda m: m.add("Div", "x", m.add("Sigmoid", "x")))
graph("Erf alone", "Erf", "known only as part of")(lambda m: m.add("Erf", "x"))
graph("a mean alone", "ReduceMean", "known only as part of")(lambda m: m.add("ReduceMean", "x", axes=[1]))
graph("a mean that is added", "ReduceMean", "known only as part of")(lambda m: m.add("Add", "x", m.add("ReduceMean", "x", axes=[1])))
graph("a mean over the picture", "along the channels alone")(lambda m: m.add("ReduceMean", "x", axes=[2]))
graph("a mean over all", "axes")(lambda m: m.add("ReduceMean", "x", axes=[1, 2, 3]))
graph("a difference from the mean alone", "known only as part of")(lambda m: m.add("Sub", "x", m.add("ReduceMean", "x", axes=[1])))
graph("GELU by tanh", "approximate")(lambda m: m.add("Gelu", "x", approximate="tanh"))
graph("Clip", "Clip", "limits of values")(lambda m: m.add("Clip", "x", np.float32(-1), np.float32(1)))
graph("Max of tensors", "limits, which are numbers")(lambda m: m.add("Max", "x", m.add("Relu", "x")))
graph("LeakyRelu of 2", "slope 2.0")(lambda m: m.add("LeakyRelu", "x", alpha=2.0))
graph("PRelu of many slopes", "slopes that differ")(lambda m: m.add("PRelu", "x", m.rng.random((4, 1, 1))))
graph("a map of constants", "[1, 1, 16, 24]", sizes=(16, 24))(lambda m: m.add("Add", "x", m.rng.random((1, 1, 16, 24))))
graph("constants of other channels", "one for each channel")(lambda m: m.add("Add", "x", m.rng.random((3, 1, 1))))
graph("constants along columns", "one for each channel", sizes=(16, 4))(lambda m: m.add("Mul", "x", m.rng.random(4)))
graph("a division by zero", "division by zero")(lambda m: m.add("Div", "x", np.array([[[1.0]], [[0]], [[2]], [[3]]])))
graph("tensors of other shapes", "differ")(lambda m: m.add("Add", "x", m.add("Conv", "x", m.weight(5, 4, 1, 1))))
graph("three channels for one", "differ")(lambda m: m.add("Mul", "x", m.add("Conv", "x", m.weight(1, 4, 1, 1))))
graph("LayerNormalization over channels and picture", "along the channels alone")(
    lambda m: m.add("LayerNormalization", "x", np.ones((4, 16, 24)), axis=1))
graph("LayerNormalization over columns", "along the channels alone")(lambda m: m.add("LayerNormalization", "x", np.ones(24)))
graph("BatchNormalization in training", "training_mode")(
    lambda m: m.add("BatchNormalization", "x", *[np.ones(4)] * 4, training_mode=1))
graph("BatchNormalization of a negative variance", "negative variance")(
    lambda m: m.add("BatchNormalization", "x", *[np.ones(4)] * 3, -np.ones(4)))
graph("GDN with a negative gamma", "known only as part of")(
    lambda m: m.add("Div", "x", m.add("Sqrt", m.add("Conv", m.add("Pow", "x", 2.0), m.weight(4, 4, 1, 1), np.ones(4)))))
graph("GDN of another tensor", "known only as part of")(
    lambda m: m.add("Div", m.add("Relu", "x"), m.add("Sqrt", gdn_norm(m, m.add("Pow", "x", 2.0)))))
graph("GDN between z and the symbols", "not exact", numeric_class="exact")(
    lambda m: FORWARD["Sqrt, Div"](m, "x", gdn_norm(m, m.add("Pow", "x", 2.0))))
graph("a layer norm of another mean", "known only as part of")(
    lambda m: m.add("Mul", spelled(m, "x", 1, "Pow -0.5"), m.add("Pow", m.add("ReduceMean", "x", axes=[1]), -0.5)))

# ---- layouts --------------------------------------------------------------------------------------------------

graph("DepthToSpace 3", "blocksize 3", channels=9)(lambda m: m.add("DepthToSpace", "x", blocksize=3))
graph("DepthToSpace of other channels", "of 6 channels", channels=6)(lambda m: m.add("DepthToSpace", "x", blocksize=2))
graph("SpaceToDepth 3", "blocksize 3")(lambda m: m.add("SpaceToDepth", "x", blocksize=3))
graph("rows and columns exchanged", "no pixel shuffle", sizes=(16, 24))(
    lambda m: m.add("Conv", m.add("Transpose", "x", perm=[0, 1, 3, 2]), m.weight(4, 4, 1, 1)))
graph("a flat picture at the end", "no way that is known", sizes=(16, 24))(lambda m: m.add("Reshape", "x", np.array([1, 4, 384])))
graph("a torn axis", "does not become", sizes=(16, 24))(lambda m: m.add("Reshape", "x", np.array([1, 6, 16, 16])))
graph("a shape that does not fit", "does not become")(lambda m: m.add("Reshape", "x", np.array([1, 5, 7, -1])))
graph("a shuffle that turns a group", "no pixel shuffle", channels=16, sizes=(16, 24))(
    lambda m: shuffle(m, "x", np.array([1, 4, 2, 2, 16, 24]), [0, 1, 2, 4, 3, 5], np.array([1, 4, 32, 48])))
graph("channels last at the end", "pixel shuffle")(lambda m: last(m, "x"))
graph("a slice of the picture", "along the channels alone")(lambda m: m.add("Slice", "x", np.array([1]), np.array([5]), np.array([2])))
graph("every second channel", "steps of 2")(lambda m: m.add("Slice", "x", np.array([0]), np.array([4]), np.array([1]), np.array([2])))
graph("nothing left", "nothing is left")(lambda m: m.add("Slice", "x", np.array([3]), np.array([3]), np.array([1])))
graph("Split that does not fit", "do not fit")(lambda m: m.add("Split", "x", np.array([1, 2]), outputs=2, axis=1)[0])
graph("Concat of rows", "along the channels alone")(lambda m: m.add("Concat", "x", "x", axis=2))
graph("Concat with a constant", "a constant among tensors", sizes=(16, 24))(lambda m: m.add("Concat", "x", np.ones((1, 1, 16, 24)), axis=1))
graph("Concat of other sizes", "different layouts")(
    lambda m: m.add("Concat", "x", m.add("Conv", "x", m.weight(4, 4, 3, 3), pads=[1] * 4, strides=[2, 2]), axis=1))
graph("Transpose of other axes", "perm")(lambda m: m.add("Transpose", "x", perm=[0, 1, 1, 2]))
graph("Split of a negative size", "do not fit")(lambda m: m.add("Split", "x", outputs=2, axis=1, split=[5, -1])[0])
graph("a matrix that does not fit", "a matrix of shape [5, 4]")(lambda m: first(m, m.add("MatMul", last(m, "x"), m.weight(5, 4))))


@graph("smaller in between", "nothing smaller")
def _(m):
    half = m.add("Conv", "x", m.weight(4, 4, 3, 3), pads=[1] * 4, strides=[2, 2])
    return m.add("ConvTranspose", half, m.weight(4, 4, 4, 4), pads=[1] * 4, strides=[2, 2])


graph("more channels than Glint has", "5000 channels")(lambda m: m.add("Conv", "x", m.weight(5000, 4, 1, 1)))

# ---- the graph itself -----------------------------------------------------------------------------------------

graph("what nothing makes", "reads 'nothing', which nothing before it makes")(lambda m: m.add("Add", "x", "nothing"))


@graph("a cycle", "which nothing before it makes")
def _(m):
    y = m.add("Add", "x", "relu_2")
    return m.add("Relu", y)


@graph("an output made twice", "is made twice")
def _(m):
    y = m.add("Relu", "x")
    m.nodes.append(m.nodes[-1])
    return y


@graph("two inputs", "2 inputs")
def _(m):
    m.inputs["other"] = ("n", 4, "h", "w")
    return m.add("Relu", "x")


@graph("an input without rank", "[batch][channels][rows][columns]")
def _(m):
    m.inputs["x"] = ("n", 4)
    return m.add("Relu", "x")


@graph("other channels than those that it is fed with", "has 5 channels, not 4")
def _(m):
    m.inputs["x"] = ("n", 5, "h", "w")
    return m.add("Relu", "x")


graph("nothing but the input", "does nothing")(lambda m: "x")
graph("an output that nothing makes", "not made from the picture")(lambda m: "z")
graph("an output of constants", "not made from the picture")(lambda m: m.add("Add", 1.0, 2.0))
graph("no outputs", "no outputs")(lambda m: m.end())
graph("an old operator set", "operator set 6", opset=6)(lambda m: m.add("Relu", "x"))
graph("a constant that is not finite", "NaN or infinite")(lambda m: m.add("Add", "x", m.add("Div", 1.0, 0.0)))
graph("constants that do not fit", "its constants do not fit it")(lambda m: m.add("Add", "x", m.add("Add", np.ones(3), np.ones(2))))
graph("constants without end", "at most")(lambda m: m.add("Add", "x", m.add("ConstantOfShape", np.array([2**40]))))


graph("constants that Where spreads", "3600000000.0 values")(
    lambda m: m.add("Add", "x", m.add("Where", np.ones((60000, 1), bool), np.ones((60000, 1)), np.ones((1, 60000)))))
graph("constants that Clip spreads", "3600000000.0 values")(
    lambda m: m.add("Add", "x", m.add("Clip", np.ones((60000, 1)), np.ones((1, 60000)))))
graph("constants that MatMul spreads", "3600000000.0 values")(
    lambda m: m.add("Add", "x", m.add("MatMul", np.ones((60000, 1, 1, 1)), np.ones((1, 60000, 1, 1)))))
graph("a product of constants that takes for ever", "at most")(
    lambda m: m.add("Add", "x", m.add("MatMul", np.ones((1024, 1024), np.float32), np.ones((1024, 2048), np.float32))))


@graph("constants that double", "at most")
def _(m):
    y = m.constant(np.ones(2))
    for _ in range(40):
        y = m.add("Concat", y, y, axis=0)
    return m.add("Add", "x", y)


# ---- files ----------------------------------------------------------------------------------------------------

def good(folder):
    """A file that is right, one convolution with its weights."""
    m = Maker(3)
    return m.end(m.add("Conv", "x", m.constant(m.rng.normal(size=(4, 3, 3, 3)).astype(np.float32)), pads=[1] * 4))


def outside(folder, **entries):
    """The same with its weights in a file w.bin of 432 bytes."""
    m = good(folder)
    with open(os.path.join(folder, "w.bin"), "wb") as f:
        f.write(bytes(432))
    return m.data(external={"c_1": {"location": "w.bin", "offset": "0", "length": "432", **entries}})


def linked(folder):
    """w.bin in another folder, and a link to it in this one."""
    data, away = outside(folder, location="link.bin"), os.path.join(folder, "away")
    os.makedirs(os.path.join(folder, "here"), exist_ok=True)
    os.makedirs(away, exist_ok=True)
    with open(os.path.join(away, "w.bin"), "wb") as f:
        f.write(bytes(432))
    if not os.path.islink(os.path.join(folder, "here", "link.bin")):
        os.symlink(os.path.join(away, "w.bin"), os.path.join(folder, "here", "link.bin"))
    return data


def with_graph(data):
    return number(1, 10) + block(7, data) + block(8, number(2, 17))


def with_tensor(*parts):
    """A file whose one initializer is these bytes."""
    return with_graph(block(5, b"".join(parts)) + block(12, block(1, "y")))


def zero(**more):
    return tensor("w", np.zeros(1, np.float32), **more)


def with_weight(value):
    def make(folder):
        m = good(folder)
        m.constants["c_1"] = m.constants["c_1"].copy()
        m.constants["c_1"].reshape(-1)[7] = value
        return m.data()
    return make


def attributes_within(depth):
    """An attribute of a graph of an If of an attribute ..."""
    inner = block(1, "n")
    for _ in range(depth):
        inner = block(7, block(1, block(4, "If") + block(5, block(1, "then_branch") + block(6, inner))))
    return number(1, 10) + inner + block(8, number(2, 17))


FLOAT32 = number(2, 1)
# (name, words of the message, the file's bytes for a folder, path of the file within the folder)
FILES = [
    ("empty", ["it has no graph"], lambda folder: b"", "a.onnx"),
    ("text", ["protobuf"], lambda folder: b"GIF89a, certainly no model", "a.onnx"),
    ("cut in the middle", ["a.onnx: "], lambda folder: good(folder).data()[:200], "a.onnx"),
    ("a length that lies", ["length that lies"], lambda folder: number(1, 10) + varint(7 << 3 | 2) + varint(1 << 60) + b"x", "a.onnx"),
    ("a number without end", ["more than 64 bits"], lambda folder: b"\x08" + b"\xff" * 11 + b"\x01", "a.onnx"),
    ("a number cut short", ["cut short"], lambda folder: b"\x08\xff", "a.onnx"),
    ("two graphs", ["it has no graph"], lambda folder: good(folder).data() + block(7, b""), "a.onnx"),
    ("a graph that is a number", ["a number where a message should be"], lambda folder: number(7, 1), "a.onnx"),
    ("names for terminals", ["?[31m"], lambda folder: with_tensor(block(8, "\x1b[31m"), number(2, 77)), "a.onnx"),
    ("a name of no text", ["UTF-8"], lambda folder: with_tensor(block(8, b"\xff\xfe")), "a.onnx"),
    ("2^40 rows", ["shape", "1099511627776"], lambda folder: with_tensor(zero(dims=[1 << 40])), "a.onnx"),
    ("2^30 x 2^30", ["more than"], lambda folder: with_tensor(zero(dims=[1 << 30, 1 << 30])), "a.onnx"),
    ("negative rows", ["shape"], lambda folder: with_tensor(zero(dims=[-1])), "a.onnx"),
    ("9 dimensions", ["shape"], lambda folder: with_tensor(zero(dims=[1] * 9)), "a.onnx"),
    ("fewer values than the shape wants", ["wants 40 bytes, and 4 are there"], lambda folder: with_tensor(zero(dims=[10])), "a.onnx"),
    ("fewer typed values", ["wants 10 values, and 1 are there"], lambda folder: with_tensor(zero(form="typed", dims=[10])), "a.onnx"),
    ("typed values cut short", ["cut short"], lambda folder: with_tensor(number(1, 1), FLOAT32, block(4, b"123")), "a.onnx"),
    ("typed numbers cut short", ["cut short"], lambda folder: with_tensor(number(1, 1), number(2, 7), block(7, b"\x01\xff")), "a.onnx"),
    ("complex numbers", ["ONNX type 14"], lambda folder: with_tensor(number(1, 1), number(2, 14), block(9, bytes(8))), "a.onnx"),
    ("texts", ["ONNX type 8"], lambda folder: with_tensor(number(1, 1), number(2, 8), block(6, b"a")), "a.onnx"),
    ("NaN", ["tensor 'c_1'", "NaN"], with_weight(np.nan), "a.onnx"),
    ("infinite", ["tensor 'c_1'", "infinite"], with_weight(np.inf), "a.onnx"),
    ("a tensor twice", ["is there twice"], lambda folder: with_graph(2 * block(5, zero())), "a.onnx"),
    ("sparse tensors", ["sparse"], lambda folder: with_graph(block(15, b"")), "a.onnx"),
    ("attributes within attributes", ["a.onnx: "], lambda folder: attributes_within(3000), "a.onnx"),
    ("70000 inputs of a node", ["more than 65536"], lambda folder: with_graph(block(1, block(1, "x") * 70000)), "a.onnx"),
    ("external data that are missing", ["'gone.bin'", "no such file"], lambda folder: outside(folder, location="gone.bin"), "a.onnx"),
    ("external data above", ["'../w.bin'", "below the model's folder"], lambda folder: outside(folder, location="../w.bin"), "here/a.onnx"),
    ("external data by a way round", ["below the model's folder"], lambda folder: outside(folder, location="h/../../w.bin"), "here/a.onnx"),
    ("external data with backslashes", ["below the model's folder"], lambda folder: outside(folder, location="..\\w.bin"), "here/a.onnx"),
    ("external data by a path from the root", ["below the model's"], lambda folder: outside(folder, location=folder + "/w.bin"), "a.onnx"),
    ("external data behind a link", ["a link out"], linked, "here/a.onnx"),
    ("external data that are the folder", ["no such file"], lambda folder: outside(folder, location="."), "a.onnx"),
    ("external data of no name", ["below the model's folder"], lambda folder: outside(folder, location=""), "a.onnx"),
    ("external data with a zero in the name", ["below the model's folder"], lambda folder: outside(folder, location="w.bin\0"), "a.onnx"),
    ("external data beyond the end", ["which has 432"], lambda folder: outside(folder, offset="4"), "a.onnx"),
    ("external data far beyond the end", ["which has 432"], lambda folder: outside(folder, offset="9" * 18), "a.onnx"),
    ("a negative offset", ["no number"], lambda folder: outside(folder, offset="-4"), "a.onnx"),
    ("an offset of no number", ["no number"], lambda folder: outside(folder, offset="0x10"), "a.onnx"),
    ("an offset of 10000 digits", ["no number"], lambda folder: outside(folder, offset="9" * 10000), "a.onnx"),
    ("a length of its own", ["wants 432 bytes, and 4 are"], lambda folder: outside(folder, length="4"), "a.onnx"),
]


# ---- codecs ---------------------------------------------------------------------------------------------------

CODECS = []      # (name, words of the message, which codec of onnx_codecs.py, what to do to it, and to the flags)


def codec(name, *words, of="together", flags=None):
    def keep(change):
        CODECS.append((name, words, of, change, flags or (lambda args: args)))
        return change
    return keep


def table(name, change, *words, of="together"):
    """A table file with another array of this name; None: without it."""
    def run(c):
        value = change(c.tables[name].copy() if name in c.tables else None)
        c.tables = {k: v for k, v in {**c.tables, name: value}.items() if v is not None}
    codec(f"tables: {name}: {', '.join(words)}", "tables.npz" if not words[0].startswith("coding") else "", *words, of=of)(run)


def put(place, value):
    def change(array):
        array[place] = value
        return array
    return change


table("z_median", lambda v: v[:-1], "z_median has shape [7]; the model has 8 channels there")
table("z_median", lambda v: v.astype(np.int32), "z_median has shape")
table("z_median", put(3, np.nan), "z_median has NaN")
table("y_median", lambda v: v[:, None], "y_median has shape [12, 1]", of="factorized")
table("z_median", lambda v: None, "missing: z_median")
table("surprise", lambda v: np.ones(3), "not known: surprise.npy")
table("z_cdf", lambda v: v[:7], "z_cdf has 7 rows; the model has 8")
table("y_cdf", lambda v: v[:5], "y_cdf has 5 rows; the model has 12", of="factorized")
table("y_cdf", lambda v: v.astype(object), "of type object")
table("y_cdf", lambda v: v.astype("U8"), "of type")
table("y_cdf", lambda v: v[None], "3 dimensions")
table("z_length", lambda v: v[:-1], "coding.z: tables, lengths and offsets")
table("z_length", put(0, 10**9), "coding.z: the length of table 0")
table("y_cdf", put((2, 2), 0), "coding.y: table 2 does not ascend")
table("y_offset", put(1, 40000), "coding.y: table 1 has values 40000")
table("scale_table", lambda v: v[:-1], "coding.y: the scale table has shape [15], 16 tables")
table("scale_table", lambda v: v[::-1], "coding.y: the scale table is not positive and ascending")


def bytes_of(name, change, *words):
    """Other bytes of the table file."""
    def run(args):
        path = args[args.index("--tables") + 1]
        with open(path, "rb") as f:
            data = f.read()
        with open(path, "wb") as f:
            f.write(change(data))
        return args
    codec(name, "tables.npz", *words, flags=run)(lambda c: None)


bytes_of("tables cut short", lambda data: data[:-100], "no .npz file")
bytes_of("tables of no numpy", lambda data: b"PK" + bytes(100), "no .npz file")
bytes_of("tables of other numbers than they have", lambda data: data.replace(b"'shape': (8,)", b"'shape': (9,)"), "no .npz file")


def zipped(entries, compression=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", compression) as archive:
        warnings.simplefilter("ignore")      # of names that are there twice
        for name, data in entries:
            archive.writestr(name, data)
    return out.getvalue()


def npy(shape, data=b"", dtype="<i4"):
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


def first_table(data, name="y_cdf"):
    """The table file with other bytes for one array."""
    def change(original):
        with zipfile.ZipFile(io.BytesIO(original)) as archive:
            return zipped([(n, data if n == name + ".npy" else archive.read(n)) for n in archive.namelist()], zipfile.ZIP_DEFLATED)
    return change


bytes_of("tables of 2^40 rows", first_table(npy("(1099511627776, 4)", bytes(16))), "y_cdf: shape [1099511627776, 4] does not fit")
bytes_of("tables of a negative shape", first_table(npy("(-1, 4)", bytes(16))), "y_cdf: ")
bytes_of("tables that are pickles", first_table(npy("(1,)", b"cos\nsystem\n(S'false'\ntR.", "|O")), "of type object")
bytes_of("tables with code for a header", first_table(b"\x93NUMPY\x01\x00\x10\x00" + b"__import__('os')"), "y_cdf: ")
bytes_of("tables of 80 MB of zeros", first_table(npy("(20000000,)", bytes(80000000))), "y_cdf has 80000128 bytes")
bytes_of("a table twice", lambda data: zipped([(f"{n}.npy", npy("(1,)", bytes(4))) for n in HYPER_NAMES + ("y_cdf",)]), "twice")


@codec("g_a of three outputs", "g_a.onnx: outputs")
def _(c):
    m = c.makers["g_a"]
    m.end(*m.outputs, m.add("Relu", m.outputs[0]))


@codec("g_a of y alone, without h_a", "y and the smaller z should be there, or --h-a")
def _(c):
    c.makers["g_a"].outputs.pop()


@codec("h_a that reads more than y", "z is made from more than y")
def _(c):
    m = c.makers["g_a"]
    m.end(m.outputs[0], conv_of(m, m.add("Conv", "x", m.weight(4, 3, 4, 4), strides=[4, 4]), 4, 8))


def conv_of(m, x, channels, outputs):
    for _ in range(4):
        x, channels = m.add("Conv", x, m.weight(outputs, channels, 3, 3), pads=[1] * 4, strides=[2, 2]), outputs
    return x


@codec("g_s of four channels", "g_s.onnx: from y of [12, ", "it makes [4, ")
def _(c):
    m = c.makers["g_s"]
    m.end(m.add("Conv", m.outputs[0], m.weight(4, 3, 1, 1)))


@codec("g_s that limits more than samples", "Clip", "limits of values")
def _(c):
    m = c.makers["g_s"]
    m.end(m.add("Clip", m.outputs[0], np.float32(0), np.float32(0.9)))


@codec("h_s that is not as large as y", "scales are 2 times as large as z, and y is 4 times",
       flags=lambda args: args + ["--outputs", "scales,means"])
def _(c):
    m = c.makers["h_s"]
    m.end(*[m.add("Conv", o, m.weight(12, 12, 3, 3), pads=[1] * 4, strides=[2, 2]) for o in m.outputs])


@codec("h_s of three outputs", "--outputs")
def _(c):
    c.makers["h_s"].outputs.append(c.makers["h_s"].nodes[-3][2][0])


@codec("outputs that say nothing", "which of them", "--outputs")
def _(c):
    m = c.makers["h_s"]
    m.end(*[m.add("Relu", o) for o in m.outputs])


codec("outputs that are not there", "scales of 12 each should be there", flags=lambda args: args + ["--outputs", "scales"])(lambda c: None)


@codec("GDN in h_s", "h_s.onnx: node Mul", "not exact")
def _(c):
    m = c.makers["h_s"]
    norm = m.add("Conv", m.add("Pow", "z_hat", 2.0), m.weight(8, 8, 1, 1, positive=True), np.ones(8, np.float32))
    y = m.add("Mul", "z_hat", m.add("Sqrt", norm))
    added = m.nodes[-4:]
    m.nodes = added + [(op, [y if i == "z_hat" else i for i in inputs], *rest) for op, inputs, *rest in m.nodes[:-4]]


@codec("limits of scales from above", "scales end at 1, below those of the tables")
def _(c):
    m = c.makers["h_s"]
    m.called("limited", "scales")
    m.outputs[0] = m.called("scales", m.add("Min", "limited", np.float32(1)))


@codec("a graph that does other things at other sizes", "other sizes of the picture", of="factorized")
def _(c):
    m = c.makers["g_a"]
    rows = m.add("Gather", m.add("Shape", m.outputs[0]), np.array(2), axis=0)
    m.end(m.add("Mul", m.outputs[0], m.add("Cast", rows, to=1)))


codec("h_a without h_s", "belong to a model with h_s", of="factorized",
      flags=lambda args: args + ["--h-a", args[args.index("--g-a") + 1]])(lambda c: None)
codec("a file that is not there", "gone.onnx", flags=lambda args: args + ["--g-s", "gone.onnx"])(lambda c: None)
codec("tables that are not there", "gone.npz", flags=lambda args: args + ["--tables", "gone.npz"])(lambda c: None)
codec("a name that files cannot have", "name", flags=lambda args: args + ["--name", "x" * 200])(lambda c: None)
