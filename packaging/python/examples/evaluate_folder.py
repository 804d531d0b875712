#!/usr/bin/env python3
"""Evaluates a folder of pictures over several processes or hosts, by Dask and the module glint.

  evaluate_folder.py FOLDER [--model NAME] [--lrd L,L] [--workers N | --scheduler HOST:PORT] [--json FILE]

Each picture at each rate is a task of its own, so that any number of workers stays busy. With
--scheduler the workers are those of a cluster (`dask scheduler` on one host, `dask worker HOST:PORT
--nthreads 1` on each), which need glint installed and the pictures under the same paths. Prints one
line a rate: means over the pictures, as the program `evaluate` has them. A picture that cannot be
evaluated is named and left out, and the exit code is 1 then; 2: the arguments are wrong.
"""

import argparse
import dataclasses
import json
import math
import pathlib
import statistics
import sys

from dask.distributed import Client, LocalCluster

import glint

SUFFIXES = {".png", ".jpg", ".jpeg", ".ppm", ".pgm", ".pam"}


def pictures_of(folder):
    if not folder.is_dir():
        raise argparse.ArgumentTypeError(f"{folder} is no folder")
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if not paths:
        raise argparse.ArgumentTypeError(f"{folder}: there is no picture")
    return [path.resolve() for path in paths]


def rates_of(text):
    try:
        rates = [float(lrd) for lrd in text.split(",")]
    except ValueError:
        rates = []
    if not rates or not all(0 < lrd < math.inf for lrd in rates):
        raise argparse.ArgumentTypeError(f"{text!r} are no rates with commas between")
    return rates


def number_of_workers(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of processes")
    return int(text)


def evaluate_one(path, model, lrd):
    """Runs on a worker, which loads the model once and keeps it. An error comes as its text."""
    try:
        return glint.evaluate(path, model=model, lrd=lrd, name=path.name)
    except glint.Error as error:
        text = str(error)
        return text if path.name in text else f"{path}: {text}"


def evaluate_all(client, paths, model, rates):
    """Evaluations, or texts of errors, by rate, in the order of the pictures."""
    tasks = {
        lrd: [client.submit(evaluate_one, path, model, lrd, pure=False) for path in paths]
        for lrd in rates
    }
    return {lrd: client.gather(of_rate) for lrd, of_rate in tasks.items()}


def means_of(evaluations):
    with_ms_ssim = [e.ms_ssim for e in evaluations if e.ms_ssim is not None]
    return {
        "bpp": statistics.fmean(e.bpp for e in evaluations),
        "psnr": statistics.fmean(e.psnr for e in evaluations),
        "ms_ssim": statistics.fmean(with_ms_ssim) if with_ms_ssim else None,
    }


def as_json(evaluation):
    """Without the infinity of what is lossless, which JSON has not."""
    values = dataclasses.asdict(evaluation)
    return {**values, "psnr": values["psnr"] if math.isfinite(values["psnr"]) else None}


def print_means(lrd, evaluations):
    means = means_of(evaluations)
    ms_ssim = "-" if means["ms_ssim"] is None else f"{means['ms_ssim']:.4f}"
    print(f"lrd {lrd:g}: {means['bpp']:.4f} bits per pixel, {means['psnr']:.3f} dB, MS-SSIM {ms_ssim}")


def parse_flags():
    parser = argparse.ArgumentParser(description="Evaluates a folder of pictures over several machines.")
    parser.add_argument("pictures", metavar="FOLDER", type=lambda text: pictures_of(pathlib.Path(text)))
    parser.add_argument("--model", default="light-int8")
    parser.add_argument("--lrd", type=rates_of, default="0.0001,0.0003,0.0009", help="rates, with commas between")
    parser.add_argument("--workers", type=number_of_workers, default=2, help="processes on this machine")
    parser.add_argument("--scheduler", help="HOST:PORT of a Dask cluster, in place of --workers")
    parser.add_argument("--json", help="file for every picture's numbers")
    flags = parser.parse_args()
    try:
        glint.Model.load(flags.model)
    except glint.Error as error:
        parser.error(f"--model: {error}")
    return flags


def main():
    flags = parse_flags()
    cluster = flags.scheduler or LocalCluster(
        n_workers=flags.workers, threads_per_worker=1, dashboard_address=None
    )
    with Client(cluster) as client:
        results = evaluate_all(client, flags.pictures, flags.model, flags.lrd)
    if not flags.scheduler:
        cluster.close()
    every = [result for of_rate in results.values() for result in of_rate]
    failures = [result for result in every if isinstance(result, str)]
    for lrd, of_rate in results.items():
        evaluations = [result for result in of_rate if not isinstance(result, str)]
        if evaluations:
            print_means(lrd, evaluations)
    for failure in dict.fromkeys(failures):
        print(failure, file=sys.stderr)
    if flags.json:
        sound = [as_json(result) for result in every if not isinstance(result, str)]
        pathlib.Path(flags.json).write_text(json.dumps(sound, indent=1, allow_nan=False))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
