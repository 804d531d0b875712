"""Puts a codec together from ONNX graphs of its transforms and a file of tables (onnx_tables.py)."""
import hashlib
import os
from dataclasses import dataclass

import numpy as np

from .onnx_emit import Emitter, needed, selected, waist
from .onnx_graph import is_open, run_graph, source_of
from .onnx_reader import printable, read_model
from .onnx_rules import Builder
from .onnx_tables import FACTORIZED_NAMES, HYPER_NAMES, medians, read_npz
from .writer import Refused, check_output, document, fixed_step, fixed_tables, graph_step, scale_tables

OUTPUTS = {"scales,means": (1, 0), "means,scales": (0, 1), "scales": (0,)}      # places of (means, scales), or of scales
PADDINGS = ("edge", "centred_zeros")
PICTURE_CHANNELS = 3
ARCHITECTURE = "onnx"


@dataclass
class Parts:
    """Paths of the files, and what the command line says about them."""
    g_a: str
    g_s: str
    tables: str
    h_a: str = None
    h_s: str = None
    parameters: str = None
    outputs: str = None
    padding: str = "edge"
    offset: float = 0.0
    fraction_bits: int = 4
    name: str = "onnx"
    rate: dict = None
    out: str = ""                     # the file to be written: none of those that are read

    def files(self):
        """{role: path} of the graphs that are given"""
        paths = {role: getattr(self, role) for role in ("g_a", "h_a", "h_s", "parameters", "g_s")}
        return {role: path for role, path in paths.items() if path is not None}


def convert(parts, provenance):
    """(tensors, document) of the model file. `provenance`: what is known beside the files that are read."""
    if (parts.h_s is None) and (parts.h_a or parts.parameters or parts.outputs):
        raise Refused("h_a, parameters and outputs belong to a model with h_s, which is not given")
    names = HYPER_NAMES if parts.h_s else FACTORIZED_NAMES
    graphs = {role: read_model(path) for role, path in parts.files().items()}
    tables = read_npz(parts.tables, names)
    files = dict.fromkeys([path for graph in graphs.values() for path in graph.files] + [parts.tables])
    check_output(parts.out, files)
    provenance = {"source": ", ".join(map(os.path.basename, files)), "sha256": digest(files), **provenance}
    try:
        sizes = (0, 1) if any(map(is_open, graphs.values())) else (0,)
        tries = [Assembly(parts, graphs, tables, tried).run(provenance) for tried in sizes]
    except Refused as e:
        raise Refused(printable(str(e))) from None
    (tensors, doc), other = tries[0], tries[-1]
    if doc != other[1] or any(not np.array_equal(tensors[name], other[0][name]) for name in tensors):
        raise Refused("the graphs do other things at other sizes of the picture")
    return tensors, doc


def digest(paths):
    """SHA-256 of all files, one behind the other."""
    sha = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as f:
            while piece := f.read(1 << 20):
                sha.update(piece)
    return sha.hexdigest()


def stride_of(path, what, large, small):
    """How many rows and columns of `large` are one of `small`."""
    large, small = list(large.shape[2:]), list(small.shape[2:])
    ratio = large[0] // small[0]
    if ratio < 1 or ratio & (ratio - 1) or [ratio * size for size in small] != large:
        raise Refused(f"{path}: {what} have {large} and {small} rows and columns; a power of two apart is known")
    return ratio


