"""The parts of the theme, one by one; the built pages are tested beside this."""

import os
import re
import subprocess
import sys
import venv
from pathlib import Path
from urllib.parse import quote

import matplotlib
import nbformat
import pytest
from docutils import nodes
from docutils.utils import new_document
from playwright.sync_api import expect
from sphinx.errors import ConfigError, ExtensionError

from conftest import ROOT
from theme import access, figures, links, math, metadata, pages, repository
from tools.copies import setup_cell
from utils.widgets import SHARED

FIGURE = """const own = 1;
export default { render({ model, el }) { el.textContent = shared(own + late); } };
const late = 2;
"""


@pytest.fixture
def widgets(tmp_path):
    for name in SHARED:
        (tmp_path / f"{name}.js").touch()
    (tmp_path / "arithmetic.js").write_text("function double(value) { return 2 * value; }\n")
    (tmp_path / "common.js").write_text("function shared(value) { return double(value); }\n")
    (tmp_path / "first.js").write_text(FIGURE)
    (tmp_path / "second.js").write_text(FIGURE)
    return tmp_path


def test_bundle_is_one_classic_script(browser, widgets):
    page = browser.new_page()
    page.set_content('<div class="cnn-widget" data-widget="second" data-state="{}"><img alt=""></div>')
    page.add_script_tag(content=figures.bundle(widgets, ["first", "second"]))
    expect(page.locator(".cnn-widget[data-ready]")).to_have_text("6")
    page.close()


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ("import d3 from 'd3';\n" + FIGURE, "imports something"),
        (FIGURE + "const d3 = await import('d3');\n", "imports something"),
        (FIGURE + "export const more = 1;\n", "exactly one export"),
        ("const render = 1;\n", "exactly one export"),
    ],
)
def test_bundle_refuses_what_is_no_figure(widgets, source, rule):
    (widgets / "second.js").write_text(source)
    with pytest.raises(ExtensionError, match=rf"second\.js .*{rule}"):
        figures.bundle(widgets, ["first", "second"])


def test_broken_figure_keeps_its_picture(browser, widgets):
    (widgets / "first.js").write_text("export default { render() { throw new Error('broken'); } };\n")
    page = browser.new_page()
    place = '<div class="cnn-widget" data-widget="{}" data-state="{{}}"><img alt="picture"></div>'
    page.set_content(place.format("first") + place.format("second"))
    page.add_script_tag(content=figures.bundle(widgets, ["first", "second"]))
    expect(page.locator("[data-widget=first] img")).to_have_count(1)
    expect(page.locator("[data-widget=first][data-ready]")).to_have_count(0)
    expect(page.locator("[data-widget=second][data-ready]")).to_have_count(1)
    page.close()


def test_formulas_are_html_and_mathml():
    math.render([("x^2", False), ("x^2", True)])
    inline, display = (math._rendered["x^2", display]["html"] for display in (False, True))
    assert "<math" in inline and "katex-display" not in inline
    assert "katex-display" in display


def test_a_comma_stays_on_the_line_of_a_short_formula():
    long = "x" * (math.SHORT + 1)
    parts = [nodes.Text("stride "), nodes.math("", "S"), nodes.Text(", size "), nodes.math("", long), nodes.Text(".")]
    paragraph = nodes.paragraph("", "", *parts)
    math._keep_stops(None, paragraph, "page")
    assert [part.astext() for part in paragraph] == ["stride ", "S,", " size ", long, "."]
    assert paragraph[1]["classes"] == ["unbroken"]


