"""A delivered network from the original, its policy and its weights: to train it on, or to see what it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from safetensors.torch import load
from torch import fx

from compressors.compressor import Compressor, CompressorOptions
from compressors.describe import describe
from compressors.imported import Imported
from compressors.statistics import Statistics, collect_statistics
from paretrim.compression import Compression
from paretrim.errors import InvalidInput, InvalidPolicy
from paretrim.problem import Policy

#: random inputs that stand in for calibration data while the layers of quantized networks are laid out
_ROWS = 8


def restore(imported: Imported, policy: Mapping[str, Any], weights: bytes) -> fx.GraphModule:
    """The network that was delivered, in evaluation mode.

    imported: the original; policy: the JSON of `policy.json`; weights: the content of `weights.safetensors`. Raises
    InvalidPolicy if the policy is not of this network, InvalidInput if the weights are not of this policy.
    """
    kept = policy.get("kept", {})
    named = {name: policy[name] for name in ("bits", "rank", "removed", "sparsity") if name in policy}
    if not isinstance(kept, Mapping) or not kept:
        raise InvalidPolicy("the policy does not say which units were kept; use the policy.json that was delivered")
    network = describe(imported)
    units = {group.name: group.units for group in network.groups}
    keep = {name: list(chosen) for name, chosen in kept.items() if len(chosen) != units.get(name)}
    wanted = Policy.from_json({"keep": keep, **named})
    compression = Compression.from_json(policy.get("compression", {}))
    options = CompressorOptions(
        criterion="l1",
        reconstruction="none",
        activation_range="min_max",
        weight_range=compression.weight_range,
        weight_rounding="nearest",
        weight_quantizer=compression.weight_quantizer,
        weight_quantizers=compression.weight_quantizers,
        headroom=policy.get("headroom"),
        sparsity_rule="magnitude",
    )
    statistics = _stand_in(imported) if wanted.bits else None
    module = Compressor(imported, network, statistics, options).compress(wanted).module
    try:
        module.load_state_dict(load(weights))
    except Exception as error:
        raise InvalidInput(f"the weights are not of this policy: {error}", field="weights") from error
    return module.eval()


def _stand_in(imported: Imported) -> Statistics:
    """Statistics of noise: they lay out where values are rounded; by which steps, the weights file says."""
    generator = torch.Generator().manual_seed(0)
    shape = (_ROWS, *imported.input_shape)
    if imported.input_dtype.is_floating_point:
        rows = torch.randn(shape, generator=generator)
    else:
        rows = torch.zeros(shape, dtype=imported.input_dtype)
    return collect_statistics(imported, describe(imported), rows, sensitivity_samples=0)
