"""Quantisation as the engine's kernels do it, simulated in training (docs/QUANTISATION.md, W8A8).

Inputs of the convolutions inside g_a and g_s are uint8 with a zero point, a factor per channel and a step that follows the rate;
weights are int8 per output channel, rounded to the nearest. What stays at 16 bits there (the picture, GDN, y, what is added later)
is not simulated: it costs a hundredth of a percent. Entropy networks have int8 weights and inputs of 16 bits.

Everything is a straight-through estimate: forward as integers would have it, gradients as if nothing had been rounded; of what is clipped, none.
"""
import torch

KNOTS = 5                 # of ranges over t in -1..1
FORGET = 0.998            # of the widest that was seen, a step
LEAST = 1e-6
ENTROPY = ("ha", "hs", "c0", "c1", "p0", "p1")


class _RoundActivations(torch.autograd.Function):
    """x [B,C,H,W] -> (clamp(round(x / unit) + zero, 0, 255) - zero) * unit; unit [B,C,1,1], zero a number."""

    @staticmethod
    def forward(ctx, x, unit, zero):
        q = torch.round_(x / unit)
        inside = (q >= -zero) & (q <= 255 - zero)
        ctx.save_for_backward(inside)
        return q.clamp_(-zero, 255 - zero).mul_(unit)

    @staticmethod
    def backward(ctx, g):
        return g * ctx.saved_tensors[0], None, None


def round_weights(w, factor, out_dim):
    """w as int8 with a scale per output channel; `factor`, along the input channels, is what smoothing moves into it."""
    view = [1, 1, 1, 1]
    view[1 - out_dim] = -1
    scaled = w.detach() * factor.view(view)
    scale = scaled.abs().amax([d for d in range(4) if d != out_dim], keepdim=True).clamp_min(1e-12) / 127
    return w + (torch.round(scaled / scale) * scale / factor.view(view) - w.detach())


class LayerQuantiser:
    """Of one layer. Ranges are the widest values seen lately around each knot of t; nothing is rounded before each knot has seen some."""

    def __init__(self, channels, out_dim, eight_bit_input, rate, device):
        self.out_dim, self.eight_bit_input, self.rate = out_dim, eight_bit_input, rate
        self.factor = torch.ones(channels, device=device)
        self.low = torch.zeros(KNOTS, channels, device=device)
        self.high = torch.zeros(KNOTS, channels, device=device)
        self.calls = 0

    @torch.no_grad()
    def observe(self, x, t):
        knot = torch.round((t + 1) / 2 * (KNOTS - 1)).long().clamp(0, KNOTS - 1)
        low, high = x.amin((2, 3)).clamp_max(0), x.amax((2, 3)).clamp_min(0)
        self.low.mul_(FORGET)
        self.high.mul_(FORGET)
        for i, k in enumerate(knot.tolist()):
            self.low[k] = torch.minimum(self.low[k], low[i])
            self.high[k] = torch.maximum(self.high[k], high[i])

    @torch.no_grad()
    def smooth(self, w):
        """factor = sqrt(range / greatest weight), its geometric mean being 1."""
        dims = [d for d in range(4) if d != 1 - self.out_dim]
        most = w.abs().amax(dims)
        spread = torch.maximum(self.high, -self.low)
        spread = torch.maximum(spread, 1e-3 * spread.amax(1, keepdim=True)).clamp_min(LEAST).log().mean(0)
        factor = 0.5 * (spread - torch.maximum(most, 1e-3 * most.max()).clamp_min(LEAST).log())
        self.factor = torch.exp(factor - factor.mean())

    @torch.no_grad()
    def grid(self, t):
        """(unit [B,C,1,1], zero): between knots the logarithm of the step is a straight line."""
        below = (-self.low / self.factor).amax(1)
        above = (self.high / self.factor).amax(1).clamp_min(LEAST)
        zero = int(torch.round(255 * (below / (below + above)).mean()).clamp(0, 254))
        if zero == 0 and below.max() > 0:
            zero = 1
        step = above / (255 - zero)
        if zero > 0:
            step = torch.maximum(step, below / zero)
        place = ((t + 1) / 2 * (KNOTS - 1)).clamp(0, KNOTS - 1 - 1e-4)
        left = place.long()
        log = step.log()
        at = torch.exp(torch.lerp(log[left], log[left + 1], place - left))
        return at[:, None, None, None] * self.factor[None, :, None, None], zero

    def __call__(self, x, w, training):
        if not self.eight_bit_input:
            return x, round_weights(w, self.factor, self.out_dim)
        t = self.rate.t
        if training:
            self.observe(x, t)
        if training and self.calls % 50 == 0:
            self.smooth(w)
        self.calls += training
        if self.calls <= 50 or not bool((self.high.amax(1) > 0).all()):
            return x, w
        unit, zero = self.grid(t)
        return _RoundActivations.apply(x, unit.to(x.dtype), zero), round_weights(w, self.factor, self.out_dim)


class Rate:
    """What the quantisers of a network share: t [B] of the batch, to be set before each step."""
    t = None


def attach(net, device):
    """Gives every convolution of `net` that W8A8 keeps in 8-bit weights its quantiser. Returns their Rate."""
    rate = Rate()
    for name, module in net.named_modules():
        if not hasattr(module, "quantiser") or name == "a1" or name.endswith(".a"):
            continue
        transposed = isinstance(module, torch.nn.ConvTranspose2d)
        channels = module.weight.shape[0 if transposed else 1]
        module.quantiser = LayerQuantiser(channels, 1 if transposed else 0, not name.startswith(ENTROPY), rate, device)
    return rate
