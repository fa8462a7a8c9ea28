"""A policy becomes a smaller network; the original stays as it was."""

import pytest
import torch

from compressors import Compressor, CompressorOptions
from compressors.criteria import CRITERIA
from compressors.rounding import stored_grid, stored_steps
from paretrim.errors import InvalidInput, InvalidPolicy
from paretrim.problem import UNCHANGED, Bits, Policy
from tests.compressors.trained import Trained, trained


@pytest.fixture(scope="module")
def net() -> Trained:
    return trained()


def internal(net: Trained) -> list[str]:
    return [group.name for group in net.network.prunable_groups if len(group.producers) == 1]


def uniform(net: Trained, ratio: float) -> Policy:
    return Policy(keep=dict.fromkeys(internal(net), ratio))


def all_bits(net: Trained, weight: int, activation: int) -> Policy:
    return Policy(bits={layer.name: Bits(weight, activation) for layer in net.network.layers})


def compressor(net: Trained, **options: object) -> Compressor:
    return Compressor(net.imported, net.network, net.statistics, CompressorOptions(**options))  # type: ignore[arg-type]


def test_the_policy_that_changes_nothing_gives_the_same_network(net: Trained) -> None:
    same = compressor(net).compress(UNCHANGED)
    inputs = net.validation.inputs[:20]
    torch.testing.assert_close(same.module(inputs), net.imported.module(inputs))
    assert all(layer.error_share == 0.0 for layer in same.report)


def test_the_original_is_never_changed(net: Trained) -> None:
    before = {name: value.clone() for name, value in net.imported.module.state_dict().items()}
    policy = Policy(keep=uniform(net, 0.3).keep, bits=all_bits(net, 4, 4).bits)
    compressed = compressor(net).compress(policy)
    for parameter in compressed.module.parameters():
        parameter.data.zero_()
    after = net.imported.module.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_what_one_caller_does_to_a_network_the_next_does_not_see(net: Trained) -> None:
    maker, policy = compressor(net), uniform(net, 0.5)
    first = maker.compress(policy)
    expected = first.module(net.validation.inputs[:9])
    for parameter in first.module.parameters():
        parameter.data.zero_()
    torch.testing.assert_close(maker.compress(policy).module(net.validation.inputs[:9]), expected)


def test_least_squares_saves_what_pruning_alone_destroys(net: Trained) -> None:
    policy = uniform(net, 0.3)
    bare = net.accuracy(compressor(net, criterion="l1", reconstruction="none").compress(policy).module)
    refitted = net.accuracy(compressor(net, criterion="l1").compress(policy).module)
    assert refitted > bare + 0.05


def test_widths_are_those_that_the_network_predicts(net: Trained) -> None:
    policy = Policy(keep={group.name: 0.4 for group in net.network.prunable_groups})
    compressed = compressor(net).compress(policy)
    sized = {operation.name: operation for operation in net.network.sized(policy)}
    for layer in net.network.layers:
        weight = compressed.module.get_submodule(layer.name).weight
        assert weight.shape[:2] == (sized[layer.name].out_channels, sized[layer.name].in_channels)
    assert {group: len(units) for group, units in compressed.kept.items()} == net.network.kept_units(policy)


def test_units_that_a_policy_names_are_taken_as_they_are(net: Trained) -> None:
    group = internal(net)[0]
    compressed = compressor(net).compress(Policy(keep={group: (1, 4, 7)}))
    assert compressed.kept[group] == (1, 4, 7)
    original = net.imported.module.get_submodule(group).weight
    assert torch.equal(compressed.module.get_submodule(group).weight, original[[1, 4, 7]])


@pytest.mark.parametrize("criterion", CRITERIA)
def test_a_smaller_ratio_keeps_a_part_of_what_a_larger_one_keeps(net: Trained, criterion: str) -> None:
    maker = compressor(net, criterion=criterion)
    for group in internal(net):
        larger, smaller = (set(maker.kept(Policy(keep={group: ratio}))[group]) for ratio in (0.75, 0.25))
        assert smaller < larger


def test_two_compressors_give_the_same_weights(net: Trained) -> None:
    policy = Policy(keep=uniform(net, 0.5).keep, bits=all_bits(net, 3, 8).bits)
    first, second = (compressor(net).compress(policy).module.state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_eight_bits_cost_almost_no_accuracy(net: Trained) -> None:
    original = net.accuracy(net.imported.module)
    assert net.accuracy(compressor(net).compress(all_bits(net, 8, 8)).module) >= original - 0.01


def test_compensated_rounding_beats_nearest_rounding_at_two_bits(net: Trained) -> None:
    nearest, compensated = (
        net.accuracy(compressor(net, weight_rounding=rule).compress(all_bits(net, 2, 8)).module)
        for rule in ("nearest", "gptq")
    )
    assert compensated > nearest + 0.05


def test_weights_and_inputs_of_a_quantized_layer_are_on_their_grids(net: Trained) -> None:
    layer = internal(net)[0]
    compressed = compressor(net).compress(Policy(bits={layer: Bits(4, 3)}))
    module = compressed.module.get_submodule(layer)
    steps, grid = stored_steps(module), stored_grid(module, 0)
    assert steps is not None
    assert grid is not None
    assert grid.top == 7
    codes = module.weight.detach() / steps[:, None, None, None]
    torch.testing.assert_close(codes, codes.round(), rtol=0, atol=1e-4)
    assert float(codes.abs().max()) < 7.01
    seen = module.input_rounding_0(torch.randn(2, 16, 8, 8))
    assert len(seen.unique()) <= 8


def test_changing_bits_only_does_not_prune_again(net: Trained) -> None:
    maker = compressor(net)
    maker.compress(uniform(net, 0.5))
    pruned = maker._pruned.copy()
    for width in (2, 4, 8):
        maker.compress(Policy(keep=uniform(net, 0.5).keep, bits=all_bits(net, width, 8).bits))
    assert maker._pruned.keys() == pruned.keys()


def test_an_unknown_group_is_named(net: Trained) -> None:
    with pytest.raises(InvalidPolicy, match="nonsense"):
        compressor(net).compress(Policy(keep={"nonsense": 0.5}))


def test_activations_without_calibration_are_refused_with_the_layers_name(net: Trained) -> None:
    maker = Compressor(net.imported, net.network, None, CompressorOptions(criterion="l1"))
    layer = internal(net)[0]
    with pytest.raises(InvalidPolicy, match=layer):
        maker.compress(Policy(bits={layer: Bits(8, 8)}))


def test_without_calibration_weights_can_still_be_pruned_and_rounded(net: Trained) -> None:
    maker = Compressor(net.imported, net.network, None, CompressorOptions(criterion="l1"))
    layer = internal(net)[0]
    compressed = maker.compress(Policy(keep={layer: 0.75}, bits={layer: Bits(8, 32)}))
    assert net.accuracy(compressed.module) > 0.5


def test_a_criterion_that_needs_data_is_refused_without(net: Trained) -> None:
    with pytest.raises(InvalidInput, match="needs calibration"):
        Compressor(net.imported, net.network, None, CompressorOptions(criterion="obs"))


def test_an_unknown_criterion_is_refused_with_the_choice(net: Trained) -> None:
    with pytest.raises(InvalidInput, match="fpgm"):
        compressor(net, criterion="magic")
