"""What is known of an operator as PyTorch's dispatcher calls it: how it is counted, how it moves a receptive field.

``utils.profiling.table`` has what PyTorch does not say itself. An operator without a line there is no product and
leaves pixels where they are if PyTorch tags it as pointwise, and counts nothing if it only gives a view; of any other
it is said that its multiply-accumulates are not counted, and its receptive field is not known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeAlias, cast

import torch

from utils.profiling import rules
from utils.profiling.fields import Lost, Sees
from utils.profiling.layouts import Layout
from utils.profiling.table import RULES, Rule

Arguments: TypeAlias = Sequence[Any]


class Operator(NamedTuple):
    """An operator: ``views`` if its result is memory of its input, ``in_place`` if it writes there.

    ``counted`` says that what ``macs`` gives is all there is.
    """

    name: str
    rule: Rule
    counted: bool
    pointwise: bool
    views: bool
    in_place: bool

    def kind(self, args: Arguments) -> str:
        """The name under which torch.nn.functional or torch has the operator."""
        kind = self.rule.kind
        if callable(kind):
            return kind(args)
        return kind or self.name.strip("_").removeprefix("native_").removesuffix("_with_indices")

    def macs(self, args: Arguments, out: torch.Tensor) -> int:
        """Multiply-accumulates of a call with result ``out``."""
        return self.rule.macs(args, out) if self.rule.macs else 0

    def layout(
        self, layouts: Sequence[Layout | None], args: Arguments, kwargs: Mapping[str, Any], out: torch.Tensor
    ) -> Layout | None:
        """The layout of a result, from those of the tensors among the arguments (at least one has one)."""
        if self.rule.layout is None:
            return None
        for sees in Sees:
            if sees in layouts:
                return sees
        try:
            if "dim" in kwargs:  # the rules look for it among the arguments with a place
                raise Lost
            return self.rule.layout(cast(rules.Layouts, layouts), args, out)
        except Lost as lost:
            return lost.sees

    def run(self, func: Any, args: Arguments, kwargs: Any) -> Any:
        """Call the operator ``func`` on the meta device, or say without it what is plain and torch is slow to make."""
        if self.in_place and self.pointwise and len({arg.shape for arg in args if isinstance(arg, torch.Tensor)}) == 1:
            return args[0]
        made = self.rule.on_meta and self.rule.on_meta(args)
        return func(*args, **kwargs) if made is None else made


@cache
def describe(func: Any) -> Operator:
    """What the table and the schema of torch's operator ``func`` say of it."""
    aliases = [result.alias_info for result in func._schema.returns if result.alias_info]
    name, written = func.overloadpacket.__name__, any(alias.is_write for alias in aliases)
    moves = torch.Tag.inplace_view in func.tags  # writes another shape, not other numbers
    views = name == "_unsafe_view" or moves or (bool(aliases) and not written)
    plain = name.removesuffix("_")  # where the operator works in place
    pointwise, rule = _is_pointwise(func), None
    if func.namespace == "aten":
        pointwise = pointwise or any(map(_is_pointwise, _overloads(plain)))
        rule = RULES.get(name) or RULES.get(plain)
    else:
        name = f"{func.namespace}.{name}"
    counted = rule is not None or pointwise or views
    if pointwise:
        rule = (rule or Rule())._replace(layout=rules.join)
    return Operator(name, rule or Rule(), counted, pointwise, views, written and not moves)


def _is_pointwise(func: Any) -> bool:
    return torch.Tag.pointwise in func.tags


def _overloads(name: str) -> list[Any]:
    packet = getattr(torch.ops.aten, name, None)
    return [getattr(packet, overload) for overload in packet.overloads()] if packet else []
