"""Refitting in order on what a layer really gets beats refitting from the original's statistics."""

import pytest
import torch
from torch import Tensor, nn

from compressors import Compressor, CompressorOptions, channel_map, describe, slice_module
from compressors.refit import refit_in_order
from paretrim.errors import InvalidInput
from paretrim.problem import UNCHANGED, Bits, Policy
from tests.compressors.trained import Trained, imported_from, trained


@pytest.fixture(scope="module")
def net() -> Trained:
    return trained()


def output_error(net: Trained, module: nn.Module) -> float:
    inputs = net.validation.inputs
    with torch.no_grad():
        return float((module(inputs) - net.imported.module(inputs)).square().mean())


def compressors(net: Trained, calibration: Tensor) -> tuple[Compressor, Compressor]:
    return tuple(  # type: ignore[return-value]
        Compressor(
            net.imported,
            net.network,
            net.statistics,
            CompressorOptions(reconstruction=kind, match_variance=False),
            calibration=calibration,
        )
        for kind in ("gram", "sequential")
    )


@pytest.mark.parametrize("ratio", [0.3, 0.6])
def test_outputs_come_closer_to_the_originals(net: Trained, ratio: float) -> None:
    policy = Policy(keep={group.name: ratio for group in net.network.prunable_groups})
    once, in_order = (maker.compress(policy) for maker in compressors(net, net.train.inputs[:400]))
    assert output_error(net, in_order.module) < 0.8 * output_error(net, once.module)
    assert net.accuracy(in_order.module) >= net.accuracy(once.module) - 0.005
    assert all(0.0 <= layer.error_share <= 1.0 for layer in in_order.report)


def test_a_network_that_lost_nothing_stays_as_it_is(net: Trained) -> None:
    _, in_order = compressors(net, net.train.inputs[:50])
    same = in_order.compress(UNCHANGED)
    for name, value in same.module.state_dict().items():
        assert torch.equal(value, net.imported.module.state_dict()[name]), name


def test_it_goes_together_with_bits(net: Trained) -> None:
    policy = Policy(
        keep={group.name: 0.5 for group in net.network.prunable_groups},
        bits={layer.name: Bits(8, 8) for layer in net.network.layers},
    )
    once, in_order = (maker.compress(policy) for maker in compressors(net, net.train.inputs[:400]))
    assert output_error(net, in_order.module) < output_error(net, once.module)


def test_a_removed_block_is_made_good_as_far_as_the_others_can(net: Trained) -> None:
    policy = Policy(removed=(net.network.blocks[1].name,))
    once, in_order = (maker.compress(policy) for maker in compressors(net, net.train.inputs[:400]))
    assert output_error(net, in_order.module) < output_error(net, once.module)


class Branches(nn.Module):
    """A shortcut that is computed after the branch it is added to, and a grouped convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.branch = nn.Conv2d(8, 12, 3, padding=1, groups=2)
        self.side = nn.Conv2d(8, 12, 1)
        self.last = nn.Linear(12, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x).relu()
        y = self.branch(x)
        output: Tensor = self.last((y + self.side(x)).relu().mean((2, 3)))
        return output


def test_every_layer_fits_the_rows_it_was_given_no_worse_than_before() -> None:
    torch.manual_seed(0)
    imported, inputs = imported_from(Branches(), 3, 6, 6), torch.randn(300, 3, 6, 6)
    network = describe(imported)
    kept = {group.name: tuple(range(max(1, group.units // 2))) for group in network.prunable_groups}
    small = slice_module(imported, network, kept)
    with torch.no_grad():
        target = imported.module(inputs)
        before = float((small(inputs) - target).square().mean())
        errors = refit_in_order(small, imported.module, channel_map(imported), kept, inputs, ridge=1e-6)
        after = float((small(inputs) - target).square().mean())
    assert set(errors) >= {"branch", "side", "last"}
    assert after < 0.2 * before


def test_without_calibration_inputs_it_is_refused(net: Trained) -> None:
    with pytest.raises(InvalidInput, match="calibration"):
        Compressor(net.imported, net.network, net.statistics, CompressorOptions(reconstruction="sequential"))
