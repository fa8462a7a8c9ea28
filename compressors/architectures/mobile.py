"""MobileNets for 224 x 224 images."""

from __future__ import annotations

from torch import Tensor, nn


def convolution(
    inside: int, outside: int, kernel: int, stride: int, groups: int, act: type[nn.Module] | None
) -> nn.Sequential:
    """Convolution, batch norm, activation."""
    steps: list[nn.Module] = [
        nn.Conv2d(inside, outside, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outside),
    ]
    return nn.Sequential(*steps, *([act()] if act else []))


class Classifier(nn.Module):
    """Features, mean over positions, a linear layer."""

    def __init__(self, features: nn.Sequential, classifier: nn.Module) -> None:
        super().__init__()
        self.features = features
        self.classifier = classifier

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, classes)."""
        return self.classifier(self.features(x).mean((2, 3)))  # type: ignore[no-any-return]


#: MobileNet V1: width and stride of each depthwise separable layer
_V1 = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *((512, 1),) * 5, (1024, 2), (1024, 1))
#: MobileNet V2: expansion, width, repeats and stride of each stage (table 2)
_V2 = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))


def separable_features(channels: int, width: float) -> tuple[nn.Sequential, int]:
    """MobileNet V1 without its classifier, all widths times `width`. Returns it and its output channels."""
    inside = int(32 * width)
    steps: list[nn.Module] = [convolution(channels, inside, 3, 2, 1, nn.ReLU)]
    for wide, stride in _V1:
        outside = int(wide * width)
        steps.append(convolution(inside, inside, 3, stride, inside, nn.ReLU))
        steps.append(convolution(inside, outside, 1, 1, 1, nn.ReLU))
        inside = outside
    return nn.Sequential(*steps), inside


def mobilenet_v1(classes: int) -> nn.Module:
    """Depthwise separable convolutions."""
    features, channels = separable_features(3, 1.0)
    return Classifier(features, nn.Linear(channels, classes))


class InvertedResidual(nn.Module):
    """Expand, depthwise, project; added to its input where the shapes allow."""

    def __init__(self, inside: int, outside: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = inside * expansion
        steps = [convolution(inside, hidden, 1, 1, 1, nn.ReLU6)] if expansion > 1 else []
        steps.append(convolution(hidden, hidden, 3, stride, hidden, nn.ReLU6))
        last = convolution(hidden, outside, 1, 1, 1, None)
        self.conv = nn.Sequential(*steps, last[0], last[1])
        self.residual = stride == 1 and inside == outside

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C', H', W')."""
        y: Tensor = self.conv(x)
        return x + y if self.residual else y


def mobilenet_v2(classes: int) -> nn.Module:
    """Inverted residuals, with the layout of torchvision's weights."""
    inside = 32
    steps: list[nn.Module] = [convolution(3, inside, 3, 2, 1, nn.ReLU6)]
    for expansion, width, repeats, stride in _V2:
        for number in range(repeats):
            steps.append(InvertedResidual(inside, width, stride if number == 0 else 1, expansion))
            inside = width
    steps.append(convolution(inside, 1280, 1, 1, 1, nn.ReLU6))
    return Classifier(nn.Sequential(*steps), nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, classes)))
