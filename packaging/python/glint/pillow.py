"""Glint streams in Pillow: after `import glint.pillow`, Image.open and Image.save know .glint.

>>> import glint.pillow
>>> from PIL import Image
>>> Image.open("photo.png").save("photo.glint", quality=60)
>>> Image.open("photo.glint").show()

Image.save takes the arguments of glint.encode, and as in other formats what it does not know has no
effect; the picture's colour profile and EXIF go along, and
come back in Image.info. Pictures of 16 bits come with 8; glint.decode(..., deep=True) has the rest.
"""

from __future__ import annotations

import inspect
from typing import IO, Any

from PIL import Image, ImageFile, UnidentifiedImageError

from ._codec import decode, encode, info
from ._errors import Error
from ._glint import is_stream
from ._pictures import Metadata, array_of_pil, metadata_of_pil

_FORMAT = "GLINT"
_START = 64
_ARGUMENTS = frozenset(inspect.signature(encode).parameters) - {"picture", "metadata"}
_MODES = {(1, False): "L", (1, True): "LA", (3, False): "RGB", (3, True): "RGBA"}


class GlintImageFile(ImageFile.ImageFile):
    """A stream that is decoded when its pixels are asked for."""

    format = _FORMAT
    format_description = "Glint stream"
    # What is left to decode. Copies and what comes out of a pickle have no own one.
    _stream = b""

    def _open(self) -> None:
        if self.fp is None:
            raise SyntaxError("the file is closed")
        self._stream = self.fp.read()
        try:
            said = info(self._stream)
        except Error as error:
            # Pillow would take a SyntaxError for "none of mine", and say nothing of the reason.
            raise UnidentifiedImageError(f"cannot read this Glint stream: {error}") from error
        self._size = (said.width, said.height)
        self._mode = _MODES[said.channels, said.has_alpha]
        self.tile = []
        if said.metadata.icc:
            self.info["icc_profile"] = said.metadata.icc
        if said.metadata.exif:
            self.info["exif"] = said.metadata.exif

    def load(self) -> Any:
        """Decodes the stream, the first time."""
        if self._stream:
            array = decode(self._stream)
            if array.dtype.itemsize > 1:
                array = (array >> 8).astype("uint8")
            self.im = Image.fromarray(array).im
            self._stream = b""
            if self._exclusive_fp and self.fp is not None:
                self.fp.close()
                self.fp = None
        return super().load()


def _save(image: Image.Image, file: IO[bytes], filename: str | bytes) -> None:
    given = image.encoderinfo
    options = {name: value for name, value in given.items() if name in _ARGUMENTS}
    carried = metadata_of_pil(image)
    icc = given.get("icc_profile", carried.icc) or b""
    exif = given.get("exif", carried.exif) or b""
    if isinstance(exif, Image.Exif):
        exif = exif.tobytes()
    exif = exif.removeprefix(b"Exif\0\0")
    file.write(encode(array_of_pil(image), metadata=Metadata(icc=icc, exif=exif), **options))


Image.register_open(_FORMAT, GlintImageFile, lambda start: is_stream(start[:_START]))
Image.register_save(_FORMAT, _save)
Image.register_extension(_FORMAT, ".glint")
Image.register_mime(_FORMAT, "image/x-glint")
