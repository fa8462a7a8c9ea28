"""How a job brings accuracy back, and which data it may use for it. Standard library only.

What each action needs of the training split:

none       pruning, reconstruction, ranges and distillation on inputs that are made from what batch norms remember
unlabeled  the same on training inputs, whose labels are not looked at
few        learning from labels too, of at most `few_rows` rows
full       the same, of all rows

Validation and test judge in every mode, by their labels, and are never trained on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from paretrim.errors import InvalidInput

Data = Literal["none", "unlabeled", "few", "full"]
Optimizer = Literal["auto", "sgd", "adamw"]
Features = Literal["none", "fitnets", "attention"]
Augmentation = Literal["auto", "flip_crop", "none"]
Answers = Literal["auto", "fresh", "remembered"]
Device = Literal["auto", "cpu", "cuda"]

#: teachers beside the original, each of which is asked for every batch or every row
MOST_TEACHERS = 8

#: the least data that an action can do with
NEEDS: Mapping[str, Data] = {
    "calibration and reconstruction": "none",
    "distillation": "none",
    "learning from labels": "few",
    "scratch control": "few",
}


@dataclass(frozen=True, slots=True)
class Recovery:
    """Options of fine-tuning, and what it may learn from. Raises InvalidInput naming the option at fault."""

    data: Data = "full"
    few_rows: int = 1000  #: training rows that `few` means, drawn with the job's seed
    optimizer: Optimizer = "auto"  #: adamw where there is layer norm or a recurrent layer, else sgd
    learning_rate: float | None = None  #: at the peak; None: as fits the optimizer
    batch_size: int = 128
    distillation: float | None = None  #: share of the teacher's loss; None: a half, or all of it without labels
    temperature: float = 4.0
    features: Features = "none"
    ema_decay: float | None = None
    patience: int | None = 3  #: epochs without a better validation after which it ends; None: never
    augmentation: Augmentation = "auto"
    teacher_answers: Answers = "auto"
    bfloat16: bool = False  #: only where a training step is really faster so; measured once for each job
    device: Device = "auto"  #: where it trains; auto: on the GPU of a worker that has one, else on its CPU
    #: models that teach beside the original, by their mean answer: ids of uploads, or files in `paretrim run`
    teachers: tuple[str, ...] = ()
    scratch_control: bool = False  #: also train the same structure from nothing, for as many steps

    def __post_init__(self) -> None:
        choices: dict[str, Any] = {
            "data": Data,
            "optimizer": Optimizer,
            "features": Features,
            "augmentation": Augmentation,
            "teacher_answers": Answers,
            "device": Device,
        }
        for name, literal in choices.items():
            if getattr(self, name) not in get_args(literal):
                raise InvalidInput(
                    f"{getattr(self, name)!r} is not one of {', '.join(get_args(literal))}", field=f"recovery.{name}"
                )
        for name in ("bfloat16", "scratch_control"):
            if not isinstance(getattr(self, name), bool):
                raise InvalidInput(f"{name} must be true or false", field=f"recovery.{name}")
        self._check_numbers()
        self._check_teachers()
        if self.has_labels:
            return
        if self.distillation not in (None, 1.0):
            raise InvalidInput(
                f"learning from labels needs data: {NEEDS['learning from labels']} or full, the job declares data:"
                f" {self.data}; set distillation to 1, or leave it out",
                field="recovery.distillation",
            )
        if self.scratch_control:
            raise InvalidInput(
                f"the scratch control needs data: {NEEDS['scratch control']} or full, the job declares data:"
                f" {self.data}; leave it out, or allow more data",
                field="recovery.scratch_control",
            )

    @property
    def has_labels(self) -> bool:
        """Whether labels of training rows may be looked at."""
        return self.data in ("few", "full")

    @property
    def teacher_share(self) -> float:
        """Of the loss."""
        if self.distillation is not None:
            return self.distillation
        return 0.5 if self.has_labels else 1.0

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Recovery:
        """From plain values. Raises InvalidInput naming what is not an option."""
        known = [entry.name for entry in fields(cls)]
        for name in value:
            if name not in known:
                raise InvalidInput(f"{name!r} is not an option; there are {', '.join(known)}", field=f"recovery.{name}")
        return cls(**value)

    def to_json(self) -> dict[str, Any]:
        """Plain values, those that differ from the defaults."""
        default = asdict(Recovery())
        plain = asdict(self) | {"teachers": list(self.teachers)}
        return {name: value for name, value in plain.items() if value != default[name] and value != []}

    def _check_teachers(self) -> None:
        named = self.teachers
        if not isinstance(named, list | tuple) or not all(isinstance(name, str) and name for name in named):
            raise InvalidInput("teachers must be a list of models", field="recovery.teachers")
        object.__setattr__(self, "teachers", tuple(named))
        if not named:
            return
        if len(named) > MOST_TEACHERS or len(set(named)) < len(named):
            raise InvalidInput(
                f"it must name at most {MOST_TEACHERS} models, each once, got {len(named)}", field="recovery.teachers"
            )
        if self.teacher_share == 0.0:
            raise InvalidInput(
                "with distillation 0 no teacher is asked; raise distillation, or leave the teachers out",
                field="recovery.teachers",
            )
        if self.features != "none":
            raise InvalidInput(
                "intermediate tensors are matched with one teacher, the original; set features to none, or leave the"
                " teachers out",
                field="recovery.teachers",
            )

    def _check_numbers(self) -> None:
        checks: dict[str, tuple[bool, str]] = {
            "few_rows": (_is_whole(self.few_rows) and self.few_rows >= 1, "a whole number from 1"),
            "batch_size": (_is_whole(self.batch_size) and 1 <= self.batch_size <= 65536, "from 1 to 65536"),
            "learning_rate": (self.learning_rate is None or _is_between(self.learning_rate, 0, 100), "above 0"),
            "distillation": (
                self.distillation is None or self.distillation == 0 or _is_between(self.distillation, 0, 1),
                "from 0 to 1",
            ),
            "temperature": (_is_between(self.temperature, 0, 1000), "above 0"),
            "ema_decay": (
                self.ema_decay is None or (_is_between(self.ema_decay, 0, 1) and self.ema_decay < 1),
                "between 0 and 1",
            ),
            "patience": (
                self.patience is None or (_is_whole(self.patience) and self.patience >= 1),
                "a whole number from 1, or null",
            ),
        }
        for name, (good, wanted) in checks.items():
            if not good:
                raise InvalidInput(f"it must be {wanted}, got {getattr(self, name)!r}", field=f"recovery.{name}")


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_between(value: Any, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low < value <= high
