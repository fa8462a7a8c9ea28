from __future__ import annotations

from dataclasses import replace

import pytest

from hw_models.cost import Costs
from hw_models.counts import bops, folded_batch_norms, macs, operation_macs, peak_memory_bytes, size_bytes
from hw_models.devices import load_device, shipped
from paretrim.network import Network, Operation, SizedOperation
from paretrim.problem import UNCHANGED, Bits, Policy
from tests.hw_models.networks import Builder, axis, resnet

RESNET = resnet()


def layer(kind: str, inputs: int, outputs: int, **more: object) -> SizedOperation:
    plain: dict[str, object] = {
        "name": kind,
        "kind": kind,
        "inputs": ("input",),
        "in_channels": inputs,
        "out_channels": outputs,
        "in_hw": (),
        "out_hw": (),
        "kernel": (),
        "stride": (),
        "padding": (),
        "dilation": (),
        "groups": 1,
        "bias": True,
        "weight_bits": 32,
        "activation_bits": 32,
        "extra": {},
    }
    return SizedOperation(**(plain | more))  # type: ignore[arg-type]


def test_the_cifar_resnet_20_has_its_published_multiply_adds() -> None:
    assert macs(RESNET.sized(UNCHANGED)) == 40_551_040  # 40.55 M, He et al. 2015


def test_a_batch_norm_behind_a_convolution_costs_a_bias_and_nothing_else() -> None:
    operations = RESNET.sized(UNCHANGED)
    weights, biases = 268_336, 688 + 10
    assert len(folded_batch_norms(operations)) == 19
    assert size_bytes(operations) == 4 * (weights + biases)


def test_a_batch_norm_with_two_readers_before_it_is_not_folded() -> None:
    build = Builder(3, 8)
    x = build.conv("conv", "input", axis(None, 4))
    y = build.add("norm", "batch_norm", x)
    build.add("sum", "add", x, y)
    assert folded_batch_norms([sized(op) for op in build.operations]) == {}


def sized(operation: Operation) -> SizedOperation:
    return Network((operation,), (), (3, 8, 8), operation.name).sized(UNCHANGED)[0]


def test_weights_are_packed_at_their_bits_and_carry_their_scales() -> None:
    conv = layer("conv2d", 3, 5, kernel=(3, 3), in_hw=(4, 4), out_hw=(4, 4), weight_bits=3, activation_bits=8)
    packed = -(-3 * 3 * 3 * 5 * 3 // 8)
    assert size_bytes([conv]) == packed + 4 * 5 + 4 * 5 + 5  # weights, biases, scales, the input's scale and zero point


def test_bit_operations_are_multiply_adds_times_both_bits() -> None:
    policy = Policy(bits={layer.name: Bits(4, 6) for layer in RESNET.layers})
    assert bops(RESNET.sized(policy)) == 40_551_040 * 4 * 6


def test_depthwise_and_grouped_convolutions_count_their_share() -> None:
    dense = layer("conv2d", 8, 8, kernel=(3, 3), in_hw=(5, 5), out_hw=(5, 5))
    assert operation_macs(dense) == 25 * 9 * 8 * 8
    assert operation_macs(replace(dense, groups=8)) == 25 * 9 * 8
    assert operation_macs(replace(dense, groups=2)) == 25 * 9 * 8 * 4


def test_a_recurrent_layer_counts_its_gates_at_every_step() -> None:
    lstm = layer("lstm", 10, 6, in_hw=(7,), out_hw=(7,))
    assert operation_macs(lstm) == 7 * 4 * 6 * (10 + 6)
    both_ways = replace(lstm, out_channels=12, extra={"directions": 2})
    assert operation_macs(both_ways) == 2 * operation_macs(lstm)


def test_a_product_of_activations_counts_what_its_description_says() -> None:
    product = layer("matmul", 4, 9, extra={"macs_per_out_channel": 100})
    assert operation_macs(product) == 900


def test_peak_memory_is_two_tensors_of_a_plain_chain_and_three_across_a_shortcut() -> None:
    build = Builder(4, 8)
    x = build.add("r1", "relu", build.conv("c1", "input", axis(None, 4)))
    assert peak_memory_bytes([sized(op) for op in build.operations]) == 2 * 4 * 64 * 4
    y = build.add("r2", "relu", build.conv("c2", x, axis(None, 4)))
    build.add("sum", "add", y, x)
    assert peak_memory_bytes([sized(op) for op in build.operations]) == 3 * 4 * 64 * 4


def test_activations_of_eight_bits_take_a_quarter_of_the_memory() -> None:
    narrow = Policy(bits={layer.name: Bits(8, 8) for layer in RESNET.layers})
    full = peak_memory_bytes(RESNET.sized(UNCHANGED))
    assert peak_memory_bytes(RESNET.sized(narrow)) == full // 4
    tiny = Policy(bits={layer.name: Bits(8, 2) for layer in RESNET.layers})
    assert peak_memory_bytes(RESNET.sized(tiny)) == full // 4  # no runtime packs activations


@pytest.mark.parametrize("name", sorted(shipped()))
def test_less_of_everything_costs_less_of_everything(name: str) -> None:
    costs = Costs(RESNET, load_device(shipped()[name]))
    smaller = costs.measure(Policy(keep={group.name: 0.5 for group in RESNET.prunable_groups}))
    for metric in ("latency_ms", "size_bytes", "macs", "bops"):
        assert smaller.value(metric) < costs.original.value(metric)
    assert {origin.how for origin in smaller.obtained.values()} == {"predicted"}
