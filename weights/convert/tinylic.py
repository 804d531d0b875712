"""TinyLIC as "Light Uniform PTQ" has it (https://github.com/Eric-qi/RDO-PTQ, light-uniform-PTQ), from its state dicts.

MetaNeXt stages with gains between them, so that one model has all rates; slices of latents, each in two checkerboard passes. Numbers of
channels, of blocks and of slices follow from the shapes. What the checkpoint has but no code of its program reads is passed over.

Half of what a decoder multiplies is the channel context. Its first layer reads the parameters of h_s and the slices before; the share
of the parameters is the same in both passes, so h_s computes it, once. The first slice's context, which reads nothing else, is there
whole.
"""
import re

import numpy as np

from .compressai_layers import Net, means_first
from .compressai_priors import FactorizedPrior, Gaussian
from .compressai_state import Weights
from .writer import Refused, document, fixed_step, graph_step

ARCHITECTURE = "tinylic"
STAGES = ("g_a1", "g_a3", "g_a5", "g_a7", "h_a1", "h_a3", "h_s0", "h_s2", "g_s0", "g_s2", "g_s4", "g_s6")
UNREAD = ("g_s_mr",)           # gains that the program makes, saves, and never calls
EPSILON = 1e-5                 # of the layer norms
RATES = {"min": 2e-5, "max": 1.2e-3, "default": 4e-4, "suggested": [5e-5, 9e-4]}
LAMBDA_PER_LRD = 4.4           # lrd 0.0008 has the bits per pixel that CompressAI's models have with lambda 0.0035
MOST_SLICES = 64
MOST_BLOCKS = 64


def is_tinylic(arrays):
    """Are these its keys, as far as they tell it from other models?"""
    return any(re.match(r"g_a1\.blocks\.0\.token_mixer\.", key) for key in arrays)


def count(weights, pattern, most):
    """How many of a numbered row of keys there are; `pattern` has a {} for the number."""
    n = 0
    while n <= most and pattern.format(n) in weights:
        n += 1
    if not 1 <= n <= most:
        raise Refused(f"there are {'more than ' * (n > most)}{min(n, most)} keys {pattern.format('N')}, not 1 to {most}")
    return n