class Assembly:
    """One of two tries (onnx_graph.TRIED_SIZES)."""

    def __init__(self, parts, graphs, tables, tried):
        self.parts, self.graphs, self.tables, self.tried = parts, graphs, tables, tried
        self.emitter, self.out = Emitter(), {}

    def run(self, provenance):
        parts, hyper = self.parts, self.parts.h_s is not None
        y, z = self.analysis()
        doc_tables, steps = (self.hyper_steps if hyper else self.factorized_steps)(y, z)
        self.synthesis(y)
        y_stride = y["stride"]
        picture_stride = z["stride"] if hyper and parts.padding == "centred_zeros" else y_stride
        picture = {"channels": PICTURE_CHANNELS, "stride": picture_stride, "padding": parts.padding, "offset": parts.offset}
        latents = {"channels": y["channels"], "stride": y_stride, "fraction_bits": parts.fraction_bits}
        hyper_doc = {"channels": z["channels"], "stride": z["stride"]} if hyper else None
        tensors = self.emitter.tensors
        return tensors, document(tensors, parts.name, ARCHITECTURE, picture, latents, hyper_doc, parts.rate or {"parameter": "none"},
                                 self.out, doc_tables, steps, provenance)

    # ---- transforms

    def source(self, role, builder, channels):
        return source_of(self.graphs[role], builder, self.tried, channels)

    def load(self, role, builder, source):
        """{output: node} of a file's graph"""
        return run_graph(self.graphs[role], builder, source)

    def emit(self, role, name, numeric_class, source, source_name, output):
        self.out[name] = self.emitter.graph(getattr(self.parts, role), name, numeric_class, source, source_name, output)

    def shifted(self, builder, op, name, sign):
        """Behind medians: what is rounded is z - median, and z_hat has it again."""
        values = medians(self.parts.tables, name, self.tables[name], op.channels)
        builder.name, builder.origin = name, name
        op.shared = True      # a node of its own
        return builder.affine(op, 1.0, sign * values)

    def analysis(self):
        """g_a, and h_a, which may be in its file; returns what is known of y and z."""
        parts, builder = self.parts, Builder()
        x = self.source("g_a", builder, PICTURE_CHANNELS)
        made = self.load("g_a", builder, x)
        outputs = sorted(made.values(), key=lambda op: -op.shape[2])
        wanted = 2 if parts.h_s and not parts.h_a else 1
        if len(outputs) != wanted or wanted == 2 and outputs[0].shape[2] <= outputs[1].shape[2]:
            raise Refused(f"{parts.g_a}: outputs {', '.join(made)}; {'y and the smaller z' if wanted == 2 else 'y alone'} should be there"
                          f"{', or --h-a' if wanted == 2 else ''}")
        y = outputs[0]
        facts = {"channels": y.channels, "stride": stride_of(parts.g_a, "the picture and y", x, y)}
        if not parts.h_s:
            self.emit("g_a", "g_a", "close", x, "x", self.shifted(builder, y, "y_median", -1))
            return facts, None
        self.emit("g_a", "g_a", "close", x, "x", y)
        role, source = "g_a", y
        if parts.h_a:
            role, builder = "h_a", Builder()
            source = self.source("h_a", builder, y.channels)
            outputs = [source, *self.load("h_a", builder, source).values()]
            if len(outputs) != 2:
                raise Refused(f"{parts.h_a}: {len(outputs) - 1} outputs; one, z, should be there")
        z = outputs[1]
        if x in needed(z, {source}):
            raise Refused(f"{parts.g_a}: z is made from more than y")
        self.emit(role, "h_a", "close", source, "y", self.shifted(builder, z, "z_median", -1))
        ratio = stride_of(getattr(parts, role), "y and z", source, z)
        return facts, {"channels": z.channels, "stride": facts["stride"] * ratio}

    def synthesis(self, y):
        parts, builder = self.parts, Builder()
        y_hat = self.source("g_s", builder, y["channels"])
        made = self.load("g_s", builder, y_hat if parts.h_s else self.shifted(builder, y_hat, "y_median", 1))
        if len(made) != 1:
            raise Refused(f"{parts.g_s}: {len(made)} outputs; one, the picture, should be there")
        (x,) = made.values()
        while x.op == "clip" and x.attributes["low"] <= 0 and x.attributes["high"] >= 1 and parts.offset == 0:
            x = x.inputs[0]      # samples are limited anyway
        if x.channels != PICTURE_CHANNELS or stride_of(parts.g_s, "the picture and y", x, y_hat) != y["stride"]:
            raise Refused(f"{parts.g_s}: from y of {list(y_hat.shape[1:])} it makes {list(x.shape[1:])}; "
                          f"a picture of {PICTURE_CHANNELS} channels, {y['stride']} times as large, is known")
        self.emit("g_s", "g_s", "close", y_hat, "y_hat", x)

    # ---- coding

    def factorized_steps(self, y, _):
        t = self.tables
        self.same_rows("y_cdf", y["channels"])
        tables = {"y": fixed_tables(self.emitter.tensors, "coding.y", t["y_cdf"], t["y_length"], t["y_offset"])}
        return tables, [fixed_step("y", (0, y["channels"]), "y")]

    def same_rows(self, name, channels):
        if len(self.tables[name]) != channels:
            raise Refused(f"{self.parts.tables}: {name} has {len(self.tables[name])} rows; the model has {channels} channels there")

    def hyper_steps(self, y, z):
        """h_s up to psi, and the step's graph from there to means and scales."""
        builder = Builder()
        source = self.source("h_s", builder, z["channels"])
        made = self.load("h_s", builder, self.shifted(builder, source, "z_median", 1))
        role = "h_s"
        if self.parts.parameters:
            if len(made) != 1:
                raise Refused(f"{self.parts.h_s}: {len(made)} outputs; one is fed to {self.parts.parameters}")
            made = self.load("parameters", builder, *made.values())
            role = "parameters"
        path = getattr(self.parts, role)
        found = self.means_and_scales(path, builder, made, y["channels"])
        found[-1], bound = self.unlimited(path, found[-1])
        kind = "means_and_scales" if len(found) == 2 else "scales"
        builder.name, builder.origin = kind, "outputs"
        output = selected(builder, found)
        ratio = stride_of(path, "z and its scales", output, source)
        if ratio * y["stride"] != z["stride"]:
            raise Refused(f"{path}: scales are {ratio} times as large as z, and y is {z['stride'] // y['stride']} times")
        psi = waist(output, source)
        if psi is None:      # the last node is all that can be cut at
            psi, output = output, builder.make("slice", [output], output.shape, {"begin": 0, "end": output.channels})
        self.emit("h_s", "h_s", "exact", source, "z", psi)
        self.emit(role, "parameters", "exact", psi, "psi", output)
        t, tensors = self.tables, self.emitter.tensors
        self.same_rows("z_cdf", z["channels"])
        tables = {"gaussian": scale_tables(tensors, "coding.y", t["y_cdf"], t["y_length"], t["y_offset"], t["scale_table"], bound),
                  "z": fixed_tables(tensors, "coding.z", t["z_cdf"], t["z_length"], t["z_offset"])}
        return tables, [fixed_step("z", (0, z["channels"]), "z"),
                        graph_step([((0, y["channels"]), "all")], kind, "gaussian", "parameters", {"psi": "psi"})]

    def means_and_scales(self, path, builder, made, channels):
        """[means, scales] or [scales]: outputs of the graph, or halves of its one output."""
        told, outputs = self.parts.outputs, list(made.values())
        if told is None and len(outputs) == 2:
            kinds = ["scales" if "scale" in n.lower() else "means" if "mean" in n.lower() or "mu" in n.lower() else "" for n in made]
            told = ",".join(kinds) if sorted(kinds) == ["means", "scales"] else None
        elif told is None and len(outputs) == 1 and outputs[0].channels == channels:
            told = "scales"
        if told is None:
            raise Refused(f"{path}: outputs {', '.join(made)}: which of them, or of the halves of one, are scales? --outputs says it")
        places = OUTPUTS[told]
        if len(outputs) == 1 and len(places) == 2 and outputs[0].channels == 2 * channels:
            n, _, h, w = outputs[0].shape
            outputs = [builder.make("slice", outputs, (n, channels, h, w), {"begin": b, "end": b + channels}) for b in (0, channels)]
        if len(outputs) != len(places) or any(op.channels != channels for op in outputs):
            found = ", ".join(str(op.channels) for op in outputs)
            raise Refused(f"{path}: outputs of {found} channels; {told} of {channels} each should be there")
        return [outputs[i] for i in places]

    def unlimited(self, path, scales):
        """(scales without limits, the bound that they had). Below a bound all scales are it; above the last but one table all are alike."""
        bound, table = None, self.tables["scale_table"].reshape(-1)
        while scales.op == "clip":
            low, high = scales.attributes["low"], scales.attributes["high"]
            if not high > table[-2:][0]:
                raise Refused(f"{path}: node {scales.origin}: scales end at {high:g}, below those of the tables")
            bound, scales = max(low, -np.inf if bound is None else bound), scales.inputs[0]
        return scales, bound
