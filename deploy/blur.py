"""A handler in Python: what `Pool.map(process_image, jobs)` would call, unchanged."""
import os

from PIL import Image, ImageFilter, ImageOps


def process_image(job):
    """Blurs one picture: {"input": "a.jpg", "output": "blurred/", "radius": 2}, paths from the handler's folder."""
    target = os.path.join(job["output"], os.path.basename(job["input"]))
    with Image.open(job["input"]) as picture:
        ImageOps.exif_transpose(picture).filter(ImageFilter.GaussianBlur(job["radius"])).save(target)
    return {"outputs": [{"input": job["input"], "output": target}]}
