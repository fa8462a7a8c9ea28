"""Zeros in exported files: the shapes are those asked for, and the outputs are the same."""

from __future__ import annotations

import re

import numpy as np
import onnx
import pytest
import torch

from compressors import channel_map, describe, fold, int8_layers, pad_channels, slice_module, write_onnx
from compressors.imported import Imported
from compressors.pad_channels import widened
from compressors.parity import compare, open_session
from paretrim.network import Network
from paretrim.problem import Bits, Policy
from tests.compressors.families import samples
from tests.compressors.test_families import imported, ranges_of

#: convolutions, linear layers and batch norms in all arrangements; what else has parameters by channel is refused
CAN = (
    *(
        "vgg",
        "resnet_basic",
        "resnet_option_a",
        "resnet_bottleneck",
        "resnext",
        "mobilenet_v1",
        "mobilenet_v2",
        "mobilenet_v3",
    ),
    *("efficientnet", "squeezenet", "googlenet", "densenet", "keyword_spotting", "audio", "autoencoder"),
)
CANNOT = {
    "unet": r"ConvTranspose\) cannot be widened",
    "generator": r"cannot be widened",
    "shufflenet_v2": r"Gather\) cannot be widened",
    "vision_transformer": "stands alone",
}
Kept = dict[str, tuple[int, ...]]


def pruned(network: Network) -> tuple[Kept, dict[str, int]]:
    """The middle of every group, and widths of one unit more."""
    kept, widths = {}, {}
    for group in network.free_groups:
        count = max(1, (2 * group.units) // 3)
        if count + 1 < group.units:
            kept[group.name] = tuple(range(1, count + 1))
            widths[group.name] = count + 1
    return kept, widths


def exported(family: str, *, narrow: bool) -> tuple[bytes, Imported, Kept, dict[str, int], torch.Tensor]:
    """A pruned network as a file, in 8 bits or in full precision, and what it is to be padded to."""
    found, network = imported(family)
    kept, widths = pruned(network)
    x = samples(family, 8)
    module = slice_module(found, network, kept).eval()
    if not narrow:
        return write_onnx(module, found), found, kept, widths, x
    policy = Policy(bits={layer.name: Bits(8, 8) for layer in network.layers})
    folded = fold(module)
    return write_onnx(folded, found, policy=policy, ranges=ranges_of(folded, x)), found, kept, widths, x


def run(content: bytes, x: torch.Tensor) -> np.ndarray:
    """Outputs in ONNX Runtime."""
    session = open_session(content, exact=True)
    return np.asarray(session.run(None, {session.get_inputs()[0].name: x.numpy()})[0])


def shapes(content: bytes) -> dict[str, tuple[int, ...]]:
    """Of the constants."""
    return {tensor.name: tuple(tensor.dims) for tensor in onnx.load_model_from_string(content).graph.initializer}


@pytest.mark.parametrize(
    ("family", "narrow"),
    [*((family, False) for family in CAN), *((f, True) for f in ("resnet_bottleneck", "mobilenet_v3", "densenet"))],
)
def test_the_padded_file_has_the_widths_asked_for_and_the_same_outputs(family: str, narrow: bool) -> None:
    content, found, kept, widths, x = exported(family, narrow=narrow)
    padded, refused = pad_channels(content, found, kept, widths, x)
    assert refused == ""
    fresh = samples(family, 8, seed=1)
    assert compare(run(content, fresh), run(padded, fresh)).max_rel_error < 1e-5
    network = describe(found)
    wide = write_onnx(slice_module(found, network, widened(kept, channel_map(found).groups, widths)).eval(), found)
    expected = {name: shape for name, shape in shapes(wide).items() if name in shapes(padded)}
    assert expected
    assert {name: shapes(padded)[name] for name in expected} == expected
    assert any(shapes(content)[name] != shape for name, shape in expected.items())
    if narrow:
        assert int8_layers(padded) == int8_layers(content)


@pytest.mark.parametrize("family", CANNOT)
def test_what_cannot_be_widened_is_left_as_it_is_with_the_reason(family: str) -> None:
    content, found, kept, widths, x = exported(family, narrow=False)
    padded, refused = pad_channels(content, found, kept, widths, x)
    assert padded == b""
    assert re.search(CANNOT[family], refused)
