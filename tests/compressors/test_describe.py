"""Groups, blocks and sizes, against what is known of the networks and against Torch-Pruning's dependency graph."""

from __future__ import annotations

import pytest
import torch
import torch_pruning
from torch import Tensor, nn

from compressors import Imported, channel_map, describe, read_onnx
from compressors.architectures import ARCHITECTURES
from paretrim.network import Group, Network, axis_channels
from tests.compressors.families import FAMILIES, make, samples
from tests.compressors.networks import export
from tests.compressors.test_families import imported


def groups_of(module: nn.Module, x: Tensor) -> dict[str, Group]:
    return {group.name: group for group in describe(read_onnx(export(module.eval(), x))).groups}


def test_the_residual_streams_of_option_a_are_tied_channel_by_channel() -> None:
    """Channels 8 to 23 of the second stage are those of the first; half of what a stage adds lies on each side."""
    found = read_onnx(export(ARCHITECTURES["resnet20_cifar"].build(10).eval(), torch.zeros(2, 3, 32, 32)))
    network = describe(found)
    streams = [group for group in network.prunable_groups if group.kind == "residual"]
    assert [(group.name, group.units) for group in streams] == [
        ("conv1", 16),
        ("layer2.0.conv2", 16),
        ("layer3.0.conv2", 32),
    ]
    assert len(network.prunable_groups) == 12
    ends = {
        end.operation: end.channels.flatten().tolist() for end in channel_map(found).ends["conv1"] if end.side == "out"
    }
    assert ends["layer1.0.conv2"] == list(range(16))
    assert ends["layer2.0.conv2"] == list(range(8, 24))
    assert ends["layer3.0.conv2"] == list(range(24, 40))
    assert [block.name for block in network.blocks] == [f"layer{s}.{b}" for s in (1, 2, 3) for b in range(3)]


def test_attention_is_cut_by_heads_and_a_feed_forward_layer_by_width() -> None:
    groups = {group.name: group for group in imported("transformer")[1].groups}
    heads = groups["layers.0.attention.q"]
    assert (heads.units, heads.kind) == (4, "heads")
    assert heads.producers == ("layers.0.attention.q", "layers.0.attention.k", "layers.0.attention.v")
    assert heads.consumers == ("layers.0.attention.o",)
    assert (groups["layers.0.up"].units, groups["layers.0.up"].kind) == (24, "hidden")
    assert groups["tokens"].frozen == "a layer norm runs over them"


