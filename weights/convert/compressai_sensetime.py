"""Architectures of compressai/models/sensetime.py: context in two passes over a checkerboard; ELIC, whose latents come in groups."""
import re
from dataclasses import dataclass
from itertools import accumulate

from .compressai_google import hyper_analysis, widths_of_parameters
from .compressai_layers import Model, Net, means_first
from .compressai_priors import Gaussian
from .compressai_waseda import ANALYSIS, SYNTHESIS, transforms
from .writer import Refused

MOST_GROUPS = 127       # two steps each; z has one more
Y = "latent_codec.y"


@dataclass
class Group:
    """Channels [begin, end) of y: anchors, where row + column is even, are one step, all others the next."""
    name: str              # where its context and parameters are in the state dict
    begin: int
    end: int
    psi: int               # channels
    aggregation: tuple     # widths of the layers of entropy_parameters
    activation: callable
    scales_first: bool = True      # in what entropy_parameters makes
    channel_context: str = ""      # its name
    seen: tuple = ()               # ranges of channels that it sees

    def code(self, model, steps):
        """`steps`: the names of the two graphs."""
        gaussian = Gaussian(model.weights, f"{self.name}.y.gaussian_conditional")
        places = {"psi": "psi", **{f"y{i}": place for i, place in enumerate(self.seen)}}
        for graph, positions in zip(steps, ("even", "odd")):
            if positions == "odd":
                places["y"] = self.begin, self.end
            g = model.net("exact", **{name: self.psi if place == "psi" else place[1] - place[0] for name, place in places.items()})
            model.code(graph, g, self.parameters(g, positions == "even"), places, gaussian, [((self.begin, self.end), positions)])

    def parameters(self, g, anchors):
        """Means and scales: entropy_parameters of spatial context, channel context, psi. Of anchors the first is zeros, even without a
        bias, so the columns that multiply it are left out."""
        name, outputs, (joined, wide, narrow) = f"{self.name}.entropy_parameters", 2 * (self.end - self.begin), self.aggregation
        beside = [self.context_of_channels(g, outputs), "psi"] if self.seen else ["psi"]
        if anchors:
            x = g.conv_of(f"{name}.0", "anchors", g.concat(f"{name}.in", beside), wide, joined, outputs, joined)
        else:
            spatial = g.masked(f"{self.name}.context_prediction", "y", outputs, self.end - self.begin, "checkerboard")
            x = g.conv1(f"{name}.0", g.concat(f"{name}.in", [spatial, *beside]), wide, joined)
        x = self.activation(g, g.conv1(f"{name}.2", self.activation(g, x), narrow, wide))
        return g.conv1(f"{name}.4", x, outputs, narrow, order=means_first(outputs // 2) if self.scales_first else None)

    def context_of_channels(self, g, outputs):
        """Three layers. The first is the sum of what it makes of each range, so that nothing has to be joined for its kernels."""
        layer = f"{self.channel_context}.{{}}".format
        wide, narrow = g.weights.outputs(layer(0)), g.weights.outputs(layer(2))
        ends = list(accumulate(end - begin for begin, end in self.seen))
        for i, (begin, end) in enumerate(zip([0, *ends], ends)):
            made = g.conv_of(layer(0), f"y{i}", f"y{i}", wide, ends[-1], begin, end, kernel=5, bias=i == 0)
            x = g.sum(f"{layer(0)}.add{i}", made, x) if i else made
        x = g.relu(g.conv(layer(2), g.relu(x), narrow, wide, stride=1))
        return g.conv(layer(4), x, outputs, narrow, stride=1)


def anchor_checkerboard(weights):
    model = transforms(weights, ANALYSIS, SYNTHESIS)
    Group(Y, 0, model.n, 2 * model.n, widths_of_parameters(model.n), Net.leaky_relu).code(model, ("anchors", "others"))
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


def elic(weights, params, hyper_end, sources, scales_first):
    """`params`: channels of psi, which `hyper_end`(graph, name, x, outputs, inputs) makes; `sources`(begins, k): what the channel context
    of group k sees, `begins` being those of all groups up to this one; `scales_first`: in what entropy_parameters makes."""
    model = Model(weights, weights.outputs("g_a.0"), weights.outputs("g_a.13"))
    n, m, width = model.n, model.m, model.n * 3 // 2
    groups = groups_of(weights, m)

    def hyper_synthesis(g, z):
        x = g.relu(g.deconv("h_s.2", g.relu(g.deconv("h_s.0", z, n, n)), width, n))
        return hyper_end(g, "h_s.4", x, params, width)

    model.with_hyper(elic_analysis(model), lambda g, y: hyper_analysis(g, y, n, m, Net.relu), hyper_synthesis, elic_synthesis(model))
    for k, channels in enumerate(groups):
        name, begins = f"{Y}.latent_codec.y{k}", [sum(groups[:i]) for i in range(k + 1)]
        joined = 2 * channels * (2 if k else 1) + params
        widths = joined, weights.outputs(f"{name}.entropy_parameters.0"), weights.outputs(f"{name}.entropy_parameters.2")
        group = Group(name, begins[k], begins[k] + channels, params, widths, Net.relu, scales_first,
                      f"{Y}.channel_context.y{k}", tuple(sources(begins, k)) if k else ())
        group.code(model, (f"anchors{k}", f"others{k}"))
    return model


def official(weights):
    """Every group sees all before it."""
    return elic(weights, 2 * weights.outputs("g_a.0"), Net.deconv3, lambda begins, k: [(0, begins[k])], True)


def chandelier(weights):
    """Every group sees the first one and the one before it."""
    return elic(weights, 2 * weights.outputs("g_a.13"), Net.conv3,
                lambda begins, k: [(0, begins[1]), *([(begins[k - 1], begins[k])] if k > 1 else [])], False)
