#!/usr/bin/env python3
"""Turns a training checkpoint of `light` into a model file (docs/MODEL_FORMAT.md).

  export.py CHECKPOINT OUT.safetensors [--name light] [--save-half AVERAGED.pt]

Tensors stand in the file under their PyTorch names and in PyTorch's layout, GDN with its effective beta and gamma; graphs, coding
steps, integer CDF tables and rate control stand in one JSON document in the metadata.
"""
import argparse
import math
import os
import sys

import numpy as np
import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "training"))
from convert.writer import Graph, add_tables, document, fixed_step, graph_step, pack_probabilities, write_model
from distortion import mse_share
from model import GDN, GROUPS, LAMBDA_PER_LRD, LRD_MAX, LRD_MIN, SCALE_LEVELS, SCALE_MAX, SCALE_MIN, Light

MAX_HALF_WIDTH = 1023    # symbols on either side of a table's centre
TAIL = 2.0 ** -15        # probability that a table leaves to its escape


# ---- CDF tables -----------------------------------------------------------------------------------------------

def normal_cdf(x):
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def scale_levels():
    return np.exp(np.linspace(math.log(SCALE_MIN), math.log(SCALE_MAX), SCALE_LEVELS))


def gaussian_tables():
    tables = []
    for scale in scale_levels():
        half = 1
        while half < MAX_HALF_WIDTH and 2 * normal_cdf(-(half + 0.5) / scale) > TAIL:
            half += 1
        p = [normal_cdf((v + 0.5) / scale) - normal_cdf((v - 0.5) / scale) for v in range(-half, half + 1)]
        tables.append((-half, p + [2 * normal_cdf(-(half + 0.5) / scale)]))
    return pack_probabilities(tables)


def raw_thresholds():
    """Raw scale parameters (scale = SCALE_MIN + softplus(raw)) at the geometric means of neighbouring levels."""
    levels = scale_levels()
    return np.log(np.expm1(np.sqrt(levels[1:] * levels[:-1]) - SCALE_MIN)).astype(np.float32)


@torch.no_grad()
def hyper_tables(net):
    grid = torch.arange(-MAX_HALF_WIDTH, MAX_HALF_WIDTH + 1, dtype=torch.float64)
    double = Light().double()
    double.load_state_dict(net.state_dict())
    channels = double.z_mean.shape[0]
    at = lambda v: double.z_cdf(v.view(1, 1, -1, 1).expand(1, channels, -1, 1))[0, :, :, 0].numpy()
    low, high = at(grid - 0.5), at(grid + 0.5)
    tables = []
    for c in range(channels):
        inside = np.nonzero((high[c] > TAIL / 2) & (low[c] < 1 - TAIL / 2))[0]
        first, last = inside[0], inside[-1]
        p = (high[c] - low[c])[first:last + 1]
        tables.append((int(grid[first]), np.append(p, max(1 - p.sum(), 0)).tolist()))
    return pack_probabilities(tables)


# ---- graphs ---------------------------------------------------------------------------------------------------

class LightGraph(Graph):
    """Nodes of the modules of `light`; every method returns the name of the tensor that it makes."""

    def named(self, name, *roles):
        return {role: f"{name}.{role}" for role in roles}

    def conv(self, module, name, x, label=None, mask="none"):
        weights = self.named(name, "weight", "bias")
        if isinstance(module, torch.nn.ConvTranspose2d):
            return self.node(label or name, "conv_transpose2d", [x], weights, stride=2, padding=module.padding[0],
                             output_padding=module.output_padding[0])
        return self.node(label or name, "conv2d", [x], weights, stride=module.stride[0], padding=module.padding[0], mask=mask)

    def gdn(self, module, name, x):
        return self.node(name, "gdn", [x], self.named(name, "beta", "gamma"), inverse=module.inverse, form="abs")

    def gain(self, name, x):
        return self.node(name, "gain", [x], self.named(name, "fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"))

    def act(self, x):
        return self.node(x + ".act", "leaky_relu", [x], slope=0.125)

    def bottleneck(self, module, name, x):
        h = self.act(self.conv(module.a, name + ".a", x))
        h = self.act(self.conv(module.b, name + ".b", h))
        return self.node(name + ".add", "add", [x, self.conv(module.c, name + ".c", h)])

    def params(self, module, name, inputs):
        x = inputs[0] if len(inputs) == 1 else self.node(name + ".in", "concat", inputs)
        return self.end(self.conv(module[2], name + ".2", self.act(self.conv(module[0], name + ".0", x))))


def analysis(net):
    g = LightGraph("close", x=3)
    x = g.gdn(net.ag1, "ag1", g.conv(net.a1, "a1", "x"))
    x = g.bottleneck(net.ar2, "ar2", g.gain("as2", g.gdn(net.ag2, "ag2", g.conv(net.a2, "a2", x))))
    x = g.gain("as3", g.gdn(net.ag3, "ag3", g.conv(net.a3, "a3", x)))
    for i in range(2):
        x = g.bottleneck(net.ar3[i], f"ar3.{i}", x)
    return g.end(g.gain("as4", g.bottleneck(net.ar4, "ar4", g.conv(net.a4, "a4", x))))


