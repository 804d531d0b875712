"""Layouts of ONNX tensors: a tensor of the graph is a view of what a Glint node makes, [batch][channels][rows][columns].

Exporters write pixel shuffles as Reshape, Transpose, Reshape, and put channels last around norms. Here each axis of such a tensor is a
list of atoms, digits of the four indices of the node's tensor, the slowest first; reshaping and transposing moves atoms, and at
the end one looks what they amount to.
"""
from dataclasses import dataclass

import numpy as np

from .writer import Refused

BATCH, CHANNELS, ROWS, COLUMNS = range(4)
SHUFFLE_FACTORS = (2, 4, 8)


def joined(atoms):
    """Atoms (axis, low, size): the digit (index // low) % size of an index. Neighbours that are one digit become one."""
    out = []
    for axis, low, size in atoms:
        if size == 1:
            continue
        if out and out[-1][0] == axis and out[-1][1] == low * size:
            size *= out.pop()[2]
        out.append((axis, low, size))
    return tuple(out)


def size_of(atoms):
    return int(np.prod([size for _, _, size in atoms], dtype=np.int64))


def whole(axis, size):
    return joined([(axis, 1, size)])


@dataclass
class View:
    """A tensor of the ONNX graph: `op` makes the values, `axes` says where they lie."""
    op: object
    axes: tuple

    @staticmethod
    def of(op):
        return View(op, tuple(whole(axis, size) for axis, size in enumerate(op.shape)))

    @property
    def shape(self):
        return [size_of(axis) for axis in self.axes]

    def on(self, op):
        """The same layout of what another node makes, one of the same shape or with one channel alone."""
        keep = op.shape[CHANNELS] == self.op.shape[CHANNELS]
        return View(op, self.axes if keep else self.without_channels())

    def without_channels(self):
        return tuple(tuple(a for a in axis if a[0] != CHANNELS) for axis in self.axes)

    def transposed(self, order):
        return View(self.op, tuple(self.axes[i] for i in order))

    def reshaped(self, sizes):
        """`sizes`: all known, with the same product. None where a digit would have to be torn."""
        left = [atom for axis in self.axes for atom in axis][::-1]
        axes = []
        for wanted in sizes:
            atoms = []
            while wanted > 1:
                if not left:
                    return None
                axis, low, size = left.pop()
                if wanted % size == 0:
                    atoms.append((axis, low, size))
                    wanted //= size
                elif size % wanted == 0:
                    atoms.append((axis, low * (size // wanted), wanted))
                    left.append((axis, low, size // wanted))
                    wanted = 1
                else:
                    return None
            axes.append(joined(atoms))
        return None if left else View(self.op, tuple(axes))

    def channel_axis(self):
        """The axis that has all channels and nothing else, or None."""
        for i, axis in enumerate(self.axes):
            if axis and all(a[0] == CHANNELS for a in axis) and size_of(axis) == self.op.shape[CHANNELS]:
                return i
        return None

    def channel_order(self, axis):
        """Which channel of the node stands at each place of this axis."""
        return digits_to_channels(self.axes[axis])


def digits_to_channels(atoms):
    order = np.zeros(1, np.int64)
    for _, low, size in atoms:
        order = (order[:, None] + low * np.arange(size)).reshape(-1)
    return order


def materialise(builder, view, what):
    """The node whose tensor, [batch][channels][rows][columns], is the view's: shuffles and permutations of channels are made."""
    n, c, h, w = view.op.shape
    if len(view.axes) != 4 or view.axes[0] != whole(BATCH, n):
        raise Refused(f"{what}: its input has shape {view.shape}, made from {list(view.op.shape)} in no way that is known")
    _, channels, rows, columns = view.axes
    if all(a[0] == CHANNELS for a in channels):
        if rows == whole(ROWS, h) and columns == whole(COLUMNS, w):
            return permuted(builder, view.op, digits_to_channels(channels))
        down, right = rows[len(whole(ROWS, h)):], columns[len(whole(COLUMNS, w)):]
        if rows[:-1] == whole(ROWS, h) and columns[:-1] == whole(COLUMNS, w) and down and right and down[0][0] == right[0][0] == CHANNELS:
            factor = down[0][2]
            if factor in SHUFFLE_FACTORS and right[0][2] == factor and size_of(channels) * factor * factor == c:
                return shuffled(builder, view.op, digits_to_channels(channels + down + right), factor)
    factor = h // max(size_of(rows), 1)
    if factor in SHUFFLE_FACTORS and rows == joined([(ROWS, factor, h // factor)]) and columns == joined([(COLUMNS, factor, w // factor)]) \
            and size_of(channels) == c * factor * factor:
        return unshuffled(builder, view.op, channels, factor)
    raise Refused(f"{what}: a layout that is no pixel shuffle: shape {view.shape}, made from {list(view.op.shape)}")


def permuted(builder, op, order):
    """Channel k is channel order[k] of `op`."""
    if (order == np.arange(op.shape[CHANNELS])).all():
        return op
    return builder.make("permute", [op], op.shape, {"order": tuple(order.tolist())})


def shuffled(builder, op, order, factor):
    """order[(k factor + i) factor + j]: which channel of `op` goes to channel k, row i, column j of a group."""
    n, c, h, w = op.shape
    shape = (n, c // factor**2, h * factor, w * factor)
    deep = np.arange(c).reshape(factor, factor, -1).transpose(2, 0, 1).reshape(-1)
    if (order == deep).all():
        return builder.make("pixel_shuffle", [op], shape, {"factor": factor, "order": "dcr"})
    return builder.make("pixel_shuffle", [permuted(builder, op, order)], shape, {"factor": factor})


def unshuffled(builder, op, atoms, factor):
    """`atoms` of the new channels, digits of channels, rows and columns, in any order; the node makes (channel factor + i) factor + j."""
    n, c, h, w = op.shape
    made = builder.make("pixel_unshuffle", [op], (n, c * factor**2, h // factor, w // factor), {"factor": factor})
    weight = {CHANNELS: factor * factor, ROWS: factor, COLUMNS: 1}
    return permuted(builder, made, digits_to_channels([(CHANNELS, low * weight[axis], size) for axis, low, size in atoms]))
