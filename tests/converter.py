"""weights/convert_model.py as tests run it, and how they compare what comes out. Used by the tests of the converters."""
import os
import subprocess
import sys

import numpy as np

from checks import expect

CONVERT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "weights", "convert_model.py")


def convert(*arguments):
    return subprocess.run([sys.executable, CONVERT, *arguments], capture_output=True, text=True)


def off(got, wanted):
    """The largest difference, in units of the wanted values' root mean square."""
    expect(got.shape == wanted.shape, f"shape {got.shape}, not {wanted.shape}")
    return float(np.abs(got - wanted).max() / np.sqrt(np.square(wanted, dtype=np.float64).mean()))
