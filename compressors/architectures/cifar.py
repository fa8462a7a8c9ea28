"""Networks for 32 x 32 images: ResNets with and without shortcuts, VGG-16."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class Shortcut(nn.Module):
    """Option A: every second position, and zeros for the channels that are new, half of them before and half behind."""

    def __init__(self, added: int) -> None:
        super().__init__()
        self.added = added

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C + added, H / 2, W / 2)."""
        half = self.added // 2
        return functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, half, self.added - half))


class Block(nn.Module):
    """Two 3x3 convolutions, added to their input."""

    def __init__(self, inside: int, outside: int, stride: int, *, shortcut: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inside, outside, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outside)
        self.conv2 = nn.Conv2d(outside, outside, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outside)
        self.adds = shortcut
        self.shortcut = Shortcut(outside - inside) if shortcut and inside != outside else None

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C', H', W')."""
        y = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
        if self.adds:
            y = y + (x if self.shortcut is None else self.shortcut(x))
        return functional.relu(y)


class ResNet(nn.Module):
    """Depth 6 n + 2: three stages of n blocks with 16, 32 and 64 channels. shortcuts=False: a plain network."""

    layer1: nn.Sequential
    layer2: nn.Sequential
    layer3: nn.Sequential

    def __init__(self, depth: int, classes: int, *, shortcuts: bool = True) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        inside = 16
        for stage, width in enumerate((16, 32, 64), start=1):
            blocks = []
            for number in range((depth - 2) // 6):
                stride = 2 if stage > 1 and number == 0 else 1
                blocks.append(Block(inside, width, stride, shortcut=shortcuts))
                inside = width
            setattr(self, f"layer{stage}", nn.Sequential(*blocks))
        self.linear = nn.Linear(64, classes)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, 32, 32) -> (N, classes)."""
        x = functional.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(x.mean((2, 3)))  # type: ignore[no-any-return]


class Vgg(nn.Module):
    """Convolutions with batch norm, pooling in between, one linear layer."""

    def __init__(self, widths: tuple[int | None, ...], classes: int) -> None:
        super().__init__()
        steps: list[nn.Module] = []
        inside = 3
        for width in widths:
            if width is None:
                steps.append(nn.MaxPool2d(2))
                continue
            steps += [nn.Conv2d(inside, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
            inside = width
        self.features = nn.Sequential(*steps)
        self.classifier = nn.Linear(inside, classes)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, 32, 32) -> (N, classes)."""
        return self.classifier(self.features(x).flatten(1))  # type: ignore[no-any-return]


def vgg16(classes: int) -> nn.Module:
    """VGG-16 (Simonyan and Zisserman, ICLR 2015) as it is used for CIFAR: None is a pool."""
    stages = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
    return Vgg(tuple(width for stage in stages for width in (*stage, None)), classes)
