#!/usr/bin/env python3
"""Writes what PyTorch computes for `light` on small pictures, stage by stage, as the engine's golden data.

  make_golden.py CHECKPOINT OUT_FOLDER

One safetensors file a picture and rate. Transforms are computed in float64 from the checkpoint's weights. y, means and y_hat are rounded to
1/64 and symbols taken as docs/BITSTREAM.md says, so that every stage can be tested by itself: its input is in the file too.
"""
import argparse
import os

import numpy as np
import torch

from convert.writer import write_safetensors
from export import load_checkpoint, raw_thresholds
from model import GROUPS, SCALE_MIN, lrd_to_t  # found through export's path

PICTURES = {"wide": (48, 64), "odd": (37, 50)}
RATES = {"low": 8e-5, "high": 9e-4}
STEPS = ((0, 0), (0, 1), (1, 0), (1, 1))     # (channel group, parity)


def picture(height, width):
    """Shading, a disc with a sharp edge, stripes and a little grain: uint8 [H,W,3]."""
    rng = np.random.default_rng(height * width)
    y, x = np.mgrid[0:height, 0:width] / 48.0
    base = np.stack([0.55 + 0.3 * np.sin(2.1 * x + y), 0.5 + 0.25 * np.cos(1.3 * y), 0.4 + 0.3 * x * (1.2 - x)], -1)
    disc = ((x - 0.6) ** 2 + (y - 0.4) ** 2 < 0.06)[..., None]
    base = np.where(disc, np.array([0.85, 0.3, 0.2]), base)
    base = np.where((y > 0.62)[..., None], base * (0.8 + 0.2 * np.sign(np.sin(40 * x)))[..., None], base)
    return np.clip(base * 255 + rng.normal(0, 3, base.shape), 0, 255).round().astype(np.uint8)


def fixed(v):
    """To 1/64, as int16 holds it."""
    return torch.clamp(torch.round(v * 64), -32768, 32767) / 64


@torch.no_grad()
def golden(net, x8, lrd):
    height, width = x8.shape[:2]
    x = torch.from_numpy(x8).permute(2, 0, 1)[None].double() / 255
    x = torch.nn.functional.pad(x, (0, -width % 16, 0, -height % 16), mode="replicate")
    t = lrd_to_t(torch.tensor([lrd], dtype=torch.float32).double())
    y = net.g_a(x, t)
    y_fixed = fixed(y)
    z = net.h_a(y_fixed)
    z_hat = torch.round(z)
    psi = net.h_s(z_hat, y.shape[2], y.shape[3])
    groups = y_fixed.split(GROUPS, 1)
    out = {"x": x8.astype(np.int32), "y": y, "z": z, "psi": psi}
    bits = [float(net.z_bits(z_hat).sum())]

    def coder(group, mask, mean, raw):
        # Light.steps hands the scale; the raw parameter is recovered exactly enough by keeping it aside.
        step = len(bits) - 1
        mean_fixed = fixed(mean)
        symbol = torch.floor((groups[group] - mean_fixed) + 0.5)
        out[f"mean{step}"], out[f"raw{step}"] = mean, raw
        scale = SCALE_MIN + torch.nn.functional.softplus(raw)
        bits.append(float((net.y_bits(symbol, scale) * mask).sum()))
        return (symbol + mean_fixed) * mask

    y_hat = run_steps(net, psi, coder)
    out["y_hat"] = y_hat
    out["x_hat"] = net.g_s(y_hat, t) - 0.5
    out["estimated_bits"] = torch.tensor([sum(bits)])
    for step in range(len(STEPS)):
        raw = out[f"raw{step}"].float().numpy()
        out[f"index{step}"] = (raw[..., None] >= raw_thresholds()).sum(-1).astype(np.int32)
    return {name: to_nhwc(value) for name, value in out.items()}


def run_steps(net, psi, coder):
    """Light.steps with raw scale parameters instead of scales."""
    even = net.parity(psi.shape[2], psi.shape[3], psi.device).double()
    split = lambda p: p.chunk(2, 1)
    y0 = coder(0, even, *split(net.p00(psi)))
    c = net.c01(y0)
    y0 = y0 + coder(0, 1 - even, *split(net.p01(torch.cat([psi, c], 1))))
    k = net.c10(y0)
    y1 = coder(1, even, *split(net.p10(torch.cat([psi, k], 1))))
    c = net.c11(y1)
    y1 = y1 + coder(1, 1 - even, *split(net.p11(torch.cat([psi, k, c], 1))))
    return torch.cat([y0, y1], 1)


def to_nhwc(value):
    if isinstance(value, torch.Tensor):
        value = value.float().numpy()
    if value.ndim == 4:
        value = value[0].transpose(1, 2, 0)
    return np.ascontiguousarray(value)


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("checkpoint")
    ap.add_argument("out")
    a = ap.parse_args()
    net = load_checkpoint(a.checkpoint)[0].double()
    os.makedirs(a.out, exist_ok=True)
    for picture_name, size in PICTURES.items():
        for rate_name, lrd in RATES.items():
            tensors = golden(net, picture(*size), lrd)
            path = os.path.join(a.out, f"light-{picture_name}-{rate_name}.safetensors")
            write_safetensors(path, tensors, {"lrd": repr(lrd)})
            print(path, os.path.getsize(path))


if __name__ == "__main__":
    main()
