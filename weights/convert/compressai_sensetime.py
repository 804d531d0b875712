"""Architectures of compressai/models/sensetime.py: context in two passes over a checkerboard; ELIC, whose latents come in groups besides."""
import re

from .compressai_google import hyper_analysis, widths_of_parameters
from .compressai_layers import Model, Net, means_first
from .compressai_priors import Gaussian
from .compressai_waseda import ANALYSIS, SYNTHESIS, transforms
from .writer import Refused

MOST_GROUPS = 127       # two steps each; z has one more
Y = "latent_codec.y"


class Group:
    """Channels [begin, end) of y, coded in two steps: `name` is where its context and parameters are in the state dict."""

    def __init__(self, name, begin, channels, aggregation, scales_first=True):
        self.name, self.begin, self.end, self.channels = name, begin, begin + channels, channels
        self.aggregation, self.scales_first = aggregation, scales_first      # widths of the layers of entropy_parameters

    def code(self, model, steps, activation, inputs, side):
        """`side`(graph): tensors beside the spatial context, the same for both steps, out of `inputs`: {name: (channels, place)}.
        Anchors, where row + column is even, have zeros for their spatial context: no weight sees them, nor is there a bias."""
        gaussian = Gaussian(model.weights, f"{self.name}.y.gaussian_conditional")
        for graph, positions in zip(steps, ("even", "odd")):
            own = {} if positions == "even" else {"y": (self.channels, (self.begin, self.end))}
            both = {**inputs, **own}
            g = model.net("exact", **{name: channels for name, (channels, _) in both.items()})
            x = self.parameters(g, side(g), positions, activation)
            model.code(graph, g, x, {name: place for name, (_, place) in both.items()}, gaussian, [((self.begin, self.end), positions)])

    def parameters(self, g, beside, positions, activation):
        """Means and scales: entropy_parameters of (spatial context, `beside`)."""
        joined, wide, narrow = self.aggregation
        name, outputs = f"{self.name}.entropy_parameters", 2 * self.channels
        if positions == "even":
            x = g.conv1_of(f"{name}.0", "anchors", g.concat(f"{name}.in", beside), wide, joined, outputs, joined)
        else:
            spatial = g.masked(f"{self.name}.context_prediction", "y", outputs, self.channels, "checkerboard")
            x = g.conv1(f"{name}.0", g.concat(f"{name}.in", [spatial, *beside]), wide, joined)
        x = activation(g, g.conv1(f"{name}.2", activation(g, x), narrow, wide))
        return g.conv1(f"{name}.4", x, outputs, narrow, order=means_first(self.channels) if self.scales_first else None)


def anchor_checkerboard(weights):
    model = transforms(weights, ANALYSIS, SYNTHESIS)
    n = model.n
    group = Group(Y, 0, n, widths_of_parameters(n))
    group.code(model, ("anchors", "others"), Net.leaky_relu, {"psi": (2 * n, "psi")}, lambda g: ["psi"])
    return model


# ---- ELIC ---------------------------------------------------------------------------------------------------------