def test_one_head_is_cut_channel_by_channel() -> None:
    class OneHead(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.q, self.k, self.v, self.o = nn.Linear(6, 4), nn.Linear(6, 4), nn.Linear(6, 5), nn.Linear(5, 3)

        def forward(self, x: Tensor) -> Tensor:
            weight = (self.q(x) @ self.k(x).transpose(1, 2)).softmax(-1)
            return self.o(weight @ self.v(x)).mean(1)

    groups = groups_of(OneHead(), torch.zeros(2, 7, 6))
    assert (groups["q"].units, groups["q"].producers) == (4, ("q", "k"))
    assert (groups["v"].units, groups["v"].consumers) == (5, ("o",))


def test_squeeze_excite_follows_the_channels_it_weighs() -> None:
    groups = {group.name: group for group in imported("mobilenet_v3")[1].groups}
    group = groups["1.steps.0"]
    assert group.producers == ("1.steps.0", "1.steps.3", "1.steps.6.fc2")
    assert group.consumers == ("1.steps.3", "1.steps.6.fc1", "1.steps.7")


def test_grouped_convolutions_keep_the_same_places_in_every_group() -> None:
    groups = {group.name: group for group in imported("resnext")[1].groups}
    assert groups["1.spatial.0"].units == 4  # 12 channels in 3 groups
    assert groups["1.reduce.0"].units == 4


def test_shuffled_channels_stay_independent() -> None:
    """Through two shuffles every channel can still be removed alone."""
    network = imported("shufflenet_v2")[1]
    assert sum(group.units for group in network.prunable_groups if "0.0" in group.producers) == 8


def test_a_gate_over_positions_ties_nothing() -> None:
    class Gate(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.gate, self.b = nn.Conv2d(3, 6, 1), nn.Conv2d(3, 1, 1), nn.Conv2d(6, 2, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.b(self.a(x) * torch.sigmoid(self.gate(x)))

    groups = groups_of(Gate(), torch.zeros(2, 3, 4, 4))
    assert (groups["a"].units, groups["a"].frozen) == (6, None)


def test_what_is_added_to_the_input_cannot_shrink_and_says_why() -> None:
    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 4, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.b(x + self.a(x)).mean((2, 3))

    assert groups_of(Residual(), torch.zeros(2, 3, 4, 4))["a"].frozen == "they meet values that are nobody's channels"


@pytest.mark.parametrize("family", FAMILIES)
def test_every_channel_of_every_layer_is_in_exactly_one_group(family: str) -> None:
    found, network = imported(family)
    known = {group.name for group in network.groups}
    for layer in network.layers:
        module = found.module.get_submodule(layer.name)
        out = next(
            getattr(module, key)
            for key in ("out_channels", "out_features", "embedding_dim", "hidden_size")
            if hasattr(module, key)
        )
        assert axis_channels(layer.out_axis) == int(out) * layer.extra.get("directions", 1)
        grouped = [segment for segment in layer.out_axis if segment.group is not None]
        if layer.name not in ("along.0", "along.2"):  # along positions: the labels of the channels pass through
            assert sum(segment.channels for segment in grouped) == axis_channels(layer.out_axis)
        assert {segment.group for segment in grouped} <= known
    for group in network.groups:
        assert group.frozen is None or len(group.frozen) > 10
    assert Network.from_json(network.to_json()) == network


def _coupled(found: Imported, network: Network, layer: str, channel: int) -> dict[str, set[tuple[str, int]]]:
    """What goes with one output channel of a layer, by our groups: {layer: {(side, channel)}}."""
    coupled: dict[str, set[tuple[str, int]]] = {}
    for group, ends in channel_map(found).ends.items():
        del group
        start = next((end for end in ends if end.operation == layer and end.side in ("out", "through")), None)
        if start is None or not (start.channels == channel).any():
            continue
        unit = int((start.channels == channel).any(dim=1).nonzero()[0])
        for end in ends:
            held = found.module.get_submodule(end.operation)
            sides = ("in", "out") if end.side == "through" else (end.side,)
            if isinstance(held, nn.Conv2d | nn.Linear):
                for side in sides:
                    coupled.setdefault(end.operation, set()).update((side, int(c)) for c in end.channels[unit])
    del network
    return coupled


@pytest.mark.parametrize(
    "family",
    ["vgg", "resnet_basic", "resnet_bottleneck", "mobilenet_v1", "mobilenet_v2", "squeezenet", "googlenet", "densenet"],
)
def test_torch_pruning_couples_the_same_channels(family: str) -> None:
    """Its dependency graph (Fang et al., CVPR 2023) traced from the torch module; ours read from the exported file."""
    module = make(family)
    found, network = imported(family)
    graph = torch_pruning.DependencyGraph().build_dependency(module, example_inputs=samples(family, 1))
    names = {part: name for name, part in module.named_modules()}
    layers = [layer.name for layer in network.layers if not layer.is_depthwise]
    checked = 0
    for name in layers:
        layer = module.get_submodule(name)
        prune = (
            torch_pruning.prune_linear_out_channels
            if isinstance(layer, nn.Linear)
            else torch_pruning.prune_conv_out_channels
        )
        group = graph.get_pruning_group(layer, prune, idxs=[1])
        theirs: dict[str, set[tuple[str, int]]] = {}
        for dependency, channels in group:
            held = dependency.target.module
            if isinstance(held, nn.Conv2d | nn.Linear):
                depthwise = isinstance(held, nn.Conv2d) and held.groups > 1
                side = "out" if "out" in dependency.handler.__name__ else "in"
                for one in ("in", "out") if depthwise else (side,):
                    theirs.setdefault(names[held], set()).update((one, int(c)) for c in channels)
        assert _coupled(found, network, name, 1) == theirs, name
        checked += 1
    assert checked > 2
