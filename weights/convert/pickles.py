"""A reader of pickles that makes plain containers, numbers, text and descriptions of tensors, and nothing else.

Nothing is imported or called: names of classes and functions are looked up in a table of this file, and a name that is not there is
refused. So a file cannot run anything, whoever made it. `pickletools` takes the bytes apart; the machine that they are for is here.
"""
import pickletools
from dataclasses import dataclass

import numpy as np

from .writer import Refused

MOST_BYTES = 1 << 24        # of a pickle; those of large training checkpoints have some hundred thousand
MOST_OPERATIONS = 1 << 21
MOST_COPIED = 1 << 22       # items and letters that calls copy, all together
MOST_NESTED = 64            # lists, dictionaries and tuples that are open at once

# Storages by the name that PyTorch gives them: how numpy reads their elements. bfloat16 is the upper half of a float32.
STORAGES = {"DoubleStorage": "<f8", "FloatStorage": "<f4", "HalfStorage": "<f2", "BFloat16Storage": "bf16", "LongStorage": "<i8",
            "IntStorage": "<i4", "ShortStorage": "<i2", "CharStorage": "i1", "ByteStorage": "u1", "BoolStorage": "?"}
NUMBERS = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1")


@dataclass(frozen=True)
class Name:
    """A class or function that the pickle names."""
    module: str
    name: str

    def __str__(self):
        return f"{self.module}.{self.name}"


@dataclass
class Storage:
    element: str            # a value of STORAGES
    key: str
    count: int


@dataclass
class Tensor:
    """A view of a storage, unchecked: convert/checkpoint.py looks whether it lies within."""
    storage: Storage
    offset: object
    size: object
    stride: object


class Dtype(str):
    """A number type of numpy."""


def whole(value):
    return type(value) is int


# ---- what the known names make of their arguments -----------------------------------------------------------------

def dictionary(arguments):
    """OrderedDict, Counter: of nothing, of a dictionary, or of a list of pairs, as old Pythons wrote it."""
    if not arguments:
        return {}
    pairs = arguments[0]
    if isinstance(pairs, dict):
        return dict(pairs)
    if not isinstance(pairs, list) or any(not isinstance(p, (list, tuple)) or len(p) != 2 for p in pairs):
        raise Refused("a dictionary is made of something else than pairs")
    made = {}
    for key, value in pairs:
        put(made, key, value)
    return made


def tensor(arguments):
    if len(arguments) < 4 or not isinstance(arguments[0], Storage):
        raise Refused("a tensor is not made of a storage, an offset, sizes and strides")
    return Tensor(*arguments[:4])


def parameter(arguments):
    if not arguments or not isinstance(arguments[0], Tensor):
        raise Refused("a parameter is not made of a tensor")
    return arguments[0]


def size(arguments):
    if len(arguments) != 1 or not isinstance(arguments[0], (list, tuple)):
        raise Refused("a torch.Size is not made of a tuple")
    return tuple(arguments[0])


def dtype(arguments):
    if not arguments or arguments[0] not in NUMBERS:
        raise Refused("a number type of numpy that is not known")
    return Dtype(arguments[0])


def scalar(arguments):
    if len(arguments) != 2 or not isinstance(arguments[0], Dtype) or not isinstance(arguments[1], bytes):
        raise Refused("a number of numpy is not made of a type and its bytes")
    values = np.frombuffer(arguments[1], np.dtype(str(arguments[0])).newbyteorder("<"))
    if values.size != 1:
        raise Refused("a number of numpy has the wrong number of bytes")
    return values[0].item()


def encode(arguments):
    """How Python 3 writes bytes in old protocols."""
    if len(arguments) != 2 or not isinstance(arguments[0], str) or arguments[1] != "latin1":
        raise Refused("bytes are not made of text and 'latin1'")
    return arguments[0].encode("latin1")


def device(arguments):
    return ":".join(str(a) for a in arguments if isinstance(a, (str, int)))


KNOWN = {
    "collections.OrderedDict": dictionary, "collections.Counter": dictionary,
    "torch._utils._rebuild_tensor": tensor, "torch._utils._rebuild_tensor_v2": tensor,
    "torch._utils._rebuild_parameter": parameter, "torch._utils._rebuild_parameter_with_state": parameter,
    "torch.Size": size, "torch.device": device,
    "numpy.dtype": dtype, "numpy.core.multiarray.scalar": scalar, "numpy._core.multiarray.scalar": scalar, "_codecs.encode": encode,
}


def look_up(name):
    text = str(name)
    if text in KNOWN or (name.module == "torch" and name.name in STORAGES):
        return name
    raise Refused(f"it names {text}, which is no tensor, container, number or text. Nothing of it was run. Save the weights alone: "
                  f"torch.save(model.state_dict(), FILE)")


def call(name, arguments):
    if not isinstance(name, Name) or str(name) not in KNOWN or not isinstance(arguments, tuple):
        raise Refused("it calls something that cannot be called")
    return KNOWN[str(name)](arguments)


def storage(identity):
    """('storage', type, key, location, number of elements, [view of another storage])"""
    if not isinstance(identity, tuple) or len(identity) not in (5, 6) or identity[0] != "storage" or not isinstance(identity[1], Name) \
            or identity[1].name not in STORAGES or not isinstance(identity[2], str) or not whole(identity[4]) or identity[4] < 0:
        raise Refused("a persistent object is no storage of a type that is known")
    if len(identity) == 6 and identity[5] is not None:
        raise Refused("a storage is a view of another one: save the file anew with PyTorch 1.6 or later")
    return Storage(STORAGES[identity[1].name], identity[2], identity[4])


