"""What every converter writes with: graphs, tables, coding steps, and the file.

A converter fills `tensors` (arrays by name), makes graphs with `Graph`, sets of tables with `fixed_tables` and `scale_tables`, steps
with `fixed_step` and `graph_step`, hands all to `document`, and calls `write_model`.
"""
import json
import os
import struct
import tempfile

import numpy as np

from .rows import in_order, set_ahead

TOTAL = 1 << 16          # counts of a CDF table
DTYPES = {np.dtype(np.float32): "F32", np.dtype(np.int32): "I32"}
PLACES = ("cdf", "cdf_start", "cdf_min")


class Refused(Exception):
    """Why a file cannot be converted, in words for its owner."""


# ---- graphs ---------------------------------------------------------------------------------------------------

class Graph:
    """Collects nodes; `inputs`: channels by name. `doc` is the graph as the file has it."""

    def __init__(self, numeric_class, **inputs):
        self.doc = {"class": numeric_class, "inputs": [{"name": n, "channels": c} for n, c in inputs.items()], "output": None, "nodes": []}

    def node(self, name, op, inputs, weights=None, **attributes):
        """`inputs`: names of tensors; `weights`: names of the file's tensors by role. Returns the tensor that it makes, called as it is."""
        node = {"name": name, "op": op, "inputs": list(inputs), "output": name, **attributes}
        if weights:
            node["weights"] = dict(weights)
        self.doc["nodes"].append({**node, "precision": "f32"})
        return name

    def end(self, output):
        """The finished graph."""
        self.doc["output"] = output
        return self.doc


