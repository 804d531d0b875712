"""Pillow: its images as pictures, and the plugin."""

import copy
import io
import pickle

import numpy as np
import pytest
from conftest import SAMPLES, drawn

import glint

Image = pytest.importorskip("PIL.Image")


@pytest.mark.parametrize("mode, shape", [("L", (20, 30)), ("LA", (20, 30, 2)), ("RGB", (20, 30, 3)), ("RGBA", (20, 30, 4))])
def test_images_are_their_arrays(mode, shape):
    array = drawn(shape)
    image = Image.fromarray(array)
    assert image.mode == mode
    assert glint.encode(image) == glint.encode(array)
    assert glint.psnr(image, array) == float("inf")


def test_other_modes():
    array = drawn((20, 30, 3))
    image = Image.fromarray(array)
    palette = image.quantize(16)
    assert glint.encode(palette) == glint.encode(np.asarray(palette.convert("RGB")))
    bits = image.convert("1")
    assert glint.encode(bits) == glint.encode(np.asarray(bits.convert("L")))
    deep = drawn((20, 30), np.uint16)
    assert glint.encode(Image.fromarray(deep)) == glint.encode(deep)
    for mode in ("CMYK", "YCbCr", "F", "HSV"):
        with pytest.raises(glint.InvalidArgumentError, match=f"mode {mode}: convert it"):
            glint.encode(image.convert("L").convert("F") if mode == "F" else image.convert(mode))


def test_profiles_and_exif_of_images():
    image = Image.fromarray(drawn((20, 30, 3)))
    image.info["icc_profile"] = b"profile"
    image.info["exif"] = b"Exif\0\0II*\0exif"
    metadata = glint.info(glint.encode(image)).metadata
    assert (metadata.icc, metadata.exif) == (b"profile", b"II*\0exif")


@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 2), (20, 30, 3), (20, 30, 4)])
def test_the_plugin_saves_and_opens(tmp_path, shape):
    import glint.pillow  # noqa: F401

    array = drawn(shape)
    image = Image.fromarray(array)
    exif = Image.Exif()
    exif[0x010E] = "a description"
    image.save(tmp_path / "out.glint", quality=30, exif=exif, icc_profile=b"profile")
    stream = (tmp_path / "out.glint").read_bytes()
    metadata = glint.info(stream).metadata
    assert stream == glint.encode(array, quality=30, metadata=metadata)
    with Image.open(tmp_path / "out.glint") as opened:
        assert opened.format == "GLINT"
        assert opened.mode == image.mode
        assert opened.size == image.size
        assert opened.info["icc_profile"] == b"profile"
        assert opened.getexif()[0x010E] == "a description"
        assert np.array_equal(np.asarray(opened), glint.decode(stream))
        opened.resize((10, 10)).convert("RGB").save(tmp_path / "small.png")
    again = io.BytesIO()
    Image.open(io.BytesIO(stream)).save(again, format="GLINT")
    assert glint.info(again.getvalue()).metadata.exif == metadata.exif


def test_the_plugin_leaves_other_files_alone(tmp_path):
    import glint.pillow  # noqa: F401

    with Image.open(SAMPLES / "lake.png") as image:
        assert image.format == "PNG"
    stream = glint.encode(drawn((20, 30, 3)))
    for damaged in (stream[:80], b"GLNT", b""):
        with pytest.raises(Image.UnidentifiedImageError):
            Image.open(io.BytesIO(damaged))


def test_files_are_closed_when_they_are_decoded(tmp_path):
    import glint.pillow  # noqa: F401

    (tmp_path / "a.glint").write_bytes(glint.encode(drawn((20, 30, 3))))
    image = Image.open(tmp_path / "a.glint")
    file = image.fp
    image.load()
    assert file.closed
    # A file of the caller's stays open.
    with open(tmp_path / "a.glint", "rb") as own:
        Image.open(own).load()
        assert not own.closed


def test_images_are_copied_and_pickled():
    import glint.pillow  # noqa: F401

    stream = glint.encode(drawn((20, 30, 3)))
    for image in (Image.open(io.BytesIO(stream)), Image.open(io.BytesIO(stream))):
        assert np.array_equal(np.asarray(pickle.loads(pickle.dumps(image))), glint.decode(stream))
        assert np.array_equal(np.asarray(copy.deepcopy(image)), glint.decode(stream))
        assert np.array_equal(np.asarray(image.copy()), glint.decode(stream))


def test_damage_is_named():
    import glint.pillow  # noqa: F401

    with pytest.raises(Image.UnidentifiedImageError, match="cannot read this Glint stream: chunk .* is cut short"):
        Image.open(io.BytesIO(glint.encode(drawn((20, 30, 3)))[:80]))


def test_the_plugin_takes_what_pillow_s_own_take():
    import glint.pillow  # noqa: F401

    array = drawn((20, 30, 3))
    image = Image.fromarray(array)
    image.info["exif"] = b"Exif\0\0II*\0exif"
    out = io.BytesIO()
    image.save(out, format="GLINT", exif=None, optimize=True, quality=30)
    assert out.getvalue() == glint.encode(array, quality=30)
