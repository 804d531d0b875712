"""Arrays in and out: any shape, dtype and strides give what the plain array gives."""

import array
import gc
import sys

import numpy as np
import pytest
from conftest import drawn

import glint

SHAPES = [(1, 1), (1, 1, 1), (1, 1, 3), (1, 17), (17, 1, 3), (3, 5, 2), (16, 16, 4), (33, 47), (33, 47, 3), (64, 65, 4)]
DTYPES = [np.uint8, np.uint16]


def with_strides(picture):
    """The same picture in memory that is laid out otherwise, by name."""
    height, width = picture.shape[:2]
    wide = np.zeros((2 * height, 3 * width, *picture.shape[2:]), picture.dtype)
    wide[::2, 1::3] = picture
    yield "with gaps", wide[::2, 1::3]
    yield "upside down", picture[::-1].copy()[::-1]
    yield "mirrored", picture[:, ::-1].copy()[:, ::-1]
    yield "transposed", picture.swapaxes(0, 1).copy().swapaxes(0, 1)
    yield "Fortran's order", np.asfortranarray(picture)
    if picture.ndim == 3:
        yield "planes", np.moveaxis(np.moveaxis(picture, 2, 0).copy(), 0, 2)
        yield "samples in reverse", picture[..., ::-1].copy()[..., ::-1]
    odd = np.zeros(picture.nbytes + 1, np.uint8)
    unaligned = odd[1:].view(picture.dtype).reshape(picture.shape)
    unaligned[...] = picture
    yield "unaligned", unaligned
    still = picture.copy()
    still.flags.writeable = False
    yield "read only", still


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_layout_encodes_to_the_same_stream(shape, dtype):
    picture = drawn(shape, dtype)
    stream = glint.encode(picture)
    for name, same in with_strides(picture):
        assert np.array_equal(same, picture)
        assert glint.encode(same) == stream, name
    assert glint.encode(glint.Picture(picture)) == stream
    assert glint.encode(memoryview(picture) if picture.ndim == 3 else picture) == stream


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_layout_is_decoded_into(shape, dtype):
    stream = glint.encode(drawn(shape, dtype), exact=True)
    deep = dtype == np.uint16
    plain = glint.decode(stream, deep=deep)
    for name, out in with_strides(np.zeros_like(plain)):
        if not out.flags.writeable:
            continue
        assert glint.decode(stream, deep=deep, out=out) is out
        assert np.array_equal(out, plain), name


def test_nothing_is_written_between_rows_and_samples():
    stream = glint.encode(drawn((9, 11, 3)))
    wide = np.full((18, 33, 3), 77, np.uint8)
    glint.decode(stream, out=wide[::2, 1::3])
    assert np.array_equal(wide[::2, 1::3], glint.decode(stream))
    wide[::2, 1::3] = 77
    assert np.all(wide == 77)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_and_dtypes_come_back(shape, dtype):
    picture = drawn(shape, dtype)
    stream = glint.encode(picture, exact=True)
    squeezed = picture[..., 0] if shape[2:] == (1,) else picture
    info = glint.info(stream)
    assert info.shape == squeezed.shape
    assert (info.height, info.width) == shape[:2]
    assert info.bit_depth == picture.itemsize * 8
    decoded = glint.decode(stream, deep=dtype == np.uint16)
    assert decoded.shape == squeezed.shape
    assert decoded.dtype == dtype
    assert glint.decode(stream).shape == squeezed.shape


@pytest.mark.parametrize("shape", SHAPES)
def test_lossless_is_the_same_array(shape):
    picture = drawn(shape)
    squeezed = picture[..., 0] if shape[2:] == (1,) else picture
    assert np.array_equal(glint.decode(glint.encode(picture, lossless=True)), squeezed)


def test_max_error_holds():
    picture = drawn((40, 50, 3))
    decoded = glint.decode(glint.encode(picture, max_error=3))
    assert np.max(np.abs(decoded.astype(int) - picture)) <= 3


def test_samples_of_16_bits_fill_arrays_of_16_bits():
    # 8 bits are scaled: 255 becomes 65535.
    stream = glint.encode(drawn((20, 30, 3)), lossless=True)
    out = np.zeros((20, 30, 3), np.uint16)
    glint.decode(stream, out=out)
    assert np.array_equal(out, glint.decode(stream).astype(np.uint16) * 257)


