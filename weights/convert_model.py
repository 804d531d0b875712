#!/usr/bin/env python3
"""Makes a Glint model file out of a trained model of another program. Needs numpy; neither PyTorch nor the program.

  convert_model.py INPUT --out FILE [--pictures FOLDER] [flags]
  convert_model.py onnx --g-a FILE --g-s FILE --tables FILE [--h-a FILE] [--h-s FILE] --out FILE [flags]

INPUT is a checkpoint of CompressAI or of TinyLIC (.pth, .pth.tar, .pt, .safetensors); the second form takes ONNX graphs. See
docs/MODELS.md.
"""
import argparse
import os
import sys

from convert import compressai, onnx_command, tinylic
from convert.checkpoint import read_checkpoint
from convert.ranges import DEFAULT_BITS, choose_fraction_bits
from convert.writer import Refused, check_name, check_output, write_model


def arguments(argv):
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("input", help="the checkpoint")
    ap.add_argument("--out", required=True, help="the model file to write")
    ap.add_argument("--architecture", choices=[*compressai.ARCHITECTURES, tinylic.ARCHITECTURE], help="default: what keys and shapes say")
    ap.add_argument("--name", help="of the model; default: that of FILE")
    ap.add_argument("--quality", type=float, help="which of a family of models it is: 1 to 8 as in CompressAI's zoo; noted in the file")
    ap.add_argument("--lambda", type=float, dest="trained_lambda", metavar="LAMBDA",
                    help="of the training loss, bits per pixel + LAMBDA 255^2 MSE; default: the zoo's for --quality 1 to 8")
    ap.add_argument("--lambda-per-lrd", type=float, metavar="X",
                    help="of a model of all rates: bits per pixel + X lrd 255^2 MSE is what training minimised, more or less; default: "
                    f"{tinylic.LAMBDA_PER_LRD}")
    ap.add_argument("--licence", help="of the weights; only noted in the file")
    ap.add_argument("--update", action="store_true", help="compute the tables anew, as CompressAI's update(force=True)")
    bits = ap.add_mutually_exclusive_group()
    bits.add_argument("--fraction-bits", type=int, choices=range(9), metavar="0..8", help="of latents in fixed point")
    bits.add_argument("--pictures", metavar="FOLDER", help="choose the fraction bits by the latents of these pictures")
    return ap.parse_args(argv)


def check_numbers(args):
    for flag, name in (("--quality", "quality"), ("--lambda", "trained_lambda"), ("--lambda-per-lrd", "lambda_per_lrd")):
        value = vars(args).get(name)              # ONNX graphs have fewer flags
        if value is not None and not 0 < value <= 1e6:
            raise Refused(f"{flag} is {value}, not a positive number up to 1e6")


def refuse_flags(what, values):
    for flag, value in values.items():
        if value is not None:
            raise Refused(f"it is {what}: {flag} does not go with it")


def convert(args):
    """(tensors, document)"""
    arrays, digest = read_checkpoint(args.input)
    provenance = {"source": os.path.basename(args.input), "sha256": digest}
    provenance.update({key: value for key, value in (("quality", args.quality), ("licence", args.licence)) if value is not None})
    all_rates = tinylic.is_tinylic(arrays) if args.architecture is None else args.architecture == tinylic.ARCHITECTURE
    provenance["converter"] = f"weights/convert_model.py, state dict of {'TinyLIC' if all_rates else 'CompressAI'}"
    name = args.name if args.name is not None else os.path.basename(args.out).removesuffix(".safetensors")
    check_name("the model's name", name, " ")
    bits = DEFAULT_BITS if args.fraction_bits is None else args.fraction_bits
    note = lambda text: print(f"convert_model: {args.input}: note: {text}", file=sys.stderr)
    if all_rates:
        refuse_flags("a model of all rates", {"--quality": args.quality, "--lambda": args.trained_lambda})
        return tinylic.convert(arrays, name, provenance, args.lambda_per_lrd, bits, args.update, note)
    refuse_flags("a model of one fixed rate", {"--lambda-per-lrd": args.lambda_per_lrd})
    trained_lambda = compressai.LAMBDAS.get(args.quality) if args.trained_lambda is None else args.trained_lambda
    return compressai.convert(arrays, name, provenance, args.architecture, trained_lambda, bits, args.update, note)


def main(argv=None):
    argv = sys.argv[1:] if argv is None else argv
    from_onnx = argv[:1] == ["onnx"]
    args = onnx_command.arguments(argv[1:]) if from_onnx else arguments(argv)
    place = args.out
    try:
        check_output(args.out, onnx_command.files(args) if from_onnx else [args.input])
        place = args.input
        check_numbers(args)
        tensors, doc = onnx_command.convert(args) if from_onnx else convert(args)
        place = args.pictures or args.out
        if args.pictures is not None:
            doc["latents"]["fraction_bits"] = choose_fraction_bits(tensors, doc, args.pictures)
        place = args.out
        write_model(args.out, tensors, doc)
    except Refused as reason:
        sys.exit(report(place, reason))
    except MemoryError:
        sys.exit(report(place, "it needs more memory than there is"))
    except OSError as reason:
        sys.exit(report(reason.filename or place, reason.strerror))
    bits = doc["latents"]["fraction_bits"]
    print(f"{args.out}: {doc['architecture']}, {doc['latents']['channels']} latents, values up to {32768 >> bits}, "
          f"{os.path.getsize(args.out)} bytes")


def report(place, reason):
    print(f"convert_model: {place}: {reason}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    main()
