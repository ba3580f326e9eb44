"""What Python in the page is made of: which cells run there, stand-ins for libraries, where the wheels come from."""

import functools
import hashlib
import importlib
import json
import re
import sys
import zipfile
from types import ModuleType

import numpy as np
import pytest

from conftest import ROOT
from tests.test_structure import FILES, name_of, room_of
from theme.live import kit
from theme.live.needs import needs
from theme.live.python.absent import ABSENT
from tools import wheels
from utils import datasets

PYTHON = ROOT / "theme" / "live" / "python"
DATA = functools.cache(kit.data)


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (["import numpy as np", "np.ones(3)"], ["", ""]),
        (["import torch\nfrom torch import nn", "nn.Linear(2, 3)", "1 + 1"], ["", "PyTorch", ""]),
        (["import torch\ndef f(x):\n    return torch.relu(x)", "y = f(3)", "y + 1"], ["", "PyTorch", "PyTorch"]),
        (["import torch\nx = 3\ny = torch.ones(x)", "x + 1", "y + 1"], ["PyTorch", "", "PyTorch"]),
        (["import torch\ny = torch.ones(3)", "y = 3", "y + 1"], ["PyTorch", "", ""]),
        (["import torch\ny = torch.ones(3)\ndef f(y):\n    return y", "f(3)"], ["PyTorch", "PyTorch"]),
        (["import torch\nx = torch.ones(3)\n", "def f(x):\n    return [x for x in x]\nf([1])"], ["PyTorch", ""]),
        (["from utils.models import resnet18", "resnet18()"], ["", "PyTorch"]),
        (["from utils import models, plotting", "plotting.bars({})\nmodels.vgg16()"], ["", "PyTorch"]),
        (["import torch\n@torch.no_grad()\ndef f(): pass"], ["PyTorch"]),
        (["import time\nfrom threadpoolctl import threadpool_limits", "time.time()"], ["threadpoolctl", ""]),
        (["from utils.widgets import Pooling", "Pooling()"], ["", "Jupyter"]),
        (["from utils.plotting import bars\nfrom utils.arithmetic import receptive_field", "bars({})"], ["", ""]),
    ],
)
def test_what_cells_need(cells, found):
    assert needs(cells) == found


def test_what_is_absent_is_what_needs_pytorch():
    """The rooms of utils that import PyTorch, and no other, are left out of the page."""
    heavy = {
        room_of(name_of(path))
        for path in FILES
        if path.parts[-1] != "calls.py" and "import torch" in path.read_text("utf-8")
    }
    assert {room for room in heavy if room.startswith("utils.")} == {
        name for name, needs in ABSENT.items() if name.startswith("utils.") and needs == "PyTorch"
    }


def stand_in(monkeypatch, name):
    """A module of the page's Python, with the files of the site at hand."""
    files = DATA()
    monkeypatch.syspath_prepend(PYTHON)
    fetched = importlib.import_module("fetched")
    monkeypatch.setattr(fetched, "fetch", files.__getitem__)
    monkeypatch.delitem(sys.modules, name, raising=False)
    spec = importlib.util.spec_from_file_location(name, PYTHON / f"{name.replace('.', '/')}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", datasets.Photo.__args__)
def test_photographs_are_those_of_scikit_image(monkeypatch, name):
    side = min(256, *datasets.photo(name).shape[1:])
    settings = [{}, {"size": 64}, {"size": 97, "gray": True}, {"size": side, "gray": True}]
    ours = [datasets.photo(name, **each) for each in settings]
    monkeypatch.setitem(sys.modules, "skimage", stand_in(monkeypatch, "skimage"))
    for one, other in zip(ours, (datasets.photo(name, **each) for each in settings), strict=True):
        assert one.shape == other.shape and one.dtype == other.dtype
        assert np.abs(one - other).max() < 1e-5


