"""Held-out networks: disjoint from what tables are made of, and as varied as is claimed."""

from __future__ import annotations

from hw_models.families import FAMILIES
from hw_models.profiler.calibration import CALIBRATION_FAMILIES, calibration_networks
from hw_models.validation.holdout import UNSEEN, held_out

NETWORKS = held_out(240, ("fp32", "int8", "mixed"))


def test_two_families_occur_in_no_table_and_most_are_not_calibrated_with() -> None:
    families = {network.family for network in NETWORKS}
    assert families == {*FAMILIES, *UNSEEN}
    assert not set(UNSEEN) & set(FAMILIES)
    assert len(families - set(CALIBRATION_FAMILIES)) >= 6


def test_every_family_comes_in_every_precision_and_several_extents() -> None:
    for family in {network.family for network in NETWORKS}:
        mine = [network for network in NETWORKS if network.family == family]
        assert {network.precision for network in mine} == {"fp32", "int8", "mixed"}
        assert len({network.hw for network in mine}) >= 4


def test_widths_are_as_odd_as_pruning_leaves_them() -> None:
    widths = [op.out_channels for network in NETWORKS for op in network.operations if op.kind == "conv2d"]
    assert sum(width % 4 != 0 for width in widths) > len(widths) / 2


def test_no_network_was_calibrated_with() -> None:
    calibrated = {repr(operations) for operations in calibration_networks(("fp32", "int8", "mixed"), each=10, seed=0)}
    assert not calibrated & {repr(network.operations) for network in NETWORKS}


def test_pairs_are_one_network_dense_and_narrower() -> None:
    for dense, pruned in zip(NETWORKS[::2], NETWORKS[1::2], strict=True):
        assert (dense.pair, dense.family, dense.hw) == (pruned.pair, pruned.family, pruned.hw)
        assert not dense.pruned
        assert pruned.pruned
