#!/usr/bin/env python3
"""Draws 40 pictures that are not photographs: screens, charts, code, text, line art, pixel art.

  screens.py FOLDER PHOTO   writes FOLDER/NN_name.png; PHOTO, any photograph, fills the places where
                            such pictures hold one: a slide, a dithered print (kodim23.png was used)
Each picture has a seed of its own, its number, so the pictures are the same in every run. Letters
come from FreeType inside Pillow: another version of it may draw a pixel otherwise.
The PNGs are 8-bit RGB; an optimiser such as optipng turns those of few colours into palettes.
Needs Pillow 10 or later, NumPy, and the fonts of Debian's fonts-dejavu and fonts-liberation.
"""
import os
import sys

from PIL import Image

from drawn import art, charts, letters, windows


def pictures(photo):
    """Name, then what draws it, its number being its seed and its place here."""
    usual, large, small = (800, 600), (1280, 960), (320, 240)
    return (
        ("desktop_light", lambda s: windows.desktop(s, usual, False)),
        ("desktop_dark", lambda s: windows.desktop(s, usual, True, "subpixel")),
        ("settings", lambda s: windows.settings(s, (640, 480), "grey")),
        ("menus", lambda s: windows.menu(s, usual, "none")),
        ("menus_subpixel", lambda s: windows.menu(s, (1024, 768), "subpixel")),
        ("web_dark", lambda s: windows.web_page(s, large, "grey", True)),
        ("cards_shadows", lambda s: windows.soft_cards(s, (800, 540))),
        ("bars", lambda s: charts.bar_chart(s, usual)),
        ("lines", lambda s: charts.line_chart(s, usual)),
        ("areas_dark", lambda s: charts.line_chart(s, (640, 480), True, True)),
        ("scatter", lambda s: charts.scatter_chart(s, usual)),
        ("pie", lambda s: charts.pie_chart(s, (640, 480))),
        ("heat_numbers", lambda s: charts.heat_map(s, usual, 12, 14, True)),
        ("heat_fine", lambda s: charts.heat_map(s, (700, 600), 100, 95, False)),
        ("dashboard", lambda s: charts.dashboard(s, large)),
        ("code_dark", lambda s: letters.code(s, usual, "dark", "mono", 14)),
        ("code_light_subpixel", lambda s: letters.code(s, usual, "light", "courier", 13, "subpixel")),
        ("code_solar_small", lambda s: letters.code(s, usual, "solar", "mono", 11)),
        ("code_dark_large", lambda s: letters.code(s, large, "dark", "mono", 15, "subpixel")),
        ("text_two", lambda s: letters.text_page(s, usual, 2, "times", 14)),
        ("text_three_small", lambda s: letters.text_page(s, usual, 3, "arial", 11)),
        ("text_two_subpixel", lambda s: letters.text_page(s, (1024, 768), 2, "serif", 13, "subpixel", "#fbf7ee")),
        ("text_scanned", lambda s: letters.scanned(s, (720, 960))),
        ("hatching", lambda s: art.hatching(s, usual)),
        ("map", lambda s: art.street_map(s, usual)),
        ("schematic", lambda s: art.schematic(s, usual)),
        ("contours", lambda s: art.contours(s, usual)),
        ("pixel_art", lambda s: art.pixel_art(s, usual, 4)),
        ("pixel_art_small", lambda s: art.pixel_art(s, small, 1)),
        ("gradient_text", lambda s: art.gradient_text(s, usual, "#ff512f", "#7a1060", 30)),
        ("glow", lambda s: art.glow(s, (1280, 720))),
        ("slide_photo", lambda s: art.slide(s, (960, 720), photo)),
        ("table_grid", lambda s: letters.table(s, usual, "none", False)),
        ("table_subpixel", lambda s: letters.table(s, usual, "subpixel", True)),
        ("terminal_dark", lambda s: letters.terminal(s, usual, "#101418", "mono", 14)),
        ("terminal_light", lambda s: letters.terminal(s, (640, 480), "#fdf6e3", "courier", 13, "subpixel")),
        ("codes", lambda s: art.codes(s, usual)),
        ("dithered_16", lambda s: art.diffused(photo, (640, 480), 16)),
        ("dithered_bw", lambda s: art.ordered(photo, (640, 480))),
        ("terminal_small", lambda s: letters.terminal(s, small, "#000000", "courier", 12, "none")))


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    os.makedirs(sys.argv[1], exist_ok=True)
    with Image.open(sys.argv[2]) as file:
        photo = file.convert("RGB")
    for seed, (name, paint) in enumerate(pictures(photo), 1):
        paint(seed).save(os.path.join(sys.argv[1], f"{seed:02}_{name}.png"))


if __name__ == "__main__":
    main()