def synthesis(net):
    g = LightGraph("close", y_hat=sum(GROUPS))
    x = g.conv(net.s3, "s3", g.bottleneck(net.sr4, "sr4", g.gain("s4", "y_hat")))
    x = g.gain("ss3", g.gdn(net.sg3, "sg3", x))
    for i in range(2):
        x = g.bottleneck(net.sr3[i], f"sr3.{i}", x)
    x = g.gain("ss2", g.gdn(net.sg2, "sg2", g.conv(net.s2, "s2", x)))
    x = g.gdn(net.sg1, "sg1", g.conv(net.s1, "s1", g.bottleneck(net.sr2, "sr2", x)))
    return g.end(g.conv(net.s0, "s0", x))


def hyper_analysis(net):
    g = LightGraph("close", y=sum(GROUPS))
    return g.end(g.conv(net.ha3, "ha3", g.act(g.conv(net.ha2, "ha2", g.act(g.conv(net.ha1, "ha1", "y"))))))


def hyper_synthesis(net):
    g = LightGraph("exact", z=net.z_mean.shape[0])
    v = g.conv(net.hs2, "hs2", g.act(g.conv(net.hs1, "hs1", "z")))
    return g.end(g.act(g.conv(net.hs3, "hs3", g.act(v))))


def step_graphs(net):
    """Graphs and coding steps: z, then y by channel group x checkerboard parity, as Light.steps runs them."""
    m, (g0, g1), hyper = sum(GROUPS), GROUPS, net.z_mean.shape[0]
    graphs = {}
    steps = [fixed_step("z", (0, hyper), "z")]

    def add(positions, channels, name, sources, build):
        g = LightGraph("exact", psi=m, **{n: end - begin for n, (begin, end) in sources.items()})
        graphs[name] = build(g)
        steps.append(graph_step([(channels, positions)], "means_and_scales", "gaussian", name, {"psi": "psi", **sources}))

    y0, y1 = {"y0": (0, g0)}, {"y1": (g0, m)}
    add("even", [0, g0], "step0", {}, lambda g: g.params(net.p00, "p00", ["psi"]))
    add("odd", [0, g0], "step1", y0,
        lambda g: g.params(net.p01, "p01", ["psi", g.conv(net.c01, "c01", "y0", mask="checkerboard")]))
    add("even", [g0, m], "step2", y0, lambda g: g.params(net.p10, "p10", ["psi", g.conv(net.c10, "c10", "y0")]))
    add("odd", [g0, m], "step3", {**y0, **y1},
        lambda g: g.params(net.p11, "p11", ["psi", g.conv(net.c10, "c10", "y0"),
                                            g.conv(net.c11, "c11", "y1", mask="checkerboard")]))
    return graphs, steps


# ---- the file -------------------------------------------------------------------------------------------------

def model_tensors(net):
    """Every weight under its PyTorch name; GDN as effective beta and gamma, the prior of z as tables only."""
    gdn = {name: module for name, module in net.named_modules() if isinstance(module, GDN)}
    tensors = {}
    for name, value in net.state_dict().items():
        owner, _, leaf = name.rpartition(".")
        if owner in gdn:
            value = gdn[owner].beta() if leaf == "beta_root" else gdn[owner].gamma()
            name = f"{owner}.{leaf[:-5]}"
        elif name.startswith("z_"):
            continue
        tensors[name] = value.detach().float().contiguous().numpy()
    return tensors


def light_document(net, tensors, name, steps_trained, metric):
    graphs = {"g_a": analysis(net), "h_a": hyper_analysis(net), "h_s": hyper_synthesis(net), "g_s": synthesis(net)}
    step_graphs_, steps = step_graphs(net)
    graphs.update(step_graphs_)
    z = add_tables(tensors, "coding.z", hyper_tables(net))
    tables = {"gaussian": add_tables(tensors, "coding.y", gaussian_tables(), raw_thresholds()), "z": z}
    return document(
        tensors, name, "light",
        picture={"channels": 3, "stride": 16, "padding": "edge", "offset": 0.5},
        latents={"channels": sum(GROUPS), "stride": 16, "fraction_bits": 6},
        hyper={"channels": net.z_mean.shape[0], "stride": 64},
        rate={"parameter": "lrd", "min": LRD_MIN, "max": LRD_MAX, "default": 4e-4, "suggested": [5e-5, 9e-4], "map": "log",
              "lambda_per_lrd": LAMBDA_PER_LRD, **({} if metric == "mse" else {"squared_error_share": mse_share(metric)})},
        graphs=graphs, tables=tables, steps=steps,
        provenance={"trained_steps": steps_trained, **({} if metric == "mse" else {"trained_for": metric}), "licence": "Apache-2.0"})


def load_checkpoint(path):
    """(network, trained steps, metric) of a training checkpoint, its averaged weights if it has any; half precision is widened."""
    state = torch.load(path, map_location="cpu")
    net = Light().eval()
    net.load_state_dict({k: v.float() for k, v in state.get("ema", state.get("model", state)).items()})
    return net, int(state.get("step", 0)), state.get("metric", "mse")


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("checkpoint")
    ap.add_argument("out")
    ap.add_argument("--name", default="light")
    ap.add_argument("--save-half", help="also write the averaged weights in half precision")
    a = ap.parse_args()
    net, steps, metric = load_checkpoint(a.checkpoint)
    if a.save_half:
        torch.save({"ema": {k: v.half() for k, v in net.state_dict().items()}, "step": steps, "metric": metric}, a.save_half)
    tensors = model_tensors(net)
    write_model(a.out, tensors, light_document(net, tensors, a.name, steps, metric))
    print(f"{a.out}: {os.path.getsize(a.out)} bytes, {sum(t.size for t in tensors.values())} values, {steps} steps")


if __name__ == "__main__":
    main()
