"""The parts of a training run: data, options, what is reported, and the state that makes it resumable."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import torch
from safetensors.torch import load, save
from torch import Tensor

from compressors.augmentation import Augmentation
from compressors.losses import Loss
from paretrim.errors import InvalidDataset, InvalidInput

#: what a network is worth: of outputs (N, ...), targets and inputs; higher is better
Judge = Callable[[Tensor, Tensor, Tensor], float]
#: where training runs
Device = Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True, eq=False)
class TensorData:
    """Rows to train or validate on.

    inputs: (N, *input_shape), as the network takes them after `prepare`; targets: (N,) int64 class numbers, or
    (N, ...) float32 values. prepare: applied to each batch, so that images can be held as uint8.
    """

    inputs: Tensor
    targets: Tensor
    prepare: Callable[[Tensor], Tensor] | None = None

    def __post_init__(self) -> None:
        if len(self.inputs) != len(self.targets):
            raise InvalidDataset(
                f"there are {len(self.inputs)} inputs and {len(self.targets)} targets", field="targets"
            )
        if len(self.inputs) == 0:
            raise InvalidDataset("there are no rows", field="inputs")

    def __len__(self) -> int:
        return len(self.inputs)

    def batch(self, rows: Tensor | slice) -> tuple[Tensor, Tensor]:
        """Some rows, prepared."""
        inputs = self.inputs[rows]
        return (inputs if self.prepare is None else self.prepare(inputs)), self.targets[rows]

    def batches(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """All rows in order."""
        for start in range(0, len(self), size):
            yield self.batch(slice(start, start + size))


@dataclass(frozen=True, slots=True)
class FinetuneOptions:
    """How a compressed network is trained on."""

    epochs: float = 1.0  #: passes over the training data; parts of one count
    seed: int = 0
    batch_size: int = 128
    optimizer: Literal["auto", "sgd", "adamw"] = "auto"  #: auto: adamw where there is layer norm or a recurrent layer
    learning_rate: float | None = (
        None  #: at the peak; None: 0.02 for sgd, 0.001 for adamw, a fifth of it with bits <= 8
    )
    momentum: float = 0.9
    weight_decay: float = 5e-4  #: not on biases and norms
    warmup: float = 0.05  #: share of the steps in which the learning rate rises; then it falls along a cosine
    clip_norm: float = 5.0
    distillation: float = 0.5  #: share of the teacher's loss; 0 trains on the targets alone, 1 needs no targets
    temperature: float = 4.0
    #: fresh: the teacher sees what the network sees; remembered: it is asked once for every row, and that answer stands
    #: for the row's flipped and shifted variants too; auto: remembered where rows are not varied, if that saves time
    teacher_answers: Literal["auto", "fresh", "remembered"] = "auto"
    features: Literal["none", "fitnets", "attention"] = "none"  #: whether intermediate tensors are matched too
    feature_weight: float = 1.0
    augmentation: Augmentation = "auto"
    loss: Loss | None = None  #: None: what fits the targets
    judge: Judge | None = None  #: what decides which epoch's weights are kept; None: right classes, or else the loss
    ema_decay: float | None = None  #: average the weights over about 1 / (1 - decay) steps; None: no
    patience: int | None = None  #: stop after so many epochs without a better validation; None: never
    bfloat16: bool = False  #: autocast; ask `bfloat16_is_faster` first
    learn_steps: bool = True  #: learn the step sizes of quantizers along with the weights (LSQ)
    device: Device = "cpu"  #: where it trains; auto: on a GPU if torch sees one. The result is on the CPU always

    def __post_init__(self) -> None:
        checks = {
            "epochs": self.epochs > 0,
            "batch_size": self.batch_size >= 1,
            "distillation": 0.0 <= self.distillation <= 1.0,
            "temperature": self.temperature > 0,
            "warmup": 0.0 <= self.warmup < 1.0,
            "ema_decay": self.ema_decay is None or 0.0 < self.ema_decay < 1.0,
            "patience": self.patience is None or self.patience >= 1,
            "learning_rate": self.learning_rate is None or self.learning_rate > 0,
        }
        for name, good in checks.items():
            if not good:
                raise InvalidInput(f"{name} cannot be {getattr(self, name)}", field=name)
        if self.device == "cuda" and not torch.cuda.is_available():
            raise InvalidInput("torch sees no CUDA device here; set device to cpu or auto", field="device")

    @property
    def place(self) -> torch.device:
        """The device that `device` means here."""
        on_gpu = self.device == "cuda" or (self.device == "auto" and torch.cuda.is_available())
        return torch.device("cuda" if on_gpu else "cpu")


@dataclass(frozen=True, slots=True)
class Epoch:
    """One line of a training history."""

    epoch: int  #: 1, 2, ...
    loss: float  #: mean over the epoch's steps
    validation: float  #: share of right classes, or minus the mean squared error
    seconds: float


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a training run is."""

    step: int
    steps: int
    loss: float
    best: float | None  #: validation so far
    eta_seconds: float


@dataclass(frozen=True, eq=False)
class TrainingState:
    """All that is needed to go on: resumed, a run ends with the same weights as if it had not stopped. No pickle."""

    step: int
    tensors: Mapping[str, Tensor]
    history: tuple[Epoch, ...] = ()
    best: float | None = None
    stale: int = 0  #: epochs since the best
    random: Tensor = field(default_factory=lambda: torch.Generator().get_state())

    def to_bytes(self) -> bytes:
        """For a file."""
        notes = {
            "step": self.step,
            "best": self.best,
            "stale": self.stale,
            "history": [asdict(epoch) for epoch in self.history],
        }
        tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in self.tensors.items()}
        return save(tensors | {"random": self.random}, metadata={"training": json.dumps(notes)})

    @classmethod
    def from_bytes(cls, content: bytes) -> TrainingState:
        """The inverse of `to_bytes`. Raises InvalidInput."""
        try:
            size = int.from_bytes(content[:8], "little")
            notes: dict[str, Any] = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["training"])
            tensors = load(content)
            random = tensors.pop("random")
            history = tuple(Epoch(**entry) for entry in notes["history"])
            return cls(int(notes["step"]), tensors, history, notes["best"], int(notes["stale"]), random)
        except Exception as error:
            raise InvalidInput(f"this is not the state of a training run: {error}", field="state") from error

    def named(self, prefix: str) -> dict[str, Tensor]:
        """The tensors under `prefix/`."""
        return {name[len(prefix) + 1 :]: held for name, held in self.tensors.items() if name.startswith(f"{prefix}/")}
