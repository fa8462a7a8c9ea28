"""Ranks of layers and whole residual blocks as things to search, where an algorithm is asked to."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from compressors import Compressor, collect_statistics, describe, read_onnx
from hw_models.cost import Costs
from hw_models.counts import operation_macs, operation_weights
from hw_models.devices import load_device, shipped
from paretrim.errors import InvalidPolicy
from paretrim.network import SizedOperation, factored_parts
from paretrim.problem import UNCHANGED, Bits, Constraint, Policy
from search.knobs import BlockKnob, RankKnob
from search.run import run_job
from search.space import Space
from search.walk import Walk
from service.layers import table
from tests.search import tiny
from tests.search.landscapes import Landscape, make, task
from tests.search.records import MemoryRecorder

#: a device that runs full precision beside 8 bits: layers of lower rank are not quantized
DEVICE = {**shipped()["mcu-m4"], "kernels": [[8, 8], [32, 32]]}


@cache
def parts() -> tuple[Compressor, Costs]:
    """The tiny network's compressor, and its costs."""
    imported = read_onnx(tiny.model())
    network = describe(imported)
    rows = torch.from_numpy(tiny.digits()["train_x"][:200])
    compressor = Compressor(imported, network, collect_statistics(imported, network, rows))
    return compressor, Costs(network, load_device(DEVICE))


def full(*constraints: str) -> Space:
    """The tiny network's space with everything free."""
    costs = parts()[1]
    parsed = [Constraint.parse(text) for text in constraints]
    return Space(costs.network, costs.device, costs, constraints=parsed).restricted("full")


def random_policies(space: Space, count: int) -> list[Policy]:
    rng = np.random.default_rng(0)
    return [space.project(space.decode(rng.random(space.size))) for _ in range(count)]


