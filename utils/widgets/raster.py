"""Pixels for a figure's still picture: a PNG without compression, whose bytes depend on no library's version."""

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

    ``frame`` is a square on it: row, column, side.
    """

    levels: Array
    frame: tuple[int, int, int]
    signed: bool = False

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
