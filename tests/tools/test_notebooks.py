"""Every rule of tools/notebooks.py has a notebook that breaks it, and only it, and is caught."""

import base64
import importlib.util
import io
import json
import subprocess
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location("notebooks", ROOT / "tools" / "notebooks.py")
notebooks = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(notebooks)

DRAW = "_ = plotting.maps([photo], ['cat'])"
FIGURE = {"image": {"alt": "A cat."}, "figure": {"caption": "The cat looks at you."}}
IGNORED = {"tags": ["nbval-ignore-output"]}


def png(side=4):
    picture = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    Image.fromarray(noise).save(picture, "PNG")
    return base64.b64encode(picture.getvalue()).decode()


def printed(text, name="stdout"):
    return new_output("stream", name=name, text=f"{text}\n")


def shown(value, kind="text/plain"):
    return new_output("execute_result", {kind: value}, execution_count=1)


def drawn(kind="image/png", value=None):
    return new_output("display_data", {kind: value or png(), "text/plain": "<Figure size 640x480 with 1 Axes>"})


def failed(traceback):
    return new_output("error", ename="ValueError", evalue="no", traceback=[traceback])


def book(*cells):
    """A notebook of these code cells, (source, outputs, metadata), numbered as if they had run."""
    notebook = new_notebook(cells=[new_markdown_cell("# A chapter", id="title")])
    for number, (source, outputs, metadata) in enumerate(cells, 1):
        cell = new_code_cell(source, id=f"cell-{number}", execution_count=number, metadata=metadata)
        cell.outputs = nbformat.from_dict(outputs)
        notebook.cells.append(cell)
    return notebooks.normalised(notebook)


def problems(folder, notebook):
    path = folder / "chapter.ipynb"
    path.write_text(notebook if isinstance(notebook, str) else notebooks.written(notebook), "utf-8", newline="\n")
    return list(notebooks.check(path))


CLEAN = [
    ("import numpy as np", [], {}),
    ("print(1 + 1)", [printed(2)], {}),
    ("x = 2\nx + 1", [shown("3")], {}),
    ("def f(x):\n    print(x)", [], {}),
    ("if x > 2:\n    print('never')", [], {}),
    ("f(2)", [printed(2)], {}),
    ("found = []\nfound.append(x)", [], {}),
    (DRAW, [drawn()], {"mystnb": FIGURE}),
    ("import time\nprint(time.time())\nassert time.time() > 1", [printed("it took 5 ms")], IGNORED),
    ("raise ValueError('no')", [failed("ValueError: no")], {"tags": ["raises-exception"]}),
    ("print('12 kernels of 3 × 3, 1.5 steps')", [printed("12 kernels of 3 × 3, 1.5 steps")], {}),
    ("widget", [shown("<img src='data:image/svg+xml,5 ms'>".replace(" ", "%20"), "text/html")], {}),
]


@pytest.mark.parametrize("cell", CLEAN, ids=lambda cell: cell[0].splitlines()[-1])
def test_a_good_cell_passes(tmp_path, cell):
    assert problems(tmp_path, book(cell)) == []


