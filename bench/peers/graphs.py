"""Graphs of a Glint model file for other runtimes: as an ONNX model and as a PyTorch function.

Used by transforms.py. Knows the operators of convolutional transforms (`light`, CompressAI's); another one is an error.
Tensors are [1][channels][rows][columns].
"""
import math
import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests"))
import reference_model


class Graph:
    """g_a or g_s of a model, its rate fixed: nodes with their weights as arrays."""

    def __init__(self, path, name):
        self.model, self.name = reference_model.Model(path), name
        self.doc = self.model.doc["graphs"][name]
        self.nodes = self.doc["nodes"]
        self.inputs = [(entry["name"], entry["channels"]) for entry in self.doc["inputs"]]
        self.output = self.doc["output"]
        self.t = 0.0            # the middle of the rates: which one does not matter to the time
        for node in self.nodes:
            if node["precision"] != "f32":
                sys.exit(f"{path}: {name}: {node['name']} is {node['precision']}; the model in FP32 is wanted")

    def weight(self, node, role):
        name = node.get("weights", {}).get(role)
        return None if name is None else self.model.tensor(name).astype(np.float32)

    def refuse(self, node):
        sys.exit(f"graph {self.name}: {node['op']} is not known here")

    def channel_factor(self, node):
        """[C] of gain and affine, and what affine adds."""
        if node["op"] == "gain":
            return reference_model.gain(self.model, node, self.t), None
        return self.weight(node, "factor"), self.weight(node, "shift")


