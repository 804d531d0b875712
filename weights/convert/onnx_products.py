"""Convolutions of ONNX as Glint has them: kernels of every padding in odd kernels that are centred, patches by pixel shuffles."""
import numpy as np

from .onnx_views import SHUFFLE_FACTORS
from .writer import Refused

KERNEL_LIMIT = 15
# Transposed kernels of stride 2: size -> (padding, output_padding). Output 2 i + d gets tap d + padding, d from -padding.
TRANSPOSED = {3: (1, 1), 4: (1, 0), 5: (2, 1)}


def of_two(node, key, default):
    values = node.attributes.get(key) or [default, default]
    if not isinstance(values, list) or len(values) != 2:
        raise Refused(f"{key} {values}; convolutions of two dimensions are known")
    return values


def kernel_of(node, weight):
    if weight is None or weight.ndim != 4 or weight.dtype.kind != "f" or 0 in weight.shape:
        raise Refused("weights that are no constants of four dimensions")
    if of_two(node, "kernel_shape", 0) not in ([0, 0], list(weight.shape[2:])):
        raise Refused(f"kernel_shape {node.attributes['kernel_shape']} beside weights {list(weight.shape)}")
    if of_two(node, "dilations", 1) != [1, 1]:
        raise Refused(f"dilations {node.attributes['dilations']}; 1 is known")
    strides = of_two(node, "strides", 1)
    if strides[0] != strides[1]:
        raise Refused(f"strides {strides}; equal ones are known")
    return weight.astype(np.float64), strides[0]