def elic_of(weights):
    """Which of the two: the last layer of the official h_s is transposed, and has 2 N outputs."""
    n = weights.outputs("g_a.0")
    return "elic2022-official" if weights.shape("h_s.4.weight", 4)[:2] == (n * 3 // 2, 2 * n) else "elic2022-chandelier"


def groups_of(weights, m):
    """How many channels each has."""
    numbers = [re.fullmatch(r"latent_codec\.y\.latent_codec\.y(\d{1,4})\..*", key) for key in weights.arrays]
    count = 1 + max((int(found[1]) for found in numbers if found), default=0)
    if count > MOST_GROUPS:
        raise Refused(f"y has {count} groups of channels, at most {MOST_GROUPS} can be coded")
    groups = [weights.shape(f"{Y}.latent_codec.y{k}.context_prediction.weight", 4)[1] for k in range(count)]
    if sum(groups) != m:
        raise Refused(f"the groups of y have {' + '.join(map(str, groups))} channels, y has {m}")
    return groups


def run_of_bottlenecks(g, transform, first, x, n):
    """Three ResidualBottleneckBlocks, the number of the first one being given."""
    for i in range(first, first + 3):
        x = g.bottleneck(*(f"{transform}.{i}.conv{layer}" for layer in (1, 2, 3)), x, n)
    return x


def elic_analysis(model):
    g, n, m = model.net("close", x=3), model.n, model.m
    x = run_of_bottlenecks(g, "g_a", 1, g.conv("g_a.0", "x", n, 3), n)
    x = run_of_bottlenecks(g, "g_a", 5, g.conv("g_a.4", x, n, n), n)
    x = g.conv("g_a.9", g.attention("g_a.8", x, n), n, n)
    x = g.conv("g_a.13", run_of_bottlenecks(g, "g_a", 10, x, n), m, n)
    return g.end(g.attention("g_a.14", x, m))


def elic_synthesis(model):
    g, n, m = model.net("close", y_hat=model.m), model.n, model.m
    x = g.deconv("g_s.1", g.attention("g_s.0", "y_hat", m), n, m)
    x = g.deconv("g_s.5", run_of_bottlenecks(g, "g_s", 2, x, n), n, n)
    x = run_of_bottlenecks(g, "g_s", 7, g.attention("g_s.6", x, n), n)
    x = run_of_bottlenecks(g, "g_s", 11, g.deconv("g_s.10", x, n, n), n)
    return g.end(g.deconv("g_s.14", x, 3, n))


def channel_context(g, k, x, inputs, outputs):
    name = f"{Y}.channel_context.y{k}"
    wide, narrow = g.weights.outputs(f"{name}.0"), g.weights.outputs(f"{name}.2")
    x = g.relu(g.conv(f"{name}.0", x, wide, inputs, 5, 1))
    x = g.relu(g.conv(f"{name}.2", x, narrow, wide, 5, 1))
    return g.conv(f"{name}.4", x, outputs, narrow, 5, 1)


def elic(weights, psi, hyper_end, sources, scales_first):
    """`psi`(n, m): its channels, `hyper_end`(graph, x, outputs, inputs) making them; `sources`(k): which groups the channel context of
    group k sees; `scales_first`: the order of what entropy_parameters makes."""
    model = Model(weights, weights.outputs("g_a.0"), weights.outputs("g_a.13"))
    n, m, width = model.n, model.m, model.n * 3 // 2
    groups = groups_of(weights, m)
    params, begins = psi(n, m), [sum(groups[:k]) for k in range(len(groups))]

    def hyper_synthesis(g, z):
        x = g.relu(g.deconv("h_s.2", g.relu(g.deconv("h_s.0", z, n, n)), width, n))
        return hyper_end(g, x, params, width)

    model.with_hyper(elic_analysis(model), lambda g, y: hyper_analysis(g, y, n, m, Net.relu), hyper_synthesis, elic_synthesis(model))
    for k, channels in enumerate(groups):
        name = f"{Y}.latent_codec.y{k}"
        seen = [(begin, end) for begin, end in sources(begins, k)]
        inputs = {f"y{i}": (end - begin, (begin, end)) for i, (begin, end) in enumerate(seen)}
        total = sum(end - begin for begin, end in seen)

        def side(g, k=k, inputs=tuple(inputs), total=total, channels=channels):
            context = [channel_context(g, k, g.concat(f"{Y}.channel_context.y{k}.in", list(inputs)), total, 2 * channels)] if inputs else []
            return [*context, "psi"]

        joined = 2 * channels * (2 if seen else 1) + params
        widths = joined, weights.outputs(f"{name}.entropy_parameters.0"), weights.outputs(f"{name}.entropy_parameters.2")
        group = Group(name, begins[k], channels, widths, scales_first)
        group.code(model, (f"anchors{k}", f"others{k}"), Net.relu, {"psi": (params, "psi"), **inputs}, side)
    return model


def official(weights):
    return elic(weights, lambda n, m: 2 * n, lambda g, x, outputs, inputs: g.deconv3("h_s.4", x, outputs, inputs),
                lambda begins, k: [(0, begins[k])] if k else [], True)


def chandelier(weights):
    sources = lambda begins, k: [] if k == 0 else [(0, begins[1])] if k == 1 else [(0, begins[1]), (begins[k - 1], begins[k])]
    return elic(weights, lambda n, m: 2 * m, lambda g, x, outputs, inputs: g.conv3("h_s.4", x, outputs, inputs), sources, False)
