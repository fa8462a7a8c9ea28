"""Small random networks of every family that paretrim takes, as torch modules with an example input."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


def conv(inside: int, outside: int, kernel: int = 3, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Convolution, batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inside, outside, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outside),
        nn.ReLU(),
    )


def head(features: int, classes: int = 5) -> nn.Sequential:
    """Global pooling and a linear layer."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(features, classes))


class Basic(nn.Module):
    """Residual block of two convolutions; shortcut: identity, 1x1 convolution, or option A."""

    def __init__(self, inside: int, outside: int, stride: int = 1, *, option_a: bool = False) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inside, outside, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outside)
        self.conv2 = nn.Conv2d(outside, outside, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outside)
        self.stride, self.added = stride, outside - inside
        self.option_a = option_a and inside != outside
        self.project = None
        if inside != outside and not option_a:
            self.project = nn.Sequential(nn.Conv2d(inside, outside, 1, stride, bias=False), nn.BatchNorm2d(outside))

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
        if self.option_a:
            half = self.added // 2
            x = functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, half, self.added - half))
        elif self.project is not None:
            x = self.project(x)
        return functional.relu(y + x)


class Bottleneck(nn.Module):
    """1x1, 3x3 (maybe grouped), 1x1."""

    def __init__(self, inside: int, width: int, outside: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.reduce = conv(inside, width, 1)
        self.spatial = conv(width, width, 3, stride, groups)
        self.expand = nn.Sequential(nn.Conv2d(width, outside, 1, bias=False), nn.BatchNorm2d(outside))
        self.project = nn.Sequential(nn.Conv2d(inside, outside, 1, stride, bias=False), nn.BatchNorm2d(outside))

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.project(x) + self.expand(self.spatial(self.reduce(x))))


