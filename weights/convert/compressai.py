"""Models of CompressAI (https://github.com/InterDigitalInc/CompressAI) from their state dicts.

Which architecture, and how many channels it has (N inside, M latents), follows from keys and shapes. Every parameter must be there and
every key used: a checkpoint that fits in part would give a model that is random in part.
"""
import re

from . import compressai_google as google
from . import compressai_sensetime as sensetime
from . import compressai_waseda as waseda
from .compressai_state import Weights, some
from .writer import Refused, document

LAMBDAS = dict(enumerate((0.0018, 0.0035, 0.0067, 0.0130, 0.0250, 0.0483, 0.0932, 0.1800), 1))      # of the zoo's mse models, by quality
ARCHITECTURES = {"bmshj2018-factorized": google.bmshj2018_factorized, "bmshj2018-factorized-relu": google.bmshj2018_factorized_relu,
                 "bmshj2018-hyperprior": google.bmshj2018_hyperprior, "mbt2018-mean": google.mbt2018_mean, "mbt2018": google.mbt2018,
                 "cheng2020-anchor": waseda.anchor, "cheng2020-attn": waseda.attention,
                 "cheng2020-anchor-checkerboard": sensetime.anchor_checkerboard, "elic2022-official": sensetime.official,
                 "elic2022-chandelier": sensetime.chandelier}


def architecture_of(weights):
    """The name, from keys and shapes alone."""
    has = lambda prefix: any(key.startswith(prefix) for key in weights.arrays)
    if has("Gain"):
        raise Refused(f"its keys are those of models of variable rate: not among {', '.join(ARCHITECTURES)}")
    if "g_a.0.conv1.weight" in weights and has("latent_codec.y.context_prediction."):
        return "cheng2020-anchor-checkerboard"
    if "g_a.0.conv1.weight" in weights and has("context_prediction."):
        return "cheng2020-attn" if has("g_a.3.conv_a.") else "cheng2020-anchor"
    if "g_a.0.weight" in weights and has("latent_codec.y.latent_codec."):
        return sensetime.elic_of(weights)
    if any(key not in weights for key in ("g_a.0.weight", "g_a.6.weight", "g_s.6.weight")) or has("latent_codec."):
        raise Refused(f"its keys are not those of {', '.join(ARCHITECTURES)}: {some(weights.arrays)}")
    if has("context_prediction."):
        return "mbt2018"
    if has("h_a.") or has("h_s."):
        return "mbt2018-mean" if weights.outputs("h_s.4") == 2 * weights.outputs("g_a.6") else "bmshj2018-hyperprior"
    gdn = any(re.fullmatch(r"g_[as]\.[135]\..*", key) for key in weights.arrays)
    return "bmshj2018-factorized" if gdn else "bmshj2018-factorized-relu"


def convert(arrays, name, provenance, architecture=None, trained_lambda=None, fraction_bits=4, anew=False, note=print):
    """(tensors, document) of a state dict. `anew`: tables are computed although the state dict has some. `note`(text) is called with
    what its owner should know."""
    weights = Weights(arrays)
    architecture = architecture or architecture_of(weights)
    model = ARCHITECTURES[architecture](weights)
    tables = model.tables(anew, note)
    rate = {"parameter": "none"} if trained_lambda is None else {"parameter": "none", "lambda": trained_lambda}
    doc = document(model.tensors, name, architecture,
                   picture={"channels": 3, "stride": 64, "padding": "centred_zeros", "offset": 0},
                   latents={"channels": model.m, "stride": 16, "fraction_bits": fraction_bits}, hyper=model.hyper, rate=rate,
                   graphs=model.graphs, tables=tables, steps=model.steps,
                   provenance={**provenance, "architecture": architecture, "channels": {"N": model.n, "M": model.m}})
    return model.tensors, doc
