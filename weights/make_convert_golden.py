#!/usr/bin/env python3
"""Writes what CompressAI's own classes compute for drawn models on crops of pictures: the golden data of tests/convert_test.py.

  make_convert_golden.py KODAK_FOLDER OUT.npz [--channels N,M] [--seeds 1,2] [--crop ROWS,COLUMNS] [--architectures A,B]

Without flags: the small cases of tests/data/golden/compressai.npz. Stages are computed in float64, each from the one before as
CompressAI has it, of models with context by its own compress(); bytes and PSNR are those of compress() and decompress() in float32.
Needs PyTorch and CompressAI 1.2.7 or newer.
"""
import argparse
import copy
import hashlib
import json
import os
import sys

import numpy as np
import torch
from compressai.entropy_models import EntropyBottleneck, GaussianConditional
from compressai.latent_codecs import CheckerboardLatentCodec
from compressai.models import Cheng2020Anchor, Cheng2020AnchorCheckerboard, Cheng2020Attention, Elic2022Chandelier, Elic2022Official
from compressai.models.google import (FactorizedPrior, FactorizedPriorReLU, JointAutoregressiveHierarchicalPriors, MeanScaleHyperprior,
                                      ScaleHyperprior, get_scale_table)
from compressai.ops import compute_padding
from PIL import Image

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests"))
from compressai_models import ARCHITECTURES, CONTEXT, PLAIN, Draw, state_dict

CLASSES = dict(zip(ARCHITECTURES, (FactorizedPrior, FactorizedPriorReLU, ScaleHyperprior, MeanScaleHyperprior,
                                   JointAutoregressiveHierarchicalPriors, Cheng2020Anchor, Cheng2020Attention, Cheng2020AnchorCheckerboard,
                                   Elic2022Official, Elic2022Chandelier)))
# (architectures, N, M, seed, picture, first row, first column, rows, columns)
SMALL = [(PLAIN, 8, 12, 1, "kodim07.png", 130, 220, 75, 61), (PLAIN, 12, 16, 2, "kodim20.png", 250, 300, 65, 131),
         (CONTEXT, 8, 12, 1, "kodim07.png", 130, 220, 75, 61), (CONTEXT, 12, 16, 3, "kodim13.png", 200, 100, 30, 75)]
CROPS = {1: ("kodim05.png", 100, 300), 2: ("kodim23.png", 60, 200), 3: ("kodim13.png", 200, 100), 4: ("kodim19.png", 0, 0)}     # by seed


def network(architecture, n, m, seed, groups=None):
    cls = CLASSES[architecture]
    net = cls(n) if architecture.startswith("cheng") else cls(n, m, groups) if architecture.startswith("elic") else cls(n, m)
    net.load_state_dict({key: torch.from_numpy(array) for key, array in state_dict(architecture, n, m, seed, groups).items()})
    net.update()
    return net.eval()


def digest(module):
    """Of the integer tables."""
    h = hashlib.sha256()
    for name in ("_quantized_cdf", "_cdf_length", "_offset"):
        h.update(getattr(module, name).numpy().astype("<i4").tobytes())
    return h.hexdigest()


def rounded(prior, x):
    """(symbols, with medians)"""
    medians = prior.quantiles[:, 0, 1].detach().double()[None, :, None, None]
    symbols = torch.round(x - medians)
    return symbols, symbols + medians


def outputs_of(module, run):
    """What `module` gives while `run`() runs, call by call, and what that gives."""
    made = []
    handle = module.register_forward_hook(lambda module, inputs, output: made.append(output))
    result = run()
    handle.remove()
    return made, result


def serial_stages(net, y, params):
    """psi - of the first layer of entropy_parameters, what `params` goes into -, and what compress() makes of each position."""
    first, (rows, columns) = net.entropy_parameters[0], y.shape[2:]
    psi = torch.nn.functional.conv2d(params, first.weight[:, :params.shape[1]], first.bias)
    y_hat = torch.nn.functional.pad(y, (2, 2, 2, 2))
    made, _ = outputs_of(net.entropy_parameters, lambda: net._compress_ar(y_hat, params, rows, columns, 5, 2))
    scales, means = torch.cat(made, 0).reshape(rows, columns, -1).permute(2, 0, 1)[None].chunk(2, 1)
    return {"psi": psi, "scales": scales, "means": means, "y_hat": y_hat[:, :, 2:-2, 2:-2]}


def checkerboard_stages(net, y, params):
    """What compress() makes of each group of channels in its two passes."""
    codecs = [module for module in net.modules() if isinstance(module, CheckerboardLatentCodec)]
    run, passes = lambda: net.latent_codec["y"].compress(y, params), []
    for codec in codecs:
        made, result = outputs_of(codec.entropy_parameters, run)
        passes.append(codec["y"]._chunk(codec.embed(torch.stack(made))))
    scales, means = (torch.cat(group, 1) for group in zip(*passes))
    return {"psi": params, "scales": scales, "means": means, "y_hat": result["y_hat"]}


