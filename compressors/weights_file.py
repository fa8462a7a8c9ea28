"""Reads safetensors for a registered architecture, through the same door as ONNX."""

from __future__ import annotations

import io
import warnings

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor, nn

from compressors.architectures import ARCHITECTURES
from compressors.imported import Imported
from compressors.importer import read_onnx
from paretrim.errors import InvalidModel

#: limit on an uploaded file
MOST_BYTES = 1 << 30


def read_safetensors(content: bytes, architecture: str) -> Imported:
    """A network of a registered architecture with the file's weights.

    Raises InvalidModel if the architecture is not registered, or the file's tensors are not those of it.
    """
    known = ARCHITECTURES.get(architecture)
    if known is None:
        raise InvalidModel(
            f"{architecture!r} is not a registered architecture; there are {', '.join(sorted(ARCHITECTURES))}",
            field="architecture",
        )
    tensors = _load(content)
    last = tensors.get(known.output)
    if last is None or last.dim() != 2:
        raise InvalidModel(f"the file holds no matrix {known.output!r}, as {architecture} needs it", field="model")
    with torch.device("meta"):
        expected = {name: value.shape for name, value in known.build(last.shape[0]).state_dict().items()}
    _compare(expected, tensors, architecture)
    module = known.build(last.shape[0])
    module.load_state_dict(tensors, strict=False)  # strict but for the counters of batches, which are not needed
    return read_onnx(_exported(module.eval(), known.input_shape))


def _load(content: bytes) -> dict[str, Tensor]:
    if len(content) > MOST_BYTES:
        raise InvalidModel(f"the file has {len(content)} bytes; at most {MOST_BYTES} are taken", field="model")
    try:
        return load(content)
    except (SafetensorError, ValueError, KeyError, RuntimeError) as error:
        raise InvalidModel(f"this is not a safetensors file ({error})", field="model") from error


def _compare(expected: dict[str, torch.Size], tensors: dict[str, Tensor], architecture: str) -> None:
    counters = {name for name in expected if name.endswith("num_batches_tracked")}
    missing = sorted(set(expected) - counters - set(tensors))
    unknown = sorted(set(tensors) - set(expected))
    if missing or unknown:
        what = f"lacks {missing[0]!r}" if missing else f"also holds {unknown[0]!r}"
        raise InvalidModel(f"the file does not fit {architecture}: it {what}", field="model")
    for name, shape in expected.items():
        if name not in counters and tensors[name].shape != shape:
            raise InvalidModel(
                f"the file does not fit {architecture}: {name!r} has shape {tuple(tensors[name].shape)}, "
                f"{tuple(shape)} is needed",
                field="model",
            )
        if name not in counters and not tensors[name].is_floating_point():
            raise InvalidModel(f"{name!r} must be floating point, not {tensors[name].dtype}", field="model")


def _exported(module: nn.Module, shape: tuple[int, ...]) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter that traces is deprecated; the newer one needs more packages
        torch.onnx.export(
            module, (torch.zeros(2, *shape),), buffer,  # type: ignore[arg-type]
            dynamo=False, opset_version=17, input_names=["input"], output_names=["output"],
            dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}},
            training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False,
        )  # fmt: skip
    return buffer.getvalue()
