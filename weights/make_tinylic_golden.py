#!/usr/bin/env python3
"""A definition of TinyLIC of its own, in PyTorch, and what it computes for drawn models: the golden data of tests/tinylic_test.py.

  make_tinylic_golden.py KODAK_FOLDER OUT.npz [--whole] [--crop ROWS,COLUMNS] [--rates A,B]

Written from the description of "Light Uniform PTQ" (https://github.com/Eric-qi/RDO-PTQ), not from its program; keys of the state dict
are the same. Without flags: the small case of tests/data/golden/tinylic.npz; --whole takes the published size. Stages are computed in
float64, each from the one before; bytes and PSNR are those of CompressAI's coder with the networks in float32. Needs PyTorch and
CompressAI 1.2.7 or newer.
"""
import argparse
import json
import os
import sys

import numpy as np
import torch
from compressai.ans import BufferedRansEncoder, RansDecoder
from compressai.entropy_models import EntropyBottleneck, GaussianConditional
from compressai.models.google import get_scale_table
from compressai.ops import compute_padding
from PIL import Image
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests"))
from tinylic_model import SMALL, WHOLE, state_dict

PLACE = "kodim07.png", 130, 220
CROP = 75, 91
RATES = 0.0001, 0.0008


# ---- the model ----------------------------------------------------------------------------------------------------

class Mixer(nn.Module):
    """The last three eighths of the channels: depthwise 3x3, 1x11 and 11x1."""

    def __init__(self, width):
        super().__init__()
        self.share = width // 8
        depthwise = lambda rows, columns: nn.Conv2d(self.share, self.share, (rows, columns), padding=(rows // 2, columns // 2),
                                                    groups=self.share)
        self.dwconv_hw, self.dwconv_w, self.dwconv_h = depthwise(3, 3), depthwise(1, 11), depthwise(11, 1)

    def forward(self, x):
        y = x.clone()
        for i, conv in enumerate((self.dwconv_h, self.dwconv_w, self.dwconv_hw)):
            part = slice(x.shape[1] - (i + 1) * self.share, x.shape[1] - i * self.share)
            y[:, part] = conv(x[:, part])
        return y


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.token_mixer, self.norm = Mixer(width), nn.LayerNorm(width, eps=1e-5)
        self.mlp = nn.ModuleDict({"fc1": nn.Conv2d(width, 2 * width, 1), "fc2": nn.Conv2d(2 * width, width, 1)})
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, x):
        inner = self.norm(self.token_mixer(x).movedim(1, -1)).movedim(-1, 1)
        inner = self.mlp["fc2"](F.gelu(self.mlp["fc1"](inner)))
        return x + inner * self.gamma[:, None, None]


class Stage(nn.Module):
    def __init__(self, width, blocks):
        super().__init__()
        self.blocks = nn.ModuleList(Block(width) for _ in range(blocks))

    def forward(self, x):
        inner = x
        for block in self.blocks:
            inner = block(inner)
        return inner + x


