"""Interactive figures, alive in a notebook and in a page without a kernel.

The classes are imported when they are asked for: the site's build reads the scripts beside them without anywidget.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from utils.widgets.architecture_explorer import ArchitectureExplorer
    from utils.widgets.channel_mixer import ChannelMixer
    from utils.widgets.compare_runs import CompareRuns
    from utils.widgets.convolution_matrix import ConvolutionMatrix
    from utils.widgets.draw_digit import DrawDigit
    from utils.widgets.frequencies import Frequencies
    from utils.widgets.kernel_on_photo import KernelOnPhoto
    from utils.widgets.kernel_stepper import KernelStepper
    from utils.widgets.layer_ledger import LayerLedger
    from utils.widgets.pooling import Pooling
    from utils.widgets.receptive_field_tower import ReceptiveFieldTower
    from utils.widgets.training_curves import TrainingCurves
    from utils.widgets.transposed_convolution import TransposedConvolution
    from utils.widgets.your_photo import YourPhoto

_MODULES = {
    "ArchitectureExplorer": "architecture_explorer",
    "ChannelMixer": "channel_mixer",
    "CompareRuns": "compare_runs",
    "ConvolutionMatrix": "convolution_matrix",
    "DrawDigit": "draw_digit",
    "Frequencies": "frequencies",
    "KernelOnPhoto": "kernel_on_photo",
    "KernelStepper": "kernel_stepper",
    "LayerLedger": "layer_ledger",
    "Pooling": "pooling",
    "ReceptiveFieldTower": "receptive_field_tower",
    "TrainingCurves": "training_curves",
    "TransposedConvolution": "transposed_convolution",
    "YourPhoto": "your_photo",
}

# The scripts that stand before every figure's own; their first lines say what is in which.
SHARED = ("settings", "arithmetic", "examples", "functional", "networks", "common", "raster", "lenet", "efficientnet")

__all__ = [
    "ArchitectureExplorer",
    "ChannelMixer",
    "CompareRuns",
    "ConvolutionMatrix",
    "DrawDigit",
    "Frequencies",
    "KernelOnPhoto",
    "KernelStepper",
    "LayerLedger",
    "Pooling",
    "ReceptiveFieldTower",
    "TrainingCurves",
    "TransposedConvolution",
    "YourPhoto",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
