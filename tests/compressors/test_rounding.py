"""The simulation computes what the exported file computes, and gradients find their way through it."""

import pytest
import torch
from torch import nn

from compressors import (
    Compressor,
    CompressorOptions,
    FinetuneOptions,
    check_parity,
    finetune,
    int8_layers,
    pack,
    write_onnx,
)
from compressors.graph import clone
from compressors.grid import ActivationGrid, activation_grid, coarse, snap_weight, weight_scales
from compressors.rounding import (
    ActivationRounding,
    Rounded,
    WeightRounding,
    drop_relus,
    rounded,
    stored_grid,
    stored_steps,
)
from paretrim.problem import Bits, Policy
from tests.compressors.trained import Trained, trained


@pytest.fixture(scope="module")
def net() -> Trained:
    return trained()


def policy(net: Trained, weight: int, activation: int, keep: float = 0.6) -> Policy:
    return Policy(
        keep={group.name: keep for group in net.network.prunable_groups},
        bits={layer.name: Bits(weight, activation) for layer in net.network.layers},
    )


def compressed(net: Trained, chosen: Policy):  # type: ignore[no-untyped-def]
    return Compressor(net.imported, net.network, net.statistics).compress(chosen)


@pytest.mark.parametrize(("weight", "activation"), [(8, 8), (4, 8), (3, 4), (2, 2), (1, 8)])
def test_the_exported_file_computes_what_was_simulated(net: Trained, weight: int, activation: int) -> None:
    chosen = policy(net, weight, activation)
    made = compressed(net, chosen)
    parity = check_parity(made.module, write_onnx(made.module, net.imported, policy=chosen), net.validation.inputs)
    assert parity.agreement >= 0.99
    assert parity.max_rel_error < 0.01  # a value between two grid points may fall on either side


def test_the_exported_file_computes_what_was_trained(net: Trained) -> None:
    chosen = policy(net, 4, 4)
    tuned = finetune(
        compressed(net, chosen),
        net.imported.module,
        net.train,
        net.validation,
        FinetuneOptions(epochs=1, learning_rate=0.005),
    )
    content = write_onnx(tuned.module, net.imported, policy=chosen)
    assert check_parity(tuned.module, content, net.validation.inputs).agreement >= 0.99


@pytest.mark.parametrize("activation", [8, 32])
def test_a_compact_network_packs_smaller_and_is_exported_as_it_was_trained(net: Trained, activation: int) -> None:
    chosen = policy(net, 4, activation)
    sizes = {}
    for compact in (False, True):
        maker = Compressor(net.imported, net.network, net.statistics, CompressorOptions(compact=compact))
        made = maker.compress(chosen)
        sizes[compact] = len(pack(write_onnx(made.module, net.imported, policy=chosen)).content)
    assert sizes[True] < 0.98 * sizes[False]
    options = FinetuneOptions(epochs=1, learning_rate=0.005)
    tuned = finetune(made, net.imported.module, net.train, net.validation, options)
    content = write_onnx(tuned.module, net.imported, policy=chosen)
    assert check_parity(tuned.module, content, net.validation.inputs).agreement >= 0.99
    for layer in net.network.layers:
        steps = stored_steps(tuned.module.get_submodule(layer.name))
        assert steps is not None
        assert torch.equal(steps, coarse(steps, 3))


def test_every_layer_of_eight_bits_runs_in_integers(net: Trained) -> None:
    chosen = policy(net, 8, 8)
    content = write_onnx(compressed(net, chosen).module, net.imported, policy=chosen)
    assert {layer.name for layer in net.network.layers} <= int8_layers(content)


def test_a_mixed_network_rounds_only_the_layers_that_were_named(net: Trained) -> None:
    made = compressed(net, Policy(bits={"block1.conv2": Bits(8, 8)}))
    assert isinstance(made.module.get_submodule("block1.conv2"), Rounded)
    assert not isinstance(made.module.get_submodule("block2.conv2"), Rounded)
    assert stored_grid(made.module.get_submodule("block1.conv2"), 0) is not None


