"""What each layer makes and costs: shape, parameters, multiply-accumulates, memory, the dense layer in its place."""

from __future__ import annotations

from math import prod
from typing import Any, ClassVar

import traitlets

from utils.arithmetic import conv_macs, conv_output_size, conv_parameter_count, linear_parameter_count, pool_output_size
from utils.widgets.figure import Figure
from utils.widgets.settings import check_integer, complete_layers, with_defaults
from utils.widgets.svg import Panel, counted, signed

# The least and the most of every number, as in BOUNDS of settings.js.
LIMITS = {
    "channels": (1, 2048),
    "height": (1, 512),
    "width": (1, 512),
    "out_channels": (1, 2048),
    "kernel_size": (1, 31),
    "stride": (1, 16),
    "padding": (0, 15),
    "dilation": (1, 16),
    "groups": (1, 2048),
    "out_features": (1, 100_000),
}
# A layer's arguments and torch's defaults for them; None must be given.
ARGUMENTS: dict[str, dict[str, int | None]] = {
    "conv": {"out_channels": None, "kernel_size": None, "stride": 1, "padding": 0, "dilation": 1, "groups": 1},
    "maxpool": {"kernel_size": None, "stride": None},
    "flatten": {},
    "linear": {"out_features": None},
}
MOST_LAYERS = 12


def _complete(number: int, layer: dict[str, Any]) -> dict[str, Any]:
    """The layer with every argument, checked; a pooling layer's stride is its kernel if it says nothing else."""
    where = f"layer {number}: "
    kind = layer.get("kind")
    if kind not in ARGUMENTS:
        raise traitlets.TraitError(f"{where}kind must be one of {', '.join(ARGUMENTS)}, got {kind!r}")
    given = {name: value for name, value in layer.items() if name != "kind"}
    full = with_defaults(f"{where}{kind}", given, ARGUMENTS[kind])
    if kind == "maxpool" and full["stride"] is None:
        full["stride"] = full["kernel_size"]
    for name in ARGUMENTS[kind]:
        check_integer(where, name, full[name], LIMITS)
    return {**full, "kind": kind}


def _row(layer: dict[str, Any], shape: list[int]) -> dict[str, Any]:
    """What one layer makes of ``shape``; ``ValueError`` if the two do not fit."""
    kind, parameters, macs, dense = layer["kind"], 0, 0, None
    if kind == "flatten":
        out = [prod(shape)]
    elif kind == "linear":
        if len(shape) == 3:
            raise ValueError(f"a dense layer takes a flat input, got {' × '.join(map(str, shape))}: flatten first")
        out = [layer["out_features"]]
        parameters = linear_parameter_count(shape[0], out[0])
        macs = linear_parameter_count(shape[0], out[0], bias=False)
    else:
        if len(shape) != 3:
            raise ValueError(f"this layer takes channels × height × width, got {shape[0]} flat values")
        channels, size, kernel_size = shape[0], (shape[1], shape[2]), layer["kernel_size"]
        if kind == "maxpool":
            out = [channels, *pool_output_size(size, kernel_size, layer["stride"])]
        else:
            made = conv_output_size(size, kernel_size, layer["stride"], layer["padding"], layer["dilation"])
            out = [layer["out_channels"], *made]
            parameters = conv_parameter_count(channels, out[0], kernel_size, layer["groups"])
            macs = conv_macs(channels, out[0], kernel_size, made, layer["groups"])
            dense = linear_parameter_count(prod(shape), prod(out))
    # Flatten is a view of what is already there: it stores nothing.
    activations = 0 if kind == "flatten" else prod(out)
    return {
        "kind": kind,
        "output_shape": out,
        "parameters": parameters,
        "macs": macs,
        "activations": activations,
        "dense_parameters": dense,
    }


class LayerLedger(Figure):
    """A network as a ledger: add, change and move layers, and read what each makes and costs.

    ``input`` is (channels, height, width); ``layers`` a list of dicts: {"kind": "conv", "out_channels": 10,
    "kernel_size": 5, "stride": 1, "padding": 2, "dilation": 1, "groups": 1} (the last four as in torch if left out),
    {"kind": "maxpool", "kernel_size": 2, "stride": 2}, {"kind": "flatten"}, {"kind": "linear", "out_features": 10}.
    """

    name: ClassVar[str] = "layer_ledger"

    input = traitlets.List([3, 32, 32]).tag(sync=True)
    layers = traitlets.List([_complete(1, {"kind": "conv", "out_channels": 10, "kernel_size": 5, "padding": 2})]).tag(
        sync=True
    )

    def __init__(self, **traits: Any) -> None:
        """Take the traits by keyword; ``input`` may be a tuple."""
        if "input" in traits:
            traits["input"] = list(traits["input"])
        super().__init__(**traits)

    @traitlets.validate("input")
    def _valid_input(self, proposal: Any) -> Any:
        value = proposal["value"]
        if len(value) != 3:
            raise traitlets.TraitError(f"input must be (channels, height, width), got {value}")
        for name, size in zip(("channels", "height", "width"), value, strict=True):
            check_integer("input ", name, size, LIMITS)
        return value

    @traitlets.validate("layers")
    def _valid_layers(self, proposal: Any) -> Any:
        return complete_layers(proposal["value"], MOST_LAYERS, _complete)

    @property
    def rows(self) -> list[dict[str, Any] | None]:
        """One row per layer: its output and its costs, or the ``error`` of the first that breaks a rule, then None."""
        rows: list[dict[str, Any] | None] = []
        shape: list[int] | None = self.input
        for layer in self.layers:
            row = None
            if shape is not None:
                try:
                    row = _row(layer, shape)
                    shape = row["output_shape"]
                except ValueError as error:
                    row, shape = {"kind": layer["kind"], "error": str(error)}, None
            rows.append(row)
        return rows

    def sentence(self) -> str:
        """The totals, or the first rule that is broken."""
        rows = [row for row in self.rows if row is not None]
        if not rows:
            return "No layer yet: the input goes through as it is."
        if "error" in rows[-1]:
            return f"Layer {len(rows)}: {rows[-1]['error']}."
        parameters, macs, values = (sum(row[name] for row in rows) for name in ("parameters", "macs", "activations"))
        dense = [row["dense_parameters"] for row in rows if row["dense_parameters"] is not None]
        layer, convolution = ("a dense layer", "convolution") if len(dense) == 1 else ("dense layers", "convolutions")
        instead = f"; {layer} in place of the {convolution} would have {signed(sum(dense))} parameters" if dense else ""
        return (
            f"In all {counted(parameters, 'parameter')}, {counted(macs, 'MAC')} and "
            f"{counted(values, 'activation')} ({signed(4 * values)} bytes){instead}."
        )

    def panels(self) -> list[Panel]:
        """The ledger, two lines a layer."""
        lines = []
        for number, (layer, row) in enumerate(zip(self.layers, self.rows, strict=True), 1):
            arguments = ", ".join(f"{name} {value}" for name, value in layer.items() if name != "kind")
            lines.append(f"{number}. {layer['kind']}{': ' if arguments else ''}{arguments}")
            if row is None or "error" in row:
                lines.append(f"→ {'–' if row is None else row['error']}")
            else:
                shape = " × ".join(map(str, row["output_shape"]))
                lines.append(f"→ {shape}: {counted(row['parameters'], 'parameter')}, {counted(row['macs'], 'MAC')}")
        heading = f"Input {' × '.join(map(str, self.input))}"
        return [Panel(heading, "input", lines=lines)]
