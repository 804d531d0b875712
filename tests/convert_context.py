"""Models with context, serial or in two passes: forms of their checkpoints, masks, what is refused. Run by convert_test.py."""
import os

import numpy as np

from checks import expect
from compressai_models import CAUSAL, CONTEXT, OTHER_COLOUR, SERIAL, save, state_dict
from convert_refusals import Refusals, put
from convert_units import converted, same_model

INNER = "latent_codec.y.latent_codec.y1."


def drawn(architecture):
    return state_dict(architecture, 8, 12, 6, [4, 2, 6])


def newer(state):
    """Hyper transforms and prior where the versions after 1.2.8 have them."""
    places = {"latent_codec.hyper.h_": "latent_codec.h_", "latent_codec.hyper.entropy_bottleneck.": "latent_codec.z.entropy_bottleneck."}
    made = {}
    for key, array in state.items():
        for old, new in places.items():
            key = key.replace(old, new)
        made[key] = array
    return made


def older_prior(state):
    kinds = {"matrices": "_matrix", "biases": "_bias", "factors": "_factor"}
    return {".".join(key.split(".")[:-2] + [kinds[key.split(".")[-2]] + key.split(".")[-1]])
            if "entropy_bottleneck." in key and key.split(".")[-2] in kinds else key: array for key, array in state.items()}


def hidden_taps_changed(state):
    """Weights that no mask lets through are whatever training started from."""
    made = dict(state)
    for key, mask in state.items():
        if key.endswith("context_prediction.mask"):
            weight = key.replace(".mask", ".weight")
            made[weight] = np.where(mask == 0, np.float32(9), state[weight])
    return made


def check_forms(checks, folder):
    path = os.path.join(folder, "context.pth")
    forms = {"the keys of versions after 1.2.8": newer, "keys of a prior before 1.2.7": older_prior,
             "blocks with `downsample`": lambda state: {key.replace(".skip.", ".downsample."): array for key, array in state.items()},
             "no masks": lambda state: {key: array for key, array in state.items() if not key.endswith(".mask")},
             "other weights behind the masks": hidden_taps_changed}
    for architecture in CONTEXT:
        state = drawn(architecture)
        save(path, state)
        wanted, provenance = converted(folder, path, "--name", "unit")
        with checks.check(f"{architecture}: keys and shapes say what it is"):
            channels = provenance["architecture"], provenance["channels"]
            expect(channels == (architecture, {"N": 8, "M": 8 if "cheng" in architecture else 12}), f"{channels}")
        for name, change in forms.items():
            changed = change(state)
            if changed.keys() == state.keys() and all(changed[key] is state[key] for key in state):
                continue
            with checks.check(f"{architecture}, {name}: the same model"):
                save(path, changed)
                expect(same_model(converted(folder, path, "--name", "unit")[0], wanted), "it differs")


def check_masks(checks, folder):
    """What a file has behind its masks, and the steps that it has."""
    path = os.path.join(folder, "masks.pth")
    for architecture in CONTEXT:
        with checks.check(f"{architecture}: taps that are not coded yet have no weight"):
            save(path, drawn(architecture))
            model, _ = converted(folder, path)
            masked = [node for graph in model.doc["graphs"].values() for node in graph["nodes"] if node.get("mask", "none") != "none"]
            live, kind = (CAUSAL, "causal") if architecture in SERIAL else (OTHER_COLOUR, "checkerboard")
            expect({node["mask"] for node in masked} == {kind}, f"{masked}")
            for node in masked:
                used = (model.tensor(node["weights"]["weight"]) != 0).all((0, 1))
                expect((used == live).all(), f"{node['name']}: taps {used.astype(int).tolist()}")
            orders = [step.get("order") for step in model.doc["coding"]["steps"]]
            expect(orders == [None, "wavefront"] if architecture in SERIAL else set(orders) == {None}, f"orders {orders}")
    with checks.check("a mask that leaves out more taps is obeyed"):
        state = drawn("mbt2018")
        state["context_prediction.mask"] = state["context_prediction.mask"].copy()
        state["context_prediction.mask"][:, :, 0, 4] = 0
        save(path, state)
        weight = converted(folder, path)[0].tensor("context_prediction.weight")
        expect((weight[:, :, 0, 4] == 0).all() and (weight[:, :, 0, 3] != 0).all(), "other taps")


