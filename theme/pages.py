"""What every page gets: the palette's colours, the reading time, buttons to a live copy, the ways on at its end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

PALETTE = Path(__file__).parent.parent / "utils" / "palette.json"
WORDS_A_MINUTE, LINES_A_MINUTE = 200, 12
MINUTES_A_QUESTION, MINUTES_A_FIGURE = 1, 2


def palette_css() -> str:
    """The palette as custom properties for light and dark pages."""
    palette = json.loads(PALETTE.read_text(encoding="utf-8"))
    modes = {"light": "html", "dark": 'html[data-theme="dark"]'}
    return "".join(
        f"{selector} {{ {' '.join(f'--cnn-{role}: {colour[mode]};' for role, colour in palette.items())} }}\n"
        for mode, selector in modes.items()
    )


def reading_minutes(doctree: nodes.document) -> int:
    """Minutes, to the next five, for a chapter's words, its lines of code, its questions and its live figures."""
    cells = [node for node in doctree.findall(nodes.container) if node.get("nb_element") == "cell_code"]
    inside = {id(text) for cell in cells for text in cell.findall(nodes.Text)}
    words = sum(len(text.split()) for text in doctree.findall(nodes.Text) if id(text) not in inside)
    sources = [next(iter(cell.findall(nodes.literal_block))) for cell in cells]
    lines = sum(len(source.astext().splitlines()) for source in sources)
    questions = len(list(doctree.findall(nodes.block_quote)))
    figures = sum('class="cnn-widget"' in raw.astext() for raw in doctree.findall(nodes.raw))
    minutes = words / WORDS_A_MINUTE + lines / LINES_A_MINUTE + questions * MINUTES_A_QUESTION
    return 5 * round((minutes + figures * MINUTES_A_FIGURE) / 5)


def _decorate(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    if page == app.config.root_doc:
        context["meta"] = {**(context["meta"] or {}), "html_theme.sidebar_secondary.remove": True}
    if doctree is None or not page.startswith("chapters/"):
        return
    line = f'<p class="reading-time">about {reading_minutes(doctree)} minutes, with the figures and the questions</p>'
    context["body"] = context["body"].replace("</h1>", f"</h1>\n{line}", 1)
    if repository := app.config.book_repository:
        live = {
            "Run in Colab": repository.colab(context["notebook_copy"]),
            "Run on Binder": repository.binder(f"work/{page}.ipynb"),
        }
        buttons = [{"type": "link", "text": text, "tooltip": text, "url": url} for text, url in live.items()]
        group = {"type": "group", "tooltip": "Run this chapter", "icon": "fas fa-rocket", "buttons": buttons}
        context["header_buttons"].insert(0, {**group, "label": "launch-buttons"})


def _repository_button(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    if (repository := app.config.book_repository) and "header_buttons" in context:
        button = {"type": "link", "tooltip": "Source repository", "icon": "fab fa-github", "url": repository.url}
        context["header_buttons"].append({**button, "label": "repository"})


def _report(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    if repository := app.config.book_repository:
        context["report"] = repository.report(page)


def _ways_on(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    """A chapter leads on to its exercises and, as plainly, to its next part or the next chapter; back, to a chapter."""
    if not page.startswith("chapters/"):
        return

    def way(name: str | None) -> dict[str, str] | None:
        if name is None:
            return None
        number = app.env.toc_secnumbers.get(name, {}).get("")
        title = app.env.titles[name].astext()
        return {"link": context["pathto"](name), "title": f"{number[0]}. {title}" if number else title}

    relations = app.env.collect_relations()  # a page's parent, the one before it, the one after it

    def found(step: int, exercises: bool) -> str | None:
        """The first page on the way back (1) or on (2) that is one of exercises, or is none."""
        name = relations[page][step]
        while name is not None and name.startswith("exercises/") != exercises:
            name = relations[name][step]
        return name

    context |= {"prev": way(found(1, False)), "exercises": way(found(2, True)), "next": way(found(2, False))}


def _write_palette(app: Sphinx) -> None:
    static = Path(app.outdir) / "_static"
    static.mkdir(parents=True, exist_ok=True)
    (static / "palette.css").write_text(palette_css(), encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Decorate pages after the theme has made its own buttons."""
    # Jupyter Book sets this value of sphinx_comments even where that extension is not loaded.
    app.add_config_value("comments_config", {}, "")
    app.add_css_file("palette.css", priority=600)
    app.add_css_file("book.css", priority=700)
    app.connect("html-page-context", _decorate, priority=900)
    app.connect("html-page-context", _repository_button, priority=900)
    app.connect("html-page-context", _ways_on, priority=900)
    app.connect("html-page-context", _report, priority=900)
    app.connect("builder-inited", _write_palette)
