"""One forward pass of a model without values: which operators make which rows, and where an error was met."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

from utils.arithmetic import integer
from utils.profiling.fields import EVERYTHING, Layout, input_layout, receptive_field
from utils.profiling.operators import Operator, describe, empty_like
from utils.profiling.report import LayerProfile, ModelProfile

_PLAIN = {type(None), bool, int, float, str}


def profile(model: nn.Module, input_size: Sequence[int]) -> ModelProfile:
    """Profile ``model`` on one example of ``input_size``, such as (3, 224, 224): without the batch axis.

    The model is neither run nor changed: a copy without data and without hooks is, in evaluation mode, on an input
    of its parameters' dtype. A row is a layer without children, whatever it does inside, one operation of a
    ``forward`` between layers, or a bare parameter; a module that is called twice has two rows, its parameters in
    the first.

    MACs are those of convolutions and matrix products, in all other operators none; bias and normalisation are not
    counted. Bytes are those of newly written results: none for a view such as flatten, none where an operation
    works in place. The receptive field is the largest of all paths; upsampling counts the most pixels that any position
    sees. It is None where every position sees the whole input (after global pooling, a dense layer on a flattened map,
    normalisation over positions, attention; with squeeze-and-excitation therefore from the first block on).

    ``ValueError`` where ``input_size`` is no shape, where a layer refuses what reaches it (the message names the
    layer and the shapes), and where ``forward`` asks for the values of a tensor.
    """
    if not isinstance(model, nn.Module):
        raise ValueError(f"model must be a torch.nn.Module, got {type(model).__name__}")
    if not isinstance(input_size, Sequence) or isinstance(input_size, str) or not input_size:
        raise ValueError(f"input_size must be the shape of one example, such as (3, 224, 224), got {input_size!r}")
    size = tuple(integer("each number of input_size", number, 1) for number in input_size)
    twin = _without_data(model)
    dtypes = [tensor.dtype for tensor in twin.parameters() if tensor.is_floating_point()]
    example = torch.empty((1, *size), dtype=dtypes[0] if dtypes else None, device="meta")
    trace = _Trace(twin)
    trace.layouts[example] = input_layout(example.shape)
    try:
        with torch.no_grad(), trace:
            twin(example)
    except Exception as error:
        raise ValueError(trace.explain(error)) from error
    return ModelProfile(type(model).__name__, size, (*trace.rows, *trace.left_over()))


def _without_data(model: nn.Module) -> nn.Module:
    """A copy of the model on the meta device, in evaluation mode and without hooks."""
    known: dict[int, Any] = {}  # what deepcopy takes for already copied
    modules = list(model.modules())
    try:
        for module in modules:
            known[id(module)] = object.__new__(type(module))
            attributes = [value for value in vars(module).values() if isinstance(value, torch.Tensor)]
            for tensor in (*attributes, *module._buffers.values(), *module._parameters.values()):
                if tensor is not None and id(tensor) not in known:
                    empty = empty_like(tensor)
                    known[id(tensor)] = nn.Parameter(empty, False) if isinstance(tensor, nn.Parameter) else empty
        for module in modules:
            vars(known[id(module)]).update(
                (name, OrderedDict() if "_hooks" in name else _copy(value, known))
                for name, value in vars(module).items()
            )
    except Exception as error:
        raise ValueError(f"{type(model).__name__} cannot be copied: {error}") from error
    twin: nn.Module = known[id(model)]
    return twin.eval()


def _copy(value: Any, known: dict[int, Any]) -> Any:
    kind = type(value)
    if kind in _PLAIN or (kind is tuple and all(type(element) in _PLAIN for element in value)):
        return value  # as most attributes, which deepcopy takes long to see
    return copy.deepcopy(value, known) if value or kind not in (dict, set) else kind()


class _Call(NamedTuple):
    """A module whose forward pass has begun: ``start`` rows were there before."""

    name: str
    module: nn.Module
    start: int
    inputs: Sequence[Any]


class _Trace(TorchDispatchMode):
    """Sees every operator of a forward pass, and the module whose forward it belongs to."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.rows: list[LayerProfile] = []
        self.calls: list[_Call] = []
        self.counted: set[int] = set()  # parameters that have a row
        self.used: set[int] = set()  # tensors that an operator has read
        self.layouts: dict[torch.Tensor, Layout] = {}  # of tensors that depend on the input
        self.running: tuple[Operator, Sequence[Any]] | None = None  # an operator and its arguments
        self.failed: tuple[Exception, _Call, tuple[Operator, Sequence[Any]] | None] | None = None
        self.modules = list(model.named_modules())
        for name, module in self.modules:
            vars(module)["forward"] = partial(self._call, name, module, module.forward)

    def _call(self, name: str, module: nn.Module, forward: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
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
        field = None if result is None else receptive_field(self.layouts.get(result))
        self.rows[call.start :] = [LayerProfile(call.name or kind, kind, shape, parameters, macs, written, field)]

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        tensors = list(_tensors(args))
        if not any(tensor.is_meta for tensor in tensors):
            return func(*args, **kwargs)  # constants
        if not all(tensor.is_meta for tensor in tensors):
            args = tree_map_only(torch.Tensor, lambda tensor: tensor.to("meta"), args)
        if kwargs.get("device") is not None:
            kwargs = {**kwargs, "device": torch.device("meta")}
        operator = describe(func)
        self.running = operator, args
        out = operator.run(func, args, kwargs)
        self.running = None
        self.used.update(map(id, tensors))
        self._count(operator, args, [self.layouts.get(tensor) for tensor in tensors], out)
        return out

    def _count(self, operator: Operator, args: Sequence[Any], layouts: Sequence[Layout | None], out: Any) -> None:
        results = [out] if isinstance(out, torch.Tensor) else list(_tensors((out,)))
        if not results:
            return
        result, macs = results[0], operator.macs(args, results[0])
        depends = layouts.count(None) < len(layouts)
        if depends:
            for each in results[: 1 if isinstance(out, tuple) else None]:  # of several, the rest is bookkeeping
                if (layout := operator.layout(layouts, args, each)) is not None:
                    self.layouts[each] = layout
            if operator.in_place and result._base is not None:
                self.layouts[result._base] = EVERYTHING  # a part of it sees something else now
        if operator.views or not (depends or macs):  # else it is made of parameters alone
            return
        kind, field = operator.kind(args), receptive_field(self.layouts.get(result))
        row = f"{self.calls[-1].name}.{kind}".lstrip(".")
        written = 0 if operator.in_place else result.nbytes
        self.rows.append(LayerProfile(row, kind, tuple(result.shape[1:]), 0, macs, written, field))

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
            if rest := sum(parameter.numel() for key, parameter in own.items() if key not in used):
                yield LayerProfile(name, type(module).__name__, None, rest, 0, 0, None)

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
