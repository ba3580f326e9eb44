"""One forward pass of a model without values: which operators make which rows, and where an error was met."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.nn.modules.lazy import LazyModuleMixin
from torch.nn.parameter import is_lazy
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils._pytree import tree_map_only

from utils.profiling.fields import Sees
from utils.profiling.layouts import Layout, input_layout, receptive_field
from utils.profiling.operators import Operator, describe
from utils.profiling.report import LayerProfile, ModelProfile
from utils.profiling.twin import examples, settle, without_data

_COMPOSITE = torch._C.DispatchKey.CompositeImplicitAutograd


def profile(model: nn.Module, input_size: Sequence[Any]) -> ModelProfile:
    """Profile ``model`` on one example of ``input_size``, such as (3, 224, 224): without the batch axis.

    Several inputs all have this shape, or a list has one for each. The model is neither run nor changed: a copy without
    data and without hooks is, in evaluation mode, on inputs of the dtype that most parameters have. ``nn.Embedding``
    takes them for whole numbers; where else the dtype matters, a list may hold a tensor in place of a shape. A row is a
    layer without children, whatever it does inside, one operation of a ``forward`` between layers, or a bare parameter;
    a module that is called twice has two rows, its parameters in the first.

    MACs are those of convolutions, matrix products, and sums of a product just made; activations, pooling,
    normalisation and other operators known to be no products have none, and bias is not counted. An operator that is
    not known is ``uncounted``, with a warning. Bytes are those of newly written results: none for a view such as
    flatten, none where an operation works in place.

    The receptive field is that on an image without borders: from the first to the last pixel that any path to any
    channel begins at, and after upsampling, where neighbours see unlike parts, that of the position which sees most. It
    is None, and ``sees`` says why, where a position may see the input from border to border (after global pooling, a
    dense layer on a flattened map, normalisation over positions, attention; with squeeze-and-excitation therefore from
    the first block on), and where pixels go ways that are not followed, as round the edge (``torch.roll``).

    ``ValueError`` where ``input_size`` is no shape, where a layer refuses what reaches it (the message names the
    layer and the shapes), where ``forward`` asks for the values of a tensor, and for scripted or traced modules.
    """
    if not isinstance(model, nn.Module):
        raise ValueError(f"model must be a torch.nn.Module, got {type(model).__name__}")
    model = getattr(model, "_orig_mod", model)  # torch.compile's, whose own forward runs outside Python
    with torch.inference_mode(False), torch.no_grad():
        twin = without_data(model)
        inputs = examples(model, input_size)
        trace = _Trace(twin, inputs)
        try:
            with trace:
                trace.model(*inputs)
        except Exception as error:
            raise ValueError(trace.explain(error)) from error
    rows = (*trace.rows, *trace.left_over())
    sizes = tuple(tuple(each.shape[1:]) for each in inputs)
    profiled = ModelProfile(type(model).__name__, sizes[0] if len(sizes) == 1 else sizes, rows)
    if profiled.uncounted:
        warnings.warn(f"MACs of {', '.join(profiled.uncounted)} are not counted", stacklevel=2)
    return profiled


class _Call(NamedTuple):
    """A module whose forward pass has begun: ``start`` rows were there before."""

    name: str
    module: nn.Module
    start: int
    inputs: Sequence[Any]


class _Trace(TorchDispatchMode):
    """Sees every operator of a forward pass, and the module whose forward it belongs to."""

    def __init__(self, model: nn.Module, inputs: Sequence[torch.Tensor]) -> None:
        super().__init__()
        self.model, self.inputs = model, {_memory(each) for each in inputs}
        self.rows: list[LayerProfile] = []
        self.calls: list[_Call] = []
        self.counted: set[int] = set()  # parameters that have a row
        self.used: set[int] = set()  # tensors that an operator has read
        self.layouts: dict[torch.Tensor, Layout] = {each: input_layout(each.shape) for each in inputs}
        self.multiplied: torch.Tensor | None = None  # what the last operator made, if it multiplied two tensors
        self.viewed: set[int] = set()  # memory of which there are views
        self.overwritten: dict[int, Sees] = {}  # memory of which a part sees something else now
        self.running: tuple[Operator, Sequence[Any]] | None = None  # an operator and its arguments
        self.failed: tuple[Exception, _Call, tuple[Operator, Sequence[Any]] | None] | None = None
        self.modules = list(model.named_modules())
        for name, module in self.modules:
            vars(module)["forward"] = partial(self._call, name, module, module.forward)

    def _call(self, name: str, module: nn.Module, forward: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if isinstance(module, LazyModuleMixin):
            with _disable_current_modes():
                settle(module, args)
        call = _Call(name, module, len(self.rows), (*args, *kwargs.values()))
        self.calls.append(call)
        try:
            output = forward(*args, **kwargs)
        except Exception as error:
            if self.failed is None or self.failed[0] is not error:  # the innermost module's
                self.failed = error, call, self.running
            raise
        finally:
            self.running = None
            self.calls.pop()
        self._summarise(call, output)
        return output

    def _summarise(self, call: _Call, output: Any) -> None:
        """Make one row of the call's, if it is one of a layer."""
        module = call.module
        own = self._uncounted(module)
        steps = self.rows[call.start :]
        if not _is_layer(call, steps):
            self.rows[call.start : call.start] = _parameters(call.name, own)
            return
        result = next(_tensors((output,)), None)
        written = sum(step.activation_bytes for step in steps)
        if written and result is not None and _is_torchs(module):
            written = result.nbytes  # not what it wrote and dropped inside
        kind, macs = type(module).__name__, sum(step.macs for step in steps)
        shape = () if result is None else tuple(result.shape[1:])
        parameters = sum(parameter.numel() for parameter in own.values())
        layout = None if result is None else self._layout(result)
        if layout is None and any(step.receptive_field or step.sees for step in steps):
            layout = Sees.UNKNOWN  # handed over as another tensor, as by torch.vmap
        seen = _seen(layout)
        missing = tuple(dict.fromkeys(each for step in steps for each in step.uncounted))
        row = LayerProfile(call.name or kind, kind, shape, parameters, macs, written, *seen, missing)
        self.rows[call.start :] = [row]

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if torch.is_inference_mode_enabled() and torch._C._dispatch_has_kernel_for_dispatch_key(
            func.name(), _COMPOSITE
        ):
            with (
                torch.inference_mode(False),
                torch.no_grad(),
                self,
            ):  # in that mode they come before they are taken apart
                return func._op_dk(_COMPOSITE, *args, **kwargs)
        tensors = list(_tensors(args))
        if not any(tensor.is_meta for tensor in tensors):
            return func(*args, **kwargs)  # constants
        if not all(tensor.is_meta for tensor in tensors):
            args = tree_map_only(torch.Tensor, lambda tensor: tensor.to("meta"), args)
        if kwargs.get("device") is not None:
            kwargs = {**kwargs, "device": torch.device("meta")}
        operator = describe(func)
        if (at := operator.rule.indices) is not None and _memory(args[at]) in self.inputs:
            args = (*args[:at], args[at].long(), *args[at + 1 :])
        self.running = operator, args
        out = operator.run(func, args, kwargs)
        self.running = None
        self.used.update(map(id, tensors))
        results = [out] if isinstance(out, torch.Tensor) else list(_tensors((out,)))
        if results:
            layouts = [self._layout(tensor) for tensor in tensors]
            depends = layouts.count(None) < len(layouts)
            if operator.views:
                self.viewed.add(_memory(results[0]))
            if depends:
                self._follow(operator, layouts, args, kwargs, results)
            self._count(operator, args, depends, results[0])
            self.multiplied = results[0] if operator.name == "mul" and len(tensors) == 2 else None
        return out

    def _layout(self, tensor: torch.Tensor) -> Layout | None:
        written = self.overwritten.get(_memory(tensor)) if self.overwritten else None
        return written or self.layouts.get(tensor)

    def _follow(
        self,
        operator: Operator,
        layouts: Sequence[Layout | None],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        results: Sequence[torch.Tensor],
    ) -> None:
        """Say what the results see. Of several that are no views of it, the first tells for those of its shape."""
        before, layout = self.layouts.get(results[0]), operator.layout(layouts, args, kwargs, results[0])
        if layout is None:
            return
        for each in results:
            own = operator.views and each is not results[0]
            if own or each.shape == results[0].shape:
                self.layouts[each] = operator.layout(layouts, args, kwargs, each) or layout if own else layout
        if operator.in_place and layout != before and (memory := _memory(results[0])) in self.viewed:
            self.overwritten[memory] = layout if isinstance(layout, Sees) else Sees.UNKNOWN

    def _count(self, operator: Operator, args: Sequence[Any], depends: bool, result: torch.Tensor) -> None:
        macs = operator.macs(args, result)
        if operator.name == "sum" and self.multiplied is not None and args[0] is self.multiplied:
            macs = (
                self.multiplied.numel()
            )  # a product of vectors, which torch takes apart before any operator is called
        if operator.views or (operator.counted and not (depends or macs)):
            return  # nothing is computed, or of parameters alone
        kind = operator.kind(args)
        row = f"{self.calls[-1].name}.{kind}".lstrip(".")
        written = 0 if operator.in_place else result.nbytes
        seen, missing = _seen(self._layout(result)), () if operator.counted else (kind,)
        self.rows.append(LayerProfile(row, kind, tuple(result.shape[1:]), 0, macs, written, *seen, missing))

    def _uncounted(self, module: nn.Module) -> dict[str, nn.Parameter]:
        """The module's own parameters that have no row yet, and now get one."""
        own = {name: p for name, p in module._parameters.items() if p is not None and id(p) not in self.counted}
        self.counted.update(map(id, own.values()))
        return own

    def left_over(self) -> Iterator[LayerProfile]:
        """Rows for the parameters of modules that were not called, though an operator may have used them."""
        for name, module in self.modules:
            own = self._uncounted(module)
            used = {key: parameter for key, parameter in own.items() if id(parameter) in self.used}
            yield from _parameters(name, used)
            if rest := [parameter for key, parameter in own.items() if key not in used]:
                count = sum(parameter.numel() for parameter in rest if not is_lazy(parameter))
                yield LayerProfile(name, type(module).__name__, None, count, 0, 0, None)

    def explain(self, error: Exception) -> str:
        """Which layer or operator met the error, and the shapes that reached it."""
        if self.failed is None:
            return str(error)
        _, call, running = self.failed
        what = type(call.module).__name__ if call.module._modules else repr(call.module)
        where, met = f"layer '{call.name}' ({what})" if call.name else f"the model ({what})", call.inputs
        if running:
            operator, args = running
            if operator.rule.by_value:
                return f"{where} asks for the values of a tensor, and a profile knows only its shape: {error}"
            if not _is_layer(call, []):
                where, met = f"{where}: {operator.kind(args)}", args
        shapes = [str(tuple(tensor.shape)) for tensor in _tensors(met) if not isinstance(tensor, nn.Parameter)]
        return f"{where} met an input of {' and '.join(shapes) or 'no tensor'}: {error}"


