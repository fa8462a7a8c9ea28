"""Cross-layer equalisation changes ranges and nothing else."""

import torch
from torch import nn

from compressors import equalize
from compressors.equalize import equal_pairs
from tests.compressors import families
from tests.compressors.trained import imported_from


def uneven(*layers: nn.Module) -> nn.Sequential:
    """A chain whose first layer has channels of very different sizes."""
    module = nn.Sequential(*layers).eval()
    with torch.no_grad():
        first = module[0].weight
        first.mul_(torch.logspace(-2, 2, len(first)).reshape(-1, *[1] * (first.ndim - 1)))  # type: ignore[union-attr, arg-type, operator]
    return module


def test_outputs_stay_and_ranges_become_alike() -> None:
    torch.manual_seed(0)
    imported = imported_from(
        uneven(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3, groups=8), nn.ReLU(), nn.Conv2d(8, 4, 1)), 3, 9, 9
    )
    even, x = equalize(imported), torch.randn(4, 3, 9, 9)
    pairs = equal_pairs(imported.module)
    assert len(pairs) == 2
    with torch.no_grad():
        torch.testing.assert_close(even.module(x), imported.module(x), rtol=1e-3, atol=1e-3)
    for module, spread in ((imported.module, 1000.0), (even.module, 30.0)):
        ranges = module.get_submodule(pairs[0][0]).weight.detach().flatten(1).abs().amax(1)  # type: ignore[union-attr, operator]
        assert (float(ranges.max() / ranges.min()) > spread) == (module is imported.module)


def test_a_batch_norm_between_is_scaled_instead_of_the_layer() -> None:
    torch.manual_seed(0)
    norm = nn.BatchNorm2d(8)
    nn.init.uniform_(norm.weight, 0.5, 2.0)
    imported = imported_from(
        nn.Sequential(nn.Conv2d(3, 8, 3, bias=False), norm, nn.ReLU(), nn.Conv2d(8, 4, 3)), 3, 8, 8
    )
    ((first, between, _),) = equal_pairs(imported.module)
    even, x = equalize(imported), torch.randn(4, 3, 8, 8)
    assert between is not None
    assert torch.equal(even.module.get_submodule(first).weight, imported.module.get_submodule(first).weight)  # type: ignore[arg-type]
    with torch.no_grad():
        torch.testing.assert_close(even.module(x), imported.module(x), rtol=1e-4, atol=1e-4)


def test_what_others_read_and_clips_are_left_alone() -> None:
    imported = imported_from(families.make("resnet_basic"), *families.FAMILIES["resnet_basic"][1])
    even, x = equalize(imported), families.samples("resnet_basic", 2)
    with torch.no_grad():
        torch.testing.assert_close(even.module(x), imported.module(x), rtol=1e-3, atol=1e-4)
    clipped = imported_from(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU6(), nn.Conv2d(4, 4, 3)), 3, 8, 8)
    assert equal_pairs(clipped.module) == []
