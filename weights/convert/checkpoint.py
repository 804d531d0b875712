"""Weights out of other programs' files, by name, without those programs: `read_checkpoint`.

Files of torch.save (a zip since PyTorch 1.6, a row of pickles before) and of safetensors. A file is read as data: see
convert/pickles.py. Sizes are checked against the file before anything is allocated.
"""
import hashlib
import io
import json
import os
import struct
import zipfile

import numpy as np

from .pickles import MOST_BYTES, Storage, Tensor, read_pickle, whole
from .writer import Refused

MOST_FILE = 1 << 32
MOST_KEYS = 1 << 16
WRAPPERS = ("network", "state_dict", "model_state_dict", "model")    # where training programs put the state dict
PREFIXES = ("module.", "_orig_mod.")                                 # of DataParallel and torch.compile
LEGACY_MAGIC = 0x1950a86a20f9469cfc6c
SAFETENSORS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "bf16", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
               "U8": "u1", "BOOL": "?"}


def element_size(element):
    return 2 if element == "bf16" else np.dtype(element).itemsize


# ---- where the bytes of storages lie ------------------------------------------------------------------------------

class ZipStorages:
    """Storages are entries NAME/data/KEY, never compressed; the pickle is NAME/data.pkl."""

    def __init__(self, file, size):
        self.zip = zipfile.ZipFile(file)
        self.entries, total = {}, 0
        for entry in self.zip.infolist():
            if entry.filename in self.entries:
                raise Refused(f"entry {entry.filename!r} is in the archive twice")
            if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
                raise Refused(f"entry {entry.filename!r} of the archive is compressed, which torch.save never does")
            self.entries[entry.filename] = entry
            total += entry.file_size
        if total > size:
            raise Refused(f"the entries of the archive have {total} bytes together, the file {size}")
        pickles = [name for name in self.entries if name.split("/", 1)[-1] == "data.pkl"]
        if len(pickles) != 1:
            raise Refused("it is a zip archive, but not one of torch.save: data.pkl is not there")
        self.folder = pickles[0][:-len("data.pkl")]
        if self.entries.get(self.folder + "byteorder") and self.read("byteorder") != b"little":
            raise Refused("it was written by a big-endian machine")

    def read(self, name):
        entry = self.entries.get(self.folder + name)
        if entry is None:
            raise Refused(f"the storage {self.folder + name!r} is missing in the archive")
        return self.zip.read(entry)

    def object(self):
        if self.entries[self.folder + "data.pkl"].file_size > MOST_BYTES:
            raise Refused(f"its pickle has more than {MOST_BYTES} bytes")
        return read_pickle(io.BytesIO(self.read("data.pkl")))

    def bytes_of(self, storage):
        return self.read(f"data/{storage.key}")


class LegacyStorages:
    """A row of pickles - magic number, version, machine, object, keys of the storages - and then the storages, each behind its count."""

    def __init__(self, file, size):
        head = io.BytesIO(file.read(4 * MOST_BYTES))
        if read_pickle(head) != LEGACY_MAGIC:
            raise Refused("it is a pickle, but not one of torch.save")
        if read_pickle(head) != 1001:
            raise Refused("it has another version of the old format of torch.save than 1001")
        machine = read_pickle(head)
        if not isinstance(machine, dict) or machine.get("little_endian") is not True:
            raise Refused("it was written by a big-endian machine")
        self.read_object, self.keys = read_pickle(head), read_pickle(head)
        self.file, self.size, self.begin, self.places = file, size, head.tell(), {}
        if not isinstance(self.keys, list) or len(self.keys) > MOST_KEYS or any(not isinstance(k, str) for k in self.keys):
            raise Refused("the list of its storages is broken")

    def object(self):
        return self.read_object

    def find(self, elements):
        """Where each storage lies; `elements`: their types by key, which alone tell how long they are."""
        at = self.begin
        for key in self.keys:
            if key not in elements:
                raise Refused(f"the storage {key[:200]!r} belongs to no tensor, so its size is not known")
            self.file.seek(at)
            head = self.file.read(8)
            if len(head) < 8:
                raise Refused("the file is cut off between its storages")
            count, = struct.unpack("<q", head)
            length = count * element_size(elements[key])
            if count < 0 or at + 8 + length > self.size:
                raise Refused(f"the storage {key[:200]!r} has {count} elements, more than the file has bytes for")
            self.places[key] = (at + 8, length)
            at += 8 + length

    def bytes_of(self, storage):
        if storage.key not in self.places:
            raise Refused(f"the storage {storage.key[:200]!r} is missing")
        at, length = self.places[storage.key]
        self.file.seek(at)
        return self.file.read(length)


