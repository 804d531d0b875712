#!/usr/bin/env python3
"""What an encoder gains that moves latents after it has seen the decoder's picture. In PyTorch.

  refine.py CHECKPOINT FOLDER [--lrd 8e-5,...] [--passes 20] [--limit N] [--json OUT]

No decoder knows of it: symbols are chosen otherwise, and the stream stays what it is. z, the means
and the scales are those of the encoder's first pass; the means are taken anew every few passes. A
pass

  1. decodes, and takes the gradient g of the squared error by the latents, weighed by lambda,
  2. tells for each symbol what one step up or down is thought to change, in bits:
     +-g + h / 2 + (bits of the moved symbol - its bits),   h: the curvature of its channel,
  3. moves at each position the one symbol that gains most, if it gains.

Channels at one position make up the same pixels, so their moves are not independent. Four moves at
each position in a pass gain half as much, and all moves that gain, made at once, make the picture
worse by 30 to 50 % of the bits.
"""
import argparse
import glob
import json
import os
import sys

import numpy as np
import torch

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from evaluate_reference import as_decoded, load, read_picture
from model import GROUPS, LAMBDA_PER_LRD, lrd_to_t

CAUTION = 1.2   # neighbours move at the same time: the curvature counts for more
RENEW = 7       # passes with the same means and scales


def code(net, y, psi):
    """One pass of the coder: y-hat, the means and scales it had, bits."""
    groups = y.split(GROUPS, 1)
    means, scales = ([torch.zeros_like(g) for g in groups] for _ in range(2))
    bits = []

    def step(group, mask, mean, scale):
        symbols = torch.round(groups[group] - mean)
        means[group] += mean * mask
        scales[group] += scale * mask
        bits.append((net.y_bits(symbols, scale) * mask).sum())
        return (symbols + mean) * mask

    y_hat = net.steps(psi, step, y)
    return y_hat, torch.cat(means, 1), torch.cat(scales, 1), sum(bits).item()


def curvature(net, y, t, probes=2, size=0.25):
    """[1,C,1,1]: the mean squared error that 1 in one latent of a channel makes, around y.

    Hutchinson's estimate of the diagonal of J^T J: signs v drawn at random, v * (J^T J v).
    """
    random = torch.Generator().manual_seed(1)
    out = 0
    with torch.no_grad():
        here = net.g_s(y, t)
    for _ in range(probes):
        v = torch.randint(0, 2, y.shape, generator=random) * 2.0 - 1
        moved = (y + size * v).requires_grad_()
        g, = torch.autograd.grad(0.5 * ((net.g_s(moved, t) - here) ** 2).sum(), moved)
        out = out + (g * v).mean((2, 3), keepdim=True) / size
    return (out / probes).clamp_min(0)


def refine(net, x, y_hat, psi, means, scales, t, lrd, passes):
    """y-hat [1,C,h,w] after `passes` passes. x: the picture."""
    bits_per_error = LAMBDA_PER_LRD * lrd * 65025 / 3
    h = 2 * CAUTION * bits_per_error * curvature(net, y_hat, t)
    for i in range(passes):
        if i and i % RENEW == 0:
            with torch.no_grad():
                y_hat, means, scales, _ = code(net, y_hat, psi)
        y = y_hat.clone().requires_grad_()
        g, = torch.autograd.grad(bits_per_error * ((net.g_s(y, t) - x) ** 2).sum(), y)
        with torch.no_grad():
            symbols = y_hat - means
            bits = net.y_bits(symbols, scales)
            gains = [d * g + h / 2 + net.y_bits(symbols + d, scales) - bits for d in (-1.0, 1.0)]
            change, place = torch.minimum(*gains).min(1, keepdim=True)
            direction = torch.where(gains[1] < gains[0], 1.0, -1.0).gather(1, place)
            y_hat = y_hat.scatter_add(1, place, direction * (change < 0))
    return y_hat


def measure(net, path, lrd, passes):
    """Bits per pixel and PSNR, before and after."""
    x8, x = read_picture(path)
    x = x.contiguous(memory_format=torch.channels_last)
    t = lrd_to_t(torch.tensor([lrd]))

    def coded(y):
        y_hat, means, scales, bits = code(net, y, psi)
        _, psnr = as_decoded(net.g_s(y_hat, t), x8)
        return (y_hat, means, scales), ((bits + bits_of_z) / x8[0, 0].numel(), psnr)

    with torch.no_grad():
        y = net.g_a(x, t)
        z = torch.round(net.h_a(y))
        bits_of_z, psi = net.z_bits(z).sum().item(), net.h_s(z, y.shape[2], y.shape[3])
        first, before = coded(y)
    y_hat, means, scales = first
    y_hat = refine(net, x, y_hat, psi, means, scales, t, lrd, passes)
    with torch.no_grad():
        return before, coded(y_hat)[1]


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("checkpoint")
    ap.add_argument("folder")
    ap.add_argument("--lrd", default="8e-5,1.7e-4,3.2e-4,5.5e-4,9e-4")
    ap.add_argument("--passes", type=int, default=20)
    ap.add_argument("--limit", type=int)
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--json")
    a = ap.parse_args()
    torch.set_num_threads(a.threads)
    net = load(a.checkpoint).float().to(memory_format=torch.channels_last)
    net.requires_grad_(False)
    rows = []
    for lrd in (float(v) for v in a.lrd.split(",")):
        pairs = np.array([measure(net, f, lrd, a.passes)
                          for f in sorted(glob.glob(a.folder + "/*.png"))[:a.limit]])
        (bpp, psnr), (bpp_after, psnr_after) = pairs.mean(0)
        rows.append({"lrd": lrd, "bpp": bpp, "psnr-rgb": psnr,
                     "refined": {"bpp": bpp_after, "psnr-rgb": psnr_after}})
        print(f"lrd {lrd:.2e}  bpp {bpp:.4f}, refined {bpp_after:.4f}  "
              f"psnr {psnr:.3f}, refined {psnr_after:.3f}", flush=True)
        if a.json:
            with open(a.json, "w") as f:
                json.dump(rows, f, indent=1)


if __name__ == "__main__":
    main()
