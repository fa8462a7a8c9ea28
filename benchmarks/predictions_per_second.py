"""How many whole-network latencies a second are predicted for ResNet-20 on one core.

    OMP_NUM_THREADS=1 python -m benchmarks.predictions_per_second [DEVICE.json]

Without a file, a table of this host is taken first, quickly. Policies are random: widths on the device's steps at one
precision, widths anywhere, bits anywhere. Where widths or bits lie anywhere, nearly every policy
is a combination of its own, so only few are asked. Prints predictions per second of processor time, all at once and one at
a time as a search asks (`Costs.figures`), together with the baseline in the same run, `Costs.predict` of one policy, and the
largest difference between both.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.shared_data import folder
from compressors import describe, read_onnx
from hw_models.cost import Costs
from hw_models.devices import load_device
from hw_models.legal import legal_units
from hw_models.many import ManyCosts
from hw_models.profiler import profile_host

MANY, SOME, FEW = 50_000, 300, 60


def main() -> None:
    document = json.loads(Path(sys.argv[1]).read_text()) if len(sys.argv) > 1 else profile_host()
    device = load_device(document)
    network = describe(read_onnx((folder() / "resnet20_cifar10.onnx").read_bytes()))
    random = np.random.default_rng(0)
    layers = len(network.layers)
    for what in ("widths on steps", "widths anywhere", "bits anywhere"):
        many, costs = ManyCosts(network, device), Costs(network, device)
        columns = [
            random.choice(legal_units(network, device, group, min_keep=0.2, stepped=what != "widths anywhere"), MANY)
            if group.frozen is None
            else np.full(MANY, group.units)
            for group in network.groups
        ]
        kept = np.stack(columns, axis=1).astype(np.int64)
        kernels = len(device.execution.kernels)
        each = (MANY, layers) if what == "bits anywhere" else (MANY, 1)
        bits = np.broadcast_to(random.integers(0, kernels, each), (MANY, layers)).copy()
        size = MANY if what == "widths on steps" else 300
        begin = time.process_time()
        cold = many.latency_ms(kept[:size], bits[:size])
        cold_seconds = time.process_time() - begin
        begin = time.process_time()
        many.latency_ms(kept[:size], bits[:size])
        warm_seconds = time.process_time() - begin
        policies = [many._policy(kept[i], bits[i]) for i in range(FEW)]
        one_by_one = np.array([costs.predict(policy).latency_ms for policy in policies])
        begin = time.process_time()
        for policy in policies:
            costs.predict(policy)
        slow = FEW / (time.process_time() - begin)
        others = [many._policy(kept[i], bits[i]) for i in range(2 * SOME)]
        for policy in others[:SOME]:
            costs.figures(policy, {"latency_ms"})
        begin = time.process_time()
        for policy in others[SOME:]:  # as a search asks: never the same twice
            costs.figures(policy, {"latency_ms"})
        searched = SOME / (time.process_time() - begin)
        print(
            json.dumps(
                {
                    "policies": what,
                    "per_second": round(size / warm_seconds),
                    "per_second_first_time": round(size / cold_seconds),
                    "per_second_as_searched": round(searched),
                    "baseline_one_by_one": round(slow),
                    "ratio": round(size / warm_seconds / slow, 1),
                    "largest_difference": float(np.abs(cold[:FEW] / one_by_one - 1).max()),
                }
            )
        )


if __name__ == "__main__":
    main()
