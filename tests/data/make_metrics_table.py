#!/usr/bin/env python3
"""Writes tests/data/metrics.txt: PSNR and MS-SSIM by PyTorch of pairs of pictures that tests/metrics_test.cc makes alike.

A line: width height noise PSNR MS-SSIM ("inf" for equal pictures, "-" where a side is too small for five scales).
MS-SSIM is computed in float64 with convolutions and avg_pool2d, the way pytorch_msssim does.
"""
import math
import os

import numpy as np
import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
CASES = ((161, 161, 12), (162, 175, 40), (256, 200, 3), (331, 247, 90), (200, 163, 255), (160, 300, 10), (1, 1, 9), (180, 190, 0))


def scramble(v):
    """32 well mixed bits of each number."""
    v = v.astype(np.uint64) & 0xffffffff
    for shift, factor in ((16, 0x7feb352d), (15, 0x846ca68b)):
        v ^= v >> np.uint64(shift)
        v = (v * np.uint64(factor)) & np.uint64(0xffffffff)
    return v ^ (v >> np.uint64(16))


def pair(width, height, noise):
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    wave = lambda t, period: np.abs(t % (2 * period) - period) * 255 // period
    detail = scramble((y * width + x) * 3 + c).astype(np.int64) % 64
    a = np.clip((wave(x + 2 * y + 11 * c, 37) + wave(3 * x - y + 1000 + 40 * c, 90)) // 2 + detail - 32, 0, 255)
    if noise == 0:
        return a, a
    error = scramble((y * width + x) * 3 + c + 0x5bd1e995).astype(np.int64) % (2 * noise + 1) - noise
    return a, np.clip(a + error, 0, 255)


def ms_ssim(a, b):
    if min(a.shape[-2:]) <= 160:
        return None
    d = torch.arange(11, dtype=torch.float64) - 5
    g = torch.exp(-d * d / (2 * 1.5 ** 2))
    g = (g / g.sum()).view(1, 1, 1, 11).repeat(3, 1, 1, 1)
    blur = lambda v: F.conv2d(F.conv2d(v, g, groups=3), g.transpose(2, 3), groups=3)
    c1, c2, result = (0.01 * 255) ** 2, (0.03 * 255) ** 2, 1
    for scale, weight in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
        ma, mb = blur(a), blur(b)
        term = (2 * (blur(a * b) - ma * mb) + c2) / (blur(a * a) - ma * ma + blur(b * b) - mb * mb + c2)
        if scale == 4:
            term = term * (2 * ma * mb + c1) / (ma * ma + mb * mb + c1)
        result = result * torch.relu(term.mean((2, 3))) ** weight
        padding = [s % 2 for s in a.shape[2:]]
        a, b = (F.avg_pool2d(v, kernel_size=2, padding=padding) for v in (a, b))
    return result.mean().item()


def main():
    with open(os.path.join(HERE, "metrics.txt"), "w") as table:
        for width, height, noise in CASES:
            a, b = pair(width, height, noise)
            mse = ((a - b) ** 2).mean()
            psnr = 10 * math.log10(255 ** 2 / mse) if mse else math.inf
            tensors = (torch.from_numpy(v.astype(np.float64)).permute(2, 0, 1)[None] for v in (a, b))
            value = ms_ssim(*tensors)
            print(width, height, noise, f"{psnr:.10f}", "-" if value is None else f"{value:.12f}", file=table)


if __name__ == "__main__":
    main()
