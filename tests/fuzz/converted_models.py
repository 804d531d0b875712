#!/usr/bin/env python3
"""Seeds of the target `model`: small files that weights/convert_model.py makes, from ONNX.

  converted_models.py FOLDER

Needs numpy only. They are as small as codecs can be, for every byte of a seed is one that a fuzzer may change in vain.
"""
import os
import sys
import tempfile

sys.dont_write_bytecode = True
TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path[:0] = [TESTS, os.path.join(TESTS, "..", "weights")]
import onnx_codecs

onnx_codecs.N, onnx_codecs.M = 2, 2     # channels inside, and of y
from onnx_test import converted


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.strip())
    os.makedirs(sys.argv[1], exist_ok=True)
    for name, make in onnx_codecs.CODECS.items():
        with tempfile.TemporaryDirectory() as folder:
            path, _ = converted(make(), name, folder)
            with open(path, "rb") as file, open(os.path.join(sys.argv[1], f"onnx-{name}"), "wb") as seed:
                seed.write(file.read())


if __name__ == "__main__":
    main()
