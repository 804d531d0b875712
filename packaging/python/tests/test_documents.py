"""The Python lines of documents run as they stand, and the package is documented and typed."""

import inspect
import pathlib
import re
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT, SAMPLES

import glint

PACKAGE = pathlib.Path(glint.__file__).parent


def blocks_of(path):
    return re.findall(r"^```python\n(.*?)^```$", path.read_text(), flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("name, least", [("docs/PYTHON.md", 8), ("README.md", 1)])
def test_lines_of_documents_run(name, least, tmp_path, monkeypatch):
    pytest.importorskip("PIL.Image")
    blocks = blocks_of(ROOT / name)
    assert len(blocks) >= least
    shutil.copy(SAMPLES / "lake.png", tmp_path / "photo.png")
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in blocks:
        exec(compile(block, name, "exec"), names)


def test_docstrings_of_the_package_have_names_that_exist():
    for name in re.findall(r"glint\.([a-z_]+)", glint.__doc__):
        assert hasattr(glint, name)


def test_everything_has_a_docstring():
    for name in glint.__all__:
        value = getattr(glint, name)
        if not callable(value) or name in ("PictureLike", "Stream", "Progress"):
            continue
        assert value.__doc__, name
        if not inspect.isclass(value):
            continue
        for attribute, member in vars(value).items():
            is_shown = callable(member) or isinstance(member, property)
            if is_shown and not attribute.startswith("_") and value.__module__ != "glint._glint":
                assert member.__doc__, f"{name}.{attribute}"


def test_every_error_of_the_documents_exists():
    document = (ROOT / "docs" / "PYTHON.md").read_text()
    rows = re.findall(r"^\| `(\w+Error)` \| (?:`(\w+)`)? ?\|", document, flags=re.MULTILINE)
    exceptions = {
        name
        for name in glint.__all__
        if isinstance(getattr(glint, name), type) and issubclass(getattr(glint, name), glint.Error)
    }
    assert {name for name, _ in rows} == exceptions - {"Error"}
    for name, kind in rows:
        if kind:
            assert issubclass(getattr(glint, name), __builtins__[kind])


def test_the_version_is_the_library_s():
    header = (ROOT / "codec" / "include" / "glint" / "version.h").read_text()
    numbers = re.findall(r"VERSION_(?:MAJOR|MINOR|PATCH) (\d+)$", header, flags=re.MULTILINE)
    assert glint.__version__ == ".".join(numbers)
    metadata = pytest.importorskip("importlib.metadata")
    try:
        assert metadata.version("glint") == glint.__version__
    except metadata.PackageNotFoundError:
        pytest.skip("the package was not installed by pip")


def test_the_package_is_whole():
    names = {path.name for path in PACKAGE.iterdir()}
    assert {"py.typed", "_glint.pyi", "models", "pillow.py"} <= names
    for path in (ROOT / "packaging" / "python" / "glint").glob("*.py"):
        assert (PACKAGE / path.name).read_text() == path.read_text()
    for model in glint.shipped_models():
        shipped = PACKAGE / "models" / f"{model}.safetensors"
        assert shipped.read_bytes() == (ROOT / "weights" / shipped.name).read_bytes()


def test_no_path_of_the_build_is_in_the_package():
    (compiled,) = PACKAGE.glob("_glint*.so")
    assert str(ROOT).encode() not in compiled.read_bytes()


def test_the_stubs_are_complete():
    stub = (PACKAGE / "_glint.pyi").read_text()
    for name, value in vars(glint._glint).items():
        if name.startswith("_"):
            continue
        assert re.search(rf"^(class {name}\b|def {name}\(|{name}:)", stub, flags=re.MULTILINE), name
        if inspect.isclass(value):
            for attribute in vars(value):
                assert attribute.startswith("_") or re.search(rf"\b{attribute}\b", stub), attribute


def test_types_pass_mypy(tmp_path):
    pytest.importorskip("mypy.api")
    use = tmp_path / "use.py"
    use.write_text(
        "import numpy as np\n"
        "import glint\n"
        "stream: bytes = glint.encode(np.zeros((4, 4), np.uint8), quality=3, model=glint.Model.load('x'))\n"
        "size: tuple[int, ...] = glint.info(stream).shape\n"
        "psnr: float = glint.evaluate('photo.png').psnr\n"
        "y = glint.synthesise(glint.analyse(b'')).shape\n"
        "import array, mmap\n"
        "glint.encode(mmap.mmap(-1, 1)), glint.decode(array.array('B')), glint.info(np.zeros(1, np.uint8))\n"
        "picture: glint.Picture = glint.read_picture('photo.png')\n"
    )
    wrong = tmp_path / "wrong.py"
    wrong.write_text("import glint\nglint.encode(3.5)\nglint.decode('x', shrink='2')\nglint.nothing()\n")

    def mypy(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "mypy", "--strict", f"--cache-dir={tmp_path}", *arguments],
            cwd=tmp_path,
            env={"PYTHONPATH": str(PACKAGE.parent), "MYPYPATH": "", "PATH": ""},
            capture_output=True,
            text=True,
        )

    for arguments in (["-p", "glint"], ["use.py"]):
        done = mypy(*arguments)
        assert done.returncode == 0, done.stdout
    done = mypy("wrong.py")
    assert [line.split(":")[1] for line in done.stdout.splitlines() if ": error: " in line] == ["2", "3", "4"]
