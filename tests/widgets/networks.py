"""What the architecture explorer is tested with: networks of the course, and one without anything to multiply."""

import torch
from torch import nn

from utils import models
from utils.profiling import profile
from utils.widgets import ArchitectureExplorer

with torch.device("meta"):  # shapes are enough
    NETWORKS = {
        "LeNet-5": profile(models.lenet5(), (1, 28, 28)),
        "AlexNet": profile(models.alexnet(), (3, 224, 224)),
        "VGG-16": profile(models.vgg16(), (3, 224, 224)),
        "GoogLeNet": profile(models.googlenet(), (3, 224, 224)),
        "ResNet-18": profile(models.resnet18(), (3, 224, 224)),
        "ResNet-50": profile(models.resnet50(), (3, 224, 224)),
        "DenseNet-121": profile(models.densenet121(), (3, 224, 224)),
        "MobileNetV2": profile(models.mobilenet_v2(), (3, 224, 224)),
        "EfficientNet-B0": profile(models.efficientnet_b0(), (3, 224, 224)),
        "ConvNeXt-T": profile(models.convnext_tiny(), (3, 224, 224)),
    }
FEW = {name: NETWORKS[name] for name in ("AlexNet", "VGG-16", "ResNet-18")}
POOLED = {"Pooling": profile(nn.Sequential(nn.MaxPool2d(2), nn.Flatten()), (3, 8, 8))}


class Explorer(ArchitectureExplorer):
    """The figure with something to show if it is given nothing, as all others have."""

    def __init__(self, profiles=FEW, *arguments, **traits):
        super().__init__(profiles, *arguments, **traits)
