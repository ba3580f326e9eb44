"""Make a folder to work in, of copies and the pages to which they lead, and open it with JupyterLab.

python tools/work.py                make work/; what is there already stays
python tools/work.py lab [FLAG …]   … and open it; the flags are JupyterLab's own
"""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
from pybtex.database import parse_file
from pybtex.plugin import find_plugin

sys.path.append(str(Path(__file__).resolve().parent.parent))

from tools import links
from tools.copies import copy_of, name_of, notebooks, written

ROOT = links.ROOT
WORK = ROOT / "work"
SETTINGS = Path(__file__).resolve().parent / "lab_settings"
AS_ROOT = """\
You are root, as whom JupyterLab starts only if you say so. If this machine is yours alone, type:

    make lab LAB_FLAGS=--allow-root        (without make: python tools/work.py lab --allow-root)
"""


def bibliography() -> str:
    """The references in plain Markdown."""
    style, markdown = find_plugin("pybtex.style.formatting", "plain")(), find_plugin("pybtex.backends", "markdown")()
    entries = style.format_bibliography(parse_file(str(ROOT / "references.bib")))
    return "\n\n".join(["# References", *(entry.text.render(markdown) for entry in entries)]) + "\n"


def glossary() -> str:
    """The glossary in plain Markdown."""
    terms = sorted(links.terms().values(), key=lambda term: term.name.lower())
    return "\n\n".join(["# Glossary", *(f"**{term.name}** · {term.definition}" for term in terms)]) + "\n"


def cheat_sheet() -> str:
    """The cheat sheet, which is plain Markdown."""
    return (ROOT / "cheatsheet.md").read_text(encoding="utf-8")


PAGES = {"glossary": glossary, "references": bibliography, "cheatsheet": cheat_sheet}


def _beside(page: str, place: str) -> str | None:
    """Where a link leads in the folder to work in; Jupyter opens a Markdown page at its beginning."""
    if page in PAGES:
        return f"../{page}.md"
    path = ROOT / f"{page}.ipynb"
    return f"../{name_of(path).as_posix()}#{place}".removesuffix("#") if path in notebooks() else None


def _untouched(notebook: Any) -> Any:
    """The notebook with the metadata that the kernel of this Python would add: opening it changes nothing."""
    from ipykernel.ipkernel import IPythonKernel  # slow to import, and only the folder to work in needs it
    from jupyter_client.kernelspec import KernelSpecManager

    kernel = KernelSpecManager().get_kernel_spec("python3")
    about = {"name": "python3", "display_name": kernel.display_name, "language": kernel.language}
    notebook.metadata = nbformat.from_dict({"kernelspec": about, "language_info": IPythonKernel.language_info})
    return notebook


def make(folder: Path) -> list[Path]:
    """Write what is missing in ``folder``, and return its paths: the copies, and the pages to which they lead."""
    texts = {folder / f"{name}.md": text for name, text in PAGES.items()}
    texts |= {folder / name_of(path): partial(_text, path) for path in notebooks()}
    made = [target for target in texts if not target.exists()]
    for target in made:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(texts[target](), encoding="utf-8", newline="\n")
    return made


def _text(path: Path) -> str:
    return written(_untouched(copy_of(path, _beside)))


def lab(flags: list[str]) -> int:
    """Stay until JupyterLab ends; the status is JupyterLab's."""
    # Errors only, and the address: nobody finds it among thirty lines.
    options = [f"--LabApp.app_settings_dir={SETTINGS}", "--log-level=ERROR", *flags]
    try:
        return subprocess.run([sys.executable, "-m", "jupyterlab", WORK, *options]).returncode
    except KeyboardInterrupt:  # which ends JupyterLab, too
        return 0


def main(arguments: list[str]) -> int:
    """Make the folder, and open it if asked to."""
    opens, flags = arguments[:1] == ["lab"], arguments[1:]
    if opens and "--allow-root" not in flags and hasattr(os, "geteuid") and os.geteuid() == 0:
        print(AS_ROOT, end="", file=sys.stderr)
        return 1
    made = make(WORK)
    news = f"{len(made)} new files" if made else "nothing was missing"
    print(
        f"{WORK.name}/ holds chapters and exercises for you to change ({news}; what you have there stays).", flush=True
    )
    if opens:
        print("In JupyterLab, Shift+Enter runs a cell. Ctrl+C here ends JupyterLab.", flush=True)
    return lab(flags) if opens else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
