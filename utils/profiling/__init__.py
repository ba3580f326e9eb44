"""What each layer of a network makes and costs: output shape, parameters, MACs, bytes, receptive field.

``profile(model, (3, 224, 224))`` runs a copy of the model on PyTorch's meta device, where tensors have shapes and no
values, and counts at the operators that PyTorch really calls: functional operations and residual additions are seen
as well as modules.
"""

from utils.profiling.report import LayerProfile, ModelProfile
from utils.profiling.trace import profile

__all__ = ["LayerProfile", "ModelProfile", "profile"]
