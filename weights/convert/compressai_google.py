"""Architectures of compressai/models/google.py: factorized, hyperprior, mean and scale, with and without serial context."""
from .compressai_layers import Model, Net, means_first
from .compressai_priors import FactorizedPrior, Gaussian
from .writer import fixed_step


def model_of(weights):
    return Model(weights, weights.outputs("g_a.0"), weights.outputs("g_a.6"))


def divisive(channels, inverse):
    return lambda g, name, x: g.gdn(name, x, channels, inverse)


def rectified(g, _, x):
    return g.relu(x)


def analysis(model, activation):
    """g_a: four convolutions with an activation between them; `activation`(graph, name, x)."""
    g, n, m = model.net("close", x=3), model.n, model.m
    x = activation(g, "g_a.1", g.conv("g_a.0", "x", n, 3))
    x = activation(g, "g_a.3", g.conv("g_a.2", x, n, n))
    x = activation(g, "g_a.5", g.conv("g_a.4", x, n, n))
    return g, g.conv("g_a.6", x, m, n)


def synthesis(model, activation, start=lambda g, x: x):
    """g_s mirrors g_a; `start`(graph, x) comes first."""
    g, n, m = model.net("close", y_hat=model.m), model.n, model.m
    x = activation(g, "g_s.1", g.deconv("g_s.0", start(g, "y_hat"), n, m))
    x = activation(g, "g_s.3", g.deconv("g_s.2", x, n, n))
    x = activation(g, "g_s.5", g.deconv("g_s.4", x, n, n))
    return g.end(g.deconv("g_s.6", x, 3, n))


def factorized(weights, encoder, decoder):
    """y has a factorized prior, z is not there."""
    model = model_of(weights)
    prior = FactorizedPrior(weights, model.m)
    g, y = analysis(model, encoder(model.n))
    model.graphs = {"g_a": g.end(prior.before_rounding(g, y)), "g_s": synthesis(model, decoder(model.n), prior.after_rounding)}
    model.steps, model.makers = [fixed_step("y", (0, model.m), "y")], {"y": prior}
    return model


def bmshj2018_factorized(weights):
    return factorized(weights, lambda n: divisive(n, False), lambda n: divisive(n, True))


def bmshj2018_factorized_relu(weights):
    return factorized(weights, lambda n: rectified, lambda n: rectified)


def hyper_analysis(g, y, n, m, activation):
    """Three convolutions."""
    x = activation(g, g.conv3("h_a.0", y, n, m))
    x = activation(g, g.conv("h_a.2", x, n, n))
    return g.conv("h_a.4", x, n, n)


def hyper_synthesis(g, z, n, widths, activation):
    """Two transposed convolutions; a third layer follows, which differs."""
    x = activation(g, g.deconv("h_s.0", z, widths[0], n))
    return activation(g, g.deconv("h_s.2", x, widths[1], widths[0]))


def hyperprior(weights, activation, widths, magnitudes=False, rest=lambda g, x, m: x):
    """z gives psi; `widths`(n, m): those of h_s's first two layers; `rest`(graph, x, m): what of the others is in psi. `magnitudes`: z is
    made of |y|. CompressAI's last layers are in the graph of the step that follows, which must have a node."""
    model = model_of(weights)
    n, m = model.n, model.m
    g_a, y = analysis(model, divisive(n, False))
    source = (lambda g, y: g.node("h_a.abs", "abs", [y])) if magnitudes else (lambda g, y: y)
    model.with_hyper(g_a.end(y), lambda g, y: hyper_analysis(g, source(g, y), n, m, activation),
                     lambda g, z: rest(g, hyper_synthesis(g, z, n, widths(n, m), activation), m), synthesis(model, divisive(n, True)))
    return model


def bmshj2018_hyperprior(weights):
    model = hyperprior(weights, Net.relu, lambda n, m: (n, n), magnitudes=True)
    g = model.net("exact", psi=model.n)
    model.code("parameters", g, g.relu(g.conv3("h_s.4", "psi", model.m, model.n)), {"psi": "psi"}, Gaussian(weights), kind="scales")
    return model


def mbt2018_mean(weights):
    model = hyperprior(weights, Net.leaky_relu, lambda n, m: (m, m * 3 // 2))
    m, width = model.m, model.m * 3 // 2
    g = model.net("exact", psi=width)
    model.code("parameters", g, g.conv("h_s.4", "psi", 2 * m, width, 3, 1, means_first(m)), {"psi": "psi"}, Gaussian(weights))
    return model


# ---- serial context -----------------------------------------------------------------------------------------------

def widths_of_parameters(m):
    """Channels into and between the three layers of entropy_parameters."""
    return 4 * m, m * 10 // 3, m * 8 // 3


def serial_psi(g, params, m):
    """The first layer of entropy_parameters as far as `params`, what h_s makes, goes into it: nothing in psi waits for latents."""
    joined, width, _ = widths_of_parameters(m)
    return g.conv_of("entropy_parameters.0", "params", params, width, joined, 0, 2 * m)


def code_serially(model):
    """The step that reads its own latents: what they add to psi, and the rest of entropy_parameters."""
    m, (joined, width, narrow) = model.m, widths_of_parameters(model.m)
    g = model.net("exact", psi=width, y=m)
    context = g.masked("context_prediction", "y", 2 * m, m, "causal")
    context = g.conv_of("entropy_parameters.0", "context", context, width, joined, 2 * m, joined, bias=False)
    x = g.leaky_relu(g.sum("entropy_parameters.0", context, "psi"))
    x = g.leaky_relu(g.conv1("entropy_parameters.2", x, narrow, width))
    x = g.conv1("entropy_parameters.4", x, 2 * m, narrow, order=means_first(m))
    model.code("parameters", g, x, {"psi": "psi", "y": (0, m)}, Gaussian(model.weights), order="wavefront")


def mbt2018(weights):
    rest = lambda g, x, m: serial_psi(g, g.conv3("h_s.4", x, 2 * m, m * 3 // 2), m)
    model = hyperprior(weights, Net.leaky_relu, lambda n, m: (m, m * 3 // 2), rest=rest)
    code_serially(model)
    return model
