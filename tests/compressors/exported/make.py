"""Exports every family with torch's newer exporter, for tests that must not need it: it takes a minute, and onnxscript.

pip install onnxscript && python -m tests.compressors.exported.make
"""

from __future__ import annotations

from pathlib import Path

import torch

from tests.compressors.families import FAMILIES, make, samples

#: newer and older operator sets in turn
OPSETS = (18, 20, 21, 23)


def main() -> None:
    """Write one file for each family beside this script."""
    for place, family in enumerate(FAMILIES):
        program = torch.onnx.export(
            make(family),
            (samples(family, 2),),
            dynamo=True,
            opset_version=OPSETS[place % len(OPSETS)],
            input_names=["x"],
            output_names=["y"],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            external_data=False,
            verbose=False,
        )
        assert program is not None
        model = program.model_proto
        for node in model.graph.node:  # where in torch's sources it came from: long, and of no use here
            kept = [entry for entry in node.metadata_props if entry.key == "pkg.torch.onnx.name_scopes"]
            del node.metadata_props[:]
            node.metadata_props.extend(kept)
        (Path(__file__).parent / f"{family}.onnx").write_bytes(model.SerializeToString())


if __name__ == "__main__":
    main()
