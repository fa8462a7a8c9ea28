"""`paretrim pack` and `paretrim unpack`: networks as small files and back, without a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from paretrim._output import Output, emit_rows, say
from paretrim.errors import InvalidInput

OutputOption = Annotated[Output, typer.Option("--output", "-o", help="How data is written to stdout.")]
OutOption = Annotated[Path | None, typer.Option(help="The file to write; beside the given one, if absent.")]


def pack(
    model: Annotated[Path, typer.Argument(help="An .onnx file.")],
    out: OutOption = None,
    output: OutputOption = Output.table,
) -> None:
    """Pack a network into a .ptz file, each tensor in the fewest bytes that give it back exactly."""
    from compressors import pack as packed_from

    content = _read(model)
    packed = packed_from(content)
    path = out or model.with_suffix(".ptz")
    path.write_bytes(packed.content)
    rows = [
        {"tensor": t.name, "coding": t.coding, "elements": t.elements, "bytes": t.packed_bytes} for t in packed.tensors
    ]
    rows.append({"tensor": "(graph, checksum)", "coding": "lzma", "elements": 0, "bytes": packed.overhead_bytes})
    emit_rows(rows, ("tensor", "coding", "elements", "bytes"), output, whole=rows)
    say(f"{path}: {len(packed.content):,} bytes of {len(content):,}, {len(content) / len(packed.content):.2f}x less")


def unpack(
    packed: Annotated[Path, typer.Argument(help="A .ptz file.")],
    out: OutOption = None,
) -> None:
    """Give back the very .onnx file that was packed. Damaged files are refused."""
    from compressors import unpack as unpacked_from

    content = unpacked_from(_read(packed))
    path = out or packed.with_suffix(".onnx")
    path.write_bytes(content)
    say(f"{path}: {len(content):,} bytes")


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise InvalidInput(f"there is no file {path}", field="file")
    return path.read_bytes()