def as_convolution(weight, bias, padding):
    """A transposed convolution of stride 2 as one of 3 x 3 with four times the outputs, which pixel shuffle (CRD) puts in place."""
    inputs, outputs, kernel, _ = weight.shape
    out = np.zeros((outputs, 2, 2, inputs, 3, 3), np.float32)
    for parity in np.ndindex(2, 2):
        for tap in np.ndindex(kernel, kernel):
            shifts = [p + padding - k for p, k in zip(parity, tap)]
            if any(s % 2 for s in shifts):
                continue
            row, column = (1 + s // 2 for s in shifts)
            out[:, parity[0], parity[1], :, row, column] += weight[:, :, tap[0], tap[1]].T
    return out.reshape(4 * outputs, inputs, 3, 3), None if bias is None else np.repeat(bias, 4)


# ---- ONNX -----------------------------------------------------------------------------------------------------

class OnnxBuilder:
    def __init__(self, graph, subpixel):
        import onnx
        self.onnx, self.graph, self.subpixel = onnx, graph, subpixel
        self.nodes, self.constants = [], []

    def constant(self, values):
        name = f"constant{len(self.constants)}"
        self.constants.append(self.onnx.numpy_helper.from_array(np.ascontiguousarray(values, np.float32), name))
        return name

    def emit(self, op, inputs, output=None, **attributes):
        output = output or f"made{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(op, inputs, [output], name=f"node{len(self.nodes)}", **attributes))
        return output

    def weights(self, *arrays):
        return [self.constant(a) for a in arrays if a is not None]

    def convolution(self, x, weight, bias, stride, output=None):
        pad = weight.shape[2] // 2
        return self.emit("Conv", [x, *self.weights(weight, bias)], output, strides=[stride, stride], pads=[pad] * 4)

    def gdn(self, node, x, output):
        beta, gamma = (self.graph.weight(node, role) for role in ("beta", "gamma"))
        is_root = node["form"] == "sqrt"
        size = self.emit("Mul", [x, x]) if is_root else self.emit("Abs", [x])
        norm = self.convolution(size, gamma[:, :, None, None], beta, 1)
        if is_root:
            norm = self.emit("Sqrt", [norm])
        self.emit("Mul" if node["inverse"] else "Div", [x, norm], output)

    def node(self, node):
        op, x, output = node["op"], node["inputs"], node["output"]
        weight, bias = (self.graph.weight(node, role) for role in ("weight", "bias"))
        if op == "conv2d" and node.get("mask", "none") == "none":
            self.convolution(x[0], weight, bias, node["stride"], output)
        elif op == "conv_transpose2d" and self.subpixel:
            made = self.convolution(x[0], *as_convolution(weight, bias, node["padding"]), 1)
            self.emit("DepthToSpace", [made], output, blocksize=2, mode="CRD")
        elif op == "conv_transpose2d":
            self.emit("ConvTranspose", [x[0], *self.weights(weight, bias)], output, strides=[2, 2],
                      pads=[node["padding"]] * 4, output_padding=[node["output_padding"]] * 2)
        elif op == "gdn":
            self.gdn(node, x[0], output)
        elif op in ("gain", "affine"):
            factor, shift = (None if v is None else v[None, :, None, None] for v in self.graph.channel_factor(node))
            steps = [("Mul", factor), ("Add", shift)]
            steps = [(name, value) for name, value in steps if value is not None]
            made = x[0]
            for i, (name, value) in enumerate(steps):
                made = self.emit(name, [made, self.constant(value)], output if i + 1 == len(steps) else None)
        elif op == "leaky_relu":
            self.emit("LeakyRelu", x, output, alpha=node["slope"])
        elif op == "pixel_shuffle":
            self.emit("DepthToSpace", x, output, blocksize=node["factor"], mode=node.get("order", "crd").upper())
        elif op == "concat":
            self.emit("Concat", x, output, axis=1)
        elif op in ("add", "multiply", "relu", "sigmoid", "abs"):
            names = {"add": "Add", "multiply": "Mul", "relu": "Relu", "sigmoid": "Sigmoid", "abs": "Abs"}
            self.emit(names[op], x, output)
        else:
            self.graph.refuse(node)

    def build(self, height, width, output_shape):
        """Bytes of the model for inputs of this size."""
        helper = self.onnx.helper
        for node in self.graph.nodes:
            self.node(node)
        kind = self.onnx.TensorProto.FLOAT
        inputs = [helper.make_tensor_value_info(name, kind, [1, channels, height, width])
                  for name, channels in self.graph.inputs]
        outputs = [helper.make_tensor_value_info(self.graph.output, kind, list(output_shape))]
        graph = helper.make_graph(self.nodes, self.graph.name, inputs, outputs, self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


# ---- PyTorch --------------------------------------------------------------------------------------------------

class TorchGraph:
    """Runs a graph on tensors in channels-last order."""

    def __init__(self, graph):
        import torch
        self.torch, self.graph, self.weights = torch, graph, {}
        for node in graph.nodes:
            self.weights[node["name"]] = self.prepare(node)

    def tensor(self, values):
        return None if values is None else self.torch.from_numpy(np.array(values, np.float32))

    def prepare(self, node):
        op = node["op"]
        if op in ("conv2d", "conv_transpose2d") and node.get("mask", "none") == "none":
            weight = self.tensor(self.graph.weight(node, "weight"))
            return weight.to(memory_format=self.torch.channels_last), self.tensor(self.graph.weight(node, "bias"))
        if op == "gdn":
            return tuple(self.tensor(self.graph.weight(node, role)) for role in ("beta", "gamma"))
        if op in ("gain", "affine"):
            return tuple(None if v is None else self.tensor(v)[None, :, None, None]
                         for v in self.graph.channel_factor(node))
        if op in ("leaky_relu", "relu", "add", "multiply", "sigmoid", "abs", "concat"):
            return ()
        if op == "pixel_shuffle" and node.get("order", "crd") == "crd":
            return ()
        return self.graph.refuse(node)

    def run(self, x):
        functional, values = self.torch.nn.functional, {self.graph.inputs[0][0]: x}
        for node in self.graph.nodes:
            op, own = node["op"], self.weights[node["name"]]
            seen = [values[name] for name in node["inputs"]]
            x = seen[0]
            if op == "conv2d":
                out = functional.conv2d(x, *own, stride=node["stride"], padding=node["padding"])
            elif op == "conv_transpose2d":
                out = functional.conv_transpose2d(x, *own, stride=2, padding=node["padding"],
                                                  output_padding=node["output_padding"])
            elif op == "gdn":
                beta, gamma = own
                is_root = node["form"] == "sqrt"
                norm = functional.conv2d(x * x if is_root else x.abs(), gamma[:, :, None, None], beta)
                norm = norm.sqrt() if is_root else norm
                out = x * norm if node["inverse"] else x / norm
            elif op in ("gain", "affine"):
                factor, shift = own
                out = x if factor is None else x * factor
                out = out if shift is None else out + shift
            elif op in ("leaky_relu", "relu"):
                out = functional.leaky_relu(x, node.get("slope", 0.0))
            elif op == "add":
                out = x + seen[1]
            elif op == "multiply":
                out = x * seen[1]
            elif op == "concat":
                out = self.torch.cat(seen, 1)
            elif op == "pixel_shuffle":
                out = functional.pixel_shuffle(x, node["factor"])
            else:
                out = x.sigmoid() if op == "sigmoid" else x.abs()
            values[node["output"]] = out
        return values[self.graph.output]


def scale_of(graph):
    """Rows of the output by rows of the input."""
    level = 0
    for node in graph.nodes:
        if node["op"] == "conv2d" and node["stride"] == 2:
            level -= 1
        elif node["op"] == "conv_transpose2d":
            level += 1
        elif node["op"] == "pixel_shuffle":
            level += int(math.log2(node["factor"]))
    return 2.0 ** level
