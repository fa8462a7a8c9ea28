"""Cutting channels: any network, any policy."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, fx
from torch.utils.flop_counter import FlopCounterMode

from compressors import Imported, channel_map, describe, slice_module
from compressors.graph import clone
from compressors.operators import operator_of
from compressors.operators.attention import MatMul
from compressors.operators.recurrent import Recurrent
from compressors.provenance import provenance
from hw_models.counts import macs
from paretrim.errors import InvalidPolicy
from paretrim.network import Network
from paretrim.problem import Policy
from tests.compressors.families import FAMILIES, samples
from tests.compressors.networks import SHAPE, random_network
from tests.compressors.test_families import imported


def draw_policy(network: Network, seed: int) -> Policy:
    """Any units of any group, at least one each; some blocks."""
    chance = torch.Generator().manual_seed(seed)
    keep = {}
    for group in network.prunable_groups:
        count = int(torch.randint(1, group.units + 1, (), generator=chance))
        keep[group.name] = tuple(sorted(torch.randperm(group.units, generator=chance)[:count].tolist()))
    removed = [block.name for block in network.blocks if torch.rand((), generator=chance) < 0.2]
    return Policy(keep=keep, removed=tuple(removed))


class Ignoring(fx.Interpreter):
    """Runs the whole network, but everything that contracts channels sees zeros where channels are to be removed."""

    def __init__(self, found: Imported, keep: dict[str, tuple[int, ...]]) -> None:
        module = clone(found.module)
        super().__init__(module)
        self.traced = provenance(found)
        total = sum(units for _, units in self.traced.offsets.values())
        self.stays = np.ones(total + 1, dtype=np.float32)
        for group, units in keep.items():
            first, count = self.traced.offsets[group]
            self.stays[first : first + count] = 0.0
            self.stays[first + np.array(units)] = 1.0
        for name, held in module.named_modules():
            if isinstance(held, Recurrent):  # it reads its own output
                mask = torch.from_numpy(self.stays[self.traced.unit_of[name]]).reshape(1, 1, -1)
                held.weight_hh.data *= mask

    def mask(self, tensor: str, value: Tensor) -> Tensor:
        mask = torch.from_numpy(self.stays[self.traced.unit_of[tensor]])
        axis = self.traced.outlines[tensor].batch_axis
        if axis is not None and mask.shape[axis] > 1:  # heads beside the batch
            mask = torch.cat([mask] * (value.shape[axis] // mask.shape[axis]), axis)
        return value * mask

    def call_module(self, target: object, args: tuple[Tensor, ...], kwargs: dict[str, object]) -> object:
        held = self.module.get_submodule(str(target))
        if (operator_of(held).role == "layer" or isinstance(held, MatMul)) and args[0].is_floating_point():
            args = tuple(
                self.mask(name, value) for name, value in zip(self.traced.inputs[str(target)], args, strict=True)
            )
        return super().call_module(target, args, kwargs)


def check(found: Imported, network: Network, policy: Policy, x: Tensor) -> None:
    """Shapes as predicted, multiply-adds as predicted, and the function of the network without those channels."""
    small = slice_module(found, network, policy.keep, policy.removed)  # type: ignore[arg-type]
    sized = {operation.name: operation for operation in network.sized(policy)}
    shapes: dict[str, torch.Size] = {}
    for name in sized:
        small.get_submodule(name).register_forward_hook(lambda _, __, y, name=name: shapes.update({name: y.shape}))
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        small(x[:1])
    for name, operation in sized.items():
        assert shapes[name].numel() == operation.out_channels * int(np.prod(operation.out_hw)), name
    if not any(operation.kind in ("lstm", "gru") for operation in sized.values()):
        assert macs(tuple(sized.values())) == counter.get_total_flops() // 2
    if not policy.removed:
        with torch.no_grad():
            expected = Ignoring(found, policy.keep).run(x)  # type: ignore[arg-type]
            torch.testing.assert_close(small(x), expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max() + 1))


@settings(max_examples=12, deadline=None, derandomize=True)
@given(st.integers(0, 100_000), st.integers(0, 100_000))
def test_any_network_under_any_policy_is_what_was_predicted(network_seed: int, policy_seed: int) -> None:
    found = random_network(network_seed)
    network = describe(found)
    policy = draw_policy(network, policy_seed)
    network.check(policy)
    x = torch.randn(3, *SHAPE, generator=torch.Generator().manual_seed(policy_seed))
    check(found, network, policy, x)
    check(found, network, Policy(keep=policy.keep), x)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_under_random_policies_is_what_was_predicted(family: str) -> None:
    found, network = imported(family)
    policy = draw_policy(network, seed=1)
    x = samples(family, 3, seed=1)
    check(found, network, policy, x)
    check(found, network, Policy(keep=policy.keep), x)


def test_a_removed_block_leaves_its_shortcut() -> None:
    """The same as a branch whose last batch norm gives zeros."""
    found, network = imported("resnet_option_a")
    names = [block.name for block in network.blocks]
    assert names == ["1", "2", "3"]
    x = samples("resnet_option_a", 3)
    for name in names:
        silent = clone(found.module)
        norm = silent.get_submodule(f"{name}.bn2")
        norm.weight.data.zero_()  # type: ignore[union-attr, operator]
        norm.bias.data.zero_()  # type: ignore[union-attr, operator]
        with torch.no_grad():
            torch.testing.assert_close(slice_module(found, network, {}, [name])(x), silent(x))


def test_the_network_that_is_cut_stays_as_it_was() -> None:
    found, network = imported("mobilenet_v3")
    before = {name: value.clone() for name, value in found.module.state_dict().items()}
    small = slice_module(found, network, {group.name: [0] for group in network.prunable_groups})
    with torch.no_grad():
        for value in small.state_dict().values():
            value.fill_(7)
    untouched = slice_module(found, network, {})
    with torch.no_grad():
        for value in untouched.state_dict().values():
            value.fill_(7)
    after = found.module.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_channels_are_where_the_map_says() -> None:
    found, network = imported("resnext")
    where = channel_map(found)
    kept = {"1.spatial.0": [0, 2], "0.0": [1, 5]}
    assert where.output_channels("1.spatial.0", kept).tolist() == [0, 2, 4, 6, 8, 10]
    assert where.input_channels("1.expand.0", kept).tolist() == [0, 2, 4, 6, 8, 10]
    assert where.weight_input("1.spatial.0", {"1.reduce.0": [1]}).tolist() == [1]
    assert where.input_channels("1.spatial.0", {"1.reduce.0": [1]}).tolist() == [1, 5, 9]
    ends = {(end.operation, end.side): end.channels for end in where.ends["1.spatial.0"]}
    assert ends["1.spatial.0", "out"].tolist() == [[0, 4, 8], [1, 5, 9], [2, 6, 10], [3, 7, 11]]
    assert ends["1.spatial.1", "through"].shape == (4, 3)
    assert set(where.groups) == {group.name for group in network.groups}


@pytest.mark.parametrize(
    ("kept", "removed", "says"),
    [
        ({"nothing": [0]}, (), "not a group"),
        ({"0.0": []}, (), "at least one"),
        ({"0.0": [3, 1]}, (), "rising"),
        ({"0.0": [8]}, (), "0..7"),
        ({"out": [0]}, (), "network's output"),
        ({}, ("nothing",), "not a removable block"),
    ],
)
def test_what_cannot_be_cut_is_refused(kept: dict[str, list[int]], removed: tuple[str, ...], says: str) -> None:
    found, network = imported("mobilenet_v1")
    kept = {network.groups[-1].name if name == "out" else name: units for name, units in kept.items()}
    with pytest.raises(InvalidPolicy, match=says):
        slice_module(found, network, kept, removed)


def test_cutting_is_fast_enough_to_do_for_every_candidate() -> None:
    """Nothing is traced or compiled: the generated forward is shared."""
    found, network = imported("resnet_basic")
    kept = {group.name: torch.arange(group.units // 2) for group in network.prunable_groups}
    small = slice_module(found, network, kept)
    assert type(small) is type(found.module)
    begin = time.perf_counter()
    for _ in range(20):
        slice_module(found, network, kept)
    assert (time.perf_counter() - begin) / 20 < 0.05
