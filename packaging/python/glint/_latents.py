"""Latents: those of pictures and streams, and pictures of latents."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _glint
from ._arguments import MOST_THREADS, integer, limits_of
from ._codec import (
    ModelLike,
    Progress,
    Stream,
    encode,
    info,
    stream_bytes,
)
from ._errors import InvalidArgumentError
from ._models import chosen_model, model_of_id
from ._pictures import Limits, PictureLike


@dataclass(frozen=True, eq=False)
class Latents:
    """What the synthesis of a model reads, as a decoder has it: the same on every machine.

    values: int16 of the shape (rows, columns, channels); each is an integer / 2**fraction_bits.
    width, height, channels: of the picture, channels being 1 (gray) or 3. lrd: the rate that the
    latents are of; 0: of a model of one fixed rate.
    """

    values: NDArray[np.int16]
    fraction_bits: int
    width: int
    height: int
    channels: int
    lrd: float
    model_id: str

    def as_float(self) -> NDArray[np.float32]:
        """The numbers that the integers stand for, exactly."""
        return self.values.astype(np.float32) / np.float32(1 << self.fraction_bits)

    def with_values(self, values: ArrayLike) -> Latents:
        """The same with other values.

        values: integers as in `values`, or floats as as_float gives them, which are rounded to the
        nearest integer. Raises InvalidArgumentError for a NaN and for what int16 does not hold.
        """
        array = np.asarray(values)
        if np.issubdtype(array.dtype, np.floating):
            array = np.rint(array.astype(np.float64) * (1 << self.fraction_bits))
        elif not np.issubdtype(array.dtype, np.integer):
            raise InvalidArgumentError(f"latents of {array.dtype}: they are integers or floats")
        bounds = np.iinfo(np.int16)
        # Of a NaN neither is true.
        if not np.all((array >= bounds.min) & (array <= bounds.max)):
            raise InvalidArgumentError("a latent is no number, or beyond what 16 bits hold")
        return replace(self, values=np.ascontiguousarray(array, dtype=np.int16))


def latents(
    stream: Stream,
    *,
    model: ModelLike | None = None,
    threads: int = 0,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> Latents:
    """The latents of a stream. Arguments and errors are those of decode."""
    limits = limits_of(limits)
    data = stream_bytes(stream, limits)
    said = info(data, limits=limits)
    chosen = model_of_id(said.model_id) if model is None else chosen_model(model)
    options = _glint.DecodeOptions()
    options.threads = integer("threads", threads, 0, MOST_THREADS)
    options.limits = limits
    values, fraction_bits = _glint.latents(chosen._native, data, options, progress)
    channels = 1 if said.gray else said.channels
    return Latents(
        values, fraction_bits, said.width, said.height, channels, said.lrd, said.model_id
    )


def analyse(
    picture: PictureLike,
    *,
    model: ModelLike | None = None,
    quality: float | None = None,
    lrd: float | None = None,
    effort: int = 0,
    threads: int = 0,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> Latents:
    """The latents of a picture at a rate, as decoders will have them: quantised.

    Arguments and errors are those of encode; alpha and details have no part in latents.
    """
    stream = encode(
        picture,
        model=model,
        quality=quality,
        lrd=lrd,
        effort=effort,
        detail="off",
        threads=threads,
        limits=limits,
        progress=progress,
    )
    return latents(stream, model=model, threads=threads, limits=limits)


def synthesise(
    latents: Latents,
    *,
    model: ModelLike | None = None,
    deep: bool = False,
    out: NDArray[Any] | None = None,
    threads: int = 0,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> NDArray[Any]:
    """The picture of latents: the second half of decoding.

    Returns an array of the shape (height, width) or (height, width, 3): uint8, or uint16 with deep.
    A stream's own latents give its picture without details and alpha. model: without, the one of
    those that came with the package that the latents name. out, threads, limits and progress: as in
    decode.

    Raises InvalidArgumentError where the values have another shape than the picture's latents, or
    another fraction_bits than the model's.
    """
    chosen = model_of_id(latents.model_id) if model is None else chosen_model(model)
    options = _glint.CallOptions()
    options.threads = integer("threads", threads, 0, MOST_THREADS)
    options.limits = limits_of(limits)
    return _glint.synthesise(
        chosen._native,
        np.ascontiguousarray(latents.values),
        latents.width,
        latents.height,
        latents.channels,
        16 if deep else 8,
        latents.fraction_bits,
        latents.lrd,
        options,
        out,
        progress,
    )
