"""Parts of the converters: forms of checkpoints, tables, rows that steps are ahead, fraction bits. Run by convert_test.py."""
import copy
import json
import os

import numpy as np

from checks import expect
from compressai_models import ORDERED, Call, File, save, state_dict
from convert.checkpoint import read_checkpoint
from convert.ranges import bits_for, padded
from convert.rows import set_ahead
from convert.tables import quantized_cdf
from convert.writer import Refused, scale_tables
from converter import convert
from reference_model import Model, run_graph

TESTS = os.path.dirname(os.path.abspath(__file__))


def converted(folder, checkpoint, *flags, noted=False):
    """(the model without where it came from, where it came from). `noted`: the owner is told something."""
    out = os.path.join(folder, "unit.safetensors")
    made = convert(checkpoint, "--out", out, *flags)
    expect(made.returncode == 0 and ("note: " in made.stderr) == noted, f"exit code {made.returncode}: {made.stderr}")
    model = Model(out)
    provenance = model.doc.pop("provenance")
    return model, provenance


def same_model(a, b):
    return a.doc == b.doc and a.data == b.data


def write_safetensors_of(path, state):
    """F32, and I64 of integers; no metadata."""
    header, data = {}, b""
    for key, array in state.items():
        raw = array.astype("<f4" if array.dtype.kind == "f" else "<i8").tobytes()
        header[key] = {"dtype": "F32" if array.dtype.kind == "f" else "I64", "shape": list(array.shape),
                       "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    with open(path, "wb") as f:
        f.write(len(text).to_bytes(8, "little") + text + data)


def restyled(state, form):
    """Keys of older versions of CompressAI; `form`: of the factorized prior's parameters."""
    kinds = {"matrices": "matrix", "biases": "bias", "factors": "factor"}
    made = {}
    for key, array in state.items():
        parts = key.split(".")
        if parts[0] == "entropy_bottleneck" and parts[1] in kinds:
            key = f"entropy_bottleneck.{form.format(plural=parts[1], single=kinds[parts[1]], i=parts[2])}"
        made[key] = array
    return made


def without_constants(state):
    return {k: v for k, v in state.items() if not k.endswith((".pedestal", ".bound", ".target"))}


def check_forms(checks, folder):
    """One model in every form of file and keys."""
    state, path = state_dict("mbt2018-mean", 8, 12, 3), os.path.join(folder, "form.pth")
    save(path, state)
    wanted, provenance = converted(folder, path, "--quality", "99", "--licence", "CC0-1.0", "--name", "unit")
    with checks.check("provenance says where a model came from"):
        digest = read_checkpoint(path)[1]
        expect(provenance["source"] == "form.pth" and provenance["sha256"] == digest and provenance["quality"] == 99 and
               provenance["licence"] == "CC0-1.0" and provenance["architecture"] == "mbt2018-mean", f"it is {provenance}")
    with checks.check("lambda is the zoo's, or what is said"):
        third = ("--quality", "3")
        rates = [converted(folder, path, *flags)[0].doc["rate"] for flags in ((), third, (*third, "--lambda", "0.5"))]
        expect(rates == [{"parameter": "none"}, {"parameter": "none", "lambda": 0.0067}, {"parameter": "none", "lambda": 0.5}], f"{rates}")
    prefixed = {"module." + key: array for key, array in state.items()}
    saves = {
        "a row of pickles, as before PyTorch 1.6": lambda: save(path, state, legacy=True),
        "a state dict as `network`": lambda: save(path, state, wrap=lambda s: {"network": s}),
        "`model_state_dict` beside an optimizer": lambda: save(path, state, wrap=lambda s: {
            "optimizer": {"state": {0: {"step": 7}}, "param_groups": [{"lr": 1e-4, "betas": (0.9, 0.999), "foreach": None}]},
            "model_state_dict": s, "best": True}),
        "`model` within `state_dict`": lambda: save(path, state, legacy=True, wrap=lambda s: {"state_dict": {"model": s}}),
        "the prefix of DataParallel": lambda: save(path, prefixed),
        "float64": lambda: save(path, {k: v.astype(np.float64) if v.dtype.kind == "f" else v.astype(np.int64) for k, v in state.items()}),
        "the keys of CompressAI 1.1": lambda: save(path, restyled(state, "_{single}{i}")),
        "the keys in between": lambda: save(path, restyled(state, "_{plural}.{i}")),
        "no constants": lambda: save(path, without_constants(state)),
        "safetensors": lambda: write_safetensors_of(path, state),
    }
    for name, write in saves.items():
        with checks.check(f"{name}: the same model"):
            write()
            expect(same_model(converted(folder, path, "--name", "unit")[0], wanted), "it differs")


def check_views(checks, folder):
    with checks.check("views of storages, float16, bfloat16 and integers are read as PyTorch would"):
        path, file = os.path.join(folder, "views.pth"), File()
        count = np.arange(20, dtype=np.float32)
        state = [("all", file.tensor(count)), ("turned", file.tensor(count, 1, (3, 2), (2, 5))), ("none", file.tensor(count[:0])),
                 ("half", file.tensor(np.float16([1.5, -2]))),
                 ("brain", file.tensor(np.uint16([0x3fc0, 0xc000]))), ("long", file.tensor(np.array([[-7], [1 << 40]])))]
        file.write(path, Call(ORDERED, state))
        got = read_checkpoint(path)[0]
        expect((got["turned"] == [[1, 6], [3, 8], [5, 10]]).all() and got["none"].size == 0, "a view differs")
        expect((got["all"] == count).all(), "a whole storage differs")
        halves = [got[key].dtype == np.float32 and (got[key] == [1.5, -2]).all() for key in ("half", "brain")]
        expect(all(halves) and got["long"][1, 0] == 1 << 40, "a type differs")


def check_stored_tables(checks, folder):
    state, path = state_dict("bmshj2018-factorized", 8, 12, 4), os.path.join(folder, "stored.pth")
    save(path, state)
    computed, _ = converted(folder, path, "--name", "unit")
    row = np.array([0, 9, 65000, 65536], np.int32)
    state.update({"entropy_bottleneck._quantized_cdf": np.tile(row, (12, 1)), "entropy_bottleneck._cdf_length": np.full(12, 4, np.int32),
                  "entropy_bottleneck._offset": np.arange(-6, 6, dtype=np.int32)})
    save(path, state)
    with checks.check("stored tables are used as they are, and that they are others than the prior's is said"):
        model, _ = converted(folder, path, "--name", "unit", noted=True)
        expect(model.tables(model.doc["coding"]["tables"]["y"]) == [(row.tolist(), low) for low in range(-6, 6)], "other tables")
    with checks.check("--update computes them anew"):
        expect(same_model(converted(folder, path, "--name", "unit", "--update")[0], computed), "other tables")


def check_counts(checks):
    """The rule of CompressAI's pmf_to_quantized_cdf, spelled out with loops."""
    def spelled_out(p):
        counts = [int(float(np.float32(v)) * 65536 + 0.5) for v in p]
        total = sum(counts)
        cdf = [0]
        for c in counts:
            cdf.append(cdf[-1] + c * 65536 // total)
        cdf[-1] = 65536
        for i in range(len(cdf) - 1):
            if cdf[i] != cdf[i + 1]:
                continue
            best, steal = 1 << 32, -1
            for j in range(len(cdf) - 1):
                if 1 < cdf[j + 1] - cdf[j] < best:
                    best, steal = cdf[j + 1] - cdf[j], j
            if steal < i:
                for j in range(steal + 1, i + 1):
                    cdf[j] -= 1
            else:
                for j in range(i + 1, steal + 1):
                    cdf[j] += 1
        return cdf

    with checks.check("counts take from the rarest"):
        random = np.random.RandomState(5)
        for size in (2, 3, 17, 200, 900):
            for power in (1, 4, 30):
                p = random.uniform(size=size) ** power
                p = (p / p.sum()).astype(np.float32)
                expect(quantized_cdf(p).tolist() == spelled_out(p), f"{size} values, power {power}")


def check_thresholds(checks):
    with checks.check("thresholds choose CompressAI's tables, also where scales are bounded"):
        row = np.array([[0, 1, 65536]])
        for bound in (None, np.float32(0.05), np.float32(0.5), np.float32(0.51), np.float32(9)):
            table, tensors = np.float32([0.25, 0.5, 0.75, 2]), {}
            low = np.arange(4)       # tells the tables apart
            scale_tables(tensors, "t", np.repeat(row, 4, 0), np.full(4, 3), low, table, bound)
            near = np.concatenate([table, np.nextafter(table, np.float32(9)), np.nextafter(table, np.float32(0)), [-3, 0, 1e9]])
            for scale in near.astype(np.float32):
                bounded = scale if bound is None else max(scale, bound)
                got = tensors["t.cdf_min"][(tensors["t.thresholds"] <= scale).sum()]
                expect(got == (table[:-1] < bounded).sum(), f"scale {scale!r}, bound {bound!r}: table {got}")


def check_ahead(checks):
    with checks.check("rows ahead are those of the shipped model and of the lattice"):
        for name in ("../weights/light-fp32.safetensors", "../conformance/models/lattice.safetensors", "../conformance/models/integer.safetensors"):
            model = Model(os.path.join(TESTS, name))
            doc = copy.deepcopy(model.doc)
            set_ahead(doc, {key: model.tensor(key) for key in model.header if key != "__metadata__"})
            got, wanted = ([step["ahead"] for step in d["coding"]["steps"]] for d in (doc, model.doc))
            expect(all(g <= w for g, w in zip(got, wanted)) and (got == wanted or "light" not in name), f"{name}: {got}, not {wanted}")


def check_bits(checks, folder):
    with checks.check("fraction bits leave room for twice the largest value"):
        got = [bits_for(most) for most in (1, 255, 257, 511, 513, 16383)]
        expect(got == [6, 6, 5, 5, 4, 0], f"they are {got}")
        try:
            bits_for(16384)
        except Refused:
            return
        expect(False, "too large a value is taken")
    with checks.check("--pictures chooses fraction bits"):
        pictures = os.path.join(folder, "pictures")
        os.makedirs(pictures, exist_ok=True)
        state, path = state_dict("bmshj2018-hyperprior", 8, 12, 5), os.path.join(folder, "bits.pth")
        with open(os.path.join(pictures, "a.ppm"), "wb") as f:
            f.write(b"P6\n70 40\n255\n" + np.random.RandomState(1).bytes(70 * 40 * 3))
        x = np.frombuffer(np.random.RandomState(1).bytes(70 * 40 * 3), np.uint8).reshape(40, 70, 3).astype(np.float32) / np.float32(255)
        for factor in (1, 40, 300):
            scaled = {**state, "g_a.6.weight": state["g_a.6.weight"] * np.float32(factor)}
            save(path, scaled)
            model, _ = converted(folder, path, "--pictures", pictures)
            most = np.abs(run_graph(model, "g_a", {"x": padded(x, model.doc["picture"])})).max()
            got = model.doc["latents"]["fraction_bits"]
            expect(2 * most * 2 ** got <= 32767 and (got == 6 or 4 * most * 2 ** got > 32767), f"{got} where latents reach {most}")


def check_units(checks, folder):
    check_forms(checks, folder)
    check_views(checks, folder)
    check_stored_tables(checks, folder)
    check_counts(checks)
    check_thresholds(checks)
    check_ahead(checks)
    check_bits(checks, folder)
