#!/usr/bin/env python3
"""Writes what CompressAI's own classes compute for drawn models on crops of pictures: the golden data of tests/convert_test.py.

  make_convert_golden.py KODAK_FOLDER OUT.npz [--channels N,M] [--seeds 1,2] [--crop ROWS,COLUMNS] [--architectures A,B]

Without flags: the small cases of tests/data/golden/compressai.npz. Stages are computed in float64, each from the one before as
CompressAI has it; bytes and PSNR are those of compress() and decompress() in float32. Needs PyTorch and CompressAI 1.2.7 or newer.
"""
import argparse
import hashlib
import json
import os
import sys

import numpy as np
import torch
from compressai.entropy_models import EntropyBottleneck, GaussianConditional
from compressai.models.google import FactorizedPrior, FactorizedPriorReLU, MeanScaleHyperprior, ScaleHyperprior, get_scale_table
from compressai.ops import compute_padding
from PIL import Image

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests"))
from compressai_models import ARCHITECTURES, Draw, state_dict

CLASSES = dict(zip(ARCHITECTURES, (FactorizedPrior, FactorizedPriorReLU, ScaleHyperprior, MeanScaleHyperprior)))
# (N, M, seed, picture, first row, first column, rows, columns)
SMALL = [(8, 12, 1, "kodim07.png", 130, 220, 75, 61), (12, 16, 2, "kodim20.png", 250, 300, 65, 131)]
CROPS = {1: ("kodim05.png", 100, 300), 2: ("kodim23.png", 60, 200), 3: ("kodim13.png", 200, 100), 4: ("kodim19.png", 0, 0)}     # by seed


def network(architecture, n, m, seed):
    net = CLASSES[architecture](n, m)
    net.load_state_dict({key: torch.from_numpy(array) for key, array in state_dict(architecture, n, m, seed).items()})
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


def stages(net, x):
    """What every stage gives, float64, before rounding; the symbols of the factorized prior, and g_s's own input."""
    double = type(net)(net.N, net.M).double()
    double.load_state_dict({k: v.double() if v.is_floating_point() else v for k, v in net.state_dict().items()})
    y = double.g_a(x)
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
def case(architecture, n, m, seed, x8):
    net = network(architecture, n, m, seed)
    pad, unpad = compute_padding(*x8.shape[:2], min_div=64)
    x = torch.nn.functional.pad(torch.from_numpy(x8).permute(2, 0, 1)[None].float() / 255, pad)
    size, psnr = coded(net, x8, x, unpad)
    about = {"architecture": architecture, "n": n, "m": m, "seed": seed, "bytes": size, "psnr": psnr}
    values = stages(net, torch.nn.functional.pad(torch.from_numpy(x8).permute(2, 0, 1)[None].double() / 255, pad))
    values["x_hat"] = torch.nn.functional.pad(values["x_hat"], unpad)
    arrays = {name: v[0].permute(1, 2, 0).numpy().astype(np.int16 if name == "symbols" else np.float32) for name, v in values.items()}
    return about, {**arrays, "prior": net.entropy_bottleneck._quantized_cdf.numpy()}


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
    cases = [(*a.channels, seed, *CROPS[seed], *a.crop) for seed in a.seeds] if a.channels else SMALL
    arrays, abouts = {}, []
    for n, m, seed, *place in cases:
        x8 = crop(a.kodak, *place)
        arrays[f"picture.{seed}"] = x8
        for architecture in a.architectures:
            about, values = case(architecture, n, m, seed, x8)
            arrays.update({f"{len(abouts)}.{name}": value for name, value in values.items()})
            abouts.append(about)
            print(about)
    text = lambda value: np.frombuffer(json.dumps(value).encode(), np.uint8)
    np.savez_compressed(a.out, cases=text(abouts), tables=text(digests()), **arrays)
    print(a.out, os.path.getsize(a.out))


if __name__ == "__main__":
    main()
