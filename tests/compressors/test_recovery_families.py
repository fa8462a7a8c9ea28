"""Every family of networks can be measured, pruned, refitted, quantized, trained on and exported."""

import pytest
import torch
from torch import Tensor

from compressors import (
    Compressor,
    CompressorOptions,
    FinetuneOptions,
    Imported,
    Statistics,
    TensorData,
    check_parity,
    collect_statistics,
    describe,
    finetune,
    read_onnx,
    write_onnx,
)
from paretrim.network import Network
from paretrim.problem import Bits, Policy
from tests.compressors import families
from tests.compressors.trained import export

_MADE: dict[str, tuple[Imported, Network, Statistics, Tensor]] = {}


@pytest.fixture(params=sorted(families.FAMILIES))
def family(request: pytest.FixtureRequest) -> tuple[Imported, Network, Statistics, Tensor]:
    name = request.param
    if name not in _MADE:
        imported = read_onnx(export(families.make(name), families.samples(name, 1)))
        network, inputs = describe(imported), families.samples(name, 48, seed=1)
        _MADE[name] = imported, network, collect_statistics(imported, network, inputs, batch_size=16), inputs
    return _MADE[name]


def half(network: Network) -> Policy:
    return Policy(keep={group.name: 0.5 for group in network.prunable_groups})


def error(imported: Imported, module: torch.nn.Module, inputs: Tensor) -> float:
    with torch.no_grad():
        return float((module(inputs) - imported.module(inputs)).square().mean())


def test_least_squares_brings_outputs_closer(family: tuple[Imported, Network, Statistics, Tensor]) -> None:
    imported, network, statistics, inputs = family
    errors = {}
    for kind in ("none", "gram", "sequential"):
        options = CompressorOptions(reconstruction=kind, match_variance=False)  # type: ignore[arg-type]
        maker = Compressor(imported, network, statistics, options, calibration=inputs)
        errors[kind] = error(imported, maker.compress(half(network)).module, inputs)
    assert errors["sequential"] < errors["gram"] * 1.001
    assert errors["sequential"] < errors["none"]


@pytest.mark.parametrize(("weight", "activation"), [(8, 8), (4, 8)])
def test_the_exported_file_computes_what_was_simulated(
    family: tuple[Imported, Network, Statistics, Tensor], weight: int, activation: int
) -> None:
    imported, network, statistics, inputs = family
    bits = {layer.name: Bits(weight, activation) for layer in network.layers}
    policy = Policy(keep=half(network).keep, bits=bits)
    compressed = Compressor(imported, network, statistics).compress(policy)
    parity = check_parity(compressed.module, write_onnx(compressed.module, imported, policy=policy), inputs)
    assert parity.max_rel_error < 0.05


def test_a_training_step_can_be_taken_with_and_without_bits(
    family: tuple[Imported, Network, Statistics, Tensor],
) -> None:
    imported, network, statistics, inputs = family
    with torch.no_grad():
        data = TensorData(inputs, imported.module(inputs))
    for bits in ({}, {layer.name: Bits(8, 8) for layer in network.layers}):
        small = Compressor(imported, network, statistics).compress(Policy(keep=half(network).keep, bits=bits))
        tuned = finetune(small, imported.module, data, data, FinetuneOptions(epochs=2, batch_size=24))
        assert len(tuned.history) == 2
        assert torch.isfinite(tuned.module(inputs)).all()
