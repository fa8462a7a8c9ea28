"""A torch module becomes ONNX that says the same, with what compression needs still in it."""

from __future__ import annotations

import collections
import warnings

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from paretrim import InvalidModel
from paretrim._torch_export import export_module
from tests.paretrim.conftest import small_net


def operators(content: bytes) -> collections.Counter[str]:
    return collections.Counter(node.op_type for node in onnx.load_model_from_string(content).graph.node)


def test_batch_normalisation_stays_and_nothing_is_shared_by_accident() -> None:
    """Both norms are fresh, so their weights are equal; the exporter alone would keep one of each."""
    content = export_module(small_net(), torch.zeros(2, 1, 8, 8))
    found = operators(content)
    assert found["BatchNormalization"] == 2
    assert found["Conv"] == 2
    assert found["Identity"] == 0
    graph = onnx.load_model_from_string(content).graph
    read = [
        name for node in graph.node if node.op_type in ("Conv", "BatchNormalization", "Gemm") for name in node.input[1:]
    ]
    assert len(read) == len(set(read))
    assert {"first.weight", "norm.running_mean", "classify.bias"} <= set(read)
    onnx.checker.check_model(onnx.load_model_from_string(content), full_check=True)


def test_it_computes_what_the_module_computes_for_any_batch() -> None:
    net = small_net(4).train()
    for _ in range(3):
        net(torch.randn(16, 1, 8, 8))  # gives the norms statistics of their own
    content = export_module(net, np.zeros((2, 1, 8, 8), np.float32))
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    for batch in (1, 5):
        x = torch.randn(batch, 1, 8, 8)
        with torch.no_grad():
            expected = net.eval()(x).numpy()
        (found,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_module_is_left_as_it_was() -> None:
    net = small_net().train()
    net.norm.eval()  # a norm that its owner had frozen
    before = {name: value.clone() for name, value in net.state_dict().items()}
    export_module(net, torch.randn(4, 1, 8, 8))
    assert net.training
    assert not net.norm.training
    assert net.second_norm.training
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())


def test_no_warning_reaches_the_user() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        export_module(small_net(), torch.zeros(1, 1, 8, 8))


def test_dropout_does_not_drop() -> None:
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Dropout(0.9), torch.nn.Linear(64, 2))
    assert "Dropout" not in operators(export_module(net, torch.zeros(1, 1, 8, 8)))


def test_what_cannot_be_exported_is_refused_with_torchs_reason() -> None:
    class Odd(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.linalg.eigvals(x).real

    with pytest.raises(InvalidModel, match="could not export"):
        export_module(Odd(), torch.eye(3)[None])


def test_what_is_no_module_is_refused() -> None:
    with pytest.raises(InvalidModel, match="int is neither a path"):
        export_module(7, torch.zeros(1))
    with pytest.raises(InvalidModel, match="example_input=x"):
        export_module(small_net(), None)
