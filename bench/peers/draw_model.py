#!/usr/bin/env python3
"""A Glint model file of a CompressAI architecture with drawn weights: for times, where a trained one is not at hand.

  draw_model.py ARCHITECTURE N M OUT      for instance: mbt2018-mean 128 192 mbt.safetensors

`quantize --type INT8 --model OUT --out OUT8` makes the other model that transforms.py takes. Needs numpy.
"""
import os
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "tests"))
import compressai_models


def main():
    if len(sys.argv) != 5 or not (sys.argv[2] + sys.argv[3]).isdigit():
        sys.exit(__doc__)
    architecture, n, m, out = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    if architecture not in compressai_models.ARCHITECTURES:
        sys.exit(f"draw_model.py: {architecture}: not one of {', '.join(compressai_models.ARCHITECTURES)}")
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = os.path.join(folder, "drawn.pth")
        compressai_models.save(checkpoint, compressai_models.state_dict(architecture, n, m, seed=1))
        convert = os.path.join(ROOT, "weights", "convert_model.py")
        sys.exit(subprocess.run([sys.executable, convert, checkpoint, "--architecture", architecture, "--update",
                                 "--name", f"{architecture} drawn", "--quality", "3", "--out", out]).returncode)


if __name__ == "__main__":
    main()