GOOD = """# Title

A [step](glossary.md#term-stride) by [He et al. (2016)](references.md#he2016deep), see [below](#more).

## More

$$
x
$$ (sum)

See {eq}`sum`.
"""
# What is wrong on a page, and what the build says of it: each a paragraph of its own.
WRONG = {
    "$\\frac{1}{$": "KaTeX",
    "[step](glossary.md#term-nowhere)": "term-nowhere",
    "[step](references.md#nobody2016)": "nobody2016",
    "[step](nowhere.md)": "nowhere",
}
PAGES = {
    "index.md": GOOD,
    "wrong.md": "\n\n".join(["# Title", "Good: $x$.", *WRONG]) + "\n",
    **{name: (ROOT / name).read_text(encoding="utf-8") for name in ("glossary.md", "references.md", "references.bib")},
    "_toc.yml": "format: jb-book\nroot: index\nchapters:\n- file: wrong\n- file: glossary\n- file: references\n",
    "_config.yml": (ROOT / "_config.yml").read_text(encoding="utf-8").replace("theme: .", f"theme: {ROOT}"),
}


@pytest.fixture(scope="module")
def small_book(tmp_path_factory):
    """A book of a good page and of one on which all is wrong, with the real configuration: its pages, and the warnings.

    A build goes on after each warning, and fails.
    """
    folder = tmp_path_factory.mktemp("small")
    for name, content in PAGES.items():
        (folder / name).write_text(content, encoding="utf-8")
    (folder / "theme").symlink_to(ROOT / "theme")
    program = Path(sys.executable).with_name("jupyter-book")
    command = [program, "build", folder, "--warningiserror", "--keep-going", "--quiet"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode != 0
    return folder / "_build" / "html", [line for line in done.stderr.splitlines() if "WARNING" in line]


def test_numbered_formula_and_its_reference(small_book):
    page = (small_book[0] / "index.html").read_text(encoding="utf-8")
    assert '<span class="eqno">(1)' in page
    assert 'href="#equation-sum">(1)</a>' in page


def test_plain_links_become_definitions_and_citations(small_book):
    page = (small_book[0] / "index.html").read_text(encoding="utf-8")
    assert re.search('href="glossary.html#term-stride" data-definition="步长. [^"]+"><span>step</span></a>', page)
    assert re.search(
        'href="references.html#he2016deep" title="Kaiming He[^"]+"><span>He et al. .2016.</span></a>', page
    )
    assert 'id="he2016deep"' in (small_book[0] / "references.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_on_a_page_fails_the_build(small_book, wrong):
    line = 5 + 2 * list(WRONG).index(wrong)
    (said,) = (warning for warning in small_book[1] if f"wrong.md:{line}:" in warning)
    assert WRONG[wrong] in said


def test_nothing_else_is_wrong_on_it_and_nothing_on_the_good_page(small_book):
    assert len(small_book[1]) == len(WRONG)


def prose(words, lines=0, questions=0, figures=0):
    document = new_document("page")
    document += nodes.paragraph("", "word " * words)
    if lines:
        printed = nodes.literal_block("", "number\n" * 500)
        document += nodes.container("", nodes.literal_block("", "code\n" * lines), printed, nb_element="cell_code")
    document += [nodes.block_quote() for _ in range(questions)]
    document += [nodes.raw("", '<div class="cnn-widget"></div>', format="html") for _ in range(figures)]
    return document


def test_reading_takes_time_for_words_code_questions_and_figures():
    assert pages.reading_minutes(prose(2000)) == 10
    assert pages.reading_minutes(prose(2000, lines=120)) == 20
    assert pages.reading_minutes(prose(2000, questions=5)) == 15
    assert pages.reading_minutes(prose(2000, figures=5)) == 20


def test_palette_has_every_role_in_both_modes():
    light, dark = pages.palette_css().splitlines()
    assert light.startswith("html {") and dark.startswith('html[data-theme="dark"] {')
    for role in ("input", "kernel", "output", "gradient", "padding"):
        assert f"--cnn-{role}: #" in light and f"--cnn-{role}: #" in dark


def test_definitions_are_plain_text_by_term():
    item = nodes.definition_list_item(
        "",
        nodes.term("", "stride", ids=["term-stride"]),
        nodes.term("", "step", ids=["term-step"]),
        nodes.definition("", nodes.paragraph("", "How many  pixels\nit moves.")),
    )
    document = new_document("glossary")
    document += nodes.definition_list("", item)
    assert links.definitions(document) == dict.fromkeys(["term-stride", "term-step"], "How many pixels it moves.")


def test_description_is_the_first_paragraph_cut_at_a_word():
    assert metadata.description(prose(3)) == "word word word"
    long = metadata.description(prose(100))
    assert len(long) <= 200 and long.endswith("word…")
    assert metadata.description(new_document("empty")) == ""


def test_repository_is_known_from_the_environment_only(monkeypatch):
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    monkeypatch.delenv("BOOK_REPOSITORY", raising=False)
    assert repository.known_repository() is None
    monkeypatch.setenv("BOOK_REPOSITORY", "Some-Owner/some-name")
    known = repository.known_repository()
    assert known.url == "https://github.com/Some-Owner/some-name"
    assert known.site == "https://some-owner.github.io/some-name/"
    assert len(known.commit) == 40
    monkeypatch.setenv("BOOK_REPOSITORY", "no-slash")
    with pytest.raises(ConfigError, match="owner/name, got 'no-slash'"):
        repository.known_repository()


def test_a_page_of_an_account_has_no_folder(monkeypatch):
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    monkeypatch.setenv("BOOK_REPOSITORY", "Some-Owner/some-owner.github.io")
    assert repository.known_repository().site == "https://some-owner.github.io/"


def git(*arguments):
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=True).stdout.decode().strip()


RUN = """
import nbclient, nbformat, sys
notebook = nbformat.read(sys.argv[1], as_version=4)
notebook.cells.insert(1, nbformat.v4.new_code_cell("import utils; print(utils.__file__)"))
nbclient.NotebookClient(notebook, timeout=120).execute()
print(notebook.cells[1].outputs[0].text)
"""


def test_colab_copy_runs_where_only_libraries_are_installed(tmp_path):
    """The copy of a chapter installs ``utils`` by itself, from the commit that it belongs to, and runs through."""
    commit = git("rev-parse", "HEAD")
    chapter = tmp_path / "01_convolution.ipynb"
    notebook = nbformat.reads(git("show", f"{commit}:chapters/01_convolution.ipynb"), as_version=4)
    source = f"executable-convnet[learn] @ git+file://localhost{quote(str(ROOT))}@{commit}"
    notebook.cells.insert(0, setup_cell(source))
    nbformat.write(notebook, chapter)
    # Colab has the libraries already; so has this environment, from ours, but not our editable `utils`.
    environment = tmp_path / "clean"
    venv.create(environment)
    libraries = next(environment.rglob("site-packages"))
    (libraries / "libraries.pth").write_text(f"{Path(nbformat.__file__).parent.parent}\n")
    python = environment / "bin" / "python"
    work = tmp_path / "work"
    work.mkdir()
    # Built with the setuptools at hand: a test does not download.
    clean = {"PATH": os.environ["PATH"], "HOME": str(work), "PIP_NO_BUILD_ISOLATION": "0", "PIP_NO_INDEX": "1"}
    clean["MPLCONFIGDIR"] = matplotlib.get_cachedir()  # to list a machine's fonts takes half a minute
    done = subprocess.run([python, "-c", RUN, chapter], cwd=work, env=clean, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.startswith(str(environment)), done.stdout


def test_chinese_words_are_said_to_be_chinese():
    document = new_document("words")
    for words in ("the kernel (卷积核) moves 滑动", "no other language"):
        document += nodes.paragraph("", words)
    document += nodes.literal_block("", "# 代码")
    access._mark_chinese(None, document, "page")
    assert [(part.astext(), part["classes"]) for part in document.findall(nodes.inline)] == [
        ("卷积核", ["language-zh"]),
        ("滑动", ["language-zh"]),
    ]
    assert [part.astext() for part in document] == ["the kernel (卷积核) moves 滑动", "no other language", "# 代码"]
