"""The two entropy models of CompressAI: what they take from a state dict, and the tables that become of them."""
import numpy as np

from .compressai_state import PRIOR
from .tables import default_scales, factorized_ranges, factorized_tables, gaussian_tables
from .writer import Refused, fixed_tables, scale_tables

GAUSSIAN = "gaussian_conditional"
SCALE_BOUND = np.float32(0.11)


class FactorizedPrior:
    """The EntropyBottleneck: a table and a median for each channel."""

    def __init__(self, weights, channels):
        widths = (1, 3, 3, 3, 3, 1)
        take = lambda kind, i, *shape: weights.take(f"{PRIOR}.{kind}.{i}", channels, *shape)
        self.parameters = {"matrices": [take("matrices", i, widths[i + 1], widths[i]) for i in range(5)],
                           "biases": [take("biases", i, widths[i + 1], 1) for i in range(5)],
                           "factors": [take("factors", i, widths[i + 1], 1) for i in range(4)],
                           "quantiles": weights.take(f"{PRIOR}.quantiles", channels, 1, 3)}
        weights.skip(f"{PRIOR}.target", f"{PRIOR}.likelihood_lower_bound.bound")
        self.channels, self.stored = channels, weights.buffers(PRIOR)
        self.medians = self.parameters["quantiles"][:, 0, 1].copy()

    def before_rounding(self, g, x):
        return g.shift(f"{PRIOR}.minus_medians", x, np.float32(0) - self.medians)

    def after_rounding(self, g, x):
        return g.shift(f"{PRIOR}.medians", x, self.medians)

    def tables(self, tensors, base, anew, note):
        if self.stored is None or anew:
            return fixed_tables(tensors, base, *factorized_tables(self.parameters))
        if len(self.stored[2]) != self.channels:
            raise Refused(f"{PRIOR} has stored tables of {len(self.stored[2])} channels, it has {self.channels}")
        made = fixed_tables(tensors, base, *self.stored)
        lengths, offsets = factorized_ranges(self.parameters["quantiles"])
        others = int(((self.stored[2] != offsets) | (self.stored[1] != lengths + 2)).sum())
        if others:
            note(f"the stored tables of {others} of {self.channels} channels are not those of the prior. If training went on after "
                 "update(), --update computes them anew")
        return made


class Gaussian:
    """The GaussianConditional: a table for each of some scales."""

    def __init__(self, weights, name=GAUSSIAN):
        self.name, self.stored = name, weights.buffers(name)
        self.scales = weights.arrays.get(f"{name}.scale_table", np.zeros(0, np.float32))
        self.bound = weights.constant(f"{name}.scale_bound", SCALE_BOUND)
        self.bound = weights.constant(f"{name}.lower_bound_scale.bound", self.bound)
        weights.skip(f"{name}.scale_table", f"{name}.likelihood_lower_bound.bound")

    def same(self, other):
        """Do both give the same tables?"""
        if (self.stored is None) != (other.stored is None):
            return False
        pairs = [(self.scales, other.scales), (self.bound, other.bound), *zip(self.stored or (), other.stored or ())]
        return all(np.array_equal(a, b) for a, b in pairs)

    def tables(self, tensors, base, anew, _):
        if self.stored is not None and not anew:
            return scale_tables(tensors, base, *self.stored, self.scales, self.bound)
        scales = self.scales if self.scales.size else default_scales()
        if scales.ndim != 1 or scales.dtype.kind != "f" or len(scales) > 256 or not (scales > 0).all():
            raise Refused(f"{self.name}.scale_table is not 1 to 256 positive numbers")
        return scale_tables(tensors, base, *gaussian_tables(scales), scales, self.bound)