def storages_in(item):
    """{key: type} of all tensors in an object, however deep."""
    found, waiting, seen = {}, [item], set()
    while waiting:
        item = waiting.pop()
        if isinstance(item, (Tensor, Storage)):
            storage = item.storage if isinstance(item, Tensor) else item
            if found.setdefault(storage.key, storage.element) != storage.element:
                raise Refused(f"the storage {storage.key[:200]!r} has two types")
        elif isinstance(item, (dict, list, tuple)) and id(item) not in seen:
            seen.add(id(item))
            waiting += item.values() if isinstance(item, dict) else item
    return found


# ---- arrays -------------------------------------------------------------------------------------------------------

def numbers(data, element):
    """float32, or int64 of integers and truth values."""
    if element == "bf16":
        return (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32)
    values = np.frombuffer(data, element)
    with np.errstate(over="ignore"):
        return values.astype(np.float32 if values.dtype.kind == "f" else np.int64)


def check_finite(key, values):
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise Refused(f"{key} has values that are not finite in float32: NaN, infinite, or too large")
    return values


def check_shape(key, shape):
    if not isinstance(shape, (list, tuple)) or len(shape) > 8 or any(not whole(n) or not 0 <= n < 1 << 31 for n in shape):
        raise Refused(f"{key}: its shape is not one of at most 8 dimensions of 0 to 2^31 - 1")
    count = 1
    for n in shape:
        count *= n
    return count


def view(key, tensor, read):
    """The array that a tensor shows of its storage. `read`: the storage's values."""
    count, storage = check_shape(key, tensor.size), tensor.storage
    if not isinstance(tensor.stride, (list, tuple)) or len(tensor.stride) != len(tensor.size) \
            or any(not whole(n) or not 0 <= n < 1 << 31 for n in tensor.stride) or not whole(tensor.offset) or tensor.offset < 0:
        raise Refused(f"{key}: its offset or its strides are no numbers of at least 0, one stride for each dimension")
    if count == 0:
        return np.zeros(tensor.size, np.float32 if storage.element in ("bf16", "<f8", "<f4", "<f2") else np.int64)
    last = tensor.offset + sum((n - 1) * stride for n, stride in zip(tensor.size, tensor.stride))
    if last >= storage.count or count > storage.count:
        raise Refused(f"{key}: {list(tensor.size)} values from {tensor.offset} on do not lie within its storage of {storage.count}")
    values = read(storage)
    if len(values) < storage.count:
        raise Refused(f"{key}: its storage has {len(values)} values, not {storage.count}")
    strides = [n * values.itemsize for n in tensor.stride]
    return np.lib.stride_tricks.as_strided(values[tensor.offset:], tensor.size, strides).copy()


class Values:
    """The values of storages, the last one read being kept: parameters that share one come one after the other."""

    def __init__(self, storages):
        self.storages, self.last = storages, (None, None)

    def __call__(self, storage):
        if self.last[0] is not storage.key:
            data = self.storages.bytes_of(storage)
            if len(data) % element_size(storage.element):
                raise Refused(f"the storage {storage.key[:200]!r} ends within a value")
            self.last = (storage.key, numbers(data, storage.element))
        return self.last[1]


# ---- which of the objects is the state dict -------------------------------------------------------------------------

def is_state(item):
    return isinstance(item, dict) and any(isinstance(value, Tensor) for value in item.values())


def unwrap(item):
    """The dictionary with the tensors, through the wrappers of training programs."""
    for _ in range(4):
        if not isinstance(item, dict):
            break
        inner = [name for name in WRAPPERS if isinstance(item.get(name), dict)]
        if len(inner) > 1:
            raise Refused(f"it has weights in several places: {', '.join(inner)}")
        if not inner:
            break
        item = item[inner[0]]
    if not is_state(item):
        keys = ", ".join(str(key)[:60] for key in list(item)[:8]) if isinstance(item, dict) else "no dictionary"
        raise Refused(f"it has no state dict, neither by itself nor as {', '.join(WRAPPERS)}: there is {keys or 'nothing'}")
    return item


