"""Criteria against Torch-Pruning's, and against their definitions."""

import pytest
import torch
import torch_pruning
from torch import Tensor, nn

from compressors import Compressor, CompressorOptions, channel_map, collect_statistics, describe
from compressors.criteria import CRITERIA, NEEDS, Ranking
from paretrim.errors import InvalidInput
from paretrim.problem import Policy
from tests.compressors.trained import Trained, imported_from, trained


@pytest.fixture(scope="module")
def net() -> Trained:
    return trained()


def ranking(net: Trained, criterion: str, seed: int = 0) -> Ranking:
    return Ranking(net.imported.module, channel_map(net.imported), net.statistics, criterion, seed)  # type: ignore[arg-type]


def by_torch_pruning(net: Trained, layer: str, importance: object) -> Tensor:
    """Order of removal of a layer's filters, by Torch-Pruning on the same torch module."""
    module = net.imported.module.get_submodule(layer)
    group = (
        torch_pruning.DependencyGraph()
        .build_dependency(net.imported.module, example_inputs=net.validation.inputs[:1])
        .get_pruning_group(module, torch_pruning.prune_conv_out_channels, list(range(module.out_channels)))
    )
    return torch.argsort(importance(group), stable=True)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("criterion", "theirs"),
    [
        ("l1", torch_pruning.importance.MagnitudeImportance(p=1, group_reduction="first")),
        ("l2", torch_pruning.importance.MagnitudeImportance(p=2, group_reduction="first")),
        ("bn_scale", torch_pruning.importance.BNScaleImportance(group_reduction="mean")),
    ],
)
def test_orders_are_those_of_torch_pruning(net: Trained, criterion: str, theirs: object) -> None:
    for group in ("block1.conv1", "block2.conv1"):
        assert ranking(net, criterion).order(group).tolist() == by_torch_pruning(net, group, theirs).tolist()


def test_fpgm_removes_filters_next_to_the_geometric_median(net: Trained) -> None:
    """Distances are between the filters themselves, as in the paper; Torch-Pruning's are between their squares."""
    filters = net.imported.module.get_submodule("block1.conv1").weight.detach()
    sums = [sum(float((one - other).norm()) for other in filters) for one in filters]
    expected = sorted(range(len(filters)), key=sums.__getitem__)
    assert ranking(net, "fpgm").order("block1.conv1").tolist() == expected


@pytest.mark.parametrize("criterion", CRITERIA)
def test_every_criterion_orders_every_unit_of_every_group_once(net: Trained, criterion: str) -> None:
    for group in net.network.prunable_groups:
        order = ranking(net, criterion).order(group.name)
        assert sorted(order.tolist()) == list(range(group.units))


def test_a_unit_that_does_nothing_goes_first() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 4, 3), nn.Flatten())
    with torch.no_grad():
        module[0].weight[5] = 0.0
        module[0].bias[5] = 0.0
        module[1].weight[5] = 0.0
        module[1].bias[5] = -1.0
        module[3].weight[:, 5] = 0.0
    imported = imported_from(module, 3, 8, 8)
    network = describe(imported)
    statistics = collect_statistics(imported, network, torch.randn(40, 3, 8, 8))
    for criterion in CRITERIA:
        if criterion in ("random", "fpgm"):  # by chance; by distance, and nothing is not in the middle
            continue
        order = Ranking(imported.module, channel_map(imported), statistics, criterion).order("0")
        assert int(order[0]) == 5, criterion


def test_a_unit_that_another_one_repeats_is_no_loss_to_obs_but_is_to_thinet() -> None:
    torch.manual_seed(1)
    module = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 5))
    with torch.no_grad():
        module[0].weight.copy_(torch.eye(8))
        module[0].weight[2], module[0].bias[2] = 3.0 * module[0].weight[6], 3.0 * module[0].bias[6]
        module[2].weight[:, (2, 6)] *= 5.0
    imported = imported_from(module, 8)
    network = describe(imported)
    statistics = collect_statistics(imported, network, torch.randn(300, 8))

    def order(criterion: str) -> list[int]:
        made = Ranking(imported.module, channel_map(imported), statistics, criterion)  # type: ignore[arg-type]
        return made.order("0").tolist()

    assert {2, 6} & set(order("obs")[:1])
    assert not {2, 6} & set(order("thinet")[:5])


def test_chance_depends_on_the_seed_and_the_group(net: Trained) -> None:
    first, same, other = (ranking(net, "random", seed).order("block1.conv1").tolist() for seed in (1, 1, 2))
    assert first == same != other
    assert first != ranking(net, "random", 1).order("block2.conv1").tolist()


def test_batch_norm_scales_are_refused_where_there_are_none() -> None:
    imported = imported_from(nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3)), 4)
    network = describe(imported)
    statistics = collect_statistics(imported, network, torch.randn(20, 4))
    with pytest.raises(InvalidInput, match="no batch norm"):
        Ranking(imported.module, channel_map(imported), statistics, "bn_scale").order("0")


def test_criteria_that_need_nothing_work_without_statistics(net: Trained) -> None:
    for criterion in CRITERIA:
        if NEEDS[criterion] == "none":
            options = CompressorOptions(criterion=criterion)
            made = Compressor(net.imported, net.network, None, options)
            assert len(made.kept(_half(net))["block1.conv1"]) == 8


def _half(net: Trained) -> Policy:
    return Policy(keep={group.name: 0.5 for group in net.network.prunable_groups})
