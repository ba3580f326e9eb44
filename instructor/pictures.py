"""Pictures that students hand in: PNG and JPEG of a bounded size, looked at no further than their first lines."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from typing import Any, NamedTuple

from PIL import Image

KINDS = {"image/png": "PNG", "image/jpeg": "JPEG"}
LARGEST = 2**22  # characters of one, in base64
MOST_PIXELS = 2**24
MOST = 8  # of a cell


class Picture(NamedTuple):
    """A picture's media type, and its bytes in base64."""

    kind: str
    data: str


def pictures_in(bundles: Iterable[Any]) -> list[Picture]:
    """The pictures of a cell's outputs and attachments, which map media types to what a student's file says."""
    found: list[Picture] = []
    for bundle in bundles:
        for kind in KINDS if isinstance(bundle, dict) else ():
            data = bundle.get(kind)
            data = "".join(map(str, data)) if isinstance(data, list) else data
            if isinstance(data, str) and len(found) < MOST and (picture := _checked(kind, data)):
                found.append(picture)
    return found


def _checked(kind: str, data: str) -> Picture | None:
    """The picture, if it is one; ``Image.open`` reads its size and does not decode it."""
    if len(data) > LARGEST:
        return None
    try:
        content = base64.b64decode("".join(data.split()), validate=True)
        with Image.open(io.BytesIO(content), formats=[KINDS[kind]]) as image:
            width, height = image.size
    except Exception:  # whatever a forged file leads to
        return None
    return Picture(kind, base64.b64encode(content).decode()) if width * height <= MOST_PIXELS else None
