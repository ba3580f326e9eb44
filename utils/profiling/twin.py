"""A copy of a model without data, on PyTorch's meta device, and what it is given: tensors have shapes and no values."""

from __future__ import annotations

import copy
import inspect
from collections import Counter, OrderedDict, deque
from collections.abc import Sequence
from textwrap import shorten
from typing import Any

import torch
from torch import nn
from torch.nn.modules.lazy import LazyModuleMixin
from torch.nn.parameter import UninitializedBuffer, UninitializedParameter, is_lazy

from utils.arithmetic import integer
from utils.profiling.table import empty_like

_PLAIN = {type(None), bool, int, float, str}
_EXAMPLE = "input_size must be the shape of one example, such as (3, 224, 224)"


def examples(model: nn.Module, input_size: Sequence[Any]) -> list[torch.Tensor]:
    """Batches of one, for each input that ``input_size`` names: a single one for all that ``forward`` needs.

    Their dtype is the one that most of the parameters have; an input may be given as a tensor of another.
    """
    if not isinstance(input_size, Sequence) or isinstance(input_size, str) or not input_size:
        raise ValueError(f"{_EXAMPLE}, got {shorten(repr(input_size), 80)}")
    one = not any(isinstance(each, (Sequence, torch.Tensor)) for each in input_size)
    inputs = [input_size] * _needed(model) if one else input_size
    dtypes: Counter[torch.dtype] = Counter()
    for parameter in model.parameters():
        if not is_lazy(parameter) and (parameter.is_floating_point() or parameter.is_complex()):
            dtypes[parameter.dtype] += parameter.numel()
    usual = dtypes.most_common(1)[0][0] if dtypes else None
    return [_example(each, usual) for each in inputs]


def _example(shape: Any, dtype: torch.dtype | None) -> torch.Tensor:
    if isinstance(shape, torch.Tensor):
        shape, dtype = shape.shape, shape.dtype
    if not isinstance(shape, Sequence) or isinstance(shape, str):
        raise ValueError(f"{_EXAMPLE}, got {shape!r}")
    size = [integer("each number of input_size", number, 1) for number in shape]
    return torch.empty((1, *size), dtype=dtype, device="meta")


def _needed(model: nn.Module) -> int:
    """How many inputs the model's forward cannot do without."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(model.forward).parameters.values()
    return max(1, sum(each.kind in kinds and each.default is each.empty for each in parameters))


def without_data(model: nn.Module) -> nn.Module:
    """A copy of the model on the meta device, in evaluation mode and without hooks."""
    modules = list(model.modules())
    for module in modules:
        if isinstance(module, torch.jit.ScriptModule):
            raise ValueError(
                f"{type(model).__name__} is scripted or traced ({module.original_name}), and what runs outside Python "
                "cannot be seen: profile the model that it was made from"
            )
    known: dict[int, Any] = {id(module): object.__new__(type(module)) for module in modules}
    for module in modules:
        for tensor in (*module._buffers.values(), *module._parameters.values()):
            if tensor is not None:
                _copy(tensor, known)
    for module in modules:
        for name, value in vars(module).items():
            try:
                empty = "_hooks" in name or name == "_compiled_call_impl"
                copied = (OrderedDict() if "_hooks" in name else None) if empty else _copy(value, known)
            except Exception as error:
                raise ValueError(f"{type(model).__name__} cannot be copied: its {name!r}, {error}") from error
            vars(known[id(module)])[name] = copied
    twin: nn.Module = known[id(model)]
    try:
        return twin.eval()
    except NotImplementedError:  # torch.export's, which are in the mode that they were exported in
        return twin


def _copy(value: Any, known: dict[int, Any]) -> Any:
    """A copy of what a module holds, tensors without their data; ``known`` has what is copied, by its identity."""
    kind = type(value)
    if kind in _PLAIN or (kind is tuple and all(type(element) in _PLAIN for element in value)):
        return value  # as most attributes, which deepcopy takes long to see
    if id(value) in known:
        return known[id(value)]
    if isinstance(value, torch.Tensor):
        made: Any = _empty(value)
    elif isinstance(value, tuple):
        each = [_copy(element, known) for element in value]
        made = kind(*each) if hasattr(value, "_fields") else tuple(each)
    elif isinstance(value, (list, set, dict, deque)):
        made = known[id(value)] = copy.copy(value)
        made.clear()
        if isinstance(value, dict):
            made.update((_copy(key, known), _copy(element, known)) for key, element in value.items())
        else:
            (made.update if isinstance(value, set) else made.extend)(_copy(element, known) for element in value)
    else:
        made = _copy_object(value, known)
    known[id(value)] = made
    return made


def _copy_object(value: Any, known: dict[int, Any]) -> Any:
    try:
        return copy.deepcopy(value, known)
    except RuntimeError:  # it holds a result of autograd, which only a module may
        if not hasattr(value, "__dict__"):
            raise
    made = known[id(value)] = copy.copy(value)
    vars(made).update((name, _copy(each, known)) for name, each in vars(value).items())
    return made


def _empty(tensor: torch.Tensor) -> torch.Tensor:
    if isinstance(tensor, (UninitializedParameter, UninitializedBuffer)):
        kind: Any = type(tensor)
        lazy: torch.Tensor = kind(device="meta", dtype=tensor.dtype)
        return lazy
    empty = empty_like(tensor)
    return nn.Parameter(empty, False) if isinstance(tensor, nn.Parameter) else empty


def settle(module: nn.Module, args: Sequence[Any]) -> None:
    """Give a lazy layer, which learns its sizes from what reaches it first, its parameters."""
    if isinstance(module, LazyModuleMixin) and module.has_uninitialized_params():
        module.initialize_parameters(*args)
        if module.cls_to_become is not None:
            module.__class__ = module.cls_to_become
