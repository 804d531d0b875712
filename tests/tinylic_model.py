"""State dicts of TinyLIC as "Light Uniform PTQ" saves it, with drawn weights, of any size; without PyTorch.

Used by tinylic_test.py, and by weights/make_tinylic_golden.py, which computes what such models do.
"""
import math

import numpy as np

from compressai_models import Draw


class Size:
    """Channels of the stages, blocks of each, channels of the slices, widths of the channel contexts."""

    def __init__(self, n, m, slices, contexts=(224, 128)):
        self.n, self.m, self.slices, self.contexts = n, m, slices, contexts
        self.analysis, self.hyper = (n, n * 3 // 2, n * 2, m), n * 3 // 2
        self.blocks = {"g_a1": 2, "g_a3": 2, "g_a5": 6, "g_a7": 2, "h_a1": 2, "h_a3": 2,
                       "h_s0": 2, "h_s2": 2, "g_s0": 2, "g_s2": 6, "g_s4": 2, "g_s6": 2}


WHOLE = Size(96, 128, (8, 8, 16, 32, 64))          # as published
SMALL = Size(16, 24, (4, 4, 8, 8), (24, 16))


class Network(Draw):
    """Statistics as training leaves them: small gammas, gains near 1 that rise with the rate in g_a and fall in g_s."""

    def general(self, name, outputs, inputs, rows, columns, gain, bias=0.0, spread=0.05):
        self.put(f"{name}.weight", self.normal(outputs, inputs, rows, columns) * gain / math.sqrt(inputs * rows * columns))
        self.put(f"{name}.bias", self.normal(outputs) * spread + bias)

    def up(self, name, inputs, outputs, kernel, gain, bias=0.0):
        self.put(f"{name}.weight", self.normal(inputs, outputs, kernel, kernel) * gain * 2 / math.sqrt(inputs * kernel * kernel))
        self.put(f"{name}.bias", self.normal(outputs) * 0.05 + bias)

    def stage(self, name, width, blocks):
        share = width // 8
        for i in range(blocks):
            block = f"{name}.blocks.{i}"
            for kind, rows, columns in (("hw", 3, 3), ("w", 1, 11), ("h", 11, 1)):
                self.general(f"{block}.token_mixer.dwconv_{kind}", share, 1, rows, columns, 1.5)
            self.put(f"{block}.norm.weight", 1 + 0.2 * self.normal(width))
            self.put(f"{block}.norm.bias", 0.1 * self.normal(width))
            self.general(f"{block}.mlp.fc1", 2 * width, width, 1, 1, 1.2)
            self.general(f"{block}.mlp.fc2", width, 2 * width, 1, 1, 1.5)
            self.put(f"{block}.gamma", 0.1 * self.normal(width))

    def gain(self, name, width, slope):
        hidden = width // 2
        self.put(f"{name}.fc1.weight", np.abs(self.normal(hidden, 1)) * 100)
        self.put(f"{name}.fc1.bias", self.normal(hidden) * 0.05)
        self.put(f"{name}.fc2.weight", (slope + self.normal(width, hidden) * 0.3) / hidden)
        self.put(f"{name}.fc2.bias", self.normal(width) * 0.01)


def transforms(draw, size):
    before = 3
    for i, width in enumerate(size.analysis):
        draw.general(f"g_a{2 * i}", width, before, *((5, 5) if i == 0 else (3, 3)), (1.5, 0.7, 0.6, 0.8)[i])
        draw.stage(f"g_a{2 * i + 1}", width, size.blocks[f"g_a{2 * i + 1}"])
        draw.gain(f"g_a_scale{i}", width, 0.6 if i == 3 else 0.2)
        before = width
    widths = size.analysis[::-1]
    for i, width in enumerate(widths):
        draw.gain(f"g_s_scale{i}", width, -0.6 if i == 0 else -0.2)
        draw.gain(f"g_s_mr{i}", width, 0)
        draw.stage(f"g_s{2 * i}", width, size.blocks[f"g_s{2 * i}"])
        last = i == len(widths) - 1
        draw.up(f"g_s{2 * i + 1}", width, 3 if last else widths[i + 1], 5 if last else 3, (0.35, 0.35, 0.35, 0.05)[i], 0.5 if last else 0.0)


def hyper(draw, size):
    draw.general("h_a0", size.hyper, size.m, 3, 3, 0.6)
    draw.stage("h_a1", size.hyper, size.blocks["h_a1"])
    draw.general("h_a2", size.hyper, size.hyper, 3, 3, 0.5)
    draw.stage("h_a3", size.hyper, size.blocks["h_a3"])
    draw.stage("h_s0", size.hyper, size.blocks["h_s0"])
    draw.up("h_s1", size.hyper, size.hyper, 3, 0.3)
    draw.stage("h_s2", size.hyper, size.blocks["h_s2"])
    draw.up("h_s3", size.hyper, 2 * size.m, 3, 0.3)


def contexts(draw, size):
    before, first, second = 0, *size.contexts
    for i, width in enumerate(size.slices):
        draw.general(f"cc_transforms.{i}.0", first, 2 * size.m + before, 5, 5, 1.0)
        draw.general(f"cc_transforms.{i}.2", second, first, 5, 5, 1.4)
        draw.general(f"cc_transforms.{i}.4", 2 * width, second, 3, 3, 1.4)
        draw.general(f"sc_transforms.{i}", 2 * width, width, 5, 5, 1.0)
        mask = np.add.outer(np.arange(5), np.arange(5)) % 2
        draw.put(f"sc_transforms.{i}.mask", np.broadcast_to(mask, (2 * width, width, 5, 5)))
        draw.general(f"entropy_parameters.{i}.0", 3 * width, 2 * size.m + 4 * width, 1, 1, 1.4)
        draw.general(f"entropy_parameters.{i}.2", 2 * width, 3 * width, 1, 1, 1.4)
        draw.general(f"entropy_parameters.{i}.4", 2 * width, 2 * width, 1, 1, 0.3)
        draw.state[f"entropy_parameters.{i}.4.bias"][:width] += np.float32(3)      # scales
        before += width


def state_dict(size, seed):
    """{key: array} as the program saves it before update()."""
    draw = Network(seed)
    transforms(draw, size)
    hyper(draw, size)
    contexts(draw, size)
    draw.prior(size.hyper)
    draw.gaussian()
    return draw.state
