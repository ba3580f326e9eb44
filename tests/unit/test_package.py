"""What is installed is ``utils`` and ``experiments``, whole, and nothing else, and it works away from the clone."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from conftest import ROOT

BUILD = "import sys; from setuptools import build_meta; print(build_meta.build_{kind}(sys.argv[1]))"
USE = """
import utils
from experiments import results
from utils import plotting
from utils.checks import sizes
from utils.widgets import KernelStepper
KernelStepper()._repr_mimebundle_()
sizes.shape.check((16, 11, 11))
results("pooling")
print(utils.__file__)
"""


def build(kind, source, folder):
    command = [sys.executable, "-c", BUILD.format(kind=kind), folder]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / done.stdout.split()[-1]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """The wheel of a clone, and that of the source distribution."""
    folder = tmp_path_factory.mktemp("package")
    ignored = shutil.ignore_patterns(
        ".*", "node_modules", "_build", "work", "chapters", "tests", "data", "__pycache__", "*.egg-info"
    )
    clone = shutil.copytree(ROOT, folder / "clone", ignore=ignored)
    with tarfile.open(build("sdist", clone, folder / "sdist")) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    (unpacked,) = (folder / "unpacked").iterdir()
    return {"clone": build("wheel", clone, folder / "one"), "sdist": build("wheel", unpacked, folder / "two")}


@pytest.mark.parametrize("source", ["clone", "sdist"])
def test_two_packages_are_installed_and_all_of_them(wheels, source):
    names = {name for name in zipfile.ZipFile(wheels[source]).namelist() if ".dist-info/" not in name}
    files = [path for package in ("utils", "experiments") for path in (ROOT / package).rglob("*.*")]
    fetched = ROOT / "experiments" / "data"
    tracked = {path.relative_to(ROOT).as_posix() for path in files if path.suffix != ".pyc" and path.parent != fetched}
    assert names == tracked


@pytest.mark.parametrize("source", ["clone", "sdist"])
def test_the_package_works_outside_a_clone(wheels, source, tmp_path):
    zipfile.ZipFile(wheels[source]).extractall(tmp_path / "site")
    clean = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    done = subprocess.run([sys.executable, "-c", USE], cwd=tmp_path, env=clean, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.startswith("✓") and Path(done.stdout.split()[-1]).is_relative_to(tmp_path)


def test_no_grammar_is_compiled_to_read_a_notebook():
    """From 4.25 on, jsonschema brings one for addresses in all alphabets: two seconds at the start of each command."""
    loaded = [sys.executable, "-c", "import nbformat, sys; print('nbformat' in sys.modules, 'lark' in sys.modules)"]
    assert subprocess.run(loaded, capture_output=True, text=True, check=True).stdout == "True False\n"
