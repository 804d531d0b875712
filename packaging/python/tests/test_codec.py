"""Encoding and decoding: what the programs give, parts of pictures, rates, what is refused."""

import array
import mmap
import os
import pickle
import shutil
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from conftest import ROOT, SAMPLES, drawn

import glint

PICTURES = ["lake.png", "bakery.png", "pebbles.png"]


# ---- the programs --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PICTURES)
def test_streams_are_those_of_glint_encode(program, tmp_path, name):
    program("glint", "encode", SAMPLES / name, "plain.glint")
    plain = (tmp_path / "plain.glint").read_bytes()
    assert glint.encode(SAMPLES / name) == plain
    assert glint.encode(str(SAMPLES / name)) == plain
    assert glint.encode((SAMPLES / name).read_bytes()) == plain
    picture = glint.read_picture(SAMPLES / name)
    assert glint.encode(picture) == plain
    assert glint.encode(picture.samples, metadata=picture.metadata) == plain


@pytest.mark.parametrize(
    "flags, arguments",
    [
        (["--quality", "20"], {"quality": 20}),
        (["--lrd", "0.0005", "--detail", "off"], {"lrd": 0.0005, "detail": "off"}),
        (["--detail", "on"], {"detail": "on"}),
        (["--target-size", "20000"], {"target_size": 20000}),
        (["--target-bpp", "0.4"], {"target_bpp": 0.4}),
        (["--target-psnr", "33"], {"target_psnr": 33}),
        (["--max-error", "2"], {"max_error": 2}),
        (["--lossless"], {"lossless": True}),
        (["--model", "light-msssim-int8"], {"model": "light-msssim-int8"}),
    ],
)
def test_options_are_the_flags_of_glint_encode(program, tmp_path, flags, arguments):
    # 192 x 256 pixels of a sample, by a file of our own.
    part = glint.read_picture(SAMPLES / "bakery.png").samples[100:292, 100:356]
    glint.write_picture(tmp_path / "part.png", part)
    program("glint", "encode", "part.png", "part.glint", *flags)
    assert glint.encode(part, **arguments) == (tmp_path / "part.glint").read_bytes()


@pytest.mark.parametrize(
    "flags, arguments",
    [
        ([], {}),
        (["--crop", "50x40+10+20"], {"crop": (10, 20, 50, 40)}),
        (["--shrink", "4"], {"shrink": 4}),
        (["--shrink", "2", "--crop", "30x20+5+6"], {"shrink": 2, "crop": (5, 6, 30, 20)}),
        (["--no-alpha"], {"alpha": "drop"}),
        (["--background", "ff8000"], {"alpha": "blend", "background": (255, 128, 0)}),
    ],
)
def test_arrays_are_what_glint_decode_writes(program, tmp_path, flags, arguments):
    stream = glint.encode(drawn((120, 160, 4)), exact=True)
    (tmp_path / "in.glint").write_bytes(stream)
    program("glint", "decode", "in.glint", "out.png", *flags)
    written = glint.read_picture(tmp_path / "out.png").samples
    assert np.array_equal(glint.decode(stream, **arguments), written)
    assert np.array_equal(glint.decode(tmp_path / "in.glint", **arguments), written)


def test_deep_arrays_are_what_glint_decode_writes(program, tmp_path):
    stream = glint.encode(drawn((60, 70, 3), np.uint16))
    (tmp_path / "in.glint").write_bytes(stream)
    program("glint", "decode", "in.glint", "out.png", "--deep")
    written = glint.read_picture(tmp_path / "out.png")
    assert written.bit_depth == 16
    assert np.array_equal(glint.decode(stream, deep=True), written.samples)
    assert np.array_equal(glint.decode(stream, out=np.zeros((60, 70, 3), np.uint16)), written.samples)


# ---- parts ---------------------------------------------------------------------------------------


def test_a_crop_is_that_part(lake):
    stream = glint.encode(lake)
    whole = glint.decode(stream)
    assert np.array_equal(glint.decode(stream, crop=(40, 30, 200, 100)), whole[30:130, 40:240])
    out = np.zeros((100, 200, 3), np.uint8)
    glint.decode(stream, crop=(40, 30, 200, 100), out=out)
    assert np.array_equal(out, whole[30:130, 40:240])


