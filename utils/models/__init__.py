"""The networks of the course, one file each: functions that return an ``nn.Module``, named as in torchvision.

Their modules carry torchvision's names as well, so that its published weights load with ``load_state_dict``. Weights
start as PyTorch's layers initialise them.
"""

from utils.models.alexnet import alexnet
from utils.models.convnext import convnext_tiny
from utils.models.densenet import densenet121
from utils.models.efficientnet import efficientnet_b0
from utils.models.efficientnet_lite import efficientnet_lite0
from utils.models.googlenet import googlenet
from utils.models.lenet import lenet5
from utils.models.mobilenet import mobilenet_v2
from utils.models.resnet import resnet18, resnet34, resnet50, resnet101, resnet152
from utils.models.vgg import vgg11, vgg11_bn, vgg13, vgg13_bn, vgg16, vgg16_bn, vgg19, vgg19_bn

__all__ = [
    "alexnet",
    "convnext_tiny",
    "densenet121",
    "efficientnet_b0",
    "efficientnet_lite0",
    "googlenet",
    "lenet5",
    "mobilenet_v2",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "vgg11",
    "vgg11_bn",
    "vgg13",
    "vgg13_bn",
    "vgg16",
    "vgg16_bn",
    "vgg19",
    "vgg19_bn",
]
