"""Quantisation as the engine's kernels do it, simulated in training (docs/QUANTISATION.md, W8A8 with digits).

Inputs of the convolutions inside g_a and g_s are uint8 with a zero point, a factor per channel and a step that follows the rate;
weights are int8 per output channel, rounded to the nearest. Where a byte loses most, of an activation or of a channel's weights, a
second digit carries the rest: DIGITS of them for each input channel. What stays at 16 bits there (the picture, GDN, y, what is added
later) is not simulated: it costs a hundredth of a percent. Entropy networks have int8 weights and inputs of 16 bits.

Everything is a straight-through estimate: forward as integers would have it, gradients as if nothing had been rounded; of what is clipped, none.
"""
import torch

KNOTS = 5                 # of ranges over t in -1..1
FORGET = 0.998            # of the widest that was seen, a step
LEAST = 1e-6
DIGITS = 1 / 8            # as `quantize` has it without --splitting
BASE = 16                 # of a digit
EVERY = 50                # steps between two choices of factors and digits
EXPONENTS = [(a, b) for a in (0.0, 0.25, 0.4, 0.5, 0.6, 0.75, 1.0) for b in (0.0, 0.25, 0.5)]
ENTROPY = ("ha", "hs", "c0", "c1", "p0", "p1")


class _RoundActivations(torch.autograd.Function):
    """x [B,C,H,W] -> clamp(round(x / unit), low, high) * unit; unit [B,C,1,1], low and high [1,C,1,1]."""

    @staticmethod
    def forward(ctx, x, unit, low, high):
        q = torch.round_(x / unit)
        clamped = torch.maximum(torch.minimum(q, high), low)
        ctx.save_for_backward(clamped == q)
        return clamped.mul_(unit)

    @staticmethod
    def backward(ctx, g):
        return g * ctx.saved_tensors[0], None, None, None


