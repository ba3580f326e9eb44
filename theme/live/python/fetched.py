"""Files of the site that come only when Python asks for them: pictures, digits, and all of Matplotlib."""

from __future__ import annotations

import importlib
import io
import sys
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType
from typing import Any

import numpy as np

_state: dict[str, Any] = {}


def fetch(name: str) -> bytes:
    """The bytes of a file of the site, while everything else waits."""
    from js import XMLHttpRequest  # type: ignore[import-not-found]
    from pyodide.ffi import JsException  # type: ignore[import-not-found]

    request = XMLHttpRequest.new()
    request.open("GET", f"{_state['base']}{name}?v={_state['version']}", False)
    request.responseType = "arraybuffer"
    try:
        request.send()
    except JsException:
        raise OSError(f"{name} did not come. Are you offline? Run the cell again to try once more.") from None
    if request.status != 200:
        raise OSError(f"{name} did not come: {request.status} {request.statusText}")
    return bytes(request.response.to_py())


def array(name: str) -> np.ndarray[Any, Any]:
    """Bytes of a picture, of which the build kept the differences along a row: they pack well."""
    return np.load(io.BytesIO(zlib.decompress(fetch(name)))).cumsum(1, dtype=np.uint8)


class _Drawing(MetaPathFinder):
    """Fetches Matplotlib when it is imported, and imports ``utils.plotting`` when something is taken from it."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name.partition(".")[0] in ("matplotlib", "PIL") and (wheels := _state.get("wheels")):
            size, got = sum(wheels.values()), 0
            for wheel, bytes_of_it in wheels.items():
                here = f"{100 * got // size} % of {size / 1e6:.1f} MB"
                _state["says"](f"Matplotlib, which draws the figures, is on its way: {here}")
                with zipfile.ZipFile(io.BytesIO(fetch(wheel))) as archive:
                    archive.extractall(_state["site"])
                got += bytes_of_it
            _state["wheels"] = None  # all of them are here
            importlib.invalidate_caches()
            _state["says"]("")
        if name == "utils.plotting":
            spec = PathFinder.find_spec(name, path)
            if spec and spec.loader:
                spec.loader = LazyLoader(spec.loader)
            return spec
        return None


def install(base: str, version: str, wheels: Mapping[str, int], site: str, says: Any) -> None:
    """Fetch from ``base`` from now on; ``wheels``, of so many bytes, go to the folder ``site``."""
    _state.update(base=base, version=version, wheels=wheels, site=site, says=says)
    sys.meta_path.insert(0, _Drawing())
