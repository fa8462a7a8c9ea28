"""Fine-tuning recovers accuracy, is exact when resumed, and matches what is exported."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from compressors import Compressed, Compressor, CompressorOptions
from compressors.augmentation import flip_crop
from compressors.finetune import evaluate, finetune, learning_rate_at, make_optimizer
from compressors.losses import attention_loss, distillation_loss, hint_loss, loss_for, soften
from compressors.rounding import stored_steps
from compressors.training import FinetuneOptions, Progress, TensorData, TrainingState
from paretrim.errors import InvalidDataset, InvalidInput
from paretrim.problem import Bits, Policy
from tests.compressors.trained import Trained, imported_from, trained


@pytest.fixture(scope="module")
def net() -> Trained:
    return trained()


@pytest.fixture(scope="module")
def pruned(net: Trained) -> Compressed:
    groups = {group.name: 0.25 for group in net.network.prunable_groups}
    return Compressor(net.imported, net.network, net.statistics).compress(Policy(keep=groups))


def options(**changes: object) -> FinetuneOptions:
    return replace(FinetuneOptions(epochs=2, batch_size=64), **changes)  # type: ignore[arg-type]


def weights(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def assert_same(first: dict[str, Tensor], second: dict[str, Tensor]) -> None:
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


def test_accuracy_comes_back(net: Trained, pruned: Compressed) -> None:
    before = weights(pruned.module)
    tuned = finetune(pruned, net.imported.module, net.train, net.validation, options())
    assert net.accuracy(tuned.module) > net.accuracy(pruned.module) + 0.03
    assert not tuned.module.training
    assert_same(before, weights(pruned.module))


def test_the_same_seed_gives_the_same_weights_and_another_seed_does_not(net: Trained, pruned: Compressed) -> None:
    first, second, other = (
        weights(finetune(pruned, net.imported.module, net.train, net.validation, options(epochs=1, seed=seed)).module)
        for seed in (3, 3, 4)
    )
    assert_same(first, second)
    assert any(not torch.equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize("changes", [{}, {"optimizer": "adamw", "ema_decay": 0.9}])
def test_a_resumed_run_ends_with_the_weights_of_one_that_never_stopped(
    net: Trained, pruned: Compressed, changes: dict[str, object]
) -> None:
    chosen, states = options(epochs=2.5, **changes), []
    whole = finetune(
        pruned, net.imported.module, net.train, net.validation, chosen, checkpoint=lambda s: states.append(s.to_bytes())
    )
    state = TrainingState.from_bytes(states[0])
    resumed = finetune(pruned, net.imported.module, net.train, net.validation, chosen, resume=state)
    assert_same(weights(whole.module), weights(resumed.module))
    assert [epoch.loss for epoch in whole.history] == [epoch.loss for epoch in resumed.history]


@pytest.mark.parametrize("quantizer", ["uniform", "kmeans", "asymmetric"])
def test_a_quantized_network_goes_on_with_the_steps_and_tables_it_had_learnt(net: Trained, quantizer: str) -> None:
    bits = {layer.name: Bits(3, 8 if quantizer == "uniform" else 32) for layer in net.network.layers}
    how = CompressorOptions(weight_quantizer=quantizer, compact=True)  # type: ignore[arg-type]
    begun = Compressor(net.imported, net.network, net.statistics, how).compress(Policy(bits=bits))
    chosen, states = options(epochs=2, batch_size=256), []
    whole = finetune(
        begun, net.imported.module, net.train, net.validation, chosen, checkpoint=lambda s: states.append(s.to_bytes())
    )
    state = TrainingState.from_bytes(states[0])
    learnt = [name for name in state.named("module") if name.endswith(("weight_step", "weight_table", "input_step"))]
    fresh = begun.module.state_dict()
    assert learnt
    assert any(not torch.equal(state.named("module")[name], fresh[name]) for name in learnt)
    resumed = finetune(begun, net.imported.module, net.train, net.validation, chosen, resume=state)
    assert_same(weights(whole.module), weights(resumed.module))


def test_what_is_not_a_state_is_refused() -> None:
    with pytest.raises(InvalidInput, match="not the state"):
        TrainingState.from_bytes(b"\x08\x00\x00\x00\x00\x00\x00\x00nonsense")


def test_progress_counts_down_to_the_last_step(net: Trained, pruned: Compressed) -> None:
    seen: list[Progress] = []
    finetune(pruned, net.imported.module, net.train, net.validation, options(epochs=1.5), seen.append)
    assert [event.step for event in seen] == list(range(1, seen[0].steps + 1))
    assert seen[0].steps == round(1.5 * math.ceil(1200 / 64))
    assert seen[-1].eta_seconds == 0.0


def test_training_stops_when_validation_stays_behind(net: Trained) -> None:
    chosen = options(epochs=50, patience=1, learning_rate=1e-8)
    tuned = finetune(net.imported.module, None, net.train, net.validation, chosen)
    assert len(tuned.history) == 1


def test_the_weights_are_kept_that_the_judge_likes_best(net: Trained, pruned: Compressed) -> None:
    verdicts, states = iter([0.1, 0.9, 0.5]), []

    def judge(outputs: Tensor, targets: Tensor, inputs: Tensor) -> float:
        assert len(outputs) == len(targets) == len(inputs) == len(net.validation)
        return next(verdicts)

    tuned = finetune(
        pruned, None, net.train, net.validation, options(judge=judge, distillation=0), checkpoint=states.append
    )
    assert [epoch.validation for epoch in tuned.history] == [0.9, 0.5]
    assert_same(weights(tuned.module), dict(states[0].named("module")))


def test_a_run_that_diverges_gives_back_the_best_weights(net: Trained, pruned: Compressed) -> None:
    chosen = options(learning_rate=1e20, clip_norm=math.inf, distillation=0.0)
    tuned = finetune(pruned, None, net.train, net.validation, chosen)
    assert not math.isfinite(tuned.history[-1].loss)
    assert evaluate(tuned.module, net.validation) == evaluate(pruned.module, net.validation)


def test_the_teacher_alone_is_enough(net: Trained, pruned: Compressed) -> None:
    lies = TensorData(net.train.inputs, torch.zeros_like(net.train.targets))
    tuned = finetune(pruned, net.imported.module, lies, net.validation, options(distillation=1.0))
    assert net.accuracy(tuned.module) > net.accuracy(pruned.module) + 0.03


@pytest.mark.parametrize("features", ["fitnets", "attention"])
def test_intermediate_tensors_come_closer_to_the_teachers(net: Trained, features: str) -> None:
    groups = {group.name: 0.25 for group in net.network.prunable_groups if len(group.producers) == 1}
    small = Compressor(net.imported, net.network, net.statistics).compress(Policy(keep=groups))
    chosen = options(features=features, feature_weight=10.0, distillation=1.0, epochs=3)
    tuned = finetune(small, net.imported.module, net.train, net.validation, chosen)
    assert tuned.history[-1].loss < tuned.history[0].loss
    assert not any(part._forward_hooks for part in tuned.module.modules())
    assert not any(part._forward_hooks for part in net.imported.module.modules())


def test_quantized_networks_learn_with_their_steps(net: Trained) -> None:
    bits = {layer.name: Bits(2, 3) for layer in net.network.layers}
    rough = Compressor(net.imported, net.network, net.statistics).compress(Policy(bits=bits))
    tuned = finetune(rough, net.imported.module, net.train, net.validation, options(learning_rate=0.01, epochs=3))
    assert net.accuracy(tuned.module) > net.accuracy(rough.module) + 0.02
    for layer in net.network.layers:
        before, after = (stored_steps(part.get_submodule(layer.name)) for part in (rough.module, tuned.module))
        assert before is not None
        assert after is not None
        assert bool((after > 0).all())
        assert not torch.equal(before, after)
        codes = tuned.module.get_submodule(layer.name).weight_rounding(tuned.module.get_submodule(layer.name).weight)
        assert all(len(channel.unique()) <= 3 for channel in codes)


def test_steps_stay_where_they_are_unless_they_are_to_be_learnt(net: Trained) -> None:
    bits = {layer.name: Bits(4, 8) for layer in net.network.layers}
    rough = Compressor(net.imported, net.network, net.statistics).compress(Policy(bits=bits))
    tuned = finetune(rough, None, net.train, net.validation, options(epochs=0.3, learn_steps=False, learning_rate=1e-3))
    for name, value in tuned.module.named_parameters():
        if name.endswith("_step"):
            assert torch.equal(value, dict(rough.module.named_parameters())[name])


def test_real_valued_targets_are_fitted_by_squared_error() -> None:
    torch.manual_seed(0)
    inputs = torch.randn(400, 6)
    data = TensorData(inputs, inputs @ torch.randn(6, 2))
    imported = imported_from(nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 2)), 6)
    tuned = finetune(imported.module, None, data, data, options(epochs=20, optimizer="adamw", learning_rate=0.01))
    assert evaluate(tuned.module, data) > 0.5 * evaluate(imported.module, data)
    assert tuned.history[-1].loss < tuned.history[0].loss


def test_a_class_number_out_of_range_is_refused(net: Trained) -> None:
    wrong = TensorData(net.train.inputs[:10], torch.full((10,), 10))
    with pytest.raises(InvalidDataset, match=r"outside 0\.\.9"):
        finetune(net.imported.module, None, wrong, wrong, options())


def test_the_loss_follows_from_targets_and_outputs() -> None:
    x = torch.randn(4, 6)
    assert loss_for(x, torch.randn(4, 3), torch.tensor([0, 1, 2, 0])) == "cross_entropy"
    assert loss_for(x, torch.randn(4, 3), torch.randn(4, 3)) == "mse"
    assert loss_for(x, torch.randn(4, 6), torch.tensor([0, 1, 1, 0])) == "reconstruction"
    with pytest.raises(InvalidDataset):
        loss_for(x, torch.randn(4, 3), torch.randn(4, 2))


def test_softened_probabilities_are_those_of_the_textbook() -> None:
    expected = torch.tensor([0.562, 0.229, 0.209])
    torch.testing.assert_close(soften(torch.tensor([100.0, 10.0, 1.0]), 100.0), expected, rtol=0, atol=5e-4)


def test_gradients_of_the_distillation_loss_do_not_vanish_with_the_temperature() -> None:
    teacher, sizes = torch.tensor([[2.0, -1.0, 0.5]]), []
    for temperature in (4.0, 400.0):
        student = torch.zeros(1, 3, requires_grad=True)
        distillation_loss("cross_entropy", student, teacher, temperature).backward()
        sizes.append(float(student.grad.norm()))
    assert sizes[1] == pytest.approx(sizes[0], rel=0.2)


def test_features_that_are_the_same_cost_nothing() -> None:
    tensors = [torch.rand(3, 4, 5, 5), torch.rand(3, 8, 2, 2)]
    assert float(hint_loss(tensors, tensors)) == 0.0
    assert float(attention_loss(tensors, [tensor.repeat(1, 2, 1, 1) for tensor in tensors])) < 1e-10


def test_the_learning_rate_rises_and_then_falls_along_a_cosine() -> None:
    rates = [learning_rate_at(step, 100, 0.1) for step in range(100)]
    assert rates[0] < rates[5] < rates[10] == 1.0
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] < 0.01


def test_images_are_shifted_by_at_most_an_eighth_and_half_are_mirrored() -> None:
    image = torch.arange(32 * 32, dtype=torch.float32).reshape(1, 1, 32, 32).repeat(400, 3, 1, 1) + 1.0
    changed = flip_crop(image, torch.Generator().manual_seed(0))
    assert changed.shape == image.shape
    centre = changed[:, 0, 16, 16]
    mirrored = changed[:, 0, 16, 15] > centre
    assert 0.4 < float(mirrored.float().mean()) < 0.6
    rows = ((centre - 1) // 32).long()
    assert int(rows.min()) == 12
    assert int(rows.max()) == 20
    assert torch.equal(changed[:, 0], changed[:, 2])


def test_quantized_networks_learn_at_a_fifth_of_the_rate(net: Trained) -> None:
    maker = Compressor(net.imported, net.network, net.statistics)
    rough = maker.compress(Policy(bits={"block1.conv1": Bits(4, 8)})).module
    plain = maker.compress(Policy()).module
    rates = [make_optimizer(module, FinetuneOptions()).param_groups[0]["lr"] for module in (rough, plain)]
    assert rates[0] == pytest.approx(rates[1] / 5)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused_and_auto_takes_the_cpu() -> None:
    with pytest.raises(InvalidInput, match="set device to cpu or auto"):
        FinetuneOptions(device="cuda")
    assert FinetuneOptions(device="auto").place.type == "cpu"
