"""Zeros in layers: patterns, what the others make up for, training, bits, and what they cost."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from compressors import Compressor, CompressorOptions, check_parity, finetune, write_onnx
from compressors.sparsity import sensitivity, thin_out
from compressors.training import FinetuneOptions
from hw_models.counts import macs, size_bytes
from paretrim.errors import InvalidPolicy
from paretrim.problem import UNCHANGED, Bits, Policy
from paretrim.sparsity import Sparsity
from tests.compressors.trained import Trained, trained

LAYER = "block1.conv1"


@pytest.fixture(scope="module")
def net() -> Trained:
    return trained()


def everywhere(net: Trained, sparsity: Sparsity) -> Policy:
    return Policy(sparsity={layer.name: sparsity for layer in net.network.layers})


def weight_of(module: nn.Module, name: str = LAYER) -> Tensor:
    found = module.get_submodule(name).weight
    assert isinstance(found, Tensor)
    return found.detach()


@pytest.mark.parametrize("rule", ["obs", "magnitude"])
@pytest.mark.parametrize(
    ("sparsity", "together"),
    [
        (Sparsity(0.75), lambda w: w),
        (Sparsity(0.75, "vector"), lambda w: w.abs().sum(-1)),
        (Sparsity(0.75, "kernel"), lambda w: w.abs().sum((2, 3))),
        (Sparsity(0.75, "4x2"), lambda w: w.abs().unfold(0, 4, 4).unfold(1, 2, 2).sum((-1, -2))),
    ],
)
def test_zeros_lie_in_the_pattern_and_are_as_many_as_asked_for(
    net: Trained, rule: str, sparsity: Sparsity, together: object
) -> None:
    options = CompressorOptions(sparsity_rule=rule)  # type: ignore[arg-type]
    compressed = Compressor(net.imported, net.network, net.statistics, options).compress(
        Policy(sparsity={LAYER: sparsity})
    )
    units = together(weight_of(compressed.module))  # type: ignore[operator]
    assert float((units == 0).double().mean()) == 0.75
    assert float((weight_of(compressed.module) == 0).double().mean()) == 0.75
    report = {layer.layer: layer.zero_share for layer in compressed.report}
    assert report[LAYER] == 0.75
    assert report["block1.conv2"] == 0.0


@pytest.mark.parametrize(
    "layer", [nn.Conv2d(6, 8, 3), nn.ConvTranspose2d(6, 8, 3), nn.Linear(6, 8), nn.Conv1d(6, 8, 3)]
)
def test_n_of_m_holds_in_every_row_also_where_m_does_not_divide(layer: nn.Module) -> None:
    thin_out(layer, Sparsity.from_json("1:4"), None)
    weight = weight_of(nn.Sequential(layer), "0")
    weight = weight.transpose(0, 1) if isinstance(layer, nn.ConvTranspose2d) else weight
    for inputs in (weight[:, :4], weight[:, 4:]):
        assert bool(((inputs != 0).sum(1) == 1).all())


@pytest.mark.parametrize("sparsity", [Sparsity(0.5), Sparsity(0.5, "kernel"), Sparsity(0.75, "1:4")])
def test_the_weights_that_stay_make_up_for_those_that_go(net: Trained, sparsity: Sparsity) -> None:
    accuracies = {}
    for rule in ("obs", "magnitude"):
        options = CompressorOptions(sparsity_rule=rule)  # type: ignore[arg-type]
        maker = Compressor(net.imported, net.network, net.statistics, options)
        accuracies[rule] = net.accuracy(maker.compress(everywhere(net, sparsity)).module)
    assert accuracies["obs"] > accuracies["magnitude"] + 0.05


def test_removed_units_and_zeros_go_together(net: Trained) -> None:
    keep = {group.name: 0.5 for group in net.network.prunable_groups}
    policy = replace(everywhere(net, Sparsity(0.5)), keep=keep)
    compressed = Compressor(net.imported, net.network, net.statistics).compress(policy)
    shares = [layer.zero_share for layer in compressed.report]
    assert shares == pytest.approx([0.5] * len(shares), abs=0.01)
    blocks = tuple(block.name for block in net.network.blocks)
    without = Compressor(net.imported, net.network, net.statistics).compress(replace(policy, removed=blocks))
    assert len(without.report) < len(compressed.report)


@pytest.mark.parametrize("bits", [None, Bits(8, 8), Bits(4, 8)])
def test_zeros_stay_zero_in_training_and_in_the_file(net: Trained, bits: Bits | None) -> None:
    policy = everywhere(net, Sparsity(0.75, "kernel"))
    policy = policy if bits is None else replace(policy, bits={layer.name: bits for layer in net.network.layers})
    compressed = Compressor(net.imported, net.network, net.statistics).compress(policy)
    before = {layer.name: weight_of(compressed.module, layer.name) for layer in net.network.layers}
    tuned = finetune(compressed, net.imported.module, net.train, net.validation, FinetuneOptions(epochs=1))
    for name, weight in before.items():
        after = weight_of(tuned.module, name)
        assert torch.equal(after == 0, weight == 0)
        assert not torch.equal(after, weight)
    content = write_onnx(tuned.module, net.imported, policy=policy)
    assert check_parity(tuned.module, content, net.validation.batch(slice(0, 50))[0]).max_rel_error < 0.05


def test_sensitivity_takes_more_where_weights_are_small(net: Trained) -> None:
    found = sensitivity(net.imported.module, net.network, 0.5)
    for name, sparsity in found.items():
        weight = weight_of(net.imported.module, name)
        below = float((weight.abs() < 0.5 * weight.std(correction=0)).double().mean())
        assert sparsity.share == pytest.approx(below)
    assert len({round(sparsity.share, 6) for sparsity in found.values()}) > 1
    Compressor(net.imported, net.network, net.statistics).compress(Policy(sparsity=found))


def test_zeros_count_as_storage_and_as_nothing_else(net: Trained) -> None:
    dense, sparse = (net.network.sized(policy) for policy in (UNCHANGED, everywhere(net, Sparsity(0.75))))
    assert macs(sparse) == macs(dense)
    assert 0.25 < size_bytes(sparse) / size_bytes(dense) < 0.35
    (layer,) = [one for one in net.network.sized(Policy(sparsity={LAYER: "2:4"})) if one.name == LAYER]  # type: ignore[dict-item]
    weights = 16 * 16 * 9
    assert layer.sparsity is not None
    assert layer.sparsity.stored_bits(16, 16, (3, 3), 32) == weights // 2 * 32 + weights // 2 * 2
    assert layer.sparsity.stored_bits(16, 16, (3, 3), 2) == weights * 2  # the map is more than what is saved


def test_policies_without_zeros_keep_their_keys_and_those_with_come_back_from_json() -> None:
    assert "sparsity" not in Policy(keep={"a": 0.5}).to_json()
    policy = Policy(sparsity={"a": Sparsity(0.5), "b": Sparsity(0.5, "2:4"), "c": Sparsity(0.3, "4x1")})
    assert Policy.from_json(policy.to_json()) == policy
    assert policy.to_json()["sparsity"] == {"a": [0.5, "element"], "b": "2:4", "c": [0.3, "4x1"]}
    assert policy.key != UNCHANGED.key


@pytest.mark.parametrize(
    ("sparsity", "reason"),
    [
        (1.0, r"share of zeros must be in \(0, 1\)"),
        ([0.5, "diagonal"], "not a sparsity pattern; choose element"),
        ([0.9, "2:4"], "write the pattern alone"),
        ("4x1", r"write \[share, pattern\]"),
        ([0.5, "0x4"], "not a sparsity pattern"),
    ],
)
def test_what_is_no_sparsity_is_refused_with_the_layers_name(sparsity: object, reason: str) -> None:
    with pytest.raises(InvalidPolicy, match=f"'conv'.*{reason}") as caught:
        Policy.from_json({"sparsity": {"conv": sparsity}})
    assert caught.value.field == "sparsity.conv"


def test_a_layer_cannot_be_sparse_and_of_lower_rank_or_of_one_bit(net: Trained) -> None:
    for more in ({"rank": {LAYER: 0.5}}, {"bits": {LAYER: Bits(1, 8)}}, {"sparsity": {"nowhere": 0.5}}):
        policy = Policy(**({"sparsity": {LAYER: 0.5}} | more))  # type: ignore[arg-type]
        with pytest.raises(InvalidPolicy, match=r"block1\.conv1|nowhere"):
            net.network.check(policy)
