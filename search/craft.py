"""A front member made real: compressed, fine-tuned with distillation, exported, checked, judged on the test split.

The only file that looks at the test split.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, partial
from typing import Any, Protocol

import torch
from safetensors.torch import save
from torch import Tensor, fx

from compressors import (
    Compressed,
    Compressor,
    FinetuneOptions,
    Packed,
    TensorData,
    bfloat16_is_faster,
    check_parity,
    describe,
    finetune,
    fold,
    int8_layers,
    integer_layers,
    pack,
    write_onnx,
)
from compressors.parity import open_session
from compressors.scratch import reinitialized
from paretrim.problem import Policy
from paretrim.recovery import Recovery
from search.basis import EvaluationBasis, read_model
from search.contributions import Contribution, Steps, as_json
from search.data import Split, Splits
from search.evaluate import Evaluator
from search.plan import Interrupted, LeaseLost, ModelFile, Wanted
from search.score import Interval, score, wilson
from search.supply import calibration_inputs, lessons
from search.training_log import Diary, TrainingLog

#: rows an exported file's outputs are compared with torch's on
PARITY_ROWS = 64
#: rows an exported file is run on at once
ROWS_AT_ONCE = 250
#: resamples of the interval of a metric that is not a share
RESAMPLES = 200


@dataclass(frozen=True, slots=True)
class CraftBasis:
    """What networks are delivered from. Made of values, so that it can be sent to another process."""

    evaluation: EvaluationBasis
    train: Split | None
    validation: Split
    test: Split
    epochs: float
    seed: int
    four_bit_linear: bool = False
    recovery: Recovery = field(default_factory=Recovery)
    teachers: tuple[ModelFile, ...] = ()  #: beside the original


@dataclass(frozen=True, slots=True)
class Crafted:
    """A network to deliver, and what is known of it but for its speed."""

    content: bytes  #: ONNX
    weights: bytes  #: safetensors
    precision: str  #: `fp32`, `int8` or `mixed`
    kept: Mapping[str, tuple[int, ...]]  #: units by group
    layers: tuple[Mapping[str, Any], ...]  #: what was done to each layer
    history: tuple[Mapping[str, Any], ...]  #: of the fine-tuning, by epoch
    validation_before: float  #: accuracy before fine-tuning
    validation_after: float
    test: float  #: accuracy of the exported file in ONNX Runtime
    interval: Interval  #: of `test`, 95 %
    parity: Mapping[str, float]  #: torch against ONNX Runtime
    cpu_seconds: float
    packed: Packed  #: the same network as a packed file
    contributions: tuple[Mapping[str, Any], ...]  #: what each step changed, see `search.contributions`
    intended: tuple[str, ...]  #: layers that are to run in 8 bits
    fallen_back: tuple[str, ...]  #: of these, the ones that ONNX Runtime computes in floating point all the same
    floating: bytes | None = None  #: the same structure with 32 bits, if bits were reduced: to compare speeds
    four_bit: bytes | None = None  #: with linear layers for 4-bit kernels, if asked for and there are any
    four_bit_parity: Mapping[str, float] | None = None
    scratch: Mapping[str, float] | None = None  #: the same structure trained from nothing, if asked for
    parameters: int = 0


class Workshop(Protocol):
    """Where networks are made."""

    def craft(
        self,
        basis: CraftBasis,
        policies: Mapping[int, Policy],
        wanted: Callable[[], Wanted],
        log: TrainingLog | None = None,
    ) -> Iterator[tuple[int, Crafted | str]]:
        """By candidate number, as they are done: the network, or why there is none. Raises Interrupted.

        log: keeps what training has come to, and what it begins from; None: every run begins at its beginning.
        """
        ...

    def rehearse(
        self, basis: CraftBasis, policies: Mapping[int, Policy], epochs: float, wanted: Callable[[], Wanted]
    ) -> Iterator[tuple[int, float | str]]:
        """By candidate number, as they are done: accuracy on validation after so many epochs, or why there is none.

        Raises Interrupted.
        """
        ...


class Workbench:
    """One worker of a workshop: holds the network, its statistics and the splits once."""

    def __init__(self, basis: CraftBasis) -> None:
        self._basis = basis
        self._imported = basis.evaluation.imported()
        further = (read_model(file.content, file.architecture).module for file in basis.teachers)
        self._teachers = (self._imported.module, *further)
        network, statistics = describe(self._imported), basis.evaluation.statistics
        self._calibration = basis.evaluation.calibration
        if self._calibration is None:
            splits = Splits(basis.train, basis.validation, basis.test)
            self._calibration = calibration_inputs(self._imported, splits, basis.recovery, basis.seed)
        options = basis.evaluation.options
        searched = Compressor(self._imported, network, statistics, options)
        self._bare = Compressor(self._imported, network, statistics, replace(options, reconstruction="none"))
        careful = Compressor(
            self._imported,
            network,
            statistics,
            replace(options, reconstruction="sequential", seed=basis.seed),
            calibration=self._calibration,
        )
        self._compressors = (searched, careful)
        self._evaluator = Evaluator(searched, basis.evaluation.scoring, basis.evaluation.metric)

    def craft(
        self,
        policy: Policy,
        wanted: Callable[[], Wanted] = lambda: "run",
        log: TrainingLog | None = None,
        n: int = 0,
    ) -> Crafted | str:
        """The network of a policy, or why there is none. Raises Interrupted.

        log: see Workshop; n: the candidate's number in it.
        """
        start = time.thread_time()
        diary = Diary(wanted, log, n)
        try:
            compressed, before, recipe = self._compressed(policy)
            module, history = self._finetuned(compressed, diary)
            after = self._evaluator.accuracy(fold(module))
            if after < before:  # never give away what fine-tuning has made worse
                module, after = compressed.module, before
            made = self._exported(compressed, module, history, (before, after), start, recipe)
            control = self._scratch(policy, diary)
            return replace(made, scratch=control, cpu_seconds=time.thread_time() - start)
        except (Interrupted, LeaseLost):
            raise
        except Exception as error:  # one network that cannot be made does not cost the others
            return f"{type(error).__name__}: {error}"

    def rehearse(self, policy: Policy, epochs: float, wanted: Callable[[], Wanted] = lambda: "run") -> float | str:
        """Accuracy on validation after so many epochs, or why there is none. Raises Interrupted."""
        try:
            brief = copy(self)
            brief._basis = replace(self._basis, epochs=epochs)
            module, _ = brief._finetuned(self._compressors[0].compress(policy), Diary(wanted))
            return self._evaluator.accuracy(fold(module))
        except (Interrupted, LeaseLost):
            raise
        except Exception as error:
            return f"{type(error).__name__}: {error}"

    def _compressed(self, policy: Policy) -> tuple[Compressed, float, Compressor]:
        """By the recipe of the search or the careful one, whichever does better on validation; how well; which."""
        made = [compressor.compress(policy) for compressor in self._compressors]
        judged = [self._evaluator.accuracy(fold(compressed.module)) for compressed in made]
        best = judged.index(max(judged))
        return made[best], judged[best], self._compressors[best]

    def _finetuned(self, compressed: Compressed, diary: Diary) -> tuple[fx.GraphModule, tuple[Mapping[str, Any], ...]]:
        basis = self._basis
        assert self._calibration is not None
        found = lessons(basis.train, basis.recovery, self._calibration, basis.seed)
        if found is None or basis.epochs == 0:
            return compressed.module, ()
        train, passes = found
        tuned = finetune(
            compressed,
            self._teachers,
            train,
            _tensors(basis.validation),
            self._options(passes),
            progress=diary.looks("fine-tuning"),
            resume=diary.state("fine-tuning"),
            checkpoint=diary.keeps("fine-tuning"),
        )
        return tuned.module, tuple(asdict(epoch) for epoch in tuned.history)

    def _options(self, passes: float) -> FinetuneOptions:
        """passes: how often an epoch goes over the rows."""
        chosen = self._basis.recovery
        return FinetuneOptions(
            epochs=self._basis.epochs * passes,
            seed=self._basis.seed,
            batch_size=chosen.batch_size,
            optimizer=chosen.optimizer,
            learning_rate=chosen.learning_rate,
            distillation=chosen.teacher_share,
            temperature=chosen.temperature,
            features=chosen.features,
            ema_decay=chosen.ema_decay,
            patience=None if chosen.patience is None else max(1, round(chosen.patience * passes)),
            augmentation=chosen.augmentation,
            teacher_answers=chosen.teacher_answers,
            bfloat16=chosen.bfloat16 and self._bfloat16_pays,
            device=chosen.device,
            judge=partial(score, self._basis.evaluation.metric),
        )

    @cached_property
    def _bfloat16_pays(self) -> bool:
        if FinetuneOptions(device=self._basis.recovery.device).place.type == "cuda":
            return bool(torch.cuda.is_bf16_supported())
        return bfloat16_is_faster(self._imported.module, self._basis.validation.inputs(0, 32))

    def _scratch(self, policy: Policy, diary: Diary) -> Mapping[str, float] | None:
        """The control: the same structure with fresh weights, trained on the targets for as many steps."""
        basis = self._basis
        assert self._calibration is not None
        found = lessons(basis.train, basis.recovery, self._calibration, basis.seed)
        if not basis.recovery.scratch_control or found is None or basis.epochs == 0:
            return None
        structure = self._bare.compress(replace(policy, bits={}, sparsity={})).module
        tuned = finetune(
            reinitialized(structure, basis.seed),
            None,
            found[0],
            _tensors(basis.validation),
            replace(self._options(1.0), patience=None),
            progress=diary.looks("scratch control"),
            resume=diary.state("scratch control"),
            checkpoint=diary.keeps("scratch control"),
        )
        with torch.inference_mode():
            outputs = torch.cat(
                [tuned.module(rows) for rows in torch.split(basis.test.inputs(), self._evaluator.rows_at_once)]
            )
        return {
            "validation": self._evaluator.accuracy(fold(tuned.module)),
            "test": score(basis.evaluation.metric, outputs, basis.test.targets(), basis.test.inputs()),
            "epochs": basis.epochs,
        }

    def _exported(
        self,
        compressed: Compressed,
        module: fx.GraphModule,
        history: tuple[Mapping[str, Any], ...],
        validation: tuple[float, float],
        start: float,
        recipe: Compressor,
    ) -> Crafted:
        policy, rows = compressed.policy, self._basis.validation.inputs(0, PARITY_ROWS)
        content = write_onnx(module, self._imported, policy=policy)
        parity = check_parity(module, content, rows, exact=True)
        packed = pack(content)
        steps, floating = self._steps(policy, recipe, validation, bool(history), packed)
        intended = integer_layers(fold(module), policy) if policy.bits else frozenset()
        four_bit = self._four_bit(module, policy)
        test, interval = judge(content, self._basis.test, self._basis.evaluation.metric)
        state = {name: value.contiguous().clone() for name, value in module.state_dict().items()}
        return Crafted(
            content=content,
            weights=save(state),
            precision=precision(compressed.policy, len(compressed.report)),
            kept=dict(compressed.kept),
            layers=tuple(asdict(layer) for layer in compressed.report),
            history=history,
            validation_before=validation[0],
            validation_after=validation[1],
            test=test,
            interval=interval,
            parity=asdict(parity),
            cpu_seconds=time.thread_time() - start,
            packed=packed,
            contributions=tuple(as_json(steps)),
            intended=tuple(sorted(intended)),
            fallen_back=tuple(sorted(intended - int8_layers(content))) if intended else (),
            floating=floating if policy.bits else None,
            four_bit=four_bit,
            parameters=sum(parameter.numel() for parameter in fold(module).parameters()),
            four_bit_parity=None if four_bit is None else asdict(check_parity(module, four_bit, rows, exact=True)),
        )

    def _steps(
        self, policy: Policy, recipe: Compressor, validation: tuple[float, float], tuned: bool, packed: Packed
    ) -> tuple[list[Contribution], bytes]:
        """What each step changed; and the file of the last network with 32 bits."""
        made = list(Steps(self._imported, self._bare, recipe, self._evaluator.accuracy).until_quantized(policy))
        steps = [contribution for contribution, _ in made]
        size = len(packed.content)
        if policy.bits:
            steps.append(Contribution("quantized", validation[0], size))
        if tuned:
            steps.append(Contribution("fine-tuned", validation[1], size))
        return steps, made[-1][1]

    def _four_bit(self, module: fx.GraphModule, policy: Policy) -> bytes | None:
        """The file for 4-bit kernels, if it is asked for and differs."""
        if not self._basis.four_bit_linear:
            return None
        content = write_onnx(module, self._imported, policy=policy, four_bit_linear=True)
        return content if b"MatMulNBits" in content else None


class SerialWorkshop:
    """Makes one network after the other in this process."""

    def craft(
        self,
        basis: CraftBasis,
        policies: Mapping[int, Policy],
        wanted: Callable[[], Wanted],
        log: TrainingLog | None = None,
    ) -> Iterator[tuple[int, Crafted | str]]:
        """See Workshop."""
        bench = Workbench(basis)
        for number, policy in policies.items():
            if (now := wanted()) != "run":
                raise Interrupted(now)
            yield number, bench.craft(policy, wanted, log, number)

    def rehearse(
        self, basis: CraftBasis, policies: Mapping[int, Policy], epochs: float, wanted: Callable[[], Wanted]
    ) -> Iterator[tuple[int, float | str]]:
        """See Workshop."""
        bench = Workbench(basis)
        for number, policy in policies.items():
            if (now := wanted()) != "run":
                raise Interrupted(now)
            yield number, bench.rehearse(policy, epochs, wanted)


def judge(content: bytes, split: Split, metric: str) -> tuple[float, Interval]:
    """Accuracy of an ONNX file on a split in ONNX Runtime, with its 95 % interval."""
    inputs, targets = split.inputs(), split.targets()
    outputs = run_onnx(content, inputs)
    accuracy = score(metric, outputs, targets, inputs)
    if metric in ("top1", "top5"):
        return accuracy, wilson(accuracy, len(split))
    return accuracy, _bootstrapped(metric, outputs, targets, inputs)


def run_onnx(content: bytes, inputs: Tensor, batch: int = ROWS_AT_ONCE) -> Tensor:
    """Outputs of an ONNX file on one thread; row by row if it takes no more at once."""
    session = open_session(content, exact=True)  # as the device computes it, which need not be this machine
    entry = session.get_inputs()[0]
    at_once = entry.shape[0] if isinstance(entry.shape[0], int) else batch
    answers = [session.run(None, {entry.name: rows.numpy()})[0] for rows in torch.split(inputs, at_once)]
    return torch.cat([torch.from_numpy(answer) for answer in answers])


def precision(policy: Policy, layers: int) -> str:
    """`fp32`, `int8` if every layer is quantized to kernels of 8 bits, else `mixed`."""
    quantized = sum(bits.weight <= 8 and bits.activation <= 8 for bits in policy.bits.values())
    if quantized == 0:
        return "fp32"
    return "int8" if quantized == layers else "mixed"


def _tensors(split: Split) -> TensorData:
    return TensorData(split.stored(), split.targets(), split.normalization)


def _bootstrapped(metric: str, outputs: Tensor, targets: Tensor, inputs: Tensor) -> Interval:
    """Percentile bootstrap over rows, with a fixed seed. (Efron, 1979.)"""
    generator = torch.Generator().manual_seed(0)
    figures = []
    for _ in range(RESAMPLES):
        rows = torch.randint(len(outputs), (len(outputs),), generator=generator)
        figures.append(score(metric, outputs[rows], targets[rows], inputs[rows]))
    ordered: Sequence[float] = sorted(figures)
    return Interval(ordered[round(0.025 * (RESAMPLES - 1))], ordered[round(0.975 * (RESAMPLES - 1))])
