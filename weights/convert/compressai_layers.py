"""Layers of CompressAI as nodes of a graph, and what a family of architectures fills in: `Net`, `Model`."""
import numpy as np

from .compressai_priors import FactorizedPrior, Gaussian
from .writer import Graph, Refused, fixed_step, graph_step

REPARAM_OFFSET = np.float32(2.0 ** -36)
BETA_BOUND = np.float32((1e-6 + 2.0 ** -36) ** 0.5)
GAMMA_BOUND = np.float32(2.0 ** -18)
TAPS = np.arange(25).reshape(5, 5)
MASKS = {"causal": TAPS < 12, "checkerboard": TAPS % 2 == 1}      # of 5x5 kernels: what may be looked at


class Net(Graph):
    """A graph whose nodes take their weights from the state dict; every method returns the tensor that it makes."""

    def __init__(self, weights, tensors, numeric_class, **inputs):
        super().__init__(numeric_class, **inputs)
        self.weights, self.tensors = weights, tensors

    def add(self, name, op, x, values, **attributes):
        """A node with weights: values by role."""
        self.tensors.update({f"{name}.{role}": array for role, array in values.items()})
        return self.node(name, op, [x], {role: f"{name}.{role}" for role in values}, **attributes)

    def correlate(self, name, x, values, stride=1, mask="none"):
        return self.add(name, "conv2d", x, values, stride=stride, padding=values["weight"].shape[2] // 2, mask=mask)

    def conv(self, name, x, outputs, inputs, kernel=5, stride=2, order=None):
        """`order`: of the output channels, where another one is wanted."""
        weight, bias = self.weights.take(f"{name}.weight", outputs, inputs, kernel, kernel), self.weights.take(f"{name}.bias", outputs)
        if order is not None:
            weight, bias = weight[order], bias[order]
        return self.correlate(name, x, {"weight": weight, "bias": bias}, stride)

    def conv3(self, name, x, outputs, inputs, stride=1):
        return self.conv(name, x, outputs, inputs, 3, stride)

    def conv1(self, name, x, outputs, inputs, stride=1, order=None):
        return self.conv(name, x, outputs, inputs, 1, stride, order)

    def conv_of(self, name, part, x, outputs, inputs, begin, end, kernel=1, bias=True):
        """What a convolution of stride 1 makes of its input channels begin to end - 1, `part` being the name of that."""
        values = {"weight": self.weights.take(f"{name}.weight", outputs, inputs, kernel, kernel)[:, begin:end]}
        if bias:
            values["bias"] = self.weights.take(f"{name}.bias", outputs)
        return self.correlate(f"{name}.{part}", x, values)

    def masked(self, name, x, outputs, inputs, mask):
        values = {"weight": self.weights.masked(name, MASKS[mask], outputs, inputs), "bias": self.weights.take(f"{name}.bias", outputs)}
        return self.correlate(name, x, values, mask=mask)

    def deconv(self, name, x, outputs, inputs):
        values = {"weight": self.weights.take(f"{name}.weight", inputs, outputs, 5, 5), "bias": self.weights.take(f"{name}.bias", outputs)}
        return self.add(name, "conv_transpose2d", x, values, stride=2, padding=2, output_padding=1)

    def deconv3(self, name, x, outputs, inputs):
        """A transposed convolution 3x3 that does not enlarge: a convolution with the kernel turned round."""
        weight = self.weights.take(f"{name}.weight", inputs, outputs, 3, 3).transpose(1, 0, 2, 3)[:, :, ::-1, ::-1]
        return self.correlate(name, x, {"weight": weight, "bias": self.weights.take(f"{name}.bias", outputs)})

    def subpixel(self, name, x, outputs, inputs, activation=lambda x: x):
        """Twice the size. The activation that follows comes before values are moved, where it is part of the product."""
        return self.node(f"{name}.1", "pixel_shuffle", [activation(self.conv3(f"{name}.0", x, 4 * outputs, inputs))], factor=2)

    def gdn(self, name, x, channels, inverse):
        beta = self.effective(f"{name}.beta", BETA_BOUND, channels)
        gamma = self.effective(f"{name}.gamma", GAMMA_BOUND, channels, channels)
        if f"{name}.beta" not in self.weights.missing and not (beta > 0).all():
            raise Refused(f"{name}.beta is not positive as it takes effect")
        return self.add(name, "gdn", x, {"beta": beta, "gamma": gamma}, inverse=inverse, form="sqrt")

    def effective(self, name, bound, *shape):
        """What training's reparametrisation makes of a parameter that may not be negative."""
        bound = self.weights.constant(f"{name}_reparam.lower_bound.bound", bound)
        pedestal = self.weights.constant(f"{name}_reparam.pedestal", REPARAM_OFFSET)
        values = np.maximum(self.weights.take(name, *shape), bound)
        with np.errstate(over="ignore"):      # refused when it is written
            return np.maximum(values * values - pedestal, np.float32(0))

    def relu(self, x):
        return self.node(f"{x}.act", "relu", [x])

    def leaky_relu(self, x):
        return self.node(f"{x}.act", "leaky_relu", [x], slope=0.01)

    def sum(self, name, a, b):
        return self.node(name, "add", [a, b])

    def concat(self, name, tensors):
        return self.node(name, "concat", tensors) if len(tensors) > 1 else tensors[0]

    def shift(self, name, x, values):
        return self.add(name, "affine", x, {"shift": values})

    def bottleneck(self, first, second, third, x, channels):
        """1x1 to half the channels, 3x3, 1x1, with ReLU between; the names of the three. What comes out is added to what goes in."""
        half = channels // 2
        inner = self.relu(self.conv1(first, x, half, channels))
        inner = self.relu(self.conv3(second, inner, half, half))
        return self.sum(f"{third}.add", self.conv1(third, inner, channels, half), x)

    def attention(self, name, x, channels):
        """x + a sigmoid(b), each of three residual units."""
        branch = {}
        for kind in ("conv_a", "conv_b"):
            branch[kind] = x
            for i in range(3):
                unit = [f"{name}.{kind}.{i}.conv.{layer}" for layer in (0, 2, 4)]
                branch[kind] = self.relu(self.bottleneck(*unit, branch[kind], channels))
        gate = self.node(f"{name}.gate", "sigmoid", [self.conv1(f"{name}.conv_b.3", branch["conv_b"], channels, channels)])
        return self.sum(f"{name}.add", self.node(f"{name}.gated", "multiply", [branch["conv_a"], gate]), x)


class Model:
    """Graphs, steps, sets of tables, numbers of channels."""

    def __init__(self, weights, n, m):
        self.weights, self.tensors, self.n, self.m = weights, {}, n, m
        self.graphs, self.steps, self.hyper, self.makers = {}, [], None, {}

    def net(self, numeric_class, **inputs):
        return Net(self.weights, self.tensors, numeric_class, **inputs)

    def with_hyper(self, g_a, h_a, h_s, g_s):
        """z, which `h_a`(graph, y) makes; psi, which `h_s`(graph, z) makes. Steps that code y follow."""
        prior, encoder, decoder = FactorizedPrior(self.weights, self.n), self.net("close", y=self.m), self.net("exact", z=self.n)
        self.graphs = {"g_a": g_a, "h_a": encoder.end(prior.before_rounding(encoder, h_a(encoder, "y"))),
                       "h_s": decoder.end(h_s(decoder, prior.after_rounding(decoder, "z"))), "g_s": g_s}
        self.hyper, self.makers = {"channels": self.n, "stride": 64}, {"z": prior}
        self.steps = [fixed_step("z", (0, self.n), "z")]

    def name_of(self, gaussian):
        """Of its set of tables; those that are the same are there once."""
        others = {name: maker for name, maker in self.makers.items() if isinstance(maker, Gaussian)}
        for name, other in others.items():
            if gaussian.same(other):
                return name
        name = f"gaussian.{len(others)}" if others else "gaussian"
        self.makers[name] = gaussian
        return name

    def code(self, graph, g, output, inputs, gaussian, parts=None, kind="means_and_scales", order=None):
        """A step that codes y, its graph `g` ending here; `parts`: other ones than all of y."""
        self.graphs[graph] = g.end(output)
        self.steps.append(graph_step(parts or [((0, self.m), "all")], kind, self.name_of(gaussian), graph, inputs, order))

    def tables(self, anew, note):
        """Only once every key is known to be there."""
        self.weights.finish()
        return {name: maker.tables(self.tensors, f"coding.{name}", anew, note) for name, maker in self.makers.items()}


def means_first(channels):
    """The order of outputs that are scales, then means."""
    return np.r_[channels:2 * channels, 0:channels]
