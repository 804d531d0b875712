"""Models of CompressAI (https://github.com/InterDigitalInc/CompressAI) from their state dicts.

Which architecture, and how many channels it has (N inside, M latents), follows from keys and shapes. Every parameter must be there and
every key used: a checkpoint that fits in part would give a model that is random in part.
"""
import re

import numpy as np

from .tables import default_scales, factorized_ranges, factorized_tables, gaussian_tables
from .writer import Graph, Refused, document, fixed_step, fixed_tables, graph_step, scale_tables

PRIOR = "entropy_bottleneck"
GAUSSIAN = "gaussian_conditional"
BUFFERS = ("_quantized_cdf", "_cdf_length", "_offset")
REPARAM_OFFSET = np.float32(2.0 ** -36)
BETA_BOUND = np.float32((1e-6 + 2.0 ** -36) ** 0.5)
GAMMA_BOUND = np.float32(2.0 ** -18)
SCALE_BOUND = np.float32(0.11)
MOST_CHANNELS = 4096
LAMBDAS = dict(enumerate((0.0018, 0.0035, 0.0067, 0.0130, 0.0250, 0.0483, 0.0932, 0.1800), 1))      # of the zoo's mse models, by quality


# ---- the state dict -----------------------------------------------------------------------------------------------

def plain_key(key):
    """Keys of a factorized prior in the style of CompressAI 1.2.7: before, it was `_matrix0`, in between `_matrices.0`."""
    old = re.fullmatch(rf"{PRIOR}\.(?:_(matrix|bias|factor)|_(matrices|biases|factors)\.)(\d+)", key)
    if not old:
        return key
    plural = {"matrix": "matrices", "bias": "biases", "factor": "factors"}
    return f"{PRIOR}.{old[2] or plural[old[1]]}.{old[3]}"


def some(keys):
    keys = sorted(keys)
    return ", ".join(k[:120] for k in keys[:12]) + (f" and {len(keys) - 12} more" if len(keys) > 12 else "")


class Weights:
    """The values of a state dict, by key. What is taken is noted, and so is what should have been there."""

    def __init__(self, arrays):
        self.arrays, self.missing, self.used = {}, set(), set()
        for key, values in arrays.items():
            if plain_key(key) in self.arrays:
                raise Refused(f"{plain_key(key)} is there twice, in the styles of two versions of CompressAI")
            self.arrays[plain_key(key)] = values

    def __contains__(self, key):
        return key in self.arrays

    def shape(self, key, dimensions):
        """The shape of what tells N or M."""
        if key not in self.arrays:
            raise Refused(f"key {key} is missing, from which the number of channels is taken")
        shape = self.arrays[key].shape
        if len(shape) != dimensions or not all(1 <= n <= MOST_CHANNELS for n in shape):
            raise Refused(f"{key} has shape {list(shape)}, not {dimensions} dimensions of 1 to {MOST_CHANNELS}")
        return shape

    def take(self, key, *shape):
        """float32 of this shape; zeros for what is missing, until `finish`."""
        self.used.add(key)
        if key not in self.arrays:
            self.missing.add(key)
            return np.broadcast_to(np.float32(0), shape)
        values = self.arrays[key]
        if values.shape != shape or values.dtype.kind != "f":
            raise Refused(f"{key} has shape {list(values.shape)} of {'float' if values.dtype.kind == 'f' else 'integer'} numbers, "
                          f"the architecture wants {list(shape)} of float numbers")
        return values

    def constant(self, key, default):
        """A number that CompressAI stores beside the parameters; older versions do not."""
        self.used.add(key)
        values = self.arrays.get(key)
        if values is None:
            return default
        if values.size != 1 or values.dtype.kind != "f":
            raise Refused(f"{key} is not one float number, but of shape {list(values.shape)}")
        return values.reshape(())[()]

    def skip(self, *keys):
        """What matters in training only."""
        self.used.update(keys)

    def buffers(self, module):
        """The integer tables of a module, or None where `update()` was not called before it was saved."""
        found = [self.arrays.get(f"{module}.{name}", np.zeros(0)) for name in BUFFERS]
        self.used.update(f"{module}.{name}" for name in BUFFERS)
        full = [name for name, values in zip(BUFFERS, found) if values.size]
        if full and len(full) < len(BUFFERS):
            raise Refused(f"{module} has {' and '.join(full)}, but not {' and '.join(n for n in BUFFERS if n not in full)}")
        return found if full else None

    def finish(self):
        if self.missing:
            raise Refused(f"keys are missing, whose parameters would stay random: {some(self.missing)}")
        unused = set(self.arrays) - self.used
        if unused:
            raise Refused(f"keys are left over that this architecture has no use for: {some(unused)}")


