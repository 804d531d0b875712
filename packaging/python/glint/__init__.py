"""Learned image compression: pictures to small streams and back.

>>> import glint
>>> stream = glint.encode("photo.png", quality=60)
>>> array = glint.decode(stream)

Every call releases the GIL while the library works, so that threads run side by side. Models,
streams and arrays may be used by several threads at once, as long as nobody writes to an array that
a call reads. Ctrl-C ends a call of the main thread. docs/PYTHON.md has examples.
"""

from ._codec import Progress, Stream, StreamInfo, decode, encode, info
from ._errors import (
    BadImageError,
    BadModelError,
    BadStreamError,
    CancelledError,
    Error,
    FileError,
    InvalidArgumentError,
    LimitError,
    NotFoundError,
    UnreachableError,
    UnsupportedError,
    WrongModelError,
)
from ._glint import current_target, is_stream, set_target, supported_targets
from ._glint import version as __version__
from ._latents import Latents, analyse, latents, synthesise
from ._measures import Evaluation, bd_rate, decibels, evaluate, ms_ssim, psnr
from ._models import Model, default_model, shipped_models
from ._pictures import Limits, Metadata, Picture, PictureLike, read_picture, write_picture

__all__ = [
    "BadImageError",
    "BadModelError",
    "BadStreamError",
    "CancelledError",
    "Error",
    "Evaluation",
    "FileError",
    "InvalidArgumentError",
    "Latents",
    "LimitError",
    "Limits",
    "Metadata",
    "Model",
    "NotFoundError",
    "Picture",
    "PictureLike",
    "Progress",
    "Stream",
    "StreamInfo",
    "UnreachableError",
    "UnsupportedError",
    "WrongModelError",
    "__version__",
    "analyse",
    "bd_rate",
    "current_target",
    "decibels",
    "decode",
    "default_model",
    "encode",
    "evaluate",
    "info",
    "is_stream",
    "latents",
    "ms_ssim",
    "psnr",
    "read_picture",
    "set_target",
    "shipped_models",
    "supported_targets",
    "synthesise",
    "write_picture",
]
