"""Run the book's notebooks and hold them to its rules.

    python tools/notebooks.py run              execute the changed notebooks in place, then normalise them
    python tools/notebooks.py run --all        … every notebook
    python tools/notebooks.py run FILE …       … these
    python tools/notebooks.py check [FILE …]   fail if a notebook is not as `run` leaves it, or breaks a rule

Notebooks are committed executed: readers of the source see the results, and tests compare against them. The
rules keep that honest (everything ran, in order, and nothing in an output depends on the day or the machine)
and readable (short cells, one call a figure, text and links that every notebook front end shows).
"""

from __future__ import annotations

import argparse
import ast
import base64
import io
import os
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbformat.validator import iter_validate
from PIL import Image

sys.path.append(str(Path(__file__).resolve().parent.parent))

from tools import links

ROOT = links.ROOT

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
CELL_METADATA = {"tags", "mystnb", "nbgrader"}
FIGURE_BYTES, LARGE_BYTES, NOTEBOOK_BYTES = 100_000, 40_000, 1_000_000
CELL_LINES, MEDIAN_LINES, DRAWING_CALLS, LOOSE_CELLS = 15, 8, 3, 4
VARYING = {
    "a memory address": r" at 0x[0-9A-Fa-f]+",
    "a path of this machine": r"(/home/|/Users/|/root/|/tmp/|\b[A-Z]:\\|site-packages)\S*",
    "a time": r"\d\s?(ns|µs|μs|us|ms)\b|\d\.\d+\s?s\b|\d sec(ond)?s?\b|CPU times|Wall time|per loop|it/s\b"
    r"|\b\d\d:\d\d:\d\d\b|\b\d{4}-\d\d-\d\d\b",
}
# Calls that end a cell for what they do: they return nothing to show.
EFFECT = re.compile(r"(^|\.)(assert_\w+|append|backward|display|extend|print|seed|shuffle|sort|step|update|zero_grad)$")


def notebooks() -> list[Path]:
    """Every notebook of the book."""
    folders = [ROOT / name for name in ("chapters", "exercises", "instructor")]
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
    folder = {"metadata": {"path": str(path.parent)}}
    os.environ["TQDM_DISABLE"] = "1"  # the kernel inherits it: a progress bar is for those who wait
    # Not the kernel that an editor wrote down, and one output for one stream however the kernel cuts it up.
    NotebookClient(notebook, timeout=120, kernel_name="python3", coalesce_streams=True, resources=folder).execute()
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                output.data["image/png"] = slim(output.data["image/png"])
    path.write_text(written(normalised(notebook)), encoding="utf-8", newline="\n")


def slim(png: str) -> str:
    """The same picture with a palette of 128 colours, which the eye does not miss, or of 64 if it is large."""
    image = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    for colours in (128, 64):
        packed = io.BytesIO()
        image.quantize(colours, kmeans=2, dither=Image.Dither.NONE).save(packed, "PNG", optimize=True)
        if packed.tell() <= LARGE_BYTES:
            break
    return base64.b64encode(packed.getvalue()).decode()


def normalised(notebook: NotebookNode) -> NotebookNode:
    """A copy without what differs from run to run, or runs in one front end only: timings, widget state, scripts."""
    notebook = nbformat.from_dict(notebook)
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for cell in notebook.cells:
        cell.metadata = {key: cell.metadata[key] for key in sorted(CELL_METADATA & cell.metadata.keys())}
        for output in cell.get("outputs", []):
            if "data" in output:
                output.data = {kind: output.data[kind] for kind in output.data if kind.startswith(("text/", "image/"))}
                output.metadata = {}
    return notebook


def written(notebook: NotebookNode) -> str:
    """The text of a notebook's file."""
    return f"{nbformat.v4.writes(notebook)}\n"  # nbformat.writes would repair ids at random


