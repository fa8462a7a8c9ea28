"""`paretrim restore`: the ONNX file of a delivered network from the original, its policy and its weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from paretrim._output import say
from paretrim.errors import InvalidInput


def restore(
    original: Annotated[Path, typer.Argument(help="The network that was compressed, as it was uploaded.")],
    policy: Annotated[Path, typer.Argument(help="The policy.json of the delivered network.")],
    weights: Annotated[Path, typer.Argument(help="Its weights.safetensors.")],
    out: Annotated[Path, typer.Option(help="The .onnx file to write.")],
    architecture: Annotated[str | None, typer.Option(help="Of a safetensors original.")] = None,
) -> None:
    """Build a delivered network anew from the original, its policy and its weights."""
    from compressors import fold, write_onnx
    from compressors.restore import restore as restored
    from paretrim.problem import Policy
    from search.basis import read_model

    try:
        named = json.loads(_read(policy))
    except ValueError as error:
        raise InvalidInput(f"{policy} is not JSON: {error}", field="policy") from error
    imported = read_model(_read(original), architecture)
    module = restored(imported, named, _read(weights))
    chosen = Policy.from_json({name: named[name] for name in ("bits", "rank", "removed", "sparsity") if name in named})
    content = write_onnx(fold(module), imported, policy=chosen)
    out.write_bytes(content)
    say(f"{out}: {len(content):,} bytes")


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise InvalidInput(f"there is no file {path}", field="file")
    return path.read_bytes()