def test_evaluation_is_the_grids_own_arithmetic() -> None:
    values = torch.randn(1000, generator=torch.Generator().manual_seed(0)) * 3
    for bits in (2, 5, 8):
        grid = activation_grid(-1.0, 4.0, bits)
        assert torch.equal(ActivationRounding(grid).eval()(values), grid.snap(values))


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_weights_are_rounded_as_the_grid_does(bits: int) -> None:
    weight = torch.randn(6, 4, 3, 3, generator=torch.Generator().manual_seed(0))
    for training in (False, True):
        module = WeightRounding(weight_scales(weight, bits), bits, 0).train(training)
        torch.testing.assert_close(module(weight).detach(), snap_weight(weight, bits))


def test_rows_taken_a_few_at_once_are_rounded_like_all_together(monkeypatch: pytest.MonkeyPatch) -> None:
    values, rounding = torch.randn(7, 3, 5), ActivationRounding(activation_grid(-1.0, 2.0, 6)).eval()
    whole = rounding(values)
    monkeypatch.setattr("compressors.rounding.CACHED", 31)
    assert torch.equal(rounding(values), whole)


def test_a_network_without_the_relus_that_rounding_does_anyway_computes_the_same(net: Trained) -> None:
    made = compressed(net, policy(net, 4, 4))
    with torch.inference_mode():
        before = made.module(net.validation.inputs)
        lean = clone(made.module)
        drop_relus(lean)
        after = lean(net.validation.inputs)
    kept, left = (sum(isinstance(part, nn.ReLU) for part in module.modules()) for module in (made.module, lean))
    assert left < kept
    assert torch.equal(before, after)


def test_a_relu_that_something_else_reads_stays(net: Trained) -> None:
    module = clone(compressed(net, Policy(bits={"block1.conv1": Bits(8, 8)})).module)
    drop_relus(module)
    assert any(isinstance(part, nn.ReLU) for part in module.modules())
    with torch.inference_mode():
        torch.testing.assert_close(
            module(net.validation.inputs),
            compressed(net, Policy(bits={"block1.conv1": Bits(8, 8)})).module(net.validation.inputs),
        )


def test_training_and_evaluation_give_the_same_values() -> None:
    layer = nn.Conv2d(3, 4, 3)
    weight = WeightRounding(weight_scales(layer.weight, 4), 4, 0)
    made = rounded(layer, {0: ActivationGrid(0.1, 3, 15)}, weight)
    inputs = torch.randn(2, 3, 6, 6)
    torch.testing.assert_close(made.train()(inputs), made.eval()(inputs))


def test_inside_the_range_gradients_pass_and_outside_they_do_not() -> None:
    values = torch.tensor([[-5.0, 0.34, 7.0]], requires_grad=True)
    ActivationRounding(ActivationGrid(0.1, 0, 15)).train()(values).sum().backward()
    assert values.grad is not None
    assert values.grad.tolist() == [[0.0, 1.0, 0.0]]


def test_the_gradient_of_a_step_is_that_of_lsq() -> None:
    """Esser et al. 2020, eq. 3: inside round(v/s) - v/s, outside the bound's code; scaled by 1 / sqrt(count x top)."""
    values, step, top = torch.tensor([[0.34, 9.0, -1.0]]), 0.1, 15
    rounding = ActivationRounding(ActivationGrid(step, 0, top)).train()
    rounding(values).sum().backward()
    inside = round(0.34 / step) - 0.34 / step
    assert rounding.input_step.grad is not None
    assert float(rounding.input_step.grad) == pytest.approx((inside + top + 0) / (3 * top) ** 0.5, rel=1e-4)


def test_the_module_that_was_rounded_is_not_changed() -> None:
    layer = nn.Linear(4, 3)
    before = layer.weight.detach().clone()
    made = rounded(layer, {0: ActivationGrid(0.1, 0, 3)})
    made.weight.data.zero_()  # type: ignore[operator, union-attr]
    assert torch.equal(layer.weight, before)
    assert type(layer) is nn.Linear