ESCAPES = "escapes the tests: only the tag nbval-ignore-output may do that"
UNBOUND = "is tagged nbval-ignore-output, but asserts no bound"
UNPRINTED = "prints, but has no such output: run it again"
UNSHOWN = "ends in a value, but does not show it: run it again"
HEAVY = png(200)
SEVEN = new_output("execute_result", {"text/plain": "2"}, execution_count=7)
CELLS = {
    "count": (("1 + 1", [SEVEN], {}), "has execution count 7: run all cells, in order"),
    "magic": (("%matplotlib inline", [], {}), "is not plain Python, line 1: invalid syntax"),
    "empty": (("# nothing", [], {}), "has no code: delete it"),
    "by hand": (
        ("ax.plot(x)\nfor ax in axes: ax.bar(x); ax.set(title='t')\n_ = plt.title('t')", [], {}),
        "draws by hand with 4 calls, more than 3: make it a function of utils.plotting",
    ),
    "semicolon": (("x = 1;", [], {}), "ends in a semicolon, which tests do not honour: write `_ = …`"),
    "nbval-skip": (("x = 1", [], {"tags": ["nbval-skip"]}), ESCAPES),
    "skip-execution": (("x = 1", [], {"tags": ["skip-execution"]}), ESCAPES),
    "comment": (("# NBVAL_IGNORE_OUTPUT\nprint(x)", [printed(1)], {}), ESCAPES),
    "no bound": (("print(x)  # assert x > 0", [printed(1)], IGNORED), UNBOUND),
    "empty bound": (("print(x)\nassert True", [printed(1)], IGNORED), UNBOUND),
    "no print": (("print(1)\n1", [shown("1")], {}), UNPRINTED),
    "no print in a loop": (("for i in range(3):\n    print(i)", [], {}), UNPRINTED),
    "no print of an error": (("try:\n    f()\nexcept ValueError as error:\n    print(error)", [], {}), UNPRINTED),
    "no display": (("display(x)", [], {}), UNPRINTED),
    "no value": (("print(1)\nx", [printed(1)], {}), UNSHOWN),
    "no value of a call": (("f(x)", [], {}), UNSHOWN),
    "no figure": ((DRAW, [], {}), "draws, but shows no figure: run it again"),
    "axes": (
        ("plotting.maps(x)", [shown("<Axes: >"), drawn()], {"mystnb": FIGURE}),
        "shows an object of matplotlib: write `_ = …`",
    ),
    "error": (("f()", [failed("ValueError: no")], {}), "ended in an error: ValueError"),
    "stderr": (("f()", [printed("careful", "stderr")], {}), "wrote to stderr: careful"),
    "empty stderr": (("f()", [printed("", "stderr")], {}), "wrote to stderr: "),
    "svg": (("f()", [drawn("image/svg+xml", "<svg/>")], {}), "shows image/svg+xml; figures are PNG"),
    "heavy": (
        (DRAW, [drawn(value=HEAVY)], {"mystnb": FIGURE}),
        f"shows a figure of {len(HEAVY) * 3 // 4:,} bytes, more than 100,000",
    ),
    "no alt": (
        (DRAW, [drawn()], {"mystnb": {**FIGURE, "image": {"alt": " "}}}),
        "shows a figure without alt: set mystnb.image.alt in the cell's metadata",
    ),
    "no caption": (
        (DRAW, [drawn()], {"mystnb": {"image": {"alt": "A cat."}}}),
        "shows a figure without caption: set mystnb.figure.caption in the cell's metadata",
    ),
}


@pytest.mark.parametrize(("cell", "message"), CELLS.values(), ids=CELLS)
def test_a_bad_cell_is_caught(tmp_path, cell, message):
    assert problems(tmp_path, book(cell)) == [f"code cell 1 {message}"]


VARYING = {
    "<object object at 0x7f3c>": ("a memory address", "at 0x7f3c"),
    "<object object at 0x00000F3C>": ("a memory address", "at 0x00000F3C"),
    "saved /home/ada/cat.png": ("a path of this machine", "/home/ada/cat.png"),
    "C:\\Users\\ada\\cat.png": ("a path of this machine", "C:\\Users\\ada\\cat.png"),
    "took 12 ms": ("a time", "2 ms"),
    "took 1.25 s": ("a time", "1.25 s"),
    "took 3 seconds": ("a time", "3 seconds"),
    "Wall time: some": ("a time", "Wall time"),
    "100%|####| 12.50it/s": ("a time", "it/s"),
    "at 23:59:59": ("a time", "23:59:59"),
    "on 2026-01-31": ("a time", "2026-01-31"),
}


@pytest.mark.parametrize("text", VARYING)
@pytest.mark.parametrize("where", [printed, shown, lambda text: shown(text, "text/html"), failed])
def test_an_output_that_depends_on_the_day_or_the_machine_is_caught(tmp_path, text, where):
    what, found = VARYING[text]
    allowed = {"tags": ["raises-exception"]} if where is failed else {}
    expected = f"code cell 1 prints {what}, which differs from run to run: {found.strip()}"
    (problem,) = problems(tmp_path, book(("f()", [where(text)], allowed)))
    assert problem.startswith(expected[: -len(found)]) and found in problem


def with_metadata(notebook):
    notebook.metadata["colab"] = {"provenance": []}


def with_cell_metadata(notebook):
    notebook.cells[1].metadata["execution"] = {"iopub.execute_input": "…"}


def with_output_metadata(notebook):
    notebook.cells[1].outputs[0].metadata["needs_background"] = "light"


def with_widget_view(notebook):
    notebook.cells[1].outputs[0].data["application/vnd.jupyter.widget-view+json"] = {"model_id": "1"}


def with_colab_output(notebook):
    notebook.cells[1].outputs[0].data["application/vnd.google.colaboratory.intrinsic+json"] = {"type": "string"}