def put(made, key, value):
    if not isinstance(key, (str, int, float, type(None))):
        raise Refused("a key of a dictionary is neither text nor a number")
    if key in made:
        raise Refused(f"key {str(key)[:200]!r} is there twice")
    made[key] = value


# ---- the machine ------------------------------------------------------------------------------------------------

VALUES = {"BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINSTRING",
          "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"}
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
EMPTY = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


class Machine:
    def __init__(self):
        self.stack, self.outer, self.memo, self.copied = [], [], {}, 0

    def pop(self, count):
        if count > len(self.stack):
            raise Refused("the pickle takes more from its stack than there is")
        taken = self.stack[len(self.stack) - count:]
        del self.stack[len(self.stack) - count:]
        return taken

    def since_mark(self):
        if not self.outer:
            raise Refused("the pickle has no mark where it needs one")
        taken, self.stack = self.stack, self.outer.pop()
        return taken

    def top(self, kind):
        if not self.stack or not isinstance(self.stack[-1], kind):
            raise Refused(f"the pickle has no {kind.__name__} where it needs one")
        return self.stack[-1]

    def put_all(self, pairs):
        made = self.top(dict)
        if len(pairs) % 2:
            raise Refused("a dictionary has a key without a value")
        for key, value in zip(pairs[::2], pairs[1::2]):
            put(made, key, value)

    def mark(self):
        if len(self.outer) >= MOST_NESTED:
            raise Refused(f"it is nested more than {MOST_NESTED} deep")
        self.outer.append(self.stack)
        self.stack = []

    def remember(self, at):
        self.memo[at] = self.top(object)

    def recall(self, at):
        if at not in self.memo:
            raise Refused("the pickle reads what it never kept")
        self.stack.append(self.memo[at])

    def build(self):
        """What a dictionary or a number type has besides (`_metadata` of a state dict): nothing that is needed."""
        self.pop(1)
        if not isinstance(self.top(object), (dict, Dtype, Tensor)):
            raise Refused("it sets the state of something that has none")

    def run(self, name, argument):
        if name in VALUES:
            if whole(argument) and abs(argument) >> 127:
                raise Refused("it has an integer of more than 128 bits")
            self.stack.append(argument)
        elif name in CONSTANTS:
            self.stack.append(CONSTANTS[name])
        elif name in EMPTY:
            self.stack.append(EMPTY[name]())
        elif name in TUPLES:
            self.stack.append(tuple(self.pop(TUPLES[name])))
        elif name == "GLOBAL":
            self.stack.append(look_up(Name(*argument.split(" ", 1))))
        elif name in ("BINPUT", "LONG_BINPUT"):
            self.remember(argument)
        elif name in ("BINGET", "LONG_BINGET"):
            self.recall(argument)
        elif name in OPERATIONS:
            OPERATIONS[name](self)
        elif name not in ("PROTO", "FRAME"):
            raise Refused(f"the pickle has an operation that tensors do not need, {name}")

    def append(self):
        item, = self.pop(1)
        self.top(list).append(item)

    def appends(self):
        items = self.since_mark()
        self.top(list).extend(items)

    def tuple_of_all(self):
        items = self.since_mark()
        self.stack.append(tuple(items))

    def reduce(self):
        name, arguments = self.pop(2)
        if isinstance(arguments, tuple):
            self.copied += sum(len(a) for a in arguments if isinstance(a, (list, tuple, dict, str, bytes)))
        if self.copied > MOST_COPIED:
            raise Refused(f"its pickle copies more than {MOST_COPIED} items")
        self.stack.append(call(name, arguments))

    def stack_global(self):
        module, name = self.pop(2)
        if not isinstance(module, str) or not isinstance(name, str):
            raise Refused("the pickle names something that is no text")
        self.stack.append(look_up(Name(module, name)))


OPERATIONS = {
    "MARK": Machine.mark, "APPEND": Machine.append, "APPENDS": Machine.appends, "REDUCE": Machine.reduce, "BUILD": Machine.build,
    "STACK_GLOBAL": Machine.stack_global,
    "MEMOIZE": lambda m: m.remember(len(m.memo)),
    "TUPLE": Machine.tuple_of_all,
    "SETITEM": lambda m: m.put_all(m.pop(2)), "SETITEMS": lambda m: m.put_all(m.since_mark()),
    "BINPERSID": lambda m: m.stack.append(storage(m.pop(1)[0])),
}


def read_pickle(file):
    """The object of one pickle from bytes in memory (io.BytesIO), which are left behind it."""
    begin, machine = file.tell(), Machine()
    try:
        for count, (operation, argument, _) in enumerate(pickletools.genops(file)):
            if operation.name == "STOP":
                break
            if count >= MOST_OPERATIONS or file.tell() - begin > MOST_BYTES:
                raise Refused(f"its pickle has more than {MOST_OPERATIONS} operations or {MOST_BYTES} bytes")
            machine.run(operation.name, argument)
    except (ValueError, UnicodeDecodeError) as wrong:
        raise Refused(f"its pickle is broken: {str(wrong)[:200]}") from None
    if machine.outer or len(machine.stack) != 1:
        raise Refused("its pickle does not end with one object")
    return machine.stack[0]
