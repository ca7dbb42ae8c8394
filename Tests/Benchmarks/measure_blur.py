"""Blurs the same JPEG files with Python's Pool and Pillow, and with image.blur."""
import multiprocessing
import os
import subprocess
import sys

from PIL import Image, ImageFilter

import harness

COUNT = 48
ROUNDS = 3
RADIUS = 2
FOLDER = os.path.join(harness.SCRATCH, "pictures")
MAKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../deploy/pictures.py")


def blur(name):
    with Image.open(os.path.join(FOLDER, name)) as picture:
        picture.filter(ImageFilter.GaussianBlur(RADIUS)).save(os.path.join(FOLDER, "pillow", name))


def main():
    if not os.path.isdir(FOLDER):
        subprocess.run([sys.executable, MAKER, "make", FOLDER, str(COUNT)], check=True)
    names = sorted(name for name in os.listdir(FOLDER) if name.endswith(".jpg"))
    for output in ("pillow", "jobmill"):
        os.makedirs(os.path.join(FOLDER, output), exist_ok=True)
    batch = {"handler": "image.blur",
             "jobs": [{"input": name, "output": "jobmill/", "radius": RADIUS} for name in names]}

    with multiprocessing.Pool(harness.WORKERS) as pool, harness.service("--files", FOLDER) as service:
        service.run_batch(batch)  # both read warm files
        taken = harness.interleave(
            ROUNDS, pool=lambda: pool.map(blur, names), jobmill=lambda: service.run_batch(batch))

    rate = {name: len(names) / time for name, time in taken.items()}
    harness.title(f"blur: {len(names)} JPEG files of 1600x1200, radius {RADIUS}, {harness.WORKERS} workers, median of {ROUNDS}")
    harness.figure(f"Pool({harness.WORKERS}) with Pillow", rate["pool"], "images/s")
    harness.figure("image.blur", rate["jobmill"], "images/s")
    harness.verdict("image.blur / Pool with Pillow", rate["jobmill"] / rate["pool"], "", at_least=1.5)


if __name__ == "__main__":
    main()