def layer(kind: str, inner: int, outer: int, kernel: tuple[int, ...], groups: int = 1) -> SizedOperation:
    hw, pads = ((8, 8), tuple(k // 2 for k in kernel) * 2) if kernel else ((), ())
    return SizedOperation(
        name="layer",
        kind=kind,
        inputs=("before",),
        in_channels=inner,
        out_channels=outer,
        in_hw=hw,
        out_hw=tuple(extent // 2 for extent in hw),
        kernel=kernel,
        stride=(2,) * len(kernel),
        padding=pads,
        dilation=(1,) * len(kernel),
        groups=groups,
        bias=True,
        weight_bits=32,
        activation_bits=32,
        extra={},
    )


def test_a_layer_of_lower_rank_is_counted_as_the_thinner_layers_it_becomes() -> None:
    wide = factored_parts(layer("conv2d", 8, 16, (3, 3)), 0.5)
    assert [(op.in_channels, op.out_channels, op.kernel, op.stride) for op in wide] == [
        (8, 4, (1, 1), (1, 1)),
        (4, 8, (3, 3), (2, 2)),
        (8, 16, (1, 1), (1, 1)),
    ]
    assert [op.out_hw for op in wide] == [(8, 8), (4, 4), (4, 4)]
    assert [op.bias for op in wide] == [False, False, True]
    flat = factored_parts(layer("linear", 20, 6, ()), 0.5)
    assert [(op.in_channels, op.out_channels) for op in flat] == [(20, 3), (3, 6)]
    assert [op.inputs for op in flat] == [("before",), ("layer.part0",)]
    assert flat[-1].name == "layer"


def test_a_rank_that_a_layer_cannot_have_is_refused() -> None:
    with pytest.raises(InvalidPolicy, match="'layer' cannot have a lower rank"):
        factored_parts(layer("conv2d", 8, 8, (3, 3), groups=8), 0.5)


def test_what_is_counted_is_what_the_compressor_makes() -> None:
    compressor, costs = parts()
    policies = [p for p in random_policies(full("macs_ratio <= 0.4"), 12) if not p.bits]
    assert any(p.rank for p in policies)
    assert any(p.removed for p in policies)
    for policy in policies:
        module = compressor.compress(policy).module
        really = sum(v.numel() for name, v in module.named_parameters() if name.endswith("weight"))
        assert really == sum(map(operation_weights, costs.network.sized(policy)))


def test_proposals_with_ranks_and_blocks_meet_the_budget_and_do_not_waste_it() -> None:
    space = full("bops_ratio <= 0.1")
    assert any(isinstance(knob, RankKnob) for knob in space.free_knobs)
    assert any(isinstance(knob, BlockKnob) for knob in space.free_knobs)
    spent = []
    for policy in random_policies(space, 100):
        assert space.fits(policy)
        assert space.is_legal(policy)
        assert space.decode(space.encode(policy)) == policy
        spent.append(space.measure(policy).value("bops") / space.original.value("bops") / 0.1)
    assert np.mean(spent) > 0.95


def test_what_has_no_effect_is_not_named_so_that_equal_networks_are_equal_policies() -> None:
    space = full("macs_ratio <= 0.9")
    block = next(knob.name for knob in space.knobs if isinstance(knob, BlockKnob))
    asked = Policy(keep={"first": 0.5}, bits={"first": Bits(8, 8)}, rank={"second": 0.5}, removed=(block,))
    found = space.policy(space.levels(asked))
    assert found.removed == (block,)
    assert "first" not in found.bits
    assert not found.rank


def test_other_genomes_leave_ranks_and_blocks_alone() -> None:
    costs = parts()[1]
    space = Space(costs.network, costs.device, costs, constraints=[Constraint.parse("bops_ratio <= 0.2")])
    for genome in ("keep", "bits", "joint"):
        for policy in random_policies(space.restricted(genome), 8):
            assert not policy.rank
            assert not policy.removed


def test_the_walk_asks_about_a_block_before_its_layers_and_sees_what_was_saved() -> None:
    space = full("macs_ratio <= 0.5")
    walk = Walk(space)
    kinds = [turn.kind for turn in walk.turns if turn.layer == "first"]
    assert kinds[0] == 4
    assert 3 in kinds
    gone = space.encode(Policy(removed=tuple(k.name for k in space.knobs if isinstance(k, BlockKnob))))
    assert walk.states(gone)[-1, 8] > walk.states(space.encode(UNCHANGED))[-1, 8]


@pytest.mark.parametrize("name", ["cma", "greedy", "ilp", "portfolio", "sensitivity", "td3"])
def test_an_algorithm_resumes_exactly_with_ranks_and_blocks_free(name: str) -> None:
    landscape = Landscape(full("macs_ratio <= 0.5"))
    small = {"hidden": 16, "batch": 8, "warmup": 4} if name == "td3" else {}
    whole, resumed = (make(name, task(landscape, (), 16), 1, genome="full", **small) for _ in range(2))
    for index in range(9):
        whole.tell(landscape.candidate(index, whole.ask()))
    state, arrays = whole.state()
    resumed.load_state(json.loads(json.dumps(state)), arrays)
    assert [whole.ask() for _ in range(3)] == [resumed.ask() for _ in range(3)]


def test_a_job_searches_them_and_every_candidate_can_be_made(tmp_path: Path) -> None:

    plan = tiny.plan(("random",), candidates=12, deliver=1, constraints=(Constraint.parse("macs_ratio <= 0.5"),))
    plan = replace(plan, searches=tuple(replace(search, options={"genome": "full"}) for search in plan.searches))
    recorder = MemoryRecorder()
    run_job(plan, tiny.inputs(tmp_path, DEVICE), recorder)
    candidates = recorder.recorded("s0").candidates
    assert all(candidate.failure is None for candidate in candidates)
    assert any(candidate.policy.rank for candidate in candidates)
    assert any(candidate.policy.removed for candidate in candidates)
    assert recorder.made


def test_a_layer_of_lower_rank_is_one_row_of_a_candidates_table() -> None:

    network = parts()[1].network
    policy = Policy(rank={"second": 0.25}, keep={"first": 0.5})
    rows = {
        row.name: row for row in table(network.to_json(), json.dumps(DEVICE).encode(), None, policy.to_json()).layers
    }
    made = [op for op in network.sized(policy) if op.name.startswith("second") and op.is_layer]
    assert len(made) == 3
    assert rows["second"].macs == sum(map(operation_macs, made)) < rows["second"].original.macs
    assert (rows["second"].in_channels, rows["second"].out_channels) == (6, 12)
