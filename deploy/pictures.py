#!/usr/bin/python3
"""Pictures for the quickstart: makes them, says how to blur them, and checks the blurred ones.

    pictures.py make FOLDER [COUNT]      makes COUNT (24) JPEG files of 1600x1200, each different
    pictures.py jobs FOLDER              prints the jobs that blur every picture of FOLDER into FOLDER/blurred
    pictures.py check FOLDER JOBS        reads the results of those jobs, which had been written to the file JOBS, and exits 0
                                         only if every picture was blurred since: same size, different pixels

Needs Pillow (Debian: python3-pil).
"""
import colorsys
import json
import math
import os
import random
import sys

from PIL import Image, ImageChops, ImageDraw, ImageOps

SIZE = (1600, 1200)
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff")
RADIUS = 2


def pictures(folder):
    """The names of the image files that stand directly in the folder."""
    return sorted(
        name for name in os.listdir(folder)
        if name.lower().endswith(SUFFIXES) and os.path.isfile(os.path.join(folder, name)))


def make(folder, count):
    os.makedirs(folder, exist_ok=True)
    for number in range(count):
        landscape(number).save(os.path.join(folder, f"picture-{number + 1:02}.jpg"), quality=90)


def landscape(number):
    """Hills under a sun, with grain like a photograph's; the number decides everything."""
    chance = random.Random(number)
    width, height = SIZE
    hue = chance.random()

    def colour(shift, saturation, value):
        return tuple(int(255 * part) for part in colorsys.hsv_to_rgb((hue + shift) % 1, saturation, value))

    sky = Image.linear_gradient("L").resize(SIZE)
    picture = Image.composite(
        Image.new("RGB", SIZE, colour(0.1, 0.3, 0.95)), Image.new("RGB", SIZE, colour(0.0, 0.7, 0.6)), sky)
    draw = ImageDraw.Draw(picture)
    x, y, radius = chance.randrange(width), chance.randrange(height // 2), chance.randrange(40, 160)
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour(0.5, 0.4, 1.0))
    for ridge in range(6):
        base = height * (0.35 + 0.1 * ridge)
        waves = [(chance.uniform(10, 90), chance.uniform(0.002, 0.02), chance.uniform(0, 6)) for _ in range(3)]
        crest = [
            (x, base + sum(high * math.sin(x * often + start) for high, often, start in waves))
            for x in range(0, width + 8, 8)]
        draw.polygon([(0, height)] + crest + [(width, height)], fill=colour(0.05 * ridge, 0.6, 0.75 - 0.1 * ridge))
    for _ in range(250):
        x, y, tall = chance.randrange(width), chance.randrange(int(height * 0.6), height), chance.randrange(10, 60)
        draw.polygon([(x, y - tall), (x - tall // 3, y), (x + tall // 3, y)], fill=colour(0.3, 0.7, chance.uniform(0.1, 0.6)))
    grain = Image.effect_noise(SIZE, 40).convert("RGB")
    return Image.blend(picture, grain, 0.15)


def jobs(folder):
    names = pictures(folder)
    if not names:
        sys.exit(f"there is no picture in {folder} (looked for {' '.join(SUFFIXES)})")
    return json.dumps([{"input": name, "output": "blurred/", "radius": RADIUS} for name in names])


def check(folder, start, results):
    """Says what is wrong with the blurred pictures, one sentence each. Start: nanoseconds; an older file is not believed."""
    outputs = {
        made["input"]: made["output"]
        for line in results for made in (json.loads(line).get("result") or {}).get("outputs", [])}
    for name in pictures(folder):
        if name not in outputs:
            yield f"{name} has no result"
            continue
        blurred = os.path.join(folder, outputs[name])
        try:
            with Image.open(os.path.join(folder, name)) as before, Image.open(blurred) as after:
                # What a camera held sideways is turned upright on the way.
                before, after = ImageOps.exif_transpose(before), ImageOps.exif_transpose(after)
                if os.stat(blurred).st_mtime_ns < start:
                    yield f"{blurred} is an old file"
                elif before.size != after.size:
                    yield f"{name} was {before.size} and is {after.size}"
                elif ImageChops.difference(before.convert("RGB"), after.convert("RGB")).getbbox() is None:
                    yield f"{name} has the same pixels as before"
        except OSError as error:
            yield f"{name}: {error}"


def main(arguments):
    match arguments:
        case ["make", folder]:
            make(folder, 24)
        case ["make", folder, count]:
            make(folder, int(count))
        case ["jobs", folder]:
            print(jobs(folder))
        case ["check", folder, submitted]:
            complaints = list(check(folder, os.stat(submitted).st_mtime_ns, sys.stdin))
            for complaint in complaints:
                print(complaint, file=sys.stderr)
            sys.exit(1 if complaints else 0)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
