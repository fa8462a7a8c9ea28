"""Every family of networks comes in from both exporters, is cut, and goes out again as the same function."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, fx

from compressors import Imported, check_parity, describe, int8_layers, read_onnx, slice_module, write_onnx
from compressors.parity import open_session
from paretrim.network import Network
from paretrim.problem import Bits, Policy
from tests.compressors.families import FAMILIES, make, samples
from tests.compressors.networks import export

EXPORTED = Path(__file__).parent / "exported"


@functools.cache
def exported(family: str, exporter: str) -> bytes:
    """The family's network as torch's older exporter writes it now, or as the newer one has written it."""
    if exporter == "dynamo":
        return (EXPORTED / f"{family}.onnx").read_bytes()
    return export(make(family), samples(family, 2))


@functools.cache
def imported(family: str) -> tuple[Imported, Network]:
    """The network as it comes in, and its description."""
    found = read_onnx(exported(family, "legacy"))
    return found, describe(found)


def run(content: bytes, x: Tensor) -> np.ndarray:
    session = open_session(content)
    return np.asarray(session.run(None, {session.get_inputs()[0].name: x.numpy()})[0])


def every_second(network: Network) -> dict[str, Tensor]:
    return {group.name: torch.arange(0, group.units, 2) for group in network.prunable_groups}


def ranges_of(module: fx.GraphModule, x: Tensor) -> dict[str, tuple[float, float]]:
    """Lowest and highest value of every operation's output."""
    found = {}

    class Watch(fx.Interpreter):
        def run_node(self, n: fx.Node) -> object:
            value = super().run_node(n)
            if n.op != "output" and value.is_floating_point():
                name = "input" if n.op == "placeholder" else str(n.target)
                found[name] = (float(value.min()), float(value.max()))
            return value

    with torch.no_grad():
        Watch(module).run(x)
    return found


@pytest.mark.parametrize("exporter", ["legacy", "dynamo"])
@pytest.mark.parametrize("family", FAMILIES)
def test_what_comes_in_computes_what_the_file_computes_for_any_batch(family: str, exporter: str) -> None:
    content = exported(family, exporter)
    found = read_onnx(content)
    for count in (1, 5):
        x = samples(family, count, seed=count)
        expected = run(content, x)
        with torch.no_grad():
            y = found.module(x).numpy()
        np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("family", FAMILIES)
def test_half_of_every_group_can_go_and_the_rest_is_written_and_read_again(family: str) -> None:
    found, network = imported(family)
    small = slice_module(found, network, every_second(network))
    content = write_onnx(small, found)
    x = samples(family, 3, seed=1)
    assert check_parity(small, content, x).max_rel_error < 1e-5
    assert len(content) < len(write_onnx(found.module, found))
    again = read_onnx(content)
    assert dict(again.module.named_parameters()).keys() == dict(small.named_parameters()).keys()
    assert (again.input_name, again.output_name) == (found.input_name, found.output_name)
    with torch.no_grad():
        torch.testing.assert_close(again.module(x), small(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_cut_can_be_trained(family: str) -> None:
    found, network = imported(family)
    small = slice_module(found, network, every_second(network)).train()
    small(samples(family, 4)).square().sum().backward()
    without = [name for name, parameter in small.named_parameters() if parameter.grad is None]
    assert without == []


@pytest.mark.parametrize("family", FAMILIES)
def test_eight_bits_run_as_integers_in_the_runtime(family: str) -> None:
    found, network = imported(family)
    x = samples(family, 16, seed=2)
    policy = Policy(bits={layer.name: Bits(8, 8) for layer in network.layers})
    content = write_onnx(found.module, found, policy=policy, ranges=ranges_of(found.module, x))
    # the widest codes there are, which kernels without VNNI cut off: here the file is judged, not this machine
    assert check_parity(found.module, content, x, exact=True).max_rel_error < 0.06
    integer = {layer.name for layer in network.layers if layer.kind in ("conv1d", "conv2d", "linear")}
    assert integer <= int8_layers(content)


@pytest.mark.parametrize("family", FAMILIES)
def test_weights_alone_may_have_eight_bits(family: str) -> None:
    found, network = imported(family)
    x = samples(family, 16, seed=2)
    content = write_onnx(found.module, found, policy=Policy(bits={layer.name: Bits(8, 32) for layer in network.layers}))
    assert check_parity(found.module, content, x).max_rel_error < 0.06
    names = [tensor.name for tensor in onnx.load_model_from_string(content).graph.initializer]
    assert any(name.endswith(".weight.scale") for name in names)
    assert not any(name.endswith("zero_point") for name in names), "bytes that say nothing"