def stages(net, x):
    """What every stage gives, float64, before rounding; the symbols of the factorized prior, and g_s's own input."""
    double = copy.deepcopy(net).double()
    y = double.g_a(x)
    inner = getattr(double, "latent_codec", None)
    if inner is not None or isinstance(net, JointAutoregressiveHierarchicalPriors):
        hyper = double if inner is None else inner["hyper"]
        z = hyper.h_a(y)
        symbols, z_hat = rounded(hyper.entropy_bottleneck, z)
        values = (serial_stages if inner is None else checkerboard_stages)(double, y, hyper.h_s(z_hat))
        return {"y": y, "z": z, "symbols": symbols, **values, "x_hat": double.g_s(values["y_hat"])}
    if not hasattr(net, "h_a"):
        symbols, y_hat = rounded(double.entropy_bottleneck, y)
        return {"y": y, "symbols": symbols, "x_hat": double.g_s(y_hat)}
    means = isinstance(net, MeanScaleHyperprior)
    z = double.h_a(y if means else y.abs())
    symbols, z_hat = rounded(double.entropy_bottleneck, z)
    out = double.h_s(z_hat)
    scales, mean = out.chunk(2, 1) if means else (out, torch.zeros_like(out))
    y_hat = torch.round(y - mean) + mean
    extra = {"means": mean} if means else {}
    return {"y": y, "z": z, "symbols": symbols, "scales": scales, **extra, "y_hat": y_hat, "x_hat": double.g_s(y_hat)}


def coded(net, x8, x, unpad):
    """Bytes and PSNR of CompressAI itself, its picture rounded to 8 bits."""
    out = net.compress(x)
    back = torch.nn.functional.pad(net.decompress(**out)["x_hat"], unpad)[0].permute(1, 2, 0)
    error = (torch.round(back * 255).double() - torch.from_numpy(x8).double()).square().mean()
    return sum(len(s[0]) for s in out["strings"]), float(10 * torch.log10(255 ** 2 / error))


@torch.no_grad()
def case(architecture, n, m, seed, x8, groups=None):
    net = network(architecture, n, m, seed, groups)
    pad, unpad = compute_padding(*x8.shape[:2], min_div=64)
    x = torch.nn.functional.pad(torch.from_numpy(x8).permute(2, 0, 1)[None].float() / 255, pad)
    size, psnr = coded(net, x8, x, unpad)
    about = {"architecture": architecture, "n": n, "m": m, "seed": seed, "groups": groups, "bytes": size, "psnr": psnr}
    values = stages(net, torch.nn.functional.pad(torch.from_numpy(x8).permute(2, 0, 1)[None].double() / 255, pad))
    values["x_hat"] = torch.nn.functional.pad(values["x_hat"], unpad)
    arrays = {name: v[0].permute(1, 2, 0).numpy().astype(np.int16 if name == "symbols" else np.float32) for name, v in values.items()}
    prior, = (module for module in net.modules() if isinstance(module, EntropyBottleneck))
    return about, {**arrays, "prior": prior._quantized_cdf.numpy()}


def fitting(architecture, n, m, seed):
    """(N, M, groups) that an architecture can have: of ELIC's two small cases one has CompressAI's own groups."""
    if architecture.startswith("cheng"):
        return n, n, None
    if not architecture.startswith("elic") or m > 128:
        return n, m, None
    return (n, m + 124, None) if seed == 1 else (n, m, [4, 2, m - 6])


def digests():
    """Of tables of the sizes that trained models have: [(channels, seed, digest)], and those of the scales."""
    priors = []
    for channels in (128, 192, 320):
        for seed in (0, 1):
            draw = Draw(seed)
            draw.prior(channels)
            prior = EntropyBottleneck(channels)
            state = {key.split(".", 1)[1]: torch.from_numpy(array) for key, array in draw.state.items()}
            prior.load_state_dict({**prior.state_dict(), **state})
            prior.update()
            priors.append((channels, seed, digest(prior)))
    gaussian = GaussianConditional(None)
    gaussian.update_scale_table(get_scale_table())
    return {"priors": priors, "gaussian": digest(gaussian)}


def crop(folder, name, top, left, rows, columns):
    return np.asarray(Image.open(os.path.join(folder, name)).convert("RGB"))[top:top + rows, left:left + columns].copy()


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("kodak")
    ap.add_argument("out")
    numbers = lambda text: [int(n) for n in text.split(",")]
    ap.add_argument("--channels", type=numbers, help="other numbers than those of the small cases")
    ap.add_argument("--seeds", type=numbers, default=[1, 2])
    ap.add_argument("--crop", type=numbers, default=[75, 131])
    ap.add_argument("--architectures", type=lambda text: text.split(","), default=ARCHITECTURES)
    a = ap.parse_args()
    torch.manual_seed(0)
    cases = [(ARCHITECTURES, *a.channels, seed, *CROPS[seed], *a.crop) for seed in a.seeds] if a.channels else SMALL
    arrays, abouts = {}, []
    for architectures, n, m, seed, *place in cases:
        x8 = crop(a.kodak, *place)
        arrays[f"picture.{seed}"] = x8
        for architecture in (name for name in architectures if name in a.architectures):
            *channels, groups = fitting(architecture, n, m, seed)
            about, values = case(architecture, *channels, seed, x8, groups)
            arrays.update({f"{len(abouts)}.{name}": value for name, value in values.items()})
            abouts.append(about)
            print(about)
    text = lambda value: np.frombuffer(json.dumps(value).encode(), np.uint8)
    np.savez_compressed(a.out, cases=text(abouts), tables=text(digests()), **arrays)
    print(a.out, os.path.getsize(a.out))


if __name__ == "__main__":
    main()
