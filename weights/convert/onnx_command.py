"""`convert_model.py onnx`: its flags."""
import argparse
import os

from .onnx_codec import OUTPUTS, PADDINGS, Parts, convert as convert_parts
from .ranges import DEFAULT_BITS
from .writer import check_name

DESCRIPTION = "Makes a Glint model file out of ONNX graphs and a file of tables; see docs/MODELS.md."


def arguments(argv):
    ap = argparse.ArgumentParser(prog="convert_model.py onnx", description=DESCRIPTION)
    ap.add_argument("--g-a", required=True, metavar="FILE", help="picture to y; to z as well where there is no --h-a")
    ap.add_argument("--h-a", metavar="FILE", help="y to z")
    ap.add_argument("--h-s", metavar="FILE", help="z to scales and means, or to what --parameters wants; without: a factorized model")
    ap.add_argument("--parameters", metavar="FILE", help="what h_s makes to scales and means")
    ap.add_argument("--g-s", required=True, metavar="FILE", help="y to the picture")
    ap.add_argument("--tables", required=True, metavar="FILE", help=".npz with CDF tables, scales, medians")
    ap.add_argument("--outputs", choices=list(OUTPUTS), help="of h_s or parameters, or the halves of one; default: what their names say")
    ap.add_argument("--padding", choices=PADDINGS, default=PADDINGS[0], help="of the picture (default: %(default)s)")
    ap.add_argument("--offset", type=float, default=0.0, help="g_a sees samples in 0..1 minus this, and g_s makes such (default: 0)")
    ap.add_argument("--out", required=True, help="the model file to write")
    ap.add_argument("--name", help="of the model; default: that of --out")
    ap.add_argument("--quality", type=float, help="which of a family of models it is; only noted in the file")
    ap.add_argument("--lambda", type=float, dest="trained_lambda", metavar="LAMBDA",
                    help="of the training loss, bits per pixel + LAMBDA 255^2 MSE; quantize and --effort weigh errors by it")
    ap.add_argument("--licence", help="of the weights; only noted in the file")
    bits = ap.add_mutually_exclusive_group()
    bits.add_argument("--fraction-bits", type=int, choices=range(9), metavar="0..8", help="of latents in fixed point")
    bits.add_argument("--pictures", metavar="FOLDER", help="choose the fraction bits by the latents of these pictures")
    args = ap.parse_args(argv)
    if not -1 <= args.offset <= 1:
        ap.error("--offset is not in -1..1")
    args.input = "onnx"
    return args


def files(args):
    """What is read, but for external data, of which the graphs tell."""
    return [path for path in (args.g_a, args.h_a, args.h_s, args.parameters, args.g_s, args.tables) if path is not None]


def convert(args):
    """(tensors, document)"""
    name = args.name if args.name is not None else os.path.basename(args.out).removesuffix(".safetensors")
    check_name("the model's name", name, " ")
    rate = {"parameter": "none"} if args.trained_lambda is None else {"parameter": "none", "lambda": args.trained_lambda}
    parts = Parts(args.g_a, args.g_s, args.tables, args.h_a, args.h_s, args.parameters, args.outputs, args.padding, args.offset,
                  DEFAULT_BITS if args.fraction_bits is None else args.fraction_bits, name, rate, args.out)
    noted = {key: value for key, value in (("quality", args.quality), ("licence", args.licence)) if value is not None}
    return convert_parts(parts, {**noted, "architecture": "onnx", "converter": "weights/convert_model.py, ONNX"})