@pytest.mark.parametrize("shrink", [2, 4, 8])
def test_a_shrunk_picture_is_near_the_means(lake, shrink):
    stream = glint.encode(lake, detail="off")
    height, width = lake.shape[:2]
    means = (
        glint.decode(stream)
        .reshape(height // shrink, shrink, width // shrink, shrink, 3)
        .mean(axis=(1, 3))
    )
    small = glint.decode(stream, shrink=shrink)
    assert small.shape == means.shape
    assert glint.psnr(np.rint(means).astype(np.uint8), small) > 35


def test_threads_change_nothing(lake):
    streams = {glint.encode(lake, threads=threads) for threads in (0, 1, 2, 5)}
    assert len(streams) == 1
    pictures = {glint.decode(*streams, threads=threads).tobytes() for threads in (0, 1, 2, 5)}
    assert len(pictures) == 1


def test_effort_gives_another_sound_stream():
    picture = drawn((64, 64, 3))
    stream = glint.encode(picture, effort=1, detail="off")
    assert stream != glint.encode(picture, detail="off")
    assert glint.decode(stream).shape == picture.shape


# ---- metadata ------------------------------------------------------------------------------------


def test_metadata_are_kept(tmp_path):
    metadata = glint.Metadata(icc=b"profile" * 9, exif=b"II*\0exif", chunks=[("tEXt", b"a\0b"), ("pHYs", bytes(9))])
    picture = drawn((8, 9, 3))
    said = glint.info(glint.encode(picture, metadata=metadata)).metadata
    assert said == metadata
    assert (said.icc, said.exif, said.chunks) == (metadata.icc, metadata.exif, metadata.chunks)
    assert pickle.loads(pickle.dumps(metadata)) == metadata
    assert metadata != glint.Metadata()
    assert metadata != 3
    assert glint.info(glint.encode(glint.Picture(picture, metadata))).metadata == metadata
    glint.write_picture(tmp_path / "out.png", picture, metadata=glint.Metadata(exif=b"II*\0exif"))
    again = glint.read_picture(tmp_path / "out.png")
    assert np.array_equal(again.samples, picture)
    assert again.metadata.exif == b"II*\0exif"
    assert glint.info(glint.encode(tmp_path / "out.png", metadata=glint.Metadata())).metadata.exif == b""


def test_gray_of_few_bits_reaches_from_0_to_255(tmp_path):
    levels = np.arange(16, dtype=np.uint8).reshape(4, 4)
    (tmp_path / "levels.pgm").write_bytes(b"P5 4 4 15\n" + levels.tobytes())
    picture = glint.read_picture(tmp_path / "levels.pgm")
    assert picture.bit_depth == 4
    assert np.array_equal(picture.samples, levels * 17)
    stream = glint.encode(tmp_path / "levels.pgm", lossless=True)
    assert glint.info(stream).bit_depth == 4
    assert np.array_equal(glint.decode(stream), levels * 17)
    out = np.zeros((4, 4), np.uint16)
    glint.decode(stream, out=out)
    assert np.array_equal(out, levels.astype(np.uint16) * 4369)


# ---- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments, kind, message",
    [
        ({"quality": 101}, glint.InvalidArgumentError, "quality is 101, 0 to 100"),
        ({"quality": 50, "lrd": 0.001}, glint.InvalidArgumentError, "quality and lrd exclude each other"),
        ({"lrd": 1e9}, glint.InvalidArgumentError, "lrd"),
        ({"lrd": 0}, glint.InvalidArgumentError, "lrd=0: it is greater than 0"),
        ({"lrd": float("nan")}, glint.InvalidArgumentError, "lrd"),
        ({"target_size": 10}, glint.UnreachableError, "10 bytes cannot be reached"),
        ({"target_size": -1}, glint.InvalidArgumentError, "target"),
        ({"target_psnr": 200}, glint.UnreachableError, "200"),
        ({"effort": 10}, glint.InvalidArgumentError, "effort"),
        ({"detail": "much"}, glint.InvalidArgumentError, "detail='much': it is one of auto, off, on"),
        ({"effort": 2**40}, glint.InvalidArgumentError, "effort=1099511627776: it is 0 to 9"),
        ({"threads": 2**31}, glint.InvalidArgumentError, "threads"),
        ({"max_error": -1}, glint.InvalidArgumentError, "max_error=-1: it is 0 to 127"),
        ({"limits": 5}, TypeError, "limits is a int, not a glint.Limits"),
        ({"effort": "much"}, TypeError, "integer"),
        ({"max_error": 128}, glint.InvalidArgumentError, "max_error"),
        ({"lossless": True, "detail": "off"}, glint.InvalidArgumentError, "detail"),
        ({"model": "none"}, glint.NotFoundError, "none: there is no such file.*light-int8"),
        ({"model": "none.safetensors"}, glint.NotFoundError, "none.safetensors"),
        ({"threads": -1}, glint.InvalidArgumentError, "threads"),
        ({"limits": glint.Limits(max_memory=1000)}, glint.LimitError, "the limit is 1000 bytes"),
        ({"limits": glint.Limits(max_pixels=100)}, glint.LimitError, "100"),
    ],
)
def test_what_encode_refuses(arguments, kind, message):
    with pytest.raises(kind, match=message):
        glint.encode(drawn((20, 30, 3)), **arguments)