def channels_behind(node, channels, tensors):
    """Of a node's output; `channels`: those of the graph's tensors."""
    op, first = node["op"], channels[node["inputs"][0]]
    if op in ("conv2d", "conv_transpose2d"):
        return tensors[node["weights"]["weight"]].shape[op == "conv_transpose2d"]
    if op == "pixel_unshuffle":
        return first * node["factor"] ** 2
    return {"concat": lambda: sum(channels[i] for i in node["inputs"]), "slice": lambda: node["end"] - node["begin"],
            "pixel_shuffle": lambda: first // node["factor"] ** 2}.get(op, lambda: first)()


def check_graphs(doc, tensors):
    """Limits of the model file (docs/MODEL_FORMAT.md) that a trained model may well be beyond."""
    named = 0
    for name, graph in doc["graphs"].items():
        channels = {i["name"]: i["channels"] for i in graph["inputs"]}
        if not 1 <= len(graph["nodes"]) <= 4096:
            raise Refused(f"graph {name} has {len(graph['nodes'])} nodes, not 1 to 4096")
        for node in in_order(graph):
            place = f"graph {name}, node {node['name']} ({node['op']})"
            check_name(f"the name of graph {name}'s node", node["name"])
            channels[node["output"]] = made = channels_behind(node, channels, tensors)
            named += sum(tensors[w].size for w in node.get("weights", {}).values())
            if not 1 <= made <= 4096:
                raise Refused(f"{place}: {made} channels, not 1 to 4096")
            if node["op"] == "concat" and not 2 <= len(node["inputs"]) <= 64:
                raise Refused(f"{place}: {len(node['inputs'])} inputs, not 2 to 64")
            if "epsilon" in node and not 1e-12 <= node["epsilon"] <= 1:
                raise Refused(f"{place}: epsilon is {node['epsilon']}, not 1e-12 to 1")
    if named > 8 * sum(tensor.size for tensor in tensors.values()):
        raise Refused("nodes share weights so often that they name more than 8 times as many values as the file has")


# ---- tables ---------------------------------------------------------------------------------------------------

def counts_of(p):
    """Integer counts >= 1 that sum to TOTAL, close to p * TOTAL; what is over is taken where it costs fewest bits."""
    p = np.asarray(p, np.float64)
    counts = np.maximum(1, np.round(p / p.sum() * TOTAL)).astype(np.int64)
    while counts.sum() != TOTAL:
        sign = 1 if counts.sum() < TOTAL else -1
        cost = -p * np.log2((counts + sign).clip(0.5) / counts)
        cost[counts + sign < 1] = np.inf
        counts[np.argmin(cost)] += sign
    return counts


def pack_tables(tables):
    """[(first value, cumulative counts; the last interval is the escape's)] -> cdf, cdf_start, cdf_min as the model file has them."""
    cdf, start = [], [0]
    for _, counts in tables:
        cdf.extend(counts)
        start.append(len(cdf))
    return tuple(np.array(v, np.int32) for v in (cdf, start, [low for low, _ in tables]))


def pack_probabilities(tables):
    """The same of [(first value, probabilities)], rounded by `counts_of`."""
    return pack_tables([(low, np.concatenate([[0], np.cumsum(counts_of(p))]).tolist()) for low, p in tables])


def add_tables(tensors, base, packed, thresholds=None):
    """Puts packed tables under names that begin with `base`; returns what coding.tables says about them."""
    tensors.update(zip((f"{base}.{place}" for place in PLACES), packed))
    place = {key: f"{base}.{key}" for key in PLACES}
    if thresholds is None:
        return place
    tensors[f"{base}.thresholds"] = thresholds
    return {"thresholds": f"{base}.thresholds", **place}


def quantized_tables(what, cdf, lengths, offsets):
    """[(first value, cumulative counts)] of rows as CompressAI has them: `cdf` [T][any], of which row i has lengths[i] entries, and
    offsets[i] is the value of its first symbol. `what` names them in messages."""
    cdf, lengths, offsets = (np.asarray(v) for v in (cdf, lengths, offsets))
    whole = all(v.dtype.kind in "iu" for v in (cdf, lengths, offsets))
    if not whole or cdf.ndim != 2 or lengths.ndim != 1 or lengths.shape != offsets.shape or len(cdf) != len(lengths) or not len(cdf):
        raise Refused(f"{what}: tables, lengths and offsets are no integers of shapes [T][n], [T], [T]: they are "
                      f"{list(cdf.shape)}, {list(lengths.shape)}, {list(offsets.shape)}")
    tables = []
    for i, (row, length, low) in enumerate(zip(cdf.astype(np.int64), lengths.tolist(), offsets.tolist())):
        if not 3 <= length <= cdf.shape[1]:
            raise Refused(f"{what}: the length of table {i} is {length}, not 3 to {cdf.shape[1]}")
        row = row[:length]
        if row[0] != 0 or row[-1] != TOTAL or (np.diff(row) < 1).any():
            raise Refused(f"{what}: table {i} does not ascend from 0 to {TOTAL}")
        if low < -32768 or low + length - 3 > 32767:
            raise Refused(f"{what}: table {i} has values {low} to {low + length - 3}, beyond 16 bits")
        tables.append((low, row.tolist()))
    return tables


def fixed_tables(tensors, base, cdf, lengths, offsets):
    """Tables of a `fixed` step, one for each channel, added to `tensors`; returns the entry of coding.tables."""
    return add_tables(tensors, base, pack_tables(quantized_tables(base, cdf, lengths, offsets)))


def scale_tables(tensors, base, cdf, lengths, offsets, scale_table, bound=None):
    """Tables among which a scale chooses, given directly: table i is for scales up to scale_table[i], the last for all above. Scales
    below `bound` count as `bound`, so tables for less are left out."""
    tables = quantized_tables(base, cdf, lengths, offsets)
    scales = np.asarray(scale_table)
    if scales.shape != (len(tables),) or scales.dtype.kind != "f":
        raise Refused(f"{base}: the scale table has shape {list(scales.shape)}, {len(tables)} tables want [{len(tables)}]")
    scales = scales.astype(np.float32)
    if not np.isfinite(scales).all() or (scales <= 0).any() or (np.diff(scales) <= 0).any():
        raise Refused(f"{base}: the scale table is not positive and ascending")
    first = 0 if bound is None else int((scales[:-1] < bound).sum())
    if len(tables) - first > 256:
        raise Refused(f"{base}: {len(tables) - first} tables of scales, at most 256 can be coded with")
    # A scale's table is the number of entries but the last that are below it; here that of thresholds that are at most it.
    return add_tables(tensors, base, pack_tables(tables[first:]), np.nextafter(scales[first:-1], np.float32(np.inf)))


# ---- coding steps ---------------------------------------------------------------------------------------------

def fixed_step(codes, channels, tables):
    """A step that codes channels [begin, end) of "z" or "y" at all positions with fixed tables."""
    return {"codes": codes, "parts": [{"channels": list(channels), "positions": "all"}], "ahead": 0,
            "distribution": {"kind": "fixed", "tables": tables}}


def graph_step(parts, kind, tables, graph, inputs, order=None):
    """A step that codes `parts`, [(channels [begin, end), positions)], of y. `kind`: "scales" or "means_and_scales"; `inputs`: "psi"
    or a range of channels of y-hat by the name of the graph's input; `order`: "wavefront" of one that reads what it codes itself."""
    step = {"codes": "y", "parts": [{"channels": list(channels), "positions": positions} for channels, positions in parts], "ahead": 0,
            "distribution": {"kind": kind, "tables": tables, "graph": graph,
                             "inputs": {name: place if place == "psi" else list(place) for name, place in inputs.items()}}}
    return step if order is None else {**step, "order": order}


# ---- the file -------------------------------------------------------------------------------------------------

def document(tensors, name, architecture, picture, latents, hyper, rate, graphs, tables, steps, provenance, segment_rows=64):
    """The document of a float32 model, `ahead` of its steps filled in. `picture`, `latents`, `hyper` (None: a model without z) and
    `rate` are as docs/MODEL_FORMAT.md section 3 says; `tables`: what `fixed_tables` and `scale_tables` returned, by name."""
    doc = {"format": 2, "name": name, "form": "fp32", "architecture": architecture, "picture": picture, "latents": latents}
    if hyper is not None:
        doc["hyper"] = hyper
    doc.update({"rate": rate, "graphs": graphs, "coding": {"segment_rows": segment_rows, "tables": tables, "steps": steps},
                "provenance": provenance})
    set_ahead(doc, tensors)
    return doc


def write_safetensors(path, tensors, metadata):
    """The safetensors format: header length (u64), JSON header padded with spaces to 64 bytes, tensors without holes."""
    header, offset = {"__metadata__": metadata}, 0
    for name, array in tensors.items():
        header[name] = {"dtype": DTYPES[array.dtype], "shape": list(array.shape), "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(len(text) + 8) % 64)
    path = os.path.realpath(path)
    handle, unfinished = tempfile.mkstemp(dir=os.path.dirname(path), prefix=f".{os.path.basename(path)[:100]}.")
    try:
        with os.fdopen(handle, "wb") as f:
            f.write(struct.pack("<Q", len(text)) + text)
            for array in tensors.values():
                f.write(np.ascontiguousarray(array).tobytes())
        os.chmod(unfinished, os.stat(path).st_mode & 0o777 if os.path.exists(path) else 0o666 & ~umask())
        os.replace(unfinished, path)
    except BaseException:
        if os.path.exists(unfinished):
            os.remove(unfinished)
        raise


def umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def check_output(path, inputs):
    """Nothing that is read is overwritten, nor what is no plain file, nor what is protected. Called before anything is read."""
    if not os.path.exists(path):
        return
    if not os.path.isfile(path):
        raise Refused("it exists and is no plain file")
    if not os.stat(path).st_mode & 0o200:
        raise Refused("it exists and is protected from writing")
    for other in inputs:
        if os.path.exists(other) and os.path.samefile(path, other):
            raise Refused(f"it would overwrite {other}, which is read")


def check_name(what, name, first="!"):
    """Names of the file; those for people may have spaces (`first` " ")."""
    if not 1 <= len(name) <= 128 or any(not first <= c <= "~" for c in name):
        raise Refused(f"{what} {name!r} is not 1 to 128 printable ASCII characters{' without spaces' if first == '!' else ''}")


def printable(value):
    """What people gave, with a mark in place of bytes that are no UTF-8."""
    if isinstance(value, dict):
        return {key: printable(v) for key, v in value.items()}
    if isinstance(value, list):
        return [printable(v) for v in value]
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace") if isinstance(value, str) else value


def write_model(path, tensors, doc):
    """The model file. Every weight is finite, every name and graph is one that the reader takes."""
    check_name("the model's name", doc["name"], " ")
    check_graphs(doc, tensors)
    doc = {**doc, "provenance": printable(doc["provenance"])}
    for name, array in tensors.items():
        check_name("the tensor's name", name)
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise Refused(f"{name} has values that are not finite")
    write_safetensors(path, tensors, {"glint": json.dumps(doc, separators=(",", ":"), allow_nan=False)})
