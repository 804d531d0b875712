#!/usr/bin/env python3
"""Checks a decoder of .glint streams against the conformance set (README.md beside this file).

  check.py COMMAND [WORD]...

COMMAND is run for each stream. In its words {model} and {stream} are files of the set; {picture} is where it puts the picture, as PAM
(names end in .pam; PPM and PGM bytes are read as well); {latents}, which may be left out, is where it puts the latents. Prints a line
for each stream and "N passed, N failed". Exit code 0: all passed; 1: some did not; 2: nothing could be tried.
"""
import hashlib
import json
import os
import subprocess
import sys
import tempfile

FOLDER = os.path.dirname(os.path.abspath(__file__))


def read_pnm(path):
    """(width, height, channels, maximum, samples as bytes)"""
    with open(path, "rb") as f:
        data = f.read()
    if data[:2] == b"P7":
        head, body = data.split(b"ENDHDR\n", 1)
        fields = dict(line.split(b" ", 1) for line in head.split(b"\n")[1:] if b" " in line)
        return *(int(fields[key]) for key in (b"WIDTH", b"HEIGHT", b"DEPTH", b"MAXVAL")), body
    kind, width, height, rest = data.split(maxsplit=3)
    top, body = rest.split(b"\n", 1)
    return int(width), int(height), 3 if kind == b"P6" else 1, int(top), body


def samples_of(picture):
    *_, top, body = picture
    if top < 256:
        return body
    return [high << 8 | low for high, low in zip(body[::2], body[1::2])]


def difference(got, wanted):
    """What is wrong, or None."""
    if got[:4] != wanted[:4]:
        return f"its form is {got[:4]}, not {wanted[:4]} (width, height, channels, maximum)"
    channels, top = wanted[2:4]
    allowed = 257 if top > 255 else 1
    for i, (a, b) in enumerate(zip(samples_of(got), samples_of(wanted))):
        is_alpha = channels in (2, 4) and i % channels == channels - 1
        if abs(a - b) > (0 if is_alpha else allowed):
            return f"sample {i} is {a}, not {b}"
    return None


def check(entry, command, work):
    name = entry["stream"]
    files = {
        "model": os.path.normpath(os.path.join(FOLDER, entry["model"])),
        "stream": os.path.join(FOLDER, "streams", name + ".glint"),
        "picture": os.path.join(work, name + ".pam"),
        "latents": os.path.join(work, name + ".latents"),
    }
    words = command
    for key, path in files.items():
        words = [word.replace("{" + key + "}", path) for word in words]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode:
        return f"exit code {done.returncode}: {done.stderr.decode(errors='replace').strip()[-300:]}"
    if any("{latents}" in word for word in command):
        with open(files["latents"], "rb") as f:
            if hashlib.sha256(f.read()).hexdigest() != entry["latents"]:
                return "the latents are others"
    if not any("{picture}" in word for word in command):
        return None
    got = read_pnm(files["picture"])
    if hashlib.sha256(got[4]).hexdigest() == entry["pixels"]:
        return None
    if entry["exact"]:
        return "the pixels are others"
    return difference(got, read_pnm(os.path.join(FOLDER, "pictures", name + ".pam")))


def main():
    command = sys.argv[1:]
    if not command or not any("{stream}" in word for word in command):
        print(__doc__.strip(), file=sys.stderr)
        sys.exit(2)
    with open(os.path.join(FOLDER, "manifest.json"), encoding="ascii") as f:
        manifest = json.load(f)
    failed = 0
    with tempfile.TemporaryDirectory() as work:
        for entry in manifest:
            try:
                wrong = check(entry, command, work)
            except (OSError, ValueError, KeyError) as error:
                wrong = str(error)
            failed += wrong is not None
            print(f"{'ok  ' if wrong is None else 'FAIL'} {entry['stream']}{': ' + wrong if wrong else ''}", flush=True)
    print(f"{len(manifest) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
