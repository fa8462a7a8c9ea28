"""The four networks of MLPerf Tiny (Banbury et al., NeurIPS 2021 Datasets and Benchmarks)."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

from compressors.architectures.mobile import Classifier, separable_features


def keyword_spotting(classes: int) -> nn.Module:
    """DS-CNN: one convolution and four depthwise separable ones over 49 x 10 MFCC features."""

    def step(convolution: nn.Conv2d) -> list[nn.Module]:
        return [convolution, nn.BatchNorm2d(64), nn.ReLU()]

    steps: list[nn.Module] = [nn.ZeroPad2d((1, 1, 4, 5)), *step(nn.Conv2d(1, 64, (10, 4), 2)), nn.Dropout(0.2)]
    for _ in range(4):
        steps += step(nn.Conv2d(64, 64, 3, padding=1, groups=64)) + step(nn.Conv2d(64, 64, 1))
    return Classifier(nn.Sequential(*steps, nn.Dropout(0.4)), nn.Linear(64, classes))


class _Block(nn.Module):
    def __init__(self, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inside, outside, 3, stride, 1), nn.BatchNorm2d(outside)
        self.conv2, self.bn2 = nn.Conv2d(outside, outside, 3, 1, 1), nn.BatchNorm2d(outside)
        self.shortcut = nn.Conv2d(inside, outside, 1, stride) if inside != outside else None

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
        return functional.relu(y + (x if self.shortcut is None else self.shortcut(x)))


def image_classification(classes: int) -> nn.Module:
    """ResNet-8 for 32 x 32 images."""
    first = nn.Sequential(nn.Conv2d(3, 16, 3, 1, 1), nn.BatchNorm2d(16), nn.ReLU())
    blocks = [_Block(16, 16, 1), _Block(16, 32, 2), _Block(32, 64, 2)]
    return Classifier(nn.Sequential(*first, *blocks), nn.Linear(64, classes))


def person_detection(classes: int) -> nn.Module:
    """MobileNet V1 with a quarter of the widths, for 96 x 96 images."""
    features, channels = separable_features(3, 0.25)
    return Classifier(features, nn.Linear(channels, classes))


class Autoencoder(nn.Module):
    """Fully connected: four layers of 128, a bottleneck of 8, four layers of 128."""

    def __init__(self, features: int) -> None:
        super().__init__()
        widths = (features, 128, 128, 128, 128, 8, 128, 128, 128, 128)
        steps: list[nn.Module] = []
        for inside, outside in pairwise(widths):
            steps += [nn.Linear(inside, outside), nn.BatchNorm1d(outside), nn.ReLU()]
        self.layers = nn.Sequential(*steps, nn.Linear(128, features))

    def forward(self, x: Tensor) -> Tensor:
        """(N, features) -> (N, features)."""
        return self.layers(x)  # type: ignore[no-any-return]


def anomaly_detection(features: int) -> nn.Module:
    """The input is reproduced; how badly tells how strange it is."""
    return Autoencoder(features)
