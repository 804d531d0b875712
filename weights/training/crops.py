"""Crops to train on: of photographs, of pictures that no camera makes (synthetic.py), smooth ones.

Photographs and drawn pictures lie on the device as uint8, 0.8 MB each; a batch is cut, shrunk,
mirrored and transposed there.
"""
import time

import numpy as np
import torch
import torch.nn.functional as F

import drawing
import smooth

SIDE = drawing.SIDE
DRAWN = 160             # drawn pictures that are there at a time; with drawers three times that
DRAWING_SHARE = 0.02    # of the time of training, for new ones in place of old ones
SHRUNK = 0.3            # share of the batches that are shrunk, to half at most
SMOOTH_WEIGHT = 16.0    # of the error of a smooth crop, beside 1 of others


class Crops:
    """Draws batches. `drawn_share` of the crops are of drawn pictures, `smooth_share` are smooth,
    the others of photographs.

    Choices are those of torch's random numbers (torch.manual_seed), drawn pictures those of `seed`.
    drawers: processes that draw; 0: this one does, in a share of its time
    """

    def __init__(self, folder, drawn_share, smooth_share, device, seed, drawers=0):
        self.drawn_share, self.smooth_share, self.device = drawn_share, smooth_share, device
        self.random = np.random.default_rng(seed)
        photos = drawing.photographs(folder)
        self.photo_count = len(photos)
        self.drawings, drawn = None, []
        if drawn_share > 0:
            self.drawings = (drawing.Elsewhere(folder, drawers, self.random) if drawers
                             else drawing.Here(photos, self.random))
            drawn = [self.drawings.take() for _ in range(3 * DRAWN if drawers else DRAWN)]
            if drawn[-1] is None:
                raise SystemExit("all processes that draw have died")
        self.pictures = torch.from_numpy(np.stack(photos + drawn)).to(device)
        self.began, self.spent = time.monotonic(), 0.0

    def renew(self):
        """One drawn picture takes the place of another, unless that had its share of the time."""
        began = time.monotonic()
        if self.drawings is None or self.spent > DRAWING_SHARE * (began - self.began):
            return
        if not self.drawings.ready:
            return
        drawn = self.drawings.take()
        if drawn is None:
            return
        place = self.random.integers(self.photo_count, len(self.pictures))
        picture = torch.from_numpy(drawn)
        if self.device == "cuda":
            picture = picture.pin_memory()      # so that nothing waits for the copy
        self.pictures[place].copy_(picture, non_blocking=True)
        self.spent += time.monotonic() - began

    def whole(self, low, end, count):
        return torch.randint(low, end, (count,), device=self.device)

    def which(self, count):
        """Numbers of pictures."""
        photos = self.whole(0, self.photo_count, count)
        if self.drawn_share == 0:
            return photos
        drawn = self.whole(self.photo_count, len(self.pictures), count)
        share = self.drawn_share / (1 - self.smooth_share)      # of those that are not smooth
        return torch.where(torch.rand(count, device=self.device) < share, drawn, photos)

    def coins(self, count):
        return (torch.rand(count, device=self.device) < 0.5)[:, None, None, None]

    def cut(self, count, side):
        """float32 [count,3,side,side] in 0..1"""
        top, left = (self.whole(0, SIDE + 1 - side, count)[:, None] for _ in range(2))
        along = torch.arange(side, device=self.device)
        rows, columns = (top + along)[:, :, None], (left + along)[:, None, :]
        x = self.pictures[self.which(count)[:, None, None], rows, columns].permute(0, 3, 1, 2)
        return x.float().div_(255)

    def side(self, crop):
        """Side of what a crop is cut as, before it is shrunk."""
        if self.random.random() >= SHRUNK:
            return crop
        return int(self.random.integers(crop, min(SIDE, 2 * crop) + 1))

    def batch(self, count, crop):
        """(x float32 [count,3,crop,crop] in 0..1, channels last; weight of its error [count])"""
        x = self.cut(count, self.side(crop))
        if x.shape[2] != crop:
            x = F.interpolate(x, (crop, crop), mode="bicubic", antialias=True, align_corners=False)
            x = torch.round(255 * x).clamp_(0, 255).div_(255)
        x = torch.where(self.coins(count), x.flip(3), x)
        x = torch.where(self.coins(count), x.transpose(2, 3), x)
        is_smooth = torch.rand(count, device=self.device) < self.smooth_share
        if self.smooth_share > 0:
            made = smooth.crops(count, crop, self.device)
            x = torch.where(is_smooth[:, None, None, None], made, x)
        weight = torch.where(is_smooth, SMOOTH_WEIGHT, 1.0)
        return x.contiguous(memory_format=torch.channels_last), weight
