"""Models: loading them, and finding those that came with the package."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

from numpy.typing import NDArray

from . import _glint
from ._arguments import MOST_THREADS, choice, integer
from ._errors import Error, NotFoundError, WrongModelError

if TYPE_CHECKING:
    from typing_extensions import Buffer

Bytes = Union[bytes, bytearray, memoryview, NDArray[Any], "Buffer"]
"""Any object with the buffer protocol whose memory is in one piece."""

_DEFAULT = "light-int8"
_SUFFIX = ".safetensors"
DETAILS = {"auto": _glint.Detail.AUTO, "off": _glint.Detail.OFF, "on": _glint.Detail.ON}


def file_name(path: str | os.PathLike[str]) -> bytes:
    """A path as the compiled part takes it, also where it is not UTF-8."""
    return os.fsencode(path)


class Model:
    """A model, which never changes: any number of threads may use it at once.

    Model.load makes one. Comparing, hashing and pickling go by the file's content: a model that was
    loaded from a file can be sent to another process, which loads it from the same path.
    """

    __slots__ = ("_native", "_info", "_path")

    def __init__(self, native: _glint.Model, path: str | None) -> None:
        self._native = native
        self._info = native.info
        self._path = path

    @classmethod
    def load(
        cls,
        source: str | os.PathLike[str] | Bytes,
        *,
        threads: int = 1,
        max_memory: int = 1 << 30,
    ) -> Model:
        """Loads a model.

        source: the name of a model that came with the package (shipped_models()), the path of a
        model file, or the file's bytes. threads: of the loading; 0: as many as the machine has.
        max_memory: bytes that the model may take, loading included.

        Raises NotFoundError for a file that is not there, BadModelError for one that is no sound
        model, LimitError beyond max_memory.
        """
        threads = integer("threads", threads, 0, MOST_THREADS)
        max_memory = integer("max_memory", max_memory, 0, 2**64 - 1)
        if not isinstance(source, (str, os.PathLike)):
            return cls(_glint.load_model_bytes(source, "memory", threads, max_memory), None)
        path = _path_of(os.fspath(source))
        return cls(_glint.load_model(file_name(path), threads, max_memory), os.path.abspath(path))

    @property
    def name(self) -> str:
        """As the file has it, such as "light"."""
        return self._info.name

    @property
    def id(self) -> str:
        """16 hexadecimal digits, which streams name their model by."""
        return self._info.id

    @property
    def form(self) -> str:
        """Its numbers: "FP32", "INT8", ..."""
        return self._info.form

    @property
    def architecture(self) -> str:
        """As the file has it."""
        return self._info.architecture

    @property
    def provenance(self) -> str:
        """Where the file says that it comes from."""
        return self._info.provenance

    @property
    def file_bytes(self) -> int:
        """Size of the model file."""
        return self._info.file_bytes

    @property
    def parameters(self) -> int:
        """Number of weights."""
        return self._info.parameters

    @property
    def has_fixed_rate(self) -> bool:
        """Whether the model itself has one rate; details have rates all the same."""
        return self._info.has_fixed_rate

    @property
    def lrd_range(self) -> tuple[float, float]:
        """The least and greatest lrd without details; (0, 0) for a model of one fixed rate."""
        return (self._info.lrd_min, self._info.lrd_max)

    @property
    def lrd_suggested(self) -> tuple[float, float]:
        """The range of lrd that the model was trained for; (0, 0) for a model of one fixed rate."""
        return (self._info.lrd_suggested_min, self._info.lrd_suggested_max)

    @property
    def lrd_default(self) -> float:
        """The lrd of encode where none is given and details are off."""
        return self._info.lrd_default

    @property
    def detail_lrd_range(self) -> tuple[float, float]:
        """The least and greatest lrd with details."""
        return (self._info.detail_lrd_min, self._info.detail_lrd_max)

    @property
    def detail_lrd_default(self) -> float:
        """The lrd of encode where none is given, with details."""
        return self._info.detail_lrd_default

    @property
    def shrinks(self) -> tuple[int, ...]:
        """The values of decode's shrink that save time: the model has graphs for them."""
        return tuple(self._info.shrinks)

    def lrd_of_quality(self, quality: float, *, detail: str = "auto") -> float:
        """The lrd of a quality from 0, the lowest rate, to 100, the highest.

        detail: as in encode. Raises InvalidArgumentError for other numbers, UnsupportedError for a
        model of one fixed rate without details.
        """
        return self._native.lrd_of_quality(quality, choice("detail", detail, DETAILS))

    def explain(self) -> str:
        """The plan of every graph, for people."""
        return self._native.explain()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Model) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<glint.Model {self.name} {self.form} {self.id}>"

    def __reduce__(self) -> tuple[object, ...]:
        if self._path is None:
            raise TypeError("a model that was loaded from bytes cannot be pickled")
        return (_load_known, (self._path, self.id))