# ---- layers -------------------------------------------------------------------------------------------------------

class Net(Graph):
    """A graph whose nodes take their weights from the state dict; every method returns the tensor that it makes."""

    def __init__(self, weights, tensors, numeric_class, **inputs):
        super().__init__(numeric_class, **inputs)
        self.weights, self.tensors = weights, tensors

    def add(self, name, op, x, values, **attributes):
        """A node with weights: values by role."""
        self.tensors.update({f"{name}.{role}": array for role, array in values.items()})
        return self.node(name, op, [x], {role: f"{name}.{role}" for role in values}, **attributes)

    def conv(self, name, x, outputs, inputs, kernel=5, stride=2, order=None):
        """`order`: of the output channels, where another one is wanted."""
        weight, bias = self.weights.take(f"{name}.weight", outputs, inputs, kernel, kernel), self.weights.take(f"{name}.bias", outputs)
        if order is not None:
            weight, bias = weight[order], bias[order]
        return self.add(name, "conv2d", x, {"weight": weight, "bias": bias}, stride=stride, padding=kernel // 2, mask="none")

    def deconv(self, name, x, outputs, inputs):
        values = {"weight": self.weights.take(f"{name}.weight", inputs, outputs, 5, 5), "bias": self.weights.take(f"{name}.bias", outputs)}
        return self.add(name, "conv_transpose2d", x, values, stride=2, padding=2, output_padding=1)

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

    def shift(self, name, x, values):
        return self.add(name, "affine", x, {"shift": values})


def analysis(weights, tensors, n, m, activation):
    """g_a: four convolutions with an activation between them; `activation`(graph, name, x)."""
    g = Net(weights, tensors, "close", x=3)
    x = activation(g, "g_a.1", g.conv("g_a.0", "x", n, 3))
    x = activation(g, "g_a.3", g.conv("g_a.2", x, n, n))
    x = activation(g, "g_a.5", g.conv("g_a.4", x, n, n))
    return g, g.conv("g_a.6", x, m, n)


def synthesis(weights, tensors, n, m, activation, start=lambda g, x: x):
    """g_s mirrors g_a; `start`(graph, x) comes first."""
    g = Net(weights, tensors, "close", y_hat=m)
    x = activation(g, "g_s.1", g.deconv("g_s.0", start(g, "y_hat"), n, m))
    x = activation(g, "g_s.3", g.deconv("g_s.2", x, n, n))
    x = activation(g, "g_s.5", g.deconv("g_s.4", x, n, n))
    return g.end(g.deconv("g_s.6", x, 3, n))


def divisive(channels, inverse):
    return lambda g, name, x: g.gdn(name, x, channels, inverse)


def rectified(g, _, x):
    return g.relu(x)


# ---- priors -------------------------------------------------------------------------------------------------------

class FactorizedPrior:
    """The EntropyBottleneck: a table and a median for each channel."""

    def __init__(self, weights, channels):
        widths = (1, 3, 3, 3, 3, 1)
        take = lambda kind, i, *shape: weights.take(f"{PRIOR}.{kind}.{i}", channels, *shape)
        self.parameters = {"matrices": [take("matrices", i, widths[i + 1], widths[i]) for i in range(5)],
                           "biases": [take("biases", i, widths[i + 1], 1) for i in range(5)],
                           "factors": [take("factors", i, widths[i + 1], 1) for i in range(4)],
                           "quantiles": weights.take(f"{PRIOR}.quantiles", channels, 1, 3)}
        weights.skip(f"{PRIOR}.target", f"{PRIOR}.likelihood_lower_bound.bound")
        self.channels, self.stored = channels, weights.buffers(PRIOR)
        self.medians = self.parameters["quantiles"][:, 0, 1].copy()

    def before_rounding(self, g, x):
        return g.shift(f"{PRIOR}.minus_medians", x, np.float32(0) - self.medians)

    def after_rounding(self, g, x):
        return g.shift(f"{PRIOR}.medians", x, self.medians)

    def tables(self, tensors, base, anew, note):
        if self.stored is None or anew:
            return fixed_tables(tensors, base, *factorized_tables(self.parameters))
        if len(self.stored[2]) != self.channels:
            raise Refused(f"{PRIOR} has stored tables of {len(self.stored[2])} channels, it has {self.channels}")
        made = fixed_tables(tensors, base, *self.stored)
        lengths, offsets = factorized_ranges(self.parameters["quantiles"])
        others = int(((self.stored[2] != offsets) | (self.stored[1] != lengths + 2)).sum())
        if others:
            note(f"the stored tables of {others} of {self.channels} channels are not those of the prior. If training went on after "
                 "update(), --update computes them anew")
        return made


class Gaussian:
    """The GaussianConditional: a table for each of some scales."""

    def __init__(self, weights):
        self.stored = weights.buffers(GAUSSIAN)
        self.scales = weights.arrays.get(f"{GAUSSIAN}.scale_table", np.zeros(0, np.float32))
        self.bound = weights.constant(f"{GAUSSIAN}.scale_bound", SCALE_BOUND)
        self.bound = weights.constant(f"{GAUSSIAN}.lower_bound_scale.bound", self.bound)
        weights.skip(f"{GAUSSIAN}.scale_table", f"{GAUSSIAN}.likelihood_lower_bound.bound")

    def tables(self, tensors, base, anew, _):
        if self.stored is not None and not anew:
            return scale_tables(tensors, base, *self.stored, self.scales, self.bound)
        scales = self.scales if self.scales.size else default_scales()
        if scales.ndim != 1 or scales.dtype.kind != "f" or len(scales) > 256 or not (scales > 0).all():
            raise Refused(f"{GAUSSIAN}.scale_table is not 1 to 256 positive numbers")
        return scale_tables(tensors, base, *gaussian_tables(scales), scales, self.bound)


# ---- architectures ------------------------------------------------------------------------------------------------

class Model:
    """What a family fills in: graphs, steps, sets of tables, numbers of channels."""

    def __init__(self, weights):
        self.weights, self.tensors = weights, {}
        self.n, self.m = weights.shape("g_a.0.weight", 4)[0], weights.shape("g_a.6.weight", 4)[0]
        self.graphs, self.steps, self.hyper, self.makers = {}, [], None, {}

    def net(self, numeric_class, **inputs):
        return Net(self.weights, self.tensors, numeric_class, **inputs)

    def tables(self, anew, note):
        """Only once every key is known to be there."""
        self.weights.finish()
        return {name: maker.tables(self.tensors, f"coding.{name}", anew, note) for name, maker in self.makers.items()}


def factorized(model, encoder, decoder):
    """y has a factorized prior, z is not there."""
    n, m, prior = model.n, model.m, FactorizedPrior(model.weights, model.m)
    g, y = analysis(model.weights, model.tensors, n, m, encoder)
    model.graphs = {"g_a": g.end(prior.before_rounding(g, y)),
                    "g_s": synthesis(model.weights, model.tensors, n, m, decoder, prior.after_rounding)}
    model.steps, model.makers = [fixed_step("y", (0, m), "y")], {"y": prior}


def hyper_analysis(model, activation, magnitudes):
    """h_a: three convolutions, of |y| or of y."""
    g, n, m = model.net("close", y=model.m), model.n, model.m
    x = g.node("h_a.abs", "abs", ["y"]) if magnitudes else "y"
    x = activation(g, g.conv("h_a.0", x, n, m, kernel=3, stride=1))
    x = activation(g, g.conv("h_a.2", x, n, n))
    return g, g.conv("h_a.4", x, n, n)


def hyperprior(model, activation, widths, magnitudes, parameters):
    """z gives psi, of widths[1] channels; `parameters`(graph) makes means and scales of psi with the last layer of CompressAI's h_s.
    It is the coding step's graph, which must have a node."""
    n, m, prior = model.n, model.m, FactorizedPrior(model.weights, model.n)
    encoder, z = hyper_analysis(model, activation, magnitudes)
    decoder = model.net("exact", z=n)
    x = activation(decoder, decoder.deconv("h_s.0", prior.after_rounding(decoder, "z"), widths[0], n))
    x = activation(decoder, decoder.deconv("h_s.2", x, widths[1], widths[0]))
    g_a, y = analysis(model.weights, model.tensors, n, m, divisive(n, False))
    step = model.net("exact", psi=widths[1])
    kind, output = parameters(step)
    model.graphs = {"g_a": g_a.end(y), "h_a": encoder.end(prior.before_rounding(encoder, z)), "h_s": decoder.end(x),
                    "g_s": synthesis(model.weights, model.tensors, n, m, divisive(n, True)), "parameters": step.end(output)}
    model.hyper, model.makers = {"channels": n, "stride": 64}, {"z": prior, "gaussian": Gaussian(model.weights)}
    model.steps = [fixed_step("z", (0, n), "z"), graph_step([((0, m), "all")], kind, "gaussian", "parameters", {"psi": "psi"})]


def bmshj2018_factorized(model):
    factorized(model, divisive(model.n, False), divisive(model.n, True))


def bmshj2018_factorized_relu(model):
    factorized(model, rectified, rectified)


def bmshj2018_hyperprior(model):
    n, m = model.n, model.m
    scales = lambda g: ("scales", g.relu(g.conv("h_s.4", "psi", m, n, kernel=3, stride=1)))
    hyperprior(model, Net.relu, (n, n), True, scales)


def mbt2018_mean(model):
    m, width = model.m, model.m * 3 // 2
    means_first = np.r_[m:2 * m, 0:m]
    both = lambda g: ("means_and_scales", g.conv("h_s.4", "psi", 2 * m, width, kernel=3, stride=1, order=means_first))
    hyperprior(model, Net.leaky_relu, (m, width), False, both)


ARCHITECTURES = {"bmshj2018-factorized": bmshj2018_factorized, "bmshj2018-factorized-relu": bmshj2018_factorized_relu,
                 "bmshj2018-hyperprior": bmshj2018_hyperprior, "mbt2018-mean": mbt2018_mean}
LATER = {"context_prediction.": "mbt2018 and cheng2020, whose context is serial", "latent_codec.": "ELIC and others with `latent_codec`",
         "g_a.0.conv1.": "cheng2020", "Gain": "those of variable rate"}


def architecture_of(weights):
    """The name, from keys and shapes alone."""
    for prefix, what in LATER.items():
        if any(key.startswith(prefix) for key in weights.arrays):
            raise Refused(f"its keys are those of {what}: not among {', '.join(ARCHITECTURES)}")
    if "g_a.0.weight" not in weights or "g_a.6.weight" not in weights or "g_s.6.weight" not in weights:
        raise Refused(f"its keys are not those of {', '.join(ARCHITECTURES)}: {some(weights.arrays)}")
    if any(key.startswith(("h_a.", "h_s.")) for key in weights.arrays):
        outputs, latents = weights.shape("h_s.4.weight", 4)[0], weights.shape("g_a.6.weight", 4)[0]
        return "mbt2018-mean" if outputs == 2 * latents else "bmshj2018-hyperprior"
    gdn = any(re.fullmatch(r"g_[as]\.[135]\..*", key) for key in weights.arrays)
    return "bmshj2018-factorized" if gdn else "bmshj2018-factorized-relu"


def convert(arrays, name, provenance, architecture=None, trained_lambda=None, fraction_bits=4, anew=False, note=print):
    """(tensors, document) of a state dict. `anew`: tables are computed although the state dict has some. `note`(text) is called with
    what its owner should know."""
    weights = Weights(arrays)
    architecture = architecture or architecture_of(weights)
    model = Model(weights)
    ARCHITECTURES[architecture](model)
    tables = model.tables(anew, note)
    rate = {"parameter": "none"} if trained_lambda is None else {"parameter": "none", "lambda": trained_lambda}
    doc = document(model.tensors, name, architecture,
                   picture={"channels": 3, "stride": 64, "padding": "centred_zeros", "offset": 0},
                   latents={"channels": model.m, "stride": 16, "fraction_bits": fraction_bits}, hyper=model.hyper, rate=rate,
                   graphs=model.graphs, tables=tables, steps=model.steps,
                   provenance={**provenance, "architecture": architecture, "channels": {"N": model.n, "M": model.m}})
    return model.tensors, doc
