from __future__ import annotations

import torch
from torch import nn

from compressors import Compressor, CompressorOptions, describe, fold, read_onnx
from compressors.lanes import fill_lanes
from paretrim.problem import Policy
from tests.search import tiny

L1 = CompressorOptions(criterion="l1")


def test_a_widened_network_computes_the_same_and_only_inner_widths_have_grown() -> None:
    imported = read_onnx(tiny.model())
    policy = Policy(keep={"stem": 0.5, "first": 0.42, "down": 0.3})  # 6, 5 and 7 units
    module = fold(Compressor(imported, describe(imported), None, L1).compress(policy).module)
    inputs = torch.randn(9, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        before = module(inputs)
        fill_lanes(module)
        after = module(inputs)
    torch.testing.assert_close(after, before, rtol=1e-5, atol=1e-6)
    widths = {name: layer.out_channels for name, layer in module.named_modules() if isinstance(layer, nn.Conv2d)}
    # the stem is read twice, `second` ends in a sum, `down` goes to a linear layer: they stay
    assert widths == {"stem": 6, "first": 8, "second": 6, "down": 7}
    assert module.get_submodule("second").in_channels == 8


def test_a_width_that_fills_the_lanes_stays() -> None:
    imported = read_onnx(tiny.model())
    module = fold(Compressor(imported, describe(imported), None, L1).compress(Policy(keep={"first": 8 / 12})).module)
    before = module.get_submodule("first").weight
    fill_lanes(module)
    assert module.get_submodule("first").weight is before
