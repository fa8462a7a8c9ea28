"""The length of a packed file is known before there is one."""

import numpy as np
import pytest

from compressors import Compressor, CompressorOptions, PackedSizes, learn_packed_sizes, pack, write_onnx
from paretrim.problem import Bits, Policy
from tests.compressors.trained import Trained, trained

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


def test_predictions_come_back_from_plain_values(learnt: tuple[Trained, PackedSizes]) -> None:
    net, sizes = learnt
    back = PackedSizes.from_json(sizes.to_json())
    operations = net.network.sized(Policy(bits={"classify": Bits(4, 8)}))
    assert back.predict(operations) == sizes.predict(operations)
