"""What may import what, and how long a file and a function may be: CONTRIBUTING.md says it, and this reads the code."""

import ast

import pytest

from conftest import ROOT
from utils import widgets

PACKAGES = ("utils", "experiments", "theme", "instructor", "tools")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
FIGURES = {f"utils.widgets.{module}" for module in widgets._MODULES.values()}
# The rooms of the house; each may import those that are named, and itself.
MAY_IMPORT = {
    "utils": set(),
    "utils.arithmetic": set(),
    "utils.checks": {"utils.arithmetic", "utils.functional"},
    "utils.datasets": {"utils.arithmetic"},
    "utils.functional": {"utils.arithmetic"},
    "utils.interpret": {"utils.arithmetic"},
    "utils.models": set(),
    "utils.plotting": {"utils.arithmetic"},
    "utils.profiling": {"utils.arithmetic"},
    "utils.training": {"utils.arithmetic"},
    "utils.widgets": {"utils.arithmetic", "utils.datasets", "utils.functional", "utils.profiling"},
    "experiments": {"utils.datasets", "utils.interpret", "utils.models", "utils.training", "utils.widgets"},
    "theme": {"tools", "utils.widgets"},
    "instructor": {"utils.arithmetic", "utils.checks"},
    "tools": {"utils.checks"},
}


def name_of(path):
    """A module as it is imported."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def room_of(module):
    """The room that a module is in: a folder or a module of utils, or another package as a whole."""
    parts = module.split(".")
    return ".".join(parts[: 2 if parts[0] == "utils" else 1])


def imported(path):
    """Every module of the house that a file names in an import, wherever that stands."""
    modules = {name_of(file) for file in FILES}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] in PACKAGES)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively: write the whole name"
            if str(node.module).split(".")[0] in PACKAGES:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
                yield from (name if name in modules else node.module for name in names)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_go_one_way(path):
    room = room_of(name_of(path))
    others = {room_of(module) for module in imported(path)} - {room}
    assert others <= MAY_IMPORT[room], f"{name_of(path)} must not import {sorted(others - MAY_IMPORT[room])}"


@pytest.mark.parametrize("path", [path for path in FILES if name_of(path) in FIGURES], ids=name_of)
def test_no_figure_imports_another(path):
    assert not FIGURES & set(imported(path))


def test_every_room_is_in_the_table():
    assert {room_of(name_of(path)) for path in FILES} == set(MAY_IMPORT)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_files_and_functions_are_short(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno < 60, f"{path.name}: {node.name} is too long"
