"""Crops to train on: of photographs, and of pictures that no camera makes (synthetic.py).

Everything lies on the device as uint8, 0.8 MB a picture; a batch is cut, mirrored and transposed
there.
"""
import glob
import os
import time

import numpy as np
import torch
from PIL import Image

import synthetic

SIDE = synthetic.SIDE
DRAWN = 160             # drawn pictures that are there at a time
DRAWING_SHARE = 0.02    # of the time of training, for new ones in place of old ones


def photographs(folder):
    """The middles of the folder's pictures that are large enough: [uint8 [SIDE,SIDE,3], ...]."""
    out = []
    for path in sorted(glob.glob(os.path.join(folder, "*"))):
        try:
            with Image.open(path) as image:
                samples = np.asarray(image.convert("RGB"))
        except OSError:     # not a picture
            continue
        top, left = ((side - SIDE) // 2 for side in samples.shape[:2])
        if top >= 0 and left >= 0:
            out.append(samples[top:top + SIDE, left:left + SIDE].copy())
    if not out:
        raise SystemExit(f"{folder}: no picture of {SIDE} x {SIDE} or more")
    return out


class Crops:
    """Draws batches. `share` of the crops come from drawn pictures, the others from photographs.

    Choices are those of torch's random numbers (torch.manual_seed), drawn pictures those of `seed`.
    """

    def __init__(self, folder, share, device, seed):
        self.share, self.device = share, device
        self.random = np.random.default_rng(seed)
        photos = photographs(folder)
        self.photo_count = len(photos)
        drawn = [self.draw(photos) for _ in range(DRAWN if share > 0 else 0)]
        self.pictures = torch.from_numpy(np.stack(photos + drawn)).to(device)
        self.began, self.drawing = time.monotonic(), 0.0

    def draw(self, photos):
        """A drawn picture, which may show one of the photographs."""
        photo = torch.as_tensor(photos[self.random.integers(len(photos))]).cpu().numpy()
        return synthetic.picture(synthetic.training_seed(self.random), photo=photo)

    def renew(self):
        """Draws one picture anew, unless drawing has had its share of the time."""
        began = time.monotonic()
        if self.share == 0 or self.drawing > DRAWING_SHARE * (began - self.began):
            return
        picture = self.draw(self.pictures[:self.photo_count])
        place = self.random.integers(self.photo_count, len(self.pictures))
        self.pictures[place] = torch.from_numpy(picture).to(self.device)
        self.drawing += time.monotonic() - began

    def whole(self, low, end, count):
        return torch.randint(low, end, (count,), device=self.device)

    def which(self, count):
        """Numbers of pictures."""
        photos = self.whole(0, self.photo_count, count)
        if self.share == 0:
            return photos
        drawn = self.whole(self.photo_count, len(self.pictures), count)
        return torch.where(torch.rand(count, device=self.device) < self.share, drawn, photos)

    def coins(self, count):
        return (torch.rand(count, device=self.device) < 0.5)[:, None, None, None]

    def batch(self, count, crop):
        """float32 [count,3,crop,crop] in 0..1, channels last"""
        top, left = (self.whole(0, SIDE + 1 - crop, count)[:, None] for _ in range(2))
        along = torch.arange(crop, device=self.device)
        rows, columns = (top + along)[:, :, None], (left + along)[:, None, :]
        x = self.pictures[self.which(count)[:, None, None], rows, columns].permute(0, 3, 1, 2)
        x = torch.where(self.coins(count), x.flip(3), x)
        x = torch.where(self.coins(count), x.transpose(2, 3), x)
        return x.float().div_(255).contiguous(memory_format=torch.channels_last)