@pytest.mark.parametrize(
    "spoil",
    [with_metadata, with_cell_metadata, with_output_metadata, with_widget_view, with_colab_output],
)
def test_what_run_would_take_out_is_caught(tmp_path, spoil):
    notebook = book(("1 + 1", [shown("2")], {}))
    assert problems(tmp_path, notebook) == []
    spoil(notebook)
    assert problems(tmp_path, notebook) == ["is not as `run` leaves it: run it again"]


@pytest.mark.parametrize(
    "respell",
    [lambda text: text + "\n", lambda text: text.replace("\n", "\r\n"), lambda text: json.dumps(json.loads(text))],
    ids=["blank line", "carriage returns", "one line"],
)
def test_another_spelling_of_the_file_is_caught(tmp_path, respell):
    text = respell(notebooks.written(book(("x = 1", [], {}))))
    assert problems(tmp_path, text) == ["is not as `run` leaves it: run it again"]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"worksheets": []}', "<<<<<<< ours"])
def test_a_file_that_is_no_notebook_is_caught(tmp_path, text):
    (problem,) = problems(tmp_path, text)
    assert problem.startswith("is not a valid notebook: ")


def test_cells_without_ids_or_with_the_same_are_caught(tmp_path):
    notebook = book(("x = 1", [], {}))
    older = nbformat.from_dict(notebook)
    older.nbformat_minor = 4
    for cell in older.cells:
        del cell["id"]
    assert "has cells with the same id, or without one" in problems(tmp_path, nbformat.v4.writes(older))
    text = notebooks.written(notebook).replace('"cell-1"', '"title"')  # nbformat itself would not write it
    assert problems(tmp_path, text) == ["has cells with the same id, or without one"]


def test_cells_out_of_order_are_caught(tmp_path):
    notebook = book(("x = 1", [], {}), ("y = 1", [], {}), ("z = 1", [], {}))
    notebook.cells[2].execution_count = None
    notebook.cells[3].execution_count = 5
    assert problems(tmp_path, notebook) == [
        "code cell 2 has execution count None: run all cells, in order",
        "code cell 3 has execution count 5: run all cells, in order",
    ]


def test_a_pasted_picture_is_caught(tmp_path):
    notebook = book(("x = 1", [], {}))
    notebook.cells[0].attachments = {"cat.png": {"image/png": png()}}
    assert problems(tmp_path, notebook) == ["has a pasted picture: draw it in a cell"]


def test_a_heavy_notebook_is_caught(tmp_path):
    notebook = book(("x = 1", [], {}))
    notebook.cells[0].source = "x" * 1_000_000
    (problem,) = problems(tmp_path, notebook)
    assert problem.startswith("has 1,000,") and problem.endswith(" bytes, more than 1,000,000")


def test_too_many_loose_cells_are_caught(tmp_path):
    loose = ("print(x)\nassert x > 0", [printed(1)], IGNORED)
    assert problems(tmp_path, book(*[loose] * 4)) == []
    message = "has 5 cells tagged nbval-ignore-output, more than 4"
    assert problems(tmp_path, book(*[loose] * 5)) == [message]


def test_a_long_cell_is_caught(tmp_path):
    short = ("x = 1", [], {})
    fifteen, sixteen = (("\n".join(f"a{i} = {i}  # why" for i in range(n)) + "\n\n# words", [], {}) for n in (15, 16))
    assert problems(tmp_path, book(short, fifteen, short)) == []
    assert problems(tmp_path, book(short, sixteen, short)) == ["code cell 2 has 16 lines of code, more than 15"]


def test_a_high_median_is_caught(tmp_path):
    nine = ("\n".join(f"a{i} = {i}  # why" for i in range(9)) + "\n\n# words\n", [], {})
    assert problems(tmp_path, book(nine, nine, ("x = 1", [], {}))) == [
        "has a median of 9 lines of code a cell, more than 8"
    ]


FRESH = """
import sys
from IPython.display import display
print("on paper", flush=True); print("in two parts")
---
import ipywidgets
display(ipywidgets.IntSlider())
---
import matplotlib.pyplot as plt
_ = plt.imshow([[0, 1], [2, 3]])
---
{"a": 1}
"""


@pytest.fixture
def fresh(tmp_path):
    """A notebook that was never run, with an editor's leftovers."""
    notebook = new_notebook(metadata={"kernelspec": {"display_name": "mine", "name": "no-such-kernel"}})
    notebook.cells = [new_code_cell(source.strip(), id=f"id-{i}") for i, source in enumerate(FRESH.split("---"))]
    notebook.cells[0].metadata = {"colab": {}, "tags": ["first"], "execution": {}}
    path = tmp_path / "fresh.ipynb"
    nbformat.write(notebook, path)
    return path