def check_groups(checks, folder):
    path = os.path.join(folder, "groups.pth")
    with checks.check("ELIC: two steps for each group, which see what CompressAI's see"):
        seen = {"elic2022-official": [[], [[0, 4]], [[0, 6]]], "elic2022-chandelier": [[], [[0, 4]], [[0, 4], [4, 6]]]}
        for architecture, wanted in seen.items():
            save(path, drawn(architecture))
            steps = converted(folder, path)[0].doc["coding"]["steps"][1:]
            expect([step["parts"] for step in steps] == [[{"channels": channels, "positions": positions}] for channels in
                                                         ([0, 4], [4, 6], [6, 12]) for positions in ("even", "odd")], f"{steps}")
            for k, (anchors, others) in enumerate(zip(steps[::2], steps[1::2])):
                places = {name: place for name, place in anchors["distribution"]["inputs"].items() if place != "psi"}
                expect(list(places.values()) == wanted[k], f"{architecture}, group {k}: {places}")
                expect(others["distribution"]["inputs"] == {**anchors["distribution"]["inputs"], "y": anchors["parts"][0]["channels"]},
                       f"{architecture}, group {k}: {others}")
    with checks.check("ELIC: groups whose tables differ have sets of their own, the others one"):
        state = drawn("elic2022-official")
        state[f"{INNER}y.gaussian_conditional.scale_table"] = np.float32([0.5, 1, 2, 4])
        save(path, state)
        coding = converted(folder, path)[0].doc["coding"]
        used = [step["distribution"]["tables"] for step in coding["steps"]]
        expect(used == ["z", "gaussian", "gaussian", "gaussian.1", "gaussian.1", "gaussian", "gaussian"], f"{used}")
        expect(set(coding["tables"]) == set(used), f"{list(coding['tables'])}")


def check_bits(checks, folder):
    """Fraction bits leave room for the means that steps with context give, not for y alone."""
    path, pictures = os.path.join(folder, "loud.pth"), os.path.join(folder, "one")
    os.makedirs(pictures)
    with open(os.path.join(pictures, "a.ppm"), "wb") as f:
        f.write(b"P6\n70 40\n255\n" + np.random.RandomState(1).bytes(70 * 40 * 3))
    biases = {"mbt2018": ("entropy_parameters.4.bias", slice(12, None)), "cheng2020-anchor": ("entropy_parameters.4.bias", slice(8, None)),
              "cheng2020-anchor-checkerboard": ("latent_codec.y.entropy_parameters.4.bias", slice(8, None)),
              "elic2022-official": (f"{INNER}entropy_parameters.4.bias", slice(2, None)),
              "elic2022-chandelier": (f"{INNER}entropy_parameters.4.bias", slice(0, 2))}
    for architecture, (key, means) in biases.items():
        with checks.check(f"{architecture}: --pictures sees its means"):
            bits = []
            for mean in (0, 2000):
                state = drawn(architecture)
                state[key][means] += np.float32(mean)
                save(path, state)
                bits.append(converted(folder, path, "--pictures", pictures)[0].doc["latents"]["fraction_bits"])
            expect(bits == [6, 2] or bits == [6, 3], f"{bits} fraction bits for means of 0 and 2000")


