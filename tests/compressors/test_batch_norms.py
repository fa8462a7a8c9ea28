"""Batch norms learn what they get now."""

import pytest
import torch

from compressors import Compressor, CompressorOptions, fold
from compressors.batch_norms import reestimate
from paretrim.problem import Policy
from tests.compressors.trained import Trained, trained


@pytest.fixture(scope="module")
def net() -> Trained:
    return trained()


def test_statistics_are_those_of_all_inputs_whatever_the_batches(net: Trained) -> None:
    inputs = net.train.inputs[:300]
    found = reestimate(net.imported.module, inputs, batch_size=77)
    layer = net.network.layers[0].name
    (norm,) = [reader for reader in net.network.operations if layer in reader.inputs]
    with torch.no_grad():
        direct = net.imported.module.get_submodule(layer)(inputs)
    torch.testing.assert_close(
        found.get_submodule(norm.name).running_mean, direct.mean((0, 2, 3)), rtol=1e-4, atol=1e-5
    )
    assert not found.training
    assert found.get_submodule(norm.name).momentum == net.imported.module.get_submodule(norm.name).momentum


def test_pruning_by_magnitude_alone_gains_much(net: Trained) -> None:
    internal = [group.name for group in net.network.prunable_groups if len(group.producers) == 1]
    policy = Policy(keep=dict.fromkeys(internal, 0.4))
    options = CompressorOptions(criterion="l1", reconstruction="none")
    bare = Compressor(net.imported, net.network, net.statistics, options).compress(policy).module
    assert net.accuracy(reestimate(bare, net.train.inputs[:300])) > net.accuracy(bare) + 0.05


def test_a_network_without_batch_norms_stays_as_it_is(net: Trained) -> None:
    folded = fold(net.imported.module)
    inputs = net.validation.inputs[:30]
    assert torch.equal(reestimate(folded, inputs)(inputs), folded(inputs))
