"""Run the book's notebooks and hold them to its rules.

    python tools/notebooks.py run              execute the changed notebooks in place, then normalise them
    python tools/notebooks.py run --all        … every notebook
    python tools/notebooks.py run FILE …       … these
    python tools/notebooks.py check [FILE …]   fail if a notebook is not as `run` leaves it, or breaks a rule

Notebooks are committed executed: readers of the source see the results, and tests compare against them. The
rules keep that honest (everything ran, in order, and nothing in an output depends on the day or the machine)
and readable (short cells, one call a figure).
"""

from __future__ import annotations

import argparse
import ast
import base64
import io
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
CELL_METADATA = {"tags", "mystnb"}
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
FIGURE_BYTES, NOTEBOOK_BYTES = 100_000, 1_000_000
CELL_LINES, MEDIAN_LINES, DRAWING_LINES, LOOSE_CELLS = 15, 8, 3, 2
CLOCK = re.compile(r"\d\s?(ns|µs|μs|us|ms)\b|\b(CPU times|Wall time|per loop)\b|\b\d\d:\d\d:\d\d\b|\bit/s\b")


def notebooks() -> list[Path]:
    """Every notebook of the book."""
    folders = [ROOT / "chapters", ROOT / "exercises"]
    return sorted([*ROOT.glob("*.ipynb"), *(path for folder in folders for path in folder.glob("*.ipynb"))])


def changed() -> list[Path]:
    """The notebooks that differ from the last commit, or that `check` faults."""
    status = subprocess.run(
        ["git", "status", "--porcelain", "-z", "--untracked-files=all", "*.ipynb"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    touched = {ROOT / line[3:] for line in status.stdout.split("\0") if line}
    return [path for path in notebooks() if path in touched or any(check(path))]


def run(path: Path) -> None:
    """Execute a notebook in its own folder, normalise it and write it back; an error is raised, nothing written."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(path.parent)}}).execute()
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                output.data["image/png"] = slim(output.data["image/png"])
    path.write_text(written(normalised(notebook)), encoding="utf-8")


def slim(png: str) -> str:
    """The same picture with a palette of 256 colours: a third of the bytes, and grays lose nothing."""
    image = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    packed = io.BytesIO()
    image.quantize(256, dither=Image.Dither.NONE).save(packed, "PNG", optimize=True)
    return base64.b64encode(packed.getvalue()).decode()


def normalised(notebook: NotebookNode) -> NotebookNode:
    """A copy without what differs from run to run: timings, widget state, the machine's Python version."""
    notebook = nbformat.from_dict(notebook)
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for cell in notebook.cells:
        cell.metadata = {key: cell.metadata[key] for key in sorted(CELL_METADATA & cell.metadata.keys())}
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET_VIEW, None)
    return notebook


def written(notebook: NotebookNode) -> str:
    """The text of a notebook's file."""
    return f"{nbformat.writes(notebook)}\n"


def check(path: Path) -> Iterator[str]:
    """What is wrong with a notebook, one sentence each."""
    text = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)
    if text.rstrip("\n") != nbformat.writes(normalised(notebook)):
        yield "is not as `run` leaves it: run it again"
    if len(text.encode()) > NOTEBOOK_BYTES:
        yield f"has {len(text.encode()):,} bytes, more than {NOTEBOOK_BYTES:,}"
    if len({cell.get("id") for cell in notebook.cells}) < len(notebook.cells):
        yield "has cells with the same id"
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, 1):
        if cell.execution_count != number:
            yield f"code cell {number} has execution count {cell.execution_count}: run all cells, in order"
        for problem in (*_source_problems(cell), *_output_problems(cell)):
            yield f"code cell {number} {problem}"
    loose = sum("nbval-ignore-output" in _tags(cell) for cell in code)
    if loose > LOOSE_CELLS:
        yield f"has {loose} cells tagged nbval-ignore-output, more than {LOOSE_CELLS}"
    median = statistics.median([_lines(cell) for cell in code] or [0])
    if median > MEDIAN_LINES:
        yield f"has a median of {median:g} lines of code a cell, more than {MEDIAN_LINES}"


