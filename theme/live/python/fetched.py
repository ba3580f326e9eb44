"""Files of the site that come only when Python asks for them: pictures, digits, and all of Matplotlib."""

from __future__ import annotations

import importlib
import io
import sys
import zipfile
import zlib
from collections.abc import Sequence
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

    request = XMLHttpRequest.new()
    request.open("GET", f"{_state['base']}{name}?v={_state['version']}", False)
    request.responseType = "arraybuffer"
    request.send()
    if request.status != 200:
        raise OSError(f"{name} could not be loaded: {request.status} {request.statusText}")
    return bytes(request.response.to_py())


def array(name: str) -> np.ndarray[Any, Any]:
    """Bytes of a picture, of which the build kept the differences along a row: they pack well."""
    return np.load(io.BytesIO(zlib.decompress(fetch(name)))).cumsum(1, dtype=np.uint8)


class _Drawing(MetaPathFinder):
    """Fetches Matplotlib when it is imported, and imports ``utils.plotting`` when something is taken from it."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name.partition(".")[0] in ("matplotlib", "PIL") and (wheels := _state.pop("wheels", None)):
            _state["says"]("Matplotlib, which draws the figures, is on its way.")
            for wheel in wheels:
                with zipfile.ZipFile(io.BytesIO(fetch(wheel))) as archive:
                    archive.extractall(_state["site"])
            importlib.invalidate_caches()
            _state["says"]("")
        if name == "utils.plotting":
            spec = PathFinder.find_spec(name, path)
            if spec and spec.loader:
                spec.loader = LazyLoader(spec.loader)
            return spec
        return None


def install(base: str, version: str, wheels: Sequence[str], site: str, says: Any) -> None:
    """Fetch from ``base`` from now on; ``wheels`` go to the folder ``site``."""
    _state.update(base=base, version=version, wheels=list(wheels), site=site, says=says)
    sys.meta_path.insert(0, _Drawing())
