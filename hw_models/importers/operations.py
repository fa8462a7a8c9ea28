"""Tables of single operations: FBNet's, NetAdapt's, PaddleSlim's and tinynas's."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from typing import Any

from hw_models.importers.rows import ForeignTable, checked_unit, conv
from hw_models.importers.text import json_of, number, text_of, whole_option
from hw_models.units import Unit
from paretrim.errors import InvalidInput, InvalidTable
from paretrim.problem import Bits

_TINYNAS = re.compile(r"^\{(?P<kind>Regular|Depthwise),(?P<shape>\d+(?:,\d+){7})\}\s+(?P<ms>\S+)$")
_PRECISIONS = {"fp32": Bits(), "fp16": Bits(16, 16), "int8": Bits(8, 8)}
_SCALES = {"s": 1e6, "ms": 1e3, "us": 1.0}


def read_tinynas(content: bytes, options: Mapping[str, str]) -> ForeignTable:
    """Lines `{Regular|Depthwise,batch,cin,h,w,cout,kernel,stride,fused addition} ms`; -1 is a kernel that failed."""
    batch = whole_option(options, "batch", 1)
    bits = _PRECISIONS.get(options.get("precision", "fp32"))
    if bits is None:
        raise InvalidInput(f"precision must be one of {', '.join(_PRECISIONS)}", field="precision")
    table = ForeignTable(
        kernels=(bits,), runtime={"name": "tensorrt", "version": "unknown"}, hardware={"cpu_model": "unknown"}
    )
    table.batch = batch
    failed = other = repeated = 0
    for line_number, line in enumerate(text_of(content).splitlines(), 1):
        if not line.strip():
            continue
        match = _TINYNAS.match(line.strip())
        if match is None:
            raise InvalidTable(f"line {line_number} is not {{kind,...}} ms: {line[:60]!r}", field="file")
        images, cin, height, width, cout, kernel, stride, added = (int(part) for part in match["shape"].split(","))
        milliseconds = number(match["ms"], f"line {line_number}")
        failed += milliseconds == -1
        other += images != batch
        if milliseconds == -1 or images != batch:
            continue
        deep = match["kind"] == "Depthwise"
        unit = conv(
            images,
            (cin, cin if deep else cout),
            (height, width),
            kernel=kernel,
            stride=stride,
            groups=cin if deep else 1,
            bits=bits,
            fused=("add",) if added else (),
        )
        if unit in table.rows:  # measured twice; the file has no rule for it, the first is as good
            repeated += 1
            continue
        table.add(f"line {line_number}", unit, 1e3 * milliseconds)
    table.notes += [
        f"{failed} entries say -1: that kernel failed there, so they are left out",
        f"{other} entries are of another batch than {batch}: import them with --option batch=N",
        f"{repeated} entries repeat an operation; the first of them counts",
    ]
    return table


_PADDLE_FIELDS = ("flag_bias", "flag_relu", "n", "c", "h", "w", "cout", "groups", "kernel", "pad", "stride", "dilation")


def read_paddleslim(content: bytes, options: Mapping[str, str]) -> ForeignTable:
    """Lines `conv flag_bias flag_relu n c h w cout groups kernel pad stride dilation <tab> ms`.

    As PaddleSlim's table_latency documentation has it; kernel, pad, stride and dilation are one number or (a, b).
    """
    batch = whole_option(options, "batch", 1)
    bits = _PRECISIONS.get(options.get("precision", "fp32"), Bits())
    table = ForeignTable(
        kernels=(bits,), runtime={"name": "paddle-lite", "version": "unknown"}, hardware={"cpu_model": "unknown"}
    )
    table.batch = batch
    for line_number, line in enumerate(text_of(content).splitlines(), 1):
        if not line.strip() or line.startswith(("#", "op", "ops")):
            continue
        key, tab, time = line.rpartition("\t")
        parts = [part for part in re.split(r"[\s,;]+", re.sub(r"[()\[\]]", "", key.strip())) if part]
        if not tab or not parts:
            raise InvalidTable(f"line {line_number} is not `key <tab> ms`: {line[:60]!r}", field="file")
        if not parts[0].startswith(("conv", "depthwise_conv")):
            table.notes.append(f"line {line_number}: operations of kind {parts[0][:30]!r} are not imported")
            continue
        unit = _paddle_unit(parts[1:], bits, line_number)
        table.add(f"line {line_number}", unit, 1e3 * number(time, f"line {line_number}"))
    return table


def _paddle_unit(parts: list[str], bits: Bits, line_number: int) -> Unit:
    numbers = [int(number(part, f"line {line_number}")) for part in parts]
    if len(numbers) == len(_PADDLE_FIELDS) + 4:  # pairs for kernel, pad, stride, dilation
        numbers = [*numbers[:8], *numbers[8::2]]
    if len(numbers) != len(_PADDLE_FIELDS):
        raise InvalidTable(
            f"line {line_number} has {len(numbers)} numbers, a convolution has {', '.join(_PADDLE_FIELDS)}",
            field="file",
        )
    values = dict(zip(_PADDLE_FIELDS, numbers, strict=True))
    return conv(
        values["n"],
        (values["c"], values["cout"]),
        (values["h"], values["w"]),
        kernel=values["kernel"],
        stride=values["stride"],
        padding=values["pad"],
        groups=values["groups"],
        bits=bits,
    )


_FBNET = ("op_type", "op_args", "input_shapes", "p50")


def read_fbnet(content: bytes, options: Mapping[str, str]) -> ForeignTable:
    """CSV with columns op_type, op_args (`name=value;...`), input_shapes (`NxCxHxW;...`), p50, and maybe p10, p90: us.

    The columns of FBNet's latency database (mobile-vision, runtime_lut): Caffe2 in 8 bits.
    """
    del options
    reader = csv.DictReader(io.StringIO(text_of(content)))
    lacking = [name for name in _FBNET if name not in (reader.fieldnames or ())]
    if lacking:
        raise InvalidTable(f"the file has no column {', '.join(lacking)}", field="file")
    table = ForeignTable(
        kernels=(Bits(8, 8),), runtime={"name": "caffe2", "version": "unknown"}, hardware={"cpu_model": "unknown"}
    )
    for line_number, entry in enumerate(reader, 2):
        unit = _fbnet_unit(entry, line_number)
        if unit is None:
            table.notes.append(f"line {line_number}: operations of kind {entry['op_type'][:30]!r} are not imported")
            continue
        known = {name: entry[name] for name in ("p10", "p50", "p90") if entry.get(name)}
        percentiles = {name: number(value, f"line {line_number}, {name}") for name, value in known.items()}
        wrong = any(value <= 0 for value in percentiles.values())
        table.add(f"line {line_number}", unit, percentiles["p50"], percentiles_us=None if wrong else percentiles)
    return table


def _fbnet_unit(entry: Mapping[str, Any], line_number: int) -> Unit | None:
    where = f"line {line_number}"
    arguments = dict(part.split("=", 1) for part in (entry["op_args"] or "").split(";") if "=" in part)
    first = (entry["input_shapes"] or "").split(";")[0]
    shape = [int(number(part, where)) for part in first.split("x") if part]
    if entry["op_type"].lower() not in ("conv", "int8conv", "int8convrelu", "convrelu") or len(shape) != 4:
        return None
    value = {name: int(number(text, f"{where}, {name}")) for name, text in arguments.items()}
    missing = [name for name in ("out_channels", "kernel") if name not in value]
    if missing:
        raise InvalidTable(f"{where}: op_args has no {', '.join(missing)}", field="file")
    return conv(
        shape[0],
        (shape[1], value["out_channels"]),
        (shape[2], shape[3]),
        kernel=value["kernel"],
        stride=value.get("stride", 1),
        padding=value.get("pad"),
        groups=value.get("group", 1),
        bits=Bits(8, 8),
    )


def read_netadapt(content: bytes, options: Mapping[str, str]) -> ForeignTable:
    """NetAdapt's table, written as JSON: a list of layers, each with its shape and `latency`: [[cin, cout, time], ...].

    A layer has kernel_size, stride, padding, groups, input_feature_map_size (N, C, H, W) and is_depthwise. Time is in
    seconds unless the option `unit` says otherwise; NetAdapt's own example holds multiply-adds instead, which is no
    time, and is refused by its size.
    """
    unit_name = options.get("unit", "s")
    if unit_name not in _SCALES:
        raise InvalidInput(f"unit must be one of {', '.join(_SCALES)}", field="unit")
    layers = json_of(content)
    if not isinstance(layers, list) or not all(isinstance(layer, Mapping) for layer in layers):
        raise InvalidTable("a NetAdapt table in JSON is a list of layers", field="file")
    table = ForeignTable(
        kernels=(Bits(),), runtime={"name": "unknown", "version": "unknown"}, hardware={"cpu_model": "unknown"}
    )
    for index, layer in enumerate(layers):
        _netadapt_layer(table, layer, f"layer {index}", _SCALES[unit_name])
    return table


def _netadapt_layer(table: ForeignTable, layer: Mapping[str, Any], where: str, scale: float) -> None:
    entries, shape = layer.get("latency"), layer.get("input_feature_map_size")
    if not isinstance(entries, list) or not isinstance(shape, list) or len(shape) not in (2, 4):
        raise InvalidTable(f"{where} needs `latency` and `input_feature_map_size` (N, C[, H, W])", field="file")
    for entry in entries:
        if not isinstance(entry, list) or len(entry) != 3:
            raise InvalidTable(f"{where}: {str(entry)[:40]} is not [cin, cout, time]", field="file")
        cin, cout = int(number(entry[0], where)), int(number(entry[1], where))
        deep = bool(layer.get("is_depthwise", False))
        if len(shape) == 2:
            unit = checked_unit(kind="linear", in_channels=cin, out_channels=cout, batch=int(number(shape[0], where)))
        else:
            unit = conv(
                int(number(shape[0], where)),
                (cin, cin if deep else cout),
                (int(number(shape[2], where)), int(number(shape[3], where))),
                kernel=int(number(layer.get("kernel_size"), f"{where}, kernel_size")),
                stride=int(number(layer.get("stride", 1), where)),
                padding=int(number(layer.get("padding", 0), where)),
                groups=cin if deep else int(number(layer.get("groups", 1), where)),
            )
        table.batch = unit.batch
        table.add(f"{where} ({cin}, {cout})", unit, scale * number(entry[2], where))