def plain_keys(state):
    """The same without prefixes that training programs add."""
    plain = {}
    for key, value in state.items():
        if not isinstance(key, str):
            raise Refused(f"key {key!r} of the state dict is no text")
        name = key
        while name.startswith(PREFIXES):
            name = name.split(".", 1)[1]
        if name in plain:
            raise Refused(f"key {name[:200]!r} is there twice, with and without a prefix")
        plain[name] = value
    return plain


# ---- files --------------------------------------------------------------------------------------------------------

def read_torch(file, size, kind):
    storages = kind(file, size)
    item = storages.object()
    state = plain_keys(unwrap(item))
    if len(state) > MOST_KEYS:
        raise Refused(f"its state dict has {len(state)} keys, more than {MOST_KEYS}")
    elements = storages_in(item)
    if kind is LegacyStorages:
        storages.find(elements)
    values, arrays, total = Values(storages), {}, 0
    for key, tensor in state.items():
        if not isinstance(tensor, Tensor):
            raise Refused(f"{key[:200]} of the state dict is no tensor")
        total += check_shape(key, tensor.size)
        if total > size:      # shared storages could make much of little
            raise Refused(f"its tensors have more than {size} values together, the file has that many bytes")
        arrays[key] = check_finite(key, view(key, tensor, values))
    return arrays


def once(pairs):
    made = {}
    for key, value in pairs:
        if key in made:
            raise Refused(f"key {key[:200]!r} is there twice")
        made[key] = value
    return made


def read_safetensors(file, size):
    length, = struct.unpack("<Q", file.read(8))
    if length > min(size - 8, MOST_BYTES):
        raise Refused(f"its header has {length} bytes, more than the file or than {MOST_BYTES}")
    try:
        header = json.loads(file.read(length).decode(), object_pairs_hook=once)
    except (ValueError, RecursionError) as wrong:
        raise Refused(f"its header is no JSON: {str(wrong)[:200]}") from None
    header.pop("__metadata__", None)
    if not header or len(header) > MOST_KEYS:
        raise Refused(f"it has {len(header)} tensors, not 1 to {MOST_KEYS}")
    arrays, end = {}, 0
    for key, entry in header.items():
        if not isinstance(entry, dict) or entry.get("dtype") not in SAFETENSORS or not isinstance(entry.get("data_offsets"), list):
            raise Refused(f"{key[:200]} is no tensor of a type that is known")
        element, offsets = SAFETENSORS[entry["dtype"]], entry["data_offsets"]
        wanted = check_shape(key, entry.get("shape")) * element_size(element)
        if len(offsets) != 2 or not all(map(whole, offsets)) or not 0 <= offsets[0] or offsets[0] + wanted != offsets[1] \
                or offsets[1] > size - 8 - length:
            raise Refused(f"{key[:200]}: bytes {str(offsets)[:60]} are not the {wanted} that its shape wants, or not in the file")
        end += wanted
        if end > size:
            raise Refused("its tensors lie on top of one another")
        file.seek(8 + length + offsets[0])
        arrays[key] = check_finite(key, numbers(file.read(wanted), element)).reshape(entry["shape"])
    return plain_keys(arrays)


def read_any(file, size):
    head = file.read(16)
    file.seek(0)
    if size > MOST_FILE:
        raise Refused(f"it has {size} bytes, more than {MOST_FILE}")
    if head[:2] == b"PK":
        return read_torch(file, size, ZipStorages)
    if head[:1] == b"\x80":
        return read_torch(file, size, LegacyStorages)
    if len(head) >= 9 and head[8:9] == b"{":
        return read_safetensors(file, size)
    raise Refused("it is no file of torch.save or safetensors")


def read_checkpoint(path):
    """{key: float32 or int64 array}, and the SHA-256 of the file in hexadecimal digits. Refused: anything but tensors and plain values."""
    if os.path.exists(path) and not os.path.isfile(path):
        raise Refused("it is no plain file")
    try:
        with open(path, "rb") as file:
            arrays = read_any(file, os.fstat(file.fileno()).st_size)
            file.seek(0)
            digest = hashlib.sha256()
            for block in iter(lambda: file.read(1 << 20), b""):
                digest.update(block)
    except OSError as wrong:
        raise Refused(wrong.strerror or "it cannot be read") from None
    except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError, struct.error) as wrong:
        raise Refused(f"the archive is broken: {str(wrong)[:200]}") from None
    return arrays, digest.hexdigest()