class LayerQuantiser:
    """Of one layer. Ranges are the widest values seen lately around each knot of t; nothing is rounded before each knot has seen some."""

    def __init__(self, channels, out_dim, eight_bit_input, rate, device):
        self.out_dim, self.eight_bit_input, self.rate = out_dim, eight_bit_input, rate
        self.factor = torch.ones(channels, device=device)
        self.low = torch.zeros(KNOTS, channels, device=device)
        self.high = torch.zeros(KNOTS, channels, device=device)
        self.square = torch.zeros(KNOTS, channels, device=device)       # mean of x^2
        self.fine = torch.zeros(channels, dtype=torch.bool, device=device)     # channels whose activations have a second digit
        self.exact = torch.zeros(channels, dtype=torch.bool, device=device)    # channels whose weights have one
        self.digits = max(1, round(DIGITS * channels)) if eight_bit_input and DIGITS else 0
        self.calls = 0

    def along_inputs(self, w, v):
        view = [1, 1, 1, 1]
        view[1 - self.out_dim] = -1
        return v.view(view).to(w.dtype)

    def scales(self, w, factor):
        """Per output channel; w times `factor`, what smoothing moves into it, fills -127..127."""
        scaled = w.detach() * self.along_inputs(w, factor)
        return scaled, scaled.abs().amax([d for d in range(4) if d != self.out_dim], keepdim=True).clamp_min(1e-12) / 127

    def round_weights(self, w):
        scaled, scale = self.scales(w, self.factor)
        rounded = torch.round(scaled / scale)
        if self.digits:
            rest = torch.round((scaled / scale - rounded) * BASE).clamp(-127, 127) / BASE
            rounded = rounded + rest * self.along_inputs(w, self.exact)
        return w + (rounded * scale / self.along_inputs(w, self.factor) - w.detach())

    @torch.no_grad()
    def observe(self, x, t):
        knot = torch.round((t + 1) / 2 * (KNOTS - 1)).long().clamp(0, KNOTS - 1)
        low, high, square = x.amin((2, 3)).clamp_max(0), x.amax((2, 3)).clamp_min(0), (x * x).mean((2, 3))
        self.low.mul_(FORGET)
        self.high.mul_(FORGET)
        for i, k in enumerate(knot.tolist()):
            self.low[k] = torch.minimum(self.low[k], low[i])
            self.high[k] = torch.maximum(self.high[k], high[i])
            self.square[k] = torch.where(self.square[k] > 0, torch.lerp(self.square[k], square[i], 0.02), square[i])

    def steps(self, factor):
        """(step at each knot, zero) for bytes of x / factor."""
        below = (-self.low / factor).amax(1)
        above = (self.high / factor).amax(1).clamp_min(LEAST)
        zero = int(torch.round(255 * (below / (below + above)).mean()).clamp(0, 254))
        if below.max() > 0:
            zero = max(zero, 1)
        if self.digits:
            zero = min(max(zero, BASE // 2), 255 - BASE // 2)
        step = above / (255 - zero)
        if zero > 0:
            step = torch.maximum(step, below / zero)
        return step, zero

    @torch.no_grad()
    def choose(self, w):
        """Factors, range^a / greatest weight^b with the exponents of the least noise expected, and the digits that take most of it away."""
        dims = [d for d in range(4) if d != 1 - self.out_dim]
        power, most = (w * w).sum(dims), w.abs().amax(dims)
        signal = (self.square * power).sum(1, keepdim=True).clamp_min(1e-30)
        spread = torch.maximum(self.high, -self.low)
        spread = torch.maximum(spread, 1e-3 * spread.amax(1, keepdim=True)).clamp_min(LEAST).log().mean(0)
        most = torch.maximum(most, 1e-3 * most.max()).clamp_min(LEAST).log()
        least = float("inf")
        for a, b in EXPONENTS:
            factor = a * spread - b * most
            factor = torch.exp(factor - factor.mean())
            step, _ = self.steps(factor)
            scale = self.scales(w, factor)[1]
            taps = w.shape[2] * w.shape[3]
            noise = torch.cat([((step[:, None] * factor) ** 2 * power / signal).sum(0),
                               (self.square / factor ** 2 / signal).sum(0) * taps * (scale ** 2).sum()])
            taken = noise.topk(self.digits).indices if self.digits else []
            left = float(noise.sum() - (1 - BASE ** -2) * noise[taken].sum())
            if left < least:
                least, self.factor = left, factor
                split = torch.zeros_like(noise, dtype=torch.bool)
                split[taken] = True
                self.fine, self.exact = split.chunk(2)

    @torch.no_grad()
    def grid(self, t):
        """(unit [B,C,1,1], low and high [1,C,1,1] in units): between knots the logarithm of the step is a straight line."""
        step, zero = self.steps(self.factor)
        place = ((t + 1) / 2 * (KNOTS - 1)).clamp(0, KNOTS - 1 - 1e-4)
        left = place.long()
        log = step.log()
        at = torch.exp(torch.lerp(log[left], log[left + 1], place - left))
        parts = torch.where(self.fine, float(BASE), 1.0)
        return (at[:, None, None, None] * (self.factor / parts)[None, :, None, None],
                (-zero * parts)[None, :, None, None], ((255 - zero) * parts)[None, :, None, None])

    def __call__(self, x, w, training):
        if not self.eight_bit_input:
            return x, self.round_weights(w)
        t = self.rate.t
        if training:
            self.observe(x, t)
            if self.calls % EVERY == 0:
                self.choose(w)
            self.calls += 1
        if self.calls <= EVERY or not bool((self.high.amax(1) > 0).all()):
            return x, w
        return _RoundActivations.apply(x, *(v.to(x.dtype) for v in self.grid(t))), self.round_weights(w)


class Rate:
    """What the quantisers of a network share: t [B] of the batch, to be set before each step."""
    t = None


def attach(net, device):
    """Gives every convolution of `net` that W8A8 keeps in 8-bit weights its quantiser. Returns their Rate."""
    rate = Rate()
    for name, module in net.named_modules():
        if not hasattr(module, "quantiser") or name == "a1" or (name.endswith(".a") and not DIGITS):
            continue
        transposed = isinstance(module, torch.nn.ConvTranspose2d)
        channels = module.weight.shape[0 if transposed else 1]
        module.quantiser = LayerQuantiser(channels, 1 if transposed else 0, not name.startswith(ENTROPY), rate, device)
    return rate
