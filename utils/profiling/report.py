"""A profile as an object, its totals, and as a table: in text, in HTML, in pandas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pandas

HEADINGS = ("Layer", "Kind", "Output", "Parameters", "MACs", "Bytes", "Field")


class LayerProfile(NamedTuple):
    """One layer, functional operation or bare parameter.

    ``output_shape`` has no batch axis and is None for a module that the forward pass never calls; ``macs`` are
    multiply-accumulates; ``activation_bytes`` is what it newly writes; ``receptive_field`` is a side in pixels,
    (height, width) if they differ, or None where no window of the input slides along. Then ``sees`` is "all" if a
    position may see the input from border to border, "not known" if that is so, and empty where there are no pixels to
    see. ``uncounted`` names operators whose multiply-accumulates are not in ``macs``.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...] | None
    parameters: int
    macs: int
    activation_bytes: int
    receptive_field: int | tuple[int, ...] | None
    sees: str = ""
    uncounted: tuple[str, ...] = ()

    def cells(self) -> tuple[str, ...]:
        """The row as text."""
        field = self.receptive_field
        return (
            self.name,
            self.kind,
            "not called" if self.output_shape is None else times(self.output_shape),
            f"{self.parameters:,}",
            _counted(self.macs, self.uncounted),
            f"{self.activation_bytes:,}",
            self.sees or "–" if field is None else times(field) if isinstance(field, tuple) else f"{field:,}",
        )


@dataclass(frozen=True, repr=False)
class ModelProfile:
    """What every layer of a model makes and costs on one example; printed, a table, and in a notebook an HTML one."""

    model: str
    input_size: tuple[int, ...] | tuple[tuple[int, ...], ...]
    rows: tuple[LayerProfile, ...]

    @property
    def total_parameters(self) -> int:
        """Parameters of the model, shared ones once."""
        return sum(row.parameters for row in self.rows)

    @property
    def total_macs(self) -> int:
        """Multiply-accumulates of one example's forward pass."""
        return sum(row.macs for row in self.rows)

    @property
    def total_activation_bytes(self) -> int:
        """Bytes that one example's forward pass writes, were nothing freed on the way."""
        return sum(row.activation_bytes for row in self.rows)

    @property
    def uncounted(self) -> tuple[str, ...]:
        """Operators whose multiply-accumulates are not in the total, by name."""
        return tuple(dict.fromkeys(name for row in self.rows for name in row.uncounted))

    def to_pandas(self) -> pandas.DataFrame:
        """The rows as a data frame, columns named as the fields of ``LayerProfile``. Needs pandas."""
        import pandas

        return pandas.DataFrame(list(self.rows), columns=list(LayerProfile._fields))

    def __repr__(self) -> str:
        """The totals in a line."""
        return (
            f"{self.model} on {_inputs(self.input_size)}: {self.total_parameters:,} parameters, "
            f"{self.total_macs:,} MACs, {self.total_activation_bytes:,} bytes of activations"
            + (f"; MACs not counted: {', '.join(self.uncounted)}" if self.uncounted else "")
        )

    def _lines(self) -> Iterator[tuple[str, ...]]:
        yield HEADINGS
        yield from (row.cells() for row in self.rows)
        macs = _counted(self.total_macs, self.uncounted)
        yield ("Total", "", "", f"{self.total_parameters:,}", macs, f"{self.total_activation_bytes:,}", "")

    def __str__(self) -> str:
        """The table, numbers aligned on the right."""
        lines = list(self._lines())
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        text = ["  ".join(map(_aligned, line, widths, range(len(line)))) for line in lines]
        rule = "─" * len(text[0])
        return "\n".join(
            [f"{self.model} on {_inputs(self.input_size)}", text[0], rule, *text[1:-1], rule, text[-1].rstrip()]
        )

    def _repr_html_(self) -> str:
        """The table with a caption and header cells, in the page's own colours."""
        head, *body, foot = (
            f"<tr>{''.join(_cell(cell, i, i == 0 or line is HEADINGS) for i, cell in enumerate(line))}</tr>"
            for line in self._lines()
        )
        head = head.replace('scope="row"', 'scope="col"')
        return (
            f'<table style="font-size: 0.85em"><caption style="color: inherit">{escape(repr(self))}</caption>'
            f"<thead>{head}</thead><tbody>{''.join(body)}</tbody><tfoot>{foot}</tfoot></table>"
        )


def _aligned(text: str, width: int, column: int) -> str:
    return f"{text:<{width}}" if column < 3 else f"{text:>{width}}"


def _cell(text: str, column: int, heading: bool) -> str:
    start, end = ('th scope="row"', "th") if heading else ("td", "td")
    look = f"text-align: {'left' if column < 3 else 'right'}; white-space: nowrap; padding: 0.2em 0.4em"
    return f'<{start} style="{look}">{escape(text)}</{end}>'


def _counted(macs: int, uncounted: tuple[str, ...]) -> str:
    return f"{macs:,}" if not uncounted else f"{macs:,} and more" if macs else "not counted"


def _inputs(size: tuple[int, ...] | tuple[tuple[int, ...], ...]) -> str:
    several: Any = [size] if isinstance(size[0], int) else size
    return " and ".join(map(times, several))


def times(shape: tuple[int, ...]) -> str:
    """A shape as text: 64 × 112 × 112."""
    return " × ".join(map(str, shape))