def check_context_refusals(checks, folder):
    r = Refusals(checks, folder)

    def refuse(what, text, architecture, change=lambda state: None, *flags):
        r.state(change, architecture)
        r.expect(f"{architecture}: {what}", text, *flags)

    def masks_of(key, live):
        return lambda state: state.__setitem__(key, np.broadcast_to(live, state[key].shape).astype(np.float32))

    def without(*keys):
        return lambda state: [state.pop(key) for key in list(state) if key.startswith(keys)]

    own = CAUSAL | (np.arange(25).reshape(5, 5) == 12)
    place = "latent_codec.y.context_prediction.mask"
    refuse("a mask that sees the position itself", "not coded yet", "mbt2018", masks_of("context_prediction.mask", own))
    refuse("the mask of a serial model", "not coded yet", "cheng2020-anchor-checkerboard", masks_of(place, CAUSAL))
    refuse("a mask that is no mask", "is not zeros and ones", "cheng2020-attn", masks_of("context_prediction.mask", CAUSAL * 0.5))
    refuse("a mask of another size", "is not zeros and ones of shape [24, 12, 5, 5]", "mbt2018",
           put("context_prediction.mask", np.ones((24, 12, 3, 3), np.float32)))
    refuse("a context of 3x3", "context_prediction.weight has shape [16, 8, 3, 3]", "cheng2020-anchor",
           put("context_prediction.weight", np.ones((16, 8, 3, 3), np.float32)))
    refuse("no weights of the context", "random: context_prediction.weight", "mbt2018", without("context_prediction.weight"))
    refuse("a network cut off", "random: entropy_parameters.4.bias, entropy_parameters.4.weight", "cheng2020-attn",
           without("entropy_parameters.4"))
    refuse("a block that is missing", "random: g_a.3.conv1.bias", "cheng2020-anchor", without("g_a.3."))
    refuse("half of an attention", "random: g_s.5.conv_b.0.conv.0.bias", "cheng2020-attn", without("g_s.5.conv_b."))
    refuse("a layer that does not double", "g_s.1.upsample.0.weight has shape [8, 8, 3, 3]", "cheng2020-anchor-checkerboard",
           put("g_s.1.upsample.0.weight", np.ones((8, 8, 3, 3), np.float32)))
    refuse("a prior in two places", "is there twice", "elic2022-official",
           put("latent_codec.z.entropy_bottleneck.quantiles", np.ones((8, 1, 3), np.float32)))
    refuse("a group without context", f"{INNER}context_prediction.weight is missing", "elic2022-official",
           without(f"{INNER}context_prediction"))
    refuse("the last group missing", "the groups of y have 4 + 2 channels, y has 12", "elic2022-chandelier",
           without(INNER.replace("y1", "y2"), "latent_codec.y.channel_context.y2."))
    refuse("a group too many", "keys are left over", "elic2022-official",
           put("latent_codec.y.channel_context.y3.0.bias", np.ones(224, np.float32)))
    refuse("nine thousand groups", "y has 9001 groups", "elic2022-official",
           put(f"{INNER.replace('y1', 'y9000')}context_prediction.bias", np.ones(4, np.float32)))
    refuse("no channel context", "latent_codec.y.channel_context.y2.0.weight is missing", "elic2022-chandelier",
           without("latent_codec.y.channel_context.y2."))
    refuse("tables of one group broken", "gaussian.1: the scale table is not positive and ascending", "elic2022-official",
           put(f"{INNER}y.gaussian_conditional.scale_table", np.float32([1, 3, 2])))
    others = {"mbt2018": ("mbt2018-mean", "cheng2020-anchor"), "cheng2020-anchor": ("cheng2020-attn", "cheng2020-anchor-checkerboard"),
              "cheng2020-attn": ("cheng2020-anchor",), "cheng2020-anchor-checkerboard": ("cheng2020-anchor", "elic2022-official"),
              "elic2022-official": ("elic2022-chandelier", "mbt2018"), "elic2022-chandelier": ("elic2022-official",)}
    for architecture, wrong in others.items():
        for name in wrong:
            refuse(f"as {name}", "", architecture, lambda state: None, "--architecture", name)


def check_context(checks, folder):
    check_forms(checks, folder)
    check_masks(checks, folder)
    check_groups(checks, folder)
    check_bits(checks, folder)
    check_context_refusals(checks, folder)