class Layers(Net):
    """A graph whose layers have the shapes of their weights."""

    def kernel(self, name, inputs):
        """Weight and bias of a convolution."""
        outputs, _, kernel, _ = self.weights.shape(f"{name}.weight", 4)
        if kernel % 2 == 0 or kernel > 15:
            raise Refused(f"{name}.weight has a kernel of {kernel}: it is not odd, or above 15")
        return self.weights.take(f"{name}.weight", outputs, inputs, kernel, kernel), self.weights.take(f"{name}.bias", outputs)

    def layer(self, name, x, inputs, stride=1):
        return self.convolution(name, x, *self.kernel(name, inputs), stride)

    def convolution(self, name, x, weight, bias, stride=1, mask="none"):
        values = {"weight": weight} if bias is None else {"weight": weight, "bias": bias}
        return self.add(name, "conv2d", x, values, stride=stride, padding=weight.shape[2] // 2, mask=mask)

    def up(self, name, x, inputs, outputs):
        kernel = self.weights.shape(f"{name}.weight", 4)[2]
        if kernel not in (3, 5):
            raise Refused(f"{name}.weight has a kernel of {kernel}, not 3 or 5")
        values = {"weight": self.weights.take(f"{name}.weight", inputs, outputs, kernel, kernel),
                  "bias": self.weights.take(f"{name}.bias", outputs)}
        return self.add(name, "conv_transpose2d", x, values, stride=2, padding=kernel // 2, output_padding=1)

    def gelu(self, x):
        return self.node(f"{x}.act", "gelu", [x])

    def gain(self, name, x, channels):
        """exp(10 fc2(relu(fc1(lrd)))): what the file has is a function of t, and without the 10."""
        hidden = self.weights.shape(f"{name}.fc1.weight", 2)[0]
        wide = lambda key, *shape: self.weights.take(f"{name}.{key}", *shape).astype(np.float64)
        weight, bias = wide("fc1.weight", hidden, 1), wide("fc1.bias", hidden)
        half, middle = (RATES["max"] - RATES["min"]) / 2, (RATES["max"] + RATES["min"]) / 2
        values = {"fc1.weight": weight * half, "fc1.bias": bias + weight[:, 0] * middle,
                  "fc2.weight": wide("fc2.weight", channels, hidden) * 10, "fc2.bias": wide("fc2.bias", channels) * 10}
        with np.errstate(over="ignore"):      # refused when it is written
            return self.add(name, "gain", x, {role: v.astype(np.float32) for role, v in values.items()})

    def mixer(self, name, x, channels):
        """The last channels go through depthwise convolutions of three shapes, a share each; the first stay as they are. Nodes that read
        no other rows than they write come last: they and what follows are run row by row."""
        branches = [(f"{name}.dwconv_{kind}", self.weights.shape(f"{name}.dwconv_{kind}.weight", 4)) for kind in ("hw", "w", "h")]
        begin = channels - sum(shape[0] for _, shape in branches)
        if begin < 1:
            raise Refused(f"{name} has {channels - begin} channels in its convolutions, not less than {channels}")
        made, at = [], begin
        for branch, (width, _, rows, columns) in branches:
            if rows % 2 == 0 or columns % 2 == 0 or max(rows, columns) > 15:
                raise Refused(f"{branch}.weight has a kernel of {rows} x {columns}: it is not odd, or above 15")
            values = {"weight": self.weights.take(f"{branch}.weight", width, 1, rows, columns),
                      "bias": self.weights.take(f"{branch}.bias", width)}
            made.append((branch, values, at, at + width))
            at += width
        for branch, values, first, last in sorted(made, key=lambda m: m[1]["weight"].shape[2] == 1):
            source = self.node(f"{branch}.in", "slice", [x], begin=first, end=last)
            self.add(branch, "depthwise_conv2d", source, values, stride=1)
        same = self.node(f"{name}.same", "slice", [x], begin=0, end=begin)
        return self.node(name, "concat", [same, *(branch for branch, *_ in made)])

    def block(self, name, x, channels):
        norm = {role: self.weights.take(f"{name}.norm.{role}", channels) for role in ("weight", "bias")}
        inner = self.add(f"{name}.norm", "layer_norm", self.mixer(f"{name}.token_mixer", x, channels), norm, epsilon=EPSILON)
        hidden = self.weights.shape(f"{name}.mlp.fc1.weight", 4)[0]
        inner = self.gelu(self.layer(f"{name}.mlp.fc1", inner, channels))
        weight, bias = self.kernel(f"{name}.mlp.fc2", hidden)
        gamma = self.weights.take(f"{name}.gamma", channels)
        if len(bias) != channels:
            raise Refused(f"{name}.mlp.fc2.weight has {len(bias)} outputs, not {channels}")
        inner = self.convolution(f"{name}.mlp.fc2", inner, weight * gamma[:, None, None, None], bias * gamma)
        return self.node(f"{name}.add", "add", [inner, x])

    def stage(self, name, x, channels):
        inner = x
        for i in range(count(self.weights, f"{name}.blocks.{{}}.gamma", MOST_BLOCKS)):
            inner = self.block(f"{name}.blocks.{i}", inner, channels)
        return self.node(f"{name}.add", "add", [inner, x])


class Shapes:
    """What the shapes of a few weights say."""

    def __init__(self, weights):
        outputs = lambda name: weights.shape(f"{name}.weight", 4)[0]
        self.widths = [outputs(f"g_a{i}") for i in (0, 2, 4, 6)]
        self.latents, self.hyper = self.widths[-1], outputs("h_a2")
        self.parameters = weights.shape("h_s3.weight", 4)[1]
        self.slices = [weights.shape(f"sc_transforms.{i}.weight", 4)[1]
                       for i in range(count(weights, "sc_transforms.{}.weight", MOST_SLICES))]
        if sum(self.slices) != self.latents:
            raise Refused(f"sc_transforms have {' + '.join(map(str, self.slices))} channels, which is not g_a6's {self.latents}")
        self.contexts = [outputs(f"cc_transforms.{i}.0") for i in range(len(self.slices))]

    def first_of(self, i):
        """Channel of y at which slice i begins."""
        return sum(self.slices[:i])

    def shares(self):
        """(begin, end) of what psi has besides the parameters: all of the first slice's context, and what it has of the others'."""
        ends = np.cumsum([self.parameters + 2 * self.slices[0]] + self.contexts[1:]).tolist()
        return list(zip([self.parameters] + ends, ends))


def analysis(net, shapes):
    g, x, before = net("close", x=3), "x", 3
    for i, width in enumerate(shapes.widths):
        x = g.stage(f"g_a{2 * i + 1}", g.layer(f"g_a{2 * i}", x, before, stride=2), width)
        x, before = g.gain(f"g_a_scale{i}", x, width), width
    return g.end(x)


def synthesis(net, shapes):
    g, x = net("close", y_hat=shapes.latents), "y_hat"
    widths = shapes.widths[::-1]
    for i, (width, after) in enumerate(zip(widths, widths[1:] + [3])):
        x = g.stage(f"g_s{2 * i}", g.gain(f"g_s_scale{i}", x, width), width)
        x = g.up(f"g_s{2 * i + 1}", x, width, after)
    return g.end(x)


def hyper_analysis(net, shapes, prior):
    g, inner = net("close", y=shapes.latents), net.weights.shape("h_a0.weight", 4)[0]
    x = g.stage("h_a1", g.layer("h_a0", "y", shapes.latents, stride=2), inner)
    x = g.stage("h_a3", g.layer("h_a2", x, inner, stride=2), shapes.hyper)
    return g.end(prior.before_rounding(g, x))


def hyper_synthesis(net, shapes, prior):
    """psi: the parameters, and the shares of the channel contexts that depend on nothing else."""
    g, inner = net("exact", z=shapes.hyper), net.weights.shape("h_s1.weight", 4)[1]
    x = g.stage("h_s0", prior.after_rounding(g, "z"), shapes.hyper)
    x = g.stage("h_s2", g.up("h_s1", x, shapes.hyper, inner), inner)
    parameters = g.up("h_s3", x, inner, shapes.parameters)
    parts = [parameters, context(g, 0, g.layer("cc_transforms.0.0", parameters, shapes.parameters), shapes)]
    for i in range(1, len(shapes.slices)):
        weight, bias = g.kernel(f"cc_transforms.{i}.0", shapes.parameters + shapes.first_of(i))
        parts.append(g.convolution(f"cc_transforms.{i}.0", parameters, weight[:, :shapes.parameters], bias))
    return g.end(g.node("psi", "concat", parts))


def context(g, i, first, shapes):
    """The channel context of a slice, from the sums of its first layer on."""
    x = g.layer(f"cc_transforms.{i}.2", g.gelu(first), shapes.contexts[i])
    name = f"cc_transforms.{i}.4"
    if g.weights.shape(f"{name}.weight", 4)[0] != 2 * shapes.slices[i]:
        raise Refused(f"{name}.weight has shape {list(g.weights.shape(f'{name}.weight', 4))}, not {2 * shapes.slices[i]} outputs")
    return g.layer(name, g.gelu(x), g.weights.shape(f"cc_transforms.{i}.2.weight", 4)[0])


def channel_context(g, i, shapes):
    """[parameters, channel context of a slice]: what both passes read."""
    begin, end = shapes.shares()[i]
    if i == 0:
        return [g.node("psi.0", "slice", ["psi"], begin=0, end=end)]
    name, before = f"cc_transforms.{i}.0", shapes.first_of(i)
    weight, _ = g.kernel(name, shapes.parameters + before)
    share = g.node(f"psi.{i}", "slice", ["psi"], begin=begin, end=end)      # before the convolution, which can add it then
    own = g.convolution(f"{name}.y", "before", weight[:, shapes.parameters:], None)
    x = context(g, i, g.node(name, "add", [own, share]), shapes)
    return [g.node("parameters", "slice", ["psi"], begin=0, end=shapes.parameters), x]


def distribution(g, i, inputs, first, shapes):
    """Means, then scales; the network has scales first. `first`: (name, weight, bias) of what multiplies the inputs."""
    name, width, (node, weight, bias) = f"entropy_parameters.{i}", shapes.slices[i], first
    x = g.node(f"{name}.in", "concat", inputs) if len(inputs) > 1 else inputs[0]
    x = g.gelu(g.convolution(node, x, weight, bias))
    x = g.gelu(g.layer(f"{name}.2", x, len(bias)))
    weight, bias = g.kernel(f"{name}.4", g.weights.shape(f"{name}.2.weight", 4)[0])
    if len(bias) != 2 * width:
        raise Refused(f"{name}.4.weight has {len(bias)} outputs, not {2 * width}")
    order = means_first(width)
    return g.end(g.convolution(f"{name}.4", x, weight[order], bias[order]))


def passes(net, i, shapes):
    """(graph, inputs) of both passes over a slice: the anchors, which have no spatial context, and the rest, which sees them."""
    width, parameters, before = shapes.slices[i], shapes.parameters, shapes.first_of(i)
    sources = {"psi": (shapes.shares()[-1][1], "psi"), **({"before": (before, (0, before))} if i else {})}
    split = lambda s: ({name: c for name, (c, _) in s.items()}, {name: place for name, (_, place) in s.items()})
    channels, inputs = split(sources)
    g, first = net("exact", **channels), f"entropy_parameters.{i}.0"
    weight, bias = g.kernel(first, parameters + 4 * width)
    of_parameters, of_spatial, of_channels = np.split(weight, [parameters, parameters + 2 * width], 1)
    join = lambda *parts: np.concatenate(parts, 1)
    yield distribution(g, i, channel_context(g, i, shapes), (f"{first}.anchors", join(of_parameters, of_channels), bias), shapes), inputs

    channels, inputs = split({**sources, "anchors": (width, (before, before + width))})
    g, name = net("exact", **channels), f"sc_transforms.{i}"
    shift, kernel = g.kernel(name, width)[1], g.weights.shape(f"{name}.weight", 4)[2]
    if kernel < 3 or len(shift) != 2 * width:
        raise Refused(f"{name}.weight has shape {list(g.weights.shape(f'{name}.weight', 4))}: 3x3 and {2 * width} outputs are the least")
    live = np.add.outer(np.arange(kernel), np.arange(kernel)) % 2 == 1
    x = g.convolution(name, "anchors", g.weights.masked(name, live, 2 * width, width), shift, mask="checkerboard")
    # The spatial context comes last: what both passes read is computed first.
    parts = [*channel_context(g, i, shapes), x]
    yield distribution(g, i, parts, (first, join(of_parameters, of_channels, of_spatial), bias), shapes), inputs


def convert(arrays, name, provenance, lambda_per_lrd=None, fraction_bits=4, anew=False, note=print):
    """(tensors, document) of a state dict; as `compressai.convert`."""
    weights = Weights(arrays)
    shapes, tensors = Shapes(weights), {}
    weights.skip(*(key for key in weights.arrays if key.startswith(UNREAD)))

    def net(numeric_class, **inputs):
        return Layers(weights, tensors, numeric_class, **inputs)

    net.weights = weights
    prior, gaussian = FactorizedPrior(weights, shapes.hyper), Gaussian(weights)
    graphs = {"g_a": analysis(net, shapes), "h_a": hyper_analysis(net, shapes, prior), "h_s": hyper_synthesis(net, shapes, prior),
              "g_s": synthesis(net, shapes)}
    steps = [fixed_step("z", (0, shapes.hyper), "z")]
    for i, width in enumerate(shapes.slices):
        begin = shapes.first_of(i)
        for positions, (graph, inputs) in zip(("odd", "even"), passes(net, i, shapes)):
            graphs[f"slice{i}.{positions}"] = graph
            steps.append(graph_step([((begin, begin + width), positions)], "means_and_scales", "gaussian", f"slice{i}.{positions}", inputs))
    weights.finish()
    tables = {"z": prior.tables(tensors, "coding.z", anew, note), "gaussian": gaussian.tables(tensors, "coding.gaussian", anew, note)}
    rate = {"parameter": "lrd", "map": "linear", **RATES, "lambda_per_lrd": LAMBDA_PER_LRD if lambda_per_lrd is None else lambda_per_lrd}
    doc = document(tensors, name, ARCHITECTURE, picture={"channels": 3, "stride": 64, "padding": "centred_zeros", "offset": 0},
                   latents={"channels": shapes.latents, "stride": 16, "fraction_bits": fraction_bits},
                   hyper={"channels": shapes.hyper, "stride": 64}, rate=rate, graphs=graphs, tables=tables, steps=steps,
                   provenance={**provenance, "architecture": ARCHITECTURE, "channels": {"N": shapes.widths[0], "M": shapes.latents}})
    return tensors, doc
