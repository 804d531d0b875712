"""The state dict of a model of CompressAI: which of its values are taken, which are missing or left over."""
import re

import numpy as np

from .writer import Refused

PRIOR = "entropy_bottleneck"
BUFFERS = ("_quantized_cdf", "_cdf_length", "_offset")
MOST_CHANNELS = 4096


def plain_key(key):
    """The key of today: before CompressAI 1.2.7 a prior had `_matrix0`, in between `_matrices.0`; blocks had `downsample`. Models with
    `latent_codec` have hyper transforms and prior within it, at places that differ by version: here they are where all others have them."""
    inner = re.fullmatch(rf"latent_codec\.(?:hyper\.)?((?:h_a|h_s)\..*)|latent_codec\.(?:hyper|z)\.({PRIOR}\..*)", key)
    if inner:
        key = inner[1] or inner[2]
    old = re.fullmatch(rf"{PRIOR}\.(?:_(matrix|bias|factor)|_(matrices|biases|factors)\.)(\d+)", key)
    if old:
        plural = {"matrix": "matrices", "bias": "biases", "factor": "factors"}
        return f"{PRIOR}.{old[2] or plural[old[1]]}.{old[3]}"
    return re.sub(r"^(g_a\.\d+)\.downsample\.", r"\1.skip.", key)


def some(keys):
    keys = sorted(keys)
    return ", ".join(k[:120] for k in keys[:12]) + (f" and {len(keys) - 12} more" if len(keys) > 12 else "")


class Weights:
    """The values of a state dict, by key. What is taken is noted, and so is what should have been there."""

    def __init__(self, arrays):
        self.arrays, self.missing, self.used = {}, set(), set()
        for key, values in arrays.items():
            if plain_key(key) in self.arrays:
                raise Refused(f"{plain_key(key)} is there twice, in the styles of two versions of CompressAI")
            self.arrays[plain_key(key)] = values

    def __contains__(self, key):
        return key in self.arrays

    def outputs(self, name):
        """How many channels a convolution makes, where that is for the model to say."""
        return self.shape(f"{name}.weight", 4)[0]

    def shape(self, key, dimensions):
        """The shape of what tells N or M."""
        if key not in self.arrays:
            raise Refused(f"key {key} is missing, from which the number of channels is taken")
        shape = self.arrays[key].shape
        if len(shape) != dimensions or not all(1 <= n <= MOST_CHANNELS for n in shape):
            raise Refused(f"{key} has shape {list(shape)}, not {dimensions} dimensions of 1 to {MOST_CHANNELS}")
        return shape

    def take(self, key, *shape):
        """float32 of this shape; zeros for what is missing, until `finish`."""
        self.used.add(key)
        if key not in self.arrays:
            self.missing.add(key)
            return np.broadcast_to(np.float32(0), shape)
        values = self.arrays[key]
        if values.shape != shape or values.dtype.kind != "f":
            raise Refused(f"{key} has shape {list(values.shape)} of {'float' if values.dtype.kind == 'f' else 'integer'} numbers, "
                          f"the architecture wants {list(shape)} of float numbers")
        return values

    def masked(self, name, live, outputs, inputs):
        """Weights of a masked convolution as they take effect. `live` [k][k]: the taps that its type of mask has. CompressAI stores the
        mask beside the weights; one that leaves out more taps is obeyed."""
        shape, key = (outputs, inputs, *live.shape), f"{name}.mask"
        values, mask = self.take(f"{name}.weight", *shape), self.arrays.get(key, np.broadcast_to(live, shape))
        self.used.add(key)
        if mask.shape != shape or not np.isin(mask, (0, 1)).all():
            raise Refused(f"{key} is not zeros and ones of shape {list(shape)}")
        if (mask > live).any():
            raise Refused(f"{key} lets taps through that are not coded yet: it is a mask of another type than this architecture has")
        return np.where(mask, values, np.float32(0))

    def constant(self, key, default):
        """A number that CompressAI stores beside the parameters; older versions do not."""
        self.used.add(key)
        values = self.arrays.get(key)
        if values is None:
            return default
        if values.size != 1 or values.dtype.kind != "f":
            raise Refused(f"{key} is not one float number, but of shape {list(values.shape)}")
        return values.reshape(())[()]

    def skip(self, *keys):
        """What matters in training only."""
        self.used.update(keys)

    def buffers(self, module):
        """The integer tables of a module, or None where `update()` was not called before it was saved."""
        found = [self.arrays.get(f"{module}.{name}", np.zeros(0)) for name in BUFFERS]
        self.used.update(f"{module}.{name}" for name in BUFFERS)
        full = [name for name, values in zip(BUFFERS, found) if values.size]
        if full and len(full) < len(BUFFERS):
            raise Refused(f"{module} has {' and '.join(full)}, but not {' and '.join(n for n in BUFFERS if n not in full)}")
        return found if full else None

    def finish(self):
        if self.missing:
            raise Refused(f"keys are missing, whose parameters would stay random: {some(self.missing)}")
        unused = set(self.arrays) - self.used
        if unused:
            raise Refused(f"keys are left over that this architecture has no use for: {some(unused)}")
