"""Safetensors for registered architectures."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from compressors import describe, read_onnx, read_safetensors
from compressors.architectures import ARCHITECTURES
from hw_models.counts import macs
from paretrim.errors import InvalidModel
from paretrim.problem import UNCHANGED

#: multiply-adds of convolutions and linear layers, in millions, as published or as counted from the paper's tables
MACS = {
    "resnet20_cifar": 40.55, "plain20_cifar": 40.55, "vgg16_bn_cifar": 313.2, "mobilenet_v1": 567.7,
    "mobilenet_v2": 299.5, "tiny_keyword_spotting": 2.66, "tiny_image_classification": 12.5, "tiny_person_detection": 7.49,  # noqa: E501
    "tiny_anomaly_detection": 0.264,
}  # fmt: skip
CLASSES = {
    "mobilenet_v1": 1000,
    "mobilenet_v2": 1000,
    "tiny_keyword_spotting": 12,
    "tiny_person_detection": 2,
    "tiny_anomaly_detection": 640,
}


def weights(architecture: str, seed: int = 0) -> tuple[torch.nn.Module, bytes]:
    torch.manual_seed(seed)
    module = ARCHITECTURES[architecture].build(CLASSES.get(architecture, 10)).eval()
    return module, save(module.state_dict())


@pytest.mark.parametrize("architecture", MACS)
def test_a_registered_architecture_comes_in_with_its_weights(architecture: str) -> None:
    module, content = weights(architecture)
    found = read_safetensors(content, architecture)
    x = torch.randn(1, *ARCHITECTURES[architecture].input_shape)
    with torch.no_grad():
        torch.testing.assert_close(found.module(x), module(x), rtol=1e-4, atol=1e-5)
    assert macs(describe(found).sized(UNCHANGED)) / 1e6 == pytest.approx(MACS[architecture], rel=0.01)
    held = {name for name, _ in module.named_parameters()}
    assert {name for name, _ in found.module.named_parameters()} == held


def test_the_wrong_file_is_refused_with_the_tensor_at_fault() -> None:
    _, content = weights("resnet20_cifar")
    with pytest.raises(InvalidModel, match="not a registered architecture; there are"):
        read_safetensors(content, "resnet21")
    with pytest.raises(InvalidModel, match=r"lacks 'layer1\.3"):
        read_safetensors(content, "resnet32_cifar")
    with pytest.raises(InvalidModel, match="not a safetensors file"):
        read_safetensors(b"nothing of the kind", "resnet20_cifar")
    module, _ = weights("resnet20_cifar")
    state = module.state_dict()
    with pytest.raises(InvalidModel, match="also holds 'extra'"):
        read_safetensors(save({**state, "extra": torch.zeros(1)}), "resnet20_cifar")
    with pytest.raises(InvalidModel, match=r"'conv1.weight' has shape \(16, 3, 5, 5\)"):
        read_safetensors(save({**state, "conv1.weight": torch.zeros(16, 3, 5, 5)}), "resnet20_cifar")


@pytest.mark.parametrize("depth", [20])
def test_the_trained_networks_are_the_same_in_both_forms(depth: int) -> None:
    shared = Path(os.environ.get("PARETRIM_SHARED", Path(__file__).parents[3] / "shared")) / "data"
    if not shared.exists():
        pytest.skip("no trained networks here: set PARETRIM_SHARED")
    safe = read_safetensors((shared / f"resnet{depth}_cifar10.safetensors").read_bytes(), f"resnet{depth}_cifar")
    whole = read_onnx((shared / f"resnet{depth}_cifar10.onnx").read_bytes())
    x = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(safe.module(x), whole.module(x), rtol=1e-4, atol=1e-4)
    assert [group.name for group in describe(safe).groups] == [group.name for group in describe(whole).groups]