class SqueezeExcite(nn.Module):
    """Channels weighed by what all positions say."""

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Conv2d(channels, squeezed, 1), nn.Conv2d(squeezed, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        weight = functional.hardsigmoid(self.fc2(functional.relu(self.fc1(functional.adaptive_avg_pool2d(x, 1)))))
        return x * weight


class Inverted(nn.Module):
    """Expand, depthwise, (squeeze-excite), project; residual where shapes allow."""

    def __init__(self, inside: int, hidden: int, outside: int, stride: int, act: type[nn.Module], *, se: bool) -> None:
        super().__init__()
        steps: list[nn.Module] = [nn.Conv2d(inside, hidden, 1, bias=False), nn.BatchNorm2d(hidden), act()]
        steps += [nn.Conv2d(hidden, hidden, 3, stride, 1, groups=hidden, bias=False), nn.BatchNorm2d(hidden), act()]
        steps += [SqueezeExcite(hidden, 4)] if se else []
        steps += [nn.Conv2d(hidden, outside, 1, bias=False), nn.BatchNorm2d(outside)]
        self.steps = nn.Sequential(*steps)
        self.residual = inside == outside and stride == 1

    def forward(self, x: Tensor) -> Tensor:
        y = self.steps(x)
        return x + y if self.residual else y


class ShuffleUnit(nn.Module):
    """ShuffleNetV2: half of the channels pass, half are worked on, then all are shuffled."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.branch = nn.Sequential(
            conv(half, half, 1),
            nn.Conv2d(half, half, 3, 1, 1, groups=half, bias=False),
            nn.BatchNorm2d(half),
            conv(half, half, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        first, second = x.chunk(2, dim=1)
        out = torch.cat((first, self.branch(second)), dim=1)
        n, c, h, w = out.shape
        return out.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)


class Fire(nn.Module):
    """SqueezeNet: squeeze, then two expansions put together."""

    def __init__(self, inside: int, squeezed: int, each: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inside, squeezed, 1)
        self.left, self.right = nn.Conv2d(squeezed, each, 1), nn.Conv2d(squeezed, each, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.squeeze(x))
        return torch.cat((functional.relu(self.left(x)), functional.relu(self.right(x))), 1)


class Inception(nn.Module):
    """GoogLeNet: four branches put together."""

    def __init__(self, inside: int) -> None:
        super().__init__()
        self.one = conv(inside, 4, 1)
        self.three = nn.Sequential(conv(inside, 3, 1), conv(3, 6))
        self.five = nn.Sequential(conv(inside, 2, 1), conv(2, 4, 5))
        self.pool = nn.Sequential(nn.MaxPool2d(3, 1, 1), conv(inside, 2, 1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat((self.one(x), self.three(x), self.five(x), self.pool(x)), 1)


class Dense(nn.Module):
    """DenseNet: every layer reads all before it; batch norm before the convolution."""

    def __init__(self, inside: int, growth: int, layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.BatchNorm2d(inside + i * growth), nn.ReLU(), nn.Conv2d(inside + i * growth, growth, 3, 1, 1)
            )
            for i in range(layers)
        )

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = torch.cat((x, layer(x)), 1)
        return x


class UNet(nn.Module):
    """Encoder and decoder with a skip connection and a transposed convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.deep = conv(3, 6), nn.Sequential(nn.MaxPool2d(2), conv(6, 8))
        self.up = nn.ConvTranspose2d(8, 6, 2, 2)
        self.join, self.last = conv(12, 6), nn.Conv2d(6, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        high = self.down(x)
        return self.last(self.join(torch.cat((high, self.up(self.deep(high))), 1)))


class Generator(nn.Module):
    """Image to image: downsampling, residual blocks with instance norm, upsampling."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.ReflectionPad2d(1), nn.Conv2d(3, 6, 3), nn.InstanceNorm2d(6, affine=True), nn.ReLU()
        )
        self.down = nn.Sequential(nn.Conv2d(6, 8, 3, 2, 1), nn.InstanceNorm2d(8, affine=True), nn.ReLU())
        self.block = nn.Sequential(nn.Conv2d(8, 8, 3, 1, 1), nn.PReLU(8), nn.Conv2d(8, 8, 3, 1, 1))
        self.up = nn.Sequential(
            nn.Upsample(scale_factor=2, mode="nearest"), nn.Conv2d(8, 6, 3, 1, 1), nn.LeakyReLU(0.2)
        )
        self.last = nn.Sequential(nn.Conv2d(6, 12, 3, 1, 1), nn.PixelShuffle(2), nn.Conv2d(3, 3, 3, 2, 1), nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        y = self.down(self.first(x))
        return self.last(self.up(y + self.block(y)))


class Attention(nn.Module):
    """Self-attention with separate projections."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.q, self.k, self.v, self.o = (nn.Linear(width, width) for _ in range(4))
        self.heads = heads

    def forward(self, x: Tensor) -> Tensor:
        b, t, w = x.shape
        q, k, v = (layer(x).view(b, t, self.heads, -1).transpose(1, 2) for layer in (self.q, self.k, self.v))
        weight = (q @ k.transpose(-2, -1) / (w // self.heads) ** 0.5).softmax(-1)
        return self.o((weight @ v).transpose(1, 2).reshape(b, t, w))


class Encoder(nn.Module):
    """Transformer encoder layer, norm behind (BERT) or before."""

    def __init__(self, width: int, heads: int, hidden: int, *, before: bool = False) -> None:
        super().__init__()
        self.attention = Attention(width, heads)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.up, self.down = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.before = before

    def forward(self, x: Tensor) -> Tensor:
        if self.before:
            x = x + self.attention(self.norm1(x))
            return x + self.down(functional.gelu(self.up(self.norm2(x))))
        x = self.norm1(x + self.attention(x))
        return self.norm2(x + self.down(functional.gelu(self.up(x))))


class TextClassifier(nn.Module):
    """Embedding, positions, two encoder layers, mean over tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens, self.positions = nn.Embedding(50, 16), nn.Parameter(torch.randn(1, 7, 16))
        self.layers = nn.Sequential(Encoder(16, 4, 24), Encoder(16, 4, 24, before=True))
        self.out = nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.layers(self.tokens(x) + self.positions).mean(1))


class VisionTransformer(nn.Module):
    """Patches, class token, torch's own encoder layers."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 16, 4, 4)
        self.token, self.positions = nn.Parameter(torch.randn(1, 1, 16)), nn.Parameter(torch.randn(1, 17, 16))
        self.attention, self.norm = nn.MultiheadAttention(16, 2, batch_first=True), nn.LayerNorm(16)
        self.up, self.down = nn.Linear(16, 20), nn.Linear(20, 16)
        self.out = nn.Linear(16, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat((self.token.expand(x.shape[0], -1, -1), x), 1) + self.positions
        y = self.norm(x)
        x = x + self.attention(y, y, y, need_weights=False)[0]
        return self.out((x + self.down(functional.gelu(self.up(x))))[:, 0])


class Recurrent(nn.Module):
    """Recurrent classifier: mean over steps of an LSTM in both directions, or the last state of a GRU."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.embed = nn.Linear(6, 8)
        self.cell: nn.Module = (
            nn.LSTM(8, 10, batch_first=True, bidirectional=True) if kind == "lstm" else nn.GRU(8, 10, batch_first=True)
        )
        self.out = nn.Linear(20 if kind == "lstm" else 10, 4)

    def forward(self, x: Tensor) -> Tensor:
        steps, last = self.cell(functional.relu(self.embed(x)))
        return self.out(steps.mean(1) if self.kind == "lstm" else last[-1])


class Mixer(nn.Module):
    """MLP-Mixer: linear layers along positions and along channels."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 12, 4, 4)
        self.norm1, self.norm2 = nn.LayerNorm(12), nn.LayerNorm(12)
        self.along = nn.Sequential(nn.Linear(16, 10), nn.GELU(), nn.Linear(10, 16))
        self.across = nn.Sequential(nn.Linear(12, 20), nn.GELU(), nn.Linear(20, 12))
        self.out = nn.Linear(12, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = x + self.along(self.norm1(x).transpose(1, 2)).transpose(1, 2)
        return self.out((x + self.across(self.norm2(x))).mean(1))


def _vgg() -> nn.Module:
    return nn.Sequential(
        conv(3, 6), conv(6, 8), nn.MaxPool2d(2), conv(8, 10), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(160, 12), nn.ReLU(),  # noqa: E501
        nn.Dropout(0.5), nn.Linear(12, 5),
    )  # fmt: skip


def _keyword_spotting() -> nn.Module:
    def separable(width: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv2d(width, width, 3, 1, 1, groups=width), nn.ReLU(), nn.Conv2d(width, width, 1), nn.ReLU()
        )

    first = nn.Sequential(nn.ZeroPad2d((1, 2, 4, 5)), nn.Conv2d(1, 8, (10, 4), 2), nn.BatchNorm2d(8), nn.ReLU())
    return nn.Sequential(first, separable(8), separable(8), nn.AvgPool2d((25, 5)), nn.Flatten(), nn.Linear(8, 12))


def _audio() -> nn.Module:
    return nn.Sequential(
        nn.Conv1d(1, 8, 9, 4, 4), nn.BatchNorm1d(8), nn.ReLU(), nn.MaxPool1d(2), nn.Conv1d(8, 12, 3, padding=2, dilation=2),  # noqa: E501
        nn.ReLU(), nn.Conv1d(12, 12, 3, padding=1, groups=12), nn.ELU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(12, 4),  # noqa: E501
    )  # fmt: skip


def _autoencoder() -> nn.Module:
    return nn.Sequential(
        nn.Linear(20, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 4), nn.ReLU(), nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 20)  # noqa: E501
    )  # fmt: skip


def _mobile(act: type[nn.Module], *, se: bool) -> nn.Module:
    return nn.Sequential(
        conv(3, 8, stride=2), Inverted(8, 16, 8, 1, act, se=se), Inverted(8, 16, 12, 2, act, se=se), Inverted(12, 24, 12, 1, act, se=se), head(12)  # noqa: E501
    )  # fmt: skip


IMAGE = (3, 16, 16)

#: by family: how to make one, and the shape of one sample
FAMILIES: dict[str, tuple[Callable[[], nn.Module], Sequence[int]]] = {
    "vgg": (_vgg, IMAGE),
    "resnet_basic": (lambda: nn.Sequential(conv(3, 6), Basic(6, 6), Basic(6, 10, 2), Basic(10, 10), head(10)), IMAGE),
    "resnet_option_a": (
        lambda: nn.Sequential(conv(3, 6), Basic(6, 6), Basic(6, 10, 2, option_a=True), Basic(10, 10), head(10)), IMAGE
    ),
    "resnet_bottleneck": (
        lambda: nn.Sequential(conv(3, 8), nn.MaxPool2d(3, 2, 1), Bottleneck(8, 4, 12), Bottleneck(12, 6, 16, 2), head(16)), IMAGE  # noqa: E501
    ),
    "resnext": (lambda: nn.Sequential(conv(3, 8), Bottleneck(8, 12, 16, 1, 3), Bottleneck(16, 12, 16, 2, 3), head(16)), IMAGE),  # noqa: E501
    "mobilenet_v1": (
        lambda: nn.Sequential(conv(3, 8, stride=2), conv(8, 8, groups=8), conv(8, 12, 1), conv(12, 12, 3, 2, 12), conv(12, 16, 1), head(16)), IMAGE  # noqa: E501
    ),
    "mobilenet_v2": (lambda: _mobile(nn.ReLU6, se=False), IMAGE),
    "mobilenet_v3": (lambda: _mobile(nn.Hardswish, se=True), IMAGE),
    "efficientnet": (lambda: _mobile(nn.SiLU, se=True), IMAGE),
    "efficientnet_lite": (lambda: _mobile(nn.ReLU6, se=False), IMAGE),
    "shufflenet_v2": (lambda: nn.Sequential(conv(3, 8), ShuffleUnit(8), ShuffleUnit(8), head(8)), IMAGE),
    "squeezenet": (
        lambda: nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True), Fire(8, 4, 6), Fire(12, 4, 6), nn.Conv2d(12, 5, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()), IMAGE  # noqa: E501
    ),
    "googlenet": (
        lambda: nn.Sequential(conv(3, 6), nn.LocalResponseNorm(5), Inception(6), Inception(16), nn.AvgPool2d(3, 2, 1), head(16)), IMAGE  # noqa: E501
    ),
    "densenet": (
        lambda: nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), Dense(6, 4, 3), nn.BatchNorm2d(18), nn.ReLU(), nn.Conv2d(18, 9, 1), nn.AvgPool2d(2), Dense(9, 4, 2), head(17)), IMAGE  # noqa: E501
    ),
    "keyword_spotting": (_keyword_spotting, (1, 49, 10)),
    "audio": (_audio, (1, 256)),
    "autoencoder": (_autoencoder, (20,)),
    "transformer": (TextClassifier, (7,)),
    "vision_transformer": (VisionTransformer, IMAGE),
    "mixer": (Mixer, IMAGE),
    "unet": (UNet, IMAGE),
    "generator": (Generator, IMAGE),
    "lstm": (lambda: Recurrent("lstm"), (9, 6)),
    "gru": (lambda: Recurrent("gru"), (9, 6)),
}  # fmt: skip


def make(family: str, seed: int = 0) -> nn.Module:
    """A network of a family with random weights and batch norms that have seen something."""
    torch.manual_seed(seed)
    module = FAMILIES[family][0]()
    for part in module.modules():
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.uniform_(part.weight, 0.5, 1.5)
            nn.init.normal_(part.bias, std=0.2)
            assert part.running_mean is not None
            assert part.running_var is not None
            nn.init.normal_(part.running_mean, std=0.2)
            nn.init.uniform_(part.running_var, 0.5, 1.5)
    return module.eval()


def samples(family: str, count: int, seed: int = 0) -> Tensor:
    """Random inputs for a family."""
    generator = torch.Generator().manual_seed(seed)
    shape = (count, *FAMILIES[family][1])
    if family == "transformer":
        return torch.randint(0, 50, shape, generator=generator)
    return torch.randn(shape, generator=generator)
