"""Checkpoints that weights/convert_model.py must refuse: with a message, exit code 2, no file, little memory. Run by convert_test.py."""
import json
import os
import resource
import struct
import subprocess
import sys
import zipfile

import numpy as np

from checks import expect
from compressai_models import ORDERED, Call, File, Global, Pairs, Persistent, pickled, save, state_dict, stream
from converter import CONVERT

MEMORY = 3 << 30      # of addresses, most of them numpy's own
HANGS = 120           # seconds


def limited():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


class Refusals:
    def __init__(self, checks, folder):
        self.checks, self.folder = checks, folder
        self.path, self.out = os.path.join(folder, "refused.pth"), os.path.join(folder, "refused.safetensors")

    def expect(self, name, text, *flags):
        """The file at self.path is refused, and the message has this text."""
        with self.checks.check(f"refused: {name}") as notes:
            before = set(os.listdir(self.folder))
            done = subprocess.run([sys.executable, CONVERT, self.path, "--out", self.out, *flags], capture_output=True, text=True,
                                  preexec_fn=limited, timeout=HANGS, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"})
            expect(done.returncode == 2 and not done.stdout, f"exit code {done.returncode}: {done.stdout}{done.stderr}")
            expect("Traceback" not in done.stderr and len(done.stderr) < 2500, f"no message: {done.stderr}")
            expect(text in done.stderr, f"the message lacks {text!r}: {done.stderr}")
            expect(set(os.listdir(self.folder)) == before, "a file was written")
            notes.append(done.stderr.strip().split(": ", 2)[-1][:110])

    def raw(self, data):
        with open(self.path, "wb") as f:
            f.write(data)

    def state(self, change, architecture="mbt2018-mean", **how):
        state = state_dict(architecture, 8, 12, 6, [4, 2, 6])
        change(state)
        save(self.path, state, **how)

    def file(self, make, **how):
        """`make`(file) gives the value that is written."""
        file = File()
        file.write(self.path, make(file), **how)


def put(key, value):
    return lambda state: state.__setitem__(key, np.asarray(value))


def hostile_pickles(r):
    marker = os.path.join(r.folder, "executed")
    for module, name in (("os", "system"), ("posix", "system"), ("builtins", "eval"), ("torch", "load"), ("subprocess", "Popen")):
        for legacy in (False, True):
            file = File(legacy)
            file.write(r.path, Pairs([("state_dict", Call(Global(module, name), f"touch {marker}"))]))
            r.expect(f"a pickle that calls {module}.{name}{', legacy' if legacy else ''}", f"names {module}.{name}")
    with r.checks.check("nothing of these was run"):
        expect(not os.path.exists(marker), "it was")
    r.file(lambda f: Call(Global("compressai.models.google", "MeanScaleHyperprior")))
    r.expect("a whole model instead of its state dict", "torch.save(model.state_dict(), FILE)")
    r.file(lambda f: Call(ORDERED, [("a", f.tensor(np.ones(3, np.float32)))] * 2))
    r.expect("a key twice in a list of pairs", "'a' is there twice")
    r.file(lambda f: Pairs([("a", f.tensor(np.ones(3, np.float32))), ("a", 1)]))
    r.expect("a key twice in a dictionary", "'a' is there twice")
    r.file(lambda f: {("a",): 1})
    r.expect("a key that is no text", "key of a dictionary")
    archive = lambda data: [("archive/data.pkl", b"\x80\x02" + data)]
    deep = {"lists": b"](" * 100000 + b"e" * 100000 + b".", "tuples": b")" + b"\x85" * 1000000 + b".", "marks": b"(" * 500000 + b"."}
    for name, data in deep.items():
        entries(r.path, archive(data))
        r.expect(f"{name} nested deeply", "no state dict" if name == "tuples" else "nested more than")
    memo = {"a memo at the end of all addresses": b"Nr\xff\xff\xff\xff.", "text of 2^62 bytes": b"\x8d" + struct.pack("<Q", 1 << 62),
            "bytes of 2^62": b"\x8e" + struct.pack("<Q", 1 << 62),
            "an integer of a million bytes": b"\x8b" + struct.pack("<i", 1000000) + b"\x7f" * 1000000 + b".",
            "reads from an empty memo": b"h\x05.", "an empty stack": b"R.", "no end": b"N", "a number as function": b"K\x01)R.",
            "an object built from a number": b"K\x01}b.", "operations for ever": b"N" * 3000000 + b"."}
    for name, data in memo.items():
        entries(r.path, archive(data))
        r.expect(f"a pickle with {name}", "")
    for name, identity in (("a type", ("storage", Global("torch", "ComplexFloatStorage"), "0", "cpu", 3)),
                           ("a count", ("storage", Global("torch", "FloatStorage"), "0", "cpu", -3)), ("a kind", ("module", 1, 2, 3, 4))):
        r.file(lambda f, identity=identity: {"a": Persistent(*identity)})
        r.expect(f"a storage of {name} that is unknown", "")


def copying_pickles(r):
    """Small files whose calls copy large objects over and over."""
    text = pickled("a" * (4 << 20)) + b"q\x00" + Global("_codecs", "encode").bytes + b"q\x01X\x06\x00\x00\x00latin1q\x02"
    numbers = b"(" + b"".join(b"J" + struct.pack("<i", i) + b"N" for i in range(100000)) + b"u"
    bombs = {"text": b"(" + text + b"h\x01h\x00h\x02\x86R" * 5000 + b"t.",
             "a dictionary": b"(}q\x00" + numbers + ORDERED.bytes + b"q\x01" + b"h\x01h\x00\x85R" * 5000 + b"t.",
             "a list": b"(]q\x00(" + b"N" * 500000 + b"e" + Global("torch", "Size").bytes + b"q\x01" + b"h\x01h\x00\x85R" * 20000 + b"t."}
    for name, data in bombs.items():
        entries(r.path, [("archive/data.pkl", b"\x80\x02" + data)])
        r.expect(f"a pickle that copies {name} for ever", "copies more than")


def wrong_outputs(r):
    """What is at --out already."""
    r.state(lambda state: None)
    out, source = r.out, r.path
    for path in (source, os.path.join(r.folder, "link.pth")):
        if path != source:
            os.symlink(source, path)
        r.out = path
        r.expect("the checkpoint as --out" + (", by a link" if path != source else ""), "would overwrite")
    r.out = os.path.join(r.folder, "a folder")
    os.mkdir(r.out)
    r.expect("a folder as --out", "no plain file")
    r.out = os.path.join(r.folder, "pipe")
    os.mkfifo(r.out)
    r.expect("a pipe as --out", "no plain file")
    r.path = r.out
    r.out = out
    r.expect("a pipe as the checkpoint", "no plain file")
    r.path, r.out = source, os.path.join(r.folder, "protected.safetensors")
    with open(r.out, "w") as f:
        f.write("mine")
    os.chmod(r.out, 0o444)
    r.expect("a protected file as --out", "protected")
    r.out = os.path.join(r.folder, "none", "x.safetensors")
    r.expect("--out in a folder that is not there", "No such file")
    r.out = out
    for name in ("link.pth", "pipe", "protected.safetensors"):
        os.remove(os.path.join(r.folder, name))
    with r.checks.check("a file beside --out that ends in .tmp stays what it is"):
        out = os.path.join(r.folder, "kept.safetensors")
        with open(out + ".tmp", "w") as f:
            f.write("mine")
        done = subprocess.run([sys.executable, CONVERT, source, "--out", out, "--licence", os.fsdecode(b"b\xff")], capture_output=True, text=True)
        expect(done.returncode == 0, done.stderr)
        with open(out + ".tmp") as f:
            expect(f.read() == "mine", "it is gone")
        with open(out, "rb") as f:
            size = struct.unpack("<Q", f.read(8))[0]
            json.loads(json.loads(f.read(size))["__metadata__"]["glint"])["provenance"]["licence"].encode("utf-8")
        os.remove(out)
        os.remove(out + ".tmp")


def entries(path, items, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in items:
            archive.writestr(name, data)


def hostile_views(r):
    one = np.ones(6, np.float32)
    views = {"beyond its storage": (4, (3,), (1,), 6), "with a stride beyond it": (0, (2, 2), (5, 1), 6),
             "before it": (-1, (2,), (1,), 6), "with a negative stride": (5, (3,), (-1,), 6),
             "of 2^40 values of one": (0, (1 << 40,), (0,), 6),
             "of 2^20 x 2^20 values of one": (0, (1 << 20, 1 << 20), (0, 0), 6), "with strides missing": (0, (2, 2), (1,), 6),
             "of a storage that says it is larger": (0, (100,), (1,), 100), "with a size that is text": (0, ("2",), (1,), 6),
             "of nine dimensions": (0, (1,) * 9, (1,) * 9, 6), "of a negative size": (0, (-6,), (1,), 6)}
    for name, view in views.items():
        r.file(lambda f, view=view: {"g_a.0.weight": f.tensor(one, *view)})
        r.expect(f"a view {name}", "")


def hostile_archives(r):
    whole = state_dict("bmshj2018-factorized", 8, 12, 6)
    for legacy in (False, True):
        save(r.path, whole, legacy=legacy)
        with open(r.path, "rb") as f:
            data = f.read()
        kind = "legacy file" if legacy else "archive"
        for cut in (0, 1, 9, 600, len(data) // 2, len(data) - 1):
            r.raw(data[:cut])
            r.expect(f"{kind} cut after {cut} of {len(data)} bytes", "")
    r.file(lambda f: f.ordered(whole), leave_out=("3",))
    r.expect("an archive without one of its storages", "archive/data/3' is missing")
    r.file(lambda f: f.ordered({"a": np.zeros(1 << 20, np.float32)}), compression=zipfile.ZIP_DEFLATED)
    r.expect("an archive that is compressed", "is compressed")
    with zipfile.ZipFile(r.path, "w") as archive:
        import warnings
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for _ in range(2):
                archive.writestr("archive/data.pkl", stream({}))
    r.expect("an archive with an entry twice", "is in the archive twice")
    entries(r.path, [("readme.txt", "no model")])
    r.expect("another zip archive", "not one of torch.save")
    entries(r.path, [("archive/data.pkl", stream({"a": 1})), ("archive/byteorder", b"big")])
    r.expect("a big-endian archive", "big-endian")
    r.raw(stream({"a": 1}))
    r.expect("another pickle", "not one of torch.save")
    huge = [0x1950a86a20f9469cfc6c, 1001, {"little_endian": True}, File(True).tensor(np.ones(1, np.float32)), ["0"]]
    r.raw(b"".join(map(stream, huge)) + struct.pack("<q", 1 << 60))
    r.expect("a legacy storage of 2^60 values", "no state dict")
    huge[3] = {"a": huge[3]}
    r.raw(b"".join(map(stream, huge)) + struct.pack("<q", 1 << 60))
    r.expect("a legacy state dict with a storage of 2^60 values", "more than the file")
    tensor = b'"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'
    for name, text in {"no JSON": b"{" * 50, "nested": b'{"a":' * 100000, "a length beyond the file": None,
                       "a tensor that is too large": b'{"a":{"dtype":"F32","shape":[1048576,1048576],"data_offsets":[0,4398046511104]}}',
                       "offsets that lie": b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}',
                       "a key twice": b"{" + tensor + b"," + tensor + b"}",
                       "an unknown type": b'{"a":{"dtype":"F4","shape":[1],"data_offsets":[0,4]}}'}.items():
        r.raw(struct.pack("<Q", 1 << 60) + b"{}" if text is None else struct.pack("<Q", len(text)) + text + b"\0" * 4)
        r.expect(f"safetensors with {name}", "")
    r.raw(b"\x89PNG\r\n\x1a\n" + bytes(100))
    r.expect("a picture", "no file of torch.save or safetensors")
    os.remove(r.path)
    r.expect("a file that is not there", "No such file")


def wrong_weights(r):
    for value in (np.nan, np.inf, -np.inf):
        r.state(lambda s: s["g_s.2.weight"].__setitem__((0, 0, 0, 0), value))
        r.expect(f"a weight that is {value}", "g_s.2.weight has values that are not finite")
    r.state(put("g_a.2.bias", np.full(8, 1e300)))
    r.expect("a weight beyond float32", "g_a.2.bias has values that are not finite")
    r.state(lambda s: s.pop("h_s.2.bias"))
    r.expect("a parameter that is missing", "keys are missing, whose parameters would stay random: h_s.2.bias")
    r.state(lambda s: [s.pop(k) for k in list(s) if ".matrices." in k])
    r.expect("a prior that is missing", "entropy_bottleneck.matrices.0")
    r.state(put("extra.weight", np.ones(3, np.float32)))
    r.expect("a key without use", "keys are left over that this architecture has no use for: extra.weight")
    r.state(put("entropy_bottleneck._matrix0", np.ones((8, 3, 1), np.float32)))
    r.expect("a prior in two styles", "styles of two versions")
    r.state(put("g_a.2.weight", np.ones((8, 8, 3, 3), np.float32)))
    r.expect("a kernel of another size", "g_a.2.weight has shape [8, 8, 3, 3]")
    r.state(put("g_a.2.bias", np.ones(8, np.int32)))
    r.expect("integers where floats belong", "g_a.2.bias")
    r.state(put("g_a.0.weight", np.ones((5000, 3, 5, 5), np.float32)))
    r.expect("too many channels", "g_a.0.weight has shape [5000, 3, 5, 5]")
    r.state(lambda s: None)
    r.expect("another architecture than is asked for", "", "--architecture", "bmshj2018-hyperprior")
    r.expect("a factorized prior out of a hyperprior", "", "--architecture", "bmshj2018-factorized")
    r.state(put("context_prediction.weight", np.ones((24, 12, 5, 5), np.float32)))
    r.expect("context without its networks", "random: context_prediction.bias, entropy_parameters.0.bias")
    r.state(put("Gain.y", np.ones((8, 12), np.float32)))
    r.expect("a model of variable rate", "variable rate")
    r.file(lambda f: {"epoch": 1, "loss": 2.5})
    r.expect("no state dict", "there is epoch, loss")
    r.file(lambda f: {"state_dict": {"a": f.tensor(np.ones(1, np.float32))}, "model": {"a": f.tensor(np.ones(1, np.float32))}})
    r.expect("two state dicts", "several places: state_dict, model")
    r.file(lambda f: {"a": f.tensor(np.ones(1, np.float32)), "module.a": f.tensor(np.ones(1, np.float32))})
    r.expect("a key with and without prefix", "'a' is there twice")
    r.file(lambda f: {"a": f.tensor(np.ones(1, np.float32)), "b": 5})
    r.expect("a number among the tensors", "b of the state dict is no tensor")


def wrong_tables(r):
    name = "entropy_bottleneck."
    good = {"_quantized_cdf": np.tile(np.int32([0, 9, 65536, 0]), (8, 1)), "_cdf_length": np.full(8, 3, np.int32),
            "_offset": np.zeros(8, np.int32)}
    bad = {"a table that does not end": ("_quantized_cdf", np.tile(np.int32([0, 9, 65535, 0]), (8, 1)), "does not ascend"),
           "a table that goes down": ("_quantized_cdf", np.tile(np.int32([0, 70000, 65536, 0]), (8, 1)), "does not ascend"),
           "tables of other channels": ("_quantized_cdf", np.tile(np.int32([0, 9, 65536, 0]), (7, 1)), "of shapes"),
           "a length beyond the table": ("_cdf_length", np.full(8, 5, np.int32), "length of table 0 is 5"),
           "values beyond 16 bits": ("_offset", np.full(8, 40000, np.int32), "beyond 16 bits"),
           "tables of floats": ("_quantized_cdf", np.zeros((8, 4), np.float32), "are no integers"),
           "tables without offsets": ("_offset", np.zeros(0, np.int32), "but not _offset")}
    for what, (buffer, values, text) in bad.items():
        r.state(lambda s: s.update({name + key: value for key, value in {**good, buffer: values}.items()}))
        r.expect(what, text)
    r.state(lambda s: s.update({name + key: value[:5] for key, value in good.items()}))
    r.expect("tables of too few channels", "tables of 5 channels, it has 8")
    r.state(lambda s: s["entropy_bottleneck.quantiles"].__setitem__((0, 0, 2), 1e30))
    r.expect("quantiles far apart", "out of all proportion")
    r.state(lambda s: s["entropy_bottleneck.quantiles"].__setitem__((slice(None), 0, 2), 60000))
    r.expect("quantiles apart by the most that one table can have", "")
    for what, table in (("falls", [1, 3, 2]), ("has a scale twice", [1, 1]), ("has negative scales", [-1, 1]),
                        ("has a huge scale", [1, 1e30])):
        r.state(put("gaussian_conditional.scale_table", np.float32(table)))
        r.expect(f"a scale table that {what}", "scale")
    r.state(put("gaussian_conditional.lower_bound_scale.bound", np.float32([1, 2])))
    r.expect("two bounds of scales", "lower_bound_scale.bound is not one float number")


def wrong_flags(r):
    r.state(lambda s: None)
    r.expect("a name that is not ASCII", "is not 1 to 128 printable", "--name", "modèle")
    r.expect("nine fraction bits", "", "--fraction-bits", "9")
    r.expect("a quality that is no number", "not a positive number", "--quality", "nan")
    r.expect("pictures that are not there", "No such file", "--pictures", os.path.join(r.folder, "nowhere"))
    empty = os.path.join(r.folder, "empty")
    os.makedirs(empty)
    r.expect("a folder without pictures", "there are no pictures", "--pictures", empty)
    with open(os.path.join(empty, "broken.png"), "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\nbroken")
    r.expect("a broken picture", "broken.png cannot be read", "--pictures", empty)
    with r.checks.check("a file that is there stays as it is when the next is refused"):
        with open(r.out, "w") as f:
            f.write("mine")
        r.raw(b"")
        subprocess.run([sys.executable, CONVERT, r.path, "--out", r.out], capture_output=True)
        with open(r.out) as f:
            expect(f.read() == "mine", "it was written over")
        os.remove(r.out)
    r.state(lambda s: None)
    r.out = os.path.join(r.folder, "nowhere", "out.safetensors")
    r.expect("a folder to write to that is not there", "No such file")


def check_refusals(checks, folder):
    refusals = Refusals(checks, folder)
    for part in (hostile_pickles, copying_pickles, wrong_outputs, hostile_views, hostile_archives, wrong_weights, wrong_tables, wrong_flags):
        part(refusals)