def _tags(cell: NotebookNode) -> list[str]:
    return list(cell.metadata.get("tags", []))


def _lines(cell: NotebookNode) -> int:
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in cell.source.splitlines())


def _source_problems(cell: NotebookNode) -> Iterator[str]:
    if _lines(cell) > CELL_LINES:
        yield f"has {_lines(cell)} lines of code, more than {CELL_LINES}"
    drawing = len(re.findall(r"^\s*(?:_ = )?(?:plt|axs?|axes|fig)\b[.\[]", cell.source, re.MULTILINE))
    if drawing > DRAWING_LINES:
        yield f"draws by hand on {drawing} lines, more than {DRAWING_LINES}: make it a function of utils.plotting"
    if "nbval-ignore-output" in _tags(cell) and not re.search(r"^\s*assert ", cell.source, re.MULTILINE):
        yield "is tagged nbval-ignore-output, but asserts no bound"


def _output_problems(cell: NotebookNode) -> Iterator[str]:
    texts, images = [], []
    for output in cell.outputs:
        if output.output_type == "error" and "raises-exception" not in _tags(cell):
            yield f"ended in an error: {output.ename}"
        if output.output_type == "stream":
            texts.append(output.text)
            if output.name == "stderr":
                yield f"wrote to stderr: {output.text.strip().splitlines()[-1]}"
        for kind, value in output.get("data", {}).items():
            if kind == "image/png":
                images.append(value)
            elif kind.startswith("image/"):
                yield f"shows {kind}; figures are PNG"
            elif isinstance(value, str):
                texts.append(value)
    for image in images:
        if len(image) * 3 // 4 > FIGURE_BYTES:
            yield f"shows a figure of {len(image) * 3 // 4:,} bytes, more than {FIGURE_BYTES:,}"
    if images and not cell.metadata.get("mystnb", {}).get("image", {}).get("alt"):
        yield "shows a figure without alt text: set mystnb.image.alt in the cell's metadata"
    if re.search(r"\bplotting\.\w+\(", cell.source) and not images:
        yield "draws, but shows no figure: run it again"
    for text in texts:
        if address := re.search(r" at 0x[0-9a-f]+", text):
            yield f"prints a memory address:{address.group()}"
        if (clock := CLOCK.search(text)) and "nbval-ignore-output" not in _tags(cell):
            yield f"prints a time ({clock.group().strip()}), which differs from run to run"
    if not cell.outputs and _prints(cell.source):
        yield "should print something, but has no output, so that tests would compare nothing: run it again"


def _prints(source: str) -> bool:
    """Whether the code prints at its top level or ends in an expression with a value to show."""
    body = ast.parse(re.sub(r"^\s*[%!].*$", "", source, flags=re.MULTILINE)).body
    calls = [
        ast.unparse(node.value.func)
        for statement in body
        if not isinstance(statement, ast.FunctionDef | ast.ClassDef)
        for node in ast.walk(statement)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    ]
    if "print" in calls or "display" in calls:
        return True
    if not body or not isinstance(body[-1], ast.Expr):
        return False
    # Statements that are calls for their effect: assertions, and methods that PyTorch runs in place.
    return not (calls and re.search(r"(^|\.)(assert_\w+|backward|step|zero_grad)$", calls[-1]))


def main(arguments: list[str] | None = None) -> int:
    """Run or check from the command line; the exit status is 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["run", "check"])
    parser.add_argument("files", nargs="*", type=lambda name: Path(name).resolve())
    parser.add_argument("--all", action="store_true", help="run every notebook, changed or not")
    options = parser.parse_args(arguments)
    if options.command == "run":
        for path in options.files or (notebooks() if options.all else changed()):
            print(f"running {path.name}", flush=True)
            try:
                run(path)
            except CellExecutionError as error:
                print(f"{path.name}: {error}", file=sys.stderr)
                return 1
    problems = [f"{path.name}: {problem}" for path in options.files or notebooks() for problem in check(path)]
    print("\n".join(problems) or "every notebook keeps the rules")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
