"""Architectures of compressai/models/waseda.py: cheng2020 with and without attention, where M is N."""
from .compressai_google import code_serially, serial_psi
from .compressai_layers import Model


def model_of(weights):
    n = weights.outputs("g_a.0.conv1")
    return Model(weights, n, n)


# ---- blocks -------------------------------------------------------------------------------------------------------

def halving(g, name, x, n, inputs):
    """ResidualBlockWithStride"""
    inner = g.leaky_relu(g.conv3(f"{name}.conv1", x, n, inputs, 2))
    inner = g.gdn(f"{name}.gdn", g.conv3(f"{name}.conv2", inner, n, n), n, False)
    return g.sum(f"{name}.add", inner, g.conv1(f"{name}.skip", x, n, inputs, 2))


def doubling(g, name, x, n):
    """ResidualBlockUpsample"""
    inner = g.subpixel(f"{name}.subpel_conv", x, n, n, g.leaky_relu)
    inner = g.gdn(f"{name}.igdn", g.conv3(f"{name}.conv", inner, n, n), n, True)
    return g.sum(f"{name}.add", inner, g.subpixel(f"{name}.upsample", x, n, n))


def residual(g, name, x, n):
    """ResidualBlock"""
    inner = g.leaky_relu(g.conv3(f"{name}.conv1", x, n, n))
    inner = g.leaky_relu(g.conv3(f"{name}.conv2", inner, n, n))
    return g.sum(f"{name}.add", inner, x)


# ---- transforms ---------------------------------------------------------------------------------------------------

BLOCKS = {"halving": lambda g, name, x, n: halving(g, name, x, n, 3 if x == "x" else n), "doubling": doubling, "residual": residual,
          "attention": lambda g, name, x, n: g.attention(name, x, n), "conv": lambda g, name, x, n: g.conv3(name, x, n, n, 2),
          "picture": lambda g, name, x, n: g.subpixel(name, x, 3, n)}
ANALYSIS = "halving residual halving residual halving residual conv"
SYNTHESIS = "residual doubling residual doubling residual doubling residual picture"
ATTENTIVE_ANALYSIS = "halving residual halving attention residual halving residual conv attention"
ATTENTIVE_SYNTHESIS = "attention residual doubling residual doubling attention residual doubling residual picture"


def chain(g, transform, blocks, x, n):
    """The finished graph of these blocks."""
    for i, block in enumerate(blocks.split()):
        x = BLOCKS[block](g, f"{transform}.{i}", x, n)
    return g.end(x)


def hyper_analysis(g, y, n):
    x = y
    for i, stride in zip((0, 2, 4, 6), (1, 1, 2, 1)):
        x = g.leaky_relu(g.conv3(f"h_a.{i}", x, n, n, stride))
    return g.conv3("h_a.8", x, n, n, 2)


def hyper_synthesis(g, z, n):
    """`params`, 2 N channels."""
    width = n * 3 // 2
    x = g.leaky_relu(g.conv3("h_s.0", z, n, n))
    x = g.subpixel("h_s.2", x, n, n, g.leaky_relu)
    x = g.leaky_relu(g.conv3("h_s.4", x, width, n))
    x = g.subpixel("h_s.6", x, width, width, g.leaky_relu)
    return g.conv3("h_s.8", x, 2 * n, width)


def transforms(weights, analysis, synthesis, rest=lambda g, params, n: params):
    """A model without the steps that code y; `rest`(graph, params, n): what else is in psi."""
    model = model_of(weights)
    n = model.n
    model.with_hyper(chain(model.net("close", x=3), "g_a", analysis, "x", n), lambda g, y: hyper_analysis(g, y, n),
                     lambda g, z: rest(g, hyper_synthesis(g, z, n), n), chain(model.net("close", y_hat=n), "g_s", synthesis, "y_hat", n))
    return model


def anchor(weights):
    model = transforms(weights, ANALYSIS, SYNTHESIS, serial_psi)
    code_serially(model)
    return model


def attention(weights):
    model = transforms(weights, ATTENTIVE_ANALYSIS, ATTENTIVE_SYNTHESIS, serial_psi)
    code_serially(model)
    return model
