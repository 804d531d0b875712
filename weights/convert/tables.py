"""The integer tables that CompressAI's `update()` makes of a trained prior, for checkpoints that were saved without them.

`update()` computes in float32, and tables hang on its rounding. So every operation here is rounded to float32 by itself, in PyTorch's
order, with its functions (convert/float32.py).
"""
import math

import numpy as np

from .float32 import fma, sigmoid, softplus, tanh, wide
from .writer import TOTAL, Refused

LONGEST = 1 << 16          # values of a table
MOST_VALUES = 1 << 22      # of all tables, each as long as the longest


def multiply(matrix, x):
    """[C][o][i] times [C][i][n]: a chain of fused multiply-adds; below 400 products PyTorch's own loop, which rounds twice."""
    _, outputs, inputs = matrix.shape
    fused = inputs * outputs * x.shape[2] >= 400
    total = matrix[:, :, 0, None] * x[:, None, 0]
    for i in range(1, inputs):
        a, b = matrix[:, :, i, None], x[:, None, i]
        total = fma(a, b, total) if fused else a * b + total
    return total


def quantized_cdf(p):
    """Cumulative counts of probabilities of which the last is the tail's; what rounds to nothing takes a count from the rarest others."""
    p = wide(np.asarray(p, np.float32))
    if not np.isfinite(p).all() or (p < 0).any():
        raise Refused("a table's probabilities are not finite and positive")
    counts = np.floor(p * TOTAL + 0.5).astype(np.uint64)
    total = counts.sum()
    if total == 0 or len(p) >= TOTAL:
        raise Refused("a table has no probabilities, or more than fit")
    counts = (counts * np.uint64(TOTAL) // total).astype(np.int64)
    counts[-1] = TOTAL - counts[:-1].sum()
    # One after the other, empty intervals take a count from the first of the rarest that have more than one. That one is still the
    # rarest then, so it gives all but one of its counts before the next one gives any.
    empty = np.flatnonzero(counts == 0)
    givers = np.flatnonzero(counts > 1)
    givers = givers[np.argsort(counts[givers], kind="stable")]
    before = np.cumsum(counts[givers] - 1) - (counts[givers] - 1)
    counts[givers] -= np.clip(len(empty) - before, 0, counts[givers] - 1)
    counts[empty] = 1
    return np.concatenate([[0], np.cumsum(counts)])


def rows_of(probabilities, tails, lengths):
    """As the buffers `_quantized_cdf` and `_cdf_length` hold them."""
    cdf = np.zeros((len(lengths), max(lengths) + 2), np.int64)
    for row, p, tail, length in zip(cdf, probabilities, tails, lengths):
        row[:length + 2] = quantized_cdf(np.append(p[:length], tail))
    return cdf, lengths + 2


def check_lengths(lengths):
    """Lengths of tables, as float; integers when they can be made."""
    if not (lengths < LONGEST).all() or lengths.max() * len(lengths) > MOST_VALUES:
        raise Refused(f"tables would have up to {lengths.max():.6g} values each: quantiles or scales are out of all proportion")
    return lengths.astype(np.int64)


def logits(prior, x):
    """The cumulative distribution of a factorized prior before its sigmoid: x [C][1][n]. `prior`: matrices, biases, factors."""
    for i, (matrix, bias) in enumerate(zip(prior["matrices"], prior["biases"])):
        x = multiply(softplus(matrix), x) + bias
        if i < len(prior["factors"]):
            x = x + tanh(prior["factors"][i]) * tanh(x)
    return x


def factorized_ranges(quantiles):
    """(lengths, offsets) of the tables of an EntropyBottleneck with these quantiles [C][1][3]"""
    low, median, high = (quantiles[:, 0, i] for i in range(3))
    with np.errstate(over="ignore", invalid="ignore"):
        below, above = (np.maximum(np.ceil(v), 0) for v in (median - low, high - median))
        return check_lengths(below + above + 1), -below.astype(np.int64)


def factorized_tables(prior):
    """(cdf, lengths, offsets) of an EntropyBottleneck: `prior` has float32 quantiles [C][1][3] besides."""
    lengths, offsets = factorized_ranges(prior["quantiles"])
    begin = prior["quantiles"][:, 0, 1] + offsets.astype(np.float32)
    samples = np.arange(lengths.max(), dtype=np.float32)[None, None] + begin[:, None, None]
    half = np.float32(0.5)
    with np.errstate(over="ignore", invalid="ignore"):
        lower, upper = logits(prior, samples - half), logits(prior, samples + half)
        probabilities = sigmoid(upper) - sigmoid(lower)
        tails = sigmoid(lower[:, 0, 0]) + sigmoid(-upper[:, 0, -1])      # of the longest table's last value, for all
    return (*rows_of(probabilities[:, 0], tails, lengths), offsets)


def normal_cdf(x):
    scaled = np.float32(-(2 ** -0.5)) * x
    return np.float32(0.5) * np.vectorize(math.erfc, otypes=[np.float64])(wide(scaled)).astype(np.float32)


def gaussian_tables(scale_table):
    """The same of a GaussianConditional with these scales, float32 and positive."""
    centres = np.ceil(scale_table * np.float32(6.1094102048693975))      # where 1e-9 is left outside
    lengths = check_lengths(2 * centres + 1)
    centres = centres.astype(np.int64)
    samples = np.abs(np.arange(lengths.max())[None] - centres[:, None]).astype(np.float32)
    half, scales = np.float32(0.5), scale_table[:, None]
    lower = normal_cdf((-half - samples) / scales)
    return (*rows_of(normal_cdf((half - samples) / scales) - lower, 2 * lower[:, 0], lengths), -centres)


def default_scales():
    """The 64 scales of CompressAI, 0.11 to 256, even in the logarithm: from both ends to the middle, as PyTorch's linspace goes."""
    first, last, i = np.float32(math.log(0.11)), np.float32(math.log(256)), np.arange(64, dtype=np.float32)
    step = (last - first) / np.float32(63)
    levels = np.where(i < 32, fma(step, i, first), fma(-step, 63 - i, last))
    return np.exp(wide(levels)).astype(np.float32)
