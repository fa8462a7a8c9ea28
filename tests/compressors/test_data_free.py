"""Inputs made up from batch norms serve calibration as noise does not."""

import pytest
import torch
from torch import nn

from compressors import Compressor, CompressorOptions, collect_statistics
from compressors.data_free import statistics_distance, synthesize
from paretrim.errors import InvalidModel
from paretrim.problem import Policy
from tests.compressors.trained import Trained, imported_from, trained


@pytest.fixture(scope="module")
def net() -> Trained:
    return trained()


@pytest.fixture(scope="module")
def made(net: Trained) -> torch.Tensor:
    return synthesize(net.imported, 96, steps=80, batch_size=48)


def test_statistics_come_much_closer_to_the_stored_ones_than_noise(net: Trained, made: torch.Tensor) -> None:
    noise = torch.randn(96, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    assert made.shape == noise.shape
    found = statistics_distance(net.imported.module, made)
    assert found < 0.3 * statistics_distance(net.imported.module, noise)


def test_refitting_on_them_saves_a_pruned_network(net: Trained, made: torch.Tensor) -> None:
    policy = Policy(keep={group.name: 0.5 for group in net.network.prunable_groups})
    statistics = collect_statistics(net.imported, net.network, made)
    bare = CompressorOptions(criterion="l1", reconstruction="none")
    before = Compressor(net.imported, net.network, None, bare).compress(policy)
    after = Compressor(net.imported, net.network, statistics).compress(policy)
    assert net.accuracy(after.module) > net.accuracy(before.module) + 0.2


def test_the_seed_decides_and_the_network_is_not_changed(net: Trained) -> None:
    before = {name: value.clone() for name, value in net.imported.module.state_dict().items()}
    first, same, other = (synthesize(net.imported, 5, steps=3, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)
    assert all(torch.equal(value, before[name]) for name, value in net.imported.module.state_dict().items())
    assert all(parameter.requires_grad for parameter in net.imported.module.parameters())


def test_progress_runs_over_all_batches(net: Trained) -> None:
    seen: list[tuple[int, int]] = []
    synthesize(net.imported, 5, steps=2, batch_size=2, progress=lambda step, steps: seen.append((step, steps)))
    assert seen == [(step, 6) for step in range(1, 7)]


def test_a_network_without_batch_norms_is_refused() -> None:
    with pytest.raises(InvalidModel, match="no batch norms"):
        synthesize(imported_from(nn.Linear(4, 2), 4), 8)
