"""Pixels: those that a figure carries, and those of its still picture, a PNG that depends on no library's version."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from utils.functional.columns import Array

NONE = -1  # a pixel that is not there: what lies below shows


@dataclass(frozen=True)
class Raster:
    """A grid of levels, 0 … 255 or ``NONE``, from black to white; ``signed`` ones go from blue through white to orange.

    ``frame`` is a square on it, (row, column, side), if there is one; ``width`` is that of the picture.
    """

    levels: Array
    frame: tuple[int, int, int] | None = None
    signed: bool = False
    width: int = 288

    def png(self) -> str:
        """The picture's address: it carries its own bytes."""
        height, width = self.levels.shape
        # Level 0 stands for NONE; black is as black in level 1.
        rows = np.where(self.levels == NONE, 0, np.maximum(self.levels, 1)).astype(np.uint8)
        data = b"".join(b"\0" + row.tobytes() for row in rows)
        stored = struct.pack("<BHH", 1, len(data), len(data) ^ 0xFFFF) + data
        parts = {
            b"IHDR": struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0),
            b"PLTE": colours(self.signed),
            b"tRNS": b"\0",
            b"IDAT": b"\x78\x01" + stored + struct.pack(">I", zlib.adler32(data)),
            b"IEND": b"",
        }
        file = b"\x89PNG\r\n\x1a\n" + b"".join(
            struct.pack(">I", len(part)) + kind + part + struct.pack(">I", zlib.crc32(kind + part))
            for kind, part in parts.items()
        )
        return f"data:image/png;base64,{base64.b64encode(file).decode()}"


@dataclass(frozen=True)
class Photo:
    """A square photograph, JPEG in base64; ``film`` (n, n) over it is from 0, clear, to 1, as dense as it gets."""

    jpeg: str
    film: Array
    width: int = 288


def packed(image: Array, least: int, most: int) -> str:
    """The bytes of gray values in 0 … 1, in base64; ``ValueError`` for anything but a square of such a side."""
    if image.ndim != 2 or image.shape[0] != image.shape[1] or not least <= len(image) <= most:
        sides = f"{least} to {most}" if least < most else f"{most}"
        raise ValueError(f"image must be a square of {sides} pixels a side, got shape {image.shape}")
    if not (np.isfinite(image).all() and image.min() >= 0 and image.max() <= 1):
        raise ValueError(f"image must hold gray values in 0 … 1, got {image.min():g} … {image.max():g}")
    return base64.b64encode(np.round(255 * image).astype(np.uint8).tobytes()).decode()


def unpacked(pixels: str) -> Array:
    """Such bytes as the square of gray values, 0 … 255."""
    values = np.frombuffer(base64.b64decode(pixels), np.uint8).astype(int)
    return values.reshape(round(len(values) ** 0.5), -1)


def signed_levels(values: Array) -> Array:
    """Levels in which white, 128, is zero, and the largest absolute value is 1 or 255."""
    return 128 + np.floor(127 * values / max(1, abs(values).max()) + 0.5).astype(int)


def gray_levels(values: Array, white: int) -> Array:
    """Levels in which ``white`` is 255 and what is beyond black or white is cut off."""
    return np.clip(np.floor(255 * values / white + 0.5), 0, 255).astype(int)


def colours(signed: bool) -> bytes:
    """Red, green and blue of every level."""
    level = np.arange(256)[:, None]
    if not signed:
        return np.repeat(level, 3, 1).astype(np.uint8).tobytes()
    palette = json.loads((Path(__file__).parents[1] / "palette.json").read_text(encoding="utf-8"))
    blue, orange = (np.frombuffer(bytes.fromhex(palette[role]["light"][1:]), np.uint8) for role in ("input", "kernel"))
    share = abs(level - 128) / 127
    ends = np.where(level < 128, blue, orange)
    return np.floor(255 + share.clip(0, 1) * (ends - 255.0) + 0.5).astype(np.uint8).tobytes()
