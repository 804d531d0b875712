"""exp, log1p, sigmoid, softplus and tanh as PyTorch computes them in float32 on CPUs.

All but tanh call functions of SLEEF (https://sleef.org) within one unit in the last place. Those are polynomials in float32 with fused
multiply-adds, partly in pairs of float32 (high + low), so their results are known to the last bit, and the same here. tanh goes
through Intel's MKL in the PyTorch that most people have; it is the nearest float32 in 99.3 % of cases, and always here.
"""
import numpy as np

F = np.float32
LN2_HIGH, LN2_LOW, PER_LN2 = F(0.693145751953125), F(1.428606765330187e-06), F(1.4426950408889634)


def wide(x):
    return np.asarray(x, np.float64)


def fma(a, b, c):
    """a * b + c, rounded once: the product of float32 is exact in float64."""
    return (wide(a) * wide(b) + wide(c)).astype(F)


def polynomial(x, first, *others):
    total = F(first)
    for coefficient in others:
        total = fma(total, x, F(coefficient))
    return total


def exp(x):
    k = np.rint(x * PER_LN2)
    s = fma(k, -LN2_LOW, fma(k, -LN2_HIGH, x))
    u = polynomial(s, 0.00019852761761285365, 0.0013930435525253415, 0.008333360776305199, 0.041666485369205475, 0.16666667163372040, 0.5)
    with np.errstate(over="ignore", under="ignore"):
        u = np.ldexp(F(1) + fma(s * s, u, s), np.clip(k, -300, 300).astype(np.int32))
    return np.where(x < -104, F(0), np.where(x > 100, F(np.inf), u))


def pair_sum(x, y):
    """Of pairs with |x| >= |y|"""
    s = x[0] + y[0]
    return s, (((x[0] - s) + y[0]) + x[1]) + y[1]


def scaled(x, y):
    s = x[0] * y
    return s, fma(x[1], y, fma(x[0], y, -s))


def quotient(n, d):
    t = F(1) / d[0]
    s = n[0] * t
    v = fma(-d[1], t, fma(-d[0], t, F(1)))
    return s, fma(s, v, fma(n[1], t, fma(t, n[0], -s)))


def log1p(x):
    """For 0 <= x < 1e38"""
    e = np.frexp((x + F(1)) * F(1 / 0.75))[1] - 1
    t = np.ldexp(F(1), -e)
    m = fma(x, t, t - F(1))
    two = F(2) + m
    r = quotient((m, F(0)), (two, (F(2) - two) + m))
    rr = r[0] * r[0]
    s = scaled((F(0.69314718246459961), F(-1.904654323148236e-09)), e.astype(F))
    s = pair_sum(s, (r[0] * F(2), r[1] * F(2)))
    last = (rr * r[0]) * polynomial(rr, 0.3027294874, 0.3996108174, 0.6666694880)
    total = s[0] + last
    return total + (((s[0] - total) + last) + s[1])


def sigmoid(x):
    with np.errstate(over="ignore"):
        return F(1) / (F(1) + exp(-x))


def softplus(x):
    return np.where(x > 20, x, log1p(exp(np.minimum(x, F(20)))))


def tanh(x):
    return np.tanh(wide(x)).astype(F)
