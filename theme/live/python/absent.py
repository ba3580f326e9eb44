"""What does not run in a page: it can be imported all the same, and says what it needs only when it is used."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NoReturn

# Modules, or with a point at the end all that lies in a package, and what they are to whoever has not got them.
ABSENT = {
    "experiments.": "PyTorch",
    "torch": "PyTorch",
    "torchvision": "PyTorch",
    "utils.interpret": "PyTorch",
    "utils.models": "PyTorch",
    "utils.profiling": "PyTorch",
    "utils.training": "PyTorch",
    "utils.widgets": "Jupyter",
}


def lacking(module: str, absent: Mapping[str, str] = ABSENT) -> str:
    """What a module needs that a page has not got, or nothing."""
    for name, needs in absent.items():
        if module.startswith(name) if name.endswith(".") else f"{module}.".startswith(f"{name}."):
            return needs
    return ""


class NotInThePage(ImportError):
    """Something was used that does not run in a page."""


class _Name:
    """Anything that an absent module may hold: a function, a class to inherit from, a module in it."""

    def __init__(self, name: str, needs: str) -> None:
        self._name, self._needs = name, needs

    def __getattr__(self, name: str) -> _Name:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Name(f"{self._name}.{name}", self._needs)

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise NotInThePage(f"{self._name} needs {self._needs}, which does not run in a page.")

    __call__ = __enter__ = __iter__ = __len__ = __bool__ = __array__ = __int__ = __float__ = __index__ = _refuse

    def __exit__(self, *_: object) -> None: ...

    def __getitem__(self, _: object) -> _Name:
        return self

    def __or__(self, _: object) -> _Name:
        return self

    __ror__ = __or__

    def __instancecheck__(self, _: object) -> bool:
        return False  # nothing is of a kind that nobody can make

    def __mro_entries__(self, _: object) -> tuple[type, ...]:
        return (type("Absent", (), {"__init__": self._refuse}),)


class _Absent(ModuleType):
    def __init__(self, name: str, needs: str) -> None:
        super().__init__(name)
        self._needs, self.__path__ = needs, []

    def __getattr__(self, name: str) -> _Name:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Name(f"{self.__name__}.{name}", self._needs)


class _Finder(MetaPathFinder, Loader):
    def __init__(self, absent: Mapping[str, str]) -> None:
        self._absent = absent

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        return ModuleSpec(name, self, is_package=True) if lacking(name, self._absent) else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Absent(spec.name, lacking(spec.name, self._absent))

    def exec_module(self, module: ModuleType) -> None: ...


def install(absent: Mapping[str, str] = ABSENT) -> None:
    """Let Python find ``absent`` modules from now on."""
    sys.meta_path.insert(0, _Finder(absent))
