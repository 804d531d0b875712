"""What the program `evaluate` measures, by the same code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from . import _glint
from ._arguments import integer, limits_of
from ._codec import ModelLike, Progress, encode_options, lrd_of
from ._models import chosen_model
from ._pictures import Limits, PictureLike, picture_of


@dataclass(frozen=True)
class Evaluation:
    """What a model made of a picture.

    bytes: of the whole stream; bpp: its bits a pixel. estimated_bpp: of the symbols under the
    model's tables. psnr: dB, infinity when nothing was lost. ms_ssim: None when the smaller side is
    below 161. detail_bytes: of the layer of details. saturated_latents: values beyond what 16 bits
    hold. encoding_time, decoding_time: seconds, medians over the repetitions; the stages (seconds)
    are those of the median repetition.
    """

    name: str
    width: int
    height: int
    lrd: float
    bytes: int
    bpp: float
    estimated_bpp: float
    psnr: float
    ms_ssim: float | None
    detail_bytes: int
    saturated_latents: int
    encoding_time: float
    decoding_time: float
    encoding_stages: dict[str, float]
    decoding_stages: dict[str, float]


_STAGES = ("analysis", "hyper", "context", "entropy", "synthesis", "detail", "effort", "total")


def _stages(times: _glint.StageTimes) -> dict[str, float]:
    return {stage: getattr(times, stage) for stage in _STAGES}


def evaluate(
    picture: PictureLike,
    *,
    model: ModelLike | None = None,
    decoder: ModelLike | None = None,
    quality: float | None = None,
    lrd: float | None = None,
    effort: int = 0,
    detail: str = "auto",
    repeat: int = 1,
    verify: bool = True,
    name: str = "",
    threads: int = 1,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Encodes a picture to bytes, decodes these, and compares: the numbers of the tool `evaluate`.

    Arguments are those of encode; threads has the default of the tool. decoder: another
    Model of the same file, which decodes; without: model. repeat: how often each is done for the
    times. verify: decodes once more with other threads and bands, and raises BadStreamError where
    that differs. name: what Evaluation.name shall be.
    """
    chosen = chosen_model(model)
    decoding = chosen if decoder is None else chosen_model(decoder)
    options = encode_options(detail, effort, threads, limits)
    options.lrd = lrd_of(chosen, detail, lrd, quality)
    original = picture_of(picture, limits_of(limits))
    m = _glint.measure(
        chosen._native, decoding._native, original, options, integer("repeat", repeat, 1, 2**31 - 1), verify, progress
    )
    return Evaluation(
        name=name,
        width=m.width,
        height=m.height,
        lrd=m.lrd,
        bytes=m.bytes,
        bpp=m.bpp,
        estimated_bpp=m.estimated_bpp,
        psnr=m.psnr,
        ms_ssim=m.ms_ssim,
        detail_bytes=m.detail_bytes,
        saturated_latents=m.saturated_latents,
        encoding_time=m.encoding_time,
        decoding_time=m.decoding_time,
        encoding_stages=_stages(m.encoding_stages),
        decoding_stages=_stages(m.decoding_stages),
    )


def psnr(original: PictureLike, decoded: PictureLike) -> float:
    """PSNR in dB over RGB in 8 bits; infinity when nothing was lost.

    Both may have any form that encode takes. Where the original has alpha, they are compared over
    middle gray and where alpha is not 0. Raises InvalidArgumentError when sizes differ.
    """
    return _glint.psnr(picture_of(original, Limits()), picture_of(decoded, Limits()))


def ms_ssim(original: PictureLike, decoded: PictureLike) -> float | None:
    """MS-SSIM over RGB in 8 bits with five scales, the mean over channels.

    As psnr, alpha over middle gray. None when the smaller side is below 161.
    """
    return _glint.ms_ssim(picture_of(original, Limits()), picture_of(decoded, Limits()))


def bd_rate(
    first: Sequence[tuple[float, float]], other: Sequence[tuple[float, float]]
) -> float:
    """The Bjontegaard-Delta rate of two curves: per cent more bits (positive) that `other` takes
    than `first` for the same quality.

    Each is a sequence of (rate, quality), in any order: bits a pixel, or anything in proportion to
    bits, and dB. MS-SSIM is compared as decibels(ms_ssim). Raises InvalidArgumentError for fewer
    than two points, a quality that does not rise with the rate, or no quality in common.
    """
    return _glint.bd_rate(list(first), list(other))


def decibels(value: float) -> float:
    """A part of 1 in dB, as MS-SSIM is compared: -10 log10(1 - value)."""
    return _glint.decibels(value)
