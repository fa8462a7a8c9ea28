"""What a job may learn from: calibration inputs and training rows, by the data it declares."""

from __future__ import annotations

import torch
from torch import Tensor

from compressors import Imported, TensorData
from compressors.data_free import synthesize
from paretrim.errors import InvalidModel
from paretrim.recovery import Recovery
from search.data import Split, Splits

#: rows that statistics are collected on
CALIBRATION_ROWS = 512
#: inputs that are made up where there are none, and the steps each is changed for
SYNTHETIC_ROWS, SYNTHETIC_STEPS = 96, 120
#: so often an epoch goes over made-up inputs, which are few
SYNTHETIC_PASSES = 20


def calibration_inputs(imported: Imported, splits: Splits, recovery: Recovery, seed: int) -> Tensor:
    """(rows, *input_shape) for statistics and reconstruction.

    Raises InvalidModel if they have to be made up and the network has nothing to make them from.
    """
    if recovery.data != "none":
        return (
            (training_rows(splits.train, recovery, seed) or splits.validation).sample(CALIBRATION_ROWS, seed).inputs()
        )
    try:
        return synthesize(imported, SYNTHETIC_ROWS, steps=SYNTHETIC_STEPS, batch_size=32, seed=seed)
    except InvalidModel as error:
        raise InvalidModel(
            f"the job declares data: none, but calibration cannot do without inputs here: {error}. Upload the network"
            " with its batch norms, or declare data: unlabeled",
            field="data",
        ) from error


def training_rows(train: Split | None, recovery: Recovery, seed: int) -> Split | None:
    """Those of the training split that the job may look at."""
    if train is None or recovery.data == "none":
        return None
    return train.sample(recovery.few_rows, seed) if recovery.data == "few" else train


def lessons(train: Split | None, recovery: Recovery, calibration: Tensor, seed: int) -> tuple[TensorData, float] | None:
    """What networks are fine-tuned on, and how often an epoch goes over it; None if there is nothing."""
    if recovery.data == "none":
        return TensorData(calibration, torch.zeros(len(calibration), dtype=torch.int64)), SYNTHETIC_PASSES
    rows = training_rows(train, recovery, seed)
    return None if rows is None else (TensorData(rows.stored(), rows.targets(), rows.normalization), 1.0)


def described(recovery: Recovery, splits: Splits) -> tuple[str, ...]:
    """What a person should know of the data that was used."""
    if recovery.data == "none":
        return (
            f"data: none: no training row is used; {SYNTHETIC_ROWS} calibration inputs are made from what the batch"
            " norms remember",
        )
    if splits.train is None or recovery.data == "full":
        return ()
    rows = min(recovery.few_rows, len(splits.train)) if recovery.data == "few" else len(splits.train)
    labels = "with their labels" if recovery.has_labels else "their labels are not looked at"
    return (f"data: {recovery.data}: {rows} training rows are used, {labels}",)
