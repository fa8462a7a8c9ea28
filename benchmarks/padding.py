"""What zero-padding channels is worth: files of randomly pruned ResNet-20s, padded against as they are (the baseline).

    OMP_NUM_THREADS=1 python -m benchmarks.padding TABLE.json [POLICIES]

TABLE: of this machine. Keeps between half and all of every group, at any width, as a search whose objectives are not times
may propose. Prints for each the ratio of both files' times, measured in turn, beside the predicted one.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
from pathlib import Path

import torch

from benchmarks.shared_data import folder
from compressors import describe, pad_channels, read_onnx, slice_module, write_onnx
from hw_models.cost import Costs
from hw_models.devices import load_device
from hw_models.measure import time_together
from hw_models.profiler.host import is_this_host
from paretrim.problem import Policy


def main() -> None:
    document = json.loads(Path(sys.argv[1]).read_text())
    if not is_this_host(document):
        sys.exit("the table is of another machine")
    imported = read_onnx((folder() / "resnet20_cifar10.onnx").read_bytes())
    network = describe(imported)
    costs = Costs(network, load_device(document))
    rows = torch.randn(16, *imported.input_shape, generator=torch.Generator().manual_seed(0))
    chance = random.Random(0)
    measured, predicted = [], []
    for _ in range(int(sys.argv[2]) if len(sys.argv) > 2 else 12):
        units = {
            group.name: (group.units, chance.randint(group.units // 2, group.units)) for group in network.free_groups
        }
        policy = Policy(keep={name: left / all_of for name, (all_of, left) in units.items()})
        kept = {name: tuple(range(left)) for name, (_, left) in units.items()}
        widths = costs.padding(policy)
        content = write_onnx(slice_module(imported, network, kept).eval(), imported)
        padded, refused = pad_channels(content, imported, kept, widths, rows)
        if refused:
            sys.exit(f"refused: {refused}")
        own, wider = (timing.latency_ms for timing in time_together([content, padded]))
        measured.append(wider / own)
        predicted.append(costs.measure(policy).value("latency_ms") / costs.predict(policy).latency_ms)
        said = f"measured {own:.3f} ms, padded {wider:.3f} ms: {measured[-1]:.2f}; predicted {predicted[-1]:.2f}"
        print(f"{len(widths)} groups padded, {said}", flush=True)
    print(f"median: measured {statistics.median(measured):.2f}, predicted {statistics.median(predicted):.2f}")


if __name__ == "__main__":
    main()
