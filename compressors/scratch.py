"""The control: a compressed network's structure, trained from nothing.

If it does as well as the fine-tuned one, the structure mattered and the weights did not (Liu et al., Rethinking the
value of network pruning, ICLR 2019).
"""

from __future__ import annotations

import math
import zlib

import torch
from torch import Tensor, fx, nn

from compressors.graph import clone
from compressors.operators.recurrent import Recurrent
from compressors.rounding import Rounded
from paretrim.errors import InvalidInput


def reinitialized(module: fx.GraphModule, seed: int) -> fx.GraphModule:
    """A copy with fresh weights, drawn as torch draws them for new layers; batch norms know nothing.

    Each operation's weights depend on the seed and its name alone. Raises InvalidInput for a quantized network: its
    grids belong to its old weights.
    """
    copied = clone(module)
    for name, part in copied.named_modules():
        if isinstance(part, Rounded):
            raise InvalidInput(
                f"layer {name!r} is quantized; train the structure without bits, and quantize it then", field="bits"
            )
        # of a seed torch's generator uses 32 bits
        generator = torch.Generator().manual_seed(zlib.crc32(f"{seed}/{name}".encode()))
        with torch.no_grad():
            _renew(part, generator)
    return copied


def _renew(part: nn.Module, generator: torch.Generator) -> None:
    if isinstance(part, nn.Linear | nn.modules.conv._ConvNd):
        readers = part.weight[0].numel()
        if isinstance(part, nn.modules.conv._ConvTransposeNd):
            readers = part.weight[:, 0].numel() // part.groups
        bound = 1.0 / math.sqrt(readers)
        for parameter in (part.weight, part.bias):
            if isinstance(parameter, Tensor):
                parameter.uniform_(-bound, bound, generator=generator)
    elif isinstance(part, nn.Embedding):
        part.weight.normal_(generator=generator)
    elif isinstance(part, Recurrent):
        for parameter in part.parameters():
            parameter.uniform_(-1.0, 1.0, generator=generator).mul_(1.0 / math.sqrt(part.hidden_size))
    elif isinstance(part, nn.modules.batchnorm._BatchNorm | nn.LayerNorm):
        part.reset_parameters()