def _memory(tensor: torch.Tensor) -> int:
    """What tensors that share their memory have in common."""
    return tensor.untyped_storage()._cdata if tensor.layout is torch.strided else id(tensor)


def _seen(layout: Layout | None) -> tuple[int | tuple[int, ...] | None, str]:
    """The receptive field, and what to say in its place."""
    return receptive_field(layout), layout.value if isinstance(layout, Sees) else ""


def _is_torchs(module: nn.Module) -> bool:
    return any(kind.__module__.startswith("torch.nn.modules") for kind in type(module).__mro__ if kind is not nn.Module)


def _is_layer(call: _Call, steps: Sequence[LayerProfile]) -> bool:
    """One row, or one for every operation? A layer of torch.nn is one, so is a module with at most one product."""
    module = call.module
    if module._modules or isinstance(module, nn.Sequential):
        return False
    return _is_torchs(module) or (call.name != "" and len([step for step in steps if step.macs]) <= 1)


def _parameters(module: str, parameters: Mapping[str, nn.Parameter]) -> list[LayerProfile]:
    return [
        LayerProfile(f"{module}.{name}".lstrip("."), "Parameter", tuple(p.shape), p.numel(), 0, 0, None)
        for name, p in parameters.items()
    ]


def _tensors(values: Any) -> Iterator[torch.Tensor]:
    """The tensors among values, also inside lists, tuples and dicts."""
    for value in values:
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _tensors(value)
        elif isinstance(value, dict):
            yield from _tensors(value.values())
