# %% [markdown]
# # Inference with a learned codec
#
# What a notebook about learned compression usually shows: a picture goes through a model, the
# latents are looked at, the bits are counted, and curves are compared. Here the bits are those of
# real files. Each `# %%` begins a cell; Jupyter opens this file as a notebook by jupytext, and
# `inference.ipynb` is the same.

# %%
import os
import pathlib

import numpy as np

import glint

# %% [markdown]
# A model is a file. Three came with the package.

# %%
print("models:", glint.shipped_models())
model = glint.Model.load("light-fp32")
print(model, f"{model.parameters:,} weights, lrd {model.lrd_range[0]:g} to {model.lrd_range[1]:g}")

# %% [markdown]
# A picture: of a file, or one that is made here.

# %%
path = os.environ.get("PICTURE")
if path:
    picture = glint.read_picture(path).samples
else:
    rows, columns = np.mgrid[0:256, 0:384]
    planes = [127 + 90 * np.sin(rows / 23 + c) * np.cos(columns / 31 - c) for c in range(3)]
    picture = np.stack(planes, axis=-1).astype(np.uint8)
print("picture:", picture.shape, picture.dtype)

# %% [markdown]
# To bytes and back. `detail="off"` leaves out the layer after the model, so that what is seen is
# what the networks do.

# %%
stream = glint.encode(picture, model=model, detail="off")
restored = glint.decode(stream, model=model)
pixels = picture.shape[0] * picture.shape[1]
print(f"{len(stream)} bytes, {8 * len(stream) / pixels:.3f} bits per pixel")
print(f"PSNR {glint.psnr(picture, restored):.2f} dB, MS-SSIM {glint.ms_ssim(picture, restored):.4f}")

# %% [markdown]
# The latents y, as a decoder has them: integers of fixed point, the same on every machine. Most
# channels are nearly empty, a few hold most of the picture.

# %%
latents = glint.latents(stream, model=model)
y = latents.as_float()
energy = np.sort(np.mean(y**2, axis=(0, 1)))[::-1]
print("latents:", y.shape, "steps of", 2.0**-latents.fraction_bits)
print(f"{energy[:8].sum() / energy.sum():.0%} of the energy is in 8 of {y.shape[2]} channels")

# %% [markdown]
# The synthesis transform alone. Its own latents give the picture; others give others.

# %%
assert np.array_equal(glint.synthesise(latents, model=model), restored)
weak = np.mean(y**2, axis=(0, 1)) < energy[energy.size // 4]
without = np.where(weak, np.float32(0), y)
fewer = glint.synthesise(latents.with_values(without), model=model)
print(f"without the {weak.sum()} weakest channels: {glint.psnr(picture, fewer):.2f} dB")

# %% [markdown]
# Latents of two pictures can be mixed.

# %%
other = glint.analyse(picture[:, ::-1], model=model, lrd=latents.lrd)
mixed = glint.synthesise(latents.with_values((y + other.as_float()) / 2), model=model)
print("mixed:", mixed.shape, mixed.dtype)

# %% [markdown]
# Curves of rate and quality, and what lies between them. A negative BD-rate is fewer bits for the
# same quality.


# %%
def curve(name, detail):
    loaded = glint.Model.load(name)
    low, high = loaded.lrd_suggested
    points = []
    for lrd in np.geomspace(low, high, 4):
        e = glint.evaluate(picture, model=loaded, lrd=float(lrd), detail=detail, verify=False)
        points.append((e.bpp, e.psnr))
    return points


curves = {name: curve(name, "off") for name in ("light-fp32", "light-int8")}
for name, points in curves.items():
    print(name, "  ".join(f"{bpp:.3f}: {psnr:.2f} dB" for bpp, psnr in points))
difference = glint.bd_rate(curves["light-fp32"], curves["light-int8"])
print(f"light-int8 takes {difference:+.2f} % bits of light-fp32")

# %% [markdown]
# And the file that `glint decode` reads too.

# %%
folder = pathlib.Path(os.environ.get("OUT", "."))
(folder / "picture.glint").write_bytes(stream)
print(glint.info(folder / "picture.glint"))
