"""Channels-last training changes no result, leaves nothing behind, and avoids what torch crashes on."""

from __future__ import annotations

import subprocess
import sys

import torch
from torch import nn

from compressors.layout import plain_again, train_channels_last

#: widths, stride, batch, height, width, bias of pointwise convolutions: torch 2.13 was seen to crash in each
CRASHES = [
    (4, 32, 2, 2, 14, 8, True),
    (7, 21, 2, 128, 14, 16, False),
    (2, 5, 2, 32, 16, 32, True),
    (3, 48, (2, 1), 5, 16, 32, False),
]
#: trains each for some steps, between two convolutions of 3 x 3
PROGRAM = """
import torch
from torch import nn
from compressors.layout import train_channels_last
torch.set_num_threads(1)
for into, out, stride, batch, height, width, bias in {cases}:
    module = nn.Sequential(
        nn.Conv2d(into, into, 3, padding=1), nn.Conv2d(into, out, 1, stride, bias=bias), nn.Conv2d(out, 4, 3, padding=1)
    )
    train_channels_last(module)
    for _ in range(5):
        rows = torch.randn(batch, into, height, width).contiguous(memory_format=torch.channels_last)
        module(rows).square().mean().backward()
"""


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 16, 1, stride=2),
        nn.Conv2d(16, 16, 3, padding=1, groups=16),
        nn.ConvTranspose2d(16, 8, 2, stride=2),
        nn.Flatten(),
        nn.Linear(8 * 8 * 8, 5),
    )


def gradients(module: nn.Module, rows: torch.Tensor) -> list[torch.Tensor]:
    module(rows).square().mean().backward()
    return [parameter.grad.clone() for parameter in module.parameters() if parameter.grad is not None]


def test_gradients_are_the_same_as_in_the_plain_layout() -> None:
    rows = torch.randn(6, 3, 8, 8)
    plain, laid_out = network(), network()
    train_channels_last(laid_out)
    found = gradients(laid_out, rows.contiguous(memory_format=torch.channels_last))
    for one, other in zip(gradients(plain, rows), found, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-4, atol=1e-6)


def test_weights_are_channels_last_but_those_of_strided_pointwise_convolutions() -> None:
    module = network()
    handles = train_channels_last(module)
    assert len(handles) == 1
    assert module[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert not module[0].weight.is_contiguous()
    assert module[3].weight.is_contiguous()


def test_plain_again_leaves_nothing_behind() -> None:
    module = network()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    plain_again(module, train_channels_last(module))
    assert all(value.is_contiguous() for value in module.state_dict().values())
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert not any(part._forward_pre_hooks for part in module.modules())


def test_training_does_not_crash_where_torch_does() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(cases=CRASHES)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"ended with {done.returncode}\n{done.stderr}"
