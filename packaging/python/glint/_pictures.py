"""What calls take as a picture, and picture files."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Union

import numpy as np
from numpy.typing import NDArray

from . import _glint
from ._arguments import limits_of
from ._errors import InvalidArgumentError
from ._models import Bytes, file_name

Limits = _glint.Limits
Metadata = _glint.Metadata
Picture = _glint.Picture
for _changing in (Limits, Metadata):
    setattr(_changing, "__hash__", None)

if TYPE_CHECKING:
    import PIL.Image

Path = Union[str, "os.PathLike[str]"]
PictureLike = Union[Picture, NDArray[Any], "PIL.Image.Image", Bytes, Path]
"""What encode and others take: a Picture, an array, a PIL image, or a file by path or bytes."""

_EXIF_PREFIX = b"Exif\0\0"


def is_path(source: object) -> bool:
    """Whether an argument names a file."""
    return isinstance(source, (str, os.PathLike))


def _is_pil_image(source: object) -> bool:
    # Who has no Pillow has no such images.
    pil = sys.modules.get("PIL.Image")
    return pil is not None and isinstance(source, pil.Image)


def array_of_pil(image: PIL.Image.Image) -> NDArray[Any]:
    """The samples of a PIL image; palettes become colours."""
    if image.mode == "1":
        image = image.convert("L")
    elif image.mode in ("P", "PA"):
        transparent = image.mode == "PA" or "transparency" in image.info
        image = image.convert("RGBA" if transparent else "RGB")
    elif image.mode.startswith("I;16"):
        return np.asarray(image).astype(np.uint16, copy=False)
    if image.mode not in ("L", "LA", "RGB", "RGBA"):
        raise InvalidArgumentError(
            f"a PIL image of mode {image.mode}: convert it to L, LA, RGB, RGBA or I;16 before"
        )
    return np.asarray(image)


def metadata_of_pil(image: PIL.Image.Image) -> Metadata:
    """The colour profile and EXIF of a PIL image."""
    exif = image.info.get("exif", b"")
    if exif.startswith(_EXIF_PREFIX):
        exif = exif[len(_EXIF_PREFIX) :]
    return Metadata(icc=image.info.get("icc_profile") or b"", exif=exif)


def array_and_metadata(picture: object) -> tuple[Any, Metadata]:
    """The array, and the metadata, of what is no Picture and no file."""
    if _is_pil_image(picture):
        return array_of_pil(picture), metadata_of_pil(picture)  # type: ignore[arg-type]
    try:
        memoryview(picture)  # type: ignore[arg-type]
    except (TypeError, ValueError, BufferError):
        return np.asarray(picture), Metadata()
    return picture, Metadata()


def is_file(picture: object) -> bool:
    """Whether an argument is a picture file: its path, or its bytes."""
    if is_path(picture) or isinstance(picture, (bytes, bytearray)):
        return True
    try:
        view = memoryview(picture)  # type: ignore[arg-type]
    except (TypeError, ValueError, BufferError):
        return False
    if view.ndim != 1 or view.itemsize != 1 or not view.contiguous:
        return False
    # Any other array of one dimension is refused as an array.
    return isinstance(picture, memoryview) or _glint.is_picture_file(view)


def picture_of(picture: PictureLike, limits: Limits) -> Picture:
    """Any picture as a Picture."""
    if isinstance(picture, Picture):
        return picture
    if is_file(picture):
        return read_picture(picture, limits=limits)  # type: ignore[arg-type]
    array, metadata = array_and_metadata(picture)
    return _glint.picture_of_array(array, metadata, limits)


def read_picture(source: Path | Bytes, *, limits: Limits | None = None) -> Picture:
    """Reads a PNG, JPEG, PPM, PGM or PAM file.

    source: a path, or the bytes of the file. Raises NotFoundError, FileError, BadImageError, and
    LimitError where the picture is beyond limits.
    """
    limits = limits_of(limits)
    if is_path(source):
        return _glint.read_picture(file_name(source), limits)  # type: ignore[arg-type]
    return _glint.read_picture_bytes(source, limits)


def write_picture(
    path: Path, picture: PictureLike, *, metadata: Metadata | None = None
) -> None:
    """Writes a picture to a file that appears when it is complete.

    path: ends with .png, .ppm, .pgm or .pam; of these PNG alone has a place for metadata. picture:
    as in encode. metadata: in place of the picture's own.
    """
    made = picture_of(picture, Limits())
    own = made.metadata if metadata is None else metadata
    _glint.write_picture(file_name(path), made, own)