def shipped_models() -> list[str]:
    """The names of the models that came with the package, the default one first."""
    return sorted(_shipped_files(), key=lambda name: (name != _DEFAULT, name))


def _shipped_files() -> dict[str, str]:
    """The files of the models that came with the package, by their names."""
    # An editable installation has its Python files in one folder, what was built in another.
    package = sys.modules[__package__]
    folders = [*package.__path__, os.path.dirname(_glint.__file__)]
    files: dict[str, str] = {}
    for folder in folders:
        for path in Path(folder, "models").glob("*" + _SUFFIX):
            files.setdefault(path.stem, str(path))
    return files


def _shipped_file(name: str) -> str:
    files = _shipped_files()
    if name in files:
        return files[name]
    if not files:
        raise NotFoundError(f"{name}: no models came with this installation of glint")
    raise NotFoundError(
        f"{name}: there is no such file, and the models that came with Glint are "
        + ", ".join(shipped_models())
    )


def _load_known(path: str, model_id: str) -> Model:
    model = Model.load(path)
    if model.id != model_id:
        raise WrongModelError(f"{path}: this is model {model.id}, not {model_id} as it was")
    return model


def _path_of(source: str) -> str:
    """The file that a name or a path means, as `glint --model` has it."""
    is_name = source and "/" not in source and "." not in source
    if not is_name or os.path.isfile(source):
        return source
    return _shipped_file(source)


_Stamp = tuple[int, int, int, int]


def _stamp_of(path: str) -> _Stamp | None:
    """What changes when a file is replaced; None where there is none."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino, found.st_dev)


class _Models:
    """Models that calls found, each kept for as long as its file is the same.

    Without a lock, which a fork or a signal in the middle of loading would leave closed: where
    several threads load a model at the same time, the first one's becomes that of all.
    """

    def __init__(self) -> None:
        self._by_path: dict[str, tuple[_Stamp | None, Model]] = {}
        self._ids: dict[str, tuple[_Stamp | None, str]] = {}

    def at(self, path: str) -> Model:
        """The model of a file."""
        path = os.path.abspath(path)
        stamp = _stamp_of(path)
        known = self._by_path.get(path)
        if known is None or known[0] != stamp:
            loaded = (stamp, Model.load(path, threads=0))
            if known is not None:
                self._by_path.pop(path, None)
            known = self._by_path.setdefault(path, loaded)
            if known[0] != stamp:
                known = loaded
        return known[1]

    def id_of(self, path: str) -> str:
        """The id of a file; empty where it is no model."""
        path = os.path.abspath(path)
        stamp = _stamp_of(path)
        known = self._ids.get(path)
        if known is None or known[0] != stamp:
            try:
                known = (stamp, _glint.id_of_file(file_name(path)))
            except Error:
                return ""
            self._ids[path] = known
        return known[1]


_models = _Models()


def _named_by_environment() -> list[str]:
    """The files of $GLINT_MODEL, which is a model file or a folder of them."""
    named = os.environ.get("GLINT_MODEL", "")
    if not named or not os.path.isdir(named):
        return [named] if named else []
    return sorted(str(path) for path in Path(named).glob("*" + _SUFFIX))


def default_model() -> Model:
    """The model of encode where none is given, loaded once.

    As `glint encode` has it: $GLINT_MODEL, a file, or a folder that holds light-int8.safetensors;
    else the light-int8 that came with the package.
    """
    named = os.environ.get("GLINT_MODEL", "")
    if not named:
        return _models.at(_shipped_file(_DEFAULT))
    if not os.path.isdir(named):
        return _models.at(named)
    path = os.path.join(named, _DEFAULT + _SUFFIX)
    if os.path.exists(path):
        return _models.at(path)
    raise NotFoundError(
        f"GLINT_MODEL={named}: there is no {_DEFAULT + _SUFFIX} in this folder"
    )


def model_of_id(model_id: str) -> Model:
    """The model that a stream names: of $GLINT_MODEL, else of those that came with the package."""
    for path in _named_by_environment() + list(_shipped_files().values()):
        if _models.id_of(path) == model_id:
            return _models.at(path)
    raise WrongModelError(
        f"the stream was made with model {model_id}, and that is none of those that came with this "
        f"package ({', '.join(shipped_models())}); give the right one as model= (older ones of "
        "Glint: weights/SHIPPED.md of its source)"
    )


def chosen_model(model: Model | str | os.PathLike[str] | None) -> Model:
    """What the argument `model` of a call means."""
    if model is None:
        return default_model()
    if isinstance(model, Model):
        return model
    return _models.at(_path_of(os.fspath(model)))
