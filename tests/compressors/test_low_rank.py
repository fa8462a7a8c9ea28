"""Layers of lower rank: exact at full rank, best at a lower one, and exported."""

import pytest
import torch
from torch import Tensor, nn

from compressors import Compressor, CompressorOptions, check_parity, collect_statistics, describe, write_onnx
from compressors.low_rank import factored
from compressors.operators.convolution import PaddedConv2d
from paretrim.errors import InvalidPolicy
from paretrim.problem import Bits, Policy
from tests.compressors.trained import Trained, imported_from, trained


@pytest.fixture(scope="module")
def net() -> Trained:
    return trained()


def padded() -> PaddedConv2d:
    layer = PaddedConv2d(4, 6, (3, 5), stride=(2, 1))
    layer.pads = (0, 1, 2, 3)
    return layer


@pytest.mark.parametrize(
    "layer",
    [
        nn.Linear(5, 7),
        nn.Conv2d(4, 6, 1, stride=2),
        nn.Conv2d(4, 6, 3, stride=2, padding=1),
        nn.Conv2d(4, 6, (3, 1), padding=(2, 0), dilation=(2, 1), bias=False),
        padded(),
    ],
)
@pytest.mark.parametrize("scheme", ["tucker", "spatial"])
def test_at_full_rank_nothing_changes(layer: nn.Module, scheme: str) -> None:
    inputs = torch.randn(3, 5) if isinstance(layer, nn.Linear) else torch.randn(3, 4, 9, 9)
    made = factored(layer, 1.0, None, name="layer", scheme=scheme)  # type: ignore[arg-type]
    torch.testing.assert_close(made(inputs), layer(inputs), rtol=1e-4, atol=1e-5)


def test_known_inputs_make_a_lower_rank_better() -> None:
    torch.manual_seed(0)
    layer, inputs = nn.Linear(20, 20), torch.randn(500, 4) @ torch.randn(4, 20) + 0.1 * torch.randn(500, 20)
    moments = inputs.T.double() @ inputs.double() / 500

    def error(known: Tensor | None) -> float:
        made = factored(layer, 0.2, known, name="layer")
        with torch.no_grad():
            return float((made(inputs) - layer(inputs)).square().mean())

    assert error(moments) < 0.1 * error(None)


@pytest.mark.parametrize("scheme", ["tucker", "spatial"])
def test_a_network_of_lower_rank_is_smaller_and_exported_as_it_is(net: Trained, scheme: str) -> None:
    options = CompressorOptions(low_rank=scheme)  # type: ignore[arg-type]
    policy = Policy(keep={"block1.conv1": 0.75}, rank={"block1.conv2": 0.5, "block2.conv1": 0.5, "classify": 0.5})
    compressed = Compressor(net.imported, net.network, net.statistics, options).compress(policy)
    content = write_onnx(compressed.module, net.imported, policy=policy)
    assert check_parity(compressed.module, content, net.validation.inputs).max_rel_error < 1e-4
    assert len(content) < 0.9 * len(write_onnx(net.imported.module, net.imported))
    assert net.accuracy(compressed.module) > 0.8


def test_error_grows_as_the_rank_falls(net: Trained) -> None:
    maker = Compressor(net.imported, net.network, net.statistics)
    errors = []
    for ratio in (0.9, 0.6, 0.3, 0.1):
        module = maker.compress(Policy(rank={"block1.conv2": ratio})).module
        with torch.no_grad():
            difference = module(net.validation.inputs) - net.imported.module(net.validation.inputs)
        errors.append(float(difference.square().mean()))
    assert errors == sorted(errors)


def test_layers_that_cannot_be_factored_are_named() -> None:
    module = nn.Sequential(nn.Conv2d(4, 4, 3, groups=4), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3))
    imported = imported_from(module, 4, 4, 4)
    network = describe(imported)
    maker = Compressor(imported, network, collect_statistics(imported, network, torch.randn(8, 4, 4, 4)))
    with pytest.raises(InvalidPolicy, match="'0' cannot have a lower rank"):
        maker.compress(Policy(rank={"0": 0.5}))


def test_a_lower_rank_and_fewer_bits_at_once_are_refused(net: Trained) -> None:
    maker = Compressor(net.imported, net.network, net.statistics)
    with pytest.raises(InvalidPolicy, match=r"'block1\.conv2' cannot have both"):
        maker.compress(Policy(rank={"block1.conv2": 0.5}, bits={"block1.conv2": Bits(8, 8)}))
