#!/usr/bin/env python3
"""Asks the programs of desktops what they make of .glint files, where Glint is installed as /usr/local.

Usage: check.py TREE, with a session bus, in a folder that may be filled (`./run desktop-check` does all of that).
A line for each check, then "N passed, N failed"."""
import hashlib
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import zlib

import gi

gi.require_version("GnomeDesktop", "3.0")
from gi.repository import Gio, GLib, GnomeDesktop  # noqa: E402  (the version comes first)

TREE = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(TREE / "tests"))
from checks import Checks, expect  # noqa: E402

TYPE = "image/x-glint"
DELEGATES = pathlib.Path("/usr/local/share/glint/imagemagick/delegates.xml")
SECONDS = 120  # for a thumbnail, on a machine with other work
MODEL_ID = hashlib.sha256(pathlib.Path("/usr/local/share/glint/light-int8.safetensors").read_bytes()).digest()[:8]

# By name: how ImageMagick draws it, and the size of its thumbnail in 128 x 128.
DRAWN = {
    "wide": (["-size", "700x20", "gradient:red-blue", "-rotate", "180"], (128, 4)),
    "tall": (["-size", "20x700", "gradient:red-blue"], (4, 128)),
    "one": (["-size", "1x1", "xc:orange"], (1, 1)),
    "gray": (["-size", "300x200", "-seed", "1", "plasma:fractal", "-colorspace", "Gray"], (128, 85)),
    "alpha": ([str(TREE / "tools/samples/pebbles.png")], (128, 96)),
    "deep": (["-size", "300x300", "gradient:yellow-green", "-depth", "16"], (128, 128)),
    "deep alpha": (["-size", "200x300", "gradient:yellow-none", "-depth", "16"], (85, 128)),
    "photo": ([str(TREE / "tools/samples/lake.png")], (128, 85)),
}
NAMES = ["a b", "-dash", "new\nline", "quo'te\"`touch x`$(touch x);", "%i %s", "äöü", "no ending"]


def run(*command, env=None):
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **(env or {})}, timeout=SECONDS)
    expect(done.returncode == 0, f"{command}: exit {done.returncode}: {done.stderr}")
    return done.stdout


def magick(*arguments, **env):
    """ImageMagick, told of the delegates where they are installed."""
    return run("convert", *map(str, arguments), env={"MAGICK_CONFIGURE_PATH": str(DELEGATES.parent), **env})


def compared(metric, one, other):
    """ImageMagick's number for how far two pictures of the same size are apart as they are seen on gray."""
    seen = [f"{path}.seen.png" for path in (one, other)]
    for path, flat in zip((one, other), seen):
        magick(path, "-background", "gray", "-flatten", "-colorspace", "sRGB", "-type", "TrueColor", "-depth", "8", flat)
    done = subprocess.run(["compare", "-metric", metric, *seen, "null:"], capture_output=True, text=True)
    expect(done.returncode in (0, 1), done.stderr)  # 1: they differ
    return done.stderr


def furthest(one, other):
    """The most levels of 8 bits that they are apart by."""
    return round(255 * float(re.search(r"\((.*)\)", compared("PAE", one, other))[1]))


def stream_of(side, *chunks):
    """A stream of a header for `side` x `side` pixels of 8-bit RGB, and these chunks."""
    number, size = side, b""
    while number > 127:
        size, number = size + bytes([number & 127 | 128]), number >> 7
    size += bytes([number])
    header = b"\1\x0b" + 2 * size + MODEL_ID + struct.pack("<f", 0.0004)
    stream = b"\xd3GL\r\n\x1a\n"
    for kind, payload in [(b"H", header), *chunks, (b"E", b"")]:
        chunk = kind + bytes([len(payload)]) + payload
        stream += chunk + struct.pack("<I", zlib.crc32(chunk))
    return stream


def check_types(checks):
    for name in ("no ending", "UPPER.GLINT"):
        shutil.copy("photo.glint", name)
    with checks.check("the MIME type is well formed"):
        run("xmllint", "--noout", "/usr/local/share/mime/packages/glint.xml")
    for name in ("photo.glint", "no ending", "UPPER.GLINT"):
        with checks.check(f"{name} is {TYPE}: xdg-mime"):
            expect(run("xdg-mime", "query", "filetype", name).strip() == TYPE, "another type")
        with checks.check(f"{name} is {TYPE}: gio"):
            expect(f"content-type: {TYPE}\n" in run("gio", "info", "-a", "standard::content-type", name), "another type")
        with checks.check(f"{name} is {TYPE}: mimetype"):
            expect(run("mimetype", "--brief", name).strip() == TYPE, "another type")
    with checks.check("its icon is that of pictures"):
        expect("image-x-generic" in run("gio", "info", "-a", "standard::icon", "photo.glint"), "another icon")
    with checks.check("PNG is what it was"):
        expect(run("xdg-mime", "query", "filetype", "photo.png").strip() == "image/png", "another type")


