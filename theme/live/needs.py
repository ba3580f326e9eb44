"""Which cells of a notebook run in a page, and what the others need: read from their code, before anyone waits."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from symtable import SymbolTable, symtable

from theme.live.python.absent import ABSENT, lacking

ROOT = Path(__file__).parent.parent.parent
PRESENT = {*sys.stdlib_module_names, "experiments", "numpy", "matplotlib", "utils"}


def _need(module: str) -> str:
    """What a module needs, or nothing."""
    top = module.partition(".")[0]
    return lacking(module) or ("" if top in PRESENT else top)


def _is_module(name: str) -> bool:
    path = ROOT / name.replace(".", "/")
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    """The names that an import binds, and what each needs."""
    for alias in node.names:
        if isinstance(node, ast.Import):
            yield alias.asname or alias.name.partition(".")[0], _need(alias.name)
        else:
            inside = f"{node.module}.{alias.name}"  # a module, or something that one holds
            yield alias.asname or alias.name, _need(inside if _is_module(inside) else str(node.module))


def _inside(table: SymbolTable) -> set[str]:
    """What the functions and comprehensions of a statement use of the names around them."""
    names = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global() and symbol.is_referenced()}
    return names.union(*map(_inside, table.get_children()))


class _Names:
    """What is known of a notebook's names, from its first cell on: what each needs, or nothing."""

    def __init__(self) -> None:
        self.needs: dict[str, str] = {}

    def cell(self, source: str) -> str:
        """What a cell needs. It runs up to the statement that needs it, and no further."""
        need = ""
        for node in ast.parse(source).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                imported = dict(_imported(node))
                # What can be imported complains when it is used.
                lacks = next((needs for needs in imported.values() if needs not in {*ABSENT.values(), ""}), "")
                self.needs |= dict.fromkeys(imported, need or lacks) if need or lacks else imported
                need = need or lacks
            else:
                need = self._statement(node, need)
        return need

    def _statement(self, node: ast.stmt, need: str) -> str:
        table = symtable(ast.unparse(node), "cell", "exec")
        symbols = table.get_symbols()
        now = {symbol.get_name() for symbol in symbols if symbol.is_referenced()}
        later = set().union(*map(_inside, table.get_children()))
        if not isinstance(node, ast.FunctionDef):  # whose own code runs when it is called
            now |= later
        need = need or self._of(now)
        bound = (symbol.get_name() for symbol in symbols if symbol.is_assigned())
        self.needs |= dict.fromkeys(bound, need or self._of(later))
        return need

    def _of(self, names: set[str]) -> str:
        return next((needs for name in sorted(names) if (needs := self.needs.get(name, ""))), "")


def needs(cells: Sequence[str]) -> list[str]:
    """What each cell needs that a page has not got, by itself or through what it takes from another; or nothing."""
    names = _Names()
    return [names.cell(source) for source in cells]
