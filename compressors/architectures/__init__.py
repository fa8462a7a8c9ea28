"""Networks that can be uploaded as safetensors: the file holds the weights, the architecture comes from here.

ARCHITECTURES maps a name to how the network is built for a number of classes, and to the shape of its input. The
layers' names are those of the file's tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import nn

from compressors.architectures import cifar, mobile, tiny


@dataclass(frozen=True, slots=True)
class Architecture:
    """How to build a network, and what it takes."""

    build: Callable[[int], nn.Module]  #: from the number of outputs
    input_shape: tuple[int, ...]  #: of one sample
    output: str  #: name of the tensor whose first extent is the number of outputs
    summary: str


ARCHITECTURES: Mapping[str, Architecture] = {
    **{
        f"resnet{depth}_cifar": Architecture(
            lambda classes, depth=depth: cifar.ResNet(depth, classes),  # type: ignore[misc]
            (3, 32, 32),
            "linear.weight",
            f"ResNet-{depth} for 32 x 32 images, option-A shortcuts (He et al., CVPR 2016)",
        )
        for depth in (20, 32, 44, 56, 110)
    },
    "plain20_cifar": Architecture(
        lambda classes: cifar.ResNet(20, classes, shortcuts=False),
        (3, 32, 32),
        "linear.weight",
        "ResNet-20 without its shortcuts",
    ),
    "vgg16_bn_cifar": Architecture(
        cifar.vgg16, (3, 32, 32), "classifier.weight", "VGG-16 with batch norm for 32 x 32 images"
    ),
    "mobilenet_v1": Architecture(
        mobile.mobilenet_v1, (3, 224, 224), "classifier.weight", "MobileNet (Howard et al., 2017)"
    ),
    "mobilenet_v2": Architecture(
        mobile.mobilenet_v2, (3, 224, 224), "classifier.1.weight", "MobileNetV2 (Sandler et al., CVPR 2018)"
    ),
    "tiny_keyword_spotting": Architecture(
        tiny.keyword_spotting, (1, 49, 10), "classifier.weight", "MLPerf Tiny: DS-CNN for keywords"
    ),
    "tiny_image_classification": Architecture(
        tiny.image_classification, (3, 32, 32), "classifier.weight", "MLPerf Tiny: ResNet-8 for CIFAR-10"
    ),
    "tiny_person_detection": Architecture(
        tiny.person_detection, (3, 96, 96), "classifier.weight", "MLPerf Tiny: MobileNet 0.25 for people in sight"
    ),
    "tiny_anomaly_detection": Architecture(
        tiny.anomaly_detection, (640,), "layers.27.weight", "MLPerf Tiny: autoencoder for machine sounds"
    ),
}
