"""Every way to put weights on a grid: what it makes, what it refuses, that files and training agree with it."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from compressors import (
    Compressor,
    CompressorOptions,
    FinetuneOptions,
    check_parity,
    collect_statistics,
    describe,
    finetune,
    int8_layers,
    integer_layers,
    pack,
    unpack,
    write_onnx,
)
from compressors.kernels import exact_session_options, saturates
from compressors.rounding import stored_rounding
from compressors.stepwise import round_stepwise
from compressors.weight_quantizers import cluster, power_of_two_values, ternary_steps
from compressors.weight_steps import weight_steps
from compressors.weight_tables import OffsetRounding, TableRounding
from paretrim.compression import INTEGER, WIDTHS, Compression, fits
from paretrim.errors import InvalidInput, InvalidPolicy
from paretrim.problem import Bits, Policy
from tests.compressors.trained import Trained, imported_from, trained


@pytest.fixture(scope="module")
def net() -> Trained:
    return trained()


def made(net: Trained, quantizer: str, bits: int, activation: int = 8):  # type: ignore[no-untyped-def]
    layers = [layer.name for layer in net.network.layers if fits(quantizer, layer.kind)]  # type: ignore[arg-type]
    policy = Policy(bits={name: Bits(bits, activation) for name in layers})
    options = CompressorOptions(weight_quantizer=quantizer)  # type: ignore[arg-type]
    return Compressor(net.imported, net.network, net.statistics, options).compress(policy), policy


CASES = [(quantizer, bits) for quantizer, widths in WIDTHS.items() for bits in sorted(widths) if bits in (1, 2, 4)]


@pytest.mark.parametrize(("quantizer", "bits"), CASES)
def test_the_file_computes_what_was_simulated_and_packs_bit_by_bit(net: Trained, quantizer: str, bits: int) -> None:
    compressed, policy = made(net, quantizer, bits)
    content = write_onnx(compressed.module, net.imported, policy=policy)
    parity = check_parity(compressed.module, content, net.validation.inputs[:200])
    assert parity.max_rel_error < 0.02
    packed = pack(content)
    assert unpack(packed.content) == content
    assert integer_layers(compressed.module, policy) <= int8_layers(content)
    if quantizer not in INTEGER:
        assert not integer_layers(compressed.module, policy)


@pytest.mark.parametrize("quantizer", sorted(WIDTHS))
def test_a_weight_has_no_more_values_than_its_bits_allow(net: Trained, quantizer: str) -> None:
    bits = max(WIDTHS[quantizer] & {1, 2})  # type: ignore[index]
    compressed, policy = made(net, quantizer, bits)
    for name in policy.bits:
        layer = compressed.module.get_submodule(name)
        weight = stored_rounding(layer)(layer.weight).detach()  # type: ignore[misc]
        rows = (
            weight.flatten(1) if quantizer in ("uniform", "asymmetric", "binary", "ternary") else weight.reshape(1, -1)
        )
        if quantizer != "product":
            assert max(len(row.unique()) for row in rows) <= 2**bits


@pytest.mark.parametrize(("quantizer", "bits"), [("kmeans", 4), ("uniform", 4), ("asymmetric", 4), ("power_of_two", 5)])
def test_four_or_five_bits_hardly_cost_accuracy(net: Trained, quantizer: str, bits: int) -> None:
    compressed, _ = made(net, quantizer, bits)
    assert net.accuracy(compressed.module) > net.accuracy(net.imported.module) - 0.05


def test_k_means_fits_better_than_even_steps() -> None:
    values = torch.randn(4000, generator=torch.Generator().manual_seed(0)) ** 3
    centres = cluster(values, torch.ones(4000), 8)
    even = torch.linspace(float(values.min()), float(values.max()), 8)
    errors = [(values[:, None] - points).abs().amin(1).square().sum() for points in (centres, even)]
    assert errors[0] < 0.5 * errors[1]
    assert bool((centres.diff() >= 0).all())


def test_a_ternary_scale_is_the_best_there_is() -> None:
    rows = torch.randn(3, 200, generator=torch.Generator().manual_seed(1))
    found = ternary_steps(rows)

    def error(scales: torch.Tensor) -> torch.Tensor:
        codes = torch.round(rows / scales[:, None]).clamp(-1, 1)
        return (codes * scales[:, None] - rows).square().sum(1)

    tried = torch.stack([error(torch.full((3,), float(scale))) for scale in torch.linspace(0.2, 3.0, 281)])
    assert bool((error(found) <= tried.amin(0) * 1.001).all())


def test_powers_of_two_are_powers_of_two() -> None:
    values = power_of_two_values(0.9, 4)
    assert len(values) == 15
    assert float(values[-1]) == 1.0
    assert torch.equal(values, -values.flip(0))
    exponents = torch.log2(values[values > 0])
    assert torch.equal(exponents, exponents.round())


def test_steps_and_codes_by_turns_are_never_worse_than_by_columns() -> None:
    generator = torch.Generator().manual_seed(2)
    weight = torch.randn(6, 30, generator=generator)
    inputs = torch.randn(200, 30, generator=generator) @ torch.randn(30, 30, generator=generator)
    moments = (inputs.T @ inputs / 200).double() + 0.01 * torch.eye(30, dtype=torch.float64)
    steps = weight_steps(weight, 3)
    from compressors.gptq import round_by_columns

    def error(on_grid: torch.Tensor) -> torch.Tensor:
        lost = (weight - on_grid).double()
        return ((lost @ moments) * lost).sum(1)

    better, found = round_stepwise(weight.double(), moments, steps, 3)
    assert bool((error(better) <= error(round_by_columns(weight, moments, steps, 3)) * 1.0001).all())
    codes = better / found[:, None]
    torch.testing.assert_close(codes, codes.round().clamp(-3, 3))


def test_training_learns_the_table_and_keeps_places_and_fixed_entries() -> None:
    table, places = torch.tensor([-1.0, 0.0, 0.5]), torch.tensor([[0, 1, 2, 2], [2, 0, 0, 1]])
    rounding = TableRounding(table, places, table == 0.0).train()
    weight = torch.zeros(2, 2, 2)
    assert torch.equal(rounding(weight).flatten(1), table[places])
    rounding(weight).sum().backward()
    grown = rounding.weight_table.grad
    assert grown is not None
    assert grown[1] == 0.0
    assert float(grown[0] / 3) == pytest.approx(float(grown[2] / 3))  # three members each
    assert float(grown[0]) > 0


def test_the_file_computes_what_was_trained_from_a_table(net: Trained) -> None:
    compressed, policy = made(net, "kmeans", 3)
    options = FinetuneOptions(epochs=0.5, learning_rate=0.005)
    tuned = finetune(compressed, net.imported.module, net.train, net.validation, options)
    content = write_onnx(tuned.module, net.imported, policy=policy)
    assert check_parity(tuned.module, content, net.validation.inputs).agreement >= 0.99


def test_gradients_of_an_offset_grid_pass_inside_its_range() -> None:
    rounding = OffsetRounding(torch.tensor([0.1]), torch.tensor([3.0]), 4).train()
    weight = torch.tensor([[-5.0, 0.34, 7.0]], requires_grad=True)
    rounding(weight).sum().backward()
    assert weight.grad is not None
    assert weight.grad.tolist() == [[0.0, 1.0, 0.0]]


def test_a_quantizer_that_does_not_fit_is_refused_with_the_layers_name(net: Trained) -> None:
    convolution = next(layer.name for layer in net.network.layers if layer.kind == "conv2d")
    named = CompressorOptions(weight_quantizers={convolution: "product"})
    with pytest.raises(InvalidPolicy, match=convolution):
        Compressor(net.imported, net.network, net.statistics, named).compress(Policy(bits={convolution: Bits(4, 32)}))
    binary = CompressorOptions(weight_quantizer="binary")
    with pytest.raises(InvalidPolicy, match=f"{convolution}.*4-bit"):
        Compressor(net.imported, net.network, net.statistics, binary).compress(Policy(bits={convolution: Bits(4, 8)}))
    blind = Compressor(net.imported, net.network, None, CompressorOptions(criterion="l1"))
    with pytest.raises(InvalidPolicy, match=convolution):  # no calibration data
        blind.compress(Policy(bits={convolution: Bits(4, 8)}))


@pytest.mark.parametrize(
    "options", [{"weight_quantizer": "magic"}, {"storage_bits": [9]}, {"storage_bits": 4}, {"nonsense": 1},
                {"equalize": "yes"}, {"weight_quantizers": {"fc": "magic"}}, {"weight_rounding": "up"}]
)  # fmt: skip
def test_options_that_mean_nothing_are_refused_by_name(options: dict[str, object]) -> None:
    with pytest.raises(InvalidInput) as refused:
        Compression.from_json(options)
    assert refused.value.field is not None
    assert refused.value.field.startswith(f"compression.{next(iter(options))}")


def test_options_come_back_from_plain_values() -> None:
    given = Compression(weight_quantizer="kmeans", storage_bits=(4, 2), weight_quantizers={"fc": "binary"})
    assert Compression.from_json(given.to_json()) == given
    assert Compression().to_json() == {}


def test_weights_of_zero_and_one_bit_activations_are_zero_or_one_step(net: Trained) -> None:
    """Sparsity-inducing binary activations: {0, 1} times a step, behind a ReLU."""
    compressed, _ = made(net, "uniform", 8, 1)
    layer = compressed.module.get_submodule("block1.conv2")
    rounding = layer._modules["input_rounding_0"]
    values = rounding(torch.rand(100) * 3)  # type: ignore[misc]
    assert values.unique().tolist()[0] == 0.0
    assert len(values.unique()) == 2


def test_weights_keep_to_seven_bits_where_kernels_would_saturate(net: Trained) -> None:
    layers = {layer.name: Bits(8, 8) for layer in net.network.layers}
    for headroom, top in ((True, 63), (False, 127)):
        options = CompressorOptions(headroom=headroom)
        module = Compressor(net.imported, net.network, net.statistics, options).compress(Policy(bits=layers)).module
        layer = module.get_submodule("block1.conv1")
        rounding = stored_rounding(layer)
        codes = layer.weight.detach().flatten(1) / rounding.weight_step.detach()[:, None]  # type: ignore[union-attr, operator]
        assert round(float(codes.abs().max())) == top
    content = write_onnx(module, net.imported, policy=Policy(bits=layers))
    assert check_parity(module, content, net.validation.inputs, exact=True).agreement >= 0.99
    options = replace(CompressorOptions(), headroom=saturates())
    module = Compressor(net.imported, net.network, net.statistics, options).compress(Policy(bits=layers)).module
    content = write_onnx(module, net.imported, policy=Policy(bits=layers))
    assert check_parity(module, content, net.validation.inputs).agreement >= 0.99
    assert exact_session_options().intra_op_num_threads == 1


def test_linear_layers_can_be_written_for_four_bit_kernels(net: Trained) -> None:
    policy = Policy(bits={"classify": Bits(4, 32)})
    module = Compressor(net.imported, net.network, net.statistics).compress(policy).module
    assert isinstance(module.get_submodule("classify"), nn.Linear)
    content = write_onnx(module, net.imported, policy=policy, four_bit_linear=True)
    assert b"MatMulNBits" in content
    assert check_parity(module, content, net.validation.inputs).max_rel_error < 1e-5
    assert unpack(pack(content).content) == content


def test_a_network_of_large_linear_layers_is_a_fraction_of_its_size_with_four_bit_kernels() -> None:
    torch.manual_seed(0)
    sizes = ((200, 384), (384, 384), (384, 10))  # 200: the last block of a row is not full
    layers = [part for size in sizes for part in (nn.Linear(*size), nn.ReLU())][:-1]
    imported = imported_from(nn.Sequential(*layers), 200)
    network, rows = describe(imported), torch.randn(300, 200)
    policy = Policy(bits={layer.name: Bits(4, 32) for layer in network.layers})
    maker = Compressor(imported, network, collect_statistics(imported, network, rows))
    module = maker.compress(policy).module
    content = write_onnx(module, imported, policy=policy, four_bit_linear=True)
    assert content.count(b"MatMulNBits") >= 3
    assert len(content) < 0.2 * len(write_onnx(imported.module, imported))
    parity = check_parity(module, content, rows)
    assert parity.agreement >= 0.99
    assert parity.max_rel_error < 1e-4