class Gain(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(1, width // 2), nn.Linear(width // 2, width)

    def forward(self, x, rate):
        hidden = F.relu(self.fc1(torch.tensor([rate], dtype=x.dtype)))
        return x * torch.exp(10 * self.fc2(hidden))[:, None, None]


def down(inputs, outputs, kernel=3):
    return nn.Conv2d(inputs, outputs, kernel, 2, kernel // 2)


def up(inputs, outputs, kernel=3):
    return nn.ConvTranspose2d(inputs, outputs, kernel, 2, kernel // 2, 1)


class Masked(nn.Conv2d):
    """5x5 of which only the taps of the other colour of a checkerboard count."""

    def __init__(self, inputs, outputs):
        super().__init__(inputs, outputs, 5, padding=2)
        self.register_buffer("mask", torch.zeros_like(self.weight))

    def forward(self, x):
        row = torch.arange(5)
        return F.conv2d(x, self.weight * ((row[:, None] + row) % 2), self.bias, padding=2)


class TinyLIC(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.size, before, m, h = size, 3, size.m, size.hyper
        stage = lambda name, width: setattr(self, name, Stage(width, size.blocks[name]))
        for i, width in enumerate(size.analysis):
            setattr(self, f"g_a{2 * i}", down(before, width, 5 if i == 0 else 3))
            stage(f"g_a{2 * i + 1}", width)
            setattr(self, f"g_a_scale{i}", Gain(width))
            before = width
        for i, width in enumerate(size.analysis[::-1]):
            after = [*size.analysis[-2::-1], 3][i]
            setattr(self, f"g_s_scale{i}", Gain(width))
            setattr(self, f"g_s_mr{i}", Gain(width))      # saved, never called
            stage(f"g_s{2 * i}", width)
            setattr(self, f"g_s{2 * i + 1}", up(width, after, 5 if after == 3 else 3))
        self.h_a0, self.h_a2, self.h_s1, self.h_s3 = down(m, h), down(h, h), up(h, h), up(h, 2 * m)
        for name in ("h_a1", "h_a3", "h_s0", "h_s2"):
            stage(name, h)
        self.add_entropy_networks(2 * m)
        self.entropy_bottleneck, self.gaussian_conditional = EntropyBottleneck(h), GaussianConditional(None)

    def add_entropy_networks(self, parameters):
        first, second = self.size.contexts
        same = lambda inputs, outputs, kernel: nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)
        self.cc_transforms, self.sc_transforms, self.entropy_parameters = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        before = parameters
        for width in self.size.slices:
            self.cc_transforms.append(nn.Sequential(same(before, first, 5), nn.GELU(), same(first, second, 5), nn.GELU(),
                                                    same(second, 2 * width, 3)))
            self.sc_transforms.append(Masked(width, 2 * width))
            self.entropy_parameters.append(nn.Sequential(same(parameters + 4 * width, 3 * width, 1), nn.GELU(),
                                                         same(3 * width, 2 * width, 1), nn.GELU(), same(2 * width, 2 * width, 1)))
            before += width

    def g_a(self, x, rate):
        for i in range(4):
            x = getattr(self, f"g_a_scale{i}")(getattr(self, f"g_a{2 * i + 1}")(getattr(self, f"g_a{2 * i}")(x)), rate)
        return x

    def g_s(self, x, rate):
        for i in range(4):
            x = getattr(self, f"g_s{2 * i + 1}")(getattr(self, f"g_s{2 * i}")(getattr(self, f"g_s_scale{i}")(x, rate)))
        return x

    def h_a(self, y):
        return self.h_a3(self.h_a2(self.h_a1(self.h_a0(y))))

    def h_s(self, z):
        return self.h_s3(self.h_s2(self.h_s1(self.h_s0(z))))

    def passes(self, parameters, code):
        """Latents, slice by slice, each in two passes. `code`(channels, positions, means, scales) gives symbol + mean at the positions
        where the mask is 1."""
        rows, columns = parameters.shape[2:]
        odd = ((torch.arange(rows)[:, None] + torch.arange(columns)) % 2).to(parameters.dtype)
        done, begin = parameters[:, :0], 0
        for i, width in enumerate(self.size.slices):
            channel = self.cc_transforms[i](torch.cat([parameters, done], 1))
            spatial, y_hat = torch.zeros_like(channel), 0
            for mask in (odd, 1 - odd):
                scales, means = self.entropy_parameters[i](torch.cat([parameters, spatial, channel], 1)).chunk(2, 1)
                y_hat = y_hat + mask * code(slice(begin, begin + width), mask, means, scales)
                spatial = self.sc_transforms[i](y_hat)
            done, begin = torch.cat([done, y_hat], 1), begin + width
        return done


# ---- what it computes ---------------------------------------------------------------------------------------------

def network(size, seed):
    net = TinyLIC(size)
    prior, state = net.entropy_bottleneck, {key: torch.from_numpy(array) for key, array in state_dict(size, seed).items()}
    own = net.state_dict()
    unlike = set(state) ^ set(own)
    if {key for key in unlike if not key.startswith(("entropy_bottleneck.", "gaussian_conditional."))}:
        sys.exit(f"keys differ: {sorted(unlike)}")
    net.load_state_dict({**own, **{key: values for key, values in state.items() if key in own and own[key].shape == values.shape}})
    prior.update()
    net.gaussian_conditional.update_scale_table(get_scale_table())
    return net.eval()


def medians(net, x):
    return net.entropy_bottleneck.quantiles[:, 0, 1].detach().to(x.dtype)[None, :, None, None]


def stages(net, x, rate):
    """What every stage gives, in float64, before rounding. Means and scales are those of the pass that codes a position."""
    double = TinyLIC(net.size).double()
    double.load_state_dict({k: v.double() if v.is_floating_point() else v for k, v in net.state_dict().items()
                            if not k.startswith(("entropy", "gaussian")) or k.startswith("entropy_parameters")}, strict=False)
    y = double.g_a(x, rate)
    z = double.h_a(y)
    symbols = torch.round(z - medians(net, z))
    parameters = double.h_s(symbols + medians(net, z))
    means, scales = torch.zeros_like(y), torch.zeros_like(y)

    def code(channels, mask, mean, scale):
        means[:, channels] += mask * mean
        scales[:, channels] += mask * scale
        return torch.round(y[:, channels] - mean) + mean

    y_hat = double.passes(parameters, code)
    return {"y": y, "z": z, "symbols": symbols, "parameters": parameters, "means": means, "scales": scales, "y_hat": y_hat,
            "x_hat": double.g_s(y_hat, rate)}


def coded(net, x, rate):
    """(bytes, x_hat) with CompressAI's coder: one stream for z, one for y. Positions of a pass are coded row by row, which costs the
    same as any order."""
    prior, gaussian = net.entropy_bottleneck, net.gaussian_conditional
    tables = gaussian.quantized_cdf.tolist(), gaussian.cdf_length.reshape(-1).tolist(), gaussian.offset.reshape(-1).tolist()
    y = net.g_a(x, rate)
    z = net.h_a(y)
    strings, encoder = prior.compress(z), BufferedRansEncoder()
    parameters = net.h_s(prior.decompress(strings, z.shape[-2:]))
    escapes = [0, 0]

    def encode(channels, mask, means, scales):
        where = mask.expand_as(means) > 0
        symbols, indexes = torch.round(y[:, channels] - means), gaussian.build_indexes(scales)
        values = symbols[where].int().tolist()
        rows = indexes[where].tolist()
        encoder.encode_with_indexes(values, rows, *tables)
        escapes[0] += sum(not 0 <= v - tables[2][r] < tables[1][r] - 2 for v, r in zip(values, rows))
        escapes[1] += len(values)
        return symbols + means

    sent = net.passes(parameters, encode)
    stream = encoder.flush()
    decoder = RansDecoder()
    decoder.set_stream(stream)

    def decode(channels, mask, means, scales):
        where, symbols = mask.expand_as(means) > 0, torch.zeros_like(means)
        symbols[where] = torch.tensor(decoder.decode_stream(gaussian.build_indexes(scales)[where].tolist(), *tables)).to(means.dtype)
        return symbols + means

    y_hat = net.passes(parameters, decode)
    assert torch.equal(sent, y_hat)
    print(f"{escapes[0]} of {escapes[1]} symbols are escapes, {len(stream) * 8 / escapes[1]:.2f} bits each")
    return len(strings[0]) + len(stream), net.g_s(y_hat, rate)


@torch.no_grad()
def case(net, x8, rate):
    pad, unpad = compute_padding(*x8.shape[:2], min_div=64)
    x = F.pad(torch.from_numpy(x8).permute(2, 0, 1)[None].double() / 255, pad)
    size, back = coded(net, x.float(), rate)
    back = F.pad(back, unpad)[0].permute(1, 2, 0).clamp(0, 1)
    error = (torch.round(back * 255).double() - torch.from_numpy(x8).double()).square().mean()
    values = stages(net, x, rate)
    values["x_hat"] = F.pad(values["x_hat"], unpad)
    arrays = {name: v[0].permute(1, 2, 0).numpy().astype(np.int16 if name == "symbols" else np.float32) for name, v in values.items()}
    return {"rate": rate, "bytes": size, "psnr": float(10 * torch.log10(255 ** 2 / error))}, arrays


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("kodak")
    ap.add_argument("out")
    numbers = lambda kind: lambda text: tuple(kind(n) for n in text.split(","))
    ap.add_argument("--whole", action="store_true", help="the published size")
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--crop", type=numbers(int), default=CROP)
    ap.add_argument("--rates", type=numbers(float), default=RATES)
    a = ap.parse_args()
    torch.manual_seed(0)
    name, top, left = PLACE
    x8 = np.asarray(Image.open(os.path.join(a.kodak, name)).convert("RGB"))[top:top + a.crop[0], left:left + a.crop[1]].copy()
    net, arrays, abouts = network(WHOLE if a.whole else SMALL, a.seed), {"picture": x8}, []
    for number, rate in enumerate(a.rates):
        about, values = case(net, x8, rate)
        arrays.update({f"{number}.{stage}": value for stage, value in values.items()})
        abouts.append(about)
        print(about, {stage: [round(float(f), 3) for f in (v.mean(), v.std(), np.abs(v).max())] for stage, v in values.items()})
    about = {"whole": a.whole, "seed": a.seed, "cases": abouts}
    np.savez_compressed(a.out, about=np.frombuffer(json.dumps(about).encode(), np.uint8), **arrays)
    print(a.out, os.path.getsize(a.out))


if __name__ == "__main__":
    main()
