"""What evaluators are made of, in whatever process: light, as each of a job's workers loads it."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from compressors import (
    Compressor,
    CompressorOptions,
    Imported,
    Statistics,
    describe,
    equalize,
    read_onnx,
    read_safetensors,
)
from search.data import Split
from search.evaluate import Evaluator


def read_model(content: bytes, architecture: str | None) -> Imported:
    """ONNX, or the weights of a registered architecture as safetensors. Raises InvalidModel."""
    return read_onnx(content) if architecture is None else read_safetensors(content, architecture)


@dataclass(frozen=True, slots=True)
class EvaluationBasis:
    """What an evaluator is made of. Made of values, so that it can be sent to another process."""

    model: bytes
    architecture: str | None
    statistics: Statistics
    scoring: Split  #: the validation rows a candidate is scored on
    metric: str
    racing: float = 0.0  #: confidence with which candidates are dropped before the last row; 0: none are
    options: CompressorOptions = field(default_factory=CompressorOptions)
    calibration: Tensor | None = None  #: inputs that were made up for statistics; None: they are in the splits
    equalized: bool = False  #: whether neighbouring layers are scaled against each other first

    def imported(self) -> Imported:
        """The network that is compressed."""
        found = read_model(self.model, self.architecture)
        return equalize(found) if self.equalized else found

    def evaluator(self) -> Evaluator:
        """The same in every process."""
        imported = self.imported()
        compressor = Compressor(imported, describe(imported), self.statistics, self.options)
        return Evaluator(compressor, self.scoring, self.metric, confidence=self.racing)