def test_digits_are_those_of_scikit_learn(monkeypatch):
    images, labels = datasets.digits()
    package = ModuleType("sklearn")
    monkeypatch.setitem(sys.modules, "sklearn", package)
    monkeypatch.setitem(sys.modules, "sklearn.datasets", stand_in(monkeypatch, "sklearn.datasets"))
    ours, theirs = datasets.digits(), (images, labels)
    assert all(np.array_equal(one, other) and one.dtype == other.dtype for one, other in zip(ours, theirs, strict=True))


def test_archives_for_the_page_have_all_that_they_had_but_what_it_cannot_use():
    if wheels.missing():
        pytest.skip("NO WHEELS, so none was compiled: run tools/wheels.py")
    compiled = kit._compiled()
    for path in (wheels.PYODIDE / kit.STDLIB, *(wheels.FOLDER / name for name in wheels.locked())):
        with zipfile.ZipFile(path) as given, zipfile.ZipFile(compiled / path.name) as made:
            before, after = set(given.namelist()), set(made.namelist())
            assert all(made.read(name) == given.read(name) for name in after & before)
            assert {name.removesuffix("c") for name in after - before} <= before - after
            lost = {name for name in before - after if f"{name}c" not in after}
            code = {name for name in lost if name.endswith((".py", ".so"))}
            assert {re.match("[^/.]*(/f2py)?", name)[0] for name in code} <= {
                "numpy/f2py", "_pyrepl", "multiprocessing", "xmlrpc", "imaplib", "smtplib", "ftplib", "poplib"
            }  # fmt: skip
            if path.name == kit.STDLIB or path.name.startswith(("numpy", "matplotlib")):
                assert len(after - before) > 50


@pytest.fixture
def lock(monkeypatch, tmp_path):
    """A lock file that names two small files, and an empty folder for them."""
    files = {"numpy-1.whl": b"numpy", "matplotlib-1.whl": b"matplotlib"}
    packages = {
        name.partition("-")[0]: {"file_name": name, "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in files.items()
    }
    pyodide = tmp_path / "pyodide"
    pyodide.mkdir()
    (pyodide / "pyodide-lock.json").write_text(json.dumps({"packages": packages}))
    replaced = {"PYODIDE": pyodide, "FOLDER": tmp_path / "wheels", "NAMES": ("numpy", "matplotlib"), "DATA": {}}
    for name, value in replaced.items():
        monkeypatch.setattr(wheels, name, value)
    monkeypatch.delenv("CI", raising=False)
    return files


def broken(files):
    raise OSError("no network")
    yield


def test_a_wheel_is_taken_from_the_first_source_that_has_the_very_file(lock, monkeypatch):
    asked = []

    def source(name, has):
        def give(files):
            asked.append((name, sorted(files)))
            yield from ((file, has[file]) for file in files if file in has)

        return give

    forged = {"numpy-1.whl": b"something else"}
    monkeypatch.setattr(
        wheels, "SOURCES", (source("forged", forged), source("half", {"numpy-1.whl": b"numpy"}), source("all", lock))
    )
    assert wheels.main() == 0 and wheels.missing() == {}
    assert asked == [("forged", sorted(lock)), ("half", sorted(lock)), ("all", ["matplotlib-1.whl"])]
    assert {path.name: path.read_bytes() for path in wheels.FOLDER.iterdir()} == lock
    monkeypatch.setattr(wheels, "SOURCES", ())
    assert wheels.main() == 0
    (wheels.FOLDER / "numpy-1.whl").write_bytes(b"changed since")
    assert list(wheels.missing()) == ["numpy-1.whl"]


def test_without_wheels_one_line_says_so_and_ci_fails(lock, monkeypatch, capsys):
    monkeypatch.setattr(wheels, "SOURCES", (broken,))
    assert wheels.main() == 0
    said = capsys.readouterr().err
    assert "without Run buttons" in said and "no network" in said and said.count("\n") == 1
    monkeypatch.setenv("CI", "true")
    assert wheels.main() == 1