def check_magick(checks):
    for name in DRAWN:
        with checks.check(f"ImageMagick: {name}") as notes:
            magick(f"{name}.glint", f"{name}.again.png")
            run("glint", "decode", f"{name}.glint", f"{name}.decoded.png")
            expect(furthest(f"{name}.again.png", f"{name}.decoded.png") == 0, "reads otherwise than glint decodes")
            quality = compared("PSNR", f"{name}.png", f"{name}.again.png")
            notes.append(f"{quality} dB")
            expect(float(quality) > 30, f"only {quality} dB")
    with checks.check("ImageMagick: -quality is Glint's") as notes:
        sizes = []
        for quality in (10, 50, 90):
            magick("photo.png", "-quality", quality, "quality.glint")
            sizes.append(os.path.getsize("quality.glint"))
        notes.append(f"{sizes} bytes")
        expect(sizes == sorted(set(sizes)), f"{sizes} bytes")
        expect(sizes[0] < os.path.getsize("photo.glint") < sizes[2], "the default is none between")
    for name in NAMES:
        with checks.check(f"ImageMagick: named {name!r}"):
            shutil.copy("photo.png", f"./{name}.png")
            magick(f"./{name}.png", f"./{name}.glint")
            magick(f"./{name}.glint", "named.png")
            expect(not os.path.exists("x"), "a command in the name was run")
    with checks.check("ImageMagick: a damaged file is an error"):
        done = subprocess.run(["convert", "cut.glint", "cut.png"], capture_output=True,
                              env={**os.environ, "MAGICK_CONFIGURE_PATH": str(DELEGATES.parent)})
        expect(done.returncode != 0 and not os.path.exists("cut.png"), "no error")
    with checks.check("ImageMagick: of a user's own folder"):
        folder = pathlib.Path.home() / ".config/ImageMagick"
        folder.mkdir(parents=True)
        shutil.copy(DELEGATES, folder)
        run("convert", "photo.glint", "user.png")
        shutil.rmtree(folder)


class Gnome:
    """What Files and others of GNOME call; thumbnailers run in a sandbox of its own."""

    name = "GNOME"

    def __init__(self):
        self.factory = GnomeDesktop.DesktopThumbnailFactory.new(GnomeDesktop.DesktopThumbnailSize.NORMAL)

    def thumbnail(self, path, out):
        uri = Gio.File.new_for_path(path).get_uri()
        expect(self.factory.can_thumbnail(uri, TYPE, 0), "there is no thumbnailer of the type")
        try:
            picture = self.factory.generate_thumbnail(uri, TYPE)
        except GLib.Error:
            return False
        picture.savev(out, "png", [], [])
        return True


class Tumbler:
    """The service of Xfce and others. It forgets what was asked for by somebody who has left the bus."""

    name = "Tumbler"

    def __init__(self):
        self.proxy = Gio.DBusProxy.new_for_bus_sync(
            Gio.BusType.SESSION, 0, None, "org.freedesktop.thumbnails.Thumbnailer1",
            "/org/freedesktop/thumbnails/Thumbnailer1", "org.freedesktop.thumbnails.Thumbnailer1", None)
        self.proxy.connect("g-signal", self.heard)
        self.finished = set()
        self.loop = GLib.MainLoop()

    def heard(self, _proxy, _sender, signal, parameters):
        if signal == "Finished":
            self.finished.add(parameters.unpack()[0])
        self.loop.quit()

    def thumbnail(self, path, out):
        uri = Gio.File.new_for_path(path).get_uri()
        number, = self.proxy.call_sync("Queue", GLib.Variant("(asasssu)", ([uri], [TYPE], "normal", "default", 0)),
                                       0, -1, None).unpack()
        timeout = GLib.timeout_add_seconds(SECONDS, self.loop.quit)
        while number not in self.finished:
            self.loop.run()
        GLib.source_remove(timeout)
        made = pathlib.Path.home() / f".cache/thumbnails/normal/{hashlib.md5(uri.encode()).hexdigest()}.png"
        if not made.exists():
            return False
        shutil.move(made, out)
        return True


def check_thumbnails(checks, service):
    for name, (_, size) in DRAWN.items():
        with checks.check(f"{service.name}: thumbnail of {name}") as notes:
            expect(service.thumbnail(f"{name}.glint", "thumb.png"), "there is none")
            seen = run("identify", "-format", "%w %h", "thumb.png")
            expect(seen == "%d %d" % size, f"{seen}, not {size}")
            magick(f"{name}.glint", "-scale", "%dx%d!" % size, "scaled.png")
            levels = furthest("thumb.png", "scaled.png")
            notes.append(f"{levels} levels from ImageMagick's mean")
            expect(levels <= 2, f"{levels} levels from ImageMagick's mean")  # colour and alpha are rounded both
    for name in NAMES:
        with checks.check(f"{service.name}: named {name!r}"):
            shutil.copy("photo.glint", f"./{name}.glint")
            expect(service.thumbnail(os.path.abspath(f"{name}.glint"), "thumb.png"), "there is none")
            expect(not os.path.exists("x"), "a command in the name was run")
    for name in ("cut", "damaged", "huge", "empty"):
        with checks.check(f"{service.name}: no thumbnail of a stream that is {name}"):
            expect(not service.thumbnail(f"{name}.glint", "thumb.png"), "there is one")


def make_files():
    for name, (drawn, _) in DRAWN.items():
        magick(*drawn, f"{name}.png")
        magick(f"{name}.png", f"{name}.glint")
    photo = pathlib.Path("photo.glint").read_bytes()
    pathlib.Path("cut.glint").write_bytes(photo[: len(photo) // 2])
    pathlib.Path("damaged.glint").write_bytes(photo[:400] + bytes([photo[400] ^ 1]) + photo[401:])
    pathlib.Path("huge.glint").write_bytes(stream_of(2**31 - 1))
    pathlib.Path("empty.glint").write_bytes(stream_of(64))


def main():
    checks = Checks()
    with checks.check("ImageMagick writes every kind of picture"):
        make_files()
    check_types(checks)
    check_magick(checks)
    for service in (Gnome, Tumbler):
        check_thumbnails(checks, service())
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