def test_a_limit_says_what_would_do():
    picture = drawn((64, 64, 3))
    with pytest.raises(glint.LimitError) as caught:
        glint.encode(picture, limits=glint.Limits(max_memory=1000), threads=1)
    assert isinstance(caught.value, MemoryError)
    enough = glint.Limits(max_memory=caught.value.memory_needed)
    assert glint.encode(picture, limits=enough, threads=1)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"crop": (0, 0, 100, 1)}, "crop"),
        ({"crop": (0, 0, 0, 0)}, "crop"),
        ({"crop": (-1, 0, 5, 5)}, "crop=-1: it is 0 to"),
        ({"crop": (1, 0, 5)}, r"crop=\(1, 0, 5\): it has 4 numbers"),
        ({"background": (300, 0, 0)}, "background=300: it is 0 to 255"),
        ({"shrink": 2**40}, "shrink"),
        ({"shrink": 3}, "3"),
        ({"detail": "some"}, "detail='some'"),
        ({"alpha": "some"}, "alpha='some'"),
    ],
)
def test_what_decode_refuses(arguments, message):
    stream = glint.encode(drawn((20, 30, 3)))
    with pytest.raises(glint.InvalidArgumentError, match=message):
        glint.decode(stream, **arguments)


def test_files_that_are_none(tmp_path):
    for call in (glint.encode, glint.decode, glint.info, glint.read_picture, glint.Model.load):
        with pytest.raises(glint.NotFoundError, match="nothing.png") as caught:
            call(tmp_path / "nothing.png")
        assert isinstance(caught.value, FileNotFoundError)
    for call in (glint.encode, glint.read_picture):
        with pytest.raises(glint.Error):
            call(b"no picture")
    (tmp_path / "text.glint").write_text("no stream")
    with pytest.raises(glint.BadStreamError, match="not a Glint stream"):
        glint.decode(tmp_path / "text.glint")
    with pytest.raises(glint.BadModelError):
        glint.Model.load(b"no model at all")
    with pytest.raises(glint.Error, match="nowhere"):
        glint.write_picture(tmp_path / "nowhere" / "out.png", drawn((4, 4)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["text.glint"]


def test_another_model_is_refused():
    stream = glint.encode(drawn((20, 30, 3)))
    with pytest.raises(glint.WrongModelError):
        glint.decode(stream, model="light-fp32")


def test_a_stream_of_an_unknown_model_is_refused(tmp_path, monkeypatch):
    if not (ROOT / "weights" / "light-int16.safetensors").exists():
        pytest.skip("weights/light-int16.safetensors is not there")
    path = ROOT / "weights" / "light-int16.safetensors"
    stream = glint.encode(drawn((20, 30, 3)), model=path)
    with pytest.raises(glint.WrongModelError, match=glint.info(stream).model_id):
        glint.decode(stream)
    plain = glint.decode(stream, model=path)
    monkeypatch.setenv("GLINT_MODEL", str(path))
    assert np.array_equal(glint.decode(stream), plain)
    assert glint.default_model().form == glint.Model.load(path).form
    monkeypatch.setenv("GLINT_MODEL", str(tmp_path))
    with pytest.raises(glint.NotFoundError, match="there is no light-int8.safetensors in this folder"):
        glint.default_model()


def test_damaged_streams_give_errors_or_pictures():
    stream = glint.encode(drawn((40, 50, 4)))
    model = glint.default_model()
    for length in range(0, len(stream), 7):
        with pytest.raises(glint.BadStreamError):
            glint.decode(stream[:length], model=model)
    random = np.random.default_rng(1)
    for _ in range(300):
        damaged = bytearray(stream)
        for at in random.integers(0, len(stream), 3):
            damaged[at] ^= 1 << random.integers(0, 8)
        if damaged == stream:
            continue
        for call in (glint.decode, glint.latents):
            with pytest.raises(glint.Error):
                call(bytes(damaged), model=model)


def test_damaged_details_can_be_left_out():
    picture = drawn((80, 90, 3))
    stream = bytearray(glint.encode(picture, lossless=True))
    # The layer of details is nearly all of it.
    _, offset, size = max(glint.info(stream).chunks, key=lambda chunk: chunk[2])
    stream[offset + size // 2] ^= 1
    with pytest.raises(glint.BadStreamError):
        glint.decode(stream)
    assert glint.info(stream).damaged_rows == [(0, 80)]
    assert glint.decode(stream, detail="skip-damaged").shape == picture.shape
    assert np.array_equal(glint.decode(stream, detail="skip-damaged"), glint.decode(stream, detail="skip"))


# ---- calls ---------------------------------------------------------------------------------------


def test_progress_rises_to_1_and_can_stop(lake):
    for call in (lambda heard: glint.encode(lake, progress=heard), lambda heard: glint.decode(stream, progress=heard)):
        stream = glint.encode(lake)
        seen = []
        call(lambda done: seen.append(done))
        assert seen == sorted(seen)
        assert seen[-1] == 1
        with pytest.raises(glint.CancelledError):
            call(lambda done: False)


def test_what_a_callback_raises_comes_out(lake):
    class Mine(Exception):
        pass

    def fail(done):
        raise Mine("stop here")

    with pytest.raises(Mine, match="stop here"):
        glint.encode(lake, progress=fail)
    with pytest.raises(Mine):
        glint.decode(glint.encode(lake), progress=fail)


def test_the_gil_is_released(lake):
    """While one thread codes, another runs Python all the time."""
    ticks = 0
    stop = threading.Event()

    def count():
        nonlocal ticks
        while not stop.is_set():
            ticks += 1
            time.sleep(0.001)

    big = np.tile(lake, (3, 2, 1))
    stream = glint.encode(big, threads=1)
    thread = threading.Thread(target=count)
    thread.start()
    try:
        for call in (
            lambda: glint.encode(big, threads=1),
            lambda: glint.decode(stream, threads=1),
            lambda: glint.evaluate(big, threads=1, verify=False),
        ):
            before, begin = ticks, time.monotonic()
            call()
            seconds = time.monotonic() - begin
            # With the GIL held it would be none but at the ends.
            assert ticks - before > max(5, 20 * seconds)
    finally:
        stop.set()
        thread.join()


def test_many_threads_share_a_model_and_an_array(lake):
    model = glint.Model.load("light-fp32")
    part = lake[:128, :128]
    stream = glint.encode(part, model=model, threads=1)
    plain = glint.decode(stream, model=model, threads=1)
    failures = []

    def work():
        for _ in range(5):
            if glint.encode(part, model=model, threads=1) != stream:
                failures.append("encode")
            if not np.array_equal(glint.decode(stream, model=model, threads=1), plain):
                failures.append("decode")

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_ctrl_c_ends_a_call(tmp_path):
    script = """
import signal, sys, numpy as np, glint
picture = np.random.default_rng(1).integers(0, 256, (6000, 3000, 3), np.uint8)
signal.setitimer(signal.ITIMER_REAL, 1)
signal.signal(signal.SIGALRM, signal.default_int_handler)
try:
    glint.encode(picture, effort=9, threads=1)
except KeyboardInterrupt:
    sys.exit(42)
"""
    begin = time.monotonic()
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 42, done.stderr
    assert time.monotonic() - begin < 60


# ---- models --------------------------------------------------------------------------------------


def test_the_default_model_is_that_of_glint_encode():
    assert glint.shipped_models()[0] == "light-int8"
    assert glint.default_model() == glint.Model.load("light-int8")
    assert glint.info(glint.encode(drawn((8, 8)))).model_id == glint.default_model().id


@pytest.mark.parametrize("name", ["light-int8", "light-fp32", "light-msssim-int8"])
def test_models_say_what_they_are(name, tmp_path):
    model = glint.Model.load(name, threads=2)
    assert len(model.id) == 16
    assert model.name and model.form and model.architecture
    assert model.lrd_range[0] <= model.lrd_suggested[0] < model.lrd_suggested[1] <= model.lrd_range[1]
    assert model.lrd_range[0] < model.lrd_default < model.lrd_range[1]
    assert model.detail_lrd_range[0] <= model.detail_lrd_default <= model.detail_lrd_range[1]
    assert model.lrd_of_quality(0) == pytest.approx(model.detail_lrd_range[0])
    assert model.lrd_of_quality(100) == pytest.approx(model.detail_lrd_range[1])
    assert not model.has_fixed_rate
    assert model.shrinks == (2, 4, 8)
    assert model.parameters > 1000
    assert "g_s" in model.explain()
    path = tmp_path / "copy.safetensors"
    shutil.copy(ROOT / "weights" / f"{name}.safetensors", path)
    assert model.file_bytes == path.stat().st_size
    for same in (glint.Model.load(path), glint.Model.load(str(path)), glint.Model.load(path.read_bytes())):
        assert same == model
        assert hash(same) == hash(model)
        assert same.id in repr(same)


def test_models_are_pickled_by_their_path():
    model = glint.Model.load("light-int8")
    assert pickle.loads(pickle.dumps(model)) == model
    path = ROOT / "weights" / "light-int8.safetensors"
    with pytest.raises(TypeError):
        pickle.dumps(glint.Model.load(path.read_bytes()))


def test_a_limit_on_loading_holds():
    with pytest.raises(glint.LimitError):
        glint.Model.load("light-int8", max_memory=100_000)


def test_targets():
    assert glint.current_target() in glint.supported_targets()
    with pytest.raises(glint.InvalidArgumentError):
        glint.set_target("NONE")


def test_is_stream(lake):
    assert glint.is_stream(glint.encode(lake[:8, :8]))
    assert not glint.is_stream(b"PNG")
    assert not glint.is_stream(b"")


def test_errors_have_the_kinds_of_python():
    assert issubclass(glint.NotFoundError, FileNotFoundError)
    assert issubclass(glint.FileError, OSError)
    assert issubclass(glint.LimitError, MemoryError)
    assert issubclass(glint.BadStreamError, ValueError)
    for name in glint.__all__:
        value = getattr(glint, name)
        if isinstance(value, type) and issubclass(value, Exception):
            assert issubclass(value, glint.Error)
            assert value.__doc__


# ---- files ---------------------------------------------------------------------------------------


def test_names_need_not_be_utf_8(tmp_path):
    name = os.fsdecode(os.fsencode(tmp_path) + b"/\xff")
    picture = drawn((20, 30, 3))
    try:
        glint.write_picture(name + ".png", picture)
    except glint.FileError as error:
        pytest.skip(f"this file system has no such names: {error}")
    assert np.array_equal(glint.read_picture(name + ".png").samples, picture)
    with open(name + ".glint", "wb") as file:
        file.write(glint.encode(name + ".png"))
    assert glint.info(name + ".glint").shape == glint.decode(name + ".glint").shape == (20, 30, 3)
    shutil.copy(ROOT / "weights" / "light-int8.safetensors", name + ".safetensors")
    assert glint.Model.load(name + ".safetensors") == glint.default_model()
    with pytest.raises(glint.NotFoundError, match=r"\\xfe\.png"):
        glint.read_picture(os.fsdecode(b"\xfe.png"))


def test_a_nul_in_a_name_is_refused(tmp_path):
    name = str(tmp_path / "a.png") + "\0.ppm"
    for call in (glint.encode, glint.info, glint.read_picture, glint.Model.load):
        with pytest.raises(glint.InvalidArgumentError, match="a file name with a NUL in it"):
            call(name)
    with pytest.raises(glint.InvalidArgumentError, match="a file name with a NUL in it"):
        glint.write_picture(name, drawn((4, 4)))
    assert not any(tmp_path.iterdir())


def test_messages_need_not_be_utf_8():
    with pytest.raises(glint.BadImageError, match=r"WID\\xffTH"):
        glint.read_picture(b"P7\nWID\xffTH 2\n")


def test_other_metadata_leave_the_depth(tmp_path):
    gray = np.arange(64, dtype=np.uint8).reshape(8, 8) % 2
    (tmp_path / "two.pgm").write_bytes(b"P5\n8 8\n1\n" + gray.tobytes())
    picture = glint.read_picture(tmp_path / "two.pgm")
    assert picture.bit_depth == 1
    glint.write_picture(tmp_path / "out.png", picture, metadata=glint.Metadata(icc=b"profile"))
    again = glint.read_picture(tmp_path / "out.png")
    assert again.bit_depth == 1
    assert again.metadata.icc == b"profile"
    assert np.array_equal(again.samples, gray * 255)
    pickled = pickle.loads(pickle.dumps(again))
    assert (pickled.bit_depth, pickled.metadata) == (1, again.metadata)
    assert np.array_equal(pickled.samples, again.samples)


@pytest.mark.parametrize("kind", ["array", "mmap", "numpy"])
def test_files_come_in_any_buffer(tmp_path, kind):
    path = SAMPLES / "lake.png"
    content = path.read_bytes()
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        given = {"array": array.array("B", content), "mmap": mapped, "numpy": np.frombuffer(content, np.uint8)}[kind]
        assert glint.encode(given) == glint.encode(path)


# ---- kept models, and what a folder holds --------------------------------------------------------


def model_file(name, path):
    path.parent.mkdir(exist_ok=True)
    made = path.with_suffix(".new")
    shutil.copy(ROOT / "weights" / f"{name}.safetensors", made)
    made.replace(path)
    return glint.Model.load(name).id


def test_a_path_means_the_file_that_is_there(tmp_path, monkeypatch):
    picture = drawn((8, 8))

    def used():
        return glint.info(glint.encode(picture, model="m.safetensors")).model_id

    ids = [model_file(name, tmp_path / name / "m.safetensors") for name in ("light-int8", "light-msssim-int8")]
    for folder, wanted in zip(("light-int8", "light-msssim-int8"), ids, strict=True):
        monkeypatch.chdir(tmp_path / folder)
        assert used() == wanted
    assert model_file("light-int8", tmp_path / "light-msssim-int8" / "m.safetensors") == used() == ids[0]


def test_a_model_may_appear_later(tmp_path, monkeypatch):
    if not (ROOT / "weights" / "light-int16.safetensors").exists():
        pytest.skip("weights/light-int16.safetensors is not there")
    path = tmp_path / "later.safetensors"
    stream = glint.encode(drawn((20, 30, 3)), model=ROOT / "weights" / "light-int16.safetensors")
    monkeypatch.setenv("GLINT_MODEL", str(path))
    with pytest.raises(glint.WrongModelError):
        glint.decode(stream)
    shutil.copy(ROOT / "weights" / "light-int16.safetensors", path)
    assert glint.decode(stream).shape == (20, 30, 3)


def test_the_default_model_is_not_of_the_working_folder(tmp_path, monkeypatch):
    wanted = glint.default_model().id
    monkeypatch.chdir(tmp_path)
    model_file("light-msssim-int8", tmp_path / "light-int8")
    assert glint.info(glint.encode(drawn((8, 8)))).model_id == wanted
    # The user's own name may be a file, as with `glint --model`; a folder is none.
    assert glint.info(glint.encode(drawn((8, 8)), model="light-int8")).model_id != wanted
    (tmp_path / "light-int8").unlink()
    (tmp_path / "light-int8").mkdir()
    assert glint.info(glint.encode(drawn((8, 8)), model="light-int8")).model_id == wanted


def test_the_environment_names_no_shipped_model(monkeypatch):
    monkeypatch.setenv("GLINT_MODEL", "light-fp32")
    with pytest.raises(glint.NotFoundError, match="light-fp32"):
        glint.encode(drawn((8, 8)))


# ---- values --------------------------------------------------------------------------------------


def test_values_compare_print_and_pickle():
    limits = glint.Limits(max_pixels=5, max_memory=6)
    assert limits == glint.Limits(5, 6) and limits != glint.Limits(5, 7) and limits != 5
    assert eval(repr(limits), {"Limits": glint.Limits}) == limits
    assert pickle.loads(pickle.dumps(limits)) == limits
    metadata = glint.Metadata(chunks=[("tEXt", b"a\0b")])
    assert metadata.chunks == (("tEXt", b"a\0b"),)
    for changing in (limits, metadata):
        with pytest.raises(TypeError, match="unhashable"):
            hash(changing)


@pytest.mark.parametrize("answer, goes", [(None, True), (True, True), (np.True_, True), (np.False_, False), (False, False)])
def test_a_callback_may_answer_with_any_truth(answer, goes):
    picture = drawn((20, 30, 3))
    if goes:
        assert glint.encode(picture, progress=lambda done: answer)
        return
    with pytest.raises(glint.CancelledError):
        glint.encode(picture, progress=lambda done: answer)
