"""Encoding, decoding, and what a stream says of itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Union

from numpy.typing import NDArray

from . import _glint
from ._arguments import MOST_THREADS, choice, integer, integers, limits_of
from ._errors import InvalidArgumentError
from ._models import DETAILS, Bytes, Model, chosen_model, file_name, model_of_id
from ._pictures import (
    Limits,
    Metadata,
    Path,
    Picture,
    PictureLike,
    array_and_metadata,
    is_file,
    is_path,
    read_picture,
)

StreamInfo = _glint.StreamInfo
Stream = Union[Bytes, Path]
"""A stream: bytes, anything else with the buffer protocol, or the path of a file."""
ModelLike = Union[Model, Path]
"""A Model, the name of one that came with the package, or the path of a model file."""
Progress = Callable[[float], Union[bool, None]]
"""Called with the share that is done, 0 to 1. What is false, other than None, stops the call with
CancelledError."""

_TARGETS = {
    "target_size": _glint.TargetKind.BYTES,
    "target_bpp": _glint.TargetKind.BITS_PER_PIXEL,
    "target_psnr": _glint.TargetKind.PSNR,
}
_DECODED_DETAILS = {
    "decode": _glint.DetailOutput.DECODE,
    "skip": _glint.DetailOutput.SKIP,
    "skip-damaged": _glint.DetailOutput.SKIP_DAMAGED,
}
_ALPHAS = {
    "keep": _glint.AlphaOutput.KEEP,
    "drop": _glint.AlphaOutput.DROP,
    "blend": _glint.AlphaOutput.BLEND,
}


def one_of(**arguments: object) -> tuple[str, Any] | None:
    """Of arguments that exclude each other the one that is given."""
    given = [(name, value) for name, value in arguments.items() if value is not None]
    if len(given) > 1:
        names = " and ".join(name for name, _ in given)
        raise InvalidArgumentError(f"{names} exclude each other")
    return given[0] if given else None


def lrd_of(
    model: Model, detail: str, lrd: float | None, quality: float | None
) -> float:
    """The lrd that is asked for; 0: the default."""
    rate = one_of(lrd=lrd, quality=quality)
    if rate is None:
        return 0.0
    if rate[0] == "quality":
        return model.lrd_of_quality(float(rate[1]), detail=detail)
    if not rate[1] > 0:
        raise InvalidArgumentError(f"lrd={rate[1]}: it is greater than 0")
    return float(rate[1])


def encode_options(
    detail: str, effort: int, threads: int, limits: Limits | None
) -> _glint.EncodeOptions:
    """Options that every kind of encoding has."""
    options = _glint.EncodeOptions()
    options.detail = choice("detail", detail, DETAILS)
    options.effort = integer("effort", effort, 0, 9)
    options.threads = integer("threads", threads, 0, MOST_THREADS)
    options.limits = limits_of(limits)
    return options


def encode(
    picture: PictureLike,
    *,
    model: ModelLike | None = None,
    quality: float | None = None,
    lrd: float | None = None,
    target_size: int | None = None,
    target_bpp: float | None = None,
    target_psnr: float | None = None,
    effort: int = 0,
    detail: str = "auto",
    max_error: int | None = None,
    lossless: bool = False,
    exact: bool = False,
    metadata: Metadata | None = None,
    threads: int = 0,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> bytes:
    """Encodes a picture and returns the stream, which `glint decode` reads too.

    picture: an array of uint8 or uint16 with the shape (height, width) for gray or
    (height, width, n) for gray, gray and alpha, RGB, RGB and alpha (n from 1 to 4), of any strides
    and without a copy; a PIL image; a Picture; a file (PNG, JPEG, PPM, PGM, PAM) by its path or its
    bytes. Levels reach from 0 to the dtype's greatest value. It must not change during the call.
    model: a Model, a name of shipped_models(), or a path; without: default_model().

    The rate, one of these, or none for the model's default:
    quality: 0 to 100. lrd: the rate parameter (Model.detail_lrd_range, and Model.lrd_range with
    detail="off"). target_size: bytes that the stream has at most. target_bpp: the same in bits a
    pixel. target_psnr: dB that the decoded picture has at least. Targets encode up to 8 times.

    effort: 0 to 9, how long the encoder looks for better symbols. detail: "auto", "on" or "off",
    the layer after the model's part. max_error: 0 to 127, no sample of 8 bits is further off than
    this; lossless: everything comes back as it was. exact: alpha, and colours under alpha 0, are
    kept as they are. metadata: in place of the picture's own. threads: 0: as many as the machine
    has; the stream does not depend on it. progress: called with the share that is done.

    Raises InvalidArgumentError, UnreachableError (targets), UnsupportedError, LimitError,
    BadImageError and NotFoundError (files), CancelledError.
    """
    chosen = chosen_model(model)
    options = encode_options(detail, effort, threads, limits)
    rate = one_of(
        quality=quality,
        lrd=lrd,
        target_size=target_size,
        target_bpp=target_bpp,
        target_psnr=target_psnr,
    )
    target = None
    if rate is not None and rate[0] in _TARGETS:
        target = _glint.Target(_TARGETS[rate[0]], float(rate[1]))
    else:
        options.lrd = lrd_of(chosen, detail, lrd, quality)
    if max_error is not None:
        options.max_error = integer("max_error", max_error, 0, 127)
    options.lossless = lossless
    options.exact = exact
    if is_file(picture):
        picture = read_picture(picture, limits=limits)  # type: ignore[arg-type]
    if isinstance(picture, Picture):
        own = picture.metadata if metadata is None else metadata
        return _glint.encode_picture(
            chosen._native, picture, own, options, target, progress
        )
    array, own = array_and_metadata(picture)
    own = own if metadata is None else metadata
    return _glint.encode_array(chosen._native, array, own, options, target, progress)


def stream_bytes(stream: Stream, limits: Limits) -> Bytes:
    """The bytes of a stream that may be a file."""
    if is_path(stream):
        return _glint.read_file(file_name(stream), limits.max_memory)  # type: ignore[arg-type]
    return stream  # type: ignore[return-value]


def decode(
    stream: Stream,
    *,
    model: ModelLike | None = None,
    crop: tuple[int, int, int, int] | None = None,
    shrink: int = 1,
    deep: bool = False,
    detail: str = "decode",
    alpha: str = "keep",
    background: tuple[int, int, int] = (255, 255, 255),
    out: NDArray[Any] | None = None,
    threads: int = 0,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> NDArray[Any]:
    """Decodes a stream.

    Returns an array of the shape (height, width) for gray, or (height, width, n) for gray and
    alpha, RGB, RGB and alpha (n from 2 to 4; info(stream).shape); uint8, or uint16 with deep for
    pictures that had 16 bits, and for those of 16 bits with alpha. Levels reach from 0 to the
    dtype's greatest value.

    stream: bytes, anything else with the buffer protocol, or a path. model: without, the one of
    those that came with the package (or of $GLINT_MODEL) that the stream names. crop: (x, y, width,
    height), the part that is made. shrink: 1, 2, 4 or 8, the picture that many times smaller either
    way; crop is then of that one. deep: 16 bits where the picture had them. detail: "decode",
    "skip", or "skip-damaged": details of damaged sections are left out. alpha: "keep", "drop", or
    "blend" over background, (red, green, blue) of 0 to 255. out: an array of that shape with any
    strides, which is filled and returned; uint16 gets 16 bits of every picture. threads: 0: as many
    as the machine has.

    Raises BadStreamError, WrongModelError, InvalidArgumentError, LimitError, CancelledError,
    NotFoundError. What is in out then is undefined.
    """
    limits = limits_of(limits)
    data = stream_bytes(stream, limits)
    if model is None:
        chosen = model_of_id(_glint.inspect(data, limits).model_id)
    else:
        chosen = chosen_model(model)
    options = _glint.DecodeOptions()
    options.threads = integer("threads", threads, 0, MOST_THREADS)
    options.limits = limits
    options.detail = choice("detail", detail, _DECODED_DETAILS)
    options.alpha = choice("alpha", alpha, _ALPHAS)
    options.set_background(integers("background", background, 3, 255))  # type: ignore[arg-type]
    options.deep = deep
    options.shrink = integer("shrink", shrink, 1, 8)
    if crop is not None:
        options.set_crop(integers("crop", crop, 4, 2**32 - 1))  # type: ignore[arg-type]
    return _glint.decode(chosen._native, data, options, out, progress)


def info(stream: Stream, *, limits: Limits | None = None) -> StreamInfo:
    """What a stream says of itself, without a model; every CRC is checked.

    Raises BadStreamError for what is damaged or no stream; damaged details are no error, but
    StreamInfo.damaged_rows.
    """
    limits = limits_of(limits)
    return _glint.inspect(stream_bytes(stream, limits), limits)