def check(path: Path) -> Iterator[str]:
    """What is wrong with a notebook, one sentence each."""
    text = path.read_bytes().decode()
    try:
        notebook = nbformat.v4.reads(text)  # nbformat.reads would repair before we look
        faults = [str(fault).splitlines()[0] for fault in iter_validate(notebook)]
    except (AttributeError, ValueError) as error:
        faults = [str(error)]
    if faults:
        yield f"is not a valid notebook: {faults[0]}"
        return
    if text != written(normalised(notebook)):
        yield "is not as `run` leaves it: run it again"
    if len(text.encode()) > NOTEBOOK_BYTES:
        yield f"has {len(text.encode()):,} bytes, more than {NOTEBOOK_BYTES:,}"
    if len({cell.get("id") for cell in notebook.cells}) < len(notebook.cells):
        yield "has cells with the same id, or without one"
    if any("attachments" in cell for cell in notebook.cells):
        yield "has a pasted picture: draw it in a cell"
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, 1):
        counts = {cell.execution_count, *(each.execution_count for each in cell.outputs if "execution_count" in each)}
        if counts != {number}:
            wrong = next(iter(counts - {number}))
            yield f"code cell {number} has execution count {wrong}: run all cells, in order"
        for problem in (*_source_problems(cell), *_output_problems(cell)):
            yield f"code cell {number} {problem}"
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type == "markdown":
            for problem in links.problems(cell.source, path.parent):
                yield f"cell {number} {problem}"
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
    try:
        tree = ast.parse(cell.source)
    except SyntaxError as error:
        yield f"is not plain Python, line {error.lineno}: {error.msg}"
        return
    if not tree.body:
        yield "has no code: delete it"
    if _lines(cell) > CELL_LINES:
        yield f"has {_lines(cell)} lines of code, more than {CELL_LINES}"
    calls = [ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    drawing = sum(bool(re.match(r"(plt|axs?|axes|fig)[.\[]", call)) for call in calls)
    if drawing > DRAWING_CALLS:
        yield f"draws by hand with {drawing} calls, more than {DRAWING_CALLS}: make it a function of utils.plotting"
    if cell.source.rstrip().endswith(";"):
        yield "ends in a semicolon, which tests do not honour: write `_ = …`"
    skips = [tag for tag in _tags(cell) if tag == "skip-execution" or re.match("nbval-(?!ignore-output$)", tag)]
    if skips or re.search(r"^\s*#+\s*(NBVAL|PYTEST_VALIDATE)_", cell.source, re.MULTILINE):
        yield "escapes the tests: only the tag nbval-ignore-output may do that"
    bounds = [node.test for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    if "nbval-ignore-output" in _tags(cell) and all(isinstance(bound, ast.Constant) for bound in bounds):
        yield "is tagged nbval-ignore-output, but asserts no bound"
    yield from _missing(cell, tree)


def _missing(cell: NotebookNode, tree: ast.Module) -> Iterator[str]:
    """What the code would show and the notebook does not: there the tests would compare nothing."""
    kinds = {output.get("name", output.output_type) for output in cell.outputs}
    images = any("image/png" in output.get("data", {}) for output in cell.outputs)
    if re.search(r"\bplotting\.\w+\(", cell.source) and not images:
        yield "draws, but shows no figure: run it again"
    called = set(_called(tree.body))
    if ("print" in called and "stdout" not in kinds) or ("display" in called and "display_data" not in kinds):
        yield "prints, but has no such output: run it again"
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        value = tree.body[-1].value
        call = ast.unparse(value.func) if isinstance(value, ast.Call) else None
        # A value is always shown; a call may return none, but then it is there for what it prints or does.
        if "execute_result" not in kinds and (call is None or not (kinds or EFFECT.search(call))):
            yield "ends in a value, but does not show it: run it again"


def _called(body: list[ast.stmt]) -> Iterator[str]:
    """The functions called as statements whenever the code runs: not in a definition, not under a condition."""
    for node in body:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            yield ast.unparse(node.value.func)
        elif isinstance(node, ast.For | ast.While | ast.With | ast.Try):
            handlers = [line for handler in getattr(node, "handlers", []) for line in handler.body]
            yield from _called([*node.body, *handlers])


def _output_problems(cell: NotebookNode) -> Iterator[str]:
    texts, images = [], []
    for output in cell.outputs:
        if output.output_type == "error":
            texts.extend(output.traceback)
            if "raises-exception" not in _tags(cell):
                yield f"ended in an error: {output.ename}"
        if output.output_type == "stream":
            texts.append(output.text)
            if output.name == "stderr":
                yield f"wrote to stderr: {output.text.strip()[-80:]}"
        for kind, value in output.get("data", {}).items():
            if kind == "image/png":
                images.append(value)
            elif kind.startswith("image/"):
                yield f"shows {kind}; figures are PNG"
            elif isinstance(value, str):
                texts.append(value)
        if output.output_type == "execute_result" and re.search("<(Axes|Figure)", output.data.get("text/plain", "")):
            yield "shows an object of matplotlib: write `_ = …`"
    for image in images:
        if len(image) * 3 // 4 > FIGURE_BYTES:
            yield f"shows a figure of {len(image) * 3 // 4:,} bytes, more than {FIGURE_BYTES:,}"
    mystnb = cell.metadata.get("mystnb", {})
    for part, words in ("image", "alt"), ("figure", "caption"):
        if images and not mystnb.get(part, {}).get(words, "").strip():
            yield f"shows a figure without {words}: set mystnb.{part}.{words} in the cell's metadata"
    for text in texts:
        for what, pattern in VARYING.items():
            found = re.search(pattern, re.sub(r"data:image/[^\s\"')]+", "", text))
            if found and not (what == "a time" and "nbval-ignore-output" in _tags(cell)):
                yield f"prints {what}, which differs from run to run: {found.group().strip()}"


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
            except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
                print(f"{path.name}: {error}", file=sys.stderr)
                return 1
    problems = [f"{path.name}: {problem}" for path in options.files or notebooks() for problem in check(path)]
    print("\n".join(problems) or "every notebook keeps the rules")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
