"""EfficientNet-Lite0 as a figure carries it: the files in photo/, what it made of the samples, what a reader is sent.

``efficientnet.js`` computes with it; ``python -m experiments.photo`` makes the files.
"""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("photo")
LICENCE = FOLDER / "licence.txt"
CLASSES = Path(__file__).parents[1] / "models" / "imagenet_classes.txt"
SAMPLES = ("a cat", "a cup of coffee", "a photographer", "a rocket", "an astronaut")


@cache
def stored() -> dict[str, Any]:
    """What answers.json holds: where samples are from, and what the network makes of them untouched."""
    content: dict[str, Any] = json.loads((FOLDER / "answers.json").read_text(encoding="utf-8"))
    return content


def picture(sample: str, small: bool = False) -> str:
    """A sample's photograph, or the 224 × 224 pixels in its middle, as JPEG in base64."""
    name = f"{sample.split()[-1]}{'_224' if small else ''}.jpg"
    return base64.b64encode((FOLDER / name).read_bytes()).decode()


def parcel() -> tuple[dict[str, Any], list[bytes]]:
    """What a reader is sent who asks for the network: names and photographs; its weights, and the compiled loops."""
    classes = CLASSES.read_text(encoding="utf-8").splitlines()
    photos = {sample: [picture(sample), stored()["samples"][sample]["from"]] for sample in SAMPLES}
    return {"classes": classes, "photos": photos}, [
        (FOLDER / name).read_bytes() for name in ("network.bin", "kernels.wasm")
    ]
