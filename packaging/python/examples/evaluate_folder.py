#!/usr/bin/env python3
"""Evaluates a folder of pictures over several processes or hosts, by Dask and the module glint.

  evaluate_folder.py FOLDER [--model NAME] [--lrd L,L] [--workers N | --scheduler HOST:PORT] [--json FILE]

Each picture at each rate is a task of its own, so that any number of workers stays busy. With
--scheduler the workers are those of a cluster (`dask scheduler` on one host, `dask worker HOST:PORT
--nthreads 1` on each), which need glint installed and the pictures under the same paths. Prints one
line a rate: means over the pictures, as the program `evaluate` has them.
"""

import argparse
import dataclasses
import json
import pathlib
import statistics
import sys

from dask.distributed import Client, LocalCluster

import glint

SUFFIXES = {".png", ".jpg", ".jpeg", ".ppm", ".pgm", ".pam"}


def pictures_of(folder):
    paths = sorted(path for path in pathlib.Path(folder).iterdir() if path.suffix.lower() in SUFFIXES)
    if not paths:
        sys.exit(f"{folder}: there is no picture")
    return [path.resolve() for path in paths]


def evaluate_one(path, model, lrd):
    """Runs on a worker, which loads the model once and keeps it."""
    return glint.evaluate(path, model=model, lrd=lrd, name=path.name)


def evaluate_all(client, paths, model, rates):
    """Evaluations by rate, in the order of the pictures."""
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


def main():
    parser = argparse.ArgumentParser(description="Evaluates a folder of pictures over several machines.")
    parser.add_argument("folder")
    parser.add_argument("--model", default="light-int8")
    parser.add_argument("--lrd", default="0.0001,0.0003,0.0009", help="rates, with commas between")
    parser.add_argument("--workers", type=int, default=2, help="processes on this machine")
    parser.add_argument("--scheduler", help="HOST:PORT of a Dask cluster, in place of --workers")
    parser.add_argument("--json", help="file for every picture's numbers")
    flags = parser.parse_args()
    rates = [float(lrd) for lrd in flags.lrd.split(",")]
    paths = pictures_of(flags.folder)
    cluster = flags.scheduler or LocalCluster(
        n_workers=flags.workers, threads_per_worker=1, dashboard_address=None
    )
    with Client(cluster) as client:
        results = evaluate_all(client, paths, flags.model, rates)
    if not flags.scheduler:
        cluster.close()
    for lrd, evaluations in results.items():
        means = means_of(evaluations)
        ms_ssim = "-" if means["ms_ssim"] is None else f"{means['ms_ssim']:.4f}"
        print(f"lrd {lrd:g}: {means['bpp']:.4f} bits per pixel, {means['psnr']:.3f} dB, MS-SSIM {ms_ssim}")
    if flags.json:
        every = [dataclasses.asdict(e) for of_rate in results.values() for e in of_rate]
        pathlib.Path(flags.json).write_text(json.dumps(every, indent=1))


if __name__ == "__main__":
    main()
