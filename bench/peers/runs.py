"""What the scripts beside this one share: Glint's stages by bench_stages, the best times, the CPU's name."""
import json
import os
import platform
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def cpu_name():
    try:
        with open("/proc/cpuinfo") as f:
            names = [line.split(":")[1].strip() for line in f if line.startswith("model name")]
        return names[0]
    except (OSError, IndexError):
        return platform.processor()


def need_program(path):
    if not os.path.exists(path):
        sys.exit(f"{path}: missing: `./run build` and `./run bench stages --help` build it")


def checked(command):
    """Standard output of a command that must not fail."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{command[0]}: {done.stderr.strip()}")
    return done.stdout


class Best:
    """The best time of each thing that runs, in milliseconds."""

    def __init__(self):
        self.spread = {}

    def add(self, name, part, milliseconds):
        self.spread.setdefault((name, part), []).append(milliseconds)

    def of(self, name, part):
        return min(self.spread.get((name, part), [float("nan")]))


class Glint:
    """Stages of whole codings, on one thread. `models`: file by precision; `stages`: bench_stages' name by part."""

    def __init__(self, bench, models, stages, picture, target=None):
        self.models, self.stages, self.target = models, stages, ""
        self.command = [bench, "--model", ",".join(models.values()), "--threads", "1", "--rounds", "2", *picture,
                        "--benchmark_format=json", f"--benchmark_filter=^({'|'.join(stages.values())})/"]
        if target:
            self.command += ["--target", target]

    def run(self, best):
        report = json.loads(checked(self.command))
        self.target = report["context"].get("target", "")
        for part, stage in self.stages.items():
            rows = [b for b in report["benchmarks"] if b["name"].startswith(stage + "/")]
            for precision, row in zip(self.models, rows, strict=True):
                best.add(f"Glint {precision}", part, row["real_time"])