def auto_pads(node, totals):
    """[top, left] and [bottom, right] from `pads`, or from auto_pad, whose sums are `totals`."""
    auto = node.attributes.get("auto_pad", b"NOTSET")
    if auto in (b"NOTSET", b""):
        pads = node.attributes.get("pads") or [0, 0, 0, 0]
        if not isinstance(pads, list) or len(pads) != 4:
            raise Refused(f"pads {pads}")
        return pads[:2], pads[2:]
    if auto == b"VALID":
        return [0, 0], [0, 0]
    if auto not in (b"SAME_UPPER", b"SAME_LOWER"):
        raise Refused(f"auto_pad {auto!r}")
    small, large = [max(t, 0) // 2 for t in totals], [(max(t, 0) + 1) // 2 for t in totals]
    return (small, large) if auto == b"SAME_UPPER" else (large, small)


def centred(weight, before, square):
    """The same correlation with an odd kernel whose middle is tap `before`; `square`: as broad as it is high."""
    half = [max(b, k - 1 - b) for b, k in zip(before, weight.shape[2:])]
    half = [max(half)] * 2 if square else half
    if max(half) * 2 + 1 > KERNEL_LIMIT or min(before) < 0 or any(b >= k for b, k in zip(before, weight.shape[2:])):
        raise Refused(f"a kernel of {list(weight.shape[2:])} with pads {list(before)}; known around a middle, up to {KERNEL_LIMIT}")
    pads = [(h - b, h - (k - 1 - b)) for h, b, k in zip(half, before, weight.shape[2:])]
    return np.pad(weight, ((0, 0), (0, 0), *pads))


def with_bias(weights, bias, outputs):
    if bias is None:
        return weights
    if bias.shape != (outputs,):
        raise Refused(f"a bias of shape {list(bias.shape)} for {outputs} channels")
    return {**weights, "bias": bias}


def unpermuted(x, weight):
    """Permutations of channels before a product go into its weights."""
    if x.op != "permute" or x.shared:
        return x, weight
    out = np.empty_like(weight)
    out[:, list(x.attributes["order"])] = weight
    return x.inputs[0], out


def conv(builder, node, x, weight, bias):
    weight, stride = kernel_of(node, weight)
    (n, channels, *sizes), (outputs, depth, *kernel) = x.shape, weight.shape
    groups = node.attributes.get("group", 1)
    if depth * groups != channels:
        raise Refused(f"weights {list(weight.shape)} in {groups} groups for {channels} channels")
    depthwise = groups == channels and groups > 1
    if groups != 1 and not (depthwise and outputs == channels):
        raise Refused(f"{groups} groups of {channels} channels to {outputs}; 1, and one for each channel, are known")
    before, after = auto_pads(node, [(-(-s // stride) - 1) * stride + k - s for s, k in zip(sizes, kernel)])
    if any(b + a + s < k for b, a, s, k in zip(before, after, sizes, kernel)):
        raise Refused("a kernel larger than its input")
    made = [(s + b + a - k) // stride + 1 for s, b, a, k in zip(sizes, before, after, kernel)]
    if made != [-(-s // stride) for s in sizes]:
        raise Refused(f"pads {before + after} of a kernel {kernel}, stride {stride}: size {sizes} becomes {made}, "
                      f"not {[-(-s // stride) for s in sizes]}")
    shape = (n, outputs, *made)
    if stride in SHUFFLE_FACTORS and kernel == [stride, stride] and before + after == [0, 0, 0, 0] and groups == 1:
        patch = builder.make("pixel_unshuffle", [x], (n, channels * stride**2, *made), {"factor": stride})
        weights = with_bias({"weight": weight.reshape(outputs, -1, 1, 1)}, bias, outputs)
        return builder.make("conv2d", [patch], shape, {"stride": 1, "padding": 0, "mask": "none"}, weights)
    if stride not in (1, 2):
        raise Refused(f"stride {stride}; 1 and 2 are known, and patches of 4 x 4 and 8 x 8")
    if depthwise:
        weights = with_bias({"weight": centred(weight, before, False)}, bias, outputs)
        return builder.make("depthwise_conv2d", [x], shape, {"stride": stride}, weights)
    x, weight = unpermuted(x, centred(weight, before, True))
    attributes = {"stride": stride, "padding": weight.shape[2] // 2, "mask": "none"}
    return builder.make("conv2d", [x], shape, attributes, with_bias({"weight": weight}, bias, outputs))


def conv_transpose(builder, node, x, weight, bias):
    weight, stride = kernel_of(node, weight)
    (n, channels, *sizes), (depth, outputs, *kernel) = x.shape, weight.shape
    if node.attributes.get("group", 1) != 1 or depth != channels:
        raise Refused(f"weights {list(weight.shape)} in {node.attributes.get('group', 1)} groups for {channels} channels; 1 group is known")
    if node.attributes.get("output_shape"):
        raise Refused("output_shape; pads and output_padding are known")
    extra = of_two(node, "output_padding", 0)
    before, after = auto_pads(node, [k - stride + e for k, e in zip(kernel, extra)])
    made = [(s - 1) * stride - b - a + k + e for s, b, a, k, e in zip(sizes, before, after, kernel, extra)]
    if made != [s * stride for s in sizes]:
        raise Refused(f"pads {before + after} and output_padding {extra} of a kernel {kernel}: size {sizes} becomes {made}, "
                      f"not {stride} times it")
    shape = (n, outputs, *made)
    if stride in SHUFFLE_FACTORS and kernel == [stride, stride] and before == [0, 0]:
        x, rows = unpermuted(x, weight.transpose(1, 2, 3, 0).reshape(-1, channels, 1, 1))
        wide = with_bias({"weight": rows}, None if bias is None else np.repeat(bias, stride**2), outputs * stride**2)
        patch = builder.make("conv2d", [x], (n, outputs * stride**2, *sizes), {"stride": 1, "padding": 0, "mask": "none"}, wide)
        return builder.make("pixel_shuffle", [patch], shape, {"factor": stride})
    if stride == 1:      # a convolution with the kernel turned round
        before = [k - 1 - b for k, b in zip(kernel, before)]
        x, turned = unpermuted(x, centred(weight.transpose(1, 0, 2, 3)[:, :, ::-1, ::-1], before, True))
        return builder.make("conv2d", [x], shape, {"stride": 1, "padding": turned.shape[2] // 2, "mask": "none"},
                            with_bias({"weight": turned}, bias, outputs))
    for size, (padding, output_padding) in TRANSPOSED.items():
        lead = [padding - b for b in before]
        tail = [size - k - l for k, l in zip(kernel, lead)]
        if stride == 2 and min(lead + tail) >= 0:
            weights = with_bias({"weight": np.pad(weight, ((0, 0), (0, 0), *zip(lead, tail)))}, bias, outputs)
            attributes = {"stride": 2, "padding": padding, "output_padding": output_padding}
            return builder.make("conv_transpose2d", [x], shape, attributes, weights)
    raise Refused(f"a kernel {kernel} of stride {stride} with pads {before}; stride 2 with taps within 2 of the middle is known")
