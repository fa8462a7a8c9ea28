"""One pass over the calibration inputs, against what can be computed directly."""

import pytest
import torch
from torch import fx, nn

from compressors import collect_spreads, collect_statistics, describe
from paretrim.errors import InvalidDataset
from tests.compressors.trained import Trained, imported_from, trained


@pytest.fixture(scope="module")
def net() -> Trained:
    return trained()


class Taps(fx.Interpreter):
    """Keeps every operation's output."""

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module)
        self.outputs: dict[str, torch.Tensor] = {}

    def call_module(self, target, args, kwargs):  # type: ignore[no-untyped-def]
        output = super().call_module(target, args, kwargs)
        self.outputs[target] = output
        return output


def test_every_layer_and_every_operation_is_covered(net: Trained) -> None:
    assert set(net.statistics.layers) == {layer.name for layer in net.network.layers}
    assert set(net.statistics.spreads) == {operation.name for operation in net.network.operations} | {"input"}
    assert net.statistics.samples == 400


def test_extremes_are_those_of_all_values(net: Trained) -> None:
    inputs = net.train.inputs[:100]
    spreads = collect_spreads(net.imported.module, inputs, batch_size=33)
    taps = Taps(net.imported.module)
    with torch.no_grad():
        taps.run(inputs)
    for name, output in taps.outputs.items():
        assert spreads[name].low == pytest.approx(float(output.min()), rel=1e-5, abs=1e-6)
        assert spreads[name].high == pytest.approx(float(output.max()), rel=1e-5, abs=1e-6)


def test_the_share_of_zeros_is_exact(net: Trained) -> None:
    inputs = net.train.inputs[:100]
    statistics = collect_statistics(net.imported, net.network, inputs, batch_size=30, sensitivity_samples=0)
    taps = Taps(net.imported.module)
    with torch.no_grad():
        taps.run(inputs)
    reader = net.network.by_name["block1.conv2"]
    expected = (taps.outputs[reader.inputs[0]] == 0).double().mean((0, 2, 3))
    torch.testing.assert_close(statistics.layers[reader.name].zero_share, expected)


def test_all_rows_are_taken_where_there_are_few(net: Trained) -> None:
    statistics = collect_statistics(net.imported, net.network, net.train.inputs[:16], batch_size=5)
    assert statistics.layers["block1.conv2"].gram.rows == 16 * 64
    assert statistics.layers["classify"].gram.rows == 16


def test_the_same_seed_gives_the_same_figures(net: Trained) -> None:
    first, second, other = (
        collect_statistics(net.imported, net.network, net.train.inputs[:128], seed=seed) for seed in (1, 1, 2)
    )
    for name, layer in first.layers.items():
        assert torch.equal(layer.gram.matrix, second.layers[name].gram.matrix)
        assert torch.equal(layer.sensitivity, second.layers[name].sensitivity)
    assert not torch.equal(first.layers["block1.conv2"].gram.matrix, other.layers["block1.conv2"].gram.matrix)


def test_sensitivity_is_the_fisher_information_of_a_linear_layer() -> None:
    """Of logits y with p = softmax(y), E[(dL/dy)^2] over labels drawn from p is p (1 - p)."""
    imported = imported_from(nn.Linear(5, 4), 5)
    inputs = torch.randn(3, 5, generator=torch.Generator().manual_seed(0)).repeat(4000, 1)
    statistics = collect_statistics(imported, describe(imported), inputs, sensitivity_samples=12_000, batch_size=4000)
    with torch.no_grad():
        share = imported.module(inputs).softmax(1).double()
    (layer,) = statistics.layers.values()
    torch.testing.assert_close(layer.sensitivity, (share * (1 - share)).mean(0), rtol=0.05, atol=0.0)


def test_taylor_is_the_squared_change_of_the_loss_when_a_channel_is_gated() -> None:
    torch.manual_seed(0)
    imported = imported_from(nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3)), 4)
    inputs = torch.randn(50, 4)
    known = collect_statistics(imported, describe(imported), inputs, sensitivity_samples=50, seed=5, task="regression")
    first, second = imported.module.get_submodule("0"), imported.module.get_submodule("2")
    noise = torch.randn(50, 3, generator=torch.Generator().manual_seed(5))  # so few rows are not sampled
    hidden = first(inputs).relu().detach()
    gradient = noise @ second.weight.detach()
    torch.testing.assert_close(known.layers["2"].taylor, (hidden * gradient).double().square().mean(0))


def test_collecting_leaves_the_network_as_it_was(net: Trained) -> None:
    before = {name: value.clone() for name, value in net.imported.module.state_dict().items()}
    collect_statistics(net.imported, net.network, net.train.inputs[:32])
    assert all(torch.equal(value, net.imported.module.state_dict()[name]) for name, value in before.items())
    assert all(parameter.grad is None for parameter in net.imported.module.parameters())


def test_no_inputs_and_inputs_that_are_not_finite_are_refused(net: Trained) -> None:
    with pytest.raises(InvalidDataset, match="at least one"):
        collect_statistics(net.imported, net.network, net.train.inputs[:0])
    with pytest.raises(InvalidDataset, match="not finite"):
        collect_statistics(net.imported, net.network, torch.full((2, 1, 8, 8), float("nan")))
