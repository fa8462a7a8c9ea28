"""The one way in: a file's bytes and its format's name. No file is executed, and no pickle is ever loaded."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from hw_models.importers.blocks import read_mbconv_yaml, read_tfnas
from hw_models.importers.nested import read_densenas, read_nn_meter, read_single_path
from hw_models.importers.operations import read_fbnet, read_netadapt, read_paddleslim, read_tinynas
from hw_models.importers.rows import ForeignTable
from hw_models.importers.simulated import read_apq, read_haq
from paretrim.errors import InvalidInput, InvalidTable

MOST_BYTES = 64 << 20

#: by name, what reads a format: bytes and options in, rows out
FORMATS: Mapping[str, Callable[[bytes, Mapping[str, str]], ForeignTable]] = {
    "proxylessnas": read_mbconv_yaml,
    "ofa": read_mbconv_yaml,
    "fbnet": read_fbnet,
    "netadapt": read_netadapt,
    "haq": read_haq,
    "apq": read_apq,
    "paddleslim": read_paddleslim,
    "tinynas": read_tinynas,
    "tf-nas": read_tfnas,
    "single-path-nas": read_single_path,
    "nn-meter": read_nn_meter,
    "densenas": read_densenas,
}
_PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"(lp0", b"(dp0")


def import_table(
    content: bytes, form: str, *, name: str, filename: str = "", options: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """A device document from a foreign table.

    form: of `FORMATS`. options: what the file does not say, by format: `batch` (tinynas, paddleslim: rows of which
    batch), `precision` (tinynas: fp32, fp16 or int8), `clock_mhz` (haq), `unit` (netadapt: s, ms or us).
    Raises InvalidInput for an unknown format, InvalidTable naming what is wrong with the file and the remedy.
    """
    if form not in FORMATS:
        raise InvalidInput(f"format {form!r} is not known; there are {', '.join(FORMATS)}", field="format")
    if len(content) > MOST_BYTES:
        raise InvalidTable(f"the file has {len(content)} bytes, more than {MOST_BYTES}", field="file")
    if content.startswith(_PICKLES):
        raise InvalidTable(
            "this is a pickle, which can carry code, so it is not read. If you trust where it is from, write it as JSON"
            ' on your own machine, e.g. python -c "import json, pickle, sys; print(json.dumps(pickle.load(open('
            "sys.argv[1], 'rb')), default=list))\" FILE, with tuples as text keys; see docs/adding-a-device.md",
            field="file",
        )
    table = FORMATS[form](content, options or {})
    source = {
        "format": form,
        "file": filename[:200],
        "sha256": hashlib.sha256(content).hexdigest(),
        "statistic": "as published",
    }
    return table.document(name, source)
