"""What a learning platform's download holds: a zip file or a folder, read without trust in any name or size in it."""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from instructor import handed_in, naming

MOST = 50_000  # files in a download
LONGEST, DEEPEST = 255, 32  # letters of a name, and folders, that are looked at


class Left(Exception):
    """A file that cannot be taken; the message is why."""


@dataclass(frozen=True)
class File:
    """A file in a download: what its path may be, the likeliest first, and how to read it; ``read`` raises ``Left``."""

    paths: list[tuple[str, ...]]
    read: Callable[[], bytes]


@contextmanager
def opened(path: Path) -> Iterator[list[File]]:
    """The files in a zip file or a folder. ``ValueError`` where it is neither."""
    if path.is_dir():
        yield list(_in_folder(path))
        return
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile, ValueError) as error:
        raise ValueError(f"{path} is to be the zip file that a platform made, or a folder: {error}") from None
    with archive:
        if len(archive.infolist()) > MOST:
            raise ValueError(f"{path} has {len(archive.infolist())} files, and at most {MOST} are read")
        yield [_in_zip(archive, entry) for entry in archive.infolist() if not entry.is_dir()]


def _in_zip(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> File:
    def read() -> bytes:
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise Left("is a link")
        if entry.flag_bits & 1:
            raise Left("is locked with a password")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Left("is packed in a way that no platform uses")  # which zipfile would unpack without a limit
        try:
            with archive.open(entry) as file:
                return _whole(file)
        except Left:
            raise
        except Exception as error:  # whatever a broken or a forged zip file leads to
            raise Left(f"is broken in the zip file ({error})") from None

    readings = naming.readings(entry.orig_filename, bool(entry.flag_bits & 0x800))
    return File([_parts(reading) for reading in readings], read)


def _in_folder(root: Path) -> Iterator[File]:
    count = 0
    for folder, _, files in os.walk(root):
        for name in sorted(files):
            if (count := count + 1) > MOST:
                raise ValueError(f"{root} has more than {MOST} files")
            path = Path(folder, name)
            readings = naming.decoded(os.fsencode(path.relative_to(root)))
            yield File([_parts(reading) for reading in readings], partial(_from, path))


def _from(path: Path) -> bytes:
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Left("is no file")
            return _whole(file)
    except OSError as error:
        raise Left("is a link" if path.is_symlink() else f"cannot be read: {error.strerror}") from None


def _whole(file: Any) -> bytes:
    content: bytes = file.read(handed_in.LARGEST + 1)
    if len(content) > handed_in.LARGEST:
        raise Left(f"is larger than {handed_in.LARGEST >> 20} MB")
    return content


def _parts(name: str) -> tuple[str, ...]:
    """The folders and the name; they only tell whose the file is, and no path is made of them."""
    parts = [part[:LONGEST] for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    return tuple(parts[:DEEPEST]) or ("",)
