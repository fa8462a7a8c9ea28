"""The structure alone, trained from nothing."""

import pytest
import torch

from compressors import Compressor, FinetuneOptions, finetune
from compressors.scratch import reinitialized
from paretrim.errors import InvalidInput
from paretrim.problem import Bits, Policy
from tests.compressors.trained import Trained, trained


@pytest.fixture(scope="module")
def net() -> Trained:
    return trained()


def half(net: Trained) -> Policy:
    return Policy(keep={group.name: 0.5 for group in net.network.prunable_groups})


def test_nothing_of_the_old_weights_is_left_and_the_shapes_are_the_same(net: Trained) -> None:
    small = Compressor(net.imported, net.network, net.statistics).compress(half(net)).module
    fresh = reinitialized(small, 0)
    for name, value in fresh.state_dict().items():
        old = small.state_dict()[name]
        assert value.shape == old.shape
        if value.ndim > 1:
            assert not torch.equal(value, old), name
            assert float(value.std()) > 0
    assert net.accuracy(fresh) < 0.4


def test_the_seed_decides(net: Trained) -> None:
    first, same, other = (reinitialized(net.imported.module, seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert not torch.equal(first["classify.weight"], other["classify.weight"])


def test_it_can_be_trained_as_the_pruned_one_is(net: Trained) -> None:
    small = Compressor(net.imported, net.network, net.statistics).compress(half(net)).module
    options = FinetuneOptions(epochs=4, batch_size=64, learning_rate=0.1, distillation=0.0)
    tuned = finetune(reinitialized(small, 0), None, net.train, net.validation, options)
    assert net.accuracy(tuned.module) > 0.9


def test_a_quantized_network_is_refused(net: Trained) -> None:
    policy = Policy(bits={layer.name: Bits(8, 8) for layer in net.network.layers})
    small = Compressor(net.imported, net.network, net.statistics).compress(policy).module
    with pytest.raises(InvalidInput, match="quantized"):
        reinitialized(small, 0)
