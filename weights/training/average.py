#!/usr/bin/env python3
"""The mean of checkpoints of one training: often better than each of them, and what a restart costs is got back.

  average.py OUT CHECKPOINT[=SHARE] ...

Averaged weights (EMA) are taken where a checkpoint has them. Shares (default 1) are divided by their sum.
"""
import os
import sys

import torch


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    out, names = sys.argv[1], [name.partition("=") for name in sys.argv[2:]]
    try:
        shares = [float(share or 1) for _, _, share in names]
    except ValueError as e:
        sys.exit(f"average.py: a share is no number: {e}")
    if not all(share > 0 for share in shares):
        sys.exit("average.py: shares are greater than 0")
    mean, steps = {}, 0
    for (name, _, _), share in zip(names, shares):
        s = torch.load(name, map_location="cpu")
        for k, v in s["ema"].items():
            mean[k] = mean.get(k, 0) + share / sum(shares) * v.float()
        steps = max(steps, s["step"])
    torch.save({"ema": mean, "step": steps}, out + ".tmp")
    os.replace(out + ".tmp", out)


if __name__ == "__main__":
    main()
