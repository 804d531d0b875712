"""What goes on around a call: signals, forks, other threads, and the end of the process."""

import os
import subprocess
import sys
import textwrap

import pytest
from conftest import ROOT

WEIGHTS = ROOT / "weights"


def run(script, cwd, *arguments):
    """What a script prints in a process of its own; it may not fail, nor take long."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "terminate called" not in done.stderr
    assert "nanobind" not in done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "call",
    [
        "glint.encode(array, metadata=metadata, threads=1)",
        "glint.encode(picture, threads=1)",
        "glint.evaluate(picture, verify=False)",
        "glint.write_picture('out.png', picture)",
        "glint.psnr(picture, picture)",
        "glint.Picture(array, metadata)",
    ],
)
def test_metadata_may_change_during_a_call(tmp_path, call):
    """A call has them as they were when it began; without copies this ends the process."""
    script = f"""
    import threading, numpy as np, glint
    array = np.random.default_rng(1).integers(0, 256, (64, 64, 4), np.uint8)
    picture = glint.Picture(array)
    metadata = glint.Metadata()
    stop = threading.Event()

    def change():
        size = 1
        while not stop.is_set():
            size = 30_000_001 - size
            metadata.icc = picture.metadata.icc = bytes(size)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(12):
            {call}
    finally:
        stop.set()
        thread.join()
    """
    run(script, tmp_path)


@pytest.mark.parametrize("progress", ["None", "lambda done: None"])
@pytest.mark.parametrize("call", ["glint.encode(array, effort=9, progress={})", "glint.evaluate(array, progress={})"])
def test_the_interpreter_ends_during_a_call(tmp_path, call, progress):
    script = f"""
    import threading, time, numpy as np, glint
    array = np.random.default_rng(1).integers(0, 256, (3000, 3000, 3), np.uint8)

    def work():
        try:
            {call.format(progress)}
        except glint.CancelledError:
            pass

    threading.Thread(target=work, daemon=True).start()
    time.sleep(0.7)
    """
    run(script, tmp_path)


def test_calls_without_progress_are_waited_for(tmp_path):
    script = """
    import threading, time, numpy as np, glint
    array = np.random.default_rng(1).integers(0, 256, (3000, 3000, 3), np.uint8)
    picture = glint.Picture(array)
    for _ in range(4):
        threading.Thread(target=lambda: glint.psnr(picture, picture), daemon=True).start()
        threading.Thread(target=lambda: glint.write_picture("out.png", picture), daemon=True).start()
    time.sleep(0.05)
    """
    run(script, tmp_path)


def test_the_main_thread_codes_until_the_very_end(tmp_path):
    script = """
    import atexit, numpy as np
    atexit.register(lambda: print(len(glint.encode(np.zeros((8, 8), np.uint8)))))
    import glint
    """
    assert int(run(script, tmp_path)) > 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no signals and forks as Unix has them")
def test_what_a_signal_raises_comes_out_of_errors(tmp_path):
    """Also where the library's error was about to be raised."""
    script = """
    import signal, time, glint

    class Stop(Exception):
        pass

    armed = False

    def stop(*_):
        global armed
        if armed:
            armed = False
            raise Stop

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    stops, end = 0, time.monotonic() + 1.5
    while time.monotonic() < end:
        try:
            armed = True
            while True:
                try:
                    glint.info(b"this is no stream")
                except glint.BadStreamError:
                    pass
        except Stop:
            stops += 1
    signal.setitimer(signal.ITIMER_REAL, 0)
    print(stops)
    """
    assert int(run(script, tmp_path)) > 100


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no signals and forks as Unix has them")
def test_a_signal_s_handler_may_code_while_a_model_loads(tmp_path):
    script = """
    import signal, sys, numpy as np, glint
    picture = np.zeros((8, 8), np.uint8)
    lengths = []
    signal.signal(signal.SIGALRM, lambda *_: lengths.append(len(glint.encode(picture, threads=1))))
    for delay in (0.002, 0.01, 0.03):
        glint._models._models.__init__()
        signal.setitimer(signal.ITIMER_REAL, delay)
        glint.encode(picture, model=sys.argv[1], threads=1)
    while len(lengths) < 3:
        signal.pause()
    """
    run(script, tmp_path, WEIGHTS / "light-fp32.safetensors")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no signals and forks as Unix has them")
def test_a_fork_while_a_model_loads(tmp_path):
    script = """
    import os, signal, sys, threading, time, numpy as np, glint
    picture = np.zeros((8, 8), np.uint8)
    for delay in (0.002, 0.01, 0.03):
        glint._models._models.__init__()
        thread = threading.Thread(target=lambda: glint.encode(picture, model=sys.argv[1], threads=1))
        thread.start()
        time.sleep(delay)
        child = os.fork()
        if child == 0:
            signal.alarm(30)
            glint.encode(picture, threads=1)
            sys.exit(0)
        begin = time.monotonic()
        assert os.waitpid(child, 0)[1] == 0
        # The calls of the parent are not waited for.
        assert time.monotonic() - begin < 9
        thread.join()
    """
    run(script, tmp_path, WEIGHTS / "light-fp32.safetensors")


def test_a_package_in_two_folders_finds_its_models(tmp_path):
    """As `pip install -e .` has it: Python files in one, what was built in another."""
    import glint

    package = os.path.dirname(glint.__file__)
    for folder, ending in (("files", ".py"), ("built", ".so")):
        (tmp_path / folder).mkdir()
        for name in os.listdir(package):
            if name.endswith(ending):
                (tmp_path / folder / name).symlink_to(os.path.join(package, name))
    script = """
    import importlib.util, pathlib, sys
    folders = [str(pathlib.Path(folder).resolve()) for folder in ("files", "built")]
    spec = importlib.util.spec_from_file_location(
        "glint", folders[0] + "/__init__.py", submodule_search_locations=folders
    )
    glint = sys.modules["glint"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(glint)
    print(glint.shipped_models())
    try:
        glint.default_model()
    except glint.NotFoundError as error:
        print(error)
    """
    assert "no models came with this installation" in run(script, tmp_path)
    (tmp_path / "built" / "models").symlink_to(os.path.join(package, "models"))
    assert run(script, tmp_path).strip() == str(glint.shipped_models())
