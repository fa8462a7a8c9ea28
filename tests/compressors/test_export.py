"""Networks go out under their own names, and their integers are those of the simulation."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, fx, nn

from compressors import Imported, check_parity, fold, int8_layers, slice_module, write_onnx
from compressors.grid import activation_grid, snap_weight, weight_scales
from compressors.parity import compare, open_session
from compressors.placement import OUTPUT, placement
from paretrim.errors import InvalidInput
from paretrim.network import Network
from paretrim.problem import Bits, Policy
from tests.compressors.families import FAMILIES, samples
from tests.compressors.test_families import imported, ranges_of

Ranges = Mapping[str, tuple[float, float]]


class Rounding(fx.Interpreter):
    """Runs a folded network with every tensor of the plan rounded to its grid, as obviously as can be."""

    def __init__(self, module: fx.GraphModule, bits: Mapping[str, Bits], ranges: Ranges) -> None:
        super().__init__(fold(module))
        self.plan = placement(self.module, bits)  # type: ignore[arg-type]
        self.ranges = ranges
        for name, width in self.plan.weights.items():
            layer = self.module.get_submodule(name)
            edge = self.plan.edges.get((name, 0)) if name in self.plan.layers else None
            if edge is not None and layer.bias is not None:
                grid = activation_grid(*ranges[edge.source], edge.bits)
                steps = grid.scale * weight_scales(layer.weight, width)  # type: ignore[arg-type]
                layer.bias.data = torch.round(layer.bias.data / steps) * steps  # type: ignore[union-attr, operator]
            for key, weight in layer.named_parameters():
                if "weight" in key and weight.dim() > 1:
                    by_column = isinstance(layer, nn.ConvTranspose1d | nn.ConvTranspose2d) or key.startswith("weight_")
                    weight.data = snap_weight(weight.data, width, int(by_column))

    def snapped(self, operation: str, place: int, value: Tensor) -> Tensor:
        edge = self.plan.edges.get((operation, place))
        return value if edge is None else activation_grid(*self.ranges[edge.source], edge.bits).snap(value)

    def call_module(self, target: object, args: tuple[Tensor, ...], kwargs: dict[str, object]) -> object:
        args = tuple(self.snapped(str(target), place, value) for place, value in enumerate(args))
        return super().call_module(target, args, kwargs)

    def output(self, _: object, args: tuple[Tensor, ...], __: dict[str, object]) -> object:
        return self.snapped(OUTPUT, 0, args[0])


def quantized(found: Imported, policy: Policy, x: Tensor) -> tuple[bytes, Tensor, Ranges]:
    """The exported file and what the simulation computes."""
    ranges = ranges_of(found.module, x)
    content = write_onnx(found.module, found, policy=policy, ranges=ranges)
    with torch.no_grad():
        return content, Rounding(found.module, policy.bits, ranges).run(x), ranges


def bits_for(network: Network, pattern: list[Bits]) -> Policy:
    return Policy(bits={layer.name: pattern[place % len(pattern)] for place, layer in enumerate(network.layers)})


PATTERNS = {
    "all 8": [Bits(8, 8)],
    "every second": [Bits(8, 8), Bits(32, 32)],
    "few": [Bits(4, 8), Bits(8, 4), Bits(2, 6), Bits(8, 8), Bits(1, 8)],
    "weights only": [Bits(8, 32), Bits(4, 32), Bits(32, 8)],
}


#: every family with a mixture of few bits; some also with the other patterns
CASES = [(family, "few") for family in FAMILIES] + [
    (family, pattern)
    for family in ("vgg", "resnet_option_a", "mobilenet_v2", "shufflenet_v2", "unet", "transformer")
    for pattern in PATTERNS
    if pattern != "few"
]


@pytest.mark.parametrize(("family", "pattern"), CASES)
def test_the_file_computes_what_the_simulation_computes(family: str, pattern: str) -> None:
    """Within a step of the last grid: where a value lies between two codes, sums may fall to either side."""
    found, network = imported(family)
    x = samples(family, 8, seed=3)
    content, simulated, _ = quantized(found, bits_for(network, PATTERNS[pattern]), x)
    session = open_session(content, exact=True)
    y = session.run(None, {session.get_inputs()[0].name: x.numpy()})[0]
    with torch.no_grad():
        exact = found.module(x).numpy()
    error = float(np.abs(exact - simulated.numpy()).mean())
    assert float(np.abs(y - simulated.numpy()).mean()) < 0.35 * error + 1e-6


def test_a_layer_of_eight_bits_is_within_one_step_of_the_simulation() -> None:
    found, network = imported("autoencoder")
    x = samples("autoencoder", 64, seed=3)
    policy = Policy(bits={network.layers[0].name: Bits(8, 8)})
    content, simulated, _ = quantized(found, policy, x)
    assert compare(simulated.numpy(), open_session(content).run(None, {"input": x.numpy()})[0]).max_rel_error < 1e-5


def test_names_and_free_batch_are_kept_and_the_file_is_checked() -> None:
    found, network = imported("resnet_option_a")
    model = onnx.load_model_from_string(write_onnx(found.module, found))
    onnx.checker.check_model(model, full_check=True)
    assert model.opset_import[0].version == 17
    (given,), (made,) = model.graph.input, model.graph.output
    assert (given.name, made.name) == (found.input_name, found.output_name)
    assert given.type.tensor_type.shape.dim[0].dim_param == "batch"
    assert [d.dim_value for d in given.type.tensor_type.shape.dim][1:] == list(found.input_shape)
    assert {operation.name for operation in network.operations} <= {node.name for node in model.graph.node}


def test_a_removed_block_is_not_written() -> None:
    found, network = imported("resnet_basic")
    small = slice_module(found, network, {}, [block.name for block in network.blocks])
    content = write_onnx(small, found)
    names = {node.name for node in onnx.load_model_from_string(content).graph.node}
    gone = {name for block in network.blocks for name in block.operations}
    assert not names & gone
    assert check_parity(small, content, samples("resnet_basic", 4)).max_rel_error < 1e-5


def test_chains_of_integers_are_not_interrupted() -> None:
    """Additions and the pool at the end run in int8 too; what arrives and what leaves is floating point."""
    found, network = imported("resnet_basic")
    content, _, _ = quantized(found, bits_for(network, [Bits(8, 8)]), samples("resnet_basic", 16))
    integer = int8_layers(content)
    assert {block.operations[-1] for block in network.blocks} <= integer
    assert {operation.name for operation in network.operations if operation.kind == "global_avg_pool"} <= integer


def test_eight_bits_make_a_smaller_file_than_thirty_two() -> None:
    found, network = imported("vgg")
    content, _, _ = quantized(found, bits_for(network, [Bits(8, 8)]), samples("vgg", 16))
    weights = sum(
        tensor.ByteSize()
        for tensor in onnx.load_model_from_string(content).graph.initializer
        if ".weight" in tensor.name
    )
    whole = onnx.load_model_from_string(write_onnx(found.module, found)).graph.initializer
    assert weights < sum(tensor.ByteSize() for tensor in whole if ".weight" in tensor.name)


def test_a_missing_range_is_named() -> None:
    found, network = imported("vgg")
    with pytest.raises(InvalidInput, match="'input'"):
        write_onnx(found.module, found, policy=bits_for(network, [Bits(8, 8)]), ranges={})


def test_folding_changes_nothing_but_the_batch_norms() -> None:
    for family in ("resnet_option_a", "mobilenet_v3", "unet", "audio", "autoencoder", "densenet"):
        found, _ = imported(family)
        folded = fold(found.module)
        x = samples(family, 3)
        with torch.no_grad():
            torch.testing.assert_close(folded(x), found.module(x), rtol=1e-4, atol=1e-5)
        norms = sum(isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d) for part in folded.modules())
        assert norms == (6 if family == "densenet" else 0), family
    assert any(isinstance(part, nn.BatchNorm2d) for part in imported("resnet_option_a")[0].module.modules())
