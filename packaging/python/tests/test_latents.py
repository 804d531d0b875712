"""Latents out of pictures and streams, and pictures of latents."""

import dataclasses
import functools

import numpy as np
import pytest
from conftest import drawn

import glint


@pytest.mark.parametrize("shape", [(1, 1, 3), (40, 50), (65, 33, 3), (30, 20, 4)])
def test_latents_of_a_stream_are_its_picture(shape):
    picture = drawn(shape)
    stream = glint.encode(picture, detail="off", exact=True)
    latents = glint.latents(stream)
    assert latents.values.dtype == np.int16
    assert latents.values.ndim == 3
    assert (latents.height, latents.width) == shape[:2]
    assert np.array_equal(glint.synthesise(latents), glint.decode(stream, alpha="drop"))


def test_a_picture_s_latents_are_those_of_its_stream(lake):
    part = lake[:100, :120]
    latents = glint.analyse(part, lrd=0.0005)
    of_stream = glint.latents(glint.encode(part, lrd=0.0005, detail="off"))
    assert np.array_equal(latents.values, of_stream.values)
    assert latents.lrd == of_stream.lrd == pytest.approx(0.0005, rel=1e-3)
    assert latents.model_id == glint.default_model().id


def test_gray_in_three_channels():
    gray = drawn((40, 50))
    rgb = np.repeat(gray[..., None], 3, axis=2)
    stream = glint.encode(rgb, detail="off")
    picture = glint.synthesise(glint.latents(stream))
    assert np.array_equal(picture, glint.decode(stream)[..., 0])


def test_floats_are_the_integers(lake):
    latents = glint.analyse(lake[:64, :64])
    floats = latents.as_float()
    assert floats.dtype == np.float32
    assert np.array_equal(floats * 2**latents.fraction_bits, latents.values)
    assert np.array_equal(latents.with_values(floats).values, latents.values)
    assert np.array_equal(latents.with_values(latents.values).values, latents.values)
    # Rounded to the nearest.
    moved = latents.with_values(floats + np.float32(0.4 / 2**latents.fraction_bits))
    assert np.array_equal(moved.values, latents.values)


def test_changed_latents_are_another_picture(lake):
    latents = glint.analyse(lake[:64, :64])
    dark = glint.synthesise(latents.with_values(latents.as_float() * np.float32(0.5)))
    assert not np.array_equal(dark, glint.synthesise(latents))
    deep = glint.synthesise(latents, deep=True)
    assert deep.dtype == np.uint16
    assert np.array_equal(np.rint(deep / 257), glint.synthesise(latents))
    out = np.zeros((64, 64, 3), np.uint8)[::-1]
    assert glint.synthesise(latents, out=out) is out
    assert np.array_equal(out, glint.synthesise(latents))


@pytest.mark.parametrize(
    "values, message",
    [
        (np.full((4, 4, 192), np.nan), "no number"),
        (np.full((4, 4, 192), 513.0), "beyond what 16 bits hold"),
        (np.full((4, 4, 192), 1 << 20), "beyond what 16 bits hold"),
        (np.full((4, 4, 192), "x"), "integers or floats"),
        (np.zeros((4, 5, 192)), r"\(4, 5, 192\): .*int16 of \(4, 4, 192\)"),
        (np.zeros((4, 4)), r"\(4, 4\)"),
    ],
)
def test_latents_that_do_not_fit_are_refused(lake, values, message):
    latents = glint.analyse(lake[:64, :64])
    with pytest.raises(glint.InvalidArgumentError, match=message):
        glint.synthesise(latents.with_values(values))


def test_an_array_of_16_bits_gets_16_bits(lake):
    latents = glint.analyse(lake[:64, :64])
    out = np.zeros((64, 64, 3), np.uint16)
    glint.synthesise(latents, out=out)
    assert np.array_equal(out, glint.synthesise(latents, deep=True))
    assert np.any(out % 257)


def test_another_fixed_point_is_refused(lake):
    latents = glint.analyse(lake[:64, :64])
    with pytest.raises(glint.InvalidArgumentError, match="7 fraction bits: those of model .* have 6"):
        glint.synthesise(dataclasses.replace(latents, fraction_bits=7))


def least_memory(call):
    """The least limit that a call works with."""
    low, high = 0, 1 << 30
    while high - low > 1:
        middle = (low + high) // 2
        try:
            call(limits=glint.Limits(max_memory=middle), threads=1)
            high = middle
        except glint.LimitError as error:
            assert error.memory_needed == 0 or error.memory_needed > middle
            low = middle
    return high


def test_arrays_that_are_made_count_as_memory(lake):
    stream = glint.encode(lake[:64, :96], detail="off")
    latents = glint.latents(stream)
    out = np.zeros((64, 96, 3), np.uint8)
    for call in (glint.decode, glint.synthesise):
        given = functools.partial(call, stream if call == glint.decode else latents)
        assert least_memory(given) - least_memory(functools.partial(given, out=out)) == out.nbytes
    of_latents = functools.partial(glint.latents, stream)
    plain = functools.partial(glint.decode, stream, detail="skip", out=out)
    assert least_memory(of_latents) - least_memory(plain) == latents.values.nbytes


@pytest.mark.parametrize("call", [glint.decode, glint.latents])
def test_a_limit_on_decoding_says_what_would_do(lake, call):
    stream = glint.encode(lake)
    for small in (10_000, 500_000, 1_300_000):
        with pytest.raises(glint.LimitError) as caught:
            call(stream, limits=glint.Limits(max_memory=len(stream) + small), threads=1)
        assert call(stream, limits=glint.Limits(max_memory=caught.value.memory_needed), threads=1) is not None