@pytest.mark.parametrize(
    "bad, message",
    [
        (np.zeros((3, 4, 5), np.uint8), r"a picture of shape \(3, 4, 5\): .*1 to 4 samples"),
        (np.zeros((3, 4, 0), np.uint8), r"\(3, 4, 0\)"),
        (np.zeros(3, np.uint8), r"a picture of shape \(3,\): "),
        (np.uint8(3), r"shape \(\)"),
        (np.zeros((2, 3, 4, 3), np.uint8), r"\(2, 3, 4, 3\)"),
        (np.zeros((3, 4), np.float32), "neither uint8 nor uint16"),
        (np.zeros((3, 4), np.int8), "neither uint8 nor uint16"),
        (np.zeros((3, 4), bool), "neither uint8 nor uint16"),
        (np.zeros((3, 4), ">u2"), "neither uint8 nor uint16 in this machine's byte order"),
        (np.zeros((0, 4, 3), np.uint8), "0"),
        (np.zeros((4, 0), np.uint8), "0"),
        ([[1.5, 2.5]], "neither uint8 nor uint16"),
        (array.array("B", [1, 2, 3]), r"\(3,\)"),
        (None, "shape"),
    ],
)
def test_what_is_no_picture_is_refused(bad, message):
    with pytest.raises(glint.InvalidArgumentError, match=message) as caught:
        glint.encode(bad)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    "out, message",
    [
        (np.zeros((9, 9, 3), np.uint8), r"\(9, 9, 3\) and uint8, the picture one of \(8, 9, 3\)"),
        (np.zeros((8, 9), np.uint8), r"out is an array of \(8, 9\)"),
        (np.zeros((8, 9, 4), np.uint8), r"\(8, 9, 4\)"),
        (np.zeros((8, 9, 3), np.float32), "out of shape .*neither uint8 nor uint16"),
        (np.zeros((8, 9, 3), np.int16), "neither uint8 nor uint16"),
    ],
)
def test_an_array_that_does_not_fit_is_refused(out, message):
    stream = glint.encode(drawn((8, 9, 3)))
    before = out.copy()
    with pytest.raises(glint.InvalidArgumentError, match=message):
        glint.decode(stream, out=out)
    assert np.array_equal(out, before)


def test_an_array_that_cannot_be_written_is_refused():
    stream = glint.encode(drawn((8, 9, 3)))
    out = np.zeros((8, 9, 3), np.uint8)
    out.flags.writeable = False
    with pytest.raises(glint.InvalidArgumentError, match="out cannot be written: .*read-only"):
        glint.decode(stream, out=out)
    with pytest.raises(TypeError):
        glint.decode(stream, out=5)


def test_streams_come_in_any_buffer():
    stream = glint.encode(drawn((20, 30, 3)))
    plain = glint.decode(stream)
    for same in (bytearray(stream), memoryview(stream), np.frombuffer(stream, np.uint8), array.array("B", stream)):
        assert np.array_equal(glint.decode(same), plain)
        assert glint.info(same).bytes == len(stream)
    with pytest.raises((BufferError, ValueError)):
        glint.decode(np.frombuffer(stream, np.uint8)[::2])
    with pytest.raises(TypeError):
        glint.decode(3)


def test_no_reference_is_left():
    picture = drawn((20, 30, 3))
    out = np.zeros_like(picture)
    stream = bytearray(glint.encode(picture))
    glint.decode(stream, out=out)
    counts = [sys.getrefcount(kept) for kept in (picture, out, stream)]
    for _ in range(5):
        glint.encode(picture)
        glint.encode(picture, progress=lambda done: None)
        glint.decode(stream, out=out)
        with pytest.raises(glint.Error):
            glint.encode(picture, quality=1000)
        with pytest.raises(glint.Error):
            glint.decode(stream, out=picture[:4])
    gc.collect()
    assert [sys.getrefcount(kept) for kept in (picture, out, stream)] == counts
    stream.append(0)  # which Python refuses while somebody looks at its memory


def test_memory_of_arrays_goes_with_them():
    resource = pytest.importorskip("resource")
    stream = glint.encode(drawn((256, 256, 3)))
    glint.latents(stream, threads=1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(80):
        glint.decode(stream, threads=1)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # 80 arrays of 192 KiB are 15 MiB.
    assert after - before < 8 * 1024
