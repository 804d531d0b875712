"""Smooth crops, made on the device: flat areas, gradients, clouds.

A photograph has a few of them, and an error there is small beside that of its textures, so a
network that learns from photographs leaves flat colours several levels off. Most of the colours are
those that programs draw with, and those of paper and night: pure colours, what is near the corners
of the RGB cube, greys. drawn/ has flat areas and gradients too, among many things and as parts of
larger pictures; here each crop is one of its own, with corners, and their errors can be weighed by
themselves.
"""
import math

import torch
import torch.nn.functional as F


def colours(count, device):
    """[count,3,1,1] in 0..1"""
    any_colour = torch.rand(count, 3, device=device)
    grey = torch.rand(count, 1, device=device).expand(-1, 3)
    corner = torch.randint(0, 2, (count, 3), device=device).float()
    # Beside a corner, most often white or black: paper, night. Where corners alone are learned,
    # what is near them is drawn towards them by a level.
    beside = torch.where(torch.rand(count, 1, device=device) < 0.6, corner[:, :1], corner)
    beside = torch.lerp(beside, 1 - beside, 0.15 * torch.rand(count, 3, device=device) ** 2
                        + 0.05 * torch.rand(count, 1, device=device))
    # Pure colours: all corners but white and black.
    pure = torch.randint(1, 7, (count, 1), device=device) >> torch.arange(3, device=device) & 1
    pure = pure.float()
    kind = torch.rand(count, 1, device=device)
    out = any_colour
    for share, colour in ((0.8, grey), (0.72, beside), (0.5, pure)):
        out = torch.where(kind < share, colour, out)
    return out[:, :, None, None]


def ramps(count, crop, device):
    """Share of the second colour, [count,1,crop,crop] in 0..1."""
    def number(low, high):
        return torch.empty(count, 1, 1, 1, device=device).uniform_(low, high)
    along = torch.linspace(-1, 1, crop, device=device)
    y, x = along[:, None], along[None, :]
    angle = number(0, 2 * math.pi)
    across = x * torch.cos(angle) + y * torch.sin(angle) - number(-0.7, 0.7)
    linear = (0.5 + across * torch.exp(number(math.log(0.1), math.log(4)))).clamp(0, 1)
    distance = torch.sqrt((x - number(-1, 1)) ** 2 + (y - number(-1, 1)) ** 2)
    radial = (distance / torch.exp(number(math.log(0.3), math.log(3)))).clamp(0, 1)
    cells = torch.rand(count, 1, 6, 6, device=device)
    cloud = F.interpolate(cells, (crop, crop), mode="bicubic", align_corners=True).clamp(0, 1)
    kind = number(0, 1)
    out = torch.zeros(count, 1, crop, crop, device=device)      # one colour
    for share, ramp in ((0.55, linear), (0.3, radial), (0.15, cloud)):
        out = torch.where(kind < share, ramp, out)
    return out


def crops(count, crop, device):
    """float32 [count,3,crop,crop] in 0..1, of 8 bits a sample"""
    first, second = colours(count, device), colours(count, device)
    return torch.round(255 * torch.lerp(first, second, ramps(count, crop, device))) / 255
