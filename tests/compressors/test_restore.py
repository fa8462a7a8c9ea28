"""Policy and weights rebuild the delivered network."""

import pytest
import torch
from safetensors.torch import save

from compressors import Compressed, Compressor, check_parity, write_onnx
from compressors.restore import restore
from paretrim.errors import InvalidInput, InvalidPolicy
from paretrim.problem import Bits, Policy
from paretrim.sparsity import Sparsity
from tests.compressors.trained import Trained, trained

POLICIES = {
    "channels": Policy(keep={"block1.conv1": 0.5, "block2.conv1": (1, 3, 5)}),
    "a block": Policy(removed=("block1",)),
    "ranks": Policy(rank={"block1.conv1": 0.5, "classify": 0.5}),
    "zeros": Policy(sparsity={"block1.conv1": Sparsity(0.5, "kernel")}),
    "bits": Policy(keep={"block2.conv1": 0.5}, bits={"block1.conv1": Bits(8, 8), "block2.conv2": Bits(4, 8)}),
}


@pytest.fixture(scope="module")
def net() -> Trained:
    return trained()


def delivered(net: Trained, policy: Policy) -> tuple[Compressed, dict[str, object], bytes]:
    compressed = Compressor(net.imported, net.network, net.statistics).compress(policy)
    state = {name: value.contiguous().clone() for name, value in compressed.module.state_dict().items()}
    kept = {group: list(units) for group, units in compressed.kept.items()}
    return compressed, {**policy.to_json(), "kept": kept}, save(state)


@pytest.mark.parametrize("kind", POLICIES)
def test_the_same_network_comes_back(net: Trained, kind: str) -> None:
    compressed, policy, weights = delivered(net, POLICIES[kind])
    again = restore(net.imported, policy, weights)
    inputs, _ = net.validation.batch(slice(0, 32))
    with torch.no_grad():
        assert torch.equal(again(inputs), compressed.module(inputs))
    content = write_onnx(compressed.module, net.imported, policy=POLICIES[kind])
    assert check_parity(again, content, inputs).max_rel_error < 0.05


def test_weights_of_another_policy_and_policies_without_units_are_refused(net: Trained) -> None:
    _, policy, weights = delivered(net, POLICIES["channels"])
    _, other, _ = delivered(net, POLICIES["a block"])
    with pytest.raises(InvalidInput, match="not of this policy"):
        restore(net.imported, other, weights)
    with pytest.raises(InvalidPolicy, match=r"use the policy\.json that was delivered"):
        restore(net.imported, {"keep": {"block1.conv1": 0.5}}, weights)
    with pytest.raises(InvalidInput, match="not of this policy"):
        restore(net.imported, policy, b"nonsense")