def test_run_executes_normalises_and_is_idempotent(fresh):
    notebooks.run(fresh)
    once = fresh.read_bytes()
    notebook = nbformat.reads(once, as_version=4)
    assert [cell.id for cell in notebook.cells] == ["id-0", "id-1", "id-2", "id-3"]
    assert [cell.execution_count for cell in notebook.cells] == [1, 2, 3, 4]
    assert notebook.metadata == notebooks.METADATA
    assert notebook.cells[0].metadata == {"tags": ["first"]}
    assert [output.text for output in notebook.cells[0].outputs] == ["on paper\nin two parts\n"]
    assert [*notebook.cells[1].outputs[0].data] == ["text/plain"]
    picture = Image.open(io.BytesIO(base64.b64decode(notebook.cells[2].outputs[0].data["image/png"])))
    assert picture.mode == "P"
    assert notebook.cells[3].outputs[0].data == {"text/plain": "{'a': 1}"}

    notebooks.run(fresh)
    assert fresh.read_bytes() == once


def test_run_works_in_the_notebooks_folder(tmp_path):
    (tmp_path / "data.txt").write_text("here")
    path = tmp_path / "reads.ipynb"
    nbformat.write(book(("print(open('data.txt').read())", [], {})), path)
    notebooks.run(path)
    assert "here" in nbformat.read(path, as_version=4).cells[1].outputs[0].text


def test_run_writes_nothing_if_a_cell_fails(tmp_path, capsys):
    path = tmp_path / "fails.ipynb"
    path.write_text(notebooks.written(book(("x = 1", [], {}), ("1 / 0", [], {}))), "utf-8")
    before = path.read_bytes()
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        notebooks.run(path)
    assert notebooks.main(["run", str(path)]) == 1
    assert "fails.ipynb: " in capsys.readouterr().err
    assert path.read_bytes() == before


def test_slim_keeps_the_picture():
    shades = np.arange(256, dtype=np.uint8).reshape(16, 16)
    picture = io.BytesIO()
    Image.fromarray(shades).convert("RGBA").save(picture, "PNG")
    slim = notebooks.slim(base64.b64encode(picture.getvalue()).decode())
    packed = Image.open(io.BytesIO(base64.b64decode(slim)))
    assert packed.mode == "P"
    assert np.abs(np.asarray(packed.convert("L"), int) - shades).max() <= 3
    assert notebooks.slim(slim) == slim


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository with two committed chapters."""
    (tmp_path / "chapters").mkdir()
    for name in ("01_one", "02_two"):
        path = tmp_path / "chapters" / f"{name}.ipynb"
        path.write_text(notebooks.written(book(("x = 1", [], {}))), "utf-8", newline="\n")
    monkeypatch.setattr(notebooks, "ROOT", tmp_path)
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "Add two chapters"]):
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b.example", *command], cwd=tmp_path, check=True)
    return tmp_path


def test_changed_sees_modified_untracked_and_faulty_notebooks(repository):
    assert notebooks.changed() == []
    one, two = notebooks.notebooks()
    one.write_text(one.read_text("utf-8").replace("x = 1", "x = 2"), "utf-8")
    assert notebooks.changed() == [one]
    new = repository / "chapters" / "03 three.ipynb"
    new.write_text(two.read_text("utf-8"), "utf-8")
    assert notebooks.changed() == [one, new]
    two.write_text(two.read_text("utf-8").replace('"execution_count": 1', '"execution_count": 2'), "utf-8")
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b.example", "commit", "-qam", "Break one"],
        cwd=repository, check=True,
    )  # fmt: skip
    assert notebooks.changed() == [two, new]


def test_main_runs_what_changed_and_checks_all(repository, capsys):
    assert notebooks.main(["check"]) == 0
    assert notebooks.main(["run"]) == 0
    assert capsys.readouterr().out == "every notebook keeps the rules\n" * 2
    one, two = notebooks.notebooks()
    two.write_text(two.read_text("utf-8").replace('"execution_count": 1', '"execution_count": 2'), "utf-8")
    assert notebooks.main(["check"]) == 1
    assert "02_two.ipynb: code cell 1 has execution count 2" in capsys.readouterr().out
    assert notebooks.main(["check", str(one)]) == 0
    assert notebooks.main(["run"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["running 02_two.ipynb", "every notebook keeps the rules"]
    assert notebooks.main(["run", "--all"]) == 0
    assert "running 01_one.ipynb" in capsys.readouterr().out


def test_the_command_line_refuses_what_it_does_not_know():
    with pytest.raises(SystemExit) as ended:
        notebooks.main(["burn"])
    assert ended.value.code == 2
