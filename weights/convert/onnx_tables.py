"""Tables and medians of a codec from a file of numpy, .npz, that is not believed.

A model with hyper latents has z_cdf, z_length, z_offset, z_median (one row for each channel of z), y_cdf, y_length, y_offset and
scale_table (one row for each scale). One without has y_cdf, y_length, y_offset, y_median (one row for each channel of y). Lengths, offsets
and cdf are integers as CompressAI's buffers _cdf_length, _offset and _quantized_cdf.
"""
import io
import math
import zipfile
import zlib

import numpy as np

from .writer import Refused

ENTRY_LIMIT = 1 << 26
HYPER_NAMES = ("z_cdf", "z_length", "z_offset", "z_median", "y_cdf", "y_length", "y_offset", "scale_table")
FACTORIZED_NAMES = ("y_cdf", "y_length", "y_offset", "y_median")


def read_array(data):
    """A .npy file of numbers, whose header says no more than is there."""
    f = io.BytesIO(data)
    version = np.lib.format.read_magic(f)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise ValueError(f"version {version} of the format")
    shape, fortran, dtype = readers[version](f)
    rest = data[f.tell():]
    if dtype.hasobject or dtype.kind not in "iuf" or len(shape) > 2:
        raise ValueError(f"values of type {dtype} in {len(shape)} dimensions; numbers in one or two are known")
    if any(s < 0 for s in shape) or math.prod(shape) * dtype.itemsize != len(rest):
        raise ValueError(f"shape {list(shape)} does not fit its {len(rest)} bytes")
    return np.frombuffer(rest, dtype).reshape(shape, order="F" if fortran else "C")


def read_npz(path, names):
    """{name: array} of exactly these names."""
    found = {}
    try:
        with zipfile.ZipFile(path) as archive:
            entries = {i.filename: i for i in archive.infolist()}
            missing = [n for n in names if n + ".npy" not in entries]
            unknown = [n for n in entries if n not in {name + ".npy" for name in names}]
            if missing or unknown:
                raise Refused(f"{path}: {'missing: ' + ', '.join(missing) if missing else ''}{'; ' if missing and unknown else ''}"
                              f"{'not known: ' + ', '.join(unknown[:8]) if unknown else ''}")
            if len(entries) != len(archive.infolist()):
                raise Refused(f"{path}: an entry is there twice")
            for name in names:
                entry = entries[name + ".npy"]
                if entry.file_size > ENTRY_LIMIT:
                    raise Refused(f"{path}: {name} has {entry.file_size} bytes; {ENTRY_LIMIT} at most")
                with archive.open(entry) as f:
                    data = f.read(ENTRY_LIMIT + 1)
                try:
                    found[name] = read_array(data)
                except (ValueError, SyntaxError, TypeError, OverflowError, MemoryError, RecursionError) as e:
                    raise Refused(f"{path}: {name}: {str(e)[:200]}") from None
                if found[name].dtype.kind == "f" and not np.isfinite(found[name]).all():
                    raise Refused(f"{path}: {name} has NaN or infinite values")
    except OSError as e:
        raise Refused(f"{path}: {e.strerror or e}") from None
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError) as e:
        raise Refused(f"{path}: no .npz file that can be read ({e})") from None
    return found


def medians(path, name, values, channels):
    if values.shape != (channels,) or values.dtype.kind != "f":
        raise Refused(f"{path}: {name} has shape {list(values.shape)}; the model has {channels} channels there")
    return values.astype(np.float64)
