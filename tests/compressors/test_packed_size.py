"""The length of a packed file is known before there is one."""

import numpy as np
import pytest
import torch
from torch import nn

from compressors import (
    Compressor,
    CompressorOptions,
    PackedSizes,
    collect_statistics,
    describe,
    learn_packed_sizes,
    pack,
    write_onnx,
)
from paretrim.problem import Bits, Policy
from tests.compressors.families import Basic, conv, head
from tests.compressors.trained import Trained, imported_from, trained

CHOICES = (Bits(2, 8), Bits(4, 8), Bits(8, 8), Bits(32, 32))


@pytest.fixture(scope="module")
def learnt() -> tuple[Trained, PackedSizes]:
    net = trained()
    choices = {layer.name: CHOICES for layer in net.network.layers}
    return net, learn_packed_sizes(net.imported, net.network, net.statistics, CompressorOptions(), choices)


def test_sizes_are_predicted_closely_even_of_files_of_a_few_kilobytes(learnt: tuple[Trained, PackedSizes]) -> None:
    """Within 1 % for ResNet-20, see docs/compression.md; here a hundred bytes are more than that."""
    net, sizes = learnt
    generator = np.random.default_rng(5)
    compressor = Compressor(net.imported, net.network, net.statistics)
    errors = []
    for number in range(6):
        keep = {group.name: float(generator.uniform(0.4, 1.0)) for group in net.network.prunable_groups}
        bits = {layer.name: CHOICES[generator.integers(len(CHOICES))] for layer in net.network.layers}
        policy = Policy(keep=keep if number % 2 else {}, bits=bits)
        real = len(pack(write_onnx(compressor.compress(policy).module, net.imported, policy=policy)).content)
        errors.append(abs(sizes.predict(net.network.sized(policy)) / real - 1))
    assert float(np.mean(errors)) < 0.015
    assert max(errors) < 0.04


NETWORKS = {
    "residual": lambda: nn.Sequential(conv(3, 24), Basic(24, 24), Basic(24, 32, 2), head(32)),
    "separable": lambda: nn.Sequential(
        conv(3, 64), conv(64, 64, groups=64), conv(64, 96, 1), conv(96, 96, groups=96), conv(96, 96, 1), head(96)
    ),
    "linear": lambda: nn.Sequential(
        nn.Flatten(), nn.Linear(768, 48), nn.ReLU(), nn.Linear(48, 96), nn.ReLU(), nn.Linear(96, 10)
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_files_of_some_kilobytes_are_predicted_within_a_hundredth_on_average(name: str) -> None:
    torch.manual_seed(1)
    imported = imported_from(NETWORKS[name](), 3, 16, 16)
    network = describe(imported)
    statistics = collect_statistics(imported, network, torch.randn(192, 3, 16, 16))
    legal = CHOICES[:3]
    sizes = learn_packed_sizes(
        imported, network, statistics, CompressorOptions(), {layer.name: legal for layer in network.layers}
    )
    compressor, generator = Compressor(imported, network, statistics), np.random.default_rng(2)
    errors = []
    for _ in range(5):
        keep = {group.name: float(generator.uniform(0.5, 1.0)) for group in network.prunable_groups}
        bits = {layer.name: legal[generator.integers(len(legal))] for layer in network.layers}
        policy = Policy(keep=keep, bits=bits)
        real = len(pack(write_onnx(compressor.compress(policy).module, imported, policy=policy)).content)
        errors.append(abs(sizes.predict(network.sized(policy)) / real - 1))
    assert float(np.mean(errors)) < 0.01
    assert max(errors) < 0.02


def test_predictions_come_back_from_plain_values(learnt: tuple[Trained, PackedSizes]) -> None:
    net, sizes = learnt
    back = PackedSizes.from_json(sizes.to_json())
    operations = net.network.sized(Policy(bits={"classify": Bits(4, 8)}))
    assert back.predict(operations) == sizes.predict(operations)


def test_the_original_is_predicted_though_the_device_has_no_full_precision() -> None:
    net = trained()
    original = len(pack(write_onnx(net.imported.module, net.imported)).content)
    for legal in ((Bits(8, 8),), (Bits(2, 4), Bits(4, 4), Bits(8, 8))):
        choices = {layer.name: legal for layer in net.network.layers}
        sizes = learn_packed_sizes(net.imported, net.network, net.statistics, CompressorOptions(), choices)
        assert sizes.predict(net.network.sized(Policy())) == pytest.approx(original, rel=0.01)
