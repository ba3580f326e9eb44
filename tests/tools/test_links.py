"""Every rule of tools/links.py has a sentence that breaks it, and only it."""

import nbformat
import pytest

from conftest import ROOT
from tools import links, notebooks

GOOD = [
    "A [stride](../glossary.md#term-stride) of 2, [strides](../glossary.md#term-stride), [all](../glossary.md).",
    "[He et al. (2016)](../references.md#he2016deep) saw it ([Zhang, 2019](../references.md#zhang2019making)).",
    "([Azulay and Weiss, 2019](../references.md#azulay2019why); [Zhang, 2019](../references.md#zhang2019making))",
    "[Chapter 2](02_sizes.ipynb), its [exercises](../exercises/02_sizes.ipynb), [below](#summary), the [web](https://a.example/)",
    "Roles look like `` {term}`stride` `` in Sphinx, and $f_{x}`$ is no role.",
    "```text\n{cite:t}`he2016deep`\n```\nand on",
    "$\\frac{1}{2}$, `{x: 1}`, ![](missing.png)",
]
BAD = {
    "{cite:t}`he2016deep` saw it": "has '{cite:t}`he2016deep`', which only Sphinx understands: write a link",
    "a {term}`kernels <kernel>`": "has '{term}`kernels <kernel>`', which only Sphinx understands: write a link",
    "see {eq}`sum`": "has '{eq}`sum`', which only Sphinx understands: write a link",
    "```{note}\nMind.\n```": "has '```{note}', which only Sphinx understands: write a link",
    ":::{tip}\nMind.\n:::": "has ':::{tip}', which only Sphinx understands: write a link",
    "(here)=\n## Here": "has '(here)=', which only Sphinx understands: write a link",
    "[x](14_missing.ipynb)": "links to 14_missing.ipynb, and there is no such file",
    "[x](../glossary.html#term-stride)": "links to ../glossary.html#term-stride, and there is no such file",
    "[x](../glossary.md#stride)": "links to 'stride', which the glossary does not have",
    "[He et al., 2016](../references.md#he2016)": "cites 'he2016', which references.bib does not have",
    "the [list](../references.md)": "cites '', which references.bib does not have",
    "[He and Zhang, 2016](../references.md#he2016deep)": "cites he2016deep as 'He and Zhang, 2016': "
    "write 'He et al., 2016' or 'He et al. (2016)'",
    "[19](../references.md#zhang2019making)": "cites zhang2019making as '19': write 'Zhang, 2019' or 'Zhang (2019)'",
}  # fmt: skip


@pytest.mark.parametrize("source", GOOD)
def test_a_good_sentence_passes(source):
    assert list(links.problems(source, ROOT / "chapters")) == []


@pytest.mark.parametrize(("source", "problem"), BAD.items())
def test_a_bad_sentence_is_caught(source, problem):
    assert list(links.problems(source, ROOT / "chapters")) == [problem]


def test_the_check_of_a_notebook_names_the_cell(tmp_path):
    texts = {"title": "# Title", "text": "A {term}`stride`."}
    cells = [nbformat.v4.new_markdown_cell(text, id=name) for name, text in texts.items()]
    path = tmp_path / "chapter.ipynb"
    path.write_text(notebooks.written(notebooks.normalised(nbformat.v4.new_notebook(cells=cells))), "utf-8")
    assert list(notebooks.check(path)) == ["cell 2 has '{term}`stride`', which only Sphinx understands: write a link"]


def test_every_work_is_cited_somewhere():
    cited = {
        target.partition("#")[2]
        for path in notebooks.notebooks()
        for cell in nbformat.read(path, as_version=4).cells
        for _, target in links.LINK.findall(cell.source)
        if "references.md#" in target
    }
    assert links.works().keys() - cited == set()


def test_names_are_those_a_reader_would_write():
    assert links.works()["araujo2019computing"] == ("Araujo et al.", "2019")
    assert links.works()["dumoulin2016guide"] == ("Dumoulin and Visin", "2016")
